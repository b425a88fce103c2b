"""What an experiment is: checked parameters, results as they come, lookup by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest

from simulations import Axis, Choice, Number, Result, Series, Slider, experiment


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
