"""How requests arrive: the rate, whether they are Poisson, timers, the hours of the day.

Source: M. Stephens, EDF statistics for goodness of fit, J. Am. Stat. Assoc. 69 (1974), and
R. D'Agostino and M. Stephens, Goodness-of-Fit Techniques (1986), tables 4.7 and 4.14, for the
critical distances where parameters are estimated; K. Mardia and P. Jupp, Directional Statistics
(2000), for the Rayleigh test behind the timers. May import: NumPy, `simulations`' checks and
stats, and this room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np

from simulations._check import positive
from simulations.calibration.log import Reals, TooFew
from simulations.stats import Interval
from simulations.theory.special import gamma_share

Pattern = Literal["poisson", "timer", "hourly", "gaps"]
#: Fewer requests than these say nothing on how they arrive.
LEAST = 30
#: Periods that schedules have, in minutes.
PERIODS_MIN = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440)
_HOUR, _DAY = 3600.0, 86_400.0
#: A profile of the day needs so many days, and so many requests an hour of it.
_DAYS, _PER_HOUR = 3, 10


@dataclass(frozen=True)
class Arrivals:
    """How requests arrive.

    Attributes
    ----------
    pattern : {"poisson", "timer", "hourly", "gaps"}
        The simplest description that the log does not refute: one rate; a timer and one rate;
        a rate for each hour of the day. With "gaps" all three are refuted and the recorded gaps
        are drawn again, in random order: what joins one gap to the next is lost.
    requests, span_s : number
        How many there are, over how long.
    rate_per_s : Interval
        Requests a second; wider than Poisson's where they come in crowds.
    gap_cv : float
        Standard deviation over mean of the gaps; 1 if Poisson.
    dispersion : Interval
        Variance over mean of the counts in equal windows; 1 if Poisson.
    distance, critical : float
        Kolmogorov's distance of the gaps from the pattern, and what chance exceeds in 5 % of
        logs; for "gaps", from one rate.
    period_s, timer_share : float
        Of the timer; 0 where there is none.
    by_hour : tuple of float
        Rate in each hour of the day (UTC) over the mean rate; empty where not used.
    gaps_s : tuple of float
        Quantiles of the gaps over their mean, at equal steps; empty where not used.
    """

    pattern: Pattern
    requests: int
    span_s: float
    rate_per_s: Interval
    gap_cv: float
    dispersion: Interval
    distance: float
    critical: float
    period_s: float = 0.0
    timer_share: float = 0.0
    by_hour: tuple[float, ...] = ()
    gaps_s: tuple[float, ...] = ()

    @property
    def poisson(self) -> bool:
        """Whether one rate describes them."""
        return self.pattern == "poisson"

    def draw(self, rate_per_s: float, duration_s: float, random: np.random.Generator) -> Reals:
        """Return times of arrival from 0, in order; a timer keeps its period at any rate.

        Examples
        --------
        >>> shape = fit_arrivals(np.cumsum(np.random.default_rng(1).exponential(10, 500)))
        >>> bool(abs(shape.draw(0.1, 1e6, np.random.default_rng(2)).size / 1e5 - 1) < 0.02)
        True
        """
        rate, until = positive("rate_per_s", rate_per_s), positive("duration_s", duration_s)
        if self.pattern == "gaps":
            n = int(rate * until * 1.5 + 10 * self.gap_cv * math.sqrt(rate * until) + 20)
            shares = np.linspace(0, 1, len(self.gaps_s))
            gaps = np.interp(random.random(n), shares, self.gaps_s) / rate
            times: Reals = np.cumsum(gaps) - gaps[0] * random.random()
            return np.asarray(times[times < until])
        timed = np.empty(0)
        if self.pattern == "timer":
            timed = np.arange(random.random() * self.period_s, until, self.period_s)
            # The timer's own requests do not grow with the traffic.
            rate = max(rate - self.timer_share * self.rate_per_s.mean, 0.0)
        highest = max(self.by_hour, default=1.0)
        times = np.sort(random.random(int(random.poisson(rate * highest * until)))) * until
        if self.by_hour:
            hour = (times // _HOUR).astype(int) % 24
            kept = random.random(times.size) * highest < np.array(self.by_hour)[hour]
            times = times[kept]
        return np.sort(np.concatenate([times, timed]))


def critical_exponential(n: int) -> float:
    """Distance from an exponential of estimated mean that chance exceeds in 5 % of samples.

    >>> round(critical_exponential(100), 4)
    0.1081
    """
    return 1.094 / (math.sqrt(n) + 0.26 + 0.5 / math.sqrt(n)) + 0.2 / n


def distance_exponential(values: Reals) -> float:
    """Kolmogorov's distance of values from the exponential of their mean.

    >>> round(distance_exponential(-np.log1p(-(np.arange(1000) + 0.5) / 1000)), 3)
    0.001
    """
    ordered = np.sort(values)
    return distance(-np.expm1(-ordered / ordered.mean()))


def distance(shares: Reals) -> float:
    """Kolmogorov's distance of ordered values from the distribution whose shares these are.

    >>> distance(np.array([0.25, 0.75]))
    0.25
    """
    n = shares.size
    steps = np.arange(n + 1) / n
    return float(max((steps[1:] - shares).max(), (shares - steps[:-1]).max()))


def fit_arrivals(start_s: Reals) -> Arrivals:
    """Describe when requests came.

    Parameters
    ----------
    start_s : array of float
        When each came, in order; seconds since 1970 where the hour of the day is to count.

    Raises
    ------
    TooFew
        For fewer than 30 requests, or where all came at one instant.

    Examples
    --------
    >>> fit_arrivals(np.arange(0.0, 86400.0, 300.0)).pattern    # every five minutes
    'timer'
    """
    n = start_s.size
    if n < LEAST:
        raise TooFew(f"the log holds {n} requests: how they arrive needs {LEAST} or more")
    if start_s[-1] <= start_s[0]:
        raise TooFew(f"all {n} requests begin at one instant: their times of arrival are needed")
    span = float(start_s[-1] - start_s[0])
    gaps = np.diff(start_s)
    spread = _dispersion(start_s)
    # Crowds make a count vary more than Poisson's; a timer makes it vary less.
    half = 1.96 * math.sqrt(max(spread.mean, 0.05) * n) / span
    rate = (n - 1) / span
    known = (n, span, Interval(rate, max(rate - half, 0.1 * rate), rate + half),
             float(gaps.std() / gaps.mean()), spread)  # fmt: skip
    apart, chance = distance_exponential(gaps), critical_exponential(n - 1)
    period, share = _timer(start_s)
    if period:
        left = _without(start_s, period)
        rest = float(share < 0.99 and left.size >= LEAST)
        far = distance_exponential(np.diff(left)) if rest else 0.0
        near = critical_exponential(left.size - 1) if rest else chance
        if far <= near:
            return Arrivals("timer", *known, far, near, period, share)
    elif apart <= chance and spread.low <= 1.5:
        return Arrivals("poisson", *known, apart, chance)
    hours = _by_hour(start_s, span)
    if hours:
        even = np.diff(_evened(start_s, hours))
        far = distance_exponential(even)
        if far <= chance:
            return Arrivals("hourly", *known, far, chance, by_hour=hours)
    quantiles = np.quantile(gaps / gaps.mean(), np.linspace(0, 1, min(n - 1, 200) + 1))
    quantiles *= 1 / float(np.trapezoid(quantiles, dx=1 / (quantiles.size - 1)))
    return Arrivals("gaps", *known, apart, chance, gaps_s=tuple(map(float, quantiles)))


def _dispersion(start_s: Reals) -> Interval:
    """Variance over mean of counts in windows of about ten requests, with its interval."""
    n = start_s.size
    windows = max(n // 10, 5)
    counts, _ = np.histogram(start_s, windows)
    ratio = float(counts.var(ddof=1) / counts.mean())
    # (windows - 1) ratio / truth is about chi-square, whose quantiles are those of a gamma.
    low, high = (_chi_square(p, windows - 1) for p in (0.975, 0.025))
    return Interval(ratio, ratio * (windows - 1) / low, ratio * (windows - 1) / high)


def _chi_square(p: float, degrees: int) -> float:
    low, high = 0.0, degrees + 20 * math.sqrt(2 * degrees) + 20
    for _ in range(80):
        x = (low + high) / 2
        low, high = (x, high) if gamma_share(degrees / 2, x / 2)[0] < p else (low, x)
    return high


def _timer(start_s: Reals) -> tuple[float, float]:
    """The longest period of a schedule that requests keep, and the share of them that do."""
    found: list[tuple[float, float]] = []
    span, n = start_s[-1] - start_s[0], start_s.size
    for period in (60.0 * minutes for minutes in PERIODS_MIN if minutes < 1440):
        if span < 10 * period:
            continue
        turns = 2 * math.pi * (start_s - start_s[0]) / period
        strength = math.hypot(float(np.cos(turns).sum()), float(np.sin(turns).sum())) / n
        # Rayleigh: chance alone exceeds it with exp(-n strength^2); one in a thousand, shared out.
        if n * strength**2 > math.log(1000 * len(PERIODS_MIN)) and strength > 0.1:
            counted = _at_phase(start_s, period).sum() / n
            if counted >= 0.5 * span / period / n:  # it fires at least every other time
                found.append((period, float(counted)))
    if not found:
        return 0.0, 0.0
    most = max(share for _, share in found)
    return max(one for one in found if one[1] >= 0.8 * most)


def _at_phase(start_s: Reals, period: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which requests came at the timer's phase: one of each period at most."""
    turn = (start_s - start_s[0]) / period % 1.0
    angles = 2 * np.pi * turn
    middle = math.atan2(float(np.sin(angles).sum()), float(np.cos(angles).sum())) / (2 * math.pi)
    off = np.abs((turn - middle + 0.5) % 1.0 - 0.5) * period
    near = off < max(0.01 * period, 1.5)
    number = np.round((start_s - start_s[0]) / period - middle)
    order = np.lexsort((off, number))
    first = np.ones(start_s.size, bool)
    first[1:] = np.diff(number[order]) != 0
    nearest = np.zeros(start_s.size, bool)
    nearest[order] = first
    return np.asarray(near & nearest)


