"""Glossary, bibliography and trust report hang together with the chapters that use them."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import make_trust
import pytest


@pytest.fixture(scope="module")
def pages(built_site: Path) -> dict[str, str]:
    """Return the HTML of every chapter and reference page, by its place in the site."""
    return {
        path.relative_to(built_site).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((built_site / "book").rglob("*.html"))
    }


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_a_term_shows_the_definition_that_the_glossary_gives(pages: dict[str, str]) -> None:
    glossary = pages["book/reference/glossary.html"]
    defined = {
        identity: words(text)
        for identity, text in re.findall(
            r'<dt id="(term-[^"]+)">.*?</dt>\s*<dd>(.*?)</dd>', glossary, re.DOTALL
        )
    }
    assert len(defined) > 50
    shown = 0
    for name, html in pages.items():
        for identity, text in re.findall(
            r'<span class="term"><a href="[^"]*#(term-[^"]+)"[^>]*>.*?<span class="fact-note"[^>]*>(.*?)</span>',
            html, re.DOTALL,
        ):  # fmt: skip
            assert words(text) == defined[identity], (name, identity)
            shown += 1
    assert shown > 10
    # Sphinx's own bare link would mean a term without its definition.
    assert [name for name, html in pages.items() if 'class="xref std std-term"' in html] == []


def test_the_bibliography_names_every_source_of_every_page_once(pages: dict[str, str]) -> None:
    listed = [
        words(item.partition("<small>Used in:")[0])
        for item in re.findall(
            r"<li>(.*?)</li>", pages["book/reference/bibliography.html"].partition("facts-all")[2],
            re.DOTALL,
        )
    ]  # fmt: skip
    assert len(listed) == len(set(listed)) > 10
    for name, html in pages.items():
        section = re.search(r'<section id="sources">(.*?)</section>', html, re.DOTALL)
        for item in re.findall(r"<li>(.*?)</li>", section[1] if section else "", re.DOTALL):
            assert words(item) in listed, (name, words(item))


def test_every_recorded_comparison_is_published_with_its_verdict_and_linked(
    pages: dict[str, str],
) -> None:
    report = pages["book/reference/trust-report.html"]
    rows = json.loads(make_trust.RECORD.read_text(encoding="utf-8"))["rows"]
    order = []
    for one in rows:
        row = re.search(rf'<tr id="trust-{re.escape(one["id"])}">(.*?)</tr>', report, re.DOTALL)
        assert row, one["id"]
        assert f'class="verdict {one["verdict"]}"' in row[1]
        assert one["source"][:20] in words(row[1])
        chapter = next(html for name, html in pages.items() if f"/{one['chapter']}.html" in name)
        assert f'trust-report.html#trust-{one["id"]}"' in chapter, one["id"]
        order.append((row.start(), one["verdict"]))
    verdicts = [verdict for _, verdict in sorted(order)]
    misses = verdicts.count("fail")
    assert set(verdicts[:misses]) <= {"fail"}, "misses stand first"
