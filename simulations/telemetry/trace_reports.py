"""From a trace to the REPORT lines its functions would have written, and from reports to usage.

May import: the standard library, `simulations.pricing` and this room.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from simulations.pricing.billed import billed_ms, step_ms
from simulations.pricing.estimators import lambda_suffix
from simulations.pricing.trace_usage import ended_invocations
from simulations.pricing.usage import EXACT, Usage
from simulations.telemetry.invocation import Invocation

if TYPE_CHECKING:
    from simulations.trace import Trace

#: How the trace's outcomes read in a REPORT line; every other one is an error.
_STATUS = {"ok": "success", "timeout": "timeout"}


def _request_id(span: int) -> str:
    """A number in the shape of a request id."""
    digits = f"{span:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def reports(trace: Trace, function: str | None = None) -> tuple[Invocation, ...]:
    """The REPORT lines that a trace amounts to, in order of their end.

    Each invocation that ended has one; a throttled one has none. The memory used is unknown to
    a simulation and left out. Timestamps count from 1970-01-01, where simulated time begins.

    Parameters
    ----------
    trace
        With the spans of at least one function.
    function
        Name of the only function to report on; all of them by default.

    Raises
    ------
    ValueError
        If the trace has no function of this name.
    """
    components = trace.header["components"]
    wanted = {
        trace.code(name): config
        for name, config in components.items()
        if config["type"] == "Function" and function in (None, name)
    }
    if not wanted:
        known = ", ".join(n for n, c in components.items() if c["type"] == "Function")
        raise ValueError(f"function={function!r} is not in the trace; there are {known or 'none'}")
    step = step_ms()
    found = []
    for span, component, outcome, start, init, end in ended_invocations(trace, wanted):
        config = wanted[component]
        ran_ms, init_ms = (end - start) * 1000, init * 1000
        name = trace.name(outcome)
        found.append(
            Invocation(
                request_id=_request_id(span),
                duration_ms=round(ran_ms, 2),
                billed_ms=billed_ms(
                    max(0.0, ran_ms),
                    init_ms,
                    init_billed=bool(config.get("init_billed", True)),
                    round_ms=step,
                ),
                memory_mb=int(config["memory_mb"]),
                init_ms=round(init_ms, 2) if init > 0 else None,
                status=_STATUS.get(name, "error"),
                timestamp_ms=round(end * 1000),
            )
        )
    return tuple(sorted(found, key=lambda one: one.timestamp_ms or 0))


def usage_of_reports(
    invocations: Iterable[Invocation], architecture: str = "x86_64", ephemeral_mb: float = 512
) -> Usage:
    """What invocations are billed for, as their REPORT lines say it.

    A REPORT line tells neither architecture nor ephemeral storage: they are given here.

    Examples
    --------
    >>> line = Invocation("4f9e", 133.61, 214, 1024, init_ms=80.0)
    >>> usage_of_reports([line])
    Usage({'Request': Decimal('1'), 'Lambda-GB-Second': Decimal('0.214')})
    """
    arm = lambda_suffix(architecture)
    count = 0
    total_ms = 0
    total_mb_ms = 0
    for one in invocations:
        count += 1
        total_ms += one.billed_ms
        total_mb_ms += one.billed_ms * one.memory_mb
    used = Usage()
    with localcontext(EXACT):
        used.add(f"Request{arm}", count)
        used.add(f"Lambda-GB-Second{arm}", Decimal(total_mb_ms) / 1024 / 1000)
        if ephemeral_mb > 512:
            gb = (Decimal(str(ephemeral_mb)) - 512) / 1024
            used.add(f"Lambda-Storage-GB-Second{arm}", Decimal(total_ms) / 1000 * gb)
    return used
