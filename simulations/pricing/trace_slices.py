"""A trace cut into slices of time, each a trace by itself that `usage` can read.

A request belongs to the slice it arrived in, with all that was done for it, however late; what
was done for nobody in particular (a ping, a recorded log) belongs to the slice it began in. What
arrived in the warm-up is in none. May import: the standard library, `simulations.trace` and the
rest of this package.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence

from simulations._check import whole
from simulations.trace import COLUMNS, Trace

#: Meters that follow the messages of a queue, and whether each receive of one counts.
_BY_MESSAGE = {"send": False, "receive": True, "delete": False}
#: Meters that run on until the last request is done; others stop at the horizon.
_TO_THE_END = frozenset({"empty_receive", "poller"})


def sliced(trace: Trace, slices: int, without: Collection[int] = ()) -> list[Trace]:
    """Cut the time between warm-up and horizon into equal slices.

    The calls of a queue's consumers are metered without a time: they are shared out by the
    messages that arrived in each slice (receives by how often each was received). Whatever
    else is metered is shared out by time, but for the meters of the components `without`.

    Raises
    ------
    ValueError
        If the trace has no horizon to cut, or `slices` is no whole number of 1 or above.

    Examples
    --------
    >>> from simulations import Function, Regular, Simulation
    >>> def handler(event, context):
    ...     yield context.compute(ms=100)
    >>> sim = Simulation(seed=1)
    >>> trace = sim.run(Regular(2) >> Function(sim, "F", handler), duration_s=60, warmup_s=20)
    >>> [len(one.spans) for one in sliced(trace, 4)]
    [5, 5, 5, 5]
    """
    count = whole("slices", slices, low=1)
    begin_s, end_s = window_s(trace)
    edges = [begin_s + (end_s - begin_s) * k / count for k in range(1, count + 1)]
    edges[-1] = math.inf
    parts = [_empty(trace, (end_s - begin_s) / count) for _ in range(count)]

    def place(at_s: float) -> int:
        return bisect_right(edges, at_s) if at_s >= begin_s else -1

    arrived = dict(zip(trace.requests.id, map(place, trace.requests.start_s), strict=True))
    for row in zip(*_columns(trace, "requests"), strict=True):
        if arrived[row[0]] >= 0:
            parts[arrived[row[0]]].requests.append(row)
    shares = _spans(trace, parts, arrived, place)
    for component, environment, created_s, ended_s, busy_s in zip(
        *_columns(trace, "environments"), strict=True
    ):
        if place(created_s) >= 0:
            row = (component, environment, created_s, ended_s, busy_s)
            parts[place(created_s)].environments.append(row)
    _meters(trace, parts, shares, without)
    return parts


def window_s(trace: Trace) -> tuple[float, float]:
    """The end of the warm-up and the horizon, in seconds; `ValueError` where there is none."""
    begin_s, end_s = float(trace.header.get("warmup_s", 0.0)), trace.header.get("horizon_s")
    if end_s is None or not end_s > begin_s:
        raise ValueError(f"trace {trace!r} has no horizon_s above its warm-up: no rate follows")
    return begin_s, float(end_s)


def _empty(trace: Trace, lasts_s: float) -> Trace:
    part = Trace(int(trace.header.get("seed", 0)))
    for name in trace.vocabulary:
        part.code(name)  # in the same order: the rows are copied with their codes
    part.header |= {"components": trace.header["components"], "horizon_s": lasts_s}
    return part


def _columns(trace: Trace, table: str) -> Sequence[Sequence[float]]:
    named = getattr(trace, table)
    return [getattr(named, name) for name in COLUMNS[table]]


def _spans(
    trace: Trace, parts: list[Trace], arrived: Mapping[float, int], place: Callable[[float], int]
) -> dict[tuple[int, str], list[float]]:
    """Deal out the spans; returns how many messages and receives of a queue each slice has."""
    links = trace.links
    first = dict(zip(reversed(links.span), reversed(links.request), strict=True))
    message = trace.code("message")
    shares: dict[tuple[int, str], list[float]] = {}
    appends = [part.spans.append for part in parts]
    for row in zip(*_columns(trace, "spans"), strict=True):
        request = row[2] if row[2] in arrived else first.get(row[0], -1)
        at = arrived.get(request)
        if at is None:
            begun_s = row[8] if row[8] == row[8] else row[7]
            at = place(begun_s)
        if at < 0:
            continue
        appends[at](row)
        if row[4] == message:
            for kind, weight in (("message", 1.0), ("receive", row[6])):
                found = shares.setdefault((int(row[3]), kind), [0.0] * len(parts))
                found[at] += weight
    return shares


def _meters(
    trace: Trace,
    parts: list[Trace],
    shares: Mapping[tuple[int, str], list[float]],
    without: Collection[int],
) -> None:
    begin_s, end_s = window_s(trace)
    ran_s = max(float(trace.header.get("ended_s", end_s)), end_s)
    slice_s = (end_s - begin_s) / len(parts)
    totals = _totals(trace)
    for component, operation, count, units in zip(*_columns(trace, "meters"), strict=True):
        if component in without:
            continue
        what = trace.name(int(operation))
        each = slice_s / (ran_s if what in _TO_THE_END else end_s)
        by_receives = _BY_MESSAGE.get(what)
        kind = "receive" if by_receives else "message"
        total = totals.get((int(component), kind), 0.0) if by_receives is not None else 0.0
        weights = shares.get((int(component), kind), [0.0] * len(parts))
        for place, part in enumerate(parts):
            share = weights[place] / total if total else each
            row = (component, operation, round(count * share), units * share)
            part.meters.append(row)


def _totals(trace: Trace) -> dict[tuple[int, str], float]:
    """Messages and receives by queue over the whole trace, warm-up included."""
    totals: dict[tuple[int, str], float] = {}
    message, spans = trace.code("message"), trace.spans
    for component, operation, attempt in zip(
        spans.component, spans.operation, spans.attempt, strict=True
    ):
        if operation == message:
            for kind, weight in (("message", 1.0), ("receive", float(attempt))):
                totals[component, kind] = totals.get((component, kind), 0.0) + weight
    return totals
