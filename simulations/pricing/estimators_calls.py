"""Events, streams, APIs and workflows, from plain inputs to usage.

May import: the standard library, `simulations.facts`, `simulations._check` and the rest of this
package.
"""

from __future__ import annotations

import math
from decimal import localcontext

from simulations._check import not_negative, positive
from simulations.facts import fact
from simulations.pricing.estimators import KB_PER_GB, chunks
from simulations.pricing.usage import EXACT, Usage, exact

#: A record put to a provisioned stream counts by these; one on demand is rounded up to 1 KB.
PUT_UNIT_KB = 25
#: An HTTP API's call and a WebSocket's message count by these (facts apigw.price.http, .ws).
HTTP_STEP_KB, MESSAGE_STEP_KB = 512, 32
#: Schema discovery counts by these (fact eb.price.schema).
SCHEMA_STEP_KB = 8


def eventbridge_usage(
    events: float = 0,
    event_kb: float = 1.0,
    *,
    cross_account: float = 0,
    api_destinations: float = 0,
    archived_gb: float = 0.0,
    archived_gb_months: float = 0.0,
    replayed: float = 0,
    discovered: float = 0,
) -> Usage:
    """What an event bus uses; AWS's own events cost nothing to receive.

    Parameters
    ----------
    events, event_kb
        Custom or partner events put, and the size of each: every 64 KB is one.
    cross_account, api_destinations
        Deliveries to another account's bus, and invocations of API destinations.
    archived_gb, archived_gb_months, replayed
        Written to the archive, kept in it, and events replayed from it.
    discovered
        Events that schema discovery reads, each 8 KB of `event_kb`.

    Examples
    --------
    >>> eventbridge_usage(1_000_000, event_kb=256)["Event-64K-Chunks"]
    Decimal('4000000')
    """
    with localcontext(EXACT):
        pieces = chunks(event_kb)
        usage = Usage({"Event-64K-Chunks": exact("events", events) * pieces})
        for name, quantity in (
            ("Event-64K-Chunks-CrossAccount", exact("cross_account", cross_account) * pieces),
            ("ApiDestination-Invocation", exact("api_destinations", api_destinations)),
            ("ArchivedEvents-Bytes", exact("archived_gb", archived_gb)),
            ("ArchivedEvents-ByteHrs", exact("archived_gb_months", archived_gb_months)),
            ("ReplayEvents", exact("replayed", replayed) * pieces),
            (
                "Event-8K-Chunks",
                exact("discovered", discovered) * chunks(event_kb, SCHEMA_STEP_KB),
            ),
        ):
            if quantity:
                usage.add(name, quantity)
        return usage


def pipes_usage(events: float, event_kb: float = 1.0, *, batch: float = 1) -> Usage:
    """What an EventBridge pipe uses: requests after filtering, each 64 KB of a batch.

    Examples
    --------
    >>> pipes_usage(1000, event_kb=10, batch=10)["Pipes-Requests-64K-Chunks"]
    Decimal('200')
    """
    together = positive("batch", batch)
    with localcontext(EXACT):
        count = exact("events", events) / exact("batch", together)
        pieces = chunks(not_negative("event_kb", event_kb) * together)
        return Usage({"Pipes-Requests-64K-Chunks": count * pieces})


def scheduler_usage(invocations: float) -> Usage:
    """What EventBridge Scheduler uses; 14 million a month are free.

    Examples
    --------
    >>> scheduler_usage(10)
    Usage({'ScheduledInvocation': Decimal('10')})
    """
    return Usage({"ScheduledInvocation": invocations})


