"""Measuring this machine: ``make measure`` runs site/scripts/measure_*.py and keeps what they find.

What depends on a machine's clock is not computed while the book is built: it is measured when
somebody asks, and lives in a record with its machine, versions and date. Each ``measure_<name>.py``
has a ``measure() -> dict[str, Any]``; it may have ``TOOLS``, a mapping from the name of a program to
the command that prints its version. Run in a process of its own by the project's Python; imports
the standard library and its neighbors only.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from house_common import ROOT, Trouble, run, say, venv_python, warn, write_stamp

PREFIX = "measure_"


def measurements(root: Path) -> dict[str, Path]:
    """Return the measurements there are, by name."""
    found = sorted((root / "site" / "scripts").glob(f"{PREFIX}*.py"))
    return {path.stem.removeprefix(PREFIX): path for path in found}


def record_file(root: Path, name: str) -> Path:
    """Return where a measurement's record is kept."""
    return root / "simulations" / "experiments" / "records" / f"{name}.json"


def measure_all(root: Path, name: str | None = None) -> None:
    """Run one measurement, or all; a record changes only when its measurement succeeded."""
    known = measurements(root)
    if not known:
        raise Trouble(f"there is no site/scripts/{PREFIX}*.py")
    if name is not None and name not in known:
        raise Trouble(f"no measurement is called {name!r}; there are {', '.join(known)}")
    failed = []
    for one in [name] if name is not None else known:
        say(f"measure: {one}")
        # A process each: nothing that one imports or leaves behind is seen by the next.
        script = Path(__file__).resolve()
        if run([venv_python(root), script, one, root], root=root, environment=_alone(root)) != 0:
            failed.append(one)
    if failed:
        raise Trouble(f"failed: {', '.join(failed)}; the records of these are unchanged")


def _alone(root: Path) -> dict[str, str]:
    """Return what a measurement finds in its environment: the library, and nothing random."""
    return {"PYTHONPATH": str(root), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


# ---------------------------------------------------------------- in the measurement's process


def measure_one(root: Path, name: str) -> Path:
    """Run a measurement here and write its record; return the record's path."""
    path = measurements(root)[name]
    sys.path.insert(0, str(path.parent))
    module = importlib.import_module(path.stem)
    found = module.measure()
    if not isinstance(found, dict) or not found:
        raise Trouble(f"measure() returned {type(found).__name__}, not a filled dict")
    if "measured_on" in found:
        raise Trouble("measure() returned measured_on, which is added here")
    record = {
        "source": f"measured on one machine by site/scripts/{path.name}",
        "licence": "CC BY 4.0",
        "measured_on": measured_on(name, getattr(module, "TOOLS", {}), root),
        **found,
    }
    try:
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Trouble(f"measure() returned what JSON cannot hold: {error}") from error
    file = record_file(root, name)
    write_stamp(file, text)
    return file


def measured_on(name: str, tools: Mapping[str, Sequence[str]], root: Path) -> dict[str, Any]:
    """Return what the numbers of a record depend on: machine, system, versions, date, command."""
    return {
        "machine": processor(),
        "cores": os.cpu_count(),
        "memory_gb": memory_gb(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {**packages(root), **{tool: version(tools[tool]) for tool in sorted(tools)}},
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"make measure NAME={name}",
    }


def processor() -> str:
    """Return the processor's model, as the system tells it; never the machine's name."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        told = ""
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    if found:
        return " ".join(found[1].split())
    if sys.platform == "darwin":
        return version(["sysctl", "-n", "machdep.cpu.brand_string"])
    return platform.processor() or platform.machine()


def memory_gb() -> float | None:
    """Return the machine's memory, or None where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3, 1)
    except (AttributeError, OSError, ValueError):
        return None


def packages(root: Path) -> dict[str, str]:
    """Return name and version of each package we ask for that the measurement has imported."""
    wanted = re.findall(
        r"^([A-Za-z0-9_.-]+)", (root / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    asked = {re.sub(r"[-_.]+", "-", one).lower() for one in wanted}
    found: dict[str, str] = {}
    for module, names in metadata.packages_distributions().items():
        for one in names if module in sys.modules else ():
            if re.sub(r"[-_.]+", "-", one).lower() in asked:
                found[one] = metadata.version(one)
    return dict(sorted(found.items()))


def version(command: Sequence[str]) -> str:
    """Return the first line that a program prints about itself."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "absent"
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return lines[0].strip() if lines else "unknown"


def main(arguments: Sequence[str]) -> int:
    """Measure in this process; whatever goes wrong is one line."""
    name, root = arguments[0], Path(arguments[1]) if len(arguments) > 1 else ROOT
    try:
        written = measure_one(root, name)
    except Trouble as trouble:
        warn(f"measure: {name}: {trouble}")
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        said = " ".join(str(error).split()) or "no message"
        warn(f"measure: {name}: {type(error).__name__}: {said} ({where})")
        return 1
    say(f"measure: wrote {written.relative_to(root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
