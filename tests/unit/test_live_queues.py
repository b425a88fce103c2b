"""Live experiments on queues, limits, cold starts: against theory and, call by call, the engine."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest

from simulations import Account, Constant, EventSourceMapping, Function, Queue, Recorded, Simulation
from simulations.experiments.cold_live import Environments, cold_or_warm
from simulations.experiments.concurrency_live import Limited, sudden_load, throttling
from simulations.experiments.live_counts import blocking, poisson, score_interval
from simulations.experiments.order_peak_live import Coupled, Decoupled, flash_sale
from simulations.experiments.queue_live import SERVICE, Line, expected_wait, near_the_limit
from simulations.stats import batch_means, mean_interval, share_interval
from simulations.theory import cold_probability, erlang_b, mg1_wait, mmc
from simulations.theory.special import poisson_pmf


def lasting(durations_s: list[float]) -> Any:
    """A handler that takes the request's own time."""

    def handler(event: Any, context: Any) -> Any:
        request = event[0].request if isinstance(event, list) else event
        yield context.wait(durations_s[request])

    return handler


@pytest.mark.parametrize(
    ("busy", "servers", "service"),
    [
        (0.8, 1, "exponential"),
        (0.8, 5, "exponential"),
        (0.7, 1, "all alike"),
        (0.6, 1, "some hang"),
    ],
)
def test_a_line_waits_as_long_as_its_formula_says(busy: float, servers: int, service: str) -> None:
    line = Line(busy, servers, SERVICE[service], "test")
    line.run(120_000)
    found = mean_interval(batch_means(line.settled, 10))
    if servers == 1:
        exact = mg1_wait(busy, 1.0, SERVICE[service].cv ** 2)
    else:
        exact = mmc(busy * servers, 1.0, servers).wait_s
    assert expected_wait(busy, servers, SERVICE[service].cv) == pytest.approx(exact)
    assert found.within(exact, 0.15) == "pass"


def test_the_intervals_of_the_queue_hold_its_theory() -> None:
    held = 0
    for seed in range(1, 9):
        found = near_the_limit(seed=seed, busy=70.0)
        wait = found.numbers["mean wait"]
        assert wait.low is not None and wait.high is not None
        held += wait.low <= found["mean wait by theory"] <= wait.high
    assert held >= 6


@pytest.mark.parametrize("rate_per_h", [20.0, 600.0, 5000.0])
def test_environments_agree_with_the_engine_request_by_request(rate_per_h: float) -> None:
    requests, takes_s, kept_s, rate = 3000, 1.2, 320.0, rate_per_h / 3600
    pool = Environments(rate, takes_s, kept_s, "most recent", "same")
    before = pool._now_s
    draw, arrivals, now_s = Random("same").random, [], 0.0
    while True:
        now_s -= math.log1p(-draw()) / rate
        arrivals.append(now_s)
        if now_s > before and len(arrivals) >= requests:
            break
    warm = sum(at_s <= before for at_s in arrivals)
    pool.run(len(arrivals) - warm)
    sim = Simulation(1)
    function = Function(
        sim, "f", lasting([takes_s] * len(arrivals)), keep_alive_s=kept_s, timeout_s=60
    )
    trace = sim.run(Recorded(tuple(arrivals)) >> function, duration_s=now_s + 1)
    seen: set[int] = set()
    cold = 0
    for _, environment, queued_s in sorted(
        zip(trace.spans.id, trace.spans.environment, trace.spans.queued_s, strict=True)
    ):
        cold += environment not in seen and queued_s > before
        seen.add(environment)
    assert pool.cold == cold
    assert cold > 0


@pytest.mark.parametrize("rate_per_h", [3.0, 60.0, 600.0])
def test_the_cold_share_is_the_theorys(rate_per_h: float) -> None:
    pool = Environments(rate_per_h / 3600, 1.2, 320.0, "most recent", "theory")
    pool.run(60_000)
    expected = cold_probability(rate_per_h / 3600, 320.0, 1.2)
    assert pool.share.mean == pytest.approx(expected, rel=0.12)  # what the theory promises


def test_reuse_of_the_least_recent_keeps_more_warm_and_costs_more_environments() -> None:
    most = cold_or_warm(rate_per_h=600.0, duration_s=2.0)["cold share"]
    least = cold_or_warm(rate_per_h=600.0, duration_s=2.0, routing="least recent")["cold share"]
    assert least < most / 10


