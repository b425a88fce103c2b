"""Sphinx extension: moving pictures, ``{movie} name``.

The directive draws one moment of a movie of `simulations.movies` into the page; that is the whole
figure for a reader without JavaScript, and on paper. With it, site/live/movie.js plays the same
drawing along the keyframes that stand beside it. May import Sphinx, docutils, and of the library
`simulations.movies`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

from book_live import MIN_ALT, for_script
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
SCRIPT = Path(__file__).resolve().parents[1] / "live" / "movie.js"


class Directive(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {
        "caption": directives.unchanged_required,
        "alt": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        from simulations.movies import find
        from simulations.movies.picture import keyframes, picture

        caption, alt = (" ".join(self.options.get(key, "").split()) for key in ("caption", "alt"))
        try:
            if len(alt) < MIN_ALT:
                raise ValueError(f"alt={alt!r} must say what it shows, {MIN_ALT} characters")
            if not caption:
                raise ValueError("a movie needs a caption, one true sentence")
            movie = find(self.arguments[0].strip())
        except ValueError as problem:
            LOGGER.warning("movie: %s", problem, location=self.get_location())
            return []
        figure = nodes.figure("", classes=["sbe", "movie"], alt=alt)
        figure["movie"] = movie.name
        figure["names"].append(f"movie-{movie.name}")
        self.state.document.note_explicit_target(figure, figure)
        keys = json.dumps(keyframes(movie), separators=(",", ":"), ensure_ascii=False)
        figure += nodes.raw(
            "",
            f"{picture(movie, alt)}\n"
            f'<script type="application/json" class="movie-keys">{for_script(keys)}</script>\n',
            format="html",
        )
        words = nodes.caption("", "")
        inline, messages = self.state.inline_text(caption, self.lineno)
        words.extend(inline)
        figure += words
        return [figure, *messages]


def _path() -> str:
    return f"live/movie-{hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:12]}.js"


def add_script(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Let a page with movies load what plays them."""
    if doctree is not None and any("movie" in n for n in doctree.findall(nodes.figure)):
        tag = f'<script type="module" src="{context["pathto"](_path(), 1)}"></script>'
        context["metatags"] = context.get("metatags", "") + tag


def lay_file(app: Sphinx, problem: Exception | None) -> None:
    """Put the script where its name carries a hash of what it holds."""
    if problem is None and app.builder.format == "html":
        place = Path(app.outdir) / _path()
        place.parent.mkdir(parents=True, exist_ok=True)
        for old in place.parent.glob("movie-*.js"):
            old.unlink()
        shutil.copyfile(SCRIPT, place)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("movie", Directive)
    app.connect("html-page-context", add_script, priority=950)
    app.connect("build-finished", lay_file, priority=960)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
