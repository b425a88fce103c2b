"""The chapter on resilience: what it says of timeouts, faults and policies holds."""

from __future__ import annotations

import math

import pytest
from botocore import endpoint

from simulations.experiments.lambda_resilience import (
    ALL_REPEAT,
    BOTO3_READ_TIMEOUT_S,
    CALLS,
    CALM,
    CRASHES,
    LONG_S,
    POLICIES,
    Trial,
    call_timeout_s,
    default_timeout_s,
    false_timeouts,
    order_time,
    outage,
    survive,
    trials,
)
from simulations.faults import Fault
from simulations.orders import PAYMENTS
from simulations.services import sdk_retries

NAMED = {policy.name: policy for policy in POLICIES}
TRIALS = {trial.name: trial for trial in trials(200.0)}


def right(policy: str, trial: str, orders: int = 900) -> tuple[float, float]:
    found = survive(NAMED[policy], TRIALS[trial], orders, 200.0, seed=4)
    return found.right.mean, found.harmed.mean


@pytest.mark.parametrize(
    ("architecture", "share", "orders"), [("A0", 0.00835, 8_000), ("A1", 0.01027, 3_000)]
)
def test_the_default_timeout_fails_orders_without_a_fault(
    architecture: str, share: float, orders: int
) -> None:
    """The theory, as a million draws give it; the simulation; and all of those had paid."""
    assert order_time(architecture).tail(default_timeout_s()) == pytest.approx(share, rel=0.01)
    found = false_timeouts(architecture=architecture, orders=orders)
    late = found.numbers["timed out"]
    assert late.low is not None and late.high is not None
    assert late.low < share < late.high
    assert found["charged"] == 1.0


def test_boto3_waits_as_long_as_is_said() -> None:
    assert endpoint.DEFAULT_TIMEOUT == BOTO3_READ_TIMEOUT_S


def test_all_tries_of_all_calls_fit_into_the_functions_timeout() -> None:
    settings = sdk_retries("standard")
    pauses = sum(settings["pause_s"].pause_s(retry, 1.0) for retry in (1, 2))
    worst = math.fsum(3 * call_timeout_s(name) + pauses for name in CALLS)
    assert 16 < worst < LONG_S


@pytest.mark.parametrize(
    ("policy", "trial", "expected"),
    [
        ("longer timeout", "errors, 10 %", 0.9**4),
        ("calls retry, key", "errors, 10 %", (1 - 0.1**3) ** 4),
        ("calls retry, key", "zone lost, 1 of 3", (1 - 3.0**-3) ** 4),
        ("queues, key", "zone lost, 1 of 3", (1 - 3.0**-5) ** 4),
        ("longer timeout", "no fault", 1.0),
    ],
)
def test_cells_are_what_independent_tries_give(policy: str, trial: str, expected: float) -> None:
    found, _ = right(policy, trial)
    assert found == pytest.approx(
        expected, abs=4 * math.sqrt(expected * (1 - expected) / 900) + 1e-9
    )


def test_a_customers_retry_harms_more_than_none_and_a_key_harms_least() -> None:
    harmed = {
        name: right(name, "errors, 10 %", 600)[1]
        for name in ("longer timeout", "customer retries", "calls retry, key", "queues, key")
    }  # fmt: skip
    assert harmed["customer retries"] > harmed["longer timeout"] > 0.15
    assert harmed["calls retry, key"] < 0.01
    assert harmed["queues, key"] == 0


def test_against_a_slow_provider_patience_beats_tries() -> None:
    patient, _ = right("longer timeout", "payment 4× slower")
    tries, _ = right("calls retry, key", "payment 4× slower")
    assert patient > 0.99 > tries


def test_only_queues_outlive_an_outage() -> None:
    shares = {name: right(name, "payment down, 1/5", 300)[0] for name in NAMED}
    assert shares.pop("queues, key") == 1.0
    assert max(shares.values()) < 0.87


def test_queues_outlive_an_outage_shorter_than_their_receives_and_no_longer() -> None:
    """The last of five receives comes four visibility timeouts after the first."""
    assert CALM.max_receive_count is not None
    last_s = (CALM.max_receive_count - 1) * 6 * LONG_S

    def survived(lasts_s: float) -> float:
        down = Fault(outages=((60.0, 60.0 + lasts_s),))
        trial = Trial("outage", {PAYMENTS: down})
        return survive(NAMED["queues, key"], trial, 200, 2 * last_s, seed=1).right.mean

    assert survived(last_s - 10) == 1.0
    assert survived(last_s + 120) < 0.95


def test_what_a_crash_before_the_handler_takes_only_the_caller_repeats() -> None:
    for name in ("longer timeout", "calls retry, key", "queues, key"):
        found = survive(NAMED[name], TRIALS["own crash, 2 %"], 2000, 200.0, seed=5).right
        assert found.low < 1 - CRASHES / 2 < found.high < 1
    assert survive(ALL_REPEAT, TRIALS["own crash, 2 %"], 2000, 200.0, seed=5).right.mean > 0.999


def test_repeats_under_one_key_meet_every_fault_but_the_outage() -> None:
    shares = {
        trial.name: survive(ALL_REPEAT, trial, 600, 200.0, seed=1).right.mean
        for trial in TRIALS.values()
    }
    assert shares.pop("payment down, 1/5") < 0.9
    assert min(shares.values()) >= 0.99


def test_the_sdks_quota_hardly_helps_where_each_environment_has_its_own() -> None:
    found = outage(rate_per_s=10.0, down_s=30.0)
    assert found["SDK, standard mode: calls"] > 2.8
    own, state, shared = (
        found[f"{name}: calls"]
        for name in (
            "circuit breaker in each environment",
            "breaker, state shared",
            "breaker, count and state shared",
        )
    )
    assert 1 > own > state > shared
