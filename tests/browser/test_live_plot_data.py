"""Live figures take any data, can be read by everyone, and leave the page whole.

Pointer, finger and keys read values in headless Chromium; what is exported is read by the Python
standard library's readers of CSV and XML.
"""

from __future__ import annotations

import csv
import io
import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.browser import plot_page
from tests.browser.plot_page import (
    ROLES,
    Plain,
    overlap,
    peak,
    plain_axis,
    plain_grid,
    plain_result,
    plain_series,
    show,
    update,
)

pytestmark = pytest.mark.browser

# fixtures
plot_url, open_once, page = plot_page.plot_url, plot_page.open_once, plot_page.page

# ---------------------------------------------------------------- any data

NOTHING: list[float | None] = [None, None, None]
WILD: dict[str, Plain] = {
    "no series": plain_result(),
    "an empty series": plain_result(plain_series("a", [], [])),
    "missing values alone": plain_result(plain_series("a", [1, 2, 3], NOTHING)),
    "missing x": plain_result(plain_series("a", [1, None, 3], [1, 2, 3])),
    "gaps": plain_result(plain_series("a", range(9), [1, 2, None, 4, None, None, 7, 8, None])),
    "one point": plain_result(plain_series("a", [5], [3])),
    "one point on log axes": plain_result(plain_series("a", [5], [3]), x=plain_axis("x", log=True), y=plain_axis("y", log=True)),
    "nothing on log axes": plain_result(plain_series("a", [0, -1], [0, -2]), x=plain_axis("x", log=True), y=plain_axis("y", log=True)),
    "zeros on a log axis": plain_result(plain_series("a", range(5), [0, 1, 0, 10, 100]), y=plain_axis("y", log=True)),
    "all equal": plain_result(plain_series("a", [1, 2, 3], [7, 7, 7])),
    "all zero": plain_result(plain_series("a", [0, 0, 0], [0, 0, 0])),
    "all negative": plain_result(plain_series("a", [1, 2, 3], [-7, -8, -9])),
    "huge": plain_result(plain_series("a", [1e11, 9e12], [2e300, 9e305])),
    "tiny": plain_result(plain_series("a", [1e-12, 9e-12], [2e-300, 9e-290]), y=plain_axis("y", log=True)),
    "hardly different": plain_result(plain_series("a", [1e9, 1e9 + 1], [1.0, 1.0 + 1e-12])),
    "bounds missing": plain_result(plain_series("a", [1, 2], [3, 4], low=[None, 2], high=[5, None])),
    "points with bounds missing": plain_result(plain_series("a", [1, 2], [3, 4], kind="points", low=[None, 2], high=[5, None])),
    "bars without a value": plain_result(plain_series("a", ["p", "q"], [None, 3], kind="bars")),
    "bars below zero": plain_result(plain_series("a", ["p", "q"], [-2, 3], kind="bars")),
    "bars on a log axis": plain_result(plain_series("a", ["p", "q"], [0, 30], kind="bars"), y=plain_axis("y", log=True)),
    "bars over numbers": plain_result(plain_series("a", [128, 256], [1, 2], kind="bars"), x=plain_axis("memory", "MB", log=True)),
    "a stack without values": plain_result(plain_series("a", ["p"], [None], kind="stack"), plain_series("b", ["p"], [2], kind="stack")),
    "an empty grid": plain_grid([], [], []),
    "a grid without values": plain_grid(["p"], ["q"], [[None]]),
    "a grid of one value": plain_grid(["p", "q"], [1, 2], [[5.0, 5.0], [5.0, 5.0]]),
    "steps and one point": plain_result(plain_series("a", [0], [1], kind="step"), plain_series("b", [0, 2, 1], [1, 2, 3], kind="step")),
    "twenty series": plain_result(*(plain_series(f"name {i}", range(20), [v * i for v in range(20)]) for i in range(20))),
    "words that are code": plain_result(plain_series("<img src=x onerror=alert(1)>", [1, 2], [1, 2]), x=plain_axis('"><script>', "&")),
}  # fmt: skip


