"""A month from a shorter run: unbiased, with an interval that means what it says."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import (
    EventSourceMapping,
    Function,
    Poisson,
    Queue,
    Recorded,
    Regular,
    Simulation,
    Topic,
    Trace,
)
from simulations.pricing import PriceList, billed_ms, month, usage
from simulations.pricing.trace_slices import sliced
from simulations.services import Provisioned, SnapStart
from simulations.stats import mean_interval

PRICES = PriceList.load()
MONTH_S = 30 * 86_400


def work(event: Any, context: Any) -> Any:
    yield context.call("partner", mean_ms=200, cv=0.8)


def ran(
    seed: int, rate_per_s: float = 5.0, duration_s: float = 120.0, warmup_s: float = 0.0,
    **settings: Any,
) -> Trace:  # fmt: skip
    sim = Simulation(seed)
    f = Function(sim, "F", work, **{"memory_mb": 1024, "timeout_s": 900} | settings)
    return sim.run(Poisson(rate_per_s) >> f, duration_s=duration_s, warmup_s=warmup_s)


def steady(ms: float) -> Any:
    def handler(event: Any, context: Any) -> Any:
        yield context.compute(ms=ms)

    return handler


def test_of_short_runs_about_95_in_100_intervals_cover_the_long_run_bill() -> None:
    """Two minutes of 600 calls, 200 times; the truth is the rate times the mean bill of a call.

    Of 200 intervals that cover with 95 %, 180 to 198 do in 99.7 % of cases. Once from one run
    by batch means, once from ten short ones as replications.
    """
    mean_s = 0.2 + 0.0005  # rounding up to a whole millisecond adds half of one
    price = float(PRICES["Lambda-GB-Second"].tiers[0].usd)
    call = mean_s * price + float(PRICES["Request"].tiers[0].usd)
    truth = 5.0 * MONTH_S * call
    for traces in (ran, lambda seed: [ran(1000 * seed + k, 5.0, 12.0) for k in range(10)]):
        months = [month(traces(seed)) for seed in range(200)]
        covered = sum(m.total.low <= truth <= m.total.high for m in months)
        per_call = [m.per_million for m in months]
        covered_each = sum(i.low <= 1e6 * call <= i.high for i in per_call)
        assert 180 <= covered <= 198
        assert 180 <= covered_each <= 198
        mean = math.fsum(m.total.mean for m in months) / len(months)
        assert mean == pytest.approx(truth, rel=0.01)  # and they are not off to one side


def test_tiers_and_the_free_tier_are_the_months_not_the_runs() -> None:
    """A minute of 6,000 GB-s a second is 15.6 billion a month: all three tiers, one free quantity."""
    sim = Simulation(1)
    f = Function(sim, "F", steady(1000), memory_mb=10_240)
    loads = [Regular(1 / 600) >> f]
    trace = sim.run(*loads, duration_s=60.0)
    found = month(trace, free_tier=True)
    used = usage(trace) * (MONTH_S // 60)
    assert found.bill.total_usd == PRICES.bill(used, free_tier=True).total_usd
    assert len(found.bill["Lambda-GB-Second"].tiers) == 3
    assert found.total.half_width < 1e-6 * found.total.mean  # every second is the same


def test_what_stands_all_month_is_not_scaled_with_the_run() -> None:
    """Provisioned concurrency is rounded up to five minutes once, a snapshot kept 3 h at least."""
    trace = ran(3, duration_s=60.0, version=1, provisioned_concurrency=4)
    found = month(trace)
    assert found.bill["Lambda-Provisioned-Concurrency"].quantity == 4 * MONTH_S
    assert found.lines["AWSLambda:Lambda-Provisioned-Concurrency"].half_width == 0
    invocations = found.bill["Request"].quantity
    assert invocations == len(trace.requests) * MONTH_S / 60
    snapped = month(ran(3, duration_s=600.0, version=1, snapstart=SnapStart(0.2)))
    assert snapped.bill["Lambda-SnapStart-Cached-GB-S"].quantity == MONTH_S
    standing = {"CW:AlarmMonitorUsage": 3}
    with_alarms = month(trace, standing=standing)
    assert with_alarms.bill.total_usd - found.bill.total_usd == PRICES.bill(standing).total_usd


def test_provisioned_concurrency_on_a_schedule_is_scaled() -> None:
    plan = Provisioned(2, schedule=((300.0, 6), (900.0, 2)))
    found = month(ran(1, duration_s=3600.0, version=1, provisioned_concurrency=plan))
    assert found.bill["Lambda-Provisioned-Concurrency"].quantity == pytest.approx(
        (2 * 3600 + 4 * 600) * MONTH_S / 3600
    )


def test_the_warm_up_is_in_no_slice_and_the_drain_belongs_to_the_request() -> None:
    """A request in the last second is billed whole although it ends after the horizon."""
    sim = Simulation(1)
    f = Function(sim, "F", steady(5000), memory_mb=1024, timeout_s=10, init_s=1.0)
    trace = sim.run(Regular(1.0) >> f, duration_s=100.0, warmup_s=50.0)
    found = month(trace)
    assert found.bill["Lambda-GB-Second"].quantity == 5 * MONTH_S
    assert found.requests == MONTH_S


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    slices=st.integers(1, 30),
    batch=st.integers(1, 10),
    drain=st.booleans(),
)
def test_the_slices_together_use_what_the_run_used(
    seed: int, slices: int, batch: int, drain: bool
) -> None:
    sim = Simulation(seed)
    queue = Queue(sim, "q", visibility_timeout_s=60, max_receive_count=3, duplicate_share=0.1)

    def consume(messages: Any, context: Any) -> Any:
        yield context.compute(ms=20)
        return [m.id for m in messages if context.draw("fails", m.id + m.receive_count) < 0.2]

    EventSourceMapping(sim, queue, Function(sim, "G", consume), batch_size=batch, window_s=0.3)
    topic = Topic(sim, "t").subscribe(queue)
    trace = sim.run(Poisson(3.0) >> topic, duration_s=40, drain=drain)
    ended = trace.header["ended_s"]
    parts = sliced(trace, slices)
    whole = usage(trace)
    for name, quantity in whole.items():
        together = float(sum(usage(part)[name] for part in parts))
        if name != "Requests-RBP":
            assert together == float(quantity)
            continue
        # Only empty receives outlast the horizon: those of the drain are in no slice.
        empty = sum(r.units for r in trace.meters.rows() if r.operation == "empty_receive")
        assert together == pytest.approx(float(quantity) - empty * (1 - 40 / ended))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: month([]), "traces: give at least one"),
        (lambda: month(ran(1), days=0), "days=0"),
        (lambda: month(ran(1), slices=1), "slices=1"),
        (lambda: month([ran(1), ran(2, duration_s=60.0)]), "equally long"),
        (lambda: month(Trace()), "no horizon_s"),
        (lambda: month(ran(1), standing={"Request": -1}), "quantity of Request=-1"),
    ],
)
def test_an_impossible_month_is_refused(make: partial[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_run_without_requests_has_no_price_a_million() -> None:
    found = month(ran(1, rate_per_s=1e-9))
    assert found.total.mean == 0.0
    with pytest.raises(ValueError, match="no requests"):
        _ = found.per_million


def test_billing_rules_of_another_time_reach_the_month() -> None:
    trace = ran(5)
    old = month(trace, round_ms=100, init_billed=False).bill["Lambda-GB-Second"].quantity
    ms = sum(
        billed_ms((s.end_s - s.start_s) * 1000, round_ms=100) for s in trace.spans_of("F", "invoke")
    )
    assert float(old) == pytest.approx(ms / 1000 * MONTH_S / 120)


def test_the_printed_month_says_how_sure_it_is() -> None:
    assert "95 % interval: $" in str(month(ran(2)))


def test_without_tiers_the_interval_is_that_of_batch_means() -> None:
    trace = ran(7)
    found, scale = month(trace, slices=8), MONTH_S / 120 * 8
    means = [float(PRICES.bill(usage(part)).total_usd) * scale for part in sliced(trace, 8)]
    expected = mean_interval(means)
    assert found.total == pytest.approx(expected, rel=1e-9)


def test_what_was_done_for_nobody_belongs_to_the_slice_it_began_in() -> None:
    """A recorded log has invocations and no requests."""
    trace = Trace()
    trace.header |= {"horizon_s": 100.0, "warmup_s": 10.0}
    trace.header["components"]["F"] = {"type": "Function", "memory_mb": 1024}
    code = trace.code
    for k in range(100):
        row = (k, -1, -1, code("F"), code("invoke"), 0, 1, k, k, 0.0, k + 1.0, code("ok"), 1.0, 1.0)
        trace.spans.append(row)
    assert [usage(part)["Request"] for part in sliced(trace, 3)] == [30, 30, 30]


def test_the_calls_of_a_queue_go_where_its_messages_went() -> None:
    sim = Simulation(1)
    queue = Queue(sim, "q", visibility_timeout_s=60)

    def consume(messages: Any, context: Any) -> Any:
        yield context.compute(ms=20)

    EventSourceMapping(sim, queue, Function(sim, "G", consume), batch_size=1)
    topic = Topic(sim, "t").subscribe(queue)
    trace = sim.run(Recorded([k / 10 for k in range(100)]) >> topic, duration_s=40)
    first, *others = (usage(part)["Requests-RBP"] for part in sliced(trace, 4))
    idle = 5 * 40 / 20 / 4  # five pollers, a long poll of 20 s each
    assert float(first) == pytest.approx(3 * 100 + idle, abs=idle)
    assert all(other <= 2 * idle for other in others)
