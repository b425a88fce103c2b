"""The lab on cold starts: learners are told what is missing, and may bring a log of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from house_labs import Notebook, learners_copy, read_notebook

from simulations.telemetry import Invocation, format_report

#: When the first call of the log below was written, milliseconds since 1970.
FIRST_MS = 1_795_426_200_000


@pytest.fixture(scope="module")
def lab(root: Path) -> Notebook:
    return read_notebook(root / "notebooks" / "lab-05-cold-starts.ipynb")


def code(notebook: Notebook) -> list[str]:
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def run(cells: list[str]) -> dict[str, Any]:
    """Run the cells that draw nothing, one after the other."""
    names: dict[str, Any] = {}
    for number, cell in enumerate(cells):
        if "draw(" in cell:
            cell = cell[: cell.index("show(")]
        exec(compile(cell, f"cell {number}", "exec"), names)
    return names


def test_each_check_of_a_learners_copy_says_what_is_missing(
    lab: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    solved, learner = code(lab), code(learners_copy(lab))
    tasks = [i for i, cell in enumerate(solved) if "# solution" in cell]
    assert len(tasks) == 7
    for task in tasks:
        # Solved up to this task, which the learner has left open.
        run([*solved[:task], *learner[task : task + 2]])
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith("not yet:")
        assert "has no value" in last


def test_every_check_of_the_solved_lab_is_passed(lab: Notebook) -> None:
    told = [
        "".join(output["text"])
        for cell in lab["cells"]
        for output in cell.get("outputs", ())
        if "@check" in "".join(cell["source"])
    ]
    assert len(told) == 7
    assert all(text.startswith("right:") for text in told)


def test_a_wrong_answer_gets_a_hint(lab: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    solved = code(lab)
    run([*solved[:2], "predicted = cold_probability(90.0, keep_alive(2025), 1.2)", solved[3]])
    assert "per second, not per hour" in " ".join(capsys.readouterr().out.split())


def test_a_log_of_ones_own_is_read_from_the_file_named(
    lab: Notebook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # As `aws logs filter-log-events --output text` writes it; two calls of fifty are cold.
    lines = [
        f"{FIRST_MS + 60_000 * k}\t"
        + format_report(
            Invocation(f"id-{k}", 100.0, 214 if k in (0, 30) else 100, 128, 60,
                       init_ms=113.2 if k in (0, 30) else None)
        )
        for k in range(50)
    ]  # fmt: skip
    file = tmp_path / "report.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("REPORT_LOG", str(file))
    names = run(code(lab))
    assert (names["calls"], names["cold"]) == (50, 2)
    assert names["measured_per_s"] == pytest.approx(1 / 60)
    assert "not yet" not in capsys.readouterr().out
    assert names["init_share"] == pytest.approx(2 * 113.2 / (48 * 100 + 2 * 214))


def test_a_log_without_timestamps_is_refused_in_words(
    lab: Notebook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "report.txt"
    file.write_text(format_report(Invocation("a", 100.0, 100, 128)), encoding="utf-8")
    monkeypatch.setenv("REPORT_LOG", str(file))
    solved = code(lab)
    parse = next(i for i, cell in enumerate(solved) if "the_counts" in cell)
    run(solved[: parse + 1])
    assert "no timestamps" in " ".join(capsys.readouterr().out.split())
