"""AWS's own price lists: reading its files (bulk or GetProducts), and writing them.

Every file is taken for hostile: size, depth, types, region, currency, numbers and the order of
tiers are checked before a price of it counts. May import: the standard library,
`simulations.facts` and the rest of this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulations.facts import Source
from simulations.pricing.catalog import entries, read_skus
from simulations.pricing.entry import Entry
from simulations.pricing.free import free_tiers
from simulations.pricing.pricelist import FreeTier, Sku, Tier

#: Refused beyond: AWS's largest file that is read here has under 1 MB, EC2's some 400 MB.
MAX_BYTES = 64_000_000
MAX_PRODUCTS = 200_000
#: What AWS puts on demand prices under; its file nests nine deep.
ON_DEMAND = "OnDemand"
MAX_TIERS = 50

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_OTHER_BYTES = re.compile(r"(k|m|t|p)i?b\b|bytes?\b", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadPriceList(ValueError):
    """A price list is refused; the message says what is wrong with it and where."""


def read_offer(document: str | bytes | Mapping[str, Any], region: str) -> tuple[Sku, ...]:
    """The SKUs of one service in one region, from AWS's file.

    Parameters
    ----------
    document
        The bulk file of a service and region (text, bytes or parsed), with ``offerCode``,
        ``publicationDate``, ``products`` and ``terms``.
    region
        The region it has to be of; products of location "Any" belong to all.

    Returns
    -------
    Usage types that the catalog knows carry its name, words and metering (so ``EUC1-Request``
    is "Request"); others keep their own, with ``service:`` before it where it is not unique.

    Raises
    ------
    BadPriceList
        If it is truncated, of another region, without a price, or made to harm. Nothing is
        changed by reading.
    """
    data = _parsed(document)
    service = _text(data, "offerCode", "the file")
    published = _text(data, "publicationDate", "the file")[:10]
    if not _DATE.fullmatch(published):
        raise BadPriceList(f"publicationDate={published!r} is no date")
    products = _mapping(data.get("products"), "products")
    terms = _mapping(_mapping(data.get("terms"), "terms").get(ON_DEMAND), f"terms.{ON_DEMAND}")
    if len(products) > MAX_PRODUCTS:
        raise BadPriceList(f"{len(products)} products; at most {MAX_PRODUCTS} are read")
    rows = _Rows(service)
    found: dict[tuple[str, str], Sku] = {}
    for code, raw in products.items():
        attributes = _mapping(_mapping(raw, code).get("attributes"), f"{code}.attributes")
        if not _is_here(attributes, region, code):
            continue
        usage_type = _text(attributes, "usagetype", code)
        prices = list(_dimensions(terms, code))
        if not prices:
            continue  # sold under other terms only
        sku = _sku(service, usage_type, attributes, prices, published, code, rows)
        name = (sku.service, sku.usage_type)
        if name in found and found[name].tiers != sku.tiers:
            operation = str(attributes.get("operation") or code)[:80]
            sku = replace(sku, usage_type=f"{sku.usage_type}:{operation}")
        found.setdefault((sku.service, sku.usage_type), sku)
    if not found:
        raise BadPriceList(f"the file of {service} has no price on demand for {region}")
    currencies = {sku.currency for sku in found.values()}
    if len(currencies) > 1:
        raise BadPriceList(f"prices in several currencies: {', '.join(sorted(currencies))}")
    return tuple(found.values())


def folder_skus(folder: str | Path, region: str) -> tuple[Sku, ...]:
    """The SKUs of all files in ``<folder>/<region>/``; empty where there is no such folder."""
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise ValueError(f"region={region!r} is no region code like us-east-1")
    files = sorted((Path(folder) / region).glob("*.json"))
    skus = [sku for file in files for sku in read_offer(_bytes(file), region)]
    order = {sku.key: i for i, sku in enumerate(read_skus("us-east-1"))}
    return tuple(sorted(skus, key=lambda sku: order.get(sku.key, len(order))))


def offer_of_products(
    pages: Sequence[str], service: str, published: str | None = None
) -> dict[str, Any]:
    """The bulk file's shape, from the JSON texts that GetProducts returns."""
    products: dict[str, Any] = {}
    terms: dict[str, Any] = {}
    dates = []
    for text in pages:
        entry = _mapping(_parsed(text), "an entry of PriceList")
        product = _mapping(entry.get("product"), "product")
        code = _text(product, "sku", "product")
        products[code] = product
        on_demand = _mapping(entry.get("terms"), f"terms of {code}").get(ON_DEMAND)
        if on_demand is not None:
            terms[code] = _mapping(on_demand, f"terms.{ON_DEMAND} of {code}")
        dates.append(str(entry.get("publicationDate") or ""))
    return {
        "formatVersion": "v1.0",
        "offerCode": service,
        "publicationDate": published or max(dates, default=""),
        "products": products,
        "terms": {ON_DEMAND: terms},
    }


