"""Sums of lognormal times: how often a chain of calls takes longer than its timeout.

A sum of lognormals has no closed form. Here the widest part is kept whole and the others are
cut into slices of equal probability, each at its own mean. Source: the tests hold it against a
million draws.

May import: the standard library, `simulations._check` and this room's `tails`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from simulations._check import between, not_negative, positive
from simulations.theory.tails import LognormalShape, lognormal_from_moments

_UNIT_NORMAL = NormalDist()
_SLICES = (96, 6, 6)


def _slices(mean: float, shape: LognormalShape, n: int) -> list[float]:
    """Return the mean of each of n equally likely slices of a lognormal."""
    cuts = [_UNIT_NORMAL.inv_cdf(i / n) - shape.sigma for i in range(1, n)]
    below = [0.0, *map(_UNIT_NORMAL.cdf, cuts), 1.0]
    return [mean * n * (high - low) for low, high in pairwise(below)]


class LognormalSum:
    """The sum of independent lognormal times and a constant, each given as (mean, cv).

    Cost: 3,500 error functions for each value of the tail, about 2 ms.

    Raises
    ------
    ValueError
        If there is no time or more than four, or a mean or cv is not above 0.

    Examples
    --------
    >>> order = LognormalSum([(0.03, 0.5), (0.8, 0.6), (0.04, 0.5), (0.3, 0.5)], constant=0.015)
    >>> round(100 * order.tail(3.0), 2), round(order.quantile(0.999), 1)
    (0.83, 4.2)
    """

    def __init__(self, times: Sequence[tuple[float, float]], constant: float = 0.0) -> None:
        if not 1 <= len(times) <= 1 + len(_SLICES):
            raise ValueError(f"times={times!r} must be 1 to {1 + len(_SLICES)} pairs")
        for mean, cv in times:
            positive("mean", mean)
            positive("cv", cv)
        widest, *rest = sorted(times, key=lambda time: -time[0] * time[1])
        self.mean = math.fsum(mean for mean, _ in times) + not_negative("constant", constant)
        self._widest = lognormal_from_moments(widest[0], widest[0] * widest[1])
        self._others = [constant]
        for (mean, cv), n in zip(rest, _SLICES, strict=False):
            parts = _slices(mean, lognormal_from_moments(mean, mean * cv), n)
            self._others = [other + part for other in self._others for part in parts]

    def tail(self, at: float) -> float:
        """Return the share of sums above `at`."""
        above = (
            1.0 - self._widest.share_below(at - other) if at > other else 1.0
            for other in self._others
        )  # fmt: skip
        return math.fsum(above) / len(self._others)

    def quantile(self, u: float) -> float:
        """Return the value that a share `u` of the sums does not exceed, 0 < u < 1."""
        between("u", u, 0, 1)
        low, high = 0.0, self.mean
        while self.tail(high) > 1 - u:
            low, high = high, 2 * high
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if self.tail(middle) > 1 - u else (low, middle)
        return (low + high) / 2
