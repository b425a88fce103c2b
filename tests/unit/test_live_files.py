"""What the site lays out for live figures: complete, the same each time, named by its content."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from live_files import digest, elsewhere, library_files, modules_of, needed_modules, zipped

EXPERIMENTS = ["cold_starts.cold_share", "lambda_cost.order_bill"]


@pytest.fixture(scope="module")
def packed(root: Path) -> bytes:
    library = root / "simulations"
    return zipped(library_files(library, modules_of(library, EXPERIMENTS)))


def test_the_zip_alone_runs_the_experiments_without_what_a_browser_lacks(
    packed: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "library.zip"
    path.write_bytes(packed)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "library")
    program = """
import sys, json
for name in ("numpy", "matplotlib", "IPython", "pandas", "site"):
    sys.modules[name] = None
sys.path.insert(0, sys.argv[1])
from simulations.live import Runs
runs = Runs()
for name in sys.argv[2:]:
    runs.begin("f", name, "{}")
    print(json.loads(runs.step("f")).get("frame", {}).get("numbers"))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(tmp_path / "library"), *EXPERIMENTS],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("'text'") >= len(EXPERIMENTS)


def test_the_zip_is_the_same_each_time_and_leaves_out_what_needs_more(
    packed: bytes, root: Path
) -> None:
    library = root / "simulations"
    assert packed == zipped(library_files(library, modules_of(library, reversed(EXPERIMENTS))))
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert names == sorted(names)
    assert "simpy/core.py" in names and "simulations/facts/aws.json" in names
    heavy = ("simulations/fleet/", "simulations/aws/", "simulations/figures/drawing")
    assert not [n for n in names if n.startswith(heavy)]


def test_imports_inside_functions_count_and_those_for_types_do_not(tmp_path: Path) -> None:
    library = tmp_path / "lib"
    library.mkdir()
    library.joinpath("__init__.py").write_text("")
    library.joinpath("first.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from lib import types_only\n"
        "def f():\n    from lib.inner import deep\n    import heapq, json.decoder\n"
    )
    library.joinpath("types_only.py").write_text("")
    inner = library / "inner"
    inner.mkdir()
    inner.joinpath("__init__.py").write_text("")
    inner.joinpath("deep.py").write_text("import lib.last")
    library.joinpath("last.py").write_text("")
    found = needed_modules(library, ["lib.first"])
    assert set(found) == {"lib", "lib.first", "lib.inner", "lib.inner.deep", "lib.last"}
    assert elsewhere(found.values()) >= {"heapq", "json.decoder"}
    with pytest.raises(FileNotFoundError, match=r"lib\.absent"):
        needed_modules(library, ["lib.absent"])


def test_a_hash_tells_names_and_contents_apart() -> None:
    assert digest([("a", b"1"), ("b", b"2")]) == digest([("b", b"2"), ("a", b"1")])
    assert digest([("a", b"12")]) != digest([("a1", b"2")])
    assert digest([("a", b"1")]) != digest([("a", b"2")])


def test_no_script_of_the_figures_names_another_host_or_writes_html_of_a_link(root: Path) -> None:
    """What a link carries must never be read as markup: no innerHTML where settings go."""
    for path in sorted((root / "site" / "live").glob("*.js")):
        text = path.read_text(encoding="utf-8")
        assert "http://" not in text.replace("http://www.w3.org", ""), path.name
        assert "https://" not in text, path.name
        if not path.name.startswith(("plot", "movie")):
            for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval("):
                assert word not in text, f"{path.name} uses {word}"


def test_this_file_lists_experiments_that_are_there(root: Path) -> None:
    for name in EXPERIMENTS:
        module, function = name.split(".")
        tree = ast.parse((root / f"simulations/experiments/{module}.py").read_text("utf-8"))
        assert function in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
