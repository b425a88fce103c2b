"""A topic: a copy for every queue, one publish billed in chunks of 64 KB."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import Queue, Recorded, Simulation, Topic


def test_every_queue_has_a_copy_when_the_publisher_has_its_answer() -> None:
    sim = Simulation()
    queues = [Queue(sim, name) for name in "abc"]
    topic = Topic(sim, "t", publish_s=0.5)
    for queue in queues:
        topic.subscribe(queue)
    trace = sim.run(Recorded((1.0, 2.0)) >> topic, duration_s=10)
    assert list(trace.requests.latency_s) == [0.5, 0.5]
    for queue in queues:
        rows = list(trace.spans_of(queue.name, "message"))
        assert [(row.queued_s, row.request) for row in rows] == [(1.5, 0), (2.5, 1)]
    publishes = list(trace.spans_of("t"))
    assert [(row.size, row.units) for row in publishes] == [(3.0, 1.0)] * 2
    meters = {(row.component, row.operation): row.units for row in trace.meters.rows()}
    assert meters == {(name, "send"): 2.0 for name in "abc"}
    assert trace.mean_in("t") == pytest.approx(0.1)


def test_a_publish_is_billed_for_each_64_kb() -> None:
    sim = Simulation()
    topic = Topic(sim, "t")
    topic.publish("x", size_kb=130)
    trace = sim.run(Recorded(()) >> topic, duration_s=1)
    assert [row.units for row in trace.spans_of("t")] == [3.0]


def test_what_is_under_way_at_the_end_is_kept() -> None:
    sim = Simulation()
    topic = Topic(sim, "t", publish_s=5)
    queue = Queue(sim, "q", send_s=5)
    topic.subscribe(queue)
    trace = sim.run(Recorded((1.0,)) >> topic, Recorded((1.0,)) >> queue, duration_s=2, drain=False)
    assert [row.outcome for row in trace.spans.rows()] == ["unfinished"] * 2
    assert queue.sent == 0


@pytest.mark.parametrize("size_kb", [0, 257, float("nan")])
def test_an_impossible_size_is_refused(size_kb: float) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match="size_kb="):
        Topic(sim, "t").publish("x", size_kb=size_kb)


def test_the_limit_names_its_source() -> None:
    with pytest.raises(ValueError, match=r"to 256 KB \(Amazon SNS endpoints and quotas, https"):
        Topic(Simulation(), "t").publish("x", size_kb=300)


def test_only_queues_subscribe_and_only_once() -> None:
    sim = Simulation()
    queue, wrong = Queue(sim, "q"), Topic(sim, "other")
    topic: Any = Topic(sim, "t").subscribe(queue)
    with pytest.raises(ValueError, match="subscribes already"):
        topic.subscribe(queue)
    with pytest.raises(ValueError, match="is not a Queue or an AsyncInvoke"):
        topic.subscribe(wrong)
