"""The front door: what the documents promise exists, and mistakes get one clear line."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import house_commands
import pytest
from house_common import Trouble, files_below

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "SECURITY.md")


def commands() -> set[str]:
    """Return the names that the script knows."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        house_commands.run_command(["help"])
    return set(re.findall(r"^    ([a-z-]+)", shown.getvalue(), re.MULTILINE))


def test_every_command_that_a_document_names_exists_with_and_without_make(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    named: set[str] = set()
    for document in DOCUMENTS:
        text = (root / document).read_text()
        named |= set(re.findall(r"`(?:make|python3 site/scripts/house\.py) ([a-z-]+)", text))
    assert {"book", "read", "lab", "test", "help"} <= named
    assert named <= targets
    assert targets == commands()


def test_the_example_of_the_readme_runs(root: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)[0]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0.01 < float(done.stdout) < 10, (
        "a latency in seconds: 15 ms of work, at worst a cold start"
    )


def test_trouble_is_one_line_on_standard_error_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise Trouble("no space left on the disk")

    monkeypatch.setattr(house_commands, "build_book", no_space)
    assert house_commands.run_command(["book"]) == 1
    assert capsys.readouterr().err == "book: no space left on the disk\n"


def test_a_stop_by_the_reader_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(house_commands, "build_book", stopped)
    assert house_commands.run_command(["book"]) == 130
    assert capsys.readouterr().err == "\nbook: stopped\n"


def test_all_checks_run_and_every_failure_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def fails_for_mypy(command: list[object], **_: object) -> int:
        ran.append(str(command[2]))
        return int("mypy" in command)

    def book_fails(*_: object) -> None:
        raise Trouble("a warning")

    monkeypatch.setattr(house_commands, "run", fails_for_mypy)
    monkeypatch.setattr(house_commands, "build_book", book_fails)
    monkeypatch.setattr(house_commands, "ensure_all", lambda root: None)
    monkeypatch.setattr(house_commands, "find_chromium", lambda: "chromium")
    assert house_commands.run_command(["test"]) == 1
    assert ran[:4] == ["ruff", "ruff", "mypy", "pytest"]
    assert "test: failed: mypy, book" in capsys.readouterr().err


def test_where_everything_is_required_a_missing_browser_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(house_commands, "ensure_all", lambda root: None)
    monkeypatch.setattr(house_commands, "find_chromium", lambda: None)
    monkeypatch.setattr(house_commands, "run", pytest.fail)
    monkeypatch.setenv("SBE_REQUIRE_ALL", "1")
    assert house_commands.run_command(["test"]) == 1
    assert "Chromium is not installed" in capsys.readouterr().err


def test_the_scripts_that_run_before_set_up_import_the_standard_library_alone(root: Path) -> None:
    ours = {path.stem for path in (root / "site" / "scripts").glob("house*.py")}
    for name in ours:
        text = (root / "site" / "scripts" / f"{name}.py").read_text()
        imported = re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE)
        strange = set(imported) - sys.stdlib_module_names - ours - {"jupyter_book"}
        assert strange == set(), name


def test_no_file_names_a_machine_of_its_author(root: Path) -> None:
    wrong = []
    home = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/")
    for path in files_below(root):
        if path.suffix in {".woff2", ".ttf", ".png", ".ico"} or path.name == Path(__file__).name:
            continue
        if home.search(path.read_text(encoding="utf-8")):
            wrong.append(path.relative_to(root).as_posix())
    assert wrong == []
