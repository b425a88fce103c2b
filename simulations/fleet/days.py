"""A platform's day: every function of a cloud, minute by minute, under a keep-alive policy.

May import: NumPy, this room, and `simulations`' checks, workload and simulation (for the keys
of its draws).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulations._check import between, not_negative, whole
from simulations.fleet import lean
from simulations.fleet.day_loops import (
    BUSY,
    COLD,
    FOUND,
    LOADED,
    MINUTE_S,
    PEAK,
    Kept,
    Work,
    separate,
    together,
)
from simulations.fleet.inputs import NONE, column, kept_of, times
from simulations.fleet.policies import HybridHistogram
from simulations.fleet.state import CONSTANT, NO_SLOT, Numbers, Reals
from simulations.simulation import Simulation
from simulations.workload import Distribution

MINUTES = 1440
#: A function's calls and environments are together about so many before a thread takes the next.
_CALLS_A_TASK = 2_000_000


@dataclass(frozen=True, repr=False)
class Day:
    """What came of a day, by function.

    Attributes
    ----------
    calls, cold, peak : array of int
        Calls, cold starts, and the most environments that were busy at once.
    busy_s, idle_s : array of float
        Seconds that environments served, and that they were loaded and served nobody.
    """

    calls: Numbers
    cold: Numbers
    peak: Numbers
    busy_s: Reals
    idle_s: Reals

    @property
    def invocations(self) -> int:
        """Calls of all functions."""
        return int(self.calls.sum())

    @property
    def cold_share(self) -> float:
        """Cold starts among all calls: what a call meets."""
        return float(self.cold.sum() / self.calls.sum())

    @property
    def cold_shares(self) -> Reals:
        """Cold share of each function; NaN where nobody called."""
        known = self.calls > 0
        found: Reals = np.full(self.calls.size, math.nan)
        found[known] = self.cold[known] / self.calls[known]
        return found

    @property
    def cold_share_by_function(self) -> float:
        """Mean of the functions' cold shares: what an owner of a function meets."""
        return float(np.nanmean(self.cold_shares))

    def quantile(self, p: float) -> float:
        """Cold share that a share `p` of the functions does not exceed."""
        return float(np.nanquantile(self.cold_shares, between("p", p, 0, 1)))

    @property
    def mean_idle(self) -> float:
        """Environments that are loaded and serve nobody, on average over the day."""
        return float(self.idle_s.sum()) / (MINUTES * MINUTE_S)

    @property
    def mean_busy(self) -> float:
        """Environments that serve, on average over the day."""
        return float(self.busy_s.sum()) / (MINUTES * MINUTE_S)

    def __repr__(self) -> str:
        return (
            f"<Day of {self.calls.size} functions: {self.invocations} calls, "
            f"{self.cold_share:.4%} cold, {self.mean_idle:.4g} environments idle>"
        )


def shape_of_day(trough: float = 0.5, peak_h: float = 14.0) -> Reals:
    """Return each minute's share of a day's calls: one wave, lowest twelve hours from its peak.

    Azure's load never fell below about half of its peak hour (Shahrad et al. 2020, figure 4).

    Examples
    --------
    >>> shape = shape_of_day(trough=0.5)
    >>> float(shape.sum().round(9)), float((shape.min() / shape.max()).round(3))
    (1.0, 0.5)
    """
    low = between("trough", trough, 0, 1)
    hours = (np.arange(MINUTES) + 0.5) / 60.0
    wave = np.cos((hours - between("peak_h", peak_h, 0, 24)) * (math.pi / 12.0))
    load = (1 + low) / 2 + (1 - low) / 2 * wave
    found: Reals = load / load.sum()
    return found


