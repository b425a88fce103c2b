"""Power tuning on this machine: real handlers under the processor share of each memory size.

Each handler runs in a process of its own, warm, held to the share that AWS documents for the
memory. Imports the library and the handlers of the chapter; run by
``make measure NAME=power_tuning``.
"""

from __future__ import annotations

import importlib.util
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from simulations.aws.cpu_quota import CpuQuota, vcpu_of

HANDLERS = Path(__file__).resolve().parents[2] / "book/lambda/handlers/tuning/handlers.py"
MEMORY_MB = (128, 192, 256, 384, 512, 768, 1024, 1536, 1769, 2560, 3538)
#: Events; `rounds` of hashing are set so that a whole processor needs `work_ms` for one order.
EVENTS: dict[str, dict[str, Any]] = {
    "primes": {"below": 12_000_000},
    "partner": {"wait_s": 0.5},
    "submit_order": {"send_s": 0.01, "work_ms": 15},
    "authorize": {"wait_s": 0.8, "work_ms": 15},
    "archive": {"threads": 2, "parts": 8, "work_ms": 15},
}
RUNS = {"primes": 5, "partner": 3, "submit_order": 25, "authorize": 5, "archive": 5}


def load() -> ModuleType:
    """Import the handlers of the chapter."""
    spec = importlib.util.spec_from_file_location("handlers", HANDLERS)
    if spec is None or spec.loader is None:
        raise OSError(f"{HANDLERS} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Environment:
    """A process that holds one handler, warm, and runs it when asked."""

    def __init__(self, name: str, event: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, name, json.dumps(event)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self.invoke()  # the first run is not warm

    def __enter__(self) -> Environment:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe(self._process.stdin).close()
        self._process.wait(60)
        self._pipe(self._process.stdout).close()

    def invoke(self) -> tuple[float, float]:
        """Return the time of one run and the processor time it took, in milliseconds."""
        question = self._pipe(self._process.stdin)
        question.write("go\n")
        question.flush()
        duration_ms, cpu_ms = self._pipe(self._process.stdout).readline().split()
        return float(duration_ms), float(cpu_ms)

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise OSError("the process has no pipe")
        return pipe


def rounds_for(work_ms: float) -> int:
    """Return the rounds of hashing that take a whole processor of this machine `work_ms`."""
    trial = 40_000
    event = {"rounds": trial, "send_s": 0}
    with Environment("submit_order", event) as environment, CpuQuota(environment.pid, 1.0):
        cpu_ms = statistics.median(environment.invoke()[1] for _ in range(21))
    return round(trial * work_ms / cpu_ms)


def tune(name: str, event: dict[str, Any], memory_mb: tuple[int, ...], runs: int) -> dict[str, Any]:
    """Run a handler at each memory size; return durations and processor time."""
    found: dict[str, Any] = {"event": event, "runs": runs, "at": []}
    with Environment(name, event) as environment:
        for memory in memory_mb:
            with CpuQuota(environment.pid, vcpu_of(memory)) as quota:
                environment.invoke()
                measured = [environment.invoke() for _ in range(runs)]
            durations = sorted(duration for duration, _ in measured)
            found["at"].append(
                {
                    "memory_mb": memory,
                    "median_ms": round(statistics.median(durations), 2),
                    "min_ms": round(durations[0], 2),
                    "max_ms": round(durations[-1], 2),
                    "cpu_ms": round(statistics.median(cpu for _, cpu in measured), 2),
                }
            )
            found["how"] = quota.how
    return found


def measure() -> dict[str, Any]:
    """Return the durations of five handlers at eleven memory sizes."""
    found: dict[str, Any] = {}
    for name, asked in EVENTS.items():
        event = dict(asked)
        if "work_ms" in event:
            event["rounds"] = rounds_for(event.pop("work_ms"))
        found[name] = tune(name, event, MEMORY_MB, RUNS[name])
    how = {one.pop("how") for one in found.values()}
    return {"held_by": sorted(how), "handlers": found}


def serve(name: str, event: dict[str, Any]) -> None:
    """Run the handler for every line that comes in; answer with its times."""
    handler = getattr(load(), name)
    chance = random.Random(name)
    for _ in sys.stdin:
        # Start anywhere in a period of the quota, as a request does, with the quota refilled.
        time.sleep(0.02 + 0.02 * chance.random())
        cpu_s, start_s = time.process_time(), time.perf_counter()
        handler(event, None)
        duration_s, used_s = time.perf_counter() - start_s, time.process_time() - cpu_s
        print(f"{1000 * duration_s:.3f} {1000 * used_s:.3f}", flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
