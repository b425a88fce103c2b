"""Sphinx extension: what every page carries, and above all what it does not.

A page loads what is listed here and nothing else: our style sheet, our small script, and MathJax
(our own copy, laid under vendor/ by the build) where there is mathematics. So no page makes a
request to another host, whatever the installed extensions would like to add. The layout is
site/templates/layout.html. May import Sphinx.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.core.execute.base import ExecutionError
from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).resolve().parents[2]
# the other extensions import the library; jupyter-book does not put this folder on the path
sys.path.insert(0, str(ROOT))
FONTS = ROOT / "simulations" / "figures" / "fonts"
STYLES = ("book.css",)
SCRIPTS = ("book.js",)
# What of _static the pages or the search use; everything else came with themes and extensions.
KEPT = {
    "book.css", "book.js", "favicon.svg", "fonts", "documentation_options.js", "doctools.js",
    "sphinx_highlight.js", "searchtools.js", "language_data.js",
}  # fmt: skip

# Of the highlighter's classes, those that book.css colors; marking the others up is dead weight.
COLORED = frozenset(
    {
        "k", "kn", "kc", "kd", "ow", "nt", "s", "s1", "s2", "sa", "se", "si", "sd", "dl",
        "mi", "mf", "mh", "il", "c", "c1", "cm", "ch", "nf", "nc", "nd", "fm", "gp",
    }
)  # fmt: skip
# myst-nb gives a folded cell this name, which is not the words that it shows.
_MISNOMER = ' aria-label="Toggle hidden content"'
_CODE = re.compile(r'<div class="highlight"><pre>.*?</pre>', re.DOTALL)
_TOKEN = re.compile(r'<span class="([a-z0-9]+)">([^<]*)</span>|<span></span>')


def kernels_find_us(app: Sphinx, config: Config) -> None:
    """Put the repository on the kernels' path and tell them that this is the book."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    os.environ["SIMULATIONS_BOOK"] = "1"


def filter_page(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Keep the styles and scripts listed above; MathJax only where there is mathematics."""
    if "body" in context:
        context["body"] = lighten(context["body"])
    has_math = doctree is not None and any(
        next(iter(doctree.findall(kind)), None) is not None
        for kind in (nodes.math, nodes.math_block)
    )

    def name(asset: Any) -> str:
        return str(getattr(asset, "filename", asset) or "")

    def wanted(script: Any) -> bool:
        body = str(getattr(script, "attributes", {}).get("body", ""))
        is_math = "vendor/mathjax" in name(script) or "window.MathJax" in body
        return (is_math and has_math) or name(script).rsplit("/", 1)[-1] in SCRIPTS

    kept = {
        name(s) or str(getattr(s, "attributes", "")): s
        for s in context["script_files"]
        if wanted(s)
    }
    context["script_files"] = list(kept.values())
    context["css_files"] = [s for s in context["css_files"] if name(s).rsplit("/", 1)[-1] in STYLES]


def lighten(html: str) -> str:
    """Return a page's body with code marked up only where the mark shows.

    Examples
    --------
    >>> lighten('<div class="highlight"><pre><span class="n">x</span> <span class="mi">1</span></pre>')
    '<div class="highlight"><pre>x <span class="mi">1</span></pre>'
    """

    def token(match: re.Match[str]) -> str:
        return match.group() if match.group(1) in COLORED else match.group(2) or ""

    html = html.replace(_MISNOMER, "")
    return _CODE.sub(lambda block: _TOKEN.sub(token, block.group()), html)


def visit_table(self: Any, node: nodes.table) -> None:
    """Let a wide table scroll by itself, not the page, and its caption stand still above it."""
    label = 'aria-label="Table"'
    for title in [child for child in node.children if isinstance(child, nodes.title)]:
        node.remove(title)
        name = f"{(node['ids'] or ['table'])[0]}-caption"
        words = self.encode(title.astext())
        self.body.append(f'<p class="table-caption" id="{name}">{words}</p>')
        label = f'aria-labelledby="{name}"'
    self.body.append(f'<div class="table-scroll" tabindex="0" role="region" {label}>')
    type(self).visit_table(self, node)


def depart_table(self: Any, node: nodes.table) -> None:
    type(self).depart_table(self, node)
    self.body.append("</div>\n")


def finish_files(app: Sphinx, problem: Exception | None) -> None:
    """Bring our fonts along, and take out what no page asks for."""
    if problem is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for path in sorted(static.iterdir()):
        if path.name in KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    fonts = static / "fonts"
    fonts.mkdir(parents=True, exist_ok=True)
    for font in [*sorted(FONTS.glob("*.woff2")), FONTS / "OFL.txt"]:
        shutil.copyfile(font, fonts / font.name)


def _why(self: ExecutionError) -> str:
    cause = self.__cause__
    told = re.sub(r"\x1b\[[0-9;]*m", "", str(cause)).strip().splitlines() if cause else []
    return "\n".join([str(self.args[0]) if self.args else "", *told[-30:]])


def setup(app: Sphinx) -> dict[str, Any]:
    # a failed cell stops the build at once; by itself myst-nb names the page but not the fault
    ExecutionError.__str__ = _why
    app.add_js_file("book.js", loading_method="defer")
    app.connect("config-inited", kernels_find_us, priority=100)
    # after everyone who adds scripts
    app.connect("html-page-context", filter_page, priority=900)
    app.connect("build-finished", finish_files, priority=900)
    app.add_node(nodes.table, override=True, html=(visit_table, depart_table))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
