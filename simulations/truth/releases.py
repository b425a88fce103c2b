"""Trust rows of versions and aliases: what canaries find, against the mathematics of it.

May import every room but the figures.
"""

from __future__ import annotations

import math

from simulations.experiments.versions_aliases import (
    METRIC_DELAY_S,
    SHIFTS,
    Shift,
    judged_one_by_one,
    releases,
)
from simulations.stats import Interval
from simulations.theory import hit_before_alarm, sprt
from simulations.truth import Compared, row

_WALD = "A. Wald, Sequential tests of statistical hypotheses, 1945"
_WALD_URL = "https://doi.org/10.1214/aoms/1177731118"


def _percent(share: Interval) -> Interval:
    return Interval(*(100 * value for value in share))


@row(
    "canary-caught",
    kind="verification",
    what="Bad releases rolled back by Canary10Percent10Minutes (60 requests a minute, 5 % bug)",
    source="1 - exp(-lambda w b t) without the alarm's last two minutes (closed form)",
    chapter="versions-aliases",
    margin=0.03,
    unit="%",
)
def canary_caught() -> Compared:
    """The deployment simulated request by request, against its closed form."""
    found = releases(SHIFTS["Canary10Percent10Minutes"], 60.0, number=3000)
    return Compared(_percent(found.caught), 100 * -math.expm1(-0.05 * 6 * 8))


@row(
    "canary-hit",
    kind="verification",
    what="Orders that fail before the alarm acts (10 % of 60 a minute, 5 % bug)",
    source="r (1 / (1 - exp(-r)) + D) (closed form, renewal argument)",
    chapter="versions-aliases",
    margin=0.05,
    unit="orders",
)
def canary_hit() -> Compared:
    """A canary that no bug gets through, against its closed form."""
    watched = Shift("a canary that is watched for ever", 0.1, 0.0, 1e9, 1e9)
    found = releases(watched, 60.0, number=4000)
    return Compared(found.hit, hit_before_alarm(0.3, METRIC_DELAY_S / 60))


@row(
    "sequential-length",
    kind="verification",
    what="Mean requests of the sequential test, 1 % against 5 %, for a bad version",
    source="exact recursion over the failures so far",
    chapter="versions-aliases",
    unit="requests",
    margin=0.03,
)
def sequential_length() -> Compared:
    """The simulated test against the exact mean length."""
    plan = sprt(0.01, 0.05)
    return Compared(judged_one_by_one(plan, 0.05, number=8000).requests, plan.exact(0.05)[1])


@row(
    "sequential-wald",
    kind="verification",
    what="Mean requests of the sequential test, 1 % against 5 %, for a bad version",
    source=_WALD,
    url=_WALD_URL,
    chapter="versions-aliases",
    unit="requests",
    margin=0.05,
    why="Wald's formula ignores that the last failure oversteps the bound; one failure is worth "
    "more than half the way to it here.",
)
def sequential_wald() -> Compared:
    """The exact mean length against Wald's approximation: a miss that is Wald's."""
    plan = sprt(0.01, 0.05)
    exact = plan.exact(0.05)[1]
    return Compared(Interval(exact, exact, exact), plan.mean_requests(0.05))


@row(
    "sequential-error",
    kind="verification",
    what="Good versions that the sequential test rolls back (1 % against 5 %, nominally 5 %)",
    source="Wald's bound: at most alpha / (1 - beta)",
    url=_WALD_URL,
    chapter="versions-aliases",
    unit="%",
)
def sequential_error() -> Compared:
    """The simulated error against Wald's inequality."""
    found = judged_one_by_one(sprt(0.01, 0.05), 0.01, number=3000).rejected
    most = 100 * 0.05 / 0.95
    return Compared(_percent(found), most, 0.0, most)
