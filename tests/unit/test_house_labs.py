"""Labs: learners' copies hold no solution and are never overwritten; nbval sees tampering."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from house_common import Trouble
from house_labs import (
    find_lab,
    joined,
    learners_copy,
    make_copies,
    notebook_text,
    reset_lab,
    tidy,
    without_solutions,
)

SOLVED = """def share(calls):
    # solution
    failed = calls.count(False)
    return failed / len(calls)
    # end of solution

print(share([True, False]))
# solution
print("mine")"""


def cell(source: str, kind: str = "code", **more: Any) -> dict[str, Any]:
    """Return a cell as a notebook file holds it."""
    base: dict[str, Any] = {
        "cell_type": kind,
        "id": f"c{abs(hash(source)) % 10**8}",
        "metadata": {},
    }
    if kind == "code":
        base |= {"outputs": [], "execution_count": 1}
    return {**base, "source": source.splitlines(keepends=True), **more}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook of these cells."""
    return tidy({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with two solved labs."""
    (tmp_path / "notebooks").mkdir()
    for name in ("lab-01-orders", "lab-02-cold-starts"):
        text = notebook_text(notebook(cell(SOLVED, outputs=[{"output_type": "stream"}])))
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(text)
    return tmp_path


def test_solutions_are_taken_out_and_what_is_left_still_parses() -> None:
    left = without_solutions(SOLVED)
    assert "failed" not in left
    assert "mine" not in left
    assert left.count("# your code here") == 2
    ast.parse(left)


def test_code_without_marks_is_left_alone() -> None:
    code = "x = 1\n# a solution is a word\nprint(x)"
    assert without_solutions(code) == code


def test_a_copy_holds_no_outputs_and_no_solution_text() -> None:
    copy = learners_copy(
        notebook(
            cell("x = 1", outputs=[{"output_type": "stream"}]),
            cell("<!-- solution -->\nBecause.", "markdown"),
            cell("Why?", "markdown"),
        )
    )
    assert [c["source"] for c in copy["cells"]] == [["x = 1"], ["Why?"]]
    assert copy["cells"][0]["outputs"] == []
    assert copy["cells"][0]["execution_count"] is None


def test_a_learners_copy_is_never_overwritten(project: Path) -> None:
    assert len(make_copies(project)) == 2
    mine = project / "my-labs" / "lab-01-orders.ipynb"
    mine.write_text("what I wrote")
    assert make_copies(project) == []
    assert mine.read_text() == "what I wrote"


def test_a_new_lab_arrives_beside_the_copies_that_exist(project: Path) -> None:
    make_copies(project)
    mine = project / "my-labs" / "lab-01-orders.ipynb"
    mine.write_text("what I wrote")
    (project / "notebooks" / "lab-03-new.ipynb").write_text(notebook_text(notebook(cell("1"))))
    assert [path.name for path in make_copies(project)] == ["lab-03-new.ipynb"]
    assert mine.read_text() == "what I wrote"


def test_a_reset_keeps_every_earlier_version_with_its_date(project: Path) -> None:
    make_copies(project)
    mine = project / "my-labs" / "lab-01-orders.ipynb"
    for text in ("first", "second"):
        mine.write_text(text)
        reset_lab(project, "1")
        assert "your code here" in mine.read_text()
    kept = sorted((project / "my-labs" / "backups").iterdir())
    assert {path.read_text() for path in kept} == {"first", "second"}
    assert all(path.name.startswith("lab-01-orders.20") for path in kept)


@pytest.mark.parametrize(
    "name", ["1", "01", "lab-01", "lab-01-orders", "my-labs/lab-01-orders.ipynb"]
)
def test_a_lab_is_found_by_number_and_by_name(project: Path, name: str) -> None:
    assert find_lab(project, name).stem == "lab-01-orders"


@pytest.mark.parametrize("name", ["7", "lab", "orders"])
def test_an_unknown_lab_is_answered_with_those_there_are(project: Path, name: str) -> None:
    with pytest.raises(Trouble, match="lab-01-orders, lab-02-cold-starts"):
        find_lab(project, name)


def test_committed_labs_are_tidy_and_their_copies_parse(root: Path) -> None:
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        stored = json.loads(path.read_text())
        assert path.read_text() == notebook_text(tidy(stored)), f"run `make accept` on {path.name}"
        for one in stored["cells"]:
            tags = one["metadata"].get("tags", [])
            assert "nbval-skip" not in tags, f"{path.name}: every cell is run"
        for one in learners_copy(stored)["cells"]:
            if one["cell_type"] == "code":
                ast.parse("".join(one["source"]))


@pytest.mark.parametrize(("stored", "passes"), [("55\n", True), ("56\n", False)])
def test_strict_nbval_catches_a_tampered_output(
    tmp_path: Path, root: Path, stored: str, passes: bool
) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": [stored]}
    path = tmp_path / "lab-01-sum.ipynb"
    path.write_text(notebook_text(notebook(cell("print(sum(range(11)))", outputs=[output]))))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    command += ["-c", str(root / "pyproject.toml"), "--rootdir", str(tmp_path), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode == 0) is passes, done.stdout + done.stderr


def test_what_a_busy_kernel_printed_in_pieces_is_stored_in_one() -> None:
    def stream(name: str, *text: str) -> dict[str, object]:
        return {"output_type": "stream", "name": name, "text": list(text)}

    shown: dict[str, object] = {"output_type": "display_data", "data": {}}
    pieces = [stream("stdout", "right: 2"), stream("stdout", " %\n", "done\n"), shown]
    pieces += [stream("stdout", "a\n"), stream("stderr", "b\n")]
    whole = [stream("stdout", "right: 2 %\n", "done\n"), shown]
    whole += [stream("stdout", "a\n"), stream("stderr", "b\n")]
    assert joined(pieces) == whole
