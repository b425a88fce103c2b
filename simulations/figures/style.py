"""The one style of the figures: palette, font, matplotlib settings.

May import matplotlib and, of the library, `simulations.experiment`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg

FONTS = Path(__file__).parent / "fonts"
FAMILY = "Experiment Sans"

# One meaning per color, everywhere. The page turns each into a variable of its theme; these
# values are what a lab, a PDF or a card shows.
PALETTE = {
    "vermilion": "#D9542B",
    "blue": "#2F7FD1",
    "purple": "#9A6BD0",
    "teal": "#118F78",
    "amber": "#B97A00",
    "magenta": "#C8508F",
}
ROLE_COLOR = {
    "coupled": "vermilion",
    "decoupled": "blue",
    "theory": "purple",
    "measured": "teal",
    "limit": "amber",
    "fifth": "magenta",
    "plain": "ink",
}
# No other ink has this color, so the page can replace it by its own text color.
INK = "#010203"

WIDTH_IN, HEIGHT_IN = 5.0, 3.4
# 11 pt of a figure 360 pt wide are 10 px on a telephone 360 px wide, less its margins.
TEXT_PT = 11.0
LINE_PT = 1.9


def color(role: str) -> str:
    """Return the fall-back color of a role (`"coupled"`, `"theory"`, …) or palette name.

    Raises
    ------
    ValueError
        If `role` is neither.

    Examples
    --------
    >>> color("coupled"), color("teal")
    ('#D9542B', '#118F78')
    """
    name = ROLE_COLOR.get(role, role)
    if name == "ink":
        return INK
    if name not in PALETTE:
        known = ", ".join([*ROLE_COLOR, *PALETTE])
        raise ValueError(f"role={role!r} is none of {known}")
    return PALETTE[name]


@cache
def register_fonts() -> None:
    """Make the page's own font known to matplotlib, so that layout and page agree."""
    for path in sorted(FONTS.glob("*.ttf")):
        font_manager.fontManager.addfont(str(path))


def renderer_of(figure: Any) -> Any:
    """Return what measures the texts of a figure (matplotlib leaves it untyped)."""
    return FigureCanvasAgg(figure.figure).get_renderer()  # type: ignore[no-untyped-call]


def settings() -> Any:
    """Return the matplotlib settings of every figure, for `matplotlib.rc_context`."""
    register_fonts()
    return {
        "figure.figsize": (WIDTH_IN, HEIGHT_IN),
        "figure.dpi": 72,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "font.family": [FAMILY],
        "font.size": TEXT_PT,
        "axes.labelsize": TEXT_PT,
        "xtick.labelsize": TEXT_PT,
        "ytick.labelsize": TEXT_PT,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.linewidth": 0.8,
        "xtick.major.size": 3.5,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": INK,
        "grid.alpha": 0.13,
        "grid.linewidth": 0.7,
        "lines.linewidth": LINE_PT,
        "lines.solid_capstyle": "round",
        "lines.dash_capstyle": "butt",
        "path.simplify": True,
        "path.simplify_threshold": 0.25,
        "axes.unicode_minus": True,
        "mathtext.fontset": "custom",
        "mathtext.rm": FAMILY,
        "mathtext.it": FAMILY,
        "mathtext.bf": FAMILY,
        # text stays text, and the same figure gives the same bytes
        "svg.fonttype": "none",
        "svg.hashsalt": "serverless-by-experiment",
    }
