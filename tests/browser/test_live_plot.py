"""Live figures are drawn like the built ones: ticks, strokes, names, axes that stand still, legible words.

The page imports the very modules of `site/live/`, in headless Chromium; what they draw is compared
with matplotlib's figures and measured in the browser.
"""

from __future__ import annotations

import math
import random
import re
import statistics
from itertools import pairwise
from typing import Any

import pytest

from simulations.experiment import Axis, Result, Series
from simulations.figures import draw
from simulations.figures.svg import to_svg
from tests.browser import plot_page
from tests.browser.plot_page import (
    ROLES,
    Plain,
    overlap,
    peak,
    plain_grid,
    plain_result,
    plain_series,
    show,
    update,
)

pytestmark = pytest.mark.browser

# fixtures
plot_url, open_once, page = plot_page.plot_url, plot_page.open_once, plot_page.page

# ---------------------------------------------------------------- the look of the built figures


def _built() -> dict[str, Result]:
    """Results of all the kinds that the book draws."""
    times = list(range(0, 601, 10))
    hill = [2400 * math.exp(-(((t - 300) / 100) ** 2)) for t in times]
    decades = [10 ** (i / 10) for i in range(-10, 51)]
    kinds = ("one function", "queues", "topic and queues")
    many = ("Rust", "Go", "C# AOT", "Python", "Node", "Java", "Ruby", "C#")
    return {
        "lines from zero": Result(
            Axis("time", "s"),
            Axis("waiting", "messages"),
            (
                Series("coupled", times, hill, role="coupled"),
                Series("decoupled", times, [2.1 * t for t in times], role="decoupled"),
                Series("theory", times, [800.0 for _ in times], role="theory"),
            ),
        ),
        "small steps off zero": Result(
            Axis("running", "min"),
            Axis("share"),
            (Series("a", [3.1, 4.2, 5.9], [0.011, 0.013, 0.0305], kind="step"),),
        ),
        "below zero": Result(
            Axis("x"), Axis("y"), (Series("a", [-5, 0, 7], [-31.0, 2.0, 77.0], kind="points"),)
        ),
        "many decades": Result(
            Axis("rate", "1/h", log=True),
            Axis("cold share", "%", log=True),
            (
                Series("theory", decades, [100 / (1 + x / 5) for x in decades], role="theory"),
                Series("seen", [1, 30], [80, 14], kind="points", low=[70, 12], high=[90, 17]),
            ),
        ),
        "less than a decade": Result(
            Axis("memory", "MB", log=True),
            Axis("cost", "USD", log=True),
            (Series("a", [128, 256, 512], [3.0, 2.0, 4.5]),),
        ),
        "two decades": Result(
            Axis("memory", "MB", log=True), Axis("cost"), (Series("a", [20, 900], [1_200, 98_000]),)
        ),
        "bars beside each other": Result(
            Axis(""),
            Axis("answer", "ms"),
            (
                Series("median", kinds, [800, 35, 40], kind="bars", low=[700, 30, 35], high=[900, 40, 45]),
                Series("slowest", kinds, [1500, 135, 160], kind="bars", role="decoupled"),
            ),
        ),
        "many categories": Result(
            Axis("language"),
            Axis("init", "ms", log=True),
            (Series("p99", many, [31, 40, 60, 120, 150, 400, 190, 230], kind="points"),),
        ),
        "fractions above bars": Result(
            Axis("plan"), Axis("cost", "USD"), (Series("bill", ("a", "b"), [31.25, 0.004], kind="bars"),)
        ),
    }  # fmt: skip


def _middle(text: Plain) -> float:
    return float(text["x"] + text["width"] / 2)


@pytest.mark.parametrize("what", _built())
def test_ticks_and_words_stand_where_the_built_figure_has_them(page: Any, what: str) -> None:
    result = _built()[what]
    live = show(page, result.plain())
    page.evaluate(
        "(svg) => host.insertAdjacentHTML('afterend', `<div id='built' style='width:600px'>${svg}</div>`)",
        to_svg(draw(result), "built", "the built figure"),
    )
    built = page.evaluate("texts(document.querySelector('#built svg'))")
    for text in (t for t in built if not t["isName"]):
        same = [t for t in live if t["text"] == text["text"] and not t["isName"]]
        assert same, f"{text['text']!r} is not among {[t['text'] for t in live]}"
        off = min(math.hypot(_middle(t) - _middle(text), t["y"] - text["y"]) for t in same)
        assert off < 2.6, f"{text['text']!r} is {off:.1f} units off"
    assert sorted(t["text"] for t in live) == sorted(t["text"] for t in built)


