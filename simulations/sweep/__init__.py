"""Many runs of one experiment: over a grid, with intervals, kept on disk, on any executor.

This file is light; what does the work is loaded when a sweep begins. May import: the standard
library, `simulations._check` and `simulations.experiment`; inside functions this room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulations._check import positive

if TYPE_CHECKING:
    from simulations.experiment import Experiment
    from simulations.sweep.table import Sweep

__all__ = ["Precision", "RunFailed", "WorkersLost", "sweep"]


class RunFailed(RuntimeError):
    """A run ended in an error of the experiment's own; the message says which run and why."""


class WorkersLost(RuntimeError):
    """Workers died or went away before all was done; the message says how to go on."""


@dataclass(frozen=True)
class Precision:
    """Until when runs are added at each point of a sweep.

    Attributes
    ----------
    number : str
        Name of the experiment's number that is to be known so well.
    half_width : float
        Half the length that its interval may have: in the number's unit, or with `relative`
        as a share of its mean.
    at_most : int
        Replications at which a point is given up; its interval is then longer.

    Examples
    --------
    >>> Precision("cold share", 0.05, relative=True).at_most
    1000
    >>> Precision("cold share", 0)
    Traceback (most recent call last):
    ValueError: half_width=0 is not possible: half_width must be a finite number above 0
    """

    number: str
    half_width: float
    relative: bool = False
    at_most: int = 1000

    def __post_init__(self) -> None:
        positive("half_width", self.half_width)


def sweep(
    experiment: Experiment,
    grid: Mapping[str, Sequence[Any]],
    replications: int = 10,
    executor: Executor | None = None,
    *,
    seed: int = 1,
    precision: Precision | None = None,
    level: float = 0.95,
    cache: str | Path | None = "default",
    quiet: bool = False,
) -> Sweep:
    """Run an experiment at every point of a grid, several times, and return a table.

    Common random numbers: replication k has the same seed, a hash of `seed` and k, at every
    point, so differences between points are differences of pairs. The table depends on the
    experiment, the grid, the replications and the seed; not on the number or kind of workers,
    nor on the order in which they finish.

    Every finished run is kept in a file of its own, under a name made from the sources that the
    experiment depends on (its module and what that imports, followed through the library, with
    the data in it and the versions of installed packages), from its parameters and its seed. A
    sweep that was killed and is called again runs only what is missing. A change of the sources
    runs everything anew.

    Cost: about 1 ms a run beside the run itself. Memory: the numbers of all runs.

    Parameters
    ----------
    experiment : Experiment
        One that has a `seed` and can be imported by its module and name, as workers do.
    grid : mapping of parameter to values
        Every combination is a point; parameters that are not named keep their defaults.
    replications : int
        Runs of each point, or with `precision` the fewest.
    executor : concurrent.futures.Executor, optional
        Where it runs: `ProcessPoolExecutor(8)`, `Client(...).get_executor()` of Dask, any
        other. Without, one process for each processor of this machine.
    seed : int
        Where the seeds of the replications come from.
    precision : Precision, optional
        Adds runs to each point until the interval is short enough. The point's runs are then
        the fewest, at least `replications`, that reach it. Stopping at a good moment makes
        intervals a little too short; begin with 10 replications or more.
    level : float
        Confidence of the intervals (Student's t over replications).
    cache : path, optional
        Folder in which finished runs are kept: by default `$SBE_CACHE` or
        `~/.cache/serverless-by-experiment`. None keeps nothing.
    quiet : bool
        Show no progress bar.

    Returns
    -------
    Sweep
        One row a point: its parameters, `replications` and, for each number of the experiment,
        the mean, `... low` and `... high`. `.runs` has one row a run.

    Raises
    ------
    ValueError
        If an input is not possible; before anything runs.
    RunFailed
        If a run raises. What is finished is kept.
    WorkersLost
        If the given executor lost its workers, or if the processes started here die again and
        again. What is finished is kept; the same call goes on from there.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from simulations.experiments.measure_first import pairing
    >>> with ThreadPoolExecutor(1) as pool:  # processes are quicker; this is for two runs
    ...     found = sweep(
    ...         pairing, {"faster": [1.02, 1.1]}, 2, pool, cache=None, quiet=True
    ...     )
    >>> found["faster"], found["replications"], found["saving"][0] > found["saving"][1]
    ([1.02, 1.1], [2, 2], True)
    >>> sweep(pairing, {"fasster": [1.1]}, 2)
    Traceback (most recent call last):
    ValueError: pairing has no parameter 'fasster'; it has requests, runs, faster, seed
    """
    from simulations.sweep.crew import Crew
    from simulations.sweep.plan import plan_of
    from simulations.sweep.running import run

    plan = plan_of(experiment, grid, replications, seed, precision, level)
    if executor is not None and not hasattr(executor, "submit"):
        raise ValueError(f"executor={executor!r} is no executor: it has no submit()")
    return run(plan, Crew(executor), cache, quiet)
