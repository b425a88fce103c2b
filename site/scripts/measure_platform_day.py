"""A whole cloud's day through the compiled engine: what each keep-alive policy costs, and how long.

Needs the recorded counts beside the project (`../shared/data/azure_2019`). Run by ``make measure
NAME=platform_day``. May import: NumPy and `simulations`.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.fleet import day, simulate
from simulations.fleet.platform_day import mean_services, point, strata, timers, trade_off
from simulations.services.keep_alive import keep_alive

COUNTS = (
    Path(__file__).resolve().parents[3]
    / "shared/data/azure_2019/azure2019_apps_total_invocations.csv.gz"
)
SEED = 1
#: Timers are looked for among applications with at most so many calls.
FEW = 20_000


def recorded() -> NDArray[np.int64]:
    """Calls of each application in one day."""
    counts: NDArray[np.int64] = np.loadtxt(
        COUNTS, delimiter=",", skiprows=1, usecols=1, dtype=np.int64
    )
    return counts


def regular(counts: NDArray[np.int64], services: NDArray[np.float64]) -> dict[str, Any]:
    """The same trade-off with calls at random and, where they look like it, from a timer."""
    few = counts[counts <= FEW]
    periods, times = timers(few), services[: few.size]
    return {
        "most_calls": FEW,
        "apps": int(few.size),
        "calls": int(few.sum()),
        "timers": int((periods > 0).sum()),
        "random": [p._asdict() for p in trade_off(few, times, seed=SEED)],
        "timed": [p._asdict() for p in trade_off(few, times, seed=SEED, every_min=periods)],
    }


def speeds() -> list[dict[str, float]]:
    """Requests a second of one core, by requests in flight; the best of several runs."""
    found = []
    for rate in (0.9, 100.0, 10_000.0):
        best_s, requests = float("inf"), 4_000_000
        for _ in range(7):
            started_s = time.process_time()
            run = simulate(
                rate, 1.991, cold_service_s=2.244, keep_alive_s=600, seed=1,
                duration_s=requests / rate,
            )  # fmt: skip
            best_s = min(best_s, (time.process_time() - started_s) / run.requests)
        found.append({"in_flight": rate * 1.991, "per_s": round(1 / best_s, -4)})
    return found


def measure() -> dict[str, Any]:
    """Replay the day under each policy; time one of them."""
    counts = recorded()
    services = mean_services(counts.size, SEED)
    day(counts[:10], service_s=services[:10], keep_alive_s=600.0, seed=SEED)  # compiled before
    lambda_like = []
    timed = {}
    for year in (2020, 2025):
        started_s, worked_s = time.perf_counter(), time.process_time()
        found = day(counts, service_s=services, keep_alive_s=keep_alive(year), seed=SEED)
        timed = {
            "wall_s": round(time.perf_counter() - started_s, 1),
            "processor_s": round(time.process_time() - worked_s, 1),
        }
        lambda_like.append(point("lambda", float(year), found)._asdict())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "source": "Microsoft, Azure Functions Trace 2019 (M. Shahrad et al., USENIX ATC 2020); "
        "calls of each app in one day, as counted by the CIRRUS lab (femux)",
        "url": "https://github.com/Azure/AzurePublicDataset",
        "licence": "CC BY 4.0",
        "note": "recorded: calls a day by app; drawn: when in the day, and for how long",
        "apps": int(counts.size),
        "calls": int(counts.sum()),
        "seed": SEED,
        "busy": round(float((counts * services).sum() / 86400.0), 1),
        "strata": strata(counts),
        "trade_off": [p._asdict() for p in trade_off(counts, services, seed=SEED)],
        "regular": regular(counts, services),
        "separate": lambda_like,
        "time": timed | {"peak_bytes": memory if sys.platform == "darwin" else memory * 1024},
        "speed": speeds(),
    }
