"""Derive the small records of simulations/experiments/records from the recorded data.

    python site/scripts/make_records.py ../shared/data

The data stay where they are; the project carries what is written here, with source and licence.
May import: the standard library and `simulations`.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulations.experiments.recorded import (
    RecordedRequest,
    longest_life_s,
    misses,
    replay,
    routing_choices,
)
from simulations.stats import quantile

ROOT = Path(__file__).resolve().parents[2]
RATES = ("0.00185", "0.00287", "0.00572", "0.0164", "0.0999")
#: The measurers began each run with a function that nobody had called; its start is dropped.
WARMUP_S = 1800.0


def read_log(file: Path) -> list[RecordedRequest]:
    """Read one recorded request log, in order of the requests' start."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        rows = [
            RecordedRequest(
                float(row["client_start_time"]),
                float(row["client_end_time"]),
                row["is_cold"] == "True",
                row["new_id"] if row["is_cold"] == "True" else row["exist_id"],
            )
            for row in csv.DictReader(lines)
        ]
    return sorted(rows, key=lambda r: r.start_s)


def cold_starts_2020(data: Path) -> dict[str, Any]:
    """Cold share, routing choices and replay of the five logs of 2020."""
    runs = []
    for rate in RATES:
        rows = read_log(data / "aws_requests_2020" / f"rate-{rate}.csv.gz")
        first_s = rows[0].start_s
        modeled = replay(rows)
        after = [
            (row, cold)
            for row, cold in zip(rows, modeled, strict=True)
            if row.start_s - first_s >= WARMUP_S
        ]
        chosen = routing_choices(rows)
        warm_s = [row.end_s - row.start_s for row, _ in after if not row.cold]
        cold_s = [row.end_s - row.start_s for row, _ in after if row.cold]
        runs.append(
            {
                "rate_per_s": float(rate),
                "requests": len(after),
                "cold": len(cold_s),
                "mean_warm_s": round(sum(warm_s) / len(warm_s), 3),
                "mean_cold_s": round(sum(cold_s) / len(cold_s), 3),
                "replay_cold": sum(cold for _, cold in after),
                "replay_found": sum(cold and row.cold for row, cold in after),
                "choices": chosen.choices,
                "own_not_idle": chosen.own_not_idle,
                "agreeing": chosen.agreeing,
                "misses": asdict(misses(rows, modeled, from_s=WARMUP_S)),
                "longest_life_h": round(longest_life_s(rows) / 3600, 3),
            }
        )
    return {
        "source": "N. Mahmoudi and H. Khazaei, IEEE Transactions on Cloud Computing, 2020; "
        "request logs of one Python function on AWS Lambda, May and June 2020",
        "url": "https://github.com/pacslab/serverless-performance-modeling",
        "licence": "MIT",
        "note": "about 28 h a rate, Poisson arrivals; the first 30 min of each run dropped from "
        "the shares; routing over whole runs",
        "runs": runs,
    }


def idle_gaps_2025(data: Path) -> dict[str, Any]:
    """Cold starts after each idle gap, probes of 2025."""
    found: dict[int, dict[str, int]] = {}
    for step in ("big", "small"):
        file = data / "cirrus_2025" / f"keep_alive_aws_{step}_step.json"
        for gap, counts in json.loads(file.read_text(encoding="utf-8")).items():
            found[int(gap)] = {
                "probes": counts["warm"] + counts["cold"],
                "cold": counts["cold"],
            }
    return {
        "source": "CIRRUS lab, artifact of a paper at EuroSys 2026; idle-gap probes of one "
        "function on AWS Lambda, spring 2025",
        "url": "https://github.com/ubc-cirrus-lab/demystifying-serverless-costs",
        "licence": "MIT",
        "note": "100 probes a gap; the model's keep-alive was fitted to these very numbers",
        "gaps": [{"gap_s": gap, **found[gap]} for gap in sorted(found)],
    }


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


def call_rates_2019(data: Path) -> dict[str, Any]:
    """How many apps of a whole platform were called how often in one day."""
    file = data / "azure_2019" / "azure2019_apps_total_invocations.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        calls = sorted(int(row["NumInvocations"]) for row in csv.DictReader(lines))
    bins: dict[int, list[int]] = {}
    for one in calls:
        # Two bins a decade; whole numbers decide, so that no rounding moves an app.
        digits = len(str(one)) - 1
        bins.setdefault(2 * digits + (one * one >= 10 ** (2 * digits + 1)), []).append(one)
    minutely = [one for one in calls if one > 24 * 60]
    return {
        "source": "Microsoft, Azure Functions Trace 2019 (M. Shahrad et al., USENIX ATC 2020); "
        "calls of each app in one day, as counted by the CIRRUS lab (femux)",
        "url": "https://github.com/Azure/AzurePublicDataset",
        "licence": "CC BY 4.0",
        "note": "apps with at least one call that day, in two bins a decade of calls a day",
        "apps": len(calls),
        "calls": sum(calls),
        "apps_above_one_a_minute": len(minutely),
        "calls_to_those": sum(minutely),
        "bins": [{"apps": len(bins[k]), "calls": sum(bins[k])} for k in sorted(bins)],
    }


