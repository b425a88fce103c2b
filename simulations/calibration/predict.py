"""Predict what the function would do: as it is, or with other memory, traffic, keep-alive.

Two intervals stand beside each number. `expected` says how well the long-run value is known,
given that the log was short; `observed` says what one log of so many seconds would show, so that
chance in it is counted, too. May import: NumPy, `simulations`' checks, fleet, pricing, stats,
theory, and this room.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations._check import between, not_negative, positive, whole
from simulations.calibration.arrivals import Arrivals, seeded
from simulations.calibration.fit import BOTH_KINDS, ROUTING, Fitted, concurrency
from simulations.calibration.log import Reals
from simulations.calibration.times import Times
from simulations.fleet import Replay, replay
from simulations.pricing import PriceList, lambda_usage
from simulations.pricing.estimators import lambda_suffix
from simulations.stats import Interval
from simulations.theory.memory import FULL_MB, Curve
from simulations.theory.memory import fit as fit_curve
from simulations.workload import Uniform

#: A month, as AWS's calculator takes it: 730 hours.
MONTH_S = 730 * 3600.0
#: Requests in the run that gives the expected values, and in each run beside it, at least; so
#: many cold starts are wanted there, in as many requests as these at most.
_LONG, _SHORT, _COLD, _MOST = 200_000, 10_000, 200, 30_000
#: Requests of a warm-up at most.
_WARM_UP = 100_000
#: Environments that are simulated at most, so that a prediction ends within minutes.
_AT_ONCE = 10_000
#: Percentiles that are given.
PERCENTILES = (0.5, 0.9, 0.95, 0.99, 0.999)


@dataclass(frozen=True)
class Change:
    """What is to be different; what is left out stays as the log shows it.

    Parameters
    ----------
    traffic : float
        Times as many requests.
    rate_per_s : float, optional
        So many requests a second instead; then `traffic` multiplies it.
    memory_mb : int, optional
        Configured memory. How durations follow is fitted where the log holds two sizes.
    work_share : float, optional
        Else it must be said: the share of a warm request's time that computes, 0 to 1.
    provisioned_concurrency : int
        Environments that are always ready.
    keep_alive_s : float, optional
        Seconds that idle environments are kept.
    concurrency_limit : int, optional
        At most so many requests at once.
    """

    traffic: float = 1.0
    rate_per_s: float | None = None
    memory_mb: int | None = None
    work_share: float | None = None
    provisioned_concurrency: int = 0
    keep_alive_s: float | None = None
    concurrency_limit: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        positive("traffic", self.traffic)
        if self.rate_per_s is not None:
            positive("rate_per_s", self.rate_per_s)
        if self.memory_mb is not None:
            positive("memory_mb", self.memory_mb)
        if self.work_share is not None:
            between("work_share", self.work_share, 0, 1)
        whole("provisioned_concurrency", self.provisioned_concurrency)
        if self.keep_alive_s is not None:
            not_negative("keep_alive_s", self.keep_alive_s)


@dataclass(frozen=True)
class Foreseen:
    """One number of a prediction."""

    expected: Interval
    observed: Interval
    unit: str


@dataclass(frozen=True)
class Prediction:
    """What is foreseen, by name; `notes` say where it rests on what the log does not show."""

    change: Change
    duration_s: float
    rate_per_s: float
    measures: Mapping[str, Foreseen]
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Foreseen:
        return self.measures[name]

    def __str__(self) -> str:
        lines = [f"{'':18}{'expected':>34}   in a log of {self.duration_s / 3600:.3g} h"]
        for name, one in self.measures.items():
            long, short = (
                f"{i.mean:.4g} ({i.low:.4g} to {i.high:.4g})" for i in (one.expected, one.observed)
            )
            lines.append(f"{name:18}{long:>34}   {short} {one.unit}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


@dataclass(frozen=True)
class _Function:
    """One possible truth: what a run needs."""

    rate_per_s: float
    warm: Times
    cold: Times
    keep: tuple[float, float]  # middle and width
    ratio: float  # warm time over that in the log


def predict(
    fitted: Fitted,
    change: Change | None = None,
    *,
    duration_s: float | None = None,
    draws: int = 60,
    prices: PriceList | None = None,
    architecture: str = "x86_64",
    seed: int = 1,
) -> Prediction:
    """Foresee cold share, latency, concurrency and the month's bill.

    The parameters are drawn anew `draws` times, as other logs of this length would have given
    them (parametric bootstrap; the keep-alive by its likelihood), and each is run on the
    compiled engine.

    Parameters
    ----------
    fitted : Fitted
        What `fit` found.
    change : Change, optional
        What is to be different.
    duration_s : float, optional
        Length of the log that `observed` speaks of; that of the fitted one if left out. It is
        cut to 200,000 requests, and `Prediction.duration_s` then says so.
    draws : int
        How often, at least 20.
    prices, architecture
        For the bill, which is given where the memory is known; today's prices in us-east-1.

    Raises
    ------
    ValueError
        If a change is impossible, or needs something that the log does not say.
    """
    change = change or Change()
    until = positive("duration_s", fitted.span_s if duration_s is None else duration_s)
    count = whole("draws", draws, low=20)
    ratio = _memory_ratio(fitted, change)
    rate = (change.rate_per_s or fitted.arrivals.rate_per_s.mean) * change.traffic
    memory = change.memory_mb or fitted.memory_mb
    at_once = max(rate * fitted.warm.mean_s * ratio, change.provisioned_concurrency)
    if at_once > _AT_ONCE:
        raise ValueError(f"{change} takes {at_once:.3g} environments: at most {_AT_ONCE} are run")
    # In a longer log chance plays no part that the parameters' uncertainty would not hide.
    until = min(until, _LONG / rate)
    best = _Function(rate, fitted.warm, fitted.cold_took, _keep(fitted, change, 0), ratio)
    bill = _Bill(memory, architecture, prices, change.provisioned_concurrency)
    long_run = _run(best, fitted.arrivals, change, _LONG / rate, seed, "long")
    point = _measure(long_run, bill)
    beside = min(max(_SHORT, _COLD / max(point["cold share"], 1e-9)), _MOST) / rate
    base = _measure(_run(best, fitted.arrivals, change, beside, seed, "pair"), bill)
    # Short logs vary more, and cost less to draw.
    logs = 3 if rate * until < _SHORT else 1
    expected: dict[str, list[float]] = {name: [] for name in point}
    observed: dict[str, list[float]] = {name: [] for name in point}
    for k in range(count):
        one = _drawn(fitted, change, best, k, count, seed)
        # The same arrivals and the same uniform numbers: what chance does to both cancels.
        paired = _measure(_run(one, fitted.arrivals, change, beside, seed, "pair"), bill)
        for name, value in point.items():
            expected[name].append(value + _apart(paired[name], base[name]))
        for again in range(logs):
            short = _measure(
                _run(one, fitted.arrivals, change, until, seed, f"log {k} {again}"), bill
            )
            for name in point:
                observed[name].append(short[name])
    measures = {}
    for name, value in point.items():
        if name == "peak concurrency":  # it grows with the length of the log
            value = float(np.nanmedian(observed[name]))
            long = Interval(value, *_bounds(observed[name], value))
        else:
            long = Interval(value, *_bounds(expected[name], value))
        low, high = _bounds(observed[name], value)
        measures[name] = Foreseen(long, Interval(value, low, high), UNITS[name])
    return Prediction(change, until, rate, measures, tuple(_notes(fitted, change, long_run)))


def _notes(fitted: Fitted, change: Change, run: Replay) -> Iterator[str]:
    """Say what the log cannot know."""
    kinds = _overlap_share(run)
    for name, share, seen in (
        ("by overlap", kinds, fitted.kept.overlaps),
        ("after a rest", 1 - kinds, fitted.kept.cold),
    ):
        if share > 0.2 and seen < BOTH_KINDS:
            yield (
                f"{share:.0%} of the cold starts foreseen are {name}; the log holds {seen} of "
                "these: how long they take is taken from the others"
            )
    if fitted.arrivals.pattern == "timer" and change.traffic != 1:
        yield "the timer keeps its period: the rest of the traffic changes"
    for name, times in (("warm", fitted.warm), ("cold", fitted.cold_took)):
        if times.drift > times.drift_critical:
            yield f"{name} times differ between the halves of the log: one distribution is too few"


def _overlap_share(run: Replay) -> float:
    """Share of cold starts that found every environment known to be alive busy."""
    if run.arrival_s is None or run.latency_s is None or run.cold is None:
        return 0.0
    ends = np.sort(run.arrival_s + np.nan_to_num(run.latency_s))
    arrival = run.arrival_s[run.cold]
    before = np.flatnonzero(run.cold)
    under_way = before - np.searchsorted(ends, arrival, "right")
    return float((under_way > 0).mean()) if arrival.size else 0.0


def _apart(value: float, base: float) -> float:
    return value - base if math.isfinite(value) and math.isfinite(base) else 0.0


def _bounds(values: Sequence[float], middle: float) -> tuple[float, float]:
    """The middle 95 % of the draws, never without the point and never below 0."""
    known = [v for v in values if math.isfinite(v)]
    if not known:
        return middle, middle
    low, high = np.quantile(known, [0.025, 0.975], method="weibull")
    return max(min(float(low), middle), 0.0), max(float(high), middle)


def _keep(fitted: Fitted, change: Change, share: float) -> tuple[float, float]:
    """Middle and width: as asked for, the estimate, or one of what is likely."""
    if change.keep_alive_s is not None:
        return change.keep_alive_s, 0.0
    if not share:
        return fitted.kept.seconds.mean, fitted.kept.width
    upto = np.cumsum([weight for *_, weight in fitted.kept.likely])
    k = min(int(np.searchsorted(upto, share * upto[-1])), len(upto) - 1)
    return fitted.kept.likely[k][:2]


def _memory_ratio(
    fitted: Fitted, change: Change, random: np.random.Generator | None = None
) -> float:
    """Warm time at the new memory over that at the old; with `random`, another log's answer."""
    if change.memory_mb is None:
        return 1.0
    if fitted.memory_mb is None:
        raise ValueError(
            f"memory_mb={change.memory_mb!r} is not possible: the log does not say how much "
            "memory the function had"
        )
    if change.work_share is not None:
        work = change.work_share * fitted.warm.mean_s
        share = min(fitted.memory_mb / FULL_MB, 1.0)
        curve = Curve(fitted.warm.mean_s - work, work * share)
    elif len(fitted.sizes) < 2:
        raise ValueError(
            f"memory_mb={change.memory_mb!r} needs work_share, the share of a warm request's time "
            f"that computes (0 to 1): the log holds one memory size, {fitted.memory_mb} MB"
        )
    else:
        means = [
            mean if random is None else max(mean + error * random.standard_normal(), 1e-6)
            for _, mean, error in fitted.sizes
        ]
        curve = fit_curve([mb for mb, *_ in fitted.sizes], means)
    return curve.time_s(change.memory_mb) / curve.time_s(fitted.memory_mb)


