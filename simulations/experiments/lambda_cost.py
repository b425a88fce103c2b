"""The bill of the shop's one function, read from its REPORT lines, and what each lever does.

The function takes orders and does every step itself (architecture A0 of the order system). Its
month is one simulated hour after a warm-up, scaled. May import: the standard library, SimPy and
the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.experiments.bill_views import Change, Sensitivity, changed
from simulations.orders import Shop, run_orders
from simulations.pricing import (
    Bill,
    PriceList,
    Usage,
    billed_ms,
    lambda_usage,
    logs_usage,
    sqs_usage,
)
from simulations.stats import Interval, batch_means, mean_interval
from simulations.telemetry import Invocation, format_report, reports
from simulations.workload import Poisson

#: A month of 30 days, as AWS's examples count.
MONTH_S = 30 * 86_400
#: Environments outlive an overlap by up to 347 s; after 15 minutes the first ones have gone.
WARMUP_S = 900
REPORT_S = 3600
#: How bad cold starts are made in the tornado and under the old rules.
OFTEN_COLD, LONG_INIT_MS = 0.01, 1000.0
SHORT_MS = 50.0


@dataclass(frozen=True)
class PerOrder:
    """What one order uses on average, and the settings that price it.

    Attributes
    ----------
    waiting_ms, own_ms, init_ms, rounding_ms
        Parts of the billed duration: waiting for providers, the function's own code, INIT (over
        all orders, most of which are warm), and rounding up.
    memory_mb, architecture, log_kb
        Settings; the log is an assumption.
    """

    waiting_ms: float
    own_ms: float
    init_ms: float
    rounding_ms: float
    memory_mb: int
    architecture: str = "x86_64"
    log_kb: float = 5.0

    @property
    def billed_ms(self) -> float:
        """Mean billed duration of an order."""
        return math.fsum((self.waiting_ms, self.own_ms, self.init_ms, self.rounding_ms))

    def usage(self, orders: float) -> Usage:
        """The usage of so many orders: function and logs."""
        suffix = "-ARM" if self.architecture == "arm64" else ""
        gb_s = orders * self.billed_ms / 1000 * self.memory_mb / 1024
        compute = Usage({f"Request{suffix}": orders, f"Lambda-GB-Second{suffix}": gb_s})
        return compute + logs_usage(orders, self.log_kb)

    def bill(self, orders: float) -> Bill:
        """The bill of so many orders, without free tier."""
        return PriceList.load().bill(self.usage(orders))

    def with_memory(self, memory_mb: int) -> PerOrder:
        """Another memory size: waiting stays, own code gets slower or faster in proportion.

        In proportion is the worst case for less memory: measured times grow more slowly.
        """
        own_ms = self.own_ms * self.memory_mb / memory_mb
        return replace(self, memory_mb=memory_mb, own_ms=own_ms)


@cache
def report_lines(orders_m: float, seed: int) -> tuple[Invocation, ...]:
    """One hour of REPORT lines of the function that takes `orders_m` million orders a month."""
    trace = run_orders(
        "A0",
        Shop(),
        Poisson(rate_per_s=orders_m * 1e6 / MONTH_S),
        duration_s=WARMUP_S + REPORT_S,
        seed=seed,
    )
    hour = reports(trace, "SubmitOrder")
    return tuple(one for one in hour if (one.timestamp_ms or 0) >= WARMUP_S * 1000)


def per_order(lines: Sequence[Invocation], own_ms: float, log_kb: float) -> PerOrder:
    """Split the mean billed duration of REPORT lines into what it was spent on."""
    n = len(lines)
    ran_ms = math.fsum(one.duration_ms for one in lines) / n
    init_ms = math.fsum(one.init_ms or 0.0 for one in lines) / n
    billed = sum(one.billed_ms for one in lines) / n
    return PerOrder(
        waiting_ms=ran_ms - own_ms,
        own_ms=own_ms,
        init_ms=init_ms,
        rounding_ms=billed - ran_ms - init_ms,
        memory_mb=lines[0].memory_mb,
        log_kb=log_kb,
    )


def parts_usd(order: PerOrder, orders: float) -> dict[str, float]:
    """A month's bill, largest part first, its duration cut by what the time was spent on."""
    bill = order.bill(orders)
    suffix = "-ARM" if order.architecture == "arm64" else ""
    duration = float(bill[f"Lambda-GB-Second{suffix}"].amount_usd)
    share = duration / order.billed_ms
    parts = {
        "waiting": share * order.waiting_ms,
        "logs": float(bill["USE1-VendedLog-Bytes"].amount_usd),
        "requests": float(bill[f"Request{suffix}"].amount_usd),
        "own code": share * order.own_ms,
        "cold starts": share * order.init_ms,
        "rounding up": share * order.rounding_ms,
    }
    return dict(sorted(parts.items(), key=lambda part: -part[1]))


