"""How a handler runs: a generator resumed by callback, and the context it is handed.

A handler yields steps (SimPy events, begun when called) and is resumed when they end; a
service's error is raised at the yield. May import: the standard library, SimPy,
`simulations.facts`, `.theory`, `.clock`, `.simulation` and this room's `provider`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from simpy.events import Condition, Event

from simulations.clock import Active, Pause, Step
from simulations.facts import fact
from simulations.services.provider import Dependency, Provider
from simulations.simulation import ServiceError, Simulation
from simulations.theory import quota_from_ms

if TYPE_CHECKING:
    from simulations.services.function import Function
    from simulations.services.queue import Message

Steps = Generator[Event, Any, Any]

#: Period of the quota that a share of a vCPU is given by, in ms; found from outside on Lambda by
#: the CIRRUS lab (EuroSys 2026), not documented by AWS.
QUOTA_PERIOD_MS = 20.0


class UnfinishedStep(RuntimeError):
    """A handler began a step and ended without ever yielding it: a mistake in the handler."""


class Run(Active, ABC):
    """The run of a handler, resumed whenever what it waits for has ended.

    It is on its behalf (span, request, attempt) that the handler begins steps of its own. When
    the handler ends, `ended(ok, value)` is called with what it returned or the service error it
    ended with. Any other exception is a mistake in the handler and stops the simulation.
    """

    sim: Simulation
    over = False
    _generator: Steps | None = None
    #: Steps begun before the last one that nobody has waited for yet.
    _unclaimed: set[object] | None = None
    _branches: list[Run] | None = None

    def began(self, step: Step) -> None:
        """Take note of a step begun by the handler before it yielded the last one."""
        if self._unclaimed is None:
            self._unclaimed = set()
        self._unclaimed.add(self.fresh)
        self.fresh = step

    def branch(self, run: Run) -> None:
        """Take note of a part that runs at the same time and stops with this one."""
        if self._branches is None:
            self._branches = []
        self._branches.append(run)

    def begin(self, handler: Callable[..., Any], event: Any) -> None:
        """Call the handler; one without a `yield` takes no time and just returns."""
        sim = self.sim
        outer, sim.active = sim.active, self
        try:
            found = handler(event, self)
        except ServiceError as error:
            found = error
        finally:
            sim.active = outer
        if type(found) is GeneratorType:
            self._generator = found
            self.resume(None)
        else:
            self._finish(not isinstance(found, ServiceError), found)

    def resume(self, event: Event | None) -> None:
        """Hand the outcome of `event` to the handler and wait for what it yields next."""
        generator = self._generator
        if generator is None:  # stopped meanwhile
            if event is not None:
                event._defused = True
            return
        sim = self.sim
        outer, sim.active = sim.active, self
        try:
            while True:
                if event is None:
                    step = next(generator)
                elif event._ok:
                    step = generator.send(event._value)
                else:
                    event._defused = True
                    step = generator.throw(event._value)
                if step is self.fresh:  # the usual way: a step is yielded as soon as begun
                    self.fresh = None
                else:
                    self._claim(step)
                callbacks: Any = step.callbacks
                if callbacks is not None:
                    callbacks.append(self.resume)
                    return
                event = step  # it has ended already: go on at once
        except StopIteration as stop:
            ok, value = True, stop.value
        except ServiceError as error:
            ok, value = False, error
        finally:
            sim.active = outer
        self._generator = None
        if ok and self.fresh is None and self._unclaimed is None and self._branches is None:
            self.over = True
            self.ended(True, value)
        else:
            self._finish(ok, value)

    def stop(self) -> None:
        """End the handler where it stands. What it called stays under way."""
        self.over = True
        if self._generator is not None:
            self.sim.stopped.append(self._generator)
            self._generator = None
        branches, self._branches = self._branches, None
        for branch in branches or ():
            if not branch.over:
                branch.stop()

    def failure(self, error: ServiceError) -> ServiceError:
        """What an error that the handler ended with is to whoever waits: the same, or another."""
        return error

    @abstractmethod
    def ended(self, ok: bool, value: Any) -> None:
        """The handler returned `value`, or it ended with this error."""

    def _finish(self, ok: bool, value: Any) -> None:
        self.over = True
        if self._branches is not None:
            self._branches = None  # each points back at this one: a cycle that nothing collects
        if ok:
            if self.fresh is not None or self._unclaimed:
                raise UnfinishedStep(
                    "the handler ended without yielding a step it began; write `yield` before "
                    "each call, or yield all that you began"
                )
        else:
            # The traceback holds the frames, which hold the error: another cycle.
            value.__traceback__ = None
            value = self.failure(value)
        self.ended(ok, value)

    def _claim(self, event: object) -> None:
        if isinstance(event, Condition):
            for part in event._events:
                self._claim(part)
        elif event is self.fresh:
            self.fresh = None
        elif not isinstance(event, Event):
            raise TypeError(
                f"a handler yielded {event!r}, which is no step; to run another "
                "generator of steps write `yield from`"
            )
        elif self._unclaimed:
            self._unclaimed.discard(event)


class Context(Run):
    """What a handler knows of its invocation, and the steps it can take on its own.

    Attributes
    ----------
    request : int
        The request it serves; -1 for a batch, whose messages each carry their own.
    attempt : int
        1 for the first try.
    environment : int
        The number of the execution environment.
    """

    function: Function
    environment: int
    deadline_s: float
    _drawn = 0

    @property
    def remaining_s(self) -> float:
        """Seconds until the function's timeout."""
        return self.deadline_s - self.sim.clock._now

    def compute(self, ms: float | None = None, *, cpu_ms: float | None = None) -> Step:
        """Work for `ms` milliseconds, or for `cpu_ms` of processor time on one thread.

        `ms` is wall time at the function's memory size. `cpu_ms` takes that long on a full vCPU,
        which comes with 1,769 MB (fact `lambda.memory`). Below, Lambda gives the share as a quota
        in every 20 ms, so a task stands still until the next period once it is used up; where in
        a period it starts is drawn. A second vCPU does not help one thread.
        """
        if ms is None:
            ms = self._quota_ms(cpu_ms)
        seconds = ms / 1000.0
        if not 0.0 <= seconds < 1e12:
            raise ValueError(f"ms={ms!r} is not possible: computing must take 0 or longer")
        return Pause(self.sim, seconds)

    def _quota_ms(self, cpu_ms: float | None) -> float:
        if cpu_ms is None:
            raise ValueError("ms and cpu_ms: give one")
        left_ms = QUOTA_PERIOD_MS * self.draw("cpu period")
        full_mb = fact("lambda.memory")["mb_per_vcpu"]
        memory_mb = self.function.memory_mb
        return quota_from_ms(cpu_ms, memory_mb, left_ms, period_ms=QUOTA_PERIOD_MS, full_mb=full_mb)

    def wait(self, seconds: float) -> Step:
        """Wait, billed like work."""
        if not 0.0 <= seconds < 1e12:
            raise ValueError(f"seconds={seconds!r} is not possible: a wait must be 0 or longer")
        return Pause(self.sim, seconds)

    def draw(self, name: str, entity: int | None = None) -> float:
        """A uniform number that depends on the seed, `name` and `entity` alone.

        Without an entity the request counts as one (for a batch, the invocation), and each draw
        is a new one.
        """
        if entity is not None:
            draw = self.sim.draws(name)
            return draw(entity)
        self._drawn += 1
        whose = self.request if self.request >= 0 else self.span
        return self.sim.draw(name, whose, self.attempt * 1000 + self._drawn)

    def call(
        self,
        provider: str,
        *,
        entity: int | Message | None = None,
        mean_ms: float | None = None,
        cv: float | None = None,
    ) -> Step:
        """Call a provider or database by its name and wait for the answer.

        Parameters
        ----------
        provider : str
            A `Provider` made before, or a new one, made at the first call from `mean_ms`
            and `cv` (lognormal; 0 for a constant). Or a `Client`, which calls what it was made
            for as often as it is told to.
        entity : int or Message, optional
            Whose call it is (an order's number). An entity's first call takes equally long in
            every architecture, so does its second. The request when left out.

        Raises
        ------
        ProviderError
            At the yield, when the call fails (see `Simulation(faults=...)`).
        ValueError
            If the provider is unknown and `mean_ms` is missing.
        """
        found = self.sim.components.get(provider)
        if found is None:
            if mean_ms is None:
                raise ValueError(f"provider={provider!r} is unknown: give mean_ms, or make it")
            found = Provider(self.sim, provider, mean_ms=mean_ms, cv=cv or 0.0)
        if not isinstance(found, Dependency):
            raise ValueError(f"provider={provider!r} is a {type(found).__name__}")
        if entity is None:
            entity = self.request
        elif not isinstance(entity, int):
            return found.call(entity.request, entity.receive_count, self.environment)
        return found.call(entity, self.attempt, self.environment)

    def each(self, messages: Sequence[Message], work: Callable[[Message, Context], Any]) -> Step:
        """Do `work` for every message of a batch at the same time.

        The step ends when all have ended, with the ids of the messages whose work failed: just
        what a handler returns to report partial batch failures. A timeout stops them all.
        """
        done = _All(self.sim, len(messages))
        if not messages:
            done.end(done.failed)
        for message in messages:
            branch = _Branch(self, message, done)
            self.branch(branch)
            branch.begin(work, message)
        return done


class _Branch(Context):
    """The work on one message of a batch, at the same time as on the others."""

    def __init__(self, parent: Context, message: Message, all_done: _All) -> None:
        self.sim = parent.sim
        self.function = parent.function
        self.environment = parent.environment
        self.deadline_s = parent.deadline_s
        self.fresh = self._unclaimed = self._branches = None
        self.over = False
        self.span = parent.span
        self.request = message.request
        self.attempt = message.receive_count
        self._message = message
        self._all = all_done

    def ended(self, ok: bool, value: Any) -> None:
        done = self._all
        if not ok:
            done.failed.append(self._message.id)
        done.left -= 1
        if not done.left:
            done.end(done.failed)


class _All(Step):
    """Ends when every branch has, with the ids of the messages whose work failed."""

    def __init__(self, sim: Simulation, left: int) -> None:
        super().__init__(sim, None)
        self.failed: list[int] = []
        self.left = left
