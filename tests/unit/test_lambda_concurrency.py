"""The experiments on concurrency and provisioned concurrency hold what their chapters say."""

from __future__ import annotations

import pytest

from simulations.experiments.lambda_concurrency import (
    carried_per_s,
    noisy_neighbor,
    old_rule_s,
    room_for_chance,
    step_of_load,
)
from simulations.experiments.provisioned_concurrency import (
    break_even,
    cheapest,
    cold_share_beyond,
    idle_month_usd,
    month_usd,
    mornings,
    run_with,
    which_cold_starts,
    who_is_late,
)
from simulations.facts import fact
from simulations.theory import erlang_b


@pytest.mark.parametrize(
    ("seconds", "per_s"), [(0.02, 1000), (0.05, 1000), (0.1, 1000), (0.5, 200), (4.0, 25)]
)
def test_an_account_of_a_hundred_carries_the_lower_of_two_limits(
    seconds: float, per_s: float
) -> None:
    assert carried_per_s(100, seconds) == pytest.approx(per_s, rel=0.01)


def test_a_flash_sale_is_throttled_as_erlang_says() -> None:
    found = room_for_chance(load=20, requests=6000)
    assert found["points that hold the theory"] >= found["points"] - 1
    assert found["widest miss"] < 0.03


def test_a_reservation_protects_from_the_neighbor_who_takes_the_rest() -> None:
    found = noisy_neighbor(orders_per_s=50, reports_per_s=40, reserved=100)
    assert found["Checkout, 100 reserved"] == 0
    assert found["Checkout, nothing reserved"] == pytest.approx(found["both by theory"], abs=0.05)
    assert found["Report, 100 reserved"] > found["Report, nothing reserved"]


def test_both_lose_what_erlang_says_of_both_together_give_or_take_chance() -> None:
    """One run counts fifty seconds: seeds lie on both sides of the formula."""
    runs = [noisy_neighbor(seed=seed) for seed in (1, 7)]
    above, below = (found["Checkout, nothing reserved"] for found in runs)
    theory = runs[0]["both by theory"]
    assert below < theory < above
    assert (above + below) / 2 == pytest.approx(theory, abs=0.02)


def test_a_step_catches_up_when_the_bucket_says() -> None:
    found = step_of_load(rate_per_s=1200)
    assert found["last throttled"] == pytest.approx(found["last throttled by theory"], abs=0.02)
    assert found["cold"] == pytest.approx(1200, abs=2)


def test_the_old_rule_was_faster_at_first_and_slower_later() -> None:
    assert [old_rule_s(n) for n in (3000, 10_000)] == [0, 840]


def test_provisioning_the_mean_removes_no_cold_start() -> None:
    found = which_cold_starts(requests=10_000)
    assert found["spilled within"] >= found["points"] - 1
    assert found["cold at the mean by theory"] > 0.99 * found["cold with none by theory"]
    low, high = found.numbers["cold at the mean"].low, found.numbers["cold at the mean"].high
    assert low is not None
    assert high is not None
    assert low < found["cold at the mean by theory"] < high


def test_with_the_last_environments_provisioned_cold_starts_are_gone() -> None:
    assert cold_share_beyond(4.0, 2.0, 14) < 0.1 * cold_share_beyond(4.0, 2.0, 0)
    assert run_with(16, 2.0, 2.0, 10_000, seed=3).cold.mean == 0


def test_break_even_is_sixty_percent_on_both_architectures() -> None:
    assert break_even() == pytest.approx(0.6, abs=1e-4)
    assert break_even("arm") == pytest.approx(0.6, abs=1e-4)


def test_the_cheapest_number_is_the_minimum_of_the_bill() -> None:
    for load in (0.5, 3.0, 12.0):
        bills = [month_usd(load, n) for n in range(30)]
        assert bills.index(min(bills)) == cheapest(load)


def test_an_idle_month_is_price_times_memory_times_time() -> None:
    price = fact("lambda.price.pc.x86").value
    assert idle_month_usd(10) == pytest.approx(10 * 0.5 * 30 * 86_400 * price)


def test_target_tracking_is_minutes_late_and_a_schedule_is_not() -> None:
    plans = {one.name: one for one in mornings()}
    assert plans["schedule"].cold_in_campaign < plans["target tracking"].cold_in_campaign
    assert plans["schedule"].usd < plans["target tracking"].usd < plans["always enough"].usd
    found = who_is_late()
    # Three datapoints and the preparation, before anything comes.
    assert found["first"] >= 3 + 1
    # The mean is not the peak: what keeps the spill-over low comes later still.
    assert found["first"] < found["enough"] < found["all"] < 45
    assert erlang_b(40, 60) < 0.001
