"""A bad release, to play with: orders hit before the alarm, by weight and interval.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from random import Random
from typing import Annotated, NamedTuple

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.experiments.live_counts import percent, poisson, score_interval
from simulations.experiments.versions_aliases import (
    METRIC_DELAY_S,
    MINUTE_S,
    PERSON_S,
    Shift,
)
from simulations.stats import mean_interval

CANARY, LINEAR = "canary", "linear"
#: Weights at which deployments are simulated besides the chosen one, in percent.
WEIGHTS = (1.0, 3.0, 10.0, 30.0, 100.0)
#: Weights of the dashed line. All at once is no canary and stands apart.
FINE = (*(10 ** (k / 8) for k in range(16)), 97.0)
#: Deployments of each weight in each round.
ROUNDS = (50, 150, 400, 600, 800, 1000)
_DELAY_MIN, _PERSON_MIN = round(METRIC_DELAY_S / MINUTE_S), round(PERSON_S / MINUTE_S)


def shift_of(kind: str, weight: float, minutes: int) -> Shift:
    """A deployment that begins with so much weight (0 to 1) and moves every so many minutes.

    A canary adds the rest at once, a linear one the same weight again until it has all.

    Examples
    --------
    >>> shift_of("canary", 0.1, 10).weight(700.0), shift_of("linear", 0.1, 10).weight(700.0)
    (1.0, 0.2)
    """
    every_s = minutes * MINUTE_S
    if weight >= 1:
        return Shift("AllAtOnce", 1.0, 0.0, 1.0, 0.0)
    if kind == CANARY:
        return Shift("canary", weight, 1 - weight, every_s, every_s)
    # Steps until everything is moved; a rest that is only rounding is none.
    steps = math.ceil(1 / weight - 1e-9)
    return Shift("linear", weight, weight, every_s, steps * every_s)


class Course:
    """How much of the traffic a deployment has sent to the new version, minute by minute."""

    def __init__(self, shift: Shift) -> None:
        self.done_min = round(shift.done_s / MINUTE_S)
        weights = (shift.weight(MINUTE_S * minute) for minute in range(self.done_min))
        #: Minutes of the whole traffic, up to the start of each minute of the deployment.
        self.sent = [0.0, *accumulate(weights)]

    def up_to(self, minute: int) -> float:
        """Minutes of the whole traffic that the version had when this minute began."""
        if minute <= self.done_min:
            return self.sent[minute]
        return self.sent[-1] + minute - self.done_min

    def minute_of(self, sent: float) -> int:
        """The minute in which it has had so much."""
        if sent >= self.sent[-1]:
            return self.done_min + int(sent - self.sent[-1])
        return bisect_right(self.sent, sent) - 1

    def back_min(self, minute: int) -> tuple[bool, int]:
        """Whether an alarm on this minute is in time, and when the version is gone."""
        back_min = minute + 1 + _DELAY_MIN
        in_time = back_min < self.done_min
        return in_time, back_min if in_time else back_min + _PERSON_MIN


class Ended(NamedTuple):
    """What became of one bad release."""

    in_time: bool
    """Whether the alarm took it back before the deployment was over."""
    hit: int
    """Orders that met the bug until it was gone."""


def release(course: Course, failing_per_min: float, random: Random) -> Ended:
    """Deploy once; `failing_per_min` orders would fail a minute with all the traffic.

    An alarm rings when a minute had a failed order, and acts a minute later: at once while the
    deployment runs, through a person after it. The same as `versions_aliases.deploy`, which goes
    order by order; here the first failure is drawn, and how many more come until the end.
    """
    first = -math.log1p(-random.random()) / failing_per_min
    in_time, back_min = course.back_min(course.minute_of(first))
    more = failing_per_min * max(course.up_to(back_min) - first, 0.0)
    return Ended(in_time, 1 + poisson(random, more))


def expected(course: Course, failing_per_min: float) -> tuple[float, float]:
    """Exact share taken back in time, and mean orders hit (`versions_aliases.expected`, faster).

    Examples
    --------
    >>> course = Course(shift_of("canary", 0.1, 10))
    >>> [round(value, 3) for value in expected(course, 3.0)]
    [0.909, 9.903]
    """
    caught = hit = 0.0
    minute, unseen = 0, 1.0
    while unseen > 1e-12:
        begin, end = course.up_to(minute), course.up_to(minute + 1)
        seen = unseen * -math.expm1(-failing_per_min * (end - begin))
        in_time, back_min = course.back_min(minute)
        caught += seen * in_time
        hit += unseen * failing_per_min * (end - begin)
        hit += seen * failing_per_min * (course.up_to(back_min) - end)
        unseen -= seen
        minute += 1
    return caught, hit


@experiment(
    "versions-aliases",
    presets={
        "bad bug": {"bug": 50.0},
        "rare bug": {"bug": 0.5},
        "quiet night": {"orders_per_min": 6.0, "minutes": 5},
    },
)
def bad_release(
    weight: Annotated[float, Slider(1, 100, log=True, label="weight at first", unit="%")] = 10.0,
    minutes: Annotated[int, Slider(1, 30, log=True, label="interval", unit="min")] = 10,
    bug: Annotated[
        float, Slider(0.5, 50, log=True, label="orders that meet the bug", unit="%")
    ] = 5.0,
    orders_per_min: Annotated[
        float, Slider(6, 6000, log=True, label="orders", unit="a minute")
    ] = 60.0,
    kind: Annotated[str, Choice((CANARY, LINEAR), label="deployment")] = CANARY,
    seed: int = 1,
) -> Iterator[Result]:
    """Orders hit by a bad release until it is gone, against the weight it begins with.

    The alarm rings on one failed order in a minute and acts a minute later; once the deployment
    is over, a person takes half an hour more. The dashed line is exact.
    """
    failing_per_min = orders_per_min * bug / 100
    exact: dict[float, tuple[float, float]] = {}

    def theory(weights: Iterable[float]) -> Series:
        for w in weights:
            if w not in exact:
                exact[w] = expected(Course(shift_of(kind, w / 100, minutes)), failing_per_min)
        known = sorted(w for w in exact if w < 100)
        return Series("theory", known, [exact[w][1] for w in known], "line", "theory")

    tried = sorted({*WEIGHTS, weight})
    randoms = {w: Random(f"{seed} {w}") for w in tried}
    runs: dict[float, list[Ended]] = {w: [] for w in tried}
    for number, times in enumerate(ROUNDS):
        for w in tried:
            course = Course(shift_of(kind, w / 100, minutes))
            runs[w].extend(release(course, failing_per_min, randoms[w]) for _ in range(times))
        # The whole line only after the first frame.
        dashed = theory((*FINE, weight) if number else (*FINE[::8], weight))
        found = [mean_interval([one.hit for one in runs[w]]) for w in tried]
        points = Series(
            "simulated", tried, [i.mean for i in found], "points", "coupled",
            # On a logarithmic axis nothing has no place.
            [max(i.low, 0.1) for i in found], [i.high for i in found],
        )  # fmt: skip
        here, hit = runs[weight], found[tried.index(weight)]
        numbers = {
            "orders hit": Number(hit.mean, "", max(hit.low, 0.0), hit.high),
            "orders hit by theory": Number(exact[weight][1]),
            "taken back in time": percent(
                score_interval(sum(one.in_time for one in here), len(here))
            ),
            "in time by theory": Number(100 * exact[weight][0], "%"),
            "a good release takes": Number(shift_of(kind, weight / 100, minutes).done_s, "s"),
        }
        yield Result(
            Axis("weight at first", "%", log=True), Axis("orders hit", log=True),
            (dashed, points), numbers, progress=(number + 1) / len(ROUNDS),
        )  # fmt: skip
