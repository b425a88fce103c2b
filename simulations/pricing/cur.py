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
        By the catalog's names: the region's prefix is gone, so one region's report at a time.
    not_priced
        Quantities of usage types that the catalog does not know, by service and AWS's name.
    lines, skipped
        Lines of usage read, and lines of other kinds by their kind.
    """

    usage: Usage
    not_priced: Usage
    lines: int
    skipped: Mapping[str, int]


def usage_of_cur(lines: Iterable[str] | Iterable[Mapping[str, str]]) -> ReportedUsage:
    """Read the lines of a report: CSV text with its header, or mappings by column.

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
    read = 0
    for number, row in enumerate(_rows(lines), start=1):
        kind = _cell(row, "kind", number)
        if kind not in USED:
            skipped[kind] += 1
            continue
        service, usage_type = _cell(row, "service", number), _cell(row, "usage_type", number)
        amount = _amount(_cell(row, "amount", number), number)
        read += 1
        # EUC1-Request is Request; a name that begins with capitals of its own stays itself.
        name = known.get((service, usage_type)) or known.get(
            (service, usage_type.partition("-")[2])
        )
        if name is not None:
            columns.setdefault(name, []).append(amount)
        else:
            unknown.setdefault(f"{service}:{usage_type}", []).append(amount)
    with localcontext(EXACT):
        used = Usage({name: sum(amounts, Decimal(0)) for name, amounts in columns.items()})
        left = Usage({name: sum(amounts, Decimal(0)) for name, amounts in unknown.items()})
    return ReportedUsage(used, left, read, dict(skipped))


def _known() -> dict[tuple[str, str], str]:
    """Usage types by service and AWS's name; shared ones with their service before them."""
    rows = list(entries())
    sellers = Counter(row.usage_type for row in rows)
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        shared = sellers[row.usage_type] > 1
        name = f"{row.service}:{row.usage_type}" if shared else row.usage_type
        for aws in (row.usage_type, row.usage_type.removeprefix("USE1-")):
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
    header = next(csv.reader([str(first)]))
    for cells in csv.reader(every):  # type: ignore[arg-type]
        if cells:
            yield dict(zip(header, cells, strict=False))


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
