"""Handlers: steps begin when called, errors are raised at the yield, timeouts stop handlers."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import (
    Fault,
    Function,
    FunctionError,
    Provider,
    ProviderError,
    Queue,
    Recorded,
    Simulation,
    TimedOut,
    Trace,
    UnfinishedStep,
)
from simulations.services import Context
from simulations.services.handler import Steps


def once(sim: Simulation, handler: Any, **settings: Any) -> Trace:
    return sim.run(Recorded((1.0,)) >> Function(sim, "f", handler, **settings), duration_s=100)


def test_steps_begin_when_called_so_two_at_a_time_take_as_long_as_the_longer() -> None:
    def handler(event: Any, context: Context) -> Steps:
        short, long = context.wait(1.0), context.wait(2.0)
        yield long
        yield short  # has ended already
        yield context.wait(0.5) & context.wait(0.25)
        yield context.wait(0.5) | context.wait(0.25)

    trace = once(Simulation(), handler, timeout_s=10)
    assert trace.requests.latency_s[0] == pytest.approx(2.75)


@pytest.mark.parametrize("forgotten", ["wait", "send", "call", "invoke"])
def test_a_step_that_is_never_yielded_is_an_error(forgotten: str) -> None:
    sim = Simulation()
    queue = Queue(sim, "q")
    Provider(sim, "db", mean_ms=1)

    def other(event: Any, context: Context) -> None:
        return None

    callee = Function(sim, "callee", other)

    def handler(event: Any, context: Context) -> Steps:
        yield context.compute(ms=1)
        if forgotten == "wait":
            context.wait(1)
        elif forgotten == "send":
            queue.send(1)
        elif forgotten == "call":
            context.call("db")
        else:
            callee.invoke(1)

    with pytest.raises(UnfinishedStep, match="write `yield` before"):
        once(sim, handler)


def test_a_plain_handler_may_return_but_not_begin_steps() -> None:
    sim = Simulation()
    queue = Queue(sim, "q")
    assert once(Simulation(), lambda event, context: "done").requests.outcomes() == {"done": 1}
    with pytest.raises(UnfinishedStep):
        once(sim, lambda event, context: [queue.send(event)])


def test_an_error_is_raised_at_the_yield_and_may_be_caught() -> None:
    caught: list[str] = []

    def handler(event: Any, context: Context) -> Steps:
        try:
            yield context.call("payments")
        except ProviderError as error:
            caught.append(str(error))
        return "recovered"

    sim = Simulation(faults={"payments": Fault(error_rate=1.0)})
    Provider(sim, "payments", mean_ms=100)
    trace = once(sim, handler)
    assert caught == ["payments failed"]
    assert trace.requests.outcomes() == {"recovered": 1}
    assert trace.requests.latency_s[0] == pytest.approx(0.1)


def test_an_error_in_one_of_two_steps_ends_the_wait_for_both() -> None:
    def handler(event: Any, context: Context) -> Steps:
        with pytest.raises(ProviderError):
            yield context.call("payments") & context.wait(2.0)

    sim = Simulation(faults={"payments": Fault(error_rate=1.0)})
    Provider(sim, "payments", mean_ms=100)
    assert once(sim, handler).requests.latency_s[0] == pytest.approx(0.1)


def test_an_error_of_a_callee_is_the_callers_own_error_and_nobody_times_out() -> None:
    sim = Simulation()

    def slow(event: Any, context: Context) -> Steps:
        yield context.wait(5.0)

    callee = Function(sim, "callee", slow, timeout_s=1)
    errors: list[Exception] = []

    def handler(event: Any, context: Context) -> Steps:
        try:
            yield callee.invoke(event)
        except FunctionError as error:
            errors.append(error)
            raise

    caller = Function(sim, "caller", handler, keep_alive_s=600)
    trace = sim.run(Recorded((1.0, 10.0)) >> caller, duration_s=100)
    assert isinstance(errors[0], TimedOut)
    assert [row.outcome for row in trace.spans_of("callee")] == ["timeout"] * 2
    assert [row.outcome for row in trace.spans_of("caller")] == ["error"] * 2
    # The callee's environment was reset each time, the caller's goes on.
    assert (callee.cold, caller.cold) == (2, 1)


def test_a_timeout_stops_the_handler_and_all_its_branches_but_no_call_in_flight() -> None:
    sim = Simulation()
    Provider(sim, "slow", mean_ms=5000)
    after: list[str] = []

    def branch(message: Any, context: Context) -> Steps:
        try:
            yield context.call("slow", entity=1)
            after.append("branch went on")
        finally:
            after.append("finally")

    class Fake:
        id, request, receive_count = 0, 7, 1

    def handler(event: Any, context: Context) -> Steps:
        yield context.each([Fake(), Fake()], branch)  # type: ignore[list-item]

    trace = once(sim, handler, timeout_s=3)
    assert trace.requests.outcomes() == {"timeout": 1}
    assert trace.requests.latency_s[0] == 3.0
    assert after == []
    calls = list(trace.spans_of("slow"))
    assert [(row.end_s, row.units, row.outcome) for row in calls] == [(6.0, 1.0, "ok")] * 2


def test_a_call_that_fails_after_the_timeout_disturbs_nobody() -> None:
    def handler(event: Any, context: Context) -> Steps:
        yield context.call("slow") & context.wait(1.0)

    sim = Simulation(faults={"slow": Fault(error_rate=1.0)})
    Provider(sim, "slow", mean_ms=5000)
    assert once(sim, handler).requests.outcomes() == {"timeout": 1}


def test_a_handler_that_ends_at_its_timeout_has_ended() -> None:
    def handler(event: Any, context: Context) -> Steps:
        yield context.wait(1.5)
        assert context.remaining_s == 1.5
        yield context.wait(1.5)

    assert once(Simulation(), handler, timeout_s=3.0).requests.outcomes() == {"ok": 1}


def test_a_batch_is_worked_on_at_the_same_time_and_tells_which_failed() -> None:
    sim = Simulation(faults={"mail": Fault(error_rate=0.5)})
    Provider(sim, "mail", mean_ms=300, cv=0.5)

    class Fake:
        receive_count = 1

        def __init__(self, id: int) -> None:
            self.id = self.request = id

    messages: Any = [Fake(number) for number in range(10)]
    answers: list[list[int]] = []

    def send(message: Any, context: Context) -> Steps:
        yield context.call("mail", entity=message)

    def handler(event: Any, context: Context) -> Steps:
        assert (yield context.each([], send)) == []
        answers.append((yield context.each(messages, send)))

    trace = once(sim, handler, timeout_s=30)
    calls = list(trace.spans_of("mail"))
    assert sorted(answers[0]) == sorted(row.request for row in calls if row.outcome != "ok")
    assert 0 < len(answers[0]) < 10
    longest_s = max(row.end_s - row.start_s for row in calls)
    assert trace.requests.latency_s[0] == pytest.approx(longest_s)


def test_what_is_no_step_is_refused_with_advice() -> None:
    def parts(context: Context) -> Steps:
        yield context.wait(1)

    def handler(event: Any, context: Context) -> Steps:
        yield parts(context)  # type: ignore[misc]

    with pytest.raises(TypeError, match="write `yield from`"):
        once(Simulation(), handler)

    def backwards(event: Any, context: Context) -> Steps:
        yield context.wait(-1)

    with pytest.raises(ValueError, match="seconds=-1"):
        once(Simulation(), backwards)

    def unknown(event: Any, context: Context) -> Steps:
        yield context.call("nobody")

    with pytest.raises(ValueError, match="provider='nobody' is unknown"):
        once(Simulation(), unknown)

    def wrong(event: Any, context: Context) -> Steps:
        yield context.call("f")

    with pytest.raises(ValueError, match="provider='f' is a Function"):
        once(Simulation(), wrong)


def test_a_provider_made_on_the_way_and_draws_of_a_handler() -> None:
    draws: list[float] = []

    def handler(event: Any, context: Context) -> Steps:
        draws.extend((context.draw("x"), context.draw("x"), context.draw("x", entity=1)))
        yield context.call("db", mean_ms=20)
        yield context.call("db", mean_ms=20)

    sim = Simulation(5)
    trace = once(sim, handler)
    assert trace.requests.latency_s[0] == pytest.approx(0.04)
    assert len(set(draws)) == 3
    assert draws[2] == sim.draw("x", 1)
