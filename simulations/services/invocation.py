"""One run of a function's handler in an environment: cold or warm, throttled, timed out.

May import: the standard library, SimPy, `simulations.clock`, `.simulation`, `.trace` and this
room's `environments` and `handler`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simpy.events import PENDING, Event

from simulations.clock import Caller, Step
from simulations.services.environments import Environment
from simulations.services.handler import Context
from simulations.simulation import ServiceError
from simulations.trace import NAN

if TYPE_CHECKING:
    from simulations.services.function import Function


class FunctionError(ServiceError):
    """The function's handler ended with an error."""


class TimedOut(FunctionError):
    """The function ran into its timeout."""

    outcome = "timeout"


class Throttled(ServiceError):
    """The function was not run: a limit of its concurrency or rate was reached (HTTP 429)."""

    outcome = "throttled"


class Invocation(Step, Context):
    """One run of a function's handler in an environment: a step for whoever invoked it."""

    served_by: Environment | None
    #: How long the second INIT takes, if the first one was stopped at its limit.
    again_s = 0.0

    def __init__(self, function: Function, event: Any, caller: Caller | None) -> None:
        self.sim = sim = function.sim
        # As `Step` does it, without a call more: this and what follows is the busiest code.
        self.env = clock = sim.clock
        self.callbacks = []
        if caller is None:
            caller = active = sim.active
            if active.fresh is None:
                active.fresh = self
            else:
                active.began(self)
        self.caller = caller
        # Each attribute is set here, once for all: one that comes later, or a default of the
        # class, takes three times as long to find.
        self.over = False
        self.fresh = self._unclaimed = self._branches = self._generator = self.served_by = None
        self._ok, self._value = True, PENDING
        self.environment = -1
        #: When it was given its environment, when its handler began and when it must have ended.
        self.served_s = self.start_s = self.deadline_s = NAN
        self.init_s = 0.0
        new_span = sim.new_span
        self.span = new_span()
        self.request = caller.request
        self.attempt = caller.attempt
        self.function = function
        self.event = event
        self.queued_s = clock._now

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return not self.over

    def arrive(self, _: Event | None) -> None:
        """Find an environment, or make one."""
        function = self.function
        limit = function.reserved_concurrency
        if limit is not None and function.inside.inside >= limit:
            function.throttled += 1
            self.ended(False, Throttled(f"{function.name} is at its limit of {limit}"))
            return
        self.served_s = now_s = self.env._now
        inside = function.inside  # `inside.add(1)`, without a call
        inside.changed_s = now_s
        inside.moment += now_s
        inside.inside = number = inside.inside + 1
        if number > inside.most:
            inside.most = number
        function.invocations += 1
        take = function._take
        self.served_by = environment = take(now_s)
        if environment is not None:
            self.environment = environment.number
            self.start(None)
            return
        function.cold += 1
        self.served_by = environment = function._new_environment()
        self.environment = environment.number
        self.init_s = init_s = function._init(environment.number)
        begin = self.start
        if init_s > function.init_limit_s:
            self.init_s, self.again_s = function.init_limit_s, init_s
            begin = self.start_again
        wait_s = self.init_s + function._sandbox(environment.number)
        if wait_s > 0:
            function.sim.after(wait_s, begin)
        else:
            self.start(None)

    def start(self, _: Event | None) -> None:
        """Run the handler; from here on the timeout counts."""
        function = self.function
        self.start_s = now_s = self.env._now
        self.deadline_s = deadline_s = now_s + function.timeout_s
        handler = function.handler
        if function._is_generator:  # calling it runs nothing yet
            self._generator = handler(self.event, self)
            self.resume(None)
        else:
            self.begin(handler, self.event)
        if not self.over:
            deadlines = function._deadlines  # `deadlines.push(self)`, without a call
            deadlines.due_s[self] = deadline_s
            if not deadlines.armed:
                deadlines.arm()

    def start_again(self, _: Event | None) -> None:
        """Run INIT once more, after it was stopped at its limit; now the timeout counts."""
        function = self.function
        self.start_s = now_s = self.env._now
        self.deadline_s = now_s + function.timeout_s
        function._deadlines.push(self)
        function.sim.after(self.again_s, self.go_on)

    def go_on(self, _: Event | None) -> None:
        """Run the handler in what the second INIT has left of the timeout."""
        if not self.over:
            self.begin(self.function.handler, self.event)

    def time_out(self) -> None:
        """Stop the handler. What it called stays under way, and its effects happen."""
        self.stop()
        function = self.function
        self.ended(False, TimedOut(f"{function.name} timed out after {function.timeout_s:g} s"))

    def failure(self, error: ServiceError) -> ServiceError:
        """The function's error, because of the one that its handler ended with."""
        found = FunctionError(f"{self.function.name}: {error}")
        found.__cause__ = error
        return found

    def ended(self, ok: bool, value: Any) -> None:
        """Give the environment back, and the answer to whoever waits."""
        function, environment = self.function, self.served_by
        function._deadlines.due_s.pop(self, None)
        now_s = self.env._now
        note = function._note
        note(
            (
                self.span, self.caller.span, self.request, function.code, function._operation,
                self.environment, self.attempt, self.queued_s, self.start_s, self.init_s, now_s,
                function._ok if ok else self.sim.trace.code(value.outcome), 1.0, 1.0,
            )
        )  # fmt: skip
        if environment is not None:
            inside = function.inside  # `inside.add(-1)`, without a call
            inside.changed_s = now_s
            inside.moment -= now_s
            inside.inside -= 1
            environment.busy_s += now_s - self.served_s
            environment.uses += 1
            if not ok and isinstance(value, TimedOut):
                function._ended(environment, now_s)  # Lambda resets the environment
            elif function._keeps:
                environment.idle_s = now_s
                environment.expires_s = now_s + function._shortest_keep_alive_s
                put = function._put
                put(environment)
            else:
                function._release(environment)
        self.end(value, ok)

    def record(self, end_s: float, outcome: int) -> None:
        """Write the invocation's row."""
        function = self.function
        function._note(
            (
                self.span, self.caller.span, self.request, function.code, function._operation,
                self.environment, self.attempt, self.queued_s, self.start_s, self.init_s, end_s,
                outcome, 1.0, 1.0,
            )
        )  # fmt: skip
