"""Asynchronous messaging: what each experiment of the chapter must show, on small runs."""

from __future__ import annotations

import pytest

from simulations.experiments import async_messaging as chapter
from simulations.orders import ARCHITECTURES, run_orders
from simulations.theory import restart_chain


def test_the_decoupled_customer_waits_for_sends_alone() -> None:
    """15 ms of work and one or two sends of 10 ms on average."""
    result = chapter.answer_times(orders=1_500)
    assert result["C mean"] == pytest.approx(0.025, rel=0.03)
    assert result["B1 mean"] == pytest.approx(0.035, rel=0.03)
    assert result["A1 mean"] > result["A0 mean"] > 1.0
    assert result["A1 late rejections"] == 0 < result["C late rejections"]


def test_bills_rank_as_their_parts_do() -> None:
    result = chapter.costs(orders=800)
    assert result["B10"] < result["A0"] < result["B1"] < result["C"] < result["A1"]
    for name in ARCHITECTURES:
        parts = [n.value for key, n in result.numbers.items() if key.startswith(f"{name} A")]
        assert sum(parts) == pytest.approx(result[name], rel=1e-9)


def test_quiet_traffic_gains_nothing_from_batches() -> None:
    quiet = chapter.batching(rate_per_s=0.05, orders=500)
    busy = chapter.batching(rate_per_s=20.0, orders=500)
    assert busy["B10"] < 0.5 * busy["B1"]
    assert quiet["B10"] > 0.9 * quiet["B1"]


def test_the_second_charge_behind_a_queue_in_closed_form() -> None:
    """Without failures after the effect there is none; if all are, it is the failure rate."""
    assert chapter.queue_double_charge(0.02, 0.0) == 0
    assert chapter.queue_double_charge(0.02, 1.0) == pytest.approx(0.02)
    assert chapter.queue_double_charge(0.02, 0.5) < restart_chain(0.02, 0.5).p_double_charge


def test_a_backlog_outlives_the_outage_only_if_the_queue_may_keep_it() -> None:
    patient = chapter.outage(minutes=4, visibility_timeout_s=60.0)
    hasty = chapter.outage(minutes=4, visibility_timeout_s=30.0)
    assert patient["C never confirmed"] == 0
    assert hasty["C never confirmed"] > 0.3 * hasty["arrived in the outage"]
    assert patient["A1 charged, not confirmed"] == patient["A1 never confirmed"] > 0
    assert patient["C refused"] == 0


@pytest.mark.parametrize("utilization", [0.5, 0.8])
def test_a_backlog_drains_as_the_fluid_does(utilization: float) -> None:
    result = chapter.catch_up(utilization=utilization, outage_s=600.0)
    assert result["most waiting"] == pytest.approx(result["most waiting, fluid"], rel=0.05)
    assert result["drained after"] == pytest.approx(result["drained after, fluid"], rel=0.1)


def test_a_topic_needs_no_edit_for_a_text_message_and_everything_else_one() -> None:
    assert {name: chapter.edits_for_sms(name) for name in ("A0", "A1", "B1", "C")} == {
        "A0": 1,
        "A1": 1,
        "B1": 1,
        "C": 0,
    }


def test_a_text_message_slows_the_chain_by_its_call_and_the_topic_not_at_all() -> None:
    """One more function: 12 ms to reach it, 15 ms of work, 250 ms at the provider."""
    result = chapter.adding_sms(orders=1_500)
    slower_s = result["A1 with SMS mean"] - result["A1 mean"]
    # 3 % of orders are declined and get no message; the timeout cuts the longest off
    assert slower_s == pytest.approx(0.277 * 0.97, rel=0.05)
    assert result["C with SMS mean"] == result["C mean"]


def test_open_orders_are_counted_at_the_instant() -> None:
    trace = run_orders("A0", duration_s=60.0, seed=2)
    open_orders = chapter.unconfirmed(trace, 1.0, 70.0)
    declined = 600  # generous: declined orders are never confirmed
    assert min(open_orders) >= 0 and open_orders[-1] <= declined
    waiting_at_30_s = sum(start_s < 30.0 for start_s in trace.requests.start_s) - sum(
        row.end_s < 30.0 and row.outcome == "confirmed" for row in trace.spans_of("orders")
    )
    assert open_orders[30] == waiting_at_30_s


def test_parameters_out_of_range_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="visibility_timeout_s=5 is outside 30 to 600"):
        chapter.outage(visibility_timeout_s=5)
    with pytest.raises(ValueError, match="has no parameter 'rate'"):
        chapter.answer_times(rate=3)