def day(
    rates: ArrayLike,
    *,
    service_s: ArrayLike = 0.0,
    cold_start_s: float = 0.0,
    keep_alive_s: float | Distribution | HybridHistogram,
    every_min: ArrayLike | None = None,
    together: bool = False,
    service: str = "exponential",
    trough: float = 0.5,
    peak_h: float = 14.0,
    seed: int = 0,
    workers: int | None = None,
) -> Day:
    """Replay a day of many functions, each by itself.

    Cost: about 30 ns a call and 0.1 ms a function, shared by the workers. Memory: that of one
    function's environments and one minute's arrivals, for each worker.

    Parameters
    ----------
    rates : array
        Calls a day by function; or calls a minute, one row of 1,440 a function. Whole numbers,
        and exactly so many come: a day's calls fall into minutes by the shape of the day, a
        minute's calls at uniform times (a Poisson process, given how many came).
    service_s : array, or one number for all
        Mean time of a call, by function.
    cold_start_s : float
        What a cold call takes longer.
    keep_alive_s : float, Distribution or HybridHistogram
        How long an idle environment is kept.
    every_min : array of int, optional
        By function: one call in every so many minutes, somewhere in its minute, in place of the
        calls a day given in `rates` at random; 0 where those hold.
    together : bool
        Whether one environment serves any number of calls at once, as an Azure application's
        does; else each call needs one of its own, as on Lambda, the most recently used first.
    service : {"exponential", "constant"}
        How the time of a call varies.
    trough, peak_h : float
        Load at the lowest over load at the peak, and the hour of the peak.
    seed : int
        Of all that is drawn. Each function draws for itself, in order of the input, so workers
        and other functions change nothing.
    workers : int, optional
        Threads; by default as many as there are processors.

    Raises
    ------
    ValueError
        If an input is not possible.

    Examples
    --------
    >>> many = day([24] * 1000 + [1_000_000], service_s=0.1, keep_alive_s=600, seed=1)
    >>> many.invocations, round(many.cold_share, 3), round(many.cold_share_by_function, 3)
    (1024000, 0.02, 0.848)
    """
    counts = _counts(rates)
    n = len(counts)
    services = np.broadcast_to(times("service_s", service_s, n), n)
    cold_s = not_negative("cold_start_s", cold_start_s)
    if service not in ("exponential", "constant"):
        raise ValueError(f"service={service!r} is none of exponential, constant")
    kept = _kept(keep_alive_s)
    if kept.is_hybrid and not together:
        raise ValueError(
            "keep_alive_s=HybridHistogram is not possible with together=False: the policy is "
            "about an application's one environment"
        )
    shape = shape_of_day(trough, peak_h)
    threads = whole("workers", cpu_count() or 1 if workers is None else workers, low=1)
    periods = _periods(every_min, counts)
    one = _One(kept, together, cold_s, service == "exponential", shape, Simulation(seed))
    totals = counts.copy() if counts.ndim == 1 else counts.sum(axis=1)
    regular = periods > 0
    totals[regular] = -(-MINUTES // periods[regular])
    found = np.zeros((n, FOUND))

    def task(functions: Sequence[int]) -> None:
        for k in functions:
            if totals[k]:
                one.run(k, counts[k], int(periods[k]), float(services[k]), found[k])

    tasks = _tasks(totals)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(task, tasks))
    cold, peak = (found[:, k].astype(np.int64) for k in (COLD, PEAK))
    return Day(totals, cold, peak, found[:, BUSY], found[:, LOADED] - found[:, BUSY])


