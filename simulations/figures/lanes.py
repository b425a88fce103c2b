"""Who did what when: one order's way as horizontal bars, one lane a component.

May import matplotlib and, of the library, `simulations.figures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulations.figures.axes import tick
from simulations.figures.style import TEXT_PT, WIDTH_IN, color, renderer_of, settings

Kind = Literal["work", "wait", "queue", "init", "provider", "fail"]
# kind: palette role, strength of the fill, height, words of the key
_KINDS: dict[str, tuple[str, float, float, str]] = {
    "work": ("plain", 0.85, 1.0, "computing, billed"),
    "wait": ("coupled", 0.55, 1.0, "waiting, billed"),
    "queue": ("decoupled", 0.9, 0.28, "in a queue, free"),
    "init": ("coupled", 0.9, 1.0, "starting cold"),
    "provider": ("theory", 0.55, 1.0, "at a provider"),
    "fail": ("coupled", 1.0, 1.0, "failed"),
}
_LANE_PT, _BAR_PT, _GROUP_PT = 33.0, 10.0, 24.0


@dataclass(frozen=True)
class Interval:
    """What a component did from `start_s` to `end_s` (seconds since the request began).

    `kind` is one of work (computing, billed), wait (waiting, billed), queue (in a queue, free),
    init (starting cold), provider (at somebody else's service), fail (work that came to nothing).
    `label` stands above the bar, a word or two.

    Raises
    ------
    ValueError
        If the interval ends before it starts or the kind is unknown.
    """

    start_s: float
    end_s: float
    kind: Kind
    label: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start_s <= self.end_s:
            raise ValueError(
                f"start_s={self.start_s}, end_s={self.end_s} are no interval from 0 on"
            )
        if self.kind not in _KINDS:
            raise ValueError(f"kind={self.kind!r} is none of {', '.join(_KINDS)}")


@dataclass(frozen=True)
class Lane:
    """One component's intervals. Lanes with the same `group` stand together under its name."""

    name: str
    intervals: tuple[Interval, ...]
    group: str = ""
    role: str = "plain"


@dataclass(frozen=True)
class Mark:
    """A moment that matters, as a line through all lanes: when the customer has an answer."""

    at_s: float
    label: str
    role: str = "plain"
    groups: tuple[str, ...] = field(default=())


def timeline(
    lanes: Sequence[Lane],
    *,
    marks: Sequence[Mark] = (),
    unit: Literal["s", "ms"] = "ms",
    axis: str = "time since the click",
    end_s: float | None = None,
    key: dict[str, str] | None = None,
) -> Figure:
    """Return a time line: lanes from top to bottom, time to the right, kinds in their color.

    The height follows the number of lanes. The kinds used are named in one line at the top, in
    their colors.

    Parameters
    ----------
    lanes : sequence of Lane
        From top to bottom.
    marks : sequence of Mark
        Moments to name, for instance when the customer is answered.
    unit : {"ms", "s"}
        Of the axis; the data are seconds.
    axis : str
        What the time axis counts.
    end_s : float, optional
        Where the axis ends; by default after the last interval.
    key : dict, optional
        Other words for kinds, e.g. ``{"wait": "idle"}``.

    Raises
    ------
    ValueError
        If there is no lane.
    """
    if not lanes:
        raise ValueError("lanes is empty: there is nothing to draw")
    factor = 1000.0 if unit == "ms" else 1.0
    groups = list(dict.fromkeys(lane.group for lane in lanes))
    last = max(i.end_s for lane in lanes for i in lane.intervals)
    last = end_s if end_s is not None else max([last * 1.02, *(m.at_s * 1.02 for m in marks)])
    kinds = [k for k in _KINDS if any(i.kind == k for lane in lanes for i in lane.intervals)]
    words = {k: (key or {}).get(k, _KINDS[k][3]) for k in kinds}
    named = [g for g in groups if g]
    mark_pt = 18.0 if marks else 0.0
    rows_pt = len(lanes) * _LANE_PT + len(named) * _GROUP_PT + (0 if named else mark_pt)
    rows = _key_rows(words)
    bottom_pt, top_pt = 38.0, 4.0 + 17.0 * len(rows)
    height_pt = rows_pt + bottom_pt + top_pt
    with mpl.rc_context(settings()):
        figure = Figure(figsize=(WIDTH_IN, height_pt / 72), dpi=72)
        axes = figure.add_axes((0.012, bottom_pt / height_pt, 0.965, rows_pt / height_pt))
        axes.set_xlim(0, last * factor)
        axes.set_ylim(rows_pt, 0)
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(tick))
        axes.set_xlabel(f"{axis} ({unit})", labelpad=3)
        renderer = renderer_of(figure)
        at = mark_pt if not named else 0.0
        spans: dict[str, tuple[float, float, float]] = {}
        for group in groups:
            top, heading_end = at, 0.0
            inside = [lane for lane in lanes if lane.group == group]
            if group:
                heading = axes.text(
                    0, at + _GROUP_PT - 6, group, va="baseline", ha="left", fontweight="bold",
                    color=color(inside[0].role), fontsize=TEXT_PT + 0.5,
                )  # fmt: skip
                heading_end = heading.get_window_extent(renderer).x1
                at += _GROUP_PT
            passing = [m.at_s for m in marks if not m.groups or group in m.groups]
            for lane in inside:
                _lane(axes, renderer, lane, at, factor, last, passing)
                at += _LANE_PT
            spans[group] = (top + (_GROUP_PT if group else 0), at, heading_end)
        for mark in marks:
            wanted = [spans[g] for g in (mark.groups or groups)]
            _mark(axes, renderer, mark, wanted, factor)
        _key(figure, rows, height_pt)
    return figure