def kinesis_usage(
    shards: float = 0,
    hours: float = 0.0,
    *,
    records: float = 0,
    record_kb: float = 1.0,
    put_units: float = 0,
    extended_shard_hours: float = 0.0,
    long_term_gb_months: float = 0.0,
    long_term_read_gb: float = 0.0,
    fan_out_gb: float = 0.0,
    fan_out_shard_hours: float = 0.0,
) -> Usage:
    """What a provisioned Kinesis stream uses.

    Parameters
    ----------
    shards, hours
        Open shards, and for how long.
    records, record_kb, put_units
        Records put and their size (each 25 KB is a unit), or the units where they are known.
    extended_shard_hours
        Shard-hours kept for more than a day, up to seven.
    long_term_gb_months, long_term_read_gb
        Kept beyond seven days, and read from there.
    fan_out_gb, fan_out_shard_hours
        Read by enhanced fan-out, and consumers times shards times hours.

    Examples
    --------
    >>> kinesis_usage(4, 730, records=1000, record_kb=26)
    Usage({'Storage-ShardHour': Decimal('2920'), 'PutRequestPayloadUnits': Decimal('2000')})
    """
    with localcontext(EXACT):
        units = exact("records", records) * chunks(record_kb, PUT_UNIT_KB)
        usage = Usage(
            {
                "Storage-ShardHour": exact("shards", shards) * exact("hours", hours),
                "PutRequestPayloadUnits": units + exact("put_units", put_units),
            }
        )
        for name, named, quantity in (
            ("Extended-ShardHour", "extended_shard_hours", extended_shard_hours),
            ("LongTermRetention-ByteHrs", "long_term_gb_months", long_term_gb_months),
            ("LongTermRetention-ReadBytes", "long_term_read_gb", long_term_read_gb),
            ("ReadBytes", "fan_out_gb", fan_out_gb),
            ("EnhancedFanoutHour", "fan_out_shard_hours", fan_out_shard_hours),
        ):
            if exact(named, quantity):
                usage.add(name, quantity)
        return usage


def kinesis_on_demand_usage(
    records: float,
    record_kb: float,
    *,
    stream_hours: float = 0.0,
    reads: float = 1,
    fan_out_reads: float = 0,
    kept_gb_months: float = 0.0,
    advantage: bool = False,
) -> Usage:
    """What an on-demand stream uses: gigabytes, each record rounded up to 1 KB.

    Parameters
    ----------
    records, record_kb
        Records put, and the size of each.
    stream_hours
        Hours the stream exists (free in Advantage mode).
    reads, fan_out_reads
        How many consumers read all of it, and how many by enhanced fan-out (Advantage: same
        price).
    kept_gb_months
        Kept between one and seven days.
    advantage
        The account's Advantage mode; its least commitment (25 MiB/s) is the caller's to see to.

    Examples
    --------
    >>> usage = kinesis_on_demand_usage(1024 * 1024, 0.4, stream_hours=720)
    >>> print(usage["OnDemand-BilledIncomingBytes"], usage["OnDemand-StreamHour"])
    1 720
    """
    with localcontext(EXACT):
        whole_kb = max(1, math.ceil(not_negative("record_kb", record_kb)))
        gb = exact("records", records) * whole_kb / KB_PER_GB
        plain, fan = exact("reads", reads), exact("fan_out_reads", fan_out_reads)
        hours = exact("stream_hours", stream_hours)
        if advantage:
            return Usage(
                {
                    "OnDemandAdvantage-IncomingBytes": gb,
                    "OnDemandAdvantage-OutgoingBytes": gb * (plain + fan),
                }
            )
        usage = Usage(
            {
                "OnDemand-StreamHour": hours,
                "OnDemand-BilledIncomingBytes": gb,
                "OnDemand-BilledOutgoingBytes": gb * plain,
            }
        )
        if fan:
            usage.add("OnDemand-BilledOutgoingEFOBytes", gb * fan)
        if kept_gb_months:
            usage.add("OnDemand-ExtendedRetention-ByteHrs", kept_gb_months)
        return usage


