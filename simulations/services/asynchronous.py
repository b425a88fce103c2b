"""Asynchronous invocation: the queue that Lambda keeps in front of a function.

May import: the standard library, SimPy, `simulations.facts`, `.workload`, `.faults`, `.clock`,
`.simulation` and this room's `limits`, `destinations`, `queue`, `topic`, `recursion` and `function`.
"""

from __future__ import annotations

import math
from typing import Any

from simpy.events import Event

from simulations._check import between
from simulations.clock import Caller, Step
from simulations.facts import fact
from simulations.faults import FINE, Fault, Trouble
from simulations.services.destinations import (
    InvocationRecord,
    Target,
    check_target,
    extra_requests,
    send_event,
    send_record,
)
from simulations.services.function import Function, FunctionError
from simulations.services.limits import limited, limited_whole
from simulations.services.queue import Queue
from simulations.services.recursion import Chain, longer, most_in_a_chain
from simulations.services.topic import Topic
from simulations.simulation import Component, Simulation
from simulations.trace import NAN
from simulations.workload import Distribution, as_distribution

#: Factor between two waits after a throttle or system error. AWS says that they grow
#: "exponentially from 1 second to a maximum of 5 minutes"; that they double is our assumption.
BACKOFF_FACTOR = 2.0
#: The first and the longest of these waits (fact `lambda.async.throttle`, in its words).
BACKOFF_S = (1.0, 300.0)


