"""Memory and price, to play with: duration and bill of one function against its memory.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.experiments.resource_allocation import (
    FULL_MB,
    LEAST_MB,
    MOST_MB,
    PERIOD_MS,
    usd_per_million,
)
from simulations.stats import mean_interval
from simulations.theory import quota_from_ms, quota_mean_ms
from simulations.theory.memory import amdahl

#: Memory sizes of the curves, and of the simulated points.
CURVE_MB = tuple(round(LEAST_MB * (MOST_MB / LEAST_MB) ** (k / 32)) for k in range(33))
POINTS_MB = (128, 256, 512, 1024, 1769, 3538, 7076, 10_240)
#: Invocations of each size in each round.
ROUNDS = (20, 80, 200, 400, 800)


def speed_up(memory_mb: float, threads: int) -> float:
    """How many times faster than one whole processor the computing part runs, above one.

    All of the work is spread over the threads; up to one processor it is 1, and the quota tells.

    Examples
    --------
    >>> speed_up(512, 4), speed_up(3538, 4), speed_up(3538, 1)
    (1.0, 2.0, 1.0)
    """
    return max(1.0, amdahl(memory_mb / FULL_MB, 1.0, threads))


def expected_ms(cpu_ms: float, wait_ms: float, memory_mb: float, threads: int) -> float:
    """Mean duration in milliseconds.

    Examples
    --------
    >>> expected_ms(100.0, 50.0, 1769, 1), expected_ms(100.0, 50.0, 3538, 2)
    (150.0, 100.0)
    """
    return wait_ms + quota_mean_ms(cpu_ms, memory_mb) / speed_up(memory_mb, threads)


def lasts_ms(cpu_ms: float, wait_ms: float, memory_mb: float, threads: int, u: float) -> float:
    """Duration of an invocation that begins with the share `u` of a quota's period to go."""
    on_one = quota_from_ms(cpu_ms, memory_mb, PERIOD_MS * u)
    return wait_ms + on_one / speed_up(memory_mb, threads)


def billed_ms(cpu_ms: float, wait_ms: float, memory_mb: float, threads: int) -> float:
    """Mean of the milliseconds billed: each invocation is rounded up to a whole one."""
    if memory_mb >= FULL_MB:
        return float(_up(lasts_ms(cpu_ms, wait_ms, memory_mb, threads, 0.5)))
    begins = ((k + 0.5) / 50 for k in range(50))
    return sum(_up(lasts_ms(cpu_ms, wait_ms, memory_mb, threads, u)) for u in begins) / 50


def _up(ms: float) -> int:
    return math.ceil(ms - 1e-9)


@experiment(
    "resource-allocation",
    presets={
        "computes": {"cpu_ms": 1000.0, "wait_ms": 0.0},
        "mostly waits": {"cpu_ms": 20.0, "wait_ms": 1000.0},
        "four threads": {"cpu_ms": 2000.0, "wait_ms": 0.0, "threads": 4, "memory_mb": 7076},
    },
)
def memory_price(
    cpu_ms: Annotated[float, Slider(1, 5000, log=True, label="computing", unit="ms")] = 200.0,
    wait_ms: Annotated[float, Slider(0, 5000, step=50, label="waiting", unit="ms")] = 300.0,
    memory_mb: Annotated[int, Slider(128, 10_240, log=True, label="memory", unit="MB")] = 512,
    threads: Annotated[int, Choice((1, 2, 4, 6), label="threads")] = 1,
    seed: int = 1,
) -> Iterator[Result]:
    """Duration and bill against memory, each in percent of what it is at the least memory.

    Computing is in milliseconds of one whole processor; below it the processor comes in slices.
    The bill counts whole milliseconds and the request, at list price. The dashed lines are the
    mean over where in a slice an invocation begins; points are invocations drawn by chance.
    """

    def usd(mb: float, ms: float) -> float:
        return usd_per_million(mb, ms / 1000)

    sizes = sorted({*CURVE_MB, *POINTS_MB, memory_mb})
    means = {mb: expected_ms(cpu_ms, wait_ms, mb, threads) for mb in sizes}
    bills = {mb: usd(mb, billed_ms(cpu_ms, wait_ms, mb, threads)) for mb in sizes}
    base_ms, base_usd = means[LEAST_MB], bills[LEAST_MB]
    cheapest = min(sizes, key=lambda mb: bills[mb])
    dashed = (
        Series("", sizes, [100 * means[mb] / base_ms for mb in sizes], "line", "theory"),
        Series("", sizes, [100 * bills[mb] / base_usd for mb in sizes], "line", "theory"),
    )
    tried = sorted({*POINTS_MB, memory_mb})
    random = Random(f"{seed} invocations")
    drawn: dict[int, list[float]] = {mb: [] for mb in tried}
    for number, times in enumerate(ROUNDS):
        for mb in tried:
            drawn[mb].extend(
                lasts_ms(cpu_ms, wait_ms, mb, threads, random.random()) for _ in range(times)
            )
        lasts = [mean_interval(drawn[mb]) for mb in tried]
        costs = [mean_interval([usd(mb, _up(ms)) for ms in drawn[mb]]) for mb in tried]
        points = (
            Series(
                "duration", tried, [100 * i.mean / base_ms for i in lasts], "points", "decoupled",
                [100 * i.low / base_ms for i in lasts], [100 * i.high / base_ms for i in lasts],
            ),
            Series(
                "bill", tried, [100 * i.mean / base_usd for i in costs], "points", "coupled",
                [100 * i.low / base_usd for i in costs], [100 * i.high / base_usd for i in costs],
            ),
        )  # fmt: skip
        here = tried.index(memory_mb)
        numbers = {
            "duration": Number(
                lasts[here].mean / 1000, "s", lasts[here].low / 1000, lasts[here].high / 1000
            ),
            "duration by theory": Number(means[memory_mb] / 1000, "s"),
            "a million cost": Number(costs[here].mean, "USD", costs[here].low, costs[here].high),
            "by theory": Number(bills[memory_mb], "USD"),
            "cheapest memory": Number(cheapest, "MB"),
        }
        yield Result(
            Axis("memory", "MB", log=True), Axis("of that at 128 MB", "%", log=True),
            (*dashed, *points), numbers, progress=(number + 1) / len(ROUNDS),
        )  # fmt: skip
