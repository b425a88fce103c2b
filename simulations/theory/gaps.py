"""Cold starts of one environment whose callers keep different times: a schedule, users, another.

Each caller alone is a renewal process with gaps of its own; together they are none, and their
mean rate says little. Exact for short requests that never overlap.

Source: superposition of independent stationary renewal processes, seen from the requests of one
of them (D. Cox, Renewal Theory, 1962, chapter 6); `mixed_cold_probability` derives it.

May import: the standard library, `simulations._check`, the rest of `simulations.theory`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from simulations._check import not_negative, positive
from simulations.theory.keepalive import (
    KeepAlive,
    constant_gap_survival,
    exponential_gap_survival,
    gamma_gap_survival,
    lifetimes_of,
    lognormal_gap_survival,
)
from simulations.theory.special import gamma_share


class Gaps(NamedTuple):
    """The gaps between one caller's requests."""

    mean_s: float
    survival: Callable[[float], float]
    """P(gap > t)."""
    lived_s: Callable[[float], float]
    """E[min(gap, t)], the seconds of a gap that an environment lives through."""


def constant_gaps(mean_s: float) -> Gaps:
    """Return the gaps of a schedule, at a phase that has nothing to do with the others.

    >>> every_minute = constant_gaps(60)
    >>> every_minute.survival(59), every_minute.lived_s(300)
    (1.0, 60)
    """
    positive("mean_s", mean_s)
    return Gaps(mean_s, partial(constant_gap_survival, mean_s=mean_s), lambda t_s: min(t_s, mean_s))


def exponential_gaps(mean_s: float) -> Gaps:
    """Return the gaps of many independent users (Poisson).

    >>> round(exponential_gaps(600).lived_s(600), 5)
    379.27234
    """
    positive("mean_s", mean_s)
    return Gaps(
        mean_s,
        partial(exponential_gap_survival, mean_s=mean_s),
        lambda t_s: -mean_s * math.expm1(-t_s / mean_s),
    )


def gamma_gaps(mean_s: float, cv: float) -> Gaps:
    """Return gamma gaps; bursts where `cv` is above 1.

    >>> round(gamma_gaps(600, cv=2).lived_s(600), 3)
    235.463
    """
    survival = partial(gamma_gap_survival, mean_s=positive("mean_s", mean_s), cv=cv)
    shape = 1 / positive("cv", cv) ** 2

    def lived_s(t_s: float) -> float:
        return t_s * survival(t_s) + mean_s * gamma_share(shape + 1, t_s * shape / mean_s)[0]

    return Gaps(mean_s, survival, lived_s)


def lognormal_gaps(mean_s: float, cv: float) -> Gaps:
    """Return lognormal gaps.

    >>> round(lognormal_gaps(600, cv=2).lived_s(600), 3)
    315.524
    """
    survival = partial(lognormal_gap_survival, mean_s=positive("mean_s", mean_s), cv=cv)
    variance = math.log1p(positive("cv", cv) ** 2)

    def lived_s(t_s: float) -> float:
        if t_s == 0:
            return 0.0
        # E[gap; gap <= t] is the mean times the share of a lognormal shifted by its variance.
        z = (math.log(t_s / mean_s) - variance / 2) / math.sqrt(variance)
        return t_s * survival(t_s) + mean_s * 0.5 * math.erfc(-z / math.sqrt(2))

    return Gaps(mean_s, survival, lived_s)


def mixed_cold_probability(callers: Sequence[Gaps], keep_alive_s: KeepAlive) -> float:
    """Return the cold share of one environment that several independent callers use.

    Formula: P = sum over callers i of (rate_i / rate) P(gap_i > T) times, for each other caller
    j, P(its last request is longer ago than T) = 1 - E[min(gap_j, T)] / E[gap_j]. One caller
    alone gives P(gap > T); Poisson callers together are Poisson.

    A schedule of 300 s beside users every 600 s on average, kept for 320 s, keeps it warm for
    all; at 400 s it does not, but the users find it warm more often than the schedule does:

    >>> users = exponential_gaps(600)
    >>> [round(mixed_cold_probability([constant_gaps(d), users], 320), 4) for d in (300, 400)]
    [0.0, 0.3989]
    >>> round(mixed_cold_probability([users, users], 300), 8) == round(math.exp(-1), 8)
    True
    """
    if not callers:
        raise ValueError("callers is empty: give the gaps of at least one caller")
    rates = [1 / positive("mean_s", one.mean_s) for one in callers]
    lifetimes = lifetimes_of(keep_alive_s)

    def cold(t_s: float) -> float:
        silent = [max(1 - one.lived_s(t_s) / one.mean_s, 0.0) for one in callers]
        return math.fsum(
            rate * one.survival(t_s) * math.prod(s for j, s in enumerate(silent) if j != i)
            for i, (rate, one) in enumerate(zip(rates, callers, strict=True))
        )

    return math.fsum(weight * cold(t_s) for t_s, weight in lifetimes) / math.fsum(rates)


def idle_s_of(gaps: Gaps, keep_alive_s: KeepAlive) -> float:
    """Return the idle seconds per request that one caller makes the provider keep: E[min(gap, T)].

    >>> round(idle_s_of(exponential_gaps(600), 600), 5), idle_s_of(constant_gaps(60), 320)
    (379.27234, 60.0)
    """
    return math.fsum(
        weight * gaps.lived_s(not_negative("keep_alive_s", t_s))
        for t_s, weight in lifetimes_of(keep_alive_s)
    )
