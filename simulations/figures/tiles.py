"""Results that are no curves: bars stacked on each other, and a heat map.

The counterpart in the browser is site/live/plot_scene.js and plot_grid.js. May import matplotlib
and NumPy and, of the library, `simulations.experiment` and `simulations.figures`.
"""

from __future__ import annotations

import math

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simulations.experiment import Axis, Result, Series
from simulations.figures.axes import blank, finish, tick
from simulations.figures.style import HEIGHT_IN, TEXT_PT, WIDTH_IN, color, renderer_of, settings
from simulations.figures.words import number

_BAR_WIDTH = 0.72
_PALER = 0.5  # the second part of a stack in one role
_PALE, _STRONG = 0.05, 0.6
_LINE_PT = 1.25 * TEXT_PT


def draw_stack(result: Result, size: tuple[float, float] = (WIDTH_IN, HEIGHT_IN)) -> Figure:
    """Return bars stacked in the order of the series, each part named right of the last bar.

    Parameters
    ----------
    result : Result
        Series of the kind "stack" over the same x.
    size : tuple of float
        Inches.

    Raises
    ------
    ValueError
        If the series do not share their x, or one of another kind is among them.

    Examples
    --------
    >>> parts = (Series("a", ("A", "B"), (1, 2), "stack"), Series("b", ("A", "B"), (3, 4), "stack"))
    >>> found = draw_stack(Result(Axis("way"), Axis("cost", "USD"), parts)).axes[0]
    >>> [float(bars[1].get_y() + bars[1].get_height()) for bars in found.containers]
    [2.0, 6.0]
    """
    if any(s.kind != "stack" or list(s.x) != list(result.series[0].x) for s in result.series):
        raise ValueError("stacked series must all be of the kind 'stack' and share their x")
    names = [value if isinstance(value, str) else tick(value) for value in result.series[0].x]
    places = range(len(names))
    base = [0.0] * len(names)
    seen: set[str] = set()
    middles = []
    figure, axes = blank(result.x, result.y, size=size)
    with mpl.rc_context(settings()):
        for series in result.series:
            paler = _PALER if series.role in seen else 1.0
            seen.add(series.role)
            tops = [b + y for b, y in zip(base, series.y, strict=True)]
            axes.bar(places, series.y, _BAR_WIDTH, bottom=base, color=color(series.role),
                     alpha=paler, linewidth=0)  # fmt: skip
            middles.append((base[-1] + tops[-1]) / 2)
            base = tops
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_ylim(0, max(base) * 1.06 or 1.0)
        finish(figure, axes, result.x, result.y, categories=names)
        _name_parts(axes, result.series, middles, len(names))
    return figure


def _name_parts(
    axes: Axes, series: tuple[Series, ...], middles: list[float], number_of_bars: int
) -> None:
    """Make room right of the bars and write each part's name at its height, none over another."""
    renderer = renderer_of(axes.figure)
    texts = [
        axes.annotate(s.name, (0, 0), color=color(s.role), weight="bold", va="center")
        for s in series
    ]
    widest = max(t.get_window_extent(renderer).width for t in texts)
    frame = axes.get_window_extent(renderer)
    swatch = 12.0 if len({s.role for s in series}) < len(series) else 0.0
    room = widest + swatch + 8
    # the bars keep their share of what is left
    axes.set_xlim(-0.5, -0.5 + number_of_bars * frame.width / (frame.width - room))
    to_pt = axes.transData
    wanted = [to_pt.transform((0, middle))[1] for middle in middles]
    placed: list[float] = []
    for y in wanted:  # from below
        placed.append(max(y, placed[-1] + _LINE_PT) if placed else y)
    ceiling = frame.y1 + 2
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - _LINE_PT
    edge = to_pt.transform((number_of_bars - 1 + _BAR_WIDTH / 2, 0))[0]
    left = to_pt.transform((number_of_bars - 0.5, 0))[0] + 4
    back = to_pt.inverted()
    seen: set[str] = set()
    for text, one, y, wish in zip(texts, series, placed, wanted, strict=True):
        paler = _PALER if one.role in seen else 1.0
        seen.add(one.role)
        text.set_position(tuple(back.transform((left + swatch, y))))
        if swatch:
            x0, y0 = back.transform((left, y - 4))
            x1, y1 = back.transform((left + 8, y + 4))
            axes.add_patch(
                Rectangle((x0, y0), x1 - x0, y1 - y0, color=color(one.role), alpha=paler, lw=0)
            )
        if abs(y - wish) > 4:
            ends = back.transform([(edge + 1, wish), (left - 2, y)])
            axes.plot(ends[:, 0], ends[:, 1], color=color(one.role), lw=0.8, alpha=0.7)


