"""Building: what makes pages stale, what is served, what is cleaned."""

from __future__ import annotations

import threading
import urllib.request
from pathlib import Path

import pytest
from house_book import (
    clean,
    forget_stale,
    input_stamp,
    library_stamp,
    open_server,
    output_stamp,
    release_epoch,
    steady_environment,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a small project: library, facts, lock, a page, a test, a snapshot."""
    for name in (
        "simulations/orders.py",
        "simulations/facts/aws.json",
        "site/ext/book.py",
        "requirements.lock",
        "book/lambda/cold-starts.md",
        "tests/unit/test_orders.py",
        "tests/snapshots/numbers.json",
        "docs/architecture.md",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before")
    (tmp_path / "CITATION.cff").write_text("title: x\ndate-released: 2026-11-23\n")
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "recomputes", "rebuilds"),
    [
        ("simulations/orders.py", True, True),
        ("simulations/facts/aws.json", True, True),
        ("site/ext/book.py", True, True),
        ("requirements.lock", True, True),
        ("book/lambda/cold-starts.md", False, True),
        ("tests/snapshots/numbers.json", False, True),
        ("tests/unit/test_orders.py", False, False),
        ("docs/architecture.md", False, False),
    ],
)
def test_what_a_change_makes_stale(
    project: Path, changed: str, recomputes: bool, rebuilds: bool
) -> None:
    library, inputs = library_stamp(project), input_stamp(project)
    (project / changed).write_text("after")
    assert (library_stamp(project) != library) is recomputes
    assert (input_stamp(project) != inputs) is rebuilds


def test_a_new_file_of_the_library_makes_pages_stale(project: Path) -> None:
    before = library_stamp(project)
    (project / "simulations" / "new.py").write_text("")
    assert library_stamp(project) != before


def test_stale_results_are_removed_once_and_both_caches_go(project: Path) -> None:
    caches = [project / "_build" / name for name in (".jupyter_cache", ".doctrees")]
    for cache in caches:
        cache.mkdir(parents=True)
    assert forget_stale(project, "new")
    assert not any(cache.exists() for cache in caches)
    caches[0].mkdir()
    assert not forget_stale(project, "new")
    assert caches[0].exists()


def test_a_page_changed_by_hand_is_noticed(project: Path) -> None:
    html = project / "_build" / "html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("right")
    before = output_stamp(project)
    (html / "index.html").write_text("wrong")
    assert output_stamp(project) != before


def test_the_build_has_one_date_and_the_hash_seed_is_fixed(project: Path) -> None:
    environment = steady_environment(project)
    assert environment["SOURCE_DATE_EPOCH"] == release_epoch(project) == str(20780 * 86400)
    assert environment["PYTHONHASHSEED"] == "0"


def test_reading_works_on_a_taken_port(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "index.html").write_text("the book")
    first = open_server(project, 0)
    port = first.server_address[1]
    second = open_server(project, port)
    try:
        assert second.server_address[1] != port
        assert f"port {port} is taken" in capsys.readouterr().err
        assert second.server_address[0] == "127.0.0.1"
        threading.Thread(target=second.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{second.server_address[1]}/") as answer:
            assert answer.read() == b"the book"
        second.shutdown()
    finally:
        first.server_close()
        second.server_close()


def test_cleaning_never_touches_what_a_learner_wrote(project: Path) -> None:
    for name in ("_build/html", ".venv", "node_modules", "my-labs"):
        (project / name).mkdir(parents=True)
    clean(project)
    assert not (project / "_build").exists()
    assert (project / ".venv").exists()
    clean(project, everything=True)
    assert not (project / ".venv").exists()
    assert not (project / "node_modules").exists()
    assert (project / "my-labs").exists()
