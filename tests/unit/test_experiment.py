"""What an experiment is: checked parameters, results as they come, lookup by name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Annotated

import pytest

from simulations import Axis, Choice, Experiment, Number, Result, Series, Slider, experiment
from simulations.experiment import Grid


def result(value: float) -> Result:
    return Result(
        Axis("x"), Axis("y"), (Series("line", (1, 2), (3.0, 4.0)),), {"value": Number(value)}
    )


@experiment("some-chapter")
def growing(
    most: Annotated[int, Slider(1, 10)] = 3,
    how: Annotated[str, Choice(("up", "down"))] = "up",
    seed: int = 1,
) -> Iterator[Result]:
    """Yield ever better results."""
    for value in range(1, most + 1):
        yield result(value if how == "up" else -value)


def test_results_come_one_by_one_and_a_call_returns_the_last() -> None:
    assert [r["value"] for r in growing.stream(most=4)] == [1, 2, 3, 4]
    assert growing(how="down")["value"] == -3
    assert growing.__doc__ == "Yield ever better results."
    assert "some-chapter" in repr(growing)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"most": 11}, "most=11 is outside 1 to 10"),
        ({"most": float("nan")}, "most=nan"),
        ({"most": "x"}, "most='x' is not a number"),
        ({"how": "sideways"}, "how='sideways' is none of 'up', 'down'"),
        ({"speed": 1}, "no parameter 'speed'; it has most, how, seed"),
    ],
)
def test_a_parameter_out_of_its_range_is_refused(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        growing(**parameters)


def test_a_declaration_must_be_runnable() -> None:
    with pytest.raises(ValueError, match="needs a default"):

        @experiment("c")
        def no_default(a: float) -> Result:
            return result(a)

    with pytest.raises(ValueError, match="outside"):

        @experiment("c")
        def wrong_default(a: Annotated[float, Slider(0, 1)] = 2.0) -> Result:
            return result(a)

    @experiment("c")
    def silent() -> Iterator[Result]:
        yield from ()

    with pytest.raises(ValueError, match="no result"):
        silent()


def test_series_and_numbers_are_found_by_name() -> None:
    one = result(7.0)
    assert one["value"] == 7.0
    assert one.get("line").y == (3.0, 4.0)
    with pytest.raises(KeyError, match="no series 'curve'"):
        one.get("curve")
    with pytest.raises(ValueError, match="y of 'bad': 1 for 2 x"):
        Series("bad", (1, 2), (1.0,))
    with pytest.raises(ValueError, match="low=2 must lie below high=1"):
        Slider(2, 1)
    with pytest.raises(ValueError, match="above 0 on a log scale"):
        Slider(0, 1, log=True)


def test_a_result_becomes_json_and_back_without_loss_but_for_what_is_no_number() -> None:
    grid = Grid((1, 2), ("a", "b"), ((0.1, math.inf), (2, math.nan)), "%")
    line = Series("line", ("n", "m"), (0.1 + 0.2, -math.inf), "stack", "theory", (0, 0), (1, 1))
    numbers = {"n": Number(1e-300, "s", 0.1, None)}
    made = Result(Axis("x", "s", True), Axis("y"), (line,), numbers, grid, 0.5).plain()
    told = json.loads(json.dumps(made, allow_nan=False))
    assert told == made
    assert told["x"] == {"label": "x", "unit": "s", "log": True}
    (series,) = told["series"]
    assert (series["kind"], series["role"], series["label_at"]) == ("stack", "theory", None)
    assert series["y"] == [0.1 + 0.2, None] and series["low"] == [0, 0]
    assert told["grid"]["values"] == [[0.1, None], [2, None]]
    assert told["numbers"]["n"] == {"value": 1e-300, "unit": "s", "low": 0.1, "high": None}
    assert told["progress"] == 0.5


def test_what_cannot_be_drawn_is_refused_where_it_is_made() -> None:
    for wrong, message in (
        (lambda: Grid((1,), (1, 2), ((1.0,),)), "row 1: 1 for 2 columns"),
        (lambda: Grid((1, 2), (1,), ((1.0,),)), "1 lines for 2 rows"),
        (lambda: Series("s", (1,), (1,), "bar"), "no kind 'bar'"),  # type: ignore[arg-type]
        (lambda: Result(Axis("x"), Axis("y"), progress=1.5), "progress=1.5 is outside 0 to 1"),
        (lambda: Slider(0, 1, step=2), "step=2 does not fit"),
        (lambda: Slider(1, 9, log=True, step=1), "moves by factors"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_a_preset_is_checked_when_it_is_declared() -> None:
    def declared(presets: dict[str, dict[str, object]]) -> Experiment:
        @experiment("c", presets=presets)
        def one(a: Annotated[float, Slider(0, 1)] = 0.5, seed: int = 1) -> Result:
            return result(a)

        return one

    assert declared({"half": {"a": 0.5}}).presets == {"half": {"a": 0.5}}
    with pytest.raises(ValueError, match="a=2 is outside 0 to 1"):
        declared({"too much": {"a": 2}})
    with pytest.raises(ValueError, match="no parameter 'b'"):
        declared({"wrong": {"b": 2}})
