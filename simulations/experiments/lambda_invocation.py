"""Experiments of the chapter *invocation*: one failing handler, invoked in three ways.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from simpy.events import Event

from simulations.clock import Caller
from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.facts import fact
from simulations.faults import Fault
from simulations.services import (
    AsyncInvoke,
    Context,
    EventSourceMapping,
    Function,
    Message,
    Provider,
    Queue,
)
from simulations.services.handler import Steps
from simulations.simulation import Component, Simulation
from simulations.stats import share_interval
from simulations.theory import retry_failure
from simulations.trace import Trace
from simulations.workload import Poisson, Recorded, Workload

#: The three ways, in the order of the chapter.
WAYS = ("synchronous", "asynchronous", "queue")

PROVIDER = "mail provider"
BLOCKED = -1  # the event of an invocation that does nothing but hold concurrency
HELD_S = 9.0  # how long each of these runs; the next follows at once


@dataclass(frozen=True)
class Setting:
    """How the function and its queue are set, and how long the provider takes to answer.

    Attributes
    ----------
    call_s, timeout_s : float
        The provider's usual time; the function's timeout.
    visibility_timeout_s, max_receive_count : float, int
        Of the queue.
    reserved_concurrency, blocked_s : int, float
        Where given, so many invocations hold all of it for so long from the start.
    """

    call_s: float = 0.5
    timeout_s: float = 10.0
    visibility_timeout_s: float = 60.0
    max_receive_count: int | None = 5
    reserved_concurrency: int | None = None
    blocked_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of the events of one run.

    Attributes
    ----------
    told : int
        Events whose caller was answered with an error.
    done : int
        Events whose work was done in the end; `slowest_s` is the longest time that it took.
    aside : int
        Events that lie in a dead-letter queue.
    lost : int
        Events that nobody holds any more although the caller was told that all was well.
    runs, refused : int
        Invocations that ran, and tries that were throttled.
    """

    events: int
    told: int
    done: int
    aside: int
    lost: int
    runs: int
    refused: int
    slowest_s: float
    trace: Trace


def run_way(
    way: str,
    workload: Workload,
    fault: Fault | None = None,
    setting: Setting | None = None,
    *,
    duration_s: float,
    seed: int = 1,
) -> Outcome:
    """Feed the workload to the handler in one of the `WAYS`, the queue in batches of one.

    Raises
    ------
    ValueError
        If the way is unknown.
    """
    if way not in WAYS:
        raise ValueError(f"way={way!r} is none of {', '.join(WAYS)}")
    setting = setting or Setting()
    sim = Simulation(seed, faults={PROVIDER: fault or Fault()})
    Provider(sim, PROVIDER, mean_ms=1000 * setting.call_s)
    done_s: dict[int, float] = {}

    def work(order: int, context: Context) -> Steps:
        if order == BLOCKED:
            yield context.wait(HELD_S)
            return
        yield context.call(PROVIDER, entity=order)
        done_s.setdefault(order, sim.now_s)

    def consume(messages: Sequence[Message], context: Context) -> Steps:
        for message in messages:
            yield from work(message.body, context)

    def handler(event: Any, context: Context) -> Steps:
        return work(event, context) if isinstance(event, int) else consume(event, context)

    function = Function(
        sim, "SendEmail", handler, timeout_s=setting.timeout_s, memory_mb=512,
        reserved_concurrency=setting.reserved_concurrency,
    )  # fmt: skip
    target: Component = function
    events = queue = None
    if way == "asynchronous":
        target = events = AsyncInvoke(sim, function)
    elif way == "queue":
        target = queue = Queue(
            sim, "emails", visibility_timeout_s=setting.visibility_timeout_s,
            max_receive_count=setting.max_receive_count,
        )  # fmt: skip
        EventSourceMapping(sim, queue, function, batch_size=1, report_batch_item_failures=False)

    def hold(_: Event | None) -> None:
        if sim.now_s < setting.blocked_s:
            function.invoke(BLOCKED, Caller(-1, -1)).callbacks.append(hold)

    for _ in range(setting.reserved_concurrency or 0):
        hold(None)
    trace = sim.run(workload >> target, duration_s=duration_s)
    start_s = dict(zip(trace.requests.id, trace.requests.start_s, strict=True))
    good = {"ok", "accepted"}
    told = sum(n for outcome, n in trace.requests.outcomes().items() if outcome not in good)
    aside = len(queue.dead_letters) if queue is not None else 0
    return Outcome(
        events=len(trace.requests),
        told=told,
        done=len(done_s),
        aside=aside,
        lost=events.lost if events is not None else 0,
        runs=function.invocations,
        refused=function.throttled,
        slowest_s=max((end - start_s[one] for one, end in done_s.items()), default=0.0),
        trace=trace,
    )


@dataclass(frozen=True)
class Situation:
    """One thing that goes wrong: what it is called, the fault and the setting."""

    name: str
    fault: Fault
    setting: Setting


def situations(
    failure: float = 0.01, down_s: float = 600.0, blocked: int = 20
) -> tuple[Situation, ...]:
    """The rows of the table of outcomes.

    Parameters
    ----------
    failure : float
        Share of the provider's calls that fail by chance.
    down_s : float
        How long the provider is down, and how long the function is throttled.
    blocked : int
        The function's reserved concurrency where others hold all of it.
    """
    plain = Setting()
    held = Setting(reserved_concurrency=blocked, blocked_s=down_s)
    return (
        Situation("calls fail by chance", Fault(error_rate=failure), plain),
        Situation("a poison event", Fault(error_rate=1.0), plain),
        Situation("provider down", Fault(outages=((0.0, down_s),)), plain),
        Situation("throttled", Fault(), held),
    )


