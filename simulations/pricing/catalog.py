"""Which facts make up the price of which usage type.

AWS's usage types stand here; every number is read from the facts. Names of usage types that
``pl.usage.*`` does not list were seen in price-list rows and Cost and Usage lines that public
repositories quote (searched on 2026-11-23), but for `OUR_NAMES`. May import: the standard library and `simulations.facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from simulations.facts import Fact, Source, fact
from simulations.pricing.catalog_calls import call_rows
from simulations.pricing.catalog_table import table_rows
from simulations.pricing.catalog_watch import watch_rows
from simulations.pricing.entry import Entry, from_note
from simulations.pricing.free import free_tiers
from simulations.pricing.pricelist import Sku, Tier
from simulations.pricing.usage import exact

__all__ = ["OUR_NAMES", "SHARED_NAMES", "from_note", "read_skus"]

#: Names that no price-list row or bill that we saw carries. Those of durable executions and of
#: the pollers follow the names of their groups in the price list (AWS-Lambda-Durable-Execution-
#: Operations, AWS-Lambda-SQS-Event-Poller-Unit-Duration); the others are ours. AWS bills kept
#: snapshots of MicroVMs by the hour, as Lambda-MicroVM-Snapshot-Storage-GB-Hour; our row is by
#: the month, as the page prices it. A report's line under another name is named, not priced.
OUR_NAMES = frozenset(
    {
        "Lambda-SQS-Event-Poller-Unit-Hour",
        "Lambda-Tenant-Environment-GB",
        "Lambda-Tenant-Environment-GB-ARM",
        "Lambda-Durable-Execution-Operations",
        "Lambda-Durable-Execution-Written-Bytes",
        "Lambda-Durable-Execution-TimedStorage-ByteHrs",
        "Lambda-MicroVM-Snapshot-ByteHrs",
        "Event-64K-Chunks-CrossAccount",
        "ApiDestination-Invocation",
        "Pipes-Requests-64K-Chunks",
        "ReplayEvents",
        "OnDemandAdvantage-IncomingBytes",
        "OnDemandAdvantage-OutgoingBytes",
    }
)

#: Usage types that more than one service sells (Amazon S3 and DynamoDB carry them too).
SHARED_NAMES = frozenset({"Requests-Tier1", "TimedStorage-ByteHrs"})

LAMBDA, SQS, SNS, LOGS = "AWSLambda", "AWSQueueService", "AmazonSNS", "AmazonCloudWatch"


def _lambda_rows() -> Iterator[Entry]:
    duration = "billed duration times configured memory; 1 GB = 1,024 MB"
    for suffix, chip, key in (("", "x86", "x86"), ("-ARM", "Arm", "arm")):
        yield Entry(
            f"Request{suffix}", LAMBDA, f"Lambda requests, {chip}", "request",
            "lambda.price.request", "one for each invocation that starts", free="Global-Request",
            earlier=("lambda.price.request.2020",) if key == "x86" else (),
        )  # fmt: skip
        yield Entry(
            f"Lambda-GB-Second{suffix}", LAMBDA, f"Lambda duration, {chip}", "GB-s",
            f"lambda.price.duration.{key}.tiers", duration, free="Global-Lambda-GB-Second",
            earlier=("lambda.price.duration.2020",) if key == "x86" else (),
        )  # fmt: skip
        yield Entry(
            f"Lambda-Storage-GB-Second{suffix}", LAMBDA, f"ephemeral storage, {chip}", "GB-s",
            "lambda.price.ephemeral", "billed duration times storage above 512 MB",
        )  # fmt: skip
        yield Entry(
            f"Lambda-Provisioned-Concurrency{suffix}", LAMBDA,
            f"provisioned concurrency, {chip}", "GB-s", f"lambda.price.pc.{key}",
            "environments times memory times time, rounded up to 5 minutes",
        )  # fmt: skip
        yield Entry(
            f"Lambda-Provisioned-GB-Second{suffix}", LAMBDA,
            f"duration on provisioned concurrency, {chip}", "GB-s",
            f"lambda.price.pc.duration.{key}", duration,
        )  # fmt: skip
    for suffix, chip in (("", "x86"), ("-ARM", "Arm")):
        yield Entry(
            f"Lambda-Streaming-Response-Processed-Bytes{suffix}", LAMBDA,
            f"streamed responses, {chip}", "GB", "lambda.price.streaming",
            "bytes beyond the first 6 MB of each response", free="streaming",
        )  # fmt: skip
    yield Entry(
        "Lambda-SnapStart-Cached-GB-S", LAMBDA, "SnapStart cache", "GB-s",
        "lambda.price.snapstart.cache", "memory times time a version is active, at least 3 h",
    )  # fmt: skip
    yield Entry(
        "Lambda-SnapStart-Restored-GB", LAMBDA, "SnapStart restores", "GB",
        "lambda.price.snapstart.restore", "memory of each restored environment",
    )  # fmt: skip
    yield Entry(
        "Lambda-Event-Poller-Unit-Hour", LAMBDA, "provisioned Kafka pollers", "EPU-h",
        "lambda.price.esm.kafka_epu", "per second, at least one minute",
    )  # fmt: skip
    yield Entry(
        "Lambda-SQS-Event-Poller-Unit-Hour", LAMBDA, "provisioned SQS pollers", "EPU-h",
        "lambda.price.esm.sqs_epu", "per second, at least one minute",
    )  # fmt: skip
    yield Entry(
        "Lambda-Edge-Request", LAMBDA, "Lambda@Edge requests", "request",
        "lambda.price.edge.request", "one for each invocation",
    )  # fmt: skip
    yield Entry(
        "Lambda-Edge-GB-Second", LAMBDA, "Lambda@Edge duration", "GB-s",
        "lambda.price.edge.gbs", duration,
    )  # fmt: skip


def _newer_lambda_rows() -> Iterator[Entry]:
    """What Lambda sells since 2025; see `OUR_NAMES` for those whose name was not seen."""
    for suffix, key in (("", "x86"), ("-ARM", "arm")):
        yield Entry(
            f"Lambda-Tenant-Environment-GB{suffix}", LAMBDA, f"tenants' environments, {key}", "GB",
            "lambda.price.tenant_isolation", "memory of each environment created", part=key,
        )  # fmt: skip
    for usage_type, words, unit, part, metering in (
        ("Lambda-Durable-Execution-Operations", "durable operations", "operation", "usd_per_operation",
         "starts, steps, waits and callbacks, each attempt"),
        ("Lambda-Durable-Execution-Written-Bytes", "durable state written", "GB", "usd_per_gb_written",
         "bytes checkpointed"),
        ("Lambda-Durable-Execution-TimedStorage-ByteHrs", "durable state kept", "GB-month",
         "usd_per_gb_month_retained", "bytes kept, times months"),
    ):  # fmt: skip
        yield Entry(usage_type, LAMBDA, words, unit, "lambda.price.durable", metering, part=part)
    for usage_type, words, unit, part in (
        ("Lambda-MicroVM-vCPU-Second-ARM", "MicroVM processors", "vCPU-s", "vcpu_s"),
        ("Lambda-MicroVM-Memory-GB-Second-ARM", "MicroVM memory", "GB-s", "gb_s"),
        ("Lambda-MicroVM-Snapshot-Write-GB", "snapshots written", "GB", "snapshot_write_gb"),
        ("Lambda-MicroVM-Snapshot-Read-GB", "snapshots read", "GB", "snapshot_read_gb"),
        ("Lambda-MicroVM-Snapshot-ByteHrs", "snapshots kept", "GB-month",
         "snapshot_storage_gb_month"),
    ):  # fmt: skip
        yield Entry(
            usage_type, LAMBDA, words, unit, "lambda.price.microvm", "by the second", part=part
        )


def _message_rows() -> Iterator[Entry]:
    chunks = "every API call, and each further 64 KB of its payload"
    yield Entry(
        "Requests-RBP", SQS, "SQS requests, standard queue", "request", "sqs.price.standard",
        chunks, free="Global-Requests", aliases=("Requests-Tier1",),
        aws_attributes=(("queueType", "Standard"),),
    )  # fmt: skip
    yield Entry(
        "Requests-FIFO-RBP", SQS, "SQS requests, FIFO queue", "request", "sqs.price.fifo",
        chunks, free="Global-Requests", aliases=("Requests-FIFO-Tier1", "Requests-RBP"),
        aws_attributes=(("queueType", "FIFO (first-in, first-out)"),),
    )  # fmt: skip
    yield Entry(
        "Requests-Fair-RBP", SQS, "SQS fair-queue surcharge", "request", "sqs.price.fair", chunks
    )
    yield Entry(
        "Requests-Tier1", SNS, "SNS publishes", "request", "sns.price.publish",
        "each 64 KB of a message published", free="SNS-Requests",
    )  # fmt: skip
    for target, words, price, free in (
        ("SQS", "SNS deliveries to SQS", "sqs_lambda", None),
        ("LAMBDA", "SNS deliveries to Lambda", "sqs_lambda", None),
        ("HTTP", "SNS deliveries by HTTP", "http", "SNS-HTTP"),
        ("SMTP", "SNS deliveries by email", "email", "SNS-email"),
        ("FIREHOSE", "SNS deliveries to Firehose", "firehose", None),
        ("APNS", "SNS mobile pushes", "mobile", None),
    ):
        yield Entry(
            f"DeliveryAttempts-{target}", SNS, words, "notification",
            f"sns.price.delivery.{price}", "one for each delivery", free=free,
        )  # fmt: skip
    for usage_type, words, unit, part in (
        ("F-Request-Tier1", "SNS FIFO publishes", "request", "publish_usd"),
        ("F-Ingress-Tier1", "SNS FIFO payload published", "GB", "publish_gb"),
        ("F-DA-SQS", "SNS FIFO deliveries", "message", "delivery_usd"),
        ("F-Egress-SQS", "SNS FIFO payload delivered", "GB", "delivery_gb"),
    ):
        yield Entry(usage_type, SNS, words, unit, "sns.price.fifo", "each message", part=part)


def _log_rows() -> Iterator[Entry]:
    yield Entry(
        "USE1-VendedLog-Bytes", LOGS, "Lambda logs, ingestion", "GB",
        "cw.price.logs.vended_lambda", "bytes written; 1 TB = 1,024 GB",
    )  # fmt: skip
    yield Entry(
        "TimedStorage-ByteHrs", LOGS, "logs, storage", "GB-month", "cw.price.logs.store",
        "compressed bytes kept, times months",
    )  # fmt: skip


_TABLES: tuple[Callable[[], Iterator[Entry]], ...] = (
    _lambda_rows,
    _newer_lambda_rows,
    _message_rows,
    _log_rows,
    table_rows,
    watch_rows,
    call_rows,
)


def entries() -> Iterator[Entry]:
    """All rows of the catalog, in the order of a bill."""
    for table in _TABLES:
        yield from table()


def _tiers(one: Fact, value: object, per: int) -> tuple[Tier, ...]:
    """Tiers as the facts write them (a bound under some name, and a price), or one flat price."""
    if not isinstance(value, tuple):
        return (Tier(None, exact(one.id, value) / per),)
    tiers = []
    for row in value:
        bounds = [v for k, v in row.items() if k.startswith("up_to")]
        scale = 1024 if "up_to_tb" in row else 1  # billing.tb: 1 TB = 1,024 GB
        bound = None if bounds[0] is None else exact(one.id, bounds[0]) * scale
        tiers.append(Tier(bound, exact(one.id, row["usd"]) / per))
    return tuple(tiers)


@cache
def read_skus(region: str, day: str | None = None, unverified: bool = False) -> tuple[Sku, ...]:
    """All SKUs that the facts price in a region, in the order of a bill.

    With a day, a price that held on it and no longer does takes the place of today's, and what
    was first seen later is left out.
    """
    free = free_tiers()
    skus = []
    for row in entries():
        price = fact(row.price)
        # What nobody has read on a page is no price: asking for it fails.
        if price.region not in (region, "all"):
            continue
        if price.confidence == "memory" and not unverified:
            continue
        pool = free[row.free] if row.free else None
        origin: dict[str, Any] = {
            "as_of": price.as_of,
            "checked": price.checked,
            "source": price.source,
            "facts": (price.id, *((pool.fact,) if pool else ())),
        }
        sku = Sku(
            usage_type=row.usage_type,
            service=row.service,
            description=row.description,
            unit=row.unit,
            tiers=_tiers(price, row.value(), row.per),
            metering=row.metering,
            free=pool,
            **origin,
        )
        then = _vintage(row, sku, day)
        if then is not None:
            skus.append(then)
    return tuple(skus)


def _vintage(row: Entry, sku: Sku, day: str | None) -> Sku | None:
    """The SKU as it was on a day; None where the facts do not reach back so far."""
    if day is None:
        return sku
    for name in row.earlier:
        old = fact(name)
        if old["from"] <= day < old["until"]:
            price = old[row.part] if row.part else old["usd"]
            return replace(
                sku,
                tiers=_tiers(old, price, row.per),
                as_of=old.as_of,
                checked=old.checked,
                source=old.source,
                facts=(name, *sku.facts[1:]),
            )
    known = sku.as_of is not None and sku.as_of <= day
    return sku if known else None


def instance_skus(type: str, usd: object, paid_usd: object) -> tuple[Sku, Sku]:
    """An instance type's hours, and Lambda's fee on them (fact lambda.price.lmi)."""
    rule = fact("lambda.price.lmi")
    on_demand = exact(f"price of {type}", usd)
    paid = on_demand if paid_usd is None else exact(f"paid price of {type}", paid_usd)
    fee = on_demand * exact(rule.id, rule["management_fee_pct_of_ec2_on_demand"]) / 100
    caller = Source(None, "given by the caller", "caller")
    hours = Sku(
        f"BoxUsage:{type}", "AmazonEC2", f"{type} instances", "h", (Tier(None, paid),),
        "hours running", None, None, caller, (),
    )  # fmt: skip
    return hours, Sku(
        f"Lambda-Managed-Instances:{type}", LAMBDA, f"Lambda's fee on {type}", "h",
        (Tier(None, fee),), "share of the price on demand, whatever is paid", rule.as_of,
        rule.checked, rule.source, (rule.id,),
    )  # fmt: skip
