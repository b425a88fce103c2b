"""Reading a log group over real connections: moto, and a server with the service's faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config

from simulations.aws.local import client, local_services
from simulations.aws.logs import QUERY, Found, QueryFailed, report_events
from simulations.calibration import lines_of_events, read_reports

GROUP = "/aws/lambda/SubmitOrder"
STREAM = "2026/11/23/[7]0123456789abcdef0123456789abcdef"
BEGIN_S = 1_795_426_200
REPORTS = 1_000


def message(k: int) -> str:
    init = "Init Duration: 80.00 ms\t" if k % 10 == 0 else ""
    return (
        f"REPORT RequestId: {k:08x}\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
        f"Memory Size: 512 MB\tMax Memory Used: 74 MB\t{init}\n"
    )


class Server(ThreadingHTTPServer):
    """CloudWatch Logs as its API reference has it: JSON 1.1, one report a second; `fault` says what goes wrong."""

    fault = ""
    page = 10_000
    targets: list[str]
    queries: dict[str, dict[str, Any]]
    looks = 0

    def answer(self, target: str, wanted: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        operation = target.rsplit(".", 1)[-1]
        self.targets.append(operation)
        if self.fault == "denied":
            return 400, {"__type": "AccessDeniedException", "message": "not authorized"}
        if self.fault == "throttled" and len(self.targets) in (1, 3):
            name = "LimitExceededException" if len(self.targets) == 1 else "ThrottlingException"
            return 400, {"__type": name, "message": "slow down"}
        if self.fault == "always throttled":
            return 400, {"__type": "ThrottlingException", "message": "slow down"}
        if operation == "StartQuery":
            assert wanted["queryString"] == QUERY
            name = f"query-{len(self.queries)}"
            self.queries[name] = wanted
            return 200, {"queryId": name}
        if operation == "StopQuery":
            return 200, {"success": True}
        self.looks += 1
        if self.fault == "never" or (self.fault == "slow" and self.looks < 3):
            return 200, {"status": "Running", "results": [], "statistics": {}}
        if self.fault in ("Failed", "Cancelled", "Timeout"):
            return 200, {"status": self.fault, "results": [], "statistics": {}}
        return 200, self.rows(wanted)

    def rows(self, wanted: dict[str, Any]) -> dict[str, Any]:
        query = self.queries[wanted["queryId"]]
        first = max(query["startTime"] - BEGIN_S, 0)
        last = min(query["endTime"] - BEGIN_S, REPORTS - 1)
        found = list(range(first, last + 1))
        if self.fault == "crowded":
            found = [0] * 10 * len(found)
        found = found[: query["limit"]]
        at = int(wanted.get("nextToken", 0))
        results = [
            [
                {
                    "field": "@timestamp",
                    "value": datetime.fromtimestamp(BEGIN_S + k, UTC).strftime(
                        "%Y-%m-%d %H:%M:%S.000"
                    ),
                },
                {"field": "@message", "value": message(k)},
                {"field": "@logStream", "value": STREAM},
                {"field": "@ptr", "value": "x"},
            ]
            for k in found[at : at + self.page]
        ]
        more = {"nextToken": str(at + self.page)} if at + self.page < len(found) else {}
        statistics = {"bytesScanned": 200.0 * len(found)}
        return {"status": "Complete", "results": results, "statistics": statistics, **more}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        code, told = self.server.answer(self.headers["X-Amz-Target"], wanted)
        body = json.dumps(told).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        cut = self.server.fault == "cut" and "results" in told
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as listening:
        listening.targets, listening.queries = [], {}
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def ask(server: Server, **changed: Any) -> Found:
    logs = boto3.client(
        "logs", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{server.server_port}",
        aws_access_key_id="local", aws_secret_access_key="local",
        config=Config(proxies={}, read_timeout=5, retries={"total_max_attempts": 1}),
    )  # fmt: skip
    settings = {"timeout_s": 5.0, "poll_s": 0.01, **changed}
    return report_events(GROUP, BEGIN_S, BEGIN_S + REPORTS - 1, logs=logs, **settings)


def numbers(found: Found) -> list[int]:
    return [int(e["@message"].split()[2], 16) for e in found.events]


def test_every_report_arrives_once_and_can_be_fitted(server: Server) -> None:
    found = ask(server)
    assert numbers(found) == list(range(REPORTS))
    assert found.scanned_bytes == 200.0 * REPORTS
    log = read_reports(lines_of_events(found.events))
    assert len(log) == REPORTS
    assert log.cold.sum() == REPORTS / 10
    assert log.versions == ("7",)
    assert log.start_s[0] == pytest.approx(BEGIN_S - 0.09234)


def test_a_span_that_holds_too_many_rows_is_cut_in_two_without_loss(server: Server) -> None:
    found = ask(server, most=200)
    assert numbers(found) == list(range(REPORTS))
    assert found.queries > 5


def test_pages_of_an_answer_are_followed(server: Server) -> None:
    server.page = 300
    assert numbers(ask(server)) == list(range(REPORTS))
    assert server.targets.count("GetQueryResults") == 4


@pytest.mark.parametrize("fault", ["slow", "throttled"])
def test_what_passes_is_waited_for(server: Server, fault: str) -> None:
    server.fault = fault
    assert numbers(ask(server)) == list(range(REPORTS))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("denied", "refuses to read /aws/lambda/SubmitOrder: AccessDeniedException"),
        ("Failed", "ended the query of /aws/lambda/SubmitOrder: Failed"),
        ("Cancelled", "Cancelled"),
        ("Timeout", "Timeout"),
        ("crowded", "in the second"),
        ("cut", "cut short|cannot be asked"),
        ("always throttled", "kept refusing until the time was over"),
    ],
)
def test_a_fault_ends_in_a_refusal_that_names_it(server: Server, fault: str, says: str) -> None:
    server.fault = fault
    with pytest.raises(QueryFailed, match=says):
        ask(server, most=8 if fault == "crowded" else 10_000, timeout_s=1.0)


def test_a_query_that_never_ends_is_stopped(server: Server) -> None:
    server.fault = "never"
    begun = time.monotonic()
    with pytest.raises(QueryFailed, match=r"still Running after 0\.2 s"):
        ask(server, timeout_s=0.2)
    assert time.monotonic() - begun < 3
    assert server.targets[-1] == "StopQuery"


def test_only_reading_operations_are_called(server: Server) -> None:
    ask(server, most=500)
    assert set(server.targets) <= {"StartQuery", "GetQueryResults", "StopQuery"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"most": 20_000}, "most=20000"),
        ({"timeout_s": 0}, "timeout_s=0"),
        ({"poll_s": -1}, "poll_s"),
    ],
)
def test_impossible_settings_are_refused(changed: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        report_events(GROUP, 0, 1, logs=object(), **changed)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no span of time"):
        report_events(GROUP, 2, 1, logs=object())


def test_moto_holds_a_log_group_and_it_is_read() -> None:
    with local_services():
        logs = client("logs")
        logs.create_log_group(logGroupName=GROUP)
        logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
        now_s = int(time.time())
        events = [{"timestamp": 1000 * (now_s - 600 + k), "message": message(k)} for k in range(30)]
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)
        found = report_events(GROUP, now_s - 3600, now_s, poll_s=0.05)
        log = read_reports(lines_of_events(found.events))
    assert len(log) == 30
    assert log.versions == ("7",)
