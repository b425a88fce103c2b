"""What imports cost INIT on this machine, in Python: eager, lazy, without byte code.

Handlers that import a library run in the local Lambda runtime; `python -X importtime` tells what
boto3's import consists of; a sum of squares runs in Python and in NumPy. Run by
``make measure NAME=imports``. May import: the standard library and `simulations`.
"""

from __future__ import annotations

import compileall
import os
import re
import subprocess
import sys
import tempfile
import timeit
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy reads it: one thread, as on one vCPU

import numpy as np
from measure_packages import BUNDLES, files_of, scheduling

from simulations.aws.runtime import LocalRuntime
from simulations.stats import quantile, quantile_interval

ROUNDS = 15
MEMORY_MB = 1024
REPEATS = 7
SIZES = (10, 100, 1000, 10_000, 100_000, 1_000_000)
HANDLER = "def handler(event, context):\n    return 1\n"
LAZY = "def handler(event, context):\n    if event.get('report'):\n        import {module}\n    return 1\n"
#: Name in the book, module.
LIBRARIES = (("boto3", "boto3"), ("NumPy", "numpy"), ("Matplotlib", "matplotlib.pyplot"))


def spread(values: list[float]) -> dict[str, float]:
    """Median with its 95 % interval, and the fastest."""
    _, low, high = quantile_interval(values, 0.5)
    numbers = {"median": quantile(values, 0.5), "low": low, "high": high, "best": min(values)}
    return {name: round(value, 2) for name, value in numbers.items()}


def variants(folder: Path) -> dict[str, tuple[str, str]]:
    """Lay out a folder for each variant; returns folder and module by variant."""
    plain = folder / "plain"
    plain.mkdir()
    Path(plain, "nothing.py").write_text(HANDLER)
    found = {"nothing": (str(plain), "nothing")}
    for name, module in LIBRARIES:
        own = module.split(".")[0]
        Path(plain, f"eager_{own}.py").write_text(f"import {module}\n{HANDLER}")
        Path(plain, f"lazy_{own}.py").write_text(LAZY.format(module=module))
        found[f"{name}, eager"] = (str(plain), f"eager_{own}")
        found[f"{name}, lazy"] = (str(plain), f"lazy_{own}")
    files = files_of(BUNDLES["boto3"])
    for name, compiled in (("source alone", False), ("with byte code", True)):
        bundled = folder / name.replace(" ", "_")
        for path, content in files.items():
            target = bundled / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        Path(bundled, "eager_boto3.py").write_text(f"import boto3\n{HANDLER}")
        if compiled:
            mode = PycInvalidationMode.UNCHECKED_HASH
            compileall.compile_dir(bundled, quiet=2, invalidation_mode=mode)
        found[f"boto3, {name}"] = (str(bundled), "eager_boto3")
    return found


def inits() -> list[dict[str, Any]]:
    """INIT of each variant, in turns, and the first call that needs the library."""
    with tempfile.TemporaryDirectory() as made:
        chosen = variants(Path(made))
        init: dict[str, list[float]] = {name: [] for name in chosen}
        needs: dict[str, list[float]] = {name: [] for name in chosen}
        for turn in range(ROUNDS + 1):
            for name, (folder, module) in chosen.items():
                with LocalRuntime(
                    f"{module}.handler", task_root=folder, memory_mb=MEMORY_MB, timeout_s=30
                ) as runtime:
                    report = runtime.invoke({"report": True}).report
                if turn:  # the first reads files from the disk
                    init[name].append(report.init_ms or 0.0)
                    needs[name].append(report.duration_ms)
    return [
        {"variant": name, "init_ms": spread(init[name]), "call_ms": spread(needs[name])}
        for name in chosen
    ]


def parts_of(module: str, largest: int = 6) -> list[dict[str, Any]]:
    """Milliseconds by top-level package of one import, the fastest of some tries."""
    best: dict[str, float] = {}
    for _ in range(REPEATS):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", f"import {module}"],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip
        mine: dict[str, float] = {}
        started = False
        for line in done.stderr.splitlines():
            told = re.fullmatch(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)", line)
            if told is None:
                continue
            started = started or told[3].startswith(("__future__", module.split(".")[0]))
            package = told[3].split(".")[0]
            mine[package] = mine.get(package, 0.0) + int(told[1]) / 1000
            if told[3] == "site":  # what the interpreter itself needs ends here
                mine = {}
        if not best or sum(mine.values()) < sum(best.values()):
            best = mine
    ordered = sorted(best.items(), key=lambda part: -part[1])
    rest = sum(ms for _, ms in ordered[largest:])
    return [
        {"package": package, "ms": round(ms, 1)}
        for package, ms in [*ordered[:largest], ("all others", rest)]
    ]


def kernels() -> list[dict[str, Any]]:
    """A sum of squares in Python and in NumPy, the fastest of some tries, by length."""
    found = []
    for size in SIZES:
        numbers = [float(n % 97) for n in range(size)]
        array = np.array(numbers)
        number = max(1, 200_000 // size)

        def fastest(run: Any, number: int = number) -> float:
            return 1000 * min(timeit.repeat(run, number=number, repeat=REPEATS)) / number

        found.append(
            {
                "size": size,
                "python_ms": round(fastest(lambda n=numbers: sum(x * x for x in n)), 6),
                "numpy_ms": round(fastest(lambda a=array: float(np.dot(a, a))), 6),
                "numpy_from_list_ms": round(
                    fastest(lambda n=numbers: float(np.dot(a := np.array(n), a))), 6
                ),
            }
        )
    return found


def measure() -> dict[str, Any]:
    """Measure imports in the local runtime, boto3's parts, and the loop."""
    return {
        "about": "Python in the local Lambda runtime; no share of the processor by memory",
        "scheduling": scheduling(),
        "environments": ROUNDS,
        "variants": inits(),
        "boto3_parts": parts_of("boto3"),
        "sum_of_squares": kernels(),
    }
