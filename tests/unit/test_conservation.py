"""In every run nothing is lost, doubled or made up; equal seeds give equal runs."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import (
    Client,
    EventSourceMapping,
    Fault,
    Function,
    Lognormal,
    Message,
    Poisson,
    Provider,
    Queue,
    Simulation,
    Topic,
    Trace,
)
from simulations.orders import ARCHITECTURES, Shop, outcomes, run_orders
from simulations.services import ROUTINGS, Context
from simulations.services.handler import Steps

few = settings(max_examples=80, deadline=None, derandomize=True)


def fingerprint(trace: Trace) -> list[Any]:
    tables = (trace.requests, trace.spans, trace.links, trace.environments, trace.meters)
    return [repr(list(table.rows())) for table in tables]


def check_functions(trace: Trace, sim: Simulation) -> None:
    for name, component in sim.components.items():
        if not isinstance(component, Function):
            continue
        rows = list(trace.spans_of(name))
        throttled = sum(row.outcome == "throttled" for row in rows)
        waiting = sum(row.outcome == "unfinished" and row.environment < 0 for row in rows)
        assert component.throttled == throttled
        assert component.invocations == len(rows) - throttled - waiting
        # No environment serves two at a time, and none is used after its end.
        ends: dict[int, float] = {}
        for row in sorted((r for r in rows if r.environment >= 0), key=lambda r: r.start_s):
            if row.start_s == row.start_s:
                assert row.start_s >= ends.get(row.environment, 0.0)
                ends[row.environment] = row.end_s


def check_requests(trace: Trace, sim: Simulation, drain: bool) -> None:
    counts = trace.requests.outcomes()
    assert sum(counts.values()) == len(trace.requests) == trace.requests_seen
    assert sorted(trace.requests.id) == list(range(trace.requests_seen))
    assert not (drain and counts.get("unfinished"))
    for component in sim.components.values():
        if isinstance(component, Queue):
            assert component.conserved
            rows = list(trace.spans_of(component.name, "message"))
            assert len(rows) == component.sent
            assert sum(row.outcome == "unfinished" for row in rows) == component.waiting
            assert not (drain and component.waiting)


@few
@given(
    seed=st.integers(0, 10**6),
    rate_per_s=st.floats(0.1, 30),
    limit=st.one_of(st.none(), st.integers(0, 5)),
    timeout_s=st.floats(0.05, 2.0),
    cv=st.floats(0, 2),
    keep_alive_s=st.floats(0, 5),
    routing=st.sampled_from(ROUTINGS),
    attempts=st.integers(1, 3),
    drain=st.booleans(),
)
def test_requests_end_once_throttled_failed_or_well(
    seed: int, rate_per_s: float, limit: int | None, timeout_s: float, cv: float,
    keep_alive_s: float, routing: str, attempts: int, drain: bool,
) -> None:  # fmt: skip
    sim = Simulation(seed, faults={"db": Fault(error_rate=0.2, outages=((3.0, 4.0),))})
    Provider(sim, "db", mean_ms=300, cv=cv, connections=3)

    def handler(event: Any, context: Context) -> Steps:
        yield context.compute(ms=10)
        yield context.call("db") | context.wait(1.0)

    f = Function(
        sim, "f", handler, timeout_s=timeout_s, reserved_concurrency=limit, routing=routing,
        keep_alive_s=keep_alive_s, init_s=Lognormal(0.2, 0.3), invoke_s=0.01,
    )  # fmt: skip
    client = Client(sim, "client", f, max_attempts=attempts, pause_s=0.1)
    trace = sim.run(Poisson(rate_per_s) >> client, duration_s=10, drain=drain)
    check_requests(trace, sim, drain)
    check_functions(trace, sim)
    known = {"ok", "throttled", "timeout", "error", "unfinished"}
    assert set(trace.requests.outcomes()) <= known
    if limit is not None:
        assert trace.header["peaks"]["f"] <= limit


@few
@given(
    seed=st.integers(0, 10**6),
    rate_per_s=st.floats(0.1, 30),
    batch_size=st.integers(1, 10),
    window_s=st.sampled_from((0.0, 0.5, 20.0)),
    visibility_timeout_s=st.floats(2.0, 10.0),
    receives=st.integers(1, 4),
    failure=st.floats(0, 0.6),
    duplicates=st.floats(0, 0.5),
    delay_s=st.sampled_from((0.0, 3.0)),
    limit=st.one_of(st.none(), st.integers(0, 4)),
    paused=st.booleans(),
    drain=st.booleans(),
)
def test_messages_are_deleted_dead_lettered_expired_or_waiting(
    seed: int, rate_per_s: float, batch_size: int, window_s: float, visibility_timeout_s: float,
    receives: int, failure: float, duplicates: float, delay_s: float, limit: int | None,
    paused: bool, drain: bool,
) -> None:  # fmt: skip
    sim = Simulation(seed, faults={"db": Fault(error_rate=failure)})
    Provider(sim, "db", mean_ms=500, cv=1.0)

    def one(message: Message, context: Context) -> Steps:
        yield context.call("db", entity=message)

    def handler(messages: list[Message], context: Context) -> Steps:
        return (yield context.each(messages, one))

    f = Function(sim, "f", handler, timeout_s=2.0, reserved_concurrency=limit)
    topic = Topic(sim, "t", publish_s=0.01)
    for name in "ab":
        queue = Queue(
            sim, name, visibility_timeout_s=visibility_timeout_s, max_receive_count=receives,
            duplicate_share=duplicates, delay_s=delay_s, retention_s=60,
        )  # fmt: skip
        topic.subscribe(queue)
        EventSourceMapping(
            sim, queue, f, batch_size=batch_size, window_s=window_s,
            paused=((2.0, 5.0),) if paused else (),
        )  # fmt: skip
    trace = sim.run(Poisson(rate_per_s) >> topic, duration_s=10, drain=drain)
    check_requests(trace, sim, drain)
    check_functions(trace, sim)


@few
@given(
    architecture=st.sampled_from(sorted(ARCHITECTURES)),
    seed=st.integers(0, 10**6),
    failure=st.floats(0, 0.2),
    duplicates=st.floats(0, 0.1),
    attempts=st.integers(1, 3),
    drain=st.booleans(),
)
def test_orders_are_confirmed_declined_or_lost_and_runs_repeat(
    architecture: str, seed: int, failure: float, duplicates: float, attempts: int, drain: bool
) -> None:
    shop = Shop(failure=failure, duplicate_share=duplicates, max_receive_count=2, with_sms=True)
    traces = [
        run_orders(
            architecture, shop, Poisson(5), duration_s=10, seed=seed, max_attempts=attempts,
            drain=drain,
        )
        for _ in range(2)
    ]  # fmt: skip
    assert fingerprint(traces[0]) == fingerprint(traces[1])
    found = outcomes(traces[0])
    assert found.confirmed + found.declined + found.lost == found.orders
    assert found.orders == traces[0].requests_seen
    assert found.charged_not_confirmed <= found.lost
    assert found.double_charged <= found.surplus_charges
