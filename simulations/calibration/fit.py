"""What a log says of its function: all that a prediction needs, each with how well it is known.

May import: NumPy, `simulations`' stats and theory, and this room.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulations.calibration.arrivals import Arrivals, fit_arrivals
from simulations.calibration.kept import Kept, fit_kept
from simulations.calibration.log import UNKNOWN, Log, TooFew
from simulations.calibration.times import LEAST, Times, fit_times
from simulations.stats import Interval, quantile_interval, share_interval

#: The routing taken for granted: what 99.5 % of recorded choices on AWS Lambda agree with.
ROUTING = "most_recent"
#: So many cold starts of each kind are the least that says how long they take.
BOTH_KINDS = 5


@dataclass(frozen=True)
class Group:
    """Warm durations of one version at one memory."""

    version: str
    memory_mb: int | None
    warm: Times


@dataclass(frozen=True)
class Fitted:
    """A function as its log shows it.

    Attributes
    ----------
    requests, cold, span_s : number
        Of the log.
    cold_share : Interval
        Recorded, with its exact binomial interval.
    memory_mb : int or None
        Of the latest request; None where the log does not say.
    arrivals : Arrivals
        When requests come.
    warm, cold_took : Times
        How long a request takes in a warm environment, and in a new one, INIT included; of the
        latest version and memory.
    init : Interval
        Median of INIT: as recorded, else a cold request's time less the mean of a warm one.
    init_recorded : bool
        Which of the two.
    kept : Kept
        How long idle environments are kept.
    mean_running, peak_running : float, int
        Requests under way at once: over time, and at most.
    groups : tuple of Group
        Warm durations by version and memory, where there are enough of each.
    sizes : tuple of (memory_mb, mean_s, error_s)
        Mean warm time at each memory size of the latest version, and its standard error.
    """

    requests: int
    cold: int
    span_s: float
    cold_share: Interval
    memory_mb: int | None
    arrivals: Arrivals
    warm: Times
    cold_took: Times
    init: Interval
    init_recorded: bool
    kept: Kept
    mean_running: float
    peak_running: int
    groups: tuple[Group, ...] = ()
    sizes: tuple[tuple[int, float, float], ...] = ()

    def told(self) -> dict[str, Any]:
        """Return all of it as plain values, for a record; `Fitted.of` reads them."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Fitted:
        """Make it from plain values."""
        values = dict(told)
        for name in ("cold_share", "init"):
            values[name] = Interval(*values[name])
        values["arrivals"] = Arrivals(**_intervals(told["arrivals"], "rate_per_s", "dispersion"))
        for name in ("warm", "cold_took"):
            values[name] = _times(told[name])
        kept = _intervals(told["kept"], "seconds")
        values["kept"] = Kept(**{**kept, "likely": tuple(map(tuple, kept["likely"]))})
        values["groups"] = tuple(
            Group(**{**group, "warm": _times(group["warm"])}) for group in told["groups"]
        )
        values["sizes"] = tuple((int(mb), mean, error) for mb, mean, error in told["sizes"])
        return cls(**values)

    def __str__(self) -> str:
        kept, warm, cold = self.kept, self.warm, self.cold_took
        arrivals = self.arrivals
        named = "named by the log" if kept.with_environments else "followed by the routing"
        lines = [
            ("requests", f"{self.requests} in {self.span_s / 3600:.3g} h; "
                         f"{_span(self.cold_share, 100, '%')} cold"),
            ("cold starts", f"{kept.cold} after a rest, {kept.overlaps} by overlap"),
            ("arrivals", f"{arrivals.pattern}, {_span(arrivals.rate_per_s, 3600, 'an hour')}"),
            ("", f"cv of gaps {arrivals.gap_cv:.2f}; distance {arrivals.distance:.3f}, "
                 f"critical {arrivals.critical:.3f}"),
            ("warm", f"median {_span(warm.median, 1, 's')}"),
            ("", _how(warm)),
            ("cold", f"median {_span(cold.median, 1, 's')}, INIT included"),
            ("", _how(cold)),
            ("INIT", f"median {_span(self.init, 1, 's')}, "
                     f"{'recorded' if self.init_recorded else 'as cold less warm'}"),
            ("keep-alive", _span(kept.seconds, 1, "s")),
            ("", f"{kept.early:.2%} of rests ended before, {kept.late:.2%} outlived it"),
            ("", f"environments {named}"),
            ("concurrency", f"{self.mean_running:.3g} on average, {self.peak_running} at most"),
        ]  # fmt: skip
        return "\n".join(f"{name:12} {text}" for name, text in lines)


