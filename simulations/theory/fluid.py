"""Flows without chance: backlogs, ramps and buckets where rates say enough.

A queue of thousands behaves like water: what comes in, what goes out, how long until empty.
The service limits stand as parameters; their values are in the facts.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math

from simulations._check import not_negative, positive


def backlog(rate_per_s: float, outage_s: float, served_per_s: float = 0.0) -> float:
    """Return the messages waiting after an outage in which only `served_per_s` were done.

    >>> backlog(rate_per_s=100, outage_s=3600)
    360000.0
    """
    grows = not_negative("rate_per_s", rate_per_s) - not_negative("served_per_s", served_per_s)
    return float(max(grows, 0.0) * not_negative("outage_s", outage_s))


def drain_s(backlog: float, capacity_per_s: float, rate_per_s: float = 0.0) -> float:
    """Return the seconds until a backlog is gone while new messages go on arriving.

    Formula: t = B / (c mu - lambda).

    Raises
    ------
    ValueError
        If `capacity_per_s` does not exceed `rate_per_s`: the backlog never ends.

    >>> drain_s(360_000, capacity_per_s=150, rate_per_s=100)
    7200.0
    """
    not_negative("backlog", backlog)
    spare = positive("capacity_per_s", capacity_per_s) - not_negative("rate_per_s", rate_per_s)
    if spare <= 0:
        raise ValueError(
            f"capacity_per_s={capacity_per_s!r} is unstable: it must exceed "
            f"rate_per_s={rate_per_s!r}, or the backlog never ends"
        )
    return backlog / spare


def ramp_drain_s(
    messages: float,
    service_s: float,
    *,
    start: float = 5,
    ramp_per_s: float = 5,
    cap: float = 1250,
) -> float:
    """Return the seconds to drain a backlog whose consumers ramp up (an SQS mapping).

    Formula: the integral of c0 + r t, then of the cap, reaches N S. The defaults are the ramp
    of a standard SQS event source mapping since November 2023. Batches of one, no new
    arrivals.

    >>> [round(ramp_drain_s(100_000, s) / 60, 7) for s in (0.5, 1.7)]
    [2.3404149, 4.3333667]
    """
    work = not_negative("messages", messages) * positive("service_s", service_s)
    not_negative("start", start)
    not_negative("ramp_per_s", ramp_per_s)
    positive("cap", cap)
    if start == 0 and ramp_per_s == 0:
        raise ValueError("start=0 with ramp_per_s=0 is not possible: nothing would ever drain")
    if start >= cap or ramp_per_s == 0:
        return work / min(start, cap)
    until_cap = (cap - start) / ramp_per_s
    in_ramp = (start + cap) / 2 * until_cap
    if work > in_ramp:
        return until_cap + (work - in_ramp) / cap
    # The root of r/2 t^2 + c0 t = work, in the form that does not cancel.
    return 2 * work / (start + math.sqrt(start * start + 2 * ramp_per_s * work))


def scaling_limit(
    at_s: float,
    *,
    start: float = 0,
    burst: float = 1000,
    ramp_per_s: float = 100,
    account_limit: float = math.inf,
) -> float:
    """Return the concurrency that synchronous calls of one function may have reached.

    Formula: C(t) <= C0 + 1000 + 100 t, up to the account's limit. The rate of 1,000 every
    10 s refills continuously; unused scaling does not accrue.

    >>> [scaling_limit(t) for t in (0, 10, 30)]
    [1000.0, 2000.0, 4000.0]
    """
    not_negative("at_s", at_s)
    not_negative("start", start)
    reached = start + not_negative("burst", burst) + not_negative("ramp_per_s", ramp_per_s) * at_s
    return float(min(reached, account_limit))


def scaled_after_s(
    rate_per_s: float,
    duration_s: float,
    *,
    start: float = 0,
    burst: float = 1000,
    ramp_per_s: float = 100,
) -> float:
    """Return the seconds until the scaling rate has caught up with a step of load.

    Formula: C(t) = lambda S solved for t; until then requests are throttled.

    >>> scaled_after_s(rate_per_s=8000, duration_s=0.5)
    30.0
    """
    needed = positive("rate_per_s", rate_per_s) * positive("duration_s", duration_s)
    missing = needed - not_negative("start", start) - not_negative("burst", burst)
    return max(missing, 0.0) / positive("ramp_per_s", ramp_per_s)


def bucket_empty_s(demand_per_s: float, refill_per_s: float, *, capacity_s: float = 300) -> float:
    """Return the seconds until a full bucket of `capacity_s` seconds of refill runs dry.

    Formula: t = 300 R / (x - R) for DynamoDB's burst capacity, which AWS documents as best
    effort. Infinite where the demand does not exceed the refill.

    >>> [bucket_empty_s(x, refill_per_s=100) for x in (150, 200, 400)]
    [600.0, 300.0, 100.0]
    """
    over = positive("demand_per_s", demand_per_s) - positive("refill_per_s", refill_per_s)
    if over <= 0:
        return math.inf
    return not_negative("capacity_s", capacity_s) * refill_per_s / over
