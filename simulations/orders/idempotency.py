"""Charging a card once: five protocols, and a table and a card provider to try them on.

A protocol is a handler in steps: it yields every request that leaves the function. Between two
requests a crash leaves nothing behind, so whoever drives a protocol can end it after any step and
has tried every crash there is. May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from simulations._check import not_negative, positive

#: How long Powertools for AWS Lambda keeps a record unless told otherwise
#: (`expires_after_seconds`, documentation of the idempotency utility, read in November 2026).
POWERTOOLS_TTL_S = 3600.0
#: How long Stripe keeps an idempotency key at the least (API v1, documentation of idempotent
#: requests, read in November 2026).
STRIPE_KEY_S = 24 * 3600.0

Claim = Literal["claimed", "in progress", "done"]


class InProgress(Exception):
    """Another delivery holds the lock: this one fails, so that its message comes back later."""


class Records(Protocol):
    """A table with one record a key; `simulations.aws.charges` has it in DynamoDB."""

    def read(self, key: str, now_s: float) -> bool:
        """Whether the key is noted as done, and the record has not expired."""

    def note(self, key: str, now_s: float, ttl_s: float) -> None:
        """Write that the key is done, whatever stands there."""

    def claim(self, key: str, now_s: float, ttl_s: float, lock_s: float | None) -> Claim:
        """Write a lock, if there is no record, or it has expired, or its lock has."""


class Cards(Protocol):
    """A card provider that may honor idempotency keys."""

    def charge(self, order: str, key: str | None) -> None:
        """Charge the order's card, unless the key was seen and is still remembered."""

    def charges(self, order: str) -> int:
        """How often the order's card was charged."""


@dataclass(frozen=True)
class Step:
    """A request that leaves the function: its name, and how to send it."""

    name: str
    send: Callable[[], Any]


Steps = Generator[Step, Any, None]


@dataclass(frozen=True)
class Delivery:
    """One delivery of an order's message to a function: what it reaches, and its clock.

    Parameters
    ----------
    records, cards
        The table and the card provider.
    clock : callable
        Returns the time in seconds, as this function's environment has it.
    ttl_s : float
        How long a record is valid.
    lock_s : float
        How long a lock is valid: the time that the function has left.

    Raises
    ------
    ValueError
        If a time is not positive.
    """

    records: Records
    cards: Cards
    clock: Callable[[], float]
    ttl_s: float = POWERTOOLS_TTL_S
    lock_s: float = 30.0

    def __post_init__(self) -> None:
        positive("ttl_s", self.ttl_s)
        positive("lock_s", self.lock_s)

    def read(self, order: str) -> Step:
        """Ask whether the order is noted as charged."""
        return Step("read", lambda: self.records.read(order, self.clock()))

    def note(self, order: str) -> Step:
        """Note the order as charged."""
        return Step("note", lambda: self.records.note(order, self.clock(), self.ttl_s))

    def claim(self, order: str, lock_s: float | None) -> Step:
        """Write the order's record if nobody else has."""
        return Step("claim", lambda: self.records.claim(order, self.clock(), self.ttl_s, lock_s))

    def charge(self, order: str, key: str | None = None) -> Step:
        """Charge the card."""
        return Step("charge", lambda: self.cards.charge(order, key))


# ---------------------------------------------------------------- the protocols


def none(order: str, delivery: Delivery) -> Steps:
    """Charge."""
    yield delivery.charge(order)


def check_then_act(order: str, delivery: Delivery) -> Steps:
    """Look whether it was done; charge; note that it was done."""
    if not (yield delivery.read(order)):
        yield delivery.charge(order)
        yield delivery.note(order)


def claim_first(order: str, delivery: Delivery) -> Steps:
    """Write the record first, if there is none; whoever finds one goes home."""
    if (yield delivery.claim(order, lock_s=None)) == "claimed":
        yield delivery.charge(order)


