"""Derive the record of the time that requests spent outside the handler, warm and cold.

    python site/scripts/make_request_path.py ../shared/data

Client's time from call to answer, minus the duration that Lambda reported for the handler: what
is left is network, front door and, where the call was cold, the making of the environment.
May import: the standard library and `simulations`.
"""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path
from typing import Any

from make_records import RATES, ROOT, WARMUP_S, as_text

from simulations.stats import quantile

NAME = "request_path_2020"
#: Milliseconds outside the handler that part the three groups of cold calls; the gaps between
#: the groups lie there.
PARTS_MS = (200, 500)


def outside_ms(row: dict[str, str]) -> float:
    """Return the milliseconds of a request that were not the handler's."""
    whole_s = float(row["client_end_time"]) - float(row["client_start_time"])
    return 1000 * whole_s - float(row["aws_duration"])


def request_path_2020(data: Path) -> dict[str, Any]:
    """Time outside the handler in the five logs of 2020."""
    warm: list[float] = []
    cold: list[float] = []
    first: list[float] = []
    again: list[float] = []
    runs = []
    for rate in RATES:
        file = data / "aws_requests_2020" / f"rate-{rate}.csv.gz"
        with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        from_s = min(float(row["client_start_time"]) for row in rows) + WARMUP_S
        groups = [0, 0, 0]
        for row in rows:
            if float(row["client_start_time"]) < from_s:
                continue
            if row["is_cold"] == "True":
                cold.append(outside_ms(row))
                first.append(float(row["aws_duration"]))
                groups[sum(cold[-1] >= part for part in PARTS_MS)] += 1
            else:
                warm.append(outside_ms(row))
                again.append(float(row["aws_duration"]))
        runs.append({"rate_per_s": float(rate), "fast_middle_slow": groups})
    return {
        "source": "N. Mahmoudi and H. Khazaei, IEEE Transactions on Cloud Computing, 2020; "
        "request logs of one Python function on AWS Lambda, May and June 2020",
        "url": "https://github.com/pacslab/serverless-performance-modeling",
        "licence": "MIT",
        "note": "milliseconds from the client's call to its answer minus the duration that Lambda "
        "reported for the handler; the first 30 min of each run dropped; five runs together",
        "warm": len(warm),
        "warm_percentiles_ms": [round(quantile(warm, p / 100), 1) for p in range(101)],
        "cold_ms": [round(value) for value in sorted(cold)],
        "handler_warm_p50_ms": round(quantile(again, 0.5)),
        "handler_cold_p50_ms": round(quantile(first, 0.5)),
        "parts_ms": list(PARTS_MS),
        "runs": runs,
    }


def main(arguments: list[str]) -> int:
    """Write the record."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: make_request_path.py FOLDER-OF-RECORDED-DATA", file=sys.stderr)
        return 2
    file = ROOT / "simulations" / "experiments" / "records" / f"{NAME}.json"
    file.write_text(as_text(request_path_2020(Path(arguments[0]))), encoding="utf-8")
    print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