@pytest.mark.parametrize(("limit", "together"), [(20, 1), (30, 1), (30, 10)])
def test_a_limit_throttles_call_by_call_as_the_engine_does(limit: int, together: int) -> None:
    rate, mean_s, calls = 20.0, 1.2, 3000
    ours = Limited(rate, mean_s, limit, together, "same").run(calls)
    gap, work = Random("same gaps").random, Random("same services").random
    arrivals, durations, now_s = [], [], 0.0
    for _ in range(calls // together):
        now_s -= math.log1p(-gap()) * together / rate
        arrivals += [now_s] * together
        durations += [-mean_s * math.log1p(-work()) for _ in range(together)]
    sim = Simulation(1)
    function = Function(
        sim, "f", lasting(durations), reserved_concurrency=limit, timeout_s=900, invoke_s=0.0
    )
    trace = sim.run(Recorded(tuple(arrivals)) >> function, duration_s=now_s + 1)
    throttled = trace.requests.outcomes().get("throttled", 0)
    assert round(ours * calls) == throttled > 0


def test_erlang_b_holds_where_calls_come_one_by_one_and_not_where_they_burst() -> None:
    one = throttling(reserved=24).numbers["throttled"]
    assert one.value == pytest.approx(100 * erlang_b(24.0, 24), rel=0.1)
    burst = throttling(reserved=40, together=20).numbers["throttled"]
    assert burst.low is not None
    assert burst.low > 50 * 100 * erlang_b(24.0, 40)
    assert blocking(24.0, 40)[40] == pytest.approx(erlang_b(24.0, 40), rel=1e-12)


@pytest.mark.parametrize(("rate", "takes_s"), [(1800.0, 1.0), (1500.0, 1.5), (800.0, 0.2)])
def test_a_sudden_load_grows_as_the_engine_lets_it(rate: float, takes_s: float) -> None:
    found = sudden_load(rate_per_s=rate, duration_s=takes_s)
    gap, arrivals, now_s = Random("1 sudden").random, [], 0.0
    for _ in range(int(found["calls"])):
        now_s -= math.log1p(-gap()) / rate
        arrivals.append(now_s)
    sim = Simulation(1)
    function = Function(
        sim, "f", lasting([takes_s] * len(arrivals)), account=Account(sim, concurrency=10_000),
        timeout_s=60,
    )  # fmt: skip
    trace = sim.run(Recorded(tuple(arrivals)) >> function, duration_s=now_s + 1)
    assert found["throttled"] == trace.requests.outcomes().get("throttled", 0)
    assert found["last one throttled after"] == pytest.approx(
        found["scaled by theory after"], rel=0.15
    )


def test_a_sale_runs_order_by_order_as_the_engines_function_and_queue_do() -> None:
    at_once, work = 12, Random("work").random
    gap, arrivals, durations, now_s = Random("gaps").random, [], [], 0.0
    while now_s < 60:
        now_s -= math.log1p(-gap()) / (4.0 if now_s < 15 else 30.0)
        arrivals.append(now_s)
        durations.append(0.4 - 1.2 * math.log1p(-work()))
    coupled, queue = Coupled(at_once), Decoupled(at_once, pollers=5)
    for at_s, lasts_s in zip(arrivals, durations, strict=True):
        coupled.take(at_s, lasts_s)
        queue.take(at_s, lasts_s)

    sim = Simulation(1)
    function = Function(sim, "f", lasting(durations), reserved_concurrency=at_once, timeout_s=900)
    trace = sim.run(Recorded(tuple(arrivals)) >> function, duration_s=now_s + 1)
    assert len(coupled.refused_s) == trace.requests.outcomes()["throttled"] > 100

    sim = Simulation(1)
    messages = Queue(sim, "orders", visibility_timeout_s=3600, send_s=Constant(0.0))
    worker = Function(sim, "f", lasting(durations), timeout_s=600)
    EventSourceMapping(sim, messages, worker, batch_size=1, maximum_concurrency=at_once)
    trace = sim.run(Recorded(tuple(arrivals)) >> messages, duration_s=now_s + 1)
    begun = sorted(row.queued_s for row in trace.spans_of("f", "invoke"))
    assert len(begun) == len(arrivals)
    assert sorted(queue.started_s) == pytest.approx(begun, abs=1e-6)


def test_a_function_that_suffices_has_no_queue_before_it_and_the_queue_waits_for_pollers() -> None:
    ample = flash_sale(at_once=200)
    assert ample["refused by one function"] == 0
    assert ample["longest wait"] > 5  # pollers grow by five a second: decoupling costs time here
    short = flash_sale(at_once=50)
    assert short["refused by one function"] == pytest.approx(short["refused by Erlang B"], rel=0.05)
    assert short["most waiting"] == pytest.approx(short["most waiting by theory"], rel=0.05)
    x, waiting = short.get("waiting").x, short.get("waiting").y
    assert waiting[-1] < 20 and x[-1] > 3  # it drains


@pytest.mark.parametrize("mean", [0.3, 9.5, 10.5, 60.0, 2000.0])
def test_poisson_numbers_have_their_distribution(mean: float) -> None:
    random, draws = Random(f"poisson {mean}"), 40_000
    found = [poisson(random, mean) for _ in range(draws)]
    middle = mean_interval([sum(found[k::40]) / len(found[k::40]) for k in range(40)], 0.999)
    assert middle.low <= mean <= middle.high
    for k in (
        math.floor(mean - math.sqrt(mean)),
        math.floor(mean),
        math.ceil(mean + 2 * math.sqrt(mean)),
    ):
        share = share_interval(sum(n == k for n in found), draws, 0.9999)
        assert share.low <= (poisson_pmf(k, mean) if k >= 0 else 0.0) <= share.high


def test_wilsons_interval_lies_near_the_exact_one() -> None:
    for k, n in ((1, 50), (40, 1000), (998, 1000)):
        ours, exact = score_interval(k, n), share_interval(k, n)
        assert ours.low == pytest.approx(exact.low, abs=0.02)
        assert ours.high == pytest.approx(exact.high, abs=0.02)
    with pytest.raises(ValueError, match="only trials=3"):
        score_interval(4, 3)
