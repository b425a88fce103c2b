"""The compiled engine against mathematics, and against the published figures of SimFaaS."""

from __future__ import annotations

import math
from statistics import fmean, stdev

import pytest

from simulations.fleet import Replay, simulate
from simulations.stats import share_interval
from simulations.theory import erlang_b


@pytest.mark.parametrize("gap_s", [300, 600, 3600])
def test_rare_calls_start_cold_with_probability_exp_minus_rate_times_keep_alive(
    gap_s: int,
) -> None:
    run = simulate(1 / gap_s, 0.0, keep_alive_s=600, duration_s=1e6 * gap_s, seed=gap_s)
    cold = round(run.cold_share * run.requests)
    found = share_interval(cold, run.requests)
    assert found.within(math.exp(-600 / gap_s), 0.003, relative=False) == "pass"


@pytest.mark.parametrize("service", ["exponential", "constant"])
@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (8.0, 10), (200.0, 195)])
def test_a_limit_rejects_as_erlang_b_says(load: float, servers: int, service: str) -> None:
    """Also with a constant service: Erlang B does not depend on the distribution."""
    runs = [
        simulate(
            load, 1.0, keep_alive_s=50.0, concurrency_limit=servers, service=service,
            duration_s=400_000 / load, seed=seed,
        )
        for seed in range(10)
    ]  # fmt: skip
    assert_mean([r.rejected_share for r in runs], erlang_b(load, servers))
    carried = load * (1 - erlang_b(load, servers))
    assert_mean([r.mean_running for r in runs], carried)
    assert all(r.peak_running == servers for r in runs)


def test_without_a_limit_the_number_running_is_rate_times_service() -> None:
    runs = [
        simulate(1000.0, 2.0, keep_alive_s=5.0, duration_s=1000.0, seed=seed) for seed in range(10)
    ]
    # The run starts empty: a mean service time's worth of the 2000 is missing at the start.
    assert_mean([r.mean_running for r in runs], 2000.0 * (1 - 2.0 / 1000.0))


def simfaas() -> list[Replay]:
    return [
        simulate(
            0.9, 1.991, cold_service_s=2.244, keep_alive_s=600.0, duration_s=1e6, seed=seed,
            routing="newest",
        )
        for seed in range(20)
    ]  # fmt: skip


def test_the_published_figures_of_simfaas() -> None:
    """Its long reference run, and the standard deviation of one run of a million seconds.

    Twenty of our runs: their mean lies within three standard errors, and so does each of the
    figures published for one of its runs, by the spread of one run.
    """
    runs = simfaas()
    reference = {
        "cold": (0.001330, 0.00003, [r.cold_share for r in runs], 1213 / 898_469),
        "servers": (7.6963, 0.0228, [r.mean_environments for r in runs], 7.6612),
        "running": (1.7920, 0.0027, [r.mean_running for r in runs], 1.7879),
        "idle": (5.9043, 0.0221, [r.mean_environments - r.mean_running for r in runs], 5.8733),
    }
    for name, (target, spread, found, published) in reference.items():
        error = spread / math.sqrt(len(found))
        assert abs(fmean(found) - target) < 3 * error, (name, fmean(found), target)
        assert abs(published - fmean(found)) < 3 * spread, name
        assert 0.5 < stdev(found) / spread < 2, (name, stdev(found), spread)


def assert_mean(found: list[float], target: float) -> None:
    """Ten runs: their mean lies within 4.3 of its standard errors (once in 500 it does not)."""
    error = stdev(found) / math.sqrt(len(found))
    assert abs(fmean(found) - target) < 4.3 * error, (fmean(found), target, error)
