"""Charging once: the attack against closed forms, and what holds in every enumerated case."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simulations.experiments.idempotency_attacks import (
    asynchronous,
    crash_sequences,
    key_choices,
    one_crash,
    redriven,
    safe_for_s,
    two_at_once,
)
from simulations.experiments.retries_idempotency import attack, late_redrive, restarts, under_attack
from simulations.orders.idempotency import PROTOCOLS
from simulations.orders.shop import Shop
from simulations.stats import share_interval
from simulations.theory import restart_chain
from simulations.workload import Lognormal

CALM: dict[str, Any] = {"duplicates": 0.0, "poisoned": 0.0, "redrive_s": 3600.0}


def test_restarting_from_the_first_step_charges_twice_as_the_closed_form_says() -> None:
    """1 - (1 - p)^2: one of the two steps after the charge fails."""
    exact = restart_chain(0.01).p_double_charge
    assert exact == pytest.approx(1 - 0.99**2, rel=1e-12)
    found = restarts(orders=300_000, failure=0.01, seed=3)
    assert found.low < exact < found.high
    assert found.high - found.low < 0.15 * exact


@pytest.mark.parametrize(
    ("protocol", "double", "zero"),
    [
        ("none", 0.02, 0.0),
        ("check, then act", 0.02, 0.0),
        ("claim first", 0.0, 0.02),
        ("lock", 0.02, 0.0),
        ("lock and key", 0.0, 0.0),
    ],
)
def test_each_protocol_but_the_last_has_one_gap_as_wide_as_one_crash(
    protocol: str, double: float, zero: float
) -> None:
    """A crash in the gap between charging and noting is the only one that matters: share c."""
    tally = attack(protocol, orders=40_000, crash=0.02, **CALM)
    for share, exact in ((tally.share("double"), double), (tally.share("zero"), zero)):
        assert share.low <= exact <= share.high
        assert exact == 0 or share.high - share.low < 0.2 * exact


def test_a_look_before_charging_overlaps_as_long_as_a_charge_takes() -> None:
    """The copy comes up to 2 s later: it is late enough with P(2 U > charge + 5 ms)."""
    tally = attack("check, then act", orders=8_000, crash=0, **{**CALM, "duplicates": 1.0})
    charge = Lognormal(Shop().authorize_ms / 1000, Shop().authorize_cv)
    points = [(k + 0.5) / 20_000 for k in range(20_000)]
    exact = math.fsum(min(1, (charge.quantile(u) + 0.005) / 2) for u in points) / len(points)
    share = share_interval(tally.double, tally.orders)
    assert share.low < exact < share.high
    assert attack("lock", orders=2_000, crash=0, **{**CALM, "duplicates": 1.0}).double == 0


def test_every_crash_and_every_order_of_two_deliveries_charges_once_with_lock_and_key() -> None:
    assert set(crash_sequences("lock and key", crashes=4)) == {1}
    assert set(two_at_once("lock and key")) == {1}
    assert set(two_at_once("lock and key", ahead_s=100)) == {1}


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "lock and key"])
def test_every_other_protocol_has_a_case_that_breaks_it(protocol: str) -> None:
    cases = crash_sequences(protocol)
    assert set(cases) != {1}
    assert (0 in cases) == (protocol == "claim first"), "the only one that loses a charge"
    assert two_at_once(protocol, crashes=False).keys() == (
        {1} if protocol in ("claim first", "lock") else {2} if protocol == "none" else {1, 2}
    )


def test_the_gap_is_between_charge_and_note_and_nowhere_else() -> None:
    wrong = {
        name: [crash.steps[-1] for crash in one_crash(name) if crash.charges != 1]
        for name in PROTOCOLS
    }
    assert wrong == {
        "none": ["charge"],
        "check, then act": ["charge"],
        "claim first": ["claim"],
        "lock": ["charge"],
        "lock and key": [],
    }


def test_a_clock_ahead_by_less_than_the_lock_has_left_does_nothing() -> None:
    assert set(two_at_once("lock", ahead_s=29, crashes=False)) == {1}
    assert set(two_at_once("lock", ahead_s=31, crashes=False)) == {1, 2}


def test_a_lock_written_by_a_clock_far_ahead_outlives_the_retries() -> None:
    """Five receives of 180 s each have passed before 1,030 s have: never charged."""
    assert 0 in two_at_once("lock and key", ahead_s=1000)


def test_a_redrive_is_safe_for_as_long_as_the_longer_memory() -> None:
    day_s = 86_400.0
    assert safe_for_s("lock") == 3600
    assert safe_for_s("lock and key") == day_s
    assert safe_for_s("lock and key", ttl_s=28 * day_s) == 28 * day_s
    assert safe_for_s("lock and key", ttl_s=28 * day_s, crash_after=2) == day_s
    assert safe_for_s("lock and key", ttl_s=28 * day_s, key_s=30 * day_s) == 30 * day_s
    assert redriven("none", 1) == 2
    assert [round(n.value, 9) for n in late_redrive().numbers.values()] == [1, 24, 672, 24]


def test_a_lock_that_outlives_the_retries_loses_the_order() -> None:
    """Asynchronous: tried again after one and two minutes more; the lock of 900 s still stands."""
    assert asynchronous("lock and key", lock_s=30, crash_after=1) == 1
    assert asynchronous("lock and key", lock_s=900, crash_after=1) == 0


def test_only_the_number_of_the_order_tells_copies_from_orders() -> None:
    assert [one.name for one in key_choices() if all(one[1:])] == ["number of the order"]


def test_the_attack_in_the_figure_spares_lock_and_key_alone() -> None:
    found = under_attack(orders=20_000)
    doubles = {name: found[f"{name}: double"] for name in PROTOCOLS}
    assert doubles.pop("lock and key") == 0 == found["lock and key: zero"]
    assert min(doubles.values()) > 0
    assert found["claim first: zero"] > 500
    late = under_attack(orders=20_000, redrive_h=30)
    assert late["lock and key: double"] > 0, "both memories are gone"
    assert under_attack(orders=20_000, redrive_h=30, ttl_h=100)["lock and key: double"] == 0
