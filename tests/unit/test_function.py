"""A Lambda function: cold and warm, routing, expiry, throttling, timeout, what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simulations import Function, Recorded, Regular, Simulation, Throttled, Trace, Uniform
from simulations.pricing import usage
from simulations.services import ROUTINGS, Context
from simulations.services.handler import Steps


def lasts(*durations_s: float) -> Any:
    """A handler whose request k takes the k-th of these times."""

    def handler(request: int, context: Context) -> Steps:
        yield context.wait(durations_s[request % len(durations_s)])

    return handler


def environments(trace: Trace) -> list[int]:
    return [row.environment for row in sorted(trace.spans_of("f"), key=lambda row: row.request)]


#: Three overlap (environments 0, 1, 2, idle again in the order 2, 0, 1), then one at a time.
TIMES = (0.0, 1.0, 2.0, 20.0, 30.0, 40.0)
LASTS = (8.0, 9.0, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("routing", "expected"),
    [
        ("most_recent", [0, 1, 2, 1, 1, 1]),
        ("least_recent", [0, 1, 2, 2, 0, 1]),
        ("newest", [0, 1, 2, 2, 2, 2]),
        ("oldest", [0, 1, 2, 0, 0, 0]),
    ],
)
def test_routing_decides_which_environment_serves(routing: str, expected: list[int]) -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(*LASTS), timeout_s=60, keep_alive_s=100, routing=routing)
    assert environments(sim.run(Recorded(TIMES) >> f, duration_s=100)) == expected


def test_random_routing_is_uniform() -> None:
    sim = Simulation(4)
    f = Function(
        sim, "f", lasts(*([5.0] * 5), *([0.1] * 5000)), timeout_s=60, keep_alive_s=1e9,
        routing="random",
    )  # fmt: skip
    trace = sim.run(
        Recorded((*(0.1 * k for k in range(5)), *(10.0 + k for k in range(4000)))) >> f,
        duration_s=1e6,
    )
    counts = [environments(trace)[5:].count(number) for number in range(5)]
    assert sum(counts) == 4000
    assert sum((n - 800) ** 2 / 800 for n in counts) < 18.5


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_environment_idle_for_the_whole_keep_alive_is_gone(routing: str) -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1.0), keep_alive_s=10, routing=routing, init_s=0.5)
    # Idle at 1.5, 12.4 and 24.9: taken after 9.9 s, gone after 10 s.
    trace = sim.run(Recorded((0.0, 11.4, 22.4, 33.8)) >> f, duration_s=40)
    assert environments(trace) == [0, 0, 1, 1]
    assert [row.init_s for row in trace.spans_of("f")] == [0.5, 0.0, 0.5, 0.0]
    assert f.cold == 2
    ends = [row.ended_s for row in trace.environments.rows()]
    assert ends[0] == 22.4
    assert math.isnan(ends[1])  # alive when the run ended


def test_lifetimes_are_drawn_and_shown_in_the_trace() -> None:
    sim = Simulation(1)
    f = Function(sim, "f", lasts(0.1), keep_alive_s=Uniform(294, 347))
    trace = sim.run(Regular(400.0) >> f, duration_s=400 * 2000)
    idle_s = [
        row.ended_s - row.created_s - row.busy_s
        for row in trace.environments.rows()
        if row.ended_s == row.ended_s
    ]
    assert len(idle_s) > 1900
    assert all(294 <= s <= 347 for s in idle_s)
    assert sum(idle_s) / len(idle_s) == pytest.approx(320.5, abs=4 * 15.3 / math.sqrt(2000))


def test_init_and_sandbox_come_before_the_handler_and_only_init_is_billed() -> None:
    sim = Simulation()
    f = Function(
        sim, "f", lasts(0.1), memory_mb=1024, init_s=0.4, sandbox_s=0.2, invoke_s=0.01,
        timeout_s=0.3,
    )  # fmt: skip
    trace = sim.run(Recorded((1.0, 5.0)) >> f, duration_s=10)
    assert list(trace.requests.latency_s) == pytest.approx([0.71, 0.11])
    cold, warm = trace.spans_of("f")
    assert (cold.queued_s, cold.start_s, cold.init_s) == pytest.approx((1.0, 1.61, 0.4))
    assert warm.init_s == 0
    assert float(usage(trace)["Lambda-GB-Second"]) == pytest.approx(0.5 + 0.1)
    assert float(usage(trace)["Request"]) == 2


def test_beyond_the_limit_invocations_are_throttled_and_not_run() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1.0), reserved_concurrency=2, memory_mb=1024)
    trace = sim.run(Recorded((0.0, 0.1, 0.2, 1.0, 1.05)) >> f, duration_s=10)
    outcomes = [row.outcome for row in sorted(trace.requests.rows())]
    # At 1.0 the first has just ended: completion comes before arrival.
    assert outcomes == ["ok", "ok", "throttled", "ok", "throttled"]
    throttled = [row for row in trace.spans_of("f") if row.outcome == "throttled"]
    assert [row.environment for row in throttled] == [-1, -1]
    assert (f.invocations, f.throttled) == (3, 2)
    assert trace.header["peaks"]["f"] == 2
    assert float(usage(trace)["Request"]) == 3


def test_zero_reserved_concurrency_throttles_everything() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1.0), reserved_concurrency=0)
    trace = sim.run(Regular(1.0) >> f, duration_s=10)
    assert set(trace.requests.outcomes()) == {"throttled"}
    assert Throttled.outcome == "throttled"


def test_a_timeout_is_billed_up_to_the_limit_and_resets_the_environment() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(5.0, 1.0), timeout_s=3, memory_mb=1024, keep_alive_s=600)
    trace = sim.run(Recorded((0.0, 10.0, 20.0, 30.0)) >> f, duration_s=100)
    assert trace.requests.outcomes() == {"ok": 2, "timeout": 2}
    assert environments(trace) == [0, 1, 1, 2]
    assert float(usage(trace)["Lambda-GB-Second"]) == pytest.approx(3 + 1 + 3 + 1)


def test_little_holds_between_the_integral_and_the_spans() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(2.0), init_s=1.0)
    trace = sim.run(Recorded((0.0, 1.0, 20.0)) >> f, duration_s=100)
    assert trace.mean_in("f") == pytest.approx((3 + 3 + 2) / 100)
    assert trace.header["peaks"]["f"] == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"memory_mb": 127}, r"memory_mb=127 must be 128 to 10240 MB \(.*https://docs\.aws"),
        ({"memory_mb": 128.5}, r"memory_mb=128\.5"),
        ({"timeout_s": 901}, r"timeout_s=901 must be 0 to 900 s \(Lambda quotas, https://"),
        ({"timeout_s": 0}, "timeout_s=0 must be above 0"),
        ({"timeout_s": float("nan")}, "timeout_s=nan"),
        ({"architecture": "mips"}, "architecture='mips' is neither 'x86_64' nor 'arm64'"),
        ({"reserved_concurrency": -1}, "reserved_concurrency=-1"),
        ({"keep_alive_s": -5}, "-5"),
        ({"init_s": "long"}, "'long'"),
        ({"routing": "nearest"}, "routing='nearest' is none of most_recent"),
    ],
)
def test_an_impossible_configuration_names_itself_and_its_source(
    settings: dict[str, Any], message: str
) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match=message):
        Function(sim, "f", lasts(1.0), **settings)
    assert "f" not in sim.components


def test_a_handler_must_be_callable() -> None:
    with pytest.raises(ValueError, match="handler=None"):
        Function(Simulation(), "f", None)  # type: ignore[arg-type]
