"""A flash sale to play with: orders refused by one function, or waiting behind a queue.

The step that limits takes so many orders at once. In front of it stands either a function that
does an order's whole work, with that much concurrency reserved, or a queue whose event source
mapping has that maximum concurrency. May import: the standard library and the rooms above
`experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush, heapreplace
from itertools import islice
from random import Random
from typing import Annotated, NamedTuple

from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.facts import fact
from simulations.orders import Shop
from simulations.stats import mean_interval
from simulations.theory import backlog, drain_s, erlang_b
from simulations.workload import Burst, Lognormal

#: Seconds before the sale begins, and points of a curve.
BEFORE_S, POINTS = 60.0, 100
#: Orders simulated between two frames; in all runs together.
A_FRAME, IN_ALL = 8_000, 60_000


def work_time(shop: Shop) -> Lognormal:
    """How long all steps of an order take one after the other: lognormal, as are the steps.

    Mean and variance are those of the sum; a sum of lognormals is nearly lognormal.

    Examples
    --------
    >>> round(work_time(Shop()).mean, 3), round(work_time(Shop()).cv, 2)
    (1.185, 0.42)
    """
    steps = (
        (shop.set_aside_ms, shop.set_aside_cv),
        (shop.authorize_ms, shop.authorize_cv),
        (shop.decrease_ms, shop.decrease_cv),
        (shop.email_ms, shop.email_cv),
    )
    mean_ms = math.fsum((shop.handler_cpu_ms, *(ms for ms, _ in steps)))
    spread_ms = math.sqrt(math.fsum((ms * cv) ** 2 for ms, cv in steps))
    return Lognormal(mean_ms / 1000, spread_ms / mean_ms)


class Coupled:
    """One function with reserved concurrency: who finds it full is refused."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._ends_s: list[float] = []
        self.refused_s: list[float] = []

    def take(self, now_s: float, work_s: float) -> None:
        """An order comes."""
        ends = self._ends_s
        while ends and ends[0] <= now_s:
            heappop(ends)
        if len(ends) < self._at_once:
            heappush(ends, now_s + work_s)
        else:
            self.refused_s.append(now_s)


class Decoupled:
    """A queue and the pollers of its mapping, each of which has one order in work.

    While orders wait, one more comes every fifth of a second (fact `lambda.sqs.pollers`), up to
    so many at once.
    """

    def __init__(self, at_once: int, pollers: int) -> None:
        self._count = pollers
        self._growth_s = 60.0 / fact("lambda.sqs.pollers")["increase_per_min"]
        self._at_once = at_once
        self._free_s = [0.0] * self._count
        self._more_s: float | None = None
        self._grown_s = 0.0
        self.started_s: list[float] = []
        self.longest_s = 0.0

    def take(self, now_s: float, work_s: float) -> None:
        """An order comes; it is begun by the first poller that is free, or that is new."""
        free = self._free_s
        start_s = free[0]
        if start_s <= now_s:
            start_s = now_s
            heapreplace(free, now_s + work_s)
        elif self._count < self._at_once:
            if self._more_s is None or self._more_s < now_s:
                self._more_s = max(now_s, self._grown_s) + self._growth_s
            if self._more_s < start_s:
                start_s = self._grown_s = self._more_s
                self._more_s = None
                self._count += 1
                heappush(free, start_s + work_s)
            else:
                heapreplace(free, start_s + work_s)
        else:
            heapreplace(free, start_s + work_s)
        self.started_s.append(start_s)
        self.longest_s = max(self.longest_s, start_s - now_s)


class Sale(NamedTuple):
    """The load and the limit."""

    usual_per_s: float
    peak_per_s: float
    lasts_s: float
    at_once: int

    @property
    def whole_s(self) -> float:
        """Until the backlog should be gone, but not for ever."""
        work = work_time(Shop())
        capacity_per_s = self.at_once / work.mean
        waiting = backlog(self.peak_per_s, self.lasts_s, capacity_per_s)
        drains_s = math.inf
        if capacity_per_s > self.usual_per_s:
            drains_s = drain_s(waiting, capacity_per_s, self.usual_per_s)
        end_s = BEFORE_S + self.lasts_s
        return end_s + min(1.3 * drains_s + 60.0, 3 * self.lasts_s + 120.0)

    @property
    def orders(self) -> float:
        """Orders to expect."""
        return self.usual_per_s * (self.whole_s - self.lasts_s) + self.peak_per_s * self.lasts_s

    def refused_by_theory(self) -> float:
        """Erlang B at either rate, as if each had settled at once."""
        mean_s = work_time(Shop()).mean
        usual = self.usual_per_s * erlang_b(self.usual_per_s * mean_s, self.at_once)
        peak = self.peak_per_s * erlang_b(self.peak_per_s * mean_s, self.at_once)
        return usual * (self.whole_s - self.lasts_s) + peak * self.lasts_s

    def pollers(self) -> int:
        """Pollers that the usual load has called up before the sale."""
        load = self.usual_per_s * work_time(Shop()).mean
        fewest = int(fact("lambda.sqs.pollers")["initial_concurrent_batches"])
        return min(max(fewest, math.ceil(load + 2 * math.sqrt(load))), self.at_once)

    def flow(self) -> list[float]:
        """Orders waiting at equal steps, as a flow without chance.

        What comes in less what is begun; pollers grow while orders wait.
        """
        per_s = fact("lambda.sqs.pollers")["increase_per_min"] / 60
        mean_s, fine = work_time(Shop()).mean, 40
        step_s = self.whole_s / POINTS / fine
        count, waiting, found = float(self.pollers()), 0.0, [0.0]
        for k in range(POINTS * fine):
            comes = BEFORE_S <= k * step_s < BEFORE_S + self.lasts_s
            rate = self.peak_per_s if comes else self.usual_per_s
            waiting = max(waiting + (rate - count / mean_s) * step_s, 0.0)
            if waiting > 0:
                count = min(count + per_s * step_s, float(self.at_once))
            if (k + 1) % fine == 0:
                found.append(waiting)
        return found


