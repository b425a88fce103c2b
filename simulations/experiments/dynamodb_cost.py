"""Experiments of the chapter *what DynamoDB costs*: modes, the order table's bill, auto scaling.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, NamedTuple

from simulations._check import between, not_negative, positive
from simulations.experiment import Axis, Choice, Number, Result, Role, Series, Slider, experiment
from simulations.experiments.order_table import OrderTable
from simulations.experiments.table_month import DAY_MIN, daily, serve
from simulations.pricing import PriceList, Usage, dynamodb_usage
from simulations.services import CapacityScaling, ProvisionedCapacity

MONTH_H = 730
#: The day before on-demand prices were halved.
BEFORE = "2024-10-31"
#: Assumed: how long auto scaling takes until new capacity stands ("several minutes", says AWS).
APPLY_MIN = CapacityScaling().delay_s / 60

#: How capacity may be paid: words, and the years of a reservation.
TERMS = (("provisioned", 0), ("reserved 1 year", 1), ("reserved 3 years", 3))


def on_demand_usd(kind: str, prices: PriceList | None = None) -> float:
    """USD of one request unit, "write" or "read"."""
    listed = PriceList.load() if prices is None else prices
    name = {"write": "WriteRequestUnits", "read": "ReadRequestUnits"}[kind]
    return float(listed[name].tiers[0].usd)


def hourly_usd(kind: str, years: int = 0) -> float:
    """USD of one capacity unit for an hour, provisioned or with its share of a reservation."""
    letter = kind[0]
    units: dict[str, float] = {f"{letter}cu": 100, f"reserved_{letter}cu": 100 if years else 0}
    usage = dynamodb_usage(hours=MONTH_H, term_years=years or 1, **units)  # type: ignore[arg-type]
    return float(PriceList.load().bill(usage).total_usd) / 100 / MONTH_H


def break_even(kind: str = "write", years: int = 0, prices: PriceList | None = None) -> float:
    """The utilization above which provisioned capacity is cheaper than paying by request.

    A capacity unit can serve 3,600 request units an hour; used to the share u it costs
    c / (3600 u) for each. That equals the price on demand p at u = c / (3600 p).

    Examples
    --------
    >>> round(break_even(), 4), round(break_even("read"), 4), round(break_even(years=3), 4)
    (0.2889, 0.2889, 0.0664)
    >>> round(break_even(prices=PriceList.load(as_of=BEFORE)), 4)
    0.1444
    """
    return hourly_usd(kind, years) / (3600 * on_demand_usd(kind, prices))


@experiment("dynamodb-cost")
def modes(unit: Annotated[str, Choice(("write", "read"))] = "write") -> Result:
    """Find what a million units cost in each mode, over the utilization of the capacity."""
    then = PriceList.load(as_of=BEFORE)
    shares = tuple(10 ** (k / 20) for k in range(41))
    series = [
        Series("on demand", (1, 100), (1e6 * on_demand_usd(unit),) * 2, role="decoupled"),
        Series("until 2024", (1, 100), (1e6 * on_demand_usd(unit, then),) * 2, role="decoupled"),
    ]
    numbers = {
        "on demand": Number(1e6 * on_demand_usd(unit), "USD"),
        "on demand then": Number(1e6 * on_demand_usd(unit, then), "USD"),
        "break-even then": Number(break_even(unit, 0, then)),
    }
    label_at = {0: None, 1: 1.6, 3: None}  # the middle one of three lines has little room
    roles: tuple[Role, ...] = ("coupled", "theory", "theory")
    for (words, years), role in zip(TERMS, roles, strict=True):
        full_usd = 1e6 * hourly_usd(unit, years) / 3600
        name = words.removeprefix("reserved ") if years == 1 else words
        costs = [full_usd * 100 / u for u in shares]
        series.append(Series(name, shares, costs, role=role, label_at=label_at[years]))
        numbers[f"break-even {words}"] = Number(break_even(unit, years))
        numbers[f"full {words}"] = Number(full_usd, "USD")
    found = [break_even(unit, years) for _, years in TERMS]
    series.append(
        Series("", [100 * u for u in found], [1e6 * on_demand_usd(unit)] * 3, "points", "plain")
    )
    return Result(
        Axis("utilization of capacity", "%", log=True),
        Axis("a million units", "USD", log=True),
        tuple(series),
        numbers,
    )


class Month(NamedTuple):
    """A month of the order table: what it uses, and the parts of its bill in USD."""

    usage: Usage
    parts: dict[str, float]

    @property
    def total_usd(self) -> float:
        """All parts."""
        return math.fsum(self.parts.values())


def month(
    table: OrderTable,
    orders_m: float,
    months_kept: float,
    prices: PriceList | None = None,
    pitr: bool = True,
) -> Month:
    """A month of the order table on demand, without free quantities.

    Parameters
    ----------
    table
        How it is built.
    orders_m
        Orders a month, in millions.
    months_kept
        How long an order stays, at this rate: so many months of orders are stored.
    prices
        Today's without.
    pitr
        Point-in-time recovery.
    """
    listed = PriceList.load() if prices is None else prices
    one = table.units()
    orders = 1e6 * positive("orders_m", orders_m)
    kept = orders * not_negative("months_kept", months_kept)
    gb = 1024**3

    def cost(**inputs: float | bool) -> float:
        return float(listed.bill(dynamodb_usage(**inputs)).total_usd)  # type: ignore[arg-type]

    table_gb = kept * one.item_bytes / gb
    parts = {
        "order writes": cost(writes=orders * one.writes),
        "transaction": cost(writes=orders * one.transaction),
        "customer index": cost(writes=orders * one.customer_index),
        "status index": cost(writes=orders * one.status_index),
        "reads": cost(reads=2 * orders * one.reads),
        "storage": cost(storage_gb=table_gb, items=kept, index_gb=kept * one.index_bytes / gb),
        "recovery": 0.0,
    }
    writes = one.writes + one.transaction + one.customer_index + one.status_index
    usage = dynamodb_usage(
        writes=orders * writes, reads=2 * orders * one.reads,
        storage_gb=table_gb, items=kept, index_gb=kept * one.index_bytes / gb, pitr=pitr,
    )  # fmt: skip
    if pitr:
        recovered = {"TimedPITRStorage-ByteHrs": usage["TimedPITRStorage-ByteHrs"]}
        parts["recovery"] = float(listed.bill(recovered).total_usd)
    return Month(usage, parts)


@experiment("dynamodb-cost")
def table_bill(
    orders_m: Annotated[float, Slider(0.1, 1000, log=True)] = 10.0,
    name_chars: Annotated[int, Slider(0, 2000)] = 90,
    months_kept: Annotated[float, Slider(0, 120)] = 12.0,
) -> Result:
    """Price a month of the order table, part by part."""
    table = OrderTable(name_chars=int(name_chars))
    found, one = month(table, orders_m, months_kept), table.units()
    parts = {words: usd for words, usd in found.parts.items() if usd}
    numbers = {words: Number(usd, "USD") for words, usd in parts.items()} | {
        "total": Number(found.total_usd, "USD"),
        "write units": Number(one.writes + one.transaction + one.customer_index + one.status_index),
        "read units": Number(one.reads),
        "item bytes": Number(one.item_bytes, "bytes"),
        "index bytes": Number(one.index_bytes, "bytes"),
    }
    return Result(
        Axis(""),
        Axis("a month", "USD"),
        (Series("bill", tuple(parts), tuple(parts.values()), "bars", "coupled"),),
        numbers,
    )


def levers(orders_m: float = 10.0, months_kept: float = 12.0) -> dict[str, float]:
    """The bill of the order table after each of its changes, taken one at a time, and all."""
    base = OrderTable()
    short = replace(base, name_chars=base.longest_name)
    changes = {
        "as it is": base,
        "an order within 1 KB": short,
        "index with the list's attributes": replace(base, whole_orders=False),
        "conditional put": replace(base, in_transaction=False),
        "no status index": replace(base, status_index=False),
        "the first three": replace(short, whole_orders=False, in_transaction=False),
    }
    return {
        words: month(table, orders_m, months_kept).total_usd for words, table in changes.items()
    }


#: Days of 100 units a second on average, but for those with a sale: it comes on top.
DAYS: dict[str, Callable[[int], float]] = {
    "the same all day": lambda minute: 100.0,
    "day and night": daily,
    "with a sale at noon": lambda minute: daily(minute) * (5 if 720 <= minute < 750 else 1),
    "five minutes an hour": lambda minute: 1200.0 if minute % 60 < 5 else 0.0,
    "one hour a night": lambda minute: 2400.0 if 120 <= minute < 180 else 0.0,
}


@experiment("dynamodb-cost")
def following(
    day: Annotated[str, Choice(tuple(DAYS))] = "with a sale at noon",
    target: Annotated[float, Slider(0.2, 0.9)] = 0.7,
) -> Result:
    """Follow one day's writes with auto scaling: what it reaches, throttles and costs."""
    load = [DAYS[day](minute) for minute in range(DAY_MIN)]
    first = max(1, math.ceil(load[0] / target))
    scaled = ProvisionedCapacity(1, first, CapacityScaling(target=target))
    found = serve(load * 3, scaled, skipped_min=2 * DAY_MIN)  # the third day repeats the second
    hours = [minute / 60 for minute in range(0, DAY_MIN, 3)]
    demand_usd = on_demand_usd("write") * 60 * math.fsum(load)
    fixed_usd = hourly_usd("write") * 24 * max(load)
    return Result(
        Axis("hour of the day"),
        Axis("write units", "per s"),
        (
            Series("capacity", hours, found.capacity(2 * DAY_MIN, DAY_MIN)[::3], "step", "coupled"),
            Series("asked for", hours, load[::3], "line", "plain"),
        ),
        {
            "utilization": Number(found.utilization),
            "throttled": Number(found.throttled),
            "scaled": Number(found.usd, "USD"),
            "on demand": Number(demand_usd, "USD"),
            "for the peak": Number(fixed_usd, "USD"),
            "peak utilization": Number(math.fsum(load) / DAY_MIN / max(load)),
        },
    )


def reserve(orders_m: float = 10.0, utilization: float = 0.4) -> dict[str, float]:
    """The order table's throughput in USD a month, by how its capacity is paid.

    Parameters
    ----------
    orders_m
        Orders a month, in millions.
    utilization
        What share of the capacity is used on average.
    """
    between("utilization", utilization, 0.01, 1)
    usage = month(OrderTable(), orders_m, 0, pitr=False).usage
    found = {"on demand": float(PriceList.load().bill(usage).total_usd)}
    for words, years in TERMS:
        total = Decimal(0)
        for kind, name in (("write", "WriteRequestUnits"), ("read", "ReadRequestUnits")):
            units_h = usage[name] / 3600 / Decimal(str(utilization))
            total += units_h * Decimal(str(hourly_usd(kind, years)))
        found[words] = float(total)
    return found
