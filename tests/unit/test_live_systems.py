"""Live experiments on orders, money, retries and releases: against theory, prices and the engine."""

from __future__ import annotations

import math
from random import Random

import pytest

from simulations.experiments.dynamodb_cost import break_even as table_break_even
from simulations.experiments.memory_live import expected_ms, memory_price
from simulations.experiments.order_bill_live import (
    expected_parts,
    one_function_instead,
    order_cost,
)
from simulations.experiments.order_live import (
    COLD,
    lost_by_theory,
    open_orders,
    order_answers,
    provider_outage,
)
from simulations.experiments.provisioned_concurrency import cheapest, cold_share_beyond, month_usd
from simulations.experiments.provisioned_live import DAY_S, PIECES, Plan, ready_over_a_day
from simulations.experiments.release_live import Course, expected, release, shift_of
from simulations.experiments.resource_allocation import AWS_TABLE, usd_per_million
from simulations.experiments.retry_live import TOKENS, Storm, plateau, retry_storm
from simulations.experiments.table_live import (
    THROTTLED,
    burst_map,
    day_of,
    demanded_usd,
    provisioned_usd,
    table_modes,
)
from simulations.experiments.versions_aliases import SHIFTS, deploy
from simulations.experiments.versions_aliases import expected as expected_slowly
from simulations.orders import MAIL, PAYMENTS, Shop, run_orders
from simulations.pricing import PriceList, usage
from simulations.stats import mean_interval, share_interval
from simulations.theory import erlang_b, retry_layers, retry_load
from simulations.workload import Diurnal, Poisson


def test_the_chain_answers_after_the_sum_of_its_parts_and_the_topic_after_one() -> None:
    for setting in ({}, {"mail_ms": 3000.0}, {"environments": COLD}):
        found = order_answers(**setting)
        curve = found.get("chain answers")
        # The mean of the distribution drawn: its quantiles are evenly spaced in between.
        mean_s = sum(curve.x[1:-2]) / len(curve.x[1:-2]) / 1000
        assert mean_s == pytest.approx(found["chain mean by theory"], rel=0.06)
    usual = order_answers()
    lines = [s for s in usual.series if s.role == "theory"]
    for line, name in zip(lines, ("topic answers", "chain answers"), strict=True):
        simulated = usual.get(name)
        for at_ms, share in zip(line.x, line.y, strict=True):
            below = sum(x <= at_ms for x in simulated.x) / len(simulated.x)
            assert 100 * below == pytest.approx(share, abs=6)


def test_decoupling_answers_sooner_and_confirms_no_sooner() -> None:
    found = order_answers()
    assert found["topic p99"] < found["chain p99"] / 20
    assert found["topic confirms median"] > 0.9 * found["chain median"]


@pytest.mark.parametrize(("visibility_s", "receives"), [(30.0, 5), (180.0, 5), (120.0, 3)])
def test_a_queue_gives_up_the_orders_that_theory_says(visibility_s: float, receives: int) -> None:
    found = provider_outage(visibility_s=visibility_s, receives=receives)
    lost = found.numbers["given up by the queue"]
    due = lost_by_theory(600.0, 2.0, visibility_s, receives)
    assert found["given up by theory"] == due
    assert lost.value == pytest.approx(due, rel=0.1, abs=5)
    assert found.get("topic").y[-1] == pytest.approx(lost.value, abs=20)
    # The whole backlog, up and down, follows the flow.
    flow = next(s for s in found.series if s.role == "theory")
    for theory, simulated in zip(flow.y, found.get("topic").y, strict=True):
        assert simulated == pytest.approx(theory, abs=0.06 * max(flow.y))


def test_a_chain_loses_every_order_of_an_outage_and_charges_those_whose_mail_fails() -> None:
    mail, payment = provider_outage(), provider_outage(provider=PAYMENTS)
    for found in (mail, payment):
        lost = found.numbers["lost by the chain"]
        assert lost.low is not None and lost.high is not None
        assert lost.low <= found["orders in the outage"] * 1.03
        assert lost.high >= found["orders in the outage"] * 0.97
    assert mail["of these charged"] == mail["lost by the chain"]
    assert payment["of these charged"] == 0


