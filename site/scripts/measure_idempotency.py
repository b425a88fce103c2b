"""The attack on five ways to charge once, on a real DynamoDB Local: threads, deaths, clocks.

Duplicates come in threads that start together; functions are processes that really end, after
every step; a clock that is ahead, and a late redrive, is a clock set on. Imports the library; run
by ``make measure NAME=idempotency``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from simulations.aws.charges import CardsInDynamoDB, RecordsInDynamoDB, create_table
from simulations.aws.dynamodb import dynamodb_local
from simulations.aws.local import client
from simulations.experiments.idempotency_attacks import (
    LOCK_S,
    WAIT_S,
    World,
    one_crash,
    steps_of,
    two_at_once,
)
from simulations.orders.idempotency import POWERTOOLS_TTL_S, PROTOCOLS, Delivery, deliver

TOOLS = {"java": ["java", "-version"]}
ORDERS = 200
#: How long the card provider takes: long enough that two threads that start together overlap.
CHARGE_S = 0.02
DIED = 9
HOUR_S = 3600.0


class SlowCards(CardsInDynamoDB):
    """The card provider, taking its time."""

    def charge(self, order: str, key: str | None) -> None:
        time.sleep(CHARGE_S)
        super().charge(order, key)


def delivery(dynamodb: Any, ahead_s: float = 0.0, true_s: float = 0.0) -> Delivery:
    """Return a delivery now, `true_s` later for all, `ahead_s` later by this function's clock."""
    return Delivery(
        RecordsInDynamoDB(dynamodb, "records"),
        SlowCards(dynamodb, "cards", lambda: time.time() + true_s),
        lambda: time.time() + true_s + ahead_s,
        POWERTOOLS_TTL_S,
        LOCK_S,
    )


def settle(dynamodb: Any, protocol: str, order: str, later_s: float) -> int:
    """Deliver the message once more, later; return how often the card was charged."""
    one = delivery(dynamodb, true_s=later_s)
    deliver(PROTOCOLS[protocol](order, one))
    return one.cards.charges(order)


def together(dynamodb: Any, protocol: str, orders: int, ahead_s: float = 0.0) -> Counter[int]:
    """Deliver each order twice at the same moment; return the charges, over the orders.

    The second function's clock is `ahead_s` ahead. A delivery that was refused comes back.
    """
    found: Counter[int] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for number in range(orders):
            order = f"{protocol} {ahead_s:g} {number}"
            gate = threading.Barrier(2)

            def one(ahead: float, order: str = order, gate: threading.Barrier = gate) -> str:
                steps = PROTOCOLS[protocol](order, delivery(dynamodb, ahead))
                gate.wait(10)
                return deliver(steps)

            ended = list(pool.map(one, (0.0, ahead_s)))
            if "rejected" in ended:
                found[settle(dynamodb, protocol, order, WAIT_S)] += 1
            else:
                found[delivery(dynamodb).cards.charges(order)] += 1
    return found


def deaths(dynamodb: Any, protocol: str, after: Iterable[int] | None = None) -> list[int]:
    """End a process after each (or some) of a first delivery's steps; return the charges."""
    found = []
    for sent in range(len(steps_of(protocol)) + 1) if after is None else after:
        order = f"{protocol} dies {sent}"
        died = subprocess.run(
            [sys.executable, __file__, protocol, str(sent), order], check=False
        ).returncode
        if died != DIED:
            raise RuntimeError(f"the process was to die after {sent} steps, and returned {died}")
        found.append(settle(dynamodb, protocol, order, WAIT_S))
    return found


def late(dynamodb: Any, protocol: str, hours: float) -> int:
    """Charge an order, and deliver its message once more after some hours."""
    order = f"{protocol} {hours} h late"
    deliver(PROTOCOLS[protocol](order, delivery(dynamodb)))
    return settle(dynamodb, protocol, order, hours * HOUR_S)


def world(dynamodb: Any) -> World:
    """Return a world whose table and whose card provider's books are in DynamoDB."""
    one = World(records=RecordsInDynamoDB(dynamodb, "records"))
    one.cards = CardsInDynamoDB(dynamodb, "cards", one.clock)
    return one


def agree(dynamodb: Any, protocol: str) -> dict[str, int | bool]:
    """Compare every enumerated case in memory with the same case in DynamoDB Local."""
    there: Callable[[], World] = partial(world, dynamodb)
    memory = two_at_once(protocol)
    same = two_at_once(protocol, world=there, order=f"{protocol} two") == memory
    same &= one_crash(protocol, there, f"{protocol} one") == one_crash(protocol)
    return {"cases": sum(memory.values()), "same": same}


def measure() -> dict[str, Any]:
    """Return what became of the orders under every attack, for each protocol."""
    found: dict[str, Any] = {"orders": ORDERS, "charge_s": CHARGE_S, "protocols": {}}
    with dynamodb_local():
        dynamodb = client("dynamodb")
        for name in ("records", "cards"):
            create_table(dynamodb, name)
        for protocol in PROTOCOLS:
            found["protocols"][protocol] = {
                "two_at_once": _by_charges(together(dynamodb, protocol, ORDERS)),
                "clock_ahead": _by_charges(
                    together(dynamodb, protocol, ORDERS // 4, ahead_s=LOCK_S + 1)
                ),
                "died_after": dict(
                    zip(["nothing", *steps_of(protocol)], deaths(dynamodb, protocol), strict=True)
                ),
                "late_h": {str(hours): late(dynamodb, protocol, hours) for hours in (0.5, 2, 48)},
                "enumerated": agree(dynamodb, protocol),
            }
    return found


def _by_charges(found: Counter[int]) -> dict[str, int]:
    return {str(charges): found[charges] for charges in sorted(found)}


if __name__ == "__main__":  # a function that dies
    name, steps, which = sys.argv[1:]
    deliver(PROTOCOLS[name](which, delivery(client("dynamodb"))), crash_after=int(steps))
    os._exit(DIED)
