"""The bill of the order system: a month of each architecture against its closed form."""

from __future__ import annotations

import math
from functools import cache

import pytest

from simulations.experiments.order_bill import batch_sizes, expected_month, expected_usage
from simulations.orders import ARCHITECTURES, Shop, run_orders
from simulations.pricing import MonthlyBill, PriceList, month, usage
from simulations.telemetry import reports, usage_of_reports
from simulations.workload import Poisson

EVERY = tuple(ARCHITECTURES)
MONTH_S = 30 * 86_400
#: Ten million orders a month; 45 minutes after a quarter of an hour of warm-up stand for the month.
RATE = 10e6 / MONTH_S
HOUR = (900.0, 3600.0)


@cache
def prices() -> PriceList:
    return PriceList.load()


def expected(
    architecture: str, rate_per_s: float, since: tuple[float, float]
) -> tuple[float, float]:
    """USD a month and a million orders, from the shop's means alone."""
    used = expected_month(architecture, Shop(), rate_per_s, running_s=since)
    total = float(prices().bill(used).total_usd)
    return total, total / (rate_per_s * MONTH_S) * 1e6


def agrees(found: MonthlyBill, theirs: tuple[float, float], width: float) -> None:
    """Both closed forms lie in their intervals, and the intervals are short enough to tell."""
    for interval, value in zip((found.total, found.per_million), theirs, strict=True):
        assert interval.low <= value <= interval.high
        assert interval.half_width < width * value


@pytest.mark.parametrize("architecture", [name for name in EVERY if name != "B10"])
def test_a_month_costs_what_the_closed_form_says(architecture: str) -> None:
    """Ten million orders a month: cold starts and idle pollers included, nothing fitted."""
    begin_s, end_s = HOUR
    trace = run_orders(
        architecture, Shop(), Poisson(RATE), duration_s=end_s, warmup_s=begin_s, seed=11
    )
    agrees(month(trace), expected(architecture, RATE, HOUR), 0.03)


def test_a_month_of_full_batches_costs_what_the_closed_form_says() -> None:
    """Two hundred orders a second fill every batch of B10 to ten before its window ends."""
    trace = run_orders("B10", Shop(), Poisson(200.0), duration_s=140, warmup_s=80, seed=11)
    agrees(month(trace), expected("B10", 200.0, (80.0, 140.0)), 0.03)


def test_batches_that_do_not_fill_are_counted_too() -> None:
    """At the shop's rate B10's later queues are fed in lumps: under two percent is left open."""
    begin_s, end_s = HOUR
    trace = run_orders("B10", Shop(), Poisson(RATE), duration_s=end_s, warmup_s=begin_s, seed=11)
    found = month(trace)
    assert found.per_million.mean == pytest.approx(expected("B10", RATE, HOUR)[1], rel=0.02)
    invocations = sum(row.operation == "invoke" for row in trace.spans_of("ReserveStock"))
    sizes = batch_sizes(len(trace.requests) / end_s, Shop().window_s, 10)
    mean = math.fsum(size * share for size, share in sizes.items())
    assert len(trace.requests) / invocations == pytest.approx(mean, rel=0.02)


def test_in_a_small_shop_idle_pollers_are_most_of_the_queues_bill() -> None:
    """Fifty thousand orders a month: the closed form holds with the empty receives only."""
    rate, end_s = 50e3 / MONTH_S, 10 * 86_400.0
    trace = run_orders("B1", Shop(), Poisson(rate), duration_s=end_s, warmup_s=3600, seed=3)
    since = (3600.0, end_s)
    agrees(month(trace), expected("B1", rate, since), 0.03)
    with_pollers = expected_month("B1", Shop(), rate, running_s=since)["Requests-RBP"]
    orders_only = expected_usage("B1", Shop(), 50e3)["Requests-RBP"]
    assert with_pollers > 4 * orders_only


@pytest.mark.parametrize("architecture", EVERY)
def test_the_bill_is_the_sum_over_the_report_lines(architecture: str) -> None:
    """Cold starts, failures and time-outs included: Lambda's part to the last millisecond."""
    shop = Shop(failure=0.02, timeout_s=2.5)
    trace = run_orders(architecture, shop, duration_s=60, seed=2, max_attempts=3)
    lines = reports(trace)
    from_lines, from_trace = usage_of_reports(lines), usage(trace)
    assert any(line.init_ms for line in lines)
    for item in ("Request", "Lambda-GB-Second"):
        assert from_lines[item] == from_trace[item]
