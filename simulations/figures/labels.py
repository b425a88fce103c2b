"""Where to write the name of a curve: beside it, clear of everything else.

May import matplotlib and NumPy and, of the library, `simulations.figures.style`.

Every drawn thing becomes a cloud of points in display units (points, 72 to the inch). For each
name a few hundred places along its own curve are tried; the one with the fewest points beneath
it, well inside the axes and nearer to its own curve than to any other, wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from numpy.typing import NDArray

from simulations.figures.style import TEXT_PT, renderer_of

Cloud = NDArray[np.float64]
_STEP_PT = 2.0
_GAP_PT = 4.0


@dataclass
class Label:
    """A name to place: its text, color, own curve in display units, and a wished-for x."""

    text: str
    color: str
    own: Cloud
    at: float | None = None


def dense(points: Cloud) -> Cloud:
    """Return a polyline's points with no gap above 2 pt."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return points
    pieces = []
    for a, b in pairwise(points):
        n = max(1, min(400, int(np.hypot(*(b - a)) / _STEP_PT)))
        pieces.append(a + (b - a) * np.linspace(0, 1, n, endpoint=False)[:, None])
    return np.vstack([*pieces, points[-1:]])


def _gap(box: tuple[float, float, float, float], cloud: Cloud) -> float:
    """Return the distance of the nearest point of the cloud from the box, 0 inside."""
    if len(cloud) == 0:
        return 1e9
    x0, y0, x1, y1 = box
    dx = np.maximum(np.maximum(x0 - cloud[:, 0], cloud[:, 0] - x1), 0)
    dy = np.maximum(np.maximum(y0 - cloud[:, 1], cloud[:, 1] - y1), 0)
    return float(np.sqrt((dx * dx + dy * dy).min()))


def _inside(box: tuple[float, float, float, float], cloud: Cloud) -> int:
    x0, y0, x1, y1 = box
    x, y = cloud[:, 0], cloud[:, 1]
    return int(((x > x0) & (x < x1) & (y > y0) & (y < y1)).sum())


def _candidates(label: Label, width: float, height: float) -> list[tuple[float, float, float]]:
    """Return lower left corners to try, each with a small cost of its own."""
    own = label.own
    picks = own[np.unique(np.linspace(0, len(own) - 1, min(len(own), 70)).astype(int))]
    if label.at is not None:
        picks = picks[np.argsort(np.abs(picks[:, 0] - label.at), kind="stable")[:25]]
    places = []
    for i, (x, y) in enumerate(picks):
        # names read best past the middle
        middle = abs(i / max(1, len(picks) - 1) - 0.6)
        if label.at is not None:
            middle = abs(x - label.at) / 15
        for across, cost_x in ((0.5, 0.0), (0.0, 0.3), (1.0, 0.3)):
            for up, cost_y in ((_GAP_PT, 0.0), (-height - _GAP_PT, 0.5)):
                places.append((x - across * width, y + up, middle + cost_x + cost_y))
        places.append((x + _GAP_PT + 2, y - height / 2, middle + 0.6))
        places.append((x - width - _GAP_PT - 2, y - height / 2, middle + 0.6))
    return places


def place(axes: Axes, labels: list[Label], obstacles: list[Cloud]) -> list[Text]:
    """Write the labels into the axes and return their texts.

    Cost: a few hundred candidates a label, each checked against every obstacle point; about a
    hundredth of a second a label.
    """
    figure: Any = axes.figure
    renderer = renderer_of(figure)
    frame = axes.get_window_extent(renderer)
    page = figure.figure.bbox
    texts: list[tuple[Text, float, float]] = []
    boxes: list[tuple[float, float, float, float]] = []
    for label in labels:
        text = axes.text(
            0, 0, label.text, color=label.color, fontsize=TEXT_PT, fontweight="bold",
            transform=figure.dpi_scale_trans, ha="left", va="bottom", linespacing=1.15, gid=f"class-label-{len(texts)}",
        )  # fmt: skip
        extent = text.get_window_extent(renderer)
        # the font's line box is taller than its letters; an inner box may touch a line
        texts.append((text, extent.width, extent.height * 0.86))
        boxes.append((0.0, 0.0, 0.0, 0.0))
    for turn in range(2):
        for i, label in enumerate(labels):
            _, width, height = texts[i]
            others = [b for j, b in enumerate(boxes) if j != i and (turn or j < i)]
            foreign = [c for c in obstacles if c is not label.own]
            cloud = np.vstack(foreign) if foreign else np.empty((0, 2))
            best, best_cost = None, np.inf
            for x, y, cost in _candidates(label, width, height):
                box = (x, y, x + width, y + height)
                over = max(0.0, frame.x0 - box[0]) + max(0.0, box[2] - min(frame.x1 + 4, page.x1))
                over += max(0.0, frame.y0 + 2 - box[1]) + max(0.0, box[3] - frame.y1 - 6)
                cost += 40 * over
                for b in others:
                    if (
                        box[0] < b[2] + 3
                        and box[2] + 3 > b[0]
                        and box[1] < b[3] + 2
                        and box[3] + 2 > b[1]
                    ):
                        cost += 400
                if cost < best_cost:
                    cost += 12 * _inside(box, cloud) + 3 * _inside(box, label.own)
                if cost < best_cost:
                    near, far = _gap(box, label.own), _gap(box, cloud)
                    # clear of others, and plainly nearer to its own curve
                    cost += 0.12 * max(0.0, 14 - far) + 0.7 * max(0.0, 9 - (far - near))
                if cost < best_cost:
                    best, best_cost = (x, y), cost
            x, y = best if best is not None else (frame.x0, frame.y1)
            boxes[i] = (x, y, x + width, y + height)
    for (text, _, height), box in zip(texts, boxes, strict=True):
        extent = text.get_window_extent(renderer)
        # in inches, so that a PNG of another resolution has them in the same place
        dpi = figure.figure.dpi
        text.set_position((box[0] / dpi, (box[1] - (extent.height - height) / 2) / dpi))
    return [text for text, _, _ in texts]
