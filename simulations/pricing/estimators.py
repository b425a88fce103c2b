"""From plain inputs to usage: one estimator a service.

Each takes what an engineer knows (requests, milliseconds, megabytes) and returns a `Usage` in
AWS's usage types, ready for `PriceList.bill`. May import: the standard library,
`simulations.facts`, `simulations._check` and the rest of this package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, localcontext

from simulations._check import between, not_negative, positive, whole
from simulations.facts import Fact, fact
from simulations.pricing.billed import billed_ms
from simulations.pricing.catalog import from_note
from simulations.pricing.usage import EXACT, Usage, exact

#: Usage types carry this suffix on Arm.
SUFFIX = {"x86_64": "", "arm64": "-ARM"}
KB_PER_GB = 1024 * 1024


def chunks(size_kb: float, chunk_kb: float = 64) -> int:
    """How many requests a payload counts as: one for each 64 KB begun, at least one.

    Examples
    --------
    >>> chunks(0), chunks(64), chunks(65), chunks(256)
    (1, 1, 2, 4)
    """
    return max(1, math.ceil(not_negative("size_kb", size_kb) / chunk_kb))


def lambda_suffix(architecture: str) -> str:
    """How Lambda's usage types end for an architecture: "" or "-ARM"."""
    if architecture not in SUFFIX:
        raise ValueError(f"architecture={architecture!r} is none of {', '.join(SUFFIX)}")
    return SUFFIX[architecture]


def _limit(name: str, value: float, limits: Fact) -> float:
    try:
        return between(name, value, limits["min_mb"], limits["max_mb"])
    except ValueError as error:
        raise ValueError(f"{error} ({limits.source.url})") from None


def lambda_usage(
    requests: float,
    duration_ms: float,
    memory_mb: float,
    architecture: str = "x86_64",
    ephemeral_mb: float = 512,
    *,
    cold_share: float = 0.0,
    init_ms: float = 0.0,
    init_billed: bool = True,
    round_ms: int | None = None,
    event_kb: float = 0.0,
    streamed_mb: float = 0.0,
    provisioned_concurrency: float = 0,
    provisioned_hours: float = 0.0,
    provisioned_requests: float = 0,
    provisioned_duration_ms: float | None = None,
    poller_unit_hours: float = 0.0,
) -> Usage:
    """What a Lambda function uses.

    Parameters
    ----------
    requests
        Invocations on demand.
    duration_ms
        How long each runs. A mean does, too; rounding each up would add half a step on average.
    memory_mb, ephemeral_mb
        Configured memory and /tmp, in MB.
    architecture
        "x86_64" or "arm64".
    cold_share, init_ms
        The share of requests that start cold, and how long INIT takes then.
    init_billed, round_ms
        The billing rules; see `billed_ms`. Change them to compute what has changed.
    event_kb
        Size of an event invoked asynchronously: one more request for each 64 KB beyond 256.
    streamed_mb
        Size of each streamed response; what exceeds 6 MB is used.
    provisioned_concurrency, provisioned_hours
        Environments kept ready, and for how long (rounded up to 5 minutes).
    provisioned_requests, provisioned_duration_ms
        Invocations that these environments serve besides `requests`; the duration is
        `duration_ms` when left out.
    poller_unit_hours
        Event poller units of a provisioned Kafka mapping, times hours.

    Raises
    ------
    ValueError
        If an input is impossible, or beyond a limit of the service (which is then cited).

    Examples
    --------
    >>> lambda_usage(3_000_000, 120, 1536)
    Usage({'Request': Decimal('3000000'), 'Lambda-GB-Second': Decimal('540000')})
    """
    arm = lambda_suffix(architecture)
    memory = exact("memory_mb", _limit("memory_mb", memory_mb, fact("lambda.memory")))
    ephemeral = exact("ephemeral_mb", _limit("ephemeral_mb", ephemeral_mb, fact("lambda.tmp")))
    on_demand = exact("requests", requests)
    on_ready = exact("provisioned_requests", provisioned_requests)
    share = exact("cold_share", between("cold_share", cold_share, 0, 1))
    warm_ms = billed_ms(duration_ms, round_ms=round_ms)
    cold_ms = billed_ms(duration_ms, init_ms, init_billed=init_billed, round_ms=round_ms)
    ready_ms = warm_ms
    if provisioned_duration_ms is not None:
        ready_ms = billed_ms(provisioned_duration_ms, round_ms=round_ms)
    ready_s = not_negative("provisioned_hours", provisioned_hours) * 3600
    step_s = int(fact("lambda.price.pc.round_s").value)
    ready_s = math.ceil(ready_s / step_s - 1e-9) * step_s
    used = Usage()
    with localcontext(EXACT):
        spent_s = on_demand * ((1 - share) * warm_ms + share * cold_ms) / 1000
        ready_spent_s = on_ready * ready_ms / 1000
        used.add(f"Request{arm}", (on_demand + on_ready) * _event_requests(event_kb))
        used.add(f"Lambda-GB-Second{arm}", spent_s * memory / 1024)
        if ephemeral > 512:
            gb = (ephemeral - 512) / 1024
            used.add(f"Lambda-Storage-GB-Second{arm}", (spent_s + ready_spent_s) * gb)
        if provisioned_concurrency or provisioned_requests:
            kept = exact("provisioned_concurrency", provisioned_concurrency)
            used.add(f"Lambda-Provisioned-Concurrency{arm}", kept * memory / 1024 * ready_s)
            used.add(f"Lambda-Provisioned-GB-Second{arm}", ready_spent_s * memory / 1024)
        beyond_mb = exact("streamed_mb", streamed_mb) - from_note(
            "lambda.price.streaming", r"first (\d+) MB"
        )
        if beyond_mb > 0:
            total_gb = (on_demand + on_ready) * beyond_mb / 1024
            used.add(f"Lambda-Streaming-Response-Processed-Bytes{arm}", total_gb)
        if poller_unit_hours:
            used.add("Lambda-Event-Poller-Unit-Hour", poller_unit_hours)
    return used


