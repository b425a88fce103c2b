"""A standard SQS queue: visibility timeout, receive count, dead-letter queue, retention.

May import: the standard library, SimPy, `simulations.facts`, `.workload`, `.clock`,
`.simulation` and this room's `limits` and `recursion`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from simulations._check import between, finite, whole
from simulations.clock import Caller, Deadlines, Step
from simulations.facts import fact
from simulations.services.limits import limited
from simulations.services.recursion import Chain
from simulations.simulation import Component, Simulation
from simulations.trace import NAN
from simulations.workload import Distribution, as_distribution

#: One request is billed for each 64 KB of payload (fact `sqs.price.chunk`).
CHUNK_KB = 64


def chunks(size_kb: float) -> int:
    """How many requests are billed for so much payload.

    Examples
    --------
    >>> chunks(0.5), chunks(64), chunks(65)
    (1, 1, 2)
    """
    return 1 if size_kb <= CHUNK_KB else math.ceil(size_kb / CHUNK_KB)


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
        "body", "chain", "first_s", "id", "receive_count", "request", "sent_s", "size_kb",
        "span", "units",
    )  # fmt: skip

    def __init__(
        self, id: int, body: Any, request: int, span: int, sent_s: float, size_kb: float,
        chain: Chain = None,
    ) -> None:  # fmt: skip
        self.id = id
        self.body = body
        self.request = request
        self.span = span
        self.sent_s = sent_s
        self.size_kb = size_kb
        self.units = 1 if size_kb <= CHUNK_KB else chunks(size_kb)
        self.receive_count = 0
        self.first_s = NAN
        #: The invocations that led to it (see `recursion`).
        self.chain = chain

    def __repr__(self) -> str:
        return f"<message {self.id} for request {self.request}, received {self.receive_count}x>"


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
        How long a new message stays invisible (fact `sqs.poll`).
    send_s : float or Distribution
        How long the sender waits for the answer.
    duplicate_share : float
        Share of messages that are delivered twice ("at least once"): a copy of its own, with
        the same id.

    Attributes
    ----------
    dead_letters : list of Message
        The dead-letter queue.
    sent, deleted, expired, stopped : int
        Counts, copies included; `sent == deleted + expired + stopped + len(dead_letters) +
        waiting` (`conserved`). Stopped: in a recursive loop, and no dead-letter queue to go to.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Notes
    -----
    At most 120,000 messages are in flight (fact `sqs.inflight`); a receive beyond brings
    nothing. `mean_in` counts messages visible, in flight and delayed.

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
        limited("delay_s", delay_s, 0, poll["delay_max_s"], " s", "sqs.poll")
        if max_receive_count is not None:
            max_receive_count = whole("max_receive_count", max_receive_count, 1)
        between("duplicate_share", duplicate_share, 0, 1)
        send = as_distribution(send_s)
        super().__init__(
            sim,
            name,
            visibility_timeout_s=float(visibility_timeout_s),
            max_receive_count=max_receive_count,
            retention_s=float(kept_s),
            delay_s=float(delay_s),
            send_s=send,
            duplicate_share=float(duplicate_share),
        )
        self.visibility_timeout_s = float(visibility_timeout_s)
        self.max_receive_count = max_receive_count
        self.retention_s = float(kept_s)
        self.delay_s = float(delay_s)
        self.duplicate_share = float(duplicate_share)
        self.dead_letters: list[Message] = []
        self.sent = 0
        self.deleted = 0
        self.expired = 0
        self.stopped = 0
        #: Called whenever a message becomes visible; set by the consumer.
        self.on_visible: Callable[[], None] | None = None
        self._visible: deque[Message] = deque()
        self._in_flight: dict[Message, None] = {}
        self._delayed: dict[Message, None] = {}
        self._hidden = Deadlines(sim.clock, self.visibility_timeout_s, self._reappear)
        self._late = Deadlines(sim.clock, self.delay_s, self._appear)
        self._sends = 0
        self._send_time = sim.times(name + " send", send)
        self._twice = sim.draws(name + " duplicate")
        self._in_flight_most = int(fact("sqs.inflight")["standard"])
        self._batch_most = int(poll["batch_max"])
        self.largest_kb = fact("sqs.size")["max_b"] / 1024
        #: By operation: requests, and requests billed.
        self.meter = {name: [0, 0] for name in ("send", "receive", "delete", "empty_receive")}
        code = sim.trace.code
        self._send, self._message, self._ok = code("send"), code("message"), code("ok")

    @property
    def visible(self) -> int:
        """Messages that could be received now."""
        return len(self._visible)

    @property
    def waiting(self) -> int:
        """Messages visible, in flight or delayed."""
        return len(self._visible) + len(self._in_flight) + len(self._delayed)

    @property
    def conserved(self) -> bool:
        """Whether every message sent is deleted, expired, stopped, dead-lettered or there."""
        gone = self.deleted + self.expired + self.stopped + len(self.dead_letters)
        return self.sent == gone + self.waiting

    def send(self, body: Any, caller: Caller | None = None, size_kb: float = 1.0) -> Step:
        """Send one message and wait for the answer. `body` is handed over as it is."""
        if not 0 < size_kb <= self.largest_kb:
            limited("size_kb", size_kb, 1 / 1024, self.largest_kb, " KB", "sqs.size")
        step = _Send(self, body, caller, size_kb)
        self._sends += 1
        entity = body if isinstance(body, int) else self._sends
        step.end_at(self.sim.clock._now + self._send_time(entity, step.caller.attempt))
        return step

    accept = send

    def deliver(self, body: Any, caller: Caller, size_kb: float) -> None:
        """Take a topic's copy: nobody waits for it, but it is a request to this queue."""
        self._count("send", chunks(size_kb))
        self.put(body, caller, size_kb)

    def put(self, body: Any, caller: Caller, size_kb: float) -> None:
        """Lay a message in the queue, without any request."""
        now_s = self.sim.clock._now
        span = caller.span
        number, chain = self.sent, self.sim.chains.get(span)
        copies = 1
        if self.duplicate_share and self._twice(number) < self.duplicate_share:
            copies = 2
        self.sent += copies
        self.inside.add(copies)
        for _ in range(copies):
            message = Message(number, body, caller.request, span, now_s, size_kb, chain)
            if self.delay_s > 0:
                self._delayed[message] = None
                self._late.push(message)
            else:
                self._visible.append(message)
        if self.on_visible is not None and self._visible:
            self.on_visible()

    def _appear(self, message: Message) -> None:
        del self._delayed[message]
        self._visible.append(message)
        if self.on_visible is not None:
            self.on_visible()

    def receive(self, at_most: int) -> list[Message]:
        """Take up to `at_most` visible messages and hide them; none beyond the limit in flight.

        The consumer meters its requests with `count_received`: their number is its affair.
        """
        now_s = self.sim.clock._now
        visible, in_flight = self._visible, self._in_flight
        found: list[Message] = []
        room = min(at_most, self._in_flight_most - len(in_flight))
        while visible and room > 0:
            message = visible.popleft()
            if now_s - message.sent_s >= self.retention_s:
                self.expired += 1
                self._leave(message, self.sim.trace.code("expired"))
                continue
            message.receive_count += 1
            if message.receive_count == 1:
                message.first_s = now_s
            in_flight[message] = None
            self._hidden.push(message)
            found.append(message)
            room -= 1
        return found

    def count_received(self, messages: Sequence[Message]) -> None:
        """Meter one receive for each ten messages, billed by their size."""
        if len(messages) == 1:
            meter = self.meter["receive"]
            meter[0] += 1
            meter[1] += messages[0].units
            return
        most = self._batch_most
        for i in range(0, len(messages), most):
            self._count("receive", chunks(math.fsum(m.size_kb for m in messages[i : i + most])))

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages in flight, each by itself (a copy stays); one request for each ten."""
        in_flight = self._in_flight
        for message in messages:
            if message in in_flight:
                del in_flight[message]
                self.deleted += 1
                self._leave(message, self._ok)
        meter = self.meter["delete"]
        requests = -(-len(messages) // self._batch_most)
        meter[0] += requests
        meter[1] += requests

    def stop(self, messages: Sequence[Message]) -> None:
        """Take messages in flight out of a recursive loop: dead-lettered, or else lost."""
        for message in messages:
            if message not in self._in_flight:
                continue  # it returned to the queue meanwhile
            del self._in_flight[message]
            if self.max_receive_count is None:
                self.stopped += 1
                self._leave(message, self.sim.trace.code("stopped"))
            else:
                self._bury(message)

    def is_mine(self, message: Message, receive_count: int) -> bool:
        """Whether a receive is still valid: not deleted, not returned to the queue."""
        return message.receive_count == receive_count and message in self._in_flight

    def count_empty(self, receives: int) -> None:
        """Meter receives that brought nothing."""
        self._count("empty_receive", receives, receives)

    def _count(self, operation: str, units: int, requests: int = 1) -> None:
        meter = self.meter[operation]
        meter[0] += requests
        meter[1] += units

    def _reappear(self, message: Message) -> None:
        del self._in_flight[message]
        if self.max_receive_count is not None and message.receive_count >= self.max_receive_count:
            self._bury(message)
            return
        self._visible.append(message)
        if self.on_visible is not None:
            self.on_visible()

    def _bury(self, message: Message) -> None:
        self.dead_letters.append(message)
        self._leave(message, self.sim.trace.code("dead_lettered"))

    def _leave(self, message: Message, outcome: int) -> None:
        self._hidden.withdraw(message)
        self.inside.add(-1)
        self._record(message, self.sim.clock._now, outcome)

    def _record(self, message: Message, end_s: float, outcome: int) -> None:
        sim = self.sim
        sim.trace.spans.append(
            (
                sim.new_span(), message.span, message.request, self.code, self._message, -1,
                message.receive_count, message.sent_s, message.first_s, 0.0, end_s, outcome,
                message.size_kb, 0.0,
            )
        )  # fmt: skip

    def close(self) -> None:
        """Record the messages that are left, and what was metered.

        Raises
        ------
        RuntimeError
            If a message was lost or doubled, which would be a bug of this class.
        """
        code = self.sim.trace.code
        for message in [*self._in_flight, *self._visible, *self._delayed]:
            self._record(message, NAN, code("unfinished"))
        for operation, (count, units) in self.meter.items():
            if count:
                self.sim.trace.meters.append((self.code, code(operation), count, float(units)))
        if not self.conserved or self.waiting != self.inside.inside:
            raise RuntimeError(f"{self!r} lost or doubled a message: a bug in the queue")


class _Send(Step):
    """A message on its way into the queue."""

    def __init__(self, queue: Queue, body: Any, caller: Caller | None, size_kb: float) -> None:
        super().__init__(queue.sim, caller)
        self.queue = queue
        self.body = body
        self.size_kb = size_kb
        self.span = queue.sim.new_span()
        self.queued_s = self.env._now
        self.callbacks.append(_arrived)

    def record(self, end_s: float, outcome: int, units: int) -> None:
        queue, by = self.queue, self.caller
        queue.sim.trace.spans.append(
            (
                self.span, by.span, by.request, queue.code, queue._send, -1, by.attempt,
                self.queued_s, self.queued_s, 0.0, end_s, outcome, self.size_kb, float(units),
            )
        )  # fmt: skip

    def unfinished(self) -> None:
        self.record(NAN, self.queue.sim.trace.code("unfinished"), 0)


def _arrived(send: _Send) -> None:
    queue = send.queue
    size_kb = send.size_kb
    send.record(send.env._now, queue._ok, 1 if size_kb <= CHUNK_KB else chunks(size_kb))
    queue.put(send.body, send.caller, send.size_kb)


def _in_range(name: str, value: float, id: str) -> None:
    limits = fact(id)
    finite(name, value)
    limited(name, value, limits["min_s"], limits["max_s"], " s", id)