@pytest.mark.parametrize("what", WILD)
def test_any_data_are_drawn_without_a_fault(page: Any, what: str) -> None:
    texts = show(page, WILD[what])
    update(page, peak(5), reference=WILD[what], partial=True)
    update(page, WILD[what], reference=peak(5))
    markup = page.evaluate("host.querySelector('svg').innerHTML")
    assert "NaN" not in markup and "Infinity" not in markup and "undefined" not in markup
    assert page.evaluate("host.querySelectorAll('img, script').length") == 0
    if not WILD[what]["grid"]:
        ticks = [t for t in texts if re.fullmatch(r"[\u2212\d.\u202f×⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", t["text"])]
        assert len(ticks) >= 3, "the axes keep their numbers"
    ET.fromstring(page.evaluate("plot.svg()"))
    list(csv.reader(io.StringIO(page.evaluate("plot.csv()"))))
    assert "NaN" not in page.evaluate("plot.description() + plot.csv()")
    page.evaluate("plot.tell()")
    page.locator(".plot").focus()
    for key in ("ArrowRight", "End", "ArrowDown", "Home"):
        page.keyboard.press(key)
    page.locator(".plot").hover()


def test_a_gap_is_a_gap_and_a_value_alone_is_a_point(page: Any) -> None:
    show(page, plain_result(plain_series("a", range(7), [1, 2, None, 4, None, 6, 7])))
    paths = page.evaluate("[...host.querySelectorAll('svg path')].map((p) => p.getAttribute('d'))")
    assert [d.count("L") for d in paths if d.count("M") == 3 and "L" in d] == [2], "three pieces"
    alone = [d for d in paths if d.endswith("h0")]
    x, y = page.evaluate("[plot.shown.at.x(3), plot.shown.at.y(4)]")
    assert len(alone) == 1
    assert [float(v) for v in re.findall(r"[\d.]+", alone[0])[:2]] == pytest.approx(
        [x, y], abs=0.01
    )


def test_thousands_of_points_keep_every_peak(page: Any) -> None:
    spike = [5.0] * 10_000
    spike[6_789] = 100.0
    show(page, plain_result(plain_series("a", range(10_000), spike)))
    d = max(
        page.evaluate("[...host.querySelectorAll('svg path')].map((p) => p.getAttribute('d'))"),
        key=len,
    )
    heights = [float(y) for _, y in re.findall(r"([\d.]+),([\d.]+)", d)]
    low, high = page.evaluate("[plot.shown.at.y(5), plot.shown.at.y(100)]")
    assert max(heights) == pytest.approx(low, abs=0.01) and min(heights) == pytest.approx(
        high, abs=0.01
    )
    assert len(heights) < 4_000, "but no more than can be seen"


# ---------------------------------------------------------------- bars, stacks, heat maps


def test_stacked_bars_stand_on_each_other_and_are_named_at_their_height(page: Any) -> None:
    parts = {"requests": [1.0, 4.0], "duration": [5.0, 2.0], "logs": [2.0, 6.0]}
    texts = show(
        page,
        plain_result(
            *(plain_series(n, ["a", "b"], y, kind="stack", role=r) for (n, y), r in zip(parts.items(), ROLES, strict=False)),
            x=plain_axis("architecture"),
            y=plain_axis("cost", "USD"),
        ),
    )  # fmt: skip
    boxes = page.evaluate(
        """() => plot.shown.hits.map((h) => h.points.map((p) => [p.base, p.py].map(plot.shown.at.y.invert)))"""
    )
    for column in (0, 1):
        floor = 0.0
        for (name, values), series in zip(parts.items(), boxes, strict=True):
            low, high = series[column]
            assert low == pytest.approx(floor, abs=1e-9), name
            assert high - low == pytest.approx(values[column], rel=1e-9), name
            floor = high
    names = {t["text"]: t["y"] for t in texts if t["isName"]}
    assert names["logs"] < names["duration"] < names["requests"], "from above: as they lie"


def test_a_heat_map_is_the_stronger_the_larger_the_value(page: Any) -> None:
    values: list[list[float | None]] = [[1.0, 20.0, 3.0], [40.0, None, 6.0]]
    texts = show(page, plain_grid(["up", "down"], [128, 256, 512], values))
    found = page.evaluate(
        "[...host.querySelectorAll('svg g rect')].map((r) => [Number(r.style.fillOpacity), r.getBBox().x, r.getBBox().y])"
    )
    known = [v for row in values for v in row if v is not None]
    assert len(found) == len(known)
    by_value = sorted(zip(known, (opacity for opacity, _, _ in found), strict=True))
    assert [o for _, o in by_value] == sorted({o for _, o in by_value})
    place = {t["text"]: t for t in texts}
    assert place["up"]["y"] < place["down"]["y"] and place["128"]["x"] < place["512"]["x"]
    assert abs(place["40"]["x"] - place["1"]["x"]) < 8 and place["40"]["y"] > place["1"]["y"]


