"""Measure the life of execution environments with real processes: ``make measure NAME=lambda_anatomy``.

Twenty invocations in three environments, with the same work outside the handler, inside it, and
behind an import; a background thread; what is left after each way to end. May import: the standard
library and `simulations`.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from simulations.aws.runtime import LocalRuntime, Outcome

HANDLERS = Path(__file__).resolve().parents[2] / "book" / "lambda" / "handlers" / "anatomy"
#: Calls that overlap, one group after another: twenty in all, never more than three at once.
WAVES = (1, 2, 1, 1, 3, 1, 2, 1, 3, 1, 1, 2, 1)
#: From one call of a group to the next, so that they also end one after another.
APART_S = 0.08
PAUSE_S = 0.25
#: What the handlers' pauses last.
LOAD_S, WORK_S = 0.4, 0.25


def runtime(handler: str, **options: Any) -> LocalRuntime:
    """Start a runtime on one of the handlers."""
    return LocalRuntime(f"{handler}.handle", task_root=HANDLERS, **options)


def waves(function: LocalRuntime) -> list[Outcome]:
    """Send the groups, each when the one before has been served."""
    outcomes: list[Outcome] = []
    for size in WAVES:
        sent: list[Future[Outcome]] = []
        for _ in range(size):
            sent.append(function.submit({"item": "book"}))
            time.sleep(APART_S)
        outcomes += [one.result() for one in sent]
        time.sleep(PAUSE_S)
    return outcomes


def told(outcome: Outcome) -> dict[str, Any]:
    """What the record keeps of one invocation; times in seconds from the first call."""
    report = outcome.report
    return {
        "environment": outcome.environment,
        "cold": outcome.cold,
        "start_s": round(outcome.start_s, 4),
        "init_s": round(outcome.init_s, 4),
        "end_s": round(outcome.end_s, 4),
        "duration_ms": report.duration_ms,
        "init_ms": report.init_ms,
        "billed_ms": report.billed_ms,
        "loads": sum(line == "load" for line in outcome.log),
    }


def variant(handler: str) -> dict[str, Any]:
    """Run the twenty invocations with one handler."""
    with runtime(handler) as function:
        outcomes = waves(function)
        made = function.environments
    return {
        "environments": made,
        "loads": sum(line == "load" for one in outcomes for line in one.log),
        "billed_ms": sum(one.report.billed_ms for one in outcomes),
        "calls": [told(one) for one in outcomes],
        "first_log": list(outcomes[0].log),
        "second_log": list(outcomes[1].log),
    }


def boot() -> dict[str, Any]:
    """INIT of a handler with nothing in it: interpreter and bootstrap."""
    init_ms, warm_ms = [], []
    for _ in range(9):
        with runtime("empty") as function:
            init_ms.append(function.invoke({}).report.init_ms or 0.0)
            warm_ms.append(function.invoke({}).report.duration_ms)
    return {"init_ms": sorted(init_ms), "warm_ms": sorted(warm_ms)}


def thread() -> dict[str, Any]:
    """When a background thread ran, over three invocations with pauses between."""
    with runtime("thread") as function:
        began_s = time.perf_counter()
        spans = []
        for pause_s in (1.0, 0.6, 0.0):
            sent_s = time.perf_counter() - began_s
            ticks = function.invoke({"work_s": 0.3}).payload
            spans.append([round(sent_s, 4), round(time.perf_counter() - began_s, 4)])
            time.sleep(pause_s)
    return {"invocations_s": spans, "ticks_s": [round(tick - began_s, 4) for tick in ticks]}


def left_after(ending: str) -> dict[str, Any]:
    """What the call after one that ended in this way still finds."""
    with runtime("marks", timeout_s=2) as function:
        if ending == "overlap":
            both = [function.submit(ending), function.submit(ending)]
            before, after = (one.result() for one in both)
            trouble = before
        else:
            before = function.invoke("look")
            trouble = function.invoke(ending)
            after = function.invoke("look")
    return {
        "error": trouble.error,
        "status": trouble.report.status,
        "reported_type": trouble.report.error_type,
        "variable": after.payload["variable"],
        "file": after.payload["file"],
        "same_process": after.payload["process"] == before.payload["process"],
        "cold": after.cold,
        "init_reported": after.report.init_ms is not None,
    }


def measure() -> dict[str, Any]:
    """Measure all of it."""
    return {
        "load_s": LOAD_S,
        "work_s": WORK_S,
        "memory_mb": 128,
        "note": "pauses stand for loading and for work; a local runtime with real processes, "
        "no isolation and no share of a processor by memory",
        "variants": {name: variant(name) for name in ("outside", "inside", "importing")},
        "boot": boot(),
        "thread": thread(),
        "left": {name: left_after(name) for name in ("look", "raise", "hang", "eat", "overlap")},
    }
