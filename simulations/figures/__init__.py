"""Figures in the one style of the book, and how a chapter shows them.

May import matplotlib and IPython and, of the library, `simulations.experiment`. The names are
loaded when first used, so that `simulations.figures.words` needs the standard library alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulations.figures.axes import blank, finish
    from simulations.figures.drawing import draw
    from simulations.figures.lanes import Interval, Lane, Mark, timeline
    from simulations.figures.showing import claim, publish, show, table

_HOME = {
    "draw": "drawing",
    "blank": "axes",
    "finish": "axes",
    "claim": "showing",
    "publish": "showing",
    "show": "showing",
    "table": "showing",
    "Interval": "lanes",
    "Lane": "lanes",
    "Mark": "lanes",
    "timeline": "lanes",
}
__all__ = [
    "Interval",
    "Lane",
    "Mark",
    "blank",
    "claim",
    "draw",
    "finish",
    "publish",
    "show",
    "table",
    "timeline",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
