"""Units of a DynamoDB table: what an item weighs, and what each operation on it is counted as.

The rules are AWS's; where they say "approximately", DynamoDB Local decided (a real one, asked by
the tests). May import: the standard library and the rooms above.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from simulations._check import whole
from simulations.facts import fact
from simulations.services.limits import source_of

Consistency = Literal["eventual", "strong", "transactional"]
Projection = Literal["ALL", "KEYS_ONLY", "INCLUDE"]
Item = Mapping[str, Any]

KB = 1024
#: The types of DynamoDB's own JSON, such as {"S": "shoes"}.
TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"})
#: Significant digits and magnitude of a number: DynamoDB's naming rules and data types.
MOST_DIGITS, LARGEST_EXPONENT, SMALLEST_EXPONENT = 38, 125, -130


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
    return _chunks_of_reads(_item_bytes(size_bytes)) * _factor(consistency)


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
    once = max(1, -(-_item_bytes(size_bytes) // step))
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
    return _chunks_of_reads(sum(map(_item_bytes, sizes))) * _factor(consistency)


def batch_get_units(sizes: Sequence[int], consistency: Consistency = "eventual") -> float:
    """Read units of a BatchGetItem: each item is rounded up by itself, unlike in a Query.

    A missing item has size 0 and counts as up to 4 KB; DynamoDB Local reports nothing for it.

    Examples
    --------
    >>> batch_get_units([1536, 6656], "strong"), page_units([1536, 6656], "strong")
    (3.0, 2.0)
    """
    _at_most("items", len(sizes), int(fact("ddb.batch")["get_items"]), "ddb.batch")
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
        _at_most("attributes", len(self.attributes), most, "ddb.idx")
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


def item_size(item: Item) -> int:
    """Bytes of an item: its attribute names and values, as capacity counts them.

    Parameters
    ----------
    item
        DynamoDB's own JSON (every value is {"S": ...}, {"N": ...} and so on, as boto3's client
        takes it; "B" as bytes, or base64 text), or plain Python values as boto3's resource takes
        them: str, int, Decimal, bytes, bool, None, sets, lists, dicts. An item whose every value
        looks like DynamoDB's JSON is taken for that.

    Raises
    ------
    ValueError
        If a value has no DynamoDB type, a number more than 38 digits, a set no or mixed
        elements, or the item more than 400 KB.

    Examples
    --------
    >>> item_size({"id": "o-1", "total": 49, "paid": True})
    17
    >>> item_size({"id": {"S": "o-1"}, "total": {"N": "49"}, "paid": {"BOOL": True}})
    17
    """
    typed = bool(item) and all(map(_is_typed, item.values()))
    measure = _typed if typed else _plain
    size = sum(_text(name) + measure(value) for name, value in item.items())
    return _item_bytes(size)


def number_size(number: int | Decimal | str) -> int:
    """Bytes of a number: one, and one for each two digits, and one for a minus.

    AWS says "approximately". DynamoDB Local pairs digits from the decimal point, as in money:
    12.34 has two pairs, 1.23 has 01 and 23; pairs of zeros before and after do not count. Zero
    takes one byte.

    Examples
    --------
    >>> [number_size(n) for n in ("0", "7", "12", "-12", "1.5", "1200", "120")]
    [1, 2, 2, 3, 3, 2, 3]
    """
    try:
        value = Decimal(number)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f"number={number!r} is no number") from None
    if not value.is_finite():
        raise ValueError(f"number={number!r} is not finite: DynamoDB has no such number")
    if not value:
        return 1
    sign, digits, written = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    exponent = int(written) + len(text) - len(text.rstrip("0"))
    text = text.rstrip("0")
    if len(text) > MOST_DIGITS:
        raise ValueError(f"number={number!r} has more than {MOST_DIGITS} significant digits")
    if not SMALLEST_EXPONENT <= exponent + len(text) - 1 <= LARGEST_EXPONENT:
        raise ValueError(
            f"number={number!r} is beyond 1E{SMALLEST_EXPONENT} to 9.9E+{LARGEST_EXPONENT}"
        )
    after_point = exponent % 2  # an odd place ends in half a pair
    return (len(text) + after_point + 1) // 2 + 1 + sign


def _is_typed(value: object) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in TYPES


def _text(text: object) -> int:
    if not isinstance(text, str):
        raise ValueError(f"name or text {text!r} is no str")
    return len(text.encode())


def _typed(value: Any) -> int:
    if not _is_typed(value):
        raise ValueError(f"value={value!r} is no DynamoDB JSON such as {{'S': 'shoes'}}")
    ((kind, inner),) = value.items()
    if kind == "S":
        return _text(inner)
    if kind == "N":
        return number_size(inner)
    if kind == "B":
        return _binary(inner)
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "L":
        return 3 + sum(1 + _typed(one) for one in inner)
    if kind == "M":
        return 3 + sum(1 + _text(name) + _typed(one) for name, one in inner.items())
    return _set(value, inner, {"SS": _text, "NS": number_size, "BS": _binary}[kind])


def _plain(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | Decimal):
        return number_size(value)
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, Mapping):
        return 3 + sum(1 + _text(name) + _plain(one) for name, one in value.items())
    if isinstance(value, list | tuple):
        return 3 + sum(1 + _plain(one) for one in value)
    if isinstance(value, set | frozenset):
        kinds = {"number" if isinstance(one, int | Decimal) else type(one) for one in value}
        if len(kinds) == 1 and kinds <= {"number", str, bytes}:
            return _set(value, value, _plain)
        raise ValueError(f"value={value!r} must hold texts, numbers or bytes, of one kind")
    raise ValueError(f"value={value!r} has no DynamoDB type (a float must be a Decimal)")


def _set(value: object, elements: Any, measure: Any) -> int:
    """A set weighs the sum of its elements; it cannot be empty."""
    if not elements:
        raise ValueError(f"value={value!r} is an empty set, which DynamoDB refuses")
    return sum(map(measure, elements))


def _binary(value: object) -> int:
    if isinstance(value, str):
        try:
            return len(base64.b64decode(value, validate=True))
        except binascii.Error:
            raise ValueError(f"B={value!r} is no base64") from None
    if isinstance(value, bytes | bytearray):
        return len(value)
    raise ValueError(f"B={value!r} must be bytes, or base64 text")


def _chunks_of_reads(size: int) -> int:
    step = int(fact("ddb.units.read")["item_kb_per_unit"]) * KB
    return max(1, -(-size // step))


def _factor(consistency: str) -> float:
    if consistency not in get_args(Consistency):
        allowed = ", ".join(get_args(Consistency))
        raise ValueError(f"consistency={consistency!r} is none of {allowed}")
    return float(fact("ddb.units.read")[consistency])


def _item_bytes(size: int) -> int:
    return _at_most("size_bytes", size, int(fact("ddb.item").value) * KB, "ddb.item")


def _transaction(sizes: Sequence[int]) -> None:
    rule = fact("ddb.txn")
    _at_most("items", len(sizes), int(rule["items"]), "ddb.txn")
    _at_most("bytes together", sum(sizes), int(rule["mb"]) * KB * KB, "ddb.txn")


def _at_most(name: str, value: int, most: int, id: str) -> int:
    if whole(name, value) > most:
        raise ValueError(f"{name}={value} is not possible: at most {most:,} {source_of(id)}")
    return int(value)
