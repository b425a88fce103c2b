"""Something a function calls and waits for: a payment provider, a mail provider, a database.

May import: the standard library, SimPy, `simulations.workload`, `.faults`, `.clock` and
`.simulation`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from heapq import heappush
from typing import Any

from simulations._check import not_negative, positive, whole
from simulations.clock import COMPLETION, Caller, Step
from simulations.faults import AFTER, FINE, Fault, Trouble
from simulations.simulation import Component, ServiceError, Simulation
from simulations.trace import NAN
from simulations.workload import Constant, Distribution, Lognormal


class ProviderError(ServiceError):
    """A provider answered with an error, before or after the side effect took place."""


class Dependency(Component):
    """What a handler calls by name: a provider, or a client that calls one."""

    # Not made by `ABCMeta`: asking whether something is one would cost as much as a call.
    billed = False

    @abstractmethod
    def call(self, entity: int, attempt: int = 1, environment: int = -1) -> Step:
        """Call on behalf of `entity`, from an execution environment."""


class Provider(Dependency):
    """A provider or database with a service time, perhaps few connections, perhaps faults.

    Parameters
    ----------
    mean_ms, cv : float
        Service time, lognormal; constant when `cv` is 0.
    time_s : Distribution, optional
        Service time in seconds, in place of `mean_ms` and `cv`.
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
    caller was told, 2 where it took place twice. Faults come from
    `Simulation(faults={name: Fault()})`: a call that begins in an outage, or is chosen at the
    error rate, ends in an error after its service time (or after `fails_after_s`).

    How long an entity's n-th call takes, and whether it fails, depends on the seed, the
    entity and n alone.

    Examples
    --------
    >>> sim = Simulation(seed=3, faults={"payments": Fault(error_rate=1.0)})
    >>> payments = Provider(sim, "payments", mean_ms=800, cv=0.6)
    """

    can_fail = True

    def __init__(
        self,
        sim: Simulation,
        name: str,
        *,
        mean_ms: float | None = None,
        cv: float = 0.0,
        time_s: Distribution | None = None,
        connections: int | None = None,
        idempotent: bool = False,
    ) -> None:
        if (mean_ms is None) == (time_s is None):
            raise ValueError(f"give mean_ms={mean_ms!r} or time_s={time_s!r}, not both, not none")
        not_negative("cv", cv)
        if time_s is None and mean_ms is not None:
            mean_s = positive("mean_ms", mean_ms) / 1000.0
            time_s = Lognormal(mean_s, cv) if cv else Constant(mean_s)
        elif not isinstance(time_s, Distribution):
            raise ValueError(f"time_s={time_s!r} is no distribution")
        if connections is not None:
            connections = whole("connections", connections, 1)
        super().__init__(
            sim,
            name,
            mean_ms=float(time_s.mean * 1000 if mean_ms is None else mean_ms),
            cv=float(time_s.cv),
            connections=connections,
            idempotent=bool(idempotent),
        )
        self._time = sim.times(name + " time", time_s)
        fault = sim.faults.get(name, Fault())
        self._trouble = None
        if not fault.is_none:
            self._trouble = Trouble(
                fault, lambda draw: sim.draws(f"{name} {draw}"), sim.stream(name + " outages")
            )
        self._connections = connections
        self._line: deque[_Call] = deque()
        self._calls: dict[int, int] = {}
        self._effects: set[int] | None = set() if idempotent else None
        code = sim.trace.code
        self._operation, self._ok = code("call"), code("ok")
        self._note, self._new_span = sim.trace.spans.append, sim.new_span
        self._before, self._after = code("error"), code("error_after_effect")

    def call(self, entity: int, attempt: int = 1, environment: int = -1) -> Step:
        """Call on behalf of `entity`; `attempt` is noted in the trace.

        Raises
        ------
        ProviderError
            At the yield.
        """
        return _Call(self, entity, attempt, None)

    def accept(self, body: Any, caller: Caller | None = None) -> Step:
        """Call on behalf of an order's number, or of the request that a message belongs to."""
        entity = body if isinstance(body, int) else body.request
        return _Call(self, entity, 1 if caller is None else caller.attempt, caller)

    def close(self) -> None:
        """Record the calls that still wait for a connection."""
        for call in self._line:
            call.unfinished()


