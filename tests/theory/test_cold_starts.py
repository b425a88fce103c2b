"""Simulated cold shares against their closed forms (verification)."""

from __future__ import annotations

import math

import pytest

from simulations.experiments.cold_count import count_cold
from simulations.services import keep_alive
from simulations.theory import cold_probability, mean_environments
from simulations.workload import Distribution


@pytest.mark.parametrize("per_h", [1, 6, 12])
def test_short_calls_are_cold_when_the_gap_exceeds_the_keep_alive(per_h: float) -> None:
    found = count_cold(per_h / 3600, 0.0, 600.0, requests=50_000, seed=7).share
    # exp(-lambda T), within half a percentage point
    theory = math.exp(-per_h / 3600 * 600)
    assert found.within(theory, 0.01, relative=False) == "pass"


@pytest.mark.parametrize(
    ("per_h", "duration_s", "keep_alive_s"),
    [
        (200, 0.1, 600.0),
        (60, 1.2, 600.0),
        (400, 0.1, keep_alive(2025)),
        (120, 1.2, keep_alive(2025)),
        (3600, 10.0, keep_alive(2025)),
    ],
)
def test_overlapping_calls_follow_the_overflow_formula(
    per_h: float, duration_s: float, keep_alive_s: float | Distribution
) -> None:
    theory = cold_probability(per_h / 3600, keep_alive_s, duration_s)
    # 1,500 cold starts expected: an interval of about 5 % each way
    requests = int(1_500 / theory) if theory > 0.01 else 200_000
    found = count_cold(per_h / 3600, duration_s, keep_alive_s, requests=requests, seed=7)
    assert found.share.within(theory, 0.15) == "pass"
    alive = mean_environments(per_h / 3600, keep_alive_s, duration_s)
    assert found.mean_environments == pytest.approx(alive, rel=0.15)


def test_a_busier_function_can_be_colder() -> None:
    # The chapter's title, without the formula: intervals that do not touch.
    few = count_cold(95 / 3600, 0.1, keep_alive(2025), requests=60_000, seed=7).share
    many = count_cold(440 / 3600, 0.1, keep_alive(2025), requests=60_000, seed=7).share
    assert few.high < many.low
