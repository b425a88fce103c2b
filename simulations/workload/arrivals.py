"""When requests arrive: iterators of absolute times in seconds, from 0, never decreasing.

A workload is a plain description; it draws only from the generator it is handed, so the
same seed gives the same arrivals whatever else the simulation does.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

from simulations._check import between, finite, not_negative, positive


@dataclass(frozen=True)
class Load:
    """A workload and what it is sent to; `Simulation.run` takes any number of them."""

    workload: Workload
    target: Any


class Workload(ABC):
    """A pattern of arrivals. `workload >> target` makes a `Load`.

    Attributes
    ----------
    think : Distribution or None
        For a closed load: the time from an answer to the next request it brings.
    """

    think: Any = None

    @abstractmethod
    def arrivals(self, random: Random) -> Iterator[float]:
        """Yield the times of arrival in seconds, nondecreasing; endless unless recorded.

        Cost: one uniform number an arrival, except where the class says otherwise.
        """

    def __rshift__(self, target: Any) -> Load:
        """Send this workload to `target`: a function, a queue, a client.

        >>> Poisson(rate_per_s=20) >> "SubmitOrder"
        Load(workload=Poisson(rate_per_s=20), target='SubmitOrder')
        """
        return Load(self, target)


@dataclass(frozen=True)
class Poisson(Workload):
    """Independent callers at a constant rate: exponential gaps.

    >>> from itertools import islice
    >>> [round(t, 3) for t in islice(Poisson(rate_per_s=20).arrivals(Random(7)), 3)]
    [0.02, 0.028, 0.08]
    """

    rate_per_s: float

    def __post_init__(self) -> None:
        """Check the rate."""
        positive("rate_per_s", self.rate_per_s)

    def arrivals(self, random: Random) -> Iterator[float]:
        """Yield times with exponential gaps of mean 1 / rate."""
        uniform, log1p, rate, now = random.random, math.log1p, self.rate_per_s, 0.0
        while True:
            now -= log1p(-uniform()) / rate
            yield now

    def rate_at(self, at_s: float) -> float:
        """Return the expected arrivals per second at that time."""
        return self.rate_per_s


@dataclass(frozen=True)
class Regular(Workload):
    """A schedule: one arrival at 0 and one after every interval.

    >>> from itertools import islice
    >>> list(islice(Regular(interval_s=60).arrivals(Random(7)), 3))
    [0.0, 60.0, 120.0]
    """

    interval_s: float

    def __post_init__(self) -> None:
        """Check the interval."""
        positive("interval_s", self.interval_s)

    def arrivals(self, random: Random) -> Iterator[float]:
        """Yield multiples of the interval; draws nothing."""
        # Multiplying, not adding: after a million steps the clock is still right.
        return (float(n * self.interval_s) for n in count())

    def rate_at(self, at_s: float) -> float:
        """Return the arrivals per second."""
        return 1 / self.interval_s


@dataclass(frozen=True)
class Diurnal(Workload):
    """Poisson arrivals whose rate follows one sine wave a day, lowest at 0, highest at noon.

    Parameters
    ----------
    mean_per_s : float
        Arrivals per second, over a whole period.
    peak_to_mean : float
        Highest rate over mean rate, 1 to 2: above 2 a sine wave would go below zero.
    period_s : float
        Length of the day.

    >>> day = Diurnal(mean_per_s=10, peak_to_mean=1.8)
    >>> [round(day.rate_at(h * 3600), 9) for h in (0, 6, 12, 24)]
    [2.0, 10.0, 18.0, 2.0]
    """

    mean_per_s: float
    peak_to_mean: float
    period_s: float = 86_400

    def __post_init__(self) -> None:
        """Check that the rate is never negative."""
        positive("mean_per_s", self.mean_per_s)
        between("peak_to_mean", self.peak_to_mean, 1, 2)
        positive("period_s", self.period_s)

    def arrivals(self, random: Random) -> Iterator[float]:
        """Yield times by thinning: candidates at the peak rate, kept as often as the rate says.

        Cost: two uniform numbers a candidate, `peak_to_mean` candidates an arrival.
        """
        uniform, log1p, cos = random.random, math.log1p, math.cos
        peak = self.mean_per_s * self.peak_to_mean
        swing = self.peak_to_mean - 1
        turn = 2 * math.pi / self.period_s
        now = 0.0
        while True:
            now -= log1p(-uniform()) / peak
            if uniform() * self.peak_to_mean < 1 - swing * cos(turn * now):
                yield now

    def rate_at(self, at_s: float) -> float:
        """Return the expected arrivals per second at that time."""
        wave = math.cos(2 * math.pi * at_s / self.period_s)
        return self.mean_per_s * (1 - (self.peak_to_mean - 1) * wave)


@dataclass(frozen=True)
class Burst(Workload):
    """Poisson arrivals at a base rate, and at another rate during one interval.

    A peak below the base rate describes a lull; a base of 0, a burst alone.

    >>> sale = Burst(base_per_s=5, peak_per_s=200, start_s=600, duration_s=60)
    >>> [sale.rate_at(t) for t in (0, 599.9, 600, 659.9, 660)]
    [5, 5, 200, 200, 5]
    """

    base_per_s: float
    peak_per_s: float
    start_s: float
    duration_s: float

    def __post_init__(self) -> None:
        """Check the rates and the interval."""
        not_negative("base_per_s", self.base_per_s)
        not_negative("peak_per_s", self.peak_per_s)
        not_negative("start_s", self.start_s)
        positive("duration_s", self.duration_s)
        if self.base_per_s == 0 and self.peak_per_s == 0:
            raise ValueError(
                "base_per_s=0 and peak_per_s=0: one of them must be above 0, or nothing arrives"
            )

    def arrivals(self, random: Random) -> Iterator[float]:
        """Yield times by inverting the expected count, which is exact across both edges."""
        uniform, log1p = random.random, math.log1p
        base, peak, start = self.base_per_s, self.peak_per_s, self.start_s
        end = start + self.duration_s
        before = base * start
        until_end = before + peak * self.duration_s
        expected = 0.0
        while True:
            expected -= log1p(-uniform())
            if expected < before:
                yield expected / base
            elif expected < until_end:
                yield min(start + (expected - before) / peak, end)
            elif base > 0:
                yield end + (expected - until_end) / base
            else:
                return

    def rate_at(self, at_s: float) -> float:
        """Return the expected arrivals per second at that time."""
        inside = self.start_s <= at_s < self.start_s + self.duration_s
        return self.peak_per_s if inside else self.base_per_s


@dataclass(frozen=True)
class Recorded(Workload):
    """Arrivals as they were recorded, in seconds from 0, in order.

    >>> list(Recorded((0, 1.5, 1.5, 9)).arrivals(Random(7)))
    [0.0, 1.5, 1.5, 9.0]
    """

    times_s: Sequence[float]

    def __post_init__(self) -> None:
        """Check that time runs forward and keep an unchangeable copy."""
        times = tuple(float(t) for t in self.times_s)
        before = 0.0
        for place, now in enumerate(times):
            finite(f"times_s[{place}]", now)
            if now < before:
                rule = "nondecreasing" if place else "0 or above"
                raise ValueError(
                    f"times_s[{place}]={now!r} is not possible: times must be {rule}"
                    + (f", and {before!r} stands before it" if place else "")
                )
            before = now
        object.__setattr__(self, "times_s", times)

    @classmethod
    def from_log(cls, times_s: Iterable[float]) -> Recorded:
        """Make a workload from time stamps of a log: sorted, the first becomes 0.

        Logs are written at the end of a request, so the lines need not be in order of arrival.

        >>> Recorded.from_log([1_585_000_009, 1_585_000_000, 1_585_000_004.5])
        Recorded(times_s=(0.0, 4.5, 9.0))
        """
        times = sorted(times_s)
        return cls(tuple(t - times[0] for t in times))

    def arrivals(self, random: Random) -> Iterator[float]:
        """Yield the recorded times and end; draws nothing."""
        return iter(self.times_s)
