"""Orders under attack: the experiments of the chapter "retries and idempotency".

The enumerated attacks are in `idempotency_attacks`; here they come together, drawn by chance.
May import: the standard library, SimPy and the rooms above `experiments/`.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Annotated, Any, NamedTuple

from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.experiments.idempotency_attacks import (
    HOUR_S,
    LOCK_S,
    ORDER,
    RECEIVES,
    WAIT_S,
    World,
    safe_for_s,
    steps_of,
)
from simulations.orders.idempotency import (
    POWERTOOLS_TTL_S,
    PROTOCOLS,
    STRIPE_KEY_S,
    InProgress,
)
from simulations.orders.shop import Shop
from simulations.stats import Interval, share_interval
from simulations.workload import Lognormal

#: Time of a request to the table: an assumption of the example, as the shop's times are.
TABLE_S = 0.005


class Tally(NamedTuple):
    """What became of the orders."""

    double: int
    zero: int
    orders: int

    def share(self, what: str) -> Interval:
        """The share of orders charged twice or more (`double`) or never (`zero`)."""
        return share_interval(getattr(self, what), self.orders)


class _Message:
    """One copy of an order's message: its receives, and whether it fails for another reason."""

    def __init__(self, poisoned: bool) -> None:
        self.poisoned = poisoned
        self.receives = 0
        self.redrives = 0


def attack(
    protocol: str,
    *,
    orders: int,
    crash: float,
    duplicates: float,
    poisoned: float,
    redrive_s: float,
    ttl_s: float = POWERTOOLS_TTL_S,
    key_s: float = STRIPE_KEY_S,
    lock_s: float = LOCK_S,
    wait_s: float = WAIT_S,
    seed: int = 1,
) -> Tally:
    """Charge many orders while functions crash, messages double and the dead are redriven.

    Parameters
    ----------
    protocol : str
        A name of `PROTOCOLS`.
    orders : int
        Number of orders.
    crash : float
        Probability that a function ends before each step, and before its message is deleted.
    duplicates : float
        Share of messages delivered twice, the second one up to two seconds after the first.
    poisoned : float
        Share of messages that fail after the protocol, until they were redriven.
    redrive_s : float
        Time from the last receive to the redrive of a dead letter.
    ttl_s, key_s, lock_s : float
        Life of a record, of the provider's key, of a lock.
    wait_s : float
        Time from one receive of a message to the next.
    """
    random = Random(f"{seed}").random
    steps = len(steps_of(protocol)) + 1
    charging = Lognormal(Shop().authorize_ms / 1000, Shop().authorize_cv)
    double = zero = 0
    for order in range(orders):
        twice, ill = random() < duplicates, random() < poisoned
        first = _survived(random(), crash)
        if first >= steps and not (twice or ill):
            continue  # nothing happens to it: one delivery, one charge
        run = _Run(protocol, World(ttl_s, key_s, lock_s), Random(f"{seed} {order}"), crash)
        run.wait_s, run.redrive_s, run.charging = wait_s, redrive_s, charging
        run.receive(0.0, _Message(ill), first)
        if twice:
            run.receive(2 * run.draw(), _Message(False))
        charges = run.to_the_end()
        double += charges > 1
        zero += charges == 0
    return Tally(double, zero, orders)


def _survived(u: float, crash: float) -> float:
    """Return how many chances to crash a function survives, from a uniform draw."""
    return math.inf if crash == 0 else math.floor(math.log1p(-u) / math.log1p(-crash))


class _Run:
    """One order's deliveries in time: a request takes effect when its time has passed."""

    wait_s: float
    redrive_s: float
    charging: Lognormal

    def __init__(self, protocol: str, world: World, random: Random, crash: float) -> None:
        self.draw = random.random
        self._protocol, self._world, self._crash = protocol, world, crash
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def _at(self, time_s: float, what: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._due, (time_s, self._number, what))

    def to_the_end(self) -> int:
        """Return the charges when nothing is due any more."""
        while self._due:
            self._world.now_s, _, what = heapq.heappop(self._due)
            what()
        return self._world.cards.charges(ORDER)

    def receive(self, time_s: float, message: _Message, survives: float | None = None) -> None:
        """Deliver a message at a time, to a function that survives so many chances to crash."""
        self._at(time_s, lambda: self._begin(message, survives))

    def _begin(self, message: _Message, survives: float | None) -> None:
        message.receives += 1
        left = _survived(self.draw(), self._crash) if survives is None else survives
        steps = PROTOCOLS[self._protocol](ORDER, self._world.delivery())
        self._advance(message, steps, None, left, self._world.now_s)

    def _advance(
        self, message: _Message, steps: Any, answer: Any, left: float, began_s: float
    ) -> None:
        """Go to the next request, if the function lives that long, and send it in time."""
        if left <= 0:
            return self._failed(message, began_s)
        try:
            step = steps.send(answer)
        except StopIteration:
            # What comes after the protocol fails until a human has seen it.
            if message.poisoned and message.redrives == 0:
                self._failed(message, began_s)
            return None
        except InProgress:
            return self._failed(message, began_s)
        takes_s = self.charging.quantile(self.draw()) if step.name == "charge" else TABLE_S

        def sent() -> None:
            self._advance(message, steps, step.send(), left - 1, began_s)

        return self._at(self._world.now_s + takes_s, sent)

    def _failed(self, message: _Message, began_s: float) -> None:
        if message.receives < RECEIVES:
            self.receive(began_s + self.wait_s, message)
        elif message.redrives == 0:
            message.redrives, message.receives = 1, 0
            self.receive(began_s + self.redrive_s, message)


