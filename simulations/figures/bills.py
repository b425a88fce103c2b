"""Figures of a bill: its parts (waterfall), others beside it, what would change it (tornado).

The results they draw come from `simulations.experiments.bill_views`, or from any experiment. All
are drawn in rows, so that their words stand level and can be read on a telephone. May
import matplotlib and, of the library, `simulations.experiment` and `simulations.figures`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulations.experiment import Axis, Result
from simulations.figures.axes import axis_label, blank
from simulations.figures.style import INK, WIDTH_IN, color, renderer_of, settings
from simulations.figures.words import THIN

_ROW_IN = 0.36
_GAP_PT = 4.0


def _money(value: float, _position: object = None) -> str:
    return f"{value:,.0f}".replace(",", THIN)


def _amount(value: float) -> str:
    return f"{value:,.2f}".replace(",", THIN)


def _rows(rows: Sequence[str], x: Axis, gap: float = 0.0) -> tuple[Figure, Axes]:
    """An empty figure with a named row for each; `gap` inches more between two."""
    figure, axes = blank(x, Axis(""), size=(WIDTH_IN, (_ROW_IN + gap) * len(rows) + 0.75))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3))
    axes.xaxis.set_major_formatter(FuncFormatter(_money))
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    return figure, axes


def _settle(figure: Figure, axes: Axes, x: Axis, top: float = 4) -> None:
    """Give the plot all the room its words leave."""
    below = axes.set_xlabel(axis_label(x), labelpad=4)
    width, height = figure.get_size_inches() * 72
    renderer = renderer_of(figure)
    axes.draw(renderer)
    frame = axes.get_window_extent(renderer)
    names = [label.get_window_extent(renderer) for label in axes.get_yticklabels()]
    left = max(frame.x0 - box.x0 for box in names) + 3
    bottom = frame.y0 - below.get_window_extent(renderer).y0 + 3
    right = left + 8
    axes.set_position(
        (left / width, bottom / height, 1 - right / width, 1 - (bottom + top) / height)
    )


def waterfall(result: Result) -> Figure:
    """Return the parts of a bill, one under another, each beginning where the last one ended.

    Parameters
    ----------
    result : Result
        Its first series has the parts' names as x and their amounts as y.

    Raises
    ------
    ValueError
        If the result has no series or an amount is negative.
    """
    if not result.series:
        raise ValueError("result has no series: there is no bill to draw")
    parts = result.series[0]
    if min(parts.y) < 0:
        raise ValueError(f"amounts={list(parts.y)} must not be negative")
    total = sum(parts.y)
    largest = max(parts.y)
    with mpl.rc_context(settings()):
        figure, axes = _rows([*(str(name) for name in parts.x), "total"], result.y)
        begin = 0.0
        for row, amount in enumerate(parts.y):
            is_largest = amount == largest
            axes.barh(
                row, amount, 0.62, left=begin, linewidth=0,
                color=color(parts.role) if is_largest else INK, alpha=1.0 if is_largest else 0.55,
            )  # fmt: skip
            end = begin + amount
            inside = end > 0.8 * total and amount < 0.3 * total
            axes.annotate(
                _amount(amount), (begin if inside else end, row), va="center",
                ha="right" if inside else "left", textcoords="offset points",
                xytext=(-_GAP_PT if inside else _GAP_PT, 0),
            )  # fmt: skip
            axes.plot([end, end], [row, row + 1], color=INK, linewidth=0.7, alpha=0.5)
            begin = end
        axes.barh(len(parts.y), total, 0.62, color=INK, linewidth=0, alpha=0.25)
        axes.annotate(
            _amount(total), (0, len(parts.y)), va="center", xytext=(_GAP_PT, 0),
            textcoords="offset points",
        )  # fmt: skip
        axes.set_xlim(0, total * 1.05)
        _settle(figure, axes, result.y)
    return figure


#: Shades of the parts, the largest first: one ink, so that no color means what it means elsewhere.
_SHADES = (0.62, 0.38, 0.22, 0.12, 0.07)


def comparison(result: Result) -> Figure:
    """Return bills beside each other: a row each, its parts one after the other, its total.

    A part is named once, where it is widest: inside if the name fits there, else above.

    Parameters
    ----------
    result : Result
        A series for each part, all over the names of the bills.

    Raises
    ------
    ValueError
        If there is no series, they differ in their names, or an amount is negative.
    """
    parts = result.series
    if not parts or any(tuple(part.x) != tuple(parts[0].x) for part in parts):
        raise ValueError("a comparison needs series over the same names")
    if min(amount for part in parts for amount in part.y) < 0:
        raise ValueError("amounts must not be negative")
    names = [str(name) for name in parts[0].x]
    totals = [math.fsum(part.y[row] for part in parts) for row in range(len(names))]
    with mpl.rc_context(settings()):
        figure, axes = _rows(names, result.y, gap=0.26)
        begins = [0.0] * len(names)
        places = []
        for k, part in enumerate(parts):
            shade = _SHADES[min(k, len(_SHADES) - 1)]
            axes.barh(
                range(len(names)), part.y, 0.5, left=begins, color=INK, alpha=shade, linewidth=0
            )
            widest = max(range(len(names)), key=lambda row, part=part: part.y[row])  # type: ignore[misc]
            places.append((part.name, widest, begins[widest], part.y[widest]))
            begins = [begin + y for begin, y in zip(begins, part.y, strict=True)]
        for row, total in enumerate(totals):
            axes.annotate(
                _amount(total), (total, row), va="center", xytext=(_GAP_PT, 0),
                textcoords="offset points",
            )  # fmt: skip
        axes.set_xlim(0, max(totals) * 1.19)
        _settle(figure, axes, result.y, top=18)
        _name_parts(figure, axes, places)
    return figure


def _name_parts(
    figure: Figure, axes: Axes, places: Sequence[tuple[str, int, float, float]]
) -> None:
    """Write each part's name above its widest bar; names of one row make room for each other."""
    renderer = renderer_of(figure)
    taken: dict[int, float] = {}
    for name, row, begin, width in sorted(places, key=lambda place: (place[1], place[2])):
        text = axes.annotate(
            name, (begin + width / 2, row - 0.25), xytext=(0, 2), ha="center", va="bottom",
            textcoords="offset points",
        )  # fmt: skip
        box = text.get_window_extent(renderer)
        frame = axes.get_window_extent(renderer)
        left = max(box.x0, taken.get(row, frame.x0 - 1) + 8, frame.x0)
        text.set_position((left - box.x0, 2))
        taken[row] = left + box.width


