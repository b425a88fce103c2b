"""A platform's day: each function is what `replay` says, and workers change nothing."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

from simulations.fleet import HybridHistogram, day, replay, shape_of_day
from simulations.fleet.days import MINUTES
from simulations.fleet.draws import exponential
from simulations.fleet.platform_day import mean_services, sample, strata
from simulations.simulation import Simulation
from simulations.workload import Distribution, Exponential, Lognormal, Uniform

Minutes = np.ndarray[Any, np.dtype[np.int64]]


def drawn(counts: Minutes, mean_s: float, seed: int) -> tuple[list[float], list[float]]:
    """Draw the first function's day as the kernel does, but in Python."""
    simulation = Simulation(seed)
    stream, services = (np.uint64(simulation._key(f"{n} 0")) for n in ("arrivals", "services"))
    arrivals, takes = [], []
    for minute in np.flatnonzero(counts):
        total, sums = 0.0, []
        for _ in range(counts[minute]):
            x, stream = exponential(np.uint64(stream))
            total += x
            sums.append(total)
        x, stream = exponential(np.uint64(stream))
        scale = 60.0 / (total + x)
        arrivals += [60.0 * minute + scale * one for one in sums]
        for _ in sums:
            x, services = exponential(np.uint64(services))
            takes.append(mean_s * x)
    return arrivals, takes


@pytest.mark.parametrize(
    ("calls", "mean_s", "keep_s"), [(300, 20.0, 300.0), (9000, 30.0, 60.0), (9000, 0.2, 4.0)]
)
def test_a_functions_day_is_what_replay_says(calls: int, mean_s: float, keep_s: float) -> None:
    counts = np.random.default_rng(3).multinomial(calls, shape_of_day())
    arrivals, takes = drawn(counts, mean_s, seed=4)
    one = replay(arrivals, takes, cold_start_s=1.5, keep_alive_s=keep_s)
    found = day([counts], service_s=mean_s, cold_start_s=1.5, keep_alive_s=keep_s, seed=4)
    assert found.invocations == calls
    assert found.cold[0] == one.environments > 3
    assert found.peak[0] == one.peak_running
    late_s = max(a + one.latency_s[k] for k, a in enumerate(arrivals))  # type: ignore[index]
    if late_s < 86400:
        assert found.busy_s[0] == pytest.approx(one.busy_s)


def test_one_environment_for_all_is_an_idle_time_against_the_keep_alive() -> None:
    counts = np.random.default_rng(3).multinomial(400, shape_of_day())
    arrivals, takes = drawn(counts, 30.0, seed=4)
    cold, idle_s, until_s = 0, 0.0, -math.inf
    for now_s, takes_s in zip(arrivals, takes, strict=True):
        if now_s >= until_s:
            cold += now_s - until_s >= 200.0
            idle_s += min(now_s - until_s, 200.0) if until_s > 0 else 0.0
        until_s = max(until_s, now_s + takes_s)
    idle_s += min(86400 - until_s, 200.0)
    found = day([counts], service_s=30.0, keep_alive_s=200.0, together=True, seed=4)
    assert found.cold[0] == cold > 10
    assert found.idle_s[0] == pytest.approx(idle_s)


@pytest.mark.parametrize("together", [False, True])
def test_rare_calls_are_cold_as_theory_says(together: bool) -> None:
    """Of n calls spread evenly, a gap above T has the chance (1 - T / day)^n; the first is cold."""
    found = day([48] * 4000, keep_alive_s=600.0, trough=1.0, together=together, seed=2)
    expected = (1 + 47 * (1 - 600 / 86400) ** 48) / 48
    assert found.cold_share == pytest.approx(expected, abs=0.005)
    assert found.cold_share_by_function == pytest.approx(found.cold_share)


@pytest.mark.parametrize(
    "kept", [Uniform(294, 347), Exponential(320.5), Lognormal(320.5, 0.3)], ids=lambda d: str(d)[:7]
)
def test_a_random_keep_alive_is_drawn_for_each_rest(kept: Distribution) -> None:
    """Cold share of rare calls: the chance that a gap outlasts the keep-alive, for each u."""
    expected = np.mean(
        [(1 - min(kept.quantile((k + 0.5) / 400), 86400) / 86400) ** 48 for k in range(400)]
    )
    expected = (1 + 47 * expected) / 48
    found = day([48] * 3000, keep_alive_s=kept, trough=1.0, seed=2)
    assert found.cold_share == pytest.approx(expected, abs=0.006)