def test_lines_carry_the_strokes_of_their_role(page: Any) -> None:
    lines = [
        plain_series(role, [0, 1], [i, i + 1.5], role=role) for i, role in enumerate(ROLES[:-1])
    ]
    show(page, plain_result(*lines, plain_series("again", [0, 1], [9, 9], role="decoupled")))
    found = page.evaluate(
        """() => [...host.querySelectorAll("svg path")].map((p) => p.getAttribute("style"))
        .filter((s) => /stroke: var/.test(s) && !/stroke-width: (0.8|3.6)/.test(s))"""
    )
    assert len(found) == 7
    names = ("vermilion", "blue", "purple", "teal", "amber", "magenta", "blue")
    for style, name in zip(found, names, strict=True):
        assert f"stroke: var(--{name}, #" in style
    dashed = ["stroke-dasharray" in style for style in found]
    assert dashed == [False, False, True, False, False, False, True], "theory, and a role again"
    assert found[2] != found[6].replace("blue", "purple"), "dashes for theory, dots for a second"


def test_a_second_set_of_points_of_one_role_is_hollow(page: Any) -> None:
    show(
        page,
        plain_result(
            *(plain_series(n, [1, 2], [v, v], kind="points") for n, v in (("a", 1), ("b", 2)))
        ),
    )
    paths = page.evaluate(
        "[...host.querySelectorAll('svg g path')].map((p) => p.getAttribute('d'))"
    )
    assert [d.count("h0") for d in paths if "h0" in d] == [2], "two filled points"
    assert [d.count("a2.5") for d in paths if "a2.5" in d] == [4], "two rings of two arcs"


# ---------------------------------------------------------------- names beside the curves


def test_names_overlap_nothing_and_stay_within_while_curves_move(page: Any) -> None:
    draws = random.Random(7)
    page.evaluate("make(600, {})")
    names = ["coupled", "behind a queue", "theory", "measured in 2025", "limit", "least recent"]
    for turn in range(40):
        count = 2 + turn % 5
        scale = [draws.uniform(0.2, 3.0) for _ in range(count)]
        shift = [draws.uniform(0, 6) for _ in range(count)]
        x = [i / 4 for i in range(100)]
        result = plain_result(
            *(
                plain_series(names[k], x, [scale[k] * (2 + math.sin(v / 4 + shift[k])) + 0.1 * k for v in x], role=ROLES[k])
                for k in range(count)
            )
        )  # fmt: skip
        texts = update(page, result)
        placed = [t for t in texts if t["isName"]]
        assert sorted(t["text"] for t in placed) == sorted(names[:count])
        for i, a in enumerate(placed):
            assert a["x"] >= -0.5 and a["x"] + a["width"] <= 360.5, a
            assert a["y"] >= 5 and a["y"] + a["height"] <= 215, a
            for b in [*placed[:i], *(t for t in texts if not t["isName"])]:
                assert overlap(a, b) <= 0, f"turn {turn}: {a['text']!r} over {b['text']!r}"


def test_a_name_has_its_curve_s_color_and_is_nearer_to_it_than_to_others(page: Any) -> None:
    x = list(range(100))
    levels = {"coupled": 100.0, "decoupled": 60.0, "measured": 20.0}
    texts = show(
        page, plain_result(*(plain_series(r, x, [v] * 100, role=r) for r, v in levels.items()))
    )
    colors = {"coupled": "vermilion", "decoupled": "blue", "measured": "teal"}
    rules = {t["text"]: t["y"] + t["height"] / 2 for t in texts if not t["isName"]}
    heights = {r: rules["0"] + (rules["100"] - rules["0"]) * v / 100 for r, v in levels.items()}
    for name in (t for t in texts if t["isName"]):
        assert colors[name["text"]] in name["fill"]
        gaps = {r: abs(name["y"] + name["height"] / 2 - y) for r, y in heights.items()}
        assert min(gaps, key=lambda r: gaps[r]) == name["text"]
        assert gaps[name["text"]] < 20


def test_a_name_does_not_hop_while_its_curve_trembles(page: Any) -> None:
    draws = random.Random(5)
    x = list(range(0, 200, 2))
    places = []
    for step in range(30):
        wave = [50 + 20 * math.sin(v / 15) + draws.gauss(0, 1.5) for v in x]
        line = [v / 3 + draws.gauss(0, 1.5) for v in x]
        result = plain_result(
            plain_series("a", x, wave), plain_series("b", x, line, role="decoupled")
        )
        texts = update(page, result) if step else show(page, result)
        places.append({t["text"]: (t["x"], t["y"]) for t in texts if t["isName"]})
    hops = [math.dist(p[n], q[n]) for p, q in pairwise(places) for n in "ab"]
    assert statistics.median(hops) < 8 and max(hops) < 20


# ---------------------------------------------------------------- axes that stand still


