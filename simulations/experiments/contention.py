"""Clients that contend for one item, as in the AWS Architecture Blog's post on back-off.

All begin at once, read a version number and write it back; only the first writer of a version
succeeds, the others pause, read and write again (optimistic concurrency control). Each of the
four messages of a try takes |N(10, 2)| ms. The published numbers come from the post's own
simulator (aws-samples/aws-arch-backoff-simulator). May import: the standard library, SimPy and
the rooms above `experiments`.
"""

from __future__ import annotations

from statistics import NormalDist

from simulations.clock import ARRIVAL, Caller, Step
from simulations.services import Backoff, Client
from simulations.simulation import Component, ServiceError, Simulation
from simulations.workload import Recorded

#: The post's five ways to pause; its simulator doubles before the first retry already.
BACKOFFS: dict[str, float | Backoff] = {
    "None": 0.0,
    "Exponential": Backoff(0.010, cap_s=2.0, jitter="none"),
    "EqualJitter": Backoff(0.010, cap_s=2.0, jitter="equal"),
    "FullJitter": Backoff(0.010, cap_s=2.0, jitter="full"),
    "Decorr": Backoff(0.005, cap_s=2.0, jitter="decorrelated"),
}


#: Mean writes and mean time (ms) of 100 clients over 100 repetitions of the post's own
#: simulator, aws-samples/aws-arch-backoff-simulator, run under Python 3 with seed 20150225.
PUBLISHED = {
    "None": (2416, 2024),
    "Exponential": (1855, 63881),
    "EqualJitter": (811, 6642),
    "FullJitter": (797, 4956),
    "Decorr": (1002, 4471),
}


class Conflict(ServiceError):
    """Somebody else wrote first."""

    outcome = "conflict"


class Item(Component):
    """One item with a version number; `writes` counts the tries to write it."""

    billed = False

    def __init__(self, sim: Simulation, name: str = "item") -> None:
        super().__init__(sim, name)
        self.version = 0
        self.writes = 0
        self._random = sim.stream("network")
        self._normal = NormalDist(0.010, 0.002).inv_cdf

    def _message_s(self) -> float:
        return abs(self._normal(self._random.random()))

    def accept(self, body: object, caller: Caller | None = None) -> Step:
        """Read the version, then write the next one if nobody else has."""
        step = Step(self.sim, caller)

        def read(_: object) -> None:
            seen = self.version

            def write(_: object) -> None:
                self.writes += 1
                is_first = seen == self.version
                self.version += is_first
                at_s = self.sim.now_s + self._message_s()
                step.end_at(at_s, "ok" if is_first else Conflict("read again"), is_first)

            self.sim.after(self._message_s() + self._message_s(), write, ARRIVAL)

        self.sim.after(self._message_s(), read, ARRIVAL)
        return step


def contend(algorithm: str, clients: int = 100, seed: int = 1) -> tuple[int, float]:
    """How many writes it takes until every client has succeeded once, and how many seconds.

    Examples
    --------
    >>> calls, lasts_s = contend("FullJitter", clients=10, seed=1)
    >>> calls > 10, lasts_s < 2
    (True, True)
    """
    sim = Simulation(seed)
    item = Item(sim)
    client = Client(sim, "writer", item, max_attempts=None, pause_s=BACKOFFS[algorithm])
    trace = sim.run(Recorded((0.0,) * clients) >> client, duration_s=1.0)
    return item.writes, max(trace.requests.end_s)
