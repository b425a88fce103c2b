"""The recorded day of Azure Functions: the record is what a replay finds, wherever the data are."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from simulations.experiments.records import record
from simulations.fleet import HybridHistogram, day
from simulations.fleet.platform_day import Point, mean_services, point, strata, timers

RECORD = record("platform_day")
#: What a whole day may take on the machine that runs the tests.
MOST_BYTES = 2 * 2**30


def counts(shared: Path) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    file = shared / "azure_2019" / "azure2019_apps_total_invocations.csv.gz"
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = np.loadtxt(
        file, delimiter=",", skiprows=1, usecols=1, dtype=np.int64
    )
    return found


def recorded(policy: str, value: float, rows: str = "trade_off") -> Point:
    points = RECORD["regular"][rows] if rows != "trade_off" else RECORD[rows]
    return next(Point(**p) for p in points if (p["policy"], p["value"]) == (policy, value))


def test_a_whole_day_is_what_the_record_says(shared: Path) -> None:
    """All 910 million calls, under the histogram policy, in less than 2 GiB."""
    calls = counts(shared)
    assert (
        (calls.size, int(calls.sum())) == (RECORD["apps"], RECORD["calls"]) == (17_577, 910_042_048)
    )
    services = mean_services(calls.size, RECORD["seed"])
    found = day(
        calls, service_s=services, keep_alive_s=HybridHistogram(), together=True,
        seed=RECORD["seed"],
    )  # fmt: skip
    assert found.invocations == RECORD["calls"]
    assert point("hybrid", 4.0, found) == pytest.approx(recorded("hybrid", 4.0))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert memory * (1 if sys.platform == "darwin" else 1024) < MOST_BYTES


def test_timers_make_the_histogram_worth_it(shared: Path) -> None:
    calls = counts(shared)
    few = calls[calls <= RECORD["regular"]["most_calls"]]
    periods = timers(few)
    assert int((periods > 0).sum()) == RECORD["regular"]["timers"]
    services = mean_services(calls.size, RECORD["seed"])[: few.size]
    found = day(
        few, service_s=services, keep_alive_s=HybridHistogram(), together=True,
        seed=RECORD["seed"], every_min=periods,
    )  # fmt: skip
    learned = point("hybrid", 4.0, found)
    assert learned == pytest.approx(recorded("hybrid", 4.0, "timed"))
    like = recorded("fixed", 30.0, "timed")
    assert learned.by_app < 0.65 * like.by_app
    assert learned.idle < like.idle


def test_the_strata_are_those_of_the_data(shared: Path) -> None:
    assert strata(counts(shared)) == RECORD["strata"]


def test_the_engine_is_flat_between_the_loads() -> None:
    """The record: at least 25 million requests a second, within a factor 1.5 of each other."""
    speeds = [one["per_s"] for one in RECORD["speed"]]
    assert min(speeds) >= 25e6
    assert max(speeds) < 1.5 * min(speeds)
