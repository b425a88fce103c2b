"""Rows of the catalog: DynamoDB.

May import: the standard library.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulations.pricing.entry import Entry

TABLE, CACHE = "AmazonDynamoDB", "AmazonDAX"


def _throughput_rows() -> Iterator[Entry]:
    on_demand = "units of each request, rounded up item by item"
    for usage_type, words, unit, price in (
        ("WriteRequestUnits", "writes on demand", "WRU", "write"),
        ("ReadRequestUnits", "reads on demand", "RRU", "read"),
        ("ReplWriteRequestUnits", "replicated writes on demand", "rWRU", "replwrite"),
    ):
        fact_id = f"ddb.price.ondemand.{price}"
        yield Entry(
            usage_type, TABLE, words, unit, fact_id, on_demand, earlier=(f"{fact_id}.2024",)
        )
    yield Entry(
        "IA-WriteRequestUnits", TABLE, "writes on demand, Standard-IA", "WRU",
        "ddb.price.ia.write", on_demand,
    )  # fmt: skip
    yield Entry(
        "IA-ReadRequestUnits", TABLE, "reads on demand, Standard-IA", "RRU",
        "ddb.price.ia.read", on_demand,
    )  # fmt: skip
    hourly = "units provisioned, times hours, used or not"
    yield Entry(
        "WriteCapacityUnit-Hrs", TABLE, "writes provisioned", "WCU-h",
        "ddb.price.provisioned.wcu", hourly, free="DynamoDB-Writes",
    )  # fmt: skip
    yield Entry(
        "ReadCapacityUnit-Hrs", TABLE, "reads provisioned", "RCU-h",
        "ddb.price.provisioned.rcu", hourly, free="DynamoDB-Reads",
    )  # fmt: skip
    yield Entry(
        "IA-WriteCapacityUnit-Hrs", TABLE, "writes provisioned, Standard-IA", "WCU-h",
        "ddb.price.ia.provisioned", hourly, part="wcu",
    )  # fmt: skip
    yield Entry(
        "IA-ReadCapacityUnit-Hrs", TABLE, "reads provisioned, Standard-IA", "RCU-h",
        "ddb.price.ia.provisioned", hourly, part="rcu",
    )  # fmt: skip
    yield Entry(
        "ReplWriteCapacityUnit-Hrs", TABLE, "replicated writes provisioned", "rWCU-h",
        "ddb.price.provisioned.rwcu", hourly, earlier=("ddb.price.provisioned.rwcu.2024",),
    )  # fmt: skip


def _reserved_rows() -> Iterator[Entry]:
    """Reserved capacity. AWS bills both terms, upfront and month, as HeavyUsage:dynamodb.write."""
    for kind, words in (("write", "writes"), ("read", "reads")):
        for years in ("1", "3"):
            term = f"reserved for {years} year" + "s" * (years != "1")
            name = f"HeavyUsage:dynamodb.{kind}-{years}yr"
            yield Entry(
                name, TABLE, f"{words} {term}", f"{kind[0].upper()}CU-h",
                "ddb.price.reserved.terms", "units reserved, times hours, used or not",
                part=f"{kind}/{years}/hour", per=100,
            )  # fmt: skip
            yield Entry(
                f"{name}-Upfront", TABLE, f"{words} {term}, upfront", f"{kind[0].upper()}CU",
                "ddb.price.reserved.terms", "units reserved; a month bears its share of the term",
                part=f"{kind}/{years}/upfront", per=100,
            )  # fmt: skip


def _storage_rows() -> Iterator[Entry]:
    stored = "bytes of items and index entries with 100 bytes each on top, times months"
    yield Entry(
        "TimedStorage-ByteHrs", TABLE, "table storage", "GB-month", "ddb.price.storage.standard",
        stored, part="1/usd", free="DynamoDB-Storage",
    )  # fmt: skip
    yield Entry(
        "IA-TimedStorage-ByteHrs", TABLE, "table storage, Standard-IA", "GB-month",
        "ddb.price.storage.ia", stored,
    )  # fmt: skip
    yield Entry(
        "TimedPITRStorage-ByteHrs", TABLE, "point-in-time recovery", "GB-month",
        "ddb.price.pitr", "size of the table, times months",
    )  # fmt: skip
    yield Entry(
        "TimedBackupStorage-ByteHrs", TABLE, "backups", "GB-month", "ddb.price.backup",
        "bytes kept, times months",
    )  # fmt: skip
    yield Entry(
        "RestoreDataSize-Bytes", TABLE, "restores", "GB", "ddb.price.restore", "bytes restored"
    )
    yield Entry(
        "ExportDataSize-Bytes", TABLE, "export to S3", "GB", "ddb.price.export",
        "size of the table, each time",
    )  # fmt: skip


def _change_rows() -> Iterator[Entry]:
    yield Entry(
        "Streams-Requests", TABLE, "stream reads", "request", "ddb.price.streams",
        "GetRecords calls of up to 1 MB; Lambda's own cost nothing", free="DynamoDB-Streams",
    )  # fmt: skip
    yield Entry(
        "ChangeDataCaptureUnits-Kinesis", TABLE, "changes to Kinesis", "unit",
        "ddb.price.cdc_kinesis", "each KB of each change",
    )  # fmt: skip
    yield Entry(
        "NodeUsage:dax", CACHE, "DAX nodes", "node-h", "dax.price.node", "nodes times hours"
    )


def table_rows() -> Iterator[Entry]:
    """DynamoDB, in the order of a bill."""
    yield from _throughput_rows()
    yield from _reserved_rows()
    yield from _storage_rows()
    yield from _change_rows()
