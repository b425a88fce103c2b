"""Clients and faults against theory: retries, budgets, hedges, closed loads, calls conserved."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import (
    Backoff,
    Breaker,
    Client,
    Closed,
    Constant,
    Exponential,
    Fault,
    Function,
    Poisson,
    Provider,
    RandomOutages,
    RetryQuota,
    Simulation,
    ZoneLoss,
)
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.stats import batch_means, mean_interval, share_interval
from simulations.theory import (
    closed_mm1,
    hedge_extra_load,
    hedged_tail,
    mm1,
    retry_budget,
    retry_failure,
    retry_layers,
    retry_load,
)


def calls(failure: float, seconds: float = 300.0, seed: int = 1, **settings: Any) -> Client:
    """Twenty calls a second through a client to a provider that fails at a rate."""
    sim = Simulation(seed, faults={"db": Fault(error_rate=failure)})
    client = Client(sim, "client", Provider(sim, "db", mean_ms=5), **settings)
    sim.run(Poisson(20) >> client, duration_s=seconds)
    return client


@pytest.mark.parametrize("failure", [0.2, 0.5, 1.0])
def test_retries_cost_and_save_what_theory_says(failure: float) -> None:
    client = calls(failure, max_attempts=4, seconds=1000)
    assert client.attempts / client.calls == pytest.approx(retry_load(failure, 4), rel=0.02)
    lost = client.sim.trace.requests.outcomes().get("error", 0)
    assert lost / client.calls == pytest.approx(retry_failure(failure, 4), rel=0.2, abs=1e-3)


def test_three_layers_of_three_attempts_are_twenty_seven_calls() -> None:
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    target: Any = Provider(sim, "db", mean_ms=5)
    for layer in range(3):
        target = Client(sim, f"layer {layer}", target, max_attempts=3)
    trace = sim.run(Poisson(5) >> target, duration_s=20)
    assert len(list(trace.spans_of("db"))) == retry_layers(3, 3) * len(trace.requests)


@pytest.mark.parametrize(("failure", "fill"), [(0.02, 0.1), (0.5, 0.1), (1.0, 0.1), (0.5, 0.3)])
def test_a_token_bucket_caps_the_extra_load(failure: float, fill: float) -> None:
    """Brooker's budget: every call fills a little, a retry takes one token."""
    quota = RetryQuota(capacity=10, cost=1, throttled_cost=1, timeout_cost=1, refill=fill,
                       gives_back=False, refills_on_call=True)  # fmt: skip
    client = calls(failure, max_attempts=4, seconds=2000, quota=quota)
    expected = retry_budget(failure, fill)
    assert client.retries / client.calls == pytest.approx(expected.extra_load, abs=0.01)
    ok = client.sim.trace.requests.outcomes().get("ok", 0)
    assert ok / client.calls == pytest.approx(expected.success, abs=0.015)


def test_in_a_total_outage_the_sdk_quota_runs_dry_after_35_retries() -> None:
    client = calls(1.0, max_attempts=3, seconds=100, quota=RetryQuota())
    assert client.retries == 35
    assert client.exhausted == client.calls - 35 // 2


def test_a_partial_failure_is_survived_up_to_the_failure_share_that_the_quota_feeds() -> None:
    """14 tokens a retry, 1 back a success: it is fed up to a failure share of about 1/15."""
    for failure, is_fed in ((0.03, True), (0.5, False)):
        client = calls(failure, max_attempts=3, seconds=400, quota=RetryQuota())
        assert (client.exhausted == 0) == is_fed


@pytest.mark.parametrize("q", [0.9, 0.95])
def test_hedging_cuts_the_tail_and_costs_what_the_closed_form_says(q: float) -> None:
    mean_s, hedge_s = 0.1, -0.1 * math.log(1 - q)
    sim = Simulation(5)
    db = Provider(sim, "db", time_s=Exponential(mean_s))
    client = Client(sim, "client", db, hedge_after_s=hedge_s)
    latency = sim.run(Poisson(50) >> client, duration_s=1000).requests.latency_s
    assert client.hedges / client.calls == pytest.approx(hedge_extra_load(q), abs=0.005)
    for at_s in (hedge_s * 0.8, hedge_s * 1.2, hedge_s * 1.6):
        slow = sum(one > at_s for one in latency) / len(latency)
        expected = hedged_tail(lambda t: math.exp(-t / mean_s), at_s, hedge_s)
        assert slow == pytest.approx(expected, abs=0.005)