def lock(order: str, delivery: Delivery) -> Steps:
    """Claim with a lock that expires; charge; note. Whoever finds a lock fails, and comes back."""
    found = yield delivery.claim(order, delivery.lock_s)
    if found == "in progress":
        raise InProgress(order)
    if found == "claimed":
        yield delivery.charge(order)
        yield delivery.note(order)


def lock_and_key(order: str, delivery: Delivery) -> Steps:
    """As `lock`, and the provider gets the order's number as its idempotency key."""
    found = yield delivery.claim(order, delivery.lock_s)
    if found == "in progress":
        raise InProgress(order)
    if found == "claimed":
        yield delivery.charge(order, key=order)
        yield delivery.note(order)


PROTOCOLS: dict[str, Callable[[str, Delivery], Steps]] = {
    "none": none,
    "check, then act": check_then_act,
    "claim first": claim_first,
    "lock": lock,
    "lock and key": lock_and_key,
}


def deliver(steps: Steps, crash_after: int | None = None) -> str:
    """Run a delivery, or the first `crash_after` steps of it; return how it ended.

    Returns
    -------
    str
        `done` (the message is deleted), `rejected` (another holds the lock) or `crashed`.

    Examples
    --------
    >>> cards = CardsInMemory(clock=lambda: 0.0)
    >>> delivery = Delivery(RecordsInMemory(), cards, clock=lambda: 0.0)
    >>> deliver(check_then_act("17", delivery), crash_after=2)  # read and charged, not noted
    'crashed'
    >>> deliver(check_then_act("17", delivery)), cards.charges("17")
    ('done', 2)
    """
    answer: Any = None
    sent = 0
    while True:
        if sent == crash_after:
            return "crashed"
        try:
            step = steps.send(answer)
        except StopIteration:
            # The message is deleted last: between the last step and that lies one crash more.
            return "done"
        except InProgress:
            return "rejected"
        answer = step.send()
        sent += 1


# ---------------------------------------------------------------- in memory


@dataclass
class RecordsInMemory:
    """`Records` in a dictionary: key to (expires, is done, locked until).

    Answers as DynamoDB does with the conditions of `simulations.aws.charges`, which a test
    compares operation by operation.
    """

    items: dict[str, tuple[float, bool, float | None]] = field(default_factory=dict)

    def read(self, key: str, now_s: float) -> bool:
        """Whether the key is noted as done, and the record has not expired."""
        expires_s, done, _ = self.items.get(key, (now_s - 1, False, None))
        return done and expires_s >= now_s

    def note(self, key: str, now_s: float, ttl_s: float) -> None:
        """Write that the key is done, whatever stands there."""
        self.items[key] = (now_s + ttl_s, True, None)

    def claim(self, key: str, now_s: float, ttl_s: float, lock_s: float | None) -> Claim:
        """Write a lock, if there is no record, or it has expired, or its lock has."""
        found = self.items.get(key)
        if found is not None:
            expires_s, done, locked_s = found
            free = not done and locked_s is not None and locked_s < now_s
            if expires_s >= now_s and not free:
                return "done" if done else "in progress"
        until_s = None if lock_s is None else now_s + lock_s
        self.items[key] = (now_s + ttl_s, False, until_s)
        return "claimed"


@dataclass
class CardsInMemory:
    """`Cards` in a dictionary; remembers a key for `key_s` after the charge, by its own clock.

    Raises
    ------
    ValueError
        If `key_s` is negative.
    """

    clock: Callable[[], float]
    key_s: float = STRIPE_KEY_S
    made: dict[str, int] = field(default_factory=dict)
    keys: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        not_negative("key_s", self.key_s)

    def charge(self, order: str, key: str | None) -> None:
        """Charge the order's card, unless the key was seen and is still remembered."""
        now_s = self.clock()
        if key is not None:
            if self.keys.get(key, now_s - 1) >= now_s:
                return
            self.keys[key] = now_s + self.key_s
        self.made[order] = self.charges(order) + 1

    def charges(self, order: str) -> int:
        """How often the order's card was charged."""
        return self.made.get(order, 0)
