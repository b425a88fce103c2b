"""An event source mapping: pollers that take messages from a queue to a function, in batches.

May import: the standard library, `simulations.facts`, `.simulation` and this room's `queue`
and `function`.
"""

from __future__ import annotations

from typing import Any

from simpy.events import Event

from simulations._check import not_negative, whole
from simulations.facts import fact
from simulations.services.function import Function, Throttled
from simulations.services.queue import Message, Queue
from simulations.simulation import Caller, Component, Simulation

#: Wait before a throttled batch is tried again, doubled each time up to the second number. AWS
#: says that it retries until the visibility timeout, not how often; this is our assumption.
THROTTLE_RETRY_S = (1.0, 30.0)


class EventSourceMapping(Component):
    """Polls a queue and invokes a function with what it finds.

    Each poller asks the queue (a long poll), waits until its batch is complete, invokes the
    function, deletes what succeeded and asks again. Messages that fail stay hidden until their
    visibility timeout. Pollers begin at 5 and grow by 300 a minute while messages wait, up to
    1,250 (fact `lambda.sqs.pollers`).

    Not modeled: the reduced concurrency after function errors (AWS gives no numbers), and the
    shrinking to two pollers when idle. How many ReceiveMessage calls a batch window takes is
    not documented either; here it is one for each ten messages of a batch.

    Parameters
    ----------
    batch_size : int
        At most so many messages an invocation (fact `lambda.sqs.batch`).
    window_s : float
        How long a poller that holds a message waits for more.
    maximum_concurrency : int, optional
        At most so many invocations at once (2 to 1,000, fact `lambda.sqs.maxconc`).
    report_batch_item_failures : bool
        Whether the ids that the handler returns fail alone. Otherwise one failed message
        returns its whole batch, and a returned list is not looked at.
    paused : tuple of (start_s, end_s)
        Windows in which nothing is polled, as if the mapping were disabled.

    Raises
    ------
    ValueError
        If a setting is impossible, or the function may run longer than the queue hides a
        message (fact `lambda.sqs.visibility`).
    """

    billed = False

    def __init__(
        self,
        sim: Simulation,
        queue: Queue,
        function: Function,
        *,
        batch_size: int = 10,
        window_s: float = 0.0,
        maximum_concurrency: int | None = None,
        report_batch_item_failures: bool = True,
        paused: tuple[tuple[float, float], ...] = (),
    ) -> None:
        _check(queue, function, batch_size, window_s, maximum_concurrency)
        if queue.on_visible is not None:
            raise ValueError(f"{queue!r} has a mapping; two would compete for its messages")
        super().__init__(
            sim,
            f"{queue.name} to {function.name}",
            queue=queue.name,
            function=function.name,
            batch_size=batch_size,
            window_s=float(window_s),
            maximum_concurrency=maximum_concurrency,
            report_batch_item_failures=report_batch_item_failures,
        )
        self.queue = queue
        self.function = function
        self.batch_size = batch_size
        self.window_s = float(window_s)
        self.report_batch_item_failures = report_batch_item_failures
        pollers = fact("lambda.sqs.pollers")
        self.most_pollers = maximum_concurrency or int(pollers["max_concurrent"])
        self.pollers = min(int(pollers["initial_concurrent_batches"]), self.most_pollers)
        self._growth_s = 60.0 / pollers["increase_per_min"]
        self._poll_s = float(fact("sqs.poll")["long_poll_max_s"])
        self._receive_most = int(fact("sqs.poll")["batch_max"])
        #: Since when each idle poller has been waiting.
        self._idle: list[float] = [0.0] * self.pollers
        self._growing = False
        self._gathering: _Batch | None = None
        self._paused = False
        for start_s, end_s in paused:
            sim.clock.at(start_s, self._pause, 1)
            sim.clock.at(end_s, self._resume, 1)
        queue.on_visible = self._wake

    def _pause(self, _: Event) -> None:
        self._paused = True

    def _resume(self, _: Event) -> None:
        self._paused = False
        self._wake()

    def _wake(self) -> None:
        """Bring visible messages and idle pollers together."""
        queue = self.queue
        while queue.visible and not self._paused:
            batch = self._gathering
            if batch is None:
                if not self._idle:
                    self._grow()
                    return
                batch = _Batch(self)
            if not batch.fill():
                return

    def _grow(self) -> None:
        if not self._growing and self.pollers < self.most_pollers:
            self._growing = True
            self.sim.after(self._growth_s, self._one_more)

    def _one_more(self, _: Event) -> None:
        self._growing = False
        if self.queue.visible and not self._paused:
            self.pollers += 1
            self._idle.append(self.sim.clock.now)
            self._wake()

    def _take_poller(self) -> None:
        since_s = self._idle.pop()
        empty = int((self.sim.clock.now - since_s) / self._poll_s)
        if empty:
            self.queue.count_empty(empty)

    def _free_poller(self) -> None:
        self._idle.append(self.sim.clock.now)
        self._wake()

    def close(self) -> None:
        ended_s = self.sim.trace.header["ended_s"]
        for since_s in self._idle:
            self.queue.count_empty(max(0, int((ended_s - since_s) / self._poll_s)))


