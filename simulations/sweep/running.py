"""The course of a sweep: what is kept is read, the rest is run, and a table is made.

Which runs the table holds is decided by their numbers in the order of replications, never by
the order in which they end. May import: the standard library, `simulations.stats`, this room,
and tqdm where it is installed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from simulations.stats import mean, mean_interval, runs_needed, variance
from simulations.sweep import Precision, RunFailed, WorkersLost
from simulations.sweep.crew import Crew
from simulations.sweep.kept import Kept, Numbers, folder_of
from simulations.sweep.plan import Plan
from simulations.sweep.sources import digest
from simulations.sweep.table import Sweep, Table
from simulations.sweep.work import Task


class Point:
    """The runs of one point so far, and how many it needs as far as they tell."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.found: dict[int, Numbers] = {}
        self.asked = 0
        self.wanted = plan.replications
        #: Replications before this one do not reach the precision.
        self.looked = plan.replications
        self.settled = False

    def more(self) -> Iterator[int]:
        """Yield the replications that are wanted and were not asked for."""
        while self.asked < self.wanted:
            yield self.asked
            self.asked += 1

    def add(self, replication: int, numbers: Numbers) -> None:
        """Take in a run, and look whether it is the one that reaches the precision."""
        self.found[replication] = numbers
        precision = self.plan.precision
        if precision is None:
            return
        while not self.settled and all(k in self.found for k in range(self.looked)):
            values = self.values(precision.number, self.looked)
            if precise(values, precision, self.plan.level) or self.looked >= precision.at_most:
                self.settled, self.wanted = True, self.looked
            else:
                self.looked += 1
                self.wanted = max(self.wanted, self.looked, self._guess(values, precision))

    def _guess(self, values: list[float], precision: Precision) -> int:
        """How many runs it may take, at most twice those there are: workers shall not wait."""
        sd = math.sqrt(variance(values))
        wanted = _half_width(values, precision)
        if not (sd > 0 and wanted > 0):
            return 0
        if sd / wanted > 1e3:  # then twice is not enough anyway
            return min(2 * len(values), precision.at_most)
        needed = runs_needed(sd, wanted, self.plan.level)
        return min(needed, 2 * len(values), precision.at_most)

    def values(self, number: str, first: int) -> list[float]:
        """The values of a number in the first replications."""
        for k in range(first):
            if number not in self.found[k]:
                known = ", ".join(self.found[k])
                raise ValueError(f"precision: no number {number!r}; there are {known}")
        return [float(self.found[k][number][0]) for k in range(first)]


def _half_width(values: list[float], precision: Precision) -> float:
    return precision.half_width * (abs(mean(values)) if precision.relative else 1.0)


def precise(values: list[float], precision: Precision, level: float) -> bool:
    """Tell whether the interval over these runs is short enough.

    >>> precise([1.0, 1.1, 0.9], Precision("x", 0.3), 0.95)
    True
    """
    return mean_interval(values, level).half_width <= _half_width(values, precision)


def run(plan: Plan, crew: Crew, cache: str | Path | None, quiet: bool) -> Sweep:
    """Run what is missing and return the table."""
    points = [Point(plan) for _ in plan.points]
    kept = None
    try:
        state = digest(plan.module)
        kept = Kept(folder_of(cache), plan.module, plan.name, state)
        ran = _run(plan, crew, kept, points, state, quiet)
    except WorkersLost as lost:
        done = sum(len(point.found) for point in points)
        goes_on = kept is not None and kept.folder is not None
        again = "the same call goes on from there" if goes_on else "cache=None kept nothing"
        raise WorkersLost(f"{lost}; {done} runs are finished: {again}") from lost.__cause__
    finally:
        # After an error there may be answers that nobody has taken: they are finished, too.
        for task, answer in crew.dismiss():
            if kept is not None and not answer.error:
                kept.put(plan.points[task.point], task.seed, answer.numbers)
    return _table(plan, points, ran)


