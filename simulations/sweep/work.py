"""What a worker does: one run, found by module and name, answered in plain values.

An error of the experiment comes back as text, since not every exception survives the way from
process to process. May import: the standard library and this room.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Mapping
from multiprocessing import connection, parent_process
from typing import Any, NamedTuple

from simulations.sweep.kept import Numbers
from simulations.sweep.plan import find
from simulations.sweep.sources import known_digest


class Task(NamedTuple):
    """One run."""

    point: int
    replication: int
    seed: int


class Answer(NamedTuple):
    """The numbers of a run, or why there are none."""

    numbers: Numbers
    error: str = ""
    trace: str = ""


def work(module: str, name: str, digest: str, parameters: Mapping[str, Any], seed: int) -> Answer:
    """Run an experiment once; refuse where this worker has other sources than the caller."""
    try:
        if known_digest(module) != digest:
            return Answer({}, "this worker has other sources or versions than the caller")
        result = find(module, name)(**parameters, seed=seed)
        numbers = {
            key: [one.value, one.unit, one.low, one.high] for key, one in result.numbers.items()
        }
        if not numbers:
            return Answer({}, "the experiment's result names no numbers")
    except Exception as error:
        said = str(error) or "no message"
        return Answer({}, f"{type(error).__name__}: {said}", traceback.format_exc())
    return Answer(numbers)


def end_with_parent() -> None:
    """Make this process end when its parent is killed; else it would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
