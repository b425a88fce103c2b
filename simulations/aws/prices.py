"""Today's prices, from AWS: fetched when somebody asks, checked, and only then put in place.

    python -m simulations.aws.prices --region us-east-1

reads the public bulk files (no credentials), or with ``--source api`` asks ``pricing:GetProducts``
through boto3. All services are fetched and checked before any file is written; whatever fails,
the old prices stay as they were. `PriceList.load(folder=...)` reads the result. May import: the
standard library, boto3 and `simulations.pricing`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulations.facts import fact
from simulations.pricing import BadPriceList, PriceList, Sku, read_offer, write_offer
from simulations.pricing.offers import MAX_BYTES, folder_skus, offer_of_products

#: Where refreshed files go unless told otherwise: the reader's own, kept out of the repository.
FOLDER = Path("my-prices")
#: A price that moves further than this at once is taken for an error until somebody says so.
JUMP = 10
#: These prices stand in EC2's file, which is too large to be read by the way.
IN_EC2S_FILE = {"AmazonVPC", "AmazonEC2"}
#: GetProducts returns 100 products a page; a service here has under 3,000 in a region.
MAX_PAGES = 200

Fetch = Callable[[str, str], Mapping[str, Any] | bytes]


class RefreshFailed(RuntimeError):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True)
class Change:
    """One usage type whose price is new, gone or other than before (USD by tier)."""

    service: str
    usage_type: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def __str__(self) -> str:
        if not self.before:
            return f"new      {self.service} {self.usage_type}: {' / '.join(self.after)}"
        if not self.after:
            return f"gone     {self.service} {self.usage_type}: was {' / '.join(self.before)}"
        was, now = " / ".join(self.before), " / ".join(self.after)
        return f"changed  {self.service} {self.usage_type}: {was} -> {now}"


def bulk(
    base_url: str | None = None, *, timeout_s: float = 20, attempts: int = 4, pause_s: float = 1.0
) -> Fetch:
    """Fetch from the public bulk files.

    Parameters
    ----------
    base_url
        Without the part that names service and region; AWS's own address if left out.
    timeout_s
        For connecting and for each read; a whole file may take ten times as long.
    attempts, pause_s
        Tries in all, and the first pause between two; it doubles. Errors of the caller (4xx)
        are not tried again.
    """
    whole = str(fact("pl.bulk").value)
    root = base_url or whole.partition("/<ServiceCode>")[0]

    def fetch(service: str, region: str) -> bytes:
        url = f"{root}/{service}/current/{region}/index.json"
        return _retried(lambda: _get(url, timeout_s), attempts, pause_s, url)

    return fetch


def _get(url: str, timeout_s: float) -> bytes:
    deadline = time.monotonic() + 10 * timeout_s
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise RefreshFailed(f"{url} is neither https nor on this machine")
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:
        parts, size = [], 0
        while part := answer.read(1 << 16):
            size += len(part)
            if size > MAX_BYTES:
                raise RefreshFailed(f"{url} has more than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no end after {10 * timeout_s:g} s")
            parts.append(part)
        told = answer.headers.get("Content-Length")
        if told is not None and int(told) != size:
            raise http.client.IncompleteRead(b"", int(told) - size)
    return b"".join(parts)


def _retried(call: Callable[[], bytes], attempts: int, pause_s: float, what: str) -> bytes:
    for attempt in range(1, attempts + 1):
        try:
            return call()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code != 429:
                raise RefreshFailed(f"{what}: HTTP {error.code}") from None
            last: Exception = error
        except (OSError, http.client.HTTPException) as error:
            last = error
        if attempt < attempts:
            time.sleep(pause_s * 2 ** (attempt - 1))
    raise RefreshFailed(f"{what}: {attempts} tries failed, the last with {last!r}") from None


def api(client: Any = None, *, timeout_s: float = 20, attempts: int = 4) -> Fetch:
    """Fetch through ``pricing:GetProducts``; needs credentials that allow it.

    Parameters
    ----------
    client
        A boto3 client for "pricing"; made here if left out, in us-east-1, where the service is.
    """

    def made() -> Any:
        import boto3
        from botocore.config import Config

        retries = {"total_max_attempts": attempts, "mode": "standard"}
        config = Config(connect_timeout=timeout_s, read_timeout=timeout_s, retries=retries)
        return boto3.client("pricing", region_name="us-east-1", config=config)

    def fetch(service: str, region: str) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        asked: dict[str, Any] = {
            "ServiceCode": service,
            "FormatVersion": "aws_v1",
            "MaxResults": 100,
            "Filters": [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
        }
        texts: list[str] = []
        seen: set[str] = set()
        try:
            caller = made() if client is None else client
            for _ in range(MAX_PAGES):
                page = caller.get_products(**asked)
                texts += page.get("PriceList", [])
                token = page.get("NextToken")
                if not token:
                    return offer_of_products(texts, service)
                if token in seen:
                    raise RefreshFailed(f"GetProducts of {service} repeats a page")
                seen.add(token)
                asked["NextToken"] = token
        except (BotoCoreError, ClientError) as error:
            raise RefreshFailed(f"GetProducts of {service}: {error}") from error
        raise RefreshFailed(f"GetProducts of {service} has more than {MAX_PAGES} pages")

    return fetch


def refresh(
    region: str = "us-east-1",
    services: Iterable[str] | None = None,
    *,
    folder: str | Path = FOLDER,
    fetch: Fetch | None = None,
    accept_jumps: bool = False,
) -> list[Change]:
    """Fetch all services, check them, put them in place together; return what changed.

    Parameters
    ----------
    region, services
        AWS's codes; those that the catalog prices if left out.
    folder
        Files go to ``<folder>/<region>/<service>.json``, trimmed to what the catalog knows.
    fetch
        `bulk()` (the default) or `api()`.
    accept_jumps
        Take prices that moved by more than a factor of ten, or vanished.

    Raises
    ------
    RefreshFailed
        If anything cannot be fetched or does not pass; the folder is then as it was.
    """
    known = {sku.key for sku in PriceList.load().skus.values()}
    chosen = sorted(set(services or {key.partition(":")[0] for key in known} - IN_EC2S_FILE))
    take = bulk() if fetch is None else fetch
    offers: dict[str, dict[str, Any]] = {}
    fresh: list[Sku] = []
    for service in chosen:
        try:
            skus = [s for s in read_offer(take(service, region), region) if s.key in known]
        except BadPriceList as error:
            raise RefreshFailed(f"{service}: {error}; nothing was changed") from error
        if not skus:
            raise RefreshFailed(f"{service}: nothing that the catalog knows; nothing was changed")
        offers[service] = write_offer(skus, service, region)
        fresh += skus
    old = _old(Path(folder), region)
    changes = list(compare([s for s in old if s.service in offers], fresh))
    if not accept_jumps:
        _refuse_jumps(changes)
    _put(Path(folder), region, offers)
    return changes


def _old(folder: Path, region: str) -> Sequence[Sku]:
    """What is replaced: the folder's prices, or those of the facts."""
    try:
        kept = folder_skus(folder, region)
    except BadPriceList as error:
        raise RefreshFailed(f"the old files are damaged ({error}): move them away") from error
    if kept or region != "us-east-1":
        return kept
    return tuple(PriceList.load(region).skus.values())


