"""Canaries: closed forms against plain sums, and simulated deployments against closed forms."""

from __future__ import annotations

import math
from random import Random

import pytest

from simulations.experiments.versions_aliases import (
    METRIC_DELAY_S,
    PERSON_S,
    SHIFTS,
    Shift,
    deploy,
    expected,
    judged_at_once,
    judged_one_by_one,
    releases,
    rings_in_time,
    seen_in,
)
from simulations.faults import Fault
from simulations.services import Alias, Context, Function, inject
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import share_interval
from simulations.theory import (
    Sprt,
    bake_s,
    detection_probability,
    exposed_share,
    fixed_plan,
    hit_before_alarm,
    missed_in,
    requests_needed,
    sprt,
)
from simulations.workload import Poisson


def binomial_at_most(k: int, n: int, p: float) -> float:
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@pytest.mark.parametrize(("bug_rate", "requests"), [(0.05, 59), (0.01, 299), (0.001, 2995)])
def test_one_request_fewer_would_not_be_enough(bug_rate: float, requests: int) -> None:
    assert requests_needed(bug_rate) == requests
    assert 1 - (1 - bug_rate) ** requests >= 0.95 > 1 - (1 - bug_rate) ** (requests - 1)
    # "three divided by the bug rate" errs on the safe side, by at most 2.5 %
    assert requests <= 3 / bug_rate <= 1.025 * requests


def test_a_certain_bug_needs_one_request_and_none_needs_infinitely_many() -> None:
    assert requests_needed(1.0) == 1 == detection_probability(1.0, 1)
    assert detection_probability(1.0, 0) == 0 == detection_probability(0.0, 10**6)
    with pytest.raises(ValueError, match="bug_rate=0"):
        requests_needed(0.0)


def test_no_requests_without_weight() -> None:
    with pytest.raises(ValueError, match="weight=0"):
        bake_s(59, rate_per_s=1, weight=0)
    with pytest.raises(ValueError, match="weight=0"):
        exposed_share(0, 5)


