"""Rows of the catalog: watching, storing and moving data, and servers to compare with.

May import: the standard library.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulations.pricing.entry import Entry

WATCH, XRAY, S3 = "AmazonCloudWatch", "AWSXRay", "AmazonS3"
TRANSFER, VPC = "AWSDataTransfer", "AmazonVPC"
CONTAINERS, BALANCER, SERVERS = "AmazonECS", "AWSELB", "AmazonEC2"


def _watch_rows() -> Iterator[Entry]:
    logs = "CloudWatch-Logs"
    yield Entry(
        "DataProcessing-Bytes", WATCH, "logs other than Lambda's, ingestion", "GB",
        "cw.price.logs.ingest", "bytes written", free=logs,
    )  # fmt: skip
    yield Entry(
        "USE1-S3-Egress-Bytes", WATCH, "vended logs to S3, ingestion", "GB",
        "cw.price.logs.vended_s3", "bytes written; 1 TB = 1,024 GB",
    )  # fmt: skip
    yield Entry(
        "DataScanned-Bytes", WATCH, "Logs Insights", "GB", "cw.price.logs.insights",
        "bytes scanned", free=logs,
    )  # fmt: skip
    yield Entry(
        "Logs-LiveTail", WATCH, "Live Tail", "min", "cw.price.logs.livetail", "minutes of use",
        free="CloudWatch-LiveTail",
    )  # fmt: skip
    yield Entry(
        "CW:MetricMonitorUsage", WATCH, "custom metrics", "metric-month", "cw.price.metrics",
        "metrics times months, by the hour", free="CloudWatch-Metrics",
    )  # fmt: skip
    for usage_type, words, part, free in (
        ("CW:AlarmMonitorUsage", "alarms", "standard", "CloudWatch-Alarms"),
        ("CW:HighResAlarmMonitorUsage", "alarms, high resolution", "high_resolution", None),
        ("CW:CompositeAlarmMonitorUsage", "alarms, composite", "composite", None),
        ("CW:AnomalyAlarmMonitorUsage", "alarms on anomalies", "anomaly_standard", None),
        ("CW:HighResAnomalyAlarmMonitorUsage", "alarms on anomalies, high resolution",
         "anomaly_high_res", None),
    ):  # fmt: skip
        yield Entry(
            usage_type, WATCH, words, "alarm-metric-month", "cw.price.alarms",
            "metrics watched, times months", part=part, free=free,
        )  # fmt: skip
    yield Entry(
        "DashboardsUsageHour", WATCH, "dashboards", "dashboard-month", "cw.price.dashboard",
        "dashboards times months", free="CloudWatch-Dashboards",
    )  # fmt: skip
    yield Entry(
        "CW:GMD-Metrics", WATCH, "metrics asked for", "metric", "cw.price.api",
        "metrics in GetMetricData", per=1000,
    )  # fmt: skip
    yield Entry(
        "CW:Requests", WATCH, "CloudWatch calls", "request", "cw.price.api",
        "PutMetricData and others", per=1000, free="CloudWatch-Requests",
    )  # fmt: skip
    million = 1_000_000
    yield Entry(
        "XRay-TracesStored", XRAY, "traces recorded", "trace", "xray.price", "each trace",
        part="recorded_per_million", per=million, free="XRay-Traces",
    )  # fmt: skip
    yield Entry(
        "XRay-TracesAccessed", XRAY, "traces retrieved or scanned", "trace", "xray.price",
        "each trace", part="retrieved_or_scanned_per_million", per=million,
    )  # fmt: skip


def _storage_rows() -> Iterator[Entry]:
    yield Entry(
        "TimedStorage-ByteHrs", S3, "S3 Standard, storage", "GB-month", "s3.price.storage",
        "bytes kept, times months",
    )  # fmt: skip
    yield Entry(
        "TimedStorage-SIA-ByteHrs", S3, "S3 Standard-IA, storage", "GB-month", "s3.price.ia",
        "bytes kept, times months", part="storage",
    )  # fmt: skip
    for prefix, words, price in (
        ("Requests-", "S3 Standard", "s3.price.req"),
        ("Requests-SIA-", "S3 Standard-IA", "s3.price.ia"),
    ):
        for tier, what, part in (("1", "PUT, COPY, POST, LIST", "put_1k"), ("2", "GET", "get_1k")):
            yield Entry(
                f"{prefix}Tier{tier}", S3, f"{words}, {what}", "request", price, "each call",
                part=part, per=1000,
            )  # fmt: skip


def _transfer_rows() -> Iterator[Entry]:
    yield Entry(
        "DataTransfer-Out-Bytes", TRANSFER, "data to the internet", "GB", "xfer.price.out",
        "bytes out, over all services", free="DataTransfer-Out",
    )  # fmt: skip
    yield Entry(
        "DataTransfer-Regional-Bytes", TRANSFER, "data between zones", "GB", "xfer.price.az",
        "bytes, each direction",
    )  # fmt: skip
    yield Entry(
        "USE1-AWS-Out-Bytes", TRANSFER, "data to another region", "GB", "xfer.price.region",
        "bytes out",
    )  # fmt: skip
    for usage_type, words, unit, price, part in (
        ("NatGateway-Hours", "NAT gateways", "h", "nat", "hour"),
        ("NatGateway-Bytes", "NAT gateways, data", "GB", "nat", "gb"),
        ("VpcEndpoint-Hours", "interface endpoints", "zone-h", "vpce", "hour_per_az"),
        ("VpcEndpoint-Bytes", "interface endpoints, data", "GB", "vpce", "gb"),
    ):
        yield Entry(usage_type, VPC, words, unit, f"vpc.price.{price}", "as counted", part=part)


def _server_rows() -> Iterator[Entry]:
    for usage_type, words, unit, part in (
        ("USE1-Fargate-vCPU-Hours:perCPU", "Fargate tasks, processors", "vCPU-h", "vcpu_h_usd"),
        ("USE1-Fargate-GB-Hours", "Fargate tasks, memory", "GB-h", "gb_h_usd"),
    ):
        yield Entry(
            usage_type, CONTAINERS, words, unit, "fargate.price", "by the second", part=part
        )
    application = (("operation", "LoadBalancing:Application"),)
    for usage_type, words, unit, part in (
        ("LoadBalancerUsage", "Application Load Balancers", "h", "hour_usd"),
        ("LCUUsage", "Application Load Balancers, capacity", "LCU-h", "lcu_h_usd"),
    ):
        yield Entry(
            usage_type, BALANCER, words, unit, "elb.price.alb", "as counted", part=part,
            aws_attributes=application,
        )  # fmt: skip
    yield Entry(
        "BoxUsage:m6i.large", SERVERS, "m6i.large instances", "h", "ec2.price.m6i_large",
        "hours running", part="hour_usd",
    )  # fmt: skip


def watch_rows() -> Iterator[Entry]:
    """CloudWatch, X-Ray, S3, data transfer, VPC, containers, load balancers, instances."""
    yield from _watch_rows()
    yield from _storage_rows()
    yield from _transfer_rows()
    yield from _server_rows()