def _limits(texts: list[Plain]) -> tuple[tuple[str, float], ...]:
    """What the y axis says and where: the same for the same limits."""
    ticks = [t for t in texts if re.fullmatch(r"[\d.\u202f]+", t["text"]) and t["x"] < 40]
    return tuple((t["text"], round(t["y"])) for t in ticks if t["y"] < 205)


def test_a_drag_moves_the_axis_a_few_times_and_noise_never(page: Any) -> None:
    page.evaluate("make(600, {})")
    first = _limits(update(page, peak(100)))
    seen = {_limits(update(page, peak(100 * 1.05**i))) for i in range(60)}  # up to 19 fold
    assert 3 < len(seen) < 24
    draws = random.Random(3)
    still = {_limits(update(page, peak(1800 * draws.uniform(0.9, 1.0)))) for _ in range(20)}
    assert len(still) == 1
    inside = page.evaluate(
        """() => { const { points } = plot.shown.hits[0]; const { top, bottom } = plot.shown.frame;
        return points.every((p) => p.py >= top - 0.01 && p.py <= bottom + 0.01); }"""
    )
    assert inside
    assert _limits(update(page, peak(100))) == first, "back at the first setting, back at its axis"


def test_results_under_way_only_widen_the_axis(page: Any) -> None:
    page.evaluate("make(600, {})")
    wide = _limits(update(page, peak(100)))
    assert _limits(update(page, peak(3), partial=True)) == wide
    assert _limits(update(page, peak(3))) != wide, "the last one fits it again"


def test_the_chapter_s_axes_can_be_the_start(page: Any) -> None:
    page.evaluate("make(600, {})")
    page.evaluate("(result) => plot.home(result)", peak(100))
    nearby = _limits(update(page, peak(90), partial=True))
    assert nearby == _limits(show(page, peak(100)))


# ---------------------------------------------------------------- sizes and colors


@pytest.mark.parametrize("width", [250, 331, 360, 600, 900])
def test_words_are_legible_at_every_width(page: Any, width: int) -> None:
    result = _built()["lines from zero"].plain()
    texts = show(page, result, width=width)
    scale = page.evaluate("host.querySelector('svg').getScreenCTM().a")
    assert 10 <= 11 * scale + 0.001 <= 18.4
    box = page.evaluate("host.querySelector('svg').viewBox.baseVal.width")
    assert all(t["x"] >= -1 and t["x"] + t["width"] <= box + 1 for t in texts)


def test_a_figure_is_laid_out_anew_when_its_place_gets_narrower(page: Any) -> None:
    result = _built()["lines from zero"].plain()
    show(page, result, width=600)
    page.evaluate("host.style.width = '240px'")
    page.wait_for_function("host.querySelector('svg').viewBox.baseVal.width < 300")
    assert page.evaluate("host.querySelector('svg').getScreenCTM().a") * 11 >= 9.99


CONTRASTS = """() => {
  const ground = getComputedStyle(document.documentElement).backgroundColor;
  const cells = [...host.querySelectorAll("svg rect")].map((r) => ({ box: r.getBBox(), style: getComputedStyle(r) }));
  return [...host.querySelectorAll("svg text")].map((text) => {
    const { x, y, width, height } = text.getBBox();
    const under = cells.filter(({ box }) => x + width / 2 > box.x && x + width / 2 < box.x + box.width
      && y + height / 2 > box.y && y + height / 2 < box.y + box.height);
    const layers = [[ground, 1], ...under.map(({ style }) => [style.fill, Number(style.fillOpacity)])];
    const back = lightness(layers);
    const ink = lightness([...layers, [getComputedStyle(text).fill, 1]]);
    return { text: text.textContent, under: under.length,
      ratio: (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05) };
  });
}"""


def test_words_stand_out_in_both_themes_and_colors_follow_the_switch(page: Any) -> None:
    lines = plain_result(
        *(plain_series(role, [0, 1, 2], [i, i + 1, i], role=role) for i, role in enumerate(ROLES))
    )
    cells = plain_grid(["night", "day"], [128, 256, 512], [[0.0, 12.0, 99.0], [30.0, 64.0, 100.0]])
    colors = set()
    for result in (lines, cells):
        show(page, result)
        for theme in ("light", "dark"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            found = page.evaluate(CONTRASTS)
            pale = [t for t in found if t["ratio"] < 4.5]
            assert len(found) > 5 and pale == [], f"{theme}: {pale}"
            if result is lines:
                colors.add(
                    page.evaluate("getComputedStyle(host.querySelector('.label text')).fill")
                )
            else:
                assert sum(t["under"] == 1 for t in found) == 6, "each value stands on its cell"
    assert len(colors) == 2
