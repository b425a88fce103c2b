"""Workloads: counts and gaps follow the stated rates; recorded times stay as recorded.

The statistical tests use fixed seeds and the 0.1 % bound of the Kolmogorov-Smirnov distance,
1.95 / sqrt(n): a wrong rate of a few per cent or a wrong edge fails them by far.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice, pairwise, takewhile
from random import Random

import pytest

from simulations.workload import Burst, Diurnal, Load, Poisson, Recorded, Regular, Workload


def ks_distance(values: Iterable[float], cdf: Callable[[float], float]) -> float:
    ordered = sorted(values)
    n = len(ordered)
    return max(max(abs((k + 1) / n - cdf(x)), abs(k / n - cdf(x))) for k, x in enumerate(ordered))


def integral(rate: Callable[[float], float], low: float, high: float, steps: int) -> float:
    """Midpoint rule: an integral of the rate that knows nothing of how arrivals are made."""
    width = (high - low) / steps
    return math.fsum(rate(low + (k + 0.5) * width) for k in range(steps)) * width


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_poisson_gaps_are_exponential(seed: int) -> None:
    n = 20_000
    times = [0.0, *islice(Poisson(rate_per_s=7.5).arrivals(Random(seed)), n)]
    gaps = [b - a for a, b in pairwise(times)]
    assert ks_distance(gaps, lambda t: -math.expm1(-7.5 * t)) < 1.95 / math.sqrt(n)
    # Independent: one gap says nothing about the next.
    mean = math.fsum(gaps) / n
    together = math.fsum((a - mean) * (b - mean) for a, b in pairwise(gaps))
    alone = math.fsum((a - mean) ** 2 for a in gaps)
    assert abs(together / alone) < 3.3 / math.sqrt(n)


def test_poisson_counts_follow_the_poisson_law() -> None:
    seconds, rate = 20_000, 2.5
    times = takewhile(lambda t: t < seconds, Poisson(rate).arrivals(Random(5)))
    per_second = Counter(int(t) for t in times)
    counts = Counter(per_second[s] for s in range(seconds))
    chi2 = 0.0
    rest = 1.0
    for k in range(9):
        p = math.exp(-rate) * rate**k / math.factorial(k)
        rest -= p
        chi2 += (counts[k] - seconds * p) ** 2 / (seconds * p)
    more = sum(n for k, n in counts.items() if k > 8)
    chi2 += (more - seconds * rest) ** 2 / (seconds * rest)
    assert chi2 < 27.88  # 99.9 % quantile of chi-square with 9 degrees of freedom


@pytest.mark.parametrize(
    ("workload", "until_s"),
    [
        (Diurnal(mean_per_s=0.2, peak_to_mean=1.9), 2 * 86_400),
        (Diurnal(mean_per_s=3, peak_to_mean=1.0, period_s=100), 9_950),
        (Diurnal(mean_per_s=30, peak_to_mean=2.0, period_s=50), 1_010),
        (Burst(base_per_s=5, peak_per_s=200, start_s=600, duration_s=60), 1_300),
        (Burst(base_per_s=0, peak_per_s=100, start_s=10, duration_s=200), 400),
        (Burst(base_per_s=20, peak_per_s=0, start_s=100, duration_s=500), 1_500),
    ],
    ids=repr,
)
@pytest.mark.parametrize("seed", [1, 2])
def test_changing_rates_give_the_right_counts_at_the_right_times(
    workload: Diurnal | Burst, until_s: float, seed: int
) -> None:
    times = list(takewhile(lambda t: t < until_s, workload.arrivals(Random(seed))))
    assert times == sorted(times)
    expected = integral(workload.rate_at, 0, until_s, 400_000)
    assert abs(len(times) - expected) < 3.3 * math.sqrt(expected)
    # Where within the run they fall: the share of arrivals before t is the share of the integral.
    steps = 20_000
    shares = [0.0]
    for k in range(steps):
        shares.append(shares[-1] + workload.rate_at((k + 0.5) * until_s / steps))

    def cdf(t: float) -> float:
        place = t / until_s * steps
        k = min(int(place), steps - 1)
        return (shares[k] + (place - k) * (shares[k + 1] - shares[k])) / shares[-1]

    assert ks_distance(times, cdf) < 1.95 / math.sqrt(len(times)) + 1e-4


def test_a_burst_alone_ends_and_a_lull_is_empty() -> None:
    alone = list(Burst(0, 50, start_s=3, duration_s=2).arrivals(Random(4)))
    assert alone
    assert 3 <= alone[0] <= alone[-1] <= 5
    lull = takewhile(lambda t: t < 30, Burst(50, 0, start_s=3, duration_s=2).arrivals(Random(4)))
    assert not [t for t in lull if 3 < t < 5]


def test_the_mean_of_a_day_is_the_mean() -> None:
    day = Diurnal(mean_per_s=4, peak_to_mean=1.7)
    assert integral(day.rate_at, 0, 86_400, 1000) == pytest.approx(4 * 86_400)
    assert max(day.rate_at(60 * k) for k in range(1441)) == pytest.approx(4 * 1.7)


def test_a_schedule_does_not_drift() -> None:
    tenth = Regular(interval_s=0.1)
    times = list(islice(tenth.arrivals(Random(0)), 1_000_001))
    assert times[0] == 0
    assert times[-1] == 100_000
    assert tenth.rate_at(0) == 10


def test_recorded_times_come_back_as_they_were() -> None:
    assert list(Recorded([0, 2, 2, 7.5]).arrivals(Random(0))) == [0, 2, 2, 7.5]
    assert list(Recorded([]).arrivals(Random(0))) == []
    assert Recorded.from_log([]) == Recorded(())
    source = [3.0, 4.0]
    kept = Recorded(source)
    source[0] = 9.0
    assert kept.times_s == (3.0, 4.0)


@pytest.mark.parametrize("workload", [Poisson(3), Diurnal(3, 1.5, 60), Burst(1, 9, 5, 5)], ids=repr)
def test_the_same_seed_gives_the_same_arrivals(workload: Workload) -> None:
    first, again, other = (list(islice(workload.arrivals(Random(s)), 200)) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_two_iterators_of_one_workload_do_not_share_state() -> None:
    workload = Burst(1, 9, 5, 5)
    one, two = workload.arrivals(Random(1)), workload.arrivals(Random(1))
    assert [next(one) for _ in range(50)] == [next(two) for _ in range(50)]


def test_a_workload_points_at_its_target() -> None:
    target = object()
    load = Poisson(2) >> target
    assert load == Load(Poisson(2), target)
    assert load.target is target


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Poisson(0), "rate_per_s=0"),
        (lambda: Poisson(math.nan), "rate_per_s=nan"),
        (lambda: Regular(-1), "interval_s=-1"),
        (lambda: Diurnal(0, 1.5), "mean_per_s=0"),
        (lambda: Diurnal(1, 2.1), "peak_to_mean=2.1 .* between 1 and 2"),
        (lambda: Diurnal(1, 0.9), "peak_to_mean=0.9"),
        (lambda: Diurnal(1, 1.5, 0), "period_s=0"),
        (lambda: Burst(-1, 2, 0, 1), "base_per_s=-1"),
        (lambda: Burst(1, -2, 0, 1), "peak_per_s=-2"),
        (lambda: Burst(1, 2, -1, 1), "start_s=-1"),
        (lambda: Burst(1, 2, 0, 0), "duration_s=0"),
        (lambda: Burst(0, 0, 0, 1), "nothing arrives"),
        (lambda: Recorded((-1, 2)), r"times_s\[0\]=-1"),
        (lambda: Recorded((1, 3, 2)), r"times_s\[2\]=2.0 .* nondecreasing"),
        (lambda: Recorded((1, math.inf)), r"times_s\[1\]=inf"),
    ],
)
def test_impossible_workloads_name_what_is_wrong(make: Callable[[], object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        make()
