"""Bills of what was recorded: REPORT lines, CloudWatch metrics, Cost and Usage Report lines.

A bill comes out line by line, and beside it what could not be priced or read, named and counted.
May import: the standard library, `simulations.pricing` and this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulations.pricing import Bill, MissingPrice, PriceList, Usage, usage_of_cur
from simulations.pricing.bill import plain
from simulations.telemetry.metered import usage_of_metrics
from simulations.telemetry.metrics import Metrics, parse_metrics
from simulations.telemetry.reports import Reports, parse_reports
from simulations.telemetry.trace_reports import usage_of_reports


@dataclass(frozen=True)
class RecordedBill:
    """The bill of a record, and an account of everything that is not in it.

    Attributes
    ----------
    bill
        Without free tier unless asked for; the record is taken for a whole month.
    read
        Records that are in the bill: invocations, metrics, lines of usage.
    not_priced
        What was read and has no price here: each named, with its quantity.
    unreadable
        What could not be read: each with its place and the reason.
    other
        Lines that are no record of usage: START, END, taxes, credits ...
    notes
        What this kind of record never tells.
    """

    bill: Bill
    read: int
    not_priced: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    other: int = 0
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [str(self.bill), f"{self.read} records read, {self.other} other lines"]
        for words, named in (("not priced", self.not_priced), ("unreadable", self.unreadable)):
            lines.append(f"{len(named)} {words}{':' * bool(named)}")
            lines += [f"  {one}" for one in named[:MOST]]
            if len(named) > MOST:
                lines.append(f"  and {len(named) - MOST} more")
        return "\n".join([*lines, *self.notes])


#: So many are printed; all are in the attributes.
MOST = 20


def bill_of_reports(
    lines: str | bytes | Iterable[str | bytes] | Reports,
    *,
    architecture: str = "x86_64",
    ephemeral_mb: float = 512,
    prices: PriceList | None = None,
    free_tier: bool | Iterable[str] = False,
) -> RecordedBill:
    """Bill the REPORT lines of a log, text or JSON; see `parse_reports` for what is understood.

    Examples
    --------
    >>> log = '''REPORT RequestId: 4f9e Duration: 12.34 ms Billed Duration: 97 ms \
    ... Memory Size: 512 MB Max Memory Used: 74 MB Init Duration: 84.51 ms
    ... REPORT RequestId: 77aa Duration: 8.'''
    >>> print(bill_of_reports(log))
     $0.0000002  Lambda requests, x86       1  request
    $0.00000081  Lambda duration, x86  0.0485  GB-s
      $0.000001  total
    1 records read, 0 other lines
    0 not priced
    1 unreadable:
      line 2: no Billed Duration
    a REPORT line does not tell provisioned concurrency, streamed bytes or logs
    """
    found = lines if isinstance(lines, Reports) else parse_reports(lines)
    used = usage_of_reports(found, architecture, ephemeral_mb)
    restored = [one for one in found if one.restore_ms is not None]
    left = []
    if restored:
        gb = sum(one.memory_mb for one in restored) / 1024
        left.append(f"{len(restored)} restores of {gb:g} GB: free on Java, not on other runtimes")
    return _billed(
        used, prices, free_tier, len(found), left, found.reasons, found.other,
        ("a REPORT line does not tell provisioned concurrency, streamed bytes or logs",),
    )  # fmt: skip


def bill_of_metrics(
    source: str | bytes | Mapping[str, Any] | Iterable[str | bytes] | Metrics,
    *,
    queries: Iterable[Mapping[str, Any]] = (),
    memory_mb: float | Mapping[str, float] | None = None,
    architecture: str | Mapping[str, str] = "x86_64",
    messages_per_call: float = 1,
    prices: PriceList | None = None,
    free_tier: bool | Iterable[str] = False,
) -> RecordedBill:
    """Bill an export of CloudWatch metrics, as far as metrics tell what was used.

    Parameters
    ----------
    source, queries
        As for `parse_metrics`.
    memory_mb, architecture, messages_per_call
        What no metric tells; as for `usage_of_metrics`.

    Examples
    --------
    >>> answer = {"Label": "Invocations", "Datapoints": [{"Sum": 2e6}, {"Sum": 1e6}]}
    >>> bill_of_metrics(answer).bill["Request"].formula
    '3,000,000 request × $0.0000002 = $0.60'
    """
    found = source if isinstance(source, Metrics) else parse_metrics(source, queries)
    metered = usage_of_metrics(
        found, memory_mb=memory_mb, architecture=architecture, messages_per_call=messages_per_call
    )
    return _billed(
        metered.usage, prices, free_tier, metered.read, list(metered.not_priced), found.reasons,
        0, metered.notes,
    )  # fmt: skip


def bill_of_cur(
    lines: Iterable[str] | Iterable[Mapping[str, str]],
    *,
    prices: PriceList | None = None,
    free_tier: bool | Iterable[str] = False,
) -> RecordedBill:
    """Bill the usage in the lines of a Cost and Usage Report, at the prices of one region.

    Usage of other regions is not priced, and named. Lines that cannot be read are counted.

    Examples
    --------
    >>> told = bill_of_cur([
    ...     "lineItem/LineItemType,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount",
    ...     "Usage,AWSLambda,Request,1000000", "Usage,AWSLambda,EUC1-Request,5", "Usage,AWSLa",
    ... ])
    >>> print(told.bill.total_usd, told.not_priced, len(told.unreadable))
    0.2 ('AWSLambda:EUC1-Request: 5',) 1
    """
    list_ = PriceList.load() if prices is None else prices
    told = usage_of_cur(lines, region=list_.region, strict=False)
    left = [f"{name}: {plain(quantity)}" for name, quantity in told.not_priced.items()]
    return _billed(
        told.usage, list_, free_tier, told.lines, left, told.unreadable,
        sum(told.skipped.values()), (),
    )  # fmt: skip


def _billed(
    used: Usage, prices: PriceList | None, free_tier: bool | Iterable[str], read: int,
    left: list[str], unreadable: tuple[str, ...], other: int, notes: tuple[str, ...],
) -> RecordedBill:  # fmt: skip
    list_ = PriceList.load() if prices is None else prices
    sold: dict[str, object] = {}
    for name, quantity in used.items():
        try:
            list_[name]
        except MissingPrice as error:
            left.append(f"{name}: {plain(quantity)} ({error})")
        else:
            sold[name] = quantity
    bill = list_.bill(sold, free_tier)
    return RecordedBill(bill, read, tuple(left), tuple(unreadable), other, notes)
