"""The loop over arrivals, and what makes room for more environments between its parts.

The loop works in order of arrival: what ended before becomes idle, one environment is taken or
made, its end goes into the wheel. Expired environments are noticed when they are in the way.
May import: Numba, NumPy and this room.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from simulations.fleet.compiled import entry, entry_loop, loop, piece, seldom
from simulations.fleet.draws import exponential, standard_normal
from simulations.fleet.pool import put_bit, sift, take
from simulations.fleet.state import (
    A_TOKEN,
    BILLED_MS,
    BUSY,
    COLD,
    CREATED,
    DONE,
    EARLIEST,
    EXPONENTIAL,
    HEAD,
    IDLE,
    IN_HEAP,
    IN_WHEEL,
    LAST,
    LIVED,
    LOGNORMAL,
    NEWEST,
    NO_ROW,
    NO_SLOT,
    NOTHING,
    NOW,
    OLDEST,
    ON_READY,
    OPENED,
    PEAK,
    PENDING,
    READY,
    READY_AT,
    READY_LEFT,
    REJECTED,
    REQUESTS,
    ROUNDING_MS,
    SCALE_AT,
    SCALE_LEFT,
    USED,
)  # fmt: skip
from simulations.fleet.text import room_text
from simulations.fleet.wheel import advance, insert


@piece
def _has_token(real, left, at, per_s, most, now_s):
    """Refill a bucket of tokens up to now, and tell whether there is one."""
    real[left] = min(real[left] + (now_s - real[at]) * per_s, most)
    real[at] = now_s
    return real[left] >= A_TOKEN


@loop
def _run(plan, given, rows, room, count, real, stream, until_s):
    """Serve arrivals before a time, until there is none, or no slot or no row for the next."""
    request, peak = count[REQUESTS], count[PEAK]
    opened, in_wheel, in_heap = count[OPENED], count[IN_WHEEL], count[IN_HEAP]
    head, idle, used, created = count[HEAD], count[IDLE], count[USED], count[CREATED]
    now_s, busy_s, last_s = real[NOW], real[BUSY], real[LAST]
    gaps, services = stream[0], stream[1]
    service_step = 0 if given.service_s.size == 1 else 1
    start_step = 0 if given.start_s.size == 1 else 1
    cold_step = 0 if given.cold_s.size == 1 else 1
    has_cold = given.cold_s.size > 0
    pending = count[PENDING] > 0
    billed_ms = real[BILLED_MS]
    status = DONE
    while True:
        if used == room.end_s.size:
            status = NO_SLOT
            break
        if plan.drawn:
            if plan.rows and request == rows.cold.size:
                status = NO_ROW
                break
            if pending:
                pending = False
            else:
                x, gaps = exponential(gaps)
                now_s += plan.gap_s * x
            if now_s >= until_s:
                pending = True
                break
            x = 1.0
            if plan.service_kind == EXPONENTIAL:
                x, services = exponential(services)
            elif plan.service_kind == LOGNORMAL:
                x, services = standard_normal(services)
                x = math.exp(plan.service_log * (x - 0.5 * plan.service_log))
            row = 0
        else:
            if request == given.arrival_s.size:
                break
            if given.arrival_s[request] >= until_s:
                break
            now_s = given.arrival_s[request]
            x = 1.0
            row = request
        request += 1
        opened, in_wheel, in_heap, idle = advance(
            plan, room, real, count, now_s, opened, in_wheel, in_heap, head, idle
        )
        running = in_wheel + in_heap
        if plan.rows and plan.drawn:
            rows.arrival_s[request - 1] = now_s
            rows.service_s[request - 1] = x * given.service_s[0]
        slot = np.int64(-1)
        is_ready = plan.provisioned > 0 and count[READY] > 0
        if is_ready and _has_token(
            real, READY_LEFT, READY_AT, plan.ready_per_s, plan.ready_per_s, now_s
        ):
            real[READY_LEFT] -= 1.0
            count[READY] -= 1
            count[ON_READY] += 1
            slot = np.int64(room.ready[count[READY]])
        refused = False
        if slot < 0:
            on_demand = running
            if plan.provisioned > 0:
                on_demand -= plan.provisioned - count[READY]
            refused = on_demand >= plan.limit
            if not refused:
                slot, head, idle = take(plan, room, real, count, now_s, head, idle)
                if slot < 0 and plan.scale_per_s > 0.0:
                    refused = not _has_token(
                        real, SCALE_LEFT, SCALE_AT, plan.scale_per_s, plan.scale_most, now_s
                    )
                    if not refused:
                        real[SCALE_LEFT] -= 1.0
        if refused:
            count[REJECTED] += 1
            if plan.rows:
                rows.rejected[request - 1] = True
                rows.environment[request - 1] = -1
                rows.latency_s[request - 1] = math.nan
            continue
        if running >= peak:
            peak = running + 1
        start_s = now_s
        if slot >= 0:
            end_s = now_s + x * given.service_s[row * service_step]
        else:
            if has_cold:
                end_s = now_s + x * given.cold_s[row * cold_step]
            else:
                start_s = now_s + given.start_s[row * start_step]
                end_s = start_s + x * given.service_s[row * service_step]
            slot = used
            room.number[slot] = created
            room.created_s[slot] = now_s
            room.uses[slot] = 0
            used += 1
            created += 1
            count[COLD] += 1
            if plan.rows:
                rows.cold[request - 1] = True
        if plan.rows:
            rows.environment[request - 1] = room.number[slot]
            rows.latency_s[request - 1] = end_s - now_s
        room.end_s[slot] = end_s
        room.start_s[slot] = start_s
        room.request[slot] = request
        busy_s += end_s - now_s
        billed_ms += np.ceil((end_s - now_s) * 1000.0 - ROUNDING_MS)
        last_s = max(last_s, end_s)
        in_wheel, in_heap = insert(plan, room, slot, opened, in_wheel, in_heap)
    count[REQUESTS], count[PEAK] = request, peak
    count[OPENED], count[IN_WHEEL], count[IN_HEAP] = opened, in_wheel, in_heap
    count[HEAD], count[IDLE], count[USED], count[CREATED] = head, idle, used, created
    count[PENDING] = 1 if pending else 0
    real[NOW], real[BUSY], real[LAST], real[BILLED_MS] = now_s, busy_s, last_s, billed_ms
    stream[0], stream[1] = gaps, services
    return status


@seldom
def _survey(plan, room, count, real, places):
    """Drop what has expired; number the slots that live, in order; return how many they are."""
    now_s = real[NOW]
    places[:] = -1
    if plan.routing == NEWEST or plan.routing == OLDEST:
        idle = 0
        for slot in range(count[USED]):
            word = room.bits[slot >> 6] >> np.uint64(slot & 63)
            if word & np.uint64(1):
                room.idle[idle] = slot
                idle += 1
        count[HEAD], count[IDLE] = 0, idle
    earliest_s = real[EARLIEST]
    idle = count[IDLE] = sift(plan, room, room.idle.copy(), real, now_s, count[HEAD], count[IDLE])
    count[HEAD] = 0
    if not math.isfinite(earliest_s):
        real[EARLIEST] = earliest_s
    for k in range(idle):
        places[room.idle[k]] = 0
    for k in range(count[READY]):
        places[room.ready[k]] = 0
    for k in range(count[IN_HEAP]):
        places[room.heap[k]] = 0
    for first in room.buckets:
        slot = np.int64(first)
        while slot != NOTHING:
            places[slot] = 0
            slot = np.int64(room.next[slot])
    live = 0
    for slot in range(count[USED]):
        if places[slot] == 0:
            places[slot] = live
            live += 1
    return live


@seldom
def _move(plan, old, new, count, places):
    """Copy what lives into a new room, closed up and in the same order."""
    used = 0
    for slot in range(count[USED]):
        to = places[slot]
        if to < 0:
            continue
        used += 1
        new.end_s[to], new.start_s[to] = old.end_s[slot], old.start_s[slot]
        new.created_s[to], new.request[to] = old.created_s[slot], old.request[slot]
        new.number[to], new.uses[to] = old.number[slot], old.uses[slot]
    count[USED] = used
    for k in range(count[IDLE]):
        to = places[old.idle[k]]
        new.idle[k] = to
        if plan.routing == NEWEST or plan.routing == OLDEST:
            put_bit(new, np.int64(to))
    for k in range(count[READY]):
        new.ready[k] = places[old.ready[k]]
    for k in range(count[IN_HEAP]):
        new.heap[k] = places[old.heap[k]]
    for place in range(old.buckets.size):
        slot = np.int64(old.buckets[place])
        if slot != NOTHING:
            new.buckets[place] = places[slot]
        while slot != NOTHING:
            following = np.int64(old.next[slot])
            new.next[places[slot]] = places[following] if following != NOTHING else NOTHING
            slot = following


@seldom
def _close(plan, room, count, real, until_s, places):
    """Return the seconds lived and busy up to a time alone; what lives is numbered anew."""
    opened, in_wheel, in_heap, idle = advance(
        plan, room, real, count, until_s, count[OPENED], count[IN_WHEEL], count[IN_HEAP],
        count[HEAD], count[IDLE],
    )  # fmt: skip
    count[OPENED], count[IN_WHEEL], count[IN_HEAP], count[IDLE] = opened, in_wheel, in_heap, idle
    now_s = real[NOW]
    real[NOW] = until_s
    _survey(plan, room, count, real, places)
    real[NOW] = now_s
    lived_s, busy_s = real[LIVED], real[BUSY]
    for slot in range(count[USED]):
        if places[slot] >= 0:
            lived_s += until_s - room.created_s[slot]
            busy_s -= max(0.0, room.end_s[slot] - until_s)
    return lived_s, busy_s


def _cached(text: int) -> tuple[Callable[..., Any], ...]:
    # Numba's cache looks at the file of the function and at what it closes over, not at the
    # functions that it calls: `text` stands for those, so that an edit of any is noticed.
    @entry_loop
    def run(plan, given, rows, room, count, real, stream, until_s):
        return _run(plan, given, rows, room, count, real, stream, until_s) if text >= 0 else DONE

    @entry
    def survey(plan, room, count, real, places):
        return _survey(plan, room, count, real, places) if text >= 0 else 0

    @entry
    def move(plan, old, new, count, places):
        if text >= 0:
            _move(plan, old, new, count, places)

    @entry
    def close(plan, room, count, real, until_s, places):
        return _close(plan, room, count, real, until_s, places) if text >= 0 else (0.0, 0.0)

    return run, survey, move, close


run, survey, move, close = _cached(room_text())
