"""What an experiment is: parameters, and a function from them to series and numbers.

One declaration serves the figure in a chapter, the widget in JupyterLab, the live figure in
the browser, a sweep and a test. This module may import the standard library only.
"""

from __future__ import annotations

import inspect
import math
import typing
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin

#: `stack` are bars that stand on those of the series before.
Kind = Literal["line", "step", "points", "bars", "stack"]
Role = Literal["coupled", "decoupled", "theory", "measured", "limit", "fifth", "plain"]


@dataclass(frozen=True)
class Slider:
    """A number between two bounds, both included; on a log scale where that reads better.

    Parameters
    ----------
    low, high : float
        The bounds, in `unit`.
    log : bool
        Whether a control moves by factors.
    step : float, optional
        What a control moves by; by default it moves in fifty to a hundred steps.
    label, unit : str
        What a reader is told; by default the parameter's name.

    Raises
    ------
    ValueError
        If the bounds are not in order, or the step does not fit between them.

    Examples
    --------
    >>> Slider(0.1, 3600, log=True).check("rate_per_h", 60)
    60
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    label: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low={self.low} must lie below high={self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low={self.low} must be above 0 on a log scale")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(f"step={self.step} does not fit between {self.low} and {self.high}")
        if self.step is not None and self.log:
            raise ValueError(f"step={self.step}: on a log scale a control moves by factors")

    def check(self, name: str, value: Any) -> Any:
        """Return `value`, or raise `ValueError` when it is no number between the bounds."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{name}={value!r} is not a number")
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{name}={value!r} is outside {self.low} to {self.high}")
        return value


@dataclass(frozen=True)
class Choice:
    """One of a few named options.

    Examples
    --------
    >>> Choice(("most_recent", "random")).check("routing", "random")
    'random'
    """

    options: tuple[Any, ...]
    label: str = ""

    def check(self, name: str, value: Any) -> Any:
        """Return `value`, or raise `ValueError` when it is none of the options."""
        if value not in self.options:
            allowed = ", ".join(map(repr, self.options))
            raise ValueError(f"{name}={value!r} is none of {allowed}")
        return value


@dataclass(frozen=True)
class Axis:
    """What an axis shows, in which unit, and whether it is logarithmic."""

    label: str
    unit: str = ""
    log: bool = False


@dataclass(frozen=True)
class Series:
    """Named points of a figure. `role` fixes the color, `low` and `high` bound each y.

    Raises
    ------
    ValueError
        If x, y, low and high differ in length.
    """

    name: str
    x: Sequence[Any]
    y: Sequence[float]
    kind: Kind = "line"
    role: Role = "plain"
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    label_at: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind) or self.role not in get_args(Role):
            raise ValueError(f"{self.name!r}: no kind {self.kind!r} or no role {self.role!r}")
        for what, values in (("y", self.y), ("low", self.low), ("high", self.high)):
            if values is not None and len(values) != len(self.x):
                raise ValueError(f"{what} of {self.name!r}: {len(values)} for {len(self.x)} x")


@dataclass(frozen=True)
class Grid:
    """A value for each row and column: a heat map. The axes of its `Result` name both.

    Raises
    ------
    ValueError
        If `values` is not one row of numbers, one a column, for each of `rows`.

    Examples
    --------
    >>> Grid((1, 2), ("a", "b", "c"), ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)), "%").values[1][2]
    0.6
    """

    rows: Sequence[Any]
    columns: Sequence[Any]
    values: Sequence[Sequence[float]]
    unit: str = ""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.rows):
            raise ValueError(f"values: {len(self.values)} lines for {len(self.rows)} rows")
        for name, line in zip(self.rows, self.values, strict=True):
            if len(line) != len(self.columns):
                raise ValueError(f"row {name!r}: {len(line)} for {len(self.columns)} columns")


