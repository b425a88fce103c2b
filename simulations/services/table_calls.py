"""What a DynamoDB table is asked: operations as values, and the errors it answers with.

Names are those of DynamoDB's API without "Item". May import: the standard library,
`simulations.clock`, `.simulation` and this room's `invocation`, `item`, `provider` and `units`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from simulations.clock import Caller, Step
from simulations.services.invocation import Throttled
from simulations.services.item import Item
from simulations.services.provider import ProviderError
from simulations.services.units import Consistency
from simulations.simulation import ServiceError


class Sized(NamedTuple):
    """An item of which nothing but its key and its size matters.

    Examples
    --------
    >>> Sized("o-17", 1033).size_bytes
    1033
    """

    key: Hashable
    size_bytes: int


#: An item with its attributes, or a sized one.
Stored = Item | Sized
#: Whether a write may happen, given the item that is there (None where there is none).
Condition = Callable[[Any], bool]


class ProvisionedThroughputExceeded(Throttled):
    """The request was throttled, and nothing was consumed; an SDK tries it again.

    DynamoDB has three errors for it by now; `reason` says which limit it was, in its words:
    resource, operation and limit, as in "TableWriteKeyRangeThroughputExceeded".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConditionalCheckFailed(ServiceError):
    """The condition of a write did not hold. Its units are consumed (fact `ddb.units.failed`)."""

    outcome = "condition_failed"


class TransactionCanceled(ServiceError):
    """A condition of a transaction did not hold, so nothing was written; its units are consumed.

    `reasons` has for each action "ConditionalCheckFailed" or "None".
    """

    outcome = "transaction_canceled"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = tuple(reasons)


class InternalServerError(ProviderError):
    """The table failed, as `Simulation(faults=...)` has it."""


@dataclass(frozen=True, slots=True)
class Get:
    """Read one item."""

    key: Hashable
    consistency: Consistency = "eventual"


@dataclass(frozen=True, slots=True)
class Put:
    """Write an item, in place of the one that is there.

    Examples
    --------
    >>> once = Put({"order": "o-1"}, lambda old: old is None)
    >>> once.condition(None), once.condition({"order": "o-1"})
    (True, False)
    """

    item: Stored
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Set attributes of an item, which comes into being if it is not there.

    `change` holds the attributes, or is a function from the item (None where there is none) to
    them; of an item without attributes it is its new size.

    Examples
    --------
    >>> sell = Update("shirt", lambda old: {"left": old["left"] - 1}, lambda old: old["left"] > 0)
    >>> sell.change({"left": 3})
    {'left': 2}
    """

    key: Hashable
    change: Item | int | Callable[[Any], Item]
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Take an item away.

    Examples
    --------
    >>> Delete("o-1").condition is None
    True
    """

    key: Hashable
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class ConditionCheck:
    """Let a transaction depend on an item that it does not write.

    Examples
    --------
    >>> ConditionCheck("c-9", lambda customer: customer is not None).key
    'c-9'
    """

    key: Hashable
    condition: Condition


Write = Put | Update | Delete
Action = Write | ConditionCheck


@dataclass(frozen=True, slots=True)
class Query:
    """Read the items of one partition, of the table or of an index, in order of the sort key."""

    partition: Hashable
    index: str | None = None
    consistency: Consistency = "eventual"
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class TransactWrite:
    """Write all or nothing."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class TransactGet:
    """Read several items as they are at one moment."""

    keys: tuple[Hashable, ...]


Operation = Get | Write | Query | TransactWrite | TransactGet


class Operations:
    """What a handler calls: each begins a step, and ends with what is read or an error."""

    @abstractmethod
    def accept(self, body: Any, /, caller: Caller | None = None) -> Step:
        """Take in one operation."""

    def get(
        self, key: Hashable, consistency: Consistency = "eventual", caller: Caller | None = None
    ) -> Step:
        """Read an item; the step ends with it, or with None."""
        return self.accept(Get(key, consistency), caller)

    def put(
        self, item: Stored, condition: Condition | None = None, caller: Caller | None = None
    ) -> Step:
        """Write an item, if the condition holds for the one that is there."""
        return self.accept(Put(item, condition), caller)

    def update(
        self,
        key: Hashable,
        change: Item | int | Callable[[Any], Item],
        condition: Condition | None = None,
        caller: Caller | None = None,
    ) -> Step:
        """Set attributes of an item; the step ends with the whole item."""
        return self.accept(Update(key, change, condition), caller)

    def delete(
        self, key: Hashable, condition: Condition | None = None, caller: Caller | None = None
    ) -> Step:
        """Take an item away; the step ends with it, or with None."""
        return self.accept(Delete(key, condition), caller)

    def query(
        self,
        partition: Hashable,
        index: str | None = None,
        consistency: Consistency = "eventual",
        limit: int | None = None,
        caller: Caller | None = None,
    ) -> Step:
        """Read the first page of a partition; the step ends with a list."""
        return self.accept(Query(partition, index, consistency, limit), caller)

    def transact(self, *actions: Action, caller: Caller | None = None) -> Step:
        """Write all of these or nothing (TransactWriteItems)."""
        return self.accept(TransactWrite(actions), caller)

    def transact_get(self, *keys: Hashable, caller: Caller | None = None) -> Step:
        """Read all of these at one moment (TransactGetItems); the step ends with a list."""
        return self.accept(TransactGet(keys), caller)


def is_attributes(item: object) -> TypeGuard[Item]:
    """Whether an item is one with attributes."""
    return isinstance(item, Mapping)
