"""Units of a DynamoDB table: what each operation on it is counted as, its indexes included.

Exact to DynamoDB Local, which the tests ask; where it differs from the documentation this follows
the documentation. May import: the standard library, `simulations._check`, `simulations.facts` and
this room's `item`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from simulations._check import whole
from simulations.facts import fact
from simulations.services.item import KB, Item, at_most, item_bytes, item_size

Consistency = Literal["eventual", "strong", "transactional"]
Projection = Literal["ALL", "KEYS_ONLY", "INCLUDE"]


def read_units(size_bytes: int, consistency: Consistency = "eventual") -> float:
    """Read units of one item: one for each 4 KB begun; half, once or twice that.

    Reading an item that does not exist counts as reading one of up to 4 KB (`size_bytes=0`).

    Parameters
    ----------
    size_bytes
        What the whole item weighs (`item_size`), whatever part of it is asked for.
    consistency
        "eventual" (half), "strong" (once) or "transactional" (twice).

    Raises
    ------
    ValueError
        If the size is above the 400 KB of an item, or the consistency none of the three.

    Examples
    --------
    >>> read_units(8 * 1024, "strong"), read_units(8 * 1024), read_units(1, "transactional")
    (2.0, 1.0, 2.0)
    """
    return _chunks_of_reads(item_bytes(size_bytes)) * _factor(consistency)


def write_units(size_bytes: int, transactional: bool = False) -> int:
    """Write units of one item: one for each KB begun, twice in a transaction.

    An update or a put counts the larger of the item before and after it, a delete the item that
    was there; without one there it counts as up to 1 KB (`size_bytes=0`).

    Examples
    --------
    >>> write_units(3 * 1024), write_units(3 * 1024 + 1), write_units(0), write_units(1, True)
    (3, 4, 1, 2)
    """
    rule = fact("ddb.units.write")
    step = int(rule["item_kb_per_unit"]) * KB
    once = max(1, -(-item_bytes(size_bytes) // step))
    return once * int(rule["transactional" if transactional else "standard"])


def page_units(sizes: Iterable[int], consistency: Consistency = "eventual") -> float:
    """Read units of one page of a Query or Scan: the sizes are added, then rounded up to 4 KB.

    What a filter drops counts; so does what a projection leaves out. A page ends at 1 MB. A page
    that read nothing counts half a unit here (one for strong), as reading a missing item does;
    DynamoDB Local reports nothing for it.

    Examples
    --------
    >>> page_units([1024] * 6), page_units([1024] * 6, "strong"), page_units([])
    (1.0, 2.0, 0.5)
    """
    if consistency == "transactional":
        raise ValueError("consistency='transactional' is not possible: Query and Scan have none")
    return _chunks_of_reads(sum(map(item_bytes, sizes))) * _factor(consistency)


def batch_get_units(sizes: Sequence[int], consistency: Consistency = "eventual") -> float:
    """Read units of a BatchGetItem: each item is rounded up by itself, unlike in a Query.

    A missing item has size 0 and counts as up to 4 KB; DynamoDB Local reports nothing for it.

    Examples
    --------
    >>> batch_get_units([1536, 6656], "strong"), page_units([1536, 6656], "strong")
    (3.0, 2.0)
    """
    at_most("items", len(sizes), int(fact("ddb.batch")["get_items"]), "ddb.batch")
    if consistency == "transactional":
        raise ValueError("consistency='transactional' is not possible: see transact_get_units")
    return sum(read_units(size, consistency) for size in sizes)


def transact_get_units(sizes: Sequence[int]) -> float:
    """Read units of a TransactGetItems: twice each item's strong read; 100 items and 4 MB at most.

    Examples
    --------
    >>> transact_get_units([5000, 0])
    6.0
    """
    _transaction(sizes)
    return sum(read_units(size, "transactional") for size in sizes)


def transact_write_units(sizes: Sequence[int]) -> int:
    """Write units of a TransactWriteItems: twice each write; 100 items and 4 MB at most.

    A cancelled transaction is charged, too. Indexes come on top (`Index.units`), doubled as well.

    Examples
    --------
    >>> transact_write_units([900, 1500])
    6
    """
    _transaction(sizes)
    return sum(write_units(size, transactional=True) for size in sizes)


@dataclass(frozen=True)
class Index:
    """A secondary index: what of an item it holds, and what keeping it up to date counts.

    Attributes
    ----------
    key
        Attributes of the index key. An item without all of them is not in the index.
    table_key
        Attributes of the table's key; an index always holds them.
    projection, attributes
        "ALL", "KEYS_ONLY", or "INCLUDE" with the attributes that are held besides the keys.
    overhead_bytes
        Counted with each entry. The documentation has 100 bytes for storage and none for units;
        DynamoDB Local adds them to the units of local indexes, too.

    Examples
    --------
    >>> status = Index(("status",), ("id",), "KEYS_ONLY")
    >>> new = {"id": "o-1", "status": "new", "lines": "x" * 3000}
    >>> status.units(None, new), status.units(new, {**new, "status": "paid"})
    (1, 2)
    >>> status.units(new, {**new, "lines": "y"})
    0
    """

    key: tuple[str, ...]
    table_key: tuple[str, ...]
    projection: Projection = "ALL"
    attributes: tuple[str, ...] = ()
    overhead_bytes: int = 0

    def __post_init__(self) -> None:
        if not self.key or not self.table_key:
            raise ValueError(f"key={self.key} and table_key={self.table_key} must not be empty")
        if self.projection not in get_args(Projection):
            allowed = ", ".join(get_args(Projection))
            raise ValueError(f"projection={self.projection!r} is none of {allowed}")
        if bool(self.attributes) != (self.projection == "INCLUDE"):
            raise ValueError(f"attributes={self.attributes} go with projection='INCLUDE' only")
        most = int(fact("ddb.idx")["projected_attributes"])
        at_most("attributes", len(self.attributes), most, "ddb.idx")
        whole("overhead_bytes", self.overhead_bytes)

    def entry(self, item: Item | None) -> Item | None:
        """What the index holds of an item; None where the item is not in it."""
        if item is None or any(name not in item for name in self.key):
            return None
        if self.projection == "ALL":
            return item
        held = {*self.key, *self.table_key, *self.attributes}
        return {name: value for name, value in item.items() if name in held}

    def units(self, before: Item | None, after: Item | None, transactional: bool = False) -> int:
        """Write units of this index when an item changes.

        Nothing where its entry stays as it was; one write of the larger entry where only
        projected attributes change; a delete and a put where a key of the index changes.

        Parameters
        ----------
        before, after
            The item, or None where there is none (a put of a new one, a delete).
        transactional
            Whether it changes in a transaction: then an index counts twice, too.
        """
        old, new = self.entry(before), self.entry(after)
        if old == new:
            return 0
        more = self.overhead_bytes
        sizes = [item_size(one) + more for one in (old, new) if one is not None]
        moved = old is not None and new is not None and any(old[k] != new[k] for k in self.key)
        if moved:
            return sum(write_units(size, transactional) for size in sizes)
        return write_units(max(sizes), transactional)


def change_units(
    before: Item | None,
    after: Item | None,
    indexes: Sequence[Index] = (),
    transactional: bool = False,
) -> int:
    """Write units of a put, update or delete, with all its indexes.

    Examples
    --------
    >>> order = {"id": "o-1", "customer": "c-9", "total": 49}
    >>> by_customer = Index(("customer",), ("id",))
    >>> change_units(None, order, [by_customer])
    2
    """
    sizes = [item_size(one) for one in (before, after) if one is not None]
    own = write_units(max(sizes, default=0), transactional)
    return own + sum(index.units(before, after, transactional) for index in indexes)


def _chunks_of_reads(size: int) -> int:
    step = int(fact("ddb.units.read")["item_kb_per_unit"]) * KB
    return max(1, -(-size // step))


def _factor(consistency: str) -> float:
    if consistency not in get_args(Consistency):
        allowed = ", ".join(get_args(Consistency))
        raise ValueError(f"consistency={consistency!r} is none of {allowed}")
    return float(fact("ddb.units.read")[consistency])


def _transaction(sizes: Sequence[int]) -> None:
    rule = fact("ddb.txn")
    at_most("items", len(sizes), int(rule["items"]), "ddb.txn")
    at_most("bytes together", sum(sizes), int(rule["mb"]) * KB * KB, "ddb.txn")
