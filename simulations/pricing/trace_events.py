"""From a trace to usage: what asynchronous events and provisioned pollers add to a bill.

May import: the standard library and the rest of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from simulations.pricing.estimators import lambda_suffix
from simulations.pricing.pricelist import MissingPrice
from simulations.pricing.usage import EXACT

if TYPE_CHECKING:
    from simulations.trace import Trace

#: Event poller units of an SQS mapping, in hours.
POLLERS = "Lambda-SQS-Event-Poller-Unit-Hour"

#: Kinds of component that are billed here.
KINDS = ("AsyncInvoke", "EventSourceMapping")


def events_and_pollers(trace: Trace) -> Iterator[tuple[str, Decimal]]:
    """Usage types and quantities.

    An event invoked asynchronously counts as one request more for each 64 KB beyond 256, once
    (fact `lambda.price.async_chunks`); each attempt is a request of the function by itself.

    Raises
    ------
    MissingPrice
        If the function behind an asynchronous queue is not in the trace.
    """
    components = trace.header["components"]
    asked: dict[int, str] = {}
    polled: set[int] = set()
    for name, config in components.items():
        if config["type"] == "AsyncInvoke":
            function = components.get(config["function"])
            if function is None:
                raise MissingPrice(f"{name} cannot be billed: {config['function']} is missing")
            asked[trace.code(name)] = lambda_suffix(function.get("architecture", "x86_64"))
        elif config["type"] == "EventSourceMapping" and config.get("billed"):
            polled.add(trace.code(name))
    if asked:
        event, spans = trace.code("event"), trace.spans
        for component, operation, units in zip(
            spans.component, spans.operation, spans.units, strict=True
        ):
            if units and operation == event and component in asked:
                yield f"Request{asked[component]}", Decimal(int(units))
    if polled:
        poller, meters = trace.code("poller"), trace.meters
        for component, operation, units in zip(
            meters.component, meters.operation, meters.units, strict=True
        ):
            if operation == poller and component in polled:
                with localcontext(EXACT):
                    yield POLLERS, Decimal(units) / 3600
