"""The tools side by side, in one run: ``make bench``, which is ``make measure NAME=benchmarks``.

Each tool gets the same task (``benchmarks/task.py``) at three loads, in a process of its own, the
peers in an environment of their own, ``.venv-bench``. A tool whose cold starts are not those of
the compiled engine on the same horizon fails the whole run: speed counts after that alone. May
import: the standard library, its neighbors and `simulations`.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from house_common import ROOT, Trouble, hash_files, read_stamp, say, venv_python, write_stamp

from simulations.experiments.measure_first import pairing
from simulations.fleet import simulate
from simulations.sweep import sweep

FOLDER = ROOT / "benchmarks"
PEERS = ROOT / ".venv-bench"

WARM_S, COLD_S, KEEP_ALIVE_S = 1.991, 2.244, 600.0
#: Requests a second of the three loads; times WARM_S, so many are in flight.
RATES_PER_S = (0.9, 100.0, 10_000.0)
#: By tool: requests at each load (fewer where it is slow), and runs, of which the fastest counts.
CELLS: dict[str, tuple[tuple[int, int, int], int]] = {
    "simfaas": ((200_000, 60_000, 25_000), 1),
    "ciw": ((60_000, 60_000, 30_000), 1),
    "salabim_environment": ((100_000, 60_000, 22_000), 1),
    "salabim_request": ((30_000, 30_000, 30_000), 1),
    "simpy_anyof": ((200_000, 200_000, 200_000), 2),
    "simpy_process": ((200_000, 200_000, 200_000), 3),
    "simpy_callback": ((300_000, 300_000, 300_000), 3),
    "function": ((200_000, 200_000, 200_000), 2),
    "fleet": ((20_000_000, 20_000_000, 20_000_000), 3),
}
OURS = {"function", "fleet"}
#: Runs of the compiled engine from which a cold count's mean and spread are known.
REFERENCES = 24
#: So many standard deviations from that mean a cold count may lie; one in 500,000 does by chance.
MOST_Z = 5.0
#: The order system beside its plain twin: orders a second, and how many.
ORDERS_PER_S, ORDERS = 20.0, 20_000
#: The sweep: four points, so many replications of each.
GRID: dict[str, list[Any]] = {"faster": [1.02, 1.05, 1.1, 1.2], "requests": [500]}
REPLICATIONS = 250
SWEEPS = 2


def peers_python() -> Path:
    """Return the Python of the peers' environment, made when it is missing or out of date."""
    wanted = hash_files(ROOT, [FOLDER / "requirements.txt"])
    stamp = PEERS / ".installed"
    python = PEERS / venv_python(ROOT).relative_to(ROOT / ".venv")
    if read_stamp(stamp) == wanted and python.exists():
        return python
    say("bench: installing the peers into .venv-bench")
    commands: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", "--clear", PEERS],
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "-r", FOLDER / "requirements.txt"],
    )  # fmt: skip
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Trouble(f"could not make .venv-bench: {done.stderr.strip()[-400:]}")
    write_stamp(stamp, wanted)
    return python


