"""Provisioned concurrency: allocation, spill-over, rules, schedule, target tracking, the bill."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from simulations import Account, Function, Poisson, Recorded, Regular, Simulation
from simulations.facts import fact
from simulations.pricing import PriceList, lambda_usage, usage
from simulations.services import Context, Provisioned, SnapStart, TargetTracking
from simulations.services.handler import Steps
from simulations.stats import batch_means, mean_interval
from simulations.theory import erlang_b
from simulations.trace import Trace


def lasts(seconds: float) -> Any:
    def handler(event: Any, context: Context) -> Steps:
        yield context.wait(seconds)

    return handler


def at_once(calls: int, at_s: float = 0.0) -> Recorded:
    return Recorded([at_s] * calls)


def ready_ones(trace: Trace, name: str = "f") -> int:
    return sum(1 for _ in trace.spans_of(name, "invoke provisioned"))


def test_what_is_provisioned_starts_warm_and_the_rest_spills_over_cold() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), version=1, provisioned_concurrency=10, init_s=0.5)
    trace = sim.run(at_once(13) >> f, duration_s=10)
    assert f.provisioned is not None
    assert (f.provisioned.served, f.provisioned.spilled, f.cold) == (10, 3, 3)
    assert sorted(trace.requests.latency_s) == [1.0] * 10 + [1.5] * 3
    assert ready_ones(trace) == 10
    assert (f.invocations, f.throttled) == (13, 0)


def test_spill_over_is_erlang_b() -> None:
    sim = Simulation(5)
    f = Function(sim, "f", lasts(1.0), version=1, provisioned_concurrency=10)
    trace = sim.run(Poisson(8.0) >> f, duration_s=6_000)
    invoke = trace.code("invoke")
    spans = sorted(zip(trace.spans.queued_s, trace.spans.operation, strict=True))
    share = mean_interval(batch_means([float(operation == invoke) for _, operation in spans]))
    assert share.low <= erlang_b(8, 10) <= share.high
    assert share.high - share.low < 0.03


def test_at_ten_times_its_number_in_requests_a_second_it_spills_over() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(0.005), version=1, provisioned_concurrency=5)
    # Never more than one in flight, yet twice 10 * 5 requests a second.
    sim.run(Recorded([k / 100 for k in range(3000)]) >> f, duration_s=30)
    assert f.provisioned is not None
    assert f.provisioned.spilled / 3000 == pytest.approx(0.5, abs=1 / 30)


def test_none_is_usable_before_all_are_allocated_at_the_documented_rate() -> None:
    sim = Simulation()
    plan = Provisioned(600, ready=False, preparation_s=60)
    f = Function(sim, "f", lasts(0.1), version=1, provisioned_concurrency=plan, init_s=4.0)
    trace = sim.run(Regular(1.0) >> f, duration_s=120)
    per_s = fact("lambda.pc.rate").value / 60
    ready_s = 60 + 600 / per_s + 4.0
    assert f.provisioned is not None
    assert f.provisioned.history == [(ready_s, 600)]
    first = min(row.queued_s for row in trace.spans_of("f", "invoke provisioned"))
    assert ready_s <= first < ready_s + 1
    assert sum(row.queued_s >= ready_s for row in trace.spans_of("f", "invoke")) == 0


def test_a_schedule_raises_and_lowers_it() -> None:
    sim = Simulation()
    plan = Provisioned(2, schedule=((600, 20), (1800, 5)), preparation_s=90)
    f = Function(sim, "f", lasts(2.0), version=1, provisioned_concurrency=plan)
    trace = sim.run(at_once(20, 300) >> f, at_once(20, 1000) >> f, at_once(20, 2000) >> f,
                    duration_s=3600)  # fmt: skip
    found = dict.fromkeys((300.0, 1000.0, 2000.0), 0)
    for row in trace.spans_of("f", "invoke provisioned"):
        found[row.queued_s] += 1
    assert found == {300.0: 2, 1000.0: 20, 2000.0: 5}


def test_while_more_are_allocated_the_old_ones_serve() -> None:
    sim = Simulation()
    plan = Provisioned(3, schedule=((100, 50),))
    f = Function(sim, "f", lasts(1.0), version=1, provisioned_concurrency=plan)
    trace = sim.run(at_once(5, 120) >> f, duration_s=600)
    assert ready_ones(trace) == 3


def test_it_counts_against_the_account_whether_used_or_not() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=300, scaling=False)
    Function(sim, "f", lasts(1), account=account, version=1, provisioned_concurrency=100)
    other = Function(sim, "o", lasts(1), account=account)
    sim.run(at_once(250) >> other, duration_s=10)
    assert other.throttled == 50


def test_spill_over_uses_the_unreserved_pool_and_can_be_throttled() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=200, scaling=False)
    f = Function(sim, "f", lasts(1), account=account, version=1, provisioned_concurrency=50)
    sim.run(at_once(230) >> f, duration_s=10)
    assert f.provisioned is not None
    assert (f.provisioned.served, f.invocations, f.throttled) == (50, 200, 30)


def test_provisioned_up_to_what_is_reserved_throttles_latest_and_other_versions() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=1000)
    latest = Function(sim, "f", lasts(1), account=account, reserved_concurrency=30)
    one = Function(sim, "f:1", lasts(1), version_of=latest, provisioned_concurrency=20)
    two = Function(sim, "f:2", lasts(1), version_of=latest, provisioned_concurrency=10)
    plain = Function(sim, "f:3", lasts(1), version_of=latest)
    sim.run(*(at_once(20) >> g for g in (latest, one, two, plain)), duration_s=10)
    assert [g.throttled for g in (latest, one, two, plain)] == [20, 0, 10, 20]


def test_the_bill_is_the_estimators() -> None:
    sim = Simulation()
    f = Function(
        sim, "f", lasts(0.1), version=1, provisioned_concurrency=4, memory_mb=1536,
        architecture="arm64",
    )  # fmt: skip
    trace = sim.run(Regular(1.0) >> f, duration_s=3900)
    assert f.provisioned is not None
    assert f.provisioned.spilled == 0
    expected = lambda_usage(
        0, 100, 1536, "arm64", provisioned_concurrency=4, provisioned_hours=3900 / 3600,
        provisioned_requests=len(trace.requests), provisioned_duration_ms=100,
    )  # fmt: skip
    found = usage(trace)
    assert {k: q for k, q in found.items() if q} == {k: q for k, q in expected.items() if q}
    assert PriceList.load().bill(found).total_usd > 0


def test_each_environment_is_rounded_up_to_five_minutes_and_its_init_is_billed() -> None:
    sim = Simulation()
    plan = Provisioned(1, schedule=((1000, 3), (1100, 1)))
    f = Function(sim, "f", lasts(0.1), version=1, provisioned_concurrency=plan, init_s=2.0,
                 memory_mb=1024)  # fmt: skip
    trace = sim.run(at_once(1) >> f, duration_s=3001)
    found = usage(trace)
    assert float(found["Lambda-Provisioned-Concurrency"]) == 3300 + 2 * 300
    assert float(found["Lambda-Provisioned-GB-Second"]) == pytest.approx(0.1 + 2 * 2.0)


def test_a_timed_out_environment_runs_init_again_before_it_serves() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(5.0), timeout_s=3, version=1, provisioned_concurrency=1, init_s=4)
    trace = sim.run(Recorded([0.0, 3.5, 11.0]) >> f, duration_s=20)
    kinds = [row.operation for row in sorted(trace.spans_of("f"), key=lambda r: r.queued_s)]
    assert kinds == ["invoke provisioned", "invoke", "invoke provisioned"]


def test_fewer_than_are_busy_end_after_their_invocation() -> None:
    sim = Simulation()
    plan = Provisioned(3, schedule=((10, 1),))
    f = Function(sim, "f", lasts(15), timeout_s=60, version=1, provisioned_concurrency=plan)
    trace = sim.run(at_once(3) >> f, at_once(3, 20) >> f, duration_s=100)
    assert [row.ended_s for row in trace.environments.rows()].count(15.0) == 2
    assert sum(row.queued_s == 20 for row in trace.spans_of("f", "invoke provisioned")) == 1


def tracked(rate: float, seconds: float, duration_s: float, **settings: Any) -> Function:
    sim = Simulation(2)
    plan = Provisioned(10, tracking=TargetTracking(0.7, 5, 100, **settings))
    f = Function(
        sim, "f", lasts(seconds), timeout_s=60, version=1, provisioned_concurrency=plan, init_s=1
    )
    sim.run(Regular(1 / rate) >> f, duration_s=duration_s)
    return f


def test_target_tracking_takes_three_minutes_then_the_allocation() -> None:
    history = tracked(40, 1.0, 2400).provisioned.history  # type: ignore[union-attr]
    (start, first), (second_s, second), *_ = history
    assert (start, first) == (0.0, 10)
    # Full use of 10 wants 10 / 0.7; three datapoints, 90 s, five environments and their INIT.
    assert second == math.ceil(10 / 0.7)
    assert second_s == pytest.approx(180 + 90 + 5 / 100 + 1)
    # At most 1 / 0.7 more a step, until 40 in use are 70 %.
    counts = [n for _, n in history]
    assert all(a < b <= math.ceil(a / 0.7) for a, b in itertools.pairwise(counts))
    assert counts[-1] == math.ceil(40 / 0.7)


def test_target_tracking_lowers_after_fifteen_minutes_a_tenth_at_a_time() -> None:
    history = tracked(2, 1.0, 3600).provisioned.history  # type: ignore[union-attr]
    assert history[1] == (900.0, 9)
    assert history[-1][1] == 5


def test_a_function_that_is_not_called_keeps_what_it_has() -> None:
    sim = Simulation()
    plan = Provisioned(10, tracking=TargetTracking(0.7, 1, 100))
    f = Function(sim, "f", lasts(1.0), version=1, provisioned_concurrency=plan)
    sim.run(Recorded([0.0, 7000.0]) >> f, duration_s=7200)
    assert f.provisioned is not None
    assert f.provisioned.history == [(0.0, 10)]


def test_short_bursts_are_invisible_to_the_average_and_not_to_the_maximum() -> None:
    def grown(statistic: str) -> int:
        sim = Simulation()
        plan = Provisioned(10, tracking=TargetTracking(0.7, 1, 100, statistic=statistic))
        f = Function(sim, "f", lasts(0.1), version=1, provisioned_concurrency=plan)
        # Thirty at once, once a minute.
        bursts = Recorded([60.0 * (k // 30) + 30 for k in range(30 * 12)])
        sim.run(bursts >> f, duration_s=720)
        assert f.provisioned is not None
        return f.provisioned.allocated

    assert grown("Average") == 10
    assert grown("Maximum") > 10


def build(**settings: Any) -> Function:
    return Function(Simulation(), "f", lasts(1), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"provisioned_concurrency": 5}, r"not \$LATEST: give version=1 .*https://docs"),
        (
            {"provisioned_concurrency": 5, "version": 1, "snapstart": SnapStart(0.1)},
            "exclude each other .*https://docs",
        ),
        ({"provisioned_concurrency": -1, "version": 1}, "provisioned_concurrency=-1"),
        (
            {"provisioned_concurrency": 6, "version": 1, "reserved_concurrency": 5},
            "provisioned_concurrency=6 of f must be 0 to 5.*https",
        ),
        ({"provisioned_concurrency": 5, "version": 1, "init_s": 131}, "0 to 130 s.*https"),
        ({"version": 0}, "version=0"),
    ],
)
def test_what_lambda_refuses_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**settings)


def test_no_more_can_be_provisioned_than_the_unreserved_minus_a_hundred() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=1000)
    Function(sim, "a", lasts(1), account=account, reserved_concurrency=300)
    with pytest.raises(ValueError, match="provisioned_concurrency=601 of b must be 0 to 600"):
        Function(sim, "b", lasts(1), account=account, version=1, provisioned_concurrency=601)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"environments": 5, "schedule": ((10, 1), (5, 1))}, "order of time"),
        ({"environments": 5, "tracking": TargetTracking(0.7, 6, 9)}, "must be 6 to 9"),
        ({"environments": 5, "preparation_s": -1}, "preparation_s=-1"),
    ],
)
def test_an_impossible_plan_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Provisioned(**settings)


@pytest.mark.parametrize(
    "settings", [{"target": 0.95}, {"minimum": 5, "maximum": 4}, {"statistic": "Median"}]
)
def test_an_impossible_tracking_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"target=|maximum=|statistic="):
        TargetTracking(**settings)
