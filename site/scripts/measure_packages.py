"""Real packages as Lambda would get them: their zips counted, and an import timed in both places.

The libraries are those of this project's environment, without byte code, as `pip install -t` lays
them. Run by ``make measure NAME=packages``. May import: the standard library and `simulations`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Any

from simulations.services.package import END_RECORD_BYTES, Archive, zip_of
from simulations.stats import paired_difference, quantile

#: What is bundled together: name in the book, distributions that come along.
BUNDLES = {
    "boto3": ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "urllib3", "six"),
    "NumPy": ("numpy",),
    "Numba": ("numba", "llvmlite"),
    "Matplotlib": (
        "matplotlib", "contourpy", "cycler", "fonttools", "kiwisolver", "packaging", "pillow",
        "pyparsing",
    ),
}  # fmt: skip
SHARED = "boto3"
COUNTS = (1, 2, 5, 10, 20)
PAIRS = 30
HANDLER = '''"""Function number {number} of the shop."""

import json


def handler(event, context):
    order = json.loads(event["body"])
    return {{"statusCode": 202, "body": json.dumps({{"order": order["id"], "step": {number}}})}}
'''
#: Prints how long an import takes in a fresh interpreter that sees only the folders it is given.
TIMED = """
import sys, time
sys.path[:0] = sys.argv[2:]
started = time.perf_counter()
__import__(sys.argv[1])
print(1000 * (time.perf_counter() - started))
"""


def scheduling() -> str:
    """Whether this process goes before all others (`chrt -f 10 make measure`) or shares."""
    policy = getattr(os, "sched_getscheduler", lambda _: None)(0)
    first = policy is not None and policy == getattr(os, "SCHED_FIFO", None)
    return "before all other processes (chrt -f)" if first else "as any other process"


def files_of(distributions: tuple[str, ...]) -> dict[str, bytes]:
    """Content by path of everything that installing the distributions would lay into a folder."""
    found = {}
    for name in distributions:
        for path in metadata.files(name) or ():
            if "__pycache__" in path.parts or path.parts[0] == ".." or path.suffix == ".pyc":
                continue
            found[path.as_posix()] = Path(str(path.locate())).read_bytes()
    return found


def under(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files one folder deeper."""
    return {f"{folder}/{path}": content for path, content in files.items()}


def handler_files(number: int) -> dict[str, bytes]:
    """The code of one of the shop's functions."""
    return {"index.py": HANDLER.format(number=number).encode()}


def import_ms(module: str, *folders: Path) -> float:
    """Time of one import in a fresh interpreter, in milliseconds."""
    command = [sys.executable, "-I", "-S", "-B", "-c", TIMED, module, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def imports(files: dict[str, bytes]) -> dict[str, Any]:
    """Import the shared library from /var/task and from /opt/python, in turns."""
    own, layered = [], []
    with tempfile.TemporaryDirectory() as made:
        task, empty, opt = Path(made, "task"), Path(made, "empty"), Path(made, "opt")
        for folder, content in ((task, files), (opt, under("python", files))):
            with zipfile.ZipFile(BytesIO(zip_of(content))) as opened:
                opened.extractall(folder)
        for pair in range(PAIRS + 1):
            for is_layer in (pair % 2 == 0, pair % 2 == 1):  # who comes first changes
                if is_layer:
                    layered.append(import_ms(SHARED, empty, opt / "python"))
                else:
                    own.append(import_ms(SHARED, task))
    own, layered = own[1:], layered[1:]  # the first pair reads the files from the disk
    apart = paired_difference(layered, own)
    return {
        "module": SHARED,
        "pairs": PAIRS,
        "own_ms": round(quantile(own, 0.5), 1),
        "layer_ms": round(quantile(layered, 0.5), 1),
        "layer_minus_own_ms": [round(ms, 2) for ms in apart],
    }


def measure() -> dict[str, Any]:
    """Count the zips of real packages; time an import from code and from a layer."""
    bundles, shared = [], files_of(BUNDLES[SHARED])
    for name, distributions in BUNDLES.items():
        files = files_of(distributions)
        made = Archive(name, zip_of(files))
        bundles.append(
            {
                "bundle": name,
                "distributions": {one: metadata.version(one) for one in distributions},
                "files": len(files),
                "unzipped_bytes": made.unzipped_bytes,
                "zipped_bytes": made.zipped_bytes,
            }
        )
    layer = len(zip_of(under("python", shared)))
    alone = [len(zip_of(handler_files(n))) for n in range(max(COUNTS))]
    whole = [len(zip_of(handler_files(n) | shared)) for n in range(max(COUNTS))]
    return {
        "about": "bytes of zip files made by simulations.services.package.zip_of",
        "bundles": bundles,
        "shared": {
            "bundle": SHARED,
            "layer_bytes": layer,
            "end_record_bytes": END_RECORD_BYTES,
            "code_bytes": alone,
            "code_and_shared_bytes": whole,
            "functions": list(COUNTS),
            "without_layer_bytes": [sum(whole[:n]) for n in COUNTS],
            "with_layer_bytes": [sum(alone[:n]) + layer for n in COUNTS],
        },
        "scheduling": scheduling(),
        "import": imports(shared),
    }
