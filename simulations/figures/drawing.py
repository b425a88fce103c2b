"""Any `Result` as a figure in the book's style: lines, steps, points, bars, stacks, heat maps.

May import matplotlib and NumPy and, of the library, `simulations.experiment` and
`simulations.figures`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulations.experiment import Result, Series
from simulations.figures.axes import blank, finish, tick
from simulations.figures.labels import Cloud, Label, dense, place
from simulations.figures.style import HEIGHT_IN, INK, LINE_PT, WIDTH_IN, color, settings
from simulations.figures.tiles import draw_grid, draw_stack
from simulations.figures.words import MINUS, THIN

_BAR_WIDTH = 0.72


def _bars(
    axes: Axes, group: list[tuple[str, Series]], positions: dict[Any, float]
) -> dict[str, Cloud]:
    """Draw bars, side by side where series share a category, and return each series' outline."""
    clouds = {}
    bars = [v for _, series in group for v in series.x]
    abreast = len(group) if len(set(bars)) < len(bars) else 1
    width = _BAR_WIDTH / abreast
    for i, (key, series) in enumerate(group):
        at = [positions[v] + (i % abreast - (abreast - 1) / 2) * width for v in series.x]
        ink = color(series.role)
        axes.bar(at, series.y, width * 0.92, color=ink, linewidth=0)
        if series.low is not None and series.high is not None:
            axes.vlines(at, series.low, series.high, color=INK, linewidth=1.2)
        tops = series.y if series.high is None else series.high
        clouds[key] = np.array(
            [
                (x + dx * width, y)
                for x, y in zip(at, tops, strict=True)
                for dx in np.linspace(-0.45, 0.45, 9)
            ]
        )
    return clouds


def _curve(axes: Axes, series: Series, x: list[float], repeated: int) -> Cloud:
    """Draw one series that is no bars, and return its points in data units."""
    y = list(series.y)
    ink = color(series.role)
    points = np.column_stack([x, y]).astype(float)
    if series.kind == "points":
        if series.low is not None and series.high is not None:
            axes.vlines(x, series.low, series.high, color=ink, linewidth=1.3)
            points = np.vstack(
                [points, np.column_stack([x, series.low]), np.column_stack([x, series.high])]
            )
        hollow = repeated > 0
        axes.plot(x, y, "o", ms=5, mec=ink, mew=1.3, mfc="none" if hollow else ink, zorder=3)
        return points
    style: Any = "-"
    if series.role == "theory":
        style = (0, (4.5, 2.2))
    elif repeated:
        style = (0, (1.2, 1.6))
    width = 1.4 if series.role == "limit" else LINE_PT
    if series.kind == "step":
        axes.step(x, y, where="post", color=ink, linestyle=style, linewidth=width)
        corners = np.repeat(points, 2, axis=0)
        points = np.column_stack([corners[1:, 0], corners[:-1, 1]])
    else:
        axes.plot(x, y, color=ink, linestyle=style, linewidth=width)
    if series.low is not None and series.high is not None:
        fill_step: Any = "post" if series.kind == "step" else None
        axes.fill_between(
            x, series.low, series.high, color=ink, alpha=0.16, linewidth=0, step=fill_step
        )
    return points


def _obstacle(axes: Axes, series: Series, cloud: Cloud) -> Cloud:
    shown = axes.transData.transform(cloud)
    if series.kind in ("line", "step"):
        return dense(shown)
    if series.kind == "bars":
        floor = axes.transAxes.transform((0, 0))[1]
        return np.array([(x, y) for x, top in shown for y in np.arange(floor, top + 1, 4.0)])
    if series.low is not None:  # points with error bars: their whole length is taken
        n = len(shown) // 3
        bars = [dense(shown[[n + i, 2 * n + i]]) for i in range(n)]
        return np.vstack([*_marks(shown[:n]), *bars])
    return np.vstack(_marks(shown))


def _marks(points: Cloud) -> list[Cloud]:
    """Return the points and their marks' edges, 3 pt away."""
    edges = [(0, 0), (3, 0), (-3, 0), (0, 3), (0, -3)]
    return [points + np.array(edge, dtype=float) for edge in edges]


def _categories(result: Result) -> list[str] | None:
    found: list[str] = []
    for series in result.series:
        for value in series.x:
            if isinstance(value, str) and value not in found:
                found.append(value)
    return found or None


