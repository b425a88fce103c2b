"""What a simulation lets you say: intervals, warm-up, batches, quantiles, paired differences.

All of it with the standard library, so that it also runs in a browser.

Source: A. Law, Simulation Modeling and Analysis (5th ed.), chapter 9; K. White, M. Cobb and
S. Spratt, A comparison of five steady-state truncation heuristics (2000), for MSER-5;
C. Clopper and E. Pearson (1934) for shares.

May import: the standard library, `simulations._check` and `simulations.theory.special`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, NamedTuple

from simulations._check import between, finite, not_negative, positive, whole
from simulations.theory.special import beta_share

Verdict = Literal["pass", "inconclusive", "fail"]


class Interval(NamedTuple):
    """An estimate and the interval that covers the truth with the stated confidence."""

    mean: float
    low: float
    high: float

    def within(self, target: float, margin: float, *, relative: bool = True) -> Verdict:
        """Say whether the truth lies within `margin` of `target`.

        "pass" if the whole interval lies inside, "fail" if all of it lies outside, else
        "inconclusive": too few data to tell, which is never a pass.

        Parameters
        ----------
        target : float
            The value to hold the interval against.
        margin : float
            Allowed distance, as a share of the target, or in its unit with `relative=False`.

        >>> Interval(0.4, 0.396, 0.404).within(0.4, 0.02)
        'pass'
        >>> Interval(0.4, 0.37, 0.43).within(0.4, 0.02)
        'inconclusive'
        >>> Interval(0.5, 0.48, 0.52).within(0.4, 0.02)
        'fail'
        """
        finite("target", target)
        positive("margin", margin)
        if relative and target == 0:
            raise ValueError("target=0 is not possible with a relative margin: use relative=False")
        reach = margin * abs(target) if relative else margin
        if self.low > target + reach or self.high < target - reach:
            return "fail"
        if target - reach <= self.low and self.high <= target + reach:
            return "pass"
        return "inconclusive"

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2


def _numbers(name: str, values: Sequence[float], at_least: int) -> list[float]:
    numbers = list(values)
    try:
        clean = math.isfinite(math.fsum(numbers))
    except (TypeError, ValueError, OverflowError):
        clean = False
    if not clean:  # one by one, so that the refusal names the place
        numbers = [finite(f"{name}[{k}]", v) for k, v in enumerate(numbers)]
    if len(numbers) < at_least:
        raise ValueError(f"{name} has {len(numbers)} values: at least {at_least} are needed")
    return numbers


def _level(level: float) -> float:
    if not 0 < between("level", level, 0, 1) < 1:
        raise ValueError(f"level={level!r} is not possible: level must lie between 0 and 1")
    return level


def mean(values: Sequence[float]) -> float:
    """Return the mean, summed without rounding.

    >>> mean([1, 2, 4.5])
    2.5
    """
    return math.fsum(_numbers("values", values, 1)) / len(values)


def variance(values: Sequence[float]) -> float:
    """Return the sample variance (divisor n - 1).

    >>> variance([1, 2, 3])
    1.0
    """
    middle = mean(values)
    squares = math.fsum((v - middle) ** 2 for v in _numbers("values", values, 2))
    return squares / (len(values) - 1)


@lru_cache(maxsize=4096)
def student_t(p: float, degrees: float) -> float:
    """Return the p-quantile of Student's t with that many degrees of freedom.

    Newton's method on the exact distribution (incomplete beta), kept inside a bracket.

    >>> round(student_t(0.975, 9), 10), round(student_t(0.975, 1), 10)
    (2.2621571628, 12.7062047362)
    """
    if not 0 < between("p", p, 0, 1) < 1:
        raise ValueError(f"p={p!r} is not possible: p must lie between 0 and 1")
    n = positive("degrees", degrees)
    if p < 0.5:
        return -student_t(1 - p, degrees)
    if p == 0.5:
        return 0.0
    tail = 1 - p
    low, high = 0.0, 2.0
    while _t_tail(high, n) > tail:
        low, high = high, high * 4
    t = min(max(NormalDist().inv_cdf(p), low), high) if n > 3 else (low + high) / 2
    for _ in range(200):
        above = _t_tail(t, n) - tail
        if above > 0:
            low = t
        else:
            high = t
        after = t + above / _t_density(t, n)
        if not low < after < high:
            after = (low + high) / 2
        if abs(after - t) <= 1e-14 * t:
            return after
        t = after
    return t


def _t_tail(t: float, n: float) -> float:
    if t * t < n:
        # Near the middle the complement keeps its digits.
        return 0.5 - 0.5 * beta_share(0.5, n / 2, t * t / (n + t * t))
    return 0.5 * beta_share(n / 2, 0.5, n / (n + t * t))


def _t_density(t: float, n: float) -> float:
    log_front = math.lgamma((n + 1) / 2) - math.lgamma(n / 2) - 0.5 * math.log(n * math.pi)
    return math.exp(log_front - (n + 1) / 2 * math.log1p(t * t / n))


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean of independent values (replications) with its Student-t interval.

    Raises
    ------
    ValueError
        For fewer than two values: one run has no interval.

    >>> interval = mean_interval([9.1, 8.7, 9.4, 9.0, 8.8])
    >>> [round(v, 3) for v in interval]
    [9.0, 8.66, 9.34]
    """
    middle, spread = mean(values), math.sqrt(variance(values) / len(values))
    reach = student_t(0.5 + _level(level) / 2, len(values) - 1) * spread
    return Interval(middle, middle - reach, middle + reach)


