"""Memory against time and cost: the experiments of the chapter "resource allocation".

Three sources side by side: handlers run on one machine under each memory's processor share, a
short task measured on AWS Lambda at 195 sizes, and AWS's published table. May import: the
standard library, SimPy and the rooms above `experiments/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, NamedTuple

from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.experiments.records import record
from simulations.facts import fact
from simulations.pricing import PriceList, lambda_usage
from simulations.theory.cpu import proportional_ms, quota_mean_ms
from simulations.theory.memory import Curve, fit, worst_error

MEMORY = fact("lambda.memory")
LEAST_MB, MOST_MB, FULL_MB = MEMORY["min_mb"], MEMORY["max_mb"], MEMORY["mb_per_vcpu"]
#: AWS's example, 1,000 invocations: memory, average seconds, USD (Lambda Operator Guide,
#: "Computing power"). One stored version of the page shifts the memory column.
AWS_TABLE = (
    (128, 11.722, 0.024628),
    (256, 6.678, 0.028035),
    (512, 3.194, 0.026830),
    (1024, 1.465, 0.024638),
)
#: Two examples of the README of aws-lambda-power-tuning: memory and seconds before and after.
#: The first is said to take less than 3 s and to be 14 % cheaper, the second to cost the same.
README = (((128, 35.0), (1536, 3.0)), ((128, 2.4), (1024, 0.3)))
README_CHEAPER = 0.14
#: Period of the quota, found from outside by the CIRRUS lab in 2025; AWS documents none.
PERIOD_MS = 20.0


def sizes(low_mb: float = LEAST_MB, high_mb: float = MOST_MB, steps: int = 120) -> list[float]:
    """Return memory sizes that lie evenly on a logarithmic axis, both ends included."""
    return [low_mb * (high_mb / low_mb) ** (k / steps) for k in range(steps + 1)]


def usd_per_million(memory_mb: float, duration_s: float) -> float:
    """Return the price of a million invocations in USD: duration and requests, no free tier.

    Examples
    --------
    >>> round(usd_per_million(128, 13.8203125), 2), round(usd_per_million(1769, 1.0), 2)
    (28.99, 28.99)
    """
    prices = _prices()
    return prices[0] * memory_mb / 1024 * duration_s * 1e6 + prices[1] * 1e6


@cache
def _prices() -> tuple[float, float]:
    """USD a GB second and a request, from the price list."""
    bill = PriceList.load().bill(lambda_usage(1_000_000, 1_024_000, 1024))
    lines = {line.usage_type: float(line.amount_usd) for line in bill.lines}
    gb_s = next(usd for name, usd in lines.items() if "GB-Second" in name)
    request = next(usd for name, usd in lines.items() if "Request" in name)
    return gb_s / 1_024e6, request / 1e6


# ---------------------------------------------------------------- tuned on this machine


class Tuned(NamedTuple):
    """One handler at several memory sizes, and the curve through them."""

    memory_mb: list[float]
    time_s: list[float]
    curve: Curve
    error: float
    """Largest relative difference between a measured median and the curve."""


def tuned(handler: str) -> Tuned:
    """Return the measured medians of a handler, and their fit up to one whole processor."""
    at = record("power_tuning")["handlers"][handler]["at"]
    memory = [float(one["memory_mb"]) for one in at]
    times = [one["median_ms"] / 1000 for one in at]
    below = [k for k, mb in enumerate(memory) if mb <= FULL_MB]
    curve = fit([memory[k] for k in below], [times[k] for k in below])
    threads = record("power_tuning")["handlers"][handler]["event"].get("threads", 1)
    if threads > 1:
        curve = curve._replace(parallel=_parallel(curve, memory, times, threads), threads=threads)
    return Tuned(memory, times, curve, worst_error(curve, memory, times))


def _parallel(curve: Curve, memory: Sequence[float], times: Sequence[float], threads: int) -> float:
    """Return the parallel share that fits best above one processor, to a hundredth."""

    def off(share: float) -> float:
        one = curve._replace(parallel=share, threads=threads)
        return sum(
            (one.time_s(mb) / t - 1) ** 2
            for mb, t in zip(memory, times, strict=True)
            if mb > FULL_MB
        )

    return min((k / 100 for k in range(101)), key=off)


@experiment("resource-allocation")
def cost_and_time(
    wait_s: Annotated[float, Slider(0, 10)] = 1.0,
    work_s: Annotated[float, Slider(0.001, 10, log=True)] = 1.0,
) -> Result:
    """Cost of a million invocations against memory: computing, waiting, and both."""
    memory = sizes(high_mb=FULL_MB)
    kinds = {
        "computes": Curve(0.0, work_s),
        "waits": Curve(wait_s, 0.0),
        "both": Curve(wait_s / 2, work_s / 2),
    }
    roles: dict[str, Role] = {"computes": "coupled", "waits": "decoupled", "both": "fifth"}
    series, numbers = [], {}
    for name, curve in kinds.items():
        cost = [usd_per_million(mb, curve.time_s(mb)) for mb in memory]
        series.append(Series(name, memory, cost, role=roles[name]))
        for mb in (LEAST_MB, FULL_MB):
            seconds = curve.time_s(mb)
            numbers[f"{name}: USD at {mb}"] = Number(usd_per_million(mb, seconds), "USD")
            numbers[f"{name}: s at {mb}"] = Number(seconds, "s")
    return Result(
        Axis("memory", "MB", log=True),
        Axis("cost", "USD per million"),
        tuple(series),
        numbers,
    )


@experiment("resource-allocation")
def tuning_curves() -> Result:
    """Time against cost of the measured handlers, one point a memory size, and their fit."""
    series, numbers = [], {}
    drawn: tuple[tuple[str, str, Role], ...] = (
        ("submit", "submit_order", "coupled"),
        ("authorize", "authorize", "decoupled"),
    )
    for name, handler, role in drawn:
        one = tuned(handler)
        within = [k for k, mb in enumerate(one.memory_mb) if mb <= FULL_MB]
        cost = [usd_per_million(one.memory_mb[k], one.time_s[k]) for k in within]
        series.append(
            Series("", [1000 * one.time_s[k] for k in within], cost, kind="points", role=role)
        )
        fine = sizes(high_mb=FULL_MB)
        series.append(
            Series(
                name,
                [1000 * one.curve.time_s(mb) for mb in fine],
                [usd_per_million(mb, one.curve.time_s(mb)) for mb in fine],
                role=role,
            )
        )
        numbers[f"{name}: balanced"] = Number(one.curve.balanced_mb(LEAST_MB, MOST_MB), "MB")
        numbers[f"{name}: wait"] = Number(one.curve.wait_s, "s")
        numbers[f"{name}: work"] = Number(one.curve.work_s, "s")
    return Result(
        Axis("duration", "ms", log=True),
        Axis("cost", "USD per million", log=True),
        tuple(series),
        numbers,
    )


# ---------------------------------------------------------------- a short task on AWS


@experiment("resource-allocation")
def staircase(cpu_ms: Annotated[float, Slider(1, 500, log=True)] = 17.4) -> Result:
    """Cost of a short task against memory: measured on AWS in 2025, by quota, and proportional."""
    found = record("cpu_memory_2025")
    at = [(one[0], one[1]) for one in found["at"]]
    memory = sizes(high_mb=FULL_MB, steps=240)
    measured = [usd_per_million(mb, ms / 1000) for mb, ms in at]
    series = (
        Series("measured", [mb for mb, _ in at], measured, role="measured"),
        Series(
            "quota",
            memory,
            [usd_per_million(mb, quota_mean_ms(cpu_ms, mb) / 1000) for mb in memory],
            role="theory",
        ),
        Series(
            "proportional",
            memory,
            [usd_per_million(mb, proportional_ms(cpu_ms, mb) / 1000) for mb in memory],
            role="limit",
        ),
    )
    cheapest = min(range(len(at)), key=lambda k: measured[k])
    errors = {
        name: sorted(abs(model(found["cpu_ms"], mb) / ms - 1) for mb, ms in at)
        for name, model in (("quota", quota_mean_ms), ("proportional", proportional_ms))
    }
    least = min(range(LEAST_MB, FULL_MB + 1), key=lambda mb: mb * quota_mean_ms(cpu_ms, mb))
    numbers = {
        "cheapest": Number(at[cheapest][0], "MB"),
        "cheapest: USD": Number(measured[cheapest], "USD"),
        "cheapest: ms": Number(at[cheapest][1], "ms"),
        "least memory: USD": Number(measured[0], "USD"),
        "least memory: ms": Number(at[0][1], "ms"),
        "quota says": Number(least, "MB"),
        "runs": Number(found["runs"]),
        "sizes": Number(len(at)),
    }
    for name, sorted_errors in errors.items():
        numbers[f"{name}: median error"] = Number(sorted_errors[len(sorted_errors) // 2])
        numbers[f"{name}: worst error"] = Number(sorted_errors[-1])
        numbers[f"{name}: above 15 %"] = Number(sum(error > 0.15 for error in sorted_errors))
    # Memory at which the task is a whole number of quotas, so that one period fewer is enough.
    steps = [found["cpu_ms"] * FULL_MB / (PERIOD_MS * quotas) for quotas in (1, 2, 3)]
    far = [mb for mb, ms in at if quota_mean_ms(found["cpu_ms"], mb) > 1.15 * ms]
    numbers["quota: far, below a step"] = Number(
        sum(any(0 < step - mb < 50 for step in steps) for mb in far)
    )
    return Result(Axis("memory", "MB", log=True), Axis("cost", "USD per million"), series, numbers)


def gain(cpu_ms: float) -> tuple[int, float]:
    """Return the memory at which a task is cheapest by its quota, and its share of the bill at 128 MB.

    The bill has the request charge, too, which memory does not change.

    Examples
    --------
    >>> memory_mb, share = gain(200)
    >>> share > 0.95
    True
    """

    def usd(mb: int) -> float:
        return usd_per_million(mb, quota_mean_ms(cpu_ms, mb) / 1000)

    best = min(range(LEAST_MB, FULL_MB + 1), key=usd)
    return best, usd(best) / usd(LEAST_MB)
