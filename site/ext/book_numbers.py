"""Sphinx extension: computed numbers and facts in prose, and the record of all of them.

`` {n}`name` `` shows a number that a cell of the same page published; an unknown name is a
warning, and warnings fail the build. `` {fact}`lambda.timeout:max_s in min` `` shows a fact with
unit, date and source. Every number and fact shown on every page is written to
``_build/numbers.json``. May import Sphinx, docutils, and of the library `simulations.facts`.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from book_facts import SERVICES, Shown, look_up, source_words
from book_figures import Published
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from simulations.facts import UnknownFact, facts

LOGGER = logging.getLogger(__name__)
SOURCES_PAGE = "book/reference/facts-and-sources"


class Number(nodes.Inline, nodes.TextElement):  # type: ignore[misc]
    """A number of the page's own, resolved when the whole page is read."""


class FactNode(nodes.Inline, nodes.TextElement):  # type: ignore[misc]
    """A fact in prose with what the reader needs to judge it."""


class FactsHere(nodes.General, nodes.Element):  # type: ignore[misc]
    """Where the list of a page's facts goes."""


class NumberRole(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        node = Number(self.text.strip(), name=self.text.strip())
        self.set_source_info(node)
        return [node], []


class FactRole(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            shown = look_up(self.text)
        except (UnknownFact, ValueError) as problem:
            LOGGER.warning("fact: %s", problem, location=self.get_location())
            return [nodes.Text("?")], []
        node = FactNode(self.text, id=shown.fact.id, asked=self.text.strip(), words=shown.text)
        self.set_source_info(node)
        return [node], []


def _records(env: Any) -> dict[str, dict[str, Any]]:
    """Return what every page shows, by its name; kept with Sphinx's environment."""
    if not hasattr(env, "book_record"):
        env.book_record = {}
    found: dict[str, dict[str, Any]] = env.book_record
    return found


def resolve(app: Sphinx, doctree: nodes.document) -> None:
    """Fill in the numbers of a page and note everything it shows."""
    docname = app.env.docname
    record: dict[str, Any] = {}
    _records(app.env)[docname] = record
    numbers: dict[str, str] = {}
    for node in list(doctree.findall(Published)):
        name, text = node["name"], node["text"]
        if numbers.get(name, text) != text:
            LOGGER.warning("number %r is published twice, as %r and %r", name, numbers[name], text,
                           location=docname)  # fmt: skip
        numbers[name] = text
        node.parent.remove(node)
    for node in list(doctree.findall(Number)):
        name = node["name"]
        if name not in numbers:
            known = ", ".join(sorted(numbers)) or "none"
            LOGGER.warning("number %r is not published on this page; published: %s", name, known,
                           location=node)  # fmt: skip
        node.replace_self(nodes.inline("", numbers.get(name, "?"), classes=["n"]))
    facts_shown = list(doctree.findall(FactNode))
    for i, node in enumerate(facts_shown):
        node["ids"] = [f"fact-{i + 1}"]
    record["numbers"] = numbers
    record["facts"] = {n["asked"]: n["words"] for n in facts_shown}
    record["fact_ids"] = sorted({n["id"] for n in facts_shown})
    record["figures"] = {
        n["ids"][0]: {"alt": n["alt"], "caption": n.children[-1].astext()}
        for n in doctree.findall(nodes.figure)
        if "sbe" in n["classes"] and n["ids"]
    }
    record["tables"] = {
        n["ids"][0]: [
            [e.astext() for e in row.findall(nodes.entry)] for row in n.findall(nodes.row)
        ]
        for n in doctree.findall(nodes.table)
        if "sbe" in n["classes"] and n["ids"]
    }
    record["printed"] = [
        n.astext() for n in doctree.findall(nodes.literal_block)
        if {"output", "stream"} <= set(n["classes"]) or {"output", "text_plain"} <= set(n["classes"])
    ]  # fmt: skip
    if facts_shown and docname != SOURCES_PAGE:
        doctree.append(FactsHere(ids=record["fact_ids"]))


def _fact_details(shown: Shown) -> str:
    fact = shown.fact
    dated = f"as of {fact.as_of}, " if fact.as_of else ""
    link = source_words(fact)
    if fact.source.url:
        link = f'<a href="{escape(fact.source.url)}">{escape(link)}</a>'
    else:
        link = escape(link)
    place = "" if fact.region in ("", "all") else f", {escape(fact.region)}"
    return f"{escape(shown.title)}{place}, {escape(dated)}checked {escape(fact.checked)}. {link}"


def visit_fact(self: Any, node: FactNode) -> None:
    shown = look_up(node["asked"])
    identity = node["ids"][0] if node["ids"] else "fact"
    self.body.append(
        f'<span class="fact" tabindex="0" aria-describedby="{identity}-note">{escape(shown.text)}'
        f'<span class="fact-note" role="note" id="{identity}-note">{_fact_details(shown)}</span></span>'
    )
    raise nodes.SkipNode


def _row(identity: str) -> str:
    shown = look_up(identity, whole=True)
    fact = shown.fact
    return (
        f'<li id="{escape(identity)}"><span class="fact-title">{escape(shown.title)}</span>: '
        f"{escape(shown.text)}. {_fact_details(shown).partition('. ')[2]}, "
        f"{'as of ' + escape(fact.as_of) + ', ' if fact.as_of else ''}checked {escape(fact.checked)}"
        f"{', unverified' if fact.confidence != 'seen' else ''}.</li>"
    )


def visit_facts_here(self: Any, node: FactsHere) -> None:
    rows = "".join(_row(i).replace('<li id="', '<li id="f-') for i in node["ids"])
    self.body.append(
        '<details class="facts-here"><summary>AWS facts on this page, with date and source'
        f"</summary><ul>{rows}</ul></details>"
    )
    raise nodes.SkipNode


def visit_text_fact(self: Any, node: FactNode) -> None:
    self.add_text(node["words"])
    raise nodes.SkipNode


class AllFacts(SphinxDirective):
    """`{all-facts}`: every fact there is, by service, with the pages that show it."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        return [AllFactsNode()]


class AllFactsNode(nodes.General, nodes.Element):  # type: ignore[misc]
    """The list of all facts, written when all pages are read."""


def visit_all_facts(self: Any, node: AllFactsNode) -> None:
    env = self.builder.env
    pages: dict[str, list[str]] = {}
    for docname, record in sorted(_records(env).items()):
        for identity in record.get("fact_ids", ()):
            pages.setdefault(identity, []).append(docname)
    services: dict[str, list[str]] = {}
    for fact in facts():
        services.setdefault(fact.service, []).append(fact.id)
    here = self.builder.current_docname
    for service in sorted(services):
        self.body.append(
            f'<h2 id="service-{escape(service)}">{escape(SERVICES.get(service, service))}</h2><ul class="facts-all">'
        )
        for identity in sorted(services[service]):
            links = ", ".join(
                f'<a href="{self.builder.get_relative_uri(here, d)}">{escape(env.titles[d].astext())}</a>'
                for d in pages.get(identity, ())
            )
            used = f" Used in: {links}." if links else ""
            self.body.append(_row(identity).replace("</li>", f"{used}</li>"))
        self.body.append("</ul>")
    raise nodes.SkipNode


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _records(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    for docname in docnames:
        _records(env)[docname] = _records(other).get(docname, {})


def refresh_sources(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The page of all facts depends on every other page."""
    return [SOURCES_PAGE] if SOURCES_PAGE in env.found_docs else []


def write_record(app: Sphinx, problem: Exception | None) -> None:
    """Write every number of the book as published, one file, sorted."""
    if problem is not None or app.builder.format != "html":
        return
    pages = {}
    for docname, record in sorted(_records(app.env).items()):
        kept = {k: v for k, v in record.items() if v and k != "fact_ids"}
        if docname in app.env.found_docs and kept:
            pages[docname] = kept
    target = Path(app.outdir).parent / "numbers.json"
    text = json.dumps({"pages": pages}, ensure_ascii=False, indent=1, sort_keys=True)
    target.write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("n", NumberRole())
    app.add_role("fact", FactRole())
    app.add_directive("all-facts", AllFacts)
    none = (lambda *_: None, None)
    app.add_node(Number)
    app.add_node(FactNode, html=(visit_fact, None), text=(visit_text_fact, None), latex=none)
    app.add_node(FactsHere, html=(visit_facts_here, None), text=none, latex=none)
    app.add_node(AllFactsNode, html=(visit_all_facts, None), text=none, latex=none)
    # before Sphinx collects the titles, in which numbers may stand
    app.connect("doctree-read", resolve, priority=100)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", refresh_sources)
    app.connect("build-finished", write_record)
    return {
        "version": "1",
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