def _run(plan: Plan, crew: Crew, kept: Kept, points: list[Point], state: str, quiet: bool) -> int:
    """Bring every point to its runs; return how many were made now."""
    made = 0
    bar = _bar(sum(point.wanted for point in points), quiet)

    def give(task: Task) -> None:
        crew.give(task, plan.module, plan.name, state, plan.points[task.point], task.seed)

    def launch(number: int) -> None:
        point = points[number]
        for replication in point.more():
            seed = plan.seed_of(replication)
            held = kept.get(plan.points[number], seed)
            if held is None:
                give(Task(number, replication, seed))
            else:
                point.add(replication, held)
                bar.update()

    try:
        for number in range(len(points)):
            launch(number)
        while crew.flying or crew.back:
            if not crew.flying:
                crew.renew()
                again, crew.back = crew.back, []
                for task in again:
                    give(task)
                continue
            taken = crew.take()
            if taken is None:
                continue
            task, answer = taken
            parameters = plan.points[task.point]
            if answer.error:
                where = ", ".join(f"{k}={v!r}" for k, v in parameters.items())
                raise RunFailed(
                    f"{plan.name}({where}, seed={task.seed}): {answer.error}\n{answer.trace}".strip()
                )
            kept.put(parameters, task.seed, answer.numbers)
            made += 1
            points[task.point].add(task.replication, answer.numbers)
            launch(task.point)
            bar.total = max(bar.total, sum(point.asked for point in points))
            bar.update()
    finally:
        bar.close()
    return made


class NoBar:
    """A progress bar that shows nothing."""

    total = 0

    def update(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _bar(total: int, quiet: bool) -> Any:
    if not quiet:
        with suppress(ImportError):
            from tqdm import tqdm

            return tqdm(total=total, unit="run", desc="sweep")
    return NoBar()


# ---------------------------------------------------------------- the table


def _table(plan: Plan, points: list[Point], ran: int) -> Sweep:
    chosen = [[point.found[k] for k in range(point.wanted)] for point in points]
    names = list(dict.fromkeys(name for runs in chosen for one in runs for name in one))
    units = {name: next(o[name][1] for r in chosen for o in r if name in o) for name in names}
    parameters = list(plan.points[0])
    clash = set(names) & {*parameters, "replications", "replication", "seed"}
    # A number that is called like a parameter is what came out, not what went in.
    titles = {name: f"{name} found" if name in clash else name for name in names}

    columns: dict[str, list[Any]] = {p: [at[p] for at in plan.points] for p in parameters}
    columns["replications"] = [point.wanted for point in points]
    single: dict[str, list[Any]] = {p: [] for p in (*parameters, "replication", "seed")}
    for name in names:
        values = [[_value(one, name) for one in runs] for runs in chosen]
        spans = [_interval(v, plan.level) for v in values]
        for k, ending in enumerate(("", " low", " high")):
            columns[titles[name] + ending] = [span[k] for span in spans]
        single[titles[name]] = [value for of_point in values for value in of_point]
    for at, runs in zip(plan.points, chosen, strict=True):
        for replication, _ in zip(count(), runs):
            for p in parameters:
                single[p].append(at[p])
            single["replication"].append(replication)
            single["seed"].append(plan.seed_of(replication))
    told = {titles[name]: unit for name, unit in units.items() if unit}
    asked = sum(len(point.found) for point in points)
    return Sweep(columns, told, Table(single, told), ran, asked - ran, plan.level)


def _value(numbers: Numbers, name: str) -> float:
    return float(numbers[name][0]) if name in numbers else math.nan


def _interval(values: list[float], level: float) -> tuple[float, float, float]:
    if not all(math.isfinite(v) for v in values):
        return math.nan, math.nan, math.nan
    if len(values) == 1:
        return values[0], math.nan, math.nan
    return tuple(mean_interval(values, level))  # type: ignore[return-value]
