"""Invocations that need more than an environment: a pool's leave, a ready one, a snapshot, a stream.

A function that uses none of these runs plain `Invocation`s, which cost less. May import: the
standard library, SimPy, `simulations.facts`, `.clock`, `.workload` and this room's `account`,
`environments`, `invocation` and `limits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simpy.events import Event

from simulations._check import not_negative
from simulations.clock import ARRIVAL
from simulations.facts import fact
from simulations.services.account import SCALING
from simulations.services.environments import Environment
from simulations.services.invocation import FunctionError, Invocation, Throttled, TimedOut
from simulations.services.limits import limited
from simulations.trace import NAN
from simulations.workload import Distribution


class RestoreTimedOut(FunctionError):
    """A snapshot was not restored within its limit (fact `lambda.restore`)."""


@dataclass(frozen=True)
class SnapStart:
    """New environments are restored from a snapshot of an initialized one, instead of INIT.

    INIT runs when the version is published, not in the run. Billed besides the invocation: each
    restore by the function's memory, and the snapshot for as long as the version is active, at
    least three hours (facts `lambda.price.snapstart.*`); on Java managed runtimes both are free.

    Parameters
    ----------
    restore_s : float or Distribution
        Bringing the snapshot back; not billed as duration.
    hooks_s : float or Distribution
        Loading the runtime and running the hooks after it; billed like INIT. Both together
        end in an error after 10 s (fact `lambda.restore`).
    free : bool
        Whether snapshot and restores are free: a Java managed runtime.

    Examples
    --------
    >>> SnapStart(restore_s=0.3)
    SnapStart(restore_s=0.3, hooks_s=0.0, free=False)
    """

    restore_s: float | Distribution
    hooks_s: float | Distribution = 0.0
    free: bool = False


@dataclass(frozen=True)
class Payload:
    """How large a function's events and responses are, in MB, checked against the limits.

    A streamed response runs without a cap for its first 6 MB, then at 2 MB a second (fact
    `lambda.stream_bw`); the invocation lasts until it is out, under the function's timeout. A
    buffered one adds no time.

    Raises
    ------
    ValueError
        If a size exceeds its limit (fact `lambda.payload`): 6 MB for a synchronous event or a
        buffered response, 1 MB for an asynchronous event, 200 MB for a streamed response.

    Examples
    --------
    >>> Payload(response_mb=26, streamed=True).stream_s
    10.0
    >>> Payload(response_mb=7)
    Traceback (most recent call last):
    ValueError: response_mb=7 must be 0 to 6 MB (Lambda quotas, https://...
    """

    event_mb: float = 0.0
    response_mb: float = 0.0
    streamed: bool = False
    asynchronous: bool = False

    def __post_init__(self) -> None:
        limits = fact("lambda.payload")
        event = limits["async_mb" if self.asynchronous else "sync_mb"]
        limited("event_mb", self.event_mb, 0, event, " MB", "lambda.payload")
        response = limits["streamed_response_mb" if self.streamed else "sync_mb"]
        limited("response_mb", self.response_mb, 0, response, " MB", "lambda.payload")

    @property
    def stream_s(self) -> float:
        """Seconds that a streamed response takes beyond the handler."""
        if not self.streamed:
            return 0.0
        rule = fact("lambda.stream_bw").value
        first_mb = float(rule.split("first ")[1].split()[0])
        mb_per_s = float(rule.split("then ")[1].split()[0])
        return max(self.response_mb - first_mb, 0.0) / not_negative("MB a second", mb_per_s)


class Managed(Invocation):
    """An invocation under an account, on provisioned concurrency, with SnapStart or a stream."""

    is_provisioned = False
    has_left = False

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended; its handler may have, while the response streams out."""
        return not self.has_left

    def arrive(self, _: Event | None) -> None:
        """Find an environment that is ready, one on demand, or make one, as far as allowed."""
        function, now_s = self.function, self.env._now
        ready = function.provisioned
        if ready is not None:
            environment = ready.take()
            if environment is not None:
                self.is_provisioned = True
                self._admit()
                self._be_served_by(environment)
                self.start(None)
                return
        pool = function._pool
        if pool is not None:
            why = pool.refuses(now_s)
            if why is not None:
                self._throttle(why)
                return
        environment = function._idle.take(now_s)
        if environment is None:
            scaling = function._scaling
            if scaling is not None and not scaling.take(now_s):
                self._throttle(SCALING)
                return
        if pool is not None:
            pool.enter()
        self._admit()
        if environment is not None:
            self._be_served_by(environment)
            self.start(None)
        elif function.snapstart is None:
            self._initialize()
        else:
            self._restore()

    def _admit(self) -> None:
        function = self.function
        function.inside.add(1)
        function.invocations += 1
        if function.account is not None:
            function.account.inside.add(1)

    def _be_served_by(self, environment: Environment) -> None:
        self.served_by, self.served_s = environment, self.env._now
        self.environment = environment.number

    def _throttle(self, why: str) -> None:
        function = self.function
        function.throttled += 1
        function.throttled_by[why] += 1
        self._leave(False, Throttled(f"{function.name} is at its limit of {why}"))

    def _new(self) -> Environment:
        function = self.function
        function.cold += 1
        environment = function._new_environment()
        self._be_served_by(environment)
        return environment

    def _initialize(self) -> None:
        function, environment = self.function, self._new()
        self.init_s = init_s = function._init(environment.number)
        begin = self.start
        if init_s > function.init_limit_s:
            self.init_s, self.again_s = function.init_limit_s, init_s
            begin = self.start_again
        function.sim.after(self.init_s + function._sandbox(environment.number), begin)

    def _restore(self) -> None:
        function, environment = self.function, self._new()
        restore_s = function._restore(environment.number)
        self.init_s = function._hooks(environment.number)
        limit_s = float(fact("lambda.restore").value)
        begin = self.start
        if restore_s + self.init_s > limit_s:
            self.init_s = max(limit_s - restore_s, 0.0)
            restore_s = limit_s - self.init_s
            begin = self._not_restored
        wait_s = restore_s + self.init_s + function._sandbox(environment.number)
        function.sim.after(wait_s, begin, ARRIVAL)

    def _not_restored(self, _: Event | None) -> None:
        self.start_s = self.env._now
        self._leave(False, RestoreTimedOut(f"{self.function.name} was not restored in time"))

    def ended(self, ok: bool, value: Any) -> None:
        """The handler ended; a streamed response keeps the invocation until it is out."""
        function = self.function
        if ok and function.stream_s > 0:
            if self not in function._deadlines:  # it took no time, so `start` has set no deadline
                function._deadlines.push(self)
            function.sim.after(function.stream_s, lambda _: self._streamed(value))
        else:
            self._leave(ok, value)

    def _streamed(self, value: Any) -> None:
        if not self.has_left:
            self._leave(True, value)

    def _leave(self, ok: bool, value: Any) -> None:
        """Give back the environment and the pool's leave, and the answer to whoever waits."""
        function, environment = self.function, self.served_by
        self.has_left = True
        function._deadlines.withdraw(self)
        now_s = self.env._now
        self.record(now_s, function._ok if ok else self.sim.trace.code(value.outcome))
        if environment is not None:
            function.inside.add(-1)
            if function.account is not None:
                function.account.inside.add(-1)
            environment.busy_s += now_s - self.served_s
            environment.uses += 1
            is_lost = isinstance(value, (TimedOut, RestoreTimedOut))
            if self.is_provisioned and function.provisioned is not None:
                function.provisioned.give_back(environment, is_lost)
            else:
                if function._pool is not None:
                    function._pool.inside -= 1
                if is_lost:
                    function._ended(environment, now_s)
                else:
                    function._release(environment)
        self.end(value, ok)

    def record(self, end_s: float, outcome: int) -> None:
        """Write the row; its operation tells provisioned invocations, which cost differently."""
        if not self.is_provisioned:
            super().record(end_s, outcome)
            return
        function = self.function
        function.sim.trace.spans.append(
            (
                self.span, self.caller.span, self.request, function.code,
                function.sim.trace.code("invoke provisioned"),
                self.environment, self.attempt, self.queued_s, self.start_s, 0.0, end_s, outcome,
                1.0, 1.0,
            )
        )  # fmt: skip


class SharedEnvironment(Environment):
    """An environment that serves several requests at once."""

    __slots__ = ("ready_s", "serving", "since_s")

    def __init__(self, number: int, created_s: float) -> None:
        super().__init__(number, created_s)
        self.serving = 0
        #: When its INIT ends, and since when it has been busy.
        self.ready_s = self.since_s = created_s


class Shared(Invocation):
    """An invocation that shares its environment with others.

    It joins the environment that has had room for longest, one in INIT too; else it takes an
    idle one, else a new one. AWS documents no such order; it is our assumption, and so is that
    a timeout ends the one request and not the environment.
    """

    served_by: SharedEnvironment | None

    def arrive(self, _: Event | None) -> None:
        """Find an environment with room, or make one."""
        function, now_s = self.function, self.env._now
        limit = function.reserved_concurrency
        if limit is not None and function.inside.inside >= limit:
            function.throttled += 1
            self.ended(False, Throttled(f"{function.name} is at its limit of {limit}"))
            return
        function.inside.add(1)
        function.invocations += 1
        room = function._room
        environment: Any = next(iter(room.values()), None) or function._idle.take(now_s)
        if environment is None:
            function.cold += 1
            environment = function._new_environment()
            self.init_s = function._init(environment.number)
            environment.ready_s += self.init_s + function._sandbox(environment.number)
        self.served_by, self.environment = environment, environment.number
        if not environment.serving:
            environment.since_s = now_s
        environment.serving += 1
        if environment.serving < function.requests_per_environment:
            room[environment.number] = environment
        else:
            room.pop(environment.number, None)
        if environment.ready_s > now_s:
            function.sim.clock.at(environment.ready_s, self.start, ARRIVAL)
        else:
            self.start(None)

    def ended(self, ok: bool, value: Any) -> None:
        """Make room, or rest the environment when nobody is left in it."""
        function, environment = self.function, self.served_by
        function._deadlines.withdraw(self)
        now_s = self.env._now
        self.record(now_s, function._ok if ok else self.sim.trace.code(value.outcome))
        if environment is not None:
            function.inside.add(-1)
            environment.uses += 1
            environment.serving -= 1
            if environment.serving:
                function._room.setdefault(environment.number, environment)
            else:
                function._room.pop(environment.number, None)
                environment.busy_s += now_s - environment.since_s
                environment.since_s = NAN
                function._release(environment)
        self.end(value, ok)
