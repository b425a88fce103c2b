"""The scheduled checks: facts that are too old, links that are dead."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import check_fact_age
import check_links
import pytest


def test_a_fact_is_too_old_the_day_after_its_term() -> None:
    facts = [{"id": "lambda.timeout", "checked": "2026-05-01"}]
    assert check_fact_age.too_old(facts, date(2026, 10, 28), days=180) == []
    assert check_fact_age.too_old(facts, date(2026, 10, 29), days=180) == [(181, "lambda.timeout")]


def test_a_fact_that_was_never_checked_is_too_old() -> None:
    assert check_fact_age.too_old([{"id": "x", "checked": ""}], date(2026, 1, 1), days=10**5)


def test_the_command_fails_and_names_the_fact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({"facts": [{"id": "sqs.price", "checked": "2026-01-01"}]}))
    options = ["--facts", str(path), "--days", "30", "--today"]
    assert check_fact_age.main([*options, "2026-01-31"]) == 0
    assert check_fact_age.main([*options, "2026-02-01"]) == 1
    assert "sqs.price: last checked 31 days ago" in capsys.readouterr().out


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the path asks for."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    """Serve every status on loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "state"), [(200, "ok"), (403, "refused"), (429, "refused"), (404, "status 404")]
)
def test_a_dead_link_is_told_from_a_host_that_refuses(host: str, status: int, state: str) -> None:
    assert check_links.state_of(f"{host}/{status}") == state


def test_dead_links_are_named_with_their_pages(
    tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.html").write_text(
        f'<a href="{host}/200#part">x</a><a href="{host}/404">y</a><a href="b.html">z</a>'
    )
    assert check_links.main(["--site", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert f"{host}/404: status 404\n    on a.html" in said
    assert "2 links leave the site; 1 dead, 0 refuse" in said
