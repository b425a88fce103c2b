"""The grid of shares: every cell is there, good and bad ones differ, words fit."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from simulations import Axis, Result, Series
from simulations.figures.grid import grid
from simulations.figures.style import TEXT_PT, color

ROWS = ["no fault", "a fault of some kind"]
SHARES = Result(
    Axis("fault"), Axis("right", "%"),
    (Series("one", ROWS, [100.0, 50.0]), Series("two", ROWS, [99.2, 99.5])),
)  # fmt: skip


def test_each_cell_has_its_number_and_the_color_of_its_side_of_the_goal() -> None:
    axes = grid(SHARES, ["one", "two\nlines"], goal=99.5).axes[0]
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    colors = [to_hex(cell.get_facecolor()).upper() for cell in cells]
    good, bad = color("decoupled"), color("coupled")
    assert colors == [good, bad, bad, good]
    assert [text.get_text() for text in axes.texts] == ["100", "50", "99.2", "99.5"]
    assert (cells[1].get_alpha() or 0) > (cells[2].get_alpha() or 0)
    assert all(float(text.get_fontsize()) >= TEXT_PT for text in axes.texts)


def test_words_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="1 words for 2 series"):
        grid(SHARES, ["one"], goal=99.5)