def draw(
    result: Result,
    *,
    x_limits: tuple[float, float] | None = None,
    y_limits: tuple[float, float] | None = None,
    x_ticks: Sequence[float] | None = None,
    y_ticks: Sequence[float] | None = None,
    values: bool | None = None,
    size: tuple[float, float] = (WIDTH_IN, HEIGHT_IN),
) -> Figure:
    """Return a figure of a result, each series named where it runs, in its color.

    A result with a grid becomes a heat map, one of stacked series stacked bars; of the options
    these know `size` only.

    Parameters
    ----------
    result : Result
        What an experiment found. A series whose x are strings is drawn over categories; one
        whose name is empty is not labeled; `label_at` pulls a name to an x.
    x_limits, y_limits : tuple of float, optional
        What the axes show; by default all the data, a linear y axis from zero where nothing
        is negative.
    x_ticks, y_ticks : sequence of float, optional
        Where to put the numbers, when the default is not telling.
    values : bool, optional
        Write each bar's value above it; by default when there are at most eight bars.
    size : tuple of float
        Inches; a width of 5.0 keeps text legible on a phone.

    Raises
    ------
    ValueError
        If the result has no series.
    """
    if result.grid is not None:
        return draw_grid(result, size)
    if not result.series:
        raise ValueError("result has no series: there is nothing to draw")
    if any(series.kind == "stack" for series in result.series):
        return draw_stack(result, size)
    figure, axes = blank(result.x, result.y, size=size)
    categories = _categories(result)
    with mpl.rc_context(settings()):
        positions: dict[Any, float] = {c: float(i) for i, c in enumerate(categories or [])}
        keyed = [(f"{i} {s.name}", s) for i, s in enumerate(result.series)]
        bars = [(key, s) for key, s in keyed if s.kind == "bars"]
        if bars and categories is None:
            found = list(dict.fromkeys(v for _, s in bars for v in s.x))
            categories = [tick(v) for v in found]
            positions = {v: float(i) for i, v in enumerate(found)}
        clouds = _bars(axes, bars, positions) if bars else {}
        seen: dict[tuple[str, str], int] = {}
        for key, series in keyed:
            if series.kind == "bars":
                continue
            x = [positions.get(v, v) for v in series.x]
            look = (series.role, series.kind)
            clouds[key] = _curve(axes, series, x, seen.get(look, 0))
            seen[look] = seen.get(look, 0) + 1
        if categories and x_limits is None:
            x_limits = (-0.5, len(categories) - 0.5)
        _limits(axes, result, clouds, x_limits, y_limits, bool(bars))
        finish(
            figure,
            axes,
            result.x,
            result.y,
            x_ticks=x_ticks,
            y_ticks=y_ticks,
            categories=categories,
        )
        _name(axes, keyed, clouds, positions, values)
    return figure


def _limits(
    axes: Axes,
    result: Result,
    clouds: dict[str, Cloud],
    x_limits: tuple[float, float] | None,
    y_limits: tuple[float, float] | None,
    has_bars: bool,
) -> None:
    everything = np.vstack(list(clouds.values()))
    everything = everything[np.isfinite(everything).all(axis=1)]
    low, high = everything.min(axis=0), everything.max(axis=0)
    for s in result.series:
        if s.low is not None and s.high is not None:
            low[1], high[1] = min(low[1], *s.low), max(high[1], *s.high)
    if x_limits is None and not has_bars:
        pad = 0.025 * (high[0] - low[0]) or 0.5
        if result.x.log:
            factor = (high[0] / low[0]) ** 0.025 or 1.1
            x_limits = (low[0] / factor, high[0] * factor)
        else:
            x_limits = (low[0] if low[0] == 0 else low[0] - pad, high[0] + pad)
    if y_limits is None:
        if result.y.log:
            positive = everything[everything[:, 1] > 0, 1]
            factor = (positive.max() / positive.min()) ** 0.05 or 1.1
            y_limits = (max(low[1], positive.min()) / factor, high[1] * factor)
        else:
            floor = 0.0 if low[1] >= 0 else low[1] * 1.08
            y_limits = (floor, high[1] * (1.14 if has_bars else 1.06) or 1.0)
    if x_limits is not None:
        axes.set_xlim(*x_limits)
    axes.set_ylim(*y_limits)


def _name(
    axes: Axes,
    keyed: list[tuple[str, Series]],
    clouds: dict[str, Cloud],
    positions: dict[Any, float],
    values: bool | None,
) -> None:
    """Write the names of the series, and the values of few bars."""
    obstacles, labels = [], []
    bars = [(key, s) for key, s in keyed if s.kind == "bars"]
    frame = axes.get_window_extent()
    for key, series in keyed:
        cloud = _obstacle(axes, series, clouds[key])
        obstacles.append(cloud)
        if not series.name or (series.kind == "bars" and len(keyed) == 1):
            continue
        at = None
        if series.label_at is not None:
            x = positions.get(series.label_at, series.label_at)
            at = float(axes.transData.transform((x, axes.get_ylim()[1]))[0])
        own = cloud[(cloud[:, 0] >= frame.x0 - 1) & (cloud[:, 0] <= frame.x1 + 1)]
        own = own[(own[:, 1] >= frame.y0 - 1) & (own[:, 1] <= frame.y1 + 1)]
        if series.kind == "bars":  # named above a bar, but the whole bar is in the way of others
            own = axes.transData.transform(clouds[key])
        elif len(own):
            obstacles[-1] = own
        labels.append(Label(series.name, color(series.role), own if len(own) else cloud, at))
    number_of_bars = sum(len(s.x) for _, s in bars)
    if bars and (values if values is not None else number_of_bars <= 8):
        obstacles.extend(_values(axes, bars, clouds))
    place(axes, labels, obstacles)


def _values(axes: Axes, bars: list[tuple[str, Series]], clouds: dict[str, Cloud]) -> list[Cloud]:
    taken = []
    top = max(abs(y) for _, series in bars for y in series.y) or 1.0
    whole = all(float(y).is_integer() for _, series in bars for y in series.y)
    decimals = 0 if whole else max(0, 2 - math.floor(math.log10(top)))
    for key, series in bars:
        tops = clouds[key][4::9]
        for (x, top), value in zip(tops, series.y, strict=True):
            text = (
                tick(float(f"{value:.{decimals}f}")) if decimals == 0 else f"{value:.{decimals}f}"
            )
            if value > 0 and float(text.replace(THIN, "").replace(MINUS, "-")) == 0:
                text = f"<{10**-decimals:.{decimals}f}"
            axes.annotate(
                text,
                (x, top),
                xytext=(0, 2.5),
                textcoords="offset points",
                ha="center",
                va="bottom",
            )
            px, py = axes.transData.transform((x, top))
            half = 3.2 * len(text)
            taken.append(
                np.array(
                    [(px + dx, py + dy) for dx in np.linspace(-half, half, 8) for dy in (4, 10, 15)]
                )
            )
    return taken
