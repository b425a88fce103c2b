"""A Lambda function: execution environments, cold and warm, limits, timeout.

May import: the standard library, SimPy, `simulations.facts`, `.workload`, `.clock`,
`.simulation` and this room's `limits`, `handler` and `environments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simpy.events import Event

from simulations._check import whole
from simulations.clock import ARRIVAL, NEVER, Caller, Deadlines, Step
from simulations.facts import fact
from simulations.services.environments import Environment, idle_pool
from simulations.services.handler import Context, Run
from simulations.services.limits import limited, limited_whole
from simulations.simulation import Component, ServiceError, Simulation
from simulations.trace import NAN
from simulations.workload import Constant, Distribution, Uniform, as_distribution


class FunctionError(ServiceError):
    """The function's handler ended with an error."""


class TimedOut(FunctionError):
    """The function ran into its timeout."""

    outcome = "timeout"


class Throttled(ServiceError):
    """The function was not run: its concurrency limit was reached (HTTP 429)."""

    outcome = "throttled"


def keep_alive_2025() -> Uniform:
    """How long an environment stays idle before it is ended, as measured from outside in 2025.

    AWS documents no figure. Source: fact `lambda.keepalive.2025`.

    Examples
    --------
    >>> keep_alive_2025().mean
    320.5
    """
    measured = fact("lambda.keepalive.2025")
    return Uniform(measured["low_s"], measured["high_s"])


