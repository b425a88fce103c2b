"""From a trace to usage: what the system that ran would be billed for.

May import: the standard library and the rest of this package. The trace is read by its columns
alone; one that lacks a column refuses (`simulations.trace.MissingColumn`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Iterator, Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from simulations.pricing.billed import ROUNDING_MS, step_ms
from simulations.pricing.estimators import lambda_suffix
from simulations.pricing.pricelist import MissingPrice
from simulations.pricing.trace_events import KINDS, events_and_pollers
from simulations.pricing.trace_ready import kept_ready, shared_ms
from simulations.pricing.trace_table import KINDS as TABLES
from simulations.pricing.trace_table import tables
from simulations.pricing.usage import EXACT, Usage

if TYPE_CHECKING:
    from simulations.trace import Trace


def usage(trace: Trace, *, init_billed: bool | None = None, round_ms: int | None = None) -> Usage:
    """The usage of everything in a trace, warm-up and drain included.

    A function is billed for every invocation that ended (a timed-out one up to its timeout),
    never for a throttled one; a queue for its sends, receives (empty ones too) and deletes; a
    topic for what was published. Provisioned concurrency, SnapStart and streamed responses:
    see `trace_ready`; asynchronous events and provisioned pollers: `trace_events`; tables:
    `trace_table`.

    Parameters
    ----------
    trace
        With `spans`, `meters` and, in its header, the configuration of each component.
    init_billed, round_ms
        Billing rules of another time, for all functions (see `billed_ms`); by default what
        each function's configuration says, else today's.

    Raises
    ------
    MissingColumn
        If the trace lacks a column that is needed.
    MissingPrice
        If a component is of a kind that we cannot bill; it never counts as zero.
    """
    used = Usage()
    for name, (config, invocations, billed) in _functions(trace, init_billed, round_ms).items():
        memory_mb = _setting(name, config, "memory_mb")
        arm = lambda_suffix(config.get("architecture", "x86_64"))
        extra_mb = int(config.get("ephemeral_mb", 512)) - 512
        with localcontext(EXACT):
            seconds = Decimal(billed) / 1000
            used.add(f"Request{arm}", invocations)
            used.add(f"Lambda-GB-Second{arm}", seconds * int(memory_mb) / 1024)
            if extra_mb > 0:
                used.add(f"Lambda-Storage-GB-Second{arm}", seconds * extra_mb / 1024)
        for usage_type, quantity in kept_ready(trace, name, config, init_billed, round_ms).items():
            used.add(usage_type, quantity)
    for usage_type, requests in _messages(trace).items():
        used.add(usage_type, requests)
    for usage_type, quantity in (*events_and_pollers(trace), *tables(trace)):
        used.add(usage_type, quantity)
    return used


def ended_invocations(
    trace: Trace,
    functions: Container[int],
    operations: Collection[str] = ("invoke", "invoke provisioned"),
) -> Iterator[tuple[int, int, int, float, float, float]]:
    """The invocations of some functions that ran to an end: what is billed and reported.

    Those on provisioned environments have an operation of their own.

    Yields
    ------
    tuple
        Span, component, outcome, start in s, INIT in s, end in s.

    Raises
    ------
    MissingColumn
        If the trace lacks one of these columns.
    """
    wanted, throttled = frozenset(map(trace.code, operations)), trace.code("throttled")
    spans = trace.spans
    for span, component, operation, outcome, start, init, end in zip(
        spans.id,
        spans.component,
        spans.operation,
        spans.outcome,
        spans.start_s,
        spans.init_s,
        spans.end_s,
        strict=True,
    ):
        if operation in wanted and component in functions and outcome != throttled and end == end:
            yield span, component, outcome, start, init, end


def _setting(name: str, config: Mapping[str, Any], key: str) -> Any:
    if key not in config:
        raise MissingPrice(f"{name} cannot be billed: its configuration does not say {key}")
    return config[key]


def _functions(
    trace: Trace, init_billed: bool | None, round_ms: int | None
) -> dict[str, tuple[Mapping[str, Any], int, int]]:
    """By function: its configuration, invocations billed, milliseconds billed.

    The loop runs over bare columns and adds whole numbers: half a million spans take well
    below a second.
    """
    step = step_ms() if round_ms is None else round_ms
    settings: dict[int, Mapping[str, Any]] = {}
    with_init: dict[int, bool] = {}
    for name, config in trace.header["components"].items():
        kind = config["type"]
        if kind == "Function":
            code = trace.code(name)
            settings[code] = config
            own = bool(config.get("init_billed", True))
            with_init[code] = own if init_billed is None else init_billed
        elif config.get("billed", True) and kind not in ("Queue", "Topic", *KINDS, *TABLES):
            raise MissingPrice(f"{name} is a {kind}: no usage is known for that")
    counts = dict.fromkeys(settings, 0)
    totals = dict.fromkeys(settings, 0)
    ceil = math.ceil
    scale = 1000.0 / step
    slack = ROUNDING_MS / step
    for _, component, _, start, init, end in ended_invocations(trace, settings, ("invoke",)):
        counts[component] += 1
        seconds = end - start + init if with_init[component] else end - start
        totals[component] += ceil(seconds * scale - slack)
    billed = {code: total * step for code, total in totals.items()}
    for code, config in settings.items():
        if config.get("requests_per_environment", 1) > 1:
            billed[code] = shared_ms(
                trace, trace.name(code), init_billed=with_init[code], round_ms=step
            )
    return {trace.name(code): (settings[code], counts[code], billed[code]) for code in settings}


def _messages(trace: Trace) -> dict[str, float]:
    """Requests of queues and topics by usage type, from spans and meters.

    Whole numbers, but for a slice's share of what was metered over a whole run.
    """
    kinds: dict[int, tuple[str, frozenset[int]]] = {}
    calls = {"Queue": ("send", "receive", "delete", "empty_receive"), "Topic": ("publish",)}
    for name, config in trace.header["components"].items():
        kind = config["type"]
        if kind in calls:
            fifo = bool(config.get("fifo", False))
            if kind == "Topic" and fifo:
                raise MissingPrice(f"{name} is a FIFO topic: a trace does not carry its gigabytes")
            queue = "Requests-FIFO-RBP" if fifo else "Requests-RBP"
            usage_type = queue if kind == "Queue" else "AmazonSNS:Requests-Tier1"
            billed = frozenset(trace.code(operation) for operation in calls[kind])
            kinds[trace.code(name)] = (usage_type, billed)
    totals = {usage_type: 0.0 for usage_type, _ in kinds.values()}
    if not kinds:
        return totals
    for table in (trace.spans, trace.meters):
        for component, operation, units in zip(
            table.component, table.operation, table.units, strict=True
        ):
            if component in kinds:
                usage_type, billed = kinds[component]
                if operation in billed:
                    if units != units:
                        raise MissingPrice(
                            f"{trace.name(component)}: {trace.name(operation)} without units"
                        )
                    totals[usage_type] += units
    return totals
