"""Every live experiment keeps the manners of one: at every corner, at every preset, by its seed."""

from __future__ import annotations

import importlib
import itertools
import math
import pkgutil
from typing import Any

import pytest

import simulations.experiments as room
from simulations.experiment import Choice, Experiment, Grid, Result, Slider


def live() -> list[Experiment]:
    """Those with presets: they are made to be played with."""
    found = []
    for name in sorted(m.name for m in pkgutil.iter_modules(room.__path__)):
        if name.endswith("_live"):
            module = importlib.import_module(f"simulations.experiments.{name}")
            found += [
                one
                for one in vars(module).values()
                if isinstance(one, Experiment) and one.__module__ == module.__name__
            ]
    return found


LIVE = live()
NAMES = [one.name for one in LIVE]


def corners(one: Experiment) -> list[dict[str, Any]]:
    """All low, all high, and both ways of alternating: each control meets both its ends."""
    ends: dict[str, tuple[Any, Any]] = {}
    for name, control in one.controls.items():
        kind = type(one.defaults[name])
        if isinstance(control, Slider):
            ends[name] = (kind(control.low), kind(control.high))
        elif isinstance(control, Choice):
            ends[name] = (control.options[0], control.options[-1])
    sides = [(0,), (1,), (0, 1), (1, 0)]
    return [
        {
            name: pair[side]
            for (name, pair), side in zip(ends.items(), itertools.cycle(way), strict=False)
        }
        for way in sides
    ]


def numbers_in(result: Result) -> list[float]:
    values = [v for s in result.series for v in (*s.y, *(s.low or ()), *(s.high or ()))]
    values += [v for s in result.series for v in s.x if not isinstance(v, str)]
    values += [v for line in (result.grid.values if result.grid else ()) for v in line]
    for number in result.numbers.values():
        values += [v for v in (number.value, number.low, number.high) if v is not None]
    return values


def check(result: Result) -> None:
    assert all(math.isfinite(value) for value in numbers_in(result))
    assert 3 <= len(result.numbers) <= 6
    for name, number in result.numbers.items():
        if number.low is not None and number.high is not None:
            assert number.low <= number.value <= number.high, name
        if number.unit == "%" and "of the bill" not in name:
            assert number.value >= 0, name
    for series in result.series:
        assert len(series.name.split()) <= 3
        for low, y, high in zip(series.low or (), series.y, series.high or (), strict=False):
            assert low <= y * (1 + 1e-12) + 1e-12, series.name
            assert y <= high * (1 + 1e-12) + 1e-12, series.name


def test_there_are_twelve_and_more() -> None:
    assert len(LIVE) >= 12
    assert len(set(NAMES)) == len(NAMES)
    kinds = {s.kind for one in LIVE for s in next(one.stream()).series}
    assert "stack" in kinds
    assert any(isinstance(next(one.stream()).grid, Grid) for one in LIVE)


@pytest.mark.parametrize("one", LIVE, ids=NAMES)
def test_a_reader_is_told_what_a_control_moves(one: Experiment) -> None:
    assert 2 <= len(one.presets) <= 4
    for control in one.controls.values():
        if control is not None:
            assert control.label
            assert len(control.label) <= 28


@pytest.mark.parametrize("one", LIVE, ids=NAMES)
def test_results_are_sound_at_the_corners_of_what_can_be_chosen(one: Experiment) -> None:
    for setting in corners(one):
        frames = list(one.stream(**setting))
        check(frames[-1])
        progress = [f.progress for f in frames if f.progress is not None]
        assert progress == sorted(progress)
        assert [s.name for s in frames[-1].series if s.kind in ("stack", "bars")] == [
            s.name for s in frames[0].series if s.kind in ("stack", "bars")
        ]


@pytest.mark.parametrize("one", LIVE, ids=NAMES)
def test_equal_seeds_give_equal_results_and_others_do_not(one: Experiment) -> None:
    first = one.stream()
    again = one.stream()
    assert [next(first).plain() for _ in range(1)] == [next(again).plain() for _ in range(1)]
    if "seed" in one.controls:
        assert next(one.stream(seed=2)).plain() != next(one.stream(seed=1)).plain()
