"""Figures keep the style: colors of the page, sizes that a phone can show, names beside curves."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from simulations.experiment import Axis, Result, Series
from simulations.figures import Interval, Lane, Mark, claim, draw, publish, show, table, timeline
from simulations.figures import showing as showing_module
from simulations.figures.style import INK, PALETTE, TEXT_PT, color
from simulations.figures.svg import MAX_BYTES, to_svg
from simulations.figures.words import count, number, percent, seconds, usd

SVG = "{http://www.w3.org/2000/svg}"
ALT = "Two lines that cross near the middle, and five points"


def result(points: int = 50) -> Result:
    x = [1 + i for i in range(points)]
    return Result(
        Axis("load", "calls/s", log=True),
        Axis("wait", "ms"),
        (
            Series("coupled", x, [2.0 * v for v in x], role="coupled"),
            Series("decoupled", x, [points - v + 1.0 for v in x], role="decoupled"),
            Series("theory", x, [1.5 * v + 3 for v in x], role="theory"),
            Series("limit", [1, points], [30, 30], role="limit"),
            Series(
                "measured", [5, 20, 40], [9, 41, 79], kind="points", role="measured",
                low=[7, 38, 70], high=[12, 45, 90],
            ),
        ),
    )  # fmt: skip


def texts(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}text"))


def test_the_svg_takes_colors_and_font_from_the_page() -> None:
    svg = to_svg(draw(result()), "fig-x", ALT)
    assert INK not in svg and "currentColor" in svg
    assert "font-family" not in svg and "<metadata" not in svg
    for name in ("vermilion", "blue", "purple", "amber", "teal"):
        assert f"var(--{name}, {PALETTE[name]})" in svg
    # a palette color stands only as the fall-back of its variable
    bare = re.sub(r"var\(--\w+, #\w+\)", "", svg).lower()
    assert not any(code.lower() in bare for code in PALETTE.values())


def test_the_svg_says_what_it_shows_and_owns_its_ids() -> None:
    svg = to_svg(draw(result()), "fig-x", "A & B <are> words")
    root = ET.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label") == "A & B <are> words"
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert ids and all(str(i).startswith("fig-x-") for i in ids) and len(ids) == len(set(ids))
    used = re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", svg)
    assert {a or b for a, b in used} <= set(ids)


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert to_svg(draw(result()), "fig-x", ALT) == to_svg(draw(result()), "fig-x", ALT)


def test_a_figure_that_is_too_large_is_refused() -> None:
    x = list(range(9000))
    points = Series("p", x, [(37 * v) % 1009 for v in x], kind="points")
    many = Result(Axis("x"), Axis("y"), (points,))
    with pytest.raises(ValueError, match=f"at most {MAX_BYTES:,}"):
        to_svg(draw(many), "fig-x", ALT)


@pytest.mark.parametrize(
    "figure", [draw(result()), timeline([Lane("a", (Interval(0, 1, "wait"),))])]
)
def test_no_text_is_smaller_than_a_phone_can_show(figure: Any) -> None:
    svg = to_svg(figure, "fig-x", ALT)
    width = float(str(ET.fromstring(svg).get("viewBox")).split()[2])
    for text in texts(svg):
        size = re.search(r"font-size: ([\d.]+)px", text.get("style", ""))
        assert size is not None
        assert float(size.group(1)) >= TEXT_PT
        assert float(size.group(1)) * 331 / width >= 10, "on a phone 360 px wide"


def test_every_series_is_named_once_in_its_color_without_overlap() -> None:
    figure = draw(result())
    axes = figure.axes[0]
    named = {t.get_text(): t for t in axes.texts}
    assert set(named) == {"coupled", "decoupled", "theory", "limit", "measured"}
    boxes = {name: t.get_window_extent() for name, t in named.items()}
    frame = figure.bbox
    for name, box in boxes.items():
        assert named[name].get_color() == color(
            next(s.role for s in result().series if s.name == name)
        )
        assert (
            frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        )
        for other, its in boxes.items():
            # line boxes are taller than letters; letters are three quarters of them
            apart = box.x1 < its.x0 or its.x1 < box.x0
            apart |= abs(box.y0 - its.y0) > 0.75 * box.height
            assert other == name or apart, (name, other)


def test_log_axes_say_so_and_there_is_no_title() -> None:
    figure = draw(result())
    axes = figure.axes[0]
    assert axes.get_xlabel() == "load (calls/s, log scale)"
    assert axes.get_title() == ""
    assert not axes.spines["top"].get_visible() and not axes.spines["right"].get_visible()


def test_bars_without_a_name_can_be_drawn_and_nothing_cannot() -> None:
    bars = Series("", ["A0", "B10"], [21.03, 4.68], kind="bars", role="coupled")
    figure = draw(Result(Axis(""), Axis("cost", "USD"), (bars,)))
    assert [t.get_text() for t in figure.axes[0].texts] == ["21.0", "4.7"]
    with pytest.raises(ValueError, match="no series"):
        draw(Result(Axis("x"), Axis("y")))


def test_a_timeline_names_lanes_marks_and_kinds() -> None:
    lanes = [
        Lane(
            "SubmitOrder",
            (Interval(0, 0.1, "work"), Interval(0.1, 1, "wait")),
            "coupled",
            "coupled",
        ),
        Lane("queue", (Interval(0.1, 0.4, "queue", "300 ms"),), "decoupled", "decoupled"),
    ]
    svg = to_svg(timeline(lanes, marks=[Mark(1, "answer", "coupled", ("coupled",))]), "fig-t", ALT)
    said = {t.text for t in texts(svg)}
    assert {"SubmitOrder", "queue", "300 ms", "answer", "coupled", "decoupled"} <= said
    assert {"computing, billed", "waiting, billed", "in a queue, free"} <= said
    with pytest.raises(ValueError, match="no interval"):
        Interval(2, 1, "work")
    with pytest.raises(ValueError, match="none of"):
        Interval(0, 1, "sleeping")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="lanes is empty"):
        timeline([])


def test_what_is_shown_in_the_book_and_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(showing_module, "publish_display_data", shown.append)
    for book in ("", "1"):
        monkeypatch.setenv("SIMULATIONS_BOOK", book)
        show(draw(result()), name="fig-x", alt=ALT, caption="They cross.")
    elsewhere, in_book = shown
    payload = in_book[showing_module.FIGURE_MIME]
    assert payload["caption"] == "They cross." and payload["svg"].startswith("<svg")
    assert "image/png" in elsewhere and "image/png" not in in_book
    assert elsewhere[showing_module.FIGURE_MIME] == payload
    publish("share", percent(0.846))
    assert shown[-1][showing_module.NUMBER_MIME] == {"name": "share", "text": "85\u202f%"}
    table(["a", "b"], [["x", 1.234567]], name="tab-x", caption="One row.")
    assert shown[-1][showing_module.TABLE_MIME]["rows"] == [["x", "1.23"]]


def test_careless_figures_and_numbers_are_refused() -> None:
    figure = draw(result())
    with pytest.raises(ValueError, match="alt="):
        show(figure, name="fig-x", alt="A figure", caption="c")
    with pytest.raises(ValueError, match="caption"):
        show(figure, name="fig-x", alt=ALT, caption=" ")
    with pytest.raises(ValueError, match="lower-case"):
        show(figure, name="Fig 1", alt=ALT, caption="c")
    with pytest.raises(ValueError, match="empty"):
        publish("x", " ")
    with pytest.raises(ValueError, match="cells"):
        table(["a", "b"], [["x"]], name="tab-x", caption="c")
    with pytest.raises(ValueError, match="no longer so: it falls"):
        claim(False, "it falls")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(999.6, 3), "1 000"),
        (number(0.00009999, 2), "0.00010"),
        (number(12_345, 2), "12 000"),
        (percent(0.9996, 2), "99.96 %"),
        (percent(0.9, 2), "90 %"),
        (percent(0.0), "0 %"),
        (percent(1e-5), "0.0010 %"),
        (usd(999.999), "1000.00 USD"),
        (usd(0), "0.00 USD"),
        (usd(0.054), "0.0540 USD"),
        (seconds(0.0012), "1.2 ms"),
        (seconds(90), "90 s"),
        (seconds(3600), "60 min"),
        (seconds(86_400), "24 h"),
        (count(-1234), "\u22121 234"),
    ],
)
def test_numbers_are_rounded_and_spaced_as_the_book_does(shown: str, expected: str) -> None:
    assert shown.replace("\u202f", " ") == expected


def test_what_cannot_be_printed_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        number(float("nan"))
    with pytest.raises(ValueError, match="digits=0"):
        number(1.0, 0)
    with pytest.raises(ValueError, match="not a number"):
        count(float("inf"))
