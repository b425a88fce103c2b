"""How long things take: lognormal where that is not refuted, measured quantiles else.

Source: as for arrivals, Stephens' critical distances with estimated parameters; E. Gumbel,
Statistics of Extremes (1958), for k / (n + 1) as the share below the k-th of n values. May
import: NumPy, `simulations`' stats and workload, and this room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from simulations.calibration.arrivals import distance
from simulations.calibration.log import Reals, TooFew
from simulations.stats import Interval, quantile_interval

Shape = Literal["lognormal", "quantiles"]
#: Fewer values than these give no shape.
LEAST = 10
#: Quantiles are kept at no more places than this; the outermost values always.
PLACES = 40


@dataclass(frozen=True)
class Times:
    """A distribution of seconds and how well it describes what was measured.

    Attributes
    ----------
    shape : {"lognormal", "quantiles"}
        Lognormal if its distance does not exceed what chance exceeds in 5 % of samples, else
        the measured quantiles with straight lines between them.
    values : int
        How many it was fitted to.
    distance, critical : float
        Kolmogorov's distance from the lognormal, and that bound.
    drift, drift_critical : float
        Distance of the first from the second half in time, and its bound (1 %): beyond it the times
        changed while the log was written, and one distribution describes neither half.
    mean_s, median : float, Interval
        Of the measured values.
    places, seconds : tuple of float
        For "quantiles": shares and the values at them. For "lognormal": empty, and mean and
        deviation of the logarithm.
    """

    shape: Shape
    values: int
    distance: float
    critical: float
    drift: float
    drift_critical: float
    mean_s: float
    median: Interval
    places: tuple[float, ...]
    seconds: tuple[float, ...]

    def draw(self, uniform: Reals) -> Reals:
        """Turn uniform numbers into seconds.

        Examples
        --------
        >>> fitted = fit_times(np.array([1.0] * 5 + [2.0] * 6))
        >>> fitted.draw(np.array([0.1, 0.9])).tolist()
        [1.0, 2.0]
        """
        if self.shape == "quantiles":
            return np.interp(uniform, self.places, self.seconds)
        middle, spread = self.seconds
        return np.exp(middle + spread * _normal(uniform))

    def again(self, random: np.random.Generator) -> Times:
        """Fit the same shape to as many values drawn from it: what another log would give."""
        values = self.draw(random.random(self.values))
        return _as(self, values)


def critical_lognormal(n: int) -> float:
    """Distance from a normal of estimated mean and deviation that chance exceeds in 5 %.

    >>> round(critical_lognormal(100), 4)
    0.0888
    """
    return 0.895 / (math.sqrt(n) - 0.01 + 0.85 / math.sqrt(n))


def critical_two(n: int, m: int) -> float:
    """Distance of two samples of one distribution that chance exceeds in 1 % of cases.

    >>> round(critical_two(100, 100), 3)
    0.23
    """
    return 1.628 * math.sqrt((n + m) / (n * m))


def fit_times(values: Reals, what: str = "durations") -> Times:
    """Fit a distribution to measured times, given in the order in which they were measured.

    Raises
    ------
    TooFew
        For fewer than 10 values.
    """
    n = values.size
    if n < LEAST:
        raise TooFew(f"the log holds {n} {what}: their distribution needs {LEAST} or more")
    ordered = np.sort(values)
    apart, chance = 1.0, critical_lognormal(n)
    logs = np.log(np.maximum(ordered, 1e-9))
    middle, spread = float(logs.mean()), float(logs.std(ddof=1))
    if spread > 0 and ordered[0] > 0:
        apart = distance(_share((logs - middle) / spread))
    half = n // 2
    drift = _two(values[:half], values[half:])
    median = quantile_interval(ordered.tolist(), 0.5)
    known = (n, apart, chance, drift, critical_two(half, n - half), float(values.mean()), median)
    if apart <= chance:
        return Times("lognormal", *known, (), (middle, spread))
    return Times("quantiles", *known, *_quantiles(ordered))


def _as(known: Times, values: Reals) -> Times:
    places: tuple[float, ...] = ()
    if known.shape == "lognormal":
        logs = np.log(values)
        seconds: tuple[float, ...] = (float(logs.mean()), float(logs.std(ddof=1)))
    else:
        places, seconds = _quantiles(np.sort(values))
    return Times(known.shape, known.values, known.distance, known.critical, known.drift,
                 known.drift_critical, float(values.mean()), known.median, places, seconds)  # fmt: skip


def _quantiles(ordered: Reals) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Shares and values: the k-th of n stands at k / (n + 1), the outermost at 0 and 1, too."""
    n = ordered.size
    rank = np.arange(1, n + 1)
    if n > PLACES:
        # Both tails value by value, the middle at equal steps.
        tail = PLACES // 4
        rank = np.unique(
            np.concatenate([rank[:tail], rank[-tail:], np.linspace(1, n, PLACES // 2).astype(int)])
        )
    kept = ordered[rank - 1]
    places = np.concatenate([[0.0], rank / (n + 1), [1.0]])
    return tuple(map(float, places)), tuple(map(float, [kept[0], *kept, kept[-1]]))


def _two(first: Reals, second: Reals) -> float:
    both = np.sort(np.concatenate([first, second]))
    return float(
        np.abs(
            np.searchsorted(np.sort(first), both, "right") / first.size
            - np.searchsorted(np.sort(second), both, "right") / second.size
        ).max()
    )


def _share(z: Reals) -> Reals:
    unit = NormalDist()
    return np.array([unit.cdf(float(v)) for v in z])


_GRID = np.linspace(-5.5, 5.5, 4001)
_GRID_SHARE = _share(_GRID)


def _normal(uniform: Reals) -> Reals:
    """Quantiles of the normal distribution, by straight lines on a grid finer than any log."""
    return np.interp(uniform, _GRID_SHARE, _GRID)
