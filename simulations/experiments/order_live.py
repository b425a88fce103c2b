"""The order system to play with: answers, and a provider's outage, coupled and decoupled.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Role, Series, Slider, experiment
from simulations.orders import MAIL, PAYMENTS, Shop, outcomes, run_orders
from simulations.stats import Interval, mean_interval, quantile, quantile_interval
from simulations.theory import LognormalSum
from simulations.trace import Trace
from simulations.workload import Poisson, Regular

#: What environments may be: warm, or none kept because the order before was too long ago.
WARM, COLD = "warm", "all cold"
#: Mean start of an environment in seconds and its coefficient of variation, as `Shop` has it.
INIT = (0.3, 0.3)
#: Orders of each round: a first frame at once, then better ones.
ROUNDS = (24, 48, *[64] * 18)
#: Shares at which a distribution is drawn.
SHARES = (0.005, *(k / 60 for k in range(1, 60)), 0.99, 0.995)
#: Fewest values for an interval of the 99th percentile at 95 %.
ENOUGH = 368


def the_shop(payment_ms: float, mail_ms: float, warm: bool) -> Shop:
    """The shop with two providers as slow as asked for; no card is declined."""
    return Shop(authorize_ms=payment_ms, email_ms=mail_ms, declined_share=0.0, warm=warm)


def mean_answer_s(shop: Shop) -> float:
    """Mean time until the chain has answered, by theory: the sum of all its parts.

    Examples
    --------
    >>> round(mean_answer_s(the_shop(800.0, 300.0, warm=True)), 3)
    1.293
    """
    steps = (shop.set_aside_ms, shop.authorize_ms, shop.decrease_ms, shop.email_ms)
    own_ms = shop.handler_cpu_ms * (len(steps) + 1) + shop.invoke_ms * len(steps)
    init_s = 0.0 if shop.warm else INIT[0] * (len(steps) + 1)
    return math.fsum((*steps, own_ms)) / 1000 + init_s


def _chain(shop: Shop) -> LognormalSum:
    """The answer of the chain by theory, where its environments are warm."""
    parts = (
        (shop.set_aside_ms, shop.set_aside_cv),
        (shop.authorize_ms, shop.authorize_cv),
        (shop.decrease_ms, shop.decrease_cv),
        (shop.email_ms, shop.email_cv),
    )
    own_s = (5 * shop.handler_cpu_ms + 4 * shop.invoke_ms) / 1000
    return LognormalSum([(ms / 1000, cv) for ms, cv in parts], own_s)


def _topic(shop: Shop) -> LognormalSum:
    """The answer of the topic by theory: one function that publishes one event."""
    sent = (shop.send_ms / 1000, shop.send_cv)
    return LognormalSum([sent] if shop.warm else [sent, INIT], shop.handler_cpu_ms / 1000)


def _curve(theory: LognormalSum) -> Series:
    # Few places, as each takes milliseconds.
    times = [theory.mean * k for k in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 2.6, 3.4)]
    shares = [100 * (1 - theory.tail(at_s)) for at_s in times]
    return Series("", [1000 * at_s for at_s in times], shares, "line", "theory")


def _p99(values: list[float]) -> Number:
    if len(values) < ENOUGH:
        return Number(quantile(values, 0.99), "s")
    found = quantile_interval(values, 0.99)
    return Number(found.mean, "s", found.low, found.high)


@experiment(
    "async-messaging",
    presets={
        "slow mail": {"mail_ms": 3000.0},
        "slow payment": {"payment_ms": 3000.0},
        "quiet night": {"environments": COLD},
    },
)
def order_answers(
    payment_ms: Annotated[
        float, Slider(50, 5000, log=True, label="payment takes", unit="ms")
    ] = 800.0,
    mail_ms: Annotated[float, Slider(20, 5000, log=True, label="e-mail takes", unit="ms")] = 300.0,
    environments: Annotated[str, Choice((WARM, COLD), label="environments")] = WARM,
    seed: int = 1,
) -> Iterator[Result]:
    """Time to the answer, as a distribution: chained functions against topic and queues.

    The chain's answer is the confirmation; the topic's customer is answered first and has the
    confirmation later. Orders come one by one, so that none waits for another: what is slow here
    is the providers, or, where orders are rare, the start of an environment for every step.
    """
    shop = the_shop(payment_ms, mail_ms, environments == WARM)
    gap_s = 20.0 if shop.warm else 3600.0
    theory: tuple[Series, ...] = ()
    chain: list[float] = []
    topic: list[float] = []
    confirmed: list[float] = []
    for number, orders in enumerate(ROUNDS):
        for name in ("A1", "C"):
            # Half a gap more, so that rounding never costs the last order.
            trace = run_orders(
                name, shop, Regular(gap_s), duration_s=(orders - 0.5) * gap_s,
                seed=1000 * seed + number,
            )  # fmt: skip
            read = outcomes(trace)
            (chain if name == "A1" else topic).extend(read.answer_s)
            if name == "C":
                confirmed.extend(read.confirmed_s)
        shares = [100 * share for share in SHARES]
        found: tuple[tuple[str, list[float], Role], ...] = (
            ("chain answers", chain, "coupled"),
            ("topic answers", topic, "decoupled"),
            ("topic confirms", confirmed, "decoupled"),
        )
        lines = tuple(
            Series(name, [1000 * quantile(values, s) for s in SHARES], shares, "line", role)
            for name, values, role in found
        )
        numbers = {
            "chain median": Number(quantile(chain, 0.5), "s"),
            "chain p99": _p99(chain),
            "topic p99": _p99(topic),
            "topic confirms median": Number(quantile(confirmed, 0.5), "s"),
            "chain mean by theory": Number(mean_answer_s(shop), "s"),
            "orders simulated": Number(len(chain)),
        }
        yield Result(
            Axis("time to answer", "ms", log=True), Axis("orders answered", "%"),
            (*theory, *lines), numbers, progress=(number + 1) / len(ROUNDS),
        )  # fmt: skip
        if number == 0:  # after the first frame: it takes longer than that
            theory = (_curve(_topic(shop)),)
        elif number == 1 and shop.warm:
            theory = (*theory, _curve(_chain(shop)))


#: Seconds before the outage begins.
BEFORE_S = 60.0
#: Invocations simulated in one go, and how many goes there are at most.
A_GO, MOST_GOES = 250, 60
POINTS = 120


def lost_by_theory(outage_s: float, rate_per_s: float, visibility_s: float, receives: int) -> float:
    """Orders that a queue gives up in an outage: those received so often before it ends.

    An order of the outage is tried every visibility timeout; the first `receives` tries of those
    that come early enough all fail. Formula: rate max(0, T - (R - 1) V).

    Examples
    --------
    >>> lost_by_theory(600.0, 2.0, 30.0, 5), lost_by_theory(600.0, 2.0, 180.0, 5)
    (960.0, 0.0)
    """
    return rate_per_s * max(0.0, outage_s - (receives - 1) * visibility_s)


def _open_by_theory(
    at_s: float, outage_s: float, rate_per_s: float, visibility_s: float, receives: int
) -> float:
    """Orders not confirmed, so long after the start of the outage: a flow without chance."""
    if at_s <= outage_s:
        return rate_per_s * max(at_s, 0.0)
    # An order that came y before the end returns a whole number of timeouts later: of those that
    # failed j + 1 times, the latest come back last.
    still_s = max(visibility_s - (at_s - outage_s), 0.0)
    tried = range(min(receives - 1, math.ceil(outage_s / visibility_s)))
    back_s = math.fsum(min(outage_s - j * visibility_s, still_s) for j in tried)
    return lost_by_theory(outage_s, rate_per_s, visibility_s, receives) + rate_per_s * back_s


def open_orders(trace: Trace, every_s: float, points: int) -> list[float]:
    """How many orders have come and are not confirmed, at equal steps from the start."""
    change = [0] * (points + 1)

    def count(at_s: float, by: int) -> None:
        change[min(math.ceil(at_s / every_s), points)] += by

    for start_s in trace.requests.start_s:
        count(start_s, 1)
    confirmed, book = trace.code("confirmed"), trace.code("orders")
    spans = trace.spans
    for component, outcome, end_s in zip(spans.component, spans.outcome, spans.end_s, strict=True):
        if component == book and outcome == confirmed:
            count(end_s, -1)
    total, found = 0, []
    for step in change[:points]:
        total += step
        found.append(float(total))
    return found


class _Lost:
    """What the goes so far add up to, for all of them."""

    def __init__(self, points: int) -> None:
        self.open = [0.0] * points
        self.lost: list[float] = []
        self.charged: list[float] = []
        self.refused: list[float] = []

    def add(self, trace: Trace, every_s: float) -> None:
        read = outcomes(trace)
        self.lost.append(read.lost)
        self.charged.append(read.charged_not_confirmed)
        self.refused.append(read.told_no)
        here = open_orders(trace, every_s, len(self.open))
        self.open = [a + b for a, b in zip(self.open, here, strict=True)]


def _for_all(values: list[float], goes: int) -> Number:
    """The sum over all goes, estimated from those that ran, with its interval."""
    if len(values) < 2:
        return Number(goes * values[0])
    found = Interval(*(goes * v for v in mean_interval(values)))
    return Number(found.mean, "", max(found.low, 0.0), found.high)


@experiment(
    "async-messaging",
    presets={
        "short visibility": {"visibility_s": 30.0},
        "payment down": {"provider": PAYMENTS},
        "half an hour": {"minutes": 30.0, "visibility_s": 900.0},
    },
)
def provider_outage(
    provider: Annotated[str, Choice((MAIL, PAYMENTS), label="what is down")] = MAIL,
    minutes: Annotated[float, Slider(1, 30, step=1, label="outage", unit="min")] = 10.0,
    rate_per_s: Annotated[float, Slider(0.2, 5, log=True, label="orders", unit="a second")] = 2.0,
    visibility_s: Annotated[
        float, Slider(30, 900, log=True, label="visibility timeout", unit="s")
    ] = 180.0,
    receives: Annotated[int, Slider(1, 20, log=True, label="receives before giving up")] = 5,
    seed: int = 1,
) -> Iterator[Result]:
    """Orders without confirmation while a provider is down, chained functions and topic.

    Orders do not hinder each other here. So the customers are split at random into groups that
    are simulated one after the other; a frame shows those so far, scaled to all customers.
    """
    outage_s = 60 * minutes
    whole_s = BEFORE_S + outage_s + 1.2 * visibility_s + 60.0
    tries = 4 + outage_s / whole_s * min(outage_s / visibility_s + 1, receives)
    goes = max(math.ceil(rate_per_s * whole_s * tries / A_GO), 4)
    every_s = whole_s / (POINTS - 1)
    x = [every_s * k / 60 for k in range(POINTS)]
    flow = [
        _open_by_theory(every_s * k - BEFORE_S, outage_s, rate_per_s, visibility_s, receives)
        for k in range(POINTS)
    ]
    dashed = Series("", x, flow, "line", "theory")
    shop = Shop(
        warm=True, declined_share=0.0, timeout_s=10.0, visibility_timeout_s=visibility_s,
        outages=((provider, BEFORE_S, BEFORE_S + outage_s),), max_receive_count=receives,
    )  # fmt: skip
    chain, topic = _Lost(POINTS), _Lost(POINTS)
    runs = min(goes, MOST_GOES)
    for number in range(runs):
        for name, found in (("A1", chain), ("C", topic)):
            trace = run_orders(
                name, shop, Poisson(rate_per_s / goes), duration_s=whole_s,
                seed=1000 * seed + number,
            )  # fmt: skip
            found.add(trace, every_s)
        scale = goes / (number + 1)
        numbers = {
            "orders in the outage": Number(rate_per_s * outage_s),
            "lost by the chain": _for_all(chain.lost, goes),
            "of these charged": _for_all(chain.charged, goes),
            "given up by the queue": _for_all(topic.lost, goes),
            "given up by theory": Number(
                lost_by_theory(outage_s, rate_per_s, visibility_s, receives)
            ),
            "customers simulated": Number(100 * (number + 1) / goes, "%"),
        }
        series = (
            dashed,
            Series("chain", x, [scale * n for n in chain.open], "line", "coupled"),
            Series("topic", x, [scale * n for n in topic.open], "line", "decoupled"),
        )
        yield Result(
            Axis("time", "min"), Axis("orders without confirmation"), series, numbers,
            progress=(number + 1) / runs,
        )  # fmt: skip
