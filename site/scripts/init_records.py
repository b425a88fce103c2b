"""Records of INIT, from the quantiles that lambda-perf publishes every day.

May import: the standard library and `simulations.stats`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from simulations.stats import quantile

#: Hello-world functions whose INIT the record keeps, by the measurers' names.
RUNTIMES = {
    "rust (prov.al2023)": "Rust",
    "python3.14": "Python 3.14",
    "nodejs24.x": "Node.js 24",
    "java25": "Java 25",
}


#: What the chapter on languages shows: each language's newest runtime on 22 August 2026.
LANGUAGES = {
    "rust (prov.al2023)": "Rust",
    "go (prov.al2023)": "Go",
    "dotnet10 aot (prov.al2023)": "C#, .NET 10 ahead of time",
    "python3.14": "Python 3.14",
    "nodejs24.x": "Node.js 24",
    "java25": "Java 25",
    "ruby3.4": "Ruby 3.4",
    "dotnet10": "C#, .NET 10",
    "python3.12": "Python 3.12",
    "nodejs22.x": "Node.js 22",
    "java21": "Java 21",
    "dotnet8": "C#, .NET 8",
}


def init_languages_2026(data: Path) -> dict[str, Any]:
    """Init Duration of hello-world functions by language: median and 99th percentile."""
    file = next((data / "lambda_perf").glob("*quantiles.csv"))
    with file.open(encoding="utf-8", newline="") as lines:
        rows = {
            row["display"]: row
            for row in csv.DictReader(lines)
            if (row["package"], row["arch"], float(row["memory_mb"])) == ("zip", "x86_64", 128)
        }
    return {
        "source": "Maxime David, lambda-perf; Init Duration of hello-world functions on AWS Lambda, "
        "9 to 22 August 2026",
        "url": "https://github.com/maxday/lambda-perf",
        "licence": "Apache-2.0",
        "note": "zip packages, x86_64, 128 MB; INIT alone, without making the environment and "
        "fetching the code",
        "languages": [
            {
                "language": language,
                "runtime": name.split(" ")[0] if "prov" not in name else "provided.al2023",
                "probes": int(rows[name]["n"]),
                "p50_ms": round(float(rows[name]["p50"]), 1),
                "p99_ms": round(float(rows[name]["p99"]), 1),
            }
            for name, language in LANGUAGES.items()
        ],
    }


def init_2026(data: Path) -> dict[str, Any]:
    """Init Duration of small functions, and what memory changes of it."""
    file = next((data / "lambda_perf").glob("*quantiles.csv"))
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    cells: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in rows:
        cell = cells.setdefault((row["display"], row["package"], row["arch"]), {})
        cell[f"{float(row['memory_mb']):.0f}"] = float(row["p50"])
    ratios = sorted(c["1024"] / c["128"] for c in cells.values() if "1024" in c and "128" in c)
    kept = [
        {
            "runtime": RUNTIMES[row["display"]],
            "probes": int(row["n"]),
            "p50_ms": round(float(row["p50"]), 1),
            "p99_ms": round(float(row["p99"]), 1),
        }
        for name in RUNTIMES
        for row in rows
        if row["display"] == name
        and (row["package"], row["arch"]) == ("zip", "x86_64")
        and float(row["memory_mb"]) == 128
    ]
    return {
        "source": "Maxime David, lambda-perf; Init Duration of hello-world functions on AWS Lambda, "
        "9 to 22 August 2026",
        "url": "https://github.com/maxday/lambda-perf",
        "licence": "Apache-2.0",
        "note": "zip packages, x86_64, 128 MB; INIT alone, without making the environment and "
        "fetching the code",
        "runtimes": kept,
        "memory_1024_to_128": {
            "functions": len(ratios),
            "median": round(quantile(ratios, 0.5), 4),
            "p5": round(quantile(ratios, 0.05), 3),
            "p95": round(quantile(ratios, 0.95), 3),
        },
    }


#: Runtimes whose INIT the record describes beyond the median.
SHAPES = ("python3.12", "nodejs22.x", "java21", "dotnet8")


def init_shapes_2026(data: Path) -> dict[str, Any]:
    """How INIT varies from start to start, and what another architecture changes of it."""
    file = next((data / "lambda_perf").glob("*quantiles.csv"))
    with file.open(encoding="utf-8", newline="") as lines:
        cells = {
            (row["display"], row["package"], row["arch"], float(row["memory_mb"])): row
            for row in csv.DictReader(lines)
        }
    ratios = sorted(
        float(row["p50"]) / float(cells[name, package, "x86_64", memory_mb]["p50"])
        for (name, package, arch, memory_mb), row in cells.items()
        if arch == "arm64" and (name, package, "x86_64", memory_mb) in cells
    )
    return {
        "source": "Maxime David, lambda-perf; Init Duration of hello-world functions on AWS Lambda, "
        "9 to 22 August 2026",
        "url": "https://github.com/maxday/lambda-perf",
        "licence": "Apache-2.0",
        "note": "zip packages, x86_64; log_sd: standard deviation of the logarithms at 128 MB",
        "runtimes": [
            {
                "runtime": name,
                "probes": int(small["n"]),
                "p50_ms": round(float(small["p50"]), 1),
                "p99_ms": round(float(small["p99"]), 1),
                "log_sd": round(float(small["lognorm_sigma"]), 4),
                "p50_1024_ms": round(float(large["p50"]), 1),
                "p99_1024_ms": round(float(large["p99"]), 1),
            }
            for name in SHAPES
            for small, large in [
                tuple(cells[name, "zip", "x86_64", memory_mb] for memory_mb in (128.0, 1024.0))
            ]
        ],
        "arm64_to_x86_64": {
            "pairs": len(ratios),
            "median": round(quantile(ratios, 0.5), 4),
            "p5": round(quantile(ratios, 0.05), 3),
            "p95": round(quantile(ratios, 0.95), 3),
        },
    }