@experiment("lambda-invocation")
def powers(
    failure: Annotated[float, Slider(0.05, 0.95)] = 0.6,
    events: Annotated[int, Slider(200, 50_000, log=True)] = 800,
    seed: int = 1,
) -> Result:
    """Share of events lost when calls fail independently: 1, 3 and 5 attempts, with theory."""
    attempts = dict(zip(WAYS, (1, 3, 5), strict=True))
    shares = [failure / 2, failure]
    roles: dict[str, Role] = dict(zip(WAYS, ("coupled", "decoupled", "fifth"), strict=True))
    series = []
    numbers = {}
    for way in WAYS:
        x: list[float] = []
        found = []
        for share in shares:
            got = run_way(
                way, Poisson(20.0), Fault(error_rate=share), duration_s=events / 20, seed=seed
            )
            x.append(100 * share)
            found.append(share_interval(got.events - got.done, got.events))
            numbers[f"{way} at {share:g}"] = Number(
                found[-1].mean, "", found[-1].low, found[-1].high
            )
            numbers[f"{way} at {share:g}, theory"] = Number(retry_failure(share, attempts[way]))
        theory = [100 * retry_failure(share, attempts[way]) for share in shares]
        series.append(Series("", x, theory, "line", "theory"))
        series.append(
            Series(
                way, x, [100 * f.mean for f in found], "points", roles[way],
                [100 * f.low for f in found], [100 * f.high for f in found],
            )
        )  # fmt: skip
    return Result(
        Axis("calls that fail", "%"), Axis("events not done", "%", log=True), tuple(series), numbers
    )


def covered_s(way: str, setting: Setting, fails_after_s: float) -> float:
    """How long an outage the last attempt outlasts: from the first attempt's begin to the last's.

    Retries after 1 and 2 minutes follow the end of an attempt, deliveries of a queue its begin.

    Examples
    --------
    >>> setting = Setting(visibility_timeout_s=60.0, max_receive_count=5)
    >>> [covered_s(way, setting, fails_after_s=0.5) for way in WAYS]
    [0.0, 181.0, 240.0]
    """
    if way == "asynchronous":
        waits_s = fact("lambda.async.retry")["waits_s"]
        return float(sum(waits_s)) + len(waits_s) * fails_after_s
    if way == "queue":
        return ((setting.max_receive_count or 1) - 1) * setting.visibility_timeout_s
    return 0.0


@experiment("lambda-invocation")
def outages(
    longest_min: Annotated[float, Slider(5, 60)] = 16.0,
    visibility_timeout_s: Annotated[float, Slider(30, 600)] = 60.0,
    rate_per_s: Annotated[float, Slider(0.1, 10, log=True)] = 0.5,
    seed: int = 1,
) -> Result:
    """Share of an outage's events that are never done, by its length; theory beside it.

    An event is not done when all its attempts fall into the outage: max(0, 1 - span / length).
    """
    setting = Setting(visibility_timeout_s=visibility_timeout_s)
    roles: dict[str, Role] = dict(zip(WAYS, ("coupled", "decoupled", "fifth"), strict=True))
    lengths_s = [60.0 * longest_min * k / 8 for k in range(1, 9)]
    series = []
    numbers = {}
    for way in WAYS:
        span_s = covered_s(way, setting, setting.call_s)
        fine = [60.0 * longest_min * k / 64 for k in range(1, 65)]
        line = [100 * max(0.0, 1 - span_s / length_s) for length_s in fine]
        series.append(Series("", [s / 60 for s in fine], line, "line", "theory"))
        found = []
        for length_s in lengths_s:
            got = run_way(
                way, Poisson(rate_per_s), Fault(outages=((0.0, length_s),)), setting,
                duration_s=length_s, seed=seed,
            )  # fmt: skip
            found.append(share_interval(got.events - got.done, got.events))
        series.append(
            Series(
                way, [s / 60 for s in lengths_s], [100 * f.mean for f in found], "points",
                roles[way], [100 * f.low for f in found], [100 * f.high for f in found],
            )
        )  # fmt: skip
        numbers[f"{way}: outlasts"] = Number(span_s, "s")
        for length_s, one in zip(lengths_s, found, strict=True):
            numbers[f"{way} at {length_s / 60:g} min"] = Number(one.mean, "", one.low, one.high)
    return Result(
        Axis("length of the outage", "min"), Axis("events not done", "%"), tuple(series), numbers
    )


@dataclass(frozen=True)
class Attempt:
    """One attempt of the timeline: when it began and ended, and whether it succeeded."""

    start_s: float
    end_s: float
    is_good: bool


def attempts(way: str, down_s: float = 100.0, seed: int = 1) -> tuple[list[Attempt], float]:
    """One event that arrives while the provider hangs: its attempts, and when it was done.

    The provider gives no answer to calls that begin before `down_s`, so that they time out.
    """
    setting = Setting(call_s=2.0)
    hung = Fault(outages=((0.0, down_s),), fails_after_s=3600.0)
    got = run_way(way, Recorded((0.0,)), hung, setting, duration_s=1.0, seed=seed)
    rows = got.trace.spans_of("SendEmail")
    tries = [Attempt(row.start_s, row.end_s, row.outcome == "ok") for row in rows]
    return tries, max((one.end_s for one in tries if one.is_good), default=float("nan"))
