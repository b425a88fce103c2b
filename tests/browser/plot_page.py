"""A page with one live figure, for the tests of `site/live/plot.js`; and results to draw in it."""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house_book import open_server

Plain = dict[str, Any]
ROLES = ("coupled", "decoupled", "theory", "measured", "limit", "fifth", "plain")

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>plot</title>
<link rel="stylesheet" href="book.css"><link rel="icon" href="data:,"></head>
<body><main><div id="host"></div></main><script type="module">
import { Plot } from "./plot.js";
const host = document.getElementById("host");
window.make = async (width, options) => {
  window.plot?.destroy();
  host.style.width = `${width}px`;
  window.plot = new Plot(host, options);
  await window.plot.settled;
};
// texts as they are painted, in units of the view box
window.texts = (svg) => [...svg.querySelectorAll("text")].map((text) => {
  const { x, y, width, height } = text.getBBox();
  const { e, f } = svg.getScreenCTM().inverse().multiply(text.getScreenCTM());
  return { text: text.textContent, x: x + e, y: y + f, width, height,
    isName: /font-weight: 700/.test(text.getAttribute("style")), fill: text.getAttribute("style").match(/fill: ([^;]+)/)?.[1] ?? "" };
});
window.drawn = () => window.texts(host.querySelector("svg"));
const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
// the color that layers of paint give, as the eye sees it, and its lightness by WCAG
window.lightness = (layers) => {
  pen.clearRect(0, 0, 1, 1);
  for (const [color, opacity] of layers) { pen.globalAlpha = opacity; pen.fillStyle = color; pen.fillRect(0, 0, 1, 1); }
  const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
window.isReady = true;
</script></body></html>"""


@pytest.fixture(scope="module")
def plot_url(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page with the plot's modules, the book's style and its fonts."""
    folder = tmp_path_factory.mktemp("plot")
    for source in (root / "site" / "live").glob("plot*.js"):
        shutil.copy(source, folder)
    for package in ("d3-path", "d3-shape"):
        source = root / "node_modules" / package / "dist" / f"{package}.min.js"
        if not source.is_file():
            pytest.skip("JavaScript packages are not installed (make book)")
        shutil.copy(source, folder)
    shutil.copy(root / "site" / "static" / "book.css", folder)
    (folder / "fonts").mkdir()
    for source in (root / "simulations" / "figures" / "fonts").glob("*.woff2"):
        shutil.copy(source, folder / "fonts")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    server = open_server(folder, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def open_once(browser: Any, plot_url: str) -> Iterator[tuple[Any, list[str]]]:
    """Open the page once for all tests, and gather what it says."""
    context = browser.new_context(viewport={"width": 1100, "height": 800}, has_touch=True)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(plot_url)
    opened.wait_for_function("window.isReady")
    yield opened, said
    context.close()


@pytest.fixture
def page(open_once: tuple[Any, list[str]]) -> Iterator[Any]:
    """Lend the page as it was opened; whatever it says in the console is an error."""
    opened, said = open_once
    opened.mouse.move(1090, 790)
    opened.evaluate(
        "document.documentElement.removeAttribute('data-theme'); document.getElementById('built')?.remove()"
    )
    yield opened
    assert said == []
    said.clear()


def plain_axis(label: str, unit: str = "", log: bool = False) -> Plain:
    """Return an axis as JavaScript gets it."""
    return {"label": label, "unit": unit, "log": log}


def plain_series(name: str, x: Any, y: Any, **more: Any) -> Plain:
    """Return a series as JavaScript gets it."""
    plain = {"name": name, "x": list(x), "y": list(y), "kind": "line", "role": "coupled"}
    return plain | {"low": None, "high": None, "label_at": None} | more


def plain_result(*series: Plain, x: Plain | None = None, y: Plain | None = None) -> Plain:
    """Return a result as JavaScript gets it."""
    axes = {"x": x or plain_axis("time", "s"), "y": y or plain_axis("waiting", "messages")}
    return axes | {"series": list(series), "numbers": {}, "grid": None}


def plain_grid(rows: list[Any], columns: list[Any], values: list[list[float | None]]) -> Plain:
    """Return a heat map as JavaScript gets it."""
    grid = {"rows": rows, "columns": columns, "values": values, "unit": "%"}
    return plain_result(x=plain_axis("memory", "MB"), y=plain_axis("load")) | {"grid": grid}


def show(page: Any, result: Plain, width: int = 600, **options: Any) -> list[Plain]:
    """Draw a result in a figure of its own and return its texts."""
    page.evaluate("(width) => make(width, { name: 'What it shows' })", width)
    return update(page, result, **options)


def update(page: Any, result: Plain, **options: Any) -> list[Plain]:
    """Draw a result in the figure that stands and return its texts."""
    page.evaluate("([result, options]) => plot.update(result, options)", [result, options])
    found: list[Plain] = page.evaluate("drawn()")
    return found


def overlap(a: Plain, b: Plain) -> float:
    """Return how far two texts overlap, negative where they do not."""
    wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    # a line box is taller than its letters
    high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"]) - 4
    return float(min(wide, high))


def peak(height: float) -> Plain:
    """Return one hill of this height."""
    x = list(range(60))
    return plain_result(
        plain_series("a", x, [height * math.exp(-(((v - 30) / 9) ** 2)) for v in x])
    )