def _drawn(
    fitted: Fitted, change: Change, best: _Function, k: int, count: int, seed: int
) -> _Function:
    """One of the truths that the log leaves possible."""
    random = seeded(seed, f"parameters {k}")
    rate = best.rate_per_s
    if change.rate_per_s is None:  # else the rate is given, not estimated
        known = fitted.arrivals.rate_per_s
        rate *= max(1 + random.standard_normal() * known.half_width / 1.96 / known.mean, 0.05)
    return replace(
        best, rate_per_s=rate, warm=fitted.warm.again(random), cold=fitted.cold_took.again(random),
        keep=_keep(fitted, change, (k + 0.5) / count), ratio=_memory_ratio(fitted, change, random),
    )  # fmt: skip


def _run(
    one: _Function, arrivals: Arrivals, change: Change, duration_s: float, seed: int, use: str
) -> Replay:
    """One run; the warm-up of a few keep-alives is left out of the counts."""
    middle, width = one.keep
    shortest, longest = middle * (1 - width / 2), middle * (1 + width / 2)
    # Common numbers for every truth: draw for the best rate, then stretch time.
    warm_up_s = min(2 * longest, _WARM_UP / one.rate_per_s)
    times = arrivals.draw(one.rate_per_s, duration_s + warm_up_s, seeded(seed, f"{use} arrivals"))
    if times.size < 2:
        times = np.array([0.0, duration_s])
    uniform = seeded(seed, f"{use} services").random((2, times.size))
    warm_s = one.warm.draw(uniform[0]) * one.ratio
    # Memory changes the handler's part of a cold request and leaves INIT as it is.
    cold_s = np.maximum(one.cold.draw(uniform[1]) + one.warm.mean_s * (one.ratio - 1), 0.0)
    return replay(
        times, warm_s, cold_service_s=cold_s,
        keep_alive_s=Uniform(shortest, longest) if width else middle,
        provisioned_concurrency=change.provisioned_concurrency,
        concurrency_limit=change.concurrency_limit, routing=ROUTING, seed=seed,
        warmup_s=min(warm_up_s, 0.9 * float(times[-1] - times[0])),
    )  # fmt: skip


