"""The engine against keep-alive theory: cold shares of one function, by seed and interval."""

from __future__ import annotations

import math
from random import Random

import pytest

from simulations import Function, Poisson, Recorded, Regular, Simulation
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.stats import share_interval
from simulations.theory import (
    cold_probability,
    cold_probability_renewal,
    gamma_gap_survival,
    hyperexponential_gap_survival,
    lognormal_gap_survival,
)  # fmt: skip
from simulations.workload import Exponential, Lognormal, Workload

KEEP_S = 600.0


def cold_of(load: Workload, duration_s: float, takes_s: float = 0.0, seed: int = 1) -> Function:
    def handler(event: int, context: Context) -> Steps:
        yield context.wait(takes_s)

    sim = Simulation(seed)
    f = Function(sim, "f", handler, keep_alive_s=KEEP_S)
    sim.run(load >> f, duration_s=duration_s)
    return f


@pytest.mark.parametrize("gap_s", [300, 600, 1800, 3600])
def test_rare_calls_start_cold_with_probability_exp_minus_rate_times_keep_alive(
    gap_s: float,
) -> None:
    f = cold_of(Poisson(1 / gap_s), 60_000 * gap_s)
    interval = share_interval(f.cold, f.invocations)
    target = math.exp(-KEEP_S / gap_s)
    assert cold_probability(1 / gap_s, KEEP_S) == pytest.approx(target)
    assert interval.within(target, 0.005, relative=False) == "pass", interval


@pytest.mark.parametrize(("rate_per_h", "takes_s"), [(200, 0.1), (200, 1.0), (2000, 0.1)])
def test_overlaps_start_cold_as_the_overflow_formula_says(
    rate_per_h: float, takes_s: float
) -> None:
    f = cold_of(Poisson(rate_per_h / 3600), 250_000 * 3600 / rate_per_h, takes_s)
    found = f.cold / f.invocations
    assert found == pytest.approx(cold_probability(rate_per_h / 3600, KEEP_S, takes_s), rel=0.15)


@pytest.mark.parametrize(("gap_s", "cold"), [(599.0, 1), (601.0, 500)])
def test_calls_at_equal_gaps_are_all_warm_or_all_cold(gap_s: float, cold: int) -> None:
    """The very first call is cold in any case."""
    f = cold_of(Regular(gap_s), 500 * gap_s + 1)
    assert f.cold == pytest.approx(cold, abs=1)


def renewal(kind: str, random: Random) -> float:
    if kind == "lognormal":
        return Lognormal(600.0, 2.0).sample(random)
    if kind == "gamma":
        return random.gammavariate(0.25, 2400.0)
    return Exponential(200.0 if random.random() < 0.9 else 4200.0).sample(random)


@pytest.mark.parametrize(
    ("kind", "example"),
    [("gamma", 0.25632206), ("lognormal", 0.26293662), ("hyperexponential", 0.13149615)],
)
def test_the_spread_of_the_gaps_decides_the_cold_share(kind: str, example: float) -> None:
    """Equal mean gaps of 600 s; the numbers are the worked examples of the closed form."""
    survival = {
        "gamma": lambda t: gamma_gap_survival(t, 600, 2),
        "lognormal": lambda t: lognormal_gap_survival(t, 600, 2),
        "hyperexponential": lambda t: hyperexponential_gap_survival(t, (0.9, 0.1), (200, 4200)),
    }[kind]
    assert cold_probability_renewal(survival, KEEP_S) == pytest.approx(example, abs=1e-6)
    random, now_s, times = Random(1), 0.0, []
    for _ in range(60_000):
        now_s += renewal(kind, random)
        times.append(now_s)
    f = cold_of(Recorded(tuple(times)), now_s + 1)
    interval = share_interval(f.cold, f.invocations)
    assert interval.within(example, 0.005, relative=False) == "pass", interval