class _Batch:
    """What one poller holds: gathered, invoked, deleted."""

    __slots__ = ("gone", "mapping", "messages", "receives", "retry_s")

    def __init__(self, mapping: EventSourceMapping) -> None:
        self.mapping = mapping
        self.messages: list[Message] = []
        self.receives: list[int] = []
        self.retry_s = THROTTLE_RETRY_S[0]
        self.gone = False

    def fill(self) -> bool:
        """Receive what fits; go when full or without a window. False when nothing came."""
        mapping = self.mapping
        if not self.messages:
            mapping._take_poller()
        room = mapping.batch_size - len(self.messages)
        found: list[Message] = []
        while room > len(found):
            more = mapping.queue.receive(min(room - len(found), mapping._receive_most))
            if not more:
                break
            found += more
        if not found and not self.messages:
            mapping._idle.append(mapping.sim.clock.now)
            return False
        if found:
            self.messages += found
        if len(self.messages) >= mapping.batch_size or mapping.window_s == 0:
            if mapping._gathering is self:
                mapping._gathering = None
            self.go()
        elif mapping._gathering is None:
            mapping._gathering = self
            mapping.sim.after(mapping.window_s, self._time_is_up)
        return bool(found)

    def _time_is_up(self, _: Event) -> None:
        if not self.gone:
            self.mapping._gathering = None
            self.go()

    def go(self) -> None:
        """Invoke the function with the batch."""
        self.gone = True
        mapping = self.mapping
        if not self.receives:
            self.receives = [m.receive_count for m in self.messages]
            mapping.queue.count_received(self.messages)
            mapping.inside.add(1)
        first = self.messages[0]
        alone = len(self.messages) == 1
        caller = Caller(first.span if alone else -1, first.request if alone else -1, first.receive_count)
        step = mapping.function.invoke(list(self.messages), caller)
        step.callbacks.append(self._answered)  # type: ignore[union-attr]

    def _answered(self, event: Event) -> None:
        mapping, queue = self.mapping, self.mapping.queue
        if event._ok:
            failed = self._failed(event._value)
            done = [
                m
                for m, receive in zip(self.messages, self.receives, strict=True)
                if m.id not in failed and queue.is_mine(m, receive)
            ]
            if done:
                queue.delete(done)
        elif isinstance(event._value, Throttled) and any(
            queue.is_mine(m, r) for m, r in zip(self.messages, self.receives, strict=True)
        ):
            mapping.sim.after(self.retry_s, lambda _: self.go())
            self.retry_s = min(2 * self.retry_s, THROTTLE_RETRY_S[1])
            return
        mapping.inside.add(-1)
        mapping._free_poller()

    def _failed(self, value: Any) -> set[int]:
        if not self.mapping.report_batch_item_failures or value is None:
            return set()
        if not isinstance(value, (list, tuple, set)):
            raise TypeError(
                f"the handler of {self.mapping.function.name} returned {value!r}: behind a queue it "
                "returns the ids of the messages that failed, or nothing"
            )
        return set(value)


def _check(
    queue: Queue, function: Function, batch_size: int, window_s: float, maximum: int | None
) -> None:
    limits = fact("lambda.sqs.batch")
    whole("batch_size", batch_size, 1)
    not_negative("window_s", window_s)
    where = f"({limits.source.title}, {limits.source.url})"
    if batch_size > limits["standard_max"]:
        raise ValueError(f"batch_size={batch_size} must be at most {limits['standard_max']} {where}")
    if window_s > limits["window_max_s"]:
        raise ValueError(f"window_s={window_s} must be at most {limits['window_max_s']} {where}")
    if batch_size > limits["window_needed_if_gt"] and window_s < limits["window_min_s_if_gt10"]:
        raise ValueError(
            f"window_s={window_s} must be at least {limits['window_min_s_if_gt10']} for a "
            f"batch_size above {limits['window_needed_if_gt']} {where}"
        )
    if maximum is not None:
        allowed = fact("lambda.sqs.maxconc")
        low, high = allowed.value
        if not low <= whole("maximum_concurrency", maximum) <= high:
            raise ValueError(
                f"maximum_concurrency={maximum} must be {low} to {high} "
                f"({allowed.source.title}, {allowed.source.url})"
            )
    if function.timeout_s > queue.visibility_timeout_s:
        rule = fact("lambda.sqs.visibility")
        raise ValueError(
            f"timeout_s={function.timeout_s:g} of {function.name} exceeds visibility_timeout_s="
            f"{queue.visibility_timeout_s:g} of {queue.name}: {rule.value} "
            f"({rule.source.title}, {rule.source.url})"
        )
