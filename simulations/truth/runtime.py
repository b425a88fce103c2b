"""Trust rows of a function's anatomy and programming model: real processes, Little's law.

The real processes are those of the local Lambda runtime; what they did is in the records
`lambda_anatomy` and `lambda_programming_model`. May import every room but the figures.
"""

from __future__ import annotations

from simulations.experiments.lambda_anatomy import modeled, predicted_ms
from simulations.experiments.lambda_programming_model import order_durations_s, secret_ages
from simulations.experiments.records import record
from simulations.fleet import simulate
from simulations.stats import Interval, mean_interval
from simulations.theory import mean_environments
from simulations.truth import Compared, row

_LITTLE = "J. D. C. Little, A proof for the queuing formula L = lambda W, 1961"
_LITTLE_URL = "https://doi.org/10.1287/opre.9.3.383"
_LOCAL = "twenty invocations of real processes, recorded by make measure NAME=lambda_anatomy"
_RATE_PER_S, _KEEP_ALIVE_S = 200.0, 320.0


def _exactly(value: float) -> Interval:
    return Interval(value, value, value)


def _simulated(duration_s: float, what: str) -> Interval:
    """Mean of five runs of the fleet engine, after what the first environments took."""
    found = [
        getattr(
            simulate(
                _RATE_PER_S,
                duration_s,
                keep_alive_s=_KEEP_ALIVE_S,
                duration_s=3000.0,
                seed=seed,
                service="constant",
            ),
            what,
        )
        for seed in range(1, 6)
    ]
    return mean_interval(found)


@row(
    "connections-running",
    kind="verification",
    what="Calls in progress at 200 a second of 1.28 s, each holding a connection",
    source=_LITTLE,
    url=_LITTLE_URL,
    chapter="lambda-programming-model",
    margin=0.01,
    unit="calls",
)
def connections_running() -> Compared:
    """The fleet engine against Little's law."""
    waiting_s = order_durations_s()[1]
    return Compared(_simulated(waiting_s, "mean_running"), _RATE_PER_S * waiting_s)


@row(
    "connections-open-long",
    kind="verification",
    what="Environments alive, so connections open, at 200 calls a second of 1.28 s",
    source="sum over environments of busy time and of the idle time lived through (closed form)",
    chapter="lambda-programming-model",
    margin=0.02,
    unit="connections",
)
def connections_open_long() -> Compared:
    """The fleet engine against the approximation that the figure draws."""
    waiting_s = order_durations_s()[1]
    theory = mean_environments(_RATE_PER_S, _KEEP_ALIVE_S, waiting_s)
    return Compared(_simulated(waiting_s, "mean_environments"), theory)


@row(
    "connections-open-short",
    kind="verification",
    what="Environments alive, so connections open, at 200 calls a second of 35 ms",
    source="sum over environments of busy time and of the idle time lived through (closed form)",
    chapter="lambda-programming-model",
    margin=0.05,
    unit="connections",
)
def connections_open_short() -> Compared:
    """The same for the short call, where three environments are alive for one that works."""
    front_s = order_durations_s()[0]
    theory = mean_environments(_RATE_PER_S, _KEEP_ALIVE_S, front_s)
    return Compared(_simulated(front_s, "mean_environments"), theory)


@row(
    "secret-age",
    kind="verification",
    what="Mean age of a secret kept for 300 s, in one environment (calls that never overlap)",
    source="half the time to live (uniform age)",
    chapter="lambda-programming-model",
    margin=0.03,
    unit="s",
)
def secret_age() -> Compared:
    """The function model, whose only environment fetches on the first call after the term."""
    means = []
    for seed in range(1, 6):
        ages, _ = secret_ages(300.0, 5.0, 0.0, 3000.0, seed)
        means.append(sum(ages) / len(ages))
    return Compared(mean_interval(means), 150.0)


@row(
    "runtime-routing",
    kind="verification",
    what="Real invocations for which the model names environment and coldness",
    source=_LOCAL,
    chapter="lambda-anatomy",
    margin=0.001,
    unit="invocations",
)
def runtime_routing() -> Compared:
    """The function model on the recorded arrivals, call by call."""
    agree = total = 0
    for variant in ("outside", "inside"):
        calls = record("lambda_anatomy")["variants"][variant]["calls"]
        said = modeled(variant)
        agree += sum(
            one == (call["environment"], call["cold"])
            for one, call in zip(said, calls, strict=True)
        )
        total += len(calls)
    return Compared(_exactly(agree), total)


@row(
    "runtime-bill",
    kind="verification",
    what="Billed time of twenty invocations whose loading stands inside the handler",
    source=_LOCAL,
    chapter="lambda-anatomy",
    margin=0.05,
    unit="ms",
)
def runtime_bill() -> Compared:
    """Counting what runs how often, against the REPORT lines."""
    billed = record("lambda_anatomy")["variants"]["inside"]["billed_ms"]
    return Compared(_exactly(predicted_ms("inside")), billed)