class AsyncInvoke(Component):
    """Invokes a function asynchronously: the caller has its answer (202) at once.

    A function error is retried after 1 and after 2 minutes (fact `lambda.async.retry`). A
    throttle or an error of Lambda itself is no attempt: the event returns to the queue, and
    waits 1 s, then twice as long each time, up to 5 minutes, until it is too old (fact
    `lambda.async.throttle`). What fails for good goes to a destination or dead-letter queue;
    without one it is lost.

    Parameters
    ----------
    function : Function
        The function; it may have one queue only, as on Lambda.
    maximum_retries : int
        After function errors, 0 to 2.
    maximum_event_age_s : float
        60 s (fact `lambda.async.min_age`) to 6 h. An event whose next attempt would come later
        ends, at this age, unsent.
    on_success, on_failure : Queue, Topic or AsyncInvoke, optional
        Destinations: they are sent an `InvocationRecord`.
    dead_letter_queue : Queue or Topic, optional
        It is sent what failed as it came, without any response.
    accept_s : float or Distribution
        How long the caller waits for the answer.
    dispatch_s : float or Distribution
        From the answer to the first attempt.
    duplicate_share : float
        Share of events that are delivered twice ("eventually consistent").
    allow_recursion : bool
        Whether recursive loops go on (RecursiveLoop "Allow" instead of "Terminate").

    Attributes
    ----------
    accepted, succeeded, failed, expired, stopped, refused : int
        Counts of events, copies included; `accepted == succeeded + failed + expired + stopped
        + refused + waiting` (`conserved`). Failed: retries exhausted. Stopped: in a recursive
        loop. Refused: the function's reserved concurrency is zero.
    delivered, undelivered : int
        Records and dead letters sent on; dead letters that were too large.
    lost : int
        Events that neither succeeded nor reached a destination or dead-letter queue.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Notes
    -----
    `Simulation(faults={"f asynchronously": Fault(...)})` scripts errors of Lambda itself
    (500-series): the function does not run. An event of more than 256 KB counts as one request
    more for each 64 KB begun (fact `lambda.price.async_chunks`), once however often it is
    retried, which AWS does not say. Not modeled: with many entries in the queue AWS waits
    longer and may drop events, by rules it does not publish.

    Examples
    --------
    >>> from simulations import Poisson
    >>> def fail(event, context):
    ...     yield context.compute(ms=100)
    ...     raise FunctionError("poison")
    >>> sim = Simulation(seed=1)
    >>> letters = Queue(sim, "failed")
    >>> events = AsyncInvoke(sim, Function(sim, "f", fail), on_failure=letters)
    >>> trace = sim.run(Poisson(rate_per_s=1) >> events, duration_s=60)
    >>> trace.requests.outcomes(), letters.sent == events.failed == events.accepted
    ({'accepted': 73}, True)
    """

    can_fail = True

    def __init__(
        self,
        sim: Simulation,
        function: Function,
        *,
        maximum_retries: int = 2,
        maximum_event_age_s: float | None = None,
        on_success: Queue | Topic | AsyncInvoke | None = None,
        on_failure: Queue | Topic | AsyncInvoke | None = None,
        dead_letter_queue: Queue | Topic | None = None,
        accept_s: float | Distribution = 0.0,
        dispatch_s: float | Distribution = 0.0,
        duplicate_share: float = 0.0,
        allow_recursion: bool = False,
    ) -> None:
        rule = fact("lambda.async.retry")
        low, high = rule["range"]
        limited_whole("maximum_retries", maximum_retries, low, high, "", "lambda.async.retry")
        oldest_s = fact("lambda.async.throttle")["max_age_s"]
        age_s = oldest_s if maximum_event_age_s is None else maximum_event_age_s
        youngest_s = fact("lambda.async.min_age").value
        limited("maximum_event_age_s", age_s, youngest_s, oldest_s, " s", "lambda.async.throttle")
        between("duplicate_share", duplicate_share, 0, 1)
        check_target("on_success", on_success, Queue, Topic, AsyncInvoke)
        check_target("on_failure", on_failure, Queue, Topic, AsyncInvoke)
        check_target("dead_letter_queue", dead_letter_queue, Queue, Topic)
        accept, dispatch = as_distribution(accept_s), as_distribution(dispatch_s)
        name = f"{function.name} asynchronously"
        super().__init__(
            sim,
            name,
            function=function.name,
            maximum_retries=maximum_retries,
            maximum_event_age_s=float(age_s),
            on_success=on_success and on_success.name,
            on_failure=on_failure and on_failure.name,
            dead_letter_queue=dead_letter_queue and dead_letter_queue.name,
            accept_s=accept,
            dispatch_s=dispatch,
            duplicate_share=float(duplicate_share),
            allow_recursion=allow_recursion,
        )
        self.function = function
        self.maximum_retries = int(maximum_retries)
        self.maximum_event_age_s = float(age_s)
        self.duplicate_share = float(duplicate_share)
        self.on_success = on_success
        self.on_failure = on_failure
        self.dead_letter_queue = dead_letter_queue
        self.accepted = self.succeeded = self.failed = self.expired = 0
        self.stopped = self.refused = self.delivered = self.undelivered = self.lost = 0
        self.largest_kb = fact("lambda.payload")["async_mb"] * 1024.0
        self._waits_s = [float(wait_s) for wait_s in rule["waits_s"]]
        self._most_in_a_chain = math.inf if allow_recursion else most_in_a_chain()
        self._accept_time = sim.times(name + " accept", accept)
        self._dispatch_time = sim.times(name + " dispatch", dispatch)
        self._twice = sim.draws(name + " duplicate")
        fault = sim.faults.get(name, Fault())
        self._trouble = None
        if not fault.is_none:
            self._trouble = Trouble(
                fault, lambda what: sim.draws(f"{name} {what}"), sim.stream(name + " outages")
            )
        self._waiting: dict[_Event, None] = {}
        self._asked = 0
        code = sim.trace.code
        self._accept_code, self._event_code, self._ok = code("accept"), code("event"), code("ok")

    @property
    def waiting(self) -> int:
        """Events in the queue or being worked on."""
        return len(self._waiting)

    @property
    def conserved(self) -> bool:
        """Whether every event accepted succeeded, failed, expired, was stopped or waits."""
        ended = self.succeeded + self.failed + self.expired + self.stopped + self.refused
        return self.accepted == ended + self.waiting

    def invoke(self, event: Any, caller: Caller | None = None, size_kb: float = 1.0) -> Step:
        """Hand over an event and wait for the answer, "accepted"."""
        self._check_size(size_kb)
        step = _Accept(self, event, caller, size_kb)
        self._asked += 1
        whose = event if isinstance(event, int) else self._asked
        now_s = self.sim.clock._now
        step.end_at(now_s + self._accept_time(whose, step.caller.attempt), "accepted")
        return step

    accept = invoke

    def deliver(self, body: Any, caller: Caller, size_kb: float) -> None:
        """Take a topic's copy: nobody waits for it."""
        self._check_size(size_kb)
        self.put(body, caller, size_kb)

    def put(self, body: Any, caller: Caller, size_kb: float) -> None:
        """Lay an event into the queue, without any request."""
        number = self.accepted
        copies = 2 if self._twice(number) < self.duplicate_share else 1
        for _ in range(copies):
            event = _Event(self, body, caller, size_kb)
            self._waiting[event] = None
            self.accepted += 1
            self.inside.add(1)
            self.sim.after(self._dispatch_time(number), event.go)

    def _check_size(self, size_kb: float) -> None:
        if not 0 < size_kb <= self.largest_kb:
            limited("size_kb", size_kb, 1 / 1024, self.largest_kb, " KB", "lambda.payload")

    def _is_failing(self, number: int, attempt: int) -> bool:
        """Whether Lambda itself answers with an error now."""
        trouble = self._trouble
        return trouble is not None and trouble.fate(self.sim.clock._now, number, attempt) != FINE

    def close(self) -> None:
        """Record the events that are left.

        Raises
        ------
        RuntimeError
            If an event was lost or doubled, which would be a bug of this class.
        """
        for event in self._waiting:
            event.record(NAN, "unfinished")
        if not self.conserved or self.waiting != self.inside.inside:
            raise RuntimeError(f"{self!r} lost or doubled an event: a bug in the queue")


