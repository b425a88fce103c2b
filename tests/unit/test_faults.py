"""Faults: windows, random outages, lost zones; impossible ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulations import Fault, RandomOutages, Simulation, Slowness, ZoneLoss
from simulations.faults import BEFORE, FINE, Trouble
from simulations.stats import mean_interval, share_interval


def test_an_outage_holds_from_its_start_until_before_its_end() -> None:
    fault = Fault(outages=((10, 20), (30, 40)))
    assert [fault.is_out(t) for t in (9.9, 10, 19.9, 20, 30, 40)] == [
        False, True, True, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"error_rate": 1.1}, r"error_rate=1\.1 is outside 0 to 1"),
        ({"after_effect_share": -0.1}, r"after_effect_share=-0\.1"),
        ({"outages": ((5, 5),)}, r"outages: \(5, 5\)"),
        ({"outages": ((-1, 5),)}, r"outages: \(-1, 5\)"),
    ],
)
def test_an_impossible_fault_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**settings)


def trouble(fault: Fault, seed: int = 1) -> Trouble:
    sim = Simulation(seed)
    return Trouble(fault, lambda draw: sim.draws(f"db {draw}"), sim.stream("db outages"))


def test_random_outages_take_the_share_of_the_time_that_they_should() -> None:
    shares = []
    for seed in range(8):
        found = trouble(Fault(random_outages=RandomOutages(90.0, 10.0)), seed)
        shares.append(sum(found.is_down(t / 2) for t in range(40_000)) / 40_000)
    assert mean_interval(shares).within(0.1, 0.15) == "pass"
    assert RandomOutages(90.0, 10.0).down_share == 0.1


def test_random_outages_are_the_same_for_a_seed_however_often_one_asks() -> None:
    fault = Fault(random_outages=RandomOutages(20.0, 5.0))
    often, seldom = trouble(fault), trouble(fault)
    dense = [often.is_down(t / 10) for t in range(3000)]
    assert dense[::100] == [seldom.is_down(t / 10) for t in range(0, 3000, 100)]
    other = trouble(fault, seed=2)
    assert dense != [other.is_down(t / 10) for t in range(3000)]


def test_a_window_holds_for_errors_and_slowness_alike() -> None:
    found = trouble(Fault(error_rate=1.0, during=(10, 20), slowness=(Slowness(5, 8, 3.0, 0.5),)))
    assert [found.fate(t, 1, 1) for t in (9.9, 10, 19.9, 20)] == [FINE, BEFORE, BEFORE, FINE]
    assert [found.lasts_s(t, 1, 1, 0.2) for t in (4.9, 5, 8)] == [0.2, pytest.approx(1.1), 0.2]


def test_duplicates_happen_inside_their_window_only() -> None:
    found = trouble(Fault(duplicate_share=1.0, during=(10, 20)))
    assert [found.is_twice(t, 1, 1) for t in (9.9, 10, 19.9, 20)] == [False, True, True, False]


def test_a_zone_takes_its_environments_or_its_share_of_calls() -> None:
    found = trouble(Fault(zone_losses=(ZoneLoss(0, 100, zones=3),)))
    assert [found.fate(1, 1, 1, e) for e in range(6)] == [BEFORE, FINE, FINE, BEFORE, FINE, FINE]
    failed = sum(found.fate(1, n, 1) == BEFORE for n in range(6000))
    assert share_interval(failed, 6000).within(1 / 3, 0.06) == "pass"
    # A retry reaches a zone drawn anew.
    twice = sum(found.fate(1, n, 1) == found.fate(1, n, 2) == BEFORE for n in range(6000))
    assert share_interval(twice, 6000).within(1 / 9, 0.12) == "pass"


def test_only_a_fault_that_does_something_costs_time() -> None:
    assert Fault().is_none and Fault(after_effect_share=0.5, during=(0, 1)).is_none
    assert not Fault(duplicate_share=0.1).is_none and not Fault(outages=((0, 1),)).is_none


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Slowness(5, 5), r"slowness: \(5, 5\)"),
        (lambda: Slowness(0, 5, factor=0), "factor=0"),
        (lambda: Slowness(0, 5, share=2), "share=2"),
        (lambda: RandomOutages(0, 5), "mean_up_s=0"),
        (lambda: ZoneLoss(0, 5, zones=0), "zones=0"),
        (lambda: ZoneLoss(0, 5, lost=4), "lost=4 is outside 1 to zones=3"),
        (lambda: Fault(during=(3, 2)), r"during: \(3, 2\)"),
        (lambda: Fault(fails_after_s=-1), "fails_after_s=-1"),
    ],
)
def test_an_impossible_window_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
