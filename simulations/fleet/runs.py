"""Running the compiled loops from one instant to the next, and counting at each.

May import: NumPy, this room, and `simulations.simulation` (for the keys of its draws).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from simulations.fleet import kernel, lean
from simulations.fleet.answer import Tally
from simulations.fleet.state import (
    BILLED_MS,
    COLD,
    COUNTS,
    CREATED,
    EARLIEST,
    LAST,
    NO_ROW,
    NO_SLOT,
    ON_READY,
    OPENED,
    PEAK,
    READY,
    READY_LEFT,
    REALS,
    REJECTED,
    REQUESTS,
    SCALE_LEFT,
    USED,
    Given,
    Plan,
    Rows,
    empty_room,
)  # fmt: skip
from simulations.simulation import Simulation

#: Environments for which there is room at first; buckets of the wheel for each request in flight.
_SLOTS, _BUCKETS = 4096, 8


def _streams(seed: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    simulation = Simulation(seed)
    return np.array([simulation._key(name) for name in ("arrivals", "services")], np.uint64)


class General:
    """The loop that can do everything, between one instant and the next."""

    def __init__(self, plan: Plan, given: Given, rows: Rows, in_flight: float, seed: int) -> None:
        # Never to be written to, whether the caller's arrays may be or not: one kernel for both.
        given = Given(*(times_s.view() for times_s in given))
        for times_s in given:
            times_s.flags.writeable = False
        self._plan, self._given, self.rows = plan, given, rows
        self._count, self._real = np.zeros(COUNTS, np.int64), np.zeros(REALS)
        self._count[OPENED] = -1
        self._real[EARLIEST], self._real[LAST] = math.inf, plan.origin_s
        self._real[SCALE_LEFT], self._real[READY_LEFT] = plan.scale_most, plan.ready_per_s
        wheel = 1 << int(math.log2(min(max(_BUCKETS * in_flight, 64.0), 2.0**22)))
        ready = plan.provisioned
        slots = max(_SLOTS, 1 << (2 * ready).bit_length())
        room = self._room = empty_room(slots, wheel, ready)
        for column in (self._count[USED : USED + 1], self._count[CREATED : CREATED + 1]):
            column[0] = ready
        self._count[READY] = ready
        room.ready[:] = np.arange(ready)
        room.number[:ready] = np.arange(ready)
        room.created_s[:ready], room.uses[:ready] = plan.origin_s, 0
        self._stream = _streams(seed)

    def until(self, times_s: Sequence[float]) -> Iterator[Tally]:
        """Run to each instant in turn and count there."""
        for at_s in times_s:
            self._run(at_s)
            yield self._tally(at_s)

    def to_the_end(self) -> Tally:
        """Run until the last request has ended."""
        self._run(math.inf)
        return self._tally(float(self._real[LAST]))

    def _run(self, until_s: float) -> None:
        plan, count, real = self._plan, self._count, self._real
        while True:
            why = kernel.run(
                plan, self._given, self.rows, self._room, count, real, self._stream, until_s
            )
            if why == NO_SLOT:
                places = np.empty(self._room.end_s.size, np.int32)
                live = kernel.survey(plan, self._room, count, real, places)
                is_full = 2 * live > places.size
                self._close_up(places, places.size * (2 if is_full else 1))
            elif why == NO_ROW:
                self.rows = self.rows.grown(2 * self.rows.cold.size)
            else:
                return

    def _tally(self, at_s: float) -> Tally:
        plan, count, real = self._plan, self._count, self._real
        places = np.empty(self._room.end_s.size, np.int32)
        lived_s, busy_s = kernel.close(plan, self._room, count, real, at_s, places)
        self._close_up(places, places.size)
        requests, cold, rejected, ready = (
            int(count[k]) for k in (REQUESTS, COLD, REJECTED, ON_READY)
        )
        peak = int(count[PEAK])
        count[PEAK] = 0
        return Tally(
            at_s, requests, cold, rejected, ready, float(real[BILLED_MS]), lived_s, busy_s, peak
        )

    def _close_up(self, places: np.ndarray[tuple[int], np.dtype[np.int32]], size: int) -> None:
        """Put what lives into a new room, so that there are slots to spare."""
        room = empty_room(size, self._room.buckets.size, self._plan.provisioned)
        kernel.move(self._plan, self._room, room, self._count, places)
        self._room = room


class Lean:
    """The shortest loop, between one instant and the next."""

    def __init__(
        self, plan: Plan, given: Given, in_flight: float, seed: int, until_s: float
    ) -> None:
        mean_s = float(given.service_s[0])
        has_cold = given.cold_s.size > 0
        self._course = lean.Course(
            plan.gap_s, mean_s, float(given.cold_s[0]) if has_cold else mean_s,
            float(given.start_s[0]), plan.service_kind, plan.service_log, plan.keep_s,
            plan.limit, min(plan.per_s * lean.FINE, 1e15 / until_s),
        )  # fmt: skip
        turn = min(max(lean.FINE * lean.TURN * in_flight, 4096.0), 2.0**25)
        self._hall = lean.hall(_SLOTS, 1 << int(math.log2(turn)))
        self._count = np.zeros(lean.COUNTS, np.int64)
        self._count[lean.FREE] = -1
        self._real = np.zeros(lean.REALS)
        self._stream = _streams(seed)

    def until(self, times_s: Sequence[float]) -> Iterator[Tally]:
        """Run to each instant in turn and count there."""
        count, real = self._count, self._real
        for at_s in times_s:
            while lean.run(self._course, self._hall, count, real, self._stream, at_s) == NO_SLOT:
                self._hall = lean.wider(self._hall, count)
            lived_s, busy_s = lean.close(self._hall, count, real, at_s)
            peak = int(count[lean.PEAK])
            count[lean.PEAK] = 0
            yield Tally(
                at_s, int(count[lean.REQUESTS]), int(count[lean.COLD]),
                int(count[lean.REJECTED]), 0, float(real[lean.BILLED_MS]), lived_s, busy_s, peak,
            )  # fmt: skip
