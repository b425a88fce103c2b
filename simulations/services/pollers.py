"""The pollers of an event source mapping: how many there are, and what idle ones cost.

May import: the standard library, SimPy, `simulations.facts`, `.simulation` and this room's
`queue`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from simpy.events import Event

from simulations.facts import fact
from simulations.services.queue import Message, Queue
from simulations.simulation import Simulation


class Pollers:
    """Pollers on demand, as Lambda gives them: 5 at first, up to 1,250.

    They grow by 300 a minute while messages wait and none is idle (fact `lambda.sqs.pollers`).
    A poller asks the queue with long polls of 20 s; each that brings nothing is a request.

    Parameters
    ----------
    most : int, optional
        At most so many (the mapping's maximum concurrency).
    scale_in_s : float, optional
        A poller that is idle for so long goes, down to 2, or 5 where `most` is given. AWS says
        that this happens, not when: None for never.
    wake : callable
        Called when a poller more is there.
    """

    #: Invocations that one poller has under way at the same time.
    slots = 1
    #: Whether reading is limited in messages or megabytes a second.
    paced = False
    #: Shorter idle times cost nothing.
    _noted_s = float(fact("sqs.poll")["long_poll_max_s"])

    def __init__(
        self,
        sim: Simulation,
        queue: Queue,
        wake: Callable[[], None],
        most: int | None,
        scale_in_s: float | None,
    ) -> None:
        rule = fact("lambda.sqs.pollers")
        first = int(rule["initial_concurrent_batches"])
        self.most = most or int(rule["max_concurrent"])
        self._begin(sim, queue, wake, min(first, self.most), scale_in_s)
        self.fewest = min(int(rule["idle_floor"]) if most is None else first, self.most)
        self._growth_s = 60.0 / rule["increase_per_min"]

    def _begin(
        self,
        sim: Simulation,
        queue: Queue,
        wake: Callable[[], None],
        count: int,
        scale_in_s: float | None,
    ) -> None:
        self._sim = sim
        self._clock = sim.clock
        self._queue = queue
        self._wake = wake
        self._scale_in_s = scale_in_s
        self._poll_s = float(fact("sqs.poll")["long_poll_max_s"])
        #: How many there are.
        self.count = count
        #: Since when each idle slot has been waiting, the longest first.
        self.idle: list[float] = [0.0] * (count * self.slots)
        self._growing = False
        #: Whether growth is held back until an invocation succeeds.
        self.held = False
        self.paused = False

    def take(self) -> None:
        """Take the slot that became idle last."""
        now_s = self._clock._now
        if self._scale_in_s is not None:
            self.scale_in(now_s)
        idle_s = now_s - self.idle.pop()
        if idle_s >= self._noted_s:
            self._asked(idle_s)

    def give_back(self) -> None:
        """A slot is idle from now on."""
        self.idle.append(self._clock._now)

    def drop_out(self) -> None:
        """A slot's batch failed and Lambda backs off: one poller fewer, unless too few are left."""
        self.held = True
        if self.count > self.fewest:
            self.count -= 1
        else:
            self.give_back()

    def grow(self) -> None:
        """Messages wait and nobody is idle: one poller more after a while."""
        if not self._growing and not self.held and self.count < self.most:
            self._growing = True
            self._sim.after(self._growth_s, self._one_more)

    def _one_more(self, _: Event) -> None:
        self._growing = False
        if self._queue._visible and not self.paused and not self.held:
            now_s = self._clock._now
            self.count += 1
            self._came(now_s)
            self.idle.extend([now_s] * self.slots)
            self._wake()

    def scale_in(self, now_s: float) -> None:
        """Let go, as of their time, those that had been idle for long enough by `now_s`."""
        idle, after_s, slots = self.idle, self._scale_in_s, self.slots
        if after_s is None:
            return
        while self.count > self.fewest and len(idle) >= slots:
            gone_s = idle[slots - 1] + after_s
            if gone_s > now_s:
                return
            for since_s in idle[:slots]:
                self._asked(gone_s - since_s)
            del idle[:slots]
            self.count -= 1
            self._went(gone_s)

    def pause(self) -> None:
        """Ask no more."""
        now_s = self._clock._now
        self.ask_until(now_s)
        self.paused = True

    def resume(self) -> None:
        """Ask again."""
        self.paused = False
        self.idle = [self._clock._now] * len(self.idle)

    def ask_until(self, now_s: float) -> None:
        """Meter what idle pollers have asked in vain."""
        if not self.paused:
            self.scale_in(now_s)
            for since_s in self.idle:
                self._asked(max(0.0, now_s - since_s))

    def _asked(self, idle_s: float) -> None:
        empty = int(idle_s / self._poll_s)
        if empty:
            self._queue.count_empty(empty)

    def _came(self, now_s: float) -> None:
        """A poller is there from now on."""

    def _went(self, now_s: float) -> None:
        """A poller is gone since `now_s`."""

    def may_read(self) -> bool:
        """Whether a batch may be read now; only asked where `paced`."""
        return True

    def has_read(self, messages: list[Message]) -> None:
        """Note what was read; only told where `paced`."""


class ProvisionedPollers(Pollers):
    """Provisioned mode: pollers that are kept and paid for, each worth 10 invocations at once.

    Each reads at most 10 times and 1 MB a second; they grow by 1,000 invocations a minute
    (fact `lambda.sqs.provisioned`). Assumed: reading is spread evenly over a second, and a
    poller with nothing to do keeps one long poll open.

    Attributes
    ----------
    unit_s : float
        Event poller unit seconds used up to `closed_s` (fact `lambda.price.esm.sqs_epu`).
    """

    paced = True
    _noted_s = 0.0

    def __init__(
        self,
        sim: Simulation,
        queue: Queue,
        wake: Callable[[], None],
        fewest: int,
        most: int,
        scale_in_s: float | None,
    ) -> None:
        rule = fact("lambda.sqs.provisioned")
        self.slots = int(rule["per_poller_concurrent"])
        self.fewest, self.most = fewest, most
        self._begin(sim, queue, wake, fewest, scale_in_s)
        self._growth_s = 60.0 * self.slots / rule["concurrency_growth_per_min"]
        self._reads_s = float(rule["per_poller_polls_s"])
        self._kb_s = float(rule["per_poller_mb_s"]) * 1024
        self._read_most = int(fact("sqs.poll")["batch_max"])
        self._next_s = 0.0
        self._ringing = False
        self._idle_s = 0.0
        self.unit_s = 0.0

    def may_read(self) -> bool:
        """Whether a batch may be read now. If not, the mapping is woken when it may."""
        wait_s = self._next_s - self._clock._now
        if wait_s <= 0:
            return True
        if not self._ringing:
            self._ringing = True
            self._sim.after(wait_s, self._ring)
        self.grow()
        return False

    def has_read(self, messages: list[Message]) -> None:
        """Note what was read: the next read waits for its share of the second."""
        reads_s = -(-len(messages) // self._read_most) / self._reads_s
        size_s = math.fsum(message.size_kb for message in messages) / self._kb_s
        begun_s = max(self._clock._now, self._next_s)
        self._next_s = begun_s + max(reads_s, size_s) / self.count

    def _ring(self, _: Event) -> None:
        self._ringing = False
        self._wake()

    def drop_out(self) -> None:
        """Provisioned pollers stay; only their growth is held back."""
        self.held = True
        self.give_back()

    def _asked(self, idle_s: float) -> None:
        self._idle_s += idle_s

    def _came(self, now_s: float) -> None:
        self.unit_s -= now_s

    def _went(self, now_s: float) -> None:
        self.unit_s += now_s

    def ask_until(self, now_s: float) -> None:
        """Meter what idle pollers have asked in vain."""
        super().ask_until(now_s)
        empty = int(self._idle_s / self._poll_s / self.slots)
        self._idle_s = 0.0
        if empty:
            self._queue.count_empty(empty)

    def close(self, ended_s: float) -> None:
        """Add up what the pollers cost."""
        self.unit_s += self.count * ended_s
