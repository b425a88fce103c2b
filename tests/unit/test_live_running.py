"""The browser's side of an experiment, run here: controls, words, steps that may be given up."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

import pytest

from simulations.experiment import Axis, Choice, Number, Result, Slider, experiment
from simulations.live import Runs, controls, find, quantity, setting, stops, typed, view
from simulations.live import running as running_module

RAN: list[int] = []


@experiment("some-chapter", presets={"seven": {"most": 7}, "odd": {"rate": 0.123}})
def counting(
    most: Annotated[int, Slider(1, 10_000, log=True, label="most", unit="steps")] = 3,
    rate: Annotated[float, Slider(0, 1)] = 0.5,
    how: Annotated[str, Choice(("most_recent", "random"))] = "random",
    bad: Annotated[int, Choice((0, 1, 2))] = 0,
    hidden: int = 1,
    seed: int = 1,
) -> Iterator[Result]:
    """Count, and fail when asked to."""
    for value in range(most):
        if bad == 1 and value == 1:
            raise ValueError("bad=1:\n not today")
        if bad == 2 and value == 1:
            raise KeyError("lost")
        RAN.append(value)
        yield Result(Axis("x"), Axis("y"), numbers={"n": Number(value, "steps")})


@pytest.fixture(autouse=True)
def found_here(monkeypatch: pytest.MonkeyPatch) -> None:
    RAN.clear()
    monkeypatch.setattr(running_module, "find", lambda name: counting)


def begun(**parameters: Any) -> Runs:
    runs = Runs()
    runs.begin("figure", "some.counting", json.dumps(parameters))
    return runs


def test_a_run_goes_on_only_when_stepped_and_ends_with_its_last_result() -> None:
    runs = begun(most=3)
    assert RAN == []
    said = [json.loads(runs.step("figure", due)) for due in (True, False, True, True, True)]
    assert [s["last"] for s in said] == [False, False, False, True, True]
    shown = [s.get("frame", {}).get("numbers", {}).get("n", {}).get("value") for s in said]
    assert shown == [0, None, 2, 2, None]


def test_a_newer_setting_drops_the_run_between_two_results() -> None:
    runs = begun(most=5)
    runs.step("figure")
    runs.begin("figure", "some.counting", '{"most": 1}')
    runs.begin("other", "some.counting", '{"most": 2}')
    assert not json.loads(runs.step("figure"))["last"]
    assert json.loads(runs.step("figure"))["last"]
    assert RAN == [0, 0]
    assert not json.loads(runs.step("other"))["last"], "another figure's run goes on"


@pytest.mark.parametrize(
    ("parameters", "key", "words"),
    [
        ({"bad": 1}, "refused", "bad=1: not today"),
        ({"bad": 2}, "failed", "KeyError: 'lost'"),
        ({"most": 0}, "refused", "most=0 is outside 1 to 10000"),
        ({"most": 1.5}, "refused", "most=1.5 is not a whole number"),
        ({"rate": "<b>"}, "refused", "rate='<b>' is not a number"),
        ({"speed": 1}, "refused", "no parameter 'speed'"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_never_a_traceback(
    parameters: dict[str, Any], key: str, words: str
) -> None:
    runs = begun(**parameters)
    said: dict[str, Any] = {"last": False}
    while not said["last"]:
        said = json.loads(runs.step("figure"))
    assert words in said[key]
    assert "\n" not in said[key] and "Traceback" not in said[key]


def test_parameters_from_json_have_the_types_of_the_defaults() -> None:
    made = typed(counting, {"most": 4.0, "rate": 1, "how": "random"})
    assert made == {"most": 4, "rate": 1.0, "how": "random"}
    assert [type(value) for value in made.values()] == [int, float, str]
    for value in (True, math.inf, "4", None):
        with pytest.raises(ValueError, match="most="):
            typed(counting, {"most": value})


def test_every_setting_a_reader_can_choose_is_accepted_by_the_experiment() -> None:
    form = {one["name"]: one for one in controls(counting)}
    assert list(form) == ["most", "rate", "how", "bad", "seed"], "no control for what has none"
    for name in ("most", "rate", "how", "bad"):
        for value in form[name]["values"]:
            counting.check(typed(counting, {name: value}))
        assert len(form[name]["values"]) == len(form[name]["texts"])
        assert form[name]["default"] in form[name]["values"]
    most = form["most"]["values"]
    assert (most[0], most[-1]) == (1, 10_000) and 7 in most
    assert all(isinstance(value, int) for value in most)
    assert 0.123 in form["rate"]["values"]
    assert form["how"]["texts"] == ["most recent", "random"]
    json.dumps(list(form.values()), allow_nan=False)


@pytest.mark.parametrize(
    "slider",
    [Slider(0, 1), Slider(-3, 7), Slider(0.1, 1e4, log=True), Slider(2e-6, 3e-6, log=True),
     Slider(1, 1e12, log=True), Slider(5, 905, step=25), Slider(0, 1e-7)],
)  # fmt: skip
def test_a_slider_moves_in_some_tens_of_even_steps_from_end_to_end(slider: Slider) -> None:
    values = stops(slider)
    assert values[0] == slider.low and values[-1] == slider.high
    assert 10 <= len(values) <= 120
    assert values == sorted(set(values))
    inner = values[1:-1]
    gaps = [b / a if slider.log else b - a for a, b in pairwise(inner)]
    assert max(gaps) <= 3 * min(gaps) if not slider.log else max(gaps) <= min(gaps) ** 3


def test_numbers_beside_a_figure_are_in_words_with_their_unit() -> None:
    numbers = {"share": Number(0.5, "%", 0.4, 0.6), "none": Number(math.nan, "s")}
    shown = view(Result(Axis("x"), Axis("y"), numbers=numbers))["numbers"]
    assert shown["share"]["text"].replace("\u202f", " ") == "0.500 %"
    assert shown["share"]["between"].replace("\u202f", " ") == "0.400 % to 0.600 %"
    assert shown["none"] == {
        "value": None, "unit": "s", "low": None, "high": None, "text": "none", "between": "",
    }  # fmt: skip
    assert quantity(61_234.5, "USD").replace("\u202f", " ") == "61 234 USD"
    assert setting(-0.5).replace("\u202f", " ") == "\u22120.5"


@pytest.mark.parametrize("name", ["", "cold_starts", "cold_starts.", "os.system", "..x.y", "a.b.c",
                                  "cold_starts.record", "cold_starts.RATE", "nothing.here"])  # fmt: skip
def test_only_experiments_are_found(name: str) -> None:
    with pytest.raises(ValueError, match="no experiment"):
        find(name)
