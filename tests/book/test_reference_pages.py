"""Glossary, bibliography and trust report hang together with the chapters that use them."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from pathlib import Path

import make_trust
import pytest

from simulations.facts import changes, facts


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


def test_every_fact_is_listed_with_its_source_and_the_day_of_the_last_look(
    pages: dict[str, str],
) -> None:
    page = pages["book/reference/facts-and-sources.html"]
    for one in facts():
        row = re.search(rf'<li id="{re.escape(one.id)}">(.*?)</li>', page, re.DOTALL)
        assert row, one.id
        assert f"checked {one.checked}" in words(row[1]), one.id
        if one.source.url:
            assert f'href="{escape(one.source.url)}"' in row[1], one.id
        if one.confidence != "seen":
            assert "unverified" in row[1], one.id


def test_every_change_is_listed_with_what_holds_now(pages: dict[str, str]) -> None:
    table = re.search(r'<table class="[^"]*changes.*?</table>',
                      pages["book/reference/what-has-changed.html"], re.DOTALL)  # fmt: skip
    assert table
    page = words(table[0])
    for one in changes():
        assert f"{one.what}. " in page, one.id
        assert one.before in page, one.id
        assert one.since in page, one.id
    assert "{" not in page, "a fact that was not filled in"


def test_a_fact_in_prose_says_its_date_and_the_day_of_the_last_look(pages: dict[str, str]) -> None:
    notes = re.findall(
        r'id="fact-\d+-note">(.*?)</span>', pages["book/lambda/lambda-cost.html"],
        re.DOTALL,
    )  # fmt: skip
    assert notes
    for note in notes:
        assert re.search(r"checked 20\d\d-\d\d-\d\d\. ", words(note)), note
