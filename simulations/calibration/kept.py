"""How long idle environments are kept, from the gaps after which requests began cold or warm.

The model: an environment that rests for g seconds is gone with the chance
a + (1 - a - b) F(g), F uniform between two times; a is the share that ended for other reasons (a
deployment, a worker replaced, old age), b that of those kept for longer: both as seen among
rests that are shorter and longer than all of the uniform. The uniform is fitted by maximum
likelihood over a grid; its interval is that of the likelihood ratio.

Routing is taken to be the most recent: of several idle environments the one used last serves.
Source: the ratio's interval, S. Wilks, Ann. Math. Stat. 9 (1938). May import: NumPy,
`simulations`' stats and this room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulations.calibration.log import UNKNOWN, Log, Reals, TooFew
from simulations.stats import Interval

#: So many rests that ended cold, and so many warm, are the least that is fitted.
LEAST = 5
#: Half of the 95 % quantile of chi-square with one degree of freedom.
_LIKELY = 1.92
#: Widths of the uniform over its middle.
_WIDTHS = (0.0, 0.02, 0.05, 0.1, 0.165, 0.25, 0.4, 0.7)
#: Neither chance of an exception exceeds this.
_MOST = 0.45
#: Rests within this ratio of the keep-alive decide on it.
_NEAR = 1.5


@dataclass(frozen=True)
class Kept:
    """How long idle environments are kept.

    Attributes
    ----------
    seconds : Interval
        The middle of the time, with its 95 % interval by likelihood ratio.
    width : float
        Shortest to longest time, over the middle; 0 if all are kept equally long.
    early, late : float
        Shares of rests that ended before that time, and that outlived it.
    cold, warm : int
        Rests that ended cold and warm.
    overlaps : int
        Cold starts while every environment known to be alive was busy.
    longest_warm_s, shortest_cold_s : float
        The extremes; where the first exceeds the second, one constant explains not all.
    likely : tuple of (middle, width, weight)
        What the data leave possible, with weights that add up to 1.
    with_environments : bool
        Whether the log told environments apart; else they were followed by the routing.
    """

    seconds: Interval
    width: float
    early: float
    late: float
    cold: int
    warm: int
    overlaps: int
    longest_warm_s: float
    shortest_cold_s: float
    likely: tuple[tuple[float, float, float], ...]
    with_environments: bool

    @property
    def relative_width(self) -> float:
        """The interval's length over the estimate."""
        return (self.seconds.high - self.seconds.low) / self.seconds.mean


def rests(log: Log) -> tuple[Reals, Reals, int]:
    """Return the rests (seconds) after which a request began warm, and cold; and overlaps.

    An overlap is a cold start while every environment known to be alive was busy.

    Examples
    --------
    >>> log = Log.of([0, 100, 900, 900.5], [1, 101, 901, 902], [True, False, True, True])
    >>> warm, cold, overlaps = rests(log)
    >>> warm.tolist(), cold.tolist(), overlaps
    ([99.0], [799.0], 1)
    """
    named = bool((log.environment != UNKNOWN).all())
    idle: dict[int, float] = {}  # in the order of their last return
    busy: list[tuple[float, int]] = []
    warm: list[float] = []
    cold: list[float] = []
    overlaps = 0
    ends, made = log.end_s, int(log.environment.max(initial=0)) + 1
    for k in range(len(log)):
        now = float(log.start_s[k])
        for end, env in sorted(b for b in busy if b[0] <= now):
            idle.pop(env, None)
            idle[env] = end
        busy = [b for b in busy if b[0] > now]
        if log.cold[k]:
            # The one used last would have served, had it lived; the others were to wait for it.
            if idle:
                cold.append(now - next(reversed(idle.values())))
            overlaps += bool(busy) and not idle
            idle.clear()
            own = int(log.environment[k]) if named else made
            made += 1
        elif named:
            own = int(log.environment[k])
            if own in idle:
                warm.append(now - idle.pop(own))
        elif idle:
            own, since = idle.popitem()
            warm.append(now - since)
        else:  # warm, though all that are known are busy: one from before the log
            own, made = made, made + 1
        busy.append((float(ends[k]), own))
    return np.array(warm), np.array(cold), overlaps