#: As published; nothing here is computed from data. `read` says how we know it.
KEEP_ALIVE = (
    {
        "as_of": "2018",
        "who": "Wang et al.",
        "low_min": None,
        "high_min": 27,
        "url": "https://www.usenix.org/conference/atc18/presentation/wang-liang",
        "read": "as quoted by others",
    },
    {
        "as_of": "June 2019",
        "who": "Shilkov",
        "low_min": 25,
        "high_min": 60,
        "url": "https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/",
        "read": "the text itself",
    },
    {
        "as_of": "August 2019",
        "who": "Shilkov",
        "low_min": 10,
        "high_min": 10,
        "url": "https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/",
        "read": "the text itself",
    },
    {
        "as_of": "January 2021",
        "who": "Shilkov",
        "low_min": 5,
        "high_min": 7,
        "url": "https://mikhail.io/serverless/coldstarts/aws/intervals/",
        "read": "the text itself",
    },
)


def cpu_memory_2025(data: Path) -> dict[str, Any]:
    """How long one short task took at 195 memory sizes, probes of 2025."""
    file = data / "cirrus_2025" / "aws_cpu_time_vs_memory_summary.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {
        "source": "CIRRUS lab, artifact of a paper at EuroSys 2026; durations of a task of 17.4 ms "
        "of processor time on AWS Lambda, 2025",
        "url": "https://github.com/ubc-cirrus-lab/demystifying-serverless-costs",
        "licence": "MIT",
        "note": "at: memory in MB, mean, 5th and 95th percentile of the duration in ms",
        "runs": sum(int(row["n"]) for row in rows),
        "cpu_ms": 17.4,
        "at": [
            [
                int(row["memory_mb"]),
                *(round(float(row[name]), 2) for name in ("mean_ms", "p5", "p95")),
            ]
            for row in rows
        ],
    }


def keep_alive_history(_: Path) -> dict[str, Any]:
    """How long others found an idle environment to live, over the years."""
    return {
        "source": "published black-box probes, each with its address",
        "licence": "facts quoted, no data taken",
        "found": list(KEEP_ALIVE),
    }


#: When runtimes are deprecated and updates of functions blocked, each from a page that was read.
RUNTIME_DATES = (
    ("python3.14", "2029-06-30", "2029-08-31", "AWS, Building Lambda functions with Python, copy of 2026"),
    ("nodejs24.x", "2028-04-30", "2028-07-01", "AWS, Building Lambda functions with Node.js, copy of 2026"),
    ("java25", "2029-06-30", "2029-08-31", "AWS, Building Lambda functions with Java, copy of 2026"),
    ("ruby3.4", "2028-03-31", "2028-05-31", "AWS, Building Lambda functions with Ruby, copy of 2026"),
    ("dotnet10", "2028-11-14", "2029-01-15", "AWS, Building Lambda functions with C#, copy of 2026"),
    ("python3.11", "2027-06-30", "2027-08-31", "AWS, Building Lambda functions with Python, copy of 2026"),
    ("dotnet8", "2026-11-10", "2027-03-03", "AWS, Building Lambda functions with C#, latest copy of 2026"),
    ("python3.10", "2026-10-31", "2027-01-15", "AWS, Building Lambda functions with Python, copy of 2026"),
    ("nodejs20.x", "2026-04-30", "2026-09-30", "AWS, Building Lambda functions with Node.js, copy of 2026"),
)  # fmt: skip
#: What earlier copies of the same pages said.
RUNTIME_DATES_BEFORE = (
    ("dotnet8", "2026-11-10", "2027-01-11", "AWS, Building Lambda functions with C#, earlier copy of 2026"),
    ("nodejs20.x", "2026-04-30", "2026-07-01", "AWS, Building Lambda functions with Node.js, earlier copy"),
)  # fmt: skip


def runtime_dates(_: Path) -> dict[str, Any]:
    """Deprecation of Lambda's runtimes, as announced; AWS moves these dates."""
    names = ("runtime", "deprecated", "updates_blocked", "source")
    return {
        "source": "AWS's documentation, each page named",
        "licence": "facts quoted, no data taken",
        "found": [dict(zip(names, one, strict=True)) for one in RUNTIME_DATES],
        "before": [dict(zip(names, one, strict=True)) for one in RUNTIME_DATES_BEFORE],
    }


RECORDS = {
    "call_rates_2019": call_rates_2019,
    "cold_starts_2020": cold_starts_2020,
    "cpu_memory_2025": cpu_memory_2025,
    "idle_gaps_2025": idle_gaps_2025,
    "keep_alive_history": keep_alive_history,
    "init_2026": init_2026,
    "init_languages_2026": init_languages_2026,
    "runtime_dates": runtime_dates,
}


def as_text(record: dict[str, Any]) -> str:
    """The text of a record's file."""
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write every record."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: make_records.py FOLDER-OF-RECORDED-DATA", file=sys.stderr)
        return 2
    for name, make in RECORDS.items():
        file = ROOT / "simulations" / "experiments" / "records" / f"{name}.json"
        file.write_text(as_text(make(Path(arguments[0]))), encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