def expected_order(shop: Shop, log_kb: float = 5.0) -> PerOrder:
    """What an order of the one-function design uses on average, from the shop's means alone.

    A declined order skips the two last steps and gives the stock back; rounding up adds half a
    millisecond. Cold starts are left out.
    """
    rest_ms = shop.decrease_ms + shop.email_ms
    declined = shop.declined_share
    return PerOrder(
        waiting_ms=shop.set_aside_ms
        + shop.authorize_ms
        + (1 - declined) * rest_ms
        + declined * shop.set_aside_ms,
        own_ms=shop.handler_cpu_ms,
        init_ms=0.0,
        rounding_ms=0.5,
        memory_mb=shop.memory_mb,
        log_kb=log_kb,
    )


def _interval(lines: Sequence[Invocation], order: PerOrder, orders: float) -> Interval:
    """The 95 % interval of the month's total, from batch means over the hour.

    Everything but the duration is the same for every order.
    """
    fixed = float(order.bill(orders).total_usd)
    means = batch_means([float(one.billed_ms) for one in lines], batches=20)
    totals = [
        fixed + float(_duration_usd(order, mean_ms - order.billed_ms, orders)) for mean_ms in means
    ]
    return mean_interval(totals)


def _duration_usd(order: PerOrder, ms: float, orders: float) -> Decimal:
    price = PriceList.load()["Lambda-GB-Second"].tiers[0].usd
    return Decimal(repr(ms * orders / 1000 * order.memory_mb / 1024)) * price


@experiment("lambda-cost")
def order_bill(
    orders_m: Annotated[float, Slider(0.1, 100, log=True)] = 10,
    memory_mb: Annotated[int, Slider(128, 1769)] = 512,
    log_kb: Annotated[float, Slider(0, 50)] = 5,
    architecture: Annotated[str, Choice(("x86_64", "arm64"))] = "x86_64",
    seed: int = 1,
) -> Result:
    """Split a month's bill of the shop's function into what the money was spent on."""
    lines = report_lines(orders_m, seed)
    orders = orders_m * 1e6
    order = per_order(lines, Shop().handler_cpu_ms, log_kb)
    order = replace(order.with_memory(memory_mb), architecture=architecture)
    parts = parts_usd(order, orders)
    total = math.fsum(parts.values())
    interval = _interval(lines, order, orders)
    cold = sum(one.cold for one in lines) / len(lines)
    numbers = {
        "total": Number(total, "USD", interval.low, interval.high),
        "per_million": Number(total / orders_m, "USD"),
        "billed_ms": Number(order.billed_ms, "ms"),
        "waiting_share": Number(order.waiting_ms / order.billed_ms),
        "cold_share": Number(cold),
        "lines": Number(len(lines)),
    }
    numbers |= {part: Number(usd, "USD") for part, usd in parts.items()}
    bars = Series("", tuple(parts), tuple(parts.values()), kind="bars", role="coupled")
    return Result(Axis("part of the bill"), Axis("cost", "USD a month"), (bars,), numbers)


