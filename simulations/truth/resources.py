"""Memory, processor and cost: against AWS's table, a short task on AWS, and known handlers.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations.experiments.records import record
from simulations.experiments.resource_allocation import (
    AWS_TABLE,
    README,
    README_CHEAPER,
    staircase,
    tuned,
    usd_per_million,
)
from simulations.stats import Interval
from simulations.theory.cpu import quota_mean_ms
from simulations.truth import Compared, row

OPERATOR_GUIDE = "https://docs.aws.amazon.com/lambda/latest/operatorguide/computing-power.html"
POWER_TUNING = "https://github.com/alexcasalboni/aws-lambda-power-tuning"
CIRRUS = "https://github.com/ubc-cirrus-lab/demystifying-serverless-costs"


def _exact(value: float) -> Interval:
    return Interval(value, value, value)


def _aws(memory_mb: int, seconds: float, usd: float) -> Callable[[], Compared]:
    return lambda: Compared(_exact(usd_per_million(memory_mb, seconds) / 1000), usd)


for memory_mb, seconds, usd in AWS_TABLE:
    row(
        f"power-table-{memory_mb}", kind="verification", chapter="resource-allocation",
        what=f"Cost of 1,000 runs of AWS's prime-number example at {memory_mb} MB",
        source="AWS, Lambda Operator Guide, Computing power", url=OPERATOR_GUIDE,
        margin=0.001, unit="USD",
    )(_aws(memory_mb, seconds, usd))  # fmt: skip


@row(
    "power-tuning-readme", kind="validation", chapter="resource-allocation", unit="s",
    what="Duration at 1 GB of a function that computes, from its 2.4 s at 128 MB",
    source="AWS Lambda Power Tuning, README, 2023", url=POWER_TUNING, margin=0.05,
)  # fmt: skip
def readme() -> Compared:
    """Scale by memory."""
    (before_mb, before_s), (after_mb, after_s) = README[1]
    return Compared(_exact(before_s * before_mb / after_mb), after_s)


@row(
    "power-tuning-cheaper", kind="validation", chapter="resource-allocation",
    what="Cost at 1.5 GB of a function that computes, as a share of its cost at 128 MB",
    source="AWS Lambda Power Tuning, README, 2023", url=POWER_TUNING, margin=0.05,
    why="On a small share a function with much data loses its caches while it stands still and "
    "needs more processor time, as our own measured primes do; the formula knows nothing of it.",
)  # fmt: skip
def cheaper() -> Compared:
    """Scaling by memory leaves the cost as it was."""
    return Compared(_exact(1.0), 1 - README_CHEAPER)


@row(
    "short-task-cheapest", kind="validation", chapter="resource-allocation", unit="MB",
    what="Memory at which a task of 17.4 ms is cheapest, by the quota of 20 ms periods",
    source="CIRRUS lab, 975,000 runs on AWS Lambda, 2025", url=CIRRUS, margin=0.05,
)  # fmt: skip
def cheapest() -> Compared:
    """Search the quota model, and the 195 sizes that were measured."""
    found = staircase()
    return Compared(_exact(found["quota says"]), found["cheapest"])


def _short_task(memory_mb: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        at = {one[0]: one[1] for one in record("cpu_memory_2025")["at"]}
        return Compared(_exact(quota_mean_ms(17.4, memory_mb)), at[memory_mb])

    return compare


for memory_mb in (128, 257, 443, 514, 761, 885, 1018, 1354, 1478):
    row(
        f"short-task-{memory_mb}", kind="validation", chapter="resource-allocation", unit="ms",
        what=f"Mean duration of a task of 17.4 ms at {memory_mb} MB, by the quota of 20 ms periods",
        source="CIRRUS lab, 975,000 runs on AWS Lambda, 2025", url=CIRRUS, margin=0.15,
        why="A quota is checked at the scheduler's ticks only; the model stops a task at once." * (memory_mb == 761),
    )(_short_task(memory_mb))  # fmt: skip


@row(
    "power-tuning-wait", kind="verification", chapter="resource-allocation", unit="s",
    what="Waiting of the measured authorize, found by the fit T = a + b / cpu",
    source="The handler: it sleeps 0.8 s", margin=0.05,
)  # fmt: skip
def waiting() -> Compared:
    """Fit the measured medians."""
    return Compared(_exact(tuned("authorize").curve.wait_s), 0.8)
