"""Prices as data: what one unit of each usage type costs, in tiers, dated and sourced.

A price list is made from the facts when it is loaded; no number is copied. It may import the
standard library, `simulations.facts` and the rest of this package.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulations.facts import Source
from simulations.pricing.usage import exact

if TYPE_CHECKING:
    from simulations.pricing.bill import Bill


class MissingPrice(LookupError):
    """There is no price for this; it never counts as zero."""


class StalePrice(LookupError):
    """A price has not been looked at for longer than was allowed."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One price, for the part of a month's quantity up to `up_to` (None: without end)."""

    up_to: Decimal | None
    usd: Decimal


@dataclass(frozen=True, slots=True)
class FreeTier:
    """A free quantity a month; SKUs that name the same pool share it.

    Attributes
    ----------
    months
        How long a new account has it; 0 when it never ends.
    """

    pool: str
    quantity: Decimal
    fact: str
    months: int = 0


@dataclass(frozen=True, slots=True)
class Sku:
    """What can be bought, as AWS's Price List names it, and what a unit costs.

    Attributes
    ----------
    usage_type, service
        AWS's own names, such as "Lambda-GB-Second" and "AWSLambda".
    tiers
        Prices in USD a unit, by cumulative quantity a month.
    metering
        How the quantity is counted, in words.
    as_of, checked, source, facts
        Date and origin of the price, and the ids of the facts it was made from.
    currency
        What the tiers' prices are in; "USD" everywhere but in China.
    """

    usage_type: str
    service: str
    description: str
    unit: str
    tiers: tuple[Tier, ...]
    metering: str
    as_of: str | None
    checked: str | None
    source: Source
    facts: tuple[str, ...]
    free: FreeTier | None = None
    currency: str = "USD"

    def __post_init__(self) -> None:
        name = self.usage_type
        if not self.tiers or self.tiers[-1].up_to is not None:
            raise ValueError(f"tiers of {name} must end with one without end")
        limits = [tier.up_to for tier in self.tiers[:-1]]
        if None in limits or limits != sorted(set(limits)):  # type: ignore[type-var]
            raise ValueError(f"tiers of {name} must rise: {limits}")

    @property
    def key(self) -> str:
        """Its name where several services use the same usage type."""
        return f"{self.service}:{self.usage_type}"

    def parts(self, quantity: Decimal) -> tuple[tuple[Decimal, Tier], ...]:
        """The quantity cut at the tiers: how much is billed at which of them."""
        parts: list[tuple[Decimal, Tier]] = []
        begin = Decimal(0)
        for tier in self.tiers:
            end = quantity if tier.up_to is None else min(quantity, tier.up_to)
            parts.append((end - begin, tier))
            begin = end
            if begin == quantity:
                break
        return tuple(parts)


NewPrice = float | Decimal | Sequence[float | Decimal] | Sequence[tuple[float | None, float]]


