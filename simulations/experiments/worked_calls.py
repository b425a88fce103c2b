"""What the inputs of worked examples mean: queues, topics, buses, streams, APIs, workflows.

May import: the standard library, `simulations.pricing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulations.experiments.worked_bills import Case, Inputs, reads
from simulations.pricing import (
    Usage,
    eventbridge_usage,
    express_workflow_usage,
    http_api_usage,
    kinesis_on_demand_usage,
    kinesis_usage,
    pipes_usage,
    rest_api_usage,
    scheduler_usage,
    sns_usage,
    sqs_usage,
    standard_workflow_usage,
    websocket_usage,
)


@reads("sqs")
def sqs_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Requests of a size, or messages all the way."""
    fifo = bool(given.take("fifo", default="fifo" in str(example["id"])))
    usage = sqs_usage(
        given.month("requests"), given.take("payload_kb", "kb", default=0), fifo=fifo,
        fair=bool(given.take("fair", default=False)), messages=given.month("messages"),
        message_kb=given.take("message_kb", default=1),
        send_batch=given.take("send_batch", default=1),
        receive_batch=given.take("receive_batch", "batch", default=1),
        empty_receives=given.take("empty_receives", default=0),
    )  # fmt: skip
    case = Case(usage, free=["Global-Requests"] if given.take("free", "free_tier") else [])
    case.price("request", "Requests-FIFO-RBP" if fifo else "Requests-RBP")
    case.price("tiers", "Requests-FIFO-RBP" if fifo else "Requests-RBP")
    case.price("fair", "Requests-Fair-RBP")
    return case


@reads("sns")
def sns_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Publishes and deliveries; infracost takes decimal gigabytes for FIFO payload."""
    fifo = bool(given.take("fifo", default="gb" in (example.get("unit_prices") or {})))
    free = ["SNS-Requests"] if given.take("free_requests", "free", "free_tier") else []
    targets = {
        target: given.take(f"{target}_deliveries", target)
        for target in ("sqs", "lambda", "http", "email", "firehose", "mobile")
        if given.keys() & {f"{target}_deliveries", target}
    }
    decimal = str(example.get("source_type", "")) == "infracost_golden"
    usage = sns_usage(
        given.month("requests", "publishes"), given.take("payload_kb", "kb", default=1), fifo=fifo,
        deliveries=targets, kb_per_gb=1_000_000 if decimal else 1024 * 1024,
    )  # fmt: skip
    case = Case(usage, free=free)
    case.price("request", "F-Request-Tier1" if fifo else "AmazonSNS:Requests-Tier1")
    case.price("gb", "F-Ingress-Tier1")
    case.price("http", "DeliveryAttempts-HTTP")
    case.price("email", "DeliveryAttempts-SMTP")
    return case


@reads("eventbridge", "pipes", "scheduler")
def eventbridge_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Events on a bus, through a pipe, or invocations of a schedule."""
    kb = given.take("kb", "event_kb", "payload_kb", default=1)
    free = ["Scheduler"] if given.take("free", "free_tier") else []
    batch = given.take("batch", default=1)
    usage = eventbridge_usage(
        given.month("events", "custom_events", "requests"), kb,
        cross_account=given.take("cross_account", default=0),
        api_destinations=given.take("api_destinations", default=0),
        archived_gb=given.take("archive_gb", "archived_gb", default=0),
        archived_gb_months=given.take("archive_gb_months", "archive_storage_gb", default=0),
        replayed=given.take("replayed", "replay", default=0),
        discovered=given.take("discovered", "schema_events", default=0),
    )  # fmt: skip
    usage += pipes_usage(given.month("pipes_events", "pipe_events"), kb, batch=batch)
    usage += scheduler_usage(given.month("invocations", "scheduled"))
    case = Case(usage, free=free)
    for name, usage_type in (
        ("event", "Event-64K-Chunks"), ("custom", "Event-64K-Chunks"),
        ("cross_account", "Event-64K-Chunks-CrossAccount"), ("replay", "ReplayEvents"),
        ("api_destination", "ApiDestination-Invocation"), ("schema", "Event-8K-Chunks"),
        ("archive_gb", "ArchivedEvents-Bytes"), ("pipe", "Pipes-Requests-64K-Chunks"),
        ("archive_storage", "ArchivedEvents-ByteHrs"), ("invocation", "ScheduledInvocation"),
    ):  # fmt: skip
        case.price(name, usage_type)
    return case


