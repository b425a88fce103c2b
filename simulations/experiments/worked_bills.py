"""Worked examples, AWS's and others', billed by our estimators from their plain inputs.

An example is a mapping in the shape of the record ``worked_examples``: a service, inputs, the
unit prices of its page. What an input means is said here once for all examples; an input that
nobody understands is refused, never left out. May import: the standard library,
`simulations.pricing`, `simulations.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from simulations.experiments.records import record
from simulations.pricing import PriceList, Usage

CENT = Decimal("0.01")
LAMBDA_POOLS = {"request": "Global-Request", "compute": "Global-Lambda-GB-Second",
                "gb-s": "Global-Lambda-GB-Second"}  # fmt: skip


class NotUnderstood(LookupError):
    """An example has inputs that no estimator takes; the message names them."""


class Inputs(dict[str, Any]):
    """The inputs of one example; what is taken is gone, so that nothing is left out unseen."""

    def take(self, *names: str, default: Any = None) -> Any:
        """The first of these inputs that there is."""
        for name in names:
            if name in self:
                return self.pop(name)
        return default

    def month(self, *names: str) -> Any:
        """A quantity a month, also where it is stated by the day or minute."""
        days = self.pop("days", 30)
        for name in names:
            for ending, scale in (
                ("", 1), ("_per_day", days), ("_per_hour", 24 * days),
                ("_per_min", 24 * 60 * days), ("_per_s", 86_400 * days),
            ):  # fmt: skip
                if f"{name}{ending}" in self:
                    return self.pop(f"{name}{ending}") * scale
        return 0


@dataclass
class Case:
    """What one example uses, and which prices its page took for it.

    Attributes
    ----------
    names
        By the page's name of a price: the usage type, the tier (None: all), and what the
        page's price has to be multiplied with.
    own
        Tiers of the page that are none of ours, by usage type.
    """

    usage: Usage
    names: dict[str, tuple[str, int | None, Decimal]] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)
    instances: tuple[str, Any, Any] | None = None
    own: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)

    def price(self, name: str, usage_type: str, tier: int | None = None, times: object = 1) -> None:
        """Say which usage type a price of the page is for."""
        self.names[name] = (usage_type, tier, Decimal(str(times)))


Reader = Callable[[Inputs, Mapping[str, Any]], Case]
READERS: dict[str, Reader] = {}


def reads(*services: str) -> Callable[[Reader], Reader]:
    """Mark the function that reads the examples of some services."""

    def keep(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(services, reader))
        return reader

    return keep


@dataclass(frozen=True)
class Worked:
    """An example, billed.

    Attributes
    ----------
    ours_usd
        Our total with the page's own prices where they are not ours; exact.
    listed_usd
        Our total with our own price list alone; None where a price is missing there.
    published_usd, right_usd
        As printed, and what the page's inputs and prices give when they are added up.
    other_prices
        Usage types for which the page's price is not ours.
    """

    id: str
    title: str
    service: str
    ours_usd: Decimal
    listed_usd: Decimal | None
    published_usd: Decimal
    right_usd: Decimal
    other_prices: tuple[str, ...]
    source: str

    @property
    def difference_usd(self) -> Decimal:
        """Ours less what is right, each rounded to the cent."""
        return cents(self.ours_usd) - cents(self.right_usd)


def cents(amount: Decimal) -> Decimal:
    """An amount rounded half up to a cent, as a bill is.

    Examples
    --------
    >>> cents(Decimal("2.135"))
    Decimal('2.14')
    """
    return amount.quantize(CENT, ROUND_HALF_UP)


@cache
def _prices() -> PriceList:
    return PriceList.load(unverified=True)


def work(example: Mapping[str, Any], prices: PriceList | None = None) -> Worked:
    """Bill one example.

    Raises
    ------
    NotUnderstood
        If no reader knows its service, or an input is left over.

    Examples
    --------
    >>> one = {"id": "x", "title": "", "service": "sqs", "inputs": {"requests": 3_000_000},
    ...        "unit_prices": {}, "expected_total_usd": 1.2}
    >>> work(one).ours_usd
    Decimal('1.2')
    """
    _find_readers()
    service = str(example["service"])
    if service not in READERS:
        raise NotUnderstood(f"{example['id']}: no estimator for {service}")
    inputs = Inputs(example["inputs"])
    case = READERS[service](inputs, example)
    left = {k: v for k, v in inputs.items() if v not in (None, 0, False)}
    if left:
        raise NotUnderstood(f"{example['id']}: inputs {', '.join(left)} are not understood")
    listed = _prices() if prices is None else prices
    if case.instances:
        listed = listed.with_instance(*case.instances)
    changed = case.own | _other_prices(listed, case, example.get("unit_prices") or {})
    ours = listed.with_prices(changed, "the example").bill(case.usage, case.free).total_usd
    alone = listed.bill(case.usage, case.free).total_usd
    published = Decimal(repr(example["expected_total_usd"]))
    right = example.get("recomputed_total")
    return Worked(
        id=str(example["id"]),
        title=str(example["title"]),
        service=service,
        ours_usd=ours,
        listed_usd=alone,
        published_usd=published,
        right_usd=published if right is None else Decimal(repr(right)),
        other_prices=tuple(changed),
        source=str((example.get("source") or {}).get("url", "")),
    )


@cache
def _find_readers() -> None:
    """Import the neighbors ``worked_*``: each marks what it reads."""
    folder = import_module("simulations.experiments").__path__
    for module in iter_modules(folder):
        if module.name.startswith("worked_"):
            import_module(f"simulations.experiments.{module.name}")


def _other_prices(
    prices: PriceList, case: Case, given: Mapping[str, Any]
) -> dict[str, list[tuple[float | None, float]]]:
    """The page's prices that are not ours, by usage type, with the bounds of our tiers."""
    changed: dict[str, list[Any]] = {}
    for name, value in given.items():
        if name not in case.names:
            continue
        usage_type, tier, times = case.names[name]
        if usage_type not in case.usage:
            continue
        tiers = prices[usage_type].tiers
        values = value if isinstance(value, Sequence) else [value]
        theirs = [Decimal(repr(v)) * times for v in values]
        ours = [t.usd for t in tiers]
        if tier is not None:
            if ours[tier] != theirs[0]:
                pairs = changed.setdefault(usage_type, [(t.up_to, t.usd) for t in tiers])
                pairs[tier] = (tiers[tier].up_to, theirs[0])
        elif len(theirs) == 1 and theirs[0] != ours[0]:
            changed[usage_type] = [(None, theirs[0])]
        elif len(theirs) == len(ours) and theirs != ours:
            changed[usage_type] = [(t.up_to, p) for t, p in zip(tiers, theirs, strict=True)]
    return changed