def _event_requests(event_kb: float) -> int:
    """Requests that one asynchronous event counts as."""
    rule = fact("lambda.price.async_chunks")
    largest_kb = rule["max_mb"] * 1024
    size = not_negative("event_kb", event_kb)
    if size > largest_kb:
        raise ValueError(
            f"event_kb={event_kb} is not possible: an event has at most {largest_kb} KB"
            f" ({rule.source.url})"
        )
    beyond_kb = float(size - rule["first_kb"])
    step_kb = float(rule["then_kb_per_extra_request"])
    return 1 + max(0, math.ceil(beyond_kb / step_kb))


def idle_receives(hours: float, pollers: int | None = None, wait_s: float | None = None) -> Decimal:
    """Empty receives of an event source mapping that finds its queue empty.

    Parameters
    ----------
    hours
        How long the queue is empty.
    pollers
        Pollers that ask; Lambda starts with as many as fact lambda.sqs.pollers says (5).
    wait_s
        Seconds that each poll waits; the longest long poll by default (20 s).

    Examples
    --------
    >>> idle_receives(hours=720)
    Decimal('648000')
    """
    asking = fact("lambda.sqs.pollers")["initial_concurrent_batches"]
    asking = asking if pollers is None else whole("pollers", pollers, low=1)
    waits = fact("sqs.poll")["long_poll_max_s"] if wait_s is None else positive("wait_s", wait_s)
    with localcontext(EXACT):
        return exact("hours", hours) * 3600 * asking / exact("wait_s", waits)


def sqs_usage(
    requests: float = 0,
    payload_kb: float = 0.0,
    *,
    fifo: bool = False,
    fair: bool = False,
    messages: float = 0,
    message_kb: float = 1.0,
    send_batch: float = 1,
    receive_batch: float = 1,
    receives_per_message: float = 1.0,
    empty_receives: float | Decimal = 0,
) -> Usage:
    """What an SQS queue uses: every API call is a request, as is each further 64 KB of it.

    Parameters
    ----------
    requests, payload_kb
        API calls of any kind, and the payload that each carries.
    messages, message_kb
        Messages that go all the way (sent, received, deleted), and their size.
    send_batch, receive_batch
        Messages in a call, on average; a received batch is deleted in one call.
    receives_per_message
        Above 1 when messages come back after a failure; deletes happen once.
    empty_receives
        Receives that find nothing (see `idle_receives`).
    fifo, fair
        The kind of queue: FIFO, or standard with message groups.

    Examples
    --------
    >>> sqs_usage(1_000_000, payload_kb=128)
    Usage({'Requests-RBP': Decimal('2000000')})
    >>> sqs_usage(messages=10_000, send_batch=1, receive_batch=10)["Requests-RBP"]
    Decimal('12000')
    """
    if fifo and fair:
        raise ValueError("fifo=True with fair=True is not possible: fair queues are standard")
    most = fact("sqs.poll")["batch_max"]
    sent_together = exact("send_batch", between("send_batch", send_batch, 1, most))
    # A mapping may hand 10,000 messages to a function; each receive call still brings 10.
    taken_together = exact("receive_batch", min(positive("receive_batch", receive_batch), most))
    size = not_negative("message_kb", message_kb)
    largest_kb = fact("sqs.size")["max_b"] / 1024
    if size > largest_kb:
        raise ValueError(
            f"message_kb={message_kb} is not possible: a message has at most {largest_kb:g} KB"
            f" ({fact('sqs.size').source.url})"
        )
    again = exact("receives_per_message", receives_per_message)
    with localcontext(EXACT):
        count = exact("messages", messages)
        sends = count / sent_together * chunks(size * float(sent_together))
        receives = count * again / taken_together * chunks(size * float(taken_together))
        deletes = count / taken_together
        calls = exact("requests", requests) * chunks(payload_kb)
        total = calls + sends + receives + deletes + exact("empty_receives", empty_receives)
    used = Usage({"Requests-FIFO-RBP" if fifo else "Requests-RBP": total})
    if fair:
        used.add("Requests-Fair-RBP", total)
    return used


