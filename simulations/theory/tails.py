"""Tails: what fan-out does to rare delays, what hedging does about them, and fitted shapes.

Source: J. Dean and L. Barroso, The tail at scale, CACM 56 (2013); the fits are named where
they are used.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

from simulations._check import between, not_negative, positive, whole

_UNIT_NORMAL = NormalDist()


def fanout_slow(p_slow: float, calls: int) -> float:
    """Return the share of requests that meet at least one slow call among `calls` in parallel.

    Formula: 1 - (1 - p)^n, calls independent.

    >>> round(fanout_slow(0.01, 100), 8), round(fanout_slow(0.0001, 2000), 8)
    (0.63396766, 0.18127743)
    """
    between("p_slow", p_slow, 0, 1)
    n = whole("calls", calls)
    if p_slow == 1:
        return 1.0 if n else 0.0
    return -math.expm1(n * math.log1p(-p_slow))


def hedged_tail(survival: Callable[[float], float], at_s: float, hedge_at_s: float) -> float:
    """Return the chance that a hedged call takes longer than `at_s`.

    A second, independent call starts after `hedge_at_s`; the first answer wins. Formula:
    P(T > t) P(T > t - h) for t > h, at most (1 - q) P(T > t - h) where h is the q-quantile.

    >>> survival = lambda t: math.exp(-t)
    >>> round(hedged_tail(survival, at_s=4, hedge_at_s=-math.log(0.05)), 6)
    0.006709
    """
    not_negative("at_s", at_s)
    not_negative("hedge_at_s", hedge_at_s)
    second = survival(at_s - hedge_at_s) if at_s > hedge_at_s else 1.0
    return survival(at_s) * second


def hedge_extra_load(q: float) -> float:
    """Return the share of calls sent twice when the hedge waits for the q-quantile: 1 - q.

    >>> round(hedge_extra_load(0.95), 12)
    0.05
    """
    return 1 - between("q", q, 0, 1)


class LognormalShape(NamedTuple):
    """A lognormal by the mean and standard deviation of its logarithm."""

    mu: float
    sigma: float

    @property
    def median(self) -> float:
        """Half of all values lie below: exp(mu)."""
        return math.exp(self.mu)

    @property
    def mean(self) -> float:
        """Return exp(mu + sigma^2 / 2)."""
        return math.exp(self.mu + self.sigma**2 / 2)

    def share_below(self, value: float) -> float:
        """Return the share of values at most `value`.

        >>> azure_2019 = LognormalShape(mu=-0.38, sigma=2.36)
        >>> round(azure_2019.share_below(0.1), 6), round(azure_2019.share_below(1), 8)
        (0.207635, 0.56395997)
        """
        if not_negative("value", value) == 0:
            return 0.0
        z = (math.log(value) - self.mu) / self.sigma
        return 0.5 * math.erfc(-z / math.sqrt(2))

    def quantile(self, u: float) -> float:
        """Return the value not exceeded by the share `u`, 0 < u < 1."""
        _inside(u)
        return math.exp(self.mu + self.sigma * _UNIT_NORMAL.inv_cdf(u))


def _inside(u: float) -> float:
    if not 0 < u < 1:
        raise ValueError(f"u={u!r} is not possible: u must be above 0 and below 1")
    return u


def lognormal_from_moments(mean: float, sd: float) -> LognormalShape:
    """Return the lognormal of that mean and standard deviation.

    Formula: sigma^2 = ln(1 + (sd / mean)^2), mu = ln(mean) - sigma^2 / 2.

    >>> cold_huawei_2025 = lognormal_from_moments(mean=3.24, sd=7.10)
    >>> round(cold_huawei_2025.mu, 8), round(cold_huawei_2025.sigma, 7)
    (0.29646768, 1.3259756)
    >>> round(cold_huawei_2025.median, 7), round(cold_huawei_2025.quantile(0.99), 6)
    (1.3450991, 29.404514)
    """
    variance = math.log1p((positive("sd", sd) / positive("mean", mean)) ** 2)
    return LognormalShape(math.log(mean) - variance / 2, math.sqrt(variance))


class WeibullShape(NamedTuple):
    """A Weibull distribution; below shape 1 it has more short and more long values."""

    shape: float
    scale: float

    def share_below(self, value: float) -> float:
        """Return the share of values at most `value`: 1 - exp(-(value / scale)^shape)."""
        ratio = not_negative("value", value) / self.scale
        return -math.expm1(-(ratio**self.shape))

    def quantile(self, u: float) -> float:
        """Return the value not exceeded by the share `u`: scale (-ln(1 - u))^(1 / shape)."""
        return float(self.scale * (-math.log1p(-_inside(u))) ** (1 / self.shape))


def weibull_from_moments(mean: float, sd: float) -> WeibullShape:
    """Return the Weibull of that mean and standard deviation (bisection on the shape).

    Formula: 1 + CV^2 = Gamma(1 + 2/k) / Gamma(1 + 1/k)^2, scale = mean / Gamma(1 + 1/k).

    >>> gaps_huawei_2025 = weibull_from_moments(mean=1.25, sd=3.66)
    >>> round(gaps_huawei_2025.shape, 8), round(gaps_huawei_2025.scale, 8)
    (0.41758336, 0.42166076)
    >>> round(gaps_huawei_2025.quantile(0.5), 7)
    0.1753004
    """
    wanted = math.log1p((positive("sd", sd) / positive("mean", mean)) ** 2)

    def spread(k: float) -> float:
        return math.lgamma(1 + 2 / k) - 2 * math.lgamma(1 + 1 / k)

    low, high = 0.01, 1.0
    while spread(high) > wanted:
        high *= 2
    if spread(low) < wanted:
        raise ValueError(f"sd={sd!r} is not possible: sd / mean is beyond any Weibull of use")
    for _ in range(200):
        middle = (low + high) / 2
        if spread(middle) > wanted:
            low = middle
        else:
            high = middle
    return WeibullShape(high, mean / math.exp(math.lgamma(1 + 1 / high)))


def burr_share_below(value: float, *, c: float, k: float, scale: float) -> float:
    """Return the share of a Burr XII distribution at most `value` (inverse of `burr_quantile`).

    Formula: F = 1 - (1 + (x / scale)^c)^-k.

    >>> round(burr_share_below(139.62589, c=11.652, k=0.221, scale=107.083), 6)
    0.5
    """
    positive("c", c)
    positive("k", k)
    positive("scale", scale)
    if not_negative("value", value) == 0:
        return 0.0
    # In logarithms, because a large value to the power of c leaves the range of a float.
    power = c * math.log(value / scale)
    grown = power + math.log1p(math.exp(-power)) if power > 0 else math.log1p(math.exp(power))
    return -math.expm1(-k * grown)


def burr_quantile(u: float, *, c: float, k: float, scale: float) -> float:
    """Return the value not exceeded by the share `u` of a Burr XII distribution.

    Formula: F = 1 - (1 + (x / scale)^c)^-k. Shahrad et al. (2020) fit the memory of Azure's
    applications with c = 11.652, k = 0.221, scale = 107.083 MB.

    >>> azure_2019 = dict(c=11.652, k=0.221, scale=107.083)
    >>> [round(burr_quantile(u, **azure_2019), 5) for u in (0.1, 0.5, 0.9)]
    [102.64723, 139.62589, 261.85149]
    """
    positive("c", c)
    positive("k", k)
    positive("scale", scale)
    return float(scale * math.expm1(-math.log1p(-_inside(u)) / k) ** (1 / c))
