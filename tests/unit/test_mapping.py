"""An event source mapping: batches, partial failures, throttling, pollers, pauses."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import (
    EventSourceMapping,
    Fault,
    Function,
    FunctionError,
    Message,
    Provider,
    ProviderError,
    Queue,
    Recorded,
    Regular,
    Simulation,
    Trace,
)
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.theory import ramp_drain_s


class System:
    """A queue, a function behind it and a log of (time, ids, receive counts)."""

    def __init__(
        self, takes_s: float = 1.0, failing: Any = None, seed: int = 0, **settings: Any
    ) -> None:
        self.sim = Simulation(seed)
        self.log: list[tuple[float, list[int], list[int]]] = []
        of_queue = {
            key: settings.pop(key)
            for key in ("visibility_timeout_s", "max_receive_count", "duplicate_share")
            if key in settings
        }
        of_function = {"reserved_concurrency": settings.pop("reserved_concurrency", None)}

        def handler(messages: list[Message], context: Context) -> Steps:
            self.log.append(
                (self.sim.now_s, [m.id for m in messages], [m.receive_count for m in messages])
            )
            yield context.wait(takes_s)
            return failing(messages) if failing else None

        self.queue = Queue(self.sim, "q", **of_queue)
        self.function = Function(self.sim, "f", handler, timeout_s=30, **of_function)
        self.mapping = EventSourceMapping(self.sim, self.queue, self.function, **settings)

    def run(self, *times_s: float, duration_s: float = 1000.0) -> Trace:
        return self.sim.run(Recorded(times_s) >> self.queue, duration_s=duration_s)


def test_a_message_goes_at_once_and_is_deleted_when_it_succeeds() -> None:
    system = System(batch_size=1)
    trace = system.run(1.0, 1.5)
    assert [time_s for time_s, _, _ in system.log] == [1.0, 1.5]
    assert system.queue.deleted == 2
    rows = list(trace.spans_of("q", "message", "ok"))
    assert [row.end_s for row in rows] == [2.0, 2.5]
    # A batch of one is its request's own.
    assert [row.request for row in trace.spans_of("f")] == [0, 1]


def test_a_window_gathers_until_it_is_over_or_the_batch_is_full() -> None:
    system = System(batch_size=3, window_s=2.0)
    system.run(0.0, 0.5, 1.9, 2.5, 4.0, 5.0)
    assert [(time_s, len(ids)) for time_s, ids, _ in system.log] == [(1.9, 3), (4.5, 2), (7.0, 1)]


def test_a_batch_that_waits_longer_than_the_queue_hides_delivers_again() -> None:
    """The timeout runs from the receive: what returns in the window is received once more."""
    system = System(batch_size=2, window_s=40.0, visibility_timeout_s=30.0)
    system.run(0.0)
    assert system.log == [(30.0, [0, 0], [2, 2])]
    assert system.queue.deleted == 1


def test_only_the_reported_messages_come_back() -> None:
    system = System(
        failing=lambda messages: [m.id for m in messages if m.receive_count == 1 < m.id]
    )
    system.run(0.0, 0.0, 0.0, 0.0)
    assert system.queue.deleted == 4
    again = {
        one for _, ids, counts in system.log for one, n in zip(ids, counts, strict=True) if n > 1
    }
    assert again == {2, 3}


def test_without_partial_responses_a_returned_list_is_not_looked_at() -> None:
    system = System(
        failing=lambda messages: [m.id for m in messages], report_batch_item_failures=False
    )
    system.run(0.0, 0.0)
    assert system.queue.deleted == 2


def test_an_error_returns_the_whole_batch_until_it_is_dead_lettered() -> None:
    def failing(messages: list[Message]) -> None:
        raise FunctionError("poison")

    system = System(failing=failing, max_receive_count=2, visibility_timeout_s=60)
    system.run(0.0)
    assert [time_s for time_s, _, _ in system.log] == [0.0, 60.0]
    assert len(system.queue.dead_letters) == 1


def test_both_copies_of_a_duplicate_in_one_batch_answer_to_the_same_id() -> None:
    system = System(
        failing=lambda messages: [m.id for m in messages if m.receive_count == 1],
        duplicate_share=1.0, batch_size=2, window_s=1.0,
    )  # fmt: skip
    system.run(0.0)
    assert [ids for _, ids, _ in system.log] == [[0, 0], [0, 0]]
    assert (system.queue.sent, system.queue.deleted) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [("done", TypeError, "returned 'done'"), ([99], ValueError, "no ids of its messages")],
)
def test_an_answer_that_names_no_messages_is_a_mistake(
    answer: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        System(failing=lambda messages: answer).run(0.0)


def test_a_throttled_batch_is_tried_again_while_it_is_hidden() -> None:
    system = System(takes_s=20.0, batch_size=1, reserved_concurrency=1, visibility_timeout_s=100)
    trace = system.run(0.0, 0.5)
    # Retries 1, 2, 4, 8 and 16 s after each other: at 1.5, 3.5, 7.5, 15.5 and 31.5.
    assert [time_s for time_s, _, _ in system.log] == [0.0, 31.5]
    assert system.log[1][2] == [1]
    assert system.function.throttled == 5
    assert system.queue.deleted == 2
    meters = {row.operation: row.count for row in trace.meters.rows()}
    assert meters["receive"] == 2


def test_a_batch_throttled_for_too_long_goes_back_and_counts_a_receive() -> None:
    system = System(
        batch_size=1, reserved_concurrency=0, visibility_timeout_s=30, max_receive_count=2
    )
    system.run(0.0)
    assert [message.receive_count for message in system.queue.dead_letters] == [2]
    assert system.log == []


def test_pollers_begin_at_five_and_grow_by_five_a_second() -> None:
    system = System(takes_s=25.0, batch_size=1)
    system.run(*([0.0] * 60))
    begun = [time_s for time_s, _, _ in system.log]
    assert begun[:5] == [0.0] * 5
    assert begun[5:55] == pytest.approx([0.2 * k for k in range(1, 51)])
    assert system.mapping.pollers == 60


def test_maximum_concurrency_caps_the_pollers() -> None:
    system = System(takes_s=10.0, batch_size=1, maximum_concurrency=2)
    trace = system.run(*([0.0] * 6))
    assert [time_s for time_s, _, _ in system.log] == [0.0, 0.0, 10.0, 10.0, 20.0, 20.0]
    assert trace.header["peaks"]["f"] == 2
    assert trace.mean_in("q to f") == pytest.approx(60 / 1000)


def test_idle_pollers_ask_in_vain_every_twenty_seconds() -> None:
    system = System(batch_size=1)
    trace = system.run(100.0, duration_s=1000.0)
    meters = {row.operation: row.count for row in trace.meters.rows()}
    # Four pollers for 1,000 s, one for 100 s and then for 899 s.
    assert meters["empty_receive"] == 4 * 50 + 5 + 44


def test_a_pause_stops_polling_and_its_empty_receives() -> None:
    system = System(batch_size=1, paused=((50.0, 150.0),))
    trace = system.run(60.0, 160.0, duration_s=200.0)
    assert [time_s for time_s, _, _ in system.log] == [150.0, 160.0]
    meters = {row.operation: row.count for row in trace.meters.rows()}
    # Until 50 s: 5 x 2; from 150 to 200 s: 4 x 2, and the fifth takes both messages.
    assert meters["empty_receive"] == 10 + 4 * 2 + 1


def test_a_backlog_is_drained_as_fast_as_the_ramp_allows() -> None:
    """Prediction `esm_ramp_2023`: 20,000 messages of 1.7 s, five pollers more each second."""
    messages, each_s = 20_000, 1.7
    system = System(takes_s=each_s, batch_size=1)
    trace = system.run(*([0.0] * messages), duration_s=600.0)
    ended_s = max(row.end_s for row in trace.spans_of("f"))
    assert ended_s == pytest.approx(ramp_drain_s(messages, each_s), rel=0.05)


def test_a_backlog_drained_beyond_the_cap() -> None:
    messages, each_s = 20_000, 12.0
    system = System(takes_s=each_s, batch_size=1, visibility_timeout_s=60)
    trace = system.run(*([0.0] * messages), duration_s=600.0)
    assert system.mapping.pollers == 1250
    ended_s = max(row.end_s for row in trace.spans_of("f"))
    assert ended_s == pytest.approx(ramp_drain_s(messages, each_s), rel=0.05)


def test_the_example_of_the_design_runs() -> None:
    sim = Simulation(7, faults={"mail provider": Fault(error_rate=0.2)})
    Provider(sim, "mail provider", mean_ms=300, cv=0.5)

    def send_email(messages: list[Message], context: Context) -> Steps:
        failed = []
        for message in messages:
            try:
                yield context.call("mail provider", entity=message)
            except ProviderError:
                failed.append(message.id)
        return failed

    queue = Queue(sim, "emails", visibility_timeout_s=180, max_receive_count=5)
    email = Function(sim, "SendEmail", send_email, memory_mb=512, timeout_s=30)
    EventSourceMapping(sim, queue, email, batch_size=10)
    sim.run(Regular(0.1) >> queue, duration_s=60)
    assert queue.deleted + len(queue.dead_letters) == queue.sent
    assert queue.conserved


def make(**settings: Any) -> None:
    System(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size=0 must be 1 to 10000"),
        ({"batch_size": 10_001, "window_s": 1}, r"batch_size=10001 .*\(.*https://docs"),
        ({"batch_size": 11}, r"window_s=0\.0 must be at least 1 s .*above 10 \(.*https://docs"),
        ({"window_s": 301}, r"window_s=301 must be 0 to 300 s \(.*https://docs"),
        ({"maximum_concurrency": 1}, r"maximum_concurrency=1 must be 2 to 1000 \(.*https://docs"),
        ({"visibility_timeout_s": 29}, r"timeout_s=30 of f exceeds visibility_timeout_s=29 .*http"),
        ({"paused": ((5, 5),)}, "paused="),
        ({"paused": ((0, 10), (5, 20))}, "in order and apart"),
    ],
)
def test_an_impossible_configuration_names_itself_and_its_source(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_two_mappings_on_one_queue_are_refused() -> None:
    system = System()
    with pytest.raises(ValueError, match="two would compete"):
        EventSourceMapping(system.sim, system.queue, system.function)


def test_a_throttled_batch_that_has_returned_to_the_queue_is_not_run_by_its_old_poller() -> None:
    """It is hidden until 30 s; the retry at 31 s would run what another poller may hold."""
    system = System(takes_s=29.0, batch_size=1, reserved_concurrency=1, visibility_timeout_s=30)
    system.run(0.0, 0.0, 0.0)
    ids = [one for _, batch, _ in system.log for one in batch]
    assert sorted(ids) == [0, 1, 2]
    assert system.queue.deleted == 3