class Function(Component):
    """A Lambda function.

    Parameters
    ----------
    sim : Simulation
        Where it lives.
    name : str
        Its name in the trace.
    handler : callable
        `handler(event, context)`; a generator whose yields are where time passes.
    memory_mb, timeout_s : number
        As on Lambda; ranges from the facts `lambda.memory` and `lambda.timeout`.
    architecture : {"x86_64", "arm64"}
        For the bill.
    reserved_concurrency : int, optional
        At most so many invocations at once, those in INIT included; more are throttled. Without
        it there is no limit.
    keep_alive_s : float or Distribution, optional
        How long an idle environment is kept. By default as measured in 2025; the logs of 2020
        want 600.
    init_s : float or Distribution
        INIT of a new environment, billed since 2025-08-01 (fact `lambda.price.init_billing`);
        outside the timeout. Its limit of 10 s is not modeled.
    sandbox_s : float or Distribution
        What comes before INIT and is not billed: finding a place, fetching the code.
    invoke_s : float or Distribution
        From a caller inside AWS to the handler: network and Lambda's front door.
    routing : str
        Which idle environment serves next: `most_recent` (as AWS does in the recorded logs),
        `newest`, `oldest`, `least_recent` or `random`.

    Attributes
    ----------
    invocations, cold, throttled : int
        Counts since the start of the run; throttled ones are no invocations.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> from simulations import Poisson
    >>> def handler(event, context):
    ...     yield context.compute(ms=100)
    >>> sim = Simulation(seed=1)
    >>> hourly = Function(sim, "Hourly", handler, keep_alive_s=600, init_s=0.3)
    >>> trace = sim.run(Poisson(rate_per_s=1 / 3600) >> hourly, duration_s=7.2e7)
    >>> round(hourly.cold / hourly.invocations, 2)      # theory: exp(-600 / 3600) = 0.846
    0.85
    """

    def __init__(
        self,
        sim: Simulation,
        name: str,
        handler: Callable[..., Any],
        *,
        memory_mb: int = 128,
        timeout_s: float = 3.0,
        architecture: str = "x86_64",
        reserved_concurrency: int | None = None,
        keep_alive_s: float | Distribution | None = None,
        init_s: float | Distribution = 0.0,
        sandbox_s: float | Distribution = 0.0,
        invoke_s: float | Distribution = 0.0,
        routing: str = "most_recent",
    ) -> None:
        if not callable(handler):
            raise ValueError(f"handler={handler!r} cannot be called with (event, context)")
        if architecture not in ("x86_64", "arm64"):
            raise ValueError(f"architecture={architecture!r} is neither 'x86_64' nor 'arm64'")
        _check(memory_mb, timeout_s, reserved_concurrency)
        kept = as_distribution(keep_alive_2025() if keep_alive_s is None else keep_alive_s)
        init, sandbox = as_distribution(init_s), as_distribution(sandbox_s)
        hop = as_distribution(invoke_s)
        self._same_keep_alive = isinstance(kept, Constant)
        self._shortest_keep_alive_s = kept.quantile(0.0)
        self._idle = idle_pool(
            routing, self._ended, self._settle, self._choose, self._same_keep_alive
        )
        super().__init__(
            sim,
            name,
            memory_mb=memory_mb,
            timeout_s=float(timeout_s),
            architecture=architecture,
            reserved_concurrency=reserved_concurrency,
            keep_alive_s=kept,
            init_s=init,
            sandbox_s=sandbox,
            invoke_s=hop,
            routing=routing,
            init_billed=True,
        )
        self.handler = handler
        self.timeout_s = float(timeout_s)
        self.reserved_concurrency = reserved_concurrency
        self.invocations = 0
        self.cold = 0
        self.throttled = 0
        self._keep_alive = sim.times(name + " keep-alive", kept)
        self._init = sim.times(name + " init", init)
        self._sandbox = sim.times(name + " sandbox", sandbox)
        self._hop = sim.times(name + " invoke", hop)
        self._is_near = hop == Constant(0.0)
        self._route = sim.draws(name + " routing")
        self._created = 0
        self._choices = 0
        self._deadlines = Deadlines(sim.clock, self.timeout_s, Invocation.time_out)
        self._open: dict[int, Invocation] = {}
        code = sim.trace.code
        self._operation, self._ok = code("invoke"), code("ok")

    def invoke(self, event: Any, caller: Caller | None = None) -> Invocation:
        """Run the handler with `event` and wait for what it returns.

        Raises
        ------
        Throttled, TimedOut, FunctionError
            At the yield.
        """
        run = Invocation(self, event, caller)
        self._open[run.span] = run
        if self._is_near:
            run.arrive(None)
        else:
            whose = run.request if run.request >= 0 else run.span
            clock = self.sim.clock
            clock.at(clock._now + self._hop(whose, run.attempt), run.arrive, ARRIVAL)
        return run

    accept = invoke

    def _choose(self) -> float:
        self._choices += 1
        return self._route(self._choices)

    def _new_environment(self) -> Environment:
        environment = Environment(self._created, self.sim.clock._now)
        self._created += 1
        return environment

    def _ended(self, environment: Environment, at_s: float | None = None) -> None:
        self.sim.trace.environments.append(
            (
                self.code,
                environment.number,
                environment.created_s,
                environment.expires_s if at_s is None else at_s,
                environment.busy_s,
            )
        )

    def _release(self, environment: Environment) -> None:
        environment.idle_s = now_s = self.sim.clock._now
        environment.expires_s = now_s + self._shortest_keep_alive_s
        self._idle.put(environment)

    def _settle(self, environment: Environment) -> float:
        """When an idle environment expires: drawn now, once it has been idle that long."""
        if not self._same_keep_alive:
            kept_s = self._keep_alive(environment.number, environment.uses)
            environment.expires_s = environment.idle_s + kept_s
        return environment.expires_s

    def close(self) -> None:
        """Record what is under way, and the environments that live on (their end is NaN)."""
        for run in self._open.values():
            run.record(NAN, self.sim.trace.code("unfinished"))
            if run.environment is not None:
                self._ended(run.environment, NAN)
        ended_s = self.sim.trace.header["ended_s"]
        for environment in sorted(self._idle.clear(), key=lambda e: e.number):
            self._ended(environment, None if self._settle(environment) <= ended_s else NAN)


