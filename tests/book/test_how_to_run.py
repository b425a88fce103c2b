"""The chapter "how to run": the same numbers everywhere, and what it says of nbval is so."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from simulations.experiments.how_to_run import smallest, smallest_model


@pytest.fixture(scope="module")
def model_cell(root: Path) -> str:
    """The model as the page shows it."""
    page = jupytext.read(root / "book" / "start" / "how-to-run.md")
    cells = [c.source for c in page.cells if c.cell_type == "code" and "def work" in c.source]
    assert len(cells) == 1
    return str(cells[0])


@pytest.fixture(scope="module")
def printed_here(model_cell: str) -> str:
    """What the model prints in this very process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(model_cell, "model", "exec"), {})
    return out.getvalue()


@pytest.fixture(scope="module")
def notebook(
    model_cell: str, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> nbformat.NotebookNode:
    """A reader's notebook with the model in it, run in a Jupyter kernel."""
    cell = nbformat.v4.new_code_cell(model_cell)  # type: ignore[no-untyped-call]
    found: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    found.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(root))
        patch.setenv("PYTHONHASHSEED", "4711")
        folder = tmp_path_factory.mktemp("run")
        client = NotebookClient(found, timeout=120, resources={"metadata": {"path": str(folder)}})
        client.execute()
    return found


def test_plain_python_and_a_jupyter_kernel_print_the_same(
    printed_here: str, notebook: nbformat.NotebookNode, model_cell: str, root: Path
) -> None:
    kernel = "".join(output["text"] for output in notebook.cells[0].outputs)
    alone = subprocess.run(
        [sys.executable, "-c", model_cell],
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed_here == kernel == alone


def test_the_page_publishes_the_same_numbers(printed_here: str, root: Path) -> None:
    snapshot = root / "tests" / "snapshots" / "numbers.json"
    if not snapshot.is_file():
        pytest.fail("tests/snapshots/numbers.json is missing: build the book once")
    published = json.loads(snapshot.read_text(encoding="utf-8"))
    assert published["pages"]["book/start/how-to-run"]["printed"][0] == printed_here


def test_the_experiment_is_the_model_of_the_page(printed_here: str) -> None:
    result, trace = smallest(), smallest_model(8, 200, 600, 7)
    assert printed_here.startswith(
        f"{result['messages']:.0f} messages, {result['cold starts']:.0f} cold starts\n"
        f"{result['in the queue']:.3f} messages in the queue"
    )
    assert trace.timeline(order=2) in printed_here


def test_little_s_law_holds_for_the_model() -> None:
    result = smallest()
    assert result["in the queue"] == pytest.approx(
        result["messages"] / 600 * result["mean time"], rel=0.002
    )
    assert result["busy"] < 1


def nbval(folder: Path, option: str, root: Path) -> int:
    return subprocess.run(
        [sys.executable, "-m", "pytest", option, "mine.ipynb", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        check=False,
    ).returncode


def test_strict_nbval_finds_a_changed_digit_and_lax_does_not(
    notebook: nbformat.NotebookNode, tmp_path: Path, root: Path
) -> None:
    path = tmp_path / "mine.ipynb"
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    assert nbval(tmp_path, "--nbval", root) == 0
    tampered = path.read_text(encoding="utf-8").replace("2 cold starts", "3 cold starts")
    assert tampered != path.read_text(encoding="utf-8")
    path.write_text(tampered, encoding="utf-8")
    assert nbval(tmp_path, "--nbval", root) == 1
    assert nbval(tmp_path, "--nbval-lax", root) == 0
