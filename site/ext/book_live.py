"""Sphinx extension: live figures, ``{live} module.experiment``.

The directive draws an experiment of `simulations.experiments` with its default settings, as every
other figure of the book is drawn, and puts its numbers beside it in words. That is the whole
figure for a reader without JavaScript. With it, site/live/kit.js adds the controls that the
experiment declares; it finds them in the page. May import Sphinx, docutils, and of the library
`simulations.experiment`, `simulations.figures` and `simulations.live`.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from book_figures import Published
from docutils import nodes
from docutils.parsers.rst import directives
from live_files import FOLDER, LAB, Assets, gather, lay, library_hash
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]
MIN_ALT = 30
_assets: dict[str | Path, Assets] = {}  # of the build that runs


def compute(name: str) -> dict[str, Any]:
    """Return what is built of an experiment: form, drawing, and the results of its settings."""
    from simulations.figures import draw
    from simulations.figures.svg import to_svg
    from simulations.live import controls, find, view

    experiment = find(name)
    result = experiment()
    return {
        "form": {
            "experiment": name,
            "controls": controls(experiment),
            "presets": experiment.presets,
        },
        "svg": to_svg(draw(result), identity(name), "ALT"),
        "results": {
            "chapter": view(result),
            "presets": {n: view(experiment(**given)) for n, given in experiment.presets.items()},
        },
    }


def identity(name: str) -> str:
    """Return the id of a figure, which is its permalink: that of its experiment.

    Examples
    --------
    >>> identity("cold_starts.cold_share")
    'live-cold-share'
    """
    return "live-" + name.partition(".")[2].replace("_", "-")


class Store:
    """What was computed, kept between builds until the library changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / library_hash(ROOT)

    def get(self, name: str) -> dict[str, Any]:
        path = self.folder / f"{name}.json"
        if not path.exists():
            for old in self.folder.parent.glob("[0-9a-f]*"):
                if old.is_dir() and old != self.folder:
                    shutil.rmtree(old)
            text = json.dumps(compute(name), allow_nan=False)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


def kept(app: Sphinx) -> Path:
    """Return the folder of what lasts from build to build."""
    return Path(app.outdir).parent / ".live"


@cache
def store(folder: Path) -> Store:
    return Store(folder)


class Directive(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {
        "caption": directives.unchanged_required,
        "alt": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0].strip()
        caption, alt = (" ".join(self.options.get(key, "").split()) for key in ("caption", "alt"))
        try:
            if len(alt) < MIN_ALT:
                raise ValueError(
                    f"alt={alt!r} must say what the figure shows, {MIN_ALT} characters"
                )
            if not caption:
                raise ValueError("a live figure needs a caption, one true sentence")
            built = store(kept(self.env.app)).get(name)
        except (ValueError, ImportError) as problem:
            LOGGER.warning("live: %s", problem, location=self.get_location())
            return []
        figure = nodes.figure("", classes=["sbe", "live"], alt=alt)
        figure["live"] = name
        figure["names"].append(identity(name))
        self.state.document.note_explicit_target(figure, figure)
        picture = built["svg"].replace('aria-label="ALT"', f'aria-label="{escape(alt)}"', 1)
        form = json.dumps(built["form"], separators=(",", ":"), ensure_ascii=False)
        numbers = built["results"]["chapter"]["numbers"]
        parts = (
            f'<div class="live-picture">{picture}</div>\n{numbers_html(numbers)}'
            f'<script type="application/json" class="live-form">{for_script(form)}</script>\n'
        )
        figure += nodes.raw("", parts, format="html")
        words = nodes.caption("", "")
        inline, messages = self.state.inline_text(caption, self.lineno)
        words.extend(inline)
        figure += words
        slug = identity(name)
        published = [
            Published(name=f"{slug}-{''.join(c if c.isalnum() else '-' for c in key.lower())}", text=one["text"])
            for key, one in numbers.items()
        ]  # fmt: skip
        return [figure, *published, *messages]


def numbers_html(numbers: dict[str, dict[str, Any]]) -> str:
    """Return the numbers beside a figure, as the kit writes them too."""
    rows = []
    for name, one in numbers.items():
        interval = f"<small>{escape(one['between'])}</small>" if one["between"] else ""
        rows.append(f"<div><dt>{escape(name)}</dt><dd>{escape(one['text'])}{interval}</dd></div>")
    return f'<dl class="live-numbers">{"".join(rows)}</dl>\n' if rows else ""


def for_script(text: str) -> str:
    r"""Return JSON as it may stand in a page: nothing in it ends the script.

    Examples
    --------
    >>> for_script('{"a":"</script>"}')
    '{"a":"\\u003c/script>"}'
    """
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _noted(env: Any) -> dict[str, list[str]]:
    """Return the experiments by page; kept with Sphinx's environment."""
    if not hasattr(env, "book_live"):
        env.book_live = {}
    found: dict[str, list[str]] = env.book_live
    return found


def note(app: Sphinx, doctree: nodes.document) -> None:
    found = [n["live"] for n in doctree.findall(nodes.figure) if "live" in n]
    _noted(app.env).pop(app.env.docname, None)
    if found:
        _noted(app.env)[app.env.docname] = found


def forget(app: Sphinx, env: Any, docname: str) -> None:
    _noted(env).pop(docname, None)


def assets_ready(app: Sphinx, env: Any) -> None:
    """Once every page is read, gather what they load."""
    names = sorted({name for found in _noted(env).values() for name in found})
    _assets.pop(app.outdir, None)
    if app.builder.format == "html" and names:
        results = {name: store(kept(app)).get(name)["results"] for name in names}
        has_lab = LAB in env.found_docs
        _assets[app.outdir] = gather(ROOT, results, has_lab=has_lab, cache=kept(app))


def add_script(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Let a page with live figures load the kit."""
    assets = _assets.get(app.outdir)
    if assets and pagename in _noted(app.env):
        path = context["pathto"](f"{FOLDER}/{assets.kit}/kit.js", 1)
        context["metatags"] = (
            context.get("metatags", "") + f'<script type="module" src="{path}"></script>'
        )


def lay_files(app: Sphinx, problem: Exception | None) -> None:
    assets = _assets.get(app.outdir)
    if problem is None and assets:
        lay(Path(app.outdir), assets)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("live", Directive)
    app.connect("doctree-read", note)
    app.connect("env-purge-doc", forget)
    app.connect("env-updated", assets_ready)
    app.connect("html-page-context", add_script, priority=950)
    app.connect("build-finished", lay_files, priority=950)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
