"""The lab on order systems answers wrong and missing answers with a hint, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house_labs import Notebook, learners_copy, read_notebook

from simulations.aws import local

LAB = Path(__file__).resolve().parents[2] / "notebooks" / "lab-02-order-systems.ipynb"
#: Cells that draw; they need a notebook.
DRAWING = ("board", "figure", "turns")


class Learner:
    """Runs the cells of a notebook as a learner would, with changes of the learner's own."""

    def __init__(self, notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._names: dict[str, Any] = {}
        self.cells = {
            cell["id"].removeprefix("order-systems-"): "".join(cell["source"])
            for cell in notebook["cells"]
            if cell["cell_type"] == "code"
        }
        # Whoever deletes nothing is found out after a few polls, too.
        few = self.cells["consumer-code"].replace("polls < 20", "polls < 7")
        self.cells["consumer-code"] = few

    def run(self, name: str, *changes: tuple[str, str]) -> str:
        """Run one cell and return what it prints, in one line."""
        code = self.cells[name]
        for old, new in changes:
            assert old in code, f"{old!r} no longer stands in {name}"
            code = code.replace(old, new)
        exec(compile(code, name, "exec"), self._names)
        return " ".join(self._capsys.readouterr().out.split())


@pytest.fixture
def solved(capsys: pytest.CaptureFixture[str]) -> Iterator[Learner]:
    yield Learner(read_notebook(LAB), capsys)
    if local._Switch.services is not None:
        local._Switch.services.stop()


def test_a_copy_without_answers_runs_through_and_every_check_gives_a_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = Learner(learners_copy(read_notebook(LAB)), capsys)
    told = {name: copy.run(name) for name in copy.cells if name not in DRAWING}
    checks = {name: text for name, text in told.items() if name.endswith("-check")}
    assert len(checks) == 9
    for name, text in checks.items():
        assert text.startswith("not yet: "), f"{name}: {text}"
        assert "Error" not in text, f"{name}: {text}"


STEP = [
    ("return failed", "return None", "got no mail: return the ids"),
    ("batch_size=1)", "batch_size=10)", "mails too many"),
    ("visibility_timeout_s=180", "visibility_timeout_s=180, max_receive_count=1", "given up"),
    ("EventSourceMapping(sim, queue, function, batch_size=1)", "", "connect queue and function"),
    ("return queue", "return None", "must return the queue"),
    ("yield context.call", "context.call", "write `yield` before each call"),
]


@pytest.mark.parametrize(("old", "new", "hint"), STEP)
def test_a_wrong_step_is_told_what_is_wrong(solved: Learner, old: str, new: str, hint: str) -> None:
    for name in ("imports", "shop-code"):
        solved.run(name)
    changes = [(old, new)]
    if new == "batch_size=10)":  # a batch whose failed message fails it whole
        changes = [(old, "batch_size=10, window_s=1, report_batch_item_failures=False)")]
        changes += [("failed.append(message.id)", "raise")]
    solved.run("step-code", *changes)
    text = solved.run("step-check", ("duration_s = 3600", "duration_s = 600"))
    assert text.startswith("not yet: "), text
    assert hint in text


def test_wrong_consumers_and_charges_are_told_what_is_wrong(solved: Learner) -> None:
    for name in ("imports", "shop-code", "real-start", "real-parts-code"):
        solved.run(name)
    delete = "sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)"
    for change, hint in (
        ((f"            {delete}\n", ""), "delete what is done"),
        (("continue", "pass"), "delete only after the work"),
        (("work(order)\n            except", "pass\n            except"), "nobody was charged"),
    ):
        solved.run("consumer-code", change)
        assert hint in solved.run("consumer-check")
    solved.run("consumer-code")
    assert solved.run("consumer-check").startswith("right: 20 orders, 24 receives, 24 charges")
    for change, hint in (
        (('f"order {order}"', "str(uuid4())"), "4 charges too many"),
        (('f"order {order}"', '"order"'), "were never charged"),
    ):
        solved.run("key-code", change)
        assert hint in solved.run("key-check")
    solved.run("key-code")
    assert solved.run("key-check") == "right: 20 orders, 24 receives, 20 charges"
    solved.run("sms-code", ("subscribe(sms)", ""))
    assert "subscribe the queue to the topic" in solved.run("sms-check")


SCORES = [
    ("quantile(0.99)", "quantile(0.99) * 1000", "look mixed up"),
    ("* 1e6", "* 1e3", "times a million"),
    ("/ read.orders\n    unlucky", "\n    unlucky", "is a share"),
    ("outcomes(down).lost", "outcomes(well).lost", "the run with mail down"),
]


@pytest.mark.parametrize(("old", "new", "hint"), SCORES)
def test_a_wrong_row_of_the_scoreboard_is_told_what_is_wrong(
    solved: Learner, old: str, new: str, hint: str
) -> None:
    for name in ("imports", "shop-code"):
        solved.run(name)
    solved.run("score-code", (old, new))
    assert hint in solved.run("score-check")


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('decision = "C"', 'decision = "A0"', "answers within"),
        ('decision = "C"', 'decision = "B1"', "needs an edit"),
        ('"late no"', '"lost"', "is not worse than A0 in: lost"),
        (', "late no"', "", "more to pay"),
    ],
)
def test_a_wrong_decision_is_told_what_is_wrong(
    solved: Learner, old: str, new: str, hint: str
) -> None:
    for name in ("imports", "shop-code", "score-code"):
        solved.run(name)
    # The rows as stored: measuring them again would take most of this file's time.
    stored = next(
        output["data"]["application/vnd.simulations.table+json"]
        for cell in read_notebook(LAB)["cells"]
        if cell["id"] == "order-systems-board"
        for output in cell["outputs"]
        if "data" in output
    )
    solved._names["board"] = board_of(stored)
    solved.run("decide-code", (old, new))
    text = solved.run("decide-check")
    assert text.startswith("not yet: ")
    assert hint in text


def board_of(table: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The scoreboard back from its printed table; units as they stand, but ms as s."""
    board: dict[str, dict[str, float]] = {name: {} for name in table["header"][1:]}
    for what, *cells in table["rows"]:
        for name, cell in zip(board, cells, strict=True):
            words = cell.replace("\u202f", " ").split()
            value = 0.0 if cell == "none" else float(words[0])
            board[name][what] = value / 1000 if words[-1] == "ms" else value
    return board


def test_the_stored_lab_is_solved() -> None:
    told = json.dumps([cell.get("outputs") for cell in read_notebook(LAB)["cells"]])
    assert "not yet" not in told
    assert told.count("right: ") == 9