@dataclass(frozen=True)
class PriceList:
    """Prices of one region at one time.

    Examples
    --------
    >>> prices = PriceList.load()
    >>> print(prices.bill({"Request": 3_000_000, "Lambda-GB-Second": 540_000}).total_usd)
    9.600018
    >>> prices["Requests-RBP"].tiers[0].usd
    Decimal('4E-7')
    >>> prices["Lambda-GB-Seconds"]
    Traceback (most recent call last):
    simulations.pricing.pricelist.MissingPrice: no price for 'Lambda-GB-Seconds' in us-east-1;
    near: Lambda-GB-Second, ...
    """

    region: str
    skus: Mapping[str, Sku]
    as_of: str | None = None
    currency: str = "USD"

    @classmethod
    def load(
        cls,
        region: str = "us-east-1",
        as_of: str | date | None = None,
        *,
        folder: str | Path | None = None,
        max_age_days: int | None = None,
        today: date | None = None,
        unverified: bool = False,
    ) -> PriceList:
        """The price list that the facts hold, or that of a folder of AWS's own files.

        Parameters
        ----------
        region
            AWS region code.
        as_of
            Leave out for the newest prices. With a date, a price that held then and no longer
            does takes the place of today's; one that is known only from a later date is
            missing: asking for it fails.
        folder
            Where `simulations.aws.prices` keeps refreshed files: ``<folder>/<region>/*.json``.
        max_age_days, today
            Refuse prices that nobody has looked at for longer than this. Left out, age does
            not count: a book built later shows the prices it was written with, dated.
        unverified
            Also take prices known from memory alone, which nobody has found on a page yet.

        Raises
        ------
        MissingPrice
            If the facts hold no price of this region, or none that old.
        StalePrice
            If a price is older than `max_age_days`.
        ValueError
            If `as_of` is no date, or a day on which nobody has looked yet.
        """
        from simulations.pricing.catalog import read_skus
        from simulations.pricing.offers import folder_skus

        skus = (
            read_skus(region, None, unverified) if folder is None else folder_skus(folder, region)
        )
        if not skus:
            raise MissingPrice(f"no prices for region {region!r}; the facts hold us-east-1")
        if max_age_days is not None:
            _refuse_stale(skus, max_age_days, date.today() if today is None else today)
        currency = skus[0].currency
        if as_of is None:
            return cls(region, by_name(skus), None, currency)
        day = _day(as_of)
        newest = max(sku.checked or "" for sku in skus)
        if day > newest:
            raise ValueError(f"as_of={day} is later than the facts: last checked on {newest}")
        if folder is None:
            known = read_skus(region, day, unverified)
        else:
            known = tuple(s for s in skus if s.as_of is not None and s.as_of <= day)
        if not known:
            oldest = min(sku.as_of or day for sku in skus)
            raise MissingPrice(f"no prices as of {day}; the oldest that the facts hold: {oldest}")
        return cls(region, by_name(known), day, currency)

    def __getitem__(self, usage_type: str) -> Sku:
        """The SKU of a usage type; `MissingPrice` names near ones."""
        if not isinstance(usage_type, str):
            raise ValueError(f"usage type {usage_type!r} is no text")
        if usage_type in self.skus:
            return self.skus[usage_type]
        short = usage_type.rpartition(":")[2]
        ours = [k for k in self.skus if k.rpartition(":")[2] == usage_type]
        if len(ours) == 1:
            return self.skus[ours[0]]
        if short in self.skus and self.skus[short].key == usage_type:
            return self.skus[short]
        if ours:
            raise MissingPrice(f"{usage_type!r} is sold by several services: {', '.join(ours)}")
        near = difflib.get_close_matches(usage_type[:80], self.skus, n=3, cutoff=0.6)
        hint = f"; near: {', '.join(near)}" if near else ""
        when = f" as of {self.as_of}" if self.as_of else ""
        raise MissingPrice(f"no price for {usage_type[:80]!r} in {self.region}{when}{hint}")

    def with_prices(
        self, prices: Mapping[str, NewPrice], source: str = "given by the caller"
    ) -> PriceList:
        """The same list with other prices for some usage types.

        Parameters
        ----------
        prices
            By usage type: one price for the whole quantity, or one for each tier that there
            is, or pairs (up to, price) with None as last bound. USD a unit.
        source
            Where they come from; it stands on the bill.

        Examples
        --------
        >>> older = PriceList.load().with_prices({"Lambda-GB-Second": 1.667e-05})
        >>> older.bill({"Lambda-GB-Second": 350_000}).total_usd
        Decimal('5.8345')
        """
        skus = dict(self.skus)
        for usage_type, price in prices.items():
            old = self[usage_type]
            name = old.usage_type if old.usage_type in skus else old.key
            skus[name] = replace(
                old,
                tiers=_tiers(old, price),
                as_of=None,
                checked=None,
                source=Source(None, source, "caller"),
                facts=(),
            )
        return replace(self, skus=MappingProxyType(skus))

    def with_instance(
        self, type: str, usd_per_hour: object, paid_usd_per_hour: object = None
    ) -> PriceList:
        """The same list with an EC2 instance type, and Lambda's fee on it.

        Parameters
        ----------
        type
            As EC2 calls it: "m7g.xlarge".
        usd_per_hour
            Its price on demand; the fee for Lambda Managed Instances is a share of it.
        paid_usd_per_hour
            What is paid for it, under a Savings Plan say; the price on demand if left out.

        Examples
        --------
        >>> from simulations.pricing import managed_instances_usage
        >>> prices = PriceList.load().with_instance("m7g.xlarge", 0.1632, 0.0457)
        >>> print(prices.bill(managed_instances_usage(100_000_000, "m7g.xlarge", 2000)).total_usd)
        160.36
        """
        from simulations.pricing.catalog import instance_skus

        fresh = instance_skus(type, usd_per_hour, paid_usd_per_hour)
        skus = {**self.skus, **{sku.usage_type: sku for sku in fresh}}
        return replace(self, skus=MappingProxyType(skus))

    def bill(
        self,
        usage: Mapping[str, object] | Iterable[tuple[str, object]],
        free_tier: bool | Iterable[str] = False,
    ) -> Bill:
        """Price a month's usage, line by line.

        Parameters
        ----------
        usage
            Quantity by usage type, or pairs of them (a million lines take under a second). A
            quantity in a mapping may be a pair with its unit, which is then checked. Tiers and free tiers count from zero, so this is the whole month of the
            whole account (or organization with consolidated billing).
        free_tier
            Whether the monthly free quantities are taken off first: True for those that never
            end, or the names of the pools that are left, such as "Global-Request".

        Raises
        ------
        MissingPrice
            If a usage type has no price here.
        ValueError
            If a quantity is no number, not finite or negative, or its unit is not the one that
            is sold.

        Examples
        --------
        >>> PriceList.load().bill({"Request": (5, "GB")})
        Traceback (most recent call last):
        ValueError: quantity of Request is in 'GB'; it is sold by 'request'
        """
        from simulations.pricing.bill import make_bill

        return make_bill(self, usage, free_tier)

    def __repr__(self) -> str:
        return f"<prices of {self.region}: {len(self.skus)} usage types>"


