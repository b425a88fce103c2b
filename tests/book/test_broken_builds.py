"""What is broken in a page stops `make book`, with the settings of the book itself.

Every kind of fault is tried in test_broken_pages.py, on Sphinx alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from house_book import make_site
from house_common import Trouble

pytestmark = pytest.mark.book

HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---

# One

"""


def cell(code: str) -> str:
    """Return a page of one code cell."""
    return f"{HEAD}```{{code-cell}} ipython3\n{code}\n```\n"


def failure(copy: Path, page: str, capfd: pytest.CaptureFixture[str]) -> str:
    """Build the book with this page, which must fail; return what was said."""
    (copy / "book" / "a" / "one.md").write_text(page)
    with pytest.raises(Trouble):
        make_site(copy, accept_numbers=True)
    said = capfd.readouterr()
    return said.out + said.err


def test_a_cell_that_raises_stops_the_build_and_its_own_words_come_last(
    copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = failure(copy, cell("1 / 0"), capfd)
    assert said.rstrip().endswith("division by zero")


def test_warnings_stop_the_build_under_the_settings_of_the_book(
    copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "import warnings\nwarnings.warn('the tail is cut')"
    said = failure(copy, cell(code) + "\n{n}`never-published`, {ref}`nowhere`\n", capfd)
    warnings = [line for line in said.splitlines() if "WARNING" in line or "ERROR" in line]
    for sign in ("stderr", "never-published", "nowhere"):
        assert any(sign in line for line in warnings), sign


def test_a_contents_line_without_its_page_stops_the_build(
    copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (copy / "_toc.yml").write_text((copy / "_toc.yml").read_text().replace("a/one", "a/missing"))
    assert "missing" in failure(copy, "# One\n", capfd)
