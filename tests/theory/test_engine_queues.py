"""The engine against queueing theory: waiting, loss, concurrency, Little's law.

A check passes when the whole 95 % interval of independent replications lies inside the margin.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from simulations import (
    EventSourceMapping,
    Function,
    Message,
    Poisson,
    Provider,
    Queue,
    Simulation,
    Trace,
)  # fmt: skip
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.stats import Interval, mean_interval
from simulations.theory import erlang_b, little, mg1_wait, mginf, mmc, mmc_wait_tail
from simulations.workload import Constant, Distribution, Exponential, Lognormal


def served(sim: Simulation, service: Distribution, **settings: int | float) -> Function:
    """A function whose requests take times from a distribution."""

    def handler(request: int, context: Context) -> Steps:
        yield context.wait(service.quantile(context.draw("service", request)))

    return Function(sim, "f", handler, timeout_s=900, keep_alive_s=1e9, **settings)  # type: ignore[arg-type]


def replicate(runs: int, one: Callable[[int], float]) -> list[float]:
    return [one(seed) for seed in range(runs)]


def controlled(values: list[float], offered: list[float], load: float) -> Interval:
    """The interval of a mean, freed of what the load that was drawn by chance explains.

    The offered load of each replication has a known mean (a control variate); one degree of
    freedom goes into the slope.
    """
    mean_value, mean_load = math.fsum(values) / len(values), math.fsum(offered) / len(offered)
    pairs = list(zip(values, offered, strict=True))
    slope = math.fsum((v - mean_value) * (c - mean_load) for v, c in pairs) / math.fsum(
        (c - mean_load) ** 2 for c in offered
    )
    freed = mean_interval([v - slope * (c - load) for v, c in pairs])
    wider = math.sqrt((len(values) - 1) / (len(values) - 2)) * 1.02
    return Interval(
        freed.mean, freed.mean - freed.half_width * wider, freed.mean + freed.half_width * wider
    )


def offered_load(trace: Trace, service: Distribution) -> float:
    """Seconds of service asked for in each second, by the draws that the handlers make."""
    draw = Simulation(trace.header["seed"]).draws("service")
    asked_s = math.fsum(service.quantile(draw(request)) for request in trace.requests.id)
    return asked_s / float(trace.header["horizon_s"])


@pytest.mark.parametrize("cv", [0.0, 1.0])
def test_one_connection_is_an_mg1_queue(cv: float) -> None:
    def mean_wait_s(seed: int) -> float:
        sim = Simulation(seed)
        Provider(sim, "db", mean_ms=1000, cv=cv, connections=1)

        def handler(request: int, context: Context) -> Steps:
            yield context.call("db")

        f = Function(sim, "f", handler, timeout_s=900, keep_alive_s=1e9)
        trace = sim.run(Poisson(0.5) >> f, duration_s=20_000, warmup_s=200)
        spans, db = trace.spans, trace.code("db")
        waits = [
            start - queued
            for component, queued, start in zip(
                spans.component, spans.queued_s, spans.start_s, strict=True
            )
            if component == db and queued >= 200
        ]
        return math.fsum(waits) / len(waits)

    interval = mean_interval(replicate(16, mean_wait_s))
    assert interval.within(mg1_wait(0.5, 1.0, cv**2), 0.05) == "pass", interval


def consumers(seed: int, rate_per_s: float, count: int, duration_s: float) -> Trace:
    """A queue behind which so many consumers each take an exponential second."""
    sim = Simulation(seed)
    service = Exponential(1.0)

    def handler(messages: list[Message], context: Context) -> Steps:
        yield context.wait(service.quantile(context.draw("service", messages[0].request)))

    queue = Queue(sim, "q", visibility_timeout_s=900)
    f = Function(sim, "f", handler, timeout_s=900, keep_alive_s=1e9)
    EventSourceMapping(sim, queue, f, batch_size=1, maximum_concurrency=count)
    return sim.run(Poisson(rate_per_s) >> queue, duration_s=duration_s, warmup_s=100)


def test_pollers_behind_a_queue_are_an_mmc_queue() -> None:
    """The worked example of Erlang C: 4.5/s, six consumers of one second each."""
    theory = mmc(4.5, 1.0, 6)
    waits: list[float] = []
    waited: list[float] = []
    late: list[float] = []
    loads: list[float] = []
    for seed in range(20):
        trace = consumers(seed, 4.5, 6, 2500)
        loads.append(offered_load(trace, Exponential(1.0)))
        rows = [
            first - sent
            for operation, sent, first in zip(
                trace.spans.operation, trace.spans.queued_s, trace.spans.start_s, strict=True
            )
            if operation == trace.code("message") and sent >= 100
        ]
        waits.append(math.fsum(rows) / len(rows))
        waited.append(sum(wait > 0 for wait in rows) / len(rows))
        late.append(sum(wait > 1.0 for wait in rows) / len(rows))
    tail = mmc_wait_tail(4.5, 1.0, 6, 1.0)
    for values, target, margin in (
        (waited, theory.p_wait, 0.03),
        (waits, theory.wait_s, 0.06),
        (late, tail, 0.08),
    ):
        interval = controlled(values, loads, 4.5)
        assert interval.within(target, margin) == "pass", (interval, target)


SERVICES = [Exponential(0.8), Constant(0.8), Lognormal(0.8, 1.5)]


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: type(s).__name__)
def test_throttling_is_erlang_b_whatever_the_service_looks_like(service: Distribution) -> None:
    """8 erlangs offered to 10: 12.17 % are throttled, however service times are distributed."""

    losses: list[float] = []
    loads: list[float] = []
    for seed in range(25):
        sim = Simulation(seed)
        f = served(sim, service, reserved_concurrency=10)
        trace = sim.run(Poisson(10) >> f, duration_s=2500, warmup_s=20)
        counts = trace.requests.outcomes()
        losses.append(counts["throttled"] / sum(counts.values()))
        loads.append(offered_load(trace, service))
    interval = controlled(losses, loads, 8.0)
    assert interval.within(erlang_b(8, 10), 0.02) == "pass", interval


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: type(s).__name__)
def test_concurrency_without_a_limit_is_poisson(service: Distribution) -> None:
    theory = mginf(37.5, 0.8)

    def run(seed: int) -> Trace:
        sim = Simulation(seed)
        return sim.run(Poisson(37.5) >> served(sim, service), duration_s=800, warmup_s=20)

    traces = [run(seed) for seed in range(8)]
    interval = mean_interval([trace.mean_in("f") for trace in traces])
    assert interval.within(theory.mean, 0.02) == "pass", interval
    above = mean_interval([share_of_time_above(trace, 40) for trace in traces])
    assert above.within(theory.tail(40), 0.35) == "pass", above


def share_of_time_above(trace: Trace, level: int) -> float:
    """The share of time after the warm-up in which more than so many were running."""
    warmup_s, horizon_s = trace.header["warmup_s"], trace.header["horizon_s"]
    changes = [(t, 1) for t in trace.spans.start_s] + [(t, -1) for t in trace.spans.end_s]
    running, above_s, before_s = 0, 0.0, 0.0
    for at_s, change in sorted(changes):
        if running > level:
            above_s += max(0.0, min(at_s, horizon_s) - max(before_s, warmup_s))
        running, before_s = running + change, at_s
    return float(above_s / (horizon_s - warmup_s))


def test_little_the_engines_integral_equals_rate_times_mean_time() -> None:
    """Integrated while the run goes on, against what the requests and messages tell afterwards."""
    sim = Simulation(3)
    trace = sim.run(Poisson(20) >> served(sim, Lognormal(0.7, 1.5)), duration_s=4000, warmup_s=100)
    latency_s = trace.requests.latency_s
    assert trace.mean_in("f") == pytest.approx(
        little(len(latency_s) / 3900, latency_s.mean()), rel=0.01
    )
    trace = consumers(3, 4.5, 6, 5000)
    times = [row.end_s - row.queued_s for row in trace.spans_of("q", "message")]
    mean_s = math.fsum(times) / len(times)
    assert trace.mean_in("q") == pytest.approx(little(len(times) / 5000, mean_s), rel=0.03)
