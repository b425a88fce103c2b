"""From the lines of a Cost and Usage Report to usage: what was used, and what we cannot price.

May import: the standard library and the rest of this package.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext

from simulations.pricing.catalog import entries
from simulations.pricing.regions import PLAIN, region_of
from simulations.pricing.usage import EXACT, Usage, exact

#: Names of a column in the report of 2015 and in CUR 2.0.
COLUMNS = {
    "kind": ("lineItem/LineItemType", "line_item_line_item_type"),
    "service": ("lineItem/ProductCode", "line_item_product_code"),
    "usage_type": ("lineItem/UsageType", "line_item_usage_type"),
    "amount": ("lineItem/UsageAmount", "line_item_usage_amount"),
}
#: Lines that say what was used; others are taxes, credits, fees and the like.
USED = frozenset({"Usage", "DiscountedUsage", "SavingsPlanCoveredUsage"})


@dataclass(frozen=True)
class ReportedUsage:
    """What a report says was used.

    Attributes
    ----------
    usage
        By the catalog's names: the code of the region is gone.
    not_priced
        Quantities of usage types that the catalog does not know, or of other regions, by
        service and AWS's name.
    lines, skipped
        Lines of usage read, and lines of other kinds by their kind.
    unreadable
        What is wrong with lines that cannot be read; without `strict` alone.
    """

    usage: Usage
    not_priced: Usage
    lines: int
    skipped: Mapping[str, int]
    unreadable: tuple[str, ...] = ()


def usage_of_cur(
    lines: Iterable[str] | Iterable[Mapping[str, str]],
    *,
    region: str | None = None,
    strict: bool = True,
) -> ReportedUsage:
    """Read the lines of a report: CSV text with its header, or mappings by column.

    Parameters
    ----------
    region
        The only region that is wanted; usage of others is in `not_priced`. Left out, the
        report has to be of one region: the code before a usage type is dropped, whatever it is.
    strict
        Whether a line that cannot be read ends the reading. Otherwise it is counted.

    Raises
    ------
    ValueError
        If a column is missing, or an amount of usage is negative or no number; the message
        names the line.

    Examples
    --------
    >>> report = [
    ...     "lineItem/LineItemType,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount",
    ...     "Usage,AWSLambda,EUC1-Request,1000000", "Usage,AWSLambda,EUC1-Moonshine,3",
    ...     "Tax,AWSLambda,,1",
    ... ]
    >>> told = usage_of_cur(report)
    >>> told.usage, told.not_priced
    (Usage({'Request': Decimal('1000000')}), Usage({'AWSLambda:EUC1-Moonshine': Decimal('3')}))
    """
    known = _known()
    columns: dict[str, list[Decimal]] = {}
    unknown: dict[str, list[Decimal]] = {}
    skipped: Counter[str] = Counter()
    unreadable: list[str] = []
    read = 0
    for number, row in enumerate(_rows(lines), start=1):
        try:
            kind = _cell(row, "kind", number)
            if kind not in USED:
                skipped[kind] += 1
                continue
            service, usage_type = _cell(row, "service", number), _cell(row, "usage_type", number)
            amount = _amount(_cell(row, "amount", number), number)
        except ValueError as error:
            if strict:
                raise
            unreadable.append(str(error))
            continue
        read += 1
        name = _name(known, service, usage_type, region)
        if name is not None:
            columns.setdefault(name, []).append(amount)
        else:
            unknown.setdefault(f"{service}:{usage_type}", []).append(amount)
    with localcontext(EXACT):
        used = Usage({name: sum(amounts, Decimal(0)) for name, amounts in columns.items()})
        left = Usage({name: sum(amounts, Decimal(0)) for name, amounts in unknown.items()})
    return ReportedUsage(used, left, read, dict(skipped), tuple(unreadable))


def _name(
    known: Mapping[tuple[str, str], str], service: str, usage_type: str, region: str | None
) -> str | None:
    """What the catalog calls a usage type; None where it does not know it, or of elsewhere."""
    here, rest = region_of(usage_type)
    if region is not None and (here or PLAIN) != region:
        return None
    # EUC1-Request is Request; a name that begins with capitals of its own stays itself.
    after_dash = rest if here or region else usage_type.partition("-")[2]
    return known.get((service, usage_type)) or known.get((service, after_dash))


def _known() -> dict[tuple[str, str], str]:
    """Usage types by service and AWS's name; shared ones with their service before them."""
    rows = list(entries())
    sellers = Counter(row.usage_type for row in rows)
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        shared = sellers[row.usage_type] > 1
        name = f"{row.service}:{row.usage_type}" if shared else row.usage_type
        for aws in (row.usage_type, row.usage_type.removeprefix("USE1-"), *row.aliases):
            found.setdefault((row.service, aws), name)
    return found


def _rows(lines: Iterable[str] | Iterable[Mapping[str, str]]) -> Iterable[Mapping[str, str]]:
    every = iter(lines)
    first = next(every, None)
    if first is None:
        return
    if isinstance(first, Mapping):
        yield first
        yield from every  # type: ignore[misc]
        return
    header = next(csv.reader([_text(first)]))
    for line in every:
        # One by one: a quote that is never closed costs its own line, not the rest.
        text = _text(line)
        if text.strip():
            yield dict(zip(header, _cells(text), strict=False))


def _text(line: object) -> str:
    return line.decode("utf-8", "replace") if isinstance(line, bytes) else str(line)


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return []  # a field beyond the reader's limit: no column is there


def _cell(row: Mapping[str, str], what: str, number: int) -> str:
    for name in COLUMNS[what]:
        if name in row:
            return str(row[name])
    raise ValueError(f"line {number} has no column {' or '.join(COLUMNS[what])}")


def _amount(text: str, number: int) -> Decimal:
    try:
        return exact(f"usage amount of line {number}", Decimal(text))
    except InvalidOperation:
        raise ValueError(f"usage amount of line {number} is {text[:40]!r}, no number") from None