def test_many_cells_get_a_key_in_place_of_numbers(page: Any) -> None:
    values: list[list[float | None]] = [[float(i * j) for j in range(40)] for i in range(30)]
    texts = show(page, plain_grid(list(range(30)), list(range(40)), values))
    said = [t["text"] for t in texts]
    assert any("1\u202f131" in text for text in said), "the key says the largest value"
    assert len(said) < 45
    for i, a in enumerate(texts):
        assert all(overlap(a, b) <= 0 for b in texts[:i]), a


# ---------------------------------------------------------------- reading values


def _readout(page: Any) -> str:
    box = page.locator(".plot-box")
    return re.sub(r"\s+", " ", box.inner_text().replace("\n", " ")) if box.is_visible() else ""


def _square() -> Plain:
    x = list(range(11))
    return plain_result(
        plain_series("square", x, [v * v for v in x], low=[v * v - 1 for v in x], high=[v * v + 1 for v in x]),
        plain_series("steps", [0, 4, 8], [10, 30, 50], kind="step", role="decoupled"),
        plain_series("straight", [0, 10], [0, 100], role="theory"),
    )  # fmt: skip


def test_the_pointer_reads_the_nearest_values(page: Any) -> None:
    show(page, _square())
    at = page.evaluate(
        """() => { const { left, top } = host.getBoundingClientRect(); const k = 600 / 360;
        return [left + plot.shown.at.x(6.1) * k, top + 100]; }"""
    )
    page.mouse.move(*at)
    said = _readout(page)
    assert "time 6 s" in said and "square 36 35 to 37" in said
    assert "steps 30" in said, "a step holds until the next"
    assert "straight ≈ 60" in said, "a line says what it shows between its points"
    update(page, peak(7))
    assert "square" not in _readout(page) and "a " in _readout(page), "and follows the next frame"
    page.mouse.move(2, 2)
    assert _readout(page) == ""


def test_a_finger_reads_too_and_may_rest(page: Any) -> None:
    show(page, _square(), width=360)
    box = page.locator(".plot").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "time 5 s" in _readout(page) and "square 25" in _readout(page)
    assert "pan-y" in page.evaluate("getComputedStyle(host.querySelector('.plot')).touchAction")


def test_arrow_keys_read_every_value_aloud(page: Any) -> None:
    show(page, _square())
    page.locator(".plot").focus()
    live = page.locator(".plot [aria-live]")
    page.keyboard.press("ArrowRight")
    assert live.text_content().startswith("time 0\u202fs")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "time 3\u202fs" in live.text_content() and "square 9 (8 to 10)" in live.text_content()
    page.keyboard.press("End")
    assert "square 100" in live.text_content() and "steps 50" in live.text_content()
    page.keyboard.press("Escape")
    assert _readout(page) == ""


def test_keys_walk_over_a_heat_map(page: Any) -> None:
    show(page, plain_grid(["night", "day"], [128, 256], [[1.0, 2.0], [3.0, 4.5]]))
    page.locator(".plot").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    said = page.locator(".plot [aria-live]").text_content()
    assert "day" in said and "256" in said and "4.5\u202f%" in said


def test_who_does_not_see_the_figure_gets_words_and_a_table(page: Any) -> None:
    show(page, _square())
    words = page.evaluate("plot.description()")
    assert words.startswith("What it shows. waiting (messages) against time (s).")
    assert "square: 0 at 0\u202fs, 100 at 10\u202fs; lowest 0" in words
    page.wait_for_selector(".plot-table table", state="attached")
    rows = page.evaluate(
        "[...host.querySelectorAll('tbody tr')].map((r) => [...r.children].map((c) => c.textContent))"
    )
    assert ["square", "7", "49 (48 to 50)"] in rows and ["steps", "8", "50"] in rows
    assert page.locator("svg[role=img]").get_attribute("aria-label") == words


# ---------------------------------------------------------------- what leaves the page


