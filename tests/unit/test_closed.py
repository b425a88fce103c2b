"""A closed load: never more at once than there are users, each waits for the answer."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import Closed, Constant, Exponential, Fault, Provider, Simulation


def test_each_user_thinks_asks_waits_and_thinks_again() -> None:
    sim = Simulation()
    db = Provider(sim, "db", mean_ms=1000)
    trace = sim.run(Closed(2, think_s=3.0) >> db, duration_s=12)
    assert sorted(trace.requests.start_s) == [3.0, 3.0, 7.0, 7.0, 11.0, 11.0]
    assert trace.requests.outcomes() == {"ok": 6}


def test_there_are_never_more_requests_than_users_and_ids_are_not_used_twice() -> None:
    sim = Simulation(3)
    db = Provider(sim, "db", time_s=Exponential(0.5), connections=2)
    trace = sim.run(Closed(7, Exponential(1.0)) >> db, duration_s=500)
    changes = sorted(
        [(s, 1) for s in trace.requests.start_s] + [(e, -1) for e in trace.requests.end_s]
    )
    inside = most = 0
    for _, change in changes:
        inside += change
        most = max(most, inside)
    assert most == 7
    assert sorted(trace.requests.id) == list(range(len(trace.requests)))


def test_users_go_on_after_a_failure() -> None:
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    trace = sim.run(Closed(1, Constant(1.0)) >> Provider(sim, "db", mean_ms=1000), duration_s=10)
    assert trace.requests.outcomes() == {"error": 5}


@pytest.mark.parametrize(
    ("settings", "message"),
    [((0, 1.0), "users=0"), ((2.5, 1.0), r"users=2\.5"), ((3, -1), "-1")],
)
def test_an_impossible_load_is_refused(settings: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Closed(*settings)