# ---------------------------------------------------------------- the figures


@experiment("retries-idempotency")
def under_attack(
    orders: Annotated[int, Slider(2_000, 200_000, log=True)] = 50_000,
    crash_percent: Annotated[float, Slider(0, 10)] = 1.0,
    duplicate_percent: Annotated[float, Slider(0, 10)] = 1.0,
    poisoned_percent: Annotated[float, Slider(0, 10)] = 0.1,
    redrive_h: Annotated[float, Slider(0.1, 300, log=True)] = 12.0,
    ttl_h: Annotated[float, Slider(0.1, 1000, log=True)] = 1.0,
    seed: int = 1,
) -> Iterator[Result]:
    """Orders charged twice, and never, of 100,000, for each protocol under the same attack."""
    numbers: dict[str, Number] = {}
    found: dict[str, Tally] = {}
    for protocol in PROTOCOLS:
        found[protocol] = tally = attack(
            protocol,
            orders=orders,
            crash=crash_percent / 100,
            duplicates=duplicate_percent / 100,
            poisoned=poisoned_percent / 100,
            redrive_s=redrive_h * HOUR_S,
            ttl_s=ttl_h * HOUR_S,
            seed=seed,
        )
        for what in ("double", "zero"):
            share = tally.share(what)
            numbers[f"{protocol}: {what}"] = Number(
                1e5 * share.mean, "per 100 000", 1e5 * share.low, 1e5 * share.high
            )
        names = list(found)
        drawn: tuple[tuple[str, str, Role], ...] = (
            ("charged twice", "double", "coupled"),
            ("never charged", "zero", "limit"),
        )
        series = [
            Series(
                name,
                names,
                [numbers[f"{one}: {what}"].value for one in names],
                kind="bars",
                role=role,
                low=[numbers[f"{one}: {what}"].low or 0.0 for one in names],
                high=[numbers[f"{one}: {what}"].high or 0.0 for one in names],
            )
            for name, what, role in drawn
        ]
        yield Result(Axis(""), Axis("of 100 000 orders"), tuple(series), dict(numbers))


@experiment("retries-idempotency")
def late_redrive(
    ttl_h: Annotated[float, Slider(0.1, 1000, log=True)] = POWERTOOLS_TTL_S / HOUR_S,
    key_h: Annotated[float, Slider(0.1, 1000, log=True)] = STRIPE_KEY_S / HOUR_S,
    long_ttl_h: Annotated[float, Slider(0.1, 1000, log=True)] = 28 * 24.0,
) -> Result:
    """How late a dead letter may be redriven before its order is charged a second time."""
    gap = steps_of("lock").index("charge") + 1
    cases: dict[str, tuple[str, float, int | None]] = {
        "lock": ("lock", ttl_h, None),
        "lock and\nkey": ("lock and key", ttl_h, None),
        "long\nTTL": ("lock and key", long_ttl_h, None),
        "long TTL,\ncrashed": ("lock and key", long_ttl_h, gap),
    }
    hours = {
        name: safe_for_s(which, ttl_s=ttl * HOUR_S, key_s=key_h * HOUR_S, crash_after=crash)
        / HOUR_S
        for name, (which, ttl, crash) in cases.items()
    }
    return Result(
        Axis(""),
        Axis("safe to redrive for", "hours", log=True),
        (Series("", list(hours), list(hours.values()), kind="bars", role="decoupled"),),
        {name.replace("\n", " "): Number(h, "h") for name, h in hours.items()},
    )


def restarts(orders: int = 100_000, failure: float = 0.01, seed: int = 1) -> Interval:
    """Return the share of orders charged twice when a chain of four steps starts again.

    Stock, card, books, e-mail: each fails with probability `failure`, and the chain restarts
    from the first (`simulations.theory.restart_chain` has the closed form).
    """
    random, twice = Random(f"{seed} restarts").random, 0
    for _ in range(orders):
        charges = done = 0
        while done < 4:
            for done in range(1, 5):
                if random() < failure:
                    done = 0
                    break
                charges += done == 2
        twice += charges > 1
    return share_interval(twice, orders)
