"""Attacks on five ways to charge once, enumerated: crashes, two at once, late redrives, keys.

What holds in every case of an enumeration holds. The tables may be those of this process or real
ones. May import: the standard library, SimPy and the rooms above `experiments/`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from simulations.facts import fact
from simulations.orders.idempotency import (
    POWERTOOLS_TTL_S,
    PROTOCOLS,
    STRIPE_KEY_S,
    Cards,
    CardsInMemory,
    Delivery,
    InProgress,
    Records,
    RecordsInMemory,
    deliver,
)

ORDER = "order 17"
#: A function's timeout, the lock's life; and what its queue then hides a message for (six times).
LOCK_S, WAIT_S = 30.0, 180.0
#: Receives before a message is dead-lettered, as AWS advises for a queue behind Lambda.
RECEIVES = 5
HOUR_S = 3600.0


@dataclass
class World:
    """A table, a card provider and the time; in memory unless others are handed over."""

    ttl_s: float = POWERTOOLS_TTL_S
    key_s: float = STRIPE_KEY_S
    lock_s: float = LOCK_S
    now_s: float = 0.0
    records: Records = field(default_factory=RecordsInMemory)
    cards: Cards = field(init=False)

    def __post_init__(self) -> None:
        # The provider has the right time; a test puts one in whose books are in DynamoDB.
        self.cards = CardsInMemory(self.clock, self.key_s)

    def clock(self) -> float:
        """The time."""
        return self.now_s

    def delivery(self, ahead_s: float = 0.0) -> Delivery:
        """A delivery to a function whose clock is `ahead_s` ahead."""
        return Delivery(
            self.records, self.cards, lambda: self.now_s + ahead_s, self.ttl_s, self.lock_s
        )

    def retry(self, protocol: str, wait_s: float = WAIT_S, order: str = ORDER) -> int:
        """Deliver the message again and again until it is done; return how often the card was charged."""
        for _ in range(RECEIVES):
            self.now_s += wait_s
            if deliver(PROTOCOLS[protocol](order, self.delivery())) == "done":
                break
        return self.cards.charges(order)


# ---------------------------------------------------------------- crashes, one after another


class Crash(NamedTuple):
    """One way to crash: after which step, of those sent; and how often the card was charged."""

    steps: tuple[str, ...]
    charges: int


def steps_of(protocol: str) -> list[str]:
    """Return the names of the steps that a first delivery sends, in order."""
    names: list[str] = []
    answer: Any = None
    steps = PROTOCOLS[protocol](ORDER, World().delivery())
    while True:
        try:
            step = steps.send(answer)
        except StopIteration:
            return names
        names.append(step.name)
        answer = step.send()


def one_crash(protocol: str, world: Callable[[], World] = World, order: str = ORDER) -> list[Crash]:
    """Return every crash of the first delivery, the message delivered again until it is done.

    Examples
    --------
    >>> [(crash.steps, crash.charges) for crash in one_crash("claim first")]
    [((), 1), (('claim',), 0), (('claim', 'charge'), 1)]
    """
    names, found = steps_of(protocol), []
    for sent in range(len(names) + 1):
        one, mine = world(), f"{order}.{sent}"
        deliver(PROTOCOLS[protocol](mine, one.delivery()), crash_after=sent)
        found.append(Crash(tuple(names[:sent]), one.retry(protocol, order=mine)))
    return found


def crash_sequences(protocol: str, crashes: int = 3) -> Counter[int]:
    """Return over all sequences of up to `crashes` crashes how often the card was charged.

    Each sequence crashes the first deliveries anywhere; the one after them is left in peace.
    """
    found: Counter[int] = Counter()
    left: list[tuple[int, ...]] = [()]
    while left:
        sequence = left.pop()
        world = World()
        ended = ""
        for sent in sequence:
            ended = deliver(PROTOCOLS[protocol](ORDER, world.delivery()), crash_after=sent)
            world.now_s += WAIT_S
        if sequence and ended != "crashed":
            continue  # it ended before it could crash there: no such sequence
        found[world.retry(protocol)] += 1
        if len(sequence) < crashes:
            left += [(*sequence, sent) for sent in range(len(steps_of(protocol)) + 1)]
    return found


# ---------------------------------------------------------------- two at once


class _Worker:
    """One delivery that is run step by step; deleting its message is the last step."""

    def __init__(self, protocol: str, order: str, delivery: Delivery, crashes: bool) -> None:
        self._steps = PROTOCOLS[protocol](order, delivery)
        self._crashes = crashes
        self._step: Any = None
        self._deletes = False
        self.ended = ""
        self._advance(None)

    def _advance(self, answer: Any) -> None:
        try:
            self._step = self._steps.send(answer)
        except StopIteration:
            # Where nothing crashes, it makes no difference when the message is deleted.
            self._deletes, self.ended = True, "" if self._crashes else "done"
        except InProgress:
            self.ended = "rejected"

    def send(self) -> None:
        """Send the request it stands at, and go on to the next."""
        if self._deletes:
            self.ended = "done"
        else:
            self._advance(self._step.send())


def two_at_once(
    protocol: str,
    *,
    ahead_s: float = 0.0,
    crashes: bool = True,
    world: Callable[[], World] = World,
    order: str = ORDER,
) -> Counter[int]:
    """Return over all orders of two deliveries' steps how often the card was charged.

    Parameters
    ----------
    protocol : str
        A name of `PROTOCOLS`.
    ahead_s : float
        How far the second function's clock is ahead of the first one's.
    crashes : bool
        Whether each of them may also crash, anywhere.
    world : callable
        Makes a world for each case; its tables may be shared.
    order : str
        Every case charges an order whose name begins like this.

    Examples
    --------
    >>> sorted(two_at_once("check, then act", crashes=False).items())
    [(1, 2), (2, 18)]
    """
    found: Counter[int] = Counter()
    left = [""]
    while left:
        moves = left.pop()
        one, mine = world(), f"{order}.{moves}"
        workers = {
            "a": _Worker(protocol, mine, one.delivery(), crashes),
            "b": _Worker(protocol, mine, one.delivery(ahead_s), crashes),
        }
        for move in moves:
            worker = workers[move.lower()]
            if move.isupper():
                worker.ended = "crashed"
            else:
                worker.send()
        open_ones = [name for name, worker in workers.items() if not worker.ended]
        if open_ones:
            left += [moves + name for name in open_ones]
            if crashes:
                left += [moves + name.upper() for name in open_ones]
        elif all(worker.ended == "done" for worker in workers.values()):
            found[one.cards.charges(mine)] += 1
        else:
            found[one.retry(protocol, order=mine)] += 1
    return found


# ---------------------------------------------------------------- redriven late


def redriven(
    protocol: str,
    delay_s: float,
    *,
    ttl_s: float = POWERTOOLS_TTL_S,
    key_s: float = STRIPE_KEY_S,
    crash_after: int | None = None,
) -> int:
    """Return the charges when a message comes back from the dead-letter queue after `delay_s`.

    The first delivery charged and noted it, and the message failed for another reason; with
    `crash_after` the first delivery ended after so many steps.

    Examples
    --------
    >>> [redriven("lock", hours * 3600) for hours in (0.5, 2)]
    [1, 2]
    """
    world = World(ttl_s=ttl_s, key_s=key_s)
    deliver(PROTOCOLS[protocol](ORDER, world.delivery()), crash_after)
    return world.retry(protocol, wait_s=delay_s)


def safe_for_s(protocol: str, **times: Any) -> float:
    """Return how long after the first delivery a redrive charges no second time, to the second.

    Takes what `redriven` takes, without the delay; infinite where it never does.
    """
    low, high = 1, 10 * 365 * 24 * 3600
    if redriven(protocol, high, **times) == 1:
        return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        if redriven(protocol, middle, **times) == 1:
            low = middle
        else:
            high = middle
    return float(low)


def asynchronous(protocol: str, lock_s: float, crash_after: int) -> int:
    """Return the charges when an asynchronous invocation crashes, and Lambda tries it twice more."""
    world = World(lock_s=lock_s)
    deliver(PROTOCOLS[protocol](ORDER, world.delivery()), crash_after)
    for wait_s in fact("lambda.async.retry")["waits_s"]:
        world.now_s += wait_s
        if deliver(PROTOCOLS[protocol](ORDER, world.delivery())) == "done":
            break
    return world.cards.charges(ORDER)


# ---------------------------------------------------------------- what to take as the key


class KeyChoice(NamedTuple):
    """A key, and whether it tells copies of an order from other orders."""

    name: str
    redelivered: bool
    """Whether a message that comes back from the queue is known."""
    redriven: bool
    """Whether one that comes back from the dead-letter queue is: it has a new message id."""
    resent: bool
    """Whether the same order is, sent again by the customer's browser."""
    next_order: bool
    """Whether the customer may buy the same again."""


