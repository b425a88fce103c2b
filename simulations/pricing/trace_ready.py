"""From a trace to usage: provisioned concurrency, SnapStart, streams, shared environments.

May import: the standard library, `simulations.facts` and the rest of this package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from simulations.facts import fact
from simulations.pricing.billed import ROUNDING_MS, billed_ms, step_ms
from simulations.pricing.catalog import from_note
from simulations.pricing.estimators import lambda_suffix
from simulations.pricing.usage import EXACT, Usage, exact

if TYPE_CHECKING:
    from simulations.trace import Trace


def kept_ready(
    trace: Trace,
    name: str,
    config: Mapping[str, Any],
    init_billed: bool | None = None,
    round_ms: int | None = None,
) -> Usage:
    """What a function uses besides its invocations on demand.

    Provisioned concurrency from when it is asked for until it is given back or the run's horizon
    is reached, each environment's time rounded up to five minutes; the invocations on it; the
    INIT of those made in the run, at the same price. SnapStart's snapshot for the run's horizon,
    at least three hours, and each restore. What streamed responses have beyond their first 6 MB.

    Parameters
    ----------
    trace, name, config
        A trace, and a function in it with its configuration from the header.
    init_billed, round_ms
        As for `usage`.
    """
    used = Usage()
    memory_mb = int(config.get("memory_mb", 0))
    if config.get("provisioned_concurrency") is not None:
        _provisioned(used, trace, name, config, memory_mb, round_ms)
    if config.get("snapstart") == "billed":
        _snapstart(used, trace, name, memory_mb)
    if config.get("streamed_mb"):
        first_mb = from_note("lambda.price.streaming", r"first (\d+) MB")
        beyond_mb = exact("streamed_mb", config["streamed_mb"]) - first_mb
        if beyond_mb > 0:
            answered = sum(1 for _ in _rows(trace, name, "ok"))
            arm = lambda_suffix(config.get("architecture", "x86_64"))
            streamed = f"Lambda-Streaming-Response-Processed-Bytes{arm}"
            with localcontext(EXACT):
                used.add(streamed, answered * beyond_mb / 1024)
    return used


def _rows(trace: Trace, name: str, outcome: str | None = None) -> Any:
    """Invocations of a function that ended, whatever they ran on."""
    component, throttled = trace.code(name), trace.code("throttled")
    wanted = None if outcome is None else trace.code(outcome)
    kinds = {trace.code("invoke"), trace.code("invoke provisioned")}
    spans = trace.spans
    for one, operation, ended_with, environment, start, init, end in zip(
        spans.component,
        spans.operation,
        spans.outcome,
        spans.environment,
        spans.start_s,
        spans.init_s,
        spans.end_s,
        strict=True,
    ):
        if one != component or operation not in kinds or ended_with == throttled or end != end:
            continue
        if wanted is None or ended_with == wanted:
            yield operation, environment, start, init, end


def _provisioned(
    used: Usage,
    trace: Trace,
    name: str,
    config: Mapping[str, Any],
    memory_mb: int,
    round_ms: int | None,
) -> None:
    arm = lambda_suffix(config.get("architecture", "x86_64"))
    ready = trace.code("invoke provisioned")
    step = step_ms() if round_ms is None else round_ms
    billed, invocations = 0, 0
    for operation, _, start, _, end in _rows(trace, name):
        if operation == ready:
            invocations += 1
            billed += billed_ms((end - start) * 1000, round_ms=step)
    metered = dict.fromkeys(("provisioned", "provisioned init"), Decimal(0))
    meters = trace.meters
    for component, operation, units in zip(
        meters.component, meters.operation, meters.units, strict=True
    ):
        what = trace.name(operation)
        if component == trace.code(name) and what in metered:
            metered[what] += exact(what, units)
    with localcontext(EXACT):
        gb = Decimal(memory_mb) / 1024
        run_s = Decimal(billed) / 1000 + metered["provisioned init"]
        used.add(f"Request{arm}", invocations)
        used.add(f"Lambda-Provisioned-Concurrency{arm}", metered["provisioned"] * gb)
        used.add(f"Lambda-Provisioned-GB-Second{arm}", run_s * gb)
        extra_mb = int(config.get("ephemeral_mb", 512)) - 512
        if extra_mb > 0:
            used.add(f"Lambda-Storage-GB-Second{arm}", run_s * extra_mb / 1024)


def _snapstart(used: Usage, trace: Trace, name: str, memory_mb: int) -> None:
    least_s = fact("lambda.price.snapstart.min_h").value * 3600
    active_s = max(trace.header["horizon_s"], least_s)
    component = trace.code(name)
    restored = sum(1 for one in trace.environments.component if one == component)
    with localcontext(EXACT):
        gb = Decimal(memory_mb) / 1024
        used.add("Lambda-SnapStart-Cached-GB-S", exact("active_s", active_s) * gb)
        used.add("Lambda-SnapStart-Restored-GB", restored * gb)


def shared_ms(
    trace: Trace, name: str, *, init_billed: bool = True, round_ms: int | None = None
) -> int:
    """Milliseconds during which the environments of a function served at least one request.

    For environments that serve several requests at once: overlapping requests count once, and
    each stretch is rounded up. Managed Instances are billed by instance instead (fact
    `lambda.price.lmi`); this is what wall time would amount to.
    """
    step = step_ms() if round_ms is None else round_ms
    stretches: dict[int, list[tuple[float, float]]] = {}
    for _, environment, start, init, end in _rows(trace, name):
        since = start - init if init_billed else start
        stretches.setdefault(environment, []).append((since, end))
    total = 0
    for found in stretches.values():
        found.sort()
        begin, until = found[0]
        for start, end in [*found[1:], (math.inf, math.inf)]:
            if start > until:
                total += math.ceil(((until - begin) * 1000 - ROUNDING_MS) / step) * step
                begin = start
            until = max(until, end)
    return total