def rest_api_usage(
    requests: float,
    *,
    cache_gb: float | None = None,
    cache_hours: float = 0.0,
    zones: float = 0,
    endpoint_hours: float = 0.0,
    payload_kb: float = 0.0,
) -> Usage:
    """What a REST API uses: calls, its cache, and the endpoint of a private one.

    Parameters
    ----------
    requests
        Calls received.
    cache_gb, cache_hours
        Size of the cache as AWS sells it (0.5, 1.6, 6.1 ... 237), and how long it exists.
    zones, endpoint_hours, payload_kb
        A private API's interface endpoint: zones, hours, and the bytes of request and response.

    Examples
    --------
    >>> rest_api_usage(10, cache_gb=1.6, cache_hours=24)["USE1-ApiGatewayCacheUsage:1.6GB"]
    Decimal('24')
    """
    with localcontext(EXACT):
        count = exact("requests", requests)
        usage = Usage({"USE1-ApiGatewayRequest": count})
        if cache_gb is not None:
            usage.add(f"USE1-ApiGatewayCacheUsage:{_cache_size(cache_gb)}GB", cache_hours)
        if zones:
            usage.add("VpcEndpoint-Hours", exact("zones", zones) * exact("hours", endpoint_hours))
            usage.add("VpcEndpoint-Bytes", count * exact("payload_kb", payload_kb) / KB_PER_GB)
        return usage


def _cache_size(cache_gb: float) -> str:
    sizes = [*fact("apigw.price.cache").value, *fact("apigw.price.cache_mem").value]
    for size in sizes:
        if float(size) == cache_gb:
            return str(size)
    known = ", ".join(sorted(sizes, key=float))
    raise ValueError(f"cache_gb={cache_gb} is not possible: a cache has one of {known} GB")


def http_api_usage(requests: float, payload_kb: float = 0.0) -> Usage:
    """What an HTTP API uses: each 512 KB of a call is one.

    The pricing page does not say whether request and response count together; give the larger
    of the two for the least it can be, their sum for the most.

    Examples
    --------
    >>> http_api_usage(1, payload_kb=4.5 * 1024)["USE1-ApiGatewayHttpRequest"]
    Decimal('9')
    """
    pieces = chunks(payload_kb, HTTP_STEP_KB)
    return Usage({"USE1-ApiGatewayHttpRequest": exact("requests", requests) * pieces})


def websocket_usage(
    messages: float, message_kb: float = 1.0, *, connection_minutes: float = 0.0
) -> Usage:
    """What a WebSocket API uses: each 32 KB of a message either way, and minutes connected.

    Examples
    --------
    >>> usage = websocket_usage(10, message_kb=33, connection_minutes=5)
    >>> usage["USE1-ApiGatewayMessage"], usage["USE1-ApiGatewayMinute"]
    (Decimal('20'), Decimal('5'))
    """
    count = exact("messages", messages) * chunks(message_kb, MESSAGE_STEP_KB)
    return Usage({"USE1-ApiGatewayMessage": count, "USE1-ApiGatewayMinute": connection_minutes})


def standard_workflow_usage(executions: float, transitions: float, retries: float = 0) -> Usage:
    """What a Standard workflow uses: every state entered, and every retry.

    Examples
    --------
    >>> standard_workflow_usage(100_000, transitions=4)
    Usage({'USE1-StateTransition': Decimal('400000')})
    """
    with localcontext(EXACT):
        each = exact("transitions", transitions) + exact("retries", retries)
        return Usage({"USE1-StateTransition": exact("executions", executions) * each})


def express_workflow_usage(executions: float, duration_ms: float, memory_mb: float = 64) -> Usage:
    """What an Express workflow uses; durations count by 100 ms, memory by 64 MB, both at least 1.

    Examples
    --------
    >>> usage = express_workflow_usage(1000, duration_ms=123, memory_mb=0)
    >>> print(usage["USE1-StepFunctions-GB-Second"])
    12.5
    """
    rule = fact("sfn.price.express.rounding")
    step_ms, step_mb = rule["duration_ms"], rule["memory_mb"]
    ms = max(1, math.ceil(not_negative("duration_ms", duration_ms) / step_ms)) * step_ms
    mb = max(1, math.ceil(not_negative("memory_mb", memory_mb) / step_mb)) * step_mb
    with localcontext(EXACT):
        count = exact("executions", executions)
        gb_s = count * ms / 1000 * mb / 1024
        return Usage({"USE1-StepFunctions-Request": count, "USE1-StepFunctions-GB-Second": gb_s})
