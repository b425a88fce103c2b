"""A closed load: users who wait for the answer, think, and ask again.

An open load (Poisson and the like) brings requests whatever the system does; a closed one slows
down with the system, and so hides overload. May import: the standard library,
`simulations._check` and this room's `arrivals` and `durations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from simulations._check import whole
from simulations.workload.arrivals import Workload
from simulations.workload.durations import Distribution, as_distribution


@dataclass(frozen=True)
class Closed(Workload):
    """So many users, each of whom thinks, asks, waits for the answer and thinks again.

    A user whose request fails thinks and asks again, too. With a constant `think_s` all users
    begin at once.

    Parameters
    ----------
    users : int
        How many, 1 or more.
    think_s : float or Distribution
        From an answer to the user's next request; before the first one, too.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> from simulations import Exponential, Provider, Simulation
    >>> sim = Simulation(seed=1)
    >>> till = Provider(sim, "till", time_s=Exponential(1.0), connections=1)
    >>> trace = sim.run(Closed(20, Exponential(15.0)) >> till, duration_s=20000)
    >>> round(trace.requests.latency_s.mean())          # theory: 5.96 s
    6
    """

    users: int
    think_s: float | Distribution

    def __post_init__(self) -> None:
        """Check the settings."""
        whole("users", self.users, 1)
        as_distribution(self.think_s)

    @property
    def think(self) -> Distribution:
        """The time from an answer to the next request."""
        return as_distribution(self.think_s)

    def arrivals(self, random: Random) -> Iterator[float]:
        """Yield the first request of each user; the others follow on the answers."""
        think = self.think
        return iter(sorted(think.sample(random) for _ in range(self.users)))
