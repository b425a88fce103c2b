"""A table under load: a month minute by minute, a few minutes request by request, both priced.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Annotated

from simulations._check import positive
from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.pricing import PriceList, Usage, usage
from simulations.services import (
    CapacityScaling,
    Context,
    Function,
    OnDemand,
    ProvisionedCapacity,
    Sized,
    Table,
)
from simulations.services.capacity import Capacity, Throughput
from simulations.services.handler import Steps
from simulations.services.throughput import MINUTE_S
from simulations.simulation import Simulation
from simulations.workload import Poisson

DAY_MIN = 1440
MONTH_MIN = 730 * 60
#: How far a minute of the simulated month may lie from its load, either way.
NOISE = 0.1


@dataclass(frozen=True)
class Served:
    """What became of a load of writes in one mode.

    Attributes
    ----------
    asked, served : float
        Write units.
    capacity_h : float
        Capacity units times hours; 0 on demand.
    history : tuple of (at_s, capacity)
        Every change of capacity; empty on demand.
    """

    asked: float
    served: float
    capacity_h: float
    history: tuple[tuple[float, float], ...]

    @property
    def throttled(self) -> float:
        """Share of the units asked for that found neither capacity nor burst credit."""
        return max(0.0, 1 - self.served / self.asked)

    @property
    def utilization(self) -> float:
        """Units served over units provisioned."""
        return self.served / (3600 * self.capacity_h) if self.capacity_h else math.nan

    @property
    def usd(self) -> float:
        """What is paid for it."""
        name, quantity = "WriteRequestUnits", self.served
        if self.history:
            name, quantity = "WriteCapacityUnit-Hrs", self.capacity_h
        return float(PriceList.load().bill(Usage({name: quantity})).total_usd)

    def usd_at_hourly_peaks(self, hours: int) -> float:
        """What is paid if each hour of capacity counts at its highest minute."""
        by_minute = self.capacity(0, 60 * hours)
        peaks = math.fsum(max(by_minute[60 * k : 60 * k + 60]) for k in range(hours))
        return float(PriceList.load().bill(Usage({"WriteCapacityUnit-Hrs": peaks})).total_usd)

    def capacity(self, from_min: int, minutes: int) -> list[float]:
        """Capacity units at the start of each of some minutes."""
        changes = [at_s for at_s, _ in self.history]
        return [
            self.history[bisect_right(changes, MINUTE_S * minute) - 1][1]
            for minute in range(from_min, from_min + minutes)
        ]


def serve(load: Sequence[float], capacity: Capacity, skipped_min: int = 0) -> Served:
    """Serve a load of writes, units a second minute by minute, with a table's own limits.

    The units of a minute come evenly and fall on many items; what is throttled is not tried
    again.

    Parameters
    ----------
    load
        Write units a second in each minute.
    capacity
        The table's mode.
    skipped_min
        Minutes at the start that are simulated and left out.

    Examples
    --------
    >>> steady = serve([70.0] * 600, ProvisionedCapacity(1, 100, CapacityScaling()))
    >>> round(steady.utilization, 2), steady.throttled
    (0.7, 0.0)
    """
    if not any(load[skipped_min:]):
        raise ValueError("load is empty: there is nothing to serve")
    writes = Throughput("Table", "write", capacity)
    served = [writes.serve(MINUTE_S * k, MINUTE_S * per_s) for k, per_s in enumerate(load)]
    start_s, end_s = MINUTE_S * skipped_min, MINUTE_S * len(load)
    spent_s = writes.capacity_s(end_s) - writes.capacity_s(start_s)
    asked = MINUTE_S * math.fsum(load[skipped_min:])
    served_units = math.fsum(served[skipped_min:])
    return Served(asked, served_units, spent_s / 3600, tuple(writes.history))


def daily(minute: int) -> float:
    """A shop's day: least at four in the morning, most at four in the afternoon; 100 on average."""
    return 100 - 95 * math.cos(2 * math.pi * (minute - 240) / DAY_MIN)


def _sales(minute: int) -> float:
    day, at = divmod(minute, DAY_MIN)
    return daily(at) * (5 if day % 7 == 6 and 720 <= at < 750 else 1)


def _launch(minute: int) -> float:
    day, at = divmod(minute, DAY_MIN)
    return 9000.0 if day == 14 and 720 <= at < 780 else daily(at)


#: Loads of a month in write units a second, by minute.
MONTHS: dict[str, Callable[[int], float]] = {
    "the same all day": lambda minute: 100.0,
    "day and night": daily,
    "and a sale each Sunday": _sales,
    "five minutes an hour": lambda minute: 1200.0 if minute % 60 < 5 else 0.0,
    "one hour a night": lambda minute: 2400.0 if 120 <= minute % DAY_MIN < 180 else 0.0,
    "an hour of launch": _launch,
}


