"""A short task on AWS Lambda at 195 memory sizes, against the quota model and proportionality."""

from __future__ import annotations

import math

import pytest

from simulations.experiments.records import record
from simulations.experiments.resource_allocation import gain, staircase
from simulations.theory.cpu import quota_mean_ms


def test_the_cheapest_memory_of_a_short_task_is_in_the_middle_where_the_quota_says() -> None:
    found = staircase()
    assert found["cheapest"] == 761
    assert abs(found["quota says"] / found["cheapest"] - 1) < 0.03
    assert found["cheapest: USD"] < 0.75 * found["least memory: USD"]


def test_the_quota_model_is_near_at_most_sizes_and_never_far_below() -> None:
    """Its misses are published: it knows nothing of a quota that is overrun."""
    found = staircase()
    assert found["quota: median error"] < 0.06 < 0.07 < found["proportional: median error"]
    assert found["quota: worst error"] < 0.45 < found["proportional: worst error"]
    far = [
        memory_mb
        for memory_mb, mean_ms, *_ in record("cpu_memory_2025")["at"]
        if abs(quota_mean_ms(17.4, memory_mb) / mean_ms - 1) > 0.15
    ]
    assert found["quota: above 15 %"] == len(far) == 8
    for memory_mb, mean_ms, *_ in record("cpu_memory_2025")["at"]:
        assert quota_mean_ms(17.4, memory_mb) > 0.86 * mean_ms


def test_nearly_all_misses_lie_just_below_a_memory_at_which_one_period_fewer_is_enough() -> None:
    found = staircase()
    steps = [17.4 * 1769 / (20 * quotas) for quotas in (1, 2, 3)]
    below = [
        memory_mb
        for memory_mb, mean_ms, *_ in record("cpu_memory_2025")["at"]
        if quota_mean_ms(17.4, memory_mb) > 1.15 * mean_ms
        and any(0 < step - memory_mb < 50 for step in steps)
    ]
    assert len(below) == found["quota: far, below a step"] == 7


def test_a_flat_line_from_a_whole_processor_on() -> None:
    above = [one[1] for one in record("cpu_memory_2025")["at"] if one[0] >= 1769]
    assert max(above) / min(above) < 1.05


def test_the_stairs_are_flat_for_long_work() -> None:
    shares = [gain(cpu_ms)[1] for cpu_ms in (15, 50, 200)]
    assert shares == sorted(shares) and shares[-1] > 0.97


def test_the_best_memory_is_a_whole_number_of_quotas_and_the_request_charge_stays() -> None:
    """5 ms are one quota at 443 MB: 0.04 and 0.20 USD per million there, 0.11 and 0.20 at 128 MB."""
    memory_mb, share = gain(5)
    assert memory_mb == math.ceil(5 * 1769 / 20)
    assert share == pytest.approx((0.036 + 0.2) / (0.107 + 0.2), abs=0.005)
