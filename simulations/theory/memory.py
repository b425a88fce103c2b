"""What memory does to time and cost: T = a + b / cpu, several threads, and the balance of both.

A function waits for a seconds, which memory does not change, and computes for b seconds of a
whole processor. Up to one processor its share is proportional to memory; beyond, only threads
gain (Amdahl).

Source: G. Amdahl, Validity of the single processor approach (1967); the cost follows from Lambda's
price, memory times time. The balance is derived in `Curve.balanced_mb`.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulations._check import between, positive, whole

FULL_MB = 1769.0


def amdahl(processors: float, parallel: float, threads: int) -> float:
    """Return how many times faster than one whole processor a task runs.

    Formula: 1 / ((1 - p) / min(c, 1) + p / min(c, n)) for c processors, n threads and a share p
    of the work that can be spread.

    >>> amdahl(2, parallel=0.5, threads=4), amdahl(0.25, parallel=0.5, threads=4)
    (1.3333333333333333, 0.25)
    """
    c = positive("processors", processors)
    p = between("parallel", parallel, 0, 1)
    n = whole("threads", threads, low=1)
    return 1 / ((1 - p) / min(c, 1) + p / min(c, n))


class Curve(NamedTuple):
    """Time and cost of one handler against memory."""

    wait_s: float
    """Seconds that memory does not change (a)."""
    work_s: float
    """Seconds of a whole processor (b)."""
    parallel: float = 0.0
    """Share of the work that several threads can share."""
    threads: int = 1
    """Threads that share it."""

    def time_s(self, memory_mb: float) -> float:
        """Return the duration.

        >>> round(Curve(0.5, 0.1).time_s(884.5), 6)
        0.7
        """
        share = positive("memory_mb", memory_mb) / FULL_MB
        return self.wait_s + self.work_s / amdahl(share, self.parallel, self.threads)

    def gb_s(self, memory_mb: float) -> float:
        """Return the GB seconds that are billed: a m + 1769 b, as long as a processor is enough.

        >>> [round(Curve(0, 1).gb_s(mb), 6) for mb in (128, 1769)]
        [1.727539, 1.727539]
        """
        return memory_mb / 1024 * self.time_s(memory_mb)

    def balanced_mb(self, low_mb: float, high_mb: float) -> float:
        """Return the memory at which the product of time and cost is least.

        Formula: (a + k / m)(a m + k) is least at m = k / a with k = 1769 b: there computing takes
        as long as waiting. Between `low_mb` and one whole processor, or `high_mb` if that is less.

        >>> round(Curve(0.02, 0.015).balanced_mb(128, 10240))
        1327
        """
        most = min(positive("high_mb", high_mb), FULL_MB)
        if self.wait_s == 0:
            return most
        return min(max(FULL_MB * self.work_s / self.wait_s, positive("low_mb", low_mb)), most)


def fit(memory_mb: Sequence[float], time_s: Sequence[float]) -> Curve:
    """Fit T = a + b / cpu by least squares of the relative error, without negative parts.

    Memory of a whole processor and more counts as one. Relative, because durations at 128 MB
    would otherwise outweigh all others.

    Raises
    ------
    ValueError
        If there are fewer than two different processor shares, or the lengths differ.

    >>> fitted = fit([128, 512, 1769], [0.5 + 0.1 * 1769 / mb for mb in (128, 512, 1769)])
    >>> round(fitted.wait_s, 9), round(fitted.work_s, 9)
    (0.5, 0.1)
    """
    if len(memory_mb) != len(time_s):
        raise ValueError(
            f"memory_mb and time_s must be equally long: {len(memory_mb)} and {len(time_s)}"
        )
    x = [1 / min(positive("memory_mb", mb) / FULL_MB, 1.0) for mb in memory_mb]
    if len(set(x)) < 2:
        raise ValueError("memory_mb must hold at least two different shares of a processor")
    weight = [1 / positive("time_s", t) ** 2 for t in time_s]
    total = math.fsum(weight)
    mean_x = math.fsum(w * v for w, v in zip(weight, x, strict=True)) / total
    mean_y = math.fsum(w * t for w, t in zip(weight, time_s, strict=True)) / total
    spread = math.fsum(w * (v - mean_x) ** 2 for w, v in zip(weight, x, strict=True))
    slope = (
        math.fsum(
            w * (v - mean_x) * (t - mean_y) for w, v, t in zip(weight, x, time_s, strict=True)
        )
        / spread
    )
    start = mean_y - slope * mean_x
    if slope < 0:
        return Curve(mean_y, 0.0)
    if start < 0:  # all of it is work
        slope = math.fsum(w * v * t for w, v, t in zip(weight, x, time_s, strict=True))
        slope /= math.fsum(w * v * v for w, v in zip(weight, x, strict=True))
        return Curve(0.0, slope)
    return Curve(start, slope)


def worst_error(curve: Curve, memory_mb: Sequence[float], time_s: Sequence[float]) -> float:
    """Return the largest relative difference between a curve and measured times.

    >>> worst_error(Curve(1.0, 0.0), [128, 1769], [1.0, 0.8])
    0.25
    """
    return max(
        abs(curve.time_s(mb) / positive("time_s", t) - 1)
        for mb, t in zip(memory_mb, time_s, strict=True)
    )
