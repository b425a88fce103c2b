"""The shortest model of the book, one queue and one function: the chapter "how to run".

The page shows the same model in full; this file makes it an experiment, so that it can be
swept, drawn and tested.

May import: the standard library, SimPy and the rooms above `experiments/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from simulations import (
    EventSourceMapping,
    Function,
    Poisson,
    Queue,
    Simulation,
    Trace,
)
from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.stats import mean, quantile


def smallest_model(rate_per_s: float, compute_ms: float, duration_s: float, seed: int) -> Trace:
    """Return the trace of one queue, two consumers and one function."""

    def work(messages: list[Any], context: Any) -> Iterator[Any]:
        yield context.compute(ms=compute_ms)

    sim = Simulation(seed=seed)
    function = Function(sim, "Work", work, memory_mb=512, init_s=0.3)
    queue = Queue(sim, "jobs", visibility_timeout_s=30)
    EventSourceMapping(sim, queue, function, batch_size=1, maximum_concurrency=2)
    return sim.run(Poisson(rate_per_s) >> queue, duration_s=duration_s)


def times_in_system(trace: Trace) -> list[float]:
    """Return the seconds from sending to deletion of every message."""
    return [row.end_s - row.queued_s for row in trace.spans_of("jobs", "message")]


@experiment("how-to-run")
def smallest(
    rate_per_s: Annotated[float, Slider(0.5, 9.5)] = 8,
    compute_ms: Annotated[float, Slider(20, 240)] = 200,
    duration_s: Annotated[float, Slider(60, 3600, log=True)] = 600,
    seed: int = 7,
) -> Result:
    """How long messages take from sending to done, as the share done within a time."""
    trace = smallest_model(rate_per_s, compute_ms, duration_s, seed)
    times = sorted(times_in_system(trace))
    steps = [quantile(times, k / 100) for k in range(1, 101)]
    return Result(
        Axis("time from sending to done", "s"),
        Axis("messages done", "%"),
        (Series("messages", steps, list(range(1, 101)), kind="step", role="decoupled"),),
        {
            "messages": Number(len(times)),
            "cold starts": Number(sum(row.init_s > 0 for row in trace.spans_of("Work", "invoke"))),
            "mean time": Number(mean(times), "s"),
            "p99": Number(quantile(times, 0.99), "s"),
            "in the queue": Number(trace.mean_in("jobs")),
            "busy": Number(trace.mean_in("Work") / 2),
        },
    )