def free_pools(text: object, words: Mapping[str, str]) -> list[str]:
    """The free quantities that an example names: all for True, else those in its words.

    Examples
    --------
    >>> free_pools("compute only", LAMBDA_POOLS)
    ['Global-Lambda-GB-Second']
    """
    if not text:
        return []
    if not isinstance(text, str):
        return sorted(set(words.values()))
    before = text.partition(";")[0].casefold()
    return sorted({pool for word, pool in words.items() if re.search(rf"\b{word}", before)})


def worked_bills(examples: Iterable[Mapping[str, Any]] | None = None) -> tuple[Worked, ...]:
    """All examples in dollars that are understood; `not_priced` names the rest."""
    return tuple(one for one in _tried(examples) if isinstance(one, Worked))


def not_priced(examples: Iterable[Mapping[str, Any]] | None = None) -> dict[str, str]:
    """The examples that could not be priced, and why."""
    return dict(one for one in _tried(examples) if isinstance(one, tuple))


def _tried(examples: Iterable[Mapping[str, Any]] | None) -> Iterable[Worked | tuple[str, str]]:
    listed = record("worked_examples")["examples"] if examples is None else examples
    for example in listed:
        if example.get("kind", "dollars") != "dollars":
            continue
        try:
            yield work(example)
        except LookupError as error:
            yield str(example["id"]), str(error)
