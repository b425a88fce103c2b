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

CONSTANT, TABLE, EXPONENTIAL, LOGNORMAL = range(4)

#: Places in `count`.
(REQUESTS, COLD, REJECTED, PEAK, CREATED, USED, OPENED, IN_WHEEL, IN_HEAP, HEAD, IDLE,
 CHOICES, READY, ON_READY, PENDING, COUNTS) = range(16)  # fmt: skip
#: Places in `real`. Two buckets of tokens: for new environments, for requests on provisioned ones.
(NOW, BUSY, LIVED, LAST, EARLIEST, BILLED_MS, SCALE_LEFT, SCALE_AT, READY_LEFT, READY_AT,
 REALS) = range(11)  # fmt: skip

#: Below this, a bucket of tokens has none left for another request (as in SimPy's engine).
A_TOKEN = 1.0 - 1e-9
#: What a clock reading may lie above a whole millisecond by rounding alone (as on the bill).
ROUNDING_MS = 1e-5

#: Why the loop returned.
DONE, NO_SLOT, NO_ROW = range(3)


class Plan(NamedTuple):
    """What does not change in a run."""

    routing: int
    limit: int
    drawn: bool
    service_kind: int
    service_log: float
    rows: bool
    gap_s: float
    origin_s: float
    per_s: float
    keep_kind: int
    keep_s: float
    keep_shares: Reals
    keep_values: Reals
    keep_key: np.uint64
    route_key: np.uint64
    provisioned: int
    ready_per_s: float
    scale_most: float
    scale_per_s: float


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
    latency_s: Reals
    arrival_s: Reals
    service_s: Reals

    @classmethod
    def empty(cls, n: int, drawn: int = 0) -> Rows:
        """Return `n` rows, with arrivals and services for the first `drawn`."""
        sizes = ((n, bool), (n, np.int64), (n, bool), (n, float), (drawn, float), (drawn, float))
        columns: Any = (np.zeros(size, kind) for size, kind in sizes)
        return cls(*columns)

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
    ready: Places
    bits: NDArray[np.uint64]
    level: Numbers
    buckets: Places


def empty_room(slots: int, buckets: int, provisioned: int = 0) -> Room:
    """Return a room for a number of environments; the first two are powers of two."""
    level, words = [0], slots
    while words > 1:
        words = -(-words // 64)
        level.append(level[-1] + words)
    kinds = (float, float, float, np.int64, np.int64, np.int64, np.uint32, np.uint32, np.uint32)
    columns: Any = [np.empty(slots, kind) for kind in kinds]
    columns += [
        np.empty(provisioned, np.uint32),
        np.zeros(level[-1], np.uint64),
        np.array(level, np.int64),
        np.full(buckets, NOTHING, np.uint32),
    ]
    return Room(*columns)
