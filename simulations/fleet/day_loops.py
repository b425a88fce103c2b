"""The loops over one function's day: with an environment for each request, or one for all.

Arrivals of a minute are as many uniform times, in order; they are made from exponential gaps, in
a buffer that holds one minute. May import: Numba, NumPy and this room.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from simulations.fleet.compiled import entry_loop, loop, piece
from simulations.fleet.draws import exponential, mixed
from simulations.fleet.lean import advance, begin, left_s
from simulations.fleet.normal import normal
from simulations.fleet.state import (
    CONSTANT,
    DONE,
    EXPONENTIAL,
    LOGNORMAL,
    NO_SLOT,
    Reals,
)
from simulations.fleet.text import room_text

MINUTE_S, DAY_S = 60.0, 86400.0

#: Places in what is found.
COLD, BUSY, LOADED, PEAK, FOUND = range(5)


class Kept(NamedTuple):
    """How long an idle environment is kept."""

    kind: int
    keep_s: float
    shares: Reals
    values: Reals
    is_hybrid: bool
    bin_s: float
    head: float
    tail: float
    margin: float
    least_cv: float
    least: int


class Work(NamedTuple):
    """What a request takes."""

    mean_s: float
    cold_s: float
    is_exponential: bool
    per_s: float


@piece
def _minute(buffer_s, calls, minute, stream):
    """Put the arrivals of a minute into the buffer; return the stream after them."""
    total = 0.0
    for k in range(calls):
        x, stream = exponential(stream)
        total += x
        buffer_s[k] = total
    x, stream = exponential(stream)
    scale = MINUTE_S / (total + x)
    for k in range(calls):
        buffer_s[k] = MINUTE_S * minute + scale * buffer_s[k]
    return stream


@piece
def _kept_s(kept, key, idle_s):
    """Return how long is kept what has been idle since a time; drawn by a hash of the time."""
    if kept.kind == CONSTANT:
        return kept.keep_s
    bits = np.float64(idle_s).view(np.uint64)
    u = (np.float64(mixed(key + bits) >> np.uint64(12)) + 0.5) * 2.0**-52
    if kept.kind == EXPONENTIAL:
        return -kept.values[0] * math.log1p(-u)
    if kept.kind == LOGNORMAL:
        return math.exp(normal(u, kept.values[0], kept.values[1]))
    k = 1
    while kept.shares[k] <= u:
        k += 1
    share, value = kept.shares[k - 1], kept.values[k - 1]
    return value + (u - share) * (kept.values[k] - value) / (kept.shares[k] - share)


@loop
def _separate(calls, work, kept, hall, buffer_s, key, stream, service_stream, found):
    """Serve a day's requests, each in an environment of its own, the most recent first."""
    idle_s, mask = hall.idle_s, hall.idle_s.size - 1
    opened, free, fresh = np.int64(-1), np.int64(-1), np.int64(0)
    top, first, behind = np.int64(0), np.int64(0), np.int64(0)
    cold, dropped, peak = 0, 0, 0
    busy_s, loaded_s = 0.0, 0.0
    for minute in range(calls.size):
        if calls[minute] == 0:
            continue
        stream = _minute(buffer_s, calls[minute], minute, stream)
        for k in range(calls[minute]):
            if cold - dropped >= idle_s.size:
                return NO_SLOT
            now_s = buffer_s[k]
            opened, free, top, first, behind = advance(
                hall, work.per_s, now_s, opened, free, top, first, behind
            )
            peak = max(peak, cold - dropped - top + 1)
            takes_s = work.mean_s
            if work.is_exponential:
                x, service_stream = exponential(service_stream)
                takes_s *= x
            is_found = False
            while top > 0 and not is_found:
                top -= 1
                since_s = idle_s[top & mask]
                up_s = since_s + _kept_s(kept, key, since_s)
                is_found = up_s > now_s
                if not is_found:  # it expired then, unnoticed: nobody came so far down
                    dropped += 1
                    loaded_s += up_s
            if not is_found:
                cold += 1
                loaded_s -= now_s
                takes_s += work.cold_s
            busy_s += takes_s
            free, fresh, first, behind = begin(
                hall, work.per_s, now_s + takes_s, opened, free, fresh, first, behind
            )
    opened, free, top, first, behind = advance(
        hall, work.per_s, DAY_S, opened, free, top, first, behind
    )
    loaded_s += DAY_S * (cold - dropped - top)
    for k in range(top):
        since_s = idle_s[k & mask]
        loaded_s += min(since_s + _kept_s(kept, key, since_s), DAY_S)
    found[COLD], found[LOADED], found[PEAK] = cold, loaded_s, peak
    found[BUSY] = busy_s - left_s(hall, first, behind, DAY_S)
    return DONE


