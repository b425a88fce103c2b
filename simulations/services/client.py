"""A client that calls again when a call fails.

May import: the standard library, SimPy, `simulations.workload` and `.simulation`.
"""

from __future__ import annotations

from typing import Any

from simpy.events import Event

from simulations._check import whole
from simulations.simulation import Caller, Component, Simulation, Step
from simulations.workload import Distribution, as_distribution


class Client(Component):
    """Calls a target for each request and, on an error, calls it again from the start.

    Parameters
    ----------
    target : Component
        A function, a queue or a topic.
    max_attempts : int, optional
        First try included; without it the client never gives up.
    pause_s : float or Distribution
        Between an error and the next try.

    Raises
    ------
    ValueError
        If a setting is impossible.
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
        if max_attempts is not None:
            max_attempts = whole("max_attempts", max_attempts, 1)
        super().__init__(sim, name, max_attempts=max_attempts, target=target.name)
        self.target = target
        self.max_attempts = max_attempts
        self._pause = as_distribution(pause_s)

    def call(self, body: Any, caller: Caller | None = None) -> Step:
        """Call the target until it succeeds or the attempts are used up."""
        sim = self.sim
        step = sim.step(caller)
        attempt = 0

        def go(_: object = None) -> None:
            nonlocal attempt
            attempt += 1
            by = step.caller
            answer = self.target.accept(body, Caller(by.span, by.request, attempt))
            answer.callbacks.append(answered)  # type: ignore[union-attr]

        def answered(event: Event) -> None:
            if event._ok:
                step.succeed(event._value)
            elif attempt == self.max_attempts:
                assert isinstance(event._value, Exception)
                step.fail_quietly(event._value)
            else:
                u = sim.draw(self.name + " pause", step.caller.request, attempt)
                sim.after(self._pause.quantile(u), go)

        if caller is None:
            sim.after(0.0, go)
        else:
            go()
        return step

    accept = call
