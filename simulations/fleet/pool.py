"""The idle environments: which one serves next, and until when each lives.

The stack, the line and the list are one ring; the newest and the oldest are found in a tree of
bits, 64 slots a word, because slots are in order of creation. May import: Numba, NumPy, this
room's draws and state.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simulations.fleet.compiled import piece
from simulations.fleet.draws import draw
from simulations.fleet.normal import normal
from simulations.fleet.state import (
    CHOICES,
    CONSTANT,
    EARLIEST,
    EXPONENTIAL,
    LEAST_RECENT,
    LIVED,
    LOGNORMAL,
    MOST_RECENT,
    NEWEST,
    OLDEST,
    RANDOM,
    READY,
)  # fmt: skip

_ONE, _ZERO = np.uint64(1), np.uint64(0)


@intrinsic
def _highest(typing: Any, word: Any) -> Any:
    """Return the place of the highest bit that is set."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.uint64), code


@intrinsic
def lowest(typing: Any, word: Any) -> Any:
    """Return the place of the lowest bit that is set."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), code


@piece
def expires(plan, room, slot):
    """Return when an idle environment's time is up."""
    end_s = room.end_s[slot]
    if plan.keep_kind == CONSTANT:
        return end_s + plan.keep_s
    u = draw(plan.keep_key, room.number[slot], room.uses[slot])
    if plan.keep_kind == EXPONENTIAL:
        return end_s + -plan.keep_values[0] * math.log1p(-u)
    if plan.keep_kind == LOGNORMAL:
        return end_s + math.exp(normal(u, plan.keep_values[0], plan.keep_values[1]))
    shares, values = plan.keep_shares, plan.keep_values
    low, high = 0, shares.size
    while low < high:
        middle = (low + high) // 2
        if u < shares[middle]:
            high = middle
        else:
            low = middle + 1
    share, value = shares[low - 1], values[low - 1]
    kept_s = value + (u - share) * (values[low] - value) / (shares[low] - share)
    return end_s + kept_s


@piece
def lives(plan, room, slot, now_s):
    """Tell whether an idle environment is still there."""
    if room.end_s[slot] + plan.keep_s > now_s:
        return True
    return plan.keep_kind != CONSTANT and expires(plan, room, slot) > now_s


@piece
def put(plan, room, real, count, slot, head, idle):
    """Add one that has become idle; return how many there are, without the provisioned ones."""
    if room.number[slot] < plan.provisioned:
        room.ready[count[READY]] = slot
        count[READY] += 1
        return idle
    if plan.keep_kind != CONSTANT:
        room.uses[slot] += 1
    if plan.routing == NEWEST or plan.routing == OLDEST:
        put_bit(room, slot)
    else:
        room.idle[(head + idle) & (room.idle.size - 1)] = slot
        if plan.routing == RANDOM:
            real[EARLIEST] = min(real[EARLIEST], room.end_s[slot] + plan.keep_s)
    return idle + 1


@piece
def put_bit(room, slot):
    """Set the bit of a slot, and of the words above it that were empty."""
    bits, level = room.bits, room.level
    for floor in range(level.size - 1):
        word = level[floor] + (slot >> 6)
        was = bits[word]
        bits[word] = was | (_ONE << np.uint64(slot & 63))
        if was != _ZERO:
            return
        slot >>= 6


@piece
def _take_bit(room, newest):
    """Clear the highest or the lowest bit and return its place."""
    bits, level = room.bits, room.level
    slot = 0
    for floor in range(level.size - 2, -1, -1):
        word = bits[level[floor] + slot]
        slot = (slot << 6) + (_highest(word) if newest else lowest(word))
    place = slot
    for floor in range(level.size - 1):
        word = level[floor] + (place >> 6)
        bits[word] ^= _ONE << np.uint64(place & 63)
        if bits[word] != _ZERO:
            break
        place >>= 6
    return slot


@piece
def take(plan, room, real, count, now_s, head, idle):
    """Return the one that serves next or -1, the ring's head and how many are left."""
    if plan.routing == RANDOM:
        return _take_random(plan, room, real, count, now_s, head, idle)
    mask = room.idle.size - 1
    while idle > 0:
        idle -= 1
        if plan.routing == MOST_RECENT:
            slot = np.int64(room.idle[(head + idle) & mask])
        elif plan.routing == LEAST_RECENT:
            slot = np.int64(room.idle[head])
            head = (head + 1) & mask
        else:
            slot = _take_bit(room, plan.routing == NEWEST)
        if lives(plan, room, slot, now_s):
            return slot, head, idle
        real[LIVED] += expires(plan, room, slot) - room.created_s[slot]
    return np.int64(-1), head, idle


@piece
def _take_random(plan, room, real, count, now_s, head, idle):
    if real[EARLIEST] <= now_s:
        idle = sift(plan, room, room.idle, real, now_s, head, idle)
    if idle == 0:
        return np.int64(-1), head, idle
    count[CHOICES] += 1
    idle -= 1
    place = np.int64(draw(plan.route_key, count[CHOICES], 0) * (idle + 1))
    slot = np.int64(room.idle[place])
    room.idle[place] = room.idle[idle]
    return slot, head, idle


@piece
def sift(plan, room, ring, real, now_s, head, idle):
    """Drop the expired ones, keep the order, begin at place 0; return how many are left."""
    kept = 0
    mask = room.idle.size - 1
    earliest_s = math.inf
    for k in range(idle):
        slot = ring[(head + k) & mask]
        up_s = expires(plan, room, slot)
        if up_s > now_s:
            room.idle[kept] = slot
            kept += 1
            earliest_s = min(earliest_s, up_s)
        else:
            real[LIVED] += up_s - room.created_s[slot]
    real[EARLIEST] = earliest_s
    return kept
