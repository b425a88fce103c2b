"""The idempotency protocols on a real DynamoDB Local: the same cases, the same charges."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any
from uuid import uuid4

import measure_idempotency as attack
import pytest

from simulations.aws.charges import CardsInDynamoDB, RecordsInDynamoDB, create_table
from simulations.experiments.idempotency_attacks import World, one_crash, two_at_once
from simulations.orders.idempotency import PROTOCOLS, CardsInMemory, RecordsInMemory


@pytest.fixture(scope="module")
def tables(dynamodb: Any) -> Any:
    """Return the client, the two tables made."""
    for name in ("records", "cards"):
        create_table(dynamodb, name)
    return dynamodb


def test_the_table_in_memory_answers_as_dynamodb_operation_by_operation(tables: Any) -> None:
    random = Random(0)
    memory, real = RecordsInMemory(), RecordsInDynamoDB(tables, "records")
    prefix, now_s, answers = str(uuid4()), 1_000_000.0, set()
    for _ in range(80):
        now_s += random.choice((0, 0, 1, 5, 30))
        key, ttl_s = f"{prefix}{random.randrange(3)}", random.choice((1, 10, 60))
        lock_s = random.choice((None, 1, 5, 30))
        what = random.choice(("read", "note", "claim", "claim"))
        found: list[object] = []
        for table in (memory, real):
            if what == "read":
                found.append(table.read(key, now_s))
            elif what == "note":
                table.note(key, now_s, ttl_s)
                found.append(None)
            else:
                found.append(table.claim(key, now_s, ttl_s, lock_s))
        assert found[0] == found[1], (what, key, now_s)
        answers.add(found[0])
    assert answers >= {True, False, "claimed", "in progress", "done"}, "the script is too tame"


def test_the_provider_in_memory_charges_as_the_one_in_dynamodb(tables: Any) -> None:
    random, now_s = Random(1), [1_000_000.0]
    memory = CardsInMemory(lambda: now_s[0], key_s=20)
    real = CardsInDynamoDB(tables, "cards", lambda: now_s[0], key_s=20)
    orders = [str(uuid4()) for _ in range(3)]
    for _ in range(40):
        now_s[0] += random.choice((0, 1, 10, 20))
        order = random.choice(orders)
        key = random.choice((order, order, None))
        for cards in (memory, real):
            cards.charge(order, key)
    charged = [memory.charges(order) for order in orders]
    assert charged == [real.charges(order) for order in orders]
    assert 3 < min(charged) < max(charged) < 40


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_crash_and_every_order_of_two_ends_the_same_in_dynamodb(
    tables: Any, protocol: str
) -> None:
    there: Callable[[], World] = partial(attack.world, tables)
    assert one_crash(protocol, there, f"{protocol} one") == one_crash(protocol)
    two = two_at_once(protocol, crashes=False, world=there, order=f"{protocol} two")
    assert two == two_at_once(protocol, crashes=False)


@pytest.mark.parametrize(
    ("protocol", "charges"),
    [("none", {2}), ("check, then act", {2}), ("claim first", {1}), ("lock", {1})],
)
def test_two_threads_at_once_are_told_apart_by_a_condition_and_not_by_a_look(
    tables: Any, protocol: str, charges: set[int]
) -> None:
    found = attack.together(tables, protocol, 8)
    assert found.most_common(1)[0][0] in charges and sum(found.values()) == 8
    if charges == {1}:
        assert set(found) == charges


def test_a_clock_ahead_breaks_the_lock_and_not_the_key(tables: Any) -> None:
    """Only where the clock that is ahead comes second: about every other time."""
    assert attack.together(tables, "lock", 14, ahead_s=31)[2] > 0
    assert attack.together(tables, "lock and key", 5, ahead_s=31) == {1: 5}


def test_a_process_that_dies_in_the_gap_charges_twice(tables: Any) -> None:
    """And one that dies just before it does not; each is a process that really ends."""
    assert attack.deaths(tables, "lock", after=(1, 2)) == [1, 2]