def test_a_closed_load_hides_what_an_open_one_shows() -> None:
    """20 users, 15 s of thought, 1 s of work: 5.96 s; open at the same rate: 21.9 s."""
    theory = closed_mm1(20, 15.0, 1.0)
    assert theory.response_s == pytest.approx(5.96, abs=0.005)
    assert mm1(theory.throughput, 1.0).response_s == pytest.approx(21.9, abs=0.05)
    means, rates = [], []
    for seed in range(12):
        sim = Simulation(seed)
        till = Provider(sim, "till", time_s=Exponential(1.0), connections=1)
        trace = sim.run(Closed(20, Exponential(15.0)) >> till, duration_s=20_000, warmup_s=500)
        means.append(trace.requests.latency_s.mean())
        rates.append(len(trace.requests) / 20_000)
    assert mean_interval(means).within(theory.response_s, 0.03) == "pass"
    assert mean_interval(rates).within(theory.throughput, 0.01) == "pass"


def test_retries_reach_another_zone() -> None:
    """One zone of three is lost: a third of first calls fails, of three tries 1/27."""
    for attempts in (1, 2, 3):
        sim = Simulation(2, faults={"db": Fault(zone_losses=(ZoneLoss(0, 1e6),))})
        client = Client(sim, "client", Provider(sim, "db", mean_ms=5), max_attempts=attempts)
        trace = sim.run(Poisson(40) >> client, duration_s=500)
        lost = share_interval(trace.requests.outcomes()["error"], client.calls)
        assert lost.within(3.0**-attempts, 0.2) == "pass"


def test_calls_fail_for_the_share_of_the_time_that_the_provider_is_down() -> None:
    outages = RandomOutages(mean_up_s=45, mean_down_s=5)
    shares = []
    for seed in range(6):
        sim = Simulation(seed, faults={"db": Fault(random_outages=outages)})
        trace = sim.run(Poisson(1) >> Provider(sim, "db", mean_ms=5), duration_s=20_000)
        failed = [float(row.outcome != "ok") for row in trace.requests.rows()]
        shares.append(mean_interval(batch_means(failed, 20)).mean)
    assert mean_interval(shares).within(outages.down_share, 0.15) == "pass"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    failure=st.floats(0, 1),
    attempts=st.integers(1, 4),
    timeout_s=st.one_of(st.none(), st.floats(0.05, 0.5)),
    hedge_s=st.one_of(st.none(), st.floats(0.05, 0.5)),
    jitter=st.sampled_from(("none", "full", "equal", "decorrelated")),
    tokens=st.one_of(st.none(), st.floats(1, 100)),
    scope=st.sampled_from((None, "environment", "state", "shared")),
    inside=st.booleans(),
    drain=st.booleans(),
)
def test_every_call_ends_once_and_every_try_is_accounted_for(
    seed: int, failure: float, attempts: int, timeout_s: float | None, hedge_s: float | None,
    jitter: str, tokens: float | None, scope: str | None, inside: bool, drain: bool,
) -> None:  # fmt: skip
    fault = Fault(error_rate=failure, random_outages=RandomOutages(3, 1), duplicate_share=0.1)
    sim = Simulation(seed, faults={"db": fault})
    db = Provider(sim, "db", mean_ms=200, cv=1.0, connections=6)
    client = Client(
        sim, "client", db, max_attempts=attempts, timeout_s=timeout_s, hedge_after_s=hedge_s,
        pause_s=Backoff(0.1, cap_s=1, jitter=jitter),
        quota=None if tokens is None else RetryQuota(capacity=tokens),
        breaker=None if scope is None else Breaker(window=4, open_s=2, scope=scope),
    )  # fmt: skip

    def handler(event: Any, context: Context) -> Steps:
        yield context.call("client")

    target = Function(sim, "f", handler, timeout_s=1.0) if inside else client
    trace = sim.run(Poisson(8) >> target, duration_s=10, drain=drain)
    assert sum(trace.requests.outcomes().values()) == trace.requests_seen
    rows = list(trace.spans_of("db"))
    assert len(rows) == client.attempts
    assert client.attempts <= client.calls + client.retries + client.hedges
    assert client.hedges <= client.calls + client.retries
    assert client.retries <= (attempts - 1) * client.calls
    assert not (scope is None and client.refused) and not (tokens is None and client.exhausted)
    if drain:
        assert client.inside.inside == 0
        if not inside and scope is None:  # no try is refused or given up half-way
            assert client.attempts == client.calls + client.retries + client.hedges
    for environment in (-1, 0, 1):
        left = client.tokens(environment)
        assert left is None or 0 <= left.left <= left.quota.capacity


def test_a_constant_pause_is_kept() -> None:
    client = calls(1.0, max_attempts=3, pause_s=Constant(2.0), seconds=20)
    latency = client.sim.trace.requests.latency_s
    assert latency.quantile(0.5) == pytest.approx(4.015)
