"""Asynchronous invocation: schedules as documented, losses as computed, nothing made up."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import (
    AsyncInvoke,
    EventSourceMapping,
    Fault,
    Function,
    FunctionError,
    InvocationRecord,
    Message,
    Poisson,
    Queue,
    Recorded,
    Regular,
    Simulation,
    Topic,
    Trace,
)
from simulations.pricing import PriceList, usage
from simulations.services import Context
from simulations.services.handler import Steps
from simulations.theory import retry_failure, retry_load

MINUTE_S, HOUR_S = 60.0, 3600.0


class System:
    """A function behind its asynchronous queue, and a log of (time, attempt)."""

    def __init__(
        self, failing: Any = None, takes_s: float = 1.0, seed: int = 0, faults: Any = None,
        limit: int | None = None, timeout_s: float = 30.0, **options: Any,
    ) -> None:  # fmt: skip
        self.sim = Simulation(seed, faults=faults)
        self.log: list[tuple[float, int]] = []

        def handler(event: Any, context: Context) -> Steps:
            self.log.append((self.sim.now_s, context.attempt))
            yield context.wait(takes_s)
            if failing is not None and failing(event, context):
                raise FunctionError("no")
            return f"done {event}"

        for name in ("on_success", "on_failure", "dead_letter_queue"):
            kind = options.get(name)
            if isinstance(kind, type):
                options[name] = kind(self.sim, name)
        self.options = options
        self.function = Function(
            self.sim, "f", handler, timeout_s=timeout_s, reserved_concurrency=limit
        )
        self.events = AsyncInvoke(self.sim, self.function, **options)

    def run(self, *times_s: float, drain: bool = True, duration_s: float = 1000.0) -> Trace:
        load = Recorded(times_s) >> self.events
        return self.sim.run(load, duration_s=duration_s, drain=drain)


def always(event: Any, context: Context) -> bool:
    return True


def test_the_caller_has_its_answer_before_the_function_runs() -> None:
    system = System(takes_s=5.0, accept_s=0.05, dispatch_s=0.2)
    trace = system.run(10.0)
    assert list(trace.requests.latency_s) == pytest.approx([0.05])
    assert trace.requests.outcomes() == {"accepted": 1}
    assert system.log[0][0] == pytest.approx(10.25)
    row = next(trace.spans_of("f asynchronously", "event"))
    assert (row.queued_s, row.start_s, row.end_s) == pytest.approx((10.05, 10.25, 15.25))
    assert trace.mean_in("f asynchronously") == pytest.approx(5.2 / 1000)


def test_function_errors_are_retried_after_one_and_two_minutes() -> None:
    """Documented: one minute between the first two attempts, two before the third."""
    system = System(always)
    trace = system.run(0.0)
    assert system.log == [(0.0, 1), (61.0, 2), (182.0, 3)]
    assert (system.events.failed, system.events.lost) == (1, 1)
    assert [row.outcome for row in trace.spans_of("f")] == ["error"] * 3
    assert [row.outcome for row in trace.spans_of("f asynchronously", "event")] == ["failed"]


def test_a_timeout_is_a_function_error_like_any_other() -> None:
    system = System(takes_s=9.0, timeout_s=2.0)
    system.run(0.0)
    assert [time_s for time_s, _ in system.log] == [0.0, 62.0, 184.0]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_retries_can_be_fewer(retries: int) -> None:
    system = System(always, maximum_retries=retries)
    system.run(0.0)
    assert len(system.log) == retries + 1


def test_throttles_wait_one_second_doubling_to_five_minutes_and_cost_no_attempt() -> None:
    """The limit is held for 20 minutes; 1, 2, 4 ... 256, then 300 s from each other."""
    system = System(takes_s=1200.0, limit=1, timeout_s=900.0, maximum_retries=2)
    trace = system.run(0.0, 0.5)
    tried = [row.queued_s for row in trace.spans_of("f", "invoke") if row.request == 1]
    gaps = [later - sooner for sooner, later in pairwise(tried)]
    # The first invocation times out at 900 s and is tried again a minute later.
    assert gaps[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert gaps[9] == 300
    mine = [row for row in trace.spans_of("f") if row.request == 1 and row.outcome != "throttled"]
    assert mine[0].attempt == 1


def test_errors_of_lambda_itself_back_off_until_the_outage_is_over() -> None:
    system = System(faults={"f asynchronously": Fault(outages=((0.0, 100.0),))})
    system.run(0.0)
    assert system.log == [(127.0, 1)]  # 0, 1, 3, 7, 15, 31, 63 and 127 s
    assert system.events.succeeded == 1


def test_an_event_that_cannot_run_expires_after_six_hours() -> None:
    system = System(faults={"f asynchronously": Fault(outages=((0.0, 1e6),))}, on_failure=Queue)
    trace = system.run(0.0, duration_s=10.0)
    row = next(trace.spans_of("f asynchronously", "event"))
    assert (row.outcome, row.end_s) == ("expired", 6 * HOUR_S)
    assert (system.events.expired, system.events.delivered, system.log) == (1, 1, [])


def test_a_maximum_age_of_a_minute_cuts_the_retries_off() -> None:
    """The first retry would come 61 s after the event: too old by then."""
    system = System(always, maximum_event_age_s=60.0)
    trace = system.run(0.0)
    assert len(system.log) == 1
    assert next(trace.spans_of("f asynchronously", "event", "expired")).end_s == 60.0


@pytest.mark.parametrize("failure", [0.1, 0.5])
def test_the_loss_is_the_third_power_of_the_failures(failure: float) -> None:
    """Three independent attempts: p^3 lost, (1 - p^3) / (1 - p) attempts an event."""
    events = 20_000
    system = System(lambda _, context: context.draw("coin") < failure, takes_s=0.01, seed=4)
    trace = system.sim.run(Regular(0.01) >> system.events, duration_s=events / 100)
    assert system.events.accepted == pytest.approx(events, abs=1)
    lost = retry_failure(failure, attempts=3)
    spread = 4 * math.sqrt(lost * (1 - lost) * events)
    assert system.events.lost == pytest.approx(lost * events, abs=spread)
    calls = retry_load(failure, attempts=3)
    assert len(system.log) / events == pytest.approx(calls, rel=0.02)
    assert trace.requests.outcomes() == {"accepted": system.events.accepted}


def test_a_destination_is_sent_a_record_and_a_dead_letter_queue_the_event_alone() -> None:
    system = System(always, on_failure=Queue, dead_letter_queue=Queue)
    system.run(0.0)
    failure, letters = (system.options[k] for k in ("on_failure", "dead_letter_queue"))
    record = failure._visible[0].body
    assert isinstance(record, InvocationRecord)
    assert (record.condition, record.attempts, record.request) == ("RetriesExhausted", 3, 0)
    assert isinstance(record.response, FunctionError)
    assert letters._visible[0].body == 0
    assert system.events.lost == 0


def test_success_has_a_destination_too_and_a_function_can_be_one() -> None:
    sim = Simulation()
    got: list[Any] = []

    def collect(record: InvocationRecord, context: Context) -> None:
        got.append((record.condition, record.response))

    def work(event: int, context: Context) -> str:
        return "sent"

    after = AsyncInvoke(sim, Function(sim, "after", collect))
    first = AsyncInvoke(sim, Function(sim, "first", work), on_success=after)
    sim.run(Recorded((0.0,)) >> first, duration_s=1)
    assert got == [("Success", "sent")]


def test_without_concurrency_events_go_straight_to_the_destination() -> None:
    system = System(limit=0, dead_letter_queue=Queue)
    system.run(0.0)
    assert (system.events.refused, system.options["dead_letter_queue"].sent) == (1, 1)
    assert system.function.throttled == 0


def test_too_large_for_a_topic_a_record_loses_its_event_and_a_dead_letter_is_lost() -> None:
    sim = Simulation()

    def handler(event: Any, context: Context) -> None:
        raise FunctionError("no")

    news, letters = Topic(sim, "news"), Topic(sim, "letters")
    inbox = Queue(sim, "inbox")
    news.subscribe(inbox)
    events = AsyncInvoke(
        sim, Function(sim, "f", handler), on_failure=news, dead_letter_queue=letters
    )
    events.invoke("large", size_kb=300)
    sim.run(Recorded(()) >> events, duration_s=1)
    assert inbox._visible[0].body.request is None
    assert (events.delivered, events.undelivered) == (1, 1)


def test_a_topic_invokes_functions_asynchronously() -> None:
    system = System(lambda _, context: context.attempt == 1)
    topic = Topic(system.sim, "t", publish_s=0.5).subscribe(system.events)
    trace = system.sim.run(Recorded((0.0,)) >> topic, duration_s=10)
    assert list(trace.requests.latency_s) == [0.5]
    assert [time_s for time_s, _ in system.log] == [0.5, 61.5]


def test_duplicates_run_twice() -> None:
    system = System(duplicate_share=1.0)
    system.run(0.0, 5.0)
    assert (system.events.accepted, len(system.log)) == (4, 4)


@pytest.mark.parametrize(
    ("size_kb", "requests"), [(1, 1), (256, 1), (257, 2), (320, 2), (321, 3), (1024, 13)]
)
def test_events_above_256_kb_count_as_more_requests_on_the_bill(
    size_kb: float, requests: int
) -> None:
    system = System()
    system.events.invoke("e", size_kb=size_kb)
    trace = system.run()
    used = usage(trace)
    assert used["Request"] == requests
    lines = {line.usage_type: line for line in PriceList.load().bill(used).lines}
    assert float(lines["Request"].amount_usd) == pytest.approx(requests * 0.20 / 1e6)


def test_each_attempt_is_billed_as_a_request_the_extra_chunks_once() -> None:
    system = System(always)
    system.events.invoke("e", size_kb=300)
    assert usage(system.run())["Request"] == 3 + 1


def test_what_is_left_at_the_end_is_kept_and_marked() -> None:
    system = System(always)
    trace = system.run(0.0, drain=False, duration_s=30.0)
    assert system.events.waiting == 1
    assert [row.outcome for row in trace.spans_of("f asynchronously", "event")] == ["unfinished"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    rate_per_s=st.floats(0.05, 10),
    failure=st.floats(0, 1),
    refused=st.floats(0, 0.9),
    limit=st.one_of(st.none(), st.integers(0, 3)),
    retries=st.integers(0, 2),
    age_s=st.sampled_from((60.0, 200.0, 21_600.0)),
    duplicates=st.floats(0, 0.5),
    has_destination=st.booleans(),
    drain=st.booleans(),
)
def test_every_event_succeeds_fails_expires_is_refused_or_waits(
    seed: int, rate_per_s: float, failure: float, refused: float, limit: int | None, retries: int,
    age_s: float, duplicates: float, has_destination: bool, drain: bool,
) -> None:  # fmt: skip
    system = System(
        lambda _, context: context.draw("coin") < failure, seed=seed, limit=limit,
        faults={"f asynchronously": Fault(error_rate=refused)}, maximum_retries=retries,
        maximum_event_age_s=age_s, duplicate_share=duplicates,
        on_failure=Queue if has_destination else None,
    )  # fmt: skip
    events = system.events
    trace = system.sim.run(Poisson(rate_per_s) >> events, duration_s=20, drain=drain)
    rows = list(trace.spans_of("f asynchronously", "event"))
    assert events.conserved
    assert len(rows) == events.accepted >= len(trace.requests) - (not drain)
    by = {name: sum(row.outcome == name for row in rows) for name in ("ok", "failed", "expired")}
    assert by == {"ok": events.succeeded, "failed": events.failed, "expired": events.expired}
    given_up = events.failed + events.expired + events.stopped + events.refused
    assert given_up == events.lost + events.delivered
    assert not (drain and events.waiting)
    assert all(row.end_s - row.queued_s <= age_s + 183 for row in rows if row.end_s == row.end_s)
    runs = sum(row.outcome in ("ok", "error") for row in trace.spans_of("f"))
    assert runs == sum(row.attempt for row in rows) or not drain
    assert not system.sim.chains or not drain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maximum_retries": 3}, r"maximum_retries=3 must be 0 to 2 \(.*https://docs"),
        ({"maximum_event_age_s": 59}, r"maximum_event_age_s=59 must be 60 to 21600 s \(.*https"),
        ({"maximum_event_age_s": 21_601}, "maximum_event_age_s=21601"),
        ({"duplicate_share": 2}, "duplicate_share=2"),
        ({"on_failure": "x"}, "on_failure='x' must be a Queue or Topic or AsyncInvoke"),
        ({"dead_letter_queue": "x"}, "dead_letter_queue='x' must be a Queue or Topic"),
    ],
)
def test_an_impossible_configuration_names_itself(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        System(**options)


@pytest.mark.parametrize("size_kb", [0, 1025, float("nan")])
def test_an_event_has_at_most_one_megabyte(size_kb: float) -> None:
    with pytest.raises(ValueError, match="size_kb="):
        System().events.invoke("x", size_kb=size_kb)


# ---------------------------------------------------------------- recursive loops


def looping_queue(**options: Any) -> tuple[Simulation, Queue, EventSourceMapping, list[float]]:
    """A function that sends what it receives back to its own queue."""
    sim = Simulation()
    begun: list[float] = []
    receives = options.pop("max_receive_count", None)
    queue = Queue(sim, "q", send_s=0.01, max_receive_count=receives)

    def handler(messages: list[Message], context: Context) -> Steps:
        begun.append(sim.now_s)
        if len(begun) < 100:
            yield queue.send(messages[0].body)

    mapping = EventSourceMapping(sim, queue, Function(sim, "f", handler), batch_size=1, **options)
    return sim, queue, mapping, begun


def test_a_loop_through_a_queue_ends_after_sixteen_invocations() -> None:
    """Announced in July 2023: invoked more than 16 times, the next invocation is stopped."""
    sim, queue, mapping, begun = looping_queue()
    trace = sim.run(Recorded((0.0,)) >> queue, duration_s=10)
    assert (len(begun), mapping.stopped, queue.stopped) == (16, 1, 1)
    assert queue.conserved
    assert sum(row.outcome == "stopped" for row in trace.spans_of("q", "message")) == 1


def test_a_stopped_message_goes_to_the_dead_letter_queue_where_there_is_one() -> None:
    sim, queue, _, begun = looping_queue(max_receive_count=5)
    sim.run(Recorded((0.0,)) >> queue, duration_s=10)
    assert (len(begun), len(queue.dead_letters), queue.stopped) == (16, 1, 0)


def test_a_loop_that_is_allowed_goes_on() -> None:
    sim, queue, mapping, begun = looping_queue(allow_recursion=True)
    sim.run(Recorded((0.0,)) >> queue, duration_s=10)
    assert (len(begun), mapping.stopped) == (100, 0)


def test_many_messages_that_each_pass_once_are_no_loop() -> None:
    sim, queue, mapping, begun = looping_queue()
    sim.run(Recorded(tuple(float(k) for k in range(5))) >> queue, duration_s=10)
    assert (len(begun), mapping.stopped) == (5 * 16, 5)


def test_a_loop_through_a_topic_and_asynchronous_invocation_is_seen_too() -> None:
    """Two functions in turn: each runs 16 times, then the first is stopped."""
    sim = Simulation()
    runs = {"ping": 0, "pong": 0}
    topic, letters = Topic(sim, "t"), Queue(sim, "letters")

    def ping(event: int, context: Context) -> Steps:
        runs["ping"] += 1
        yield pong_events.invoke(event)

    def pong(event: int, context: Context) -> Steps:
        runs["pong"] += 1
        yield topic.publish(event)

    ping_events = AsyncInvoke(sim, Function(sim, "ping", ping), on_failure=letters)
    pong_events = AsyncInvoke(sim, Function(sim, "pong", pong))
    topic.subscribe(ping_events)
    sim.run(Recorded((0.0,)) >> topic, duration_s=1)
    assert runs == {"ping": 16, "pong": 16}
    assert (ping_events.stopped, letters.sent) == (1, 1)
    assert not sim.chains
