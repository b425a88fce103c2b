"""Faults inside a function, by wrapping its handler: what AWS FIS's Lambda extension does.

FIS's three Lambda actions delay an invocation before the handler, or make it end in an error
with or without running the handler (AWS FIS User Guide, *Use the AWS FIS aws:lambda:function
actions*, read 2026-11-23). May import: the standard library, SimPy, `simulations.faults`,
`.simulation` and this room's `handler`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType
from typing import Any

from simulations.faults import BEFORE, FINE, Fault, Trouble
from simulations.services.handler import Context, Steps
from simulations.simulation import ServiceError, Simulation


class InjectedError(ServiceError):
    """An error that a fault put in place of the handler's answer."""


def inject(
    sim: Simulation, name: str, handler: Callable[..., Any], fault: Fault
) -> Callable[..., Any]:
    """A handler that goes wrong as the fault says, else does what `handler` does.

    Slowness delays the handler's begin by `added_s` (its factor says nothing: what would have
    taken how long is not known beforehand). An error without its effect ends the invocation
    before the handler runs, after `fails_after_s`; one after its effect lets the handler run
    and throws its answer away. A lost Availability Zone befalls the environments in it, as
    long as they live: number modulo zones.

    Parameters
    ----------
    name : str
        For the draws; by custom the function's name.

    Examples
    --------
    >>> from simulations import Function, Poisson
    >>> def sell(order, context):
    ...     yield context.compute(ms=10)
    >>> sim = Simulation(seed=1)
    >>> worse = inject(sim, "Sell", sell, Fault(error_rate=0.25))
    >>> shop = Function(sim, "Sell", worse)
    >>> sim.run(Poisson(rate_per_s=5) >> shop, duration_s=60).requests.outcomes()
    {'ok': 243, 'error': 71}
    """
    trouble = Trouble(
        fault, lambda draw: sim.draws(f"{name} {draw}"), sim.stream(name + " outages")
    )
    invoked = 0

    def goes_wrong(event: Any, context: Context) -> Steps:
        nonlocal invoked
        invoked += 1
        now_s, nth = sim.now_s, invoked
        fate = trouble.fate(now_s, nth, 0, context.environment)
        delay_s = trouble.lasts_s(now_s, nth, 0, 0.0)
        if fate == BEFORE:
            delay_s += fault.fails_after_s or 0.0
        if delay_s > 0:
            yield context.wait(delay_s)
        if fate == BEFORE:
            raise InjectedError(f"{name}: injected instead of the handler")
        answer = handler(event, context)
        if type(answer) is GeneratorType:
            answer = yield from answer
        if fate != FINE:
            raise InjectedError(f"{name}: injected after the handler")
        return answer

    return goes_wrong
