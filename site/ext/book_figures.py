"""Sphinx extension: what cells emit through `simulations.figures` becomes part of the page.

A figure becomes inline SVG in a figure with a caption and an id, a table a table, a published
number an invisible node that the role `n` reads (book_numbers). May import Sphinx, docutils,
myst-nb; nothing of the library, whose three MIME types are repeated here.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from myst_nb.core import render
from sphinx.application import Sphinx

FIGURE_MIME = "application/vnd.simulations.figure+json"
NUMBER_MIME = "application/vnd.simulations.number+json"
TABLE_MIME = "application/vnd.simulations.table+json"
OURS = (FIGURE_MIME, NUMBER_MIME, TABLE_MIME)


class Published(nodes.Invisible, nodes.Element):  # type: ignore[misc]
    """A number that a cell of the page published: attributes `name` and `text`."""


def _figure(document: nodes.document, payload: dict[str, str]) -> nodes.figure:
    figure = nodes.figure("", classes=["sbe"], alt=payload["alt"])
    figure["names"].append(payload["name"])
    document.note_explicit_target(figure, figure)
    figure += nodes.raw("", payload["svg"], format="html")
    figure += nodes.caption("", payload["caption"])
    return figure


def _table(document: nodes.document, payload: dict[str, Any]) -> nodes.table:
    table = nodes.table(classes=["sbe"])
    table["names"].append(payload["name"])
    document.note_explicit_target(table, table)
    table += nodes.title("", payload["caption"])
    columns = len(payload["header"])
    group = nodes.tgroup(cols=columns)
    group.extend(nodes.colspec(colwidth=1) for _ in range(columns))
    head, body = nodes.thead(), nodes.tbody()
    for parent, row in [(head, payload["header"]), *((body, row) for row in payload["rows"])]:
        line = nodes.row()
        for i, cell in enumerate(row):
            classes = ["stub"] if i == 0 and parent is body else []
            line += nodes.entry("", nodes.paragraph("", cell), classes=classes)
        parent += line
    group += [head, body]
    table += group
    return table


class Renderer:
    """The plug-in that myst-nb asks before its own renderers."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = [
        ("*", mime, 1) for mime in OURS
    ]

    @staticmethod
    def handle_mime(
        renderer: render.NbElementRenderer, data: render.MimeData, inline: bool
    ) -> list[nodes.Element] | None:
        """Return the nodes of an output of ours, None for any other."""
        if inline or data.mime_type not in OURS:
            return None
        payload: Any = data.content
        document = renderer.renderer.document
        if data.mime_type == NUMBER_MIME:
            return [Published(name=payload["name"], text=payload["text"])]
        if data.mime_type == TABLE_MIME:
            return [_table(document, payload)]
        return [_figure(document, payload)]


def _element(node: nodes.Node) -> str:
    return str(node.get("nb_element", "")) if isinstance(node, nodes.container) else ""


def settle(app: Sphinx, doctree: nodes.document) -> None:
    """Put our nodes in the place of their bundles, and drop cells that are left empty."""
    for bundle in [n for n in doctree.findall(nodes.container) if _element(n) == "mime_bundle"]:
        for kept in [c for c in bundle.children if c.get("mime_type") in OURS]:
            bundle.replace_self(kept.children)


def drop_empty(app: Sphinx, doctree: nodes.document) -> None:
    """Drop output and cell containers that show nothing."""
    for kind in ("cell_code_output", "cell_code"):
        for node in [n for n in doctree.findall(nodes.container) if _element(n) == kind]:
            if not node.children:
                node.parent.remove(node)


def setup(app: Sphinx) -> dict[str, Any]:
    # myst-nb finds plug-ins by entry points of installed packages; this one is not installed
    found = list(render.load_mime_renders())
    render.load_mime_renders = lambda: [Renderer, *found]
    app.add_node(Published)
    app.connect("doctree-read", settle, priority=50)
    app.connect("doctree-read", drop_empty, priority=150)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
