"""What the kernel works on: the plan of a run, the environments' columns, the counters.

An environment has a slot in the columns while it lives; slots are given in order of creation.
May import: NumPy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Places = NDArray[np.uint32]
Numbers = NDArray[np.int64]

MOST_RECENT, NEWEST, OLDEST, LEAST_RECENT, RANDOM = range(5)
#: The end of a list of slots. Slots are unsigned, which spares Numba a check at every use.
NOTHING = 0xFFFFFFFF

CONSTANT, TABLE, EXPONENTIAL = range(3)

#: Places in `count`.
(REQUESTS, COLD, REJECTED, PEAK, CREATED, USED, OPENED, IN_WHEEL, IN_HEAP, HEAD, IDLE,
 CHOICES, COUNTS) = range(13)  # fmt: skip
#: Places in `real`.
NOW, BUSY, LIVED, LAST, EARLIEST, REALS = range(6)

#: Why the loop returned.
DONE, NO_SLOT, NO_ROW = range(3)


class Plan(NamedTuple):
    """What does not change in a run."""

    routing: int
    limit: int
    drawn: bool
    exponential: bool
    rows: bool
    until_s: float
    gap_s: float
    origin_s: float
    per_s: float
    keep_kind: int
    keep_s: float
    keep_shares: Reals
    keep_values: Reals
    keep_key: np.uint64
    route_key: np.uint64


class Given(NamedTuple):
    """Times by request, or one for all; a cold request takes `cold_s` if there is one."""

    arrival_s: Reals
    service_s: Reals
    start_s: Reals
    cold_s: Reals


class Rows(NamedTuple):
    """What is told of each request."""

    cold: NDArray[np.bool_]
    environment: Numbers
    rejected: NDArray[np.bool_]
    arrival_s: Reals
    service_s: Reals

    def grown(self, n: int) -> Rows:
        """Return the same rows with room for `n`."""
        more: Any = (np.concatenate((a, np.zeros(n - a.size, a.dtype))) for a in self)
        return Rows(*more)

    def cut(self, n: int) -> Rows:
        """Return the first `n` rows."""
        first: Any = (a[:n] for a in self)
        return Rows(*first)


class Room(NamedTuple):
    """Environments by slot, and what orders them: wheel and heap of the running, idle ones.

    `end_s`, `start_s` and `request` are those of the last request; together they order what
    ends at the same instant as SimPy's engine does.
    """

    end_s: Reals
    start_s: Reals
    created_s: Reals
    request: Numbers
    number: Numbers
    uses: Numbers
    next: Places
    heap: Places
    idle: Places
    bits: NDArray[np.uint64]
    level: Numbers
    buckets: Places


def empty_room(slots: int, buckets: int) -> Room:
    """Return a room for a number of environments; both numbers are powers of two."""
    level, words = [0], slots
    while words > 1:
        words = -(-words // 64)
        level.append(level[-1] + words)
    kinds = (float, float, float, np.int64, np.int64, np.int64, np.uint32, np.uint32, np.uint32)
    columns: Any = [np.empty(slots, kind) for kind in kinds]
    columns += [
        np.zeros(level[-1], np.uint64),
        np.array(level, np.int64),
        np.full(buckets, NOTHING, np.uint32),
    ]
    return Room(*columns)
