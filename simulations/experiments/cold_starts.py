"""Experiments of the chapter *cold starts*: two humps, the logs of 2020, the probes of 2025.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.experiments.records import record
from simulations.services import ROUTINGS, Context, Function, keep_alive_2025
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval, share_interval
from simulations.theory import cold_probability
from simulations.workload import Distribution, Poisson, Regular

RATE = Axis("requests per hour", log=True)
SHARE = Axis("cold share", "%", log=True)

#: Rates of the curve, in requests an hour.
RATES_PER_H = (0.3, 1.0, 3.0, 8.0, 20.0, 40.0, 70.0, 120.0, 250.0, 600.0, 1500.0, 4000.0, 10_000.0)


@dataclass(frozen=True)
class ColdCount:
    """How many of so many requests were cold, with the exact binomial interval of the share."""

    requests: int
    cold: int

    @property
    def share(self) -> Interval:
        return share_interval(self.cold, self.requests)


def count_cold(
    rate_per_s: float,
    duration_s: float,
    keep_alive_s: float | Distribution,
    *,
    requests: int,
    cold_duration_s: float | None = None,
    routing: str = "most_recent",
    ping_s: float | None = None,
    seed: int = 1,
) -> ColdCount:
    """Send Poisson requests to one function and count its cold starts.

    Parameters
    ----------
    duration_s, cold_duration_s : float
        How long a warm request takes, and a cold one (the same when left out).
    requests : int
        About so many are simulated; the first twentieth is left out of the count.
    ping_s : float, optional
        A scheduled ping that often, which is over at once and not counted.
    """
    extra_s = 0.0 if cold_duration_s is None else cold_duration_s - duration_s

    def handler(request: int, context: Context) -> Steps:
        yield context.wait(duration_s)

    sim = Simulation(seed)
    function = Function(
        sim, "f", handler, timeout_s=900.0, keep_alive_s=keep_alive_s, init_s=extra_s,
        routing=routing,
    )  # fmt: skip
    whole_s = requests / rate_per_s
    loads = [Poisson(rate_per_s) >> function]
    if ping_s is not None:
        loads.append(Regular(ping_s) >> function)
    trace = sim.run(*loads, duration_s=whole_s)
    pings = set() if ping_s is None else {ping_s * n for n in range(int(whole_s / ping_s) + 1)}
    seen: set[int] = set()
    counted = cold = 0
    spans = trace.spans
    # Environments are numbered in order of creation: a span is cold when its number is new.
    for _, environment, queued_s in sorted(
        zip(spans.id, spans.environment, spans.queued_s, strict=True)
    ):
        is_cold = environment not in seen
        seen.add(environment)
        if queued_s >= whole_s / 20 and queued_s not in pings:
            counted += 1
            cold += is_cold
    return ColdCount(counted, cold)


def _requests_for(share: float, most: int) -> int:
    """Enough requests for about a hundred cold starts, within reason."""
    return int(min(max(100 / max(share, 1e-9), 2_000), most))


@experiment("cold-starts")
def cold_share(
    rate_per_h: Annotated[float, Slider(0.1, 10_000, log=True)] = 60.0,
    duration_s: Annotated[float, Slider(0.02, 10, log=True)] = 0.1,
    keep_alive_s: Annotated[float, Slider(30, 3600)] = 320.0,
    routing: Annotated[str, Choice(ROUTINGS)] = "most_recent",
    seed: int = 1,
) -> Iterator[Result]:
    """Cold share against request rate, theory and simulation; one number at `rate_per_h`.

    The theory assumes that the most recently used environment serves next.
    """
    fine = [0.1 * 10 ** (k / 12) for k in range(61)]
    theory = [100 * cold_probability(r / 3600, keep_alive_s, duration_s) for r in fine]
    line = Series("theory", fine, theory, "line", "theory", label_at=0.6)
    rates: list[float] = []
    found: list[Interval] = []

    def result() -> Result:
        expected = cold_probability(rate_per_h / 3600, keep_alive_s, duration_s)
        numbers = {"theory": Number(100 * expected, "%")}
        if rate_per_h in rates:
            here = found[rates.index(rate_per_h)]
            numbers["cold share"] = Number(100 * here.mean, "%", 100 * here.low, 100 * here.high)
        points = Series(
            "simulated",
            list(rates),
            [100 * i.mean for i in found],
            "points",
            "coupled",
            [100 * i.low for i in found],
            [100 * i.high for i in found],
        )
        return Result(RATE, SHARE, (line, points), numbers)

    for rate in (rate_per_h, *(r for r in RATES_PER_H if r != rate_per_h)):
        expected = cold_probability(rate / 3600, keep_alive_s, duration_s)
        counted = count_cold(
            rate / 3600, duration_s, keep_alive_s, routing=routing, seed=seed,
            requests=_requests_for(expected, 12_000),
        )  # fmt: skip
        rates.append(rate)
        found.append(counted.share)
        yield result()


@experiment("cold-starts")
def two_humps(
    short_s: Annotated[float, Slider(0.02, 10, log=True)] = 0.1,
    long_s: Annotated[float, Slider(0.02, 10, log=True)] = 1.2,
    seed: int = 1,
) -> Result:
    """Cold share of a short and a long function, with the keep-alive measured in 2025."""
    keep_alive = keep_alive_2025()
    fine = [0.3 * 10 ** (k / 16) for k in range(73)]
    series = []
    numbers: dict[str, Number] = {}
    for name, duration_s, role in (("short", short_s, "decoupled"), ("long", long_s, "coupled")):
        theory = [100 * cold_probability(r / 3600, keep_alive, duration_s) for r in fine]
        series.append(Series("", fine, theory, "line", "theory"))
        found = []
        for rate in RATES_PER_H:
            expected = cold_probability(rate / 3600, keep_alive, duration_s)
            counted = count_cold(
                rate / 3600, duration_s, keep_alive, seed=seed,
                requests=_requests_for(expected, 10_000),
            )  # fmt: skip
            found.append(counted.share)
        label = f"{duration_s:g} s a call"
        shares = [100 * i.mean if i.mean > 0 else float("nan") for i in found]
        lows = [100 * max(i.low, i.mean / 50) for i in found]
        highs = [100 * i.high for i in found]
        points = Series(label, RATES_PER_H, shares, "points", role, lows, highs, label_at=600.0)  # type: ignore[arg-type]
        series.append(points)
        for rate in (1, 20, 60, 120, 200, 600, 3600):
            share = cold_probability(rate / 3600, keep_alive, duration_s)
            numbers[f"{name} at {rate}/h"] = Number(share)
    return Result(RATE, SHARE, tuple(series), numbers)


@experiment("cold-starts")
def against_2020(
    requests: Annotated[int, Slider(2_000, 200_000, log=True)] = 20_000,
    keep_alive_s: Annotated[float, Slider(60, 3600)] = 600.0,
    seed: int = 1,
) -> Result:
    """The model beside the recorded logs of 2020, with three routings.

    Numbers: `z` is the distance between model and measurement in standard errors of the
    measured share, at each rate.
    """
    runs = record("cold_starts_2020")["runs"]
    rates = [3600 * run["rate_per_s"] for run in runs]
    measured = [share_interval(run["cold"], run["requests"]) for run in runs]
    numbers: dict[str, Number] = {}
    series = [
        Series(
            "measured",
            rates,
            [100 * i.mean for i in measured],
            "points",
            "measured",
            [100 * i.low for i in measured],
            [100 * i.high for i in measured],
            label_at=rates[2],
        )
    ]
    for routing, role, label in (
        ("most_recent", "decoupled", "most recent"),
        ("random", "coupled", "random"),
        ("least_recent", "fifth", "least recent"),
    ):
        shares = []
        for run in runs:
            counted = count_cold(
                run["rate_per_s"], 1.96, keep_alive_s, cold_duration_s=2.4, routing=routing,
                requests=requests * (5 if (routing, run) == ("most_recent", runs[-1]) else 1),
                seed=seed,
            )  # fmt: skip
            share = counted.share
            shares.append(share)
            key = f"{routing} at {run['rate_per_s']}/s"
            numbers[key] = Number(share.mean, "", share.low, share.high)
            if routing == "most_recent":
                p = run["cold"] / run["requests"]
                error = (p * (1 - p) / run["requests"]) ** 0.5
                numbers[f"z at {run['rate_per_s']}/s"] = Number((share.mean - p) / error)
        # A share of zero has no place on a log axis: its upper bound is drawn instead.
        values = [100 * (i.mean or i.high) for i in shares]
        series.append(Series(label, rates, values, "line", role, label_at=rates[-1]))  # type: ignore[arg-type]
    return Result(RATE, SHARE, tuple(series), numbers)


@experiment("cold-starts")
def idle_gap(
    probes: Annotated[int, Slider(100, 10_000, log=True)] = 500,
    seed: int = 1,
) -> Result:
    """Cold share after an idle gap: the probes of 2025 and the model fitted to them."""
    gaps = record("idle_gaps_2025")["gaps"]
    gaps = [g for g in gaps if g["gap_s"] <= 420]
    keep_alive = keep_alive_2025()
    measured = [share_interval(g["cold"], g["probes"]) for g in gaps]
    modeled = []
    for g in gaps:
        sim = Simulation(seed)
        function = Function(sim, "f", _instant)
        sim.run(Regular(g["gap_s"]) >> function, duration_s=g["gap_s"] * (probes + 0.5))
        modeled.append((function.cold - 1) / (function.invocations - 1))
    squares = [(m.mean - s) ** 2 for m, s in zip(measured, modeled, strict=True)]
    seconds = [g["gap_s"] for g in gaps]
    return Result(
        Axis("idle gap", "s"),
        Axis("cold share", "%"),
        (
            Series("model", seconds, [100 * s for s in modeled], "line", "decoupled"),
            Series(
                "measured",
                seconds,
                [100 * i.mean for i in measured],
                "points",
                "measured",
                [100 * i.low for i in measured],
                [100 * i.high for i in measured],
                label_at=300,
            ),
        ),
        {
            "low": Number(keep_alive.low, "s"),
            "high": Number(keep_alive.high, "s"),
            "root mean square error": Number((sum(squares) / len(squares)) ** 0.5),
        },
    )


def _instant(_: object, __: Context) -> None:
    """A handler that takes no time."""


@experiment("cold-starts")
def pinged(
    rate_per_h: Annotated[float, Slider(1, 10_000, log=True)] = 60.0,
    duration_s: Annotated[float, Slider(0.02, 10, log=True)] = 1.2,
    ping_s: Annotated[float, Slider(30, 290)] = 240.0,
    requests: Annotated[int, Slider(2_000, 200_000, log=True)] = 40_000,
    seed: int = 1,
) -> Result:
    """What a scheduled ping changes: cold share of the real requests with and without it."""
    keep_alive = keep_alive_2025()
    numbers = {}
    for name, ping in (("without", None), ("with", ping_s)):
        share = count_cold(
            rate_per_h / 3600, duration_s, keep_alive, requests=requests, ping_s=ping, seed=seed
        ).share
        numbers[name] = Number(share.mean, "", share.low, share.high)
    heights = [100 * n.value for n in numbers.values()]
    bars = Series("", ["no ping", f"ping every {ping_s:g} s"], heights, "bars", "coupled")
    return Result(Axis(""), Axis("cold share", "%"), (bars,), numbers)