UNITS = {
    "cold share": "", **{f"p{100 * p:g}": "s" for p in PERCENTILES},
    "mean concurrency": "", "p99 concurrency": "", "peak concurrency": "",
    "mean environments": "", "rejected share": "", "bill": "USD a month",
}  # fmt: skip


@dataclass(frozen=True)
class _Bill:
    memory_mb: int | None
    architecture: str
    prices: PriceList | None
    provisioned: int

    def usd(
        self, run: Replay, latency_s: Reals, environment: NDArray[np.integer[Any]], memory_mb: int
    ) -> float:
        """A month of this: requests, GB seconds (each request rounded up), what is kept ready."""
        arm, month = lambda_suffix(self.architecture), MONTH_S / run.span_s
        used = lambda_usage(
            0, 0.0, memory_mb, self.architecture,
            provisioned_concurrency=self.provisioned,
            provisioned_hours=MONTH_S / 3600 if self.provisioned else 0.0,
        )  # fmt: skip
        gb_s = np.ceil(latency_s * 1000 - 1e-6) / 1000 * memory_mb / 1024 * month
        on_ready = environment < self.provisioned  # these are numbered first
        used.add(f"Request{arm}", latency_s.size * month)
        used.add(f"Lambda-GB-Second{arm}", float(gb_s[~on_ready].sum()))
        if self.provisioned:
            used.add(f"Lambda-Provisioned-GB-Second{arm}", float(gb_s[on_ready].sum()))
        return float((self.prices or PriceList.load()).bill(used).total_usd)


