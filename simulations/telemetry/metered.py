"""From CloudWatch metrics to usage: what each of them says was used, and what it leaves open.

May import: the standard library, `simulations.pricing` and this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from simulations._check import positive
from simulations.pricing import Usage
from simulations.pricing.estimators import lambda_suffix
from simulations.pricing.usage import EXACT, exact
from simulations.telemetry.metrics import Metric

GB = 1024**3
#: Metrics of a function, a queue ... are there again for all together and by further dimensions;
#: the first of these sets that is there counts, so that nothing counts twice.
ONCE: Mapping[str, tuple[frozenset[str], ...]] = {
    "AWS/Lambda": (frozenset({"FunctionName"}), frozenset()),
    "AWS/SQS": (frozenset({"QueueName"}), frozenset()),
    "AWS/SNS": (frozenset({"TopicName"}), frozenset()),
    "AWS/DynamoDB": (frozenset({"TableName"}), frozenset()),
    "AWS/ApiGateway": (frozenset({"ApiName"}), frozenset({"ApiId"}), frozenset()),
    "AWS/Logs": (frozenset({"LogGroupName"}), frozenset()),
}
#: An index consumes units of its own, which the table's metric leaves out.
INDEX = frozenset({"TableName", "GlobalSecondaryIndexName"})
SQS_CALLS = ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted")
UNITS = {
    "ConsumedReadCapacityUnits": "ReadRequestUnits",
    "ConsumedWriteCapacityUnits": "WriteRequestUnits",
}
CAPACITY = {
    "ProvisionedReadCapacityUnits": "ReadCapacityUnit-Hrs",
    "ProvisionedWriteCapacityUnits": "WriteCapacityUnit-Hrs",
}


@dataclass(frozen=True)
class Metered:
    """What metrics say was used.

    Attributes
    ----------
    usage
        Ready for a price list.
    read
        How many metrics are in it.
    not_priced
        Metrics that are in no bill, each with the reason.
    notes
        What the bill leaves out, because no metric says it.
    """

    usage: Usage
    read: int
    not_priced: tuple[str, ...]
    notes: tuple[str, ...]


def usage_of_metrics(
    metrics: Iterable[Metric],
    *,
    memory_mb: float | Mapping[str, float] | None = None,
    architecture: str | Mapping[str, str] = "x86_64",
    messages_per_call: float = 1,
) -> Metered:
    """Turn metrics into usage, as far as they tell it.

    Parameters
    ----------
    memory_mb, architecture
        Of all functions, or by function name: no metric tells them.
    messages_per_call
        SQS counts messages, AWS bills calls: how many messages a send, receive or delete
        carries on average (1 to 10). Calls of 64 KB at most are assumed.

    Examples
    --------
    >>> calls = Metric("AWS/Lambda", "Invocations", (("FunctionName", "F"),), "Sum", (3.0, 2.0))
    >>> lasts = Metric("AWS/Lambda", "Duration", (("FunctionName", "F"),), "Sum", (900.0, 124.0))
    >>> usage_of_metrics([calls, lasts], memory_mb=1024).usage
    Usage({'Request': Decimal('5'), 'Lambda-GB-Second': Decimal('1.024')})
    """
    reader = _Meter(memory_mb, architecture, positive("messages_per_call", messages_per_call))
    with localcontext(EXACT):
        for one in _once(list(metrics), reader):
            reader.take(one)
    return reader.metered()


def _once(metrics: list[Metric], reader: _Meter) -> list[Metric]:
    """Leave out what counts the same again: other dimensions, other statistics."""
    sets: dict[tuple[str, str], set[frozenset[str]]] = {}
    for one in metrics:
        key = (one.namespace, one.name)
        sets.setdefault(key, set()).add(frozenset(k for k, _ in one.dimensions))
    wanted = {
        key: next((one for one in ONCE.get(key[0], ()) if one in there), None)
        for key, there in sets.items()
    }
    kept = []
    provisioned = {dict(one.dimensions).get("TableName") for one in metrics if one.name in CAPACITY}
    for one in metrics:
        own = frozenset(k for k, _ in one.dimensions)
        statistic = "Average" if one.name in CAPACITY else "Sum"
        is_known = one.namespace in ONCE
        if is_known and own != wanted[one.namespace, one.name] and own != INDEX:
            if wanted[one.namespace, one.name] is not None:
                continue  # the same calls by other dimensions
            reader.leave(one, f"by {', '.join(sorted(own))}: not known whether it counts twice")
        elif one.statistic != statistic:
            others = (o for o in metrics if o.dimensions == one.dimensions and o.name == one.name)
            if not any(other.statistic == statistic for other in others):
                reader.leave(one, f"statistic {one.statistic}, {statistic} is needed")
        elif one.name in UNITS and dict(one.dimensions).get("TableName") in provisioned:
            continue  # paid by capacity, not by request
        else:
            kept.append(one)
    return kept


class _Meter:
    """Adds up, and notes what it cannot."""

    def __init__(
        self,
        memory_mb: float | Mapping[str, float] | None,
        architecture: str | Mapping[str, str],
        messages_per_call: float,
    ) -> None:
        self.memory_mb, self.architecture = memory_mb, architecture
        self.per_call = messages_per_call
        self.usage = Usage()
        self.read = 0
        self.left: list[str] = []
        self.notes: dict[str, None] = {}

    def metered(self) -> Metered:
        return Metered(self.usage, self.read, tuple(self.left), tuple(self.notes))

    def leave(self, one: Metric, why: str) -> None:
        self.left.append(f"{one} ({one.statistic} {one.total:,.10g}): {why}")

    def add(self, usage_type: str, quantity: Decimal) -> None:
        self.usage.add(usage_type, quantity)
        self.read += 1

    def take(self, one: Metric) -> None:
        total = exact(str(one), one.total)
        name = one.name
        if one.namespace == "AWS/Lambda" and name in ("Invocations", "Duration"):
            self.function(one, total)
        elif one.namespace == "AWS/SQS" and name in SQS_CALLS:
            self.add("Requests-RBP", total / exact("messages_per_call", self.per_call))
            self.notes[f"SQS: {self.per_call:g} messages a call and no fifo queue assumed"] = None
        elif one.namespace == "AWS/SQS" and name == "NumberOfEmptyReceives":
            self.add("Requests-RBP", total)
        elif one.namespace == "AWS/SNS" and name == "NumberOfMessagesPublished":
            self.add("AmazonSNS:Requests-Tier1", total)
            self.notes["SNS: messages of 64 KB at most; deliveries other than to queues and"
                       " functions are left out"] = None  # fmt: skip
        elif one.namespace == "AWS/DynamoDB" and name in UNITS:
            self.add(UNITS[name], total)
            self.notes["DynamoDB: storage, streams and backups are left out"] = None
        elif one.namespace == "AWS/DynamoDB" and name in CAPACITY:
            self.capacity(one)
        elif one.namespace == "AWS/ApiGateway" and name == "Count":
            by_id = any(k == "ApiId" for k, _ in one.dimensions)
            kind = "HttpRequest" if by_id else "Request"
            self.add(f"USE1-ApiGateway{kind}", total)
        elif one.namespace == "AWS/Logs" and name == "IncomingBytes":
            group = dict(one.dimensions).get("LogGroupName", "")
            vended = group.startswith("/aws/lambda/")
            self.add("USE1-VendedLog-Bytes" if vended else "DataProcessing-Bytes", total / GB)
        else:
            self.leave(one, "no price goes by this metric")

    def function(self, one: Metric, total: Decimal) -> None:
        name = dict(one.dimensions).get("FunctionName", "")
        chip = self.architecture
        arm = lambda_suffix(chip if isinstance(chip, str) else chip.get(name, "x86_64"))
        if one.name == "Invocations":
            self.add(f"Request{arm}", total)
            return
        memory = self.memory_mb
        own = memory.get(name) if isinstance(memory, Mapping) else memory
        if own is None:
            self.leave(one, "memory_mb is not given")
            return
        size = exact("memory_mb", positive("memory_mb", own))
        self.add(f"Lambda-GB-Second{arm}", total / 1000 * size / 1024)
        self.notes["Lambda: Duration leaves INIT and rounding up out; both are billed"] = None

    def capacity(self, one: Metric) -> None:
        if one.period_s is None:
            self.leave(one, "its period is not known")
            return
        hours = exact(str(one), one.total) * exact("period_s", one.period_s) / 3600
        self.add(CAPACITY[one.name], hours)
