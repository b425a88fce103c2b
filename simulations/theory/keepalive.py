"""Cold starts: how often no idle execution environment is left when a request comes.

An environment that finished a request lives on for the keep-alive T and starts again with
every use. T is a number of seconds, or a distribution (anything with a `quantile(u)`) from
which each idle period draws anew.

Source: for the reset-timer cache, J. Jung et al., Modeling TTL-based Internet caches (2003);
for the overflow, Erlang B with servers hunted in order (R. Cooper, Introduction to Queueing
Theory, 1981). The decay by halves: M. Copik et al., SeBS (2021).

May import: the standard library, `simulations._check`, the rest of `simulations.theory`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Protocol

from simulations._check import between, not_negative, positive, whole
from simulations.theory.special import gamma_share


class HasQuantile(Protocol):
    """A random time, such as the distributions of `simulations.workload`."""

    def quantile(self, u: float) -> float:
        """Return the value that the share `u` does not exceed."""
        ...


KeepAlive = float | HasQuantile


@lru_cache(maxsize=1)
def _gauss_points() -> tuple[tuple[float, float], ...]:
    """Return 16 Gauss-Legendre points and weights on 0 ... 1, by Newton's method."""
    n = 16
    points = []
    for i in range(1, n + 1):
        x = math.cos(math.pi * (i - 0.25) / (n + 0.5))
        for _ in range(8):
            p, before = x, 1.0
            for k in range(2, n + 1):
                p, before = ((2 * k - 1) * x * p - (k - 1) * before) / k, p
            slope = n * (x * p - before) / (x * x - 1)
            x -= p / slope
        points.append(((1 - x) / 2, 1 / ((1 - x * x) * slope * slope)))
    return tuple(points)


def lifetimes_of(keep_alive_s: KeepAlive) -> list[tuple[float, float]]:
    """Return lifetimes and weights: one for a number, a quadrature of the quantiles else.

    >>> lifetimes_of(600)
    [(600, 1.0)]
    """
    if isinstance(keep_alive_s, (int, float)):
        return [(not_negative("keep_alive_s", keep_alive_s), 1.0)]
    if not hasattr(keep_alive_s, "quantile"):
        raise ValueError(
            f"keep_alive_s={keep_alive_s!r} is not possible: it must be a number of seconds "
            "or a distribution with a quantile function"
        )
    # Panels that halve toward both ends: short lifetimes decide when requests are frequent,
    # and at u = 1 a quantile may run to infinity.
    halves = [2.0**-k for k in range(16, 1, -1)]
    edges = [0.0, *halves, 0.5, *(1 - h for h in reversed(halves)), 1.0]
    return [
        (keep_alive_s.quantile(low + (high - low) * x), (high - low) * w)
        for low, high in itertools.pairwise(edges)
        for x, w in _gauss_points()
    ]


def _hunted(offered_load: float) -> Iterator[tuple[int, float]]:
    """Yield k and the share of requests that environment k serves, hunted in order from 0.

    f_k = B_k - B_{k+1}: what overflows k environments less what overflows k + 1.
    """
    b, k = 1.0, 0
    while b > 1e-18:
        k += 1
        after = offered_load * b / (k + offered_load * b)
        yield k - 1, b - after
        b = after


def cold_probability(rate_per_s: float, keep_alive_s: KeepAlive, duration_s: float = 0.0) -> float:
    """Return the share of Poisson requests that start cold.

    Formula: P = sum over k of f_k exp(-lambda f_k T), f_k = B_k - B_{k+1}, B_k = Erlang B
    with k servers at the offered load lambda S. Without duration only k = 0 remains:
    P = exp(-lambda T).

    Assumptions: no concurrency limit; the idle environment used most recently serves next;
    each environment sees Poisson overflow, which is exact for the first and an approximation
    for the others: simulations agree within about 15 % over five decades of rate.

    Cost: one step an environment, about lambda S plus a few standard deviations.

    Parameters
    ----------
    rate_per_s : float
        Requests per second.
    keep_alive_s : float or distribution
        Seconds an idle environment lives on; a distribution is drawn anew for each idle period.
    duration_s : float
        Mean seconds an environment is busy with a request.

    >>> round(cold_probability(1 / 3600, 600), 8)
    0.84648172
    >>> round(cold_probability(200 / 3600, 600, duration_s=0.1), 7)
    0.0046005
    >>> from simulations.workload import Uniform
    >>> round(cold_probability(1 / 600, Uniform(294, 347)), 4)
    0.5863
    """
    positive("rate_per_s", rate_per_s)
    not_negative("duration_s", duration_s)
    lifetimes = lifetimes_of(keep_alive_s)
    shares = (
        share * math.fsum(w * math.exp(-rate_per_s * share * t) for t, w in lifetimes)
        for _, share in _hunted(rate_per_s * duration_s)
    )
    return min(math.fsum(shares), 1.0)


def mean_environments(rate_per_s: float, keep_alive_s: KeepAlive, duration_s: float = 0.0) -> float:
    """Return the mean number of environments alive, busy and idle together.

    Environment k serves lambda f_k requests a second (see `cold_probability`); between two of
    them it is busy for S, then idle for a gap of mean 1 / (lambda f_k) - S, of which it lives
    through E[min(gap, T)]. Same assumptions; here the gaps are taken as exponential.

    >>> round(mean_environments(1 / 600, 600), 8)
    0.63212056
    """
    positive("rate_per_s", rate_per_s)
    not_negative("duration_s", duration_s)
    lifetimes = lifetimes_of(keep_alive_s)

    def alive(share: float) -> float:
        served = rate_per_s * share
        gap = max(1 / served - duration_s, 0.0) if served > 1e-300 else math.inf
        if gap in (0.0, math.inf):
            return served * duration_s
        idle = gap * math.fsum(-w * math.expm1(-t / gap) for t, w in lifetimes)
        return served * (duration_s + idle)

    return math.fsum(alive(share) for _, share in _hunted(rate_per_s * duration_s))


