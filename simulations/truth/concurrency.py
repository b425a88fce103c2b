"""Concurrency: reservations, spill-over, the account's limits and their growth, against theory.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations.experiments.lambda_concurrency import (
    carried_per_s,
    step_of_load,
    throttled_share,
)
from simulations.experiments.provisioned_concurrency import (
    cold_share_beyond,
    run_with,
)
from simulations.fleet import simulate
from simulations.services import Context, Function, keep_alive
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval, mean_interval, share_interval
from simulations.theory import erlang_b
from simulations.truth import Compared, row
from simulations.workload import Poisson

GUIDE = "AWS, Understanding Lambda function scaling, 2026"
GUIDE_URL = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"
SCALING = "AWS, Lambda scaling behavior, 2026"
SCALING_URL = "https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html"


def _in_percent(share: Interval) -> Interval:
    return Interval(*(100 * value for value in share))


def _exact(value: float) -> Interval:
    return Interval(value, value, value)


def _reserved(load: float, reserved: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        ours = throttled_share(load, reserved, requests=60_000, seed=11)
        return Compared(_in_percent(ours), 100 * erlang_b(load, reserved))

    return compare


for load, reserved in ((8.0, 6), (237.0, 100)):
    row(
        f"reserved-{load:.0f}-{reserved}", kind="verification", chapter="lambda-concurrency",
        what=f"Throttled share of a mean concurrency of {load:.0f} with {reserved} reserved; "
        "lognormal durations, no retries", source="Erlang B, 1917", unit="%", margin=0.05,
    )(_reserved(load, reserved))  # fmt: skip


def _running(seed: int) -> float:
    """Return the mean number of running invocations, as the engine adds it up."""

    def handler(event: int, context: Context) -> Steps:
        yield context.wait(0.12)

    sim = Simulation(seed)
    function = Function(sim, "Checkout", handler)
    return sim.run(Poisson(250.0) >> function, duration_s=30.0, warmup_s=1.0).mean_in("Checkout")


@row(
    "little-running", kind="verification", chapter="lambda-concurrency", unit="", margin=0.02,
    what="Invocations that run at 250 calls a second of 120 ms", source="Little's law, 1961",
)  # fmt: skip
def little_running() -> Compared:
    """Eight runs."""
    return Compared(mean_interval([_running(seed) for seed in range(1, 9)]), 250 * 0.12)


@row(
    "requests-per-second-limit", kind="verification", chapter="lambda-concurrency",
    what="Requests a second that an account of 1,000 carries of calls of 50 ms",
    source=GUIDE, url=GUIDE_URL, unit="1/s", margin=0.01,
)  # fmt: skip
def requests_per_second_limit() -> Compared:
    """AWS's own example: the concurrency would suffice, the requests do not."""
    return Compared(_exact(carried_per_s(1000, 0.05)), 10_000)


@row(
    "scaling-rate", kind="verification", chapter="lambda-concurrency",
    what="Seconds until a step to 1,800 environments is throttled no more",
    source=SCALING + ": (needed - 1,000) / 100", url=SCALING_URL, unit="s", margin=0.01,
)  # fmt: skip
def scaling_rate() -> Compared:
    """A thousand at once, then a hundred a second."""
    found = step_of_load(rate_per_s=1800.0, duration_s=1.0)
    return Compared(_exact(found["last throttled"]), found["last throttled by theory"])


def _spilled(ready: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        ours = run_with(ready, 2.0, 2.0, 60_000, seed=11).spilled
        return Compared(_in_percent(ours), 100 * erlang_b(4.0, ready))

    return compare


def _cold(ready: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        run = simulate(
            2.0, 2.0, keep_alive_s=keep_alive(2025), duration_s=2e6, seed=5,
            provisioned_concurrency=ready,
        )  # fmt: skip
        ours = share_interval(round(run.cold_share * run.requests), run.requests)
        return Compared(_in_percent(ours), 100 * cold_share_beyond(4.0, 2.0, ready))

    return compare


for ready in (2, 4):
    row(
        f"spill-over-{ready}", kind="verification", chapter="provisioned-concurrency", unit="%",
        what=f"Share that {ready} provisioned environments spill over, mean concurrency 4",
        source="Erlang B, 1917", margin=0.03,
    )(_spilled(ready))  # fmt: skip
for ready in (0, 4, 9):
    row(
        f"cold-beyond-{ready}", kind="verification", chapter="provisioned-concurrency", unit="%",
        what=f"Cold share with {ready} provisioned, mean concurrency 4, two calls a second",
        source="Overflow formula from the first environment that is not provisioned", margin=0.05,
    )(_cold(ready))  # fmt: skip
