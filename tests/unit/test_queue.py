"""A standard queue: visibility, receive counts, dead letters, retention, copies, metering."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import Message, Queue, Recorded, Simulation
from simulations.clock import ARRIVAL


def at(sim: Simulation, time_s: float, action: Any) -> None:
    sim.clock.at(time_s, lambda _: action(), ARRIVAL)


def test_a_received_message_is_hidden_until_its_visibility_timeout() -> None:
    sim = Simulation()
    queue = Queue(sim, "q", visibility_timeout_s=30)
    seen: list[tuple[float, int]] = []

    def poll() -> None:
        seen.extend((sim.now_s, message.receive_count) for message in queue.receive(10))

    for time_s in (1.0, 30.9, 31.0, 61.5):
        at(sim, time_s, poll)
    sim.run(Recorded((0.0,)) >> queue, duration_s=100)
    # At 31.0 the timeout has just passed: expiry comes before what arrives.
    assert seen == [(1.0, 1), (31.0, 2), (61.5, 3)]


def test_a_receive_after_the_return_makes_the_old_one_void() -> None:
    sim = Simulation()
    queue = Queue(sim, "q", visibility_timeout_s=10)
    held: list[Message] = []
    at(sim, 1.0, lambda: held.extend(queue.receive(1)))
    at(sim, 12.0, lambda: held.extend(queue.receive(1)))
    checks: list[bool] = []
    at(sim, 13.0, lambda: checks.extend((queue.is_mine(held[0], 1), queue.is_mine(held[1], 2))))
    at(sim, 14.0, lambda: queue.delete([held[1]]))
    at(sim, 15.0, lambda: checks.append(queue.is_mine(held[1], 2)))
    sim.run(Recorded((0.0,)) >> queue, duration_s=100)
    assert checks == [False, True, False]
    assert queue.deleted == 1
    assert queue.waiting == 0


def test_after_so_many_receives_a_message_is_dead_lettered() -> None:
    sim = Simulation()
    queue = Queue(sim, "q", visibility_timeout_s=10, max_receive_count=3)

    def take() -> None:
        queue.receive(10)

    queue.on_visible = take
    trace = sim.run(Recorded((0.0, 1.0)) >> queue, duration_s=100)
    assert [message.receive_count for message in queue.dead_letters] == [3, 3]
    rows = list(trace.spans_of("q", "message"))
    assert [(row.attempt, row.outcome, row.end_s) for row in rows] == [
        (3, "dead_lettered", 30.0), (3, "dead_lettered", 31.0),
    ]  # fmt: skip
    assert queue.conserved


def test_an_old_message_is_lost_and_counted() -> None:
    sim = Simulation()
    queue = Queue(sim, "q", retention_s=60)
    received: list[Message] = []
    at(sim, 70.0, lambda: received.extend(queue.receive(10)))
    trace = sim.run(Recorded((0.0, 20.0)) >> queue, duration_s=100)
    assert len(received) == 1
    assert queue.expired == 1
    assert [row.outcome for row in trace.spans_of("q", "message")] == ["expired", "unfinished"]


def test_a_delay_hides_new_messages() -> None:
    sim = Simulation()
    queue = Queue(sim, "q", delay_s=15)
    counts: list[tuple[int, int]] = []
    for time_s in (1.0, 15.5, 16.0):
        at(sim, time_s, lambda: counts.append((queue.visible, queue.waiting)))
    sim.run(Recorded((0.0, 1.0)) >> queue, duration_s=20)
    assert counts == [(0, 1), (1, 2), (2, 2)]


def test_a_message_still_delayed_at_the_end_is_kept() -> None:
    sim = Simulation()
    queue = Queue(sim, "q", delay_s=15)
    trace = sim.run(Recorded((0.0,)) >> queue, duration_s=5, drain=False)
    assert [row.outcome for row in trace.spans_of("q", "message")] == ["unfinished"]


def test_a_duplicate_is_a_copy_with_the_same_id_deleted_by_itself() -> None:
    sim = Simulation()
    queue = Queue(sim, "q", duplicate_share=1.0, visibility_timeout_s=30)
    held: list[Message] = []
    at(sim, 1.0, lambda: held.extend(queue.receive(10)))
    at(sim, 2.0, lambda: queue.delete(held[:1]))
    at(sim, 3.0, lambda: queue.delete(held[:1]))  # again: nothing left to delete
    sim.run(Recorded((0.0,)) >> queue, duration_s=10, drain=False)
    assert held[0].id == held[1].id
    assert (queue.sent, queue.deleted, queue.waiting) == (2, 1, 1)


def test_duplicates_have_the_share_that_was_asked_for() -> None:
    sim = Simulation(1)
    queue = Queue(sim, "q", duplicate_share=0.1)
    sim.run(Recorded(tuple(k / 100 for k in range(20_000))) >> queue, duration_s=300)
    assert (queue.sent - 20_000) / 20_000 == pytest.approx(0.1, abs=0.01)


def test_no_more_than_the_limit_is_in_flight() -> None:
    sim = Simulation()
    queue = Queue(sim, "q")
    queue._in_flight_most = 3
    found: list[int] = []
    at(sim, 1.0, lambda: found.extend(len(queue.receive(2)) for _ in range(3)))
    sim.run(Recorded((0.0,) * 5) >> queue, duration_s=10)
    assert found == [2, 1, 0]


def test_requests_are_metered_in_chunks_of_64_kb() -> None:
    sim = Simulation()
    queue = Queue(sim, "q")
    for size_kb in (0.1, 64, 65, 256):
        queue.send("x", size_kb=size_kb)

    def consume() -> None:
        messages = queue.receive(10)
        queue.count_received(messages)
        queue.delete(messages)

    at(sim, 1.0, consume)
    trace = sim.run(Recorded(()) >> queue, duration_s=10)
    assert [row.units for row in trace.spans_of("q", "send")] == [1, 1, 2, 4]
    meters = {row.operation: (row.count, row.units) for row in trace.meters.rows()}
    assert meters == {"receive": (1, 7.0), "delete": (1, 1.0)}  # 385.1 KB together: 7 chunks


def test_twenty_five_messages_take_three_receives_and_three_deletes() -> None:
    sim = Simulation()
    queue = Queue(sim, "q")

    def consume() -> None:
        messages = queue.receive(25)
        queue.count_received(messages)
        queue.delete(messages)

    at(sim, 1.0, consume)
    trace = sim.run(Recorded((0.0,) * 25) >> queue, duration_s=10)
    meters = {row.operation: (row.count, row.units) for row in trace.meters.rows()}
    assert meters == {"receive": (3, 3.0), "delete": (3, 3.0)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"visibility_timeout_s": 43_201},
            r"visibility_timeout_s=43201 must be 0 to 43200 s \(Amazon SQS message quotas, https",
        ),
        ({"visibility_timeout_s": None}, "visibility_timeout_s=None"),
        ({"retention_s": 59}, r"retention_s=59 must be 60 to 1209600 s \(.*https://docs"),
        ({"delay_s": 901}, r"delay_s=901 must be 0 to 900 s \(.*https://docs"),
        ({"max_receive_count": 0}, "max_receive_count=0"),
        ({"duplicate_share": 2}, "duplicate_share=2"),
        ({"send_s": -1}, "-1"),
    ],
)
def test_an_impossible_configuration_names_itself_and_its_source(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Queue(Simulation(), "q", **settings)


@pytest.mark.parametrize("size_kb", [0, -1, 1025, float("nan")])
def test_an_impossible_size_is_refused(size_kb: float) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match="size_kb="):
        Queue(sim, "q").send("x", size_kb=size_kb)
