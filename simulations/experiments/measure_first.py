"""Queues by formula and by simulation: the experiments of the chapter "measure first".

One server's waits come from Lindley's recursion, the smallest simulation there is; the
library's own parts (a function with one database connection, a queue with two consumers, a
function with a concurrency limit) stand beside the same formulas in `checks`.

May import: the standard library, SimPy and the rooms above `experiments/`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Annotated, Any, NamedTuple

from simulations import (
    Constant,
    EventSourceMapping,
    Exponential,
    Function,
    Lognormal,
    Poisson,
    Provider,
    Queue,
    Simulation,
)
from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.stats import (
    Interval,
    Verdict,
    batch_means,
    difference,
    mean,
    mean_interval,
    mser5,
    paired_difference,
    pairing_saving,
    quantile,
    runs_needed,
    variance,
)
from simulations.theory import (
    erlang_b,
    erlang_c,
    mg1_wait,
    mm1,
    mm1_response_quantile,
    mmc,
)
from simulations.workload import Distribution

#: Coefficient of variation of the service time: its name, its distribution (mean 1).
SERVICE: dict[float, Distribution] = {
    0: Constant(1.0),
    1: Exponential(1.0),
    2: Lognormal(1.0, 2.0),
}
UTILIZATIONS = (0.3, 0.5, 0.7, 0.8, 0.9)
#: The tests repeat `checks` with runs so many times as long.
LONGER = 6
#: The connection of the library's run in the figure.
LIBRARY_UTILIZATION, LIBRARY_CV = 0.85, 1.0


def single_server_waits(
    utilization: float,
    service: Distribution,
    requests: int,
    seed: str,
    *,
    speed_up: float = 1.0,
    first_wait: float = 0.0,
) -> list[float]:
    """Return the waits of one server's customers in order, in mean service times.

    Lindley's recursion: the next one waits as long as I do, plus my service, less the gap
    between us, and never less than nothing. Gaps and services have a random stream each, so a
    server that is `speed_up` times faster meets the very same customers.
    """
    gap, work = Random(f"{seed} gaps").random, Random(f"{seed} services").random
    time_for, log1p, factor = service.quantile, math.log1p, 1 / speed_up
    wait, waits = first_wait, []
    for _ in range(requests):
        waits.append(wait)
        wait += time_for(work()) * factor + log1p(-gap()) / utilization
        if wait < 0:
            wait = 0.0
    return waits


def settled(values: Sequence[float]) -> Sequence[float]:
    """Return the values after the warm-up, which MSER-5 finds."""
    return values[mser5(values) :]


def replicated(
    utilization: float, service: Distribution, requests: int, replications: int, seed: int
) -> Interval:
    """Return the mean wait over independent replications, the warm-up of each removed."""
    return mean_interval(
        [
            mean(settled(single_server_waits(utilization, service, requests, f"{seed} run {run}")))
            for run in range(replications)
        ]
    )


class ConnectionRun(NamedTuple):
    """One run of a function whose calls share one database connection."""

    wait: float
    """Mean wait for the connection, in mean service times."""
    integral: float
    """Mean number of running invocations, integrated by the engine."""
    rate_times_time: float
    """Arrival rate times mean latency, from the requests."""


def one_connection(utilization: float, cv: float, duration_s: float, seed: int) -> ConnectionRun:
    """Run the library's own parts as a single-server queue: calls of 1 s on one connection."""

    def query(_: int, context: Any) -> Iterator[Any]:
        yield context.call("database")

    sim = Simulation(seed=seed)
    Provider(sim, "database", mean_ms=1000, cv=cv, connections=1)
    function = Function(sim, "Query", query, timeout_s=900)
    trace = sim.run(Poisson(rate_per_s=utilization) >> function, duration_s=duration_s)
    latency = trace.requests.latency_s
    spans, call = trace.spans, trace.code("call")
    waits = [
        start - asked
        for asked, start, operation in zip(
            spans.queued_s, spans.start_s, spans.operation, strict=True
        )
        if operation == call
    ]
    return ConnectionRun(
        wait=mean(settled(waits)),
        integral=trace.mean_in("Query"),
        rate_times_time=len(latency) / duration_s * latency.mean(),
    )


