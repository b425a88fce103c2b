"""Recorded request logs of a real function: which environment was chosen, and a replay.

The logs of 2020 (Mahmoudi and Khazaei, IEEE TCC 2020) carry the id of the environment that
served each request. May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulations.services import Context, Function
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.workload import Recorded


@dataclass(frozen=True)
class RecordedRequest:
    """One row of a log: times in seconds by the client's clock, and the environment's id."""

    start_s: float
    end_s: float
    cold: bool
    environment: str


@dataclass(frozen=True)
class Choices:
    """How often each routing would have chosen the environment that AWS chose.

    `choices` are warm requests with at least two idle environments, their own among them;
    `not_returned` are warm requests whose own environment had not returned by the client's
    clock, which no routing can explain.
    """

    choices: int
    not_returned: int
    agreeing: dict[str, int]


def routing_choices(rows: Sequence[RecordedRequest], keep_alive_s: float = 600.0) -> Choices:
    """Hold every recorded choice between idle environments against the routings.

    An environment is idle when its last request returned before this one started, less than
    `keep_alive_s` ago; it counts as created when first seen.
    """
    created: dict[str, int] = {}
    returned_s: dict[str, float] = {}
    agreeing = {"most_recent": 0, "newest": 0, "oldest": 0, "least_recent": 0}
    choices = not_returned = 0
    for row in sorted(rows, key=lambda r: r.start_s):
        if not row.cold:
            idle = [
                e for e, at in returned_s.items() if 0 < row.start_s - at < keep_alive_s
            ]
            if row.environment not in idle:
                not_returned += row.environment in returned_s and (
                    returned_s[row.environment] >= row.start_s
                )
            elif len(idle) > 1:
                choices += 1
                chosen = {
                    "most_recent": max(idle, key=returned_s.__getitem__),
                    "newest": max(idle, key=created.__getitem__),
                    "oldest": min(idle, key=created.__getitem__),
                    "least_recent": min(idle, key=returned_s.__getitem__),
                }
                for routing, environment in chosen.items():
                    agreeing[routing] += environment == row.environment
        created.setdefault(row.environment, len(created))
        returned_s[row.environment] = row.end_s
    return Choices(choices, not_returned, agreeing)


def replay(
    rows: Sequence[RecordedRequest], keep_alive_s: float = 600.0, routing: str = "most_recent"
) -> list[bool]:
    """Send recorded requests, each with its recorded duration, to the model.

    Returns
    -------
    list of bool
        Whether the model starts each request cold, in the order of their start.
    """
    ordered = sorted(rows, key=lambda r: r.start_s)
    origin_s = ordered[0].start_s
    lasts_s = [row.end_s - row.start_s for row in ordered]

    def handler(request: int, context: Context) -> Steps:
        yield context.wait(lasts_s[request])

    sim = Simulation(seed=0)
    function = Function(
        sim, "Recorded", handler, timeout_s=900.0, keep_alive_s=keep_alive_s, routing=routing
    )
    load = Recorded([row.start_s - origin_s for row in ordered]) >> function
    trace = sim.run(load, duration_s=ordered[-1].start_s - origin_s + 1.0)
    seen: set[int] = set()
    cold = [False] * len(ordered)
    for row in sorted(trace.spans_of("Recorded", "invoke"), key=lambda r: r.id):
        cold[row.request] = row.environment not in seen
        seen.add(row.environment)
    return cold
