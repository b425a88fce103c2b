"""An event source mapping: pollers that take messages from a queue to a function, in batches.

May import: the standard library, SimPy, `simulations.facts`, `.clock`, `.simulation` and this
room's `limits`, `queue` and `function`.
"""

from __future__ import annotations

from typing import Any

from simpy.events import Event

from simulations._check import finite, not_negative
from simulations.clock import EXPIRY, Caller
from simulations.facts import fact
from simulations.services.function import Function, Throttled
from simulations.services.limits import limited, limited_whole, source_of
from simulations.services.queue import Message, Queue
from simulations.simulation import Component, Simulation

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
        Windows, in order and apart, in which nothing is polled, as if the mapping were
        disabled. What a poller holds already goes on.

    Attributes
    ----------
    pollers : int
        How many there are by now.

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
        _check_windows(paused)
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
            paused=paused,
        )
        self.queue = queue
        self.function = function
        self.batch_size = int(batch_size)
        self.window_s = float(window_s)
        self.report_batch_item_failures = report_batch_item_failures
        pollers, poll = fact("lambda.sqs.pollers"), fact("sqs.poll")
        self.most_pollers = maximum_concurrency or int(pollers["max_concurrent"])
        self.pollers = min(int(pollers["initial_concurrent_batches"]), self.most_pollers)
        self._growth_s = 60.0 / pollers["increase_per_min"]
        self._poll_s = float(poll["long_poll_max_s"])
        #: Since when each idle poller has been waiting.
        self._idle: list[float] = [0.0] * self.pollers
        self._growing = False
        self._gathering: _Batch | None = None
        self._paused = False
        for start_s, end_s in paused:
            self.pause(start_s, end_s)
        queue.on_visible = self._wake

    def pause(self, start_s: float, end_s: float) -> None:
        """Poll nothing between these times, neither of which may have passed."""
        self.sim.clock.at(start_s, self._pause, EXPIRY)
        self.sim.clock.at(end_s, self._resume, EXPIRY)

    def _pause(self, _: Event) -> None:
        self._count_empty(self.sim.clock._now)
        self._paused = True

    def _resume(self, _: Event) -> None:
        self._paused = False
        self._idle = [self.sim.clock._now] * len(self._idle)
        self._wake()

    def _wake(self) -> None:
        """Bring visible messages and idle pollers together."""
        visible = self.queue._visible
        while visible and not self._paused:
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
            self._idle.append(self.sim.clock._now)
            self._wake()

    def _take_poller(self) -> None:
        since_s = self._idle.pop()
        empty = int((self.sim.clock._now - since_s) / self._poll_s)
        if empty:
            self.queue.count_empty(empty)

    def _count_empty(self, until_s: float) -> None:
        """Meter the long polls of idle pollers that brought nothing."""
        if not self._paused:
            for since_s in self._idle:
                self.queue.count_empty(max(0, int((until_s - since_s) / self._poll_s)))

    def close(self) -> None:
        """Meter what idle pollers have asked in vain."""
        self._count_empty(self.sim.trace.header["ended_s"])


