"""Back-offs as published, and the retry quota: what it takes, gives back and refuses."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from simulations import Backoff, RetryQuota
from simulations.services.retry import Tokens
from simulations.stats import mean_interval

BASE_S, CAP_S = 0.1, 5.0


def published(jitter: str, retry: int, u: float, last_s: float) -> float:
    """The formulas of the AWS Architecture Blog's post of 2015, written down once more."""
    grown_s: float = min(CAP_S, BASE_S * 2.0 ** (retry - 1))
    return {
        "none": grown_s,
        "full": u * grown_s,
        "equal": grown_s / 2 + u * grown_s / 2,
        "decorrelated": min(CAP_S, BASE_S + u * (3 * last_s - BASE_S)),
    }[jitter]


@pytest.mark.parametrize("jitter", ["none", "full", "equal", "decorrelated"])
def test_pauses_are_the_published_ones(jitter: str) -> None:
    backoff, random, last_s = Backoff(BASE_S, cap_s=CAP_S, jitter=jitter), Random(7), None
    for retry in range(1, 12):
        u = random.random()
        expected = published(jitter, retry, u, BASE_S if last_s is None else last_s)
        last_s = backoff.pause_s(retry, u, last_s)
        assert last_s == pytest.approx(expected)
        assert last_s <= CAP_S


@pytest.mark.parametrize(("jitter", "share"), [("none", 1.0), ("full", 0.5), ("equal", 0.75)])
def test_mean_pauses_differ_by_the_jitter(jitter: str, share: float) -> None:
    backoff, random = Backoff(BASE_S, jitter=jitter), Random(3)
    pauses = [backoff.pause_s(4, random.random()) for _ in range(4000)]
    assert sum(pauses) / 4000 == pytest.approx(share * 0.8, rel=0.02)
    if jitter != "none":
        assert mean_interval(pauses).within(share * 0.8, 0.05) == "pass"


def test_a_throttle_may_have_a_base_of_its_own() -> None:
    backoff = Backoff(0.05, cap_s=20, jitter="none", throttled_base_s=1.0)
    assert backoff.pause_s(2, 0.5) == 0.1
    assert backoff.pause_s(2, 0.5, throttled=True) == 2.0


def test_growth_1_is_a_constant_pause_and_thousands_of_retries_reach_the_cap() -> None:
    assert Backoff(0.3, growth=1.0, jitter="none").pause_s(9, 0.5) == 0.3
    assert Backoff(0.3, cap_s=60, jitter="none").pause_s(5000, 0.5) == 60


def test_the_quota_of_the_sdks_lets_35_retries_fail_in_a_row() -> None:
    tokens = Tokens(RetryQuota())
    assert [tokens.take(14) for _ in range(36)] == [True] * 35 + [False]


def test_a_success_gives_back_what_its_last_retry_took_else_one() -> None:
    tokens = Tokens(RetryQuota())
    tokens.take(14)
    tokens.take(14)
    tokens.succeed(taken=14)
    assert tokens.left == 486
    tokens.succeed(taken=0)
    assert tokens.left == 487
    for _ in range(20):
        tokens.succeed(taken=0)
    assert tokens.left == 500


def test_a_budget_may_come_in_with_every_call() -> None:
    tokens = Tokens(RetryQuota(capacity=1, cost=1, refill=0.1, gives_back=False,
                               refills_on_call=True))  # fmt: skip
    assert tokens.take(1) and not tokens.take(1)
    tokens.succeed(taken=1)
    tokens.succeed(taken=0)
    assert tokens.left == 0
    tokens.begin()
    assert tokens.left == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_s": -1}, "base_s=-1"),
        ({"base_s": 2, "cap_s": 1}, r"cap_s=1 must not lie below base_s=2"),
        ({"base_s": 1, "growth": 0.5}, r"growth=0\.5"),
        ({"base_s": 1, "jitter": "some"}, "jitter='some' is none of none, full"),
        ({"base_s": 1, "throttled_base_s": -1}, "throttled_base_s=-1"),
    ],
)
def test_an_impossible_backoff_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Backoff(**settings)


@pytest.mark.parametrize(("name", "value"), [("capacity", 0), ("cost", -1), ("refill", -0.1)])
def test_an_impossible_quota_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        RetryQuota(**{name: value})