@reads("kinesis")
def kinesis_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """A provisioned stream by shards, an on-demand one by gigabytes."""
    if "shards" in given:
        usage = kinesis_usage(
            given.take("shards"), given.take("hours", default=730),
            records=given.month("records"), record_kb=given.take("record_kb", default=1),
            put_units=given.take("put_units", default=0),
            extended_shard_hours=given.take("ext", "extended_shard_h", default=0),
            long_term_gb_months=given.take("lt_gb", default=0),
            long_term_read_gb=given.take("lt_retrieval_gb", default=0),
            fan_out_gb=given.take("efo_gb", default=0),
            fan_out_shard_hours=given.take("efo_consumer_shard_h", default=0),
        )  # fmt: skip
    elif "records" in given:
        usage = kinesis_on_demand_usage(
            given.month("records"), given.take("record_kb"),
            stream_hours=given.take("stream_h", "hours", default=730),
            reads=given.take("consumers", default=1),
        )  # fmt: skip
    else:
        usage = Usage()
        for usage_type, names in (
            ("OnDemand-StreamHour", ("stream_h", "stream_hours", "hours")),
            ("OnDemand-BilledIncomingBytes", ("in_gb",)),
            ("OnDemand-BilledOutgoingBytes", ("out_gb",)),
            ("OnDemand-BilledOutgoingEFOBytes", ("efo_out_gb", "efo_gb")),
            ("OnDemand-ExtendedRetention-ByteHrs", ("ext_gb", "ext_retention_gb", "ext")),
            ("OnDemand-LongTermRetention-ByteHrs", ("lt_gb", "lt", "lt_retention_gb")),
        ):
            usage.add(usage_type, given.take(*names, default=0))
    case = Case(usage)
    for name, usage_type in (
        ("shard_h", "Storage-ShardHour"), ("put", "PutRequestPayloadUnits"),
        ("lt", "LongTermRetention-ByteHrs"), ("ltr", "LongTermRetention-ReadBytes"),
        ("efo_gb", "ReadBytes"), ("efo_h", "EnhancedFanoutHour"),
        ("stream_h", "OnDemand-StreamHour"), ("in_gb", "OnDemand-BilledIncomingBytes"),
        ("out_gb", "OnDemand-BilledOutgoingBytes"),
        ("efo_out_gb", "OnDemand-BilledOutgoingEFOBytes"), ("ext", "Extended-ShardHour"),
    ):  # fmt: skip
        case.price(name, usage_type)
    return case


@reads("apigateway")
def gateway_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """WebSocket, cache, HTTP or REST: told apart by their inputs and prices."""
    prices = example.get("unit_prices") or {}
    size = given.take("request_kb", default=0) + given.take("response_kb", default=0)
    case = Case(Usage())
    if given.keys() & {"message_kb", "messages", "users"}:
        return _websocket(given, case)
    caches = given.take("caches_gb", default=[])
    caches = caches or [c for c in [given.take("cache_gb")] if c is not None]
    hours = given.take("hours", default=0)
    for number, cache in enumerate(caches):
        usage = rest_api_usage(0, cache_gb=cache, cache_hours=hours)
        case.usage += {name: amount for name, amount in usage.items() if amount}
        hourly = prices.get("h", prices.get("hour"))
        if isinstance(hourly, list):
            hourly = hourly[number]
    requests = given.month("requests")
    title = f"{example['id']} {example['title']}".casefold()
    if "http" in title or "first_300m" in prices:
        case.usage += http_api_usage(requests, size or given.take("payload_kb", default=0))
        for name, tier in (("first_300m", 0), ("rest", 1)):
            case.price(name, "USE1-ApiGatewayHttpRequest", tier)
        case.price("tiers", "USE1-ApiGatewayHttpRequest")
        case.price("request", "USE1-ApiGatewayHttpRequest")
        return case
    zones = given.take("azs", "zones", default=0)
    case.usage += rest_api_usage(requests, zones=zones, endpoint_hours=hours, payload_kb=size)
    for name, usage_type in (
        ("request", "USE1-ApiGatewayRequest"), ("tiers", "USE1-ApiGatewayRequest"),
        ("vpce_h", "VpcEndpoint-Hours"), ("vpce_gb", "VpcEndpoint-Bytes"),
    ):  # fmt: skip
        case.price(name, usage_type)
    return case


def _websocket(given: Inputs, case: Case) -> Case:
    users, days = given.take("users", default=0), given.take("days", default=30)
    messages = given.take("messages", default=0)
    messages += users * days * (given.take("sent", default=0) + given.take("received", default=0))
    minutes = given.take("minutes", default=0)
    minutes += users * days * 60 * given.take("hours_per_day", default=0)
    size = given.take("message_kb", default=1)
    case.usage += websocket_usage(messages, size, connection_minutes=minutes)
    case.price("message", "USE1-ApiGatewayMessage")
    case.price("tiers", "USE1-ApiGatewayMessage")
    case.price("minute", "USE1-ApiGatewayMinute")
    return case


@reads("stepfunctions")
def workflow_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Standard workflows by transitions, Express ones by requests, time and memory."""
    free = ["StateTransitions"] if given.take("free", "free_tier") else []
    if "duration_ms" in given:
        usage = express_workflow_usage(
            given.month("requests", "executions"), given.take("duration_ms"),
            given.take("memory_mb", default=0),
        )  # fmt: skip
    else:
        executions = given.take("executions", "workflows", default=1)
        usage = standard_workflow_usage(
            executions, given.take("transitions", "transitions_per_execution"),
            given.take("retries", default=0),
        )  # fmt: skip
    case = Case(usage, free=free)
    case.price("transition", "USE1-StateTransition")
    case.price("request", "USE1-StepFunctions-Request")
    case.price("gb_s", "USE1-StepFunctions-GB-Second")
    return case
