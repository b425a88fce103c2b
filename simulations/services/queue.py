"""A standard SQS queue: visibility timeout, receive count, dead-letter queue, retention.

May import: the standard library, SimPy, `simulations.facts`, `.workload` and `.simulation`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

from simulations._check import between, positive, whole
from simulations.facts import fact
from simulations.simulation import (
    NOBODY,
    Caller,
    Component,
    Deadlines,
    Simulation,
    Step,
)
from simulations.trace import NAN
from simulations.workload import Distribution, as_distribution

#: One request is billed for each 64 KB of payload (fact `sqs.price.chunk`).
CHUNK_KB = 64


class Message:
    """A message as a consumer sees it.

    Attributes
    ----------
    id : int
        Unique in its queue; both deliveries of a duplicate carry the same.
    body : object
        What was sent.
    request : int
        The request on whose behalf it was sent (an order's number).
    receive_count : int
        1 at its first delivery.
    """

    __slots__ = (
        "body", "first_s", "id", "over", "receive_count", "request", "sent_s", "size_kb", "span",
    )  # fmt: skip

    def __init__(self, id: int, body: Any, caller: Caller, sent_s: float, size_kb: float) -> None:
        self.id = id
        self.body = body
        self.request = caller.request
        self.span = caller.span
        self.sent_s = sent_s
        self.size_kb = size_kb
        self.receive_count = 0
        self.first_s = NAN
        self.over = False

    def __repr__(self) -> str:
        return f"<message {self.id} for request {self.request}, received {self.receive_count}x>"


class _Hidden:
    """One receive of a message, from which it returns unless it is deleted in time."""

    __slots__ = ("message", "receive")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.receive = message.receive_count

    @property
    def over(self) -> bool:
        return self.message.over or self.message.receive_count != self.receive


class Queue(Component):
    """A standard SQS queue.

    Parameters
    ----------
    visibility_timeout_s : float
        How long a received message stays invisible (facts `sqs.visibility`).
    max_receive_count : int, optional
        After so many receives without a delete a message moves to the dead-letter queue. SQS
        moves it at the next receive; here it moves when that receive becomes possible.
        Without it a message returns until its retention ends.
    retention_s : float
        Age at which a message is lost (fact `sqs.retention`); noticed when it is received.
    delay_s : float
        How long a new message stays invisible.
    send_s : float or Distribution
        How long the sender waits for the answer.
    duplicate_share : float
        Share of messages that are delivered twice ("at least once").

    Attributes
    ----------
    dead_letters : list of Message
        The dead-letter queue.
    sent, deleted, expired : int
        Counts; `sent == deleted + expired + len(dead_letters) + waiting` (`conserved`).

    Examples
    --------
    >>> sim = Simulation(seed=1)
    >>> Queue(sim, "emails", visibility_timeout_s=90_000)
    Traceback (most recent call last):
    ValueError: visibility_timeout_s=90000 must be 0 to 43200 s (Amazon SQS message quotas, ...
    """

    def __init__(
        self,
        sim: Simulation,
        name: str,
        *,
        visibility_timeout_s: float = 30.0,
        max_receive_count: int | None = None,
        retention_s: float | None = None,
        delay_s: float = 0.0,
        send_s: float | Distribution = 0.0,
        duplicate_share: float = 0.0,
    ) -> None:
        kept_s = fact("sqs.retention")["default_s"] if retention_s is None else retention_s
        _in_range("visibility_timeout_s", visibility_timeout_s, "sqs.visibility")
        _in_range("retention_s", kept_s, "sqs.retention")
        poll = fact("sqs.poll")
        if not 0 <= delay_s <= poll["delay_max_s"]:
            raise ValueError(
                f"delay_s={delay_s!r} must be 0 to {poll['delay_max_s']} s "
                f"({poll.source.title}, {poll.source.url})"
            )
        if max_receive_count is not None:
            max_receive_count = whole("max_receive_count", max_receive_count, 1)
        super().__init__(
            sim,
            name,
            visibility_timeout_s=float(visibility_timeout_s),
            max_receive_count=max_receive_count,
            retention_s=float(kept_s),
            delay_s=float(delay_s),
        )
        self.visibility_timeout_s = float(visibility_timeout_s)
        self.max_receive_count = max_receive_count
        self.retention_s = float(kept_s)
        self.delay_s = float(delay_s)
        self._send = as_distribution(send_s)
        self.duplicate_share = between("duplicate_share", duplicate_share, 0, 1)
        self.dead_letters: list[Message] = []
        self.sent = 0
        self.deleted = 0
        self.expired = 0
        #: Called whenever a message becomes visible; set by the consumer.
        self.on_visible: Callable[[], None] | None = None
        self._visible: deque[Message] = deque()
        self._in_flight: dict[int, Message] = {}
        self._delayed = 0
        self._hidden = Deadlines(sim.clock, self.visibility_timeout_s, self._reappear)
        self._limit = int(fact("sqs.inflight")["standard"])
        self._batch_most = int(poll["batch_max"])
        self._largest_kb = fact("sqs.size")["max_b"] / 1024
        operations = ("send", "receive", "delete", "empty_receive")
        self.meter: dict[str, list[float]] = {operation: [0, 0] for operation in operations}

    @property
    def visible(self) -> int:
        """Messages that could be received now."""
        return len(self._visible)

    @property
    def waiting(self) -> int:
        """Messages visible, in flight or delayed."""
        return len(self._visible) + len(self._in_flight) + self._delayed

    @property
    def conserved(self) -> bool:
        """Whether every message sent is deleted, expired, dead-lettered or still there."""
        return self.sent == self.deleted + self.expired + len(self.dead_letters) + self.waiting

    def send(self, body: Any, caller: Caller | None = None, size_kb: float = 1.0) -> Step:
        """Send one message and wait for the answer. `body` is handed over as it is."""
        if size_kb > self._largest_kb:
            limit = fact("sqs.size")
            raise ValueError(
                f"size_kb={size_kb!r} must be at most {self._largest_kb:g} KB "
                f"({limit.source.title}, {limit.source.url})"
            )
        positive("size_kb", size_kb)
        step = self.sim.step(caller)
        queued_s = self.sim.clock.now
        span = self.sim.new_span()

        def sent(_: object) -> None:
            by = step.caller
            self._put(body, by, size_kb)
            code = self.sim.trace.code
            now = self.sim.clock.now
            self.sim.trace.spans.append(
                (
                    span, by.span, by.request, self.code, code("send"), -1, by.attempt,
                    queued_s, queued_s, 0.0, now, code("ok"), size_kb, _chunks(size_kb),
                )
            )  # fmt: skip
            step.succeed()

        entity = body if isinstance(body, int) else span
        self.sim.after(self._send.quantile(self.sim.draw(self.name + " send", entity)), sent)
        return step

    accept = send

    def deliver(self, body: Any, caller: Caller, size_kb: float) -> None:
        """Take a topic's copy: nobody waits for it, but it is a request to this queue."""
        self._count("send", size_kb)
        self._put(body, caller, size_kb)

    def _put(self, body: Any, caller: Caller, size_kb: float) -> None:
        message = Message(self.sent, body, caller, self.sim.clock.now, size_kb)
        self.sent += 1
        self.inside.add(1)
        twice = self.duplicate_share and (
            self.sim.draw(self.name + " duplicate", message.id) < self.duplicate_share
        )
        if self.delay_s > 0:
            self._delayed += 1

            def appear(_: object) -> None:
                self._delayed -= 1
                self._show(message, twice)

            self.sim.after(self.delay_s, appear)
        else:
            self._show(message, twice)

    def _show(self, message: Message, twice: object) -> None:
        self._visible.append(message)
        if twice:  # the same message once more, as a copy of its own
            self.sent += 1
            self.inside.add(1)
            copy = Message(message.id, message.body, NOBODY, message.sent_s, message.size_kb)
            copy.request, copy.span = message.request, message.span
            self._visible.append(copy)
        if self.on_visible is not None:
            self.on_visible()

    def receive(self, at_most: int) -> list[Message]:
        """Take up to `at_most` visible messages and hide them.

        Returns nothing while the limit of messages in flight is reached. The consumer meters
        its requests with `count_received`: how many it takes is the consumer's affair.
        """
        now = self.sim.clock.now
        found: list[Message] = []
        while self._visible and len(found) < at_most and len(self._in_flight) < self._limit:
            message = self._visible.popleft()
            if now - message.sent_s >= self.retention_s:
                self.expired += 1
                self._leave(message, "expired")
                continue
            message.receive_count += 1
            if message.receive_count == 1:
                message.first_s = now
            self._in_flight[id(message)] = message
            self._hidden.push(_Hidden(message))
            found.append(message)
        return found

    def count_received(self, messages: list[Message]) -> None:
        """Meter one receive for each ten messages, billed by their size."""
        most = self._batch_most
        for i in range(0, len(messages), most):
            self._count("receive", math.fsum(m.size_kb for m in messages[i : i + most]))

    def delete(self, messages: list[Message]) -> None:
        """Delete messages that were received; meters one request for each ten."""
        for message in messages:
            if self._in_flight.pop(id(message), None) is not None:
                self.deleted += 1
                self._leave(message, "ok")
        for _ in range(0, len(messages), self._batch_most):
            self._count("delete", 0.0)

    def is_mine(self, message: Message, receive_count: int) -> bool:
        """Whether a receive is still valid: not deleted, not returned to the queue."""
        return id(message) in self._in_flight and message.receive_count == receive_count

    def count_empty(self, receives: int) -> None:
        """Meter receives that brought nothing."""
        self.meter["empty_receive"][0] += receives
        self.meter["empty_receive"][1] += receives

    def _count(self, operation: str, size_kb: float) -> None:
        meter = self.meter[operation]
        meter[0] += 1
        meter[1] += _chunks(size_kb)

    def _reappear(self, hidden: _Hidden) -> None:
        message = hidden.message
        del self._in_flight[id(message)]
        if self.max_receive_count is not None and message.receive_count >= self.max_receive_count:
            self.dead_letters.append(message)
            self._leave(message, "dead_lettered")
            return
        self._visible.append(message)
        if self.on_visible is not None:
            self.on_visible()

    def _leave(self, message: Message, outcome: str) -> None:
        message.over = True
        self.inside.add(-1)
        self._record(message, self.sim.clock.now, outcome)

    def _record(self, message: Message, end_s: float, outcome: str) -> None:
        code = self.sim.trace.code
        self.sim.trace.spans.append(
            (
                self.sim.new_span(), message.span, message.request, self.code, code("message"), -1,
                message.receive_count, message.sent_s, message.first_s, 0.0, end_s, code(outcome),
                message.size_kb, 0.0,
            )
        )  # fmt: skip

    def close(self) -> None:
        for message in [*self._in_flight.values(), *self._visible]:
            self._record(message, NAN, "unfinished")
        code = self.sim.trace.code
        for operation, (count, units) in self.meter.items():
            if count:
                self.sim.trace.meters.append((self.code, code(operation), int(count), float(units)))
        if not self.conserved:
            raise RuntimeError(f"{self!r} lost or doubled a message: a bug in the queue")


def _chunks(size_kb: float) -> float:
    return float(max(1, math.ceil(size_kb / CHUNK_KB)))


def _in_range(name: str, value: float, id: str) -> None:
    limits = fact(id)
    if not limits["min_s"] <= value <= limits["max_s"]:
        raise ValueError(
            f"{name}={value!r} must be {limits['min_s']} to {limits['max_s']} s "
            f"({limits.source.title}, {limits.source.url})"
        )
