"""What a DynamoDB item weighs: names and values in bytes, as capacity counts them.

The rules are AWS's; where they say "approximately", DynamoDB Local decided (a real one, asked by
the tests). May import: the standard library, `simulations._check`, `simulations.facts` and this
room's `limits`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from simulations._check import whole
from simulations.facts import fact
from simulations.services.limits import source_of

Item = Mapping[str, Any]

KB = 1024
#: The types of DynamoDB's own JSON, such as {"S": "shoes"}.
TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"})
#: Significant digits and magnitude of a number: DynamoDB's naming rules and data types.
MOST_DIGITS, LARGEST_EXPONENT, SMALLEST_EXPONENT = 38, 125, -130


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
    return item_bytes(size)


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


def item_bytes(size: int) -> int:
    """Return the size of an item, which must not be above 400 KB (fact `ddb.item`).

    Examples
    --------
    >>> item_bytes(1033)
    1033
    """
    return at_most("size_bytes", size, int(fact("ddb.item").value) * KB, "ddb.item")


def at_most(name: str, value: int, most: int, id: str) -> int:
    """Return a whole number, which must not be above `most`, a limit of fact `id`.

    Examples
    --------
    >>> at_most("items", 101, 100, "ddb.batch")
    Traceback (most recent call last):
    ValueError: items=101 is not possible: at most 100 (...
    """
    if whole(name, value) > most:
        raise ValueError(f"{name}={value} is not possible: at most {most:,} {source_of(id)}")
    return int(value)
