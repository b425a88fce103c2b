"""Aliases share requests by weight; and whatever a function is told, no request is lost."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulations import (
    Account,
    Alias,
    Client,
    EventSourceMapping,
    Fault,
    Function,
    Lognormal,
    Message,
    Payload,
    Poisson,
    Provider,
    Provisioned,
    Queue,
    Simulation,
    SnapStart,
    TargetTracking,
    Trace,
)
from simulations.pricing import usage
from simulations.services import Context
from simulations.services.handler import Steps


def sell(order: Any, context: Context) -> Steps:
    yield context.compute(ms=100)


def test_an_alias_shares_requests_by_weight() -> None:
    sim = Simulation(7)
    old, new = (Function(sim, f"f:{n}", sell, version=n) for n in (1, 2))
    live = Alias(sim, "live", {old: 0.9, new: 0.1})
    trace = sim.run(Poisson(20) >> live, duration_s=1000)
    n = len(trace.requests)
    assert trace.requests.outcomes() == {"ok": n}
    assert live.routed == {"f:1": old.invocations, "f:2": new.invocations}
    assert new.invocations / n == pytest.approx(0.1, abs=4 * math.sqrt(0.09 / n))


def test_the_choice_depends_on_the_request_alone() -> None:
    def chosen(weight: float) -> set[int]:
        sim = Simulation(7)
        old, new = (Function(sim, f"f:{n}", sell, version=n) for n in (1, 2))
        live = Alias(sim, "live", {old: 1 - weight, new: weight})
        trace = sim.run(Poisson(20) >> live, duration_s=100)
        return {row.request for row in trace.spans_of("f:2")}

    assert chosen(0.1) == chosen(0.1)
    assert chosen(0.1) < chosen(0.3)


def test_a_retry_is_drawn_again() -> None:
    def fail(order: Any, context: Context) -> Steps:
        yield context.call("db")

    sim = Simulation(7, faults={"db": Fault(error_rate=1.0)})
    Provider(sim, "db", mean_ms=10)
    old = Function(sim, "f:1", sell, version=1)
    bad = Function(sim, "f:2", fail, version=2)
    live = Alias(sim, "live", {old: 0.5, bad: 0.5})
    client = Client(sim, "client", live, max_attempts=20)
    trace = sim.run(Poisson(10) >> client, duration_s=20)
    assert trace.requests.outcomes() == {"ok": len(trace.requests)}


def test_a_queue_can_lead_to_a_version_and_a_handler_can_invoke_an_alias() -> None:
    sim = Simulation(7)
    old, new = (Function(sim, f"f:{n}", sell, version=n) for n in (1, 2))
    live = Alias(sim, "live", {old: 0.5, new: 0.5})

    def handler(order: Any, context: Context) -> Steps:
        return (yield live.invoke(order))

    front = Function(sim, "front", handler)
    trace = sim.run(Poisson(10) >> front, duration_s=20)
    assert old.invocations + new.invocations == len(trace.requests)
    assert all(row.parent >= 0 for row in trace.spans_of("f:1"))


@pytest.mark.parametrize(
    ("versions", "weights", "message"),
    [
        ((1, 2, 3), (0.4, 0.3, 0.3), "versions=3 must be 1 to 2 .*https"),
        ((1, None), (0.9, 0.1), r"is \$LATEST.*https"),
        ((1, 2), (0.9, 0.2), "must add up to 1"),
        ((1, 2), (1.5, -0.5), "weight of f1=1.5"),
        ((), (), "versions=0"),
    ],
)
def test_an_impossible_alias_is_refused(
    versions: tuple[int | None, ...], weights: tuple[float, ...], message: str
) -> None:
    sim = Simulation()
    found = [Function(sim, f"f{n}", sell, version=n) for n in versions]
    with pytest.raises(ValueError, match=message):
        Alias(sim, "live", dict(zip(found, weights, strict=True)))


def rows(trace: Trace) -> list[Any]:
    return [repr(list(table.rows())) for table in (trace.requests, trace.spans, trace.environments)]


def test_an_account_that_limits_nothing_changes_nothing() -> None:
    """The invocations with options and those without are the same, row by row."""

    def run(limited: bool) -> Trace:
        sim = Simulation(3, faults={"db": Fault(error_rate=0.1)})
        Provider(sim, "db", mean_ms=400, cv=2.0)

        def handler(event: Any, context: Context) -> Steps:
            yield context.call("db")

        # Made in both, so that both have the same words in the same order.
        account = Account(sim, concurrency=100_000, scaling=False)
        f = Function(
            sim, "f", handler, timeout_s=2, init_s=Lognormal(4.0, 1.0), keep_alive_s=2.0,
            account=account if limited else None,
        )  # fmt: skip
        return sim.run(Poisson(8) >> f, duration_s=200, drain=False)

    plain, managed = run(False), run(True)
    assert rows(plain) == rows(managed)
    assert len(plain.environments) > 150


# Without shrinking: an example takes a while, and each is small enough to read.
@settings(max_examples=40, deadline=None, derandomize=True, phases=(Phase.generate,))
@given(
    seed=st.integers(0, 10**6),
    rate_per_s=st.floats(0.5, 60),
    quota=st.integers(101, 130),
    reserve=st.one_of(st.none(), st.integers(0, 20)),
    ready=st.one_of(st.none(), st.integers(0, 10)),
    kind=st.sampled_from(("plain", "provisioned", "tracked", "snapstart", "streamed", "shared")),
    lifetime_s=st.one_of(st.none(), st.floats(0.1, 5)),
    timeout_s=st.floats(0.05, 3.0),
    init_s=st.floats(0.01, 15.0),
    attempts=st.integers(1, 3),
    queued=st.booleans(),
    drain=st.booleans(),
)
def test_what_arrives_is_done_waiting_dead_lettered_rejected_or_expired(
    seed: int, rate_per_s: float, quota: int, reserve: int | None, ready: int | None, kind: str,
    lifetime_s: float | None, timeout_s: float, init_s: float, attempts: int, queued: bool,
    drain: bool,
) -> None:  # fmt: skip
    sim = Simulation(seed, faults={"db": Fault(error_rate=0.2)})
    Provider(sim, "db", mean_ms=300, cv=1.0)

    def one(message: Message, context: Context) -> Steps:
        yield context.call("db", entity=message)

    def handler(event: Any, context: Context) -> Steps:
        yield context.compute(cpu_ms=2)
        if isinstance(event, list):
            return (yield context.each(event, one))
        yield context.call("db")
        return None

    account = Account(sim, concurrency=quota + (reserve or 0) + 20)
    how: dict[str, Any] = {"account": account, "reserved_concurrency": reserve, "version": 1}
    most = 20 if reserve is None else reserve
    if kind in ("provisioned", "tracked"):
        first = min(ready or 0, most)
        tracking = TargetTracking(0.5, 0, max(most, 1)) if kind == "tracked" and most else None
        how["provisioned_concurrency"] = Provisioned(
            first, schedule=((3.0, most), (6.0, 0)), tracking=tracking, preparation_s=0.5
        )
    elif kind == "snapstart":
        how["snapstart"] = SnapStart(Lognormal(3.0, 1.0))
    elif kind == "streamed":
        how["payload"] = Payload(response_mb=8, streamed=True)
    elif kind == "shared":
        how = {"requests_per_environment": 5, "reserved_concurrency": reserve, "version": 1}
    f = Function(
        sim, "f", handler, memory_mb=2048, timeout_s=timeout_s, init_s=init_s,
        lifetime_s=lifetime_s, keep_alive_s=2.0, **how,
    )  # fmt: skip
    other = Function(sim, "other", handler, account=account, timeout_s=timeout_s)
    target: Any = Client(sim, "client", Alias(sim, "live", {f: 1.0}), max_attempts=attempts)
    if queued:
        target = Queue(sim, "q", visibility_timeout_s=5, max_receive_count=2, retention_s=60)
        EventSourceMapping(sim, target, f)
    trace = sim.run(
        Poisson(rate_per_s) >> target, Poisson(rate_per_s) >> other, duration_s=10, drain=drain
    )
    counts = trace.requests.outcomes()
    assert sum(counts.values()) == len(trace.requests) == trace.requests_seen
    assert not (drain and counts.get("unfinished"))
    if queued:
        assert target.conserved
    invoked = 0
    for function in (f, other):
        spans = list(trace.spans_of(function.name))
        throttled = sum(row.outcome == "throttled" for row in spans)
        assert function.throttled == throttled
        assert function.invocations == len(spans) - throttled
        if function.account is not None:
            assert sum(function.throttled_by.values()) == throttled
        invoked += sum(row.outcome == "unfinished" for row in spans)
        if drain:
            assert function.inside.inside == 0
    if f.account is not None:
        assert account.inside.inside == f.inside.inside + other.inside.inside
        # What runs on demand when more is provisioned goes on: only then there may be more.
        if f.provisioned is None:
            assert account.inside.most <= account.concurrency
        assert account.unreserved.inside >= 0
    if f.provisioned is not None:
        assert f.provisioned.served + f.provisioned.spilled == f.invocations + f.throttled
        assert f.provisioned.inside.inside >= 0
        assert len(list(trace.spans_of("f", "invoke provisioned"))) == f.provisioned.served
    # No environment of one request serves two at a time, none after its end.
    if kind != "shared":
        ends: dict[int, float] = {}
        ran = [r for r in trace.spans_of("f") if r.environment >= 0 and r.start_s == r.start_s]
        for row in sorted(ran, key=lambda r: r.start_s):
            assert row.start_s >= ends.get(row.environment, 0.0)
            ends[row.environment] = row.end_s
    if f.provisioned is None and drain:
        assert len(
            {row.environment for row in trace.environments.rows() if row.component == "f"}
        ) == (f.cold)
    assert all(quantity >= 0 for quantity in usage(trace).values())
