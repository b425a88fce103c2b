"""Look over the built site: what a page must have, what it must not, and its numbers.

Usage: python site/scripts/check_site.py [--accept-numbers] [--html FOLDER] [--snapshot FILE]

Every page: figures with words for who cannot see them, nothing loaded from another host, no
traceback, no error output, no markup left unread, no id twice, no link into nothing, not too
heavy. The whole book: the published numbers are those of the snapshot. Exit code 1 and one line a
finding where something is wrong. Imports the standard library only.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
SNAPSHOT = ROOT / "tests" / "snapshots" / "numbers.json"

MIN_ALT = 30
MAX_SVG_BYTES = 60_000
MAX_PAGE_BYTES = 150_000

# Attributes by which a browser fetches something by itself when it shows the page.
_FETCHED = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"),
    "video": ("src", "poster"), "audio": ("src",), "track": ("src",), "embed": ("src",),
    "object": ("data",), "input": ("src",), "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"), "feimage": ("href", "xlink:href"),
}  # fmt: skip
# Links in the head that are only names of places.
_NAMES_ONLY = {
    "canonical",
    "license",
    "prev",
    "next",
    "author",
    "help",
    "alternate",
    "me",
    "search",
}
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
_FOREIGN = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_CSS_FETCH = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
_SCRIPT_FETCH = re.compile(
    r"""(?:\bimport\s*\(?|\bfetch\s*\(|\.src\s*=|importScripts\s*\()\s*["'`](https?:)?//"""
)
_PATH_LIKE = re.compile(r"^\S*[/\\]\S*$|\.(?:png|svg|jpe?g|gif|webp)$", re.IGNORECASE)
_UNREAD = re.compile(r"\{[a-z][a-z:-]*\}`|^\s*:::|(?<!\S)\{\{|\[\^[\w-]+\]|\{math\}")
_PRESENTATION = {"none", "presentation"}


@dataclass
class Page(HTMLParser):
    """One page as the checks need it: what it fetches, says, names, links, and its figures."""

    name: str
    findings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.headings = 0
        self.stack: list[tuple[str, dict[str, str]]] = []
        self.svg_start: int | None = None
        self.figures: list[dict[str, Any]] = []

    def complain(self, text: str) -> None:
        self.findings.append(f"{self.name}: {text}")

    def read(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.feed(text)
        self.close()
        for identity, times in self.ids.items():
            if times > 1:
                self.complain(f"id {identity!r} stands {times} times")
        if self.headings != 1:
            self.complain(f"has {self.headings} headings of the first level, not one")

    def _offset(self) -> int:
        line, column = self.getpos()
        return self.starts[line - 1] + column

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = {key: value or "" for key, value in attributes}
        classes = set(attrs.get("class", "").split())
        if "id" in attrs:
            self.ids[attrs["id"]] += 1
        self._check_fetches(tag, attrs)
        if tag == "h1":
            self.headings += 1
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag == "img":
            self._check_words("image", attrs.get("alt"), attrs.get("src", "")[:60], attrs)
        if tag == "svg" and not any(t == "svg" for t, _ in self.stack):
            self.svg_start = self._offset()
            if attrs.get("aria-hidden") != "true":
                if attrs.get("role") != "img":
                    self.complain('an SVG has neither role="img" nor aria-hidden="true"')
                self._check_words("figure", attrs.get("aria-label"), self._figure_name(), attrs)
        if tag == "figure":
            self.figures.append(
                {"id": attrs.get("id", ""), "classes": classes, "caption": "", "svg": False}
            )
        if tag == "svg" and self.figures:
            self.figures[-1]["svg"] = True
        if "problematic" in classes or "system-message" in classes:
            self.complain("markup that was not understood stands in the page")
        if "traceback" in classes:
            self.complain("a traceback stands in the page")
        if "stderr" in classes:
            self.complain("a cell wrote to standard error")
        if "style" in attrs:
            self._check_style(attrs["style"])
        if tag not in _VOID:
            self.stack.append((tag, attrs))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not any(t == tag for t, _ in self.stack):
            return
        while self.stack and self.stack.pop()[0] != tag:
            pass
        if (
            tag == "svg"
            and self.svg_start is not None
            and not any(t == "svg" for t, _ in self.stack)
        ):
            size = len(self.text[self.svg_start : self._offset()].encode()) + len("</svg>")
            if size > MAX_SVG_BYTES:
                self.complain(
                    f"figure {self._figure_name()!r} has {size:,} bytes of SVG, at most {MAX_SVG_BYTES:,}"
                )
            self.svg_start = None
        if tag == "figure" and self.figures and "sbe" in self.figures[-1]["classes"]:
            figure = self.figures[-1]
            if not figure["id"]:
                self.complain("a figure has no id")
            if not figure["caption"].strip():
                self.complain(f"figure {figure['id']!r} has no caption")

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self.stack]
        if "figcaption" in inside and self.figures:
            self.figures[-1]["caption"] += data
        if "style" in inside:
            self._check_style(data)
        elif "script" in inside:
            if _SCRIPT_FETCH.search(data):
                self.complain("an inline script loads something from another host")
        elif not {"pre", "code", "title"} & set(inside) and not self._is_math():
            found = _UNREAD.search(data)
            if found:
                near = data[max(0, found.start() - 10) : found.end() + 40].strip()
                self.complain(f"markup left unread: {near!r}")

    def _is_math(self) -> bool:
        return any("math" in attrs.get("class", "").split() for _, attrs in self.stack)

    def _figure_name(self) -> str:
        return str(self.figures[-1]["id"]) if self.figures else "(outside of a figure)"

    def _check_words(self, what: str, alt: str | None, name: str, attrs: dict[str, str]) -> None:
        if alt is None:
            self.complain(f"{what} {name!r} has no alt text")
        elif attrs.get("role") in _PRESENTATION or attrs.get("aria-hidden") == "true":
            return
        elif _PATH_LIKE.search(alt.strip()):
            self.complain(f"{what} {name!r}: its alt text is a file name, {alt!r}")
        elif len(alt.strip()) < MIN_ALT:
            self.complain(
                f"{what} {name!r}: alt text {alt!r} says too little, {MIN_ALT} characters at least"
            )

    def _check_fetches(self, tag: str, attrs: dict[str, str]) -> None:
        wanted = [attrs[key] for key in _FETCHED.get(tag, ()) if key in attrs]
        if tag == "link" and not set(attrs.get("rel", "").lower().split()) & _NAMES_ONLY:
            wanted.append(attrs.get("href", ""))
        if tag == "base" or (tag == "meta" and attrs.get("http-equiv", "").lower() == "refresh"):
            wanted.append(attrs.get("href", attrs.get("content", "").partition("=")[2]))
        for value in wanted:
            for url in (
                value.split(",") if "," in value and not value.startswith("data:") else [value]
            ):
                if _FOREIGN.match(url.strip()):
                    self.complain(f"<{tag}> is loaded from another host: {url.strip()[:100]}")
        if tag == "form" and _FOREIGN.match(attrs.get("action", "")):
            self.complain(f"a form is sent to another host: {attrs['action'][:100]}")

    def _check_style(self, text: str) -> None:
        for url in _CSS_FETCH.findall(text):
            self.complain(f"a style loads from another host: {url[:100]}")


def check_page(name: str, text: str) -> Page:
    """Return the page, read and with its findings."""
    page = Page(name)
    page.read(text)
    return page


def check_links(pages: dict[str, Page], folder: Path) -> Iterator[str]:
    """Yield the links of the site to itself that lead nowhere."""
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (folder / name).parent / unquote(parts.path) if parts.path else folder / name
            if target.is_dir():
                target = target / "index.html"
            if not target.exists():
                yield f"{name}: link to {link!r}, which is not there"
                continue
            inside = target.resolve().relative_to(folder.resolve()).as_posix()
            fragment = unquote(parts.fragment)
            if fragment and inside in pages and fragment not in pages[inside].ids:
                yield f"{name}: link to {link!r}, but {inside} has no such place"


def check_styles(folder: Path) -> Iterator[str]:
    """Yield what style sheets load from other hosts."""
    for path in sorted(folder.rglob("*.css")):
        for url in _CSS_FETCH.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(folder)}: a style loads from another host: {url[:100]}"


def check_site(folder: Path) -> tuple[list[str], list[str]]:
    """Return what is wrong with the built site, and what should be watched."""
    pages: dict[str, Page] = {}
    wrong: list[str] = []
    heavy: list[str] = []
    for path in sorted(folder.rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        if name.startswith(("_static/", "vendor/")):
            continue
        text = path.read_text(encoding="utf-8")
        pages[name] = check_page(name, text)
        wrong += pages[name].findings
        size = len(text.encode())
        if size > MAX_PAGE_BYTES:
            heavy.append(f"{name}: {size:,} bytes, more than {MAX_PAGE_BYTES:,}")
    if not pages:
        wrong.append(f"{folder}: there is no page; build the book first")
    wrong += check_links(pages, folder)
    wrong += check_styles(folder)
    return wrong, heavy


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    if isinstance(tree, dict):
        found: dict[tuple[str, ...], str] = {}
        for key, value in tree.items():
            found.update(_leaves(value, (*path, str(key))))
        return found
    if isinstance(tree, list):
        return _leaves({f"{i + 1}": value for i, value in enumerate(tree)}, path)
    return {path: str(tree)}


def compare_numbers(published: dict[str, Any], snapshot: dict[str, Any]) -> list[str]:
    """Return how the published numbers differ from those of the snapshot, one line each."""
    new, old = _leaves(published.get("pages", {})), _leaves(snapshot.get("pages", {}))
    lines = []
    for key in sorted(new.keys() | old.keys()):
        if new.get(key) == old.get(key):
            continue
        where = " · ".join(key)
        if key not in old:
            lines.append(f"{where}: new, {new[key]!r}")
        elif key not in new:
            lines.append(f"{where}: gone, was {old[key]!r}")
        else:
            lines.append(f"{where}: {old[key]!r} became {new[key]!r}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Check, or with ``--accept-numbers`` make the published numbers the snapshot, then check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--accept-numbers", "--accept", action="store_true", dest="accept")
    parser.add_argument("--html", type=Path, default=HTML)
    parser.add_argument("--snapshot", type=Path, default=SNAPSHOT)
    options = parser.parse_args(arguments)
    wrong, heavy = check_site(options.html)
    numbers = options.html.parent / "numbers.json"
    if not numbers.exists():
        wrong.append(f"{numbers}: the build wrote no numbers")
    elif options.accept:
        options.snapshot.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(numbers, options.snapshot)
        print(f"site: the published numbers are now {options.snapshot.name}; review its diff")
    elif not options.snapshot.exists():
        wrong.append(f"{options.snapshot} is missing; --accept-numbers writes it")
    else:
        moved = compare_numbers(
            json.loads(numbers.read_text(encoding="utf-8")),
            json.loads(options.snapshot.read_text(encoding="utf-8")),
        )
        wrong += [f"number: {line}" for line in moved]
        if moved:
            wrong.append(
                f"{len(moved)} published numbers moved; if they should, run with --accept-numbers"
            )
    for line in heavy:
        print(f"site: warning: {line}", file=sys.stderr)
    for line in wrong:
        print(f"site: {line}", file=sys.stderr)
    if wrong:
        print(f"site: {len(wrong)} findings", file=sys.stderr)
        return 1
    print("site: every page is as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
