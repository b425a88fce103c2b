"""What the inputs of worked examples mean: logs, metrics, alarms, storage, transfer, quantities.

May import: the standard library, `simulations.pricing`, `simulations.facts`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from simulations.experiments.worked_bills import Case, Inputs, NotUnderstood, reads
from simulations.facts import fact
from simulations.pricing import (
    Usage,
    alarms_usage,
    billed_ms,
    dynamodb_usage,
    eventbridge_usage,
    http_api_usage,
    kinesis_usage,
    lambda_usage,
    log_volume_usage,
    metrics_usage,
    s3_usage,
    sqs_usage,
    traces_usage,
    transfer_usage,
    websocket_usage,
)

GB_PER_TB = 1024


def _gb(given: Inputs, *names: str) -> float:
    """Gigabytes, stated in GB or TB under any of these names."""
    total = 0.0
    for name in names:
        total += given.take(f"{name}_tb", default=0) * GB_PER_TB
        total += given.take(f"{name}_gb", default=0)
    return total


@reads("cloudwatch")
def cloudwatch_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Logs by volume, metrics, alarms, dashboards."""
    title = str(example.get("title", ""))
    prices = example.get("unit_prices") or {}
    kind = "s3" if "S3" in title else "vended" if "tiers" in prices else "custom"
    kind = "vended" if "ambda" in title and kind != "s3" else kind
    free = given.take("free", "free_tier")
    usage = log_volume_usage(
        _gb(given, "ingest", "ingested"), kind=kind,
        kept_gb_months=_gb(given, "stored", "stored_compressed", "archived"),
        scanned_gb=_gb(given, "insights", "scanned"),
        live_tail_minutes=given.take("live_tail_min", default=0),
    )  # fmt: skip
    usage += metrics_usage(
        given.take("custom_metrics", "metrics", default=0),
        asked=given.take("get_metric_data", default=0),
    )
    usage += alarms_usage(
        given.take("alarms", "standard", default=0),
        high_resolution=given.take("hires", "high_resolution", default=0),
        composite=given.take("composite", default=0),
        anomaly=given.take("anomaly", default=0),
        anomaly_high_resolution=given.take("anomaly_hires", default=0),
        expression_metrics=given.take("expression_metrics", default=0),
        dashboards=given.take("dashboards", default=0),
    )
    pools = ("Logs", "Metrics", "Alarms", "Dashboards", "LiveTail")
    case = Case(usage, free=[f"CloudWatch-{pool}" for pool in pools] if free else [])
    ingest = {"s3": "USE1-S3-Egress-Bytes", "vended": "USE1-VendedLog-Bytes",
              "custom": "DataProcessing-Bytes"}[kind]  # fmt: skip
    store = "AmazonS3" if kind == "s3" else "AmazonCloudWatch"
    for name, usage_type in (
        ("tiers", ingest), ("ingest", ingest), ("metric", "CW:MetricMonitorUsage"),
        ("alarm", "CW:AlarmMonitorUsage"), ("std", "CW:AlarmMonitorUsage"),
        ("hi", "CW:HighResAlarmMonitorUsage"), ("d", "DashboardsUsageHour"),
        ("dashboard", "DashboardsUsageHour"), ("composite", "CW:CompositeAlarmMonitorUsage"),
        ("insights", "DataScanned-Bytes"),
    ):  # fmt: skip
        case.price(name, usage_type)
    if store == "AmazonCloudWatch":
        case.price("store", f"{store}:TimedStorage-ByteHrs")
    else:
        case.price("store", f"{store}:TimedStorage-ByteHrs", 0)
    return case


@reads("s3")
def s3_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Storage and requests of a bucket."""
    free = given.take("free", "free_tier")
    stored = _gb(given, "stored", "storage")
    case = Case(
        s3_usage(stored, given.month("puts", "put"), given.month("gets", "get")),
        free=["DataTransfer-Out"] if free else [],
    )
    case.usage += transfer_usage(internet_gb=_gb(given, "out", "transfer"))
    case.price("gb", "AmazonS3:TimedStorage-ByteHrs", 0)
    return case


@reads("xray")
def traces_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Traces recorded, and read again."""
    free = ["XRay-Traces"] if given.take("free", "free_tier") else []
    read = given.take("retrieved", "scanned", default=0)
    case = Case(traces_usage(given.month("traces", "recorded"), read), free=free)
    case.price("trace", "XRay-TracesStored")
    return case


