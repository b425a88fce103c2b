"""Experiments of the chapter *anatomy*: twenty real invocations, their bill, and the model's.

The record was measured by `site/scripts/measure_lambda_anatomy.py` with real processes. May import:
the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.experiments.records import record
from simulations.pricing.billed import billed_ms
from simulations.services import Context, Function
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import quantile
from simulations.workload import Recorded


@dataclass(frozen=True)
class Stay:
    """One environment of the record: when INIT ran, and from when to when each invocation."""

    init_s: tuple[float, float]
    calls_s: tuple[tuple[float, float], ...]


def stays(variant: str = "outside") -> tuple[Stay, ...]:
    """The environments of a recorded run in order of creation; times in seconds.

    Examples
    --------
    >>> [len(stay.calls_s) for stay in stays()]
    [6, 8, 6]
    """
    calls = record("lambda_anatomy")["variants"][variant]["calls"]
    found = []
    for number in sorted({call["environment"] for call in calls}):
        own = [call for call in calls if call["environment"] == number]
        begun = own[0]["start_s"]
        served = tuple((c["start_s"] + c["init_s"], c["end_s"]) for c in own)
        found.append(Stay((begun, begun + own[0]["init_s"]), served))
    return tuple(found)


def boot_s() -> float:
    """Median time that a process needs before it asks for its first event, nothing loaded (s)."""
    return float(quantile(record("lambda_anatomy")["boot"]["init_ms"], 0.5)) / 1000


def predicted_ms(variant: str) -> float:
    """Billed time of the recorded run, from counting alone: what runs how often, times how long.

    Rounding up adds half a millisecond an invocation on average.

    Raises
    ------
    KeyError
        If there is no such variant.
    """
    kept: dict[str, Any] = record("lambda_anatomy")
    run = kept["variants"][variant]
    calls = len(run["calls"])
    loads = calls if variant == "inside" else run["environments"]
    seconds = run["environments"] * boot_s() + loads * kept["load_s"] + calls * kept["work_s"]
    return float(1000 * seconds + calls / 2)


def modeled(variant: str = "outside") -> list[tuple[int, bool]]:
    """Environment and coldness of each recorded call, by the model that the other chapters use.

    The calls arrive when they did; INIT and handler last as long as they were told to.

    Examples
    --------
    >>> calls = record("lambda_anatomy")["variants"]["outside"]["calls"]
    >>> modeled() == [(call["environment"], call["cold"]) for call in calls]
    True
    """
    kept = record("lambda_anatomy")
    calls = kept["variants"][variant]["calls"]
    inside_s = kept["work_s"] + (kept["load_s"] if variant == "inside" else 0.0)
    outside_s = boot_s() + (kept["load_s"] if variant == "outside" else 0.0)

    def handler(number: int, context: Context) -> Steps:
        yield context.wait(inside_s)

    sim = Simulation(seed=0)
    function = Function(sim, "Price", handler, init_s=outside_s)
    at_s = [call["start_s"] for call in calls]
    trace = sim.run(Recorded(at_s) >> function, duration_s=at_s[-1] + 1)
    spans = sorted(trace.spans_of("Price", "invoke"), key=lambda span: span.queued_s)
    order: dict[int, int] = {}
    found = []
    for span in spans:
        cold = span.environment not in order
        found.append((order.setdefault(span.environment, len(order) + 1), cold))
    return found


@experiment("lambda-anatomy")
def billed_per_call(
    load_s: Annotated[float, Slider(0.01, 10, log=True)] = 0.4,
    work_s: Annotated[float, Slider(0.01, 10, log=True)] = 0.25,
    start_s: Annotated[float, Slider(0.0, 2.0)] = 0.1,
) -> Result:
    """Billed time per invocation against the invocations that an environment serves.

    `start_s` is what INIT takes without loading. Numbers: "saved at N", the share of the billed
    time that loading outside saves when an environment serves N invocations.
    """
    served = [10 ** (k / 8) for k in range(25)]
    outside = [work_s + (start_s + load_s) / n for n in served]
    inside = [work_s + load_s + start_s / n for n in served]
    numbers = {}
    for n in (1, 3, 10, 100, 1000):
        cost = work_s + load_s + start_s / n
        numbers[f"saved at {n}"] = Number((load_s - load_s / n) / cost)
    lines: tuple[tuple[str, list[float], Role], ...] = (
        ("inside", inside, "coupled"),
        ("outside", outside, "decoupled"),
    )
    series = tuple(
        Series(name, served, [billed_ms(1000 * y) for y in values], "line", role, label_at=30.0)
        for name, values, role in lines
    )
    return Result(
        Axis("invocations per environment", log=True),
        Axis("billed per call", "ms"),
        series,
        numbers,
    )


def _columns(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


@experiment("lambda-anatomy")
def thread_ticks() -> Result:
    """Ticks of a background thread against time, from the record.

    Numbers: ticks while an invocation ran and in between, and how long these were together.
    """
    kept = record("lambda_anatomy")["thread"]
    spans, ticks = kept["invocations_s"], kept["ticks_s"]
    during = sum(any(a <= t <= b for a, b in spans) for t in ticks)
    running = math.fsum(b - a for a, b in spans)
    frozen = spans[-1][1] - spans[0][0] - running
    # A gap in a line is a point without a value.
    invoked: list[tuple[float, float]] = []
    rested: list[tuple[float, float]] = []
    for begin, end in spans:
        if invoked:
            before, level = invoked[-1]
            rested += [(before, level), (begin, level), (begin, math.nan)]
            invoked.append((begin, math.nan))
            invoked.append((begin, level))
        invoked += [(t, n + 1.0) for n, t in enumerate(ticks) if begin <= t <= end]
    series = (
        Series("invoked", *_columns(invoked), "line", "plain", label_at=0.3),
        Series("frozen", *_columns(rested), "line", "decoupled", label_at=0.9),
    )
    gaps = sorted(b - a for a, b in pairwise(ticks))
    return Result(
        Axis("time", "s"),
        Axis("ticks of the thread"),
        series,
        {
            "ticks while invoked": Number(during),
            "ticks while frozen": Number(len(ticks) - during),
            "invoked": Number(running, "s"),
            "frozen": Number(frozen, "s"),
            "tick": Number(quantile(gaps, 0.5), "s"),
        },
    )
