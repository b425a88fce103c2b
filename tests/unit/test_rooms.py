"""The library's rooms: each imports only rooms above it, and down to experiments no NumPy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "simulations"

#: From the ground up; names in one tuple may use each other.
ROOMS: tuple[tuple[str, ...], ...] = (
    ("_check",),
    ("facts",),
    ("theory", "stats"),
    ("workload",),
    ("clock", "simulation", "trace", "faults"),
    ("services",),
    ("orders",),
    ("pricing",),
    ("telemetry",),
    ("experiment",),
    ("experiments",),
    ("fleet",),
    ("sweep",),
    ("aws",),
    ("calibration",),
    ("truth",),
    ("figures",),
    ("live",),
    ("movies",),
    ("widgets",),
)
HEIGHT = {name: height for height, names in enumerate(ROOMS) for name in names}
#: What is imported from elsewhere, down to the experiments.
ELSEWHERE = {"simpy"}
#: Below the experiments, but in the browser too.
IN_BROWSER = {"live"}


def files() -> list[Path]:
    return sorted(p for p in LIBRARY.rglob("*.py") if p.parent != LIBRARY or p.stem in HEIGHT)


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; names of the library in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "simulations":
                yield from (f"simulations.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_a_room_imports_only_rooms_above_it(path: Path) -> None:
    own = HEIGHT[room_of(path)]
    for module in imports(path):
        first, *rest = module.split(".")
        if first == "simulations" and rest and rest[0] in HEIGHT:
            assert HEIGHT[rest[0]] <= own, f"{path.name} imports {module}, a room below it"
        elif first not in sys.stdlib_module_names and (
            own <= HEIGHT["experiments"] or room_of(path) in IN_BROWSER
        ):
            assert first in ELSEWHERE | {"simulations"}, f"{path.name} imports {module}"


def test_experiments_run_where_there_is_no_numpy() -> None:
    """As in a browser: NumPy, matplotlib and the notebook's parts cannot be imported."""
    program = """
import importlib, pkgutil, sys
for name in ("numpy", "matplotlib", "pandas", "IPython", "yaml", "boto3"):
    sys.modules[name] = None
import simulations.experiments as room
names = [m.name for m in pkgutil.iter_modules(room.__path__)]
for name in names:
    importlib.import_module(f"simulations.experiments.{name}")
import simulations.live
from simulations.experiments.lambda_cost import order_bill
print(len(names), order_bill(orders_m=1)["total"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, total = done.stdout.split()
    assert int(count) >= 2
    assert float(total) > 0
