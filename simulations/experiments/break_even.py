"""Break-evens: two ways of building over one quantity, with full bills on both sides.

Each experiment draws both costs and solves for where they cross; `every_crossing` is the table of
all. May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Role, Series, Slider, experiment
from simulations.pricing import Bill, PriceList
from simulations.pricing.crossings import (
    Crossing,
    crossings,
    express_or_standard,
    glue_or_direct,
    http_or_rest,
    lambda_or_servers,
    provisioned_or_on_demand,
    queue_and_batches,
    table_mode,
    url_or_http,
)

CHIP = Annotated[str, Choice(("x86_64", "arm64"))]
MEMORY = Annotated[int, Slider(128, 10_240, log=True)]
#: Points of a curve on each side of the crossing.
POINTS = 60


def curves(crossing: Crossing, *, reach: float = 2.0, scale: float = 1.0) -> Result:
    """Draw both costs around the crossing; `numbers` hold it and both bills there.

    Parameters
    ----------
    reach
        The axis ends so many times beyond the crossing, or at the end of the range.
    scale
        The quantity is shown divided by this.

    Examples
    --------
    >>> result = curves(http_or_rest())
    >>> round(result["at"], 6), round(result["REST API"], 2)
    (3.5, 3.5)
    """
    at = crossing.solve()
    solved = at is not None and at > crossing.low
    end = min(crossing.high, reach * at) if at is not None and solved else crossing.high
    step = (end - crossing.low) / (2 * POINTS)
    xs = [crossing.low + step * k for k in range(2 * POINTS + 1)]
    shown = [x / scale for x in xs]
    ways: tuple[tuple[str, Callable[[float], Bill], Role], ...] = (
        (crossing.names[0], crossing.left, "decoupled"),
        (crossing.names[1], crossing.right, "coupled"),
    )
    series = [
        Series(name, shown, [float(bill(x).total) for x in xs], role=role)
        for name, bill, role in ways
    ]
    numbers: dict[str, Number] = {}
    if at is not None and solved:
        bills = float(crossing.left(at).total), float(crossing.right(at).total)
        numbers["at"] = Number(at / scale, crossing.unit)
        for name, usd in zip(crossing.names, bills, strict=True):
            numbers[name] = Number(usd, "USD")
        series.append(Series("", (at / scale,), (bills[1],), kind="points", role="plain"))
    unit = "millions" if scale == 1e6 else crossing.unit
    return Result(Axis(crossing.quantity, unit), Axis("cost", "USD"), tuple(series), numbers)


@experiment("provisioned-concurrency")
def kept_ready(
    duration_ms: Annotated[float, Slider(1, 10_000, log=True)] = 100,
    memory_mb: MEMORY = 512,
    architecture: CHIP = "x86_64",
) -> Result:
    """Bill one environment kept ready against none, over the requests that it serves."""
    crossing = provisioned_or_on_demand(duration_ms, memory_mb, architecture)
    result = curves(crossing, scale=1e6)
    result.numbers["utilization"] = Number((crossing.solve() or crossing.high) / crossing.high)
    return result


@experiment("dynamodb-cost")
def paying_modes(kind: Annotated[str, Choice(("write", "read"))] = "write") -> Result:
    """Bill provisioned capacity against paying by request, over its utilization."""
    return curves(table_mode(kind))


@experiment("lambda-pros-cons")
def few_servers(
    duration_ms: Annotated[float, Slider(10, 10_000, log=True)] = 100,
    memory_mb: MEMORY = 512,
    on: Annotated[str, Choice(("containers", "instances"))] = "containers",
    servers: Annotated[int, Slider(1, 50)] = 2,
) -> Result:
    """Bill a function and its HTTP API against servers that stand all month."""
    return curves(lambda_or_servers(duration_ms, memory_mb, on=on, servers=servers), scale=1e6)


@experiment("lambda-cost")
def api_kinds() -> Result:
    """Bill an HTTP API against a REST API, over the increments of 512 KB in a call."""
    return curves(http_or_rest())


@experiment("lambda-cost")
def bare_url(memory_mb: MEMORY = 128, architecture: CHIP = "x86_64") -> Result:
    """Bill a function URL against an HTTP API, over the work that the function then does."""
    return curves(url_or_http(memory_mb, architecture))


@experiment("lambda-cost")
def function_between(memory_mb: MEMORY = 128, architecture: CHIP = "x86_64") -> Result:
    """Bill a function between API and queue against a direct integration, over its duration."""
    return curves(glue_or_direct(memory_mb, architecture))


@experiment("lambda-cost")
def workflow_kinds(
    transitions: Annotated[int, Slider(1, 25)] = 4,
    memory_mb: Annotated[int, Slider(64, 3072, log=True)] = 64,
) -> Result:
    """Bill an Express workflow against a Standard one, over how long an execution lasts."""
    return curves(express_or_standard(transitions, memory_mb))


@experiment("lambda-cost")
def batches(
    overhead_ms: Annotated[float, Slider(1, 1000, log=True)] = 50,
    work_ms: Annotated[float, Slider(1, 1000, log=True)] = 10,
    memory_mb: MEMORY = 512,
) -> Result:
    """Bill a queue with batches against a function for each message, over the size of a batch."""
    return curves(queue_and_batches(overhead_ms, work_ms, memory_mb))


def every_crossing(prices: PriceList | None = None) -> list[tuple[Crossing, float | None]]:
    """All break-evens with their defaults, and where each lies.

    Examples
    --------
    >>> len(every_crossing()), all(at for _, at in every_crossing())
    (10, True)
    """
    return [(one, one.solve()) for one in crossings(prices)]