def versions(python: Path) -> dict[str, str]:
    """Return the releases of the peers that are installed."""
    ask = (
        "import json; from importlib.metadata import version as v; "
        "print(json.dumps({n: v(n) for n in ('simfaas', 'ciw', 'salabim', 'simpy')}))"
    )
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def run_tool(python: Path, script: str, *arguments: object) -> dict[str, Any]:
    """Run one tool in a process of its own and return what it printed."""
    command: list[str | Path] = [python, FOLDER / script, *map(str, arguments)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"{arguments[0]} failed: {done.stderr.strip()[-400:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def expected(rate_per_s: float, requests: int, routing: str) -> tuple[float, float]:
    """Return mean and standard deviation of the cold starts of such a run, by many runs."""
    colds = []
    for seed in range(1, REFERENCES + 1):
        run = simulate(
            rate_per_s, WARM_S, cold_service_s=COLD_S, keep_alive_s=KEEP_ALIVE_S,
            duration_s=requests / rate_per_s, seed=10_000 + seed, routing=routing,
        )  # fmt: skip
        colds.append(run.cold_share * run.requests)
    mean = math.fsum(colds) / len(colds)
    return mean, math.sqrt(math.fsum((c - mean) ** 2 for c in colds) / (len(colds) - 1))


def judged(tool: str, rate_per_s: float, asked: int, cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cell with what was expected of it; raise where its cold starts are wrong."""
    found = {"in_flight": rate_per_s * WARM_S, **cell, "ns": float(f"{cell['ns']:.3g}")}
    if tool == "fleet":  # held event by event against `function` in the tests
        return found
    # SimFaaS serves with the newest environment, everybody else with the one last used.
    routing = "newest" if tool == "simfaas" else "most_recent"
    mean, sd = expected(rate_per_s, asked, routing)
    z = (cell["cold"] - mean) / (sd * math.sqrt(1 + 1 / REFERENCES))
    if abs(z) > MOST_Z:
        raise Trouble(
            f"{tool} has {cell['cold']} cold starts at {rate_per_s:g}/s, {z:.1f} standard "
            f"deviations from {mean:.0f}: its speed does not count"
        )
    return {**found, "cold_expected": round(mean, 1), "z": round(z, 2)}


def measure() -> dict[str, Any]:
    """Give every tool the task at every load, then the order system, then a sweep."""
    peers = peers_python()
    tools: dict[str, list[dict[str, Any]]] = {}
    for tool, (requests, repeats) in CELLS.items():
        script, python = ("ours.py", Path(sys.executable)) if tool in OURS else ("peers.py", peers)
        tools[tool] = []
        for rate_per_s, asked in zip(RATES_PER_S, requests, strict=True):
            found = run_tool(python, script, tool, rate_per_s, asked, repeats)
            cell = judged(tool, rate_per_s, asked, found)
            tools[tool].append(cell)
            say(
                f"bench: {tool} at {cell['in_flight']:,.1f} in flight: "
                f"{1e9 / cell['ns']:,.0f} requests/s"
            )
    return {
        "task": {
            "warm_s": WARM_S,
            "cold_s": COLD_S,
            "keep_alive_s": KEEP_ALIVE_S,
            "rates_per_s": list(RATES_PER_S),
            "time": "processor time of one process, the fastest of `repeats` runs",
            "memory": "peak of the process above what it took with the tool loaded and tried",
        },
        "peers": versions(peers),
        "tools": tools,
        "orders": order_systems(),
        "sweep": sweeps(),
    }


def order_systems() -> dict[str, Any]:
    """Time the chained order system and its plain twin; both must have the same work."""
    found = {
        name: run_tool(Path(sys.executable), "ours.py", tool, ORDERS_PER_S, ORDERS, 3)
        for name, tool in (("ours", "orders"), ("plain", "plain_orders"))
    }
    ratio = found["ours"]["requests"] / found["plain"]["requests"]
    # Two Poisson numbers of orders, each with about five invocations.
    if abs(ratio - 1) > MOST_Z * math.sqrt(2 / ORDERS):
        raise Trouble(f"the two order systems differ in their work by a factor of {ratio:.3f}")
    for one in found.values():
        one["ns"] = float(f"{one['ns']:.3g}")
        del one["cold"]
        say(f"bench: order system: {1e9 / one['ns']:,.0f} invocations/s")
    return {"per_s": ORDERS_PER_S, "orders": ORDERS, **found}


def sweeps() -> dict[str, Any]:
    """Time a sweep of a thousand short runs on one process and on two, in turn; the best counts."""
    took_s: dict[int, list[float]] = {1: [], 2: []}
    tables = []
    for _ in range(SWEEPS):
        for processes, times_s in took_s.items():
            with ProcessPoolExecutor(processes) as pool:
                # Workers start and load the library outside the measurement, in both cases.
                sweep(pairing, GRID, 1, pool, cache=None, quiet=True)
                started_s = time.perf_counter()
                found = sweep(pairing, GRID, REPLICATIONS, pool, cache=None, quiet=True)
                times_s.append(time.perf_counter() - started_s)
                tables.append(found.columns)
    if any(table != tables[0] for table in tables):
        raise Trouble("the sweep found other numbers with two processes than with one")
    one_s, two_s = (round(min(times_s), 2) for times_s in took_s.values())
    say(f"bench: sweep of {found.ran} runs: {one_s} s on one process, {two_s} s on two")
    return {"runs": found.ran, "one_s": one_s, "two_s": two_s, "repeats": SWEEPS}
