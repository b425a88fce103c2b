"""A queue near its limit, to play with: mean wait against how busy the servers are.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heapreplace
from random import Random
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.stats import batch_means, mean_interval, quantile
from simulations.theory import mmc
from simulations.workload import Constant, Distribution, Exponential, Lognormal

#: Service times with a mean of 1, by the name that a reader chooses.
SERVICE: dict[str, Distribution] = {
    "all alike": Constant(1.0),
    "exponential": Exponential(1.0),
    "some hang": Lognormal(1.0, 2.0),
}
#: Where the simulation is looked at besides the chosen place, in percent.
PLACES = (30.0, 50.0, 70.0, 80.0, 90.0)
ROUNDS = 16


def expected_wait(busy: float, servers: int, cv: float) -> float:
    """Return the mean wait in mean service times.

    Exact for one server (Pollaczek and Khinchine) and for exponential service (M/M/c); in
    between the approximation of Lee and Longton (1959): that of M/M/c times (1 + cv^2) / 2.

    Examples
    --------
    >>> expected_wait(0.5, 1, 0.0), expected_wait(0.5, 1, 1.0)
    (0.5, 1.0)
    """
    return mmc(busy * servers, 1.0, servers).wait_s * (1 + cv * cv) / 2


class Line:
    """One queue before so many servers, first come, first served, that can be run on and on.

    Gaps and services have a stream each. Waits are in mean service times.
    """

    def __init__(self, busy: float, servers: int, service: Distribution, seed: str) -> None:
        self.waits: list[float] = []
        self._free_at = [0.0] * servers
        self._now = 0.0
        self._rate = busy * servers
        self._gap = Random(f"{seed} gaps").random
        self._work = Random(f"{seed} services").random
        self._time_for = service.sampler()

    def run(self, requests: int) -> None:
        """Serve so many more."""
        gap, work, time_for, rate = self._gap, self._work, self._time_for, self._rate
        free_at, now, add, log1p = self._free_at, self._now, self.waits.append, math.log1p
        for _ in range(requests):
            now -= log1p(-gap()) / rate
            start = free_at[0]
            if start < now:
                start = now
            heapreplace(free_at, start + time_for(work() or 0.5))
            add(start - now)
        self._now = now

    @property
    def settled(self) -> list[float]:
        """The waits without the first quarter, which began with an empty queue."""
        return self.waits[len(self.waits) // 4 :]


def _a_round(busy: float) -> int:
    """Requests of a round: the memory of a queue grows with the square of 1 / (1 - busy)."""
    return int(min(max(100 / (1 - busy) ** 2, 1000), 20_000))


@experiment(
    "measure-first",
    presets={
        "quiet night": {"busy": 20.0},
        "one in five free": {"busy": 80.0},
        "a pool of twenty": {"busy": 80.0, "servers": 20},
        "some queries hang": {"busy": 90.0, "service": "some hang"},
    },
)
def near_the_limit(
    busy: Annotated[float, Slider(10, 95, step=1, label="busy", unit="%")] = 90.0,
    servers: Annotated[int, Slider(1, 50, log=True, label="connections")] = 1,
    service_ms: Annotated[
        float, Slider(1, 1000, log=True, label="a query takes", unit="ms")
    ] = 20.0,
    service: Annotated[str, Choice(tuple(SERVICE), label="queries")] = "exponential",
    seed: int = 1,
) -> Iterator[Result]:
    """Mean wait for a database connection against how busy the connections are.

    The numbers are those at the chosen place; intervals come from batch means.
    """
    takes = SERVICE[service]
    scale_s = service_ms / 1000
    fine = [float(k) for k in range(2, 97)]
    curve = [service_ms * expected_wait(x / 100, servers, takes.cv) for x in fine]
    exact = servers == 1 or takes.cv == 1.0
    line = Series("theory" if exact else "approximation", fine, curve, "line", "theory")
    places = sorted({busy, *PLACES})
    lines = {x: Line(x / 100, servers, takes, f"{seed} {x}") for x in places}
    here = lines[busy]
    expected = expected_wait(busy / 100, servers, takes.cv)
    for number in range(ROUNDS):
        for x, one in lines.items():
            one.run(_a_round(x / 100))
        found = [mean_interval(batch_means(lines[x].settled, 10)) for x in places]
        wait = found[places.index(busy)]
        # A few thousand of the waits tell the percentile as well as all of them.
        some = here.settled[:: len(here.settled) // 4000 + 1]
        points = Series(
            "simulated", places, [service_ms * i.mean for i in found], "points", "decoupled",
            [service_ms * max(i.low, 0.0) for i in found], [service_ms * i.high for i in found],
        )  # fmt: skip
        numbers = {
            "mean wait": Number(
                scale_s * wait.mean, "s", scale_s * max(wait.low, 0.0), scale_s * wait.high
            ),
            "mean wait by theory": Number(scale_s * expected, "s"),
            "p99 of the wait": Number(scale_s * quantile(some, 0.99), "s"),
            "wait over work": Number(wait.mean, "times", max(wait.low, 0.0), wait.high),
            "queries simulated": Number(len(here.waits)),
        }
        yield Result(
            Axis("connections busy", "%"), Axis("mean wait", "ms"), (line, points), numbers,
            progress=(number + 1) / ROUNDS,
        )  # fmt: skip
