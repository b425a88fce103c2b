"""A chapter and a lab made from the templates build and pass before anybody edits them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from house_book import make_site
from house_common import Trouble, venv_python
from house_new import new_chapter, new_lab, with_chapter

CONTENTS = """# The order of the book.
format: jb-book
root: index
parts:
- caption: Lambda
  chapters:
  - file: book/lambda/cold-starts # the one to measure by
  - file: book/lambda/lambda-cost
- caption: Reference
  chapters:
  - file: book/reference/glossary
"""


def contents_of(folder: Path) -> dict[str, str]:
    """Return a digest of every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.mark.book
def test_a_new_chapter_builds_and_passes_every_check_of_the_site(copy: Path) -> None:
    page, _ = new_chapter(
        copy, "retry-budget", "lambda", "Three attempts are enough: 2 of them free"
    )
    make_site(copy, accept_numbers=True)
    html = (copy / "_build" / "html" / page.relative_to(copy).with_suffix(".html")).read_text()
    assert "Three attempts are enough" in html
    assert "<svg" in html
    numbers = json.loads((copy / "tests" / "snapshots" / "numbers.json").read_text())
    published = numbers["pages"]["book/lambda/retry-budget"]["numbers"]
    assert published["retry-budget-thrice"].startswith("0.10"), "0.1 to the third power"

    built_once = contents_of(copy / "_build" / "html")
    shutil.rmtree(copy / "_build")
    make_site(copy)
    assert contents_of(copy / "_build" / "html") == built_once, (
        "building twice gives the same bytes"
    )


def test_a_new_lab_passes_strict_nbval(copy: Path) -> None:
    lab = new_lab(copy, "retry-budget", 'How many "attempts"?')
    command: list[str | Path] = [
        venv_python(copy),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--nbval",
        lab,
    ]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    with pytest.raises(Trouble, match="retry-budget exists already"):
        new_lab(copy, "retry-budget", "again")


def test_a_chapter_is_listed_at_the_end_of_its_part_and_comments_stay() -> None:
    listed = with_chapter(CONTENTS, "book/lambda/retries", "lambda").splitlines()
    assert listed[8] == "  - file: book/lambda/retries"
    assert [line for line in listed if line != listed[8]] == CONTENTS.splitlines()


def test_a_new_folder_becomes_a_new_part() -> None:
    listed = with_chapter(CONTENTS, "book/event-streams/batching", "event-streams")
    expected = "- caption: Event streams\n  chapters:\n  - file: book/event-streams/batching\n"
    assert listed == CONTENTS + expected


@pytest.mark.parametrize("slug", ["Cold-Starts", "cold_starts", "../escape", "", "-a"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(tmp_path: Path, slug: str) -> None:
    with pytest.raises(Trouble, match="small letters, digits and hyphens"):
        new_chapter(tmp_path, slug, "lambda", "A title")


def test_an_existing_chapter_is_not_touched(tmp_path: Path) -> None:
    page = tmp_path / "book" / "lambda" / "cold-starts.md"
    page.parent.mkdir(parents=True)
    page.write_text("mine")
    with pytest.raises(Trouble, match="exists already; nothing was changed"):
        new_chapter(tmp_path, "cold-starts", "lambda", "A title")
    assert page.read_text() == "mine"
