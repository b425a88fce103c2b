"""A bill: lines that say how each amount came about, and from which price.

May import: the standard library and the rest of this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from simulations.pricing.pricelist import PriceList, Sku
from simulations.pricing.usage import EXACT, Usage, exact, tidy


@dataclass(frozen=True, slots=True)
class TierPart:
    """The part of a quantity that one tier prices."""

    quantity: Decimal
    usd: Decimal
    amount_usd: Decimal


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """One line of a bill.

    Attributes
    ----------
    quantity, free
        What was used, and how much of it the free tier took off.
    tiers
        What was billed at which price.
    amount_usd
        Exact, never rounded.
    """

    sku: Sku
    quantity: Decimal
    free: Decimal
    tiers: tuple[TierPart, ...]
    amount_usd: Decimal

    @property
    def usage_type(self) -> str:
        """AWS's name for what was used."""
        return self.sku.usage_type

    @property
    def description(self) -> str:
        """What was used, in words."""
        return self.sku.description

    @property
    def unit(self) -> str:
        """Unit of the quantity."""
        return self.sku.unit

    @property
    def as_of(self) -> str | None:
        """Date of the price."""
        return self.sku.as_of

    @property
    def source(self) -> str:
        """Title and address of where the price was read."""
        where = self.sku.source
        return ", ".join(part for part in (where.title, where.url) if part)

    @property
    def price_usd(self) -> Decimal:
        """USD a unit: that of the only tier, or the mean over the tiers."""
        if len(self.tiers) == 1:
            return self.tiers[0].usd
        billed = sum(part.quantity for part in self.tiers)
        return self.amount_usd / billed

    @property
    def formula(self) -> str:
        """How the amount came about, in words."""
        text = f"{plain(self.quantity)} {self.unit}"
        if self.free:
            text += f" − {plain(self.free)} free"
        sign = sign_of(self.sku.currency)
        parts = [f"{plain(p.quantity)} × {sign}{plain(p.usd)}" for p in self.tiers]
        if len(parts) == 1 and not self.free:
            return f"{text} × {sign}{plain(self.tiers[0].usd)} = {self.amount}"
        return f"{text}: {' + '.join(parts)} = {self.amount}"

    @property
    def amount(self) -> str:
        """The amount for reading, in the currency of its price."""
        return money(self.amount_usd, self.sku.currency)

    def row(self) -> dict[str, Any]:
        """Everything that the line says, by name, as plain values for a table or a file."""
        where, sku = self.sku.source, self.sku
        return {
            "service": sku.service,
            "usage_type": sku.usage_type,
            "description": sku.description,
            "quantity": self.quantity,
            "unit": sku.unit,
            "metering": sku.metering,
            "free": self.free,
            "tiers": [(part.quantity, part.usd, part.amount_usd) for part in self.tiers],
            "price": self.price_usd,
            "amount": self.amount_usd,
            "currency": sku.currency,
            "as_of": sku.as_of,
            "checked": sku.checked,
            "source": where.title,
            "url": where.url,
            "facts": list(sku.facts),
            "formula": self.formula,
        }

    def __str__(self) -> str:
        return f"{self.description}: {self.formula}"

    def __repr__(self) -> str:
        return f"<{self.sku.key}: {self.formula}>"


@dataclass(frozen=True)
class Bill:
    """Lines in the order of the price list.

    Examples
    --------
    >>> bill = PriceList.load().bill({"Request": 3_000_000, "Lambda-GB-Second": 540_000}, True)
    >>> print(bill.total_usd)
    2.733338
    >>> print(bill)
    $0.40  Lambda requests, x86  3,000,000  request
    $2.33  Lambda duration, x86    540,000  GB-s
    $2.73  total
    >>> print(bill["Request"].formula)
    3,000,000 request − 1,000,000 free: 2,000,000 × $0.0000002 = $0.40
    """

    lines: tuple[Line, ...]
    region: str
    free_tier: bool = False
    currency: str = "USD"

    @property
    def total(self) -> Decimal:
        """The sum of the lines in the price list's currency, exact."""
        with localcontext(EXACT):
            return tidy(sum((line.amount_usd for line in self.lines), Decimal(0)))

    @property
    def total_usd(self) -> Decimal:
        """The sum of the lines, exact; `ValueError` where prices are in another currency."""
        if self.currency != "USD":
            raise ValueError(f"these prices are in {self.currency}: ask for total")
        return self.total

    def __getitem__(self, usage_type: str) -> Line:
        """The line of a usage type; `KeyError` names those there are."""
        for line in self.lines:
            if usage_type in (line.usage_type, line.sku.key):
                return line
        raise KeyError(f"no line {usage_type!r}; there are {[x.usage_type for x in self.lines]}")

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def by_service(self) -> dict[str, Decimal]:
        """The total of each service."""
        totals: dict[str, Decimal] = {}
        for line in self.lines:
            service = line.sku.service
            totals[service] = totals.get(service, Decimal(0)) + line.amount_usd
        return totals

    def per_million(self, requests: object) -> Decimal:
        """The cost of a million of `requests`, when this is the bill of so many."""
        count = exact("requests", requests)
        if not count:
            raise ValueError("requests=0 is not possible: a bill of none has no cost a million")
        return self.total * 1_000_000 / count

    def rows(self) -> list[dict[str, Any]]:
        """Every line by name, as `pandas.DataFrame` takes them too: usage, tiers, price, source ...

        Examples
        --------
        >>> row = PriceList.load().bill({"Request": 3_000_000}).rows()[0]
        >>> row["unit"], row["price"], row["as_of"], row["facts"][0]
        ('request', Decimal('2E-7'), '2026-09-19', 'lambda.price.request')
        """
        return [line.row() for line in self.lines]

    def table(self) -> str:
        """The lines with price, date, formula and source, one under another, for reading."""
        rows = [("usage type", "quantity", "price", "amount", "as of", "how", "")]
        sources: list[str] = []
        for line in self.lines:
            if line.source not in sources:
                sources.append(line.source)
            rows.append(
                (
                    line.usage_type,
                    f"{plain(line.quantity)} {line.unit}",
                    f"{sign_of(self.currency)}{_short(line.price_usd)}",
                    line.amount,
                    line.as_of or "given",
                    line.formula,
                    f"[{sources.index(line.source) + 1}]",
                )
            )
        rows.append(("total", "", "", money(self.total, self.currency), "", "", ""))
        named = [f"[{number}] {source}" for number, source in enumerate(sources, start=1)]
        return "\n".join([_aligned(rows, right={1, 2, 3}), *named])

    def __str__(self) -> str:
        rows = [
            (line.amount, line.description, _brief(line.quantity), line.unit) for line in self.lines
        ]
        rows.append((money(self.total, self.currency), "total", "", ""))
        return _aligned(rows, right={0, 2})

    def __repr__(self) -> str:
        return f"<bill of {len(self.lines)} lines: {money(self.total, self.currency)}>"


