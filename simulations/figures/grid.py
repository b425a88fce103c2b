"""A grid of shares: rows against columns, each cell its number, the bad ones colored.

May import matplotlib and, of the library, `simulations.experiment` and `simulations.figures`.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simulations.experiment import Axis, Result
from simulations.figures.axes import blank
from simulations.figures.style import WIDTH_IN, color, renderer_of, settings

_ROW_IN = 0.37
_HEAD_IN = 0.55


def share(percent: float) -> str:
    """Return a share in percent as a cell prints it: finer where little is missing.

    Examples
    --------
    >>> share(100.0), share(98.25), share(64.7)
    ('100', '98.2', '65')
    """
    return f"{percent:.1f}" if 97 <= percent < 99.95 else f"{percent:.0f}"


def grid(result: Result, columns: Sequence[str], goal: float) -> Figure:
    """Return one row for each x of the series, one column for each series.

    Parameters
    ----------
    result : Result
        Series over the same names, y in percent.
    columns : sequence of str
        The columns' words, with their line breaks.
    goal : float
        Cells that reach it are blue; the others vermilion, the stronger the more is missing.

    Raises
    ------
    ValueError
        If the words do not fit the series.
    """
    if len(columns) != len(result.series):
        raise ValueError(f"columns: {len(columns)} words for {len(result.series)} series")
    rows = [str(name) for name in result.series[0].x]
    with mpl.rc_context(settings()):
        size = (WIDTH_IN, _ROW_IN * len(rows) + _HEAD_IN)
        figure, axes = blank(Axis(""), Axis(""), size=size)
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
        axes.set_xlim(0, len(columns))
        axes.set_ylim(len(rows), 0)
        axes.set_xticks([i + 0.5 for i in range(len(columns))], list(columns))
        axes.xaxis.tick_top()
        axes.tick_params(axis="both", length=0, pad=4)
        axes.set_yticks([i + 0.5 for i in range(len(rows))], rows)
        for i, series in enumerate(result.series):
            for j, value in enumerate(series.y):
                is_good = value >= goal
                missing = min(1.0, (goal - value) / 40)
                axes.add_patch(
                    Rectangle(
                        (i + 0.03, j + 0.05), 0.94, 0.9, linewidth=0,
                        facecolor=color("decoupled" if is_good else "coupled"),
                        alpha=0.3 if is_good else 0.2 + 0.4 * max(0.0, missing),
                    )
                )  # fmt: skip
                axes.annotate(share(value), (i + 0.5, j + 0.5), ha="center", va="center")
        width, height = figure.get_size_inches() * 72
        renderer = renderer_of(figure)
        axes.draw(renderer)
        frame = axes.get_window_extent(renderer)
        left = max(
            frame.x0 - label.get_window_extent(renderer).x0 for label in axes.get_yticklabels()
        )
        top = max(
            label.get_window_extent(renderer).y1 - frame.y1 for label in axes.get_xticklabels()
        )
        axes.set_position(
            ((left + 3) / width, 3 / height, 1 - (left + 7) / width, 1 - (top + 8) / height)
        )
    return figure


__all__ = ["grid", "share"]
