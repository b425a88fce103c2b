"""The platform model against theory, and holding costs against a search for the least."""

from __future__ import annotations

import math
from typing import Literal

import pytest

from simulations.experiments.platform import Platform, Tenant, Way
from simulations.experiments.what_is_lambda import (
    billed_s,
    held_against_cold,
    held_price,
    idle_for_each_busy,
    in_theory,
    measured_path,
    outside_the_handler,
    packed,
    population_2019,
    tenants_2019,
)
from simulations.theory import (
    best_keep_alive_s,
    idle_per_busy,
    idle_s_per_request,
    keeping_cost_s,
    worth_of_cold_s,
)


def test_the_model_holds_as_many_environments_as_littles_law_says() -> None:
    found = held_against_cold(hours=2)
    for kept_s in (20, 80, 320):
        assert found[f"environments {kept_s}"] == pytest.approx(found[f"theory {kept_s}"], rel=0.03)
        assert found[f"cold {kept_s}"] == pytest.approx(found[f"cold theory {kept_s}"], rel=0.12)


def test_busy_time_is_rate_times_duration() -> None:
    crowd = tenants_2019(60, duration_s=2.0)
    counts = Platform(crowd, keep_alive_s=10.0, start_s=0.0, seed=3).run(7200, warmup_s=60)
    demanded = math.fsum(t.rate_per_s * t.duration_s * t.memory_mb for t in crowd)
    assert counts.busy / 7200 == pytest.approx(demanded, rel=0.08)
    assert counts.busy < counts.held


def test_nothing_is_left_when_nobody_calls() -> None:
    # A single call, then silence: the worker is given back when the keep-alive ends.
    platform = Platform([Tenant(1e-9)], keep_alive_s=30.0, front_s=0.0, start_s=0.5)
    platform.clock.process(platform.request(0))
    counts = platform.run(100.0)
    assert (counts.requests, counts.cold, platform.workers) == (1, 1, [])
    assert counts.environments == pytest.approx(0.5 + 0.1 + 30)
    assert counts.held == pytest.approx(128 * 30.6)
    assert counts.busy == pytest.approx(128 * 0.1)


def test_a_second_call_within_the_keep_alive_is_warm_and_one_after_it_is_cold() -> None:
    platform = Platform([Tenant(1e-9)], keep_alive_s=30.0, front_s=0.0, start_s=0.0)

    def calls() -> Way:
        for pause_s in (0.0, 30.0, 30.2):
            yield platform.clock.timeout(pause_s)
            platform.clock.process(platform.request(0))

    platform.clock.process(calls())
    assert [cold for _, cold in platform.run(200.0).calls] == [True, False, True]


def test_environments_are_spread_over_the_zones_and_never_beyond_a_workers_memory() -> None:
    platform = Platform([Tenant(1e-9, 1000)], keep_alive_s=1e6, worker_mb=3000, zones=3)
    for _ in range(30):
        platform.place(0)
    assert sorted(w.zone for w in platform.workers) == [0] * 4 + [1] * 4 + [2] * 4
    assert min(w.free_mb for w in platform.workers) >= 0
    assert sum(w.carried for w in platform.workers) == 30


def test_first_fit_fills_workers_better_than_the_emptiest() -> None:
    pack, spread = packed("pack", tenants=150), packed("spread", tenants=150)
    assert pack.filled > spread.filled + 0.01
    assert pack.workers >= pack.least


def test_a_lost_zone_takes_its_environments_and_no_others() -> None:
    crowd = [Tenant(1 / 60, 128, 0.01)] * 300
    platform = Platform(crowd, keep_alive_s=1e6, start_s=0.0, lost_zone_at_s=900.0)
    calls = platform.run(960.0).calls
    before = [cold for s, cold in calls if 840 < s <= 900]
    after = [cold for s, cold in calls if s > 900]
    assert not any(before[-100:])
    # In one minute each function calls once on average; a third of those that call were hit.
    assert sum(after) / len(after) == pytest.approx(-math.expm1(-1) / 3, rel=0.2)
    assert {w.zone for w in platform.workers} == {1, 2}


