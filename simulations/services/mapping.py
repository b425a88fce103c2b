"""An event source mapping: pollers that take messages from a queue to a function, in batches.

May import: the standard library, SimPy, `simulations.facts`, `.clock`, `.simulation` and this
room's `limits`, `queue`, `pollers`, `recursion` and `function`.
"""

from __future__ import annotations

from itertools import compress
from typing import Any

from simpy.events import Event

from simulations._check import finite, not_negative, positive
from simulations.clock import EXPIRY, Caller
from simulations.facts import fact
from simulations.services.function import Function, Throttled
from simulations.services.limits import limited, limited_whole, source_of
from simulations.services.pollers import Pollers, ProvisionedPollers
from simulations.services.queue import Message, Queue
from simulations.services.recursion import Chain, longer, most_in_a_chain
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

    A message that would invoke the function for the 17th time in one chain is stopped (fact
    `lambda.async.recursion`): it is dead-lettered, or lost without a dead-letter queue. Of a
    batch each message is judged by itself; AWS does not say.

    A batch window takes one ReceiveMessage for each ten messages; AWS does not say.

    Parameters
    ----------
    batch_size : int
        At most so many messages an invocation (fact `lambda.sqs.batch`).
    window_s : float
        How long a poller waits for more once it holds a message.
    maximum_concurrency : int, optional
        At most so many invocations at once (2 to 1,000, fact `lambda.sqs.maxconc`).
    provisioned_pollers : tuple of (fewest, most), optional
        Provisioned mode (fact `lambda.sqs.provisioned`), billed by the poller and second;
        not together with `maximum_concurrency`. See `ProvisionedPollers`.
    report_batch_item_failures : bool
        Whether the ids that the handler returns fail alone. Otherwise one failed message
        returns its whole batch, and a returned list is not looked at.
    backs_off : bool
        Whether errors and throttles reduce how many batches are processed at once: AWS says
        "gradually", without numbers. Assumed: each failed batch takes its poller with it, down
        to the floor of 2, and none is added until an invocation succeeds. Errors count only
        without `report_batch_item_failures` (fact `lambda.sqs.errors`).
    scale_in_s : float, optional
        A poller idle for so long goes, down to 2, or 5 with `maximum_concurrency`, or the
        fewest provisioned. AWS says that it does so, not when; by default never.
    allow_recursion : bool
        Whether recursive loops go on (RecursiveLoop "Allow" instead of "Terminate").
    paused : tuple of (start_s, end_s)
        Windows, in order and apart, in which nothing new is polled, as if it were disabled.

    Attributes
    ----------
    stopped : int
        Messages stopped in a recursive loop.
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
        provisioned_pollers: tuple[int, int] | None = None,
        report_batch_item_failures: bool = True,
        backs_off: bool = False,
        scale_in_s: float | None = None,
        allow_recursion: bool = False,
        paused: tuple[tuple[float, float], ...] = (),
    ) -> None:
        _check(queue, function, batch_size, window_s)
        _check_scaling(maximum_concurrency, provisioned_pollers, scale_in_s)
        _check_windows(paused)
        if queue.on_visible is not None:
            raise ValueError(f"{queue!r} has a mapping; two would compete for its messages")
        self.billed = provisioned_pollers is not None
        super().__init__(
            sim,
            f"{queue.name} to {function.name}",
            queue=queue.name,
            function=function.name,
            batch_size=batch_size,
            window_s=float(window_s),
            maximum_concurrency=maximum_concurrency,
            provisioned_pollers=provisioned_pollers,
            report_batch_item_failures=report_batch_item_failures,
            backs_off=backs_off,
            scale_in_s=scale_in_s,
            allow_recursion=allow_recursion,
            paused=paused,
        )
        self.queue = queue
        self.function = function
        self.batch_size = int(batch_size)
        self.window_s = float(window_s)
        self.report_batch_item_failures = report_batch_item_failures
        self.backs_off = backs_off
        self.stopped = 0
        self.most_in_a_chain = None if allow_recursion else most_in_a_chain()
        self._pollers: Pollers
        if provisioned_pollers is None:
            self._pollers = Pollers(sim, queue, self._wake, maximum_concurrency, scale_in_s)
        else:
            fewest, most = provisioned_pollers
            self._pollers = ProvisionedPollers(sim, queue, self._wake, fewest, most, scale_in_s)
        self._gathering: _Batch | None = None
        self._pauses = False
        for start_s, end_s in paused:
            self.pause(start_s, end_s)
        queue.on_visible = self._wake

    @property
    def pollers(self) -> int:
        """How many pollers there are by now."""
        self._pollers.scale_in(self.sim.clock._now)
        return self._pollers.count

    def pause(self, start_s: float, end_s: float) -> None:
        """Poll nothing between these times, neither of which may have passed."""
        self.sim.clock.at(start_s, self._pause, EXPIRY)
        self.sim.clock.at(end_s, self._resume, EXPIRY)

    def _pause(self, _: Event) -> None:
        self._pollers.pause()
        self._pauses = True

    def _resume(self, _: Event) -> None:
        self._pauses = False
        self._pollers.resume()
        self._wake()

    def _wake(self) -> None:
        """Bring visible messages and idle pollers together."""
        visible = self.queue._visible
        while visible and not self._pauses:
            batch = self._gathering
            if batch is None:
                pollers = self._pollers
                if not pollers.idle:
                    pollers.grow()
                    return
                if pollers.paced and not pollers.may_read():
                    return
                batch = _Batch(self)
            if not batch.fill():
                return

    def close(self) -> None:
        """Meter what idle pollers have asked in vain, and what provisioned ones cost."""
        pollers, trace = self._pollers, self.sim.trace
        ended_s = trace.header["ended_s"]
        pollers.ask_until(ended_s)
        if isinstance(pollers, ProvisionedPollers):
            pollers.close(ended_s)
            trace.meters.append((self.code, trace.code("poller"), pollers.count, pollers.unit_s))


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
        pollers, messages = mapping._pollers, self.messages
        if not messages:
            pollers.take()
        found = mapping.queue.receive(mapping.batch_size - len(messages))
        if not found:
            if not messages:
                pollers.give_back()
            return False
        receives = [message.receive_count for message in found]
        if messages:
            messages += found
            self.receives += receives
        else:
            self.messages = messages = found
            self.receives = receives
            mapping.inside.add(1)
        if pollers.paced:
            pollers.has_read(found)
        if len(messages) >= mapping.batch_size or not mapping.window_s:
            self.go()
        elif mapping._gathering is None:
            mapping._gathering = self
            mapping.sim.after(mapping.window_s, self._time_is_up)
        return True

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
        self.invoke()

    def invoke(self) -> None:
        """Invoke the function with the batch."""
        mapping = self.mapping
        sim = mapping.sim
        messages = self.messages
        if len(messages) == 1 and messages[0].chain is None:
            chain: Chain = (mapping.function.code, 1, None)
        else:
            chain = self._chain()
            messages = self.messages
        if not messages:
            self._leave()
            return
        first = messages[0]
        if len(messages) == 1:
            by = Caller(first.span, first.request, first.receive_count)
            run = mapping.function.invoke([first], by)
        else:
            run = mapping.function.invoke(list(messages), Caller(-1, -1, first.receive_count))
            for message in messages:
                sim.trace.links.append((run.span, message.request))
        sim.chains[run.span] = chain  # before anything that it sends can arrive anywhere
        run.callbacks.append(self._answered)

    def _chain(self) -> Chain:
        """The longest chain that leads here; messages of one that is too long are stopped."""
        mapping = self.mapping
        code, most = mapping.function.code, mapping.most_in_a_chain
        longest: Chain = None
        too_long = []
        for message in self.messages:
            chain = longer(message.chain, code)
            if most is not None and chain[1] > most:
                too_long.append(message)
            elif longest is None or chain[1] > longest[1]:
                longest = chain
        if too_long:
            self._stop(too_long)
        return longest

    def _stop(self, messages: list[Message]) -> None:
        mapping = self.mapping
        self._keep([one not in messages for one in self.messages])
        mapping.stopped += len(messages)
        mapping.queue.stop(messages)

    def _answered(self, event: Any) -> None:
        mapping = self.mapping
        queue, pollers = mapping.queue, mapping._pollers
        del mapping.sim.chains[event.span]
        if event._ok:
            messages = self.messages
            failed = self._failed(event._value) if event._value else ()
            if failed or len(messages) > 1 or messages[0].receive_count != self.receives[0]:
                messages = [
                    message
                    for message, receive in zip(messages, self.receives, strict=True)
                    # What has returned to the queue meanwhile is not ours to delete.
                    if message.receive_count == receive and message.id not in failed
                ]
            queue.delete(messages)
            pollers.held = False
        elif isinstance(event._value, Throttled):
            pollers.held = mapping.backs_off
            if any(map(queue.is_mine, self.messages, self.receives)):
                mapping.sim.after(self.retry_s, self._again)
                self.retry_s = min(2 * self.retry_s, THROTTLE_RETRY_S[1])
                return
        elif mapping.backs_off and not mapping.report_batch_item_failures:
            mapping.inside.add(-1)
            pollers.drop_out()
            mapping._wake()
            return
        self._leave()

    def _again(self, _: Event) -> None:
        """Try a throttled batch again, without what has returned to the queue meanwhile."""
        is_mine = self.mapping.queue.is_mine
        self._keep([is_mine(*held) for held in zip(self.messages, self.receives, strict=True)])
        self.invoke()

    def _keep(self, which: list[bool]) -> None:
        self.messages = list(compress(self.messages, which))
        self.receives = list(compress(self.receives, which))

    def _leave(self) -> None:
        """The poller is idle again."""
        mapping = self.mapping
        mapping.inside.add(-1)
        mapping._pollers.idle.append(mapping.sim.clock._now)
        if mapping.queue._visible:
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


