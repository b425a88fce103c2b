"""The check of the built site finds what it should: each rule, broken by hand, is reported."""

from __future__ import annotations

import json
from pathlib import Path

import check_site as check
import pytest

ALT = "Cold share against calls per hour, with two humps"
FIGURE = (
    '<figure class="sbe" id="fig-humps"><svg role="img" aria-label="{alt}"><path d="M0 0"/></svg>'
    "<figcaption>The share falls, rises and falls.</figcaption></figure>"
)
PAGE = """<!doctype html><html lang="en"><head><title>t</title>
<link rel="canonical" href="https://example.org/"><link rel="stylesheet" href="book.css">
<script src="book.js"></script></head>
<body><main><h1>One finding</h1>{body}<a href="https://example.org/">out</a></main></body></html>"""


def findings(body: str, page: str = PAGE) -> list[str]:
    return list(check.check_page("page.html", page.replace("{body}", body)).findings)


def test_a_sound_page_has_no_finding() -> None:
    assert findings(FIGURE.format(alt=ALT) + "<p>Text with <code>{n}`x`</code>.</p>") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (FIGURE.format(alt=""), "says too little"),
        (FIGURE.format(alt="A figure"), "says too little"),
        (FIGURE.format(alt=ALT).replace(f' aria-label="{ALT}"', ""), "no alt text"),
        (FIGURE.format(alt=ALT).replace(' role="img"', ""), "neither role"),
        (FIGURE.format(alt=ALT).replace(' id="fig-humps"', ""), "no id"),
        (FIGURE.format(alt=ALT).replace("The share falls, rises and falls.", " "), "no caption"),
        (FIGURE.format(alt=ALT) * 2, "stands 2 times"),
        (FIGURE.format(alt=ALT).replace("M0 0", "M0 0" * 20_000), "bytes of SVG"),
        ('<img src="a.png">', "no alt text"),
        ('<img src="a.png" alt="../_images/3f2a.png">', "file name"),
        ('<img src="a.png" alt="_images/a picture of the thing that is shown.png">', "file name"),
        ('<script src="https://cdn.example.org/x.js"></script>', "another host"),
        ('<script src="//cdn.example.org/x.js"></script>', "another host"),
        ('<script>import("https://cdn.example.org/x.js")</script>', "another host"),
        ('<link rel="stylesheet" href="https://fonts.example.org/f.css">', "another host"),
        ('<link rel="preload" href="https://fonts.example.org/f.woff2">', "another host"),
        (f'<img alt="{ALT}" src="https://img.example.org/a.png">', "another host"),
        (
            f'<img alt="{ALT}" src="a.png" srcset="a.png 1x, https://img.example.org/b.png 2x">',
            "another host",
        ),
        ('<iframe src="https://example.org/"></iframe>', "another host"),
        ("<style>@import url(https://fonts.example.org/f.css);</style>", "another host"),
        ('<p style="background: url(//img.example.org/a.png)">x</p>', "another host"),
        ("<p>The share is {n}`cold-share` today.</p>", "left unread"),
        ("<p>::: note</p>", "left unread"),
        ('<div class="output traceback">Boom</div>', "traceback"),
        ('<div class="output stderr">warning</div>', "standard error"),
        ('<span class="problematic">:role:`x`</span>', "not understood"),
        ("<h1>Another</h1>", "headings of the first level"),
    ],
)
def test_each_broken_rule_is_reported(body: str, words: str) -> None:
    found = findings(body)
    assert any(words in line for line in found), found
    assert all(line.startswith("page.html: ") for line in found)


def site(tmp_path: Path, numbers: dict[str, object] | None = None) -> Path:
    html = tmp_path / "html"
    html.mkdir(exist_ok=True)
    (html / "index.html").write_text(
        PAGE.replace("{body}", FIGURE.format(alt=ALT)), encoding="utf-8"
    )
    (html / "book.css").write_text("a { color: red }", encoding="utf-8")
    (tmp_path / "numbers.json").write_text(json.dumps(numbers or {"pages": {}}), encoding="utf-8")
    return html


def run(tmp_path: Path, *more: str) -> int:
    return int(
        check.main(
            ["--html", str(tmp_path / "html"), "--snapshot", str(tmp_path / "s.json"), *more]
        )
    )


def test_a_link_into_nothing_is_reported(tmp_path: Path) -> None:
    html = site(tmp_path)
    (html / "a.html").write_text(
        PAGE.replace(
            "{body}",
            '<a href="b.html">b</a><a href="index.html#nowhere">c</a><a href="index.html#fig-humps">d</a>',
        ),
        encoding="utf-8",
    )
    wrong, _ = check.check_site(html)
    assert [line.split(": ", 1)[0] for line in wrong] == ["a.html", "a.html"]
    assert "b.html" in wrong[0] and "nowhere" in wrong[1]


def test_a_style_sheet_that_calls_another_host_is_reported(tmp_path: Path) -> None:
    html = site(tmp_path)
    (html / "book.css").write_text(
        '@font-face { src: url("https://fonts.example.org/f.woff2") }', encoding="utf-8"
    )
    wrong, _ = check.check_site(html)
    assert wrong == ["book.css: a style loads from another host: https://fonts.example.org/f.woff2"]


def test_a_heavy_page_is_a_warning_not_a_failure(tmp_path: Path) -> None:
    html = site(tmp_path)
    (html / "heavy.html").write_text(
        PAGE.replace("{body}", "<p>" + "word " * 40_000 + "</p>"), encoding="utf-8"
    )
    wrong, heavy = check.check_site(html)
    assert wrong == [] and len(heavy) == 1 and heavy[0].startswith("heavy.html: ")


def test_a_moved_number_fails_until_it_is_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site(tmp_path, {"pages": {"a": {"numbers": {"share": "85 %", "cost": "1 USD"}}}})
    assert run(tmp_path) == 1, "no snapshot yet"
    assert run(tmp_path, "--accept-numbers") == 0
    assert run(tmp_path) == 0
    site(tmp_path, {"pages": {"a": {"numbers": {"share": "84 %", "new": "2"}}}})
    capsys.readouterr()
    assert run(tmp_path) == 1
    told = capsys.readouterr().err
    assert "a · numbers · share: '85 %' became '84 %'" in told
    assert "a · numbers · new: new, '2'" in told and "a · numbers · cost: gone, was '1 USD'" in told
    assert run(tmp_path, "--accept-numbers") == 0
    assert run(tmp_path) == 0


def test_an_empty_site_fails(tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    assert run(tmp_path) == 1
