"""Derive the small records of simulations/experiments/records from the recorded data.

    python site/scripts/make_records.py ../shared/data

The data stay where they are; the project carries what is written here, with source and licence.
May import: the standard library and `simulations`.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from init_records import init_2026, init_languages_2026, init_shapes_2026
from published_records import keep_alive_history, runtime_dates

from simulations.experiments.recorded import (
    RecordedRequest,
    longest_life_s,
    misses,
    replay,
    routing_choices,
)
from simulations.stats import quantile_interval, variance

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


def memory_2019(data: Path) -> dict[str, Any]:
    """Memory of a hundred apps: quantiles with what a hundred can tell of them."""
    file = data / "azure_2019" / "azure2019_100apps_avg_concurrency_per_min.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        used_mb = [float(row["AverageMemUsage"]) for row in csv.DictReader(lines)]
    return {
        "source": "Microsoft, Azure Functions Trace 2019 (M. Shahrad et al., USENIX ATC 2020); "
        "average memory of 100 apps, as chosen by the CIRRUS lab (femux)",
        "url": "https://github.com/Azure/AzurePublicDataset",
        "licence": "CC BY 4.0",
        "note": "quantile, its value in MB and the 99 % interval between two order statistics",
        "quantiles": [[p, *quantile_interval(used_mb, p, level=0.99)] for p in (0.1, 0.5, 0.9)],
    }


def billed_sample(data: Path) -> dict[str, Any]:
    """Shown and billed durations of about 250 invocations of each year."""
    logs = {
        "in_2020": (
            100,
            "aws_requests_2020/rate-0.0999.csv.gz",
            "aws_duration",
            "aws_billed_duration",
        ),
        "in_2025": (1, "cirrus_2025/aws_concurrency_reports.csv.gz", "duration_ms", "billed_ms"),
    }
    found: dict[str, Any] = {}
    for year, (step_ms, file, shown, billed) in logs.items():
        with gzip.open(data / file, "rt", encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        found[year] = {
            "step_ms": step_ms,
            "shown_and_billed_ms": [
                [float(row[shown]), int(float(row[billed]))] for row in rows[:: len(rows) // 250]
            ],
        }
    return {
        "source": "every 40th and every 54th invocation of N. Mahmoudi and H. Khazaei, request logs of AWS "
        "Lambda, 2020; CIRRUS lab, REPORT lines of one function on AWS Lambda, May 2025",
        "url": "https://github.com/pacslab/serverless-performance-modeling and "
        "https://github.com/ubc-cirrus-lab/demystifying-serverless-costs",
        "licence": "MIT",
        "note": "INIT was not billed in either year",
        **found,
    }


def one_at_a_time_2025(data: Path) -> dict[str, Any]:
    """What 1 to 30 requests a second did to a function of 155 ms: durations and environments."""
    by_rate: dict[int, list[dict[str, str]]] = {}
    file = data / "cirrus_2025" / "aws_concurrency_reports.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            by_rate.setdefault(int(row["rps"]), []).append(row)

    def summary(rate: int) -> dict[str, Any]:
        times_ms = [float(row["duration_ms"]) for row in by_rate[rate]]
        return {
            "rate_per_s": rate,
            "requests": len(times_ms),
            "mean_ms": round(sum(times_ms) / len(times_ms), 2),
            "sd_ms": round(math.sqrt(variance(times_ms)), 2),
            "environments": len({row["log_stream"] for row in by_rate[rate]}),
            "cold": sum(bool(row["init_ms"]) for row in by_rate[rate]),
        }

    return {
        "source": "CIRRUS lab, artifact of a paper at EuroSys 2026; REPORT lines of one function with "
        "one vCPU on AWS Lambda, May 2025",
        "url": "https://github.com/ubc-cirrus-lab/demystifying-serverless-costs",
        "licence": "MIT",
        "note": "two minutes at each rate, one rate after the other on the same function",
        "rates": [summary(rate) for rate in sorted(by_rate)],
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


RECORDS = {
    "billed_sample": billed_sample,
    "call_rates_2019": call_rates_2019,
    "cold_starts_2020": cold_starts_2020,
    "cpu_memory_2025": cpu_memory_2025,
    "idle_gaps_2025": idle_gaps_2025,
    "memory_2019": memory_2019,
    "keep_alive_history": keep_alive_history,
    "init_2026": init_2026,
    "init_languages_2026": init_languages_2026,
    "init_shapes_2026": init_shapes_2026,
    "one_at_a_time_2025": one_at_a_time_2025,
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
