"""An environment's life: INIT's limit, snapshots, shutdown, age, sharing, streams, processor."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simulations import Account, Function, Poisson, Recorded, Regular, Simulation, Uniform
from simulations.experiments.records import record
from simulations.facts import fact
from simulations.pricing import usage
from simulations.services import (
    KEEP_ALIVE_YEARS,
    Context,
    Message,
    Payload,
    SnapStart,
    keep_alive,
)
from simulations.services.handler import Steps
from simulations.theory import quota_from_ms, quota_mean_ms, quota_ms


def lasts(seconds: float) -> Any:
    def handler(event: Any, context: Context) -> Steps:
        yield context.wait(seconds)

    return handler


def at_once(calls: int, at_s: float = 0.0) -> Recorded:
    return Recorded([at_s] * calls)


# INIT and its limit


def test_init_beyond_ten_seconds_runs_again_under_the_timeout() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), timeout_s=20, init_s=12, memory_mb=1024)
    trace = sim.run(Recorded([0.0, 50.0]) >> f, duration_s=60)
    cold, warm = sorted(trace.spans_of("f"), key=lambda row: row.id)
    # Ten seconds in vain, then INIT once more inside the invocation, before the handler.
    assert (cold.init_s, cold.start_s, cold.end_s) == (10.0, 10.0, 10 + 12 + 1)
    assert (warm.init_s, warm.end_s - warm.start_s) == (0.0, 1.0)
    assert float(usage(trace)["Lambda-GB-Second"]) == 10 + 13 + 1


def test_a_second_init_longer_than_the_timeout_never_ends() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), timeout_s=3, init_s=12)
    trace = sim.run(Recorded([0.0, 50.0]) >> f, duration_s=60)
    assert trace.requests.outcomes() == {"timeout": 2}
    assert [row.end_s for row in trace.spans_of("f")] == [13.0, 63.0]
    assert f.cold == 2  # a timeout resets the environment


def test_init_of_just_ten_seconds_is_fine() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), timeout_s=3, init_s=10, account=Account(sim))
    trace = sim.run(at_once(1) >> f, duration_s=60)
    assert list(trace.requests.latency_s) == [11.0]


# SnapStart


def test_a_restore_takes_the_place_of_init() -> None:
    sim = Simulation()
    f = Function(
        sim, "f", lasts(1), init_s=5, version=1, snapstart=SnapStart(0.3, hooks_s=0.2),
        memory_mb=1024, sandbox_s=0.1,
    )  # fmt: skip
    trace = sim.run(Recorded([0.0, 10.0]) >> f, duration_s=3600)
    assert list(trace.requests.latency_s) == pytest.approx([0.1 + 0.3 + 0.2 + 1, 1])
    found = usage(trace)
    # Billed: two seconds of handler and the hooks; one restore of 1 GB; three hours of cache.
    assert float(found["Lambda-GB-Second"]) == pytest.approx(2.2)
    assert float(found["Lambda-SnapStart-Restored-GB"]) == 1
    least_h = fact("lambda.price.snapstart.min_h").value
    assert float(found["Lambda-SnapStart-Cached-GB-S"]) == least_h * 3600


def test_on_java_the_snapshot_is_free() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), version=1, snapstart=SnapStart(0.3, free=True))
    found = usage(sim.run(at_once(1) >> f, duration_s=60))
    assert not any("SnapStart" in name for name in found)


def test_a_restore_beyond_ten_seconds_is_an_error_and_the_environment_is_lost() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), version=1, snapstart=SnapStart(9, hooks_s=2))
    trace = sim.run(Recorded([0.0, 100.0]) >> f, duration_s=200)
    assert trace.requests.outcomes() == {"error": 2}
    assert list(trace.requests.latency_s) == [10.0, 10.0]
    assert f.cold == 2


# How long an environment lives


@pytest.mark.parametrize(
    ("extensions", "seconds"), [(None, 0.0), ("internal", 0.5), ("external", 2.0)]
)
def test_extensions_keep_an_environment_for_its_shutdown(
    extensions: str | None, seconds: float
) -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), keep_alive_s=10, extensions=extensions)
    trace = sim.run(at_once(1) >> f, duration_s=60)
    assert [row.ended_s for row in trace.environments.rows()] == [11 + seconds]


def test_an_environment_past_its_lifetime_serves_no_more() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1), lifetime_s=100)
    trace = sim.run(Regular(10.0) >> f, duration_s=1000)
    lives = [row.ended_s - row.created_s for row in trace.environments.rows()]
    assert lives[:-1] == [100.0] * (len(lives) - 1)
    # Every tenth call is cold, as busy as the function is.
    assert f.cold == f.invocations // 10


def test_an_environment_that_is_busy_when_its_time_comes_finishes_first() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(7), timeout_s=60, lifetime_s=100)
    trace = sim.run(Recorded([0.0, 95.0, 103.0]) >> f, duration_s=150)
    assert [row.environment for row in trace.spans_of("f")] == [0, 0, 1]
    assert next(iter(trace.environments.rows())).ended_s == 102.0


def test_without_a_lifetime_nothing_ends_while_it_is_used() -> None:
    sim = Simulation()
    f = Function(sim, "f", lasts(1))
    sim.run(Regular(60.0) >> f, duration_s=86_400)
    assert f.cold == 1


def test_the_keep_alive_of_each_year_is_the_published_one() -> None:
    found = {one["as_of"]: one for one in record("keep_alive_history")["found"]}
    for year, month in ((2019, "August 2019"), (2021, "January 2021")):
        kept = keep_alive(year)
        assert kept.quantile(0.0) == 60 * found[month]["low_min"]
        assert kept.quantile(1.0) == 60 * found[month]["high_min"]
    assert keep_alive(2020).mean == fact("lambda.keepalive.2020").value
    measured = fact("lambda.keepalive.2025")
    assert keep_alive() == keep_alive(2025) == Uniform(measured["low_s"], measured["high_s"])
    assert KEEP_ALIVE_YEARS == (2019, 2020, 2021, 2025)
    with pytest.raises(ValueError, match="year=2022 is not measured"):
        keep_alive(2022)


# Several requests an environment


def shared(sim: Simulation, seconds: float, at_most: int, **settings: Any) -> Function:
    return Function(
        sim, "f", lasts(seconds), memory_mb=2048, requests_per_environment=at_most, **settings
    )


def test_an_environment_serves_so_many_at_once_and_the_next_one_is_new() -> None:
    sim = Simulation()
    f = shared(sim, 1.0, 4)
    trace = sim.run(at_once(10) >> f, duration_s=10)
    numbers = [row.environment for row in trace.spans_of("f")]
    assert [numbers.count(k) for k in range(3)] == [4, 4, 2]
    assert f.cold == 3


def test_requests_join_an_environment_in_init_and_wait_for_it() -> None:
    sim = Simulation()
    f = shared(sim, 1.0, 4, init_s=2.0)
    trace = sim.run(Recorded([0.0, 0.5, 5.0]) >> f, duration_s=10)
    assert list(trace.requests.latency_s) == [3.0, 2.5, 1.0]
    assert (f.cold, sum(row.init_s for row in trace.spans_of("f"))) == (1, 2.0)


def test_overlapping_requests_are_billed_once() -> None:
    sim = Simulation()
    f = shared(sim, 1.0, 4)
    trace = sim.run(Recorded([0.0, 0.5, 5.0]) >> f, duration_s=10)
    assert float(usage(trace)["Lambda-GB-Second"]) == 2 * (1.5 + 1.0)
    assert float(usage(trace)["Request"]) == 3
    assert next(iter(trace.environments.rows())).busy_s == 2.5


def test_sharing_needs_fewer_environments_than_one_request_each() -> None:
    def environments(at_most: int) -> int:
        sim = Simulation(1)
        f = Function(sim, "f", lasts(1.0), memory_mb=2048, requests_per_environment=at_most)
        trace = sim.run(Poisson(20) >> f, duration_s=300)
        assert trace.requests.outcomes() == {"ok": len(trace.requests)}
        return f.cold

    assert environments(1) > 3 * environments(10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"requests_per_environment": 0}, "requests_per_environment=0"),
        ({"requests_per_environment": 2, "memory_mb": 1024}, "memory_mb=1024 must be 2048 .*https"),
        ({"requests_per_environment": 65, "memory_mb": 2048}, "must be 1 to 64.*https"),
        (
            {"requests_per_environment": 2, "memory_mb": 2048, "version": 1,
             "provisioned_concurrency": 1},
            "with provisioned_concurrency is not modeled",
        ),
        ({"extensions": "some"}, "extensions='some'"),
        ({"lifetime_s": -1}, "-1"),
        ({"snapstart": SnapStart(0.1)}, r"not \$LATEST"),
    ],
)  # fmt: skip
def test_impossible_settings_name_themselves(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Function(Simulation(), "f", lasts(1.0), **settings)


# Payloads and streams


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"event_mb": 6.1}, "event_mb=6.1 must be 0 to 6 MB"),
        ({"event_mb": 1.1, "asynchronous": True}, "event_mb=1.1 must be 0 to 1 MB"),
        ({"response_mb": 6.1}, "response_mb=6.1 must be 0 to 6 MB"),
        ({"response_mb": 201, "streamed": True}, "response_mb=201 must be 0 to 200 MB"),
    ],
)
def test_a_payload_beyond_its_limit_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message + r".*https://docs"):
        Payload(**settings)


def test_a_streamed_response_flows_freely_for_six_megabytes_then_at_two_a_second() -> None:
    sim = Simulation()
    f = Function(
        sim, "f", lasts(1), timeout_s=60, memory_mb=1024,
        payload=Payload(response_mb=26, streamed=True),
    )  # fmt: skip
    trace = sim.run(at_once(2) >> f, duration_s=60)
    assert list(trace.requests.latency_s) == [1 + 20 / 2] * 2
    found = usage(trace)
    assert float(found["Lambda-GB-Second"]) == 22
    assert float(found["Lambda-Streaming-Response-Processed-Bytes"]) == 2 * 20 / 1024


@pytest.mark.parametrize("seconds", [1.0, 0.0])
def test_a_stream_that_lasts_past_the_timeout_is_cut(seconds: float) -> None:
    sim = Simulation()
    f = Function(
        sim, "f", lasts(seconds), timeout_s=5, payload=Payload(response_mb=26, streamed=True)
    )
    trace = sim.run(at_once(1) >> f, duration_s=60)
    assert trace.requests.outcomes() == {"timeout": 1}
    assert list(trace.requests.latency_s) == [5.0]


# Memory and processor


def works(cpu_ms: float) -> Any:
    def handler(event: Any, context: Context) -> Steps:
        yield context.compute(cpu_ms=cpu_ms)

    return handler


def durations_ms(cpu_ms: float, memory_mb: int, calls: int) -> list[float]:
    sim = Simulation(1)
    f = Function(sim, "f", works(cpu_ms), memory_mb=memory_mb, timeout_s=60)
    return [1000 * s for s in sim.run(Regular(60.0) >> f, duration_s=60 * calls).requests.latency_s]


@pytest.mark.parametrize("memory_mb", [128, 512, 1024])
def test_a_short_task_takes_as_long_as_its_quota_makes_it(memory_mb: int) -> None:
    found = durations_ms(17.4, memory_mb, 800)
    spread = max(found) - min(found)
    mean = quota_mean_ms(17.4, memory_mb)
    assert sum(found) / len(found) == pytest.approx(mean, abs=3 * spread / math.sqrt(len(found)))
    assert max(found) <= quota_ms(17.4, memory_mb) + 1e-6


def test_a_full_vcpu_and_more_take_the_processor_time_itself() -> None:
    full_mb = fact("lambda.memory")["mb_per_vcpu"]
    for memory_mb in (full_mb, 10_240):
        assert durations_ms(17.4, memory_mb, 3) == pytest.approx([17.4] * 3)


def test_a_task_that_starts_late_in_a_period_gets_a_fresh_quota_soon() -> None:
    early, late = (quota_from_ms(3.0, 128, left) for left in (20.0, 2.0))
    # The quota at 128 MB is 1.447 ms in 20: three periods against two and what was left.
    assert [early, late] == pytest.approx([40.105, 22.105], abs=1e-3)


def test_compute_wants_one_of_two_times() -> None:
    def handler(event: Any, context: Context) -> Steps:
        yield context.compute()

    sim = Simulation()
    with pytest.raises(ValueError, match="ms and cpu_ms"):
        sim.run(at_once(1) >> Function(sim, "f", handler), duration_s=1)


def test_messages_of_a_batch_compute_at_the_functions_memory() -> None:
    from simulations import EventSourceMapping, Queue

    def one(message: Message, context: Context) -> Steps:
        yield context.compute(cpu_ms=10)

    def handler(messages: list[Message], context: Context) -> Steps:
        return (yield context.each(messages, one))

    sim = Simulation(1)
    queue = Queue(sim, "q", visibility_timeout_s=30)
    f = Function(sim, "f", handler, memory_mb=128)
    EventSourceMapping(sim, queue, f)
    trace = sim.run(at_once(1) >> queue, duration_s=10)
    row = next(iter(trace.spans_of("f")))
    assert 1000 * (row.end_s - row.start_s) > 100
