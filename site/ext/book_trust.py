"""Sphinx extension: the trust report, and on each chapter the rows that speak of its model.

``{trust-report}`` shows every recorded comparison with theory, measurement or logs, misses first.
A chapter with rows of its own ends with a folded list of them. The record is made by
site/scripts/make_trust.py and run anew by the tests. May import Sphinx, docutils, and of the
library `simulations.experiments.records` and `simulations.figures.words`.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from simulations.experiments.records import record
from simulations.figures.words import count, number

PAGE = "book/reference/trust-report"
ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
WORDS = {"fail": "miss", "inconclusive": "not yet", "pass": "holds"}
MEANING = {
    "verification": "Against mathematics or an emulator",
    "validation": "Against measurements that were not fitted",
    "calibration": "Against the measurements that a value was fitted to",
}


class TrustReport(nodes.General, nodes.Element):  # type: ignore[misc]
    """Where the whole report goes."""


class TrustHere(nodes.General, nodes.Element):  # type: ignore[misc]
    """Where the rows of one chapter go."""


class Directive(SphinxDirective):
    has_content = False

    def run(self) -> list[nodes.Node]:
        return [TrustReport()]


def rows() -> list[dict[str, Any]]:
    """Return the recorded rows, misses first."""
    found: list[dict[str, Any]] = record("trust")["rows"]
    return sorted(found, key=lambda one: (ORDER[one["verdict"]], one["kind"], one["id"]))


def value(x: float, unit: str) -> str:
    """Return a value as the report shows it: four digits and its unit."""
    text = count(x) if float(x).is_integer() and abs(x) < 1e9 else number(x, 4)
    return f"{text} {unit}".rstrip()


def between(low: float, high: float) -> str:
    return f"{number(low, 4)} to {number(high, 4)}"


def cells(one: dict[str, Any]) -> dict[str, str]:
    """Return the cells of a row, as HTML, by their headings."""
    mean, low, high = one["ours"]
    ours, theirs = escape(value(mean, one["unit"])), escape(value(one["theirs"], one["unit"]))
    if high > low:
        ours += f" <small>({escape(between(low, high))})</small>"
    if one["theirs_low"] is not None:
        theirs += f" <small>({escape(between(one['theirs_low'], one['theirs_high']))})</small>"
    else:
        theirs += f" <small>± {number(100 * one['margin'], 2)} %</small>"
    percent = 100 * one["error"]
    # Two digits, but never as a power of ten.
    error = f"{percent:+.0f} %" if abs(percent) >= 10 else f"{percent:+.2g} %"
    if not one["theirs"]:
        error = number(one["error"], 2)
    source = escape(one["source"])
    if one["url"]:
        source = f'<a href="{escape(one["url"])}">{source}</a>'
    reason = escape(one["why"].rstrip(".")) if one["verdict"] == "fail" else ""
    why = f" <small>{reason}</small>" if reason else ""
    return {
        "compared": f"{escape(one['what'])}. <small>{source}</small>{why}",
        "theirs": theirs,
        "ours": ours,
        "error": escape(error.replace("-", "−")),
        "verdict": f'<span class="verdict {one["verdict"]}">{WORDS[one["verdict"]]}</span>',
    }


def visit_report(self: Any, node: TrustReport) -> None:
    """Write a table for each verdict and kind, misses on top."""
    builder = self.builder
    titles = builder.env.titles
    pages = {name.rsplit("/", 1)[-1]: name for name in builder.env.found_docs}
    found = rows()
    misses = [one for one in found if one["verdict"] == "fail"]
    groups = [("misses", "Misses", "Where the model differs from the source.", misses)]
    for kind, words in MEANING.items():
        rest = [one for one in found if one["kind"] == kind and one["verdict"] != "fail"]
        groups.append((kind, kind.capitalize(), f"{words}.", rest))
    for name, title, words, group in groups:
        if not group:
            continue
        self.body.append(
            f'<section id="{name}"><h2>{title}</h2><p>{words} {len(group)} rows.</p>'
            f'<div class="table-scroll" tabindex="0" role="region" aria-label="{title}">'
            '<table class="trust"><thead><tr><th>compared</th><th>source</th><th>model</th>'
            "<th>error</th><th>verdict</th></tr></thead><tbody>"
        )
        for one in group:
            row = cells(one)
            page = pages.get(one["chapter"])
            if page:
                link = builder.get_relative_uri(builder.current_docname, page)
                row["compared"] += (
                    f'. <small>In <a href="{link}">{escape(titles[page].astext())}</a>.</small>'
                )
            self.body.append(
                f'<tr id="trust-{escape(one["id"])}">'
                + "".join(f'<td class="{key}">{text}</td>' for key, text in row.items())
                + "</tr>"
            )
        self.body.append("</tbody></table></div></section>")
    raise nodes.SkipNode


def visit_here(self: Any, node: TrustHere) -> None:
    """Write a chapter's rows in short, each a link into the report."""
    page = self.builder.get_relative_uri(self.builder.current_docname, PAGE)
    found = [one for one in rows() if one["chapter"] == node["chapter"]]
    held = sum(one["verdict"] == "pass" for one in found)
    items = "".join(
        f'<li><a href="{page}#trust-{escape(one["id"])}">{escape(one["what"])}</a>: '
        f"{escape(value(one['theirs'], one['unit']))} by the source, "
        f"{escape(value(one['ours'][0], one['unit']))} here, "
        f'<span class="verdict {one["verdict"]}">{WORDS[one["verdict"]]}</span></li>'
        for one in found
    )
    self.body.append(
        '<details class="facts-here"><summary>How far this page’s model is from theory and '
        f"measurement: {held} of {len(found)} comparisons hold</summary><ul>{items}</ul></details>"
    )
    raise nodes.SkipNode


def visit_text(self: Any, node: nodes.Element) -> None:
    """Leave the report out of a plain-text rendering."""
    raise nodes.SkipNode


def add_rows(app: Sphinx, doctree: nodes.document) -> None:
    """Append a chapter's rows to it, where there are any."""
    chapter = app.env.docname.rsplit("/", 1)[-1]
    if any(one["chapter"] == chapter for one in rows()):
        doctree.append(TrustHere(chapter=chapter))


def refresh(app: Sphinx, env: Any) -> list[str]:
    """The report names every chapter by its title."""
    return [PAGE] if PAGE in env.found_docs else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive, the nodes and what adds them."""
    app.add_directive("trust-report", Directive)
    skip = (visit_text, None)
    app.add_node(TrustReport, html=(visit_report, None), text=skip, latex=skip)
    app.add_node(TrustHere, html=(visit_here, None), text=skip, latex=skip)
    app.connect("doctree-read", add_rows, priority=90)
    app.connect("env-updated", refresh)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
