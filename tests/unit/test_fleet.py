"""The compiled engine is SimPy's `Function`, event by event; and it refuses what is not possible.

A million invocations in all are served by the same environment in both.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from simulations import Function, Recorded, Simulation
from simulations.fleet import kernel, replay, simulate
from simulations.fleet.draws import draw
from simulations.fleet.text import room_text
from simulations.services import Context
from simulations.services.account import Account
from simulations.services.environments import ROUTINGS
from simulations.services.handler import Steps
from simulations.theory import erlang_b
from simulations.workload import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Lognormal,
    Uniform,
)  # fmt: skip

Times = list[float]
Seen = tuple[list[bool], list[int], list[bool]]


def in_simpy(
    arrivals: Times,
    services: Times,
    keep_alive_s: float | Distribution,
    *,
    cold_start_s: float = 0.0,
    colds: Times | None = None,
    limit: int | None = None,
    routing: str = "most_recent",
    seed: int = 0,
    provisioned: int = 0,
    scaling: bool = False,
    share: int = 1,
) -> tuple[Seen, Function, Simulation]:
    """Run the readable engine: cold, environment and rejected by request."""
    known: set[int] = set()

    def handler(request: int, context: Context) -> Steps:
        is_new = context.environment not in known
        known.add(context.environment)
        yield context.wait(colds[request] if colds and is_new else services[request])

    sim = Simulation(seed)
    more: dict[str, Any] = {}
    if scaling:  # the account's own limits are out of reach
        more["account"] = Account(sim, concurrency=10**6)
    if provisioned:
        more |= {"provisioned_concurrency": provisioned, "version": 1}
    if share > 1:
        more |= {"requests_per_environment": share, "memory_mb": 2048}
    function = Function(
        sim, "function", handler, timeout_s=900.0, keep_alive_s=keep_alive_s,
        init_s=cold_start_s, reserved_concurrency=limit, routing=routing, **more,
    )  # fmt: skip
    trace = sim.run(Recorded(arrivals) >> function, duration_s=arrivals[-1] + 1.0)
    n = len(arrivals)
    cold, environment, rejected = [False] * n, [-1] * n, [True] * n
    seen: set[int] = set(range(provisioned))
    rows = [*trace.spans_of("function", "invoke")]
    if provisioned:
        rows += trace.spans_of("function", "invoke provisioned")
    for row in sorted(rows, key=lambda r: r.id):
        if row.outcome == "ok":
            number = int(row.environment)
            cold[row.request], environment[row.request] = number not in seen, number
            rejected[row.request] = False
            seen.add(number)
    return (cold, environment, rejected), function, sim


def in_kernel(arrivals: Times, services: Times, keep_alive_s: Any, **kw: Any) -> Seen:
    kw["cold_service_s"], kw["concurrency_limit"] = kw.pop("colds", None), kw.pop("limit", None)
    kw["provisioned_concurrency"] = kw.pop("provisioned", 0)
    kw["requests_per_environment"] = kw.pop("share", 1)
    r = replay(arrivals, services, keep_alive_s=keep_alive_s, **kw)
    assert r.cold is not None
    assert r.environment is not None
    assert r.rejected is not None
    return r.cold.tolist(), r.environment.tolist(), r.rejected.tolist()


def poisson(n: int, in_flight: float, seed: int, grid_s: float = 0.0) -> tuple[Times, Times]:
    """Draw arrivals and services of mean 1 s; on a grid they often end when others come."""
    random, now_s = Random(seed), 0.0
    arrivals, services = [], []
    for _ in range(n):
        now_s += random.expovariate(in_flight)
        takes_s = random.expovariate(1.0)
        if grid_s:
            arrivals.append(round(now_s / grid_s) * grid_s)
            services.append(round(takes_s / grid_s) * grid_s)
        else:
            arrivals.append(now_s)
            services.append(takes_s)
    return arrivals, services


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize(
    ("in_flight", "keep_s", "limit", "n"),
    [
        (0.004, 300.0, None, 3000),
        (0.004, 300.0, 1, 3000),
        (1.8, 4.0, None, 16_000),
        (1.8, 600.0, 3, 16_000),
        (20.0, 2.0, 22, 16_000),
        (200.0, 0.5, None, 35_000),
        (200.0, 3.0, 195, 35_000),
    ],
)
def test_every_request_meets_the_same_environment_as_in_simpy(
    routing: str, in_flight: float, keep_s: float, limit: int | None, n: int
) -> None:
    arrivals, services = poisson(n, in_flight, seed=n)
    how: dict[str, Any] = {"cold_start_s": 0.3, "limit": limit, "routing": routing, "seed": 5}
    simpy, function, _ = in_simpy(arrivals, services, keep_s, **how)
    assert in_kernel(arrivals, services, keep_s, **how) == simpy
    assert sum(simpy[0]) == function.cold > 1
    assert (function.throttled > 0) == (limit is not None)


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize(("in_flight", "limit"), [(1.8, None), (30.0, None), (30.0, 28)])
@pytest.mark.parametrize("colds", [False, True])
def test_ties_come_in_the_same_order_as_in_simpy(
    routing: str, in_flight: float, limit: int | None, colds: bool
) -> None:
    """On a grid of 1/8 s, exact in binary, thousands of times coincide."""
    arrivals, services = poisson(6000, in_flight, seed=3, grid_s=0.125)
    how: dict[str, Any] = {"limit": limit, "routing": routing, "seed": 2}
    if colds:
        how["colds"] = [s + 0.25 for s in services]
    else:
        how["cold_start_s"] = 0.25
    simpy, function, _ = in_simpy(arrivals, services, 0.5, **how)
    assert in_kernel(arrivals, services, 0.5, **how) == simpy
    assert function.cold > 30


@pytest.mark.parametrize("routing", ROUTINGS)
def test_two_thousand_in_flight_and_more_environments_than_there_was_room_for(routing: str) -> None:
    arrivals, services = poisson(16_000, 2000.0, seed=1)
    simpy, function, _ = in_simpy(arrivals, services, 0.0005, routing=routing)
    assert in_kernel(arrivals, services, 0.0005, routing=routing) == simpy
    assert function.cold > 4096


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize(
    "kept",
    [
        Uniform(0.5, 6.0),
        Exponential(2.0),
        Empirical((0, 0.3, 1), (0.1, 1.0, 9.0)),
        Lognormal(2.0, 0.8),
    ],
    ids=lambda d: type(d).__name__,
)
def test_a_random_keep_alive_is_drawn_as_in_simpy(routing: str, kept: Distribution) -> None:
    arrivals, services = poisson(6000, 5.0, seed=9)
    simpy, _, _ = in_simpy(arrivals, services, kept, routing=routing, seed=4)
    assert in_kernel(arrivals, services, kept, routing=routing, seed=4) == simpy


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize(("limit", "provisioned"), [(None, 4), (24, 18)])
def test_provisioned_environments_serve_first_and_the_rest_spills_over(
    routing: str, limit: int | None, provisioned: int
) -> None:
    arrivals, services = poisson(8000, 20.0, seed=12, grid_s=0.03125)
    how: dict[str, Any] = {
        "cold_start_s": 0.3, "limit": limit, "routing": routing, "provisioned": provisioned,
    }  # fmt: skip
    simpy, function, _ = in_simpy(arrivals, services, 2.0, **how)
    assert in_kernel(arrivals, services, 2.0, **how) == simpy
    assert function.provisioned is not None
    assert function.provisioned.served > 1000
    assert function.cold > 30


def test_ten_requests_a_second_is_what_a_provisioned_environment_serves() -> None:
    """Of a thousand short calls a second, two environments serve what their bucket gives."""
    arrivals, services = [k / 1024 for k in range(4096)], [1 / 2048] * 4096
    simpy, function, _ = in_simpy(arrivals, services, 60.0, provisioned=2)
    assert in_kernel(arrivals, services, 60.0, provisioned=2) == simpy
    found = replay(arrivals, services, keep_alive_s=60.0, provisioned_concurrency=2)
    assert function.provisioned is not None
    assert found.on_provisioned == function.provisioned.served == 20 + int(20 * arrivals[-1])


@pytest.mark.parametrize("routing", ROUTINGS)
def test_new_environments_come_at_the_scaling_rate(routing: str) -> None:
    """A thousand at once, a hundred a second after that: what is beyond is throttled."""
    arrivals, services = poisson(9000, 2000.0, seed=5)
    services = [2.0 + s for s in services]
    how: dict[str, Any] = {"cold_start_s": 0.2, "routing": routing, "scaling": True}
    simpy, function, _ = in_simpy(arrivals, services, 1.0, **how)
    assert in_kernel(arrivals, services, 1.0, **how) == simpy
    allowed = 1000 + 100 * arrivals[-1]
    assert allowed - 2 <= function.cold <= allowed
    assert function.throttled > 1000


@pytest.mark.parametrize("routing", ["most_recent", "newest", "oldest", "least_recent"])
@pytest.mark.parametrize(("share", "limit"), [(2, None), (5, 18)])
def test_several_requests_in_one_environment(routing: str, share: int, limit: int | None) -> None:
    arrivals, services = poisson(6000, 15.0, seed=7, grid_s=0.03125)
    how: dict[str, Any] = {
        "cold_start_s": 0.5, "routing": routing, "limit": limit, "share": share,
    }  # fmt: skip
    simpy, function, _ = in_simpy(arrivals, services, 0.25, **how)
    assert in_kernel(arrivals, services, 0.25, **how) == simpy
    assert function.cold > 30
    found = replay(
        arrivals, services, keep_alive_s=0.25, cold_start_s=0.5, routing=routing,
        concurrency_limit=limit, requests_per_environment=share,
    )  # fmt: skip
    assert found.peak_running == function.inside.most
    ended_s = arrivals[0] + found.span_s
    assert found.mean_running == pytest.approx(function.inside.area(ended_s) / found.span_s)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_bursts_overflow_no_bucket(routing: str) -> None:
    """Everything comes in three instants, which is what the wheel is worst at."""
    random = Random(8)
    arrivals = [0.0] * 2500 + [1.0] * 2500 + [1000.0] * 2500
    services = [random.expovariate(2.0) for _ in arrivals]
    simpy, _, _ = in_simpy(arrivals, services, 600.0, routing=routing)
    assert in_kernel(arrivals, services, 600.0, routing=routing) == simpy


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_wheel_that_is_far_too_fine_is_turned_at_once(routing: str) -> None:
    """All within a microsecond, for minutes; then, much later, one more, and a long one."""
    random = Random(4)
    arrivals = [k * 1e-9 for k in range(1000)] + [1.5e-6, 2e-6]
    services = [random.uniform(1.0, 800.0) for _ in arrivals]
    for late_s in (300.0, 500.0, 501.0, 2000.0):
        arrivals, services = [*arrivals, late_s], [*services, 600.0]
    simpy, _, _ = in_simpy(arrivals, services, 90.0, routing=routing)
    assert in_kernel(arrivals, services, 90.0, routing=routing) == simpy
    bare = replay(arrivals[:1002], services[:1002], keep_alive_s=90.0, routing=routing)
    assert bare.peak_running == 1002


def test_times_that_no_double_can_tell_apart() -> None:
    found = replay([0.0, 5e-324, 1e300], [1e-9, 900.0, 1e300], keep_alive_s=600)
    assert found.environments == 3


def test_memory_does_not_grow_with_the_number_of_requests() -> None:
    def peak(duration_s: float) -> int:
        tracemalloc.start()
        simulate(100.0, 1.0, keep_alive_s=60.0, duration_s=duration_s, seed=1)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10.0)
    assert peak(20_000.0) < peak(200.0) + 100_000


@pytest.mark.parametrize(
    ("arrivals", "services", "keep_s", "environment"),
    [
        ([0, 2], [2, 1], 5, [0, 0]),  # ends, then comes
        ([0, 6], [1, 1], 5, [0, 1]),  # its time is up, then comes
        ([0, 5.75], [1, 1], 5, [0, 0]),
        ([0, 0], [0, 0], 5, [0, 0]),  # done within the instant
        ([0, 1], [1, 1], 0, [0, 1]),  # kept for no time
        ([0, 0, 4, 4], [4, 4, 1, 1], 5, [0, 1, 1, 0]),  # what began last, ended last
    ],
)
def test_ties_by_hand(
    arrivals: Times, services: Times, keep_s: float, environment: list[int]
) -> None:
    assert replay(arrivals, services, keep_alive_s=keep_s).environment.tolist() == environment  # type: ignore[union-attr]
    assert in_simpy(arrivals, services, keep_s)[0][1] == environment


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("limit", [None, 6])
def test_means_are_those_of_simpys_trace(routing: str, limit: int | None) -> None:
    arrivals, services = poisson(5000, 5.0, seed=6)
    found = replay(
        arrivals, services, cold_start_s=0.3, keep_alive_s=2.0, concurrency_limit=limit,
        routing=routing,
    )  # fmt: skip
    _, function, sim = in_simpy(
        arrivals, services, 2.0, cold_start_s=0.3, limit=limit, routing=routing
    )
    trace = sim.trace
    ended_s = arrivals[0] + found.span_s
    assert found.span_s == pytest.approx(function.inside.changed_s - arrivals[0])
    assert found.mean_running == pytest.approx(function.inside.area(ended_s) / found.span_s)
    assert found.peak_running == function.inside.most
    lived_s = 0.0
    for row in trace.environments.rows():
        end_s = ended_s if math.isnan(row.ended_s) else min(row.ended_s, ended_s)
        lived_s += end_s - row.created_s
    assert found.mean_environments == pytest.approx(lived_s / found.span_s)
    assert found.environments == function.cold
    assert found.requests == 5000
    assert found.rejected_share == function.throttled / 5000
    assert found.cold_share == function.cold / function.invocations


def test_the_same_hash_as_simpys() -> None:
    sim = Simulation(7)
    key = np.uint64(sim._key("payment"))
    for entity, attempt in ((0, 0), (17, 0), (17, 3), (2**40, 1)):
        assert draw(key, entity, attempt) == sim.draw("payment", entity, attempt)


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("service", ["exponential", "constant"])
def test_simulate_is_replay_of_what_it_drew(routing: str, service: str) -> None:
    run = simulate(
        50.0, 0.5, cold_start_s=0.25, keep_alive_s=Uniform(0.5, 2.0), duration_s=400.0, seed=3,
        service=service, routing=routing, concurrency_limit=30, per_request=True,
    )  # fmt: skip
    assert run.arrival_s is not None
    assert run.service_s is not None
    again = replay(
        run.arrival_s, run.service_s, cold_start_s=0.25, keep_alive_s=Uniform(0.5, 2.0), seed=3,
        routing=routing, concurrency_limit=30,
    )  # fmt: skip
    assert np.array_equal(run.environment, again.environment)  # type: ignore[arg-type]
    assert np.array_equal(run.cold, again.cold)  # type: ignore[arg-type]
    assert np.array_equal(run.rejected, again.rejected)  # type: ignore[arg-type]
    assert run.cold_share == again.cold_share > 0
    assert run.mean_running == pytest.approx(again.mean_running, rel=0.01)
    assert run.mean_environments == pytest.approx(again.mean_environments, rel=0.01)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_telling_of_each_request_changes_nothing(routing: str) -> None:
    def of(per_request: bool) -> tuple[float, ...]:
        r = simulate(
            40.0, 0.5, keep_alive_s=1.0, duration_s=2000.0, seed=3, routing=routing,
            per_request=per_request,
        )  # fmt: skip
        assert (r.cold is None) is not per_request
        return r.requests, r.cold_share, r.mean_running, r.mean_environments, r.peak_running

    assert of(True) == pytest.approx(of(False), rel=1e-12)


def test_what_is_billed_is_each_request_rounded_up() -> None:
    services = [0.0001, 0.1, 0.1001, 0.25]
    found = replay([0, 1, 2, 3], services, keep_alive_s=60, cold_start_s=0.3)
    assert found.billed_ms == 301 + 100 + 101 + 250
    assert found.latency_s is not None
    assert found.latency_s.tolist() == pytest.approx([0.3001, 0.1, 0.1001, 0.25])
    assert found.busy_s == pytest.approx(0.7502)
    assert found.idle_s == pytest.approx(found.environment_s - 0.7502)
    run = simulate(10.0, 0.0101, service="constant", keep_alive_s=1e9, duration_s=1e4, seed=1)
    assert run.billed_ms == 11 * run.requests


@pytest.mark.parametrize("routing", ["most_recent", "oldest"])
def test_cutting_a_run_changes_nothing(routing: str) -> None:
    """With a warm-up and batches the loop stops and goes on; it draws and serves the same."""
    how: dict[str, Any] = {
        "keep_alive_s": 1.5, "seed": 3, "routing": routing, "cold_start_s": 0.2,
        "concurrency_limit": 40, "duration_s": 1000.0,
    }  # fmt: skip
    plain = simulate(40.0, 0.8, **how)
    cut = simulate(40.0, 0.8, batches=25, **how)
    for name in ("requests", "environments", "peak_running", "billed_ms", "rejected_share"):
        assert getattr(cut, name) == getattr(plain, name)
    assert cut.mean_environments == pytest.approx(plain.mean_environments)
    assert cut.mean_running == pytest.approx(plain.mean_running)
    assert cut.intervals["mean_running"].mean == pytest.approx(plain.mean_running)
    assert not plain.intervals


def test_a_warm_up_is_found_by_rule_and_left_out() -> None:
    """Environments grow in number for a keep-alive's time; the start from empty is dropped."""
    how: dict[str, Any] = {"keep_alive_s": 600.0, "seed": 2, "duration_s": 60_000.0}
    biased, clean = simulate(0.9, 1.991, **how), simulate(0.9, 1.991, warmup_s="mser", **how)
    assert 200 < clean.warmup_s < 20_000
    assert clean.warmup_s + clean.span_s == 60_000
    given = simulate(0.9, 1.991, warmup_s=clean.warmup_s, **how)
    assert given.mean_environments == pytest.approx(clean.mean_environments)
    assert given.requests == clean.requests < biased.requests
    with pytest.raises(ValueError, match="too short for warmup_s='mser'"):
        simulate(50.0, 100.0, keep_alive_s=600.0, seed=1, duration_s=120.0, warmup_s="mser")


