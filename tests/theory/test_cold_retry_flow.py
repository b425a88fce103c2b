"""Cold starts, retries, flows and tails: limits, identities, and plain simulations of the rule.

The small simulations here are written from the definition (heaps, loops), not with the library's
engine, so that formula and engine are checked against something that is neither.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from random import Random

import pytest

from simulations import theory
from simulations.workload import Constant, Exponential, Lognormal, Uniform


def cold_share_and_environments(
    rate: float, duration: float, keep_alive: Callable[[Random], float], n: int, seed: int
) -> tuple[float, float]:
    """Most recently used environment first, drawn keep-alive for every idle period."""
    random = Random(seed)
    now, cold, alive_s = 0.0, 0, 0.0
    busy: list[float] = []
    idle: list[tuple[float, float]] = []  # (idle since, expires at), most recent last
    for _ in range(n):
        now += random.expovariate(rate)
        while busy and busy[0] <= now:
            end = heapq.heappop(busy)
            idle.append((end, end + keep_alive(random)))
        gone = [e for e in idle if e[1] <= now]
        alive_s += sum(expires - since for since, expires in gone)
        idle = [e for e in idle if e[1] > now]
        if idle:
            alive_s += now - idle.pop()[0]
        else:
            cold += 1
        service = random.expovariate(1 / duration) if duration else 0.0
        alive_s += service
        heapq.heappush(busy, now + service)
    return cold / n, alive_s / now


@pytest.mark.parametrize("rate_per_h", [2, 6, 20])
def test_one_environment_against_a_plain_simulation(rate_per_h: float) -> None:
    lifetime = Uniform(294, 347)
    rate = rate_per_h / 3600
    n = 40_000
    share, alive = cold_share_and_environments(rate, 0, lifetime.sample, n, seed=1)
    expected = theory.cold_probability(rate, lifetime)
    assert share == pytest.approx(expected, abs=3.3 * math.sqrt(expected * (1 - expected) / n))
    assert alive == pytest.approx(theory.mean_environments(rate, lifetime), rel=0.03)


@pytest.mark.parametrize(
    ("rate_per_s", "duration_s", "keep_alive_s"),
    [(200 / 3600, 0.1, 600.0), (0.05, 2.0, 600.0), (0.9, 2.0, 600.0), (2.0, 3.0, 120.0)],
)
def test_overflow_formula_is_within_its_stated_15_percent(
    rate_per_s: float, duration_s: float, keep_alive_s: float
) -> None:
    expected = theory.cold_probability(rate_per_s, keep_alive_s, duration_s)
    n = 150_000
    runs = [
        cold_share_and_environments(rate_per_s, duration_s, lambda _: keep_alive_s, n, seed)
        for seed in (1, 2)
    ]
    share = sum(r[0] for r in runs) / 2
    # Cold starts come in clusters: three Poisson standard errors, doubled.
    noise = 6 * math.sqrt(expected / (2 * n))
    assert abs(share - expected) < 0.15 * expected + noise
    alive = sum(r[1] for r in runs) / 2
    assert alive == pytest.approx(
        theory.mean_environments(rate_per_s, keep_alive_s, duration_s), rel=0.05
    )


def test_a_random_lifetime_has_its_closed_form() -> None:
    # Uniform(a, b): (exp(-la) - exp(-lb)) / (l (b - a)); exponential of mean m: 1 / (1 + l m).
    for rate in (1e-6, 1 / 600, 0.05, 3.0):
        a, b = 294.0, 347.0
        uniform = (math.exp(-rate * a) - math.exp(-rate * b)) / (rate * (b - a))
        assert theory.cold_probability(rate, Uniform(a, b)) == pytest.approx(uniform, rel=1e-9)
        wide = -math.expm1(-rate * 600) / (rate * 600)
        assert theory.cold_probability(rate, Uniform(0, 600)) == pytest.approx(wide, rel=1e-9)
        memoryless = 1 / (1 + rate * 300)
        assert theory.cold_probability(rate, Exponential(300)) == pytest.approx(
            memoryless, rel=1e-6
        )
    assert theory.cold_probability(0.01, Constant(600)) == pytest.approx(math.exp(-6))
    # By convexity a spread-out lifetime of the same mean can only be worse.
    assert theory.cold_probability(0.01, Lognormal(320, 1)) > theory.cold_probability(0.01, 320)


def test_limits_of_the_cold_share() -> None:
    assert theory.cold_probability(1.0, 0.0) == 1
    assert theory.cold_probability(1.0, 0.0, duration_s=5) == pytest.approx(1)
    assert theory.cold_probability(1e-12, 600) == pytest.approx(1, abs=1e-9)
    assert theory.cold_probability(1e-9, 600, duration_s=1e3) == pytest.approx(1, abs=1e-5)
    assert theory.cold_probability(1e6, 600) == 0
    # The short call is the limit of ever shorter calls.
    assert theory.cold_probability(1 / 600, 600, 1e-9) == pytest.approx(
        theory.cold_probability(1 / 600, 600)
    )
    # A million environments' worth of load is answered, and rarely cold.
    assert 0 < theory.cold_probability(100_000, 600, 1.0) < 1e-4
    assert theory.mean_environments(100_000, 600, 1.0) > 100_000


def test_renewal_gaps_with_a_random_lifetime() -> None:
    rate = 1 / 600
    poisson = theory.cold_probability_renewal(
        lambda t: theory.exponential_gap_survival(t, 600), Uniform(294, 347)
    )
    assert poisson == pytest.approx(theory.cold_probability(rate, Uniform(294, 347)))


def test_gap_families_meet_the_exponential() -> None:
    for t in (0.0, 10.0, 600.0, 5000.0):
        exponential = theory.exponential_gap_survival(t, 600)
        assert theory.gamma_gap_survival(t, 600, cv=1) == pytest.approx(exponential)
        mixed = theory.hyperexponential_gap_survival(t, (0.3, 0.7), (600, 600))
        assert mixed == pytest.approx(exponential)
    assert theory.lognormal_gap_survival(0, 600, cv=1) == 1
    # Means: the integral of the survival function.
    for survival in (theory.gamma_gap_survival, theory.lognormal_gap_survival):
        area = math.fsum(survival((k + 0.5) * 0.005, 2, 0.5) for k in range(8_000)) * 0.005
        assert area == pytest.approx(2, rel=1e-5)


def test_retries_against_a_plain_simulation() -> None:
    random, n = Random(3), 100_000
    calls = failed = 0
    for _ in range(n):
        for attempt in range(1, 5):
            calls += 1
            if random.random() >= 0.4:
                break
            failed += attempt == 4
    assert calls / n == pytest.approx(theory.retry_load(0.4, 4), rel=0.01)
    assert failed / n == pytest.approx(theory.retry_failure(0.4, 4), rel=0.1)


def test_retry_load_keeps_its_digits() -> None:
    assert theory.retry_load(0, 5) == 1
    assert theory.retry_load(0.7, 1) == pytest.approx(1)
    assert theory.retry_load(1 - 1e-12, 4) == pytest.approx(4, rel=1e-11)
    assert theory.retry_load(0.999999, 10**6) == pytest.approx((1 - math.exp(-1)) * 1e6, rel=1e-5)


def test_a_budget_that_is_never_reached_changes_nothing() -> None:
    free = theory.retry_budget(0.01, fill=0.1)
    assert free.extra_load == pytest.approx(theory.retry_load(0.01, 4) - 1)
    assert free.success == pytest.approx(1 - theory.retry_failure(0.01, 4))
    assert theory.retry_budget(0.5, fill=0).success == 0.5


@pytest.mark.parametrize(("p", "phi"), [(0.1, 0.0), (0.1, 0.5), (0.3, 1.0)])
def test_restarts_against_a_plain_simulation(p: float, phi: float) -> None:
    random, n = Random(5), 60_000
    double = charges = starts = 0
    for _ in range(n):
        charged = 0
        while True:
            starts += 1
            for step in range(1, 5):
                fails = random.random() < p
                if step == 2 and (not fails or random.random() < phi):
                    charged += 1
                if fails:
                    break
            else:
                break
        charges += charged
        double += charged > 1
    chain = theory.restart_chain(p, phi)
    se = math.sqrt(chain.p_double_charge / n)
    assert double / n == pytest.approx(chain.p_double_charge, abs=3.3 * se)
    assert charges / n == pytest.approx(chain.charges, rel=0.02)
    assert starts / n == pytest.approx(chain.attempts, rel=0.02)


def test_restart_limits() -> None:
    assert theory.restart_chain(0.0) == (0, 1, 1)
    # Charging last and failing cleanly never charges twice.
    assert theory.restart_chain(0.2, steps=4, charge_step=4).p_double_charge == pytest.approx(0)
    assert theory.restart_chain(0.2, steps=4, charge_step=4).charges == pytest.approx(1)


def test_a_ramp_against_its_integral() -> None:
    for messages, service_s in [(1_000, 0.5), (100_000, 0.5), (100_000, 1.7), (10**6, 3)]:
        end = theory.ramp_drain_s(messages, service_s)
        steps = 20_000
        done = math.fsum(min(5 + 5 * (k + 0.5) * end / steps, 1250) for k in range(steps))
        assert done * end / steps == pytest.approx(messages * service_s, rel=1e-4)
    assert theory.ramp_drain_s(100, 1, start=10, ramp_per_s=0) == 10
    assert theory.ramp_drain_s(0, 1) == 0


def test_scaling_and_buckets() -> None:
    for rate in (1_000, 5_000, 20_000):
        t = theory.scaled_after_s(rate, 1.0, start=200)
        assert theory.scaling_limit(t, start=200) >= rate
    assert theory.scaled_after_s(100, 1) == 0
    assert theory.scaling_limit(60, account_limit=1000) == 1000
    assert theory.bucket_empty_s(100, 100) == math.inf
    assert theory.backlog(10, 60, served_per_s=20) == 0


def test_fan_out_and_hedging() -> None:
    assert theory.fanout_slow(1e-15, 10**6) == pytest.approx(1e-9)
    assert theory.fanout_slow(1.0, 3) == 1
    assert theory.fanout_slow(0.3, 0) == 0
    # A hedge at 0 sends two calls: the faster of two.
    assert theory.hedged_tail(lambda t: math.exp(-t), 2.0, 0.0) == pytest.approx(math.exp(-4))
    assert theory.hedged_tail(lambda t: math.exp(-t), 1.0, 3.0) == pytest.approx(math.exp(-1))


def test_fits_give_back_their_moments() -> None:
    shape = theory.lognormal_from_moments(3.24, 7.10)
    assert shape.mean == pytest.approx(3.24)
    assert shape.share_below(shape.quantile(0.9)) == pytest.approx(0.9)
    assert shape.share_below(0) == 0
    for sd in (0.2, 1.0, 3.66):
        weibull = theory.weibull_from_moments(1.25, sd)
        n = 400_000
        values = [weibull.quantile((k + 0.5) / n) for k in range(n)]
        assert math.fsum(values) / n == pytest.approx(1.25, rel=2e-3)
    assert theory.weibull_from_moments(2.0, 2.0).shape == pytest.approx(1)


def test_cpu_shares() -> None:
    assert theory.quota_ms(17.4, 3008) == 17.4
    assert theory.quota_mean_ms(17.4, 3008) == 17.4
    assert theory.quota_mean_ms(0, 128) == 0
    # A task far longer than the period sees the average speed, whatever the start.
    for mb in (128, 512, 1024):
        long_ms = theory.proportional_ms(1e5, mb)
        assert theory.quota_mean_ms(1e5, mb) == pytest.approx(long_ms, rel=1e-3)
        assert theory.quota_ms(1e5, mb) == pytest.approx(long_ms, rel=1e-3)
    # Mean over starts, step by step.
    cpu, quota, n = 17.4, 20 * 443 / 1769, 40_000
    total = 0.0
    for k in range(n):
        left, todo, t = 20 * (k + 0.5) / n, cpu, 0.0
        budget = quota
        while True:
            run = min(budget, left, todo)
            todo -= run
            if todo <= 1e-12:
                t += run
                break
            t, left, budget = t + left, 20.0, quota
        total += t
    assert theory.quota_mean_ms(cpu, 443) == pytest.approx(total / n, rel=1e-4)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: theory.cold_probability(0, 600), "rate_per_s=0"),
        (lambda: theory.cold_probability(1, -1), "keep_alive_s=-1"),
        (lambda: theory.cold_probability(1, "5m"), "keep_alive_s='5m'"),  # type: ignore[arg-type]
        (lambda: theory.cold_probability(1, 600, -0.1), "duration_s=-0.1"),
        (lambda: theory.retry_load(1.1, 3), "failure=1.1"),
        (lambda: theory.retry_load(0.1, 0), "attempts=0"),
        (lambda: theory.restart_chain(1.0), "failure=1"),
        (lambda: theory.restart_chain(0.1, phi=2), "phi=2"),
        (lambda: theory.restart_chain(0.1, steps=3, charge_step=4), "charge_step=4"),
        (lambda: theory.drain_s(10, 5, 5), "capacity_per_s=5 is unstable"),
        (lambda: theory.ramp_drain_s(10, 1, start=0, ramp_per_s=0), "start=0"),
        (lambda: theory.fanout_slow(-0.1, 5), "p_slow=-0.1"),
        (lambda: theory.hyperexponential_gap_survival(1, (0.5,), (1, 2)), "shares="),
        (lambda: theory.hyperexponential_gap_survival(1, (0.5, 0.4), (1, 2)), "shares="),
        (lambda: theory.weibull_from_moments(1, 1e90), "sd=1e"),
        (lambda: theory.burr_quantile(1, c=1, k=1, scale=1), "u=1"),
        (lambda: theory.quota_ms(1, 0), "memory_mb=0"),
        (lambda: theory.lockstep_calls(-1), "clients=-1"),
    ],
)
def test_impossible_inputs_name_themselves(call: Callable[[], object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        call()