def test_workers_and_other_functions_change_nothing() -> None:
    rates = [5, 50_000, 0, 300, 2_000_000]
    how: dict[str, Any] = {"service_s": 0.5, "keep_alive_s": Uniform(100, 300), "seed": 9}
    one, two = day(rates, workers=1, **how), day(rates, workers=3, **how)
    for name in ("calls", "cold", "peak", "busy_s", "idle_s"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()
    first = day(rates[:2], **how)
    assert first.cold.tolist() == one.cold[:2].tolist()
    assert one.invocations == sum(rates)
    assert one.calls.tolist() == rates


def test_the_histogram_learns_a_timer() -> None:
    """Every two hours: loaded just before, unloaded just after; a fixed keep-alive never helps."""
    counts = np.zeros((1, MINUTES), np.int64)
    counts[0, ::60] = 1
    fixed = day(counts, keep_alive_s=1200.0, together=True, seed=1)
    learned = day(counts, keep_alive_s=HybridHistogram(), together=True, seed=1)
    assert fixed.cold[0] == 24
    # The first, and those whose idle time lies beyond what the bins have shown so far.
    assert 1 <= learned.cold[0] <= 4
    # Five idle times are waited for, loaded for the hour; then only around the hour.
    assert learned.idle_s[0] < fixed.idle_s[0] + 5 * 3600
    wide = HybridHistogram(head=0.0, tail=1.0, margin=1.0)
    assert day(counts, keep_alive_s=wide, together=True, seed=1).cold[0] == 1


def test_a_timer_comes_once_in_so_many_minutes() -> None:
    found = day([7, 7], every_min=[0, 60], keep_alive_s=3700.0, together=True, seed=1)
    assert found.calls.tolist() == [7, 24]
    assert found.cold.tolist()[1] == 1


def test_what_says_little_is_kept_for_the_whole_range() -> None:
    """Idle times beyond the range, or too few of them: loaded for the range, never unloaded."""
    counts = np.zeros((2, MINUTES), np.int64)
    counts[0, ::300] = 1  # every five hours
    counts[1, [0, 100, 150]] = 1
    found = day(counts, keep_alive_s=HybridHistogram(), together=True, seed=1)
    assert found.cold.tolist() == [5, 1]
    assert found.idle_s[0] == pytest.approx(5 * 4 * 3600, rel=0.01)


def test_memory_does_not_grow_with_the_calls() -> None:
    def most(calls: int) -> int:
        tracemalloc.start()
        day([calls], service_s=0.1, keep_alive_s=60.0, seed=1, workers=1)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    most(1000)
    assert most(3_000_000) < most(100_000) + 400_000  # one minute's arrivals: 8 bytes each


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rates": [1, -1]}, r"rates\[1\]=-1.0 is not possible"),
        ({"rates": [1.5]}, r"rates\[0\]=1.5 is not possible: rates must be whole"),
        ({"rates": [math.nan]}, r"rates\[0\]=nan is not possible"),
        ({"rates": [[1, 2]]}, "rates has 2 columns: a row must have one of 1440 minutes"),
        ({"rates": 3}, "rates has 0 dimensions"),
        ({"service_s": [1.0, 2.0, 3.0]}, "service_s has 3 values for 2"),
        ({"keep_alive_s": -1}, "keep_alive_s=-1 is not possible"),
        (
            {"keep_alive_s": HybridHistogram()},
            "HybridHistogram is not possible with together=False",
        ),
        ({"every_min": [1]}, "every_min has 1 values for 2 functions"),
        ({"every_min": [0, 2.5]}, r"every_min\[1\]=2.5 is not possible"),
        ({"trough": 1.5}, "trough=1.5 is not possible"),
        ({"service": "gamma"}, "service='gamma' is none of"),
        ({"workers": 0}, "workers=0 is not possible"),
        ({"cold_start_s": math.inf}, "cold_start_s=inf is not possible"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {"rates": [1, 2], "keep_alive_s": 600.0, "seed": 1}
    with pytest.raises(ValueError, match=words):
        day(**(good | given))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"range_s": 30.0}, "range_s=30.0 is not possible"),
        ({"tail": 0.01}, "tail=0.01 is not possible: it must be at least head"),
        ({"margin": 2}, "margin=2 is not possible"),
        ({"least": 0}, "least=0 is not possible"),
    ],
)
def test_a_policy_that_is_not_possible_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        HybridHistogram(**given)


def test_a_sample_stands_for_the_whole() -> None:
    """Drawn from the strata's quantiles, its weighted cold share by function is the whole's."""
    counts = np.array([round(1.2 ** (k / 40)) for k in range(3000)])
    services = mean_services(counts.size, seed=1)
    whole = day(counts, service_s=services, keep_alive_s=1200.0, together=True, seed=1)
    few = sample(strata(counts), each=20, most=20_000, seed=1)
    part = day(
        few.counts, service_s=mean_services(few.counts.size, 1), keep_alive_s=1200.0,
        together=True, seed=1,
    )  # fmt: skip
    estimate = (few.weight * part.cold_shares).sum() / few.weight.sum()
    assert estimate == pytest.approx(whole.cold_share_by_function, abs=0.03)
    assert few.weight.sum() == pytest.approx(counts.size)
