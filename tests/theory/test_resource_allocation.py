"""Memory, time and cost: the fit against curves it was not given, the balance against a search."""

from __future__ import annotations

import math
from random import Random

import pytest

from simulations.experiments.records import record
from simulations.experiments.resource_allocation import (
    AWS_TABLE,
    FULL_MB,
    LEAST_MB,
    cost_and_time,
    sizes,
    tuned,
    usd_per_million,
)
from simulations.theory.memory import Curve, amdahl, fit


def test_a_second_of_computing_costs_the_same_at_every_memory_up_to_a_processor() -> None:
    """28.79 USD per million and 0.20 for the requests: 13.8 times faster for the same money."""
    found = cost_and_time()
    assert found["computes: USD at 128"] == pytest.approx(28.79 + 0.20, abs=0.005)
    assert found["computes: USD at 1769"] == pytest.approx(28.79 + 0.20, abs=0.005)
    assert found["computes: s at 128"] == pytest.approx(13.82, abs=0.005)
    assert found["waits: USD at 128"] == pytest.approx(2.08 + 0.20, abs=0.005)
    assert found["waits: USD at 1769"] == pytest.approx(28.79 + 0.20, abs=0.005)


def test_the_fit_finds_waiting_and_work_through_noise() -> None:
    random, truth = Random(1), Curve(0.4, 0.12)
    memory = [128, 192, 256, 384, 512, 768, 1024, 1536, 1769, 3008]
    noisy = [truth.time_s(mb) * (1 + 0.02 * random.gauss(0, 1)) for mb in memory]
    found = fit(memory, noisy)
    assert found.wait_s == pytest.approx(0.4, rel=0.05)
    assert found.work_s == pytest.approx(0.12, rel=0.05)


def test_the_balance_is_where_computing_takes_as_long_as_waiting() -> None:
    for wait_s, work_s in ((0.02, 0.015), (0.4, 0.1), (0.8, 0.015), (0.01, 1.0)):
        curve = Curve(wait_s, work_s)
        products = [
            (curve.time_s(mb) * curve.gb_s(mb), mb) for mb in sizes(LEAST_MB, FULL_MB, 4000)
        ]
        searched = min(products)[1]
        found = curve.balanced_mb(LEAST_MB, 10_240)
        assert found == pytest.approx(searched, rel=0.002)
        if LEAST_MB < found < FULL_MB:
            assert curve.time_s(found) == pytest.approx(2 * wait_s)


def test_threads_gain_from_the_second_processor_on_and_one_thread_never() -> None:
    assert amdahl(0.3, 1.0, 4) == amdahl(0.3, 0.0, 1) == pytest.approx(0.3)
    assert amdahl(5.79, 0.0, 6) == 1
    assert amdahl(5.79, 1.0, 6) == pytest.approx(5.79)
    assert amdahl(2.0, 0.9, 2) == pytest.approx(1 / (0.1 + 0.45))
    flat, rising = Curve(0, 1, 1.0, 6), Curve(0, 1)
    assert flat.gb_s(10_240) == pytest.approx(flat.gb_s(128))
    assert rising.gb_s(10_240) / rising.gb_s(1769) == pytest.approx(10_240 / 1769)


def test_aws_own_table_costs_what_it_prints_and_is_all_work() -> None:
    for memory, seconds, printed in AWS_TABLE:
        assert usd_per_million(memory, seconds) / 1000 == pytest.approx(printed, rel=0.001)
    curve = fit([row[0] for row in AWS_TABLE], [row[1] for row in AWS_TABLE])
    assert curve.wait_s < 0.05 * curve.time_s(1024)


@pytest.mark.parametrize(
    ("handler", "wait_s", "work_s", "within"),
    [
        ("partner", 0.5, 0.0, 0.02),
        ("submit_order", 0.02, 0.015, 0.35),
        ("authorize", 0.8, 0.015, 0.05),
    ],
)
def test_the_record_gives_back_what_the_handlers_were_made_to_do(
    handler: str, wait_s: float, work_s: float, within: float
) -> None:
    """Waiting and work are known here: the fit through measured times must find them."""
    one = tuned(handler)
    assert one.curve.wait_s == pytest.approx(wait_s, rel=within)
    assert one.curve.work_s == pytest.approx(work_s, abs=0.005)


@pytest.mark.parametrize("handler", ["primes", "archive"])
def test_a_held_handler_computes_for_its_share_of_the_time(handler: str) -> None:
    """What the quota promises: processor time over duration is memory over 1,769 MB."""
    for one in record("power_tuning")["handlers"][handler]["at"]:
        if one["memory_mb"] < FULL_MB:
            share = one["cpu_ms"] / one["median_ms"]
            assert share == pytest.approx(one["memory_mb"] / FULL_MB, rel=0.1)


def test_a_handler_with_much_data_needs_more_processor_time_on_a_small_share() -> None:
    """It loses its caches while it stands still, so more memory is faster than in proportion."""
    at = {one["memory_mb"]: one for one in record("power_tuning")["handlers"]["primes"]["at"]}
    assert at[128]["cpu_ms"] > 1.2 * at[1769]["cpu_ms"]
    assert at[128]["median_ms"] / at[1769]["median_ms"] > 1769 / 128
    assert at[3538]["median_ms"] == pytest.approx(at[1769]["median_ms"], rel=0.05), "one thread"


def test_two_threads_use_the_second_processor() -> None:
    one = tuned("archive")
    at = dict(zip(one.memory_mb, one.time_s, strict=True))
    assert one.curve.parallel > 0.8
    assert at[1769] / at[3538] > 1.5


@pytest.mark.parametrize(
    "call",
    [
        lambda: fit([128, 256], [1.0]),
        lambda: fit([1769, 3008], [1.0, 1.0]),
        lambda: fit([128, 256], [1.0, -1.0]),
        lambda: amdahl(1, 1.5, 2),
        lambda: amdahl(1, 0.5, 0),
        lambda: Curve(0, 1).time_s(math.nan),
    ],
)
def test_nonsense_is_refused(call: object) -> None:
    with pytest.raises(ValueError, match="must"):
        call()  # type: ignore[operator]