def by_name(skus: Sequence[Sku]) -> Mapping[str, Sku]:
    """Index by usage type, or by service and usage type where the type alone is not unique."""
    from simulations.pricing.catalog import SHARED_NAMES

    sellers = Counter(sku.usage_type for sku in skus)
    shared = SHARED_NAMES | {name for name, many in sellers.items() if many > 1}
    return MappingProxyType({(s.key if s.usage_type in shared else s.usage_type): s for s in skus})


def _tiers(old: Sku, price: NewPrice) -> tuple[Tier, ...]:
    if not isinstance(price, Sequence):
        return (Tier(None, exact(f"price of {old.usage_type}", price)),)
    if len(price) and isinstance(price[0], tuple):
        pairs: list[Any] = list(price)
    else:
        if len(price) != len(old.tiers):
            raise ValueError(
                f"{old.usage_type} has {len(old.tiers)} tiers, {len(price)} prices were given"
            )
        pairs = [(tier.up_to, p) for tier, p in zip(old.tiers, price, strict=True)]
    return tuple(
        Tier(
            None if up_to is None else exact(f"tier of {old.usage_type}", up_to),
            exact(f"price of {old.usage_type}", usd),
        )
        for up_to, usd in pairs
    )


def _refuse_stale(skus: Sequence[Sku], max_age_days: int, today: date) -> None:
    old = [
        s for s in skus if s.checked and (today - date.fromisoformat(s.checked)).days > max_age_days
    ]
    if old:
        names = ", ".join(sku.usage_type for sku in old[:3])
        raise StalePrice(
            f"{len(old)} of {len(skus)} prices were last checked more than {max_age_days} days"
            f" before {today}: {names} and others; refresh them (make prices)"
        )


def _day(as_of: str | date) -> str:
    try:
        return date.fromisoformat(str(as_of)).isoformat()
    except ValueError:
        raise ValueError(f"as_of={as_of!r} is no date like 2026-11-23") from None
