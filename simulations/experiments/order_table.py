"""The shop's order table: its item, its indexes, and every access of an order's life in units.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from simulations.services.item import KB, Item, item_size
from simulations.services.units import Index, page_units, read_units, write_units

KEY = ("order",)
#: Orders of a customer that one look at "my orders" shows.
PAGE_ORDERS = 10
#: Looks at one order by its customer and the parcel service, none of which needs strong reads.
LOOKS = 4
#: Product names of the example, which the shop copies into the order.
NAME_CHARS = 90


def placed(name_chars: int = NAME_CHARS) -> dict[str, Any]:
    """An order as it is placed: three lines, an address, a payment.

    Parameters
    ----------
    name_chars
        Length of a product's name; the shop copies it into the order.

    Examples
    --------
    >>> item_size(placed())
    1033
    """
    line = {"sku": "SKU-10023417", "quantity": 1, "price": Decimal("42.90")}
    return {
        "order": "2026-11-23-000417-7f3a",
        "customer": "c-0004176301",
        "placed": "2026-11-23T13:37:48.120Z",
        "status": "placed",
        "total": Decimal("128.70"),
        "currency": "EUR",
        "lines": [{**line, "name": "x" * name_chars} for _ in range(3)],
        "ship_to": {
            "name": "Johanna Musterfrau", "street": "Lange Wanderstrasse 117", "zip": "10997",
            "city": "Berlin", "country": "DE", "phone": "+49 30 1234567",
        },
        "bill_to": {
            "name": "Johanna Musterfrau", "street": "Lange Wanderstrasse 117", "zip": "10997",
            "city": "Berlin", "country": "DE", "vat": "DE123456789",
        },
        "payment": {"provider": "cards", "intent": "pi_3PqKz2eZvKYlo2C1xT8vYw4n", "last4": "4242"},
        "shipping": {"carrier": "parcel", "service": "standard", "note": "leave with a neighbor"},
        "device": {"agent": "Mozilla/5.0 (X11; Linux x86_64)", "ip": "203.0.113.117"},
        "basket": "b-7f3a9c21-5d0e-4f6b-9a53-1f2e3d4c5b6a",
        "idempotency": "k-91b7c3e2-0f4d-47a8-8a1e-6c5d4e3f2a1b",
    }  # fmt: skip


def life(name_chars: int = NAME_CHARS) -> tuple[dict[str, Any], ...]:
    """The order after each of its four writes: placed, authorized, packed, confirmed."""
    first = placed(name_chars)
    return tuple(
        {**first, "status": status} for status in ("placed", "authorized", "packed", "confirmed")
    )


def by_customer(all_attributes: bool = True) -> Index:
    """The index behind "my orders": the whole order, or what the list shows."""
    key = ("customer", "placed")
    if all_attributes:
        return Index(key, KEY)
    return Index(key, KEY, "INCLUDE", ("status", "total", "currency"))


def by_status() -> Index:
    """The index behind the packers' list: keys only, one entry an order, moved at each step."""
    return Index(("status", "placed"), KEY, "KEYS_ONLY")


class OrderUnits(NamedTuple):
    """Units of one order's life, and what it leaves stored.

    Attributes
    ----------
    writes, transaction, customer_index, status_index
        Write units: of the table, on top for placing it in a transaction (indexes included),
        and of the two indexes.
    reads
        Read units.
    item_bytes, index_bytes
        What it weighs, and what its index entries weigh with 100 bytes of overhead each.
    """

    writes: int
    transaction: int
    customer_index: int
    status_index: int
    reads: float
    item_bytes: int
    index_bytes: int


@dataclass(frozen=True)
class OrderTable:
    """How the table is built.

    Attributes
    ----------
    name_chars
        Length of the products' names in an order; the longest decides whether it fits a KB.
    whole_orders
        Whether the customer's index holds whole orders or only what the list shows.
    status_index
        Whether the packers' index stands.
    in_transaction
        Whether an order is placed in a transaction (with its stock) or by a conditional put.
    """

    name_chars: int = NAME_CHARS
    whole_orders: bool = True
    status_index: bool = True
    in_transaction: bool = True

    def indexes(self) -> tuple[Index, ...]:
        """The indexes, the customer's first."""
        customer = by_customer(self.whole_orders)
        return (customer, by_status()) if self.status_index else (customer,)

    def units(self) -> OrderUnits:
        """Units of one order, counted on the items themselves.

        Examples
        --------
        >>> OrderTable().units()[:5]
        (8, 5, 8, 7, 3.5)
        """
        states: list[Item | None] = [None, *life(self.name_chars)]
        steps = list(pairwise(states))
        sizes = [item_size(after) for _, after in steps if after is not None]
        indexes = self.indexes()
        kept = [[index.units(old, new) for old, new in steps] for index in indexes]
        surcharge = write_units(sizes[0]) + sum(units[0] for units in kept)
        entries = [item_size(index.entry(states[-1]) or {}) for index in indexes]
        looks = LOOKS * read_units(sizes[-1])
        return OrderUnits(
            writes=sum(map(write_units, sizes)),
            transaction=surcharge if self.in_transaction else 0,
            customer_index=sum(kept[0]),
            status_index=sum(kept[1]) if self.status_index else 0,
            reads=looks + page_units([entries[0]] * PAGE_ORDERS),
            item_bytes=sizes[-1],
            index_bytes=sum(entry + 100 for entry in entries),
        )

    @property
    def longest_name(self) -> int:
        """The longest product name with which an order still fits the KB it nearly fills."""
        bare = max(map(item_size, life(0)))
        return (math.ceil(bare / KB) * KB - bare) // len(placed()["lines"])


#: The ways to build it that were asked of DynamoDB Local, by their words.
TABLES = {
    "as it is": OrderTable(),
    "an order within 1 KB": OrderTable(name_chars=OrderTable().longest_name),
    "index with the list's attributes": OrderTable(whole_orders=False),
    "conditional put": OrderTable(in_transaction=False),
}