def _check(queue: Queue, function: Function, batch_size: int, window_s: float) -> None:
    batch = fact("lambda.sqs.batch")
    limited_whole("batch_size", batch_size, 1, batch["standard_max"], "", "lambda.sqs.batch")
    limited("window_s", window_s, 0, batch["window_max_s"], " s", "lambda.sqs.batch")
    if batch_size > batch["window_needed_if_gt"] and window_s < batch["window_min_s_if_gt10"]:
        raise ValueError(
            f"window_s={window_s!r} must be at least {batch['window_min_s_if_gt10']} s for a "
            f"batch_size above {batch['window_needed_if_gt']} {source_of('lambda.sqs.batch')}"
        )
    if function.timeout_s > queue.visibility_timeout_s:
        rule = "lambda.sqs.visibility"
        raise ValueError(
            f"timeout_s={function.timeout_s:g} of {function.name} exceeds visibility_timeout_s="
            f"{queue.visibility_timeout_s:g} of {queue.name}: {fact(rule).value} {source_of(rule)}"
        )


def _check_scaling(
    maximum: int | None, provisioned: tuple[int, int] | None, scale_in_s: float | None
) -> None:
    if maximum is not None:
        low, high = fact("lambda.sqs.maxconc").value
        limited_whole("maximum_concurrency", maximum, low, high, "", "lambda.sqs.maxconc")
    if provisioned is not None:
        source = "lambda.sqs.provisioned"
        if maximum is not None:
            raise ValueError(
                f"provisioned_pollers={provisioned!r} and maximum_concurrency={maximum!r} exclude "
                f"each other {source_of(source)}"
            )
        rule = fact(source)
        for which, value in zip(("min", "max"), provisioned, strict=True):
            low, high = rule[f"{which}_pollers"]
            limited_whole(f"provisioned_pollers ({which})", value, low, high, "", source)
        if provisioned[0] > provisioned[1]:
            raise ValueError(f"provisioned_pollers={provisioned!r}: more at least than at most")
    if scale_in_s is not None:
        positive("scale_in_s", scale_in_s)


def _check_windows(paused: tuple[tuple[float, float], ...]) -> None:
    before_s = 0.0
    for start_s, end_s in paused:
        not_negative("paused", start_s)
        if not before_s <= start_s < finite("paused", end_s):
            raise ValueError(f"paused={paused!r}: windows begin, then end, in order and apart")
        before_s = end_s
