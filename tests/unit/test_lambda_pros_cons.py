"""Crossovers of Lambda and servers against algebra, and the mixture of warm and cold by draw."""

from __future__ import annotations

import math
from random import Random

import pytest

from simulations.experiments.lambda_pros_cons import (
    MONTH_S,
    Service,
    bisect,
    crossover_per_s,
    monthly_bill,
    quota_rate_per_s,
    slowest_requests,
)
from simulations.facts import fact
from simulations.workload import Lognormal


def test_the_crossing_is_the_floor_divided_by_what_a_request_costs() -> None:
    """By hand, at list prices: two tasks and a balancer over requests, seconds and front door."""
    tasks = 2 * 730 * (0.5 * 0.04048 + 1.0 * 0.004445)
    balancer = 730 * 0.0225
    each = 0.2e-6 + 0.1 * 0.5 * 16.6667e-6 + 1.0e-6
    requests = (tasks + balancer) / each
    assert monthly_bill()["Fargate requests"] == pytest.approx(requests, rel=0.03)


def test_a_function_url_takes_the_front_door_out_of_the_bill() -> None:
    with_door, bare = Service(), Service(front_door="function URL")
    rate = 3.0
    assert with_door.lambda_usd(rate) - bare.lambda_usd(rate) == pytest.approx(
        rate * MONTH_S * 1e-6
    )


def test_servers_that_are_emptier_than_the_break_even_never_win() -> None:
    """Marginal cost of a request: processor seconds over utilization, against Lambda's."""
    marginal = Service().lambda_usd(20) - Service().lambda_usd(10)
    vcpu_s_usd = (0.04048 + 2 * 0.004445) / 3600
    even = 0.02 * vcpu_s_usd * 10 * MONTH_S / marginal
    for factor, crosses in ((0.8, False), (1.6, True)):
        one = Service(target_utilization=factor * even)
        assert math.isfinite(crossover_per_s(one, one.fargate_usd)) is crosses


@pytest.mark.parametrize("rate_per_s", [0.001, 0.02, 0.1, 1.0])
def test_the_99th_percentile_is_that_of_the_mixture(rate_per_s: float) -> None:
    service = Service()
    random, cold = Random(5), service.cold_share(rate_per_s)
    warm = Lognormal(service.duration_s, service.cv)
    drawn = sorted(
        warm.sample(random) + (service.init_s if random.random() < cold else 0.0)
        for _ in range(200_000)
    )
    assert service.p99_s(rate_per_s) == pytest.approx(drawn[198_000], rel=0.02)


def test_beyond_the_clear_rate_fewer_than_one_in_a_hundred_start_cold() -> None:
    clear = slowest_requests()["clear rate"]
    assert Service().cold_share(0.99 * clear) > 0.01
    assert all(Service().cold_share(clear * 1.01 * 2**k) < 0.01 for k in range(12))


def test_the_quota_ends_by_concurrency_or_by_requests() -> None:
    concurrency = fact("lambda.quota.concurrency").number
    assert quota_rate_per_s(Service(duration_s=2.0)) == concurrency / 2
    assert quota_rate_per_s(Service(duration_s=0.01)) == 10 * concurrency


def test_no_crossing_is_refused_not_invented() -> None:
    with pytest.raises(ValueError, match="no rise through zero"):
        bisect(lambda x: x + 1, 1, 2)


@pytest.mark.parametrize("duration_s", [0.1, 1.0, 10.0, 16.0])
def test_beyond_the_crossing_containers_never_cost_more_again(duration_s: float) -> None:
    """Tasks that came whole made Lambda cheaper again just after each one that was added."""
    one = Service(duration_s=duration_s, cpu_s=0.2 * duration_s)
    crossing = crossover_per_s(one, one.fargate_usd)
    assert one.lambda_usd(0.99 * crossing) < one.fargate_usd(0.99 * crossing)
    for step in range(1, 400):
        rate = crossing * (1 + step / 50)
        assert one.lambda_usd(rate) > one.fargate_usd(rate)