def write_offer(skus: Sequence[Sku], service: str, region: str) -> dict[str, Any]:
    """One service's SKUs in the shape of AWS's file; `read_offer` is its inverse."""
    products: dict[str, Any] = {}
    terms: dict[str, Any] = {}
    rows = {(row.service, row.usage_type): row for row in entries()}
    for number, sku in enumerate(s for s in skus if s.service == service):
        code = f"SKU{number:05d}"
        row = rows.get((sku.service, sku.usage_type))
        attributes = {
            "servicecode": service,
            "regionCode": region,
            "usagetype": sku.usage_type,
            **(dict(row.aws_attributes) if row else {}),
        }
        products[code] = {"sku": code, "attributes": attributes}
        dimensions = {}
        begin = Decimal(0)
        for i, tier in enumerate(sku.tiers):
            dimensions[f"{code}.T.{i}"] = {
                "unit": sku.unit,
                "beginRange": f"{begin:f}",
                "endRange": "Inf" if tier.up_to is None else f"{tier.up_to:f}",
                "description": sku.description,
                "pricePerUnit": {sku.currency: f"{tier.usd:f}"},
            }
            begin = tier.up_to or begin
        terms[code] = {f"{code}.T": {"priceDimensions": dimensions}}
    dates = sorted(sku.as_of or "" for sku in skus if sku.service == service)
    published = dates[-1] if dates else ""
    return {
        "formatVersion": "v1.0",
        "offerCode": service,
        "publicationDate": (published + "-01-01")[:10] if len(published) == 4 else
        (published + "-01")[:10],
        "products": products,
        "terms": {ON_DEMAND: terms},
    }  # fmt: skip


# ---------------------------------------------------------------- one product


class _Rows:
    """The catalog's rows of one service, to be found by what AWS's file says."""

    def __init__(self, service: str) -> None:
        self.rows: dict[str, list[Entry]] = {}
        for row in entries():
            if row.service == service:
                plain = row.usage_type.removeprefix("USE1-")
                for known in {row.usage_type, plain, *row.aliases}:
                    self.rows.setdefault(known, []).append(row)

    def knows(self, usage_type: str) -> bool:
        """Whether a row of the catalog carries this name, whatever region's prefix it has."""
        return any(name in self.rows for name in (usage_type, usage_type.partition("-")[2]))

    def find(self, usage_type: str, attributes: Mapping[str, Any]) -> Entry | None:
        """The row, whatever region's prefix the usage type carries."""
        rest = usage_type.partition("-")[2]
        for name in (usage_type, rest):
            for row in self.rows.get(name, ()):
                if all(attributes.get(k, v) == v for k, v in row.aws_attributes):
                    return row
        return None


def _sku(
    service: str, usage_type: str, attributes: Mapping[str, Any],
    prices: list[tuple[Decimal, Decimal | None, Decimal, str, str, str]], published: str,
    code: str, rows: _Rows,
) -> Sku:  # fmt: skip
    prices.sort(key=lambda price: price[0])
    expected: Decimal | None = Decimal(0)
    for begin, end, *_ in prices:
        if begin != expected:
            raise BadPriceList(f"tiers of {code} ({usage_type}) do not meet at {begin}")
        expected = end
    if expected is not None:
        raise BadPriceList(f"tiers of {code} ({usage_type}) end at {expected}, not at Inf")
    currencies = {price[5] for price in prices}
    if len(currencies) != 1:
        raise BadPriceList(f"tiers of {code} ({usage_type}) are in several currencies")
    row = rows.find(usage_type, attributes)
    if row is None and rows.knows(usage_type):
        # The same name for something else, such as the LCUs of another kind of load balancer.
        usage_type = f"{usage_type}:{str(attributes.get('operation') or code)[:80]}"
    for unit in {price[3] for price in prices}:
        # AWS words its units freely; what would change a price by a power of ten is refused.
        scaled = re.search("million|thousand|percent|%", unit, re.IGNORECASE)
        if scaled or (row and row.unit.startswith("GB") and _OTHER_BYTES.match(unit)):
            sold = row.unit if row else "one"
            raise BadPriceList(f"{code} ({usage_type}) is priced by {unit!r}, not by {sold!r}")
    free = free_tiers()[row.free] if row and row.free else None
    tiers = [Tier(end, usd) for _, end, usd, *_ in prices]
    first = tiers[0]
    if first.usd == 0 and first.up_to is not None:
        # AWS writes some free quantities as a first tier of 0: here they are free quantities.
        gift = first.up_to
        free = free or FreeTier(usage_type, gift, "price list")
        tiers = [Tier(None if t.up_to is None else t.up_to - gift, t.usd) for t in tiers[1:]]
    return Sku(
        usage_type=row.usage_type if row else usage_type,
        service=row.service if row else service,
        description=row.description if row else prices[0][4],
        unit=row.unit if row else prices[0][3],
        tiers=tuple(tiers),
        metering=row.metering if row else "as AWS counts it",
        as_of=published,
        checked=published,
        source=Source(None, f"AWS Price List, {service}, SKU {code}", "price_list"),
        facts=(),
        free=free,
        currency=currencies.pop(),
    )


