"""Opening pages of the built site in headless Chromium, over loopback, with everything recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest
from house_book import open_server
from house_setup import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What keeps Chromium from calling its maker's hosts: a request it makes is then a page's own.
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# A machine that does much else at once is slow, not broken.
PATIENCE_MS = 120_000


@dataclass
class Visit:
    """One opened page, and what it said and asked for since."""

    page: Page
    site_url: str
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def foreign(self) -> list[str]:
        """Return the requests that left the site; data and blob addresses do not leave the page."""
        home = urlsplit(self.site_url).netloc
        parts = [(urlsplit(url), url) for url in self.requests]
        return [url for at, url in parts if at.scheme not in ("data", "blob") and at.netloc != home]


class OpenPage(Protocol):
    """Opens a page of the site, by its path, in a browser of the wanted kind."""

    def __call__(
        self,
        path: str = "",
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        javascript: bool = True,
        reduced_motion: bool = False,
        script: str = "",
    ) -> Visit:
        """Open it and wait until it is loaded; `script` runs before those of the page."""
        ...


@pytest.fixture(scope="session")
def site_url(built_site: Path) -> Iterator[str]:
    """Serve the built site on loopback and return its address, with a slash at the end."""
    server = open_server(built_site, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def html_pages(built_site: Path) -> list[str]:
    """Return the paths of the site's pages, as a reader would reach them."""
    left_out = {"genindex.html", "search.html", "py-modindex.html", "404.html"}
    found = (path.relative_to(built_site) for path in built_site.rglob("*.html"))
    return sorted(
        path.as_posix() for path in found if path.name not in left_out and path.parts[0][0] != "_"
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start headless Chromium; skip where there is none."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("Chromium is not installed")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        # Without its sandbox only because containers, where this mostly runs, do not allow it;
        # it opens nothing but our own pages.
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", *ARGUMENTS]
        )
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, site_url: str) -> Iterator[OpenPage]:
    """Return a function that opens a page of the site and records what it says and asks for."""
    contexts = []

    def opened(
        path: str = "",
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        javascript: bool = True,
        reduced_motion: bool = False,
        script: str = "",
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if script:
            context.add_init_script(script)
        visit = Visit(context.new_page(), site_url)
        record(visit)
        visit.page.goto(site_url + path.lstrip("/"), wait_until="networkidle")
        return visit

    yield opened
    for context in contexts:
        context.close()


def record(visit: Visit) -> None:
    """Listen to a page: its console, the errors nobody caught, its requests, those that failed."""

    def failed(response: Any) -> None:
        if response.status >= 400:
            visit.failures.append(f"{response.status} {response.url}")

    visit.page.on(
        "console", lambda message: visit.console.append(f"{message.type}: {message.text}")
    )
    visit.page.on("pageerror", lambda error: visit.console.append(f"error: {error}"))
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.on("requestfailed", lambda request: visit.failures.append(request.url))
    visit.page.on("response", failed)
