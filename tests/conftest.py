"""Fixtures for all tests, and the rule about skipping.

Optional parts (Chromium, the data beside the clone) may be absent on a reader's machine; their
tests are skipped, with one line each at the end. With ``SBE_REQUIRE_ALL=1`` every skip is a
failure, but for the absent data.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED_ABSENT = "the data beside the clone (../shared/data) are absent"


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of recorded data beside the clone; skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(SHARED_ABSENT)
    return folder


@pytest.fixture(scope="session")
def built_site() -> Path:
    """Return the folder of the built site; skip where it is not built (`make book`)."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.skip("the book is not built (make book)")
    return folder


# ---------------------------------------------------------------- the rule about skipping


def required() -> bool:
    """Tell whether this run must not leave anything out."""
    return os.environ.get("SBE_REQUIRE_ALL") == "1"


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test was skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where everything is required."""
    if not required() or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = reason_of(report)
    if reason != SHARED_ABSENT:
        report.outcome = "failed"
        report.longrepr = f"skipped where everything is required (SBE_REQUIRE_ALL=1): {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Apply the rule to a test."""
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Apply the rule to a file that skips itself while it is read."""
    report = yield
    refuse_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print one line for each part that was left out."""
    reasons = Counter(reason_of(report) for report in terminalreporter.stats.get("skipped", []))
    for reason, tests in sorted(reasons.items()):
        terminalreporter.write_line(f"LEFT OUT: {reason} ({tests} test{'s' * (tests > 1)})")