@piece
def _place(bins, place, below, wanted):
    """Move to the bin in which a share of the idle times is reached; return it and what is below."""
    while place > 0 and below >= wanted:
        place -= 1
        below -= bins[place]
    while below + bins[place] < wanted:
        below += bins[place]
        place += 1
    return place, below


@loop
def _together(calls, work, kept, bins, buffer_s, key, stream, service_stream, found):
    """Serve a day's requests in one environment that serves any number at once."""
    cold, busy_s, loaded_s = 0, 0.0, 0.0
    until_s = -1.0  # when the last request in it ends; before the first there is none
    seen, beyond, squares = 0, 0, 0.0
    head, below_head, tail, below_tail = 0, 0, 0, 0
    for minute in range(calls.size):
        if calls[minute] == 0:
            continue
        stream = _minute(buffer_s, calls[minute], minute, stream)
        for k in range(calls[minute]):
            now_s = buffer_s[k]
            takes_s = work.mean_s
            if work.is_exponential:
                x, service_stream = exponential(service_stream)
                takes_s *= x
            if now_s < until_s:
                ends_s = now_s + takes_s
                if ends_s > until_s:
                    busy_s += ends_s - until_s
                    until_s = ends_s
                continue
            if until_s < 0.0:
                is_warm = False
            else:
                gap_s = now_s - until_s
                from_s, to_s = 0.0, 0.0
                if not kept.is_hybrid:
                    to_s = _kept_s(kept, key, until_s)
                else:
                    to_s = kept.keep_s
                    spread = squares * bins.size / (float(seen) * seen) - 1.0 if seen else 0.0
                    says = seen + beyond >= kept.least and 2 * beyond <= seen + beyond
                    if says and spread > kept.least_cv * kept.least_cv:
                        from_s = head * kept.bin_s * (1.0 - kept.margin)
                        to_s = (tail + 1) * kept.bin_s * (1.0 + kept.margin)
                    place = np.int64(gap_s / kept.bin_s)
                    if place >= bins.size:
                        beyond += 1
                    else:
                        squares += 2.0 * bins[place] + 1.0
                        bins[place] += 1
                        seen += 1
                        below_head += 1 if place < head else 0
                        below_tail += 1 if place < tail else 0
                        head, below_head = _place(bins, head, below_head, kept.head * seen)
                        tail, below_tail = _place(bins, tail, below_tail, kept.tail * seen)
                is_warm = from_s <= gap_s < to_s
                loaded_s += min(max(gap_s - from_s, 0.0), to_s - from_s)
            if not is_warm:
                cold += 1
                takes_s += work.cold_s
            busy_s += takes_s
            until_s = now_s + takes_s
    if until_s >= 0.0:
        from_s, to_s = 0.0, 0.0
        if not kept.is_hybrid:
            to_s = _kept_s(kept, key, until_s)
        else:
            to_s = kept.keep_s
            spread = squares * bins.size / (float(seen) * seen) - 1.0 if seen else 0.0
            says = seen + beyond >= kept.least and 2 * beyond <= seen + beyond
            if says and spread > kept.least_cv * kept.least_cv:
                from_s = head * kept.bin_s * (1.0 - kept.margin)
                to_s = (tail + 1) * kept.bin_s * (1.0 + kept.margin)
        gap_s = DAY_S - until_s
        loaded_s += min(max(gap_s - from_s, 0.0), to_s - from_s)
        busy_s -= max(until_s - DAY_S, 0.0)
    found[COLD], found[BUSY], found[LOADED] = cold, busy_s, loaded_s + busy_s
    found[PEAK] = 1 if until_s >= 0.0 else 0
    return DONE


def _cached(text: int) -> Any:
    @entry_loop
    def separate(calls, work, kept, hall, buffer_s, key, stream, service_stream, found):
        if text < 0:
            return DONE
        return _separate(calls, work, kept, hall, buffer_s, key, stream, service_stream, found)

    @entry_loop
    def together(calls, work, kept, bins, buffer_s, key, stream, service_stream, found):
        if text < 0:
            return DONE
        return _together(calls, work, kept, bins, buffer_s, key, stream, service_stream, found)

    return separate, together


separate, together = _cached(room_text())
