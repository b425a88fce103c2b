"""The order story: a time line is complete, adds up to the bill, and names who waits."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from simulations.experiments.the_order_story import (
    failing_orders,
    follow,
    one_order,
    stretches,
    waiting_share,
)
from simulations.orders import ARCHITECTURES, Shop
from simulations.pricing import usage


@pytest.mark.parametrize("architecture", ["A0", "A1", "B1", "C"])
@pytest.mark.parametrize("seed", [1, 15])
def test_the_stretches_add_up_to_the_billed_time(architecture: str, seed: int) -> None:
    """But for each invocation's rounding up to a whole millisecond."""
    trace = follow(architecture, seed)
    billed = [s for s in stretches(trace) if s.kind in ("work", "wait")]
    on_time_line_ms = 1000 * math.fsum(s.lasts_s for s in billed)
    on_bill_ms = 1000 * float(usage(trace)["Lambda-GB-Second"]) / (Shop().memory_mb / 1024)
    invocations = sum(1 for row in trace.spans.rows() if row.operation == "invoke")
    assert 0 <= on_bill_ms - on_time_line_ms <= invocations


def test_a_chain_computes_in_every_function_and_waits_the_rest() -> None:
    """Five functions of 15 ms each are all the work there is, whatever the providers do."""
    parts = stretches(follow("A1", 3))
    work_s = math.fsum(s.lasts_s for s in parts if s.kind == "work")
    assert work_s == pytest.approx(5 * 0.015)
    assert waiting_share(parts) > 0.9


def test_stretches_of_a_component_never_overlap() -> None:
    for architecture in ("A1", "C"):
        by_component: dict[str, list[tuple[float, float]]] = {}
        for s in stretches(follow(architecture, 5)):
            by_component.setdefault(s.component, []).append((s.start_s, s.end_s))
        for found in by_component.values():
            found.sort()
            for (_, end_s), (start_s, _) in pairwise(found):
                assert start_s >= end_s - 1e-12


def test_the_same_draws_make_the_providers_equally_slow_in_every_design() -> None:
    """Order 0 pays for equally long in all architectures (common random numbers)."""
    lasts = set()
    for architecture in ARCHITECTURES:
        trace = follow(architecture, 9)
        (payment,) = trace.spans_of("payment provider", "call")
        lasts.add(round(payment.end_s - payment.start_s, 12))
    assert len(lasts) == 1


def test_a_slower_payment_makes_only_the_coupled_customer_wait() -> None:
    quick, slow = (one_order(architecture="A1", payment_ms=ms)["answer"] for ms in (100, 4000))
    assert slow > 3 * quick
    quick, slow = (one_order(architecture="C", payment_ms=ms)["answer"] for ms in (100, 4000))
    assert slow == quick


def test_failures_lose_orders_once_double_them_when_repeated_and_spare_keyed_ones() -> None:
    result = failing_orders(failure=0.03, orders=2_000)
    assert result["A1, no second try: lost"] > 0.08
    assert result["A1, start again: lost"] == 0
    assert result["A1, start again: charged twice"] > result["C: charged twice"] > 0
    assert result["C, with payment key: charged twice"] == 0


def test_an_impossible_failure_rate_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"failure=0\.5 is outside 0 to 0\.05"):
        failing_orders(failure=0.5)