def fit_kept(log: Log) -> Kept:
    """Estimate how long idle environments are kept.

    Raises
    ------
    TooFew
        If too few rests ended cold or warm, or none of one kind is long enough to tell.
    """
    unsorted_warm, unsorted_cold, overlaps = rests(log)
    warm, cold = np.sort(unsorted_warm), np.sort(unsorted_cold)
    named = bool((log.environment != UNKNOWN).all())
    if cold.size < LEAST or warm.size < LEAST:
        share = max(cold.size, 1) / max(cold.size + warm.size, 1)
        raise TooFew(
            f"{cold.size} rests ended cold and {warm.size} warm: the keep-alive needs {LEAST} of "
            f"each; at this rate about {math.ceil(LEAST / min(share, 1 - share + 1e-9))} requests"
        )
    middles = _middles(warm, cold)
    table = np.array([[_best(warm, cold, m, w)[0] for w in _WIDTHS] for m in middles])
    best = float(table.max())
    row, place = np.unravel_index(int(table.argmax()), table.shape)
    profile = table.max(axis=1)
    inside = np.flatnonzero(profile >= best - _LIKELY)
    if inside[0] == 0 or inside[-1] == middles.size - 1:
        raise TooFew(
            f"rests of {cold.size} cold and {warm.size} warm requests do not bound the keep-alive: "
            f"the longest warm rest is {warm.max():.0f} s, the shortest cold one {cold.min():.0f} s; "
            "rests around the keep-alive are needed, at a lower rate or in a longer log"
        )
    _demand_neighbors(warm, cold, float(middles[row]))
    # Equally likely middles lie between two rests: their center stands for them.
    top = np.flatnonzero(profile >= best - 1e-9)
    weights = np.exp(table - best) * _spacing(middles)[:, None]
    weights[table < best - 2 * _LIKELY] = 0.0
    _, early, late = _best(warm, cold, float(middles[row]), _WIDTHS[place])
    likely = [
        (float(middles[i]), _WIDTHS[j], float(weights[i, j] / weights.sum()))
        for i, j in zip(*np.nonzero(weights), strict=True)
    ]
    return Kept(
        Interval(float(middles[top].mean()), float(middles[inside[0]]), float(middles[inside[-1]])),
        _WIDTHS[place], early, late, cold.size, warm.size, overlaps, float(warm.max()), float(cold.min()),
        tuple(_fewer(likely)), named,
    )  # fmt: skip


def _demand_neighbors(warm: Reals, cold: Reals, middle: float) -> None:
    """Refuse an estimate that stands on exceptions: rests on both sides must bear it out."""
    before = int(((warm > middle / _NEAR) & (warm <= middle)).sum())
    after = int(((cold >= middle) & (cold < middle * _NEAR)).sum())
    if min(before, after) < LEAST:
        all_rests = warm.size + cold.size
        needed = math.ceil(all_rests * LEAST / max(min(before, after), 0.5))
        raise TooFew(
            f"the keep-alive seems to be {middle:.0f} s, but only {before} warm rests were a "
            f"little shorter and {after} cold ones a little longer (by up to {_NEAR:g} times): "
            f"{LEAST} of each are needed, about {needed} requests at this rate, or a lower rate"
        )


def _middles(warm: Reals, cold: Reals) -> Reals:
    """Times to try: equal ratios over the range of the rests, and finer around the best."""
    low = max(min(float(cold.min()), float(np.quantile(warm, 0.5))), 1.0)
    high = max(float(cold.max()), float(warm.max())) * 1.05
    coarse = np.geomspace(low, high, 120)
    values = [max(_best(warm, cold, m, w)[0] for w in _WIDTHS[::3]) for m in coarse]
    near = np.flatnonzero(np.array(values) >= max(values) - 3 * _LIKELY)
    left, right = max(int(near[0]) - 1, 0), min(int(near[-1]) + 1, coarse.size - 1)
    fine = np.geomspace(coarse[left], coarse[right], 120)
    return np.unique(np.concatenate([coarse[: left + 1], fine, coarse[right:]]))


def _spacing(values: Reals) -> Reals:
    return np.gradient(values)


def _best(warm: Reals, cold: Reals, middle: float, width: float) -> tuple[float, float, float]:
    """The log-likelihood at this time, with the chances of an exception that are seen beside it.

    Only rests shorter or longer than the whole uniform show an exception for certain: their
    shares are taken. Both rests are in order: only those inside need a number each.
    """
    half = max(width, 1e-9) / 2 * middle
    (gone_w, n_w), (gone_c, n_c) = (_gone(rested, middle, half) for rested in (warm, cold))
    early = min(float(n_c[0]) / max(float(n_c[0] + n_w[0]), 1.0), _MOST)
    late = min(float(n_w[-1]) / max(float(n_w[-1] + n_c[-1]), 1.0), _MOST)
    p_cold = np.maximum(early + (1 - early - late) * gone_c, 1e-12)
    p_warm = np.maximum(1 - early - (1 - early - late) * gone_w, 1e-12)
    likelihood = float(n_c @ np.log(p_cold) + n_w @ np.log(p_warm))
    return likelihood, early, late


def _gone(rests: Reals, middle: float, half: float) -> tuple[Reals, Reals]:
    """Chance of each rest to outlast the keep-alive, and how many there are of each."""
    first, last = int(rests.searchsorted(middle - half)), int(rests.searchsorted(middle + half))
    gone = np.empty(last - first + 2)
    gone[0], gone[1:-1], gone[-1] = 0.0, (rests[first:last] - middle + half) / (2 * half), 1.0
    counts = np.ones(gone.size)
    counts[0], counts[-1] = first, rests.size - last
    return gone, counts


def _fewer(likely: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """At most two dozen of them, evenly through the weight, so that a record stays small."""
    if len(likely) <= 24:
        return likely
    likely = sorted(likely)
    upto = np.cumsum([weight for *_, weight in likely])
    places = np.searchsorted(upto, (np.arange(24) + 0.5) / 24)
    return [(likely[k][0], likely[k][1], 1 / 24) for k in places]