def make_bill(
    prices: PriceList,
    usage: Mapping[str, object] | Iterable[tuple[str, object]],
    free_tier: bool | Iterable[str],
) -> Bill:
    """Price a usage; see `PriceList.bill`.

    Lines that share a free quantity take from it in the order of the price list (x86 before
    Arm): AWS documents no order.
    """
    used = Usage(_in_units(prices, usage) if isinstance(usage, Mapping) else usage)
    wanted: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for name, quantity in used.items():
            key = prices[name].key
            wanted[key] = wanted.get(key, Decimal(0)) + quantity
        left = _free_pools(prices, free_tier)
        lines = []
        for sku in prices.skus.values():
            if sku.key not in wanted:
                continue
            quantity, free = wanted[sku.key], Decimal(0)
            if sku.free is not None and sku.free.pool in left:
                free = min(quantity, left[sku.free.pool])
                left[sku.free.pool] -= free
            parts = tuple(
                TierPart(amount, tier.usd, tidy(amount * tier.usd))
                for amount, tier in sku.parts(quantity - free)
            )
            total = tidy(sum((part.amount_usd for part in parts), Decimal(0)))
            lines.append(Line(sku, quantity, free, parts, total))
    return Bill(tuple(lines), prices.region, bool(free_tier), prices.currency)


def _in_units(prices: PriceList, usage: Mapping[str, object]) -> dict[str, object]:
    """Quantities alone, once the units that stand with them are those that are sold."""
    plain_usage: dict[str, object] = {}
    for name, quantity in usage.items():
        if isinstance(quantity, tuple) and len(quantity) == 2:
            unit, sold = quantity[1], prices[name].unit
            if unit not in (sold, f"{sold}s"):
                raise ValueError(f"quantity of {name} is in {unit!r}; it is sold by {sold!r}")
            quantity = quantity[0]
        plain_usage[name] = quantity
    return plain_usage


def _free_pools(prices: PriceList, free_tier: bool | Iterable[str]) -> dict[str, Decimal]:
    """What is left of each free quantity when the month begins."""
    pools = {sku.free.pool: sku.free for sku in prices.skus.values() if sku.free is not None}
    if isinstance(free_tier, bool):
        return {p.pool: p.quantity for p in pools.values() if free_tier and not p.months}
    if not isinstance(free_tier, Iterable):
        raise ValueError(f"free_tier={free_tier!r} is neither True, False nor names of pools")
    names = [free_tier] if isinstance(free_tier, str) else list(free_tier)
    for name in names:
        if name not in pools:
            raise ValueError(f"free_tier={name!r} is no free quantity; there are {sorted(pools)}")
    return {name: pools[name].quantity for name in names}


def plain(number: Decimal) -> str:
    """A decimal without exponent or idle zeros, as in 3,000,000 and 0.0000002.

    Examples
    --------
    >>> plain(Decimal("2E-7")), plain(Decimal("1234567.50"))
    ('0.0000002', '1,234,567.5')
    """
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def sign_of(currency: str) -> str:
    """What stands before an amount: "$", or the currency's letters."""
    return "$" if currency == "USD" else f"{currency} "


def money(amount: Decimal, currency: str = "USD") -> str:
    """An amount for reading: cents, or two significant digits where it is below one cent.

    Examples
    --------
    >>> money(Decimal("1234.5")), money(Decimal("0.000416")), money(Decimal(0), "CNY")
    ('$1,234.50', '$0.00042', 'CNY 0.00')
    """
    if amount and abs(amount) < Decimal("0.01"):
        return f"{sign_of(currency)}{plain(Decimal(f'{amount:.1e}'))}"
    return f"{sign_of(currency)}{amount:,.2f}"


def _brief(quantity: Decimal) -> str:
    """Two decimals at most, but for what they would make nothing of."""
    return plain(round(quantity, 2) if quantity > 1 else Decimal(f"{quantity:.3g}"))


def _short(price: Decimal) -> str:
    return plain(Decimal(f"{price:.6g}"))


def _aligned(rows: Sequence[tuple[str, ...]], right: set[int]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