class _Event:
    """An event in the queue, until it succeeded or was given up."""

    def __init__(self, queue: AsyncInvoke, body: Any, caller: Caller, size_kb: float) -> None:
        sim = queue.sim
        self.queue = queue
        self.body = body
        self.caller = caller
        self.size_kb = size_kb
        self.number = queue.accepted
        self.span = sim.new_span()
        self.sent_s = sim.clock._now
        self.first_s = NAN
        #: How often the function ran, and how often it was tried and did not.
        self.runs = 0
        self.refusals = 0
        self.chain: Chain = longer(sim.chains.get(caller.span), queue.function.code)

    def go(self, _: Event | None) -> None:
        """Try to invoke the function."""
        queue = self.queue
        sim, function = queue.sim, queue.function
        if self.chain[1] > queue._most_in_a_chain:
            queue.stopped += 1
            self.give_up("recursion", "stopped", None)
            return
        if function.reserved_concurrency == 0:
            queue.refused += 1
            self.give_up("no concurrency", "refused", None)
            return
        if self.first_s != self.first_s:
            self.first_s = sim.clock._now
        if queue._is_failing(self.number, self.runs + self.refusals):
            self.wait_again()
            return
        by = Caller(self.span, self.caller.request, self.runs + 1)
        run = function.invoke(self.body, by)
        sim.chains[run.span] = self.chain
        run.callbacks.append(self.answered)

    def answered(self, event: Any) -> None:
        """The function returned, failed or was not run."""
        queue = self.queue
        value = event._value
        del queue.sim.chains[event.span]
        if event._ok:
            self.runs += 1
            queue.succeeded += 1
            self.leave("ok")
            if queue.on_success is not None:
                queue.delivered += 1
                self.tell(queue.on_success, "Success", value)
        elif not isinstance(value, FunctionError):
            self.wait_again()
        elif self.runs < queue.maximum_retries:
            self.runs += 1
            self.again_after(queue._waits_s[self.runs - 1], value)
        else:
            self.runs += 1
            queue.failed += 1
            self.give_up("RetriesExhausted", "failed", value)

    def wait_again(self) -> None:
        """Throttled, or an error of Lambda itself: not the function's fault."""
        first_s, longest_s = BACKOFF_S
        wait_s = min(first_s * BACKOFF_FACTOR**self.refusals, longest_s)
        self.refusals += 1
        self.again_after(wait_s, None)

    def again_after(self, wait_s: float, response: Any) -> None:
        """Try again after `wait_s`, unless the event is too old by then."""
        sim = self.queue.sim
        ends_s = self.sent_s + self.queue.maximum_event_age_s
        if sim.clock._now + wait_s <= ends_s:
            sim.after(wait_s, self.go)
        else:
            sim.after(max(0.0, ends_s - sim.clock._now), lambda _: self.expire(response))

    def expire(self, response: Any) -> None:
        """The event is too old."""
        self.queue.expired += 1
        self.give_up("EventAgeExceeded", "expired", response)

    def give_up(self, condition: str, outcome: str, response: Any) -> None:
        """Send what failed to where it was ordered to go, or lose it."""
        queue = self.queue
        self.leave(outcome)
        by = Caller(self.span, self.caller.request)
        sent = 0
        if queue.on_failure is not None:
            self.tell(queue.on_failure, condition, response)
            sent += 1
        letters = queue.dead_letter_queue
        if letters is not None:
            if send_event(letters, self.body, self.size_kb, by):
                sent += 1
            else:
                queue.undelivered += 1
        queue.delivered += sent
        queue.lost += sent == 0

    def tell(self, target: Target, condition: str, response: Any) -> None:
        """Send a record of what became of the event."""
        record = InvocationRecord(condition, self.runs, self.body, response)
        send_record(target, record, self.size_kb, Caller(self.span, self.caller.request))

    def leave(self, outcome: str) -> None:
        """The event is out of the queue."""
        queue = self.queue
        del queue._waiting[self]
        queue.inside.add(-1)
        self.record(queue.sim.clock._now, outcome)

    def record(self, end_s: float, outcome: str) -> None:
        """Write the event's row; its `units` are the requests beyond one an invocation."""
        queue, by = self.queue, self.caller
        trace = queue.sim.trace
        trace.spans.append(
            (
                self.span, by.span, by.request, queue.code, queue._event_code, -1, self.runs,
                self.sent_s, self.first_s, 0.0, end_s, trace.code(outcome), self.size_kb,
                float(extra_requests(self.size_kb)),
            )
        )  # fmt: skip


class _Accept(Step):
    """An event on its way into the queue."""

    def __init__(
        self, queue: AsyncInvoke, body: Any, caller: Caller | None, size_kb: float
    ) -> None:
        super().__init__(queue.sim, caller)
        self.queue = queue
        self.body = body
        self.size_kb = size_kb
        self.span = queue.sim.new_span()
        self.queued_s = self.env._now
        self.callbacks.append(_accepted)

    def record(self, end_s: float, outcome: int) -> None:
        queue, by = self.queue, self.caller
        queue.sim.trace.spans.append(
            (
                self.span, by.span, by.request, queue.code, queue._accept_code, -1, by.attempt,
                self.queued_s, self.queued_s, 0.0, end_s, outcome, self.size_kb, 0.0,
            )
        )  # fmt: skip

    def unfinished(self) -> None:
        self.record(NAN, self.queue.sim.trace.code("unfinished"))


def _accepted(step: _Accept) -> None:
    queue = step.queue
    step.record(step.env._now, queue._ok)
    queue.put(step.body, step.caller, step.size_kb)
