"""Several requests in one environment at a time, which Lambda does not do and others do.

As `Function(requests_per_environment=...)` does it: a request joins the environment that has had
room for longest, one that starts too; else it takes an idle one by the routing; else a new one.
May import: Numba, NumPy and this room.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulations.fleet.answer import Tally
from simulations.fleet.compiled import entry, piece
from simulations.fleet.state import (
    CONSTANT,
    LEAST_RECENT,
    MOST_RECENT,
    NEWEST,
    RANDOM,
    ROUNDING_MS,
    Given,
    Plan,
    Rows,
)
from simulations.fleet.text import room_text


@piece
def _later(ends_s, starts_s, a, b):
    """Tell which of two requests ends later; at the same instant, which began later."""
    if ends_s[a] != ends_s[b]:
        return ends_s[a] > ends_s[b]
    if starts_s[a] != starts_s[b]:
        return starts_s[a] > starts_s[b]
    return a > b


@piece
def _up(heap, size, request, ends_s, starts_s):
    """Add to the heap; return its size."""
    place = size
    while place > 0 and _later(ends_s, starts_s, heap[(place - 1) >> 1], request):
        heap[place] = heap[(place - 1) >> 1]
        place = (place - 1) >> 1
    heap[place] = request
    return size + 1


@piece
def _down(heap, size, ends_s, starts_s):
    """Remove the first of the heap; return its size."""
    size -= 1
    request, place = heap[size], 0
    while 2 * place + 1 < size:
        below = 2 * place + 1
        if below + 1 < size and _later(ends_s, starts_s, heap[below], heap[below + 1]):
            below += 1
        if not _later(ends_s, starts_s, request, heap[below]):
            break
        heap[place] = heap[below]
        place = below
    heap[place] = request
    return size


def _cached(text: int) -> Any:
    @entry
    def run(
        arrival_s, service_s, start_s, cold_s, routing, keep_s, limit, share,
        cold, environment, rejected, latency_s, found,
    ):  # fmt: skip
        n = arrival_s.size
        ends_s, starts_s, whose = np.empty(n), np.empty(n), np.empty(n, np.int64)
        heap, alive = np.empty(n, np.int64), np.empty(n, np.int64)
        inside, turn = np.zeros(n, np.int64), np.zeros(n, np.int64)
        idle_s, ready_s, made_s = np.empty(n), np.empty(n), np.empty(n)
        size, living, created, peak, refused, turns = 0, 0, 0, 0, 0, 0
        lived_s, busy_s, billed_ms, last_s = 0.0, 0.0, 0.0, 0.0
        for k in range(n + 1):
            now_s = arrival_s[k] if k < n else np.inf
            while size > 0 and ends_s[heap[0]] <= now_s:
                slot = whose[heap[0]]
                idle_s[slot] = ends_s[heap[0]]
                last_s = idle_s[slot]
                inside[slot] -= 1
                if inside[slot] == 0 or inside[slot] == share - 1:
                    turns += 1
                    turn[slot] = turns  # in line for those with room, or for the idle ones
                size = _down(heap, size, ends_s, starts_s)
            if k == n:
                break
            if size >= limit:
                rejected[k], environment[k], latency_s[k] = True, -1, np.nan
                refused += 1
                continue
            joined, idle, kept = -1, -1, 0
            for place in range(living):
                slot = alive[place]
                if inside[slot] == 0 and idle_s[slot] + keep_s <= now_s:
                    lived_s += idle_s[slot] + keep_s - made_s[slot]
                    continue
                alive[kept] = slot
                kept += 1
                if inside[slot] == 0:
                    is_next = idle < 0
                    if idle >= 0:
                        is_next = (
                            (routing == MOST_RECENT and turn[slot] > turn[idle])
                            or (routing == LEAST_RECENT and turn[slot] < turn[idle])
                            or routing == NEWEST
                        )  # `alive` is in order of creation, so the oldest comes first
                    idle = slot if is_next else idle
                elif inside[slot] < share and (joined < 0 or turn[slot] < turn[joined]):
                    joined = slot
            living = kept
            slot = joined if joined >= 0 else idle
            takes_s = service_s[k % service_s.size]
            if slot < 0:
                slot = created
                created += 1
                alive[living] = slot
                living += 1
                made_s[slot] = now_s
                cold[k] = True
                ready_s[slot] = now_s
                if cold_s.size > 0:
                    takes_s = cold_s[k % cold_s.size]
                else:
                    ready_s[slot] += start_s[k % start_s.size]
            if inside[slot] == 0:
                turns += 1
                turn[slot] = turns
            inside[slot] += 1
            whose[k], starts_s[k] = slot, max(now_s, ready_s[slot])
            ends_s[k] = starts_s[k] + takes_s
            size = _up(heap, size, k, ends_s, starts_s)
            peak = max(peak, size)
            environment[k], latency_s[k] = slot, ends_s[k] - now_s
            busy_s += ends_s[k] - now_s
            billed_ms += np.ceil((ends_s[k] - now_s) * 1000.0 - ROUNDING_MS)
        for place in range(living):
            slot = alive[place]
            lived_s += min(idle_s[slot] + keep_s, last_s) - made_s[slot]
        found[0], found[1], found[2], found[3] = created, refused, peak, text
        return lived_s, busy_s, billed_ms, last_s

    return run


_run = _cached(room_text())


def replay_shared(plan: Plan, given: Given, rows: Rows, share: int, warm_s: float) -> Tally:
    """Replay with several requests an environment; fill the rows and return the tally.

    Cost: a pass over the environments that live, at each request.
    """
    for name, wrong in (
        ("routing='random'", plan.routing == RANDOM),
        ("a random keep_alive_s", plan.keep_kind != CONSTANT),
        ("provisioned_concurrency", plan.provisioned > 0),
        ("scaling", plan.scale_per_s > 0),
        ("warmup_s", warm_s > 0),
    ):
        if wrong:
            raise ValueError(f"{name} is not possible with requests_per_environment={share}")
    found = np.zeros(4, np.int64)
    lived_s, busy_s, billed_ms, last_s = _run(
        *given,
        plan.routing,
        plan.keep_s,
        plan.limit,
        share,
        rows.cold,
        rows.environment,
        rows.rejected,
        rows.latency_s,
        found,
    )
    created, rejected, peak = (int(value) for value in found[:3])
    n = given.arrival_s.size
    at_s = last_s if n else 0.0
    return Tally(at_s, n, created, rejected, 0, billed_ms, lived_s, busy_s, peak)
