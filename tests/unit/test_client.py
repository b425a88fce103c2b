"""A client: tries again after an error, pauses between, gives up when told to."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import (
    Breaker,
    Client,
    Fault,
    Function,
    Poisson,
    Provider,
    Recorded,
    RetryQuota,
    Simulation,
)
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
    [
        ({"max_attempts": 0}, "max_attempts=0"),
        ({"pause_s": -1}, "-1"),
        ({"target": 3}, "target=3"),
        ({"timeout_s": 0}, "timeout_s=0"),
        ({"hedge_after_s": 0}, "hedge_after_s=0"),
    ],
)
def test_an_impossible_configuration_is_refused(settings: dict[str, Any], message: str) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match=message):
        Client(sim, "client", **{"target": unreliable(sim), **settings})


def provider(sim: Simulation, *times_ms: float, name: str = "db") -> Provider:
    """A provider whose first call takes `times_ms[0]`, the second `times_ms[1]`, ..."""
    found = Provider(sim, name, mean_ms=1)
    found._time = lambda entity, nth=0: times_ms[min(nth, len(times_ms)) - 1] / 1000
    return found


def test_a_call_that_timed_out_goes_on_and_its_effect_happens() -> None:
    sim = Simulation()
    client = Client(
        sim, "client", provider(sim, 3000, 100), timeout_s=1.0, max_attempts=2, pause_s=0.5
    )
    trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
    assert trace.requests.latency_s[0] == pytest.approx(1.6)
    ends = [(row.attempt, row.end_s, row.units) for row in trace.spans_of("db")]
    assert ends == [(2, pytest.approx(1.6), 1.0), (1, 3.0, 1.0)]
    assert (client.timeouts, client.retries, client.attempts) == (1, 1, 2)


def test_an_answer_at_the_very_instant_of_the_timeout_is_in_time() -> None:
    sim = Simulation()
    client = Client(sim, "client", provider(sim, 1000), timeout_s=1.0)
    assert sim.run(Recorded((0.0,)) >> client, duration_s=10).requests.outcomes() == {"ok": 1}


def test_the_last_timeout_is_the_clients_error() -> None:
    sim = Simulation()
    client = Client(sim, "client", provider(sim, 3000), timeout_s=1.0, max_attempts=2)
    trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
    assert trace.requests.outcomes() == {"client_timeout": 1}
    assert trace.requests.latency_s[0] == 2.0
    assert trace.mean_in("client") == pytest.approx(0.2)


def test_of_a_hedge_and_its_first_the_earlier_answer_counts() -> None:
    for first_ms, latency_s, calls in ((3000, 0.6, 2), (550, 0.55, 2), (400, 0.4, 1)):
        sim = Simulation()
        client = Client(sim, "client", provider(sim, first_ms, 100), hedge_after_s=0.5)
        trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
        assert trace.requests.latency_s[0] == pytest.approx(latency_s)
        assert sum(row.units for row in trace.spans_of("db")) == calls
        assert client.hedges == calls - 1


def test_the_slower_of_two_is_no_timeout_when_its_time_is_up() -> None:
    sim = Simulation()
    client = Client(
        sim, "client", provider(sim, 3000, 100), hedge_after_s=0.5, timeout_s=1.0, max_attempts=3
    )
    trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
    assert trace.requests.latency_s[0] == pytest.approx(0.6)
    assert (client.timeouts, client.retries, client.attempts) == (0, 0, 2)


def test_an_error_waits_for_the_hedge_that_is_under_way() -> None:
    """The first fails after its hedge was sent; the hedge's good answer counts."""
    sim = Simulation(faults={"db": Fault(outages=((0.0, 0.4),))})
    client = Client(sim, "client", provider(sim, 600, 900), hedge_after_s=0.5)
    trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
    assert trace.requests.outcomes() == {"ok": 1}
    assert trace.requests.latency_s[0] == pytest.approx(1.4)


def test_a_failed_try_sends_no_hedge_later() -> None:
    sim = Simulation(faults={"db": Fault(outages=((0.0, 0.2),))})
    client = Client(
        sim, "client", provider(sim, 100), hedge_after_s=0.5, max_attempts=2, pause_s=0.3
    )
    trace = sim.run(Recorded((0.0,)) >> client, duration_s=10)
    assert trace.requests.outcomes() == {"ok": 1}
    assert client.hedges == 0


