"""Watching, storing and moving data, from plain inputs to usage.

May import: the standard library, `simulations.facts`, `simulations._check` and the rest of this
package.
"""

from __future__ import annotations

from decimal import localcontext

from simulations._check import between
from simulations.pricing.usage import EXACT, Usage, exact

#: Where vended logs can go, and the usage type of what is ingested.
LOG_TARGETS = {"lambda": "USE1-VendedLog-Bytes", "vended": "USE1-VendedLog-Bytes",
               "s3": "USE1-S3-Egress-Bytes", "custom": "DataProcessing-Bytes"}  # fmt: skip


def log_volume_usage(
    ingested_gb: float,
    *,
    kind: str = "lambda",
    kept_gb_months: float = 0.0,
    scanned_gb: float = 0.0,
    live_tail_minutes: float = 0.0,
) -> Usage:
    """What logs use, by volume; `logs_usage` starts from requests instead.

    Parameters
    ----------
    ingested_gb, kind
        Gigabytes written: "lambda" or "vended" (tiered), "custom" (flat), or "s3" for vended
        logs that go to S3 and are kept there.
    kept_gb_months
        Compressed gigabytes kept, times months.
    scanned_gb, live_tail_minutes
        Logs Insights and Live Tail.

    Examples
    --------
    >>> log_volume_usage(72 * 1024, kind="s3", kept_gb_months=1)
    Usage({'USE1-S3-Egress-Bytes': Decimal('73728'), 'AmazonS3:TimedStorage-ByteHrs': Decimal('1')})
    """
    if kind not in LOG_TARGETS:
        raise ValueError(f"kind={kind!r} is none of {', '.join(LOG_TARGETS)}")
    usage = Usage({LOG_TARGETS[kind]: ingested_gb})
    kept_in = "AmazonS3" if kind == "s3" else "AmazonCloudWatch"
    for name, named, quantity in (
        (f"{kept_in}:TimedStorage-ByteHrs", "kept_gb_months", kept_gb_months),
        ("DataScanned-Bytes", "scanned_gb", scanned_gb),
        ("Logs-LiveTail", "live_tail_minutes", live_tail_minutes),
    ):
        if exact(named, quantity):
            usage.add(name, quantity)
    return usage


def metrics_usage(metrics: float = 0, *, share_of_month: float = 1.0, asked: float = 0) -> Usage:
    """What custom metrics use: metrics times months, by the hour; and GetMetricData.

    Examples
    --------
    >>> metrics_usage(13, share_of_month=0.5)["CW:MetricMonitorUsage"]
    Decimal('6.5')
    """
    share = exact("share_of_month", between("share_of_month", share_of_month, 0, 1))
    with localcontext(EXACT):
        usage = Usage({"CW:MetricMonitorUsage": exact("metrics", metrics) * share})
    if exact("asked", asked):
        usage.add("CW:GMD-Metrics", asked)
    return usage


def alarms_usage(
    standard: float = 0,
    *,
    high_resolution: float = 0,
    composite: float = 0,
    anomaly: float = 0,
    anomaly_high_resolution: float = 0,
    expression_metrics: float = 0,
    dashboards: float = 0,
) -> Usage:
    """What alarms use, each for a month.

    Parameters
    ----------
    standard, high_resolution, composite
        Alarms of each kind.
    anomaly, anomaly_high_resolution
        On a band: the price of three (the metric and the band's two edges).
    expression_metrics
        Metrics in the expressions of alarms on metric math: one charge each.
    dashboards
        Dashboards kept for a month.

    Examples
    --------
    >>> alarms_usage(1, expression_metrics=2)
    Usage({'CW:AlarmMonitorUsage': Decimal('3')})
    """
    with localcontext(EXACT):
        plain = exact("standard", standard) + exact("expression_metrics", expression_metrics)
    usage = Usage({"CW:AlarmMonitorUsage": plain})
    for name, named, quantity in (
        ("CW:HighResAlarmMonitorUsage", "high_resolution", high_resolution),
        ("CW:CompositeAlarmMonitorUsage", "composite", composite),
        ("CW:AnomalyAlarmMonitorUsage", "anomaly", anomaly),
        ("CW:HighResAnomalyAlarmMonitorUsage", "anomaly_high_res", anomaly_high_resolution),
        ("DashboardsUsageHour", "dashboards", dashboards),
    ):
        if exact(named, quantity):
            usage.add(name, quantity)
    return usage


def traces_usage(recorded: float, read: float = 0) -> Usage:
    """What X-Ray uses: traces recorded, and traces retrieved or scanned.

    Examples
    --------
    >>> traces_usage(1000)["XRay-TracesStored"]
    Decimal('1000')
    """
    usage = Usage({"XRay-TracesStored": recorded})
    if exact("read", read):
        usage.add("XRay-TracesAccessed", read)
    return usage


def s3_usage(
    stored_gb_months: float = 0.0, puts: float = 0, gets: float = 0, *, infrequent: bool = False
) -> Usage:
    """What a bucket uses: storage, PUT-like and GET-like requests.

    Examples
    --------
    >>> usage = s3_usage(100, puts=1000, gets=10_000)
    >>> print(usage["AmazonS3:Requests-Tier1"])
    1000
    """
    if infrequent:
        names = ("TimedStorage-SIA-ByteHrs", "Requests-SIA-Tier1", "Requests-SIA-Tier2")
    else:
        names = ("AmazonS3:TimedStorage-ByteHrs", "AmazonS3:Requests-Tier1", "Requests-Tier2")
    return Usage(dict(zip(names, (stored_gb_months, puts, gets), strict=True)))


def transfer_usage(
    internet_gb: float = 0.0,
    *,
    zones_gb: float = 0.0,
    regions_gb: float = 0.0,
    nat_gb: float = 0.0,
    nat_hours: float = 0.0,
    endpoint_gb: float = 0.0,
    endpoint_zone_hours: float = 0.0,
) -> Usage:
    """What moving data uses.

    Parameters
    ----------
    internet_gb, regions_gb
        Out to the internet, and out to another region.
    zones_gb
        Between zones of one region; it is charged on both sides, so it counts twice.
    nat_gb, nat_hours, endpoint_gb, endpoint_zone_hours
        Through NAT gateways and interface endpoints, and how long those stand.

    Examples
    --------
    >>> transfer_usage(zones_gb=5)
    Usage({'DataTransfer-Regional-Bytes': Decimal('10')})
    """
    usage = Usage()
    with localcontext(EXACT):
        for name, named, quantity, times in (
            ("DataTransfer-Out-Bytes", "internet_gb", internet_gb, 1),
            ("DataTransfer-Regional-Bytes", "zones_gb", zones_gb, 2),
            ("USE1-AWS-Out-Bytes", "regions_gb", regions_gb, 1),
            ("NatGateway-Bytes", "nat_gb", nat_gb, 1),
            ("NatGateway-Hours", "nat_hours", nat_hours, 1),
            ("VpcEndpoint-Bytes", "endpoint_gb", endpoint_gb, 1),
            ("VpcEndpoint-Hours", "endpoint_zone_hours", endpoint_zone_hours, 1),
        ):
            if exact(named, quantity):
                usage.add(name, exact(named, quantity) * times)
    return usage
