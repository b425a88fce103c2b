"""DynamoDB: units against DynamoDB Local, bills against AWS's, break-evens against arithmetic.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations.experiments.dynamodb_cost import DAYS, autoscale, break_even, hourly_usd
from simulations.experiments.order_table import TABLES, OrderTable
from simulations.experiments.records import record
from simulations.experiments.table_examples import ON_DEMAND_PAGE, TABLE_EXAMPLES
from simulations.pricing import PriceList
from simulations.stats import Interval
from simulations.truth import Compared, row

RESERVED = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/reserved-capacity.html"
SCALING = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html"
UNITS = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"
)


def _exact(value: float) -> Interval:
    return Interval(value, value, value)


def _order_units(words: str, table: OrderTable) -> Callable[[], Compared]:
    def compare() -> Compared:
        local, ours = record("table_units")["units"][words], table.units()
        return Compared(_exact(sum(getattr(ours, name) for name in local)), sum(local.values()))

    return compare


for number, (words, table) in enumerate(TABLES.items(), start=1):
    row(
        f"order-units-{number}", kind="verification", chapter="dynamodb-cost", unit="units",
        what=f"Read and write units of an order's life, table and two indexes: {words}",
        source="DynamoDB Local, asked over a connection, 2026", url=UNITS, margin=1e-9,
    )(_order_units(words, table))  # fmt: skip


def _bill(name: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        (one,) = (each for each in TABLE_EXAMPLES if each.id == name)
        printed = float(one.page_usd)
        return Compared(
            _exact(float(one.bill().total_usd)), printed, printed - 0.01, printed + 0.01
        )

    return compare


for name, words in (
    ("ddb-od-writes", "42.177 million writes on demand at the price until November 2024"),
    ("ddb-prov-day", "114 read and 114 write units provisioned for a day"),
    ("ic-ddb-od", "a month of an on-demand table with recovery, backups, restore and stream"),
):
    (example,) = (each for each in TABLE_EXAMPLES if each.id == name)
    row(
        f"table-bill-{name}", kind="verification", chapter="dynamodb-cost", unit="USD",
        what=f"Bill of {words}", source="AWS's pricing page or infracost's golden test, to the cent",
        url=example.source,
    )(_bill(name))  # fmt: skip


def _reserved(years: int, stated: float) -> Callable[[], Compared]:
    return lambda: Compared(
        _exact(100 * (1 - hourly_usd("write", years) / hourly_usd("write"))), stated
    )


for years, stated in ((1, 54.0), (3, 77.0)):
    row(
        f"reserved-{years}", kind="verification", chapter="dynamodb-cost", unit="%", margin=0.005,
        what=f"Saving of write capacity reserved for {years} year{'s' * (years > 1)}",
        source="AWS, DynamoDB reserved capacity, 2026: up to 54 % and 77 %", url=RESERVED,
    )(_reserved(years, stated))  # fmt: skip


@row(
    "modes-break-even", kind="verification", chapter="dynamodb-cost", unit="%", margin=1e-6,
    what="Utilization above which provisioned writes are cheaper, from the price list's bills",
    source="0.00065 USD an hour over 3,600 units at 0.625 USD a million", url=ON_DEMAND_PAGE,
)  # fmt: skip
def modes_break_even() -> Compared:
    """Through the price engine, and by hand."""
    return Compared(
        _exact(100 * break_even("write", prices=PriceList.load())), 100 * 0.00065 / 3600e-6 / 0.625
    )


@row(
    "autoscaling-steady", kind="verification", chapter="dynamodb-cost", unit="%", margin=0.01,
    what="Utilization that auto scaling reaches on a load that never changes",
    source="Its target, which AWS recommends to set to 70 %", url=SCALING,
)  # fmt: skip
def autoscaling_steady() -> Compared:
    """A constant load."""
    load = [DAYS["the same all day"](minute) for minute in range(1440)]
    return Compared(_exact(100 * autoscale(load).utilization), 70.0)
