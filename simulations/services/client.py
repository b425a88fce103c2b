"""A client: gives up waiting, tries again, hedges, stops calling what keeps failing.

May import: the standard library, SimPy, `simulations.workload`, `.clock`, `.simulation` and this
room's `provider`, `retry`, `breaker` and `adaptive`.
"""

from __future__ import annotations

from typing import Any

from simpy.events import Event

from simulations._check import positive, whole
from simulations.clock import Caller, Deadlines, Step
from simulations.services.adaptive import AdaptiveRate, Limiter
from simulations.services.breaker import REFUSED, USUAL, Breaker, Circuit, Circuits
from simulations.services.provider import Dependency
from simulations.services.retry import Backoff, RetryQuota, Tokens
from simulations.simulation import Component, ServiceError, Simulation
from simulations.workload import Constant, Distribution, as_distribution


class CallTimeout(ServiceError):
    """The client gave up waiting. What it called goes on, and its side effects happen."""

    outcome = "client_timeout"


class CircuitOpen(ServiceError):
    """The client's circuit breaker is open: nothing was called."""

    outcome = "circuit_open"


class Client(Dependency):
    """Calls a target for each request and, on an error, calls it again from the start.

    It is also what a handler calls through: make it with a provider or a function as its target
    and call it by its name, `yield context.call("payments client", entity=order)`. Then each
    execution environment has a client object of its own, as on Lambda: its own retry quota, its
    own rate limit, and its own circuit unless the breaker is shared. When Lambda ends or
    freezes the environment, its client makes no further try.

    Parameters
    ----------
    target : Component
        A function, a queue, a topic or a provider.
    max_attempts : int, optional
        First try included; with None the client never gives up.
    pause_s : float, Distribution or Backoff
        Between an error and the next try.
    timeout_s : float, optional
        How long it waits for one try. What it called goes on.
    hedge_after_s : float, optional
        When a try has no answer by then, a second one is sent; the first good answer wins. The
        other goes on.
    quota : RetryQuota, optional
        What retries may cost.
    breaker : Breaker, optional
        When to stop calling for a while.
    adaptive : AdaptiveRate, optional
        Slow down once throttled.
    retryable : tuple of classes
        The errors after which it tries again; all by default.

    Attributes
    ----------
    calls, attempts, retries, hedges, timeouts : int
        Calls to it; tries it sent, hedges among them; the retries, hedges and timeouts.
    refused, exhausted : int
        Tries that an open circuit refused, retries that the quota refused.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> from simulations import Function, Poisson
    >>> def sell(order, context):
    ...     yield context.compute(ms=100)
    >>> sim = Simulation(seed=1)
    >>> shop = Function(sim, "Shop", sell, reserved_concurrency=1)
    >>> patient = Client(sim, "customer", shop, max_attempts=None, pause_s=0.5)
    >>> sim.run(Poisson(rate_per_s=5) >> patient, duration_s=60).requests.outcomes()
    {'ok': 314}
    """

    def __init__(
        self,
        sim: Simulation,
        name: str,
        target: Component,
        *,
        max_attempts: int | None = 1,
        pause_s: float | Distribution | Backoff = 0.0,
        timeout_s: float | None = None,
        hedge_after_s: float | None = None,
        quota: RetryQuota | None = None,
        breaker: Breaker | None = None,
        adaptive: AdaptiveRate | None = None,
        retryable: tuple[type[BaseException], ...] = (ServiceError,),
    ) -> None:
        if not isinstance(target, Component):
            raise ValueError(f"target={target!r} is no function, queue, topic or provider")
        if max_attempts is not None:
            max_attempts = whole("max_attempts", max_attempts, 1)
        if timeout_s is not None:
            positive("timeout_s", timeout_s)
        if hedge_after_s is not None:
            positive("hedge_after_s", hedge_after_s)
        backoff = pause_s if isinstance(pause_s, Backoff) else None
        pause = Constant(0.0) if isinstance(pause_s, Backoff) else as_distribution(pause_s)
        super().__init__(
            sim, name, max_attempts=max_attempts, target=target.name, pause_s=backoff or pause,
            timeout_s=timeout_s, hedge_after_s=hedge_after_s, quota=quota, breaker=breaker,
            adaptive=adaptive is not None,
        )  # fmt: skip
        self.target = target
        self.max_attempts = max_attempts
        self.retryable = retryable
        self.calls = self.attempts = self.retries = self.hedges = self.timeouts = 0
        self.refused = self.exhausted = 0
        self.circuits = None if breaker is None else Circuits(breaker)
        self._quota = quota
        self._is_adaptive = adaptive is not None
        self._tokens: dict[int, Tokens] = {}
        self._limiters: dict[int, Limiter] = {}
        self._backoff = backoff
        self._jitter = sim.draws(name + " pause")
        self._pause = sim.times(name + " pause", pause)
        self._deadlines = _deadlines(sim, timeout_s, _Try.time_out)
        self._hedges = _deadlines(sim, hedge_after_s, _Calling.hedge)

    def call(self, entity: Any, attempt: int = 1, environment: int = -1) -> Step:
        """Call the target with `entity` until it succeeds or the client gives up.

        Parameters
        ----------
        entity : object
            What the target is called with: an order's number, a message.
        attempt : int
            Of the caller; the client counts its own tries from 1.
        environment : int
            Whose client object it is; `context.call` fills it in.

        Raises
        ------
        CallTimeout, CircuitOpen, ServiceError
            At the yield.
        """
        return self._begin(entity, None, environment)

    def accept(self, body: Any, caller: Caller | None = None) -> Step:
        """Call for somebody outside: one client object for all of them."""
        return self._begin(body, caller, -1)

    def _begin(self, body: Any, caller: Caller | None, environment: int) -> Step:
        calling = _Calling(self, body, caller, environment)
        self.inside.add(1)
        self.calls += 1
        calling.go(None)
        return calling

    def tokens(self, environment: int = -1) -> Tokens | None:
        """The retry quota that an execution environment has left, if there is a quota."""
        if self._quota is None:
            return None
        if environment not in self._tokens:
            self._tokens[environment] = Tokens(self._quota)
        return self._tokens[environment]

    def limiter(self, environment: int = -1) -> Limiter | None:
        """The rate limit of an execution environment's client, in adaptive mode."""
        if not self._is_adaptive:
            return None
        if environment not in self._limiters:
            self._limiters[environment] = Limiter(self.sim.now_s)
        return self._limiters[environment]