class Invocation(Step, Run):
    """One run of a function's handler in an environment: a step for whoever invoked it."""

    environment: Environment | None = None
    is_cold = False
    start_s = NAN
    init_s = 0.0
    due_s = NEVER

    def __init__(self, function: Function, event: Any, caller: Caller | None) -> None:
        sim = function.sim
        Step.__init__(self, sim, caller)
        self.sim = sim
        self.span = sim.new_span()
        self.request = self.caller.request
        self.attempt = self.caller.attempt
        self.function = function
        self.event = event
        self.queued_s = sim.clock._now

    def arrive(self, _: Event | None) -> None:
        """Find an environment, or make one."""
        function = self.function
        limit = function.reserved_concurrency
        if limit is not None and function.inside.inside >= limit:
            function.throttled += 1
            self._leave(False, Throttled(f"{function.name} is at its limit of {limit}"))
            return
        function.inside.add(1)
        function.invocations += 1
        self.environment = environment = function._idle.take(self.env._now)
        if environment is None:
            function.cold += 1
            self.is_cold = True
            self.environment = environment = function._new_environment()
            self.init_s = function._init(environment.number)
            wait_s = self.init_s + function._sandbox(environment.number)
            if wait_s > 0:
                function.sim.after(wait_s, self.start)
                return
        self.start(None)

    def start(self, _: Event | None) -> None:
        """Run the handler; from here on the timeout counts."""
        function, environment = self.function, self.environment
        self.start_s = now_s = self.env._now
        number = -1 if environment is None else environment.number
        self.begin(function.handler, self.event, Context(self, number, now_s + function.timeout_s))
        if not self.over:
            function._deadlines.push(self)

    def time_out(self) -> None:
        """Stop the handler. What it called stays under way, and its effects happen."""
        self.stop()
        function = self.function
        self._leave(False, TimedOut(f"{function.name} timed out after {function.timeout_s:g} s"))

    def ended(self, ok: bool, value: Any) -> None:
        """The handler returned, or ended with an error of something that it called."""
        if not ok:
            error = FunctionError(f"{self.function.name}: {value}")
            error.__cause__ = value
            value = error
        self._leave(ok, value)

    def _leave(self, ok: bool, value: Any) -> None:
        """Give the environment back, and the answer to whoever waits."""
        function, environment = self.function, self.environment
        self.due_s = NEVER
        del function._open[self.span]
        now_s = self.env._now
        self.record(now_s, function._ok if ok else self.sim.trace.code(value.outcome))
        if environment is not None:
            function.inside.add(-1)
            environment.busy_s += now_s - (environment.created_s if self.is_cold else self.start_s)
            environment.uses += 1
            if not ok and isinstance(value, TimedOut):
                function._ended(environment, now_s)  # Lambda resets the environment
            else:
                function._release(environment)
        self.end(value, ok)

    def record(self, end_s: float, outcome: int) -> None:
        """Write the invocation's row."""
        function, environment = self.function, self.environment
        function.sim.trace.spans.append(
            (
                self.span, self.caller.span, self.request, function.code, function._operation,
                -1 if environment is None else environment.number, self.attempt, self.queued_s,
                self.start_s, self.init_s, end_s, outcome, 1.0, 1.0,
            )
        )  # fmt: skip


def _check(memory_mb: int, timeout_s: float, reserved_concurrency: int | None) -> None:
    memory, timeout = fact("lambda.memory"), fact("lambda.timeout")
    limited_whole(
        "memory_mb", memory_mb, memory["min_mb"], memory["max_mb"], " MB", "lambda.memory"
    )
    limited("timeout_s", timeout_s, 0, timeout["max_s"], " s", "lambda.timeout")
    if timeout_s <= 0:
        raise ValueError(f"timeout_s={timeout_s!r} must be above 0")
    if reserved_concurrency is not None:
        # A soft limit: the quota of an account can be raised, so only the kind is checked.
        whole("reserved_concurrency", reserved_concurrency)