def tornado(result: Result, ends: Mapping[str, tuple[str, str]]) -> Figure:
    """Return what a bill becomes between two settings of one input at a time.

    Parameters
    ----------
    result : Result
        Two series over the same names, the cheap and the dear setting; `numbers["base"]` is
        the bill as it stands.
    ends : mapping
        The words of the two settings, by name.

    Raises
    ------
    ValueError
        If the series do not belong together.
    """
    if len(result.series) != 2 or tuple(result.series[0].x) != tuple(result.series[1].x):
        raise ValueError("a tornado needs two series over the same names")
    less, more = result.series
    base = result["base"]
    with mpl.rc_context(settings()):
        figure, axes = _rows([str(name) for name in less.x], result.y)
        for row, name in enumerate(less.x):
            for series, words, sign in ((less, ends[name][0], -1), (more, ends[name][1], 1)):
                end = series.y[row]
                axes.barh(row, end - base, 0.62, left=base, color=color(series.role), linewidth=0)
                if abs(end - base) < 1e-9:
                    continue
                axes.annotate(
                    words, (end, row), va="center", ha="left" if sign > 0 else "right",
                    textcoords="offset points", xytext=(sign * _GAP_PT, 0),
                )  # fmt: skip
        axes.axvline(base, color=INK, linewidth=1.0)
        axes.annotate(
            f"{_amount(base)} as it is", (base, -0.5), xytext=(0, 3), ha="center", va="bottom",
            textcoords="offset points",
        )  # fmt: skip
        low, high = min(less.y), max(more.y)
        # Room for the words beside the longest bars, in proportion to their length.
        axes.set_xlim(max(0.0, low - 0.27 * (high - low)), high + 0.30 * (high - low))
        _settle(figure, axes, result.y, top=18)
    return figure


__all__ = ["comparison", "tornado", "waterfall"]