def _deadlines(sim: Simulation, after_s: float | None, expire: Any) -> Deadlines | None:
    return None if after_s is None else Deadlines(sim.clock, after_s, expire)


class _Calling(Step):
    """One call of a client: its tries, one after the other, hedges beside them."""

    over = False

    def __init__(self, client: Client, body: Any, caller: Caller | None, environment: int) -> None:
        super().__init__(client.sim, caller)
        self.client = client
        self.body = body
        self.attempt = 0
        self.tried_s = 0.0
        self.tokens = client.tokens(environment)
        self.limiter = client.limiter(environment)
        self.circuit: Circuit | None = None
        if client.circuits is not None:
            self.circuit = client.circuits.of(environment)
        self._error: BaseException | None = None
        self._kind = USUAL
        self._out = 0
        self._taken = 0.0
        self._paused_s: float | None = None
        if self.tokens is not None:
            self.tokens.begin()

    def go(self, _: Event | None) -> None:
        """Ask the circuit breaker, then make the next try."""
        if self._is_abandoned():
            return
        circuit = self.circuit
        if circuit is not None:
            self._kind = circuit.gate.ask(self.env._now)
            if self._kind == REFUSED:
                if self.attempt or not circuit.settings.only_retries:
                    self.client.refused += 1
                    self._finish(self._error or CircuitOpen(f"{self.client.name} is open"), False)
                    return
                self._kind = USUAL
        self._admit(None)

    def _admit(self, _: Event | None) -> None:
        """Wait for the rate limit of adaptive mode, then send."""
        if self.limiter is not None:
            wait_s = self.limiter.wait_s(self.env._now)
            if wait_s > 0:
                self.client.sim.after(wait_s, self._admit)
                return
            if self._is_abandoned():
                return
        self.attempt += 1
        self.tried_s = self.env._now
        self._error = None
        hedges = self.client._hedges
        if hedges is not None:
            hedges.push(self)
        self._send()

    def _is_abandoned(self) -> bool:
        """Whether the handler that waits for this was stopped, and its environment with it."""
        if getattr(self.caller, "over", False) and not self.over:
            self.over = True
            self.client.inside.add(-1)
        return self.over

    def _send(self) -> None:
        client, by = self.client, self.caller
        client.attempts += 1
        self._out += 1
        one = _Try(self, self._kind)
        if client._deadlines is not None:
            client._deadlines.push(one)
        answer = client.target.accept(self.body, Caller(by.span, by.request, self.attempt))
        answer.callbacks.append(one.answered)

    def hedge(self) -> None:
        """No answer in time: send the same once more."""
        if not self._is_abandoned():
            self.client.hedges += 1
            self._kind = USUAL if self.circuit is None else self._kind
            self._send()

    def answered(self, value: Any, ok: bool, kind: int) -> None:
        """One try has its answer, or its time is up."""
        self._out -= 1
        now_s = self.env._now
        if self.circuit is not None:
            self.circuit.answered(ok, kind, now_s)
        throttled = not ok and getattr(value, "outcome", "") == "throttled"
        if self.limiter is not None:
            self.limiter.answered(throttled, now_s)
        if ok:
            if self.tokens is not None:
                self.tokens.succeed(self._taken)
            self._finish(value, True)
            return
        self._error = value
        if not self._out:
            self._withdraw()
            self._fail(value, throttled)

    def _fail(self, error: BaseException, throttled: bool) -> None:
        """Every try that was out has failed: try again, or give up."""
        client = self.client
        if self.attempt == client.max_attempts or not isinstance(error, client.retryable):
            self._finish(error, False)
            return
        if self.tokens is not None:
            quota = self.tokens.quota
            cost = quota.timeout_cost if isinstance(error, CallTimeout) else quota.cost
            cost = quota.throttled_cost if throttled else cost
            if not self.tokens.take(cost):
                client.exhausted += 1
                self._finish(error, False)
                return
            self._taken = cost
        pause_s = self._pause_s(throttled)
        if client.max_attempts is None and pause_s == 0 and self.env._now == self.tried_s:
            raise RuntimeError(
                f"{client!r} is refused at once and tries again at once, for ever: give it pause_s"
            )
        client.retries += 1
        client.sim.after(pause_s, self.go)

    def _pause_s(self, throttled: bool) -> float:
        client = self.client
        whose = self.caller.request if self.caller.request >= 0 else self.caller.span
        backoff = client._backoff
        if backoff is None:
            return client._pause(whose, self.attempt)
        u = client._jitter(whose, self.attempt)
        self._paused_s = backoff.pause_s(self.attempt, u, self._paused_s, throttled)
        return self._paused_s

    def _withdraw(self) -> None:
        if self.client._hedges is not None:
            self.client._hedges.withdraw(self)

    def _finish(self, value: Any, ok: bool) -> None:
        self.over = True
        self._withdraw()
        self.client.inside.add(-1)
        self.end(value, ok)


class _Try:
    """One try that is under way, until it is answered or its time is up."""

    __slots__ = ("_calling", "_kind", "_over")

    def __init__(self, calling: _Calling, kind: int) -> None:
        self._calling = calling
        self._kind = kind
        self._over = False

    def answered(self, event: Event) -> None:
        """The target answered; nobody listens any more if that is too late."""
        self._end(event._value, bool(event._ok))

    def time_out(self) -> None:
        """The client gives up waiting for this try."""
        client = self._calling.client
        if not self._calling.over:
            client.timeouts += 1
            self._end(CallTimeout(f"{client.name} had no answer in time"), False)

    def _end(self, value: Any, ok: bool) -> None:
        if self._over:
            return
        self._over = True
        deadlines = self._calling.client._deadlines
        if deadlines is not None:
            deadlines.withdraw(self)
        if not self._calling.over:
            self._calling.answered(value, ok, self._kind)
