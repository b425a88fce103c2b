"""DynamoDB, from plain inputs to usage: requests or capacity, storage, copies and changes.

May import: the standard library, `simulations.facts`, `simulations._check` and the rest of this
package.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal, localcontext

from simulations._check import between, not_negative, positive
from simulations.facts import fact
from simulations.pricing.usage import EXACT, Usage, exact

#: A month, as AWS's calculator counts it.
MONTH_H = 730
#: Months of a reservation's terms.
TERM_MONTHS = {1: 12, 3: 36}
STORAGE_CLASSES = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")
CONSISTENCIES = ("strong", "eventual", "transactional")
#: A GetRecords call returns up to 1 MB; a change unit of Kinesis is 1 KB.
KB_PER_GB = 1024 * 1024


def dynamodb_usage(
    writes: float = 0,
    reads: float = 0,
    *,
    item_kb: float = 1.0,
    consistency: str = "eventual",
    transactional_writes: float = 0,
    transactional_reads: float = 0,
    index_writes: Iterable[tuple[float, float]] = (),
    wcu: float = 0,
    rcu: float = 0,
    hours: float = MONTH_H,
    reserved_wcu: float = 0,
    reserved_rcu: float = 0,
    term_years: int = 1,
    replicas: int = 0,
    storage_gb: float = 0.0,
    items: float = 0,
    index_gb: float = 0.0,
    storage_class: str = "STANDARD",
    pitr: bool = False,
    backup_gb_months: float = 0.0,
    restored_gb: float = 0.0,
    exported_gb: float = 0.0,
    stream_reads: float = 0,
    lambda_stream_reads: float = 0,
    kinesis_changes: float = 0,
    transferred_gb: float = 0.0,
    dax_node_hours: float = 0.0,
) -> Usage:
    """What a DynamoDB table uses in a month.

    A table is on demand (give `writes` and `reads`) or provisioned (give `wcu` and `rcu`); both
    may be given for an account that has tables of either kind.

    Parameters
    ----------
    writes, reads
        Requests on demand, each of one item of `item_kb`: a write counts one unit for each KB
        begun, a read one for each 4 KB, half of it when its `consistency` is "eventual" and twice
        when "transactional". For units that were measured leave `item_kb` at 1 and read "strong".
    transactional_writes, transactional_reads
        Requests of the same size in transactions, besides the others: twice the units.
    index_writes
        For each secondary index (index entries written for each write, KB of an entry): an index
        whose key changes is written twice. Transactional writes double them, too.
    wcu, rcu, hours
        Capacity provisioned, indexes included, and for how long.
    reserved_wcu, reserved_rcu, term_years
        Of it, reserved in blocks of 100 for 1 or 3 years; what is reserved is paid, used or not.
        The month bears its share of the upfront payment.
    replicas
        Further regions of a global table. Its writes, or its capacity for writes, count as
        replicated, once in each region; those of its global indexes stay plain writes, in each
        region, too. A new region's first copy is restored and transferred: give its gigabytes.
    storage_gb, items, index_gb, storage_class
        Size of the table and of its indexes. Every item adds 100 bytes (and 48 when global);
        leave `items` at 0 when the size is a metered one. "STANDARD" or
        "STANDARD_INFREQUENT_ACCESS".
    pitr
        Point-in-time recovery of the table without its global indexes; local ones count, so
        give them with `storage_gb`.
    backup_gb_months, restored_gb, exported_gb
        Backups kept (times months), restored, and exported to S3.
    stream_reads, lambda_stream_reads, kinesis_changes
        GetRecords calls on the stream; those of Lambda are free and leave no line. Changes of
        `item_kb` captured into Kinesis, one unit for each KB.
    transferred_gb
        Sent to the internet, or as replication to another region at the same price (that is how
        AWS's page billed it; between regions today's price is lower).
    dax_node_hours
        Nodes of an Accelerator, times hours.

    Raises
    ------
    ValueError
        If an input is impossible: an item above 400 KB, capacity reserved for Standard-IA or for
        replicated writes, more reserved than whole blocks.

    Examples
    --------
    >>> dynamodb_usage(writes=1_000_000, reads=1_000_000, item_kb=5)
    Usage({'WriteRequestUnits': Decimal('5000000'), 'ReadRequestUnits': Decimal('1000000.0')})
    >>> dynamodb_usage(wcu=114, rcu=114, hours=24)["WriteCapacityUnit-Hrs"]
    Decimal('2736')
    """
    prefix = _class_prefix(storage_class)
    copies = _replicas(replicas)
    used = Usage()
    with localcontext(EXACT):
        plain, twice = exact("writes", writes), exact("transactional_writes", transactional_writes)
        both = plain + 2 * twice
        if copies and prefix and (both or wcu):
            raise ValueError("replicas with Standard-IA: its replicated price is not in the facts")
        table_units, index_units = both * _write_units(item_kb), Decimal(0)
        for entries, entry_kb in index_writes:
            index_units += both * exact("index_writes", entries) * _write_units(entry_kb)
        if copies and table_units:
            used.add("ReplWriteRequestUnits", table_units * (1 + copies))
            table_units = Decimal(0)
        if table_units + index_units:
            used.add(f"{prefix}WriteRequestUnits", table_units + index_units * (1 + copies))
        read = exact("reads", reads) * _read_units(item_kb, consistency)
        read += exact("transactional_reads", transactional_reads) * _read_units(
            item_kb, "transactional"
        )
        if read:
            used.add(f"{prefix}ReadRequestUnits", read)
        used += _capacity(wcu, rcu, hours, reserved_wcu, reserved_rcu, term_years, copies, prefix)
        used += _stored(storage_gb, items, index_gb, prefix, copies, pitr)
        not_negative("lambda_stream_reads", lambda_stream_reads)
        for name, quantity in (
            ("TimedBackupStorage-ByteHrs", exact("backup_gb_months", backup_gb_months)),
            ("RestoreDataSize-Bytes", exact("restored_gb", restored_gb)),
            ("ExportDataSize-Bytes", exact("exported_gb", exported_gb)),
            ("Streams-Requests", exact("stream_reads", stream_reads)),
            (
                "ChangeDataCaptureUnits-Kinesis",
                exact("kinesis_changes", kinesis_changes) * _write_units(item_kb),
            ),
            ("DataTransfer-Out-Bytes", exact("transferred_gb", transferred_gb)),
            ("NodeUsage:dax", exact("dax_node_hours", dax_node_hours)),
        ):
            if quantity:
                used.add(name, quantity)
    return used


def _class_prefix(storage_class: str) -> str:
    if storage_class not in STORAGE_CLASSES:
        allowed = ", ".join(STORAGE_CLASSES)
        raise ValueError(f"storage_class={storage_class!r} is none of {allowed}")
    return "" if storage_class == "STANDARD" else "IA-"


def _replicas(replicas: int) -> int:
    if replicas != int(not_negative("replicas", replicas)):
        raise ValueError(f"replicas={replicas} is not possible: it must be a whole number")
    return int(replicas)


def _kb(name: str, size_kb: float) -> float:
    limit = fact("ddb.item")
    try:
        return between(name, size_kb, 0, limit.number)
    except ValueError as error:
        raise ValueError(f"{error} ({limit.source.url})") from None


def _write_units(item_kb: float) -> int:
    step = float(fact("ddb.units.write")["item_kb_per_unit"])
    return max(1, math.ceil(_kb("item_kb", item_kb) / step))


def _read_units(item_kb: float, consistency: str) -> Decimal:
    rule = fact("ddb.units.read")
    if consistency not in CONSISTENCIES:
        allowed = ", ".join(CONSISTENCIES)
        raise ValueError(f"consistency={consistency!r} is none of {allowed}")
    pieces = max(1, math.ceil(_kb("item_kb", item_kb) / float(rule["item_kb_per_unit"])))
    return pieces * exact("consistency", rule[consistency])


def _capacity(
    wcu: float,
    rcu: float,
    hours: float,
    reserved_wcu: float,
    reserved_rcu: float,
    term_years: int,
    copies: int,
    prefix: str,
) -> Usage:
    """Provisioned capacity; what is reserved is billed by the block and taken off the rest."""
    used = Usage()
    if not (wcu or rcu or reserved_wcu or reserved_rcu):
        return used
    if prefix and (reserved_wcu or reserved_rcu):
        raise ValueError("capacity reserved for Standard-IA is not possible: Standard only")
    if term_years not in TERM_MONTHS:
        raise ValueError(f"term_years={term_years!r} is none of 1, 3")
    if copies and reserved_wcu:
        raise ValueError("reserved_wcu of a global table is not possible: replicated writes")
    time_h = exact("hours", positive("hours", hours))
    block = int(fact("ddb.price.reserved")["block_units"])
    for kind, name, units, reserved in (
        ("write", "WriteCapacityUnit-Hrs", wcu, reserved_wcu),
        ("read", "ReadCapacityUnit-Hrs", rcu, reserved_rcu),
    ):
        blocks = exact(f"reserved {kind} units", reserved) / block
        if blocks != int(blocks):
            raise ValueError(f"reserved {kind} units={reserved} must be whole blocks of {block}")
        rest = max(exact(f"{kind} units", units) - blocks * block, Decimal(0)) * time_h
        if rest and copies and kind == "write":
            used.add("ReplWriteCapacityUnit-Hrs", rest * (1 + copies))
        elif rest:
            used.add(f"{prefix}{name}", rest * (1 + copies))
        if blocks:
            term = f"HeavyUsage:dynamodb.{kind}-{term_years}yr"
            months = time_h / MONTH_H
            used.add(term, blocks * block * time_h)
            used.add(f"{term}-Upfront", blocks * block * months / TERM_MONTHS[term_years])
    return used


def _stored(
    storage_gb: float, items: float, index_gb: float, prefix: str, copies: int, pitr: bool
) -> Usage:
    rule = fact("ddb.item_size")
    used = Usage()
    each = int(rule["storage_overhead_bytes_per_item"])
    if copies:
        each += int(rule["global_table_extra_bytes"])
    table = exact("storage_gb", storage_gb) + exact("items", items) * each / KB_PER_GB / 1024
    total = table + exact("index_gb", index_gb)
    if total:
        name = "IA-TimedStorage-ByteHrs" if prefix else "AmazonDynamoDB:TimedStorage-ByteHrs"
        used.add(name, total * (1 + copies))
    if pitr and table:
        used.add("TimedPITRStorage-ByteHrs", table)
    return used
