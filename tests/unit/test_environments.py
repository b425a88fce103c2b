"""Routing: which idle environment serves next, by hand-made scenarios, and how they expire."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from simulations.services.environments import ROUTINGS, Environment, Idle, idle_pool


def pool(
    routing: str, same: bool = True, draw: Callable[[], float] = lambda: 0.5
) -> tuple[Idle, list[int]]:
    ended: list[int] = []
    made = idle_pool(routing, lambda e: ended.append(e.number), lambda e: e.expires_s, draw, same)
    return made, ended


def idle(pool: Idle, number: int, expires_s: float) -> None:
    environment = Environment(number, 0.0)
    environment.expires_s = expires_s
    pool.put(environment)


def taken(pool: Idle, now_s: float) -> list[int]:
    found = []
    while (environment := pool.take(now_s)) is not None:
        found.append(environment.number)
    return found


@pytest.mark.parametrize(
    ("routing", "order"),
    [
        ("most_recent", [1, 2, 0]),  # became idle in the order 0, 2, 1
        ("least_recent", [0, 2, 1]),
        ("newest", [2, 1, 0]),
        ("oldest", [0, 1, 2]),
    ],
)
def test_each_routing_takes_its_own_order(routing: str, order: list[int]) -> None:
    made, _ = pool(routing)
    for number in (0, 2, 1):
        idle(made, number, 100.0)
    assert taken(made, 50.0) == order


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("same", [True, False])
def test_what_expires_at_this_instant_is_gone(routing: str, same: bool) -> None:
    made, ended = pool(routing, same)
    for number, expires_s in ((0, 10.0), (1, 20.0), (2, 30.0)):
        idle(made, number, expires_s)
    assert sorted(taken(made, 20.0)) == [2]
    assert sorted(ended) == [0, 1]
    idle(made, 3, 40.0)
    assert [environment.number for environment in made.clear()] == [3]
    assert made.take(20.0) is None


def test_random_takes_each_equally_often() -> None:
    random = Random(1)
    made, _ = pool("random", draw=random.random)
    for number in range(5):
        idle(made, number, 1e9)
    counts = [0] * 5
    for _ in range(20_000):
        environment = made.take(0.0)
        assert environment is not None
        counts[environment.number] += 1
        made.put(environment)
    # Chi-square with four degrees of freedom: 18.5 is exceeded once in a thousand.
    assert sum((n - 4000) ** 2 / 4000 for n in counts) < 18.5


def test_an_unknown_routing_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'nearest' is none of most_recent, newest, oldest"):
        pool("nearest")
