"""From a trace to usage: what DynamoDB tables add to a bill.

May import: the standard library and the rest of this package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from simulations.pricing.estimators_table import MONTH_H
from simulations.pricing.pricelist import MissingPrice
from simulations.pricing.usage import EXACT, exact

if TYPE_CHECKING:
    from simulations.trace import Trace

#: Kinds of component that are billed here.
KINDS = ("Table",)
#: Operations that consume read units, and those that consume write units.
READS = ("get", "query", "transact get")
WRITES = ("put", "update", "delete", "transact write")
GB = 1024**3


def tables(trace: Trace) -> Iterator[tuple[str, Decimal]]:
    """Usage types and quantities of the tables in a trace.

    On demand every unit that a request consumed is billed, with those of indexes, of conditions
    that failed and of answers that never came; a throttled request consumed none. Provisioned
    capacity is billed as long as it stood, up to the run's horizon, whoever used it: by the
    second here, while AWS bills it by the hour and says nothing of a change within one. Stored
    bytes count from the start of the run to its horizon, or to the last write after it.

    Raises
    ------
    MissingPrice
        If a request has no units, or a table's mode is not known.
    """
    for name, config in trace.header["components"].items():
        if config["type"] in KINDS:
            yield from _table(trace, name, config)


def _table(trace: Trace, name: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    mode = config.get("mode")
    if mode not in ("on demand", "provisioned"):
        raise MissingPrice(f"{name} cannot be billed: its configuration does not say which mode")
    with localcontext(EXACT):
        metered = _metered(trace, name)
        if mode == "on demand":
            for usage_type, units in _requests(trace, name).items():
                yield usage_type, units
        else:
            for direction, usage_type in (
                ("write", "WriteCapacityUnit-Hrs"),
                ("read", "ReadCapacityUnit-Hrs"),
            ):
                unit_s = (
                    units
                    for what, units in metered
                    if what.split(" ")[:2] == ["capacity", direction]
                )
                yield usage_type, sum(unit_s, Decimal(0)) / 3600
        byte_s = sum((units for what, units in metered if what == "stored"), Decimal(0))
        if byte_s:
            yield "AmazonDynamoDB:TimedStorage-ByteHrs", byte_s / GB / (MONTH_H * 3600)


def _requests(trace: Trace, name: str) -> dict[str, Decimal]:
    """Request units, from the requests themselves."""
    table, spans = trace.code(name), trace.spans
    directions = {trace.code(word): "ReadRequestUnits" for word in READS}
    directions |= {trace.code(word): "WriteRequestUnits" for word in WRITES}
    totals = dict.fromkeys(("WriteRequestUnits", "ReadRequestUnits"), 0.0)
    for component, operation, units in zip(
        spans.component, spans.operation, spans.units, strict=True
    ):
        if component == table and operation in directions:
            if units != units:
                raise MissingPrice(f"{name}: {trace.name(operation)} without units")
            totals[directions[operation]] += units  # halves: exact
    return {usage_type: exact(usage_type, units) for usage_type, units in totals.items()}


def _metered(trace: Trace, name: str) -> list[tuple[str, Decimal]]:
    table, meters = trace.code(name), trace.meters
    return [
        (trace.name(operation), exact(trace.name(operation), units))
        for component, operation, units in zip(
            meters.component, meters.operation, meters.units, strict=True
        )
        if component == table
    ]