def _is_here(attributes: Mapping[str, Any], region: str, code: str) -> bool:
    where = attributes.get("regionCode") or attributes.get("fromRegionCode")
    if where is None and attributes.get("location") in ("Any", None):
        # Free quantities of all regions together stand here; the catalog has them from facts.
        return False
    if where != region:
        raise BadPriceList(f"{code} is of region {str(where)[:40]!r}, not of {region}")
    return True


def _dimensions(
    terms: Mapping[str, Any], code: str
) -> Iterator[tuple[Decimal, Decimal | None, Decimal, str, str, str]]:
    """Begin, end, price, unit, words and currency of each tier."""
    offers = _mapping(terms.get(code) or {}, f"terms of {code}")
    for offer in list(offers.values())[:1]:
        dimensions = _mapping(_mapping(offer, code).get("priceDimensions"), f"prices of {code}")
        if not 1 <= len(dimensions) <= MAX_TIERS:
            raise BadPriceList(f"{code} has {len(dimensions)} tiers; 1 to {MAX_TIERS} are read")
        for name, raw in dimensions.items():
            one = _mapping(raw, name)
            per_unit = _mapping(one.get("pricePerUnit"), f"pricePerUnit of {name}")
            if not per_unit:
                raise BadPriceList(f"{str(name)[:80]} has no price")
            currency = "USD" if "USD" in per_unit else sorted(map(str, per_unit))[0]
            if not re.fullmatch(r"[A-Z]{3}", currency):
                raise BadPriceList(f"{currency[:20]!r} is no currency")
            end = _text(one, "endRange", name)
            yield (
                _number(_text(one, "beginRange", name), f"beginRange of {name}"),
                None if end == "Inf" else _number(end, f"endRange of {name}"),
                _number(_text(per_unit, currency, name), f"price of {name}"),
                _text(one, "unit", name),
                str(one.get("description") or "")[:200],
                currency,
            )


# ---------------------------------------------------------------- distrust


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:
        raise BadPriceList(f"{file.name} has {file.stat().st_size} bytes; at most {MAX_BYTES}")
    return file.read_bytes()


def _parsed(document: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(document, Mapping):
        return document
    if not isinstance(document, str | bytes):
        raise BadPriceList(f"a price list is JSON text, not {type(document).__name__}")
    if len(document) > MAX_BYTES:
        raise BadPriceList(f"{len(document)} bytes; at most {MAX_BYTES} are read")
    try:
        return _mapping(json.loads(document), "the file")
    except RecursionError:
        raise BadPriceList("nested too deeply") from None
    except ValueError as error:
        if isinstance(error, BadPriceList):
            raise
        raise BadPriceList(f"no complete JSON: {error}") from None


def _mapping(value: object, where: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadPriceList(f"{str(where)[:80]} is {type(value).__name__}, not an object")
    return value


def _text(holder: Mapping[str, Any], key: str, where: object) -> str:
    value = holder.get(key)
    if not isinstance(value, str) or not value or len(value) > 300:
        raise BadPriceList(f"{key} of {str(where)[:80]} is {str(value)[:40]!r}, not a short text")
    return value


def _number(text: str, where: str) -> Decimal:
    # A pattern, because Decimal would also take NaN, negative numbers and 1E+999999.
    if not _NUMBER.fullmatch(text):
        raise BadPriceList(f"{where[:80]} is {text[:40]!r}, not a plain number of 0 or above")
    return Decimal(text)
