"""Sphinx extension: the bibliography, gathered from every page's own list of sources.

A source is written where it is used, in the list under a page's heading “Sources”.
``{all-sources}`` shows all of them once, by their first words, with the pages that use them. May
import Sphinx and docutils.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

PAGE = "book/reference/bibliography"


class AllSources(nodes.General, nodes.Element):  # type: ignore[misc]
    """Where the bibliography goes."""


class Directive(SphinxDirective):
    has_content = False

    def run(self) -> list[nodes.Node]:
        return [AllSources()]


def _gathered(env: Any) -> dict[str, list[tuple[str, str]]]:
    """Return (text, HTML) of every source, by page; kept with Sphinx's environment."""
    if not hasattr(env, "book_sources"):
        env.book_sources = {}
    found: dict[str, list[tuple[str, str]]] = env.book_sources
    return found


def as_html(node: nodes.Node) -> str:
    """Return a source as HTML: its words, its emphasis, and the links that leave the book."""
    if isinstance(node, nodes.Text):
        return escape(node.astext())
    inner = "".join(as_html(child) for child in node.children)
    if isinstance(node, nodes.emphasis):
        return f"<em>{inner}</em>"
    uri = node.get("refuri", "") if isinstance(node, nodes.reference) else ""
    return f'<a href="{escape(uri)}">{inner}</a>' if uri.startswith("http") else inner


def gather(app: Sphinx, doctree: nodes.document) -> None:
    """Note a page's sources."""
    found = []
    for section in doctree.findall(nodes.section):
        title = next(iter(section.findall(nodes.title)), None)
        if title is None or title.astext() != "Sources":
            continue
        for item in section.findall(nodes.list_item):
            if any(isinstance(up, nodes.list_item) for up in _above(item)):
                continue
            found.append((" ".join(item.astext().split()), " ".join(as_html(item).split())))
    _gathered(app.env)[app.env.docname] = found


def _above(node: nodes.Node) -> list[nodes.Node]:
    found, node = [], node.parent
    while node is not None:
        found.append(node)
        node = node.parent
    return found


def visit_all(self: Any, node: AllSources) -> None:
    """Write each source once, with the pages that name it."""
    env, here = self.builder.env, self.builder.current_docname
    used: dict[str, tuple[str, list[str]]] = {}
    for page, sources in sorted(_gathered(env).items()):
        for text, html in sources:
            used.setdefault(text, (html, []))[1].append(page)
    self.body.append('<ul class="facts-all">')
    for text in sorted(used, key=str.casefold):
        html, pages = used[text]
        links = ", ".join(
            f'<a href="{self.builder.get_relative_uri(here, page)}">'
            f"{escape(env.titles[page].astext())}</a>"
            for page in dict.fromkeys(pages)
        )
        self.body.append(f"<li>{html} <small>Used in: {links}.</small></li>")
    self.body.append("</ul>")
    raise nodes.SkipNode


def visit_text(self: Any, node: nodes.Element) -> None:
    """Leave the list out of a plain-text rendering."""
    raise nodes.SkipNode


def purge(app: Sphinx, env: Any, docname: str) -> None:
    """Forget a page that is read again or gone."""
    _gathered(env).pop(docname, None)


def refresh(app: Sphinx, env: Any) -> list[str]:
    """The bibliography depends on every other page."""
    return [PAGE] if PAGE in env.found_docs else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive, the node and what fills it."""
    app.add_directive("all-sources", Directive)
    skip = (visit_text, None)
    app.add_node(AllSources, html=(visit_all, None), text=skip, latex=skip)
    app.connect("doctree-read", gather)
    app.connect("env-purge-doc", purge)
    app.connect("env-updated", refresh)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
