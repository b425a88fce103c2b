"""What a language costs: INIT as published for AWS Lambda, and what both do to a bill.

Published quantiles are read from a record; bills come from the price list. May import: the
standard library and the rooms above `experiments`.
"""

from __future__ import annotations

from typing import Annotated

from simulations._check import between, positive
from simulations.experiment import Axis, Choice, Number, Result, Role, Series, Slider, experiment
from simulations.experiments.records import record
from simulations.pricing import PriceList, lambda_usage

#: Names short enough to stand under a bar.
SHORT = {
    "Rust": "Rust",
    "Go": "Go",
    "C#, .NET 10 ahead of time": "C#\nAOT",
    "Python 3.14": "Python",
    "Node.js 24": "Node",
    "Java 25": "Java",
    "Ruby 3.4": "Ruby",
    "C#, .NET 10": "C#",
}
EXTRA_MS = (0, 100, 200, 300, 500, 750, 1000)


@experiment("lambda-runtimes")
def published_init() -> Result:
    """Init Duration by language on AWS, as measured by others: medians and 99th percentiles.

    Returns
    -------
    Result
        Milliseconds by language, from each median up to the 99th percentile; numbers: each language's median and 99th percentile.

    Examples
    --------
    >>> published_init()["Go p50"]
    50.0
    """
    found = [one for one in record("init_languages_2026")["languages"] if one["language"] in SHORT]
    names = [SHORT[one["language"]] for one in found]
    numbers = {}
    for one in found:
        for part in ("p50", "p99"):
            numbers[f"{one['language']} {part}"] = Number(one[f"{part}_ms"], "ms")
    return Result(
        x=Axis("language"),
        y=Axis("Init Duration", "ms", log=True),
        series=(
            Series(
                "median to p99", names, [one["p50_ms"] for one in found], "points", "measured",
                low=[one["p50_ms"] for one in found], high=[one["p99_ms"] for one in found],
            ),
        ),
        numbers=numbers,
    )  # fmt: skip


def monthly_usd(
    calls: float, handler_ms: float, memory_mb: int, cold: float = 0.0, init_ms: float = 0.0
) -> tuple[float, float]:
    """A month's bill in USD: in all, and for duration alone.

    Examples
    --------
    >>> total, duration = monthly_usd(1e6, 50, 128)
    >>> round(total, 4), round(duration, 4)
    (0.3042, 0.1042)
    """
    usage = lambda_usage(
        calls, positive("handler_ms", handler_ms), memory_mb,
        cold_share=between("cold", cold, 0, 1), init_ms=init_ms,
    )  # fmt: skip
    bill = PriceList.load().bill(usage)
    return float(bill.total_usd), float(bill["Lambda-GB-Second"].amount_usd)


@experiment("lambda-runtimes")
def init_on_the_bill(
    cold: Annotated[float, Slider(0.0001, 1, log=True)] = 0.01,
    handler_ms: Annotated[float, Slider(1, 10_000, log=True)] = 50.0,
    memory_mb: Annotated[int, Choice((128, 512, 1769))] = 128,
    calls: Annotated[float, Slider(1e3, 1e9, log=True)] = 1e6,
) -> Result:
    """How much an INIT adds to the bill of a function.

    Parameters
    ----------
    cold, handler_ms
        Share of calls that start cold; how long the handler runs (ms).
    memory_mb
        Configured memory of the function whose whole bill is shown beside its duration alone.
    calls
        A month's calls; the shares do not depend on it.

    Returns
    -------
    Result
        Percent added against INIT (ms): to the duration, to the whole bill, and by the formula
        cold * INIT / handler; numbers: what 100 ms of INIT add.

    Examples
    --------
    >>> result = init_on_the_bill()
    >>> round(result["duration"], 4), round(result["bill"], 4), result["formula"]
    (0.02, 0.0068, 0.02)
    """
    bill_0, duration_0 = monthly_usd(calls, handler_ms, memory_mb)
    bills = [monthly_usd(calls, handler_ms, memory_mb, cold, ms) for ms in EXTRA_MS]
    formula = [100 * cold * ms / handler_ms for ms in EXTRA_MS]
    at = EXTRA_MS.index(100)
    return Result(
        x=Axis("INIT", "ms"),
        y=Axis("added to the bill", "%"),
        series=(
            Series("formula", EXTRA_MS, formula, role="theory"),
            Series(
                "duration", EXTRA_MS, [100 * (one[1] / duration_0 - 1) for one in bills],
                kind="points", role="coupled",
            ),
            Series(
                f"whole bill, {memory_mb} MB", EXTRA_MS,
                [100 * (one[0] / bill_0 - 1) for one in bills], role="decoupled",
            ),
        ),
        numbers={
            "duration": Number(bills[at][1] / duration_0 - 1),
            "bill": Number(bills[at][0] / bill_0 - 1),
            "formula": Number(formula[at] / 100),
            "usd": Number(bills[at][0] - bill_0, "USD"),
        },
    )  # fmt: skip


@experiment("lambda-runtimes")
def imports_of_init() -> Result:
    """INIT of a Python handler by what it imports, when it is loaded and when a call needs it.

    Returns
    -------
    Result
        Milliseconds by library, eager and lazy, the median of fresh environments with its 95 %
        interval, as measured on one machine; numbers: INIT and the first call that needs the
        library, by variant.

    Examples
    --------
    >>> result = imports_of_init()
    >>> result["boto3, eager INIT"] > result["boto3, lazy INIT"]
    True
    """
    variants = {one["variant"]: one for one in record("imports")["variants"]}
    numbers = {}
    for name, one in variants.items():
        for part, key in (("INIT", "init_ms"), ("call", "call_ms")):
            spread = one[key]
            numbers[f"{name} {part}"] = Number(
                spread["median"], "ms", spread["low"], spread["high"]
            )
    libraries = [name.removesuffix(", eager") for name in variants if name.endswith(", eager")]
    ways: tuple[tuple[str, Role], ...] = (("eager", "coupled"), ("lazy", "decoupled"))
    shown = []
    for way, role in ways:
        spreads = [variants[f"{library}, {way}"]["init_ms"] for library in libraries]
        shown.append(
            Series(
                way, libraries, [one["median"] for one in spreads], "bars", role,
                low=[one["low"] for one in spreads], high=[one["high"] for one in spreads],
            )
        )  # fmt: skip
    return Result(x=Axis("library"), y=Axis("INIT", "ms"), series=tuple(shown), numbers=numbers)