def test_a_handler_calls_by_the_clients_name_and_each_environment_has_its_own_quota() -> None:
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    Provider(sim, "db", mean_ms=100)
    quota = RetryQuota(capacity=28)
    client = Client(sim, "db client", sim.components["db"], max_attempts=3, quota=quota)

    def handler(event: Any, context: Context) -> Steps:
        yield context.call("db client")

    f = Function(sim, "f", handler)
    trace = sim.run(Recorded((0.0, 0.0, 5.0)) >> f, duration_s=10)
    assert len(list(trace.spans_of("db"))) == 3 + 3 + 1
    assert client.exhausted == 1
    left = [tokens.left for e in (0, 1) if (tokens := client.tokens(e)) is not None]
    assert left == [0, 0]
    assert trace.spans_of("db").__next__().parent >= 0


def test_when_lambda_stops_the_function_its_client_makes_no_further_try() -> None:
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    Provider(sim, "db", mean_ms=400)
    client = Client(sim, "db client", sim.components["db"], max_attempts=9, pause_s=0.3)

    def handler(event: Any, context: Context) -> Steps:
        yield context.call("db client")

    f = Function(sim, "f", handler, timeout_s=1.0)
    trace = sim.run(Recorded((0.0,)) >> f, duration_s=20)
    assert trace.requests.outcomes() == {"timeout": 1}
    assert [row.queued_s for row in trace.spans_of("db")] == [0.0, pytest.approx(0.7)]
    assert client.inside.inside == 0


def circuits(scope: str) -> tuple[int, int, int]:
    """Calls that reached a provider that is down, from two environments in turn."""
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    Provider(sim, "db", mean_ms=100)
    breaker = Breaker(window=3, open_s=100, scope=scope)
    client = Client(sim, "db client", sim.components["db"], breaker=breaker)

    def handler(event: Any, context: Context) -> Steps:
        yield context.call("db client")

    f = Function(sim, "f", handler)
    both = [t for second in range(10) for t in (float(second), float(second))]
    trace = sim.run(Recorded(tuple(both)) >> f, duration_s=20)
    assert client.circuits is not None
    return len(list(trace.spans_of("db"))), client.refused, client.circuits.opened


def test_each_environment_learns_by_itself_unless_the_breaker_is_shared() -> None:
    assert circuits("environment") == (6, 14, 2)
    assert circuits("shared") == (4, 16, 1)  # the fourth was out when the third failed
    assert circuits("state") == (6, 14, 1)  # both count to three, one tells both


def test_an_open_circuit_lets_probes_pass_and_closes_after_a_good_one() -> None:
    sim = Simulation(faults={"db": Fault(outages=((0.0, 12.5),))})
    Provider(sim, "db", mean_ms=100)
    breaker = Breaker(window=2, open_s=5.0, probes=1)
    client = Client(sim, "client", sim.components["db"], breaker=breaker)
    trace = sim.run(Recorded(tuple(float(t) for t in range(20))) >> client, duration_s=20)
    sent = [round(row.queued_s) for row in trace.spans_of("db")]
    # Two open it at 1.1; the probes at 7 and 13: the first fails, the second closes it.
    assert sent == [0, 1, 7, 13, 14, 15, 16, 17, 18, 19]
    assert trace.requests.outcomes() == {"error": 3, "circuit_open": 10, "ok": 7}


def test_while_a_probe_is_out_all_others_are_refused() -> None:
    sim = Simulation(faults={"db": Fault(outages=((0.0, 5.0),))})
    Provider(sim, "db", mean_ms=100)
    for probes in (1, 2):
        breaker = Breaker(window=2, open_s=5.0, probes=probes)
        Client(sim, f"{probes}", sim.components["db"], breaker=breaker)
    times = (0.0, 1.0, 7.0, 7.01, 7.02, 7.2)
    loads = [Recorded(times) >> sim.components[name] for name in ("1", "2")]
    trace = sim.run(*loads, duration_s=10)
    one, two = (sorted(trace.requests.rows())[i::2] for i in (0, 1))
    assert [row.outcome for row in one][2:] == ["ok", "circuit_open", "circuit_open", "ok"]
    assert [row.outcome for row in two][2:] == ["ok", "ok", "circuit_open", "ok"]


def test_a_breaker_for_retries_alone_lets_first_tries_pass() -> None:
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    Provider(sim, "db", mean_ms=100)
    breaker = Breaker(window=4, open_s=1000, only_retries=True)
    client = Client(sim, "client", sim.components["db"], breaker=breaker, max_attempts=3)
    trace = sim.run(Recorded(tuple(float(t) for t in range(10))) >> client, duration_s=20)
    # Four failures open it: three tries of the first call, the first of the second.
    assert len(list(trace.spans_of("db"))) == 3 + 9
    assert trace.requests.outcomes() == {"error": 10}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "window=0"),
        ({"failure_share": 0}, "failure_share=0"),
        ({"open_s": 0}, "open_s=0"),
        ({"probes": 0}, "probes=0"),
        ({"scope": "zone"}, "scope='zone' is none of environment, state, shared"),
    ],
)
def test_an_impossible_breaker_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Breaker(**settings)
