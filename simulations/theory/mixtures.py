"""Latency of several kinds at once: a mixture of calls, and a chain of times.

Warm and cold calls, or cache hits and misses, make a mixture: each request is one or the other.
A chain of steps makes a sum: each request is all of them. Quantiles of neither are averages or
sums of the parts' quantiles.

Source: definitions of mixture and convolution; moments of independent sums add up.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from simulations._check import between, not_negative


class Part(NamedTuple):
    """One kind of request: how often, and how long."""

    share: float
    survival: Callable[[float], float]
    """P(longer than t)."""
    mean_s: float
    sd_s: float


class Mixture:
    """Requests of several kinds, each with its share; shares add up to 1.

    Raises
    ------
    ValueError
        If there is no part or the shares do not add up to 1.

    Examples
    --------
    Ninety-nine calls in a hundred take 50 ms on average, one waits for 400 ms first:

    >>> warm = Part(0.99, lambda t: math.exp(-t / 0.05), 0.05, 0.05)
    >>> cold = Part(0.01, lambda t: math.exp(-max(t - 0.4, 0.0) / 0.05), 0.45, 0.05)
    >>> calls = Mixture([warm, cold])
    >>> round(calls.mean_s, 3), round(calls.quantile(0.99), 3), round(calls.quantile(0.999), 3)
    (0.054, 0.402, 0.517)
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        if not parts:
            raise ValueError("parts is empty: give at least one Part")
        shares = [between(f"parts[{k}].share", one.share, 0, 1) for k, one in enumerate(parts)]
        if abs(math.fsum(shares) - 1) > 1e-9:
            raise ValueError(f"parts have shares that add up to {math.fsum(shares):g}, not 1")
        for k, one in enumerate(parts):
            not_negative(f"parts[{k}].mean_s", one.mean_s)
            not_negative(f"parts[{k}].sd_s", one.sd_s)
        self._parts = tuple(parts)

    @property
    def mean_s(self) -> float:
        """Mean time: the parts' means, weighted."""
        return math.fsum(one.share * one.mean_s for one in self._parts)

    @property
    def sd_s(self) -> float:
        """Standard deviation: of the parts, and between their means."""
        mean = self.mean_s
        return math.sqrt(
            math.fsum(one.share * (one.sd_s**2 + (one.mean_s - mean) ** 2) for one in self._parts)
        )

    def tail(self, at_s: float) -> float:
        """Return the share of requests that take longer than `at_s`."""
        return math.fsum(one.share * one.survival(at_s) for one in self._parts)

    def quantile(self, u: float) -> float:
        """Return the time that the share `u` stays within, 0 < u < 1 (bisection)."""
        if not 0 < between("u", u, 0, 1) < 1:
            raise ValueError(f"u={u!r} is not possible: u must be above 0 and below 1")
        low, high = 0.0, max(self.mean_s, 1e-9)
        while self.tail(high) > 1 - u:
            low, high = high, 2 * high
        while (middle := (low + high) / 2) not in (low, high):
            low, high = (middle, high) if self.tail(middle) > 1 - u else (low, middle)
        return high


class Moments(NamedTuple):
    """Mean and standard deviation of a time."""

    mean_s: float
    sd_s: float

    @property
    def cv(self) -> float:
        """Coefficient of variation."""
        return self.sd_s / self.mean_s


def chained(steps: Sequence[Moments]) -> Moments:
    """Return mean and standard deviation of independent steps one after another.

    Formula: means add up, and variances. A chain of n equal steps varies 1 / sqrt(n) as much,
    relative to its mean, as one of them.

    >>> chained([Moments(1.0, 0.3), Moments(2.0, 0.4)])
    Moments(mean_s=3.0, sd_s=0.5)
    """
    if not steps:
        raise ValueError("steps is empty: give at least one Moments")
    means = [not_negative(f"steps[{k}].mean_s", one.mean_s) for k, one in enumerate(steps)]
    spreads = [not_negative(f"steps[{k}].sd_s", one.sd_s) for k, one in enumerate(steps)]
    return Moments(math.fsum(means), math.sqrt(math.fsum(sd**2 for sd in spreads)))
