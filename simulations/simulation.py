"""The clock, the random draws and the run: everything that services stand on.

May import: the standard library, SimPy, and `simulations`' trace, faults and workload.
"""

from __future__ import annotations

import gc
import math
from collections import deque
from collections.abc import Callable, Mapping
from hashlib import blake2b
from heapq import heappush
from random import Random
from typing import Any

import simpy
from simpy.events import Event, Timeout

from simulations._check import not_negative, positive
from simulations.faults import Fault
from simulations.trace import NAN, Trace
from simulations.workload import Load

#: Order of things that happen at the same instant: what completes comes before what arrives.
#: (Idle environments expire in between: an arrival finds those gone whose time is up.)
COMPLETION, ARRIVAL = 1, 2

_MASK = (1 << 64) - 1


class ServiceError(Exception):
    """An error that a service answers with; raised at the `yield` that waits for the answer.

    `outcome` is the word for it in the trace.
    """

    outcome = "error"


class Caller:
    """On whose behalf something is done: the span, the request and the attempt."""

    __slots__ = ("attempt", "request", "span")

    def __init__(self, span: int, request: int, attempt: int = 1) -> None:
        self.span = span
        self.request = request
        self.attempt = attempt


NOBODY = Caller(-1, -1)


class Step(Event):
    """An event begun by a handler: a call, a message, a wait.

    `caller` is set as soon as the handler that began it hands control back.
    """

    caller: Caller = NOBODY

    def fail_quietly(self, error: Exception) -> None:
        """Fail; whoever still waits gets the error, and nobody has to."""
        self._ok = False
        self._value = error
        self._defused = True
        self.env.schedule(self)


class Clock(simpy.Environment):
    """SimPy's environment, able to put an event at an exact time in an exact place among ties."""

    def at(self, time_s: float, callback: Callable[[Event], None], priority: int) -> Event:
        """Call `callback` at `time_s` (which must not lie in the past)."""
        event = Event(self)
        event._ok = True
        event._value = None
        event.callbacks.append(callback)  # type: ignore[union-attr]
        heappush(self._queue, (time_s, priority, next(self._eid), event))  # type: ignore[misc]
        return event


class Deadlines:
    """Deadlines that all lie the same time ahead, in one queue with one armed timer.

    Each entry is an object with an attribute `over`; when its time comes and it is not over,
    `expire` is called with it. An entry costs one append; a deadline that passes unneeded is
    dropped when it reaches the front.
    """

    def __init__(self, clock: Clock, after_s: float, expire: Callable[[Any], None]) -> None:
        self._clock = clock
        self._after_s = after_s
        self._expire = expire
        self._waiting: deque[tuple[float, Any]] = deque()
        self._armed = False

    def push(self, entry: Any) -> None:
        """Give `entry` until `after_s` from now."""
        due = self._clock.now + self._after_s
        self._waiting.append((due, entry))
        if not self._armed:
            self._armed = True
            self._clock.at(due, self._ring, COMPLETION)

    def _ring(self, _: Event) -> None:
        now = self._clock.now
        waiting = self._waiting
        while waiting and (waiting[0][1].over or waiting[0][0] <= now):
            entry = waiting.popleft()[1]
            if not entry.over:
                self._expire(entry)
        self._armed = bool(waiting)
        if waiting:
            self._clock.at(waiting[0][0], self._ring, COMPLETION)


class Integral:
    """How many are inside, integrated over time by the engine, not read from the trace."""

    __slots__ = ("_area", "_clock", "_since", "inside", "most")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._area = 0.0
        self._since = 0.0
        self.inside = 0
        self.most = 0

    def add(self, change: int) -> None:
        """Note that `change` more are inside from now on."""
        now = self._clock._now
        self._area += self.inside * (now - self._since)
        self._since = now
        self.inside += change
        if self.inside > self.most:
            self.most = self.inside

    def area(self) -> float:
        """Time times number since the start."""
        return self._area + self.inside * (self._clock.now - self._since)


