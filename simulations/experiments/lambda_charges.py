"""The shop's month under every other charge that Lambda knows, and in every architecture.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from simulations.experiment import Result, Slider, experiment
from simulations.experiments.bill_views import bills_beside
from simulations.experiments.lambda_cost import MONTH_S, PerOrder, expected_order
from simulations.experiments.order_bill import expected_month
from simulations.facts import fact
from simulations.orders import ARCHITECTURES, TITLES, Shop
from simulations.pricing import (
    Bill,
    PriceList,
    Usage,
    durable_usage,
    edge_usage,
    http_api_usage,
    lambda_usage,
    logs_usage,
    managed_instances_usage,
    snapstart_usage,
    tenant_usage,
)

HOURS = MONTH_S / 3600

#: What the variants assume; all are choices of the example.
TMP_GB = 1
ANSWER_MB = 10.0
EVENT_KB = 320.0
TENANTS = 1_000
STEPS, STATE_KB = 5, 1.0
INSTANCES, INSTANCE = 2, "m6i.large"


@dataclass(frozen=True)
class Variant:
    """The shop's month with one thing done otherwise.

    Attributes
    ----------
    name, who
        What is charged, and whose bill has it.
    usage_type
        The line it puts on the bill.
    bill
        Of the whole month, logs included.
    """

    name: str
    who: str
    usage_type: str
    bill: Bill

    @property
    def metering(self) -> str:
        """How AWS counts it."""
        return self.bill[self.usage_type].sku.metering


def variants(order: PerOrder, orders: float, cold_share: float = 0.001) -> list[Variant]:
    """The month of a function, once for each charge that it does not pay.

    Parameters
    ----------
    order, orders
        What an order uses, and how many there are.
    cold_share
        Of the orders, for the restores of SnapStart.
    """
    prices = PriceList.load()
    month = order.usage(orders)
    logs = logs_usage(orders, order.log_kb)
    gb_s = month["Lambda-GB-Second"]
    gb = order.memory_mb / 1024

    def more(**kinds: float) -> Usage:
        """What `lambda_usage` counts beyond the plain function with the same requests."""
        used = lambda_usage(orders, 0, order.memory_mb, **kinds)  # type: ignore[arg-type]
        plain = lambda_usage(orders, 0, order.memory_mb)
        return Usage({name: amount - plain.get(name, 0) for name, amount in used.items()})

    kept = Usage({"Lambda-Provisioned-Concurrency": gb * MONTH_S})
    snap = snapstart_usage(order.memory_mb, HOURS, orders * cold_share)
    price = float(fact("ec2.price.m6i_large")["hour_usd"])
    with_fee = prices.with_instance(INSTANCE, price)
    instances = managed_instances_usage(orders, INSTANCE, INSTANCES * HOURS)
    tmp = Usage({"Lambda-Storage-GB-Second": gb_s / order.memory_mb * 1024 * TMP_GB})
    pollers = {"Lambda-SQS-Event-Poller-Unit-Hour": 2 * HOURS}
    durable = durable_usage(orders, STEPS, STATE_KB)
    edge = edge_usage(orders, order.billed_ms, order.memory_mb)
    rows: list[tuple[str, str, str, Bill]] = [
        ("more /tmp", "unpacks files or models", "Lambda-Storage-GB-Second",
         prices.bill(month + tmp)),
        ("streamed answers", "sends more than a payload holds",
         "Lambda-Streaming-Response-Processed-Bytes",
         prices.bill(month + more(streamed_mb=ANSWER_MB))),
        ("large events", "is invoked asynchronously", "Request",
         prices.bill(month + more(event_kb=EVENT_KB))),
        ("an environment kept ready", "promises a first answer in time",
         "Lambda-Provisioned-Concurrency", prices.bill(month + kept)),
        ("SnapStart", "starts Python or .NET", "Lambda-SnapStart-Cached-GB-S",
         prices.bill(month + snap)),
        ("an environment a tenant", "keeps customers apart", "Lambda-Tenant-Environment-GB",
         prices.bill(month + tenant_usage(TENANTS * HOURS / 24, order.memory_mb))),
        ("provisioned pollers", "drains a queue that jumps",
         "Lambda-SQS-Event-Poller-Unit-Hour", prices.bill(month + pollers)),
        ("durable steps", "waits for days between steps", "Lambda-Durable-Execution-Operations",
         prices.bill(month + durable)),
        ("Lambda@Edge", "answers beside the reader", "Lambda-Edge-GB-Second",
         prices.bill(edge + logs)),
        ("Managed Instances", "is busy day and night", f"Lambda-Managed-Instances:{INSTANCE}",
         with_fee.bill(instances + logs)),
    ]  # fmt: skip
    return [Variant(*row) for row in rows]


def architecture_bills(
    orders_m: float = 10, log_kb: float = 5, shop: Shop | None = None
) -> Mapping[str, Bill]:
    """A month of each architecture behind an HTTP API, logs included, in closed form."""
    orders, prices = orders_m * 1e6, PriceList.load()
    around = http_api_usage(orders) + logs_usage(orders, log_kb)
    return {
        TITLES[name]: prices.bill(
            expected_month(name, shop or Shop(), orders / MONTH_S, HOURS / 24) + around
        )
        for name in ARCHITECTURES
    }


@experiment("lambda-cost")
def architectures_month(
    orders_m: Annotated[float, Slider(0.1, 50, log=True)] = 10,
    log_kb: Annotated[float, Slider(0, 50)] = 5,
) -> Result:
    """Bill the same month of orders in every architecture, by service."""
    return bills_beside(architecture_bills(orders_m, log_kb))


def typical_order() -> PerOrder:
    """An order of the one-function design, from the shop's means."""
    return expected_order(Shop())