@experiment("measure-first")
def waiting_time(
    requests: Annotated[int, Slider(1_000, 100_000, log=True)] = 15_000,
    replications: Annotated[int, Slider(2, 30)] = 10,
    seed: int = 1,
) -> Iterator[Result]:
    """Mean wait against utilization for constant, exponential and lognormal service."""
    x = Axis("utilization", "%")
    y = Axis("mean wait", "service times")
    series: list[Series] = []
    numbers: dict[str, Number] = {}
    grid = [k / 100 for k in range(2, 96)]
    for cv in SERVICE:
        curve = [mg1_wait(u, 1.0, cv * cv) for u in grid]
        series.append(Series(f"cv {cv:g}", [100 * u for u in grid], curve, role="theory"))
    for utilization in (0.5, 0.9, 0.95):
        numbers[f"theory at {utilization:g}"] = Number(mm1(utilization, 1).wait_s, "service times")
    runs = [
        one_connection(LIBRARY_UTILIZATION, LIBRARY_CV, 4_000, seed + 100 * run) for run in range(8)
    ]
    library = mean_interval([run.wait for run in runs])
    ratio = mean_interval([run.integral / run.rate_times_time for run in runs])
    numbers["library"] = Number(library.mean, "service times", library.low, library.high)
    numbers["little"] = Number(ratio.mean, "", ratio.low, ratio.high)
    series.append(_points("engine", [LIBRARY_UTILIZATION], [library], role="decoupled"))
    at: list[float] = []
    found: list[Interval] = []
    for cv, service in SERVICE.items():
        for u in UTILIZATIONS:
            interval = replicated(u, service, requests, replications, seed)
            at.append(u)
            found.append(interval)
            numbers[f"cv {cv:g} at {u:g}"] = Number(
                interval.mean, "service times", interval.low, interval.high
            )
        yield Result(x, y, (*series, _points("", at, found)), dict(numbers))


def _points(
    name: str, utilizations: Sequence[float], found: Sequence[Interval], role: Any = "plain"
) -> Series:
    return Series(
        name,
        [100 * u for u in utilizations],
        [i.mean for i in found],
        kind="points",
        role=role,
        low=[i.low for i in found],
        high=[i.high for i in found],
    )


class Check(NamedTuple):
    """One formula beside one simulation."""

    formula: str
    ran: str
    quantity: str
    theory: float
    simulated: Interval
    margin: float

    @property
    def verdict(self) -> Verdict:
        """Pass, inconclusive or fail (`Interval.within`)."""
        return self.simulated.within(self.theory, self.margin)


def consumers(rate_per_s: float, servers: int, duration_s: float, seed: int) -> list[float]:
    """Return the waits in a queue that `servers` consumers empty, one message at a time."""

    def work(messages: list[Any], context: Any) -> Iterator[Any]:
        u = context.draw("service", messages[0].request)
        yield context.wait(-math.log1p(-u))

    sim = Simulation(seed=seed)
    function = Function(sim, "Work", work, timeout_s=900)
    queue = Queue(sim, "jobs", visibility_timeout_s=900)
    EventSourceMapping(sim, queue, function, batch_size=1, maximum_concurrency=servers)
    trace = sim.run(Poisson(rate_per_s) >> queue, duration_s=duration_s)
    spans, message = trace.spans, trace.code("message")
    by_arrival = sorted(
        (sent, received - sent)
        for sent, received, operation in zip(
            spans.queued_s, spans.start_s, spans.operation, strict=True
        )
        if operation == message
    )
    return [wait for _, wait in by_arrival]


def throttled(
    rate_per_s: float, limit: int, service: Distribution, duration_s: float, seed: int
) -> list[float]:
    """Return 1 for each throttled and 0 for each served call of a function, in order."""

    def work(request: int, context: Any) -> Iterator[Any]:
        yield context.wait(service.quantile(context.draw("service", request)))

    sim = Simulation(seed=seed)
    function = Function(sim, "Limited", work, timeout_s=900, reserved_concurrency=limit)
    trace = sim.run(Poisson(rate_per_s) >> function, duration_s=duration_s)
    refused = trace.code("throttled")
    rows = sorted(zip(trace.requests.start_s, trace.requests.outcome, strict=True))
    return [float(outcome == refused) for _, outcome in rows]


def _from_batches(values: Sequence[float]) -> Interval:
    return mean_interval(batch_means(settled(values), batches=20))


