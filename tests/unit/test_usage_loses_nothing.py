"""Every call that a system made is billed once, whatever goes wrong in it.

The calls are counted where they are made (handlers begun, messages sent, received and deleted,
messages published), independently of the trace; usage is read from the trace alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import (
    Client,
    EventSourceMapping,
    Fault,
    Function,
    Lognormal,
    Poisson,
    Provider,
    Queue,
    Simulation,
    Topic,
    Trace,
)
from simulations.orders import ARCHITECTURES, Shop, run_orders
from simulations.pricing import PriceList, usage
from simulations.pricing.usage import Usage
from simulations.services import AsyncInvoke
from simulations.trace import COLUMNS

few = settings(max_examples=60, deadline=None, derandomize=True)


def chunks(size_kb: float) -> int:
    return max(1, math.ceil(size_kb / 64))


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count what every function, queue and topic that is made meanwhile does."""
    seen: Counter[str] = Counter()
    made = Function.__init__
    send, deliver, receive, delete = Queue.send, Queue.deliver, Queue.receive, Queue.delete
    publish, put_event = Topic.publish, AsyncInvoke.put

    def init(self: Function, sim: Simulation, name: str, handler: Any, **settings: Any) -> None:
        def begun(event: Any, context: Any) -> Any:
            seen["begun"] += 1
            return handler(event, context)

        made(self, sim, name, begun, **settings)

    def counting_send(self: Queue, body: Any, caller: Any = None, size_kb: float = 1.0) -> Any:
        seen["sent"] += chunks(size_kb)
        return send(self, body, caller, size_kb)

    def counting_deliver(self: Queue, body: Any, caller: Any, size_kb: float) -> None:
        seen["sent"] += chunks(size_kb)
        deliver(self, body, caller, size_kb)

    def counting_receive(self: Queue, at_most: int) -> Any:
        found = receive(self, at_most)
        seen["received"] += len(found)
        seen["received kb"] += sum(chunks(message.size_kb) for message in found)
        return found

    def counting_delete(self: Queue, messages: Any) -> None:
        seen["delete requests"] += math.ceil(len(messages) / 10)
        delete(self, messages)

    def counting_publish(self: Topic, body: Any, caller: Any = None, size_kb: float = 1.0) -> Any:
        seen["published"] += chunks(size_kb)
        return publish(self, body, caller, size_kb)

    def counting_put(self: AsyncInvoke, body: Any, caller: Any, size_kb: float) -> None:
        accepted = self.accepted
        put_event(self, body, caller, size_kb)
        seen["events"] += self.accepted - accepted
        beyond = math.ceil(max(0.0, size_kb - 256) / 64)
        seen["event requests"] += beyond * (self.accepted - accepted)

    with (
        patch.object(Function, "__init__", init),
        patch.multiple(
            Queue,
            send=counting_send,
            accept=counting_send,
            deliver=counting_deliver,
            receive=counting_receive,
            delete=counting_delete,
        ),
        patch.multiple(Topic, publish=counting_publish, accept=counting_publish),
        patch.object(AsyncInvoke, "put", counting_put),
    ):
        yield seen


def empty_receives(trace: Trace) -> float:
    rows = trace.meters.rows()
    return math.fsum(row.units for row in rows if row.operation == "empty_receive")


def unfinished(trace: Trace, operation: str) -> int:
    rows = (row for row in trace.spans.rows() if row.operation == operation)
    return sum(
        chunks(row.size) if operation == "send" else 1
        for row in rows
        if row.outcome == "unfinished"
    )


def in_flight(trace: Trace) -> int:
    """Invocations that run when the run is over."""
    rows = (row for row in trace.spans.rows() if row.operation == "invoke")
    return sum(row.outcome == "unfinished" and row.start_s == row.start_s for row in rows)


def check(trace: Trace, seen: Counter[str], batch_size: int) -> Usage:
    used = usage(trace)
    extra = seen["event requests"]
    assert used["Request"] == seen["begun"] - in_flight(trace) + extra
    if "AmazonSNS:Requests-Tier1" in used:
        # A publish under way is not billed yet; a message has four chunks at most.
        late = unfinished(trace, "publish")
        assert seen["published"] - 4 * late <= used["AmazonSNS:Requests-Tier1"]
        assert used["AmazonSNS:Requests-Tier1"] <= seen["published"] - late
    if "Requests-RBP" in used:
        others = seen["sent"] - unfinished(trace, "send") + seen["delete requests"]
        receives = float(used["Requests-RBP"]) - empty_receives(trace) - others
        if batch_size == 1:
            assert receives == seen["received kb"]
        else:
            # One receive for each ten messages that came together, billed by their size.
            assert seen["received"] / 10 <= receives <= seen["received kb"]
    PriceList.load().bill(used)  # and each has a price
    return used


