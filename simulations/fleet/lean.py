"""The shortest loop: Poisson arrivals, most recent first, one keep-alive for all.

Here nobody asks which environment serves, so none has an identity: running requests are the
times at which they end, idle environments the times since which they are idle, a stack whose
bottom expires. Running ones lie in a timing wheel so fine that a bucket seldom holds two; a
tree of bits says which buckets are occupied. May import: Numba, NumPy and this room.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulations.fleet.compiled import entry, entry_loop, loop, piece
from simulations.fleet.draws import exponential, standard_normal
from simulations.fleet.pool import lowest
from simulations.fleet.state import (
    DONE,
    EXPONENTIAL,
    LOGNORMAL,
    NO_SLOT,
    ROUNDING_MS,
    Numbers,
    Places,
    Reals,
)
from simulations.fleet.text import room_text

#: Places in `count`, and in `real`.
(REQUESTS, COLD, REJECTED, PEAK, OPENED, FREE, FRESH, HEAD, TOP, FIRST, BEHIND, PENDING,
 COUNTS) = range(13)  # fmt: skip
NOW, BUSY, LIVED, BILLED_MS, REALS = range(5)

#: Buckets for each arrival, and mean service times in one turn of the wheel: measured best.
FINE, TURN = 8.0, 4.0

#: Unsigned places spare Numba a check at every use.
_u = np.uint64
_ONE, _NONE = np.uint64(1), np.uint64(0)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LAST = np.int64(-1)


class Course(NamedTuple):
    """What does not change in a run."""

    gap_s: float
    mean_s: float
    cold_s: float
    start_s: float
    service_kind: int
    service_log: float
    keep_s: float
    limit: int
    per_s: float


class Hall(NamedTuple):
    """The wheel with its bits and entries, the entries that come soon, and the idle ones."""

    bits: NDArray[np.uint64]
    buckets: Places
    end_s: Reals
    next: NDArray[np.int32]
    soon_s: Reals
    idle_s: Reals


def hall(environments: int, buckets: int) -> Hall:
    """Return an empty one; both numbers are powers of two."""
    soon_s = np.full(2 * environments + 2, math.inf)
    return Hall(
        np.zeros(buckets >> 6, np.uint64), np.zeros(buckets, np.uint32), np.zeros(environments),
        np.zeros(environments, np.int32), soon_s, np.zeros(environments),
    )  # fmt: skip


def wider(old: Hall, count: Numbers) -> Hall:
    """Return one with room for twice as many environments, with all that is in the old one."""
    n = old.end_s.size
    soon_s = np.full(4 * n + 2, math.inf)
    soon_s[: old.soon_s.size] = old.soon_s
    idle_s = np.zeros(2 * n)
    places: Any = np.arange(count[HEAD], count[TOP])
    idle_s[places & (2 * n - 1)] = old.idle_s[places & (n - 1)]
    end_s = np.concatenate((old.end_s, np.zeros(n)))
    following = np.concatenate((old.next, np.zeros(n, np.int32)))
    return Hall(old.bits, old.buckets, end_s, following, soon_s, idle_s)


@piece
def _soon(hall, first, behind, end_s):
    """Add to the few that are sorted; return where those begin and end."""
    soon_s = hall.soon_s
    if first == behind:
        first = np.int64(0)
        behind = np.int64(0)
    elif behind == soon_s.size - 1:
        for k in range(behind - first):
            soon_s[_u(k)] = soon_s[first + k]
        behind -= first
        first = np.int64(0)
    k = behind
    while k > first and soon_s[_u(k - 1)] > end_s:
        soon_s[_u(k)] = soon_s[_u(k - 1)]
        k -= 1
    soon_s[_u(k)] = end_s
    behind += 1
    soon_s[_u(behind)] = math.inf
    return first, behind


@piece
def _rest(hall, top, first, now_s):
    """Let idle those of the sorted ones that have ended."""
    mask = hall.idle_s.size - 1
    while hall.soon_s[_u(first)] <= now_s:
        hall.idle_s[_u(top & mask)] = hall.soon_s[_u(first)]
        top += 1
        first += 1
    return top, first


@piece
def advance(hall, per_s, at_s, opened, free, top, first, behind):
    """Let idle, in order, all that ends up to and at a time; return where we stand."""
    bits, buckets, end_s, following = hall.bits, hall.buckets, hall.end_s, hall.next
    idle_s, mask = hall.idle_s, hall.idle_s.size - 1
    size, words = buckets.size, (buckets.size >> 6) - 1
    top, first = _rest(hall, top, first, at_s)
    target = np.int64(at_s * per_s)
    if opened < target:
        is_far = target - opened >= size
        low = target - size + 1 if is_far else opened + 1
        word, last = low >> 6, target >> 6
        opened = target
        asked = _ALL << np.uint64(low & 63)
        while True:
            if word == last:
                asked &= _ALL >> np.uint64(63 - (target & 63))
            at = word & words
            found = bits[_u(at)] & asked
            while found != _NONE:
                bit = found & (_NONE - found)
                place = (at << 6) + lowest(found)
                found ^= bit
                entry = np.int64(buckets[_u(place)])
                after = np.int64(following[_u(entry)])
                if after < 0 and end_s[_u(entry)] <= at_s and not is_far:
                    idle_s[_u(top & mask)] = end_s[_u(entry)]  # alone in its bucket, as most
                    top += 1
                    following[_u(entry)] = free
                    free = entry
                    bits[_u(at)] ^= bit
                    continue
                stays = _LAST
                while entry >= 0:
                    after = np.int64(following[_u(entry)])
                    if np.int64(min(end_s[_u(entry)] * per_s, 9e15)) > target:
                        following[_u(entry)] = stays
                        stays = entry
                    else:
                        first, behind = _soon(hall, first, behind, end_s[_u(entry)])
                        following[_u(entry)] = free
                        free = entry
                    entry = after
                if stays >= 0:
                    buckets[_u(place)] = stays
                else:
                    bits[_u(at)] ^= bit
                if not is_far:  # else the buckets are not met in order of time
                    top, first = _rest(hall, top, first, at_s)
            if word == last:
                break
            word += 1
            asked = _ALL
        top, first = _rest(hall, top, first, at_s)
    return opened, free, top, first, behind


@piece
def begin(hall, per_s, ends_s, opened, free, fresh, first, behind):
    """Add one that runs; return where we stand."""
    number = np.int64(min(ends_s * per_s, 9e15))
    if number <= opened:
        first, behind = _soon(hall, first, behind, ends_s)
        return free, fresh, first, behind
    entry = free
    if entry >= 0:
        free = np.int64(hall.next[_u(entry)])
    else:
        entry = fresh
        fresh += 1
    place = number & (hall.buckets.size - 1)
    bit = _ONE << np.uint64(place & 63)
    hall.end_s[_u(entry)] = ends_s
    is_alone = hall.bits[_u(place >> 6)] & bit == _NONE
    hall.next[_u(entry)] = _LAST if is_alone else np.int64(hall.buckets[_u(place)])
    hall.bits[_u(place >> 6)] |= bit
    hall.buckets[_u(place)] = entry
    return free, fresh, first, behind


@piece
def left_s(hall, first, behind, until_s):
    """Return the seconds that what runs at a time still has to run."""
    total_s = 0.0
    for k in range(first, behind):
        total_s += hall.soon_s[k] - until_s
    for word in range(hall.bits.size):
        found = hall.bits[word]
        while found != _NONE:
            entry = np.int64(hall.buckets[(word << 6) + lowest(found)])
            found &= found - _ONE
            while entry >= 0:
                total_s += hall.end_s[entry] - until_s
                entry = np.int64(hall.next[entry])
    return total_s


@loop
def _run(course, hall, count, real, stream, until_s):
    """Serve arrivals before a time, or until there is no room for another environment."""
    idle_s, mask = hall.idle_s, hall.idle_s.size - 1
    requests, cold, peak, opened = count[REQUESTS], count[COLD], count[PEAK], count[OPENED]
    free, fresh, head, top = count[FREE], count[FRESH], count[HEAD], count[TOP]
    first, behind, pending = count[FIRST], count[BEHIND], count[PENDING] > 0
    now_s, busy_s, lived_s, billed_ms = real[NOW], real[BUSY], real[LIVED], real[BILLED_MS]
    gaps, services = stream[0], stream[1]
    status = DONE
    while True:
        if cold - head >= idle_s.size:
            status = NO_SLOT
            break
        if pending:
            pending = False
        else:
            x, gaps = exponential(gaps)
            now_s += course.gap_s * x
        pending = now_s >= until_s
        at_s = until_s if pending else now_s
        opened, free, top, first, behind = advance(
            hall, course.per_s, at_s, opened, free, top, first, behind
        )
        while head < top and idle_s[_u(head & mask)] + course.keep_s <= at_s:
            lived_s += idle_s[_u(head & mask)] + course.keep_s
            head += 1
        if pending:
            break
        x = 1.0
        if course.service_kind == EXPONENTIAL:
            x, services = exponential(services)
        elif course.service_kind == LOGNORMAL:
            x, services = standard_normal(services)
            x = math.exp(course.service_log * (x - 0.5 * course.service_log))
        requests += 1
        running = cold - top  # those that expired left the bottom, and `top` counts them
        if running >= course.limit:
            count[REJECTED] += 1
            continue
        if head < top:
            top -= 1
            ends_s = now_s + x * course.mean_s
        else:
            cold += 1
            lived_s -= now_s
            ends_s = now_s + course.start_s + x * course.cold_s
        peak = max(peak, running + 1)
        busy_s += ends_s - now_s
        billed_ms += np.ceil((ends_s - now_s) * 1000.0 - ROUNDING_MS)
        free, fresh, first, behind = begin(
            hall, course.per_s, ends_s, opened, free, fresh, first, behind
        )
    count[REQUESTS], count[COLD], count[PEAK], count[OPENED] = requests, cold, peak, opened
    count[FREE], count[FRESH], count[HEAD], count[TOP] = free, fresh, head, top
    count[FIRST], count[BEHIND], count[PENDING] = first, behind, 1 if pending else 0
    real[NOW], real[BUSY], real[LIVED], real[BILLED_MS] = now_s, busy_s, lived_s, billed_ms
    stream[0], stream[1] = gaps, services
    return status


def _cached(text: int) -> Any:
    @entry_loop
    def run(course, hall, count, real, stream, until_s):
        return _run(course, hall, count, real, stream, until_s) if text >= 0 else DONE

    @entry
    def close(hall, count, real, until_s):
        # Seconds lived and busy up to a time at which `run` stopped, and to no later one.
        lived_s = real[LIVED] + until_s * (count[COLD] - count[HEAD])
        busy_s = real[BUSY] - left_s(hall, count[FIRST], count[BEHIND], until_s)
        return (lived_s, busy_s) if text >= 0 else (0.0, 0.0)

    return run, close


run, close = _cached(room_text())
