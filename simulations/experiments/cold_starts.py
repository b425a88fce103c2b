"""Experiments of the chapter *cold starts*: two humps, the logs of 2020, the probes of 2025.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Role, Series, Slider, experiment
from simulations.experiments.cold_count import count_cold
from simulations.experiments.records import record
from simulations.services import ROUTINGS, Context, Function, keep_alive
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval, share_interval
from simulations.theory import cold_probability
from simulations.workload import Poisson, Regular

RATE = Axis("requests per hour", log=True)
SHARE = Axis("cold share", "%", log=True)

#: Rates of the curve, in requests an hour.
RATES_PER_H = (0.3, 1.0, 3.0, 8.0, 20.0, 40.0, 70.0, 120.0, 240.0, 480.0, 1000.0, 2500.0, 6000.0)
#: Rates at which the numbers of `two_humps` are given.
NAMED_PER_H = (1, 20, 60, 100, 200, 400, 600, 3600)


def _requests_for(share: float, most: int) -> int:
    """Enough requests for about a hundred cold starts, within reason."""
    return int(min(max(100 / max(share, 1e-9), 1_000), most))


def _percent(name: str, x: list[float], shares: list[Interval], role: Role, at: float) -> Series:
    """Points with their intervals, in percent; none where nothing was cold."""
    return Series(
        name, x, [100 * i.mean if i.mean else float("nan") for i in shares], "points", role,
        [100 * i.low for i in shares], [100 * i.high for i in shares], label_at=at,
    )  # fmt: skip


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
    order = (rate_per_h, *(r for r in RATES_PER_H if r != rate_per_h))
    for number, rate in enumerate(order):
        expected = cold_probability(rate / 3600, keep_alive_s, duration_s)
        counted = count_cold(
            rate / 3600, duration_s, keep_alive_s, routing=routing, seed=100 * seed + number,
            requests=_requests_for(expected, 12_000),
        )  # fmt: skip
        rates.append(rate)
        found.append(counted.share)
        here = found[0]
        numbers = {
            "theory": Number(
                100 * cold_probability(rate_per_h / 3600, keep_alive_s, duration_s), "%"
            ),
            "cold share": Number(100 * here.mean, "%", 100 * here.low, 100 * here.high),
        }
        points = _percent("simulated", list(rates), list(found), "coupled", 20.0)
        yield Result(RATE, SHARE, (line, points), numbers)


def _valley_and_hill(shares: list[float]) -> tuple[int, int]:
    """Where the share first begins to rise, and where that rise ends (places in the list)."""
    last = len(shares) - 1
    valley = next((i for i in range(last) if shares[i + 1] > shares[i]), last)
    hill = next((i for i in range(valley, last) if shares[i + 1] < shares[i]), last)
    return valley, hill


@experiment("cold-starts")
def two_humps(
    short_s: Annotated[float, Slider(0.02, 10, log=True)] = 0.1,
    long_s: Annotated[float, Slider(0.02, 10, log=True)] = 1.2,
    most_requests: Annotated[int, Slider(1_000, 100_000, log=True)] = 12_000,
    seed: int = 1,
) -> Result:
    """Cold share of a short and a long function, with the keep-alive measured in 2025.

    Numbers, for "short" and "long": the share in theory "at R/h"; the "valley" where it begins
    to rise and the "hill" where the rise ends, as rates (per hour) and shares. "points" counts
    the simulated points, "points that hold the theory" those whose interval does.
    """
    kept = keep_alive(2025)
    fine = [0.3 * 10 ** (k / 24) for k in range(109)]
    series = []
    numbers: dict[str, Number] = {}
    points = holding = 0
    roles: tuple[tuple[str, float, Role, float], ...] = (
        ("short", short_s, "decoupled", 1200.0),
        ("long", long_s, "coupled", 160.0),
    )
    for number, (name, duration_s, role, label_at) in enumerate(roles):
        theory = [cold_probability(r / 3600, kept, duration_s) for r in fine]
        label = "theory" if name == "long" else ""
        lines = [100 * share for share in theory]
        series.append(Series(label, fine, lines, "line", "theory", label_at=5.0))
        found = []
        for k, rate in enumerate(RATES_PER_H):
            expected = cold_probability(rate / 3600, kept, duration_s)
            share = count_cold(
                rate / 3600, duration_s, kept, seed=1000 * seed + 100 * number + k,
                requests=_requests_for(expected, most_requests),
            ).share  # fmt: skip
            found.append(share)
            points += 1
            holding += share.low <= expected <= share.high
        series.append(
            _percent(f"{duration_s:g} s a call", list(RATES_PER_H), found, role, label_at)
        )
        for rate in NAMED_PER_H:
            share_there = cold_probability(rate / 3600, kept, duration_s)
            numbers[f"{name} at {rate}/h"] = Number(share_there)
        valley, hill = _valley_and_hill(theory)
        rising = slice(valley, hill + 1)
        label = "busier,\ncolder" if name == "short" else ""
        series.append(
            Series(label, fine[rising], lines[rising], "line", role, label_at=fine[valley])
        )
        for what, place in (("valley", valley), ("hill", hill)):
            numbers[f"{name} {what} rate"] = Number(fine[place], "1/h")
            numbers[f"{name} {what}"] = Number(theory[place])
    numbers["points"] = Number(points)
    numbers["points that hold the theory"] = Number(holding)
    return Result(RATE, SHARE, tuple(series), numbers)


@dataclass(frozen=True)
class Life:
    """One environment: when it was made and ended, and from when to when each call ran."""

    made_s: float
    ended_s: float
    calls_s: tuple[tuple[float, float], ...]


def lives(
    rate_per_h: float = 60.0,
    duration_s: float = 10.0,
    horizon_s: float = 2400.0,
    seed: int = 1,
) -> tuple[Life, ...]:
    """The environments of one function, in the order they were made, up to `horizon_s`.

    Raises
    ------
    ValueError
        If a parameter is not possible.
    """

    def handler(request: int, context: Context) -> Steps:
        yield context.wait(duration_s)

    sim = Simulation(seed)
    function = Function(sim, "f", handler, timeout_s=900.0)
    # Beyond the horizon, so that those end which are alive at it.
    trace = sim.run(Poisson(rate_per_h / 3600) >> function, duration_s=horizon_s + 3600.0)
    calls: dict[int, list[tuple[float, float]]] = {}
    for span in trace.spans_of("f", "invoke"):
        if span.start_s < horizon_s:
            end_s = min(span.end_s, horizon_s)
            calls.setdefault(span.environment, []).append((span.start_s, end_s))
    found = []
    for row in trace.environments.rows():
        if row.environment in calls:
            # An end that the trace does not know lies beyond its own end.
            ended_s = min(row.ended_s, horizon_s) if row.ended_s == row.ended_s else horizon_s
            found.append(Life(row.created_s, ended_s, tuple(sorted(calls[row.environment]))))
    return tuple(sorted(found, key=lambda life: life.made_s))


def across_apps(duration_s: float) -> tuple[float, float]:
    """Cold share of the average app, and of the average call, on a whole platform.

    Apps and their rates are those of Azure in 2019 (record `call_rates_2019`), with Poisson
    calls of `duration_s` and the keep-alive that Lambda had in 2025: an illustration.

    Examples
    --------
    >>> apps, calls = across_apps(duration_s=0.1)
    >>> calls < 0.01 < 0.4 < apps
    True
    """
    platform = record("call_rates_2019")
    by_app = by_call = 0.0
    for one in platform["bins"]:
        rate_per_s = one["calls"] / one["apps"] / 86_400
        share = cold_probability(rate_per_s, keep_alive(2025), duration_s)
        by_app += share * one["apps"] / platform["apps"]
        by_call += share * one["calls"] / platform["calls"]
    return by_app, by_call


#: Simulated requests for one that was recorded, so that the log's chance outweighs the model's.
_TIMES_RECORDED = {"most_recent": 8, "random": 2, "least_recent": 2}


@experiment("cold-starts")
def against_2020(
    effort: Annotated[float, Slider(0.1, 50, log=True)] = 1.0,
    keep_alive_s: Annotated[float, Slider(60, 3600)] = 600.0,
    seed: int = 1,
) -> Result:
    """The model beside the recorded logs of 2020, with three routings.

    At `effort` 1 the model handles 2 to 8 times as many requests as were recorded. Numbers, at
    each rate: the share with each routing, and "z", the distance between model (most recent)
    and measurement in standard errors of the measured share. A share of zero has no place on
    a log axis: the upper bound of its interval is drawn instead.
    """
    runs = record("cold_starts_2020")["runs"]
    rates = [3600 * run["rate_per_s"] for run in runs]
    measured = [share_interval(run["cold"], run["requests"]) for run in runs]
    numbers: dict[str, Number] = {}
    series = []
    routings: tuple[tuple[str, Role, str], ...] = (
        ("most_recent", "decoupled", "most recent"),
        ("random", "coupled", "random"),
        ("least_recent", "fifth", "least recent"),
    )
    for routing, role, label in routings:
        shares = []
        for k, run in enumerate(runs):
            recorded = max(run["requests"], 600)
            share = count_cold(
                run["rate_per_s"], 1.96, keep_alive_s, cold_duration_s=2.4, routing=routing,
                requests=max(int(effort * recorded * _TIMES_RECORDED[routing]), 500),
                seed=100 * seed + k,
            ).share  # fmt: skip
            shares.append(share)
            numbers[f"{routing} at {run['rate_per_s']}/s"] = Number(
                share.mean, "", share.low, share.high
            )
            if routing == "most_recent":
                p = measured[k].mean
                error = (p * (1 - p) / run["requests"]) ** 0.5
                numbers[f"z at {run['rate_per_s']}/s"] = Number((share.mean - p) / error)
        values = [100 * (i.mean or i.high) for i in shares]
        series.append(Series(label, rates, values, "line", role, label_at=200.0))
    series.append(_percent("measured", rates, measured, "measured", 8.0))
    return Result(RATE, SHARE, tuple(series), numbers)


@experiment("cold-starts")
def idle_gap(
    probes: Annotated[int, Slider(100, 20_000, log=True)] = 2_000,
    seed: int = 1,
) -> Result:
    """Cold share after an idle gap: the probes of 2025 and the model fitted to them."""
    gaps = [g for g in record("idle_gaps_2025")["gaps"] if g["gap_s"] <= 420]
    kept = keep_alive(2025)
    measured = [share_interval(g["cold"], g["probes"]) for g in gaps]
    seconds = [float(g["gap_s"]) for g in gaps]
    modeled = {}
    low_s, high_s = kept.quantile(0.0), kept.quantile(1.0)
    for gap_s in sorted({*seconds, low_s, high_s}):
        sim = Simulation(seed)
        function = Function(sim, "f", _instant)
        sim.run(Regular(gap_s) >> function, duration_s=gap_s * (probes + 0.5))
        modeled[gap_s] = (function.cold - 1) / (function.invocations - 1)
    squares = [(m.mean - modeled[s]) ** 2 for m, s in zip(measured, seconds, strict=True)]
    shares = [100 * s for s in modeled.values()]
    points = Series(
        "measured", seconds, [100 * i.mean for i in measured], "points", "measured",
        [100 * i.low for i in measured], [100 * i.high for i in measured], label_at=320,
    )  # fmt: skip
    return Result(
        Axis("time since the last request", "s"),
        Axis("cold share", "%"),
        (Series("model", list(modeled), shares, "line", "decoupled", label_at=380), points),
        {
            "low": Number(low_s, "s"),
            "high": Number(high_s, "s"),
            "root mean square error": Number((sum(squares) / len(squares)) ** 0.5),
        },
    )


def _instant(_: object, __: Context) -> None:
    """Take no time at all."""


@experiment("cold-starts")
def pinged(
    rate_per_h: Annotated[float, Slider(0.1, 10_000, log=True)] = 60.0,
    duration_s: Annotated[float, Slider(0.02, 10, log=True)] = 1.2,
    ping_s: Annotated[float, Slider(30, 290)] = 240.0,
    requests: Annotated[int, Slider(500, 200_000, log=True)] = 10_000,
    seed: int = 1,
) -> Result:
    """What scheduled pings change: cold share of the real requests without, with one, with two.

    Two pings are sent at the same moment and overlap, so that they hold two environments.
    """
    kept = keep_alive(2025)
    numbers = {}
    settings: tuple[tuple[str, float | None, int], ...] = (
        ("no ping", None, 0),
        ("one ping", ping_s, 1),
        ("two at once", ping_s, 2),
    )
    for name, ping, at_once in settings:
        share = count_cold(
            rate_per_h / 3600, duration_s, kept, requests=requests, ping_s=ping,
            pings_at_once=at_once, seed=seed,
        ).share  # fmt: skip
        numbers[name] = Number(share.mean, "", share.low, share.high)
    heights = [100 * n.value for n in numbers.values()]
    bars = Series("", list(numbers), heights, "bars", "coupled")
    return Result(Axis(""), Axis("cold share", "%"), (bars,), numbers)
