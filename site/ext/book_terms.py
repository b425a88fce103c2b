"""Sphinx extension: a glossary term in prose shows its definition on hover and focus.

`` {term}`execution environment` `` links to the glossary, as Sphinx does by itself; this adds the
definition beside the link, in plain HTML, for pointer, keyboard and screen reader alike. May
import Sphinx and docutils.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


class Term(nodes.Inline, nodes.TextElement):  # type: ignore[misc]
    """A link to the glossary with the definition beside it."""


def _definitions(env: Any) -> dict[str, str]:
    """Return the definitions by the id of their term; kept with Sphinx's environment."""
    if not hasattr(env, "book_terms"):
        env.book_terms = {}
    found: dict[str, str] = env.book_terms
    return found


def gather(app: Sphinx, doctree: nodes.document) -> None:
    """Note the definitions of a glossary."""
    for item in doctree.findall(nodes.definition_list_item):
        terms = [node for node in item.children if isinstance(node, nodes.term)]
        words = [node.astext() for node in item.children if isinstance(node, nodes.definition)]
        for term in terms:
            for identity in term["ids"]:
                _definitions(app.env)[identity] = " ".join(" ".join(words).split())


def explain(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the definition beside each link to a term."""
    links = [
        node
        for node in doctree.findall(nodes.reference)
        if any("std-term" in child.get("classes", ()) for child in node.findall(nodes.inline))
    ]
    for number, link in enumerate(links, start=1):
        identity = str(link.get("refuri", "")).rpartition("#")[2] or link.get("refid", "")
        definition = _definitions(app.env).get(identity)
        if definition:
            link.replace_self(
                Term("", link.astext(), uri=link.get("refuri") or f"#{identity}",
                     definition=definition, number=number)
            )  # fmt: skip


def visit_term(self: Any, node: Term) -> None:
    """Write the link and its note."""
    name = f"term-note-{node['number']}"
    self.body.append(
        f'<span class="term"><a href="{escape(node["uri"])}" aria-describedby="{name}">'
        f'{escape(node.astext())}</a><span class="fact-note" role="note" id="{name}">'
        f"{escape(node['definition'])}</span></span>"
    )
    raise nodes.SkipNode


def visit_text(self: Any, node: Term) -> None:
    """Keep the word alone in a plain-text rendering."""
    self.add_text(node.astext())
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the node and what makes it."""
    app.add_node(Term, html=(visit_term, None), text=(visit_text, None), latex=(visit_text, None))
    app.connect("doctree-read", gather)
    app.connect("doctree-resolved", explain)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
