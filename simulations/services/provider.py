"""Something a function calls and waits for: a payment provider, a mail provider, a database.

May import: the standard library, SimPy, `simulations.workload`, `.faults` and `.simulation`.
"""

from __future__ import annotations

from collections import deque

from simulations._check import not_negative, positive, whole
from simulations.faults import Fault
from simulations.simulation import Component, ServiceError, Simulation, Step
from simulations.workload import Constant, Lognormal

#: What a call does when nothing is ordered.
NO_FAULT = Fault()


class ProviderError(ServiceError):
    """A provider answered with an error, before or after the side effect took place."""


class Provider(Component):
    """A provider or database with a service time, perhaps few connections, perhaps faults.

    Parameters
    ----------
    mean_ms, cv : float
        Service time, lognormal; constant when `cv` is 0.
    connections : int, optional
        At most so many calls at once; others wait in order. Without it there is no limit.
    idempotent : bool
        Whether a second call for the same entity has no second effect (an idempotency key).

    Notes
    -----
    In the trace a call is a span with operation "call"; `units` is 1 where a side effect took
    place, whatever the caller was told. Faults come from `Simulation(faults={name: Fault()})`:
    a call that begins in an outage, or is chosen at the error rate, ends in an error after its
    service time.

    Examples
    --------
    >>> sim = Simulation(seed=3, faults={"payments": Fault(error_rate=1.0)})
    >>> payments = Provider(sim, "payments", mean_ms=800, cv=0.6)
    """

    billed = False

    def __init__(
        self,
        sim: Simulation,
        name: str,
        *,
        mean_ms: float,
        cv: float = 0.0,
        connections: int | None = None,
        idempotent: bool = False,
    ) -> None:
        if connections is not None:
            connections = whole("connections", connections, 1)
        super().__init__(sim, name, mean_ms=float(mean_ms), cv=float(cv), connections=connections)
        not_negative("cv", cv)
        mean_s = positive("mean_ms", mean_ms) / 1000.0
        self._time = Lognormal(mean_s, cv) if cv else Constant(mean_s)
        self._fault = sim.faults.get(name, NO_FAULT)
        self._connections = connections
        self._line: deque[_Call] = deque()
        self._effects: set[int] | None = set() if idempotent else None
        self._time_key = name + " time"
        code = sim.trace.code
        self._call, self._ok = code("call"), code("ok")
        self._before, self._after = code("error"), code("error_after_effect")

    def call(self, entity: int, attempt: int) -> Step:
        """Call on behalf of `entity` for the `attempt`-th time.

        Raises
        ------
        ProviderError
            At the yield.
        """
        sim = self.sim
        step = sim.step(None)
        call = _Call(self, step, entity, attempt)
        if self._connections is not None and self.inside.inside >= self._connections:
            self._line.append(call)
        else:
            call.begin()
        return step


class _Call:
    __slots__ = ("attempt", "entity", "outcome", "provider", "queued_s", "start_s", "step")

    def __init__(self, provider: Provider, step: Step, entity: int, attempt: int) -> None:
        self.provider = provider
        self.step = step
        self.entity = entity
        self.attempt = attempt
        self.queued_s = provider.sim.clock._now
        self.start_s = 0.0
        self.outcome = provider._ok

    def begin(self) -> None:
        provider = self.provider
        sim, fault = provider.sim, provider._fault
        provider.inside.add(1)
        self.start_s = sim.clock._now
        if fault is not NO_FAULT:
            if fault.is_out(self.start_s):
                self.outcome = provider._before
            elif sim.draw(provider.name + " error", self.entity, self.attempt) < fault.error_rate:
                late = sim.draw(provider.name + " late", self.entity, self.attempt)
                is_after = late < fault.after_effect_share
                self.outcome = provider._after if is_after else provider._before
        u = sim.draw(provider._time_key, self.entity, self.attempt)
        sim.after(provider._time.quantile(u), self.end)

    def end(self, _: object) -> None:
        provider, step = self.provider, self.step
        sim, by = provider.sim, self.step.caller
        provider.inside.add(-1)
        effect = self.outcome != provider._before
        if effect and provider._effects is not None:
            effect = self.entity not in provider._effects
            provider._effects.add(self.entity)
        sim.trace.spans.append(
            (
                sim.new_span(), by.span, by.request, provider.code, provider._call, -1,
                self.attempt, self.queued_s, self.start_s, 0.0, sim.clock._now, self.outcome,
                0.0, 1.0 if effect else 0.0,
            )
        )  # fmt: skip
        if provider._line:
            provider._line.popleft().begin()
        if self.outcome == provider._ok:
            step.succeed("ok")
        else:
            step.fail_quietly(ProviderError(f"{provider.name} failed"))
