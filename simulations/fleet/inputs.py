"""What is asked of the kernel, checked and put into its form.

May import: NumPy, this room's state, and `simulations`' checks, facts, workload and
simulation (for the keys of its draws).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simulations._check import not_negative, positive, whole
from simulations.facts import fact
from simulations.fleet.state import (
    CONSTANT,
    EXPONENTIAL,
    LEAST_RECENT,
    LOGNORMAL,
    MOST_RECENT,
    NEWEST,
    OLDEST,
    RANDOM,
    TABLE,
    Plan,
    Reals,
)
from simulations.simulation import Simulation
from simulations.workload import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Lognormal,
    Uniform,
)  # fmt: skip

#: The routings of `Function`, by name.
ROUTINGS = {
    "most_recent": MOST_RECENT,
    "newest": NEWEST,
    "oldest": OLDEST,
    "least_recent": LEAST_RECENT,
    "random": RANDOM,
}
#: How the time of a request varies, by name.
SERVICES = {"exponential": EXPONENTIAL, "constant": CONSTANT, "lognormal": LOGNORMAL}
#: For a column that is not given.
NONE = np.zeros(0)


def plan_of(
    keep_alive_s: float | Distribution,
    routing: str,
    concurrency_limit: int | None,
    seed: int,
    *,
    provisioned: int = 0,
    scaling: bool = False,
    drawn: bool = False,
    service: str = "constant",
    service_cv: float = 1.0,
    rows: bool = True,
    gap_s: float = 0.0,
    origin_s: float = 0.0,
    per_s: float,
) -> Plan:
    """Return the plan of a run; what only one of the two kinds of run needs has a default."""
    if routing not in ROUTINGS:
        raise ValueError(f"routing={routing!r} is none of {', '.join(ROUTINGS)}")
    limit = 1 << 62
    if concurrency_limit is not None:
        limit = whole("concurrency_limit", concurrency_limit, low=1)
    if service not in SERVICES:
        raise ValueError(f"service={service!r} is none of {', '.join(SERVICES)}")
    log = math.sqrt(math.log1p(positive("service_cv", service_cv) ** 2))
    ready = whole("provisioned_concurrency", provisioned)
    if concurrency_limit is not None:  # what is provisioned is taken out of it
        if ready > limit:
            raise ValueError(
                f"provisioned_concurrency={ready} is not possible: it is taken out of "
                f"concurrency_limit={limit} and cannot exceed it"
            )
        limit -= ready
    rate = fact("lambda.scale.rate")
    most = float(rate["environments"]) if scaling else 0.0
    kind, shortest_s, shares, values = kept_of(keep_alive_s)
    simulation = Simulation(seed)
    key, route = (
        np.uint64(simulation._key(f"function {use}")) for use in ("keep-alive", "routing")
    )
    return Plan(
        ROUTINGS[routing], limit, drawn, SERVICES[service], log, rows, float(gap_s),
        float(origin_s), float(per_s), kind, shortest_s, shares, values, key, route,
        ready, float(ready * int(fact("lambda.quota.rps").value.split()[0])),
        most, most / rate["per_s"],
    )  # fmt: skip


def kept_of(kept: float | Distribution) -> tuple[int, float, Reals, Reals]:
    """Return the kind, the shortest time and the quantiles, of which a uniform one needs two."""
    if not isinstance(kept, Distribution):
        kept = Constant(not_negative("keep_alive_s", kept))
    match kept:
        case Constant():
            return CONSTANT, float(kept.value), NONE, NONE
        case Exponential():
            return EXPONENTIAL, 0.0, NONE, np.array([kept.mean], float)
        case Uniform():
            return (
                TABLE,
                float(kept.low),
                np.array([0.0, 1.0]),
                np.array([kept.low, kept.high], float),
            )
        case Empirical():
            return TABLE, kept.values[0], np.array(kept.probabilities), np.array(kept.values)
        case Lognormal():
            variance = math.log1p(kept.cv**2)
            if variance == 0:
                return CONSTANT, float(kept.mean), NONE, NONE
            middle = math.log(kept.mean) - variance / 2
            return LOGNORMAL, 0.0, NONE, np.array([middle, math.sqrt(variance)])
    raise ValueError(
        f"keep_alive_s={kept!r} is not possible: keep_alive_s must be a number of seconds, or "
        "Constant, Uniform, Exponential, Lognormal or Empirical"
    )


def column(name: str, values: ArrayLike) -> Reals:
    """Return the values as one column of finite numbers, 0 or above."""
    try:
        found = np.require(values, np.float64, ["C", "A"])
    except (TypeError, ValueError):
        raise ValueError(f"{name} is not possible: {name} must be numbers of seconds") from None
    if np.ndim(values) != 1:
        raise ValueError(f"{name} has {np.ndim(values)} dimensions: it must have 1")
    wrong = np.flatnonzero(~((found >= 0) & (found < math.inf)))
    if wrong.size:
        k = int(wrong[0])
        raise ValueError(
            f"{name}[{k}]={found[k]!s} is not possible: {name} must be finite numbers, 0 or above"
        )
    return found


def in_order(name: str, values: Reals) -> Reals:
    """Return the values, none of which may lie below the one before it."""
    behind = np.flatnonzero(values[1:] < values[:-1])
    if behind.size:
        k = int(behind[0])
        raise ValueError(
            f"{name}[{k + 1}]={values[k + 1]!s} is not possible: {name} must be in order, "
            f"and {values[k]!s} stands before it"
        )
    return values


def times(name: str, values: Any, n: int) -> Reals:
    """Return one number, or one for each of `n` requests."""
    if np.ndim(values) == 0:
        return np.array([not_negative(name, values)], float)
    found = column(name, values)
    if found.size != n:
        raise ValueError(f"{name} has {found.size} values for {n} arrivals: one for each is needed")
    return found


def cold_times(cold_service_s: Any, starts: Reals, n: int) -> Reals:
    """Return what a cold request takes in all, which excludes that it takes longer."""
    if starts.any():
        raise ValueError(
            "cold_start_s is not possible beside cold_service_s: give one, the time that a cold "
            "request takes longer or the time that it takes in all"
        )
    return times("cold_service_s", cold_service_s, n)
