"""The SDKs' retry modes, held against the SDK itself: botocore's own classes, side by side."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore import retryhandler
from botocore.config import Config
from botocore.retries import adaptive, bucket, quota, standard, throttling

from simulations import (
    Backoff,
    CallTimeout,
    Client,
    Fault,
    Function,
    Poisson,
    Provider,
    ProviderError,
    Recorded,
    Simulation,
    Throttled,
    sdk_retries,
)
from simulations.services import Context, TimedOut
from simulations.services.adaptive import Limiter
from simulations.services.handler import Steps
from simulations.services.retry import Tokens


def test_a_new_boto3_client_is_in_standard_mode_with_three_attempts() -> None:
    """The default since 2026; until then it was legacy."""
    assert Config().retries is None
    client = boto3.client(
        "lambda", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    assert client.meta.config.retries["mode"] == "standard"
    assert sdk_retries()["max_attempts"] == standard.DEFAULT_MAX_ATTEMPTS == 3
    assert sdk_retries(dynamodb=True)["max_attempts"] == standard._SERVICE_MAX_ATTEMPTS["dynamodb"]


@pytest.mark.parametrize("service", ["lambda", "dynamodb"])
@pytest.mark.parametrize("throttled", [False, True])
def test_pauses_are_those_of_botocore(service: str, throttled: bool) -> None:
    u = 0.37
    detector = SimpleNamespace(is_throttling_error_from_context=lambda context: throttled)
    theirs = standard.ExponentialBackoff(
        random=lambda: u, service_name=service, throttling_detector=detector
    )
    ours: Backoff = sdk_retries(dynamodb=service == "dynamodb")["pause_s"]
    for attempt in range(1, 15):
        context = standard.RetryContext(attempt_number=attempt)
        expected = theirs.delay_amount(context)
        assert ours.pause_s(attempt, u, throttled=throttled) == pytest.approx(expected)


def test_the_legacy_mode_is_that_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retryhandler.random, "random", lambda: 0.37)
    for settings, base in (
        (sdk_retries("legacy"), "rand"),
        (sdk_retries("legacy", dynamodb=True), 0.05),
    ):
        for attempt in range(1, 10):
            expected = retryhandler.delay_exponential(base, 2, attempt)
            assert settings["pause_s"].pause_s(attempt, 0.37) == pytest.approx(expected)
    assert "quota" not in sdk_retries("legacy")


def test_the_retry_quota_goes_up_and_down_as_botocores() -> None:
    random, throttled = Random(5), False
    detector = SimpleNamespace(is_throttling_error_from_context=lambda context: throttled)
    bucket_there = quota.RetryQuota()
    theirs = standard.RetryQuotaChecker(bucket_there, detector)
    settings = sdk_retries()["quota"]
    ours = Tokens(settings)
    refused = 0
    for _ in range(2000):
        request: dict[str, Any] = {}
        taken = 0.0
        for attempt in (1, 2):
            if random.random() < 0.5:  # this try succeeds
                theirs.release_retry_quota(request, SimpleNamespace(status_code=200))
                ours.succeed(taken)
                break
            throttled = random.random() < 0.3
            context = standard.RetryContext(attempt_number=attempt, request_context=request)
            cost = settings.throttled_cost if throttled else settings.cost
            may = ours.take(cost)
            assert theirs.acquire_retry_quota(context) == may
            if not may:
                refused += 1
                break
            taken = cost
        assert ours.left == bucket_there.available_capacity
    assert refused > 50


def test_the_adaptive_rate_is_botocores() -> None:
    """Both are told of the same answers at the same times, a third of them throttles."""

    class Clock:
        now_s = 100.0

        def current_time(self) -> float:
            return self.now_s

        def sleep(self, amount: float) -> None:
            self.now_s += amount

    clock, random = Clock(), Random(9)
    throttled = False
    detector = SimpleNamespace(is_throttling_error=lambda **_: throttled)
    tokens = bucket.TokenBucket(max_rate=1, clock=clock)
    tokens._refill()
    theirs = adaptive.ClientRateLimiter(
        rate_adjustor=throttling.CubicCalculator(0, clock.now_s),
        rate_clocker=adaptive.RateClocker(clock),
        token_bucket=tokens,
        throttling_detector=detector,
        clock=clock,
    )
    ours = Limiter(clock.now_s)
    waits = 0
    for _ in range(3000):
        clock.now_s += 0.05 * random.random()
        wait_s = ours.wait_s(clock.now_s)
        if theirs._enabled:
            tokens._refill()
            expected_s = max(0.0, tokens._sleep_amount(1))
            assert wait_s == pytest.approx(expected_s, abs=1e-6)
            if wait_s == 0:
                tokens._current_capacity -= 1
        else:
            assert wait_s == 0
        waits += wait_s > 0
        throttled = random.random() < 0.03
        theirs.on_receiving_response()
        ours.answered(throttled, clock.now_s)
        assert ours.rate_per_s == pytest.approx(tokens.max_rate)
        assert ours.is_on == theirs._enabled
    assert waits > 100


def test_a_throttled_call_is_tried_again_and_a_functions_own_error_is_not() -> None:
    """Invoke answers a function's error with status 200, so no SDK mode retries it."""
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    Provider(sim, "db", mean_ms=10)

    def handler(event: Any, context: Context) -> Steps:
        yield context.call("db")

    failing = Function(sim, "failing", handler)
    limited = Function(sim, "limited", handler, reserved_concurrency=0)
    slow = Function(sim, "slow", lambda event, context: context.wait(9), timeout_s=1)
    slow.handler = lambda event, context: (yield context.wait(9))
    for target in (failing, limited, slow):
        Client(sim, target.name + " client", target, **sdk_retries())
    loads = [
        Recorded((0.0,)) >> c for c in list(sim.components.values()) if isinstance(c, Client)
    ]  # fmt: skip
    trace = sim.run(*loads, duration_s=10)
    counts = {name: len(list(trace.spans_of(name))) for name in ("failing", "limited", "slow")}
    assert counts == {"failing": 1, "limited": 3, "slow": 1}


def test_what_the_sdk_retries_is_told_by_class() -> None:
    assert sdk_retries()["retryable"] == (Throttled, ProviderError, CallTimeout)
    assert not issubclass(TimedOut, sdk_retries()["retryable"])


def test_an_adaptive_client_that_is_throttled_slows_down() -> None:
    def rate(mode: str) -> tuple[float, int]:
        sim = Simulation(3)
        f = Function(
            sim, "f", lambda event, context: (yield context.compute(ms=100)), reserved_concurrency=1
        )
        client = Client(sim, "c", f, **sdk_retries(mode))
        sim.run(Poisson(40) >> client, duration_s=60)
        return client.attempts / client.calls, f.throttled

    standard_tries, standard_throttles = rate("standard")
    adaptive_tries, adaptive_throttles = rate("adaptive")
    assert adaptive_throttles < 0.5 * standard_throttles
    assert adaptive_tries < standard_tries


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode='fast' is none of standard"):
        sdk_retries("fast")