def system(
    sim: Simulation, size_kb: float, batch_size: int, limit: int | None, targets: set[str],
    duplicates: float, receives: int | None,
) -> Function:  # fmt: skip
    """A function that calls a provider, then sends to a queue, a topic and a function."""
    Provider(sim, "db", mean_ms=200, cv=1.0)

    def late(event: Any, context: Any) -> Any:
        yield context.call("db") | context.wait(0.9)

    def consume(messages: Any, context: Any) -> Any:
        return (yield context.each(messages, lambda message, c: late(message.body, c)))

    def behind(queue: Queue, name: str) -> None:
        f = Function(
            sim, name, consume, timeout_s=1.0, reserved_concurrency=limit, memory_mb=256,
            init_s=Lognormal(0.2, 0.3),
        )  # fmt: skip
        EventSourceMapping(sim, queue, f, batch_size=batch_size, window_s=0.2 * (batch_size > 1))

    def queue(name: str) -> Queue:
        return Queue(
            sim, name, visibility_timeout_s=3.0, max_receive_count=receives, send_s=0.02,
            duplicate_share=duplicates, retention_s=60,
        )  # fmt: skip

    direct, fanned, dead = queue("direct"), queue("fanned"), queue("dead letters")
    behind(direct, "Direct")
    behind(fanned, "Fanned")
    worker = Function(sim, "Worker", late, timeout_s=0.5, reserved_concurrency=limit)
    asynchronous = AsyncInvoke(
        sim, worker, maximum_retries=1, dead_letter_queue=dead, duplicate_share=duplicates
    )
    topic = Topic(sim, "news", publish_s=0.03).subscribe(fanned)
    if size_kb <= 256:
        topic.subscribe(asynchronous)

    def front(event: int, context: Any) -> Any:
        yield context.call("db")
        if "queue" in targets:
            yield direct.send(event, size_kb=size_kb)
        if "topic" in targets and size_kb <= 256:
            yield topic.publish(event, size_kb=size_kb)
        if "function" in targets:
            yield asynchronous.invoke(event, size_kb=size_kb)

    return Function(sim, "Front", front, timeout_s=1.0, reserved_concurrency=limit, memory_mb=512)


@few
@given(
    seed=st.integers(0, 10**6),
    rate_per_s=st.floats(0.5, 10),
    failure=st.floats(0, 0.5),
    limit=st.one_of(st.none(), st.integers(0, 4)),
    attempts=st.integers(1, 3),
    client_timeout_s=st.sampled_from((None, 0.4)),
    size_kb=st.sampled_from((1.0, 64.0, 65.0, 200.0, 900.0)),
    batch_size=st.sampled_from((1, 3, 10)),
    targets=st.sets(st.sampled_from(("queue", "topic", "function"))),
    duplicates=st.sampled_from((0.0, 0.3)),
    receives=st.integers(1, 3),
    drain=st.booleans(),
)
def test_whatever_a_system_did_is_billed_once(
    seed: int, rate_per_s: float, failure: float, limit: int | None, attempts: int,
    client_timeout_s: float | None, size_kb: float, batch_size: int, targets: set[str],
    duplicates: float, receives: int, drain: bool,
) -> None:  # fmt: skip
    with counted() as seen:
        sim = Simulation(seed, faults={"db": Fault(error_rate=failure, outages=((4.0, 5.0),))})
        front = system(sim, size_kb, batch_size, limit, targets, duplicates, receives)
        client = Client(sim, "client", front, max_attempts=attempts, timeout_s=client_timeout_s)
        trace = sim.run(Poisson(rate_per_s) >> client, duration_s=8, drain=drain)
    check(trace, seen, batch_size)


@few
@given(
    architecture=st.sampled_from(sorted(ARCHITECTURES)),
    seed=st.integers(0, 10**6),
    failure=st.floats(0, 0.3),
    duplicates=st.floats(0, 0.3),
    timeout_s=st.sampled_from((0.5, 1.0, 30.0)),
    attempts=st.integers(1, 3),
    limit=st.one_of(st.none(), st.integers(1, 4)),
    with_sms=st.booleans(),
    drain=st.booleans(),
)
def test_whatever_the_order_system_did_is_billed_once(
    architecture: str, seed: int, failure: float, duplicates: float, timeout_s: float,
    attempts: int, limit: int | None, with_sms: bool, drain: bool,
) -> None:  # fmt: skip
    shop = Shop(
        failure=failure, duplicate_share=duplicates, timeout_s=timeout_s, max_receive_count=2,
        visibility_timeout_s=40.0, reserved_concurrency=limit, with_sms=with_sms,
    )  # fmt: skip
    with counted() as seen:
        trace = run_orders(
            architecture, shop, Poisson(4), duration_s=8, seed=seed, max_attempts=attempts,
            drain=drain,
        )  # fmt: skip
    used = check(trace, seen, 10 if architecture == "B10" else 1)
    assert seen["begun"] >= used["Request"] >= (0 if limit else 1) * bool(len(trace.requests))


def test_a_lost_request_would_be_noticed() -> None:
    """The check is not empty: a run with one span taken away does not pass it."""
    with counted() as seen:
        trace = run_orders("C", Shop(), Poisson(4), duration_s=8, seed=1)
    check(trace, seen, 1)
    for operation in ("invoke", "publish"):
        less = Trace()
        for name in trace.vocabulary:
            less.code(name)
        less.header, less.meters = trace.header, trace.meters
        columns = (getattr(trace.spans, column) for column in COLUMNS["spans"])
        kept = [row for row in zip(*columns, strict=True) if row[4] == trace.code(operation)]
        for row in kept[1:]:
            less.spans.append(row)
        for row in zip(*(getattr(trace.spans, c) for c in COLUMNS["spans"]), strict=True):
            if row[4] != trace.code(operation):
                less.spans.append(row)
        with pytest.raises(AssertionError):
            check(less, seen, 1)
