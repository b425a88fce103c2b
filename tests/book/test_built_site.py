"""The site as it was built keeps its rules, and publishes the numbers of the snapshot."""

from __future__ import annotations

import json
from pathlib import Path

import check_site as check
import pytest

pytestmark = pytest.mark.book


def test_no_page_breaks_a_rule(built_site: Path) -> None:
    wrong, heavy = check.check_site(built_site)
    assert wrong == []
    assert heavy == [], "pages above 150 kB"


def test_the_published_numbers_are_those_of_the_snapshot(built_site: Path, root: Path) -> None:
    published = json.loads((built_site.parent / "numbers.json").read_text(encoding="utf-8"))
    snapshot = json.loads((root / "tests/snapshots/numbers.json").read_text(encoding="utf-8"))
    assert check.compare_numbers(published, snapshot) == []


def test_no_number_was_left_open(built_site: Path) -> None:
    # a role that finds no number shows a question mark; the build fails before, this makes sure
    pages = [p for p in built_site.rglob("*.html") if "vendor" not in p.parts]
    assert not [p.name for p in pages if '<span class="n">?</span>' in p.read_text("utf-8")]
