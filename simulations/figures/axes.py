"""Axes in the book's style: scales, ticks, names, and all the room their words leave.

May import matplotlib and, of the library, `simulations.experiment` and `simulations.figures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from simulations.experiment import Axis
from simulations.figures.style import HEIGHT_IN, TEXT_PT, WIDTH_IN, renderer_of, settings
from simulations.figures.words import MINUS, THIN


def tick(value: float, _position: Any = None) -> str:
    """Return a number as the axes print it: plain, with thin separators."""
    text = f"{value:.10g}" if abs(value) < 1e7 else f"{value:.0f}"
    if "e" in text:
        text = f"{value:.12f}".rstrip("0")
    whole, point, rest = text.partition(".")
    if len(whole.lstrip("-")) > 3:
        whole = f"{int(whole):,}".replace(",", THIN)
    return (whole + point + rest).replace("-", MINUS)


def axis_label(axis: Axis) -> str:
    """Return the words of an axis: its label, its unit, and that it is logarithmic.

    Examples
    --------
    >>> axis_label(Axis("calls", "per hour", log=True)), axis_label(Axis("servers"))
    ('calls (per hour, log scale)', 'servers')
    """
    notes = [note for note in (axis.unit, "log scale" if axis.log else "") if note]
    return f"{axis.label} ({', '.join(notes)})" if notes else axis.label


def _scale(axes: Axes, which: str, axis: Axis, ticks: Sequence[float] | None) -> None:
    line = axes.xaxis if which == "x" else axes.yaxis
    if axis.log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
        decades = np.log10(high / low)
        subs = (1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 2.5 else (1.0,)
        line.set_major_locator(LogLocator(subs=subs, numticks=6 if decades > 6 else 9))
    else:
        line.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3))
    line.set_minor_locator(NullLocator())
    if ticks is not None:
        line.set_major_locator(FixedLocator(list(ticks)))
    line.set_major_formatter(FuncFormatter(tick))


def blank(
    x: Axis,
    y: Axis,
    *,
    size: tuple[float, float] = (WIDTH_IN, HEIGHT_IN),
) -> tuple[Figure, Axes]:
    """Return an empty figure in the book's style, for what `draw` cannot draw.

    Call `finish(figure, axes, x, y)` after drawing into it; it names and places the axes.

    Parameters
    ----------
    x, y : Axis
        What the axes show; a log axis is set up here.
    size : tuple of float
        Width and height in inches; keep the width at 5.0, or text gets too small on a phone.
    """
    with mpl.rc_context(settings()):
        figure = Figure(figsize=size, dpi=72)
        axes = figure.add_axes((0.1, 0.2, 0.86, 0.66))
        if x.log:
            axes.set_xscale("log")
        if y.log:
            axes.set_yscale("log")
    return figure, axes


def finish(
    figure: Figure,
    axes: Axes,
    x: Axis,
    y: Axis,
    *,
    x_ticks: Sequence[float] | None = None,
    y_ticks: Sequence[float] | None = None,
    categories: Sequence[str] | None = None,
) -> None:
    """Name the axes, set their ticks and give the plot all the room its words leave."""
    with mpl.rc_context(settings()):
        _scale(axes, "y", y, y_ticks)
        if categories is None:
            _scale(axes, "x", x, x_ticks)
        else:
            axes.set_xticks(range(len(categories)), list(categories))
            axes.tick_params(axis="x", length=0)
            _wrap_categories(axes, categories)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", pad=3)
        below = axes.set_xlabel(axis_label(x), labelpad=4)
        width, height = figure.get_size_inches() * 72
        renderer = renderer_of(figure)
        axes.draw(renderer)
        frame = axes.get_window_extent(renderer)
        names = [t.get_window_extent(renderer) for t in _shown(axes, "y")]
        left = max([frame.x0 - box.x0 for box in names], default=0) + 2
        names = [t.get_window_extent(renderer) for t in _shown(axes, "x")]
        right = max([box.x1 - frame.x1 for box in names] + [4])
        bottom = frame.y0 - below.get_window_extent(renderer).y0 + 3
        top = TEXT_PT * (1.9 + 1.2 * axis_label(y).count("\n"))
        axes.set_position(
            (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height)
        )
        # the name of the y axis stands above it, level, where it can be read
        figure.text(0.003, 1 - 2 / height, axis_label(y), ha="left", va="top", fontsize=TEXT_PT)


def _shown(axes: Axes, which: str) -> list[Any]:
    """Return the tick labels within the limits; matplotlib also hands out those beyond."""
    line = axes.xaxis if which == "x" else axes.yaxis
    low, high = sorted(axes.get_xlim() if which == "x" else axes.get_ylim())
    slack = 1e-9 * (high - low)
    ticks = zip(line.get_majorticklocs(), line.get_majorticklabels(), strict=False)
    return [label for at, label in ticks if low - slack <= at <= high + slack and label.get_text()]


def _wrap_categories(axes: Axes, categories: Sequence[str]) -> None:
    """Break the names of categories that would touch their neighbors, at a space."""
    renderer = renderer_of(axes.figure)
    slot = axes.get_window_extent(renderer).width / len(categories) - 6
    names = []
    for label, name in zip(axes.get_xticklabels(), categories, strict=True):
        if label.get_window_extent(renderer).width > slot and " " in name:
            spaces = [i for i, c in enumerate(name) if c == " "]
            middle = min(spaces, key=lambda i: abs(i - len(name) / 2))
            name = name[:middle] + "\n" + name[middle + 1 :]
        names.append(name)
    axes.set_xticks(range(len(names)), names)