def _steps(times_s: list[float], x_s: list[float]) -> list[float]:
    """How many of the times, in order, are not after each x."""
    found, place = [], 0
    for at_s in x_s:
        while place < len(times_s) and times_s[place] <= at_s:
            place += 1
        found.append(float(place))
    return found


class Run:
    """One sale, simulated piece by piece; both designs meet the same orders."""

    def __init__(self, sale: Sale, seed: str) -> None:
        self.sale = sale
        load = Burst(sale.usual_per_s, sale.peak_per_s, BEFORE_S, sale.lasts_s)
        self._arrivals = load.arrivals(Random(f"{seed} arrivals"))
        self._draw = Random(f"{seed} work").random
        self._time_for = work_time(Shop()).sampler()
        self.coupled = Coupled(sale.at_once)
        self.decoupled = Decoupled(sale.at_once, sale.pollers())
        self.came_s: list[float] = []
        self.done = False

    def go_on(self, orders: int) -> bool:
        """Simulate so many more orders, or up to the end; whether it is reached."""
        draw, time_for, whole_s = self._draw, self._time_for, self.sale.whole_s
        refuse, queue, came = self.coupled.take, self.decoupled.take, self.came_s.append
        for now_s in islice(self._arrivals, orders):
            if now_s >= whole_s:
                self.done = True
                break
            work_s = time_for(draw() or 0.5)
            came(now_s)
            refuse(now_s, work_s)
            queue(now_s, work_s)
        return self.done

    @property
    def share(self) -> float:
        """How much of it lies behind."""
        return 1.0 if self.done else self.came_s[-1] / self.sale.whole_s

    def lines(self) -> tuple[Series, Series]:
        """Orders refused so far and orders waiting, against minutes; as far as they are known."""
        whole_s = self.sale.whole_s
        known_s = whole_s if self.done else self.came_s[-1]
        x = [at_s for k in range(POINTS + 1) if (at_s := whole_s * k / POINTS) <= known_s]
        started = _steps(sorted(self.decoupled.started_s), x)
        waiting = [a - b for a, b in zip(_steps(self.came_s, x), started, strict=True)]
        minutes = [at_s / 60 for at_s in x]
        return (
            Series("refused", minutes, _steps(self.coupled.refused_s, x), "line", "coupled"),
            Series("waiting", minutes, waiting, "line", "decoupled"),
        )

    def found(self) -> tuple[float, float, float]:
        """Orders refused, most waiting at once and the longest wait in seconds, so far."""
        return float(len(self.coupled.refused_s)), max(self.lines()[1].y), self.decoupled.longest_s


def _about(values: Sequence[float], unit: str = "") -> Number:
    if len(values) < 2:
        return Number(values[0], unit)
    found = mean_interval(values)
    return Number(found.mean, unit, max(found.low, 0.0), found.high)


@experiment(
    "async-messaging",
    presets={
        "quiet night": {"usual_per_s": 0.5, "peak_per_s": 2.0},
        "more at once": {"at_once": 200},
        "hopeless": {"usual_per_s": 20.0, "peak_per_s": 200.0, "at_once": 20},
    },
)
def flash_sale(
    usual_per_s: Annotated[
        float, Slider(0.5, 20, log=True, label="usual orders", unit="a second")
    ] = 5.0,
    peak_per_s: Annotated[
        float, Slider(1, 200, log=True, label="orders in the sale", unit="a second")
    ] = 100.0,
    minutes: Annotated[float, Slider(0.5, 5, step=0.5, label="the sale lasts", unit="min")] = 2.0,
    at_once: Annotated[int, Slider(5, 500, log=True, label="orders in work at once")] = 50,
    seed: int = 1,
) -> Iterator[Result]:
    """Orders refused by one function, and waiting in the queue of the decoupled design.

    Refused customers do not come back. The numbers come from several sales, the curves from the
    first; theory is Erlang B for the refused and a flow without chance for the waiting.
    """
    sale = Sale(usual_per_s, peak_per_s, 60 * minutes, at_once)
    flow = sale.flow()
    whole_min = sale.whole_s / 60
    theory = Series("", [whole_min * k / POINTS for k in range(POINTS + 1)], flow, "line", "theory")
    by_erlang = Number(sale.refused_by_theory())
    runs = max(2, min(12, int(IN_ALL / sale.orders)))
    ended: list[tuple[float, float, float]] = []
    lines: tuple[Series, ...] = ()
    for number in range(runs):
        run = Run(sale, f"{seed} sale {number}")
        over = False
        while not over:
            over = run.go_on(A_FRAME)
            found = run.found()
            if number == 0:
                lines = (theory, *run.lines())
            if over:
                ended.append(found)
            refused, waiting, longest = zip(*(ended or [found]), strict=True)
            numbers = {
                "orders": Number(sale.orders),
                "refused by one function": _about(refused),
                "refused by Erlang B": by_erlang,
                "most waiting": _about(waiting),
                "most waiting by theory": Number(max(flow)),
                "longest wait": _about(longest, "s"),
            }
            yield Result(
                Axis("time", "min"), Axis("orders"), lines, numbers,
                progress=min((number + run.share) / runs, 1.0),
            )  # fmt: skip
