"""The random draws, the components and the run: everything that services stand on.

May import: the standard library, SimPy, and `simulations`' clock, trace, faults and workload.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from heapq import heappush
from itertools import count
from random import Random
from typing import Any

from simpy.events import Event

from simulations._check import not_negative, positive
from simulations.clock import ARRIVAL, NOBODY, Active, Caller, Clock, Integral, Step
from simulations.faults import Fault
from simulations.trace import NAN, Trace
from simulations.workload import Constant, Distribution, Load

__all__ = ["Caller", "Component", "Draw", "ServiceError", "Simulation", "Step"]

_MASK = (1 << 64) - 1

#: A uniform number above 0 and below 1 for an entity and an attempt.
Draw = Callable[..., float]


class ServiceError(Exception):
    """An error that a service answers with; raised at the `yield` that waits for the answer.

    `outcome` is the word for it in the trace.
    """

    outcome = "error"


class Component:
    """A named part of a system: registers itself and its configuration with the simulation.

    Attributes
    ----------
    inside : Integral
        How many are in it: invocations, messages, calls, batches; over time in the trace's
        `mean_in`.
    """

    #: Whether AWS bills it by itself (not so a client, a provider or a mapping).
    billed = True
    #: Whether `Simulation(faults=...)` may name it.
    can_fail = False

    def __init__(self, sim: Simulation, name: str, **configuration: Any) -> None:
        if not name:
            raise ValueError("name='' is empty; every component needs a name")
        if name in sim.components:
            raise ValueError(f"name={name!r} is taken; every component needs a name of its own")
        self.sim = sim
        self.name = name
        self.code = sim.trace.code(name)
        self.inside = Integral(sim.clock)
        sim.components[name] = self
        plain = (bool, int, float, str, type(None))
        sim.trace.header["components"][name] = {
            "type": type(self).__name__,
            "billed": self.billed,
            **{k: v if isinstance(v, plain) else repr(v) for k, v in configuration.items()},
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def accept(self, body: Any, /, caller: Caller | None = None) -> Step:
        """Take in one thing to do; the step ends with the answer."""
        raise ValueError(f"{self!r} cannot be the target of a load")

    def close(self) -> None:
        """Record, at the end of a run, what is still under way."""


class Simulation:
    """A clock at zero, a seed, and the components that are given to it.

    Parameters
    ----------
    seed : int
        Equal seeds give equal runs, on every machine and whatever the number of workers.
    faults : mapping of name to Fault
        What goes wrong, by the name of the provider it befalls.

    Attributes
    ----------
    trace : Trace
        What happened so far.
    components : dict
        All components by name.

    Examples
    --------
    >>> from simulations import Function, Poisson, Simulation
    >>> def handler(event, context):
    ...     yield context.compute(ms=120)
    >>> sim = Simulation(seed=7)
    >>> hello = Function(sim, "Hello", handler, keep_alive_s=600)
    >>> trace = sim.run(Poisson(rate_per_s=2) >> hello, duration_s=600)
    >>> round(trace.requests.latency_s.mean(), 6)
    0.12
    """

    def __init__(self, seed: int = 0, faults: Mapping[str, Fault] | None = None) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"seed={seed!r} is not a whole number")
        self.seed = seed
        self.faults = dict(faults or {})
        self.clock = Clock()
        self.trace = Trace(seed)
        self.components: dict[str, Component] = {}
        #: On whose behalf steps are begun right now: the handler that is running.
        self.active: Active = NOBODY
        #: Handlers that were stopped. They are kept, so that no `finally` of theirs runs on.
        self.stopped: list[Iterator[Any]] = []
        #: By span: the invocations that led to one that is running (see `services.recursion`).
        self.chains: dict[int, Any] = {}
        self._draws: dict[str, Draw] = {}
        #: The next span's id.
        self.new_span: Callable[[], int] = count().__next__
        self._ran = False

    @property
    def now_s(self) -> float:
        """Seconds since the start of the run."""
        return self.clock._now

    def _key(self, name: str) -> int:
        digest = blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")

    def stream(self, name: str) -> Random:
        """A generator for draws in sequence, its seed made from the run's seed and `name`.

        Examples
        --------
        >>> sim = Simulation(seed=7)
        >>> sim.stream("noise").random() == sim.stream("noise").random()
        True
        """
        return Random(self._key(name))

    def draws(self, name: str) -> Draw:
        """The function behind `draw` for one name: `(entity, attempt=0)` to a uniform number."""
        found = self._draws.get(name)
        if found is None:
            key = self._key(name)

            def draw(entity: int, attempt: int = 0) -> float:
                x = (key + entity * 0x9E3779B97F4A7C15 + attempt * 0xD1B54A32D192ED03) & _MASK
                x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
                x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
                # 52 bits and a half: the nearest to 1 is still below 1.
                return (((x ^ (x >> 31)) >> 12) + 0.5) * 2.0**-52

            found = self._draws[name] = draw
        return found

    def draw(self, name: str, entity: int, attempt: int = 0) -> float:
        """A uniform number above 0 and below 1 that depends on nothing but its arguments and seed.

        So order 17's payment takes equally long in every architecture (common random
        numbers). Made with the finalizer of SplitMix64 (Steele et al., OOPSLA 2014).

        Examples
        --------
        >>> sim = Simulation(seed=7)
        >>> sim.draw("payment", 17) == sim.draw("payment", 17) != sim.draw("payment", 18)
        True
        """
        return self.draws(name)(entity, attempt)

    def times(self, name: str, distribution: Distribution) -> Draw:
        """Draws from a distribution by entity and attempt; a constant one draws nothing.

        Examples
        --------
        >>> from simulations import Constant
        >>> Simulation(seed=7).times("network", Constant(0.012))(17)
        0.012
        """
        if isinstance(distribution, Constant):
            value = distribution.value
            return lambda entity, attempt=0: value
        key, quantile = self._key(name), distribution.sampler()
        first = key + 0xD1B54A32D192ED03

        def time(entity: int, attempt: int = 0) -> float:
            # As in `draws`, without a call more: these are the busiest lines of most runs, and
            # most are about a first attempt.
            begin = first if attempt == 1 else key + attempt * 0xD1B54A32D192ED03
            x = (begin + entity * 0x9E3779B97F4A7C15) & _MASK
            x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
            return quantile((((x ^ (x >> 31)) >> 12) + 0.5) * 2.0**-52)

        return time

    def after(
        self, delay_s: float, callback: Callable[[Event], None], priority: int = ARRIVAL
    ) -> None:
        """Call `callback` after `delay_s`."""
        self.clock.at(self.clock._now + not_negative("delay_s", delay_s), callback, priority)

    def run(
        self, *loads: Load, duration_s: float, warmup_s: float = 0.0, drain: bool = True
    ) -> Trace:
        """Run the loads against their targets and return the trace.

        A request's outcome is "ok", or the word that its target answers with ("accepted"), or
        the word for the error, or "unfinished".

        Parameters
        ----------
        loads : Load
            Made by `workload >> target`. Each arrival is a request whose body is its number.
        duration_s : float
            Seconds of simulated time during which requests arrive.
        warmup_s : float
            Requests that begin earlier are recorded, but left out of latencies and means.
        drain : bool
            Whether to go on, without new arrivals, until nothing is left to do. Otherwise what
            is unfinished at `duration_s` is kept and marked "unfinished".

        Raises
        ------
        ValueError
            If a time is not possible, there is no load, a fault befalls nothing, or the
            simulation ran before.
        """
        positive("duration_s", duration_s)
        not_negative("warmup_s", warmup_s)
        if warmup_s >= duration_s:
            raise ValueError(f"warmup_s={warmup_s} must lie below duration_s={duration_s}")
        if not loads:
            raise ValueError("loads: give at least one, made by workload >> target")
        for name in self.faults:
            if name not in self.components or not self.components[name].can_fail:
                known = [n for n, c in self.components.items() if c.can_fail]
                raise ValueError(f"faults: {name!r} is none of the providers {known}")
        if self._ran:
            raise ValueError("a simulation runs once; make a new one for another run")
        drivers = [_Arrivals(self, load, i, float(duration_s)) for i, load in enumerate(loads)]
        self._ran = True
        areas: list[dict[str, float]] = []

        def measure(_: Event) -> None:
            now_s = self.clock._now
            areas.append({name: c.inside.area(now_s) for name, c in self.components.items()})

        self.clock.at(warmup_s, measure, 0)
        self.clock.at(duration_s, measure, 0)
        # A run makes hardly any reference cycles; looking for them takes a fifth of its time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for driver in drivers:
                driver.next()
            if drain:
                self.clock.run_until()
            else:
                self.clock.run_until(float(duration_s))
        finally:
            if collecting:
                gc.enable()
        header = self.trace.header
        header.update(horizon_s=float(duration_s), warmup_s=float(warmup_s))
        before, total = areas
        header["means"] = {
            # A provider made after the warm-up was empty before.
            name: (area - before.get(name, 0.0)) / (duration_s - warmup_s)
            for name, area in total.items()
        }
        self._close(drivers, float(duration_s), drain)
        return self.trace

    def _close(self, drivers: list[_Arrivals], duration_s: float, drain: bool) -> None:
        """Record what is unfinished, and when the last thing happened."""
        trace = self.trace
        parts = list(self.components.values())
        trace.header["ended_s"] = duration_s
        if drain:  # timers that had nothing left to do may have rung later
            trace.header["ended_s"] = max(
                duration_s,
                *(driver.ended_s for driver in drivers),
                *(component.inside.changed_s for component in parts),
            )
        for *_, step in sorted(self.clock._queue, key=lambda entry: entry[:3]):
            if step is not None:
                step.unfinished()
        for driver in drivers:
            driver.close()
        # What was made last first: a mapping meters its idle pollers on the queue it polls.
        for component in reversed(parts):
            component.close()
        trace.header["peaks"] = {c.name: c.inside.most for c in parts}
        trace.requests.warmup_s = trace.header["warmup_s"]
        trace.pack()


class _Arrivals:
    """Brings the requests of one load to its target, one after the other."""

    def __init__(self, sim: Simulation, load: Load, index: int, until_s: float) -> None:
        if not isinstance(load, Load):
            raise ValueError(f"loads: {load!r} is not made by workload >> target")
        if not isinstance(load.target, Component) or load.target.sim is not sim:
            raise ValueError(f"target {load.target!r} is no component of this simulation")
        self._sim = sim
        self._workload = load.workload
        self._times = iter(load.workload.arrivals(sim.stream(f"arrivals {index}")))
        self._clock = sim.clock
        self._accept = load.target.accept
        # Bound once, as they are needed for every request.
        self._on_arrival, self._on_answer = self._arrive, self._finish
        self._until_s = until_s
        self._open: dict[int, float] = {}
        think = load.workload.think  # a closed load: its users ask again after the answer
        self._think = None if think is None else sim.times(f"think {index}", think)
        self._ok = sim.trace.code("ok")
        self.ended_s = 0.0

    def next(self) -> None:
        """Wait for the next arrival, unless it comes too late."""
        time_s = next(self._times, None)
        if time_s is not None and time_s < self._until_s:
            if not time_s >= self._clock._now:
                raise ValueError(f"{self._workload!r}: an arrival at {time_s!r} s comes too late")
            clock = self._clock  # `clock.at`, without a call
            entry = (time_s, ARRIVAL, next(clock._eid), (self._on_arrival,), None)
            heappush(clock._queue, entry)

    def _arrive(self, _: Event) -> None:
        trace, accept = self._sim.trace, self._accept
        request = trace.requests_seen
        trace.requests_seen = request + 1
        self._open[request] = self._clock._now
        step = accept(request, Caller(-1, request))
        step.callbacks.append(self._on_answer)
        if request & 0x3F == 0x3F:  # while the rows are still near in memory
            trace.pack()
        self.next()

    def _finish(self, event: Step) -> None:
        trace = self._sim.trace
        value = event._value
        outcome = self._ok
        if not event._ok:
            outcome = trace.code(getattr(value, "outcome", "error"))
        elif isinstance(value, str):
            outcome = trace.code(value)
        self.ended_s = now_s = self._clock._now
        request = event.caller.request
        trace.requests.append((request, self._open.pop(request), now_s, outcome))
        if self._think is not None and (again_s := now_s + self._think(request)) < self._until_s:
            self._clock.at(again_s, self._on_arrival, ARRIVAL)

    def close(self) -> None:
        """Record the requests that are unfinished."""
        unfinished = self._sim.trace.code("unfinished")
        for request, start_s in self._open.items():
            self._sim.trace.requests.append((request, start_s, NAN, unfinished))