@reads("datatransfer", "vpc")
def transfer_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Bytes out, between zones and regions, through gateways and endpoints."""
    free = given.take("free", "free_tier")
    zones = given.take("azs", "zones", default=1)
    usage = transfer_usage(
        _gb(given, "out", "internet"), zones_gb=_gb(given, "az", "cross_az"),
        regions_gb=_gb(given, "region", "cross_region"), nat_gb=_gb(given, "nat"),
        nat_hours=given.take("nat_hours", default=0), endpoint_gb=_gb(given, "vpce", "endpoint"),
        endpoint_zone_hours=given.take("vpce_hours", default=0) * zones,
    )  # fmt: skip
    return Case(usage, free=["DataTransfer-Out"] if free else [])


@reads("billing")
def billing_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """A volume discount over several accounts: the page's own tiers, on the sum of all."""
    prices, per_tb = example["unit_prices"], given.take("gb_per_tb", default=GB_PER_TB)
    name = "DataTransfer-Out-Bytes"
    tiers = [
        (1 * per_tb, prices["first_tb"]), (50 * per_tb, prices["next_49"]), (None, prices["rest"]),
    ]  # fmt: skip
    given.take("accounts")
    return Case(Usage({name: given.take("tb") * per_tb}), own={name: tiers})


def quantity(example: Mapping[str, Any]) -> Decimal:
    """What an example counts, where it is no dollars: milliseconds, environments, units.

    Raises
    ------
    NotUnderstood
        If its inputs are none that are known here.

    Examples
    --------
    >>> quantity({"id": "", "service": "eventbridge", "inputs": {"kb": 256}})
    Decimal('4')
    """
    given, service = dict(example["inputs"]), str(example["service"])
    keys = given.keys()
    if "duration_ms" in keys:
        return Decimal(billed_ms(given["duration_ms"], given.get("init_ms", 0.0)))
    if {"rps", "avg_s"} <= keys:
        # Concurrency, or the quota that the rate itself needs (ten requests a second each).
        running = Decimal(repr(given["rps"])) * Decimal(repr(given["avg_s"]))
        if "quota" in f"{example.get('title', '')} {example.get('unit', '')}".casefold():
            factor = int(str(fact("lambda.quota.rps").value).partition(" x")[0])
            running = max(running, Decimal(repr(given["rps"])) / factor)
        return Decimal(math.ceil(running))
    if keys & {"mb", "kb"}:
        kb = given.get("kb", given.get("mb", 0) * 1024)
        about = f"{example.get('title', '')} {example.get('id', '')}".casefold()
        counted = _by_size(service, kb, about)
        if counted is None:
            raise NotUnderstood(f"{example['id']}: no size is counted by {service}")
        return next(iter(counted.values()))
    raise NotUnderstood(f"{example['id']}: inputs {', '.join(keys)} are not understood")


def _by_size(service: str, kb: float, about: str) -> Usage | None:
    """What one call of this size counts as."""
    match service:
        case "apigateway" if "ws" in about or "socket" in about:
            return websocket_usage(1, kb)
        case "apigateway":
            return http_api_usage(1, kb)
        case "eventbridge":
            return eventbridge_usage(1, kb)
        case "sqs" | "sns":
            return sqs_usage(1, kb)
        case "kinesis":
            return Usage(
                {"units": kinesis_usage(records=1, record_kb=kb)["PutRequestPayloadUnits"]}
            )
        case "lambda":
            return lambda_usage(1, 1, 128, event_kb=kb)
        case "dynamodb" if "transact" in about and "wr" in about:
            return dynamodb_usage(transactional_writes=1, item_kb=kb)
        case "dynamodb" if "wr" in about:
            return dynamodb_usage(writes=1, item_kb=kb)
        case "dynamodb":
            kind = "strong" if "strong" in about else "eventual"
            kind = "transactional" if "transact" in about else kind
            return dynamodb_usage(reads=1, item_kb=kb, consistency=kind)
    return None
