"""The wider family of formulas, against their balance equations solved exactly, and at a million.

Nothing here is compared with the formula it tests: Markov chains are solved as linear systems or
in exact fractions, integrals summed, limits taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from random import Random

import numpy as np
import pytest

from simulations import theory
from simulations.theory import (
    Moments,
    Part,
    PriorityClass,
    bucket_refused,
    closed_mm1,
    closed_mmc,
    constant_gaps,
    engset,
    erlang_b,
    erlang_c,
    exponential_gaps,
    gamma_gaps,
    ggc_wait,
    halfin_whitt_p_wait,
    halfin_whitt_reserve,
    in_parallel,
    layered_retries,
    lognormal_gaps,
    mg1_priority_waits,
    mg1_setup_wait,
    mg1_wait,
    mixed_cold_probability,
    mmc,
    mmc_setup_wait,
    mminf_setup,
    retry_failure,
    retry_layers,
    retry_load,
    square_root_servers,
)

State = tuple[int, ...]
Chain = dict[State, list[tuple[State, float]]]


def stationary(chain: Chain) -> dict[tuple[int, ...], float]:
    """Solve a finite Markov chain's balance equations."""
    names = list(chain)
    place = {name: k for k, name in enumerate(names)}
    flow = np.zeros((len(names), len(names)))
    for here, leaves in chain.items():
        for there, rate in leaves:
            flow[place[there], place[here]] += rate
            flow[place[here], place[here]] -= rate
    flow[-1] = 1.0
    right = np.zeros(len(names))
    right[-1] = 1.0
    return dict(zip(names, np.linalg.solve(flow, right).tolist(), strict=True))


# Finite sources


def repair(users: int, r: Fraction, servers: int) -> list[Fraction]:
    """Shares of time with k users not thinking, in exact fractions."""
    weights = [Fraction(1)]
    for k in range(1, users + 1):
        weights.append(weights[-1] * (users - k + 1) * r / min(k, servers))
    total = sum(weights)
    return [w / total for w in weights]


@pytest.mark.parametrize(("users", "servers"), [(1, 1), (5, 2), (20, 1), (20, 30), (60, 7)])
def test_machine_repair_solves_its_balance_equations(users: int, servers: int) -> None:
    p = repair(users, Fraction(1, 15), servers)
    busy = sum(min(k, servers) * share for k, share in enumerate(p))
    found = closed_mmc(users, 15, 1, servers)
    assert found.throughput == pytest.approx(float(busy), rel=1e-12)
    assert found.response_s == pytest.approx(float(users / busy - 15), rel=1e-9)
    if servers == 1:
        assert found.response_s == pytest.approx(closed_mm1(users, 15, 1).response_s, rel=1e-12)


def test_a_million_users_are_a_queue_with_an_open_load() -> None:
    began = time.process_time()
    found = closed_mmc(1_000_000, 1_000_000 / 4.5, 1.0, 6)
    assert time.process_time() - began < 5
    assert found.response_s == pytest.approx(mmc(4.5, 1.0, 6).response_s, rel=1e-4)
    swamped = closed_mmc(1_000_000, 10.0, 1.0, 1000)
    assert swamped.throughput == pytest.approx(1000)
    assert swamped.response_s == pytest.approx(1000 - 10)


@pytest.mark.parametrize(("users", "servers"), [(4, 4), (5, 2), (20, 4), (200, 30)])
def test_engset_is_the_finite_sources_exact_loss(users: int, servers: int) -> None:
    r = Fraction(1, 9)
    weights = [Fraction(math.comb(users, k)) * r**k for k in range(servers + 1)]
    calls = [w * (users - k) for k, w in enumerate(weights)]
    found = engset(users, 9, 1, servers)
    assert found.all_busy == pytest.approx(float(weights[-1] / sum(weights)), rel=1e-11)
    assert found.loss == pytest.approx(float(calls[-1] / sum(calls)), rel=1e-11, abs=1e-18)


def test_engset_with_many_users_is_erlang_b_also_at_a_million() -> None:
    assert engset(10**9, 1.25e8, 1.0, 10).loss == pytest.approx(erlang_b(8, 10), rel=1e-6)
    began = time.process_time()
    big = engset(10**12, 1e6, 1.0, 1_000_000)
    assert time.process_time() - began < 5
    assert big.loss == pytest.approx(erlang_b(1e6, 1_000_000), rel=2e-3)