def _without(start_s: Reals, period: float) -> Reals:
    return start_s[~_at_phase(start_s, period)]


def _by_hour(start_s: Reals, span: float) -> tuple[float, ...]:
    """Rate in each hour of the day over the mean; empty where the log is too short to tell."""
    if span < _DAYS * _DAY or start_s.size < 24 * _PER_HOUR:
        return ()
    edges = np.arange(math.floor(start_s[0] / _HOUR), math.ceil(start_s[-1] / _HOUR) + 1)
    counts, _ = np.histogram(start_s, edges * _HOUR)
    whole = slice(1, -1)  # the first and the last hour are not whole
    hour = edges[:-1].astype(int)[whole] % 24
    rates = np.array([counts[whole][hour == h].mean() for h in range(24)])
    return tuple(map(float, rates / rates.mean()))


def _evened(start_s: Reals, hours: tuple[float, ...]) -> Reals:
    """Times at which the requests would have come at one rate all day."""
    first = math.floor(start_s[0] / _HOUR)
    edges = np.arange(first, math.ceil(start_s[-1] / _HOUR) + 2)
    speed = np.maximum(np.array(hours)[edges.astype(int) % 24], 1e-9)
    passed = np.concatenate([[0.0], np.cumsum(speed[:-1])])
    return np.asarray(np.interp(start_s / _HOUR, edges, passed))


def seeded(seed: int, what: str) -> np.random.Generator:
    """A generator of its own for each use, so that one more draw here moves none there.

    >>> bool(seeded(1, "arrivals").random() == seeded(1, "arrivals").random())
    True
    """
    return np.random.default_rng(Random(f"{seed} {what}").getrandbits(64))
