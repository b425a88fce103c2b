"""Starting a chapter or a lab from its template (docs/templates).

What is written builds and passes at once; its author replaces it piece by piece. Nothing that
exists is overwritten. Imports the standard library and its neighbors only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from house_book import steady_environment
from house_common import Trouble, say
from house_labs import notebook_text, run_in_place, solved_labs, tidy

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a template with each ``@name@`` replaced."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def check_slug(what: str, slug: str) -> None:
    """Raise unless a name can stand in an address: small letters, digits, single hyphens."""
    if not SLUG.fullmatch(slug):
        raise Trouble(
            f"{what}={slug!r} must be small letters, digits and hyphens, like cold-starts"
        )


def write_new(path: Path, text: str) -> None:
    """Write a file that must not exist yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise Trouble(f"{path.name} exists already; nothing was changed") from None


def new_chapter(root: Path, slug: str, part: str, title: str) -> list[Path]:
    """Write a chapter's page and experiment and list it in _toc.yml; return the files written."""
    check_slug("slug", slug)
    check_slug("part", part)
    module = slug.replace("-", "_")
    page = root / "book" / part / f"{slug}.md"
    code = root / "simulations" / "experiments" / f"{module}.py"
    for path in (page, code):
        if path.exists():
            raise Trouble(f"{path.relative_to(root)} exists already; nothing was changed")
    templates = root / "docs" / "templates"
    values = {"slug": slug, "title": title, "module": module, "function": f"{module}_share"}
    contents = root / "_toc.yml"
    listed = with_chapter(contents.read_text(encoding="utf-8"), f"book/{part}/{slug}", part)
    write_new(page, filled((templates / "chapter.md").read_text(encoding="utf-8"), values))
    write_new(code, filled((templates / "experiment.py.txt").read_text(encoding="utf-8"), values))
    contents.write_text(listed, encoding="utf-8")
    for path in (page, code, contents):
        say(f"new-chapter: wrote {path.relative_to(root)}")
    say("new-chapter: `make accept` stores its published numbers; `make book` builds it")
    return [page, code]


def with_chapter(contents: str, file: str, part: str) -> str:
    """Return the text of _toc.yml with a chapter added at the end of its part.

    The file is edited as text, so that its comments stay. A part is known by the folder of its
    chapters; a new folder becomes a new part at the end.
    """
    lines = contents.rstrip("\n").split("\n")
    entry = re.compile(rf"(\s*)- file: book/{re.escape(part)}/")
    places = [number for number, line in enumerate(lines) if entry.match(line)]
    if places:
        last = places[-1]
        indent = lines[last][: len(lines[last]) - len(lines[last].lstrip())]
        lines.insert(last + 1, f"{indent}- file: {file}")
    else:
        captions = [line for line in lines if line.lstrip().startswith("- caption:")]
        if not captions:
            raise Trouble("_toc.yml has no part with a caption, so the chapter could not be listed")
        indent = captions[0][: captions[0].index("-")]
        caption = part.replace("-", " ").capitalize()
        lines += [f"{indent}- caption: {caption}", f"{indent}  chapters:"]
        lines += [f"{indent}  - file: {file}"]
    return "\n".join(lines) + "\n"


def new_lab(root: Path, slug: str, title: str) -> Path:
    """Write the next lab, run it and store its outputs; return its path."""
    check_slug("slug", slug)
    if any(lab.stem.split("-", 2)[2:] == [slug] for lab in solved_labs(root)):
        raise Trouble(f"a lab called {slug} exists already; nothing was changed")
    numbers = [
        int(found[1]) for lab in solved_labs(root) if (found := re.match(r"lab-(\d+)", lab.name))
    ]
    path = root / "notebooks" / f"lab-{max(numbers, default=0) + 1:02d}-{slug}.ipynb"
    template = (root / "docs" / "templates" / "lab.json").read_text(encoding="utf-8")
    cells = json.loads(filled(template, {"title": json.dumps(title)[1:-1]}))["cells"]
    for number, cell in enumerate(cells):
        cell |= {"id": f"{slug}-{number + 1}"[:64], "metadata": {}}
        cell["source"] = cell["source"].splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    draft = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    write_new(path, notebook_text(tidy(draft)))
    run_in_place(root, path, steady_environment(root))
    say(f"new-lab: wrote {path.relative_to(root)}, run and with its outputs stored")
    return path
