"""The items of a simulated DynamoDB table and of its indexes, without time and without limits.

May import: the standard library, `simulations.facts` and this room's `item`, `table_calls` and
`units`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulations.facts import fact
from simulations.services.item import KB, item_bytes, item_size
from simulations.services.table_calls import (
    Action,
    ConditionCheck,
    Delete,
    Put,
    Query,
    Sized,
    Stored,
    is_attributes,
)
from simulations.services.units import Index

#: What DynamoDB takes for a key attribute.
KEY_TYPES = (str, int, Decimal, bytes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action would make of one item.

    Attributes
    ----------
    key
        Of the item.
    before, after
        The item, or None.
    before_bytes, after_bytes
        What they weigh; of a write whose condition fails, `after` is what was to be written.
    holds
        Whether its condition holds.
    writes
        Whether it changes the item, unlike a condition check.
    """

    key: Hashable
    before: Stored | None
    after: Stored | None
    before_bytes: int
    after_bytes: int
    holds: bool
    writes: bool = True

    @property
    def bytes(self) -> int:
        """The larger of the two: what a write counts."""
        return max(self.before_bytes, self.after_bytes)

    @property
    def kb(self) -> float:
        """The same, for the trace."""
        return self.bytes / KB


class Store:
    """Items by key, and the entries of the indexes.

    Parameters
    ----------
    key
        Attributes of the table's key: a partition key, and perhaps a sort key.
    indexes
        By name.

    Attributes
    ----------
    bytes : int
        What is stored: items and index entries, each with 100 bytes of overhead (fact
        `ddb.item_size`).

    Examples
    --------
    >>> store = Store(("order",), {})
    >>> store.commit(store.outcome(Put({"order": "o-1", "total": 49})))
    >>> store.read("o-1")
    ({'order': 'o-1', 'total': 49}, 15)
    """

    def __init__(self, key: tuple[str, ...], indexes: Mapping[str, Index]) -> None:
        self.key = key
        self.indexes = indexes
        self.bytes = 0
        self._items: dict[Hashable, tuple[Stored, int]] = {}
        self._partitions: dict[Hashable, dict[Hashable, None]] = {}
        self._entries: dict[str, dict[Hashable, dict[Hashable, Any]]] = {n: {} for n in indexes}
        self._overhead = int(fact("ddb.item_size")["storage_overhead_bytes_per_item"])

    def __len__(self) -> int:
        return len(self._items)

    def key_of(self, item: Stored) -> Hashable:
        """The key of an item: one value, or a pair of them where there is a sort key."""
        if isinstance(item, Sized):
            return self.checked(item.key)
        missing = [name for name in self.key if name not in item]
        if missing:
            raise ValueError(f"item={item!r} has no {missing[0]}, an attribute of the key")
        values = tuple(item[name] for name in self.key)
        return self.checked(values if len(values) > 1 else values[0])

    def checked(self, key: Hashable) -> Hashable:
        """A key, which must have as many parts as the table's, each text, number or bytes."""
        parts = key if len(self.key) > 1 else (key,)
        if not isinstance(parts, tuple) or len(parts) != len(self.key):
            raise ValueError(f"key={key!r} must be a value of each of {', '.join(self.key)}")
        for part in parts:
            if isinstance(part, bool) or not isinstance(part, KEY_TYPES):
                raise ValueError(f"key={key!r} must be made of texts, numbers or bytes")
        return key

    def read(self, key: Hashable) -> tuple[Any, int]:
        """The item, a copy, and its bytes; None and 0 where there is none."""
        item, size = self._items.get(self.checked(key), (None, 0))
        return (dict(item) if is_attributes(item) else item), size

    def outcome(self, action: Action) -> Outcome:
        """What an action makes of its item, and whether its condition holds."""
        key = self.key_of(action.item) if isinstance(action, Put) else action.key
        before, before_bytes = self.read(key)
        holds = action.condition is None or bool(action.condition(before))
        after: Stored | None
        if isinstance(action, ConditionCheck):
            # The documentation has no units for it; DynamoDB Local counts the least, however large
            # the item is.
            return Outcome(key, before, before, 0, 0, holds, writes=False)
        if isinstance(action, Delete):
            after = None
        elif isinstance(action, Put):
            after = action.item
        elif callable(action.change) and not holds:
            after = before  # it may rely on the condition, so nobody knows what it would write
        else:
            after = self._updated(key, before, action.change)
        return Outcome(key, before, after, before_bytes, self._weight(after), holds)

    def _updated(self, key: Hashable, before: Any, change: Any) -> Stored:
        if isinstance(change, int):
            if is_attributes(before):
                raise ValueError(f"change={change!r} is a size, and the item has attributes")
            return Sized(key, change)
        values = key if isinstance(key, tuple) else (key,)
        named = dict(zip(self.key, values, strict=True))
        wanted: Mapping[str, Any] = change(before) if callable(change) else change
        after = {**(before or named), **wanted}
        if any(after[name] != value for name, value in named.items()):
            raise ValueError(f"change={dict(wanted)!r} would change the key {key!r}")
        return after

    def _weight(self, item: Stored | None) -> int:
        if item is None:
            return 0
        if isinstance(item, Sized):
            if self.indexes:
                raise ValueError(f"item={item!r} has no attributes, which an index needs")
            return item_bytes(item.size_bytes)
        return item_size(item)

    def commit(self, outcome: Outcome) -> None:
        """Let it happen."""
        key, after = outcome.key, outcome.after
        if not outcome.writes:
            return
        if outcome.before is not None:
            self.bytes -= outcome.before_bytes + self._overhead
            del self._items[key]
            if isinstance(key, tuple):
                del self._partitions[key[0]][key]
        if after is not None:
            self.bytes += outcome.after_bytes + self._overhead
            self._items[key] = (dict(after) if is_attributes(after) else after, outcome.after_bytes)
            if isinstance(key, tuple):
                self._partitions.setdefault(key[0], {})[key] = None
        for name, index in self.indexes.items():
            self._index(name, index, outcome)

    def _index(self, name: str, index: Index, outcome: Outcome) -> None:
        entries, key = self._entries[name], outcome.key
        for item, sign in ((outcome.before, -1), (outcome.after, 1)):
            entry = index.entry(item if is_attributes(item) else None)
            if entry is None:
                continue
            self.bytes += sign * (item_size(entry) + self._overhead)
            partition = entry[index.key[0]]
            if sign < 0:
                del entries[partition][key]
                if not entries[partition]:
                    del entries[partition]
            else:
                entries.setdefault(partition, {})[key] = entry

    def hot_key(self, index: Index, outcome: Outcome) -> Hashable:
        """What in an index cannot be spread over partitions: an entry, or all of one key.

        Entries of one partition key are told apart by the sort key; without one they stay together.
        """
        if len(index.key) > 1:
            return outcome.key
        entry = index.entry(outcome.after) or index.entry(outcome.before)  # type: ignore[arg-type]
        value: Hashable = None if entry is None else entry[index.key[0]]
        return value

    def page(self, query: Query) -> tuple[list[Any], list[int]]:
        """The items of the first page of a query, and their bytes: 1 MB at most, before filters."""
        found: list[tuple[Any, Any, int]]
        if query.index is None:
            keys = self._partitions.get(query.partition, {})
            if len(self.key) == 1:
                keys = {query.partition: None} if query.partition in self._items else {}
            found = [(key[1] if isinstance(key, tuple) else key, *self.read(key)) for key in keys]
        else:
            if query.index not in self.indexes:
                raise ValueError(f"index={query.index!r} is none of {sorted(self.indexes)}")
            index = self.indexes[query.index]
            entries = self._entries[query.index].get(query.partition, {})
            sort = index.key[-1]
            found = [(one[sort], dict(one), item_size(one)) for one in entries.values()]
        found.sort(key=lambda one: one[0])
        most = int(fact("ddb.page").value) * KB * KB
        items: list[Any] = []
        sizes: list[int] = []
        for _, item, size in found[: query.limit]:
            if sum(sizes) + size > most:
                break
            items.append(item)
            sizes.append(size)
        return items, sizes
