"""Charging once: the attack against its closed form, the model's table against DynamoDB Local.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations.experiments.idempotency_attacks import two_at_once
from simulations.experiments.records import record
from simulations.experiments.retries_idempotency import attack, restarts
from simulations.orders.idempotency import PROTOCOLS
from simulations.stats import Interval
from simulations.theory import restart_chain
from simulations.truth import Compared, row

CRASH = 0.05


def _gap(protocol: str, what: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        tally = attack(
            protocol, orders=100_000, crash=CRASH, duplicates=0.0, poisoned=0.0, redrive_s=3600.0
        )
        return Compared(Interval(*(100 * x for x in tally.share(what))), 100 * CRASH)

    return compare


for protocol, what, words in (
    ("lock", "double", "charged twice behind a lock"),
    ("claim first", "zero", "never charged after a claim"),
):
    row(
        f"idempotency-{protocol.split()[0]}", kind="verification", chapter="retries-idempotency",
        what=f"Orders {words}, where functions end before 5 % of their steps", unit="%",
        source="The share of functions that end in the gap between charge and note", margin=0.06,
    )(_gap(protocol, what))  # fmt: skip


@row(
    "idempotency-restart", kind="verification", chapter="retries-idempotency", unit="%",
    what="Orders charged twice when four steps start again at the first, each failing in 1 %",
    source="1 − (1 − p)²", margin=0.05,
)  # fmt: skip
def restart() -> Compared:
    """Draw 400,000 orders."""
    found = restarts(orders=400_000, failure=0.01, seed=2)
    return Compared(Interval(*(100 * x for x in found)), 100 * restart_chain(0.01).p_double_charge)


@row(
    "idempotency-dynamodb", kind="verification", chapter="retries-idempotency", unit="cases",
    what="Orders of two deliveries' steps, with crashes, that charge alike in memory and in "
    "DynamoDB Local",
    source="DynamoDB Local 3.3.0, run case by case (make measure NAME=idempotency)", margin=0.0001,
)  # fmt: skip
def dynamodb() -> Compared:
    """Count the recorded cases that agree, of those there are."""
    cases = [record("idempotency")["protocols"][name]["enumerated"] for name in PROTOCOLS]
    alike = float(sum(one["cases"] for one in cases if one["same"]))
    there_are = sum(sum(two_at_once(name).values()) for name in PROTOCOLS)
    return Compared(Interval(alike, alike, alike), there_are)
