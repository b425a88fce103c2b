"""The way of three orders through functions that call each other, and through queues.

May import the rooms down to `experiment` and, of the movies, `simulations.movies`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from simulations.figures.words import seconds
from simulations.movies import Actor, Box, Key, Movie, Words, key_of, together
from simulations.orders import Shop, run_orders
from simulations.trace import Trace
from simulations.workload import Recorded

CLICKS_S = (0.0, 0.5, 1.0)
#: Seconds in which a disk goes from one function to the next; it only shows where it goes.
TRAVEL_S = 0.08
LEFT, CELL, GAP, ROW = 4.0, 52.0, 23.0, 18.0
TOPS = {"A1": 44.0, "B1": 178.0}
TITLES = {"A1": "coupled: each function waits for the next", "B1": "decoupled: a queue before each"}
ROLES = {"A1": "coupled", "B1": "decoupled"}
#: The functions by their place from left to right, with the words above them.
PLACES = {
    "A1": {"SubmitOrder": "submit", "SetAsideStock": "reserve", "AuthorizePayment": "charge",
           "DecreaseStock": "stock", "SendEmail": "e-mail"},
    "B1": {"SubmitOrder": "submit", "ReserveStock": "reserve", "AuthorizePayment": "charge",
           "DecreaseStock": "stock", "SendEmail": "e-mail"},
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """One invocation of one order, and when something that it called was under way."""

    function: str
    start_s: float
    end_s: float
    waits: tuple[tuple[float, float], ...]

    def state(self, at_s: float) -> str:
        """Return whether it computes or waits at a moment."""
        return "wait" if any(a <= at_s < b for a, b in self.waits) else "work"

    def waited_s(self, at_s: float) -> float:
        """Return how long it has waited by a moment; it is billed for all of it."""
        return math.fsum(max(min(b, at_s) - a, 0.0) for a, b in self.waits)


def ran(trace: Trace, order: int) -> list[Ran]:
    """Return the invocations of an order as they began, from the trace's spans."""
    spans = [s for s in trace.of_request(order) if s.operation in ("invoke", "call", "send")]
    found = []
    for span in spans:
        if span.operation != "invoke":
            continue
        inside = sorted(
            (child.queued_s, min(child.end_s, span.end_s))
            for child in spans
            if child.parent == span.id
            and child.queued_s < span.end_s
            # What a queue passes on later is no waiting of who sent it.
            and (child.operation != "invoke" or child.end_s <= span.end_s)
        )
        found.append(Ran(span.component, span.start_s, span.end_s, tuple(_joined(inside))))
    return sorted(found, key=lambda one: one.start_s)


def _joined(spells: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for begin_s, end_s in spells:
        if joined and begin_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end_s, joined[-1][1]))
        else:
            joined.append((begin_s, end_s))
    return joined


def _x(place: int) -> float:
    return LEFT + place * (CELL + GAP)


def _cells(runs: list[Ran], order: int, architecture: str) -> list[Actor]:
    """Return the cells that are lit while a function runs for an order: computing or waiting."""
    actors = []
    for one in runs:
        place = list(PLACES[architecture]).index(one.function)
        x, y = _x(place) + 3, TOPS[architecture] + order * ROW + 3
        moments = sorted({one.start_s, *(t for wait in one.waits for t in wait), one.end_s})
        keys = [Key(t, x, y, one.state(t)) for t in moments[:-1]]
        keys.append(Key(moments[-1], x, y, "off"))
        actors.append(Actor(tuple(keys), width=CELL - 6, height=ROW - 4))
    return actors


def _disk(stops: list[tuple[float, float, str]], order: int, y: float) -> Actor:
    """Return an order's disk: at each stop from its moment on, moving just before the next."""
    keys = [Key(stops[0][0], stops[0][1], y, stops[0][2])]
    for (_, x, state), (next_s, next_x, next_state) in pairwise(stops):
        leaves_s = max(next_s - TRAVEL_S, keys[-1].at_s)
        if leaves_s > keys[-1].at_s:
            keys.append(Key(leaves_s, x, y, state))
        keys.append(Key(max(next_s, keys[-1].at_s + 1e-3), next_x, y, next_state))
    return Actor(tuple(keys), label=str(order + 1))