class Component:
    """A named part of a system: registers itself and its configuration with the simulation."""

    #: Whether AWS bills it by itself (a client, a provider, a mapping is not).
    billed = True

    def __init__(self, sim: Simulation, name: str, **configuration: Any) -> None:
        if name in sim.components:
            raise ValueError(f"name={name!r} is taken; every component needs a name of its own")
        self.sim = sim
        self.name = name
        self.code = sim.trace.code(name)
        self.inside = Integral(sim.clock)
        sim.components[name] = self
        sim.trace.header["components"][name] = {
            "type": type(self).__name__,
            "billed": self.billed,
            **{k: v if isinstance(v, (int, bool)) else _plain(v) for k, v in configuration.items()},
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def accept(self, body: Any, caller: Caller | None = None) -> Step:
        """Take in one thing to do; the step ends with the answer."""
        raise ValueError(f"{self!r} cannot be the target of a load")

    def close(self) -> None:
        """Record, at the end of a run, what is still under way."""


def _plain(value: Any) -> Any:
    return value if isinstance(value, (float, str, type(None))) else repr(value)


class Simulation:
    """A clock at zero, a seed, and the components that are given to it.

    Parameters
    ----------
    seed : int
        Equal seeds give equal runs, on every machine and whatever the number of workers.
    faults : mapping of name to Fault
        What goes wrong, by the name of the provider it befalls.

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
        #: Steps begun since control last went back to the driver of a handler.
        self.begun: list[Step] = []
        self._keys: dict[str, int] = {}
        self._spans = 0
        self._ran = False

    @property
    def now_s(self) -> float:
        """Seconds since the start of the run."""
        return self.clock.now

    def _key(self, name: str) -> int:
        key = self._keys.get(name)
        if key is None:
            digest = blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
            key = self._keys[name] = int.from_bytes(digest, "little")
        return key

    def stream(self, name: str) -> Random:
        """A generator for draws in sequence, its seed made from the run's seed and `name`."""
        return Random(self._key(name))

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
        x = (
            self._key(name) + entity * 0x9E3779B97F4A7C15 + attempt * 0xD1B54A32D192ED03
        ) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return (((x ^ (x >> 31)) >> 11) + 0.5) * 2.0**-53

    def new_span(self) -> int:
        """The next span's id."""
        self._spans += 1
        return self._spans - 1

    def step(self, caller: Caller | None) -> Step:
        """A new step of `caller`, or of the handler that is being resumed when None."""
        step = Step(self.clock)
        if caller is None:
            self.begun.append(step)
        else:
            step.caller = caller
        return step

    def after(self, delay_s: float, callback: Callable[[Event], None]) -> None:
        """Call `callback` after `delay_s`."""
        Timeout(self.clock, delay_s).callbacks.append(callback)  # type: ignore[union-attr]

    def run(
        self, *loads: Load, duration_s: float, warmup_s: float = 0.0, drain: bool = True
    ) -> Trace:
        """Run the loads against their targets and return the trace.

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
            If a time is not possible, there is no load, or the simulation ran before.
        """
        positive("duration_s", duration_s)
        not_negative("warmup_s", warmup_s)
        if warmup_s >= duration_s:
            raise ValueError(f"warmup_s={warmup_s} must lie below duration_s={duration_s}")
        if not loads:
            raise ValueError("loads: give at least one, made by workload >> target")
        if self._ran:
            raise ValueError("a simulation runs once; make a new one for another run")
        self._ran = True
        trace, clock = self.trace, self.clock
        trace.header.update(horizon_s=float(duration_s), warmup_s=float(warmup_s))
        trace.requests.warmup_s = warmup_s
        drivers = [_Arrivals(self, load, i, duration_s) for i, load in enumerate(loads)]
        areas: list[dict[str, float]] = []

        def measure(_: Event | None) -> None:
            areas.append({name: c.inside.area() for name, c in self.components.items()})

        clock.at(warmup_s, measure, 0)
        clock.at(duration_s, measure, 0)
        # A run makes hardly any reference cycles; looking for them takes a fifth of its time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            clock.run(None if drain else math.nextafter(duration_s, math.inf))
        finally:
            if collecting:
                gc.enable()
        if len(areas) < 2:
            measure(None)
        for name in areas[1]:
            area = areas[1][name] - areas[0].get(name, 0.0)
            trace.header["means"][name] = area / (duration_s - warmup_s)
        trace.header["ended_s"] = max(clock.now, float(duration_s)) if drain else float(duration_s)
        for driver in drivers:
            driver.close()
        for component in self.components.values():
            component.close()
        trace.header["peaks"] = {name: c.inside.most for name, c in self.components.items()}
        trace.pack()
        return trace


class _Arrivals:
    """Brings the requests of one load to its target, one after the other."""

    def __init__(self, sim: Simulation, load: Load, index: int, until_s: float) -> None:
        if not isinstance(load, Load):
            raise ValueError(f"loads: {load!r} is not made by workload >> target")
        if not isinstance(load.target, Component) or load.target.sim is not sim:
            raise ValueError(f"target {load.target!r} is no component of this simulation")
        self._sim = sim
        self._times = iter(load.workload.arrivals(sim.stream(f"arrivals {index}")))
        self._accept = load.target.accept
        self._until_s = until_s
        self._open: dict[int, float] = {}
        self._ok = sim.trace.code("ok")
        self._next()

    def _next(self) -> None:
        time_s = next(self._times, None)
        if time_s is not None and time_s < self._until_s:
            self._sim.clock.at(time_s, self._arrive, ARRIVAL)

    def _arrive(self, _: Event) -> None:
        sim = self._sim
        request = sim.trace.requests_seen
        sim.trace.requests_seen = request + 1
        start = sim.clock._now
        self._open[request] = start
        step = self._accept(request, Caller(-1, request))

        def finish(event: Event) -> None:
            del self._open[request]
            value = event._value
            if event._ok:
                code = sim.trace.code(value) if isinstance(value, str) else self._ok
            else:
                code = sim.trace.code(getattr(value, "outcome", "error"))
            sim.trace.requests.append((request, start, sim.clock._now, code))

        step.callbacks.append(finish)  # type: ignore[union-attr]
        if request & 0xFFF == 0xFFF:
            sim.trace.pack()
        self._next()

    def close(self) -> None:
        unfinished = self._sim.trace.code("unfinished")
        for request, start in self._open.items():
            self._sim.trace.requests.append((request, start, NAN, unfinished))