#: What SNS can deliver to, and the usage type of a delivery.
DELIVERIES = {
    "sqs": "DeliveryAttempts-SQS",
    "lambda": "DeliveryAttempts-LAMBDA",
    "http": "DeliveryAttempts-HTTP",
    "email": "DeliveryAttempts-SMTP",
    "firehose": "DeliveryAttempts-FIREHOSE",
    "mobile": "DeliveryAttempts-APNS",
}


def sns_usage(
    requests: float,
    payload_kb: float = 1.0,
    *,
    fifo: bool = False,
    deliveries: Mapping[str, float] | None = None,
    kb_per_gb: float = KB_PER_GB,
) -> Usage:
    """What an SNS topic uses.

    Parameters
    ----------
    requests, payload_kb
        Messages published, and the size of each; a standard topic counts each 64 KB.
    fifo
        A FIFO topic pays for messages and for gigabytes instead.
    deliveries
        Notifications by target: "sqs", "lambda" (both free), "http", "email", "firehose",
        "mobile". A FIFO topic delivers to queues.
    kb_per_gb
        1,048,576; a calculator that takes decimal gigabytes uses 1,000,000.

    Examples
    --------
    >>> usage = sns_usage(1_000_000, payload_kb=128, deliveries={"http": 1_000_000})
    >>> usage["Requests-Tier1"], usage["DeliveryAttempts-HTTP"]
    (Decimal('2000000'), Decimal('1000000'))
    """
    count = exact("requests", requests)
    size_kb = between("payload_kb", payload_kb, 0, fact("sns.limits")["message_kib"])
    targets = dict(deliveries or {})
    for target in targets:
        if target not in DELIVERIES or (fifo and target != "sqs"):
            allowed = "sqs" if fifo else ", ".join(DELIVERIES)
            raise ValueError(f"deliveries to {target!r} are not possible: {allowed}")
    used = Usage()
    with localcontext(EXACT):
        per_gb = exact("kb_per_gb", positive("kb_per_gb", kb_per_gb))
        size_gb = exact("payload_kb", size_kb) / per_gb
        if not fifo:
            used.add("AmazonSNS:Requests-Tier1", count * chunks(size_kb))
            for target, notifications in targets.items():
                used.add(DELIVERIES[target], notifications)
            return used
        used.add("F-Request-Tier1", count)
        used.add("F-Ingress-Tier1", count * size_gb)
        if "sqs" in targets:
            delivered = exact("deliveries to sqs", targets["sqs"])
            used.add("F-DA-SQS", delivered)
            used.add("F-Egress-SQS", delivered * size_gb)
    return used


def logs_usage(
    requests: float,
    kb_per_request: float,
    *,
    months_kept: float = 0.0,
    compressed_share: float = 1.0,
) -> Usage:
    """What the logs of a Lambda function use in CloudWatch.

    Parameters
    ----------
    requests, kb_per_request
        Invocations, and what each writes.
    months_kept, compressed_share
        How long logs are kept, and the share of their size that is left after compression. AWS
        states no ratio; 1 counts every byte.

    Examples
    --------
    >>> print(logs_usage(10_000_000, 5)["USE1-VendedLog-Bytes"])
    47.6837158203125
    """
    with localcontext(EXACT):
        written_gb = exact("requests", requests) * exact("kb_per_request", kb_per_request)
        written_gb = written_gb / KB_PER_GB
        used = Usage({"USE1-VendedLog-Bytes": written_gb})
        if months_kept:
            share = exact("compressed_share", between("compressed_share", compressed_share, 0, 1))
            kept = written_gb * share * exact("months_kept", months_kept)
            used.add("AmazonCloudWatch:TimedStorage-ByteHrs", kept)
    return used
