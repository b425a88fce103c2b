"""Follows every link that leaves the built site, and fails for those that are dead.

Runs on a schedule, not in the build: another site's bad day must not stop ours. A host that refuses
robots (401, 403, 405, 429) is listed, not failed. Standard library only.
"""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag

SITE = Path(__file__).resolve().parents[2] / "_build" / "html"
REFUSED = frozenset({401, 403, 405, 429, 503})
AGENT = "serverless-by-experiment link check (a book that links to you asks once a week)"


class Links(HTMLParser):
    """Collects the addresses of a page's links that leave the site."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what an anchor points to if it is on another host."""
        target = dict(attrs).get("href") or ""
        if tag == "a" and target.startswith(("http://", "https://")):
            self.found.add(urldefrag(target).url)


def links_of(site: Path) -> dict[str, list[str]]:
    """Return every address that leaves the site, with the pages that link to it."""
    pages: dict[str, list[str]] = defaultdict(list)
    for page in sorted(site.rglob("*.html")):
        parser = Links()
        parser.feed(page.read_text(encoding="utf-8"))
        for address in parser.found:
            pages[address].append(page.relative_to(site).as_posix())
    return dict(sorted(pages.items()))


def state_of(address: str, timeout_s: float = 20) -> str:
    """Return "ok", "refused" or what is wrong with an address."""
    request = urllib.request.Request(address, headers={"User-Agent": AGENT})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s):
            return "ok"
    except urllib.error.HTTPError as error:
        return "refused" if error.code in REFUSED else f"status {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check all links; print those that are dead and the pages they stand on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--site", type=Path, default=SITE)
    options = parser.parse_args(arguments)
    links = links_of(options.site)
    with ThreadPoolExecutor(8) as pool:
        states = dict(zip(links, pool.map(state_of, links), strict=True))
    dead = {address: state for address, state in states.items() if state not in ("ok", "refused")}
    for address, state in dead.items():
        print(f"{address}: {state}\n    on {', '.join(links[address])}")
    refused = sum(state == "refused" for state in states.values())
    print(f"{len(links)} links leave the site; {len(dead)} dead, {refused} refuse to be asked")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