def key_choices() -> list[KeyChoice]:
    """Return what each of four keys makes of the same four events.

    Examples
    --------
    >>> [one.name for one in key_choices() if all(one[1:])]
    ['number of the order']
    """
    body = {"order": "17", "customer": "c-4", "items": ["kettle"], "sent": "12:00:00.000"}
    first = {"id": "m-1", "body": body}
    again = {
        "redelivered": first,
        "redriven": {"id": "m-2", "body": body},
        "resent": {"id": "m-3", "body": {**body, "sent": "12:00:02.718"}},
        "next": {"id": "m-4", "body": {**body, "order": "18", "sent": "12:05:00.000"}},
    }

    def digest(value: object) -> str:
        return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

    keys: dict[str, Callable[[Any], str]] = {
        "id of the message": lambda event: str(event["id"]),
        "hash of the whole body": lambda event: digest(event["body"]),
        "hash of customer and items": lambda event: digest(
            [event["body"][name] for name in ("customer", "items")]
        ),
        "number of the order": lambda event: str(event["body"]["order"]),
    }
    return [
        KeyChoice(
            name,
            redelivered=key(again["redelivered"]) == key(first),
            redriven=key(again["redriven"]) == key(first),
            resent=key(again["resent"]) == key(first),
            next_order=key(again["next"]) != key(first),
        )
        for name, key in keys.items()
    ]