# Approximations of G/G/c, and staffing


def lindley(draw_gap: Callable[[], float], draw_s: Callable[[], float], servers: int) -> float:
    """Mean wait in front of servers, request by request (Kiefer and Wolfowitz)."""
    free = [0.0] * servers
    now, total, n = 0.0, 0.0, 120_000
    for k in range(n + 5_000):
        now += draw_gap()
        first = min(range(servers), key=free.__getitem__)
        start = max(now, free[first])
        free[first] = start + draw_s()
        if k >= 5_000:
            total += start - now
    return total / n


@pytest.mark.parametrize(
    ("servers", "arrival_cv2", "service_cv2", "margin"),
    [(1, 0.5, 0.5, 0.15), (4, 1.0, 0.0, 0.12), (4, 0.5, 1.0, 0.12), (10, 0.25, 0.25, 0.5)],
)
def test_allen_cunneen_is_near_a_walk_through_the_queue(
    servers: int, arrival_cv2: float, service_cv2: float, margin: float
) -> None:
    """The margins are the approximation's, as its docstring tells them."""
    random = Random(5)
    load = 0.85 * servers

    def draw(mean: float, cv2: float) -> float:
        return random.gammavariate(1 / cv2, mean * cv2) if cv2 else mean

    found = lindley(lambda: draw(1 / load, arrival_cv2), lambda: draw(1.0, service_cv2), servers)
    ours = ggc_wait(load, 1.0, servers, arrival_cv2=arrival_cv2, service_cv2=service_cv2)
    assert ours == pytest.approx(found, rel=margin)


@pytest.mark.parametrize("rho", [0.3, 0.7, 0.99])
def test_the_bound_lies_above_and_the_approximation_on_what_is_exact(rho: float) -> None:
    for cv2 in (0.0, 1.0, 4.0):
        exact = mg1_wait(rho, 1.0, cv2)
        assert ggc_wait(rho, 1.0, 1, arrival_cv2=1, service_cv2=cv2) == pytest.approx(exact)
        bound = theory.gg1_wait_bound(rho, 1.0, arrival_cv2=1, service_cv2=cv2)
        assert bound >= exact
        # Kingman's bound is sharp in heavy traffic.
        assert bound / exact < 1 + 1 / rho**2 or rho < 0.99
    queue = mmc(0.9 * 10, 1.0, 10)
    assert ggc_wait(9, 1.0, 10, arrival_cv2=1, service_cv2=1) == pytest.approx(queue.wait_s)


def test_a_million_servers_do_not_break_the_approximations() -> None:
    wait = ggc_wait(999_000, 1.0, 1_000_000, arrival_cv2=1, service_cv2=1)
    assert wait == pytest.approx(erlang_c(999_000, 1_000_000) / 1000)


@pytest.mark.parametrize("reserve", [0.1, 0.5, 1.0, 2.0])
def test_square_root_staffing_is_the_limit_of_erlang_c(reserve: float) -> None:
    errors = []
    for load in (100.0, 10_000.0, 1_000_000.0):
        c = square_root_servers(load, reserve)
        exact = erlang_c(load, c)
        # The reserve that the whole number of servers amounts to.
        errors.append(abs(halfin_whitt_p_wait((c - load) / math.sqrt(load)) / exact - 1))
    assert errors[0] < 0.06 * max(1, reserve**2) and errors[1] < 0.01 * max(1, reserve**2)
    assert errors[2] < 3e-3
    assert all(after < before for before, after in pairwise(errors))
    assert halfin_whitt_reserve(halfin_whitt_p_wait(reserve)) == pytest.approx(reserve)


def test_staffing_at_extremes() -> None:
    assert halfin_whitt_p_wait(1e-9) == pytest.approx(1)
    assert halfin_whitt_p_wait(50) == 0
    assert square_root_servers(1e12, 1) == 10**12 + 10**6
    assert square_root_servers(4, -10) == 0


# Priorities