def compare(before: Sequence[Sku], after: Sequence[Sku]) -> Iterable[Change]:
    """The usage types whose prices or tiers differ."""

    def told(sku: Sku) -> tuple[str, ...]:
        bounds = [f" up to {t.up_to:f}" if t.up_to is not None else "" for t in sku.tiers]
        return tuple(f"{t.usd:f}{b}" for t, b in zip(sku.tiers, bounds, strict=True))

    old, new = {s.key: s for s in before}, {s.key: s for s in after}
    for key in {**old, **new}:
        was = told(old[key]) if key in old else ()
        now = told(new[key]) if key in new else ()
        same = key in old and key in new and old[key].tiers == new[key].tiers
        if not same:
            service, _, usage_type = key.partition(":")
            yield Change(service, usage_type, was, now)


def _refuse_jumps(changes: Sequence[Change]) -> None:
    for one in changes:
        if not (one.before and one.after):
            continue
        was, now = (Decimal(x[0].partition(" ")[0]) for x in (one.before, one.after))
        if was != now and not (was and now and 1 / Decimal(JUMP) <= now / was <= JUMP):
            raise RefreshFailed(
                f"{one}: more than {JUMP} times; nothing was changed (--accept-jumps takes it)"
            )


def _put(folder: Path, region: str, offers: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace the region's folder at once: readers see all old files or all new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / region
    made = Path(tempfile.mkdtemp(prefix=f".{region}-", dir=folder))
    aside = made.with_name(f"{made.name}-old")
    try:
        if target.exists():
            for file in target.glob("*.json"):
                shutil.copy2(file, made / file.name)
        for service, offer in offers.items():
            text = json.dumps(offer, indent=1, sort_keys=True) + "\n"
            (made / f"{service}.json").write_text(text, encoding="utf-8")
        folder_skus(folder, region)  # the old ones are still readable, or we would not be here
        for file in made.glob("*.json"):
            read_offer(file.read_bytes(), region)
        if target.exists():
            os.replace(target, aside)
        try:
            os.replace(made, target)
        except OSError:
            if aside.exists():
                os.replace(aside, target)
            raise
    except OSError as error:
        raise RefreshFailed(f"cannot write {target}: {error}; nothing was changed") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Refresh from a terminal; the exit code is 1 when nothing was changed by failure."""
    parser = argparse.ArgumentParser(
        prog="python -m simulations.aws.prices",
        description="Fetch today's prices from AWS into a folder of your own.",
    )
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--source", choices=("bulk", "api"), default="bulk")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--url", help="bulk only: another address than AWS's")
    parser.add_argument("--accept-jumps", action="store_true")
    parser.add_argument("services", nargs="*", help="AWSLambda, AmazonSNS ...; all by default")
    options = parser.parse_args(arguments)
    fetch = api() if options.source == "api" else bulk(options.url)
    try:
        changes = refresh(
            options.region, options.services, folder=options.folder, fetch=fetch,
            accept_jumps=options.accept_jumps,
        )  # fmt: skip
    except (RefreshFailed, ValueError) as error:
        sys.stderr.write(f"prices: {error}\n")
        return 1
    for change in changes:
        sys.stdout.write(f"{change}\n")
    sys.stdout.write(f"prices: {len(changes)} differences; kept in {options.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
