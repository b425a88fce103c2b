"""Intervals cover what they claim to cover; quantiles of Student's t match published tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from random import Random
from statistics import NormalDist

import pytest

from simulations import stats
from simulations.stats import Interval
from simulations.theory.special import beta_share, gamma_share, poisson_pmf


@pytest.mark.parametrize(
    ("p", "degrees", "published"),
    [
        # Closed forms for 1 and 2 degrees of freedom; the rest from 30-digit quadrature.
        (0.975, 1, math.tan(math.pi * 0.475)),
        (0.9995, 1, math.tan(math.pi * 0.4995)),
        (0.975, 2, 0.95 * math.sqrt(2 / (1 - 0.95**2))),
        (0.6, 2, 0.2 * math.sqrt(2 / (1 - 0.2**2))),
        (0.975, 4, 2.776445105197793490),
        (0.975, 5, 2.570581835636314783),
        (0.95, 9, 1.833112932656236610),
        (0.975, 9, 2.262157162798204992),
        (0.995, 29, 2.756385903670605120),
        (0.975, 30, 2.042272456301237834),
        (0.975, 100, 1.983971518523551892),
    ],
)
def test_student_t_matches_tables(p: float, degrees: float, published: float) -> None:
    assert stats.student_t(p, degrees) == pytest.approx(published, rel=1e-13)
    assert stats.student_t(1 - p, degrees) == pytest.approx(-published, rel=1e-9)


def test_student_t_at_its_ends() -> None:
    assert stats.student_t(0.5, 3) == 0
    assert stats.student_t(0.975, 1e7) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-6)
    # Fractional degrees (Welch), and a far tail: the density integrates to what is left.
    for p, n in ((0.99, 2.5), (0.999999, 7.3)):
        t = stats.student_t(p, n)
        front = math.exp(math.lgamma((n + 1) / 2) - math.lgamma(n / 2)) / math.sqrt(n * math.pi)
        # x = t / s maps the infinite tail to 0 < s <= 1.
        steps = 20_000
        tail = math.fsum(
            front * (1 + (t / s) ** 2 / n) ** (-(n + 1) / 2) * t / s**2
            for s in ((k + 0.5) / steps for k in range(steps))
        )
        assert tail / steps == pytest.approx(1 - p, rel=1e-6)


def binomial_at_least(k: int, n: int, p: Fraction) -> float:
    total = sum((math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1)), Fraction(0))
    return float(total)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 20), (3, 100), (50, 100), (149, 150)])
def test_shares_have_the_exact_binomial_interval(k: int, n: int) -> None:
    share = stats.share_interval(k, n)
    if k == 0:
        assert share.low == 0
    else:
        assert binomial_at_least(k, n, Fraction(share.low)) == pytest.approx(0.025, rel=1e-9)
    if k == n:
        assert share.high == 1
    else:
        above = binomial_at_least(k + 1, n, Fraction(share.high))
        assert 1 - above == pytest.approx(0.025, rel=1e-9)


def test_shares_of_many_trials() -> None:
    share = stats.share_interval(1_000, 1_000_000)
    se = math.sqrt(0.001 * 0.999 / 1e6)
    assert share.low == pytest.approx(0.001 - 1.96 * se, rel=2e-3)
    assert share.high == pytest.approx(0.001 + 1.96 * se, rel=2e-3)
    none = stats.share_interval(0, 10_000_000)
    assert none.high == pytest.approx(-math.log(0.025) / 1e7, rel=1e-6)


def test_incomplete_functions_are_sums() -> None:
    for k, n, p in ((3, 10, Fraction(1, 4)), (40, 60, Fraction(2, 3)), (1, 5, Fraction(1, 100))):
        expected = binomial_at_least(k, n, p)
        assert beta_share(k, n - k + 1, float(p)) == pytest.approx(expected, rel=1e-12)
    for x in (0.1, 3.0, 30.0, 80.0):
        below = math.fsum(math.exp(-x) * x**k / math.factorial(k) for k in range(20))
        low, high = gamma_share(20, x)
        assert high == pytest.approx(below, rel=1e-11)
        assert low + high == pytest.approx(1)
    assert gamma_share(0.5, 2.0)[0] == pytest.approx(math.erf(math.sqrt(2)), rel=1e-13)
    assert poisson_pmf(0, 3) == math.exp(-3)
    assert poisson_pmf(5, 0) == 0
    assert poisson_pmf(50, 30) == pytest.approx(
        math.exp(-30 + 50 * math.log(30)) / math.factorial(50), rel=1e-12
    )


def coverage(make: Callable[[Random], Interval], truth: float, runs: int = 2_000) -> float:
    random = Random(17)
    hits = 0
    for _ in range(runs):
        interval = make(random)
        hits += interval.low <= truth <= interval.high
    return hits / runs


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    normal = NormalDist(10, 3)
    mean = coverage(
        lambda r: stats.mean_interval([normal.inv_cdf(r.random()) for _ in range(6)]), 10
    )
    assert mean == pytest.approx(0.95, abs=0.016)
    share = coverage(
        lambda r: stats.share_interval(sum(r.random() < 0.1 for _ in range(60)), 60), 0.1, 1_000
    )
    assert share > 0.94
    p90 = coverage(
        lambda r: stats.quantile_interval([r.expovariate(1) for _ in range(120)], 0.9),
        -math.log(0.1),
        1_000,
    )
    assert p90 > 0.94
    welch = coverage(
        lambda r: stats.difference(
            [r.gauss(5, 1) for _ in range(8)], [r.gauss(3, 4) for _ in range(15)]
        ),
        2,
    )
    assert welch == pytest.approx(0.95, abs=0.016)


def test_batch_means_cover_a_correlated_series() -> None:
    def one(random: Random) -> Interval:
        value, series = 0.0, []
        for _ in range(3_000):
            value = 0.8 * value + random.gauss(0, 1)
            series.append(value)
        return stats.mean_interval(stats.batch_means(series, 20))

    assert coverage(one, 0.0, 300) == pytest.approx(0.94, abs=0.04)
    # The naive interval of the same values would be three times too short.
    assert stats.batch_means([9, 1, 3, 5, 7], 2) == [2, 6]


def test_quantile_interval_bounds_are_the_tightest_exact_ones() -> None:
    n, p, alpha = 200, Fraction(9, 10), 0.025
    interval = stats.quantile_interval(range(1, n + 1), float(p))
    low, high = int(interval.low), int(interval.high)

    def fewer_than(k: int) -> float:
        return 1 - binomial_at_least(k, n, p)

    assert fewer_than(low) <= alpha < fewer_than(low + 1)
    assert 1 - fewer_than(high) <= alpha < 1 - fewer_than(high - 1)
    assert interval.mean == 180


def test_a_quantile_with_too_few_values_says_how_many_it_needs() -> None:
    with pytest.raises(ValueError, match="needs 368 or more"):
        stats.quantile_interval([1.0] * 367, 0.99)
    assert stats.quantile_interval([1.0] * 368, 0.99) == (1, 1, 1)


def test_quantiles() -> None:
    assert stats.quantile([5.0], 0.99) == 5
    assert stats.quantile(range(1, 11), 0) == 1
    assert stats.quantile(range(1, 11), 1) == 10
    assert stats.quantile(range(1, 101), 0.07) == 7  # 0.07 * 100 is 7.000000000000001


def test_warm_up_is_found_and_its_absence_too() -> None:
    random = Random(2)
    for length in (50, 200):
        series = [(3 if k < length else 0) + random.gauss(0, 1) for k in range(2_000)]
        assert length <= stats.mser5(series) <= length + 60
    level = [random.gauss(0, 1) for _ in range(2_000)]
    assert stats.mser5(level) < 300
    assert stats.mser5([1.0] * 100) == 0
    # A series that never settles points to its own half: too short.
    assert stats.mser5([float(k) for k in range(1_000)]) >= 495
    # Large offsets do not swallow the differences.
    far = [1e9 + (3 if k < 50 else 0) + random.gauss(0, 1) for k in range(2_000)]
    assert 50 <= stats.mser5(far) <= 110


def test_three_answers() -> None:
    assert Interval(1, 0.99, 1.01).within(1, 0.02) == "pass"
    assert Interval(1, 0.9, 1.01).within(1, 0.02) == "inconclusive"
    assert Interval(1, 0.9, 1.1).within(1, 0.02) == "inconclusive"
    assert Interval(2, 1.9, 2.1).within(1, 0.02) == "fail"
    assert Interval(-1, -1.01, -0.99).within(-1, 0.02) == "pass"
    assert Interval(0, -0.001, 0.001).within(0, 0.005, relative=False) == "pass"
    assert Interval(1, 0.9, 1.2).half_width == pytest.approx(0.15)


def test_pairing_uses_what_both_runs_share() -> None:
    random = Random(6)
    common = [random.gauss(0, 10) for _ in range(50)]
    a = [5 + c + random.gauss(0, 1) for c in common]
    b = [3 + c + random.gauss(0, 1) for c in common]
    paired, apart = stats.paired_difference(a, b), stats.difference(a, b)
    assert paired.mean == pytest.approx(apart.mean)
    assert paired.low < 2 < paired.high
    assert apart.half_width > 5 * paired.half_width
    saving = stats.pairing_saving(a, b)
    assert saving == pytest.approx((apart.half_width / paired.half_width) ** 2, rel=0.1)
    assert stats.pairing_saving([1, 2], [0, 1]) == math.inf


def test_runs_needed_is_the_fewest() -> None:
    for sd, half in ((1.0, 0.2), (1.0, 0.9), (3.0, 0.05)):
        n = stats.runs_needed(sd, half)
        assert stats.student_t(0.975, n - 1) * sd / math.sqrt(n) <= half
        assert n == 2 or stats.student_t(0.975, n - 2) * sd / math.sqrt(n - 1) > half
    assert stats.runs_needed(0, 1) == 2


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: stats.mean_interval([1.0]), "at least 2"),
        (lambda: stats.mean_interval([1.0, math.nan]), r"values\[1\]=nan"),
        (lambda: stats.mean_interval([1, 2], level=1), "level=1"),
        (lambda: stats.mean([]), "at least 1"),
        (lambda: stats.share_interval(3, 2), "successes=3"),
        (lambda: stats.share_interval(0, 0), "trials=0"),
        (lambda: stats.student_t(1, 5), "p=1"),
        (lambda: stats.student_t(0.9, 0), "degrees=0"),
        (lambda: stats.batch_means([1, 2], 3), "batches=3"),
        (lambda: stats.mser5([1, 2]), "at least 10"),
        (lambda: stats.quantile([1], 1.5), "p=1.5"),
        (lambda: stats.paired_difference([1, 2], [1]), "equally many"),
        (lambda: stats.runs_needed(1, 0), "half_width=0"),
        (lambda: Interval(1, 0, 2).within(0, 0.02), "target=0"),
    ],
)
def test_impossible_inputs_name_themselves(call: Callable[[], object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        call()