def test_two_priority_classes_solve_their_balance_equations() -> None:
    """M/M/1 with two classes, non-preemptive, as a Markov chain cut off at 40 of each."""
    urgent, patient, most = 0.25, 0.4, 40
    chain: Chain = {(0, 0, 0): [((1, 0, 0), urgent), ((2, 0, 0), patient)]}
    for serving, q1, q2 in product((1, 2), range(most), range(most)):
        leaves: list[tuple[State, float]] = []
        if q1 + 1 < most:
            leaves.append(((serving, q1 + 1, q2), urgent))
        if q2 + 1 < most:
            leaves.append(((serving, q1, q2 + 1), patient))
        after = (1, q1 - 1, q2) if q1 else (2, q1, q2 - 1) if q2 else (0, 0, 0)
        leaves.append((after, 1.0))
        chain[serving, q1, q2] = leaves
    p = stationary(chain)
    lq = [sum(share * name[k] for name, share in p.items()) for k in (1, 2)]
    found = mg1_priority_waits([PriorityClass(urgent, 1.0), PriorityClass(patient, 1.0)])
    assert found[0] == pytest.approx(lq[0] / urgent, rel=1e-6)
    assert found[1] == pytest.approx(lq[1] / patient, rel=1e-3)


def test_priorities_move_waiting_about_and_make_none() -> None:
    classes = [PriorityClass(0.2, 1.0, 4.0), PriorityClass(0.1, 3.0, 0.0), PriorityClass(2, 0.1)]
    loads = [one.arrival_rate * one.mean_service for one in classes]
    totals = [
        math.fsum(
            loads[k] * wait
            for k, wait in zip(order, mg1_priority_waits([classes[k] for k in order]), strict=True)
        )
        for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2))
    ]
    assert totals[0] == pytest.approx(totals[1]) == pytest.approx(totals[2])
    alone = mg1_priority_waits([PriorityClass(0.7, 1.0, 4.0)])
    assert alone == [pytest.approx(mg1_wait(0.7, 1.0, 4.0))]


# Set-up times


def setup_chain(rate: float, mu: float, alpha: float, servers: int, most: int, one: bool) -> Chain:
    """(servers at work, requests): waiting requests set servers up, one at a time or all."""
    chain: Chain = {}
    for n in range(most):
        for busy in range(min(servers, n) + 1):
            starting = min(n - busy, servers - busy)
            if one:
                starting = min(starting, 1)
            leaves: list[tuple[State, float]] = []
            if n + 1 < most:
                leaves.append(((busy, n + 1), rate))
            if starting:
                leaves.append(((busy + 1, n), alpha * starting))
            if busy:
                leaves.append(((min(busy, n - 1), n - 1), busy * mu))
            chain[busy, n] = leaves
    return chain


@pytest.mark.parametrize(("rate", "setup_s"), [(0.5, 3.0), (0.8, 0.5)])
def test_one_server_with_setup_solves_its_balance_equations(rate: float, setup_s: float) -> None:
    p = stationary(setup_chain(rate, 1.0, 1 / setup_s, 1, 160, True))
    in_system = sum(share * n for (_, n), share in p.items())
    found = mg1_setup_wait(rate, 1.0, 1.0, mean_setup=setup_s) + 1.0
    assert found == pytest.approx(in_system / rate, rel=1e-4)


def test_servers_set_up_one_at_a_time_solve_their_balance_equations() -> None:
    p = stationary(setup_chain(2.0, 1.0, 1 / 0.7, 3, 120, True))
    in_system = sum(share * n for (_, n), share in p.items())
    assert mmc_setup_wait(2.0, 1.0, 3, mean_setup=0.7) + 1 == pytest.approx(in_system / 2, rel=1e-4)
    p = stationary(setup_chain(2.0, 1.0, 1 / 0.7, 3, 120, False))
    together = sum(share * n for (_, n), share in p.items())
    assert together < in_system, "all at once is faster: the formula is a bound for it"


@pytest.mark.parametrize(("rate", "setup_s"), [(3.0, 0.5), (6.0, 2.0), (0.1, 10.0)])
def test_unlimited_servers_with_setup_solve_their_balance_equations(
    rate: float, setup_s: float
) -> None:
    p = stationary(setup_chain(rate, 1.0, 1 / setup_s, 10**9, 45, False))
    found = mminf_setup(rate, 1.0, setup_s)
    assert found.in_setup == pytest.approx(sum((n - b) * s for (b, n), s in p.items()), rel=1e-5)
    assert found.busy == pytest.approx(sum(b * s for (b, n), s in p.items()), rel=1e-5)