def test_idle_for_each_busy_second_follows_the_renewal_formula_where_calls_are_rare() -> None:
    rate = 1 / 3600
    plain = idle_s_per_request(rate, 320.0) / 0.1
    assert idle_per_busy(rate, 320.0, 0.1) == pytest.approx(plain, rel=1e-3)
    assert idle_per_busy(1e-7, 320.0, 0.1) == pytest.approx(3200, rel=1e-3)  # at most T / S


def test_a_platforms_ratio_lies_far_below_that_of_its_rare_functions() -> None:
    found = idle_for_each_busy()
    assert found["platform"] < found["at 3600/h"] < found["at 60/h"] < found["at 1/h"]


def test_the_price_of_a_rare_call_holds_the_init_that_is_billed_with_it() -> None:
    # By hand: 306.6 idle s; a request, 100 ms and, in 91.5 % of calls, an INIT of 106.8 ms.
    assert billed_s(1.0, 0.1) == pytest.approx(0.1 + 0.9148 * 0.1068, rel=1e-3)
    assert billed_s(3600.0, 0.1) == pytest.approx(0.1, rel=0.01)
    paid, held = held_price()
    assert paid == pytest.approx(0.2e-6 + 0.1977 * 0.125 * 16.6667e-6, rel=1e-3)
    assert held == pytest.approx(306.6 * 0.125 * 4.1667e-6, rel=1e-3)


@pytest.mark.parametrize("cold_s", [10.0, 60.0, 1000.0])
def test_the_best_keep_alive_is_the_least_of_the_cost(cold_s: float) -> None:
    apps = population_2019()
    best = best_keep_alive_s(apps, cold_s)
    least = keeping_cost_s(apps, best, cold_s)
    for other in (0.0, best / 2, best * 0.97, best * 1.03, 2 * best, 1e5):
        assert keeping_cost_s(apps, other, cold_s) >= least


def test_for_one_rate_nothing_between_none_and_for_ever_is_best() -> None:
    one = [(1.0, 1 / 600)]
    costs = [keeping_cost_s(one, t, cold_s=300.0) for t in (0.0, 100.0, 600.0, 1e5)]
    assert costs == sorted(costs) and costs[0] == pytest.approx(300)
    dear = [keeping_cost_s(one, t, cold_s=900.0) for t in (0.0, 100.0, 600.0, 1e5)]
    assert dear == sorted(dear, reverse=True) and dear[-1] == pytest.approx(600)


def test_waiting_tells_something_only_of_a_mix() -> None:
    apps = population_2019()
    worth = [worth_of_cold_s(apps, t) for t in (1.0, 60.0, 320.0, 3600.0)]
    assert worth == sorted(worth)
    # For rates spread evenly over orders of magnitude it is about the time waited.
    assert 0.8 < worth[2] / 320 < 1.2


@pytest.mark.parametrize("kind", ["middle", "slow"])
def test_the_parts_of_the_cold_way_add_up_to_what_was_measured(
    kind: Literal["middle", "slow"],
) -> None:
    path, found = measured_path(kind), outside_the_handler()
    extra = path.elsewhere + path.boot + path.init
    assert extra == pytest.approx(found[f"{kind} ms"] - found["warm"])
    assert path.elsewhere > 0
    assert found["fast"] + found["middle"] + found["slow"] == pytest.approx(1)


def test_theory_of_one_tenant_is_the_plain_formula() -> None:
    held = in_theory([Tenant(1 / 600, 128, 1e-9)], 600.0)
    assert held.environments == pytest.approx(-math.expm1(-1), rel=1e-6)
    assert held.cold_calls == held.cold_apps == pytest.approx(math.exp(-1), rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"packing": "random"}, "packing"),
        ({"worker_mb": 64}, "worker_mb"),
        ({"zones": 0}, "zones"),
        ({"keep_alive_s": -1.0}, "keep_alive_s"),
    ],
)
def test_an_impossible_platform_is_refused(settings: dict[str, object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        Platform([Tenant(1.0)], **{"keep_alive_s": 320.0, **settings})  # type: ignore[arg-type]
