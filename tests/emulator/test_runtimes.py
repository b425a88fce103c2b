"""The handler in every language whose tools stand here: one answer, one JSON log line, one INIT.

Python and Node.js are always there; the others run where their tools are found. What is not run
anywhere (C#, and Go's binary for Lambda itself) is named in the chapter.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulations.aws.languages import HANDLERS, LANGUAGES, Language, present
from simulations.aws.runtime import LocalRuntime

PRESENT = present()
ORDERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"order": "17", "items": [{"quantity": 2, "price_cents": 950}, {"quantity": 1, "price_cents": 0}]},
        {"order": "17", "accepted": True, "total_cents": 1900},
    ),
    (
        {"order": "", "items": [{"quantity": 1, "price_cents": 1}]},
        {"order": "", "accepted": False, "reason": "order is empty"},
    ),
    (
        {"order": "18", "items": []},
        {"order": "18", "accepted": False, "reason": "items are empty"},
    ),
    (
        {"order": "19", "items": [{"quantity": 101, "price_cents": 1}]},
        {"order": "19", "accepted": False, "reason": "quantity must be 1 to 100"},
    ),
    (
        {"order": "20", "items": [{"quantity": 100}]},
        {"order": "20", "accepted": False, "reason": "price_cents must be 0 or above"},
    ),
    (  # what a stranger sends must not end the line, nor become a field
        {"order": '21"\n{"level":"ERROR"} é\\', "items": [{"quantity": 100, "price_cents": 1}]},
        {"order": '21"\n{"level":"ERROR"} é\\', "accepted": True, "total_cents": 100},
    ),
]  # fmt: skip


@pytest.fixture(scope="module", params=PRESENT, ids=lambda one: one.name)
def language(request: pytest.FixtureRequest) -> Language:
    found: Language = request.param
    return found


@pytest.fixture(scope="module")
def runtime(language: Language, tmp_path_factory: pytest.TempPathFactory) -> Any:
    built = language.build(tmp_path_factory.mktemp(language.folder))
    with language.start(built) as started:
        yield started


def test_python_and_node_are_always_run() -> None:
    assert {"Python", "Node.js"} <= {one.name for one in PRESENT}
    assert [one.name for one in LANGUAGES] == ["Python", "Node.js", "Ruby", "Java", "Go"]


@pytest.mark.parametrize(("order", "answer"), ORDERS, ids=lambda one: str(one["order"])[:2])
def test_every_language_answers_alike_and_logs_one_json_line(
    runtime: LocalRuntime, order: dict[str, Any], answer: dict[str, Any]
) -> None:
    outcome = runtime.invoke(order)
    assert outcome.error is None
    assert outcome.payload == answer
    start = next(at for at, line in enumerate(outcome.log) if line.startswith("START"))
    written = outcome.log[start + 1 : -2]  # before END and REPORT
    assert len(written) == 1
    assert json.loads(written[0]) == {"level": "INFO", "message": "order validated", **answer}


def test_init_runs_once_and_the_process_stays(runtime: LocalRuntime) -> None:
    first, second = (runtime.invoke(ORDERS[0][0]) for _ in range(2))
    assert runtime.environments == 1
    assert first.environment == second.environment == 1
    assert second.report.init_ms is None
    assert not second.cold


def test_what_the_chapter_shows_is_there_for_all_six() -> None:
    for folder in ("python", "nodejs", "ruby", "java", "go", "dotnet"):
        assert (HANDLERS / folder / "package.sh").is_file()


def test_a_build_that_fails_says_so(tmp_path: Path) -> None:
    broken = Language(
        "Python", "python3.14", "app.handler", "python", steps=(("python3", "-c", "1 / 0"),)
    )
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        broken.build(tmp_path)


def test_a_tool_that_is_absent_or_too_old_leaves_the_language_out() -> None:
    absent = Language("X", "x", "x.y", "x", {"no-such-tool": (("--version",), 1)})
    old = Language("X", "x", "x.y", "x", {"node": (("--version",), 10_000)})
    assert absent.version() is None
    assert old.version() is None
