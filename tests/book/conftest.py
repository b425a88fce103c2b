"""A small book to build: the project's own files with two short pages in place of its chapters."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from house_common import files_below

CONTENTS = """format: jb-book
root: index
parts:
- caption: A
  chapters:
  - file: book/a/one
"""


@pytest.fixture
def copy(tmp_path: Path, root: Path) -> Path:
    """Return a copy of the project, with this one's environment and a book of two pages."""
    folder = tmp_path / "copy"
    for path in files_below(root, without=["tests", "notebooks", "book"]):
        target = folder / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for name in (".venv", "node_modules"):
        (folder / name).symlink_to(root / name)
    (folder / "index.md").write_text("# A book\n\nOf one chapter.\n")
    (folder / "_toc.yml").write_text(CONTENTS)
    (folder / "book" / "a").mkdir(parents=True)
    (folder / "book" / "a" / "one.md").write_text("# One\n\nA page.\n")
    return folder
