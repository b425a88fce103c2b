"""Experiments of the chapter *versions and aliases*: what a canary finds, and whom it costs.

An alias draws a version for every request; an alarm watches the new version's errors minute by
minute; a deployment shifts the weight and goes back if the alarm rings in time. May import: the
standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Annotated, NamedTuple

from simulations._check import between, positive, whole
from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.stats import Interval, mean_interval, share_interval
from simulations.theory import FixedPlan, Sprt, missed_in

MINUTE_S = 60.0

#: Seconds after a minute ends until the alarm has seen its errors. An assumption: CloudWatch
#: evaluates alarms of one-minute periods every minute (fact `cw.eval`), but documents no delay
#: of the metric itself.
METRIC_DELAY_S = 60.0
#: Seconds until a person has rolled back a version that the deployment let through. Assumed.
PERSON_S = 1800.0


@dataclass(frozen=True)
class Shift:
    """How a deployment moves traffic to the new version.

    Attributes
    ----------
    name : str
        As CodeDeploy calls it, without its prefix.
    first, step : float
        The weight at the start, and what is added every `every_s` (a canary adds the rest).
    every_s : float
        Seconds between two steps.
    done_s : float
        When the deployment is over: from then on no alarm rolls back by itself.
    """

    name: str
    first: float
    step: float
    every_s: float
    done_s: float

    def weight(self, at_s: float) -> float:
        """The new version's weight so many seconds after the start.

        >>> [SHIFTS["Linear10PercentEvery1Minute"].weight(s) for s in (0, 130, 900)]
        [0.1, 0.3, 1.0]
        """
        if at_s >= self.done_s:
            return 1.0
        return min(round(self.first + self.step * math.floor(at_s / self.every_s), 12), 1.0)


def _canary(minutes: int) -> Shift:
    return Shift(f"Canary10Percent{minutes}Minutes", 0.1, 0.9, minutes * 60.0, minutes * 60.0)


def _linear(minutes: int) -> Shift:
    plural = "s" if minutes > 1 else ""
    name = f"Linear10PercentEvery{minutes}Minute{plural}"
    return Shift(name, 0.1, 0.1, minutes * 60.0, minutes * 600.0)


#: What CodeDeploy has ready for Lambda. Source: AWS SAM, docs/safe_lambda_deployments.rst, and
#: the CodeDeploy User Guide, deployment-configurations, read in copies of 2026-11.
SHIFTS = {
    shift.name: shift
    for shift in (
        Shift("AllAtOnce", 1.0, 0.0, 1.0, 0.0),
        *map(_canary, (5, 10, 15, 30)),
        *map(_linear, (1, 2, 3, 10)),
    )
}


class Deployment(NamedTuple):
    """What became of one deployment."""

    rolled_back: bool
    bad_s: float
    requests: int
    hit: int


def deploy(
    shift: Shift,
    random: Random,
    *,
    rate_per_s: float = 1.0,
    bug_rate: float = 0.05,
    other_errors: float = 0.0,
    errors: int = 1,
    minutes: int = 1,
) -> Deployment:
    """Run one deployment, request by request.

    The alarm rings when the new version had at least `errors` errors in each of `minutes` minutes
    in a row. Before the deployment is over it brings the old version back; afterwards a
    person does, `PERSON_S` later. With `bug_rate=0` a rollback is a false one.

    Parameters
    ----------
    rate_per_s : float
        Poisson requests to the alias.
    bug_rate, other_errors : float
        Chance that the new version's request meets the bug, or fails for another reason.

    Returns
    -------
    Deployment
        Whether the alarm rolled back in time, when the new version was gone (or trusted), how
        many requests it had by then, and how many of them met the bug.
    """
    positive("rate_per_s", rate_per_s)
    between("bug_rate", bug_rate, 0, 1)
    between("other_errors", other_errors, 0, 1)
    whole("errors", errors, low=1)
    whole("minutes", minutes, low=1)
    draw = random.random
    at_s, minute, seen, in_a_row = 0.0, 0, 0, 0
    requests = hit = 0
    back_s = math.inf
    rolled_back = False
    # Nobody watches a version without a bug after it was trusted.
    until_s = shift.done_s + (1e9 if bug_rate else 0.0)
    while True:
        at_s -= math.log(1 - draw()) / rate_per_s
        while at_s >= (minute + 1) * MINUTE_S and back_s == math.inf:
            in_a_row = in_a_row + 1 if seen >= errors else 0
            seen, minute = 0, minute + 1
            if in_a_row >= minutes:
                rings_s = minute * MINUTE_S + METRIC_DELAY_S
                rolled_back = rings_s < shift.done_s
                back_s = rings_s if rolled_back else rings_s + PERSON_S
        if at_s >= min(back_s, until_s):
            return Deployment(rolled_back, min(back_s, until_s), requests, hit)
        if draw() < shift.weight(at_s):
            requests += 1
            fails = draw()
            if fails < bug_rate:
                hit += 1
                seen += 1
            elif fails < bug_rate + (1 - bug_rate) * other_errors:
                seen += 1


def first_hit_s(
    random: Random, rate_per_s: float, weight: float, bug_rate: float, most_s: float
) -> float:
    """Seconds until a request that the alias sends to the new version meets the bug.

    Infinite if none does within `most_s`.
    """
    draw, at_s = random.random, 0.0
    while True:
        at_s -= math.log(1 - draw()) / rate_per_s
        if at_s > most_s:
            return math.inf
        if draw() < weight and draw() < bug_rate:
            return at_s


#: Bug rates of the first figure, with their colors and where their names stand.
BUGS: tuple[tuple[float, Role, float], ...] = (
    (0.05, "coupled", 1.2),
    (0.01, "fifth", 9.0),
    (0.001, "decoupled", 120.0),
)
#: Minutes at which the simulated canaries are looked at.
LOOKS_MIN = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


@experiment("versions-aliases")
def seen_in(
    rate_per_min: Annotated[float, Slider(1, 6000, log=True)] = 60.0,
    weight: Annotated[float, Slider(0.01, 1, log=True)] = 0.1,
    canaries: Annotated[int, Slider(50, 5000, log=True)] = 400,
    seed: int = 1,
) -> Iterator[Result]:
    """Chance that a canary has met the bug, against its running time; three bug rates.

    Numbers: "points" counts the simulated points, "points that hold the theory" those whose
    interval does.
    """
    rate_per_s = rate_per_min / 60
    fine = [0.5 * 10 ** (k / 16) for k in range(55)]
    series: list[Series] = [
        Series("", (fine[0], fine[-1]), (95.0, 95.0), "line", "limit"),
    ]
    points = holding = 0
    for bug_rate, *_ in BUGS:
        exact = [100 * (1 - missed_in(bug_rate, rate_per_s, weight, 60 * t)) for t in fine]
        series.append(Series("", fine, exact, "line", "theory"))
    for bug_rate, role, label_at in BUGS:
        random = Random(f"{seed} {bug_rate}")
        # Looking much beyond three mean times costs much and shows little.
        most_s = min(3.5 / (rate_per_s * weight * bug_rate), 60 * LOOKS_MIN[-1])
        looks = [t for t in LOOKS_MIN if 60 * t <= most_s]
        # The rarer the bug, the more requests a canary takes.
        number = max(int(canaries * min(1.0, 50 * bug_rate)), 100)
        found = [first_hit_s(random, rate_per_s, weight, bug_rate, most_s) for _ in range(number)]
        shares = [share_interval(sum(s <= 60 * t for s in found), number) for t in looks]
        for t, share in zip(looks, shares, strict=True):
            points += 1
            holding += (
                share.low <= 1 - missed_in(bug_rate, rate_per_s, weight, 60 * t) <= share.high
            )
        series.append(
            Series(
                f"{100 * bug_rate:g} % bug", looks, [100 * s.mean for s in shares], "points", role,
                [100 * s.low for s in shares], [100 * s.high for s in shares], label_at,
            )
        )  # fmt: skip
        numbers = {
            "points": Number(points),
            "points that hold the theory": Number(holding),
        }
        yield Result(
            Axis("running time", "min", log=True),
            Axis("bug seen at least once", "%"),
            tuple(series),
            numbers,
        )


class Release(NamedTuple):
    """What a way of deploying does with bad versions."""

    caught: Interval
    hit: Interval


def releases(
    shift: Shift,
    rate_per_min: float,
    bug_rate: float = 0.05,
    *,
    other_errors: float = 0.0,
    errors: int = 1,
    minutes: int = 1,
    number: int = 200,
    seed: int = 1,
) -> Release:
    """Deploy the same version many times: the share rolled back in time, and the mean hit.

    >>> found = releases(SHIFTS["Canary10Percent10Minutes"], 60.0, number=50)
    >>> found.caught.mean > 0.8
    True
    """
    random = Random(f"{seed} {shift.name} {float(rate_per_min)} {float(bug_rate)} {other_errors}")
    runs = [
        deploy(
            shift, random, rate_per_s=rate_per_min / 60, bug_rate=bug_rate,
            other_errors=other_errors, errors=errors, minutes=minutes,
        )
        for _ in range(number)
    ]  # fmt: skip
    caught = share_interval(sum(run.rolled_back for run in runs), number)
    return Release(caught, mean_interval([run.hit for run in runs]))


def expected(shift: Shift, rate_per_min: float, bug_rate: float = 0.05) -> tuple[float, float]:
    """Exact share rolled back in time, and mean requests hit, of an alarm on one error.

    Hits are Poisson within each minute; all delays are whole minutes.

    >>> [round(value, 3) for value in expected(SHIFTS["Canary10Percent10Minutes"], 60.0)]
    [0.909, 9.903]
    """
    failing = positive("rate_per_min", rate_per_min) * positive("bug_rate", bug_rate)
    caught = hit = 0.0
    unseen, minute = 1.0, 0
    while unseen > 1e-12:
        here = failing * shift.weight(MINUTE_S * minute)
        seen = unseen * -math.expm1(-here)
        minute += 1
        back_s = minute * MINUTE_S + METRIC_DELAY_S
        if back_s < shift.done_s:
            caught += seen
        else:
            back_s += PERSON_S
        later = math.fsum(shift.weight(MINUTE_S * m) for m in range(minute, int(back_s / MINUTE_S)))
        hit += unseen * here + seen * failing * later
        unseen -= seen
    return caught, hit


def rings_in_time(
    shift: Shift, rate_per_min: float, error_rate: float, errors: int = 1, minutes: int = 1
) -> float:
    """Exact chance that `errors` in each of `minutes` minutes in a row roll a deployment back.

    >>> round(rings_in_time(SHIFTS["Canary10Percent30Minutes"], 60.0, 0.01), 2)
    0.81
    """
    # Share of deployments by minutes in a row so far; those that rang leave.
    in_a_row = [1.0] + [0.0] * (whole("minutes", minutes, low=1) - 1)
    for minute in range(round((shift.done_s - METRIC_DELAY_S) / MINUTE_S) - 1):
        mean = rate_per_min * error_rate * shift.weight(MINUTE_S * minute)
        calm = math.fsum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(errors))
        in_a_row = [math.fsum(in_a_row) * calm, *(share * (1 - calm) for share in in_a_row[:-1])]
    return 1 - math.fsum(in_a_row)


@experiment("versions-aliases")
def frontier(
    rate_per_min: Annotated[float, Slider(6, 600, log=True)] = 60.0,
    bug_rate: Annotated[float, Slider(0.005, 0.5, log=True)] = 0.05,
    deployments: Annotated[int, Slider(50, 2000, log=True)] = 200,
    seed: int = 1,
) -> Result:
    """Orders hit by a bad release against the minutes that every release takes.

    Numbers, for each of CodeDeploy's gradual ways: "caught NAME" and "hit NAME".
    """
    numbers: dict[str, Number] = {}
    series = []
    level = expected(SHIFTS["AllAtOnce"], rate_per_min, bug_rate)[1]
    series.append(Series("all at once", (4.0, 120.0), (level, level), "line", "limit"))
    kinds: tuple[tuple[str, str, Role], ...] = (
        ("canary 10 %", "Canary", "coupled"),
        ("linear 10 %", "Linear", "decoupled"),
    )
    found: dict[str, Release] = {}
    for name, prefix, role in kinds:
        shifts = [s for s in SHIFTS.values() if s.name.startswith(prefix)]
        runs = [releases(s, rate_per_min, bug_rate, number=deployments, seed=seed) for s in shifts]
        found.update({s.name: run for s, run in zip(shifts, runs, strict=True)})
        minutes = [s.done_s / 60 for s in shifts]
        exact = [expected(s, rate_per_min, bug_rate)[1] for s in shifts]
        series.append(Series("", minutes, exact, "line", "theory"))
        series.append(
            Series(
                name, minutes, [r.hit.mean for r in runs], "points", role,
                [max(r.hit.low, 0.1) for r in runs], [r.hit.high for r in runs],
            )
        )  # fmt: skip
    for name, run in found.items():
        numbers[f"caught {name}"] = Number(run.caught.mean, "", run.caught.low, run.caught.high)
        numbers[f"hit {name}"] = Number(run.hit.mean, "", run.hit.low, run.hit.high)
    return Result(
        Axis("what every release takes", "min", log=True),
        Axis("orders hit by a bad release", log=True),
        tuple(series),
        numbers,
    )


class Verdicts(NamedTuple):
    """How a test judged many versions that fail at one rate."""

    rejected: Interval
    requests: Interval


def judged_one_by_one(plan: Sprt, p: float, number: int = 400, seed: int = 1) -> Verdicts:
    """Put many versions through the sequential test.

    >>> from simulations.theory import sprt
    >>> judged_one_by_one(sprt(0.01, 0.05), 0.05, number=200).rejected.mean > 0.9
    True
    """
    draw = Random(f"{seed} one by one {p}").random
    rejected, lengths = 0, []
    for _ in range(number):
        evidence, seen = 0.0, 0
        while plan.trust < evidence < plan.reject:
            seen += 1
            evidence += plan.failed if draw() < p else plan.passed
        rejected += evidence >= plan.reject
        lengths.append(seen)
    return Verdicts(share_interval(rejected, number), mean_interval(lengths))


def judged_at_once(plan: FixedPlan, p: float, number: int = 400, seed: int = 1) -> Verdicts:
    """Put many versions through the fixed count, to its end.

    >>> from simulations.theory import fixed_plan
    >>> judged_at_once(fixed_plan(0.01, 0.05), 0.05, number=50).requests.mean
    181.0
    """
    draw = Random(f"{seed} at once {p}").random
    rejected = sum(
        sum(draw() < p for _ in range(plan.requests)) > plan.accept for _ in range(number)
    )
    count = float(plan.requests)
    return Verdicts(share_interval(rejected, number), Interval(count, count, count))