def levers(order: PerOrder, orders: float) -> list[Change]:
    """What an engineer can change about the function, from a good to a bad setting."""

    def bill(**changes: Any) -> Bill:
        return replace(order, **changes).bill(orders)

    half, double = order.waiting_ms / 2, order.waiting_ms * 2
    return [
        Change("memory", ("128 MB", "1 GB"), order.with_memory(128).bill(orders),
               order.with_memory(1024).bill(orders)),
        Change("waiting", ("half", "double"), bill(waiting_ms=half), bill(waiting_ms=double)),
        Change("logs", ("1 KB", "20 KB"), bill(log_kb=1), bill(log_kb=20)),
        Change("processor", ("Arm", "x86"), bill(architecture="arm64"), bill()),
        Change("cold starts", ("none", "1 s in 1 %"), bill(init_ms=0.0),
               bill(init_ms=OFTEN_COLD * LONG_INIT_MS)),
        Change("own code", ("5 ms", "50 ms"), bill(own_ms=5.0), bill(own_ms=50.0)),
    ]  # fmt: skip


@experiment("lambda-cost")
def order_levers(
    orders_m: Annotated[float, Slider(0.1, 100, log=True)] = 10,
    log_kb: Annotated[float, Slider(0, 50)] = 5,
    seed: int = 1,
) -> Result:
    """Bill the month again with one input changed at a time, widest range first."""
    return lever_ends(orders_m, log_kb, seed).result


def lever_ends(orders_m: float = 10, log_kb: float = 5, seed: int = 1) -> Sensitivity:
    """`order_levers` with the words of each lever's two settings."""
    lines = report_lines(orders_m, seed)
    order = per_order(lines, Shop().handler_cpu_ms, log_kb)
    return changed(order.bill(orders_m * 1e6), levers(order, orders_m * 1e6))


def in_milliseconds(memory_mb: int) -> dict[str, float]:
    """What other lines of a bill cost, in milliseconds of a function of this memory.

    Examples
    --------
    >>> round(in_milliseconds(512)["request"], 1)
    24.0
    """
    prices = PriceList.load()
    second = prices.bill({"Lambda-GB-Second": Decimal(memory_mb) / 1024}).total_usd
    things = {
        "request": Usage({"Request": 1}),
        "log_kb": logs_usage(1, 1),
        "message": sqs_usage(messages=1),
        "publish": Usage({"AmazonSNS:Requests-Tier1": 1}),
    }
    return {name: float(prices.bill(use).total_usd / second * 1000) for name, use in things.items()}


@dataclass(frozen=True)
class RuleChange:
    """A bill under an old billing rule, relative to today's."""

    words: str
    until: str
    short_function: float
    shop: float


def rule_changes(seed: int = 1) -> tuple[RuleChange, ...]:
    """How much more, or less, the same invocations cost under earlier rules.

    The short function runs 50 ms at 512 MB and starts cold once in 100 calls, with an INIT of 1 s.
    """
    prices = PriceList.load()
    lines = report_lines(10, seed)

    def short(init_billed: bool = True, round_ms: int | None = None) -> float:
        used = lambda_usage(
            1e6, SHORT_MS, 512, cold_share=OFTEN_COLD, init_ms=LONG_INIT_MS,
            init_billed=init_billed, round_ms=round_ms,
        )  # fmt: skip
        return float(prices.bill(used)["Lambda-GB-Second"].amount_usd)

    def shop(init_billed: bool = True, round_ms: int | None = None) -> int:
        return sum(
            billed_ms(
                one.duration_ms, one.init_ms or 0.0, init_billed=init_billed, round_ms=round_ms
            )
            for one in lines
        )

    rules: list[tuple[str, str, bool, int | None]] = [
        ("rounded up to 100 ms, INIT free", "December 2020", False, 100),
        ("rounded up to 1 ms, INIT free", "August 2025", False, None),
        ("rounded up to 1 ms, INIT billed", "today", True, None),
    ]
    return tuple(
        RuleChange(words, until, short(billed, step) / short(), shop(billed, step) / shop())
        for words, until, billed, step in rules
    )


def own_log_bytes() -> int:
    """Bytes that Lambda itself writes for one invocation: START, END and REPORT."""
    request = "4f9e7c1a-0c7d-4b1e-9d35-6a2f8e1b7c04"
    report = format_report(Invocation(request, 1170.25, 1171, 512, 91))
    return len(f"START RequestId: {request} Version: $LATEST\nEND RequestId: {request}\n{report}\n")
