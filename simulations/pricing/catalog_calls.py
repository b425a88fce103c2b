"""Rows of the catalog: events, streams, APIs and workflows.

May import: the standard library and `simulations.facts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulations.facts import fact
from simulations.pricing.entry import Entry

EVENTS, KINESIS = "AWSEvents", "AmazonKinesis"
GATEWAY, STATES = "AmazonApiGateway", "AmazonStates"


def _event_rows() -> Iterator[Entry]:
    chunks = "each 64 KB of an event"
    for usage_type, words, unit, price, metering in (
        ("Event-64K-Chunks", "EventBridge custom events", "event", "custom", chunks),
        ("Event-64K-Chunks-CrossAccount", "EventBridge deliveries across accounts", "event",
         "crossaccount", chunks),
        ("ApiDestination-Invocation", "EventBridge API destinations", "invocation", "apidest",
         "one for each invocation"),
        ("Pipes-Requests-64K-Chunks", "EventBridge Pipes", "request", "pipes",
         f"{chunks}, after filtering; a batch counts by its sum"),
        ("ReplayEvents", "EventBridge replays", "event", "replay", "each event replayed"),
        ("Event-8K-Chunks", "EventBridge schema discovery", "event", "schema",
         "each 8 KB of an event"),
    ):  # fmt: skip
        yield Entry(usage_type, EVENTS, words, unit, f"eb.price.{price}", metering)
    yield Entry(
        "ScheduledInvocation", EVENTS, "EventBridge Scheduler", "invocation",
        "eb.price.scheduler", "one for each invocation", free="Scheduler",
    )  # fmt: skip
    yield Entry(
        "ArchivedEvents-Bytes", EVENTS, "EventBridge archive, written", "GB", "eb.price.archive",
        "bytes archived", part="processing_gb",
    )  # fmt: skip
    yield Entry(
        "ArchivedEvents-ByteHrs", EVENTS, "EventBridge archive, kept", "GB-month",
        "eb.price.archive", "bytes kept, times months", part="storage_gb_month",
    )  # fmt: skip


def _stream_rows() -> Iterator[Entry]:
    yield Entry(
        "Storage-ShardHour", KINESIS, "Kinesis shards", "shard-h", "kinesis.price.shard",
        "open shards times hours",
    )  # fmt: skip
    yield Entry(
        "PutRequestPayloadUnits", KINESIS, "Kinesis records put", "unit", "kinesis.price.put",
        "each 25 KB of a record",
    )  # fmt: skip
    yield Entry(
        "Extended-ShardHour", KINESIS, "Kinesis retention of 1 to 7 days", "shard-h",
        "kinesis.price.ext", "shards times hours",
    )  # fmt: skip
    for usage_type, words, unit, price, part in (
        ("LongTermRetention-ByteHrs", "Kinesis retention beyond 7 days", "GB-month", "lt",
         "storage_gb_month"),
        ("LongTermRetention-ReadBytes", "Kinesis reads beyond 7 days", "GB", "lt", "retrieval_gb"),
        ("EnhancedFanoutHour", "Kinesis enhanced fan-out", "consumer-shard-h", "efo",
         "consumer_shard_h"),
        ("ReadBytes", "Kinesis enhanced fan-out, read", "GB", "efo", "gb"),
        ("OnDemand-StreamHour", "Kinesis on demand, streams", "stream-h", "od", "stream_h"),
        ("OnDemand-BilledIncomingBytes", "Kinesis on demand, written", "GB", "od", "in_gb"),
        ("OnDemand-BilledOutgoingBytes", "Kinesis on demand, read", "GB", "od", "out_gb"),
        ("OnDemand-BilledOutgoingEFOBytes", "Kinesis on demand, fan-out read", "GB", "od",
         "efo_out_gb"),
        ("OnDemand-ExtendedRetention-ByteHrs", "Kinesis on demand, kept 1 to 7 days", "GB-month",
         "od", "ext_retention_gb_month"),
        ("OnDemand-LongTermRetention-ByteHrs", "Kinesis on demand, kept longer", "GB-month", "od",
         "lt_gb_month"),
        ("OnDemandAdvantage-IncomingBytes", "Kinesis Advantage, written", "GB", "adv", "in_gb"),
        ("OnDemandAdvantage-OutgoingBytes", "Kinesis Advantage, read", "GB", "adv", "out_gb"),
    ):  # fmt: skip
        yield Entry(
            usage_type, KINESIS, words, unit, f"kinesis.price.{price}", "as counted", part=part
        )


def _gateway_rows() -> Iterator[Entry]:
    for usage_type, words, unit, price, metering, free in (
        ("USE1-ApiGatewayRequest", "REST API calls", "request", "rest", "each call", "REST"),
        ("USE1-ApiGatewayHttpRequest", "HTTP API calls", "request", "http",
         "each 512 KB of a call", "HTTP"),
        ("USE1-ApiGatewayMessage", "WebSocket messages", "message", "ws",
         "each 32 KB of a message, either way", "Messages"),
        ("USE1-ApiGatewayMinute", "WebSocket connections", "minute", "ws_conn",
         "minutes connected", "Minutes"),
    ):  # fmt: skip
        yield Entry(
            usage_type, GATEWAY, words, unit, f"apigw.price.{price}", metering,
            free=f"ApiGateway-{free}",
        )  # fmt: skip
    for price in ("apigw.price.cache", "apigw.price.cache_mem"):
        for size in fact(price).value:
            yield Entry(
                f"USE1-ApiGatewayCacheUsage:{size}GB", GATEWAY, f"REST cache of {size} GB", "h",
                price, "hours, used or not", part=size,
            )  # fmt: skip


def _workflow_rows() -> Iterator[Entry]:
    yield Entry(
        "USE1-StateTransition", STATES, "Step Functions transitions", "transition",
        "sfn.price.standard", "each state entered, retries too", free="StateTransitions",
    )  # fmt: skip
    yield Entry(
        "USE1-StepFunctions-Request", STATES, "Step Functions Express requests", "request",
        "sfn.price.express.request", "each execution started",
    )  # fmt: skip
    yield Entry(
        "USE1-StepFunctions-GB-Second", STATES, "Step Functions Express duration", "GB-s",
        "sfn.price.express.duration", "by 100 ms and 64 MB, rounded up",
    )  # fmt: skip


def call_rows() -> Iterator[Entry]:
    """EventBridge, Kinesis, API Gateway, Step Functions."""
    yield from _event_rows()
    yield from _stream_rows()
    yield from _gateway_rows()
    yield from _workflow_rows()