def test_open_orders_are_those_that_came_less_those_confirmed() -> None:
    shop = Shop(warm=True, declined_share=0.0, outages=((MAIL, 0.0, 1e9),), max_receive_count=1)
    trace = run_orders("C", shop, Poisson(1.0), duration_s=100.0)
    found = open_orders(trace, 1.0, 101)
    for at_s in (10, 50, 100):
        assert found[at_s] == sum(start_s <= at_s for start_s in trace.requests.start_s)


@pytest.mark.parametrize(("name", "orders_per_h"), [("B1", 120.0), ("C", 3600.0), ("A1", 3600.0)])
def test_an_orders_bill_by_theory_is_that_of_a_run_with_its_idle_pollers(
    name: str, orders_per_h: float
) -> None:
    shop, orders = Shop(warm=True), 1500
    rate = orders_per_h / 3600
    trace = run_orders(name, shop, Poisson(rate), duration_s=orders / rate)
    total = float(PriceList.load().bill(usage(trace)).total_usd) / len(trace.requests) * 1e6
    assert math.fsum(expected_parts(name, shop, orders_per_h).values()) == pytest.approx(
        total, rel=0.05
    )


def test_queues_lose_on_price_at_night_and_batches_win_by_day() -> None:
    day, night = order_cost(), order_cost(orders_per_h=10.0)
    assert (
        day["queues, batches of 10"]
        < day["one function"]
        < day["queues"]
        < day["chained functions"]
    )
    assert night["queues"] > 10 * night["one function"]
    grid = one_function_instead(design="chained functions").grid
    assert grid is not None
    assert all(value < 55 for row in grid.values for value in row)  # waiting is billed twice


def test_a_flat_day_is_the_steady_load_of_the_chapter() -> None:
    plan = Plan(Diurnal(2.0, 1.0, DAY_S), 2.0, 3, (0, 24), 512)
    calls, spilled, cold = (math.fsum(c) for c in zip(*plan.expected(), strict=True))
    assert calls == pytest.approx(2.0 * DAY_S)
    assert spilled / calls == pytest.approx(erlang_b(4.0, 3))
    assert cold / calls == pytest.approx(cold_share_beyond(4.0, 2.0, 3), rel=1e-9)
    assert 30 * plan.usd(spilled / calls) == pytest.approx(month_usd(4.0, 3))
    assert plan.cheapest() == cheapest(4.0)
    assert len(plan.pieces()) == PIECES


def test_what_spills_over_in_a_day_is_what_theory_expects_of_its_hours() -> None:
    for setting in ({}, {"plan": "from 8 to 22"}, {"ready": 0}, {"calls_per_s": 0.5, "ready": 2}):
        found = ready_over_a_day(**setting)
        assert found["spilled over"] == pytest.approx(found["spilled over by theory"], abs=1.0)
        assert found["cold"] <= found["spilled over"]
    assert ready_over_a_day(ready=0)["bill"] == pytest.approx(found["bill with none"] * 4)


def test_without_a_success_layers_multiply() -> None:
    assert plateau(1.0, 3, 3, budget=False)[0] == retry_layers(3, 3)
    assert plateau(0.3, 4, 1, budget=False)[0] == retry_load(0.3, 4)
    storm = Storm(1.0, 3, 3, 0.05, False, "all fail")
    while not storm.run(1000):
        pass
    assert storm.made == 27 * storm.begun
    assert storm.succeeded + storm.failed == storm.requests


@pytest.mark.parametrize(
    ("failure", "attempts", "layers"), [(50.0, 3, 1), (80.0, 3, 2), (90.0, 2, 3), (60.0, 5, 2)]
)
def test_a_partial_failure_settles_where_theory_says(
    failure: float, attempts: int, layers: int
) -> None:
    found = retry_storm(failure=failure, attempts=attempts, layers=layers, pause_s=0.05)
    assert found["calls for each request"] == pytest.approx(found["calls by theory"], rel=0.04)
    good = found.numbers["succeed in the end"]
    assert good.value == pytest.approx(found["succeed by theory"], abs=2)


def test_a_budget_caps_what_retries_add() -> None:
    found = retry_storm(failure=100.0, layers=3, budget=TOKENS)
    assert found["calls for each request"] == pytest.approx(1.1**3, rel=0.02)