def share_interval(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Return a share with its exact binomial interval (Clopper and Pearson).

    Never too short; holds for no success at all and for nothing but successes.

    >>> [round(v, 6) for v in share_interval(3, 100)]
    [0.03, 0.00623, 0.085176]
    >>> [round(v, 6) for v in share_interval(0, 100)]
    [0.0, 0.0, 0.036217]
    """
    n = whole("trials", trials, low=1)
    k = whole("successes", successes)
    if k > n:
        raise ValueError(f"successes={k} is not possible: there were only trials={n}")
    alpha = (1 - _level(level)) / 2
    low = _beta_quantile(alpha, k, n - k + 1) if k else 0.0
    high = 1 - _beta_quantile(alpha, n - k, k + 1) if k < n else 1.0
    return Interval(k / n, low, high)


def _beta_quantile(p: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    # Narrow by standard deviations first, then halve to the last digit.
    centre = a / (a + b)
    sd = math.sqrt(centre * (1 - centre) / (a + b + 1))
    for distance in (4, 16):
        left, right = centre - distance * sd, centre + distance * sd
        if left > low and beta_share(a, b, left) < p:
            low = left
        if right < high and beta_share(a, b, right) > p:
            high = right
    while True:
        x = (low + high) / 2
        if x in (low, high) or high - low < 1e-15 * high:
            return x
        if beta_share(a, b, x) < p:
            low = x
        else:
            high = x


def mser5(values: Sequence[float]) -> int:
    """Return how many of the first values to drop as warm-up (MSER-5).

    The series is averaged in fives; dropped is what makes the standard error of the remaining
    mean smallest. Only the first half is searched: a result of about half the series means
    that the run was too short to tell.

    >>> from random import Random
    >>> random = Random(7)
    >>> mser5([10 * 0.9**k + random.random() for k in range(1000)])
    30
    """
    numbers = _numbers("values", values, 10)
    fives = [math.fsum(numbers[k : k + 5]) / 5 for k in range(0, len(numbers) - 4, 5)]
    n = len(fives)
    # Running sums from the end, about the last value so that nothing cancels.
    offset = fives[-1]
    total = squares = 0.0
    errors = [math.inf] * n
    for d in range(n - 1, -1, -1):
        value = fives[d] - offset
        total += value
        squares += value * value
        kept = n - d
        errors[d] = max(squares - total * total / kept, 0.0) / (kept * kept)
    best = min(range(n // 2 + 1), key=errors.__getitem__)
    return 5 * best


def batch_means(values: Sequence[float], batches: int = 30) -> list[float]:
    """Return the means of equal batches of one long, correlated series, in order.

    Batches much longer than the correlation are nearly independent; `mean_interval` of them is
    then an interval for the steady state. What does not fill the batches is left out at the
    start, where any rest of the warm-up would be.

    >>> batch_means([5, 1, 2, 3, 4, 5, 6], batches=3)
    [1.5, 3.5, 5.5]
    """
    count = whole("batches", batches, low=2)
    size = len(values) // count
    if size < 1:
        raise ValueError(f"batches={batches!r} is not possible: there are {len(values)} values")
    start = len(values) - size * count
    return [
        math.fsum(values[k : k + size]) / size for k in range(start, start + size * count, size)
    ]


def quantile(values: Sequence[float], p: float) -> float:
    """Return the smallest value that at least the share `p` of the values does not exceed.

    >>> quantile([3, 1, 2, 4], 0.5), quantile(range(1, 101), 0.99)
    (2, 99)
    """
    return _ordered_quantile(sorted(_numbers("values", values, 1)), p)


def _ordered_quantile(ordered: list[float], p: float) -> float:
    between("p", p, 0, 1)
    # The tolerance keeps 0.99 * 100 = 99.00000000000001 from becoming 100.
    return ordered[max(math.ceil(p * len(ordered) * (1 - 1e-12)), 1) - 1]


def quantile_interval(values: Sequence[float], p: float, level: float = 0.95) -> Interval:
    """Return a quantile of independent values between two order statistics.

    Exact for any distribution: how many values lie below the true quantile is binomial.

    Raises
    ------
    ValueError
        If there are too few values for this quantile and level; the message says how many
        are needed.

    >>> [round(v) for v in quantile_interval(range(1, 1001), 0.99)]
    [990, 983, 997]
    """
    if not 0 < between("p", p, 0, 1) < 1:
        raise ValueError(f"p={p!r} is not possible: p must lie between 0 and 1")
    ordered = sorted(_numbers("values", values, 1))
    n, alpha = len(ordered), (1 - _level(level)) / 2
    needed = math.ceil(math.log(alpha) / math.log(max(p, 1 - p)))
    if n < needed:
        raise ValueError(
            f"values has {n} entries: the {p:g} quantile at level {level:g} needs {needed} or more"
        )

    def below(k: int) -> float:
        """Return P(fewer than k of n values lie below the quantile)."""
        return 1.0 if k > n else 1 - beta_share(k, n - k + 1, p)

    # Largest r with P(count < r) <= alpha; smallest s with P(count >= s) <= alpha.
    low = _first(lambda r: below(r + 1) > alpha, 1, n)
    high = _first(lambda s: 1 - below(s) <= alpha, low + 1, n)
    return Interval(_ordered_quantile(ordered, p), ordered[low - 1], ordered[high - 1])


def _first(true_from: Callable[[int], bool], low: int, high: int) -> int:
    while low < high:
        middle = (low + high) // 2
        if true_from(middle):
            high = middle
        else:
            low = middle + 1
    return low


def difference(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean of `a` minus the mean of `b`, from independent runs (Welch).

    >>> [round(v, 2) for v in difference([10, 12, 11], [8, 9, 10])]
    [2.0, -0.27, 4.27]
    """
    va, vb = variance(a) / len(a), variance(b) / len(b)
    middle = mean(a) - mean(b)
    if va + vb == 0:
        return Interval(middle, middle, middle)
    degrees = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    reach = student_t(0.5 + _level(level) / 2, degrees) * math.sqrt(va + vb)
    return Interval(middle, middle - reach, middle + reach)


def _pairs(a: Sequence[float], b: Sequence[float]) -> list[float]:
    if len(a) != len(b):
        raise ValueError(f"a has {len(a)} and b has {len(b)} values: pairs need equally many")
    return [x - y for x, y in zip(a, b, strict=True)]


def paired_difference(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean of a[i] - b[i], where run i of both used the same random numbers.

    >>> [round(v, 2) for v in paired_difference([10, 12, 11], [8, 9.5, 9.5])]
    [2.0, 0.76, 3.24]
    """
    return mean_interval(_pairs(a, b), level)


def pairing_saving(a: Sequence[float], b: Sequence[float]) -> float:
    """Return how many times fewer runs pairing needs for an interval of the same length.

    Formula: (Var a + Var b) / Var(a - b); infinite if the pairs differ by a constant.

    >>> round(pairing_saving([10, 12, 11], [8, 9.5, 9.5]), 6)
    7.0
    """
    apart = variance(_pairs(a, b))
    return (variance(a) + variance(b)) / apart if apart > 0 else math.inf


def runs_needed(sd: float, half_width: float, level: float = 0.95) -> int:
    """Return the fewest replications whose t interval is expected to reach `half_width`.

    Formula: smallest n with t(n - 1) sd / sqrt(n) <= half_width; `sd` is that of one run.

    >>> runs_needed(sd=1.0, half_width=0.2)
    99
    """
    not_negative("sd", sd)
    positive("half_width", half_width)
    p = 0.5 + _level(level) / 2
    # The normal quantile gives a lower bound; Student's t adds two or three runs.
    n = max(2, math.floor((NormalDist().inv_cdf(p) * sd / half_width) ** 2))
    while student_t(p, n - 1) * sd > half_width * math.sqrt(n):
        n += 1
    return n
