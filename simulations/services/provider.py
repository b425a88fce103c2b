"""Something a function calls and waits for: a payment provider, a mail provider, a database.

May import: the standard library, SimPy, `simulations.workload`, `.faults`, `.clock` and
`.simulation`.
"""

from __future__ import annotations

from collections import deque

from simulations._check import not_negative, positive, whole
from simulations.clock import Step
from simulations.faults import Fault
from simulations.simulation import Component, ServiceError, Simulation
from simulations.trace import NAN
from simulations.workload import Constant, Lognormal


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

    Raises
    ------
    ValueError
        If a setting is impossible.

    Notes
    -----
    In the trace a call is a span with operation "call", from `start_s` (waiting for a
    connection before it) to `end_s`; `units` is 1 where a side effect took place, whatever the
    caller was told. Faults come from `Simulation(faults={name: Fault()})`: a call that begins
    in an outage, or is chosen at the error rate, ends in an error after its service time.

    How long an entity's n-th call takes, and whether it fails, depends on the seed, the
    entity and n alone.

    Examples
    --------
    >>> sim = Simulation(seed=3, faults={"payments": Fault(error_rate=1.0)})
    >>> payments = Provider(sim, "payments", mean_ms=800, cv=0.6)
    """

    billed = False
    can_fail = True

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
        mean_s = positive("mean_ms", mean_ms) / 1000.0
        not_negative("cv", cv)
        if connections is not None:
            connections = whole("connections", connections, 1)
        super().__init__(
            sim,
            name,
            mean_ms=float(mean_ms),
            cv=float(cv),
            connections=connections,
            idempotent=bool(idempotent),
        )
        self._time = sim.times(name + " time", Lognormal(mean_s, cv) if cv else Constant(mean_s))
        fault = sim.faults.get(name, Fault())
        self._fault = fault if fault.outages or fault.error_rate else None
        self._error, self._late = sim.draws(name + " error"), sim.draws(name + " late")
        self._connections = connections
        self._line: deque[_Call] = deque()
        self._calls: dict[int, int] = {}
        self._effects: set[int] | None = set() if idempotent else None
        code = sim.trace.code
        self._operation, self._ok = code("call"), code("ok")
        self._before, self._after = code("error"), code("error_after_effect")

    def call(self, entity: int, attempt: int) -> Step:
        """Call on behalf of `entity`; `attempt` is noted in the trace.

        Raises
        ------
        ProviderError
            At the yield.
        """
        call = _Call(self, entity, attempt)
        if self._connections is not None and self.inside.inside >= self._connections:
            self._line.append(call)
        else:
            call.begin()
        return call

    def close(self) -> None:
        """Record the calls that still wait for a connection."""
        for call in self._line:
            call.unfinished()


class _Call(Step):
    start_s = NAN

    def __init__(self, provider: Provider, entity: int, attempt: int) -> None:
        super().__init__(provider.sim, None)
        self.provider = provider
        self.entity = entity
        self.attempt = attempt
        self.queued_s = self.env._now
        self.outcome = provider._ok
        self.callbacks.append(_answered)

    def begin(self) -> None:
        """Have a connection: the answer's time and kind are known at once."""
        provider, entity = self.provider, self.entity
        provider.inside.add(1)
        self.start_s = now_s = self.env._now
        calls = provider._calls
        calls[entity] = nth = calls.get(entity, 0) + 1
        value: object = "ok"
        ok = True
        fault = provider._fault
        if fault is not None:
            self.outcome = self._fate(fault, nth)
            if self.outcome != provider._ok:
                ok = False
                value = ProviderError(f"{provider.name} failed")
        self.end_at(now_s + provider._time(entity, nth), value, ok)

    def _fate(self, fault: Fault, nth: int) -> int:
        provider = self.provider
        if fault.is_out(self.start_s):
            return provider._before
        if provider._error(self.entity, nth) >= fault.error_rate:
            return provider._ok
        is_after = provider._late(self.entity, nth) < fault.after_effect_share
        return provider._after if is_after else provider._before

    def record(self, end_s: float, outcome: int, effects: float) -> None:
        provider, by = self.provider, self.caller
        provider.sim.trace.spans.append(
            (
                provider.sim.new_span(), by.span, by.request, provider.code, provider._operation,
                -1, self.attempt, self.queued_s, self.start_s, 0.0, end_s, outcome, 0.0, effects,
            )
        )  # fmt: skip

    def unfinished(self) -> None:
        self.record(NAN, self.provider.sim.trace.code("unfinished"), 0.0)


def _answered(call: _Call) -> None:
    """Note what a call did, and begin the next in line, before anybody goes on."""
    provider = call.provider
    provider.inside.add(-1)
    effects = 0.0 if call.outcome == provider._before else 1.0
    if effects and provider._effects is not None:
        if call.entity in provider._effects:
            effects = 0.0
        provider._effects.add(call.entity)
    call.record(call.env._now, call.outcome, effects)
    if provider._line:
        provider._line.popleft().begin()