@dataclass(frozen=True)
class Number:
    """A named result with its unit and, where it has one, its 95 % interval."""

    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Result:
    """What an experiment found: the axes and series (or the grid) of its figure, its numbers.

    `progress` is the share of the run that lies behind, where the experiment knows it.

    Raises
    ------
    ValueError
        If `progress` is not between 0 and 1.
    """

    x: Axis
    y: Axis
    series: tuple[Series, ...] = ()
    numbers: dict[str, Number] = field(default_factory=dict)
    grid: Grid | None = None
    progress: float | None = None

    def __post_init__(self) -> None:
        if self.progress is not None and not 0 <= self.progress <= 1:
            raise ValueError(f"progress={self.progress} is outside 0 to 1")

    def __getitem__(self, name: str) -> float:
        """The value of the number called `name`."""
        return self.numbers[name].value

    def get(self, series: str) -> Series:
        """The series called `series`; `KeyError` names those there are."""
        for one in self.series:
            if one.name == series:
                return one
        raise KeyError(f"no series {series!r}; there are {[s.name for s in self.series]}")

    def plain(self) -> dict[str, Any]:
        """Return the result as JSON knows it; None stands for what is no finite number.

        Examples
        --------
        >>> line = Series("a", (1, 2), (3.0, math.nan))
        >>> found = Result(Axis("x"), Axis("y", "s"), (line,), {"n": Number(4, "s")}).plain()
        >>> found["series"][0]["y"], found["numbers"]["n"]["value"], found["grid"]
        ([3.0, None], 4, None)
        """
        return {
            "x": vars(self.x).copy(),
            "y": vars(self.y).copy(),
            "series": [{key: _plain(value) for key, value in vars(s).items()} for s in self.series],
            "numbers": {
                name: {key: _plain(value) for key, value in vars(number).items()}
                for name, number in self.numbers.items()
            },
            "grid": None
            if self.grid is None
            else {key: _plain(value) for key, value in vars(self.grid).items()},
            "progress": self.progress,
        }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return [_plain(one) for one in value]


class Experiment:
    """A function with checked parameters that returns a `Result` or yields ever better ones.

    Calling it runs it to the end. `stream` hands over each result as it comes: whoever runs it
    listens between yields, and so gets progress, first frames and a place to stop.
    """

    def __init__(
        self,
        chapter: str,
        function: Callable[..., Result | Iterator[Result]],
        presets: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.chapter = chapter
        self.function = function
        self.name = function.__name__
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__module__ = function.__module__
        hints = typing.get_type_hints(function, include_extras=True)
        self.controls: dict[str, Slider | Choice | None] = {}
        self.defaults: dict[str, Any] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.default is inspect.Parameter.empty:
                raise ValueError(f"{self.name}: parameter {name} needs a default")
            self.defaults[name] = parameter.default
            control = None
            if get_origin(hints.get(name)) is Annotated:
                found = [a for a in get_args(hints[name]) if isinstance(a, Slider | Choice)]
                control = found[0] if found else None
            self.controls[name] = control
            if control is not None:
                control.check(name, parameter.default)
        self.presets = {name: dict(settings) for name, settings in (presets or {}).items()}
        for settings in self.presets.values():
            self.check(settings)

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v!r}" for k, v in self.defaults.items())
        return f"<experiment {self.name}({settings}) of {self.chapter}>"

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Refuse parameters that the experiment does not have or that are out of their range.

        Raises
        ------
        ValueError
            If a parameter is unknown or out of its range.
        """
        for name, value in parameters.items():
            if name not in self.controls:
                known = ", ".join(self.controls)
                raise ValueError(f"{self.name} has no parameter {name!r}; it has {known}")
            control = self.controls[name]
            if control is not None:
                control.check(name, value)

    def stream(self, **parameters: Any) -> Iterator[Result]:
        """Yield the results as they come, after checking the parameters.

        Raises
        ------
        ValueError
            If a parameter is unknown or out of its range.
        """
        self.check(parameters)
        found = self.function(**parameters)
        return iter((found,)) if isinstance(found, Result) else found

    def __call__(self, **parameters: Any) -> Result:
        """Run to the end and return the last result."""
        results = deque(self.stream(**parameters), maxlen=1)
        if not results:
            raise ValueError(f"{self.name} yielded no result")
        return results[0]


def experiment(
    chapter: str,
    *,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Callable[[Callable[..., Result | Iterator[Result]]], Experiment]:
    """Declare a function to be an experiment of the chapter with this id.

    Parameters may be annotated with a `Slider` or a `Choice`; every one has a default.

    Parameters
    ----------
    chapter : str
        The chapter's id.
    presets : mapping, optional
        Settings worth a look, by the name that a reader sees; what one leaves out keeps its
        default.

    Raises
    ------
    ValueError
        If a parameter lacks a default, or a default or a preset is out of range.

    Examples
    --------
    >>> @experiment("measure-first", presets={"large": {"a": 9.0}})
    ... def double(a: Annotated[float, Slider(0, 10)] = 2.0) -> Result:
    ...     return Result(Axis("a"), Axis("2 a"), numbers={"double": Number(2 * a)})
    >>> double(a=4.0)["double"]
    8.0
    >>> double(a=11)
    Traceback (most recent call last):
    ValueError: a=11 is outside 0 to 10
    """

    def declare(function: Callable[..., Result | Iterator[Result]]) -> Experiment:
        return Experiment(chapter, function, presets)

    return declare
