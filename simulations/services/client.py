"""A client that calls again when a call fails.

May import: the standard library, SimPy, `simulations.workload`, `.clock` and `.simulation`.
"""

from __future__ import annotations

from typing import Any

from simpy.events import Event

from simulations._check import whole
from simulations.clock import Caller, Step
from simulations.simulation import Component, Simulation
from simulations.workload import Distribution, as_distribution


class Client(Component):
    """Calls a target for each request and, on an error, calls it again from the start.

    Parameters
    ----------
    target : Component
        A function, a queue or a topic.
    max_attempts : int, optional
        First try included; with None the client never gives up.
    pause_s : float or Distribution
        Between an error and the next try.

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

    billed = False

    def __init__(
        self,
        sim: Simulation,
        name: str,
        target: Component,
        *,
        max_attempts: int | None = 1,
        pause_s: float | Distribution = 0.0,
    ) -> None:
        if not isinstance(target, Component):
            raise ValueError(f"target={target!r} is no function, queue or topic")
        if max_attempts is not None:
            max_attempts = whole("max_attempts", max_attempts, 1)
        pause = as_distribution(pause_s)
        super().__init__(sim, name, max_attempts=max_attempts, target=target.name, pause_s=pause)
        self.target = target
        self.max_attempts = max_attempts
        self._pause = sim.times(name + " pause", pause)

    def call(self, body: Any, caller: Caller | None = None) -> Step:
        """Call the target until it succeeds or the attempts are used up."""
        step = _Attempts(self, body, caller)
        self.inside.add(1)
        step.go(None)
        return step

    accept = call


class _Attempts(Step):
    def __init__(self, client: Client, body: Any, caller: Caller | None) -> None:
        super().__init__(client.sim, caller)
        self.client = client
        self.body = body
        self.attempt = 0
        self.tried_s = 0.0

    def go(self, _: Event | None) -> None:
        self.attempt += 1
        self.tried_s = self.env._now
        by = self.caller
        answer = self.client.target.accept(self.body, Caller(by.span, by.request, self.attempt))
        answer.callbacks.append(self.answered)

    def answered(self, event: Event) -> None:
        client = self.client
        if event._ok or self.attempt == client.max_attempts:
            client.inside.add(-1)
            self.end(event._value, event._ok)
            return
        pause_s = client._pause(self.caller.request, self.attempt)
        if client.max_attempts is None and pause_s == 0 and self.env._now == self.tried_s:
            raise RuntimeError(
                f"{client!r} is refused at once and tries again at once, for ever: give it pause_s"
            )
        client.sim.after(pause_s, self.go)