def fit(log: Log) -> Fitted:
    """Estimate everything from one log.

    Raises
    ------
    TooFew
        If the log is too short for one of the estimates; the message says for which, and about
        how many requests would do.
    """
    if len(log) < 2:
        raise TooFew(f"the log holds {len(log)} requests: a fit needs hundreds")
    arrivals = fit_arrivals(log.start_s)
    # A new version or memory is another function: durations are those of the latest.
    now = (log.version == log.version[-1]) & (log.memory_mb == log.memory_mb[-1])
    warm_s, cold_s = log.took_s[now & ~log.cold], log.took_s[now & log.cold]
    of_latest = "" if now.all() else " of the latest version and memory"
    warm = fit_times(warm_s, f"warm requests{of_latest}")
    cold = fit_times(cold_s, f"cold requests{of_latest}")
    recorded = log.init_s[now & log.cold]
    known = bool(np.isfinite(recorded).all())
    init = recorded if known else np.maximum(cold_s - warm.mean_s, 0.0)
    latest, all_cold = int(log.memory_mb[-1]), int(log.cold.sum())
    running = concurrency(log.start_s, log.end_s)
    return Fitted(
        len(log), all_cold, log.span_s, share_interval(all_cold, len(log)),
        None if latest == UNKNOWN else latest, arrivals, warm, cold,
        quantile_interval(init.tolist(), 0.5), known, fit_kept(log),
        running.mean, running.peak, tuple(_groups(log)), tuple(_sizes(log)),
    )  # fmt: skip


@dataclass(frozen=True)
class Concurrency:
    """Requests under way at once: over time, 99 % of the time at most, and at most."""

    mean: float
    p99: int
    peak: int


def concurrency(start_s: Any, end_s: Any, until_s: float | None = None) -> Concurrency:
    """Count requests under way, from the first start to `until_s` or the last end.

    Examples
    --------
    >>> concurrency(np.array([0.0, 1.0]), np.array([2.0, 4.0]))
    Concurrency(mean=1.25, p99=2, peak=2)
    """
    if not len(start_s):
        return Concurrency(0.0, 0, 0)
    begun, ended = np.sort(start_s), np.sort(end_s)
    # Just after each start and each end; what ends goes before what begins.
    at = np.concatenate([ended, begun])
    level = np.concatenate(
        [
            np.searchsorted(begun, ended, "left") - np.arange(1, ended.size + 1),
            np.arange(1, begun.size + 1) - np.searchsorted(ended, begun, "right"),
        ]
    )
    order = np.argsort(at, kind="stable")
    level, at = np.maximum(level[order], 0), at[order]
    until = float(at[-1]) if until_s is None else until_s
    lasts = np.diff(np.minimum(np.append(at, max(until, float(at[-1]))), until))
    total = max(float(lasts.sum()), 1e-12)
    by_level = np.bincount(level, weights=lasts)
    p99 = int(np.searchsorted(np.cumsum(by_level), 0.99 * total * (1 - 1e-12)))
    return Concurrency(float(level @ lasts) / total, p99, int(level.max()))


def best_known(fits: Mapping[str, Fitted | TooFew]) -> str:
    """Return the name of the fit that can speak of other rates best.

    It looks at nothing but the fits themselves. Preferred are logs that hold both kinds of cold
    start, after a rest and by overlap, at least five of each: at another rate the other kind may
    decide. Of these, the one that knows the keep-alive best (narrowest interval over estimate).

    Raises
    ------
    TooFew
        If none of the logs could be fitted.
    """
    known = {name: one.kept for name, one in fits.items() if isinstance(one, Fitted)}
    if not known:
        raise TooFew("none of the logs could be fitted")
    both = {n: kept for n, kept in known.items() if min(kept.cold, kept.overlaps) >= BOTH_KINDS}
    candidates = both or known
    return min(candidates, key=lambda name: candidates[name].relative_width)


def _groups(log: Log) -> list[Group]:
    found = []
    keys = sorted({*zip(log.version.tolist(), log.memory_mb.tolist(), strict=True)})
    for version, memory in keys:
        own = (log.version == version) & (log.memory_mb == memory) & ~log.cold
        try:
            times = fit_times(log.took_s[own])
        except TooFew:
            continue
        name = "" if version == UNKNOWN else log.versions[version]
        found.append(Group(name, None if memory == UNKNOWN else memory, times))
    return found


def _sizes(log: Log) -> Iterator[tuple[int, float, float]]:
    warm = ~log.cold & (log.version == log.version[-1]) & (log.memory_mb != UNKNOWN)
    for memory in sorted({int(mb) for mb in log.memory_mb[warm]}):
        took_s = log.took_s[warm & (log.memory_mb == memory)]
        if took_s.size >= LEAST:
            error = float(took_s.std(ddof=1)) / math.sqrt(took_s.size)
            yield memory, float(took_s.mean()), error


def _intervals(told: Mapping[str, Any], *names: str) -> dict[str, Any]:
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
    return {**values, **{name: Interval(*told[name]) for name in names}}


def _times(told: Mapping[str, Any]) -> Times:
    return Times(**_intervals(told, "median"))


def _how(times: Times) -> str:
    drift = "" if times.drift <= times.drift_critical else ", but the halves of the log differ"
    told = f"distance {times.distance:.3f}, critical {times.critical:.3f}"
    return f"{times.shape} ({told}){drift}"


def _span(interval: Interval, factor: float, unit: str) -> str:
    middle, low, high = (f"{factor * v:.4g}" if math.isfinite(v) else "?" for v in interval)
    return f"{middle} {unit} ({low} to {high})"
