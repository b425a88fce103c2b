"""The chapter on Lambda's cost: its parts are the bill, and the bill is that of the shop."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from simulations.experiments import lambda_cost as cost
from simulations.orders import Shop
from simulations.pricing import PriceList, lambda_usage, logs_usage
from simulations.telemetry import usage_of_reports

ORDERS = 10_000_000


def test_parts_add_up_to_the_bill_of_the_report_lines() -> None:
    lines = cost.report_lines(10, 1)
    month = cost.order_bill(orders_m=10, log_kb=5)
    usage = usage_of_reports(lines) * (ORDERS / len(lines)) + logs_usage(ORDERS, 5)
    assert month["total"] == pytest.approx(float(PriceList.load().bill(usage).total_usd), rel=1e-9)
    assert math.fsum(month.get("").y) == pytest.approx(month["total"], rel=1e-12)
    assert list(month.get("").y) == sorted(month.get("").y, reverse=True)


def test_the_shops_means_give_the_same_bill() -> None:
    """Closed form within the simulation's 95 % interval, but for the cold starts it leaves out."""
    total = cost.order_bill(orders_m=10).numbers["total"]
    assert total.low is not None
    assert total.high is not None
    expected = float(cost.expected_order(Shop()).bill(ORDERS).total_usd)
    assert total.low < expected < total.high


def test_an_order_is_billed_as_the_estimator_bills_it() -> None:
    order = cost.PerOrder(985.0, 15.0, 0.0, 0.0, 512, log_kb=0)
    ours = order.bill(ORDERS).total_usd
    assert ours == PriceList.load().bill(lambda_usage(ORDERS, 1000, 512)).total_usd


def test_each_lever_changes_one_input_and_the_widest_comes_first() -> None:
    result = cost.order_levers(orders_m=10)
    less, more = result.series
    widths = [high - low for low, high in zip(less.y, more.y, strict=True)]
    assert widths == sorted(widths, reverse=True)
    assert all(low <= result["base"] <= high for low, high in zip(less.y, more.y, strict=True))
    assert set(cost.lever_ends().ends) == set(less.x)
    assert result["base"] == pytest.approx(cost.order_bill(orders_m=10)["total"], rel=1e-12)


def test_prices_in_milliseconds_are_inverse_to_memory() -> None:
    small, large = cost.in_milliseconds(128), cost.in_milliseconds(1024)
    for name, ms in small.items():
        assert ms == pytest.approx(8 * large[name])
    order = cost.PerOrder(100.0, 0.0, 0.0, 0.0, 128, log_kb=1)
    bill = order.bill(1000)
    ratio = float(bill["USE1-VendedLog-Bytes"].amount_usd / bill["Lambda-GB-Second"].amount_usd)
    assert small["log_kb"] == pytest.approx(100 * ratio)


def test_own_code_is_slower_with_less_memory_and_waiting_is_not() -> None:
    order = cost.PerOrder(1000.0, 15.0, 0.0, 0.5, 512)
    less = order.with_memory(128)
    assert (less.waiting_ms, less.own_ms) == (1000.0, 60.0)
    assert less.with_memory(512) == order


def test_old_rules_are_those_of_the_announcements() -> None:
    before_2020, before_2025, today = cost.rule_changes()
    assert before_2020.short_function == pytest.approx(100 / 60)
    assert before_2025.short_function == pytest.approx(50 / 60)
    assert (today.short_function, today.shop) == (1, 1)
    assert 1.03 < before_2020.shop < 1.05  # half a step of 100 ms on 1.17 s
    assert 0.999 < before_2025.shop < 1


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="memory_mb=64"):
        cost.order_bill(memory_mb=64)
    with pytest.raises(ValueError, match="sparc"):
        cost.order_bill(architecture="sparc")


def test_arm_is_a_fifth_cheaper_a_second() -> None:
    order = cost.PerOrder(1000.0, 0.0, 0.0, 0.0, 1024, log_kb=0)
    arm = replace(order, architecture="arm64").bill(1).total_usd
    assert float(arm / order.bill(1).total_usd) == pytest.approx(0.8, abs=0.003)