def test_intervals_over_replications_hold_the_truth() -> None:
    """Erlang's loss formula lies in the interval of ten runs, which differ among themselves."""
    run = simulate(
        8.0, 1.0, keep_alive_s=1e6, concurrency_limit=10, duration_s=5000.0, warmup_s=50.0,
        replications=10, seed=1,
    )  # fmt: skip
    lost = run.intervals["rejected_share"]
    assert lost.low < erlang_b(8.0, 10) < lost.high
    assert lost.half_width < 0.004
    assert run.requests == pytest.approx(8.0 * 4950 * 10, rel=0.01)


@pytest.mark.parametrize("routing", ["most_recent", "newest"])
def test_lognormal_services_have_the_mean_and_the_spread_asked_for(routing: str) -> None:
    run = simulate(
        100.0, 0.2, service="lognormal", service_cv=0.7, keep_alive_s=60.0, duration_s=2000.0,
        seed=1, per_request=True, routing=routing,
    )  # fmt: skip
    assert run.service_s is not None
    assert run.service_s.mean() == pytest.approx(0.2, rel=0.01)
    assert run.service_s.std() / run.service_s.mean() == pytest.approx(0.7, rel=0.03)
    assert run.mean_running == pytest.approx(20.0, rel=0.02)  # Little


@pytest.mark.parametrize("seed", [1, 2])
def test_the_figures_of_simfaas_are_reproduced(seed: int) -> None:
    """Its README: newest first, one run of 10^6 s, whose standard deviation is in PEERS.md."""
    run = simulate(
        0.9, 1.991, cold_service_s=2.244, keep_alive_s=600.0, duration_s=1e6, seed=seed,
        routing="newest",
    )  # fmt: skip
    assert run.cold_share == pytest.approx(0.001330, abs=3 * 0.00003)
    assert run.mean_environments == pytest.approx(7.6963, abs=3 * 0.0228)
    assert run.mean_running == pytest.approx(1.7920, abs=3 * 0.0027)
    assert run.mean_environments - run.mean_running == pytest.approx(5.9043, abs=3 * 0.0221)


