"""The face of the compiled engine: `replay` and `simulate`.

May import: NumPy, this room, and `simulations`' checks, workload and simulation (for the keys
of its draws).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from os import cpu_count

import numpy as np
from numpy.typing import ArrayLike

from simulations._check import not_negative, positive, whole
from simulations.fleet.answer import (
    PIECES,
    Replay,
    Tally,
    between,
    found_warm_up,
    intervals,
    parts,
    together,
)  # fmt: skip
from simulations.fleet.inputs import NONE, cold_times, column, in_order, plan_of, times
from simulations.fleet.runs import General, Lean
from simulations.fleet.sharing import replay_shared
from simulations.fleet.state import CONSTANT, MOST_RECENT, Given, Plan, Rows
from simulations.simulation import Simulation
from simulations.workload import Distribution


def replay(
    arrival_s: ArrayLike,
    service_s: ArrayLike,
    *,
    cold_start_s: ArrayLike = 0.0,
    cold_service_s: ArrayLike | None = None,
    keep_alive_s: float | Distribution,
    concurrency_limit: int | None = None,
    provisioned_concurrency: int = 0,
    scaling: bool = False,
    requests_per_environment: int = 1,
    routing: str = "most_recent",
    seed: int = 0,
    warmup_s: float = 0.0,
) -> Replay:
    """Send known requests to one function; say which environment serves each, cold or warm.

    The same, event by event, as `Function(Simulation(seed), "function", ...)` does, ties
    included: what ends, then whose time is up, then what comes in. Means are over the time from
    the first arrival, or from the end of the warm-up, until the last request has ended.

    Cost: 40 to 60 ns a request, whatever the number in flight; with `random` each expiry costs a
    pass over the idle environments. Memory: 18 bytes a request beside the inputs. The first call
    on a machine compiles for 10 to 15 s.

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
        How long an idle environment is kept.
    concurrency_limit : int, optional
        At most so many requests at once, those starting included; more are rejected.
    provisioned_concurrency : int
        So many environments exist from the start, are always warm and are taken out of the
        limit; they serve first, up to ten requests a second each (fact `lambda.pc.spill`).
    scaling : bool
        Whether at most 1,000 new environments are made in 10 s (fact `lambda.scale.rate`): a
        bucket of 1,000, full at first, refilled without pause. Where it is empty, a request
        that needs a new environment is rejected.
    requests_per_environment : int
        How many requests an environment serves at once; on Lambda, one. With more, a request
        joins the environment that has had room for longest, waiting for the rest of its start
        if need be; routing is among idle ones. Costs a pass over all environments. Not with `random` routing, a random keep-alive,
        provisioned concurrency, the scaling rate or a warm-up.
    routing : str
        Which idle environment serves next: `most_recent`, `newest`, `oldest`, `least_recent` or
        `random`.
    seed : int
        For random routing and a random keep-alive; nothing else is drawn.
    warmup_s : float
        Counts and means leave out so many seconds after the first arrival; arrays do not.

    Raises
    ------
    ValueError
        If an input is not possible.

    Examples
    --------
    >>> seen = replay([0, 1, 2, 700], [5, 5, 5, 5], keep_alive_s=600, concurrency_limit=2)
    >>> seen.cold.tolist(), seen.environment.tolist()
    ([True, True, False, True], [0, 1, -1, 2])
    >>> seen.peak_running, seen.mean_running == 15 / 705, seen.billed_ms
    (2, True, 15000.0)
    """
    arrivals = in_order("arrival_s", column("arrival_s", arrival_s))
    n = arrivals.size
    services = times("service_s", service_s, n)
    starts = times("cold_start_s", cold_start_s, n)
    colds = NONE if cold_service_s is None else cold_times(cold_service_s, starts, n)
    first_s = float(arrivals[0]) if n else 0.0
    # The wheel turns once in eight mean service times, at a bucket for each arrival.
    span_s = float(arrivals[-1]) - first_s if n else 0.0
    in_flight = n * float(services.mean()) / span_s if n and span_s > 0 else 1.0
    plan = plan_of(
        keep_alive_s, routing, concurrency_limit, seed,
        provisioned=provisioned_concurrency, scaling=scaling,
        origin_s=first_s, per_s=min(n / span_s, 1e12) if span_s > 0 else 1.0,
    )  # fmt: skip
    warm_s = not_negative("warmup_s", warmup_s)
    if warm_s and not warm_s < span_s:
        raise ValueError(
            f"warmup_s={warmup_s!r} is not possible: the arrivals are over after {span_s:g} s"
        )
    given = Given(arrivals, services, starts, colds)
    rows = Rows.empty(n)
    sharing = whole("requests_per_environment", requests_per_environment, low=1)
    if sharing > 1:
        begin = Tally(first_s, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0)
        end = replay_shared(plan, given, rows, sharing, warm_s)
        found = between(begin, end, end.peak)
    else:
        run = General(plan, given, rows, in_flight, seed)
        [begin] = run.until([first_s + warm_s])
        end = run.to_the_end()
        found = replace(between(begin, end, end.peak), warmup_s=warm_s)
        rows = run.rows
    told = rows._replace(arrival_s=arrivals, service_s=np.broadcast_to(services, n))
    return replace(found, **told._asdict())


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
    service_cv: float = 1.0,
    routing: str = "most_recent",
    concurrency_limit: int | None = None,
    provisioned_concurrency: int = 0,
    scaling: bool = False,
    warmup_s: float | str = 0.0,
    batches: int | None = None,
    replications: int = 1,
    per_request: bool = False,
) -> Replay:
    """Send Poisson arrivals to one function, drawn inside the kernel.

    Starts empty and runs from 0 to `duration_s`; means are over that time without the warm-up.
    Equal seeds give equal arrivals and equal services (each the same multiple of its mean) under
    every policy.

    Cost: about 30 ns a request with `most_recent` and one keep-alive for all, whatever the
    number in flight; 40 to 65 ns with any other. Memory: that of the environments; with
    `per_request=True` 34 bytes a request more.

    Parameters
    ----------
    rate_per_s, service_s : float
        Arrivals a second, and the mean time of a request in a warm environment.
    cold_start_s, cold_service_s : float
        As for `replay`; `cold_service_s` is the mean.
    keep_alive_s, routing, concurrency_limit, provisioned_concurrency, scaling
        As for `replay`.
    duration_s : float
        Seconds in which requests come.
    seed : int
        Of all that is drawn.
    service : {"exponential", "constant", "lognormal"}
        How the time of a request varies.
    service_cv : float
        Coefficient of variation, where it is lognormal.
    warmup_s : float or "mser"
        What is left out at the start: so many seconds, or what MSER-5 finds on the number of
        environments, looked at in 300 pieces of the run.
    batches : int, optional
        Give intervals from so many batch means of the one run.
    replications : int
        Run so many times with seeds made from `seed`, in as many threads as there are
        processors, and give intervals over the runs. The threads change no result.
    per_request : bool
        Whether to tell of each request.

    Raises
    ------
    ValueError
        If an input is not possible.

    Examples
    --------
    >>> rare = simulate(1 / 3600, 0.001, keep_alive_s=600, duration_s=3.6e9, seed=1, batches=20)
    >>> rare.requests, round(rare.cold_share, 3)      # theory: exp(-600 / 3600) = 0.846
    (1000503, 0.846)
    >>> rare.intervals["cold_share"].within(0.8465, margin=0.002)
    'pass'
    """
    rate, mean_s = positive("rate_per_s", rate_per_s), not_negative("service_s", service_s)
    until_s = positive("duration_s", duration_s)
    starts = np.array([not_negative("cold_start_s", cold_start_s)], float)
    colds = NONE
    if cold_service_s is not None:
        not_negative("cold_service_s", cold_service_s)
        colds = cold_times(cold_service_s, starts, 1)
    plan = plan_of(
        keep_alive_s, routing, concurrency_limit, seed,
        provisioned=provisioned_concurrency, scaling=scaling,
        drawn=True, service=service, service_cv=service_cv, rows=bool(per_request),
        gap_s=1.0 / rate, per_s=rate,
    )  # fmt: skip
    given = Given(NONE, np.array([mean_s], float), starts, colds)
    warm_s = _warm_up(warmup_s, until_s)
    batches = None if batches is None else whole("batches", batches, low=2)
    runs = whole("replications", replications, low=1)
    if runs == 1:
        return _one(plan, given, until_s, warm_s, batches, seed, rate)
    if per_request or batches is not None:
        what = "per_request" if per_request else "batches"
        raise ValueError(f"{what} is not possible beside replications={runs}: it tells of one run")
    simulation = Simulation(seed)
    seeds = [simulation._key(f"replication {k}") for k in range(runs)]
    with ThreadPoolExecutor(min(runs, cpu_count() or 1)) as threads:
        found = threads.map(lambda s: _one(plan, given, until_s, warm_s, None, s, rate), seeds)
        return together(list(found))


def _warm_up(warmup_s: float | str, until_s: float) -> float:
    """Return the seconds given, or NaN where a rule is to find them."""
    if warmup_s == "mser":
        return math.nan
    if isinstance(warmup_s, str):
        raise ValueError(f"warmup_s={warmup_s!r} is neither seconds nor 'mser'")
    warm_s = not_negative("warmup_s", warmup_s)
    if warm_s >= until_s:
        raise ValueError(f"warmup_s={warmup_s!r} must lie below duration_s={until_s!r}")
    return warm_s


def _one(
    plan: Plan, given: Given, until_s: float, warm_s: float, batches: int | None, seed: int,
    rate: float,
) -> Replay:  # fmt: skip
    """Run once, cut as the warm-up and the batches need it."""
    by_rule = math.isnan(warm_s)
    pieces = PIECES if by_rule else batches or 1
    from_s = 0.0 if by_rule else warm_s
    cuts = [from_s + (until_s - from_s) * k / pieces for k in range(pieces)]
    tallies, rows = _tallies(plan, given, [*cuts, until_s], seed, rate)
    first = found_warm_up(tallies) if by_rule else 0
    whole_run = between(tallies[first], tallies[-1], max(t.peak for t in tallies[first + 1 :]))
    told = rows.cut(tallies[-1].requests)._asdict() if plan.rows else {}
    over = {} if batches is None else intervals(parts(tallies, first, batches))
    return replace(whole_run, warmup_s=tallies[first].at_s, intervals=over, **told)


def _tallies(
    plan: Plan, given: Given, times_s: Sequence[float], seed: int, rate: float
) -> tuple[list[Tally], Rows]:
    """Run to each instant in turn, by the shortest loop that can."""
    in_flight = rate * float(given.service_s[0])
    plain = plan.keep_kind == CONSTANT and plan.routing == MOST_RECENT
    if plain and not (plan.rows or plan.provisioned or plan.scale_per_s):
        lean = Lean(plan, given, in_flight, seed, times_s[-1])
        return list(lean.until(times_s)), Rows.empty(0)
    expected = rate * times_s[-1]
    n = int(expected + 8 * math.sqrt(expected) + 8) if plan.rows else 0
    run = General(plan, given, Rows.empty(n, n), in_flight, seed)
    found = list(run.until(times_s))
    return found, run.rows