def _lane(
    axes: Any, renderer: Any, lane: Lane, at: float, factor: float, last: float,
    passing: Sequence[float] = (),
) -> None:  # fmt: skip
    """Draw a lane's name above its bars, at the first of them, and the bars.

    A name steps aside for the lines of the marks that are `passing` through the lane.
    """
    middle = at + _LANE_PT - _BAR_PT / 2 - 4
    for interval in lane.intervals:
        role, strength, share, _ = _KINDS[interval.kind]
        height = _BAR_PT * share
        width = max((interval.end_s - interval.start_s) * factor, last * factor * 0.004)
        axes.barh(
            middle, width, height, left=interval.start_s * factor, color=color(role),
            alpha=strength, linewidth=0, zorder=2.5,
        )  # fmt: skip
        if interval.kind == "fail":
            axes.plot(
                interval.end_s * factor, middle, "x", color=color(role), ms=8, mew=2.2, zorder=4
            )
    start = min((i.start_s for i in lane.intervals), default=0.0) * factor
    base = at + _LANE_PT - _BAR_PT - 7
    # "label": the page lays its ground behind such words, so that no line runs through them
    name = axes.text(
        start, base, lane.name, va="baseline", ha="left", zorder=5, gid=f"class-label-{at:.0f}"
    )
    box = name.get_window_extent(renderer)
    frame = axes.get_window_extent(renderer)
    end = box.x1
    if box.x1 > frame.x1:
        name.set_ha("right")
        name.set_x(last * factor)
        end = frame.x1
    for at_s in passing:
        line = axes.transData.transform((at_s * factor, 0))[0]
        box = name.get_window_extent(renderer)
        if box.x0 - 3 < line < box.x1 + 3:
            right = line - box.x0 < box.width / 2 and line + 5 + box.width <= frame.x1
            aside = line + 5 if right else line - 5
            name.set_ha("left" if right else "right")
            name.set_x(axes.transData.inverted().transform((aside, 0))[0])
            end = name.get_window_extent(renderer).x1
    for interval in lane.intervals:
        if not interval.label:
            continue
        x = axes.transData.transform((interval.start_s * factor, 0))[0]
        x = max(x, end + 8)
        text = axes.text(
            axes.transData.inverted().transform((x, 0))[0], base, interval.label,
            va="baseline", ha="left", color=color(_KINDS[interval.kind][0]), zorder=5,
            gid=f"class-label-{at:.0f}-{x:.0f}",
        )  # fmt: skip
        end = text.get_window_extent(renderer).x1


def _mark(
    axes: Any,
    renderer: Any,
    mark: Mark,
    spans: list[tuple[float, float, float]],
    factor: float,
) -> None:
    """Draw a moment as a line through its groups; its words stand level with their heading."""
    y0, y1 = min(s[0] for s in spans), max(s[1] for s in spans)
    x = mark.at_s * factor
    ink = color(mark.role)
    axes.vlines(x, y0 - 4, y1, color=ink, linewidth=1.2, linestyle=(0, (3, 2)), zorder=2)
    text = axes.text(x, y0 - 6, mark.label, va="baseline", ha="left", color=ink)
    box = text.get_window_extent(renderer)
    frame = axes.get_window_extent(renderer)
    if box.x1 > frame.x1:
        text.set_ha("right")
    elif box.x0 < spans[0][2] + 8:
        text.set_x(axes.transData.inverted().transform((spans[0][2] + 8, 0))[0])


def _key_rows(words: dict[str, str]) -> list[list[tuple[float, str, str]]]:
    """Return the key in lines that fit: where each swatch stands, its kind, its words."""
    figure = Figure(figsize=(WIDTH_IN, 1), dpi=72)
    renderer, width = renderer_of(figure), WIDTH_IN * 72
    rows: list[list[tuple[float, str, str]]] = [[]]
    x = 0.012 * width
    for kind, text in words.items():
        box = figure.text(0, 0, text).get_window_extent(renderer)
        if rows[-1] and x + 17 + box.width > width:
            rows.append([])
            x = 0.012 * width
        rows[-1].append((x, kind, text))
        x += 17 + box.width + 11
    return rows


def _key(figure: Figure, rows: list[list[tuple[float, str, str]]], height: float) -> None:
    """Name the kinds at the top, each after a swatch of its color."""
    width = WIDTH_IN * 72
    for i, row in enumerate(rows):
        base = height - 15 - 17 * i
        for x, kind, text in row:
            role, strength, share, _ = _KINDS[kind]
            tall = 8.0 * max(share, 0.4)
            swatch = Rectangle(
                (x / width, (base + 4 - tall / 2) / height), 13 / width, tall / height,
                color=color(role), alpha=strength, linewidth=0, transform=figure.transFigure,
            )  # fmt: skip
            figure.add_artist(swatch)
            figure.text(
                (x + 17) / width, base / height, text, color=color(role), ha="left", va="baseline"
            )
