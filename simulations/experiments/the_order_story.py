"""Experiments of the chapter *the order story*: one order followed, then many with failures.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Role, Series, Slider, experiment
from simulations.orders import ARCHITECTURES, Shop, outcomes, run_orders
from simulations.stats import share_interval
from simulations.trace import Trace
from simulations.workload import Poisson, Recorded


@dataclass(frozen=True)
class Stretch:
    """What one component did from `start_s` to `end_s`: "work", "wait", "queue" or "init"."""

    component: str
    start_s: float
    end_s: float
    kind: str

    @property
    def lasts_s(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s


def follow(architecture: str, seed: int = 1, shop: Shop | None = None) -> Trace:
    """One order, alone, through an architecture with warm environments."""
    shop = shop or Shop(warm=True, declined_share=0.0)
    return run_orders(architecture, shop, Recorded((0.0,)), duration_s=1.0, seed=seed)


def stretches(trace: Trace, request: int = 0) -> list[Stretch]:
    """Split an order's way into work, waiting and time in queues, in order of their begin.

    While a function waits for another function, a provider or a message to be sent, it is
    billed: that is "wait". The rest of its time is "work". A message's time in its queue counts
    for the function that takes it out.
    """
    spans = trace.of_request(request)
    components = trace.header["components"].values()
    consumer = {c["queue"]: c["function"] for c in components if c["type"] == "EventSourceMapping"}
    found = []
    for span in spans:
        if span.operation == "invoke":
            # What a consumer does later has the sender as its parent, too: it ends later.
            calls = sorted(
                (s.queued_s, s.end_s)
                for s in spans
                if s.parent == span.id and s.operation != "message" and s.end_s <= span.end_s
            )
            at_s = span.start_s
            if span.init_s > 0:
                found.append(Stretch(span.component, at_s - span.init_s, at_s, "init"))
            for start_s, end_s in calls:
                if start_s > at_s:
                    found.append(Stretch(span.component, at_s, start_s, "work"))
                found.append(Stretch(span.component, max(start_s, at_s), end_s, "wait"))
                at_s = max(at_s, end_s)
            if span.end_s > at_s:
                found.append(Stretch(span.component, at_s, span.end_s, "work"))
        elif span.operation == "message":
            name = consumer[span.component]
            served_s = min(s.start_s for s in spans if s.component == name)
            found.append(Stretch(name, span.queued_s, served_s, "queue"))
    return sorted(found, key=lambda s: (s.start_s, s.component))


def waiting_share(parts: list[Stretch]) -> float:
    """Of the time that functions are billed for, the share in which they wait."""
    waits = sum(s.lasts_s for s in parts if s.kind == "wait")
    return waits / sum(s.lasts_s for s in parts if s.kind in ("wait", "work"))


@experiment("the-order-story")
def one_order(
    architecture: Annotated[str, Choice(tuple(ARCHITECTURES))] = "A1",
    payment_ms: Annotated[float, Slider(50, 5_000, log=True)] = 800.0,
    seed: int = 7,
) -> Result:
    """One order's way: when the customer has an answer, when the order is confirmed, who waits."""
    shop = Shop(warm=True, declined_share=0.0, authorize_ms=payment_ms)
    trace = follow(architecture, seed, shop)
    parts = stretches(trace)
    read = outcomes(trace)
    billed_s = sum(s.lasts_s for s in parts if s.kind in ("wait", "work"))
    numbers = {
        "answer": Number(read.answer_s[0], "s"),
        "confirmed": Number(read.confirmed_s[0], "s"),
        "billed": Number(billed_s, "s"),
        "waiting share": Number(waiting_share(parts)),
    }
    names = sorted({s.component for s in parts}, key=[s.component for s in parts].index)
    bars = [
        sum(s.lasts_s for s in parts if s.component == name and s.kind in ("wait", "work"))
        for name in names
    ]
    series = (Series("billed", names, bars, "bars", "coupled"),)
    return Result(Axis("component"), Axis("billed time", "s"), series, numbers)


#: How each design deals with failures, as the story tells it.
DESIGNS = {
    "A1, no second try": ("A1", 1, False),
    "A1, start again": ("A1", None, False),
    "C": ("C", 1, False),
    "C, with payment key": ("C", 1, True),
}


@experiment("the-order-story")
def failing_orders(
    failure: Annotated[float, Slider(0, 0.05)] = 0.01,
    orders: Annotated[int, Slider(1_000, 100_000, log=True)] = 6_000,
    seed: int = 1,
) -> Iterator[Result]:
    """What becomes of orders when each call fails now and then, half of them after their effect.

    Shares of all orders with exact intervals, by design.
    """
    numbers: dict[str, Number] = {}
    names: list[str] = []
    bars: dict[str, list[float]] = {"lost": [], "charged, not confirmed": [], "charged twice": []}
    for name, (architecture, attempts, key) in DESIGNS.items():
        shop = Shop(warm=True, failure=failure, declined_share=0.0, idempotent_payment=key)
        trace = run_orders(
            architecture, shop, Poisson(50.0), duration_s=orders / 50.0, seed=seed,
            max_attempts=attempts,
        )  # fmt: skip
        read = outcomes(trace)
        names.append(name)
        for what, found in (
            ("lost", read.lost),
            ("charged, not confirmed", read.charged_not_confirmed),
            ("charged twice", read.double_charged),
        ):
            share = share_interval(found, read.orders)
            numbers[f"{name}: {what}"] = Number(share.mean, "", share.low, share.high)
            bars[what].append(100 * share.mean)
        roles: dict[str, Role] = {
            "lost": "limit",
            "charged, not confirmed": "coupled",
            "charged twice": "fifth",
        }
        series = tuple(
            Series(what, list(names), list(y), "bars", roles[what]) for what, y in bars.items()
        )
        yield Result(Axis("design"), Axis("share of orders", "%"), series, dict(numbers))
