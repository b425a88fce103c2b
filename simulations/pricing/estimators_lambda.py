"""What Lambda sells besides plain invocations, from plain inputs to usage.

Edge, SnapStart, tenants, durable functions, managed instances and MicroVMs; add the result to
that of `lambda_usage` where both apply. May import: the standard library, `simulations.facts`,
`simulations._check` and the rest of this package.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from simulations._check import between, not_negative
from simulations.facts import fact
from simulations.pricing.billed import billed_ms
from simulations.pricing.estimators import lambda_suffix
from simulations.pricing.usage import EXACT, Usage, exact

#: A durable execution's state is priced by the month; the page's examples take 30 days.
DAYS_PER_MONTH = 30


def edge_usage(requests: float, duration_ms: float, memory_mb: float = 128) -> Usage:
    """What a Lambda@Edge function uses; it has no free tier.

    Examples
    --------
    >>> print(edge_usage(10_000_000, 10, 128)["Lambda-Edge-GB-Second"])
    12500
    """
    with localcontext(EXACT):
        count = exact("requests", requests)
        gb_s = count * billed_ms(duration_ms) / 1000 * exact("memory_mb", memory_mb) / 1024
        return Usage({"Lambda-Edge-Request": count, "Lambda-Edge-GB-Second": gb_s})


def snapstart_usage(
    memory_mb: float, hours: float, restores: float, versions: float = 1, *, java: bool = False
) -> Usage:
    """What SnapStart uses besides invocations.

    Parameters
    ----------
    memory_mb
        Configured memory.
    hours, versions
        How long each published version is active (3 h at least count), and how many there are.
    restores
        Environments resumed from the snapshot.
    java
        On Java's managed runtimes SnapStart costs nothing.

    Examples
    --------
    >>> usage = snapstart_usage(1024, hours=1, restores=1000)
    >>> print(usage["Lambda-SnapStart-Cached-GB-S"], usage["Lambda-SnapStart-Restored-GB"])
    10800 1000
    """
    count = exact("restores", restores)
    active = exact("hours", hours)
    if java:
        return Usage()
    with localcontext(EXACT):
        gb = exact("memory_mb", memory_mb) / 1024
        least = exact("hours", fact("lambda.price.snapstart.min_h").value)
        kept = max(active, least) if active else Decimal(0)
        return Usage(
            {
                "Lambda-SnapStart-Cached-GB-S": gb * kept * 3600 * exact("versions", versions),
                "Lambda-SnapStart-Restored-GB": gb * count,
            }
        )


def tenant_usage(environments: float, memory_mb: float, architecture: str = "x86_64") -> Usage:
    """What tenant isolation uses: each environment created counts its memory once.

    Examples
    --------
    >>> print(tenant_usage(1000 * 200, 1024)["Lambda-Tenant-Environment-GB"])
    200000
    """
    name = f"Lambda-Tenant-Environment-GB{lambda_suffix(architecture)}"
    with localcontext(EXACT):
        gb = exact("memory_mb", memory_mb) / 1024
        return Usage({name: exact("environments", environments) * gb})


def durable_usage(
    executions: float,
    operations: float,
    kb_per_operation: float = 0.0,
    *,
    kept_days: float | None = None,
) -> Usage:
    """What durable functions use besides the invocations of each leg.

    Parameters
    ----------
    executions, operations
        Executions, and operations in each (start, steps, waits, callbacks; every attempt).
    kb_per_operation
        State checkpointed by each.
    kept_days
        How long a finished execution is kept; 14 days unless configured (1 to 90).

    Examples
    --------
    >>> usage = durable_usage(1_000_000, operations=5, kb_per_operation=1.048576)
    >>> usage["Lambda-Durable-Execution-Operations"], round(usage["Lambda-Durable-Execution-Written-Bytes"])
    (Decimal('5000000'), 5)
    """
    rule = fact("lambda.price.durable")
    days = rule["retention_days_default"] if kept_days is None else kept_days
    low, high = rule["retention_days_range"]
    days = exact("kept_days", between("kept_days", days, low, high))
    with localcontext(EXACT):
        count = exact("executions", executions) * exact("operations", operations)
        written = count * exact("kb_per_operation", kb_per_operation) / (1024 * 1024)
        return Usage(
            {
                "Lambda-Durable-Execution-Operations": count,
                "Lambda-Durable-Execution-Written-Bytes": written,
                "Lambda-Durable-Execution-TimedStorage-ByteHrs": written * days / DAYS_PER_MONTH,
            }
        )


def managed_instances_usage(requests: float, type: str, hours: float) -> Usage:
    """What Lambda Managed Instances use: requests, and instance hours instead of duration.

    The list that prices it is made by `PriceList.with_instance`.

    Examples
    --------
    >>> managed_instances_usage(100, "m7g.xlarge", 2)["Lambda-Managed-Instances:m7g.xlarge"]
    Decimal('2')
    """
    return Usage(
        {
            "Request": requests,
            f"BoxUsage:{type}": hours,
            f"Lambda-Managed-Instances:{type}": hours,
        }
    )


def microvm_usage(
    seconds: float,
    memory_gb: float,
    *,
    peak_share: float = 0.0,
    peak_times: float = 4,
    written_gb: float = 0.0,
    read_gb: float = 0.0,
    kept_gb_months: float = 0.0,
) -> Usage:
    """What Lambda MicroVMs use.

    Parameters
    ----------
    seconds, memory_gb
        How long they run in all, and the memory of the baseline (2 GB come with 1 vCPU).
    peak_share, peak_times
        The share of the time in which they use more, and how many times the baseline (to 4).
    written_gb, read_gb, kept_gb_months
        Snapshots written (suspended), read (launched and resumed), kept (an image counts a
        week at least, which the caller sees to).

    Examples
    --------
    >>> usage = microvm_usage(100, 8, peak_share=0.1)
    >>> int(usage["Lambda-MicroVM-Memory-GB-Second-ARM"]), int(usage["Lambda-MicroVM-vCPU-Second-ARM"])
    (1040, 520)
    """
    with localcontext(EXACT):
        share = exact("peak_share", between("peak_share", peak_share, 0, 1))
        times = exact("peak_times", between("peak_times", peak_times, 1, 4))
        gb_s = exact("seconds", not_negative("seconds", seconds)) * exact("memory_gb", memory_gb)
        gb_s = gb_s * (1 - share + share * times)
        usage = Usage(
            {
                "Lambda-MicroVM-vCPU-Second-ARM": gb_s / 2,
                "Lambda-MicroVM-Memory-GB-Second-ARM": gb_s,
            }
        )
        usage.add("Lambda-MicroVM-Snapshot-Write-GB", written_gb)
        usage.add("Lambda-MicroVM-Snapshot-Read-GB", read_gb)
        usage.add("Lambda-MicroVM-Snapshot-ByteHrs", kept_gb_months)
        return usage