class _Batch:
    """What one poller holds: gathered, invoked, deleted."""

    __slots__ = ("gone", "mapping", "messages", "receives", "retry_s")

    def __init__(self, mapping: EventSourceMapping) -> None:
        self.mapping = mapping
        self.messages: list[Message] = []
        #: The receive count that each message had when this poller received it.
        self.receives: list[int] = []
        self.retry_s = THROTTLE_RETRY_S[0]
        self.gone = False

    def fill(self) -> bool:
        """Receive what fits; go when full or without a window. False when nothing came."""
        mapping = self.mapping
        messages = self.messages
        before = len(messages)
        if not before:
            mapping._take_poller()
        for message in mapping.queue.receive(mapping.batch_size - before):
            messages.append(message)
            self.receives.append(message.receive_count)
        if not messages:
            mapping._idle.append(mapping.sim.clock._now)
            return False
        if not before:
            mapping.inside.add(1)
        if len(messages) >= mapping.batch_size or not mapping.window_s:
            self.go()
        elif mapping._gathering is None:
            mapping._gathering = self
            mapping.sim.after(mapping.window_s, self._time_is_up)
        return len(messages) > before

    def _time_is_up(self, _: Event) -> None:
        if not self.gone:
            self.go()

    def go(self) -> None:
        """Hand the batch to the function."""
        self.gone = True
        mapping = self.mapping
        if mapping._gathering is self:
            mapping._gathering = None
        mapping.queue.count_received(self.messages)
        self.invoke(None)

    def invoke(self, _: Event | None) -> None:
        """Invoke the function with the batch (again, when it was throttled)."""
        mapping, messages = self.mapping, self.messages
        first = messages[0]
        if len(messages) == 1:
            by = Caller(first.span, first.request, first.receive_count)
        else:
            by = Caller(-1, -1, first.receive_count)
        run = mapping.function.invoke(list(messages), by)
        if len(messages) > 1:
            for message in messages:
                mapping.sim.trace.links.append((run.span, message.request))
        run.callbacks.append(self._answered)

    def _answered(self, event: Event) -> None:
        mapping, queue = self.mapping, self.mapping.queue
        if event._ok:
            failed = self._failed(event._value) if event._value else ()
            queue.delete(
                [
                    message
                    for message, receive in zip(self.messages, self.receives, strict=True)
                    # What has returned to the queue meanwhile is not ours to delete.
                    if message.receive_count == receive and message.id not in failed
                ]
            )
        elif isinstance(event._value, Throttled) and any(
            map(queue.is_mine, self.messages, self.receives)
        ):
            mapping.sim.after(self.retry_s, self.invoke)
            self.retry_s = min(2 * self.retry_s, THROTTLE_RETRY_S[1])
            return
        mapping.inside.add(-1)
        mapping._idle.append(mapping.sim.clock._now)
        mapping._wake()

    def _failed(self, value: Any) -> set[int]:
        """The ids that the handler returned; both copies of a duplicate answer to the same."""
        if not self.mapping.report_batch_item_failures:
            return set()
        name = self.mapping.function.name
        if not isinstance(value, (list, tuple, set)):
            raise TypeError(
                f"the handler of {name} returned {value!r}: behind a queue it returns the ids "
                "of the messages that failed, or nothing"
            )
        failed = set(value)
        unknown = failed - {message.id for message in self.messages}
        if unknown:
            raise ValueError(f"the handler of {name} returned {unknown}: no ids of its messages")
        return failed


def _check(
    queue: Queue, function: Function, batch_size: int, window_s: float, maximum: int | None
) -> None:
    batch = fact("lambda.sqs.batch")
    limited_whole("batch_size", batch_size, 1, batch["standard_max"], "", "lambda.sqs.batch")
    limited("window_s", window_s, 0, batch["window_max_s"], " s", "lambda.sqs.batch")
    if batch_size > batch["window_needed_if_gt"] and window_s < batch["window_min_s_if_gt10"]:
        raise ValueError(
            f"window_s={window_s!r} must be at least {batch['window_min_s_if_gt10']} s for a "
            f"batch_size above {batch['window_needed_if_gt']} {source_of('lambda.sqs.batch')}"
        )
    if maximum is not None:
        low, high = fact("lambda.sqs.maxconc").value
        limited_whole("maximum_concurrency", maximum, low, high, "", "lambda.sqs.maxconc")
    if function.timeout_s > queue.visibility_timeout_s:
        rule = "lambda.sqs.visibility"
        raise ValueError(
            f"timeout_s={function.timeout_s:g} of {function.name} exceeds visibility_timeout_s="
            f"{queue.visibility_timeout_s:g} of {queue.name}: {fact(rule).value} {source_of(rule)}"
        )


def _check_windows(paused: tuple[tuple[float, float], ...]) -> None:
    before_s = 0.0
    for start_s, end_s in paused:
        not_negative("paused", start_s)
        if not before_s <= start_s < finite("paused", end_s):
            raise ValueError(f"paused={paused!r}: windows begin, then end, in order and apart")
        before_s = end_s
