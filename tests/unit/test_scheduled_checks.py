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
import yaml

from simulations.facts import changes, facts


def test_a_fact_is_too_old_on_the_day_its_term_ends() -> None:
    facts = [{"id": "lambda.timeout", "checked": "2026-11-23"}]
    assert check_fact_age.too_old(facts, date(2027, 8, 22), months=9) == []
    assert check_fact_age.too_old(facts, date(2027, 8, 23), months=9) == facts
    assert check_fact_age.too_old(facts, date(2028, 5, 22), months=18) == []
    assert check_fact_age.too_old(facts, date(2028, 5, 23), months=18) == facts


def test_a_fact_that_was_never_checked_is_too_old() -> None:
    assert check_fact_age.too_old([{"id": "x", "checked": ""}], date(2026, 1, 1), months=10**5)


def test_the_command_fails_and_names_the_fact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, text = tmp_path / "facts.json", tmp_path / "issue.md"
    source = {"url": "https://example.com/sqs", "title": "SQS pricing"}
    fact = {"id": "sqs.price", "checked": "2026-01-01", "source": source}
    path.write_text(json.dumps({"facts": [fact]}))
    options = ["--facts", str(path), "--months", "9", "--report", str(text), "--today"]
    assert check_fact_age.main([*options, "2026-09-30"]) == 0
    assert not text.exists()
    assert check_fact_age.main([*options, "2026-10-01"]) == 1
    assert "sqs.price: last checked 2026-01-01" in capsys.readouterr().out
    assert "- [ ] https://example.com/sqs: `sqs.price`" in text.read_text(encoding="utf-8")


def test_every_fact_and_every_change_of_the_project_has_an_age(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert check_fact_age.main(["--months", "1", "--today", "2099-01-01"]) == 1
    said = capsys.readouterr().out
    counted = len(list(facts())) + len(changes())
    assert f"{counted} facts, {counted} last checked" in said


def test_the_jobs_open_an_issue_at_nine_months_and_refuse_a_release_at_eighteen() -> None:
    workflows = Path(__file__).resolve().parents[2] / ".github" / "workflows"
    scheduled = yaml.safe_load((workflows / "scheduled.yml").read_text(encoding="utf-8"))
    job = scheduled["jobs"]["age-of-facts"]
    script = job["steps"][-1]["run"]
    assert "check_fact_age.py --months 9 --report" in script
    assert "gh issue create" in script
    assert job["permissions"]["issues"] == "write"
    deploy = yaml.safe_load((workflows / "deploy.yml").read_text(encoding="utf-8"))
    runs = [step.get("run", "") for step in deploy["jobs"]["build"]["steps"]]
    refuses = runs.index("python3 site/scripts/check_fact_age.py --months 18")
    assert refuses < runs.index("bash .ci/run")
    assert deploy["jobs"]["deploy"]["needs"] == "build"


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