@dataclass(frozen=True)
class Month:
    """A month on demand, provisioned for its peak, and scaled: an idle minute is zero or missing."""

    on_demand: Served
    for_peak: Served
    scaled: Served
    scaled_if_idle_is_missing: Served


def month(words: str, seed: int = 1, target: float = 0.7) -> Month:
    """Simulate a month of one of `MONTHS`, each minute up to a tenth off its load.

    Parameters
    ----------
    words
        Which of them.
    seed
        Of the noise.
    target
        Of auto scaling, which begins with what the first minute needs.
    """
    if words not in MONTHS:
        raise ValueError(f"words={words!r} is none of {', '.join(MONTHS)}")
    random = Random(seed)
    shape = MONTHS[words]
    load = [shape(minute) * (1 + NOISE * (2 * random.random() - 1)) for minute in range(MONTH_MIN)]
    first = max(1, math.ceil(load[0] / target))

    def scaled(idle_counts: bool) -> Served:
        scaling = CapacityScaling(target=target, idle_counts=idle_counts)
        return serve(load, ProvisionedCapacity(1, first, scaling))

    with_zeros = scaled(True)
    return Month(
        serve(load, OnDemand()),
        serve(load, ProvisionedCapacity(1, math.ceil(max(load)))),
        with_zeros,
        scaled(False) if min(load) == 0 else with_zeros,
    )


#: How much of the capacity the simulated tables are asked for.
ASKED = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.45, 0.6, 0.8, 1.0, 1.5)


@experiment("dynamodb-cost")
def found_break_even(
    capacity: Annotated[int, Slider(5, 200)] = 20,
    lasts_s: Annotated[float, Slider(60, 3600)] = 90.0,
    seed: int = 1,
) -> Result:
    """Find the break-even by simulating writes to two tables, one in each mode, and their bill."""
    points = [
        _side_by_side(asked, int(capacity), positive("lasts_s", lasts_s), seed + number)
        for number, asked in enumerate(ASKED)
    ]
    shares = [100 * point.utilization for point in points]
    on_demand = [point.on_demand_usd for point in points]
    fixed = [point.provisioned_usd for point in points]
    return Result(
        Axis("utilization of capacity", "%", log=True),
        Axis("a million writes served", "USD", log=True),
        (
            Series("on demand", shares, on_demand, "points", "decoupled"),
            Series("provisioned", shares, fixed, "points", "coupled"),
        ),
        {
            "found": Number(_crossing(points)),
            "asked beyond": Number(ASKED[-1]),
            "throttled beyond": Number(points[-1].throttled),
            "throttled below": Number(max(point.throttled for point in points[:-2])),
            "requests": Number(sum(point.requests for point in points)),
        },
    )


@dataclass(frozen=True)
class Point:
    """What a million writes cost in two tables that were asked for the same, side by side."""

    requests: int
    utilization: float
    throttled: float
    on_demand_usd: float
    provisioned_usd: float


def _side_by_side(asked: float, capacity: int, lasts_s: float, seed: int) -> Point:
    """Write at random times to two tables, and bill the trace."""
    sim = Simulation(seed)
    by_request = Table(sim, "by request")
    fixed_capacity = ProvisionedCapacity(1, capacity, full_burst=False)
    by_hour = Table(sim, "by hour", capacity=fixed_capacity)

    def handler(number: int, context: Context) -> Steps:
        item = Sized(f"order {number}", 1000)
        yield by_request.put(item) & by_hour.put(item)

    trace = sim.run(Poisson(asked * capacity) >> Function(sim, "F", handler), duration_s=lasts_s)
    used, prices = usage(trace), PriceList.load()

    def million_usd(name: str, table: Table) -> float:
        bill = prices.bill(Usage({name: used[name]}))
        return 1e6 * float(bill.total_usd) / table.throughput["Table", "write"].consumed

    return Point(
        len(trace.requests),
        by_hour.throughput["Table", "write"].consumed / capacity / lasts_s,
        by_hour.throttled / len(trace.requests),
        million_usd("WriteRequestUnits", by_request),
        million_usd("WriteCapacityUnit-Hrs", by_hour),
    )


def _crossing(points: Sequence[Point]) -> float:
    """The utilization at which both cost the same, between points, on logarithmic axes."""
    for before, after in pairwise(points):
        above = math.log(before.provisioned_usd / before.on_demand_usd)
        below = math.log(after.provisioned_usd / after.on_demand_usd)
        if above > 0 >= below:
            way = above / (above - below)
            return math.exp(
                math.log(before.utilization) * (1 - way) + math.log(after.utilization) * way
            )
    return math.nan