def idle_s_per_request(rate_per_s: float, keep_alive_s: KeepAlive) -> float:
    """Return the idle seconds that keeping one environment costs the provider, per request.

    Formula: E[min(gap, T)] = (1 - exp(-lambda T)) / lambda; requests of negligible duration.

    >>> round(idle_s_per_request(1 / 600, 600), 5)
    379.27234
    """
    positive("rate_per_s", rate_per_s)
    lifetimes = lifetimes_of(keep_alive_s)
    return math.fsum(-w * math.expm1(-rate_per_s * t) for t, w in lifetimes) / rate_per_s


def warm_share_of_time(rate_per_s: float, keep_alive_s: KeepAlive) -> float:
    """Return the share of time that one environment is kept warm (requests of no duration).

    >>> round(warm_share_of_time(1 / 600, 600), 8)
    0.63212056
    """
    return rate_per_s * idle_s_per_request(rate_per_s, keep_alive_s)


def ttl_hit_share(rate_per_s: float, ttl_s: float, reset_on_use: bool) -> float:
    """Return the hit share of a cache entry under Poisson requests.

    Formula: 1 - exp(-lambda T) if every use resets the timer (keep-alive), else
    lambda T / (1 + lambda T) (DNS, configuration caches).

    >>> ttl_hit_share(0.01, 100, reset_on_use=False)
    0.5
    >>> round(ttl_hit_share(0.01, 100, reset_on_use=True), 8)
    0.63212056
    """
    x = positive("rate_per_s", rate_per_s) * not_negative("ttl_s", ttl_s)
    return -math.expm1(-x) if reset_on_use else x / (1 + x)


def cold_probability_renewal(survival: Callable[[float], float], keep_alive_s: KeepAlive) -> float:
    """Return the cold share of one environment for gaps of any distribution (short requests).

    Formula: P(cold) = P(gap > T); `survival(t)` is the chance that a gap exceeds t seconds.

    >>> round(cold_probability_renewal(lambda t: gamma_gap_survival(t, 600, cv=2), 600), 8)
    0.25632206
    """
    return math.fsum(w * survival(t) for t, w in lifetimes_of(keep_alive_s))


def constant_gap_survival(t_s: float, mean_s: float) -> float:
    """Return P(gap > t) for a schedule: 1 before `mean_s`, then 0.

    >>> [constant_gap_survival(600, mean) for mean in (599, 601)]
    [0.0, 1.0]
    """
    return 1.0 if not_negative("t_s", t_s) < positive("mean_s", mean_s) else 0.0


def exponential_gap_survival(t_s: float, mean_s: float) -> float:
    """Return P(gap > t) = exp(-t / mean), for Poisson requests.

    >>> round(exponential_gap_survival(600, 600), 8)
    0.36787944
    """
    return math.exp(-not_negative("t_s", t_s) / positive("mean_s", mean_s))


def gamma_gap_survival(t_s: float, mean_s: float, cv: float) -> float:
    """Return P(gap > t) for gamma gaps: shape 1 / cv^2, scale mean cv^2.

    >>> round(gamma_gap_survival(600, 600, cv=2), 8)
    0.25632206
    """
    shape = 1 / positive("cv", cv) ** 2
    return gamma_share(shape, not_negative("t_s", t_s) * shape / positive("mean_s", mean_s))[1]


def lognormal_gap_survival(t_s: float, mean_s: float, cv: float) -> float:
    """Return P(gap > t) for lognormal gaps of that mean and cv.

    >>> round(lognormal_gap_survival(600, 600, cv=2), 8)
    0.26293662
    """
    if not_negative("t_s", t_s) == 0:
        return 1.0
    variance = math.log1p(positive("cv", cv) ** 2)
    z = (math.log(t_s / positive("mean_s", mean_s)) + variance / 2) / math.sqrt(variance)
    return 0.5 * math.erfc(z / math.sqrt(2))


def hyperexponential_gap_survival(
    t_s: float, shares: tuple[float, ...], means_s: tuple[float, ...]
) -> float:
    """Return P(gap > t) for a mix of exponential gaps: busy spells and pauses.

    >>> round(hyperexponential_gap_survival(600, (0.9, 0.1), (200, 4200)), 8)
    0.13149615
    """
    if len(shares) != len(means_s) or abs(math.fsum(shares) - 1) > 1e-9:
        raise ValueError(
            f"shares={shares!r} is not possible: one share for each of means_s, adding up to 1"
        )
    not_negative("t_s", t_s)
    return math.fsum(
        between("shares", p, 0, 1) * math.exp(-t_s / positive("means_s", m))
        for p, m in zip(shares, means_s, strict=True)
    )


def halved_environments(environments: int, idle_s: float, period_s: float) -> float:
    """Return the expected survivors of a burst when the provider halves the idle every period.

    Formula: D 2^-floor(t / period). SeBS measured a period of 380 s on AWS in 2020; AWS has
    changed since.

    >>> [halved_environments(20, t, period_s=380) for t in (300, 400, 800, 1200)]
    [20.0, 10.0, 5.0, 2.5]
    """
    whole("environments", environments)
    periods = not_negative("idle_s", idle_s) // positive("period_s", period_s)
    return math.ldexp(environments, -int(periods))
