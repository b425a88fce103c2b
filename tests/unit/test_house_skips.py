"""The rule about skipping: one line each; a failure where everything is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = """
import pytest

def test_needs_a_browser():
    pytest.skip("Chromium is not installed")

def test_needs_a_browser_too():
    pytest.skip("Chromium is not installed")

def test_needs_data(shared):
    pass

@pytest.mark.xfail(reason="known")
def test_known():
    raise ValueError
"""
WHOLE_FILE = "import pytest\npytest.importorskip('no_such_module')\n"


def outcome(
    folder: Path, root: Path, text: str = SAMPLE, *, required: bool, workers: int = 0
) -> tuple[int, str]:
    """Run a test file below a copy of our conftest, with no data beside it."""
    tests = folder / "clone" / "tests"
    tests.mkdir(parents=True)
    (tests / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    (tests / "test_sample.py").write_text(text)
    (tests / "test_other.py").write_text("def test_other():\n    pass\n")
    environment = {
        **os.environ,
        "SBE_REQUIRE_ALL": "1" if required else "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # only to start faster
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "xdist", "-n", str(workers)] if workers else []
    done = subprocess.run(
        [*command, "--rootdir", str(folder), str(tests)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", [0, 1])
def test_each_part_left_out_is_one_visible_line(tmp_path: Path, root: Path, workers: int) -> None:
    code, shown = outcome(tmp_path, root, required=False, workers=workers)
    assert code == 0
    assert shown.count("LEFT OUT") == 2
    assert "LEFT OUT: Chromium is not installed (2 tests)" in shown
    assert "LEFT OUT: the data beside the clone (../shared/data) are absent (1 test)" in shown


def test_where_everything_is_required_only_the_data_may_be_absent(
    tmp_path: Path, root: Path
) -> None:
    code, shown = outcome(tmp_path, root, required=True)
    assert code == 1
    assert "2 failed, 1 passed, 1 skipped, 1 xfailed" in shown
    assert "skipped where everything is required" in shown


@pytest.mark.parametrize("required", [False, True])
def test_a_file_that_skips_itself_is_no_way_around(
    tmp_path: Path, root: Path, required: bool
) -> None:
    code, shown = outcome(tmp_path, root, WHOLE_FILE, required=required)
    assert (code != 0) is required, shown