def test_setup_at_extremes() -> None:
    assert mminf_setup(5.0, 1.0, 0.0).wait_s == 0
    # Rare requests wait for all of their set-up.
    assert mminf_setup(1e-9, 1e-3, 2.0).wait_s == pytest.approx(2.0)
    million = mminf_setup(1e6, 1.0, 1.0)
    # sum of j exp(-j^2 / 2 lambda) by integrals: sqrt(2 lambda / pi)
    assert million.in_setup == pytest.approx(math.sqrt(2e6 / math.pi), rel=1e-3)


# Batches, buckets, layers


@pytest.mark.parametrize(("rate", "size", "window_s"), [(20, 10, 0.3), (3, 4, 5.0), (0.5, 10, 1.0)])
def test_batches_against_draws(rate: float, size: int, window_s: float) -> None:
    random = Random(3)
    sizes: list[int] = []
    waits = 0.0
    full = 0
    for _ in range(40_000):
        at_s = 0.0
        times = [0.0]
        while len(times) < size and (at_s := at_s + random.expovariate(rate)) <= window_s:
            times.append(at_s)
        closes = times[-1] if len(times) == size else window_s
        full += len(times) == size
        sizes.append(len(times))
        waits += sum(closes - one for one in times)
    found = theory.batches(rate, size, window_s)
    assert found.size == pytest.approx(sum(sizes) / len(sizes), rel=0.01)
    assert found.wait_s == pytest.approx(waits / sum(sizes), rel=0.01)
    assert found.full == pytest.approx(full / len(sizes), abs=0.006)
    assert found.per_s == pytest.approx(rate / found.size)


def test_batches_at_extremes() -> None:
    assert theory.batches(1e6, 10, 300).size == pytest.approx(10)
    assert theory.batches(1e6, 10, 300).wait_s == pytest.approx(4.5e-6)
    rare = theory.batches(1e-6, 10, 5.0)
    assert rare.size == pytest.approx(1, abs=1e-5)
    assert rare.wait_s == pytest.approx(5, rel=1e-5)


def refused_by_grid(rho: float, capacity: int, steps: int = 60) -> float:
    """The bucket's level as a Markov chain on a grid of 1/steps token, seen by the requests."""
    levels = capacity * steps + 1
    # In one grid step the bucket refills 1/steps; requests come with rho/steps on average.
    p = 1 - math.exp(-rho / steps)
    state = np.full(levels, 1 / levels)
    for _ in range(400):
        for _ in range(50):
            refilled = np.zeros(levels)
            refilled[1:] = state[:-1]
            refilled[-1] += state[-1]
            taken = np.zeros(levels)
            taken[:-steps] = refilled[steps:]
            taken[:steps] += refilled[:steps]
            state = (1 - p) * refilled + p * taken
    return float(state[: steps - 1].sum())


@pytest.mark.parametrize(("rho", "capacity"), [(0.8, 1), (0.9, 3), (1.0, 5), (1.5, 2)])
def test_a_bucket_refuses_what_its_own_chain_says(rho: float, capacity: int) -> None:
    assert bucket_refused(rho, 1.0, capacity) == pytest.approx(
        refused_by_grid(rho, capacity), abs=0.008
    )


def test_a_bucket_at_its_limits() -> None:
    assert bucket_refused(0.5, 1, 1) == pytest.approx(0.5 / 1.5)
    assert bucket_refused(2.0, 1, 400) == pytest.approx(0.5)
    assert bucket_refused(1e4, 1, 3) == pytest.approx(1 - 1e-4)
    assert bucket_refused(0.5, 1, 100) == pytest.approx(0, abs=1e-13)
    # At full load the share falls as 1 / (2 capacity): that of a random walk between two walls.
    assert bucket_refused(1.0, 1.0, 800) == pytest.approx(1 / 1600, rel=0.01)


