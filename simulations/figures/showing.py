"""How a cell hands figures and numbers to the page, and what it shows in JupyterLab instead.

May import matplotlib and IPython and, of the library, `simulations.figures`.

In the book the environment variable SIMULATIONS_BOOK is set and a Sphinx extension
(site/ext) turns what is emitted here into the page; everywhere else a figure is a PNG.
"""

from __future__ import annotations

import base64
import io
import os
import re
from typing import Any

import matplotlib as mpl
from IPython.display import publish_display_data
from matplotlib.figure import Figure

from simulations.figures.style import settings
from simulations.figures.svg import to_svg
from simulations.figures.words import number

FIGURE_MIME = "application/vnd.simulations.figure+json"
NUMBER_MIME = "application/vnd.simulations.number+json"
TABLE_MIME = "application/vnd.simulations.table+json"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MIN_ALT = 30


def _emit(data: dict[str, Any]) -> None:
    publish_display_data(data)  # type: ignore[no-untyped-call]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"name={name!r} must be lower-case words joined by hyphens")


def show(figure: Figure, *, name: str, alt: str, caption: str) -> None:
    """Show a figure: inline SVG in the book, a PNG in JupyterLab.

    Parameters
    ----------
    figure : Figure
        What `draw`, `timeline` or a cell of its own drew under the book's style.
    name : str
        Its id on the page, unique there: `"fig-two-humps"`.
    alt : str
        What the figure shows, for who cannot see it: the axes, the curves, what to notice.
        At least 30 characters; may carry computed numbers.
    caption : str
        One true sentence that says what to see; may carry computed numbers.

    Raises
    ------
    ValueError
        If the name is malformed, the alt text too short or the caption empty.
    """
    _check_name(name)
    if len(alt.strip()) < MIN_ALT:
        raise ValueError(
            f"alt={alt!r} must say what the figure shows, {MIN_ALT} characters at least"
        )
    if not caption.strip():
        raise ValueError(f"figure {name!r} needs a caption, one true sentence")
    payload = {"name": name, "alt": " ".join(alt.split()), "caption": " ".join(caption.split())}
    payload["svg"] = to_svg(figure, name, alt)
    data: dict[str, Any] = {FIGURE_MIME: payload, "text/plain": f"{caption}\n[{alt}]"}
    if not os.environ.get("SIMULATIONS_BOOK"):
        buffer = io.BytesIO()
        with mpl.rc_context(settings()):
            figure.savefig(
                buffer, format="png", dpi=144, facecolor="white", metadata={"Software": None}
            )
        data["image/png"] = base64.b64encode(buffer.getvalue()).decode()
    _emit(data)


def publish(name: str, value: str | float) -> None:
    """Make a computed number available to the prose of its page, as ``{n}`name` ``.

    Parameters
    ----------
    name : str
        Its name, unique on the page: `"cold-share-hourly"`.
    value : str or float
        The text as it shall stand in the prose (`words.percent(0.846)`); a bare number is
        shown with three significant digits.

    Raises
    ------
    ValueError
        If the name is malformed or the text empty.
    """
    _check_name(name)
    text = value if isinstance(value, str) else number(value)
    if not text.strip():
        raise ValueError(f"number {name!r} is empty")
    _emit({NUMBER_MIME: {"name": name, "text": text}, "text/plain": f"{name}: {text}"})


def claim(holds: bool, words: str) -> None:
    """Fail the page if what its prose says in words is no longer so.

    Raises
    ------
    ValueError
        If `holds` is false; the message repeats the claim.

    Examples
    --------
    >>> claim(0.0070 > 0.0032, "the share goes up again")
    >>> claim(1 > 2, "one is more than two")
    Traceback (most recent call last):
    ValueError: no longer so: one is more than two
    """
    if not holds:
        raise ValueError(f"no longer so: {words}")


def table(header: list[str], rows: list[list[str | float]], *, name: str, caption: str) -> None:
    """Show a table of computed values; the first column names the rows.

    Numbers are shown with three significant digits; format others with `words` beforehand.

    Raises
    ------
    ValueError
        If the name is malformed, the caption empty, or a row's length differs from the header's.
    """
    _check_name(name)
    if not caption.strip():
        raise ValueError(f"table {name!r} needs a caption, one true sentence")
    cells = [[c if isinstance(c, str) else number(c) for c in row] for row in rows]
    for row in cells:
        if len(row) != len(header):
            raise ValueError(f"row {row} has {len(row)} cells, the header {len(header)}")
    widths = [max(len(row[i]) for row in [header, *cells]) for i in range(len(header))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in [header, *cells]
    ]
    payload = {"name": name, "caption": " ".join(caption.split()), "header": header, "rows": cells}
    _emit({TABLE_MIME: payload, "text/plain": "\n".join([*lines, "", caption])})
