"""Sphinx extension: `{all-changes}` lists what has changed since older pages were written.

The rows stand in ``simulations/facts/changes.json``; what holds now is a fact, shown as in prose.
May import Sphinx, docutils, and of the library `simulations.facts`.
"""

from __future__ import annotations

import re
from typing import Any

from book_facts import SERVICES, look_up
from book_numbers import FactNode
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from simulations.facts import Change, changes

HEADINGS = ("what", "until then", "now", "since")
_FACT = re.compile(r"\{([^}]+)\}")


def _now(words: str) -> nodes.paragraph:
    """Return the words with a fact in the place of each pair of braces."""
    paragraph = nodes.paragraph()
    for i, part in enumerate(_FACT.split(words)):
        if i % 2:
            shown = look_up(part)
            paragraph += FactNode(part, id=shown.fact.id, asked=part, words=shown.text)
        elif part:
            paragraph += nodes.Text(part)
    return paragraph


def _what(change: Change) -> nodes.paragraph:
    """Return what has changed, and where the old value was read."""
    source = change.source
    title = source.title or source.source_class.replace("_", " ")
    link: nodes.Node = nodes.Text(title)
    if source.url:
        link = nodes.reference("", title, refuri=source.url)
    state = f", checked {change.checked}" + ("" if change.confidence == "seen" else ", unverified")
    service = SERVICES.get(change.service, change.service)
    return nodes.paragraph(
        "", "", nodes.Text(f"{service}: {change.what}. "),
        nodes.inline("", "", link, nodes.Text(state), classes=["source"]),
    )  # fmt: skip


class AllChanges(SphinxDirective):
    """`{all-changes}`: the table of all changes, the latest first."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        table = nodes.table(classes=["changes"])
        group = nodes.tgroup(cols=len(HEADINGS))
        group.extend(nodes.colspec(colwidth=1) for _ in HEADINGS)
        head, body = nodes.thead(), nodes.tbody()
        line = nodes.row()
        line.extend(nodes.entry("", nodes.paragraph("", title)) for title in HEADINGS)
        head += line
        for change in changes():
            line = nodes.row()
            since = nodes.paragraph("", change.since or "not known")
            cells = (_what(change), nodes.paragraph("", change.before), _now(change.now), since)
            line.extend(nodes.entry("", cell) for cell in cells)
            body += line
        group += [head, body]
        table += group
        return [table]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("all-changes", AllChanges)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
