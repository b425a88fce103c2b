"""An account's concurrency: pools, reservations, requests per second, scaling rate, versions."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import Account, Exponential, Function, Lognormal, Poisson, Recorded, Simulation
from simulations.facts import fact
from simulations.services import Context
from simulations.services.account import CONCURRENCY, REQUESTS, SCALING, Bucket
from simulations.services.handler import Steps
from simulations.stats import Interval, batch_means, mean_interval
from simulations.theory import erlang_b, scaled_after_s, scaling_limit
from simulations.workload import Constant, Distribution


def lasts(seconds: float) -> Any:
    def handler(event: Any, context: Context) -> Steps:
        yield context.wait(seconds)

    return handler


def drawn(distribution: Distribution) -> Any:
    def handler(event: Any, context: Context) -> Steps:
        yield context.wait(distribution.quantile(context.draw("takes")))

    return handler


def at_once(calls: int, at_s: float = 0.0) -> Recorded:
    return Recorded([at_s] * calls)


def shares(rate: float, takes: Distribution, **settings: Any) -> Interval:
    """The throttled share, with an interval from batches."""
    sim = Simulation(3)
    function = Function(sim, "f", drawn(takes), timeout_s=900, **settings)
    trace = sim.run(Poisson(rate) >> function, duration_s=4_000)
    throttled = trace.code("throttled")
    rows = sorted(zip(trace.requests.id, trace.requests.outcome, strict=True))
    return mean_interval(batch_means([float(outcome == throttled) for _, outcome in rows]))


@pytest.mark.parametrize(
    "takes", [Constant(1.0), Exponential(1.0), Lognormal(1.0, 2.0)], ids=("constant", "exp", "ln")
)
def test_a_reserved_function_loses_what_erlang_b_says_whatever_the_durations(
    takes: Distribution,
) -> None:
    low, high = shares(8.0, takes, reserved_concurrency=10)[1:]
    assert low <= erlang_b(8, 10) <= high
    assert high - low < 0.03


def test_functions_share_what_nobody_reserved() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=300, scaling=False)
    reserved = Function(sim, "r", lasts(1), account=account, reserved_concurrency=120)
    a = Function(sim, "a", lasts(1), account=account)
    b = Function(sim, "b", lasts(1), account=account)
    sim.run(at_once(100) >> a, at_once(100, 0.1) >> b, at_once(130) >> reserved, duration_s=10)
    assert (a.throttled, b.throttled, reserved.throttled) == (0, 20, 10)
    assert b.throttled_by == {CONCURRENCY: 20, REQUESTS: 0, SCALING: 0}
    assert sim.trace.header["peaks"]["account"] == 300
    assert sim.trace.mean_in("account") == pytest.approx(300 / 10)


def test_what_one_function_reserves_the_noisy_one_cannot_take() -> None:
    def run(reserve: int | None) -> tuple[int, int]:
        sim = Simulation()
        account = Account(sim, concurrency=200, scaling=False)
        quiet = Function(sim, "q", lasts(1), account=account, reserved_concurrency=reserve)
        noisy = Function(sim, "n", lasts(1), account=account)
        sim.run(at_once(400) >> noisy, at_once(50, 0.5) >> quiet, duration_s=10)
        return quiet.throttled, noisy.throttled

    assert run(None) == (50, 200)
    assert run(50) == (0, 250)


def test_without_an_account_nothing_is_limited() -> None:
    sim = Simulation()
    function = Function(sim, "f", lasts(1))
    sim.run(at_once(3000) >> function, duration_s=10)
    assert function.throttled == 0


def test_an_account_starts_with_the_documented_quota() -> None:
    assert Account(Simulation()).concurrency == fact("lambda.quota.concurrency").value == 1000


@pytest.mark.parametrize(("rate", "share"), [(180, 0.0), (390, 0.4872)])
def test_requests_a_second_are_limited_to_ten_times_the_concurrency(
    rate: int, share: float
) -> None:
    # AWS's own example, a fiftieth of its size: calls of 50 ms fit in, and are still too many.
    sim = Simulation()
    account = Account(sim, concurrency=20)
    function = Function(sim, "f", lasts(0.05), account=account)
    arrivals = Recorded([k / rate for k in range(30 * rate)])
    sim.run(arrivals >> function, duration_s=30)
    # The bucket's first second is the tolerance.
    assert function.throttled_by[REQUESTS] / (30 * rate) == pytest.approx(share, abs=1 / 30)
    assert function.throttled_by[CONCURRENCY] == 0


def test_a_reserved_function_has_ten_times_its_own_requests_a_second() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=1000)
    function = Function(sim, "f", lasts(0.01), account=account, reserved_concurrency=20)
    other = Function(sim, "o", lasts(0.01), account=account)
    arrivals = Recorded([k / 400 for k in range(400 * 30)])
    sim.run(arrivals >> function, arrivals >> other, duration_s=30)
    assert function.throttled_by[REQUESTS] / (400 * 30) == pytest.approx(0.5, abs=1 / 30)
    assert other.throttled == 0


def test_the_scaling_rate_gives_a_thousand_at_once_then_a_hundred_a_second() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=10_000)
    function = Function(sim, "f", lasts(100), timeout_s=200, account=account, keep_alive_s=600)
    arrivals = Recorded([0.0] * 1500 + [k / 200 for k in range(200 * 20)])
    sim.run(arrivals >> function, duration_s=20)
    # The theory's line, to the environment.
    assert function.cold == scaling_limit(19.995) // 1
    assert function.throttled_by[SCALING] == 5500 - function.cold


def test_unused_scaling_does_not_accrue() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=10_000)
    function = Function(sim, "f", lasts(1), account=account)
    sim.run(at_once(1500, 1000.0) >> function, duration_s=2000)
    assert (function.cold, function.throttled_by[SCALING]) == (1000, 500)


def test_each_function_scales_at_its_own_rate() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=10_000)
    a, b = (Function(sim, name, lasts(1), account=account) for name in "ab")
    sim.run(at_once(1200) >> a, at_once(1200) >> b, duration_s=10)
    assert (a.throttled, b.throttled) == (200, 200)


def test_a_step_of_load_is_throttled_until_the_scaling_has_caught_up() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=10_000)
    function = Function(sim, "f", lasts(1), account=account, keep_alive_s=600)
    rate = 1500
    trace = sim.run(Recorded([k / rate for k in range(rate * 10)]) >> function, duration_s=10)
    throttled = [row.end_s for row in trace.spans_of("f", outcome="throttled")]
    assert max(throttled) == pytest.approx(scaled_after_s(rate, 1.0), abs=0.1)


def test_a_bucket_forgets_what_it_cannot_hold() -> None:
    bucket = Bucket(capacity=3, per_s=2)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    # Refilled in steps that do not add up exactly, the token is there when it is due.
    assert not any(bucket.has(100.0 + k * 0.1) for k in range(5))
    assert bucket.has(100.5)


def test_versions_share_the_reserved_concurrency_and_the_scaling_rate() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=10_000)
    latest = Function(sim, "f", lasts(1), account=account, reserved_concurrency=1500)
    first = Function(sim, "f:1", lasts(1), version_of=latest)
    second = Function(sim, "f:2", lasts(1), version_of=latest)
    assert (latest.version, first.version, second.version) == (None, 1, 2)
    sim.run(at_once(800) >> first, at_once(800, 0.1) >> second, duration_s=10)
    assert (first.throttled, second.throttled_by[SCALING]) == (0, 590)
    assert second.throttled == 590  # 200 left of the thousand, and 10 refilled in 0.1 s


def test_versions_share_it_without_an_account_too() -> None:
    sim = Simulation()
    latest = Function(sim, "f", lasts(1), reserved_concurrency=10)
    first = Function(sim, "f:1", lasts(1), version_of=latest)
    sim.run(at_once(7) >> latest, at_once(7) >> first, duration_s=10)
    assert latest.throttled + first.throttled == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reserved_concurrency": 901}, r"reserved_concurrency=901 of f must be 0 to 900.*https"),
        ({"reserved_concurrency": -1}, "reserved_concurrency=-1"),
    ],
)
def test_at_least_a_hundred_stay_unreserved(settings: dict[str, Any], message: str) -> None:
    sim = Simulation()
    account = Account(sim, concurrency=1000)
    with pytest.raises(ValueError, match=message):
        Function(sim, "f", lasts(1), account=account, **settings)
    Function(sim, "g", lasts(1), account=account, reserved_concurrency=900)


def test_reservations_add_up() -> None:
    sim = Simulation()
    account = Account(sim, concurrency=1000)
    Function(sim, "a", lasts(1), account=account, reserved_concurrency=500)
    with pytest.raises(ValueError, match="must be 0 to 400"):
        Function(sim, "b", lasts(1), account=account, reserved_concurrency=401)


def test_an_account_needs_concurrency() -> None:
    with pytest.raises(ValueError, match="concurrency=0"):
        Account(Simulation(), concurrency=0)


def test_a_version_has_no_concurrency_of_its_own() -> None:
    sim = Simulation()
    latest = Function(sim, "f", lasts(1))
    with pytest.raises(ValueError, match="belong to the function"):
        Function(sim, "f:1", lasts(1), version_of=latest, reserved_concurrency=5)
