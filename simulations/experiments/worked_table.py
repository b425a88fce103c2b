"""What the inputs of worked examples mean: DynamoDB, whose examples state units.

May import: the standard library, `simulations.pricing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulations.experiments.worked_bills import Case, Inputs, NotUnderstood, reads
from simulations.pricing import Usage

STORED = "AmazonDynamoDB:TimedStorage-ByteHrs"
#: Which usage type plain gigabytes are, by a word of the example's title.
BY_TITLE = {
    "pitr": "TimedPITRStorage-ByteHrs",
    "backup": "TimedBackupStorage-ByteHrs",
    "restore": "RestoreDataSize-Bytes",
    "export": "ExportDataSize-Bytes",
    "transfer": "DataTransfer-Out-Bytes",
    "storage": STORED,
}


@reads("dynamodb")
def table_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Units on demand and provisioned, storage, backups, streams, export, cache nodes."""
    prices = example.get("unit_prices") or {}
    title = str(example["title"]).casefold()
    named = next((t for word, t in BY_TITLE.items() if word in title), STORED)
    case = Case(Usage())
    hours = given.take("hours", default=730)
    if given.take("free_gb", default=0):
        case.free.append("DynamoDB-Storage")
    for names, usage_type, times, price in (
        (("wru", "writes"), "WriteRequestUnits", 1, "wru"),
        (("rru", "reads"), "ReadRequestUnits", 1, "rru"),
        (("rwru",), "ReplWriteRequestUnits", 1, "rwru"),
        (("wcu",), "WriteCapacityUnit-Hrs", hours, "wcu_h"),
        (("rcu",), "ReadCapacityUnit-Hrs", hours, "rcu_h"),
        (("rwcu",), "ReplWriteCapacityUnit-Hrs", hours, "rwcu_h"),
        (("storage_gb",), STORED, 1, "gb"),
        (("pitr_gb",), "TimedPITRStorage-ByteHrs", 1, "pitr"),
        (("backup_gb",), "TimedBackupStorage-ByteHrs", 1, "backup"),
        (("restore_gb",), "RestoreDataSize-Bytes", 1, "restore"),
        (("export_gb",), "ExportDataSize-Bytes", 1, "export"),
        (("stream_reads",), "Streams-Requests", 1, "stream"),
        (("units",), "ChangeDataCaptureUnits-Kinesis", 1, "unit"),
        (("nodes",), "NodeUsage:dax", hours, "node_h"),
    ):
        quantity = given.take(*names, default=0)
        if quantity:
            case.usage.add(usage_type, quantity * times)
            case.price(price, usage_type)
    gigabytes = _gigabytes(given)
    if gigabytes:
        case.usage.add(named, gigabytes)
        case.price("gb", named, 0)
    if not case.usage:
        raise NotUnderstood(f"{example['id']}: no units among {', '.join(prices) or 'no prices'}")
    return case


def _gigabytes(given: Inputs) -> float:
    """Plain gigabytes, less what was deleted before the month's end."""
    total = given.take("avg_gb", "gb", default=0)
    total += given.take("gb_writes", default=0) + given.take("gb_initial", default=0)
    days = given.take("month_days", default=30)
    gone, day = given.take("deleted_gb", default=0), given.take("delete_day", default=days)
    kept: float = total - gone * (days - day) / days
    return kept
