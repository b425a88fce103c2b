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

    `choices` are warm requests with at least two idle environments, their own among them.
    `own_not_idle` are warm requests with at least two idle environments that were served by yet
    another one: by the client's clock it had not returned, or it had rested for longer than the
    keep-alive. No routing among idle environments can explain these; they are counted apart.
    """

    choices: int
    own_not_idle: int
    agreeing: dict[str, int]


@dataclass(frozen=True)
class Misses:
    """Where the replay and AWS differ, and what the log itself says of it.

    Attributes
    ----------
    kept_longer, not_returned
        The model starts cold, AWS did not: the environment that AWS used had rested for longer
        than the keep-alive; or it had not returned yet by the client's clock.
    retired
        AWS started cold, the model does not, although by the log an environment rested for
        less than the keep-alive.
    retired_for_good
        Of those, how many in which none of the resting environments ever served again.
    follows
        AWS started cold, the model does not, and by the log no environment rested: the model
        has one that AWS had not, from an earlier difference.
    """

    kept_longer: int
    not_returned: int
    retired: int
    retired_for_good: int
    follows: int


def routing_choices(rows: Sequence[RecordedRequest], keep_alive_s: float = 600.0) -> Choices:
    """Hold every recorded choice between idle environments against the routings.

    An environment is idle when its last request returned before this one started, less than
    `keep_alive_s` ago; it counts as created when first seen.
    """
    created: dict[str, int] = {}
    returned_s: dict[str, float] = {}
    agreeing = {"most_recent": 0, "newest": 0, "oldest": 0, "least_recent": 0}
    choices = own_not_idle = 0
    for row in sorted(rows, key=lambda r: r.start_s):
        if not row.cold:
            idle = _idle(returned_s, row.start_s, keep_alive_s)
            if len(idle) > 1 and row.environment not in idle:
                own_not_idle += 1
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
    return Choices(choices, own_not_idle, agreeing)


def _idle(returned_s: dict[str, float], now_s: float, keep_alive_s: float) -> list[str]:
    return [e for e, at in returned_s.items() if 0 < now_s - at < keep_alive_s]


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


def misses(
    rows: Sequence[RecordedRequest],
    modeled: Sequence[bool],
    keep_alive_s: float = 600.0,
    from_s: float = 0.0,
) -> Misses:
    """Sort the requests at which a replay differs from the log by what the log says of them.

    Parameters
    ----------
    rows : sequence of RecordedRequest
        The whole log.
    modeled : sequence of bool
        What `replay` returned for it.
    keep_alive_s : float
        The one that the replay used.
    from_s : float
        Requests that start sooner after the first one are passed over.

    Raises
    ------
    ValueError
        If the two differ in length.
    """
    if len(rows) != len(modeled):
        raise ValueError(f"modeled has {len(modeled)} values for {len(rows)} rows")
    ordered = sorted(rows, key=lambda r: r.start_s)
    last_used_s = {row.environment: row.start_s for row in ordered}
    returned_s: dict[str, float] = {}
    kept_longer = not_returned = retired = for_good = follows = 0
    for row, model_cold in zip(ordered, modeled, strict=True):
        if row.start_s - ordered[0].start_s >= from_s:
            if model_cold and not row.cold:
                rested_s = row.start_s - returned_s.get(row.environment, row.start_s)
                kept_longer += rested_s >= keep_alive_s
                not_returned += rested_s < keep_alive_s
            elif row.cold and not model_cold:
                idle = _idle(returned_s, row.start_s, keep_alive_s)
                retired += bool(idle)
                for_good += bool(idle) and all(last_used_s[e] <= row.start_s for e in idle)
                follows += not idle
        returned_s[row.environment] = row.end_s
    return Misses(kept_longer, not_returned, retired, for_good, follows)


def longest_life_s(rows: Sequence[RecordedRequest]) -> float:
    """Seconds from the first to the last request that one environment served, at most.

    It counts when a request starts: an environment that serves one long request has a life of 0.
    """
    first_s: dict[str, float] = {}
    longest = 0.0
    for row in sorted(rows, key=lambda r: r.start_s):
        longest = max(longest, row.start_s - first_s.setdefault(row.environment, row.start_s))
    return longest
