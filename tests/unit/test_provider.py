"""A provider: connections, errors before and after the effect, outages, idempotency."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import (
    Exponential,
    Fault,
    Function,
    Poisson,
    Provider,
    ProviderError,
    Recorded,
    Simulation,
    Slowness,
)
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.stats import mean_interval, share_interval


def calls(sim: Simulation, attempts: int = 1) -> Function:
    def handler(request: int, context: Context) -> Steps:
        failed = 0
        for _ in range(attempts):
            try:
                yield context.call("db")
            except ProviderError:
                failed += 1
        return "failed" if failed == attempts else "ok"

    return Function(sim, "f", handler, timeout_s=900)


def test_calls_wait_in_order_for_a_connection() -> None:
    sim = Simulation()
    Provider(sim, "db", mean_ms=1000, connections=2)
    trace = sim.run(Recorded((0.0, 0.1, 0.2, 0.3)) >> calls(sim), duration_s=10)
    rows = list(trace.spans_of("db"))
    assert [(row.request, row.start_s, row.end_s) for row in rows] == [
        (0, 0.0, 1.0), (1, 0.1, 1.1), (2, 1.0, 2.0), (3, 1.1, 2.1),
    ]  # fmt: skip
    assert trace.header["peaks"]["db"] == 2


def test_calls_in_flight_and_in_line_are_kept_at_the_end() -> None:
    sim = Simulation()
    Provider(sim, "db", mean_ms=1000, connections=1)
    trace = sim.run(Recorded((0.0, 0.1)) >> calls(sim), duration_s=0.5, drain=False)
    rows = sorted(trace.spans_of("db"), key=lambda row: row.request)
    assert [(row.outcome, row.units) for row in rows] == [("unfinished", 0.0)] * 2
    assert rows[0].start_s == 0.0
    assert rows[1].start_s != rows[1].start_s


def test_errors_have_the_shares_that_were_asked_for() -> None:
    sim = Simulation(2, faults={"db": Fault(error_rate=0.2, after_effect_share=0.25)})
    Provider(sim, "db", mean_ms=10, cv=1.0)
    trace = sim.run(Poisson(100) >> calls(sim), duration_s=200)
    rows = list(trace.spans_of("db"))
    failed = [row for row in rows if row.outcome != "ok"]
    assert share_interval(len(failed), len(rows)).within(0.2, 0.1) == "pass"
    after = sum(row.outcome == "error_after_effect" for row in failed)
    assert share_interval(after, len(failed)).within(0.25, 0.15) == "pass"
    # What was charged: every success, and the errors after the effect.
    assert sum(row.units for row in rows) == len(rows) - len(failed) + after


def test_a_retry_inside_a_handler_is_a_new_trial() -> None:
    sim = Simulation(2, faults={"db": Fault(error_rate=0.5)})
    Provider(sim, "db", mean_ms=10)
    trace = sim.run(Poisson(100) >> calls(sim, attempts=3), duration_s=200)
    outcomes = trace.requests.outcomes()
    lost = share_interval(outcomes["failed"], sum(outcomes.values()))
    assert lost.within(0.125, 0.1) == "pass"


def test_an_outage_fails_every_call_that_begins_in_it() -> None:
    sim = Simulation(faults={"db": Fault(outages=((1.0, 2.0),))})
    Provider(sim, "db", mean_ms=500)
    trace = sim.run(Recorded((0.9, 1.0, 1.9, 2.0)) >> calls(sim), duration_s=10)
    assert [row.outcome for row in sorted(trace.requests.rows())] == [
        "ok",
        "failed",
        "failed",
        "ok",
    ]
    assert [row.units for row in trace.spans_of("db")] == [1.0, 0.0, 0.0, 1.0]


def test_an_idempotent_provider_has_one_effect_for_an_entity() -> None:
    sim = Simulation()
    Provider(sim, "db", mean_ms=10, idempotent=True)
    trace = sim.run(Recorded((0.0, 1.0)) >> calls(sim, attempts=3), duration_s=10)
    assert [row.units for row in trace.spans_of("db")] == [1, 0, 0, 1, 0, 0]


def test_a_refused_call_fails_at_once_and_a_lost_answer_late() -> None:
    for fails_after_s, latency_s in ((0.0, 0.0), (60.0, 60.0), (None, 0.5)):
        fault = Fault(outages=((0.0, 2.0),), fails_after_s=fails_after_s)
        sim = Simulation(faults={"db": fault})
        trace = sim.run(Recorded((1.0,)) >> Provider(sim, "db", mean_ms=500), duration_s=10)
        assert trace.requests.outcomes() == {"error": 1}
        assert trace.requests.latency_s[0] == latency_s


def test_an_answer_lost_after_the_effect_may_take_long_but_never_less_than_usual() -> None:
    for fails_after_s, latency_s in ((0.0, 0.5), (60.0, 60.0)):
        fault = Fault(error_rate=1.0, after_effect_share=1.0, fails_after_s=fails_after_s)
        sim = Simulation(faults={"db": fault})
        trace = sim.run(Recorded((1.0,)) >> Provider(sim, "db", mean_ms=500), duration_s=10)
        assert trace.requests.latency_s[0] == latency_s
        assert [row.units for row in trace.spans_of("db")] == [1.0]


def test_slow_calls_take_longer_inside_the_window_only() -> None:
    sim = Simulation(faults={"db": Fault(slowness=(Slowness(1.0, 2.0, factor=3, added_s=0.1),))})
    trace = sim.run(Recorded((0.0, 1.0, 2.0)) >> Provider(sim, "db", mean_ms=500), duration_s=10)
    assert list(trace.requests.latency_s) == pytest.approx([0.5, 0.5, 1.6])


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_duplicate_has_two_effects_unless_the_provider_is_idempotent(idempotent: bool) -> None:
    sim = Simulation(faults={"db": Fault(duplicate_share=0.25)})
    db = Provider(sim, "db", mean_ms=5, idempotent=idempotent)
    trace = sim.run(Poisson(100) >> db, duration_s=60)
    units = [row.units for row in trace.spans_of("db")]
    if idempotent:
        assert set(units) == {1.0}
    else:
        twice = share_interval(units.count(2.0), len(units))
        assert twice.within(0.25, 0.1) == "pass"


def test_any_distribution_may_be_the_service_time() -> None:
    sim = Simulation(4)
    db = Provider(sim, "db", time_s=Exponential(0.2))
    latency = sim.run(Poisson(100) >> db, duration_s=100).requests.latency_s
    assert mean_interval(list(latency)).within(0.2, 0.04) == "pass"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean_ms": 0}, "mean_ms=0"),
        ({"mean_ms": "x"}, "mean_ms='x'"),
        ({"mean_ms": 10, "cv": -1}, "cv=-1"),
        ({"mean_ms": 10, "connections": 0}, "connections=0"),
        ({}, "give mean_ms=None or time_s=None"),
        ({"mean_ms": 10, "time_s": Exponential(1)}, "not both"),
        ({"time_s": 3}, "time_s=3 is no distribution"),
    ],
)
def test_an_impossible_configuration_is_refused(settings: dict[str, Any], message: str) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match=message):
        Provider(sim, "db", **settings)
    assert not sim.components
