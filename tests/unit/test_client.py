"""A client: tries again after an error, pauses between, gives up when told to."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import Client, Fault, Function, Poisson, Provider, Recorded, Simulation
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.stats import mean_interval
from simulations.theory import retry_load


def unreliable(sim: Simulation) -> Function:
    Provider(sim, "db", mean_ms=100)

    def handler(event: Any, context: Context) -> Steps:
        yield context.call("db")

    return Function(sim, "f", handler)


def test_attempts_are_numbered_and_pauses_kept() -> None:
    sim = Simulation(faults={"db": Fault(outages=((0.0, 2.5),))})
    client = Client(sim, "client", unreliable(sim), max_attempts=5, pause_s=1.0)
    trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
    assert [(row.attempt, row.queued_s) for row in trace.spans_of("f")] == [
        (1, 0.0), (2, pytest.approx(1.1)), (3, pytest.approx(2.2)), (4, pytest.approx(3.3)),
    ]  # fmt: skip
    assert trace.requests.outcomes() == {"ok": 1}
    assert trace.requests.latency_s[0] == pytest.approx(3.4)
    assert trace.mean_in("client") == pytest.approx(0.34)


def test_it_gives_up_after_its_last_attempt_with_the_last_error() -> None:
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    client = Client(sim, "client", unreliable(sim), max_attempts=3)
    trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
    assert trace.requests.outcomes() == {"error": 1}
    assert len(list(trace.spans_of("f"))) == 3


def test_retries_multiply_the_load_as_theory_says() -> None:
    loads = []
    for seed in range(6):
        sim = Simulation(seed, faults={"db": Fault(error_rate=0.5)})
        f = unreliable(sim)
        trace = sim.run(Poisson(50) >> Client(sim, "c", f, max_attempts=4), duration_s=100)
        loads.append(f.invocations / len(trace.requests))
    assert mean_interval(loads).within(retry_load(0.5, 4), 0.03) == "pass"


def test_a_handler_may_call_through_a_client() -> None:
    sim = Simulation(faults={"db": Fault(outages=((0.0, 0.05),))})
    client = Client(sim, "client", unreliable(sim), max_attempts=2)

    def handler(event: Any, context: Context) -> Steps:
        yield client.call(event)

    trace = sim.run(Recorded((0.0,)) >> Function(sim, "outer", handler), duration_s=10)
    assert trace.requests.outcomes() == {"ok": 1}
    assert [row.attempt for row in trace.spans_of("f")] == [1, 2]


def test_to_be_refused_for_ever_at_one_instant_is_a_mistake_not_a_hang() -> None:
    sim = Simulation()
    f = Function(sim, "f", lambda event, context: None, reserved_concurrency=0)
    client = Client(sim, "client", f, max_attempts=None)
    with pytest.raises(RuntimeError, match="give it pause_s"):
        sim.run(Recorded((0.0,)) >> client, duration_s=10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"max_attempts": 0}, "max_attempts=0"), ({"pause_s": -1}, "-1"), ({"target": 3}, "target=3")],
)
def test_an_impossible_configuration_is_refused(settings: dict[str, Any], message: str) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match=message):
        Client(sim, "client", **{"target": unreliable(sim), **settings})