@pytest.mark.parametrize(("good", "bad"), [(0.001, 0.05), (0.01, 0.05), (0.01, 0.02)])
def test_the_fixed_count_is_the_shortest_that_keeps_both_promises(good: float, bad: float) -> None:
    n, accept = fixed_plan(good, bad)
    assert 1 - binomial_at_most(accept, n, good) <= 0.05
    assert binomial_at_most(accept, n, bad) <= 0.05
    # No shorter count keeps both, whatever it accepts.
    for shorter in (n - 1, n - 2, n // 2):
        assert not any(
            1 - binomial_at_most(k, shorter, good) <= 0.05
            and binomial_at_most(k, shorter, bad) <= 0.05
            for k in range(accept + 2)
        )


def test_the_exact_sequential_test_against_every_sequence_of_outcomes() -> None:
    # Few steps to the bounds, so that all 2^16 sequences can be followed.
    plan, p = sprt(0.1, 0.5, alpha=0.2, beta=0.2), 0.3
    rejected = requests = left = 0.0
    paths = [(0.0, 1.0)]
    for n in range(1, 17):
        after = []
        for evidence, share in paths:
            for step, chance in ((plan.failed, p), (plan.passed, 1 - p)):
                total, here = evidence + step, share * chance
                if total >= plan.reject:
                    rejected, requests = rejected + here, requests + n * here
                elif total <= plan.trust:
                    requests += n * here
                else:
                    after.append((total, here))
        paths = after
    left = math.fsum(share for _, share in paths)
    exact = plan.exact(p)
    assert left < 3e-3
    assert exact[0] == pytest.approx(rejected, abs=left + 1e-12)
    assert exact[1] == pytest.approx(requests, abs=40 * left + 1e-12)


@pytest.mark.parametrize("p", [0.01, 0.03, 0.05])
def test_the_simulated_sequential_test_follows_the_exact_one(p: float) -> None:
    plan = sprt(0.01, 0.05)
    rejected, requests = plan.exact(p)
    found = judged_one_by_one(plan, p, number=2000, seed=5)
    assert found.rejected.within(rejected, 0.03, relative=False) == "pass"
    assert found.requests.within(requests, 0.08) == "pass"


def test_wald_is_short_by_the_overstep_and_right_in_the_limit() -> None:
    # Rates close together: one request oversteps the bound by little, Wald becomes exact.
    def short(plan: Sprt, p: float) -> float:
        return 1 - plan.mean_requests(p) / plan.exact(p)[1]

    coarse, fine = short(sprt(0.01, 0.05), 0.05), short(sprt(0.3, 0.33), 0.33)
    assert coarse > 0.15
    assert 0 < fine < 0.04


def test_where_the_drift_is_zero_walds_formula_has_its_limit() -> None:
    plan = sprt(0.1, 0.3)
    still = -plan.passed / (plan.failed - plan.passed)
    assert plan.mean_requests(still) == pytest.approx(plan.mean_requests(still + 1e-6), rel=1e-3)
    assert plan.rejected(still) == pytest.approx(plan.rejected(still + 1e-6), abs=1e-3)


def test_the_fixed_count_errs_as_the_binomial_says() -> None:
    plan = fixed_plan(0.01, 0.05)
    found = judged_at_once(plan, 0.05, number=2000)
    exact = 1 - binomial_at_most(plan.accept, plan.requests, 0.05)
    assert found.rejected.low <= exact <= found.rejected.high


def test_simulated_canaries_see_a_bug_as_often_as_the_formula_says() -> None:
    found = seen_in(canaries=1000, seed=3)
    # 95 % intervals of points that share canaries: at most three may miss.
    assert found["points"] - found["points that hold the theory"] <= 3


@pytest.mark.parametrize("minutes", [5, 10, 15])
def test_a_canary_catches_what_it_sees_before_the_alarms_last_two_minutes(minutes: int) -> None:
    shift = SHIFTS[f"Canary10Percent{minutes}Minutes"]
    found = releases(shift, 60.0, number=1500, seed=2).caught
    theory = 1 - missed_in(0.05, 1.0, 0.1, 60 * minutes - 60 - METRIC_DELAY_S)
    assert found.within(theory, 0.06, relative=False) == "pass"


def test_orders_hit_before_the_alarm_follow_the_renewal_formula() -> None:
    watched = Shift("a canary that is watched for ever", 0.1, 0.0, 1e9, 1e9)
    found = releases(watched, 60.0, number=2500, seed=2).hit
    assert found.within(hit_before_alarm(0.3, METRIC_DELAY_S / 60), 0.07) == "pass"


def test_all_at_once_waits_for_a_person() -> None:
    random = Random(1)
    runs = [deploy(SHIFTS["AllAtOnce"], random, bug_rate=0.5) for _ in range(50)]
    assert not any(run.rolled_back for run in runs)
    # At 30 bugs a minute the first minute rings; one minute of delay and the person follow.
    assert {run.bad_s for run in runs} == {60 + METRIC_DELAY_S + PERSON_S}


def test_a_version_without_errors_is_never_rolled_back() -> None:
    random = Random(1)
    for shift in SHIFTS.values():
        run = deploy(shift, random, bug_rate=0.0)
        assert not run.rolled_back
        assert run.hit == 0
        assert run.bad_s == shift.done_s


def test_a_rate_is_the_same_rate_as_a_whole_number() -> None:
    shift = SHIFTS["Canary10Percent5Minutes"]
    assert releases(shift, 60, number=20) == releases(shift, 60.0, number=20)


def test_an_alarm_on_three_minutes_in_a_row_needs_three_minutes() -> None:
    random = Random(1)
    shift = SHIFTS["Canary10Percent30Minutes"]
    run = deploy(shift, random, rate_per_s=10, bug_rate=1.0, minutes=3)
    assert run.rolled_back
    assert run.bad_s == 180 + METRIC_DELAY_S


@pytest.mark.parametrize(
    ("name", "at_s", "weight"),
    [
        ("Canary10Percent5Minutes", 299, 0.1),
        ("Canary10Percent5Minutes", 300, 1.0),
        ("Linear10PercentEvery3Minutes", 0, 0.1),
        ("Linear10PercentEvery3Minutes", 3 * 180, 0.4),
        ("Linear10PercentEvery10Minutes", 9 * 600, 1.0),
        ("AllAtOnce", 0, 1.0),
    ],
)
def test_weights_move_as_codedeploy_says(name: str, at_s: float, weight: float) -> None:
    assert SHIFTS[name].weight(at_s) == weight


def test_the_new_version_gets_its_share_of_the_requests() -> None:
    random = Random(4)
    run = deploy(SHIFTS["Canary10Percent30Minutes"], random, rate_per_s=100, bug_rate=0.0)
    assert run.requests == pytest.approx(0.1 * 100 * 1800, rel=0.03)


def test_an_alias_of_real_functions_shows_the_bug_as_often() -> None:
    """The services themselves: two versions, an alias, Poisson requests, a fault."""
    runs, seen, requests = 100, 0, 0
    for seed in range(runs):
        sim = Simulation(seed)
        old = Function(sim, "Checkout:1", sell, version=1)
        new = Function(
            sim, "Checkout:2", inject(sim, "bug", sell, Fault(error_rate=0.05)), version=2
        )
        live = Alias(sim, "live", {old: 0.9, new: 0.1})
        trace = sim.run(Poisson(rate_per_s=1) >> live, duration_s=300)
        seen += "error" in trace.requests.outcomes()
        requests += live.routed["Checkout:2"]
    assert requests == pytest.approx(30 * runs, rel=0.06)
    share = share_interval(seen, runs)
    assert share.low <= 1 - missed_in(0.05, 1.0, 0.1, 300) <= share.high


def sell(order: int, context: Context) -> Steps:
    yield context.compute(ms=15)


@pytest.mark.parametrize(
    ("name", "rate_per_min"),
    [
        ("AllAtOnce", 6.0),
        ("Canary10Percent5Minutes", 6.0),
        ("Canary10Percent10Minutes", 60.0),
        ("Linear10PercentEvery1Minute", 6.0),
        ("Linear10PercentEvery1Minute", 60.0),
    ],
)
def test_deployments_catch_and_hit_as_the_exact_sum_over_minutes_says(
    name: str, rate_per_min: float
) -> None:
    caught, hit = expected(SHIFTS[name], rate_per_min)
    found = releases(SHIFTS[name], rate_per_min, number=800, seed=11)
    assert found.caught.within(caught, 0.06, relative=False) == "pass"
    assert found.hit.within(hit, 0.3) == "pass"


def test_a_deployment_that_is_watched_for_ever_costs_what_the_closed_form_says() -> None:
    watched = Shift("for ever", 0.1, 0.0, 1e9, 1e9)
    caught, hit = expected(watched, 60.0)
    assert caught == pytest.approx(1.0)
    assert hit == pytest.approx(hit_before_alarm(0.3, METRIC_DELAY_S / 60), rel=1e-9)


@pytest.mark.parametrize(("errors", "minutes"), [(1, 1), (2, 1), (1, 3)])
@pytest.mark.parametrize("bug_rate", [0.05, 0.0])
def test_alarms_ring_as_often_as_their_runs_of_minutes_say(
    errors: int, minutes: int, bug_rate: float
) -> None:
    shift = SHIFTS["Canary10Percent30Minutes"]
    failing = bug_rate + (1 - bug_rate) * 0.01
    exact = rings_in_time(shift, 60.0, failing, errors, minutes)
    found = releases(
        shift, 60.0, bug_rate, other_errors=0.01, errors=errors, minutes=minutes, number=600, seed=3
    )
    assert found.caught.within(exact, 0.08, relative=False) == "pass"
