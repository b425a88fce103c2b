"""Which facts make up the price of which usage type.

AWS's usage types stand here; every number is read from the facts. Names of usage types that
``pl.usage.*`` does not list were seen in price-list rows and Cost and Usage lines that public
repositories quote. May import: the standard library and `simulations.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from simulations.facts import Fact, fact
from simulations.pricing.pricelist import FreeTier, Sku, Tier
from simulations.pricing.usage import exact

#: Usage types that more than one service sells (Amazon S3 and DynamoDB carry them too).
SHARED_NAMES = frozenset({"Requests-Tier1", "TimedStorage-ByteHrs"})

LAMBDA, SQS, SNS, LOGS = "AWSLambda", "AWSQueueService", "AmazonSNS", "AmazonCloudWatch"


def from_note(id: str, pattern: str) -> Decimal:
    r"""A number that a fact states in its note; `ValueError` when it does not stand there.

    Examples
    --------
    >>> from_note("sns.price.delivery.http", r"after (\d+k) free")
    Decimal('100000')
    """
    found = re.search(pattern, fact(id).note)
    if found is None:
        raise ValueError(f"the note of {id} has nothing like {pattern!r}: {fact(id).note!r}")
    text = found.group(1)
    scale = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return Decimal(text.rstrip("kM")) * scale


def _flat(one: Fact, part: str | None = None) -> tuple[Tier, ...]:
    value = one.value if part is None else one[part]
    return (Tier(None, exact(one.id, value)),)


def _tiered(one: Fact) -> tuple[Tier, ...]:
    """Tiers as the facts write them: a bound under some name, and a price."""
    tiers = []
    for row in one.value:
        bounds = [v for k, v in row.items() if k.startswith("up_to")]
        scale = 1024 if "up_to_tb" in row else 1  # billing.tb: 1 TB = 1,024 GB
        bound = None if bounds[0] is None else exact(one.id, bounds[0]) * scale
        tiers.append(Tier(bound, exact(one.id, row["usd"])))
    return tuple(tiers)


@dataclass(frozen=True)
class Entry:
    """One row of the catalog: which fact prices a usage type, and how it is metered."""

    usage_type: str
    service: str
    description: str
    unit: str
    price: str
    metering: str
    part: str | None = None
    free: str | None = None


def _lambda_rows() -> Iterator[Entry]:
    duration = "billed duration times configured memory; 1 GB = 1,024 MB"
    for suffix, chip, key in (("", "x86", "x86"), ("-ARM", "Arm", "arm")):
        yield Entry(
            f"Request{suffix}", LAMBDA, f"Lambda requests, {chip}", "request",
            "lambda.price.request", "one for each invocation that starts", free="Global-Request",
        )  # fmt: skip
        yield Entry(
            f"Lambda-GB-Second{suffix}", LAMBDA, f"Lambda duration, {chip}", "GB-s",
            f"lambda.price.duration.{key}.tiers", duration, free="Global-Lambda-GB-Second",
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
    yield Entry(
        "Lambda-Streaming-Response-Processed-Bytes", LAMBDA, "streamed responses", "GB",
        "lambda.price.streaming", "bytes beyond the first 6 MB of each response", free="streaming",
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
    # The name follows that of its group in the price list, AWS-Lambda-SQS-Event-Poller-Unit-Duration.
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


def _message_rows() -> Iterator[Entry]:
    chunks = "every API call, and each further 64 KB of its payload"
    yield Entry(
        "Requests-RBP", SQS, "SQS requests, standard queue", "request", "sqs.price.standard",
        chunks, free="Global-Requests",
    )  # fmt: skip
    yield Entry(
        "Requests-FIFO-RBP", SQS, "SQS requests, FIFO queue", "request", "sqs.price.fifo",
        chunks, free="Global-Requests",
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


def _free_tiers() -> Mapping[str, FreeTier]:
    def stated(pool: str, id: str) -> FreeTier:
        return FreeTier(pool, exact(id, fact(id).value), id)

    def noted(pool: str, id: str) -> FreeTier:
        return FreeTier(pool, from_note(id, r"after (\d+[kM]) free"), id)

    tiers = (
        stated("Global-Request", "lambda.price.free.requests"),
        stated("Global-Lambda-GB-Second", "lambda.price.free.gbs"),
        stated("streaming", "lambda.price.streaming.free"),
        stated("Global-Requests", "sqs.price.free"),
        stated("SNS-Requests", "sns.free.publish"),
        noted("SNS-HTTP", "sns.price.delivery.http"),
        noted("SNS-email", "sns.price.delivery.email"),
    )
    return {tier.pool: tier for tier in tiers}


_TABLES: tuple[Callable[[], Iterator[Entry]], ...] = (_lambda_rows, _message_rows, _log_rows)


@cache
def read_skus(region: str) -> tuple[Sku, ...]:
    """All SKUs that the facts price in a region, in the order of a bill."""
    free = _free_tiers()
    skus = []
    for table in _TABLES:
        for row in table():
            price = fact(row.price)
            if price.region not in (region, "all"):
                continue
            tiers = _tiered(price) if isinstance(price.value, tuple) else _flat(price, row.part)
            pool = free[row.free] if row.free else None
            origin: dict[str, Any] = {
                "as_of": price.as_of,
                "checked": price.checked,
                "source": price.source,
                "facts": (price.id, *((pool.fact,) if pool else ())),
            }
            skus.append(
                Sku(
                    usage_type=row.usage_type,
                    service=row.service,
                    description=row.description,
                    unit=row.unit,
                    tiers=tiers,
                    metering=row.metering,
                    free=pool,
                    **origin,
                )
            )
    return tuple(skus)
