"""How quickly the live figures of the built site answer, in headless Chromium on this machine.

Ready: from the first touch of a control to the first result drawn, with nothing kept (cold) and on
the next page of a reader who has been here (warm). Redrawn: from a slider's move to the first and
to the last drawing, medians over twenty and three moves, for each figure. The site is served over
loopback, so no network is in it. Run by ``make measure NAME=live`` after ``make book``. May
import: the standard library, Playwright and its neighbors.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from house_book import open_server
from house_common import ROOT, Trouble, say
from house_setup import find_chromium
from live_browser import SITE, figures, first_slider, move
from playwright.sync_api import Browser, sync_playwright

STARTS = 5
MOVES = 20
WHOLE = 3
GOAL_MS = 100.0
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
#: Resolves when the memory image for the next page is kept.
KEPT = """async () => (await caches.keys()).includes("live-python")
  && (await (await caches.open("live-python")).keys()).length > 0"""
TOOLS = {"chromium": [find_chromium() or "chromium", "--version"]}


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; give its address."""
    server = open_server(folder, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages_with_figures(folder: Path) -> list[str]:
    """Return the pages of the site that have live figures."""
    found = [
        p for p in sorted(folder.rglob("*.html")) if 'class="live-form"' in p.read_text("utf-8")
    ]
    return [path.relative_to(folder).as_posix() for path in found]


def starts(browser: Browser, url: str) -> tuple[list[float], list[float]]:
    """Return the milliseconds to the first result: of new readers, and on their next page."""
    cold, warm = [], []
    for _ in range(STARTS):
        context = browser.new_context()
        page = context.new_page()
        page.goto(url, wait_until="networkidle")
        figure = figures(page)[0]
        name = first_slider(page, figure)
        cold.append(move(page, figure, name, 2)[0])
        page.wait_for_function(KEPT)
        again = context.new_page()
        page.close()
        again.goto(url, wait_until="networkidle")
        warm.append(move(again, figure, name, 2)[0])
        context.close()
    return cold, warm


def redraws(browser: Browser, site: str, pages: list[str]) -> dict[str, dict[str, float]]:
    """Return for each figure the medians over moves of its first slider, back and forth."""
    found: dict[str, dict[str, float]] = {}
    context = browser.new_context()
    for path in pages:
        page = context.new_page()
        page.goto(site + path, wait_until="networkidle")
        for figure in figures(page):
            name = first_slider(page, figure)
            move(page, figure, name, 1)  # the first run compiles what the others use
            firsts = [move(page, figure, name, 1 if i % 2 else -1, False)[0] for i in range(MOVES)]
            lasts = [move(page, figure, name, 1 if i % 2 else -1)[1] for i in range(WHOLE)]
            found[figure.removeprefix("live-")] = {
                "first_ms": round(median(firsts), 1),
                "last_ms": round(median(lasts), 1),
            }
            say(f"live: {figure} {found[figure.removeprefix('live-')]}")
        page.close()
    context.close()
    return found


def measure() -> dict[str, Any]:
    """Measure the built site."""
    folder = ROOT / "_build" / "html"
    pages = pages_with_figures(folder) if folder.is_dir() else []
    if not pages:
        raise Trouble("the built site has no live figure; run make book first")
    lightest = min(pages, key=lambda p: (folder / p).stat().st_size)
    with served(folder) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*ARGUMENTS])
        page = browser.new_page()
        page.goto(site + lightest)
        megabytes = page.evaluate(SITE)["megabytes"]
        page.close()
        cold, warm = starts(browser, site + lightest)
        found = redraws(browser, site, pages)
        browser.close()
    within = sum(one["first_ms"] <= GOAL_MS for one in found.values())
    say(f"live: ready in {median(cold):.0f} ms cold, {median(warm):.0f} ms warm")
    say(f"live: {within} of {len(found)} figures redraw within {GOAL_MS:.0f} ms")
    return {
        "megabytes": megabytes,
        "load_average": round(os.getloadavg()[0], 2),
        "ready_cold_ms": {"median": round(median(cold)), "all": [round(t) for t in cold]},
        "ready_warm_ms": {"median": round(median(warm)), "all": [round(t) for t in warm]},
        "moves": MOVES,
        "whole_runs": WHOLE,
        "redraw": found,
        "redraw_within_100_ms": within,
    }
