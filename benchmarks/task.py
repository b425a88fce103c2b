"""The task that every tool is given, and how one run of a tool is timed.

Poisson requests to one function with a pool of execution environments: an idle environment
serves next, else a new one starts cold; an environment idle for the keep-alive ends. May import:
the standard library, since it runs in the peers' environment and in the project's.
"""

from __future__ import annotations

import contextlib
import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

WARM_S = 1.991
COLD_S = 2.244
KEEP_ALIVE_S = 600.0


class Count(NamedTuple):
    """What a run counted."""

    requests: int
    cold: int


#: Arrival rate (1/s), horizon (s) and seed; the run is what is timed.
Tool = Callable[[float, float, int], Count]


def forget_peak() -> None:
    """Begin to look for the peak of memory from here, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """Return the most memory that this process has used, since `forget_peak` on Linux."""
    status = Path("/proc/self/status")
    # Linux counts into ru_maxrss what the process that started this one took.
    if status.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def timed(tool: Tool, rate_per_s: float, requests: int, repeats: int) -> dict[str, Any]:
    """Run a tool a few times; return the counts of the first run and the shortest time.

    Processor time, not wall time: others may be at work on the machine.
    """
    tool(rate_per_s, 50 / rate_per_s, 0)  # imports, and compiles where there is something to
    forget_peak()
    before = peak_bytes()
    counts: list[Count] = []
    took_s = []
    for seed in range(1, repeats + 1):
        started_s = time.process_time()
        counts.append(tool(rate_per_s, requests / rate_per_s, seed))
        took_s.append((time.process_time() - started_s) / counts[-1].requests)
    return {
        "requests": counts[0].requests,
        "cold": counts[0].cold,
        "ns": min(took_s) * 1e9,
        "repeats": repeats,
        "memory_bytes": peak_bytes() - before,
    }


def answer(tools: dict[str, Tool], arguments: list[str]) -> None:
    """Run the tool that the command line names and print what was found as JSON."""
    name, rate_per_s, requests, repeats = arguments
    found = timed(tools[name], float(rate_per_s), int(requests), int(repeats))
    print(json.dumps(found))
