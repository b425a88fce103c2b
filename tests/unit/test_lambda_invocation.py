"""The chapter *invocation*: one failing handler, three ways in, and what becomes of its events."""

from __future__ import annotations

import math

import pytest

from simulations.experiments.lambda_invocation import (
    WAYS,
    Setting,
    Situation,
    attempts,
    covered_s,
    outages,
    powers,
    run_way,
    situations,
)
from simulations.faults import Fault
from simulations.theory import retry_failure
from simulations.truth import rows
from simulations.workload import Poisson, Recorded


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", situations(failure=0.3, down_s=300.0), ids=lambda case: case.name)
def test_every_event_is_done_told_set_aside_or_lost(way: str, case: Situation) -> None:
    got = run_way(way, Poisson(0.5), case.fault, case.setting, duration_s=300.0)
    assert got.done + got.told + got.aside + got.lost == got.events
    assert way == "synchronous" or got.told == 0
    assert way == "asynchronous" or got.lost == 0
    assert way == "queue" or got.aside == 0


def test_the_losses_are_powers_of_the_failures() -> None:
    result = powers(failure=0.6, events=2_000)
    for way, tries in zip(WAYS, (1, 3, 5), strict=True):
        found = result.numbers[f"{way} at 0.6"]
        assert found.low is not None
        assert found.high is not None
        assert found.low <= retry_failure(0.6, tries) <= found.high


def test_an_outage_costs_what_its_length_exceeds_the_attempts_by() -> None:
    result = outages(longest_min=16.0, rate_per_s=1.0)
    setting = Setting()
    for way in WAYS:
        span_s = covered_s(way, setting, setting.call_s)
        for minutes in (2, 6, 10, 16):
            found = result.numbers[f"{way} at {minutes} min"]
            expected = max(0.0, 1 - span_s / (60 * minutes))
            spread = 4 * math.sqrt(0.25 / (60 * minutes))
            assert found.value == pytest.approx(expected, abs=spread)


def test_throttled_events_outlast_everything_and_throttled_messages_do_not() -> None:
    throttled = situations(down_s=600.0)[-1]
    load = Poisson(0.5)
    event = run_way("asynchronous", load, throttled.fault, throttled.setting, duration_s=600.0)
    message = run_way("queue", load, throttled.fault, throttled.setting, duration_s=600.0)
    assert event.done == event.events
    assert message.aside > message.events / 3
    # Those that came early enough for five receives of a minute while nothing ran.
    assert message.slowest_s < 5 * 60 + 60


def test_the_attempts_of_the_timeline_are_the_documented_ones() -> None:
    """Lambda waits one and two minutes after each end, the queue counts from each begin."""
    starts = {way: [one.start_s for one in attempts(way)[0]] for way in WAYS}
    assert starts == {
        "synchronous": [0.0],
        "asynchronous": [0.0, 70.0, 200.0],
        "queue": [0.0, 60.0, 120.0],
    }


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(ValueError, match="way='mail' is none of synchronous"):
        run_way("mail", Recorded((0.0,)), Fault(), duration_s=1.0)


def test_the_trust_report_has_the_rows_of_this_chapter() -> None:
    ids = {row.id for row in rows() if row.chapter == "lambda-invocation"}
    assert ids >= {
        "loss-asynchronous", "loss-queue", "outage-asynchronous", "outage-queue", "sqs-ramp-drain",
    }  # fmt: skip