def checks(seed: int = 1, scale: float = 1.0) -> list[Check]:
    """Hold queues, consumers and concurrency limits of the library against their formulas.

    `scale` lengthens every run; the intervals shrink with its square root.
    """
    line = _from_batches(single_server_waits(0.8, SERVICE[1], int(400_000 * scale), f"{seed} long"))
    wild = replicated(0.9, SERVICE[2], int(15_000 * scale), 10, seed)
    runs = [one_connection(0.5, 0.5, 8_000 * scale, seed + 1000 * (run + 1)) for run in range(10)]
    waits = consumers(1.0, 2, 40_000 * scale, seed)
    rows = [
        Check(
            "Little", "function, one connection", "number inside / (rate × time)", 1.0,
            mean_interval([run.integral / run.rate_times_time for run in runs]), 0.02,
        ),
        Check("M/M/1", "recursion, 80\u202f% busy", "mean wait", mm1(0.8, 1).wait_s, line, 0.05),
        Check(
            "M/G/1", "function, one connection, cv 0.5, 50\u202f% busy", "mean wait",
            mg1_wait(0.5, 1.0, 0.25), mean_interval([run.wait for run in runs]), 0.05,
        ),
        Check(
            "M/G/1", "recursion, cv 2, 90\u202f% busy", "mean wait", mg1_wait(0.9, 1.0, 4), wild, 0.05
        ),
        Check(
            "Erlang C", "queue, 2 consumers, load 1", "share that waits", erlang_c(1, 2),
            _from_batches([float(wait > 0) for wait in waits]), 0.05,
        ),
        Check(
            "M/M/c", "queue, 2 consumers, load 1", "mean wait", mmc(1, 1, 2).wait_s,
            _from_batches(waits), 0.05,
        ),
    ]  # fmt: skip
    for name, service in (("exponential", SERVICE[1]), ("constant", SERVICE[0])):
        refused = throttled(4, 5, service, 8_000 * scale, seed)
        rows.append(
            Check(
                "Erlang B", f"function, limit 5, load 4, {name}", "share throttled",
                erlang_b(4, 5), _from_batches(refused), 0.05,
            )
        )  # fmt: skip
    return rows


@experiment("measure-first")
def pairing(
    requests: Annotated[int, Slider(500, 20_000, log=True)] = 2_000,
    runs: Annotated[int, Slider(5, 100)] = 30,
    faster: Annotated[float, Slider(1.005, 1.5)] = 1.02,
    seed: int = 1,
) -> Result:
    """One server against one that is a little faster, with and without the same customers."""
    utilization, service = 0.8, SERVICE[1]

    def once(name: str, speed_up: float) -> list[float]:
        return [
            mean(
                single_server_waits(
                    utilization, service, requests, f"{seed} {name} {run}", speed_up=speed_up
                )
            )
            for run in range(runs)
        ]

    slow, fast, others = once("pair", 1.0), once("pair", faster), once("other", faster)
    together, apart = paired_difference(slow, fast), difference(slow, others)
    exact = mg1_wait(utilization, 1, 1) - mg1_wait(utilization, 1 / faster, 1)
    pairs = [a - b for a, b in zip(slow, fast, strict=True)]
    sd_apart = math.sqrt(variance(slow) + variance(others))
    unit = "service times"
    return Result(
        Axis("random numbers"),
        Axis("wait saved", unit),
        (
            Series(
                "", ["separate", "common"], [apart.mean, together.mean],
                kind="points", role="decoupled",
                low=[apart.low, together.low], high=[apart.high, together.high],
            ),
        ),
        {
            "paired": Number(together.mean, unit, together.low, together.high),
            "unpaired": Number(apart.mean, unit, apart.low, apart.high),
            "theory": Number(exact, unit),
            "saving": Number(pairing_saving(slow, fast), "times"),
            "runs unpaired": Number(runs_needed(sd_apart, exact), "runs"),
            "runs paired": Number(runs_needed(math.sqrt(variance(pairs)), exact), "runs"),
        },
    )  # fmt: skip


def habits(seed: int = 1) -> dict[str, float]:
    """Return what goes wrong with single runs, with the start, and with averaged percentiles."""
    busy, service = 0.9, SERVICE[1]

    def many(make: Callable[[int], float], runs: int) -> list[float]:
        return [make(run) for run in range(runs)]

    short = many(
        lambda run: mean(single_server_waits(busy, service, 1_000, f"{seed} short {run}")), 200
    )
    from_empty = mean_interval(short)
    after_outage = [
        single_server_waits(0.8, service, 10_000, f"{seed} outage {run}", first_wait=300)
        for run in range(10)
    ]
    # M/M/1 with 10 served a second, 8 arriving: one window is a minute of 480 requests.
    waits = single_server_waits(0.8, service, 240_000, f"{seed} windows")
    own = Random(f"{seed} own services").random
    response_s = [0.1 * (wait + service.quantile(own())) for wait in waits]
    windows = [response_s[k : k + 480] for k in range(0, len(response_s), 480)]
    return {
        "single low": min(short[:20]),
        "single high": max(short[:20]),
        "from empty runs": len(short),
        "from empty low": from_empty.low,
        "from empty high": from_empty.high,
        "theory busy": mm1(busy, 1).wait_s,
        "raw": mean([mean(run) for run in after_outage]),
        "trimmed": mean([mean(settled(run)) for run in after_outage]),
        "dropped": mean([mser5(run) for run in after_outage]),
        "theory outage": mm1(0.8, 1).wait_s,
        "windows": len(windows),
        "averaged p99": mean([quantile(window, 0.99) for window in windows]),
        "p99": mm1_response_quantile(8, 10, 0.99),
    }
