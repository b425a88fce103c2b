"""How a handler runs: a generator resumed by callback, and the context it is handed.

A handler yields steps (SimPy events, begun when called) and is resumed when they end; a
service's error is raised at the yield. May import: the standard library, SimPy and
`simulations.simulation`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from simpy.events import Condition, Event, Timeout

from simulations._check import not_negative
from simulations.simulation import Caller, ServiceError, Simulation, Step

if TYPE_CHECKING:
    from simulations.services.queue import Message

Steps = Generator[Event, Any, Any]


class UnfinishedStep(RuntimeError):
    """A handler began a step and ended without ever yielding it: a mistake in the handler."""


class Driver:
    """Resumes one generator, step by step, until it ends or is stopped.

    `ended(ok, value)` is called once, with what the generator returned or the service error
    it ended with. Any other exception is a mistake in the handler and stops the simulation.
    """

    __slots__ = ("_ended", "_generator", "_unclaimed", "caller", "over", "sim")

    def __init__(
        self,
        sim: Simulation,
        generator: Steps,
        caller: Caller,
        ended: Callable[[bool, Any], None],
    ) -> None:
        self.sim = sim
        self.caller = caller
        self.over = False
        self._generator = generator
        self._ended = ended
        self._unclaimed: set[Event] | None = None

    def stop(self) -> None:
        """End the generator where it stands. What it called stays under way."""
        self.over = True
        self._generator.close()

    def resume(self, event: Event | None = None) -> None:
        """Hand the outcome of `event` to the generator and wait for what it yields next."""
        if self.over:
            return
        while True:
            try:
                if event is None:
                    step = next(self._generator)
                elif event._ok:
                    step = self._generator.send(event._value)
                else:
                    event._defused = True
                    step = self._generator.throw(event._value)
            except StopIteration as stop:
                self._adopt(None)
                self.over = True
                if self._unclaimed:
                    raise UnfinishedStep(
                        f"the handler ended without yielding {len(self._unclaimed)} of the "
                        "steps it began; write `yield` before each call"
                    ) from None
                self._ended(True, stop.value)
                return
            except ServiceError as error:
                self._adopt(None)
                self.over = True
                self._ended(False, error)
                return
            if not isinstance(step, Event):
                raise TypeError(
                    f"a handler yielded {step!r}, which is no step; to run another "
                    "generator of steps write `yield from`"
                )
            self._adopt(step)
            if step.callbacks is not None:
                step.callbacks.append(self.resume)
                return
            event = step  # it has ended already: go on at once

    def _adopt(self, yielded: Event | None) -> None:
        """Take on the steps begun meanwhile; note which of them nobody has waited for."""
        begun = self.sim.begun
        if begun:
            for step in begun:
                step.caller = self.caller
            if len(begun) != 1 or begun[0] is not yielded:
                if self._unclaimed is None:
                    self._unclaimed = set()
                self._unclaimed.update(begun)
            begun.clear()
        if self._unclaimed and yielded is not None:
            self._claim(yielded)

    def _claim(self, event: Event) -> None:
        assert self._unclaimed is not None
        if isinstance(event, Condition):
            for part in event._events:
                self._claim(part)
        else:
            self._unclaimed.discard(event)


class Context:
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

    __slots__ = ("_deadline_s", "_drawn", "_sim", "caller", "environment")

    def __init__(
        self, sim: Simulation, caller: Caller, environment: int, deadline_s: float
    ) -> None:
        self._sim = sim
        self.caller = caller
        self.environment = environment
        self._deadline_s = deadline_s
        self._drawn = 0

    @property
    def request(self) -> int:
        return self.caller.request

    @property
    def attempt(self) -> int:
        return self.caller.attempt

    @property
    def remaining_s(self) -> float:
        """Seconds until the function's timeout."""
        return self._deadline_s - self._sim.clock.now

    def compute(self, ms: float) -> Event:
        """Work for `ms` milliseconds, at the function's memory size."""
        return Timeout(self._sim.clock, ms / 1000.0)

    def wait(self, seconds: float) -> Event:
        """Wait, billed like work."""
        return Timeout(self._sim.clock, seconds)

    def draw(self, name: str, entity: int | None = None) -> float:
        """A uniform number that depends on the seed, `name` and `entity` alone.

        Without an entity, the request counts as one and each draw is a new one.
        """
        if entity is not None:
            return self._sim.draw(name, entity)
        self._drawn += 1
        return self._sim.draw(name, self.request, self.attempt * 1000 + self._drawn)

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
            and `cv` (lognormal; 0 for a constant).
        entity : int or Message, optional
            Whose call it is (an order's number). Equal entities and attempts take equally
            long in every architecture. The request when left out.

        Raises
        ------
        ProviderError
            At the yield, when the call fails (see `Simulation(faults=...)`).
        ValueError
            If the provider is unknown and `mean_ms` is missing.
        """
        from simulations.services.provider import Provider

        sim = self._sim
        found = sim.components.get(provider)
        if found is None:
            if mean_ms is None:
                raise ValueError(f"provider={provider!r} is unknown: give mean_ms, or make it")
            found = Provider(sim, provider, mean_ms=not_negative("mean_ms", mean_ms), cv=cv or 0.0)
        if not isinstance(found, Provider):
            raise ValueError(f"provider={provider!r} is a {type(found).__name__}")
        attempt = self.caller.attempt
        if entity is None:
            entity = self.caller.request
        elif not isinstance(entity, int):
            attempt, entity = entity.receive_count, entity.request
        return found.call(entity, attempt)

    def each(
        self, messages: Sequence[Message], work: Callable[[Message, Context], Steps]
    ) -> Step:
        """Do `work` for every message of a batch at the same time.

        The step ends when all have ended, with the ids of the messages whose work failed: just
        what a handler returns to report partial batch failures.
        """
        sim = self._sim
        done = sim.step(None)
        failed: list[int] = []
        left = len(messages)
        if not left:
            done.succeed(failed)
            return done

        def begin(message: Message) -> None:
            caller = Caller(self.caller.span, message.request, message.receive_count)
            context = Context(sim, caller, self.environment, self._deadline_s)

            def ended(ok: bool, _: Any) -> None:
                nonlocal left
                if not ok:
                    failed.append(message.id)
                left -= 1
                if left == 0:
                    done.succeed(failed)

            Driver(sim, work(message, context), caller, ended).resume()

        # The steps begun so far belong to the handler, those begun below to each branch.
        mine, sim.begun = sim.begun, []
        for message in messages:
            begin(message)
        sim.begun = mine
        return done


def generator_of(handler: Callable[..., Any], event: Any, context: Context) -> Steps:
    """Call a handler; one without a `yield` takes no time and just returns."""
    found = handler(event, context)
    if isinstance(found, GeneratorType):
        return found
    return _returning(found)


def _returning(value: Any) -> Steps:
    return value
    yield  # makes this a generator