def _coupled(runs: list[Ran], order: int) -> list[Actor]:
    """The order is where the innermost of the functions that run for it is."""
    moments = sorted({one.start_s for one in runs} | {one.end_s for one in runs})
    names = list(PLACES["A1"])
    y = TOPS["A1"] + order * ROW + ROW / 2 + 1
    stops: list[tuple[float, float, str]] = []
    for at_s in moments[:-1]:
        inner = max((r for r in runs if r.start_s <= at_s < r.end_s), key=lambda r: r.start_s)
        x = _x(names.index(inner.function)) + CELL / 2
        if not stops or stops[-1][1] != x:
            stops.append((at_s, x, "plain"))
    stops.append((moments[-1], _x(0) + CELL / 2, "done"))
    return [_disk(stops, order, y)]


def _decoupled(runs: list[Ran], order: int) -> list[Actor]:
    """A message waits before its function, is worked on, and the next message goes on."""
    names = list(PLACES["B1"])
    by_name = {one.function: one for one in runs}
    y = TOPS["B1"] + order * ROW + ROW / 2 + 1
    submit = by_name["SubmitOrder"]

    def stops_along(path: list[str]) -> list[tuple[float, float, str]]:
        stops = [(submit.start_s, _x(0) + CELL / 2, "plain")]
        sent_s = submit.end_s
        for name in path:
            one, x = by_name[name], _x(names.index(name))
            stops.append((sent_s, x - GAP / 2, "visible"))
            stops.append((one.start_s, x + CELL / 2, "plain"))
            sent_s = one.end_s
        stops.append((sent_s, stops[-1][1] + 1, "done"))
        return stops

    return [
        _disk(stops_along(["ReserveStock"]), order, y),
        _disk(stops_along(["AuthorizePayment", "DecreaseStock", "SendEmail"]), order, y),
    ]


def _answered(took: dict[float, str]) -> tuple[tuple[float, str], ...]:
    """Return what stands below a system: how long the customers waited so far."""
    moments = sorted(took)
    texts = [
        "answered after " + ", ".join(took[t] for t in moments[: i + 1])
        for i in range(len(moments))
    ]
    return ((0.0, "nobody is answered yet"), *zip(moments, texts, strict=True))


def _billed(runs: list[Ran], lasts_s: float) -> tuple[tuple[float, str], ...]:
    """Return the waiting that is billed so far, every tenth of a second."""
    values = []
    for tenth in range(int(10 * lasts_s) + 1):
        at_s = tenth / 10
        waited_s = math.fsum(one.waited_s(at_s) for one in runs)
        values.append((at_s, f"waiting, billed: {seconds(waited_s, digits=2)}"))
    return tuple(values)


def movie() -> Movie:
    """Three orders, half a second apart, through both; nothing is cold, nothing fails."""
    actors: list[Actor] = []
    boxes: list[Box] = []
    words: list[Words] = []
    steps: list[tuple[float, str]] = []
    lasts_s = 0.0
    for architecture, top in TOPS.items():
        trace = run_orders(
            architecture, Shop(warm=True), Recorded(CLICKS_S), duration_s=5.0, seed=3
        )
        for place, name in enumerate(PLACES[architecture].values()):
            boxes.append(Box(_x(place), top, CELL, 3 * ROW + 2, name, ROLES[architecture]))
        words.append(
            Words(LEFT, top - 26, ((0.0, TITLES[architecture]),), role=ROLES[architecture])
        )
        took: dict[float, str] = {}
        every: list[Ran] = []
        for order in range(len(CLICKS_S)):
            runs = ran(trace, order)
            actors += _cells(runs, order, architecture)
            actors += (_coupled if architecture == "A1" else _decoupled)(runs, order)
            submit = next(one for one in runs if one.function == "SubmitOrder")
            took[submit.end_s] = seconds(submit.end_s - CLICKS_S[order], digits=2)
            told = f"order {order + 1} is answered after {took[submit.end_s]}"
            steps.append((submit.end_s, f"{ROLES[architecture]}: {told}"))
            lasts_s = max(lasts_s, *(one.end_s for one in runs))
            every += runs
        below = top + 3 * ROW + 18
        words.append(Words(LEFT, below, _answered(took), role=ROLES[architecture]))
        words.append(
            Words(LEFT + 352, below, _billed(every, max(r.end_s for r in every)), anchor="end")
        )
    shown, told_by = key_of(
        (("wait", "running, waits"), ("work", "running, computes")), LEFT, 274.0
    )
    actors += shown
    words += told_by
    steps += [(at_s, f"order {k + 1} is sent") for k, at_s in enumerate(CLICKS_S)]
    return Movie(
        "way", height=282, lasts_s=lasts_s + 0.3, still_s=1.22, pace=0.6, actors=tuple(actors),
        boxes=tuple(boxes), words=tuple(words), steps=together(steps),
    )  # fmt: skip
