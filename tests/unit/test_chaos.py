"""Faults injected into a handler, as AWS FIS's Lambda actions do it."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import (
    Fault,
    Function,
    Poisson,
    Provider,
    Recorded,
    Simulation,
    Slowness,
    ZoneLoss,
    inject,
)
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.stats import share_interval
from simulations.trace import Trace


def run(fault: Fault, seed: int = 1, **settings: Any) -> Trace:
    sim = Simulation(seed)
    Provider(sim, "db", mean_ms=100)

    def handler(event: Any, context: Context) -> Steps:
        yield context.call("db")

    f = Function(sim, "f", inject(sim, "f", handler, fault), **settings)
    return sim.run(Poisson(20) >> f, duration_s=100)


def test_an_error_in_place_of_the_handler_leaves_no_effect() -> None:
    """FIS's invocation-error with preventExecution."""
    trace = run(Fault(error_rate=0.3))
    outcomes = trace.requests.outcomes()
    assert share_interval(outcomes["error"], len(trace.requests)).within(0.3, 0.15) == "pass"
    assert len(list(trace.spans_of("db"))) == outcomes["ok"]


def test_an_error_after_the_handler_leaves_its_effects() -> None:
    """FIS's invocation-error without preventExecution."""
    trace = run(Fault(error_rate=0.3, after_effect_share=1.0))
    assert trace.requests.outcomes()["error"] > 400
    assert len(list(trace.spans_of("db"))) == len(trace.requests)


def test_a_delay_comes_before_the_handler_and_is_billed() -> None:
    """FIS's invocation-add-delay, here for half of the invocations in a window."""
    trace = run(Fault(slowness=(Slowness(0, 50, added_s=0.4, share=0.5),)))
    durations = [row.end_s - row.start_s for row in trace.spans_of("f") if row.start_s < 50]
    slow = sum(d == pytest.approx(0.5) for d in durations)
    assert share_interval(slow, len(durations)).within(0.5, 0.12) == "pass"
    assert all(d == pytest.approx(0.1) or d == pytest.approx(0.5) for d in durations)


def test_an_injected_error_may_take_its_time() -> None:
    trace = run(Fault(error_rate=1.0, fails_after_s=0.7))
    assert {round(row.end_s - row.start_s, 6) for row in trace.spans_of("f")} == {0.7}


def test_a_delay_past_the_timeout_is_a_timeout() -> None:
    trace = run(Fault(slowness=(Slowness(0, 1000, added_s=5.0),)), timeout_s=1.0)
    assert set(trace.requests.outcomes()) == {"timeout"}
    assert not list(trace.spans_of("db"))


def test_a_lost_zone_takes_the_environments_that_live_in_it() -> None:
    trace = run(Fault(zone_losses=(ZoneLoss(50, 100, zones=3),)))
    failed = {row.environment % 3 for row in trace.spans_of("f", outcome="error")}
    assert failed == {0}
    assert all(row.start_s >= 50 for row in trace.spans_of("f", outcome="error"))


def test_a_handler_without_a_yield_may_be_wrapped_too() -> None:
    sim = Simulation()
    f = Function(sim, "f", inject(sim, "f", lambda event, context: "fine", Fault()))
    assert sim.run(Recorded((0.0,)) >> f, duration_s=1).requests.outcomes() == {"fine": 1}