def _measure(run: Replay, bill: _Bill) -> dict[str, float]:
    environment = run.environment
    if run.latency_s is None or run.arrival_s is None or environment is None:
        raise TypeError("a replay tells of each request")  # a run of `simulate` would not
    from_s = float(run.arrival_s[0]) + run.warmup_s
    counted = (run.arrival_s >= from_s) & np.isfinite(run.latency_s)
    latency: Reals = run.latency_s[counted]
    found = {"cold share": run.cold_share}
    for p in PERCENTILES:
        found[f"p{100 * p:g}"] = order_quantile(latency, p)
    at_once = concurrency(run.arrival_s[counted], run.arrival_s[counted] + latency)
    found["mean concurrency"] = run.mean_running
    found["p99 concurrency"] = float(at_once.p99)
    found["peak concurrency"] = float(at_once.peak)
    found["mean environments"] = run.mean_environments
    found["rejected share"] = run.rejected_share
    if bill.memory_mb is not None:
        found["bill"] = bill.usd(run, latency, environment[counted], bill.memory_mb)
    return found


def order_quantile(values: Reals, p: float) -> float:
    """The smallest value that at least the share `p` of the values does not exceed; NaN of none.

    >>> order_quantile(np.array([3.0, 1.0, 2.0, 4.0]), 0.5)
    2.0
    """
    n = values.size
    if not n:
        return math.nan
    k = max(math.ceil(p * n * (1 - 1e-12)), 1) - 1
    return float(np.partition(values, k)[k])