def test_a_steady_table_meets_the_break_even_and_bursts_pass_it() -> None:
    # Capacity that is always used costs its break-even's share of the bill on demand.
    steady = provisioned_usd("write", 100.0, 1.0, 10, 6) / demanded_usd("write", 100.0)
    assert steady == pytest.approx(table_break_even("write"))
    used = 1 / (provisioned_usd("write", 100.0, 4.0, 10, 6) / demanded_usd("write", 100.0) / steady)
    assert (used < table_break_even("write")) == (
        provisioned_usd("write", 100.0, 4.0, 10, 6) > demanded_usd("write", 100.0)
    )
    for peak, every_h in ((8.0, 6), (40.0, 24)):
        load = day_of(100.0, peak, 10, every_h, None)
        assert math.fsum(load) / len(load) == pytest.approx(100.0)
        assert max(load) / min(load) == pytest.approx(peak)


def test_auto_scaling_throttles_short_bursts_and_not_a_steady_load() -> None:
    assert table_modes(peak=1.0)["throttled with it"] < 0.5
    assert table_modes(peak=40.0)["throttled with it"] > 5
    grid = burst_map(shows=THROTTLED).grid
    assert grid is not None
    for row in grid.values:
        assert row[0] == 0
        assert row[-1] > row[2]


def test_computing_costs_the_same_up_to_one_processor_and_waiting_does_not() -> None:
    found = memory_price(cpu_ms=5000.0, wait_ms=0.0)
    bills = {
        mb: y for mb, y in zip(found.series[1].x, found.series[1].y, strict=True) if mb <= 1769
    }
    assert all(y == pytest.approx(100, abs=1) for y in bills.values())
    waiting = memory_price(cpu_ms=1.0, wait_ms=5000.0, memory_mb=10_240)
    assert waiting.series[1].y[-1] == pytest.approx(100 * 10_240 / 128, rel=0.03)
    assert expected_ms(1000.0, 0.0, 7076, 4) == pytest.approx(250)
    for memory_mb, seconds, usd in AWS_TABLE[:1]:
        assert usd_per_million(memory_mb, seconds) / 1000 == pytest.approx(usd, rel=0.01)


def test_a_begun_millisecond_is_billed() -> None:
    found = memory_price(cpu_ms=17.4, wait_ms=50.0, memory_mb=1769)
    assert found["a million cost"] == pytest.approx(usd_per_million(1769, 0.068))
    assert found["by theory"] == pytest.approx(usd_per_million(1769, 0.068))


def test_invocations_drawn_by_chance_have_the_duration_and_bill_of_theory() -> None:
    for cpu_ms in (17.4, 200.0):
        found = memory_price(cpu_ms=cpu_ms, wait_ms=0.0, memory_mb=300)
        assert found["duration"] == pytest.approx(found["duration by theory"], rel=0.01)
        assert found["a million cost"] == pytest.approx(found["by theory"], rel=0.01)


@pytest.mark.parametrize("name", ["Canary10Percent10Minutes", "Linear10PercentEvery2Minutes"])
def test_a_release_goes_as_it_does_order_by_order(name: str) -> None:
    kind, minutes = ("canary", 10) if name.startswith("Canary") else ("linear", 2)
    course = Course(shift_of(kind, 0.1, minutes))
    ours, exact = expected(course, 3.0), expected_slowly(SHIFTS[name], 60.0, 0.05)
    assert ours == pytest.approx(exact)
    random = Random(f"releases {name}")
    found = [release(course, 3.0, random) for _ in range(4000)]
    hit = mean_interval([one.hit for one in found], 0.999)
    assert hit.low <= exact[1] <= hit.high
    in_time = share_interval(sum(one.in_time for one in found), len(found), 0.999)
    assert in_time.low <= exact[0] <= in_time.high
    slowly = [deploy(SHIFTS[name], random) for _ in range(300)]
    theirs = mean_interval([one.hit for one in slowly], 0.999)
    assert theirs.low <= hit.high and hit.low <= theirs.high


def test_more_weight_hits_more_and_is_found_sooner() -> None:
    few, many = (expected(Course(shift_of("canary", w, 10)), 30.0) for w in (0.05, 0.5))
    assert few[1] < many[1]
    assert few[0] < many[0]
    assert expected(Course(shift_of("canary", 1.0, 10)), 3.0)[0] == 0  # nothing left to shift