class _Call(Step):
    def __init__(
        self, provider: Provider, entity: int, attempt: int, caller: Caller | None
    ) -> None:
        # As `Step` does it, without a call more: an order calls four times.
        sim = provider.sim
        self.env = clock = sim.clock
        self.callbacks = [_answered]
        if caller is None:
            caller = active = sim.active
            if active.fresh is None:
                active.fresh = self
            else:
                active.began(self)
        self.caller = caller
        self.provider = provider
        self.entity = entity
        self.attempt = attempt
        self.queued_s = clock._now
        self.start_s = NAN
        self.outcome = provider._ok
        #: How often the side effect takes place.
        self.effects = 1.0
        if provider._connections is None or provider.inside.inside < provider._connections:
            self.begin()
        else:
            provider._line.append(self)

    def begin(self) -> None:
        """Have a connection: the answer's time and kind are known at once."""
        provider, entity = self.provider, self.entity
        clock = self.env
        self.start_s = now_s = clock._now
        inside = provider.inside  # `inside.add(1)`, without a call
        inside.changed_s = now_s
        inside.moment += now_s
        inside.inside = number = inside.inside + 1
        if number > inside.most:
            inside.most = number
        calls = provider._calls
        calls[entity] = nth = calls.get(entity, 0) + 1
        if provider._trouble is None:
            self._value = "ok"
            self._ok = True
            lasts_s = provider._time
            end_s = now_s + lasts_s(entity, nth)
            heappush(clock._queue, (end_s, COMPLETION, next(clock._eid), self.callbacks, self))
        else:
            self._suffer(provider._trouble, nth)

    def _suffer(self, trouble: Trouble, nth: int) -> None:
        """Go wrong as the fault has it: in time, in outcome, in effects."""
        provider, entity, now_s = self.provider, self.entity, self.start_s
        lasts_s = trouble.lasts_s(now_s, entity, nth, provider._time(entity, nth))
        fate = trouble.fate(now_s, entity, nth)
        if fate == FINE:
            if trouble.is_twice(now_s, entity, nth):
                self.effects = 2.0
            self.end_at(now_s + lasts_s, "ok")
            return
        after_s = trouble.fault.fails_after_s
        if fate == AFTER:
            self.outcome = provider._after
            lasts_s = max(lasts_s, after_s or 0.0)
        else:
            self.outcome = provider._before
            self.effects = 0.0
            lasts_s = lasts_s if after_s is None else after_s
        self.end_at(now_s + lasts_s, ProviderError(f"{provider.name} failed"), ok=False)

    def unfinished(self) -> None:
        provider, by = self.provider, self.caller
        provider._note(
            (
                provider._new_span(), by.span, by.request, provider.code, provider._operation, -1,
                self.attempt, self.queued_s, self.start_s, 0.0, NAN,
                provider.sim.trace.code("unfinished"), 0.0, 0.0,
            )
        )  # fmt: skip


def _answered(call: _Call) -> None:
    """Note what a call did, and begin the next in line, before anybody goes on."""
    provider = call.provider
    now_s = call.env._now
    inside = provider.inside  # `inside.add(-1)`, without a call
    inside.changed_s = now_s
    inside.moment -= now_s
    inside.inside -= 1
    effects = call.effects
    if effects and provider._effects is not None:
        effects = 0.0 if call.entity in provider._effects else 1.0
        provider._effects.add(call.entity)
    by = call.caller
    note, new_span = provider._note, provider._new_span
    note(
        (
            new_span(), by.span, by.request, provider.code, provider._operation, -1,
            call.attempt, call.queued_s, call.start_s, 0.0, now_s, call.outcome, 0.0, effects,
        )
    )  # fmt: skip
    if provider._line:
        provider._line.popleft().begin()