@pytest.mark.parametrize("failure", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_layers_against_draws_and_at_their_ends(failure: float) -> None:
    random = Random(2)
    bottom = 0

    def call(layer: int) -> bool:
        nonlocal bottom
        if layer == 0:
            bottom += 1
            return random.random() >= failure
        return any(call(layer - 1) for _ in range(3))

    failed = sum(not call(3) for _ in range(5_000))
    found = layered_retries(failure, attempts=3, layers=3)
    assert found.load == pytest.approx(bottom / 5_000, rel=0.05)
    assert found.failure == pytest.approx(failed / 5_000, abs=0.02)
    assert layered_retries(failure, 3, 1) == (retry_load(failure, 3), retry_failure(failure, 3))
    assert layered_retries(1.0, 3, 5).load == retry_layers(3, 5)


# Availability, mixtures, sums


def test_copies_that_share_causes_against_all_states() -> None:
    a, copies, needed, beta = 0.9, 4, 2, 0.25
    shared = beta * (1 - a)
    alone = a / (1 - shared)
    works = sum(
        math.prod(alone if up else 1 - alone for up in state)
        for state in product((True, False), repeat=copies)
        if sum(state) >= needed
    )
    assert in_parallel(a, copies, needed, beta) == pytest.approx((1 - shared) * works)
    assert in_parallel(a, 1, 1, beta) == pytest.approx(a)
    assert in_parallel(0.999, 10, common=0.1) == pytest.approx(1 - 1e-4)
    assert in_parallel(0.999, 3, needed=3) == pytest.approx(theory.in_series([0.999] * 3))
    assert in_parallel(0.0, 3, common=1.0) == 0
    assert theory.availability(9, 1) == 0.9
    assert theory.downtime_s(1.0) == 0


def test_a_mixture_against_draws() -> None:
    warm = Part(0.97, exponential_gaps(0.05).survival, 0.05, 0.05)
    cold = Part(0.03, lognormal_gaps(0.6, 0.5).survival, 0.6, 0.3)
    mixed = theory.Mixture([warm, cold])
    random = Random(1)
    shape = theory.lognormal_from_moments(0.6, 0.3)
    drawn = sorted(
        random.lognormvariate(shape.mu, shape.sigma)
        if random.random() < 0.03
        else random.expovariate(20)
        for _ in range(200_000)
    )
    assert mixed.mean_s == pytest.approx(math.fsum(drawn) / len(drawn), rel=0.01)
    spread = math.sqrt(math.fsum((one - mixed.mean_s) ** 2 for one in drawn) / len(drawn))
    assert mixed.sd_s == pytest.approx(spread, rel=0.02)
    for u in (0.5, 0.95, 0.99, 0.999):
        assert mixed.quantile(u) == pytest.approx(drawn[int(u * len(drawn))], rel=0.03)
        assert mixed.tail(mixed.quantile(u)) == pytest.approx(1 - u)
    equal = theory.chained([Moments(1.0, 1.0)] * 16)
    assert equal.cv == pytest.approx(0.25)


# Mixed callers


def walk(gaps: list[Callable[[Random], float]], keep_s: float, n: int = 150_000) -> float:
    """Cold share of one environment under several callers, each with its own phase."""
    random = Random(4)
    # A long way in, so that no caller's first request matters.
    following = [sum(draw(random) for _ in range(50)) * random.random() for draw in gaps]
    last, cold = -math.inf, 0
    for _ in range(n):
        who = min(range(len(gaps)), key=following.__getitem__)
        cold += following[who] - last > keep_s
        last = following[who]
        following[who] += gaps[who](random)
    return cold / n


def test_several_callers_against_a_walk_through_their_requests() -> None:
    shape = theory.lognormal_from_moments(500, 750)
    draws: dict[str, tuple[theory.Gaps, Callable[[Random], float]]] = {
        "users": (exponential_gaps(600), lambda r: r.expovariate(1 / 600)),
        "bursts": (gamma_gaps(400, 2), lambda r: r.gammavariate(0.25, 1600)),
        "logs": (
            lognormal_gaps(500, 1.5),
            lambda r: r.lognormvariate(shape.mu, shape.sigma),
        ),
        "schedule": (constant_gaps(math.pi * 130), lambda r: math.pi * 130),
    }
    for names in (("users",), ("users", "bursts"), ("schedule", "users"), ("logs", "schedule"), tuple(draws)):  # fmt: skip
        gaps, drawn = zip(*(draws[name] for name in names), strict=True)
        found = walk(list(drawn), 320.0)
        assert mixed_cold_probability(gaps, 320.0) == pytest.approx(found, abs=0.008), names


@pytest.mark.parametrize(
    "gaps", [constant_gaps(7.0), exponential_gaps(7.0), gamma_gaps(7.0, 0.5), lognormal_gaps(7, 2)]
)
def test_what_is_lived_through_is_the_integral_of_survival(gaps: theory.Gaps) -> None:
    for upto in (0.5, 7.0, 30.0):
        step = upto / 20_000
        area = math.fsum(gaps.survival((k + 0.5) * step) for k in range(20_000)) * step
        assert gaps.lived_s(upto) == pytest.approx(area, rel=1e-4)
    assert gaps.lived_s(0.0) == 0
    assert theory.idle_s_of(gaps, 5.0) == gaps.lived_s(5.0)


def test_the_share_below_is_the_inverse_of_the_quantile() -> None:
    burr = {"c": 11.652, "k": 0.221, "scale": 107.083}
    weibull = theory.weibull_from_moments(1.25, 3.66)
    for u in (1e-6, 0.1, 0.5, 0.9, 1 - 1e-6):
        assert theory.burr_share_below(
            theory.burr_quantile(u, **burr), **burr
        ) == pytest.approx(u)  # fmt: skip
        assert weibull.share_below(weibull.quantile(u)) == pytest.approx(u)
    assert theory.burr_share_below(0, **burr) == 0
    assert theory.burr_share_below(1e300, **burr) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: closed_mmc(0, 1, 1, 1), "users=0"),
        (lambda: closed_mmc(3, 1, 1, 0), "servers=0"),
        (lambda: engset(3, 0, 1, 1), "think_s=0"),
        (lambda: ggc_wait(6, 1, 6, arrival_cv2=1, service_cv2=1), "arrival_rate=6 is unstable"),
        (lambda: ggc_wait(5, 1, 6, arrival_cv2=-1, service_cv2=1), "arrival_cv2=-1"),
        (lambda: theory.gg1_wait_bound(1, 1, arrival_cv2=1, service_cv2=1), "unstable"),
        (lambda: square_root_servers(0, 1), "offered_load=0"),
        (lambda: halfin_whitt_p_wait(0), "reserve=0"),
        (lambda: halfin_whitt_reserve(1.0), "p_wait=1.0"),
        (lambda: mg1_priority_waits([]), "classes is empty"),
        (lambda: mg1_priority_waits([PriorityClass(1, 1)]), "unstable"),
        (lambda: mg1_priority_waits([PriorityClass(0.1, -1)]), "classes.0..mean_service=-1"),
        (lambda: mg1_setup_wait(0.5, 1, 1, mean_setup=-1), "mean_setup=-1"),
        (lambda: mmc_setup_wait(6, 1, 6, mean_setup=1), "unstable"),
        (lambda: mminf_setup(0, 1, 1), "arrival_rate=0"),
        (lambda: theory.batches(1, 0, 1), "size=0"),
        (lambda: theory.batches(1, 10, -1), "window_s=-1"),
        (lambda: bucket_refused(1, 1, 0), "capacity=0"),
        (lambda: bucket_refused(1, 0, 1), "refill_per_s=0"),
        (lambda: layered_retries(1.5, 3, 3), "failure=1.5"),
        (lambda: layered_retries(0.5, 0, 3), "attempts=0"),
        (lambda: in_parallel(0.9, 2, needed=3), "needed=3"),
        (lambda: in_parallel(0.9, 2, common=2), "common=2"),
        (lambda: theory.in_series([0.5, 1.5]), "parts.1.=1.5"),
        (lambda: theory.availability(0, 1), "mean_up_s=0"),
        (lambda: theory.Mixture([]), "parts is empty"),
        (lambda: theory.Mixture([Part(0.5, lambda t: 0.0, 1, 1)]), "add up to 0.5"),
        (lambda: theory.Mixture([Part(1.0, lambda t: 0.0, 1, 1)]).quantile(1.0), "u=1.0"),
        (lambda: theory.chained([]), "steps is empty"),
        (lambda: mixed_cold_probability([], 320), "callers is empty"),
        (lambda: mixed_cold_probability([exponential_gaps(1)], -1), "keep_alive_s=-1"),
        (lambda: gamma_gaps(1, 0), "cv=0"),
        (lambda: constant_gaps(0), "mean_s=0"),
        (lambda: theory.burr_share_below(-1, c=1, k=1, scale=1), "value=-1"),
    ],
)
def test_impossible_inputs_name_themselves(call: Callable[[], object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        call()
