"""DynamoDB's two modes, to play with: the bill of a table whose traffic comes in bursts.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Annotated

from simulations.experiment import Axis, Choice, Grid, Number, Result, Series, Slider, experiment
from simulations.experiments.dynamodb_cost import MONTH_H, hourly_usd, on_demand_usd
from simulations.experiments.live_counts import percent, poisson
from simulations.services.capacity import CapacityScaling, ProvisionedCapacity, Throughput
from simulations.stats import Interval, mean_interval

#: Peaks over the usual rate at which auto scaling is tried.
PEAKS = (1.0, 2.0, 4.0, 8.0, 16.0, 40.0, 100.0)
#: Days simulated: each has other minutes by chance.
DAYS = 6
DAY_MIN, MINUTE_S = 1440, 60.0
#: As DynamoDB scales by default.
SCALING = CapacityScaling()


@cache
def _per_unit(kind: str) -> tuple[float, float]:
    """USD a request unit on demand, and a capacity unit an hour."""
    return on_demand_usd(kind), hourly_usd(kind)


def usual_rate(mean_per_s: float, peak: float, burst_min: float, every_h: float) -> float:
    """Units a second outside bursts, so that the mean is as asked for.

    Examples
    --------
    >>> usual_rate(100.0, 1.0, 10.0, 1.0), usual_rate(100.0, 6.0, 12.0, 1.0)
    (100.0, 50.0)
    """
    busy = burst_min / (60 * every_h)
    return mean_per_s / (1 - busy + busy * peak)


def day_of(
    mean_per_s: float, peak: float, burst_min: float, every_h: float, random: Random | None
) -> list[float]:
    """Units a second, minute by minute; Poisson around the rate, or exactly it without `random`."""
    usual = usual_rate(mean_per_s, peak, burst_min, every_h)
    rates = [
        usual * (peak if minute % round(60 * every_h) < burst_min else 1.0)
        for minute in range(DAY_MIN)
    ]
    if random is None:
        return rates
    return [poisson(random, 60 * rate) / 60 for rate in rates]


def provisioned_usd(
    kind: str, mean_per_s: float, peak: float, burst_min: float, every_h: float
) -> float:
    """USD a month for capacity that always suffices for the peak."""
    need = usual_rate(mean_per_s, peak, burst_min, every_h) * peak
    return _per_unit(kind)[1] * MONTH_H * max(math.ceil(need - 1e-9), 1)


def demanded_usd(kind: str, mean_per_s: float) -> float:
    """USD a month on demand."""
    return _per_unit(kind)[0] * mean_per_s * 3600 * MONTH_H


def _scaled(kind: str, load: list[float]) -> tuple[float, float, float]:
    """USD a month, utilization and share throttled under auto scaling, on the second such day."""
    if not any(load):
        return _per_unit(kind)[1] * MONTH_H, 0.0, 0.0
    first = min(max(math.ceil(load[0] / SCALING.target), SCALING.minimum), SCALING.maximum)
    table = Throughput("table", "write", ProvisionedCapacity(1, first, SCALING))
    served = [table.serve(MINUTE_S * k, MINUTE_S * u) for k, u in enumerate(load * 2)][DAY_MIN:]
    day_s = MINUTE_S * DAY_MIN
    provisioned = table.capacity_s(2 * day_s) - table.capacity_s(day_s)
    found = math.fsum(served)
    throttled = max(0.0, 1 - found / (MINUTE_S * math.fsum(load)))
    return _per_unit(kind)[1] * MONTH_H * provisioned / day_s, found / provisioned, throttled


BURST_MIN = Annotated[int, Slider(1, 60, log=True, label="a burst lasts", unit="min")]
EVERY_H = Annotated[int, Choice((1, 2, 4, 6, 12, 24), label="a burst every so many hours")]
MEAN_PER_S = Annotated[float, Slider(1, 5000, log=True, label="units, on average", unit="a second")]
KIND = Annotated[str, Choice(("write", "read"), label="units")]


@experiment(
    "dynamodb-cost",
    presets={
        "flash sale": {"every_h": 24, "burst_min": 30, "peak": 40.0},
        "five minutes an hour": {"every_h": 1, "burst_min": 5, "peak": 16.0},
        "steady": {"peak": 1.0},
        "quiet table": {"mean_per_s": 1.0, "peak": 4.0},
    },
)
def table_modes(
    mean_per_s: MEAN_PER_S = 100.0,
    peak: Annotated[float, Slider(1, 100, log=True, label="burst over usual rate")] = 8.0,
    burst_min: BURST_MIN = 10,
    every_h: EVERY_H = 6,
    kind: KIND = "write",
    seed: int = 1,
) -> Iterator[Result]:
    """A month of a table on demand, provisioned for its peak, and with auto scaling.

    Against how far bursts rise above the usual rate, at one mean rate. On demand and provisioned
    for the peak are exact; auto scaling is simulated, minute by minute, and what it throttles in
    a burst is neither served nor paid for. The numbers are those of the chosen burst.
    """
    fine = [10 ** (k / 30) for k in range(61)]
    demand = demanded_usd(kind, mean_per_s)
    lines = (
        Series("on demand", (1.0, 100.0), (demand, demand), "line", "decoupled"),
        Series(
            "for the peak", fine,
            [provisioned_usd(kind, mean_per_s, p, burst_min, every_h) for p in fine],
            "line", "theory",
        ),
    )  # fmt: skip
    peaks = sorted({peak, *PEAKS})
    costs: dict[float, list[float]] = {p: [] for p in peaks}
    here: list[tuple[float, float]] = []
    for day in range(DAYS):
        for place, p in enumerate(sorted(peaks, key=lambda p: p != peak)):
            random = Random(f"{seed} {day} {p}")
            usd, used, throttled = _scaled(kind, day_of(mean_per_s, p, burst_min, every_h, random))
            costs[p].append(usd)
            if p == peak:
                here.append((used, throttled))
            if p != peak and place % 2:
                continue
            ready = [p for p in peaks if costs[p]]
            found = [
                mean_interval(costs[p]) if len(costs[p]) > 1 else Interval(*costs[p] * 3)
                for p in ready
            ]
            points = Series(
                "auto scaling", ready, [i.mean for i in found], "points", "coupled",
                [max(i.low, 0.0) for i in found], [i.high for i in found],
            )  # fmt: skip
            scaled = found[ready.index(peak)]
            lost = [throttled for _, throttled in here]
            shares = mean_interval(lost) if len(lost) > 1 else Interval(*lost * 3)
            numbers = {
                "on demand": Number(demand, "USD a month"),
                "for the peak": Number(
                    provisioned_usd(kind, mean_per_s, peak, burst_min, every_h), "USD a month"
                ),
                "auto scaling": Number(
                    scaled.mean, "USD a month", max(scaled.low, 0.0), scaled.high
                ),
                "throttled with it": percent(shares),
                "used with it": Number(100 * math.fsum(u for u, _ in here) / len(here), "%"),
            }
            yield Result(
                Axis("burst over usual rate", "times", log=True),
                Axis("a month", "USD"),
                (*lines, points), numbers,
                progress=(day * len(peaks) + place + 1) / (DAYS * len(peaks)),
            )  # fmt: skip


MAP_PEAKS = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 16.0, 40.0, 100.0)
MAP_MINUTES = (60, 30, 20, 10, 5, 2)
#: What the map shows.
COST, THROTTLED = "bill for the peak", "throttled by auto scaling"


@experiment(
    "dynamodb-cost",
    presets={
        "every hour": {"every_h": 1},
        "once a day": {"every_h": 24},
        "quiet table": {"mean_per_s": 1.0},
        "auto scaling": {"shows": THROTTLED},
    },
)
def burst_map(
    every_h: EVERY_H = 6,
    mean_per_s: MEAN_PER_S = 100.0,
    shows: Annotated[str, Choice((COST, THROTTLED), label="the map shows")] = COST,
) -> Iterator[Result]:
    """Provisioned capacity against on demand, by length and height of a table's bursts.

    Either the bill of capacity for the peak in percent of that on demand (below 100, provisioned
    is cheaper; writes and reads alike, as far as whole units allow), or the share of the units
    that auto scaling throttles. Rates are exact, without chance.
    """
    demand = demanded_usd("write", mean_per_s)
    cells = [(row, column) for row in range(len(MAP_MINUTES)) for column in range(len(MAP_PEAKS))]
    values = [[math.nan] * len(MAP_PEAKS) for _ in MAP_MINUTES]
    done: list[float] = []
    for number, (row, column) in enumerate(cells):
        burst_min, peak = MAP_MINUTES[row], MAP_PEAKS[column]
        if shows == COST:
            share = provisioned_usd("write", mean_per_s, peak, burst_min, every_h) / demand
        else:
            share = _scaled("write", day_of(mean_per_s, peak, burst_min, every_h, None))[2]
        values[row][column] = 100 * share
        done.append(100 * share)
        if number % 4 and number + 1 < len(cells):
            continue
        marked = sum(value > (100 if shows == COST else 1) for value in done)
        yield Result(
            Axis("burst over usual rate", "times", log=True),
            Axis("a burst lasts", "min"),
            numbers={
                "least": Number(min(done), "%"),
                "most": Number(max(done), "%"),
                "on demand cheaper" if shows == COST else "above one percent": Number(
                    marked, "of the places"
                ),
            },
            grid=Grid(MAP_MINUTES, MAP_PEAKS, [list(line) for line in values], "%"),
            progress=(number + 1) / len(cells),
        )