def draw_grid(result: Result, size: tuple[float, float] = (WIDTH_IN, HEIGHT_IN)) -> Figure:
    """Return a heat map: rows against columns, one hue from pale to strong, values in cells.

    Colors are on a log scale where the values span two powers of ten; values are written where
    they fit, else a line above says what pale and strong mean.

    Raises
    ------
    ValueError
        If the result has no grid or the grid has no number.

    Examples
    --------
    >>> from simulations.experiment import Grid
    >>> grid = Grid((1, 2), ("a", "b"), ((1.0, 2.0), (3.0, math.nan)), "s")
    >>> len(draw_grid(Result(Axis("x"), Axis("y"), grid=grid)).axes[0].patches)
    3
    """
    grid = result.grid
    if grid is None:
        raise ValueError("result has no grid: there is nothing to draw")
    known = [v for line in grid.values for v in line if math.isfinite(v)]
    if not known:
        raise ValueError("the grid has no finite value: there is nothing to draw")
    low, high = min(known), max(known)
    is_log = low > 0 and high / low >= 100
    columns, rows = ([str(v) if isinstance(v, str) else tick(v) for v in names]
                     for names in (grid.columns, grid.rows))  # fmt: skip
    figure, axes = blank(Axis(""), Axis(""), size=size)
    with mpl.rc_context(settings()):
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
        for i, line in enumerate(grid.values):
            for j, value in enumerate(line):
                if math.isfinite(value):
                    axes.add_patch(
                        Rectangle((j - 0.47, i - 0.47), 0.94, 0.94, linewidth=0,
                                  facecolor=color("blue"), alpha=_shade(value, low, high, is_log))
                    )  # fmt: skip
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(-0.5, len(columns) - 0.5)
        y = Axis(result.y.label, result.y.unit)
        stride = max(1, math.ceil(len(rows) * 12 / (size[1] * 72 - 60)))
        finish(figure, axes, result.x, y, y_ticks=range(0, len(rows), stride), categories=columns)
        axes.set_yticks(range(0, len(rows), stride), rows[::stride])
        axes.tick_params(axis="both", length=0)
        _place(figure, axes)
        words = [[number(v) if math.isfinite(v) and v else "0" if v == 0 else "–" for v in line]
                 for line in grid.values]  # fmt: skip
        _say(
            figure,
            axes,
            words,
            f"{number(low) if low else 0} to {number(high)} {grid.unit}".strip(),
        )
    return figure


def _shade(value: float, low: float, high: float, is_log: bool) -> float:
    to = math.log if is_log else float
    span = to(high) - to(low)
    share = (to(value) - to(low)) / span if span > 0 else 0.5
    return round(_PALE + share * (_STRONG - _PALE), 3)


def _place(figure: Figure, axes: Axes) -> None:
    """Give the names of the rows the room they need: `finish` knew only their numbers."""
    renderer = renderer_of(axes.figure)
    width = figure.get_size_inches()[0] * 72
    widest = max(t.get_window_extent(renderer).width for t in axes.get_yticklabels())
    box = axes.get_position()
    axes.set_position((((widest + 7) / width), box.y0, 1 - (widest + 11) / width, box.height))
    _thin_out(axes)


def _thin_out(axes: Axes) -> None:
    """Leave out names of columns that would touch the one before."""
    renderer = renderer_of(axes.figure)
    end = -math.inf
    for label in axes.get_xticklabels():
        box = label.get_window_extent(renderer)
        if box.x0 < end + 4:
            label.set_text("")
            label.set_visible(False)
        else:
            end = box.x1


def _say(figure: Figure, axes: Axes, words: list[list[str]], span: str) -> None:
    """Write each value in its cell where all fit, else say above what the colors span."""
    renderer = renderer_of(axes.figure)
    frame = axes.get_window_extent(renderer)
    cell = frame.width / max(1, len(words[0])), frame.height / max(1, len(words))
    probe = max((w for line in words for w in line), key=len)
    text = axes.annotate(probe, (0, 0))
    widest = text.get_window_extent(renderer).width
    text.remove()
    if widest <= cell[0] - 4 and cell[1] >= 12:
        for i, line in enumerate(words):
            for j, one in enumerate(line):
                axes.annotate(one, (j, i), ha="center", va="center")
        return
    height = figure.get_size_inches()[1] * 72
    figure.text(0.997, 1 - 2 / height, f"pale to strong: {span}", ha="right", va="top",
                fontsize=TEXT_PT)  # fmt: skip


__all__ = ["draw_grid", "draw_stack"]
