"""What a sweep is going to run: checked, and in an order that depends on its input alone.

May import: the standard library, and `simulations`' checks and experiment.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from typing import Any

from simulations._check import finite, whole
from simulations.experiment import Experiment
from simulations.sweep import Precision

#: Seeds stay below 2 ** 53, so that a thousandfold of one fits a 64-bit integer.
SEED_BITS = 53


@dataclass(frozen=True)
class Plan:
    """A checked sweep: the experiment's address, the points, and when each is done."""

    module: str
    name: str
    points: tuple[dict[str, Any], ...]
    replications: int
    seed: int
    precision: Precision | None
    level: float

    def seed_of(self, replication: int) -> int:
        """Return the seed of a replication, the same at every point."""
        digest = blake2b(f"{self.seed}:replication {replication}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") >> (64 - SEED_BITS)


def plan_of(
    experiment: Experiment,
    grid: Mapping[str, Sequence[Any]],
    replications: int,
    seed: int,
    precision: Precision | None,
    level: float,
) -> Plan:
    """Check every input of a sweep; raise ValueError before anything runs."""
    if not isinstance(experiment, Experiment):
        raise ValueError(f"experiment={experiment!r} was not made by @experiment")
    _importable(experiment)
    if "seed" not in experiment.controls:
        raise ValueError(f"{experiment.name} has no parameter 'seed', so runs cannot differ")
    if experiment.controls["seed"] is not None:
        raise ValueError(
            f"the seed of {experiment.name} has limits; a sweep needs any whole number"
        )
    points = _points(experiment, grid)
    runs = whole("replications", replications, low=1)
    if not 0 < finite("level", level) < 1:
        raise ValueError(f"level={level!r} is not possible: level must lie between 0 and 1")
    if precision is not None:
        if not isinstance(precision, Precision):
            raise ValueError(f"precision={precision!r} is no Precision(number, half_width)")
        whole("replications", replications, low=2)
        whole("at_most", precision.at_most, low=runs)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"seed={seed!r} is not a whole number")
    return Plan(experiment.__module__, experiment.name, points, runs, seed, precision, float(level))


def find(module: str, name: str) -> Experiment:
    """Return the experiment of that name in that module."""
    found = getattr(importlib.import_module(module), name, None)
    if not isinstance(found, Experiment):
        raise ValueError(f"{module} has no experiment {name!r}")
    return found


def _importable(experiment: Experiment) -> None:
    module, name = experiment.__module__, experiment.name
    advice = "workers find an experiment by module and name: put it at the top level of a file"
    if module == "__main__":
        raise ValueError(f"{name} is defined in the main program; {advice} that it imports")
    try:
        found = find(module, name)
    except (ImportError, ValueError) as error:
        raise ValueError(f"{name} cannot be imported ({error}); {advice}") from None
    if found is not experiment:
        raise ValueError(f"{module}.{name} is another experiment than the one given; {advice}")


def _points(
    experiment: Experiment, grid: Mapping[str, Sequence[Any]]
) -> tuple[dict[str, Any], ...]:
    if not isinstance(grid, Mapping):
        raise ValueError(f"grid={grid!r} is no mapping of parameter to values")
    if not grid:
        raise ValueError("grid={} is empty: name at least one parameter and its values")
    columns: list[list[Any]] = []
    for name, values in grid.items():
        if name not in experiment.controls:
            known = ", ".join(experiment.controls)
            raise ValueError(f"{experiment.name} has no parameter {name!r}; it has {known}")
        if name == "seed":
            raise ValueError("grid names 'seed': seeds are made from seed= and the replication")
        if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
            raise ValueError(f"grid[{name!r}]={values!r} is no sequence of values")
        column = [_plain(name, value) for value in values]
        if not column:
            raise ValueError(f"grid[{name!r}] is empty: give at least one value")
        control = experiment.controls[name]
        for k, value in enumerate(column):
            if control is not None:
                control.check(name, value)
            if value in column[:k]:
                raise ValueError(f"grid[{name!r}] has {value!r} twice")
        columns.append(column)
    return tuple(dict(zip(grid, values, strict=True)) for values in product(*columns))


def _plain(name: str, value: Any) -> Any:
    """Return a value as plain Python, which a file name can be made from."""
    if hasattr(value, "item") and not isinstance(value, str | int | float):
        value = value.item()  # NumPy's scalars are welcome
    elif type(value) not in (bool, int, float, str) and isinstance(value, float):
        value = float(value)
    if value is not None and not isinstance(value, bool | int | float | str):
        raise ValueError(
            f"grid[{name!r}] has {value!r}: values are numbers, strings, True or False"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"grid[{name!r}] has {value!r}, which is not finite")
    return value
