"""Each simulated element against its closed form, over a grid of loads.

A point passes when the whole 95 % interval of independent replications (or the exact interval of
a share) lies within the margin, 2 % unless it says otherwise. An interval that is too wide is
inconclusive, and inconclusive is no pass: `gate` refuses it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from simpy.events import Event

from simulations import (
    Client,
    Closed,
    EventSourceMapping,
    Fault,
    Function,
    Message,
    Poisson,
    Provider,
    Queue,
    Recorded,
    Simulation,
)
from simulations.clock import Caller
from simulations.experiments.lambda_concurrency import step_of_load
from simulations.fleet import simulate
from simulations.services import Context
from simulations.services.account import Bucket
from simulations.services.handler import Steps
from simulations.stats import Interval, mean_interval, share_interval
from simulations.theory import (
    batches,
    bucket_refused,
    closed_mmc,
    cold_probability,
    drain_s,
    engset,
    erlang_b,
    fanout_slow,
    hedge_extra_load,
    layered_retries,
    mean_environments,
    mg1_wait,
    mginf,
    mmc,
    ramp_drain_s,
    retry_load,
)
from simulations.workload import Constant, Distribution, Exponential, Lognormal, Uniform

MARGIN = 0.02
SERVICES = ("exponential", "constant", "lognormal")


def gate(found: Interval | Sequence[float], target: float, margin: float = MARGIN) -> None:
    """Fail unless the whole interval lies within the margin of the target."""
    interval = found if isinstance(found, Interval) else mean_interval(found)
    verdict = interval.within(target, margin)
    assert verdict == "pass", f"{verdict}: {interval} against {target} ± {margin:.0%}"


def test_a_gate_takes_neither_a_miss_nor_an_interval_that_is_too_wide() -> None:
    gate([0.99, 1.0, 1.01], 1.0, margin=0.03)
    for values in ([1.09, 1.1, 1.11], [0.8, 1.0, 1.2]):
        with pytest.raises(AssertionError, match=r"fail|inconclusive"):
            gate(values, 1.0, margin=0.03)


def freed(values: Sequence[float], offered: Sequence[float], load: float) -> Interval:
    """The interval of a mean, freed of what the load that was drawn by chance explains.

    The offered load of each replication has a known mean (a control variate); one degree of
    freedom goes into the slope, for which the interval is made wider.
    """
    n = len(values)
    mean_value, mean_load = math.fsum(values) / n, math.fsum(offered) / n
    slope = math.fsum(
        (v - mean_value) * (c - mean_load) for v, c in zip(values, offered, strict=True)
    ) / math.fsum((c - mean_load) ** 2 for c in offered)
    rest = mean_interval([v - slope * (c - load) for v, c in zip(values, offered, strict=True)])
    wide = 1.02 * math.sqrt((n - 1) / (n - 2)) * rest.half_width
    return Interval(rest.mean, rest.mean - wide, rest.mean + wide)


# Loss, whatever the service looks like


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("load", "servers"), [(0.2, 1), (2.0, 3), (8.0, 10), (50.0, 50), (200.0, 180), (1000.0, 990)]
)
def test_the_fleet_engine_throttles_as_erlang_b_whatever_the_service(
    load: float, servers: int, service: str
) -> None:
    """Insensitivity: exponential, constant and lognormal (cv 1.5) services, one loss."""
    losses, busy, offered = [], [], []
    for seed in range(12):
        run = simulate(
            load, 1.0, keep_alive_s=20.0, concurrency_limit=servers, service=service,
            service_cv=1.5, duration_s=max(500_000 / load, 2500.0), warmup_s=min(50.0, 5000 / load), seed=seed,
        )  # fmt: skip
        losses.append(run.rejected_share)
        busy.append(run.mean_running)
        offered.append(run.requests / (run.span_s or 1.0))
    loss = erlang_b(load, servers)
    gate(freed(losses, offered, load), loss)
    gate(busy, load * (1 - loss))


@pytest.mark.parametrize(
    "service", [Exponential(1.0), Constant(1.0), Lognormal(1.0, 1.5)], ids=SERVICES
)
@pytest.mark.parametrize(("load", "reserved"), [(2.0, 2), (12.0, 10)])
def test_the_function_throttles_as_erlang_b_whatever_the_service(
    load: float, reserved: int, service: Distribution
) -> None:
    losses, offered = [], []
    for seed in range(12):
        sim = Simulation(seed)

        def handler(request: int, context: Context) -> Steps:
            yield context.wait(service.quantile(context.draw("service", request)))

        f = Function(
            sim, "f", handler, timeout_s=900, keep_alive_s=1e9, reserved_concurrency=reserved
        )
        trace = sim.run(Poisson(load) >> f, duration_s=9000 / load, warmup_s=20)
        counts = trace.requests.outcomes()
        losses.append(counts["throttled"] / sum(counts.values()))
        draw = Simulation(seed).draws("service")
        work_s = math.fsum(service.quantile(draw(request)) for request in trace.requests.id)
        offered.append(work_s / (9000 / load))
    gate(freed(losses, offered, load), erlang_b(load, reserved), 0.03)


@pytest.mark.parametrize(("users", "reserved"), [(6, 2), (30, 4)])
def test_a_finite_crowd_is_throttled_as_engset_says(users: int, reserved: int) -> None:
    """The margin is 6 %; Erlang B at the same load would be off by more than a quarter."""
    shares = []
    for seed in range(8):
        sim = Simulation(seed)

        def handler(request: int, context: Context) -> Steps:
            yield context.wait(1.0)

        f = Function(sim, "f", handler, reserved_concurrency=reserved, keep_alive_s=1e9)
        crowd = Closed(users, Exponential(5.0))
        counts = sim.run(crowd >> f, duration_s=30_000 / users, warmup_s=20).requests.outcomes()
        shares.append(counts["throttled"] / sum(counts.values()))
    gate(shares, engset(users, 5.0, 1.0, reserved).loss, 0.06)


@pytest.mark.parametrize(("load", "mean_s"), [(0.5, 0.1), (250.0, 0.12), (2000.0, 2.0)])
def test_without_a_limit_concurrency_is_poisson(load: float, mean_s: float) -> None:
    for service in SERVICES:
        runs = [
            simulate(
                load, mean_s, keep_alive_s=5.0, service=service, service_cv=1.5, seed=seed,
                duration_s=400_000 / load, warmup_s=8 * mean_s,
            ).mean_running
            for seed in range(8)
        ]  # fmt: skip
        gate(runs, mginf(load, mean_s).mean)


# Waiting


@pytest.mark.parametrize("servers", [1, 2, 6])
@pytest.mark.parametrize("rho", [0.3, 0.6, 0.75])
def test_connections_are_an_mmc_queue(servers: int, rho: float) -> None:
    means, loads = [], []
    for seed in range(10):
        sim = Simulation(seed)
        db = Provider(sim, "db", time_s=Exponential(1.0), connections=servers)
        rate = rho * servers
        trace = sim.run(Poisson(rate) >> db, duration_s=5000 / rate, warmup_s=40)
        means.append(trace.requests.latency_s.mean())
        # What was drawn: mean service times calls a second.
        spans = trace.spans_of("db")
        worked = math.fsum(one.end_s - one.start_s for one in spans)
        loads.append(worked / trace.header["ended_s"])
    theory = mmc(rho * servers, 1.0, servers)
    gate(freed(means, loads, rho * servers), theory.response_s, 0.08)


@pytest.mark.parametrize("rho", [0.3, 0.6])
@pytest.mark.parametrize("cv", [0.0, 1.0, 1.5])
def test_one_connection_is_an_mg1_queue(rho: float, cv: float) -> None:
    service = Lognormal(1.0, cv) if cv else Constant(1.0)
    means, loads = [], []
    for seed in range(12):
        sim = Simulation(seed)
        db = Provider(sim, "db", time_s=service, connections=1)
        trace = sim.run(Poisson(rho) >> db, duration_s=6000 / rho, warmup_s=100)
        means.append(trace.requests.latency_s.mean())
        worked = math.fsum(one.end_s - one.start_s for one in trace.spans_of("db"))
        loads.append(worked / trace.header["ended_s"])
    gate(freed(means, loads, rho), 1 + mg1_wait(rho, 1.0, cv**2), 0.1 if cv > 1 else 0.05)


@pytest.mark.parametrize("servers", [1, 2])
@pytest.mark.parametrize("users", [4, 20, 50])
def test_a_closed_crowd_is_machine_repair(users: int, servers: int) -> None:
    means, rates, until_s = [], [], 200_000 / users
    for seed in range(8):
        sim = Simulation(seed)
        till = Provider(sim, "till", time_s=Exponential(1.0), connections=servers)
        trace = sim.run(Closed(users, Exponential(15.0)) >> till, duration_s=until_s, warmup_s=400)
        means.append(trace.requests.latency_s.mean())
        rates.append(len(trace.requests) / until_s)
    theory = closed_mmc(users, 15.0, 1.0, servers)
    gate(means, theory.response_s, 0.05)
    gate(rates, theory.throughput, 0.03)


# Cold starts


@pytest.mark.parametrize("gaps_kept", [0.1, 0.5, 1.0, 2.0, 4.0])
def test_cold_shares_of_rare_calls_fixed_and_random_lives(gaps_kept: float) -> None:
    mean_s = 320.0
    rate = gaps_kept / mean_s
    for life in (mean_s, Uniform(294.0, 346.0), Exponential(mean_s), Lognormal(mean_s, 1.0)):
        run = simulate(rate, 0.0, keep_alive_s=life, duration_s=8e5 / rate, seed=3)
        found = share_interval(round(run.cold_share * run.requests), run.requests)
        gate(found, cold_probability(rate, life))
        # An environment that rests is alive for what it lives through.
        assert run.mean_environments == pytest.approx(mean_environments(rate, life), rel=0.02)
    closed = 1 / (1 + gaps_kept)  # a race between two exponentials
    assert cold_probability(rate, Exponential(mean_s)) == pytest.approx(closed, rel=1e-4)


@pytest.mark.parametrize(
    ("rate_per_s", "takes_s"),
    [(0.0005, 20.0), (0.005, 1.0), (0.05, 0.1), (0.05, 5.0), (0.5, 1.0), (5.0, 0.2), (50.0, 0.5)],
)
def test_cold_shares_with_overlaps_over_five_decades(rate_per_s: float, takes_s: float) -> None:
    """An approximation: 15 %, as its docstring says, for the share; 5 % for the environments."""
    run = simulate(
        rate_per_s, takes_s, keep_alive_s=600.0, duration_s=(2e6 if rate_per_s < 10 else 3e7) / rate_per_s,
        warmup_s=1200.0, seed=9,
    )  # fmt: skip
    found = share_interval(round(run.cold_share * run.requests), run.requests)
    gate(found, cold_probability(rate_per_s, 600.0, takes_s), 0.15)
    alive = mean_environments(rate_per_s, 600.0, takes_s)
    assert run.mean_environments == pytest.approx(alive, rel=0.05)


# Retries, hedges, fan-out


def retried(failure: float, seed: int, layers: int, attempts: int, calls: int) -> float:
    """Calls that reach the provider, per request."""
    sim = Simulation(seed, faults={"db": Fault(error_rate=failure)})
    target: Client | Provider = Provider(sim, "db", mean_ms=5)
    for layer in range(layers):
        target = Client(sim, f"layer {layer}", target, max_attempts=attempts, pause_s=0.001)
    trace = sim.run(Poisson(20) >> target, duration_s=calls / 20)
    return len(list(trace.spans_of("db"))) / len(trace.requests)


@pytest.mark.parametrize("attempts", [2, 4])
@pytest.mark.parametrize("failure", [0.05, 0.3, 0.6, 0.9])
def test_retries_load_the_provider_as_the_closed_form_says(failure: float, attempts: int) -> None:
    found = [retried(failure, seed, 1, attempts, 1500) for seed in range(6)]
    gate(found, retry_load(failure, attempts), 0.03)


@pytest.mark.parametrize("failure", [0.3, 0.7, 0.95])
def test_layers_of_retries_multiply(failure: float) -> None:
    found = [retried(failure, seed, 2, 3, 1000) for seed in range(8)]
    gate(found, layered_retries(failure, 3, 2).load, 0.05)


@pytest.mark.parametrize(("q", "calls"), [(0.8, 12_000), (0.95, 48_000)])
def test_hedges_cost_what_they_wait_for(q: float, calls: int) -> None:
    sim = Simulation(4)
    db = Provider(sim, "db", time_s=Exponential(0.1))
    client = Client(sim, "client", db, hedge_after_s=-0.1 * math.log(1 - q))
    sim.run(Poisson(50) >> client, duration_s=calls / 50)
    gate(share_interval(client.hedges, client.calls), hedge_extra_load(q), 0.06)


@pytest.mark.parametrize("calls", [2, 10])
def test_a_fan_out_waits_for_its_slowest(calls: int) -> None:
    sim = Simulation(2)
    Provider(sim, "leaf", time_s=Exponential(0.1))

    def handler(request: int, context: Context) -> Steps:
        waiting: Event = context.call("leaf")
        for _ in range(calls - 1):
            waiting = waiting & context.call("leaf")
        yield waiting

    f = Function(sim, "f", handler, keep_alive_s=1e9)
    latency = sim.run(Poisson(20.0) >> f, duration_s=2400.0 / calls + 300.0).requests.latency_s
    slow = share_interval(sum(one > 0.3 for one in latency), len(latency))
    gate(slow, fanout_slow(math.exp(-3), calls), 0.06)


# Buckets, batches, backlogs, ramps


@pytest.mark.parametrize("capacity", [1, 5, 30])
@pytest.mark.parametrize("rho", [0.9, 1.3, 2.0])
def test_a_token_bucket_refuses_as_its_queue_says(rho: float, capacity: int) -> None:
    """Below the refill a large bucket refuses next to nothing: there the margin is absolute."""
    shares = []
    for seed in range(8):
        random, tokens = Simulation(seed).stream("bucket"), Bucket(float(capacity), 1.0)
        now_s, refused, n = 0.0, 0, 100_000
        for _ in range(n):
            now_s += random.expovariate(rho)
            refused += not tokens.take(now_s)
        shares.append(refused / n)
    target = bucket_refused(rho, 1.0, capacity)
    interval = mean_interval(shares)
    assert interval.within(target, max(0.04 * target, 0.002), relative=False) == "pass", interval


@pytest.mark.parametrize(("rate", "size", "window_s"), [(20, 10, 0.2), (20, 10, 2.0), (2, 10, 1.0)])
def test_batches_are_closed_by_size_or_time(rate: float, size: int, window_s: float) -> None:
    means = []
    for seed in range(6):
        sim, sizes = Simulation(seed), list[int]()

        def handler(messages: list[Message], context: Context, sizes: list[int] = sizes) -> None:
            sizes.append(len(messages))

        queue = Queue(sim, "q")
        f = Function(sim, "f", handler, keep_alive_s=1e9)
        EventSourceMapping(sim, queue, f, batch_size=size, window_s=window_s)
        sim.run(Poisson(rate) >> queue, duration_s=8000 / rate)
        means.append(sum(sizes) / len(sizes))
    gate(means, batches(rate, size, window_s).size)


def drained(messages: int, each_s: float, rate_per_s: float, consumers: int | None) -> float:
    """When a backlog is gone: when the first of the later messages does not wait."""
    sim = Simulation(1)

    def handler(batch: list[Message], context: Context) -> Steps:
        yield context.wait(each_s)

    queue = Queue(sim, "backlog")
    f = Function(sim, "drain", handler, timeout_s=30)
    EventSourceMapping(sim, queue, f, batch_size=1, maximum_concurrency=consumers)
    for number in range(messages):
        queue.put(number, Caller(-1, number), 1.0)
    arrivals = Recorded(tuple(k / rate_per_s for k in range(int(300 * rate_per_s))))
    trace = sim.run(arrivals >> queue, duration_s=300.0 if rate_per_s else 1.0)
    if not rate_per_s:
        return float(trace.header["ended_s"])
    waits = [(one.queued_s, one.start_s - one.queued_s) for one in trace.spans_of("backlog", "message")]  # fmt: skip
    return min(float(sent) for sent, wait in sorted(waits)[messages:] if wait < 0.05 * each_s)


@pytest.mark.parametrize(("messages", "rate_per_s"), [(2000, 20.0), (4000, 30.0), (1000, 45.0)])
def test_a_backlog_drains_with_what_is_left_of_the_capacity(
    messages: int, rate_per_s: float
) -> None:
    """Fifty consumers of one second each; what goes on coming waits behind the backlog."""
    found = drained(messages, 1.0, rate_per_s, 50)
    # The ramp from 5 to 50 consumers takes 9 s and costs half of them for that long.
    late_s = 9.0 * 22.5 / (50 - rate_per_s)
    assert found == pytest.approx(drain_s(messages, 50.0, rate_per_s) + late_s, rel=0.05)


@pytest.mark.parametrize(("messages", "each_s"), [(2000, 0.5), (10_000, 1.0), (10_000, 4.0)])
def test_a_mapping_ramps_as_documented(messages: int, each_s: float) -> None:
    assert drained(messages, each_s, 0.0, None) == pytest.approx(
        ramp_drain_s(messages, each_s), rel=0.05
    )


@pytest.mark.parametrize("rate_per_s", [1200.0, 1500.0])
def test_scaling_catches_up_when_the_rate_says(rate_per_s: float) -> None:
    found = step_of_load(rate_per_s=rate_per_s, duration_s=1.0)
    assert found["last throttled"] == pytest.approx(found["last throttled by theory"], rel=0.02)
