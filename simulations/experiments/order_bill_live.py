"""What an order costs, to play with: the bill of every architecture, and where each is cheaper.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

from simulations.experiment import (
    Axis,
    Choice,
    Grid,
    Number,
    Result,
    Role,
    Series,
    Slider,
    experiment,
)
from simulations.experiments.order_bill import expected_usage
from simulations.orders import TITLES, Shop, run_orders
from simulations.pricing import PriceList, Usage, idle_receives, sqs_usage, usage
from simulations.stats import Interval, mean_interval
from simulations.workload import Poisson

#: Services of the bill: what the price list calls them, and what the figure does.
SERVICES: dict[str, tuple[str, Role]] = {
    "AWSLambda": ("Lambda", "decoupled"),
    "AWSQueueService": ("SQS", "limit"),
    "AmazonSNS": ("SNS", "fifth"),
}
#: Queues of the decoupled designs.
QUEUES = 4
#: The batched design has no closed form, so it runs: orders of its first run, seconds and fewest
#: orders of the others, and how many these are.
FIRST, LONG_S, FEWEST, RUNS = 40, 12.0, 60, 14
MILLION = 1e6
Parts = dict[str, float]


def _parts(used: Usage) -> Parts:
    """USD by service."""
    found = PriceList.load().bill(used).by_service()
    return {name: float(found.get(name, 0)) for name in SERVICES}


def idle_usage(orders_per_h: float) -> Usage:
    """Receives of a million orders' time that find a queue empty, for all queues together."""
    hours = MILLION / orders_per_h
    return sqs_usage(requests=QUEUES * float(idle_receives(hours)))


def expected_parts(architecture: str, shop: Shop, orders_per_h: float) -> Parts:
    """USD for a million orders by service, by theory: warm environments, idle pollers included.

    Examples
    --------
    >>> round(sum(expected_parts("A0", Shop(), 60.0).values()), 1)
    10.0
    """
    used = expected_usage(architecture, shop, MILLION)
    if architecture in ("B1", "C"):
        for usage_type, requests in idle_usage(orders_per_h).items():
            used.add(usage_type, requests)
    return _parts(used)


def _simulated_parts(shop: Shop, orders_per_h: float, orders: int, seed: int) -> Parts:
    rate_per_s = orders_per_h / 3600
    trace = run_orders("B10", shop, Poisson(rate_per_s), duration_s=orders / rate_per_s, seed=seed)
    scale = MILLION / max(len(trace.requests), 1)
    return {name: scale * usd for name, usd in _parts(usage(trace)).items()}


@experiment(
    "async-messaging",
    presets={
        "usual day": {"orders_per_h": 2000.0},
        "quiet night": {"orders_per_h": 10.0},
        "slow payment": {"payment_ms": 3000.0},
    },
)
def order_cost(
    orders_per_h: Annotated[
        float, Slider(5, 72_000, log=True, label="orders", unit="an hour")
    ] = 72_000.0,
    payment_ms: Annotated[
        float, Slider(50, 3000, log=True, label="payment takes", unit="ms")
    ] = 800.0,
    memory_mb: Annotated[int, Slider(128, 3008, log=True, label="memory", unit="MB")] = 512,
    window_s: Annotated[float, Slider(0, 5, step=0.5, label="batch window", unit="s")] = 1.0,
    seed: int = 1,
) -> Iterator[Result]:
    """What a million orders cost, by architecture and service, at list prices.

    All but the batches by theory; the batches fill as orders come, so they are simulated. Queues
    are asked by pollers even when nothing is in them: at few orders an hour that is most of it.
    """
    shop = Shop(
        authorize_ms=payment_ms, memory_mb=memory_mb, window_s=window_s, warm=True, timeout_s=60.0
    )
    known = {name: expected_parts(name, shop, orders_per_h) for name in ("A0", "A1", "B1", "C")}
    runs: list[Parts] = []
    for number in range(RUNS + 1):
        orders = max(round(orders_per_h / 3600 * LONG_S), FEWEST) if number else FIRST
        one = _simulated_parts(shop, orders_per_h, orders, 1000 * seed + number)
        runs = [*runs, one] if number > 1 else [one]
        batches = {name: math.fsum(r[name] for r in runs) / len(runs) for name in SERVICES}
        bills = {name: known.get(name, batches) for name in TITLES}
        titles = list(TITLES.values())
        series = tuple(
            Series(words, titles, [bill[name] for bill in bills.values()], "stack", role)
            for name, (words, role) in SERVICES.items()
        )
        numbers = {}
        for name, bill in bills.items():
            total = math.fsum(bill.values())
            numbers[TITLES[name]] = Number(total, "USD")
            if name == "B10" and len(runs) > 1:
                found: Interval = mean_interval([math.fsum(r.values()) for r in runs])
                numbers[TITLES[name]] = Number(total, "USD", found.low, found.high)
        yield Result(
            Axis(""), Axis("cost", "USD per million"), series, numbers,
            progress=(number + 1) / (RUNS + 1),
        )  # fmt: skip


#: The designs that the map holds against one function.
OTHERS_BY_NAME = {TITLES[name]: name for name in ("B1", "C", "A1")}
PAYMENTS_MS = (5000.0, 3000.0, 2000.0, 1200.0, 800.0, 500.0, 300.0, 200.0, 100.0, 50.0)
RATES_PER_H = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 20_000.0)


@experiment(
    "async-messaging",
    presets={
        "chained functions": {"design": TITLES["A1"]},
        "more memory": {"memory_mb": 3008},
    },
)
def one_function_instead(
    design: Annotated[str, Choice(tuple(OTHERS_BY_NAME), label="instead of")] = TITLES["B1"],
    memory_mb: Annotated[int, Slider(128, 3008, log=True, label="memory", unit="MB")] = 512,
    mail_ms: Annotated[float, Slider(20, 5000, log=True, label="e-mail takes", unit="ms")] = 300.0,
) -> Result:
    """What one function costs in percent of another design's bill: by traffic, by payment time.

    A heat map by theory: 100 is equal, below it the one function is cheaper.
    """
    name = OTHERS_BY_NAME[design]
    idle_usd = [
        0.0 if name == "A1" else math.fsum(_parts(idle_usage(rate)).values())
        for rate in RATES_PER_H
    ]
    values = []
    for payment_ms in PAYMENTS_MS:
        shop = Shop(authorize_ms=payment_ms, email_ms=mail_ms, memory_mb=memory_mb, warm=True)
        one, other = (
            math.fsum(_parts(expected_usage(which, shop, MILLION)).values())
            for which in ("A0", name)
        )
        values.append([100 * one / (other + idle) for idle in idle_usd])
    flat = [value for row in values for value in row]
    return Result(
        Axis("orders per hour", log=True),
        Axis("payment takes", "ms"),
        numbers={
            "quiet night and quick payment": Number(values[-1][0], "%"),
            "busy day and slow payment": Number(values[0][-1], "%"),
            "places where it is dearer": Number(sum(value > 100 for value in flat)),
        },
        grid=Grid(PAYMENTS_MS, RATES_PER_H, values, "%"),
    )
