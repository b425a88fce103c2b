"""A Lambda function: execution environments, cold and warm, limits, timeout.

May import: the standard library, SimPy, `simulations.facts`, `.workload`, `.simulation` and
this room's `handler` and `environments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simpy.events import Event

from simulations._check import not_negative
from simulations.facts import fact
from simulations.services.environments import Environment, idle_pool
from simulations.services.handler import Context, Driver, generator_of
from simulations.simulation import (
    Caller,
    Component,
    Deadlines,
    ServiceError,
    Simulation,
    Step,
)
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
        At most so many invocations at once; more are throttled. Without it there is no limit.
    keep_alive_s : float or Distribution, optional
        How long an idle environment is kept. By default as measured in 2025; the logs of 2020
        want 600.
    init_s : float or Distribution
        INIT of a new environment, billed since 2025-08-01 (fact `lambda.price.init_billing`).
    sandbox_s : float or Distribution
        What comes before INIT and is not billed: finding a place, fetching the code.
    invoke_s : float or Distribution
        From a caller inside AWS to the handler: network and Lambda's front door.
    routing : str
        Which idle environment serves next: `most_recent` (as AWS does in the recorded logs),
        `newest`, `oldest`, `least_recent` or `random`.

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
        _check(memory_mb, timeout_s, architecture, reserved_concurrency)
        self._keep_alive = as_distribution(keep_alive_2025() if keep_alive_s is None else keep_alive_s)
        self._init = as_distribution(init_s)
        self._sandbox = as_distribution(sandbox_s)
        self._invoke_delay = as_distribution(invoke_s)
        super().__init__(
            sim,
            name,
            memory_mb=memory_mb,
            timeout_s=float(timeout_s),
            architecture=architecture,
            reserved_concurrency=reserved_concurrency,
            keep_alive_s=self._keep_alive,
            init_s=self._init,
            routing=routing,
            init_billed=True,
        )
        self.handler = handler
        self.timeout_s = float(timeout_s)
        self.reserved_concurrency = reserved_concurrency
        self.invocations = 0
        self.cold = 0
        self.throttled = 0
        same = isinstance(self._keep_alive, Constant)
        self._fixed_keep_alive_s = self._keep_alive.mean if same else None
        self._idle = idle_pool(routing, self._ended, self._choose, same)
        self._created = 0
        self._choices = 0
        self._deadlines = Deadlines(sim.clock, self.timeout_s, self._time_out)
        self._running: dict[int, _Invocation] = {}
        self._no_wait = isinstance(self._invoke_delay, Constant) and self._invoke_delay.mean == 0
        code = sim.trace.code
        self._invoke, self._ok = code("invoke"), code("ok")

    def invoke(self, event: Any, caller: Caller | None = None) -> Step:
        """Run the handler with `event` and wait for what it returns.

        Raises
        ------
        Throttled, TimedOut, FunctionError
            At the yield.
        """
        step = self.sim.step(caller)
        queued_s = self.sim.clock.now
        if caller is not None and self._no_wait:
            self._begin(event, step, queued_s)
        else:
            # The caller is known by the time this event comes, even when it takes no time.
            delay = self._invoke_delay
            if not isinstance(delay, Constant):
                delay_s = delay.quantile(self.sim.draw(self.name + " invoke", self.sim.new_span()))
            else:
                delay_s = delay.mean
            self.sim.after(delay_s, lambda _: self._begin(event, step, queued_s))
        return step

    accept = invoke

    def _begin(self, event: Any, step: Step, queued_s: float) -> None:
        sim = self.sim
        limit = self.reserved_concurrency
        if limit is not None and self.inside.inside >= limit:
            self.throttled += 1
            self._record(sim.new_span(), step, -1, queued_s, NAN, 0.0, sim.trace.code("throttled"))
            step.fail_quietly(Throttled(f"{self.name} is at its limit of {limit}"))
            return
        self.inside.add(1)
        self.invocations += 1
        now = sim.clock._now
        environment = self._idle.take(now)
        if environment is None:
            self.cold += 1
            environment = Environment(self._created, now)
            self._created += 1
            number = environment.number
            init_s = self._init.quantile(sim.draw(self.name + " init", number))
            sandbox_s = self._sandbox.quantile(sim.draw(self.name + " sandbox", number))
            run = _Invocation(self, event, step, environment, queued_s, init_s, True)
            if init_s + sandbox_s > 0:
                sim.after(sandbox_s + init_s, run.start)
                return
        else:
            run = _Invocation(self, event, step, environment, queued_s, 0.0, False)
        run.start(None)

    def _time_out(self, run: _Invocation) -> None:
        run.driver.stop()
        run.end(TimedOut(f"{self.name} timed out after {self.timeout_s:g} s"))

    def _record(
        self,
        span: int,
        step: Step,
        environment: int,
        queued_s: float,
        start_s: float,
        init_s: float,
        outcome: int,
        end_s: float | None = None,
    ) -> None:
        caller = step.caller
        self.sim.trace.spans.append(
            (
                span,
                caller.span,
                caller.request,
                self.code,
                self._invoke,
                environment,
                caller.attempt,
                queued_s,
                start_s,
                init_s,
                self.sim.clock._now if end_s is None else end_s,
                outcome,
                1.0,
                1.0,
            )
        )

    def _choose(self) -> float:
        self._choices += 1
        return self.sim.draw(self.name + " routing", self._choices)

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
        keep_s = self._fixed_keep_alive_s
        if keep_s is None:
            u = self.sim.draw(self.name + " keep-alive", environment.number, environment.uses)
            keep_s = self._keep_alive.quantile(u)
        environment.expires_s = self.sim.clock._now + keep_s
        self._idle.put(environment)

    def close(self) -> None:
        unfinished = self.sim.trace.code("unfinished")
        for run in self._running.values():
            self._record(
                run.span, run.step, run.environment.number, run.queued_s, run.start_s, run.init_s,
                unfinished, NAN,
            )
            self._ended(run.environment, NAN)
        ended_s = self.sim.trace.header["ended_s"]
        for environment in sorted(self._idle.clear(), key=lambda e: e.number):
            self._ended(environment, environment.expires_s if environment.expires_s <= ended_s else NAN)


class _Invocation:
    """One run of a handler in an environment."""

    __slots__ = (
        "driver", "environment", "event", "function", "init_s", "is_cold", "over", "queued_s",
        "span", "start_s", "step",
    )  # fmt: skip

    def __init__(
        self,
        function: Function,
        event: Any,
        step: Step,
        environment: Environment,
        queued_s: float,
        init_s: float,
        is_cold: bool,
    ) -> None:
        self.function = function
        self.event = event
        self.step = step
        self.environment = environment
        self.queued_s = queued_s
        self.start_s = NAN
        self.init_s = init_s
        self.is_cold = is_cold
        self.over = False
        self.span = function.sim.new_span()
        function._running[self.span] = self

    def start(self, _: Event | None) -> None:
        function = self.function
        sim = function.sim
        self.start_s = now = sim.clock._now
        by = self.step.caller
        caller = Caller(self.span, by.request, by.attempt)
        context = Context(sim, caller, self.environment.number, now + function.timeout_s)
        # Steps begun by whoever resumed us are not this handler's: set them aside.
        mine, sim.begun = sim.begun, []
        self.driver = Driver(sim, generator_of(function.handler, self.event, context), caller, self._done)
        self.driver.resume()
        sim.begun = mine
        if not self.over:
            function._deadlines.push(self)

    def _done(self, ok: bool, value: Any) -> None:
        if ok:
            self.end(None, value)
        elif isinstance(value, FunctionError):
            self.end(value)
        else:
            self.end(FunctionError(f"{self.function.name}: {value}"))

    def end(self, error: ServiceError | None, value: Any = None) -> None:
        function, environment = self.function, self.environment
        sim = function.sim
        now = sim.clock._now
        self.over = True
        del self.driver  # the two point at each other, and nothing collects cycles in a run
        environment.busy_s += now - (environment.created_s if self.is_cold else self.start_s)
        environment.uses += 1
        del function._running[self.span]
        function.inside.add(-1)
        outcome = function._ok if error is None else sim.trace.code(error.outcome)
        function._record(
            self.span, self.step, environment.number, self.queued_s, self.start_s, self.init_s, outcome
        )
        if isinstance(error, TimedOut):
            function._ended(environment, now)  # Lambda resets the environment
        else:
            function._release(environment)
        if error is None:
            self.step.succeed(value)
        else:
            self.step.fail_quietly(error)


def _check(
    memory_mb: int, timeout_s: float, architecture: str, reserved_concurrency: int | None
) -> None:
    memory, timeout = fact("lambda.memory"), fact("lambda.timeout")
    low, high = memory["min_mb"], memory["max_mb"]
    if isinstance(memory_mb, bool) or not isinstance(memory_mb, int) or not low <= memory_mb <= high:
        raise ValueError(
            f"memory_mb={memory_mb!r} must be a whole number from {low} to {high} "
            f"({memory.source.title}, {memory.source.url})"
        )
    if not 0 < not_negative("timeout_s", timeout_s) <= timeout["max_s"]:
        raise ValueError(
            f"timeout_s={timeout_s!r} must be above 0 and at most {timeout['max_s']} "
            f"({timeout.source.title}, {timeout.source.url})"
        )
    if architecture not in ("x86_64", "arm64"):
        raise ValueError(f"architecture={architecture!r} is neither 'x86_64' nor 'arm64'")
    if reserved_concurrency is not None and (
        isinstance(reserved_concurrency, bool)
        or not isinstance(reserved_concurrency, int)
        or reserved_concurrency < 0
    ):
        raise ValueError(f"reserved_concurrency={reserved_concurrency!r} must be 0 or more")


__all__ = ["Function", "FunctionError", "Throttled", "TimedOut", "keep_alive_2025"]