def test_the_csv_holds_every_digit(page: Any) -> None:
    x, y = [0.1, 1 / 3, 1e-9, 2e22], [math.pi, -1e-300, 7, None]
    result = plain_result(
        plain_series('say "a, b"', x, y, low=[1, 2, 3, None], high=[4, 5, 6, None])
    )
    show(page, result)
    rows = list(csv.reader(io.StringIO(page.evaluate("plot.csv()"))))
    assert rows[0] == ["series", "time (s)", "waiting (messages)", "low", "high"]
    assert [row[0] for row in rows[1:]] == ['say "a, b"'] * 4
    assert [float(row[1]) for row in rows[1:]] == x
    assert [float(row[2]) for row in rows[1:4]] == y[:3] and rows[4][2:] == ["", "", ""]
    update(page, plain_grid(["night", "day"], [128], [[1.5], [None]]))
    rows = list(csv.reader(io.StringIO(page.evaluate("plot.csv()"))))
    assert rows == [
        ["load", "memory (MB)", "value (%)"],
        ["night", "128", "1.5"],
        ["day", "128", ""],
    ]


def test_the_svg_stands_alone(page: Any, browser: Any) -> None:
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    texts = show(page, _square())
    text = page.evaluate("plot.svg()")
    tree = ET.fromstring(text)
    assert not re.search(r"var\(|currentcolor|href|url\(|@import", text, re.IGNORECASE)
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    words = ["".join(t.itertext()) for t in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"square", "steps", "straight", "time (s)", "waiting (messages)"} <= set(words)
    # alone in a page without the book's style and font it has its size, its colors and its room
    context = browser.new_context(viewport={"width": 800, "height": 600}, offline=True)
    alone = context.new_page()
    alone.set_content(text)
    assert alone.evaluate("document.querySelector('svg').getBoundingClientRect().width") > 700
    fills = alone.evaluate(
        "[...document.querySelectorAll('.label text')].map((t) => getComputedStyle(t).fill)"
    )
    assert fills[:2] == ["rgb(181, 70, 36)", "rgb(40, 108, 178)"]
    wide = alone.evaluate("[...document.querySelectorAll('text')].map((t) => t.getBBox().width)")
    assert wide == pytest.approx([t["width"] for t in texts], abs=0.6), "as wide as in the book"
    context.close()


# ---------------------------------------------------------------- states, speed, leaving


def test_the_chapter_s_setting_stands_faintly_behind(page: Any) -> None:
    texts = show(page, peak(20), reference=peak(60))
    assert (
        page.evaluate("Number(getComputedStyle(host.querySelector('.plot-reference')).opacity)")
        < 0.5
    )
    assert [t["text"] for t in texts if t["isName"]] == ["a"], "named once"
    ticks = [t["text"] for t in texts if t["x"] < 40]
    assert "60" in ticks, "the axis shows both"
    update(page, peak(20))
    assert page.locator(".plot-reference").count() == 0


def test_it_says_when_better_results_are_on_their_way(page: Any) -> None:
    show(page, peak(20), partial=True)
    assert page.locator(".plot").get_attribute("aria-busy") == "true"
    page.wait_for_function("getComputedStyle(host.querySelector('.plot-busy')).opacity === '1'")
    update(page, peak(20))
    assert page.locator(".plot").get_attribute("aria-busy") == "false"
    assert page.evaluate("getComputedStyle(host.querySelector('.plot-busy')).opacity") == "0"


def test_two_thousand_points_are_redrawn_within_ten_milliseconds_and_nothing_piles_up(
    page: Any,
) -> None:
    page.evaluate("make(600, {})")
    took = page.evaluate(
        """() => { const make = (k) => ({ x: { label: "time", unit: "s", log: false }, y: { label: "wait", unit: "ms", log: false },
          series: ["coupled", "decoupled", "theory", "measured"].map((role, j) => ({ name: role, role, kind: "line",
            x: Array.from({ length: 500 }, (_, i) => i), y: Array.from({ length: 500 }, (_, i) => 100 * j + 50 * Math.sin(i / 30 + k / 9)) })) });
        const took = []; const count = () => document.querySelectorAll("*").length; let before;
        for (let k = 0; k < 120; k += 1) {
          const result = make(k); const start = performance.now();
          plot.update(result, { partial: true }); document.body.offsetHeight;
          took.push(performance.now() - start);
          if (k === 20) before = count();
        }
        return { took: took.slice(20), grown: count() - before }; }"""
    )
    # the least of many: what drawing takes when nothing else has the processor
    assert min(took["took"]) < 10
    assert took["grown"] < 30


def test_it_leaves_nothing_behind(page: Any) -> None:
    show(page, peak(20))
    page.evaluate("plot.destroy()")
    assert page.evaluate("host.childNodes.length") == 0
    page.evaluate("(result) => plot.update(result)", peak(20))
    assert page.evaluate("host.childNodes.length") == 0, "a late frame draws nothing"
