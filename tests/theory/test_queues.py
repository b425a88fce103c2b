"""Queue formulas agree with one another, with their defining equations, and at extremes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fractions import Fraction

import pytest

from simulations.theory import (
    erlang_b,
    erlang_c,
    little,
    mg1_wait,
    mginf,
    mm1,
    mm1_response_quantile,
    mmc,
    mmc_wait_tail,
    mmck,
    servers_for_loss,
    servers_for_p_wait,
    servers_for_wait,
)


def birth_death(
    arrival: float, service: float, servers: int, capacity: int
) -> tuple[float, float, float]:
    """Loss, mean number waiting and share of accepted that wait, straight from the balance
    equations in exact fractions."""
    a = Fraction(arrival) / Fraction(service)
    weights = [Fraction(1)]
    for n in range(1, capacity + 1):
        weights.append(weights[-1] * a / min(n, servers))
    total = sum(weights)
    p = [w / total for w in weights]
    waiting = sum((n - servers) * p[n] for n in range(servers, capacity + 1))
    wait = sum(p[servers:capacity]) / (1 - p[capacity])
    return float(p[capacity]), float(waiting), float(wait)


def recursion(offered_load: float, servers: int) -> float:
    b = 1.0
    for k in range(1, servers + 1):
        b = offered_load * b / (k + offered_load * b)
    return b


@pytest.mark.parametrize("load", [0.01, 1, 8, 450, 499.5, 501, 2_000])
@pytest.mark.parametrize("servers", [0, 1, 2, 10, 500, 501, 520, 1_999, 2_100, 2_600])
def test_erlang_b_is_the_recursion_in_every_regime(load: float, servers: int) -> None:
    assert erlang_b(load, servers) == pytest.approx(recursion(load, servers), rel=1e-11)


@pytest.mark.parametrize("servers", [990_000, 999_999, 1_000_000, 1_000_001, 1_005_000])
def test_erlang_b_at_a_million(servers: int) -> None:
    began = time.perf_counter()
    loss = erlang_b(1_000_000, servers)
    assert time.perf_counter() - began < 0.2
    assert loss == pytest.approx(recursion(1_000_000, servers), rel=1e-9)


def test_erlang_b_at_extremes() -> None:
    assert erlang_b(0, 0) == 1
    assert erlang_b(0, 5) == 0
    assert erlang_b(1e-12, 1) == pytest.approx(1e-12)
    assert erlang_b(1e12, 10) == pytest.approx(1, abs=1e-10)
    assert erlang_b(1, 10_000) == 0  # below the smallest number a float can hold
    # At load = servers = n the loss tends to sqrt(2 / (pi n)).
    n = 10**8
    assert erlang_b(n, n) == pytest.approx(math.sqrt(2 / (math.pi * n)), rel=1e-3)


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (4.5, 6), (95, 100), (999_000, 1_000_000)])
def test_erlang_c_and_b_tell_one_story(load: float, servers: int) -> None:
    b, c = erlang_b(load, servers), erlang_c(load, servers)
    # 1/C - 1 = (1 - rho)(1/B - 1): another textbook form of the relation.
    rho = load / servers
    assert 1 / c - 1 == pytest.approx((1 - rho) * (1 / b - 1), rel=1e-9)
    assert b < c


def test_one_server_is_m_m_1() -> None:
    for lam, mu in [(8, 10), (0.001, 3), (999.999, 1000)]:
        rho = lam / mu
        queue = mm1(lam, mu)
        assert queue == mmc(lam, mu, 1)
        assert queue.p_wait == pytest.approx(rho)
        assert queue.in_system == pytest.approx(rho / (1 - rho))
        assert queue.response_s == pytest.approx(1 / (mu - lam))
        assert queue.wait_s == pytest.approx(mg1_wait(lam, 1 / mu, cv2=1))
        assert queue.loss == 0


def test_the_chapter_s_rule_of_thumb() -> None:
    assert mm1(0.9, 1).wait_s == pytest.approx(9)
    assert mm1(0.95, 1).wait_s == pytest.approx(19)


def test_quantiles_belong_to_an_exponential_of_the_mean() -> None:
    mean = mm1(8, 10).response_s
    assert mm1_response_quantile(8, 10, 1 - math.exp(-1)) == pytest.approx(mean)
    assert mm1_response_quantile(8, 10, 0) == 0


@pytest.mark.parametrize(
    ("lam", "mu", "servers", "capacity"),
    [(3, 1, 2, 5), (8, 1, 10, 10), (2, 1, 2, 30), (0.3, 1, 1, 4), (50, 1, 3, 40), (9, 1, 10, 200)],
)
def test_finite_room_solves_the_balance_equations(
    lam: float, mu: float, servers: int, capacity: int
) -> None:
    loss, waiting, p_wait = birth_death(lam, mu, servers, capacity)
    queue = mmck(lam, mu, servers, capacity)
    assert queue.loss == pytest.approx(loss, rel=1e-11)
    assert queue.waiting == pytest.approx(waiting, rel=1e-10, abs=1e-14)
    assert queue.p_wait == pytest.approx(p_wait, rel=1e-10, abs=1e-14)
    assert queue.utilization == pytest.approx(lam * (1 - loss) / mu / servers)
    assert queue.in_system == pytest.approx(little(lam * (1 - loss), queue.response_s))


@pytest.mark.parametrize("load", [0.999, 0.99999, 1.0, 1.00001, 1.001])
def test_finite_room_is_smooth_where_load_equals_servers(load: float) -> None:
    loss, waiting, _ = birth_death(load, 1, 1, 60)
    queue = mmck(load, 1, 1, 60)
    assert queue.loss == pytest.approx(loss, rel=1e-10)
    assert queue.waiting == pytest.approx(waiting, rel=1e-10)


def test_limits_of_the_room() -> None:
    for load in (3.0, 8.0, 30.0):
        assert mmck(load, 1, 10, 10).loss == pytest.approx(erlang_b(load, 10))
    small = mmck(4.5, 1, 6, 100_000)
    big = mmc(4.5, 1, 6)
    assert small.loss == 0
    for ours, theirs in zip(small, big, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_finite_room_at_extremes() -> None:
    million = mmck(1_000_000, 1, 1_000_000, 1_000_000)
    assert million.loss == pytest.approx(erlang_b(1_000_000, 1_000_000))
    flooded = mmck(1e9, 1, 10, 1_000_000)
    assert flooded.loss == pytest.approx(1 - 1e-8)
    assert flooded.utilization == pytest.approx(1, rel=1e-6)
    idle = mmck(1e-9, 1, 10, 1_000_000)
    assert idle.loss == 0
    assert idle.wait_s < 1e-90
    full = mmck(2_000_000, 1, 1_000_000, 2_000_000)
    assert full.loss == pytest.approx(0.5, rel=1e-6)
    assert full.waiting == pytest.approx(1_000_000, rel=1e-5)


def test_tail_of_the_wait_integrates_to_the_mean() -> None:
    step = 0.001
    area = math.fsum(mmc_wait_tail(4.5, 1, 6, (k + 0.5) * step) for k in range(20_000)) * step
    assert area == pytest.approx(mmc(4.5, 1, 6).wait_s, rel=1e-6)


def test_waiting_grows_with_variability_and_has_no_unit_of_its_own() -> None:
    assert mg1_wait(0.9, 1, 0) == pytest.approx(mg1_wait(0.9, 1, 1) / 2)
    assert mg1_wait(900, 0.001, 4) == pytest.approx(mg1_wait(0.9, 1, 4) / 1000)


@pytest.mark.parametrize("load", [0.5, 8, 123.4, 5_000, 1_000_000])
def test_the_inverses_are_the_fewest_servers(load: float) -> None:
    for target in (0.2, 0.01, 1e-6):
        c = servers_for_loss(load, target)
        assert erlang_b(load, c) <= target < erlang_b(load, c - 1)
        c = servers_for_p_wait(load, target)
        assert erlang_c(load, c) <= target
        assert c - 1 <= load or erlang_c(load, c - 1) > target
        c = servers_for_wait(load, 1.0, target)
        assert mmc(load, 1.0, c).wait_s <= target
        assert c - 1 <= load or mmc(load, 1.0, c - 1).wait_s > target


def test_unlimited_servers_are_poisson() -> None:
    busy = mginf(250, 0.12)
    p = [math.exp(-30)]
    for k in range(1, 100):
        p.append(p[-1] * 30 / k)
    for k in (0, 20, 40, 60):
        assert busy.tail(k) == pytest.approx(math.fsum(p[k + 1 :]), rel=1e-10)
    assert mginf(1e6, 1).tail(1_000_000) == pytest.approx(0.5, abs=1e-3)
    assert mginf(1e6, 1).quantile(0.5) == 1_000_000
    assert mginf(5, 0).tail(0) == 0


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: mm1(10, 10), "arrival_rate=10 is unstable"),
        (lambda: mmc(6, 1, 6), "arrival_rate=6 is unstable"),
        (lambda: erlang_c(7, 6), "offered_load=7 with servers=6 is unstable"),
        (lambda: mg1_wait(1.0, 1.0, 1), "arrival_rate=1.0 is unstable"),
        (lambda: erlang_b(-1, 3), "offered_load=-1"),
        (lambda: erlang_b(1, -3), "servers=-3"),
        (lambda: erlang_b(1, 2.5), "servers=2.5"),  # type: ignore[arg-type]
        (lambda: erlang_b(math.nan, 2), "offered_load=nan"),
        (lambda: mm1(0, 1), "arrival_rate=0"),
        (lambda: mm1(1, math.inf), "service_rate=inf"),
        (lambda: mmck(1, 1, 3, 2), "capacity=2"),
        (lambda: mmck(1, 1, 0, 2), "servers=0"),
        (lambda: mg1_wait(0.5, 1, -1), "cv2=-1"),
        (lambda: mm1_response_quantile(8, 10, 1), "p=1"),
        (lambda: servers_for_loss(8, 0), "loss=0"),
        (lambda: servers_for_p_wait(8, 0), "p_wait=0"),
        (lambda: servers_for_wait(8, 1, 0), "wait_s=0"),
        (lambda: mginf(8, 1).quantile(1), "p=1"),
        (lambda: little(-1, 1), "rate_per_s=-1"),
    ],
)
def test_impossible_inputs_name_themselves(call: Callable[[], object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        call()
