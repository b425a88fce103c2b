"""The face of the compiled engine: `replay`, `simulate` and what they answer.

May import: NumPy, this room, and `simulations`' checks, workload and simulation (for the keys
of its draws).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulations._check import not_negative, positive
from simulations.fleet import kernel
from simulations.fleet.inputs import NONE, cold_times, column, plan_of, times
from simulations.fleet.state import (
    BUSY,
    COLD,
    COUNTS,
    EARLIEST,
    LAST,
    LIVED,
    NO_ROW,
    NO_SLOT,
    OPENED,
    PEAK,
    REALS,
    REJECTED,
    REQUESTS,
    Given,
    Numbers,
    Plan,
    Reals,
    Room,
    Rows,
    empty_room,
)  # fmt: skip
from simulations.simulation import Simulation
from simulations.workload import Distribution

#: Environments for which there is room at first; buckets of the wheel for each request in flight.
_SLOTS, _BUCKETS = 4096, 8


@dataclass(frozen=True, repr=False)
class Replay:
    """What came of a run.

    Attributes
    ----------
    requests : int
        How many came, those rejected included.
    environments : int
        How many execution environments were created.
    cold_share : float
        Cold starts among the requests that were served; NaN where none was.
    rejected_share : float
        Rejected requests among all; NaN where there was none.
    span_s : float
        Seconds that the means are over.
    mean_environments, mean_running : float
        Time averages: environments that exist, and those of them that start or serve.
    peak_running : int
        The most that started or served at once.
    cold, rejected : array of bool, or None
        By request, where asked for.
    environment : array of int, or None
        By request: environments in order of creation, -1 where rejected.
    arrival_s, service_s : array of float, or None
        By request: when it came and how long it takes when warm.
    """

    requests: int
    environments: int
    cold_share: float
    rejected_share: float
    span_s: float
    mean_environments: float
    mean_running: float
    peak_running: int
    cold: NDArray[np.bool_] | None
    environment: Numbers | None
    rejected: NDArray[np.bool_] | None
    arrival_s: Reals | None
    service_s: Reals | None

    def __repr__(self) -> str:
        return (
            f"<Replay of {self.requests} requests: {self.cold_share:.4%} cold, "
            f"{self.mean_environments:.4g} environments, {self.mean_running:.4g} running>"
        )


def replay(
    arrival_s: ArrayLike,
    service_s: ArrayLike,
    *,
    cold_start_s: ArrayLike = 0.0,
    cold_service_s: ArrayLike | None = None,
    keep_alive_s: float | Distribution,
    concurrency_limit: int | None = None,
    routing: str = "most_recent",
    seed: int = 0,
) -> Replay:
    """Send known requests to one function; say which environment serves each, cold or warm.

    The same, event by event, as `Function(Simulation(seed), "function", ...)` does, ties
    included: what ends, then whose time is up, then what comes in. Means are over the time from
    the first arrival until the last request has ended.

    Cost: 40 to 60 ns a request, whatever the number in flight; `newest` and `oldest` half as
    much again, and with `random` each expiry costs a pass over the idle environments. Memory: 10
    bytes a request beside the inputs. The first call on a machine compiles for 10 to 15 s.

    Parameters
    ----------
    arrival_s : array
        Seconds, 0 or above, in order.
    service_s : array, or one number for all
        How long each request takes in a warm environment.
    cold_start_s : number or array
        What a cold request takes longer.
    cold_service_s : array or number, optional
        How long a cold request takes in all; then there is no `cold_start_s`.
    keep_alive_s : float or Distribution
        How long an idle environment is kept: a number, Constant, Uniform, Exponential or
        Empirical.
    concurrency_limit : int, optional
        At most so many requests at once, those starting included; more are rejected.
    routing : str
        Which idle environment serves next: `most_recent`, `newest`, `oldest`, `least_recent` or
        `random`.
    seed : int
        For random routing and a random keep-alive; nothing else is drawn.

    Raises
    ------
    ValueError
        If an input is not possible.

    Examples
    --------
    >>> seen = replay([0, 1, 2, 700], [5, 5, 5, 5], keep_alive_s=600, concurrency_limit=2)
    >>> seen.cold.tolist(), seen.environment.tolist()
    ([True, True, False, True], [0, 1, -1, 2])
    >>> seen.peak_running, seen.mean_running == 15 / 705
    (2, True)
    """
    arrivals = column("arrival_s", arrival_s)
    n = arrivals.size
    behind = np.flatnonzero(arrivals[1:] < arrivals[:-1])
    if behind.size:
        k = int(behind[0])
        raise ValueError(
            f"arrival_s[{k + 1}]={arrivals[k + 1]!s} is not possible: arrival_s must be in order, "
            f"and {arrivals[k]!s} stands before it"
        )
    services = times("service_s", service_s, n)
    starts = times("cold_start_s", cold_start_s, n)
    colds = NONE if cold_service_s is None else cold_times(cold_service_s, starts, n)
    first_s = float(arrivals[0]) if n else 0.0
    # The wheel turns once in eight mean service times, at a bucket for each arrival.
    span_s = float(arrivals[-1]) - first_s if n else 0.0
    in_flight = n * float(services.mean()) / span_s if n and span_s > 0 else 1.0
    plan = plan_of(
        keep_alive_s, routing, concurrency_limit, seed,
        origin_s=first_s, per_s=min(n / span_s, 1e12) if span_s > 0 else 1.0,
    )  # fmt: skip
    rows = Rows(np.zeros(n, bool), np.zeros(n, np.int64), np.zeros(n, bool), NONE, NONE)
    given = Given(arrivals, services, starts, colds)
    found = _go(plan, given, rows, in_flight, seed)
    return replace(found, arrival_s=arrivals, service_s=np.broadcast_to(services, n))


def simulate(
    rate_per_s: float,
    service_s: float,
    *,
    cold_start_s: float = 0.0,
    cold_service_s: float | None = None,
    keep_alive_s: float | Distribution,
    duration_s: float,
    seed: int,
    service: str = "exponential",
    routing: str = "most_recent",
    concurrency_limit: int | None = None,
    per_request: bool = False,
) -> Replay:
    """Send Poisson arrivals to one function, drawn inside the kernel.

    Starts empty and runs from 0 to `duration_s`; means are over that time. Equal seeds give
    equal arrivals and equal services (each the same multiple of its mean) under every policy.

    Cost: about 40 ns a request, whatever the number in flight; `newest` and `oldest` 50 to 65 ns.
    Memory: with `per_request=False` that of the environments, else 26 bytes a request more.

    Parameters
    ----------
    rate_per_s, service_s : float
        Arrivals a second, and the mean time of a request in a warm environment.
    cold_start_s, cold_service_s : float
        As for `replay`; `cold_service_s` is the mean.
    keep_alive_s, routing, concurrency_limit
        As for `replay`.
    duration_s : float
        Seconds in which requests come.
    seed : int
        Of all that is drawn.
    service : {"exponential", "constant"}
        How the time of a request varies.
    per_request : bool
        Whether to tell of each request.

    Raises
    ------
    ValueError
        If an input is not possible.

    Examples
    --------
    >>> rare = simulate(1 / 3600, 0.001, keep_alive_s=600, duration_s=3.6e9, seed=1)
    >>> rare.requests, round(rare.cold_share, 3)      # theory: exp(-600 / 3600) = 0.846
    (1000503, 0.846)
    """
    rate, mean_s = positive("rate_per_s", rate_per_s), not_negative("service_s", service_s)
    until_s = positive("duration_s", duration_s)
    if service not in ("exponential", "constant"):
        raise ValueError(f"service={service!r} is none of exponential, constant")
    starts = np.array([not_negative("cold_start_s", cold_start_s)], float)
    colds = NONE
    if cold_service_s is not None:
        not_negative("cold_service_s", cold_service_s)
        colds = cold_times(cold_service_s, starts, 1)
    plan = plan_of(
        keep_alive_s, routing, concurrency_limit, seed,
        drawn=True, exponential=service == "exponential", rows=bool(per_request),
        until_s=until_s, gap_s=1.0 / rate, per_s=rate,
    )  # fmt: skip
    n = int(rate * until_s + 8 * math.sqrt(rate * until_s) + 8) if per_request else 0
    kinds = (bool, np.int64, bool, float, float)
    rows = Rows(*(np.zeros(n, kind) for kind in kinds))
    given = Given(NONE, np.array([mean_s], float), starts, colds)
    return _go(plan, given, rows, rate * mean_s, seed)


def _go(plan: Plan, given: Given, rows: Rows, in_flight: float, seed: int) -> Replay:
    """Run the kernel to the end, giving it more room when it asks for it."""
    # Never to be written to, whether the caller's arrays may be or not: one kernel serves both.
    given = Given(*(times_s.view() for times_s in given))
    for times_s in given:
        times_s.flags.writeable = False
    count, real = np.zeros(COUNTS, np.int64), np.zeros(REALS)
    count[OPENED], real[EARLIEST], real[LAST] = -1, math.inf, plan.origin_s
    wheel = 1 << int(math.log2(min(max(_BUCKETS * in_flight, 64.0), 2.0**22)))
    room = empty_room(_SLOTS, wheel)
    simulation = Simulation(seed)
    stream = np.array([simulation._key(name) for name in ("arrivals", "services")], np.uint64)
    while (why := kernel.run(plan, given, rows, room, count, real, stream)) in (NO_SLOT, NO_ROW):
        if why == NO_SLOT:
            room = _more(plan, room, count, real)
        else:
            rows = rows.grown(2 * rows.cold.size)
    until_s = plan.until_s if plan.drawn else float(real[LAST])
    kernel.close(plan, room, count, real, until_s)
    requests, rejected, cold = (int(count[k]) for k in (REQUESTS, REJECTED, COLD))
    span_s = until_s - plan.origin_s
    told = rows.cut(requests) if plan.rows else (None,) * 5
    return Replay(
        requests,
        cold,
        cold / (requests - rejected) if requests > rejected else math.nan,
        rejected / requests if requests else math.nan,
        span_s,
        float(real[LIVED]) / span_s if span_s > 0 else 0.0,
        float(real[BUSY]) / span_s if span_s > 0 else 0.0,
        int(count[PEAK]),
        *told,
    )


def _more(plan: Plan, room: Room, count: Numbers, real: Reals) -> Room:
    """Return a room with slots to spare: closed up, and twice as large if half of it lives."""
    places = np.empty(room.end_s.size, np.int32)
    live = kernel.survey(plan, room, count, real, places)
    size = room.end_s.size * (2 if 2 * live > room.end_s.size else 1)
    larger = empty_room(size, room.buckets.size)
    kernel.move(plan, room, larger, count, places)
    return larger
