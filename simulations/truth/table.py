"""DynamoDB: units against DynamoDB Local, bills against AWS's, limits against arithmetic.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations.experiments.dynamodb_cost import following, hourly_usd
from simulations.experiments.order_table import TABLES, OrderTable
from simulations.experiments.records import record
from simulations.experiments.table_examples import TABLE_EXAMPLES
from simulations.experiments.table_month import serve
from simulations.services import (
    CapacityScaling,
    Context,
    Function,
    ProvisionedCapacity,
    Sized,
    Table,
)
from simulations.services.capacity import Capacity
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval
from simulations.trace import Trace
from simulations.truth import Compared, row
from simulations.workload import Regular, Workload

RESERVED = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/reserved-capacity.html"
BURST = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html"
)
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
    "autoscaling-steady", kind="verification", chapter="dynamodb-cost", unit="%", margin=0.01,
    what="Utilization that auto scaling reaches on a load that never changes",
    source="Its target, which AWS recommends to set to 70 %", url=SCALING,
)  # fmt: skip
def autoscaling_steady() -> Compared:
    """A constant load."""
    return Compared(_exact(100 * following(day="the same all day")["utilization"]), 70.0)


def _writes(
    workload: Workload, capacity: Capacity, lasts_s: float, size: int, keys: int = 0
) -> tuple[Table, Trace]:
    """Let a function write an item at each arrival, to so many items (0: each to its own)."""
    sim = Simulation(1)
    table = Table(sim, "orders", capacity=capacity)

    def handler(number: int, context: Context) -> Steps:
        yield table.put(Sized(number % keys if keys else number, size))

    return table, sim.run(workload >> Function(sim, "F", handler), duration_s=lasts_s)


def _exhausted(capacity: int, asked: int, lasts_s: float, at_once: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        _, trace = _writes(
            Regular(at_once / asked), ProvisionedCapacity(1, capacity), 1.05 * lasts_s + 10,
            at_once * 1024,
        )  # fmt: skip
        first = next(row.queued_s for row in trace.spans_of("orders", outcome="throttled"))
        return Compared(_exact(first), lasts_s)

    return compare


for asked, lasts_s in ((150, 600.0), (200, 300.0), (400, 100.0)):
    row(
        f"burst-{asked}", kind="verification", chapter="dynamodb-cost", unit="s", margin=0.02,
        what=f"First throttle of 100 write units asked for {asked}, from a full burst bucket",
        source="t = 300 R / (x - R), from the 300 s that AWS documents", url=BURST,
    )(_exhausted(100, asked, lasts_s, 10))  # fmt: skip

row(
    "burst-example", kind="verification", chapter="dynamodb-cost", unit="s", margin=0.02,
    what="How long a table of 150 units that stood idle for five minutes serves 200 a second",
    source="AWS re:Post, spiky workloads in short intervals: 45,000 / (200 - 150) = 900 s",
    url="https://repost.aws/knowledge-center/dynamodb-spiky-workloads-short-intervals",
)(_exhausted(150, 200, 900.0, 20))  # fmt: skip


@row(
    "hot-item", kind="verification", chapter="dynamodb-cost", unit="%", margin=0.02,
    what="Share throttled when 2,000 write units a second fall on one item of a table of 10,000",
    source="1 - 1,000 / 2,000, from the ceiling of a partition", url=BURST,
)  # fmt: skip
def hot_item() -> Compared:
    """Request by request; the table is used to a fifth."""
    table, trace = _writes(
        Regular(0.005), ProvisionedCapacity(1, 10_000), 40.0, 10 * 1024, keys=1
    )  # fmt: skip
    return Compared(_exact(100 * table.throttled / len(trace.requests)), 50.0)


@row(
    "scaled-requests", kind="verification", chapter="dynamodb-cost", unit="%", margin=0.02,
    what="Share throttled while auto scaling catches up: requests one by one",
    source="The same rules served minute by minute, as a fluid", url=SCALING,
)  # fmt: skip
def scaled_requests() -> Compared:
    """A table of 10 units that is asked for 20."""
    capacity = ProvisionedCapacity(5, 10, CapacityScaling(minimum=5), full_burst=False)
    table, trace = _writes(Regular(1 / 20), capacity, 900.0, 1024)
    fluid = serve([20.0] * 15, capacity)
    ours = 100 * table.throttled / len(trace.requests)
    return Compared(_exact(ours), 100 * fluid.throttled)
