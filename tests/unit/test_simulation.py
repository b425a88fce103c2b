"""The run: loads, draws, warm-up, what is unfinished, and what is refused."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from simulations import Fault, Function, Poisson, Queue, Recorded, Simulation
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.workload import Workload


def second(event: Any, context: Context) -> Steps:
    yield context.wait(1.0)


def test_equal_seeds_give_equal_traces_and_others_do_not() -> None:
    def run(seed: int) -> list[Any]:
        sim = Simulation(seed)
        return list(sim.run(Poisson(5) >> Function(sim, "f", second), duration_s=50).spans.rows())

    assert run(3) == run(3) != run(4)


def test_the_order_in_which_components_are_made_changes_no_draw() -> None:
    def run(names: tuple[str, str]) -> list[tuple[float, float]]:
        sim = Simulation(3)
        functions = {
            name: Function(sim, name, second, init_s=0.3, keep_alive_s=2.0, routing="random")
            for name in names
        }
        trace = sim.run(Poisson(5) >> functions["a"], Poisson(2) >> functions["b"], duration_s=50)
        return sorted((row.queued_s, row.init_s) for row in trace.spans_of("a"))

    assert run(("a", "b")) == run(("b", "a"))


def test_draws_are_uniform_and_unrelated_between_neighbors() -> None:
    draw = Simulation(1).draws("anything")
    values = [draw(entity, attempt) for entity in range(200) for attempt in range(100)]
    assert all(0 < v < 1 for v in values)
    assert sum(values) / len(values) == pytest.approx(0.5, abs=0.01)
    tenths = [sum(int(v * 10) == k for v in values) for k in range(10)]
    assert sum((n - 2000) ** 2 / 2000 for n in tenths) < 27.9  # chi-square, 9 degrees, 0.1 %
    products = sum((a - 0.5) * (b - 0.5) for a, b in pairwise(values))
    assert products / len(values) * 12 == pytest.approx(0, abs=0.03)


def test_a_draw_depends_on_seed_name_entity_and_attempt() -> None:
    sim = Simulation(1)
    values = {sim.draw("a", 1), sim.draw("a", 2), sim.draw("a", 1, 1), sim.draw("b", 1)}
    assert len(values | {Simulation(2).draw("a", 1)}) == 5


def test_warm_up_is_recorded_but_left_out_of_latencies_and_means() -> None:
    sim = Simulation()
    f = Function(sim, "f", second)
    trace = sim.run(Recorded((0.0, 5.0, 6.0)) >> f, duration_s=10, warmup_s=4)
    assert len(trace.requests) == 3
    assert list(trace.requests.latency_s) == [1.0, 1.0]
    assert trace.requests.outcomes() == {"ok": 2}
    assert trace.mean_in("f") == pytest.approx(2 / 6)


def test_without_draining_what_is_under_way_is_kept_and_marked() -> None:
    sim = Simulation()
    f = Function(sim, "f", second)
    queue = Queue(sim, "q")

    def both(event: Any, context: Context) -> Steps:
        yield f.invoke(event) & queue.send(event)

    g = Function(sim, "g", both)
    trace = sim.run(Recorded((1.0, 4.5)) >> g, duration_s=5, drain=False)
    assert trace.requests.outcomes() == {"ok": 1, "unfinished": 1}
    assert trace.header["ended_s"] == 5.0
    assert [row.outcome for row in trace.spans_of("f")] == ["ok", "unfinished"]
    assert [row.outcome for row in trace.spans_of("q", "message")] == ["unfinished"] * 2
    end_s = [row.end_s for row in trace.spans_of("g")]
    assert end_s[0] == 2.0
    assert end_s[1] != end_s[1]  # not a number


def test_what_happens_at_the_very_end_still_counts() -> None:
    sim = Simulation()
    trace = sim.run(Recorded((4.0,)) >> Function(sim, "f", second), duration_s=5, drain=False)
    assert trace.requests.outcomes() == {"ok": 1}


def test_a_drained_run_ends_with_its_last_change_not_with_an_idle_timer() -> None:
    sim = Simulation()
    trace = sim.run(Recorded((0.5,)) >> Function(sim, "f", second, timeout_s=900), duration_s=1)
    assert trace.header["ended_s"] == 1.5


def test_a_run_leaves_hardly_any_reference_cycles() -> None:
    """The collector rests during a run, so what only it can free must not grow with the run."""

    def left(duration_s: float) -> int:
        sim = Simulation(1)

        def caller(event: Any, context: Context) -> Steps:
            yield inner.invoke(event) & inner.invoke(event)

        inner = Function(sim, "inner", second, reserved_concurrency=2)
        outer = Function(sim, "outer", caller)
        gc.collect()
        sim.run(Poisson(5) >> outer, duration_s=duration_s)
        return gc.collect()

    left(1)
    assert left(200) < left(20) + 600


class Backwards(Workload):
    def arrivals(self, random: Random) -> Iterator[float]:
        yield from (2.0, 1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"duration_s": 0}, "duration_s=0 "),
        ({"duration_s": float("inf")}, "duration_s=inf"),
        ({"duration_s": 10, "warmup_s": -1}, "warmup_s=-1"),
        ({"duration_s": 10, "warmup_s": 10}, "warmup_s=10"),
    ],
)
def test_an_impossible_time_is_refused(settings: dict[str, Any], message: str) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match=message):
        sim.run(Poisson(1) >> Function(sim, "f", second), **settings)


def test_what_cannot_run_is_refused() -> None:
    sim = Simulation()
    f = Function(sim, "f", second)
    with pytest.raises(ValueError, match="at least one"):
        sim.run(duration_s=1)
    with pytest.raises(ValueError, match="not made by workload >> target"):
        sim.run(f, duration_s=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no component of this simulation"):
        sim.run(Poisson(1) >> Function(Simulation(), "f", second), duration_s=1)
    with pytest.raises(ValueError, match="is taken"):
        Function(sim, "f", second)
    with pytest.raises(ValueError, match="seed='x'"):
        Simulation("x")  # type: ignore[arg-type]
    sim.run(Poisson(1) >> f, duration_s=1)
    with pytest.raises(ValueError, match="runs once"):
        sim.run(Poisson(1) >> f, duration_s=1)


def test_a_fault_that_befalls_nothing_is_refused() -> None:
    sim = Simulation(faults={"paymets": Fault(error_rate=0.1)})
    with pytest.raises(ValueError, match="'paymets' is none of the providers"):
        sim.run(Poisson(1) >> Function(sim, "f", second), duration_s=1)


def test_arrivals_that_go_back_in_time_are_refused() -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match="comes too late"):
        sim.run(Backwards() >> Function(sim, "f", second), duration_s=10)


def test_a_message_sent_before_the_run_belongs_to_nobody() -> None:
    sim = Simulation()
    queue = Queue(sim, "q")
    queue.send("early")
    trace = sim.run(Poisson(1) >> Function(sim, "f", second), duration_s=5)
    assert queue.visible == 1
    assert [row.request for row in trace.spans_of("q", "send")] == [-1]
