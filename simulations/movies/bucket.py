"""A token bucket that pays for retries, before, during and after an outage.

May import the rooms down to `experiment` and, of the movies, `simulations.movies`.
"""

from __future__ import annotations

from simulations.faults import Fault
from simulations.movies import Actor, Box, Curve, Key, Level, Movie, Words
from simulations.services import Client, Provider, RetryQuota
from simulations.simulation import Simulation
from simulations.workload import Regular

LASTS_S, OUTAGE_S = 60.0, (10.0, 35.0)
EVERY_S = 0.5
LEFT, RIGHT, TOP, BOTTOM = 112.0, 352.0, 40.0, 190.0
BUCKET = (14.0, 40.0, 64.0, 150.0)
STRIP = {"sent": 208.0, "refused": 226.0}


def _x(at_s: float) -> float:
    return LEFT + (RIGHT - LEFT) * at_s / LASTS_S


def movie() -> Movie:
    """Two calls a second, a provider that is away for a while, the SDK's bucket of 2026."""
    quota = RetryQuota()
    sim = Simulation(seed=1, faults={"mail": Fault(outages=(OUTAGE_S,))})
    provider = Provider(sim, "mail", mean_ms=50.0)
    client = Client(sim, "SDK", provider, max_attempts=3, quota=quota)
    left: list[tuple[float, float]] = []
    retries: list[tuple[float, int, int]] = []

    def look(at_s: float) -> None:
        if (tokens := client.tokens()) is not None:
            left.append((at_s, tokens.left / quota.capacity))
        retries.append((at_s, client.retries, client.exhausted))

    # After what happens at the same moment.
    for k in range(1, int(LASTS_S / EVERY_S) + 1):
        sim.after(k * EVERY_S - 1e-3, lambda _, at_s=k * EVERY_S: look(at_s))  # type: ignore[misc]
    sim.run(Regular(EVERY_S) >> client, duration_s=LASTS_S)
    values = ((0.0, 1.0), *left)
    line = tuple((_x(at_s), BOTTOM - (BOTTOM - TOP) * share) for at_s, share in values)
    actors: list[Actor] = []
    before = (0, 0)
    empty_s = next(at_s for at_s, _, refused in retries if refused)
    for at_s, sent, refused in retries:
        for name, more in (("sent", sent - before[0]), ("refused", refused - before[1])):
            if more:
                state = "busy" if name == "sent" else "failed"
                key = Key(at_s, _x(at_s) - 1, STRIP[name], state)
                actors.append(Actor((key,), width=2.0, height=9.0))
        before = (sent, refused)
    steps = [
        (0.0, "the bucket is full"),
        (OUTAGE_S[0], "the outage begins: each retry takes tokens"),
        (empty_s, "the bucket is empty: calls fail without a retry"),
        (OUTAGE_S[1], "the outage ends: each success brings a token"),
        (LASTS_S, "the bucket fills slowly; another outage would find it so"),
    ]
    tokens = tuple((at_s, f"{share * quota.capacity:.0f} tokens") for at_s, share in values)
    words = [
        Words(BUCKET[0], 24.0, tokens),
        Words(_x(sum(OUTAGE_S) / 2), 24.0, ((0.0, "outage"),), anchor="middle", role="limit"),
        Words(LEFT - 6, STRIP["sent"] + 9, ((0.0, "retries sent"),), anchor="end",
              role="decoupled"),
        Words(LEFT - 6, STRIP["refused"] + 9, ((0.0, "retries refused"),), anchor="end",
              role="coupled"),
    ]  # fmt: skip
    top = TOP - 8
    curves = (
        Curve(((_x(OUTAGE_S[0]), top + 4), (_x(OUTAGE_S[0]), BOTTOM)), "limit", dashed=True),
        Curve(((_x(OUTAGE_S[1]), top + 4), (_x(OUTAGE_S[1]), BOTTOM)), "limit", dashed=True),
        Curve(line, "decoupled"),
    )
    return Movie(
        "bucket", height=246, lasts_s=LASTS_S, still_s=LASTS_S, pace=6.0, actors=tuple(actors),
        boxes=(Box(*BUCKET),), levels=(Level(*BUCKET, values=values),), words=tuple(words),
        curves=curves, steps=tuple(steps), head=(LEFT, RIGHT, top + 4, STRIP["refused"] + 12),
    )  # fmt: skip