def test_inputs_that_cannot_be_written_to_are_not_compiled_for_anew() -> None:
    replay([0.0, 1.0], 1.0, keep_alive_s=5)
    fixed = np.array([0.0, 1.0])
    fixed.flags.writeable = False
    strided = np.arange(4.0)[::2]
    packed = np.frombuffer(b"-" + fixed.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    for arrivals in (fixed, strided, packed, np.array([0, 1], np.int32), range(2)):
        assert replay(arrivals, fixed, keep_alive_s=5).requests == 2
    simulate(1.0, 1.0, keep_alive_s=5, duration_s=5, seed=1)
    assert len(kernel.run.signatures) == 1  # type: ignore[attr-defined]


def test_no_requests_are_fine() -> None:
    found = replay([], [], keep_alive_s=600)
    assert (found.requests, found.mean_running, found.peak_running) == (0, 0.0, 0)
    assert math.isnan(found.cold_share)
    assert found.cold is not None
    assert found.cold.size == 0


BAD: list[tuple[dict[str, Any], str]] = [
    ({"arrival_s": [1, 0, 2]}, r"arrival_s\[1\]=0.0 is not possible.*in order"),
    ({"arrival_s": [-1, 0, 2]}, r"arrival_s\[0\]=-1.0 is not possible.*0 or above"),
    ({"arrival_s": [0, math.nan, 2]}, r"arrival_s\[1\]=nan is not possible"),
    ({"arrival_s": [0, 1, math.inf]}, r"arrival_s\[2\]=inf is not possible"),
    ({"arrival_s": [[0, 1, 2]]}, "arrival_s has 2 dimensions"),
    ({"arrival_s": ["now", 1, 2]}, "arrival_s is not possible: arrival_s must be numbers"),
    ({"service_s": [1, 1]}, "service_s has 2 values for 3 arrivals"),
    ({"service_s": [1, math.nan, 1]}, r"service_s\[1\]=nan is not possible"),
    ({"service_s": -1.0}, "service_s=-1.0 is not possible"),
    ({"cold_start_s": -0.1}, "cold_start_s=-0.1 is not possible"),
    ({"cold_service_s": [1, 1]}, "cold_service_s has 2 values for 3 arrivals"),
    ({"cold_service_s": 1.0, "cold_start_s": 1.0}, "cold_start_s is not possible beside"),
    ({"keep_alive_s": -1}, "keep_alive_s=-1 is not possible"),
    ({"keep_alive_s": math.nan}, "keep_alive_s=nan is not possible"),
    ({"provisioned_concurrency": -1}, "provisioned_concurrency=-1 is not possible"),
    (
        {"provisioned_concurrency": 3, "concurrency_limit": 2},
        "provisioned_concurrency=3 is not possible: it is taken out of concurrency_limit=2",
    ),
    ({"requests_per_environment": 0}, "requests_per_environment=0 is not possible"),
    (
        {"requests_per_environment": 2, "routing": "random"},
        "routing='random' is not possible with requests_per_environment=2",
    ),
    ({"warmup_s": 2.0}, "warmup_s=2.0 is not possible: the arrivals are over after 2 s"),
    ({"concurrency_limit": 0}, "concurrency_limit=0 is not possible.*at least 1"),
    ({"concurrency_limit": 1.5}, "concurrency_limit=1.5 is not possible"),
    ({"routing": "nearest"}, "routing='nearest' is none of most_recent, newest, oldest"),
    ({"seed": 1.5}, "seed=1.5 is not a whole number"),
]


@pytest.mark.parametrize(("given", "words"), BAD, ids=lambda x: str(x)[:40])
def test_what_is_not_possible_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {"arrival_s": [0, 1, 2], "service_s": [1, 1, 1], "keep_alive_s": 600}
    with pytest.raises(ValueError, match=words):
        replay(**(good | given))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rate_per_s": 0}, "rate_per_s=0 is not possible"),
        ({"service_s": -1}, "service_s=-1 is not possible"),
        ({"duration_s": math.inf}, "duration_s=inf is not possible"),
        ({"service": "gamma"}, "service='gamma' is none of exponential, constant"),
        ({"cold_service_s": 1, "cold_start_s": 1}, "cold_start_s is not possible beside"),
        ({"cold_service_s": math.nan}, "cold_service_s=nan is not possible"),
        ({"concurrency_limit": 0}, "concurrency_limit=0 is not possible"),
        ({"routing": "nearest"}, "routing='nearest' is none of"),
        ({"service": "lognormal", "service_cv": 0}, "service_cv=0 is not possible"),
        ({"warmup_s": 10}, "warmup_s=10 must lie below duration_s=10"),
        ({"warmup_s": "welch"}, "warmup_s='welch' is neither seconds nor 'mser'"),
        ({"batches": 1}, "batches=1 is not possible"),
        ({"replications": 0}, "replications=0 is not possible"),
        ({"replications": 2, "per_request": True}, "per_request is not possible beside"),
    ],
)
def test_simulate_refuses_too(given: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {
        "rate_per_s": 1, "service_s": 1, "keep_alive_s": 600, "duration_s": 10, "seed": 1,
    }  # fmt: skip
    with pytest.raises(ValueError, match=words):
        simulate(**(good | given))


def test_numbers_stand_for_columns_and_a_constant_for_a_number() -> None:
    arrivals = [0.0, 0.5, 3.0]
    wide = replay(arrivals, [1.0] * 3, cold_service_s=[2.0] * 3, keep_alive_s=Constant(1.5))
    narrow = replay(arrivals, 1.0, cold_service_s=2.0, keep_alive_s=1.5)
    assert narrow.environment is not None
    assert wide.environment is not None
    assert narrow.environment.tolist() == wide.environment.tolist() == [0, 1, 1]
    assert narrow.mean_running == wide.mean_running == 5.0 / 4.0


def test_an_edit_of_any_file_of_the_room_is_noticed_by_the_cache(tmp_path: Path) -> None:
    """Numba's own key holds the text of the whole room; nothing is compiled here."""
    program = "from simulations.fleet.text import room_text; print(room_text())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert int(done.stdout) == room_text()
    for entry in (kernel.run, kernel.survey, kernel.move, kernel.close):
        cells = [cell.cell_contents for cell in entry.py_func.__closure__]  # type: ignore[attr-defined]
        assert room_text() in cells
