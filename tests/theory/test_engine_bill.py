"""The bill: from the trace, from the REPORT lines, and in closed form."""

from __future__ import annotations

from functools import cache

import pytest

from simulations.experiments.order_bill import expected_usage
from simulations.orders import ARCHITECTURES, Shop, run_orders
from simulations.pricing import PriceList, usage
from simulations.telemetry import reports, usage_of_reports
from simulations.trace import Trace
from simulations.workload import Poisson

EVERY = tuple(ARCHITECTURES)


@cache
def prices() -> PriceList:
    return PriceList.load()


def mean_batches(trace: Trace) -> dict[str, float]:
    """Messages an invocation by function: those carried alone, and those of the links."""
    carried: dict[str, list[int]] = {}
    in_batches: dict[int, int] = {}
    for span in trace.links.span:
        in_batches[span] = in_batches.get(span, 0) + 1
    spans, invoke = trace.spans, trace.code("invoke")
    for span, component, operation in zip(spans.id, spans.component, spans.operation, strict=True):
        if operation == invoke:
            count = carried.setdefault(trace.name(component), [0, 0])
            count[0] += 1
            count[1] += in_batches.get(span, 1)
    return {name: messages / runs for name, (runs, messages) in carried.items()}


@pytest.mark.parametrize("architecture", EVERY)
def test_a_hundred_thousand_orders_cost_what_the_closed_form_says(architecture: str) -> None:
    """The warm shop without faults; B10's closed form takes the mean batch from the trace."""
    shop = Shop(warm=True)
    trace = run_orders(architecture, shop, Poisson(200.0), duration_s=500, seed=11)
    orders = len(trace.requests)
    assert orders == pytest.approx(100_000, rel=0.02)
    batches = mean_batches(trace) if architecture == "B10" else None
    simulated = prices().bill(usage(trace)).total_usd
    expected = prices().bill(expected_usage(architecture, shop, orders, batches)).total_usd
    assert float(simulated) == pytest.approx(float(expected), rel=0.005)


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
