"""A day of Azure Functions, July 2019: its workload, a small sample of it, and its trade-off.

The recorded part is how often each of 17,577 applications was called in a day; when in the day
and for how long are drawn from what Shahrad et al. published. May import: NumPy, this room,
`simulations.experiment`, `.experiments.records` and the rooms below.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from simulations._check import whole
from simulations.experiment import Axis, Result, Series
from simulations.fleet.days import MINUTES, Day, day
from simulations.fleet.policies import HybridHistogram
from simulations.fleet.state import Numbers, Reals
from simulations.simulation import Simulation
from simulations.workload import Distribution, Empirical, Lognormal

#: Average execution time by function, in s: LogNormal(mu, sigma), fitted by Shahrad et al. (USENIX
#: ATC 2020, figure 7) to July 15, 2019; cut at a minute, below which 96 % of the averages lie.
LOG_MEAN, LOG_DEVIATION, LONGEST_S = -0.38, 2.36, 60.0
#: Keep-alive times compared, in minutes, and reaches of the histogram, in hours.
KEPT_MIN = (1, 2, 5, 10, 20, 30, 60, 120, 240)
RANGES_H = (1, 2, 4)
#: Between these shares of the applications, ordered by their calls, lies one stratum.
EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1.0)


def mean_services(functions: int, seed: int) -> Reals:
    """Return a mean time of a call for each function, in s.

    Examples
    --------
    >>> float(np.median(mean_services(10_001, seed=1)).round(2))    # of the fit: exp(-0.38) = 0.68
    0.66
    """
    cv = math.sqrt(math.expm1(LOG_DEVIATION**2))
    fitted = Lognormal(math.exp(LOG_MEAN + LOG_DEVIATION**2 / 2), cv)
    draw = Simulation(seed).draws("mean service")
    found = [min(fitted.quantile(draw(k)), LONGEST_S) for k in range(whole("functions", functions))]
    return np.array(found)


def strata(counts: Numbers) -> list[dict[str, Any]]:
    """Return, between each two edges, how many applications and calls, and nine quantiles."""
    ordered = np.sort(counts)
    cuts = [round(edge * ordered.size) for edge in EDGES]
    found = []
    for low, high in pairwise(cuts):
        part = ordered[low:high]
        levels = np.quantile(part, np.linspace(0, 1, 9), method="nearest")
        found.append(
            {"apps": int(part.size), "calls": int(part.sum()), "quantiles": levels.tolist()}
        )
    return found


class Sample(NamedTuple):
    """Applications drawn from the strata, each standing for `weight` others."""

    counts: Numbers
    weight: Reals


def sample(of: list[dict[str, Any]], each: int, most: int, seed: int) -> Sample:
    """Draw a few applications from each stratum, by its quantiles.

    A stratum whose applications are called more than `most` times a day is drawn at `most`:
    what those add to the cold starts of a platform is little, and their calls are known.

    Examples
    --------
    >>> one = [{"apps": 100, "calls": 900, "quantiles": [5, 6, 7, 8, 9, 10, 11, 12, 13]}]
    >>> drawn = sample(one, each=4, most=1000, seed=1)
    >>> drawn.counts.tolist(), drawn.weight.tolist()
    ([7, 7, 10, 11], [25.0, 25.0, 25.0, 25.0])
    """
    draw = Simulation(seed).draws("sample")
    counts, weight = [], []
    for place, stratum in enumerate(of):
        levels = stratum["quantiles"]
        values = Empirical([k / (len(levels) - 1) for k in range(len(levels))], levels)
        for k in range(each):
            u = (k + draw(place, k)) / each  # one in each part of the stratum
            counts.append(min(round(values.quantile(u)), most))
            weight.append(stratum["apps"] / each)
    return Sample(np.array(counts), np.array(weight))


class Point(NamedTuple):
    """One policy: cold share by call and by application, environments idle on average."""

    policy: str
    value: float
    by_call: float
    by_app: float
    idle: float
    cold: float


def point(
    policy: str, value: float, found: Day, weight: Reals | None = None, calls: int = 0
) -> Point:
    """Return where a policy lies; for a sample, with its weights and the calls of all."""
    w = np.ones(found.calls.size) if weight is None else weight
    known = found.calls > 0
    cold = float((w * found.cold).sum())
    return Point(
        policy, value, cold / (calls or found.invocations),
        float((w[known] * found.cold_shares[known]).sum() / w[known].sum()),
        float((w * found.idle_s).sum() / 86400.0), cold,
    )  # fmt: skip


def policies() -> list[tuple[str, float, float | Distribution | HybridHistogram]]:
    """Return the policies compared: name, value, and how long is kept."""
    fixed = [("fixed", float(minutes), 60.0 * minutes) for minutes in KEPT_MIN]
    return [*fixed, *(("hybrid", float(h), HybridHistogram(range_s=3600.0 * h)) for h in RANGES_H)]


def timers(counts: Numbers, rarest: int = 12) -> Numbers:
    """Return each application's period in minutes if its calls look like a timer's, else 0.

    They do if they are exactly as many as one in every so many minutes gives, a whole number of
    times a day and at least `rarest`. Which of them have a timer is not recorded.

    Examples
    --------
    >>> timers(np.array([24, 25, 288, 1440, 3])).tolist()
    [60, 0, 5, 1, 0]
    """
    safe = np.maximum(counts, 1)
    regular = (counts >= rarest) & (MINUTES % safe == 0)
    found: Numbers = np.where(regular, MINUTES // safe, 0)
    return found


def trade_off(
    counts: Numbers, services: Reals, *, seed: int, weight: Reals | None = None, calls: int = 0,
    every_min: Numbers | None = None,
) -> list[Point]:  # fmt: skip
    """Replay the day under each policy, one environment for each application, as on Azure."""
    how: dict[str, Any] = {"service_s": services, "together": True, "seed": seed}
    how["every_min"] = every_min
    return [
        point(name, value, day(counts, keep_alive_s=kept, **how), weight, calls)
        for name, value, kept in policies()
    ]


def as_result(timed: list[Point], at_random: list[Point]) -> Result:
    """Return the figure: cold share by application against environments that stand idle."""
    found = []
    for points, policy, label, role in (
        (timed, "fixed", "fixed wait", "coupled"),
        (timed, "hybrid", "with timers", "decoupled"),
        (at_random, "hybrid", "at random", "plain"),
    ):
        own = [p for p in points if p.policy == policy]
        xs, ys = [p.idle for p in own], [100.0 * p.by_app for p in own]
        found.append(Series(label, xs, ys, "line", role))  # type: ignore[arg-type]
    return Result(Axis("idle environments"), Axis("mean cold share of an app", "%"), tuple(found))