class _One:
    """What is the same for all functions, and the run of one of them."""

    def __init__(
        self, kept: Kept, together: bool, cold_s: float, is_exponential: bool, shape: Reals,
        simulation: Simulation,
    ) -> None:  # fmt: skip
        self._kept, self._together = kept, together
        self._cold_s, self._is_exponential = cold_s, is_exponential
        self._shape, self._simulation = shape, simulation

    def run(self, index: int, counts: Numbers, period: int, mean_s: float, found: Reals) -> None:
        minutes = self._minutes(index, counts, period)
        most = int(minutes.max())
        buffer_s = np.empty(most)
        stream, service_stream, key = (
            np.uint64(self._simulation._key(f"{name} {index}"))
            for name in ("arrivals", "services", "keep-alive")
        )
        per_s = most / MINUTE_S * lean.FINE
        work = Work(mean_s, self._cold_s, self._is_exponential, min(per_s, 1e10))
        if self._together:
            bins = np.zeros(self._bins, np.int64)
            together(minutes, work, self._kept, bins, buffer_s, key, stream, service_stream, found)
            return
        in_flight = most / MINUTE_S * mean_s
        slots = 1 << int(math.log2(2 * in_flight + 64) + 1)
        turn = min(max(lean.FINE * lean.TURN * in_flight, 64.0), 2.0**23)
        buckets = 1 << int(math.log2(turn))
        while (
            separate(
                minutes, work, self._kept, lean.hall(slots, buckets), buffer_s, key, stream,
                service_stream, found,
            )
            == NO_SLOT
        ):  # fmt: skip
            slots *= 2

    @property
    def _bins(self) -> int:
        return round(self._kept.keep_s / self._kept.bin_s) if self._kept.is_hybrid else 1

    def _minutes(self, index: int, counts: Numbers, period: int) -> NDArray[np.int64]:
        """Return the calls of each minute."""
        if period:
            minutes = np.zeros(MINUTES, np.int64)
            minutes[::period] = 1
            return minutes
        if counts.ndim:
            return counts
        random = np.random.Generator(
            np.random.Philox(key=self._simulation._key(f"minutes {index}"))
        )
        return random.multinomial(int(counts), self._shape)


def _tasks(totals: Numbers) -> list[list[int]]:
    """Return the functions in groups, the largest first, so that no thread ends much later."""
    tasks: list[list[int]] = []
    calls = _CALLS_A_TASK
    for k in np.argsort(-totals, kind="stable").tolist():
        weight = int(totals[k]) + 10_000  # what a function costs by itself
        if calls + weight > _CALLS_A_TASK:
            tasks.append([])
            calls = 0
        tasks[-1].append(k)
        calls += weight
    return tasks


def _counts(rates: ArrayLike) -> Numbers:
    """Return the calls as whole numbers, by function or by function and minute."""
    shape = np.shape(rates)
    if len(shape) == 2 and shape[1] != MINUTES:
        raise ValueError(f"rates has {shape[1]} columns: a row must have one of {MINUTES} minutes")
    if len(shape) not in (1, 2):
        raise ValueError(f"rates has {len(shape)} dimensions: it must have 1 or 2")
    flat = column("rates", np.ravel(np.asarray(rates)))
    odd = np.flatnonzero((flat != np.floor(flat)) | (flat > 2**53))
    if odd.size:
        k = int(odd[0])
        raise ValueError(f"rates[{k}]={flat[k]!s} is not possible: rates must be whole numbers")
    counts: Numbers = flat.astype(np.int64).reshape(shape)
    return counts


def _periods(every_min: ArrayLike | None, counts: Numbers) -> Numbers:
    """Return each function's period in minutes, 0 where it has none."""
    if every_min is None:
        return np.zeros(len(counts), np.int64)
    found = column("every_min", every_min)
    if found.size != len(counts):
        raise ValueError(f"every_min has {found.size} values for {len(counts)} functions")
    odd = np.flatnonzero((found != np.floor(found)) | (found > MINUTES))
    if odd.size:
        k = int(odd[0])
        raise ValueError(
            f"every_min[{k}]={found[k]!s} is not possible: every_min must be whole minutes, "
            f"at most {MINUTES}"
        )
    return found.astype(np.int64)


def _kept(keep_alive_s: float | Distribution | HybridHistogram) -> Kept:
    if isinstance(keep_alive_s, HybridHistogram):
        rule = keep_alive_s
        return Kept(
            CONSTANT, rule.bins * rule.bin_s, NONE, NONE, True, rule.bin_s, rule.head, rule.tail,
            rule.margin, rule.least_cv, rule.least,
        )  # fmt: skip
    return Kept(*kept_of(keep_alive_s), False, 1.0, 0.0, 0.0, 0.0, 0.0, 0)
