"""The running requests, in the order in which they end: a timing wheel over a small heap.

A bucket of the wheel is a list without order; when its time comes it is emptied into a heap,
which holds one or two entries at a steady load and is the safeguard at an unsteady one.
May import: Numba, NumPy and this room's pool and state.
"""

from __future__ import annotations

import numpy as np

from simulations.fleet.compiled import apart, piece
from simulations.fleet.pool import put
from simulations.fleet.state import NOTHING


@piece
def bucket(plan, time_s):
    """Return the number of the bucket that a time lies in, counted from the origin."""
    return np.int64(min((time_s - plan.origin_s) * plan.per_s, 9e15))


@piece
def _before(room, a, b):
    """Tell which of two ends first; at the same instant, which began first."""
    if room.end_s[a] != room.end_s[b]:
        return room.end_s[a] < room.end_s[b]
    if room.start_s[a] != room.start_s[b]:
        return room.start_s[a] < room.start_s[b]
    return room.request[a] < room.request[b]


@piece
def push(room, in_heap, slot):
    """Add to the heap; return its size."""
    heap = room.heap
    place = in_heap
    while place > 0:
        above = (place - 1) >> 1
        if not _before(room, slot, heap[above]):
            break
        heap[place] = heap[above]
        place = above
    heap[place] = slot
    return in_heap + 1


@piece
def pop(room, in_heap):
    """Remove the heap's first, which the caller has read; return its size."""
    in_heap -= 1
    if in_heap == 0:
        return in_heap
    heap = room.heap
    slot = heap[in_heap]
    place = 0
    while True:
        below = 2 * place + 1
        if below >= in_heap:
            break
        if below + 1 < in_heap and _before(room, heap[below + 1], heap[below]):
            below += 1
        if not _before(room, heap[below], slot):
            break
        heap[place] = heap[below]
        place = below
    heap[place] = slot
    return in_heap


@piece
def insert(plan, room, slot, opened, in_wheel, in_heap):
    """Add a running environment; return how many are in the wheel and in the heap."""
    number = bucket(plan, room.end_s[slot])
    if number <= opened:
        return in_wheel, push(room, in_heap, slot)
    place = number & (room.buckets.size - 1)
    room.next[slot] = room.buckets[place]
    room.buckets[place] = slot
    return in_wheel + 1, in_heap


@piece
def _open(plan, room, place, number, in_wheel, in_heap):
    """Empty a bucket into the heap, but for what belongs to a later round than `number` does."""
    slot = np.int64(room.buckets[place])
    room.buckets[place] = NOTHING
    while slot != NOTHING:
        following = np.int64(room.next[slot])
        if bucket(plan, room.end_s[slot]) > number:
            room.next[slot] = room.buckets[place]
            room.buckets[place] = slot
        else:
            in_heap = push(room, in_heap, slot)
            in_wheel -= 1
        slot = following
    return in_wheel, in_heap


@apart
def _open_all(plan, room, number, in_wheel, in_heap):
    """Empty all buckets up to a number that lies more than one round ahead."""
    for place in range(room.buckets.size):
        in_wheel, in_heap = _open(plan, room, place, number, in_wheel, in_heap)
    return in_wheel, in_heap


@piece
def _drain(plan, room, real, count, now_s, in_heap, head, idle):
    """Let idle what has ended; return the sizes of heap and pool."""
    while in_heap > 0:
        slot = np.int64(room.heap[0])
        if room.end_s[slot] > now_s:
            break
        in_heap = pop(room, in_heap)
        idle = put(plan, room, real, count, slot, head, idle)
    return in_heap, idle


@piece
def advance(plan, room, real, count, now_s, opened, in_wheel, in_heap, head, idle):
    """Let idle, in order, what ends up to and at `now_s`; return where we stand."""
    in_heap, idle = _drain(plan, room, real, count, now_s, in_heap, head, idle)
    target = bucket(plan, now_s)
    while opened < target:
        if in_wheel == 0:
            opened = target
            break
        if target - opened > room.buckets.size:
            opened = target
            in_wheel, in_heap = _open_all(plan, room, opened, in_wheel, in_heap)
        else:
            opened += 1
            place = opened & (room.buckets.size - 1)
            if room.buckets[place] == NOTHING:
                continue
            in_wheel, in_heap = _open(plan, room, place, opened, in_wheel, in_heap)
        in_heap, idle = _drain(plan, room, real, count, now_s, in_heap, head, idle)
    return opened, in_wheel, in_heap, idle
