"""The billing rules, old and new, against what AWS wrote into real logs.

Lambda rounds the time up, then shows it with two decimals: where a whole number of steps is
shown, the time may have been a little above, and one step more is billed. Nowhere else do our
rules differ from what was billed.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

from simulations.experiments.records import record
from simulations.pricing import billed_ms


def rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def test_a_hundred_milliseconds_at_a_time_in_2020(shared: Path) -> None:
    """Request logs of pacslab (IEEE TCC 2020), cold ones among them: INIT was free."""
    count = one_more = 0
    for path in sorted((shared / "aws_requests_2020").glob("rate-*.csv.gz")):
        for row in rows(path):
            count += 1
            duration_ms, billed = float(row["aws_duration"]), float(row["aws_billed_duration"])
            ours = billed_ms(duration_ms, round_ms=100)
            if ours != billed:
                assert duration_ms % 100 == 0
                assert billed == ours + 100
                one_more += 1
    assert {"step_ms": 100, "invocations": count, "one_more": one_more} == record(
        "billed_durations"
    )["in_2020"]


def test_one_millisecond_at_a_time_and_init_free_in_may_2025(shared: Path) -> None:
    """REPORT lines of CIRRUS (EuroSys 2026), eleven weeks before INIT was billed."""
    count = one_more = cold = with_init = 0
    for row in rows(shared / "cirrus_2025" / "aws_concurrency_reports.csv.gz"):
        count += 1
        duration_ms, billed = float(row["duration_ms"]), int(row["billed_ms"])
        init_ms = float(row["init_ms"] or 0)
        ours = billed_ms(duration_ms, init_ms, init_billed=False)
        if init_ms:
            cold += 1
            with_init += billed == billed_ms(duration_ms, init_ms)
        if ours != billed:
            assert duration_ms == int(duration_ms)
            assert billed == ours + 1
            one_more += 1
    assert {
        "step_ms": 1,
        "invocations": count,
        "cold": cold,
        "cold_with_init_billed": with_init,
        "one_more": one_more,
    } == record("billed_durations")["in_2025"]
