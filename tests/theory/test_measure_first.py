"""The chapter "measure first": its simulations agree with theory, its warnings are true."""

from __future__ import annotations

import math

import pytest

from simulations.experiments.measure_first import (
    LONGER,
    SERVICE,
    checks,
    habits,
    pairing,
    single_server_waits,
    waiting_time,
)
from simulations.stats import mean
from simulations.theory import mg1_wait
from simulations.workload import Constant


def test_the_recursion_is_a_queue() -> None:
    """Start every customer when both the server and the customer are there."""
    waits = single_server_waits(0.8, Constant(1.0), 500, "x")
    longer = single_server_waits(0.8, Constant(1.0), 500, "x", first_wait=7.0)
    # Who waits is served when the one before is done; so waits differ only until an idle moment.
    assert longer[0] == 7
    assert waits[0] == 0
    assert all(b >= a for a, b in zip(waits, longer, strict=True))
    assert longer[-1] == waits[-1]


def test_a_server_without_customers_in_its_way_never_makes_wait() -> None:
    assert max(single_server_waits(1e-9, SERVICE[1], 1_000, "x")) == 0


def test_every_row_of_the_table_passes_when_run_longer() -> None:
    """All but the one that the page calls hardest to settle, and none fails."""
    rows = checks(scale=LONGER)
    hardest = [row for row in rows if "cv 2" in row.ran]
    assert len(hardest) == 1
    assert hardest[0].verdict != "fail"
    assert {row.formula: row.verdict for row in rows if row not in hardest} == {
        row.formula: "pass" for row in rows if row not in hardest
    }


def test_no_point_of_the_figure_contradicts_its_curve() -> None:
    """Of 15 intervals at 95 %, more than three beside the truth would be one run in 2,000."""
    numbers = waiting_time().numbers
    beside = 0
    for cv in SERVICE:
        for utilization in (0.3, 0.5, 0.7, 0.8, 0.9):
            point = numbers[f"cv {cv:g} at {utilization:g}"]
            assert point.low is not None
            assert point.high is not None
            beside += not point.low <= mg1_wait(utilization, 1, cv * cv) <= point.high
    assert beside <= 3


def test_results_get_better_one_service_distribution_at_a_time() -> None:
    stream = waiting_time.stream(requests=1_000, replications=3)
    assert [len(result.numbers) for result in stream] == [10, 15, 20]


def test_pairing_saves_runs_and_both_intervals_hold_the_truth() -> None:
    result = pairing()
    for name in ("paired", "unpaired"):
        number = result.numbers[name]
        assert number.low is not None
        assert number.high is not None
        assert number.low < result["theory"] < number.high
    assert result["saving"] > 20
    assert result["runs paired"] < result["runs unpaired"] / 5


def test_the_warnings_are_true() -> None:
    habit = habits()
    assert habit["single low"] < habit["theory busy"] / 2
    assert habit["single high"] > 1.5 * habit["theory busy"]
    assert habit["from empty high"] < habit["theory busy"]
    trimmed, raw, theory = habit["trimmed"], habit["raw"], habit["theory outage"]
    assert abs(trimmed - theory) < 0.1 * theory < abs(raw - theory)
    assert habit["averaged p99"] < 0.85 * habit["p99"]


def test_the_same_customers_mean_the_same_draws() -> None:
    slow = single_server_waits(0.8, SERVICE[1], 2_000, "same")
    fast = single_server_waits(0.8, SERVICE[1], 2_000, "same", speed_up=1.02)
    # Faster service can make nobody wait longer.
    assert all(b <= a + 1e-12 for a, b in zip(slow, fast, strict=True))
    assert math.isclose(mean(single_server_waits(0.8, SERVICE[1], 2_000, "same")), mean(slow))


@pytest.mark.parametrize("bad", [{"requests": 10}, {"replications": 1}, {"servers": 2}])
def test_parameters_out_of_range_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        waiting_time(**bad)
