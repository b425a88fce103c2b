"""A log is read whole: what is no request is counted by its kind, never skipped, never executed."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.calibration import (
    Log,
    lines_of_events,
    read_file,
    read_reports,
    read_table,
    read_text,
)

STREAM = "2026/11/23/[7]0123456789abcdef0123456789abcdef"
#: The developer guide's own example, with the time that a tail of the log puts before it.
REPORT = (
    "2026-11-23T09:30:02.000Z REPORT RequestId: 8f5f1fe6\tDuration: 800.00 ms\t"
    "Billed Duration: 1000 ms\tMemory Size: 512 MB\tMax Memory Used: 74 MB\t"
    "Init Duration: 200.00 ms\t"
)
HOSTILE = [
    "$(touch owned); `reboot`; ' OR 1=1 --",
    "{{7*7}} ${jndi:ldap://x} %s%s%n <script>alert(1)</script>",
    "__import__('os').system('true')",
    "a" * 60_000 + "!",  # food for a pattern that backtracks
    "(((((((((((((((((((((" * 500,
]


def test_a_mixed_log_is_accounted_for_to_the_line() -> None:
    lines = [
        "2026-11-23T09:30:00.000Z INIT_START Runtime Version: python:3.14.v1",
        "2026-11-23T09:30:01.000Z START RequestId: 8f5f1fe6 Version: 7",
        "2026-11-23T09:30:01.100Z Die Bestellung wurde geprüft; 注文を受け付けました",
        REPORT,
        "2026-11-23T09:30:02.001Z END RequestId: 8f5f1fe6",
        "2026-11-23T09:30:03.000Z REPORT RequestId: 77aa\tDuration: 12.",
        REPORT.replace("8f5f1fe6", "99bb").replace("800.00", "schnell"),
        REPORT.replace("8f5f1fe6", "77cc").replace("2026-11-23T09:30:02.000Z ", ""),
        REPORT,
        '{"time":"2026-11-23T09:30:04Z","type":"platform.report","record":{"requestId":"cut',
        '{"time":"2026-11-23T09:30:04Z","type":"platform.runtimeDone","record":{}}',
        "a line \x00 with \x07 control characters",
        "order 17 accepted",
        *HOSTILE,
    ]
    log = read_reports(lines)
    told = log.account
    assert len(log) == told.used == 1
    assert told.unreadable == {
        "a report cut short": 1,
        "a report with a field that is no number": 1,
        "reports without a time": 1,
        "reports that stand twice": 1,
        "JSON cut short or not whole": 1,
    }
    assert told.other["lines of the function, not in ASCII"] == 1
    assert told.other["lines with control characters"] == 1
    assert told.other["lines of the function"] == 1 + len(HOSTILE)
    assert told.used + sum(told.unreadable.values()) + sum(told.other.values()) == told.lines
    assert "a report cut short" in str(told)


def test_what_a_report_says_and_what_stands_around_it() -> None:
    log = read_reports([f"{STREAM} {REPORT}"])
    assert log.took_s[0] == pytest.approx(1.0)  # INIT included
    assert log.init_s[0] == pytest.approx(0.2)
    assert log.cold[0]
    assert log.memory_mb[0] == 512
    assert log.versions == ("7",)
    assert log.environment[0] == 0


def test_json_and_text_of_logs_insights_say_the_same() -> None:
    record = {
        "time": "2026-11-23T09:30:02.000Z",
        "type": "platform.report",
        "record": {
            "requestId": "8f5f1fe6",
            "metrics": {
                "durationMs": 800.0, "billedDurationMs": 1000, "memorySizeMB": 512,
                "maxMemoryUsedMB": 74, "initDurationMs": 200.0,
            },
            "status": "success",
        },
    }  # fmt: skip
    as_text = REPORT.split(" ", 1)[1]
    rows = [
        {"@timestamp": "2026-11-23 09:30:02.000", "@message": message, "@logStream": STREAM}
        for message in (as_text, json.dumps(record))
    ]
    text, from_json = (read_reports(lines_of_events([row])) for row in rows)
    assert text.start_s[0] == from_json.start_s[0]
    assert text.took_s[0] == from_json.took_s[0]
    assert text.versions == from_json.versions == ("7",)
    assert text.environment[0] == from_json.environment[0] == 0


def test_a_retry_with_the_same_id_is_another_request() -> None:
    again = REPORT.replace("09:30:02", "09:31:02")
    assert len(read_reports([REPORT, again])) == 2


def test_versions_come_from_start_lines_and_streams_tell_environments_apart() -> None:
    other = STREAM.replace("0123", "9999")
    log = read_reports(
        [
            "START RequestId: aa11 Version: 3",
            REPORT.replace("8f5f1fe6", "aa11"),
            f"{STREAM} {REPORT.replace('8f5f1fe6', 'bb22')}",
            f"{other} {REPORT.replace('8f5f1fe6', 'cc33')}",
        ]
    )
    assert sorted(log.versions) == ["3", "7"]
    assert sorted(log.environment.tolist()) == [-1, 0, 1]


def test_a_table_is_read_and_its_bad_rows_are_counted() -> None:
    log = read_table(
        [
            "Start,End,Cold,Environment\n",
            "0,2.4,true,a\n",
            "2026-11-23T09:30:00+00:00,2026-11-23T09:30:02Z,warm,a\n",
            "60,x,false,a\n",
            "60,61,perhaps,a\n",
            "60,59,false,a\n",
            "60,nan,false,a\n",
            "60,61\n",
            "\n",
        ]
    )
    assert len(log) == 2
    assert log.account.unreadable == {
        "times that are no numbers": 1,
        "a cold flag that is neither true nor false": 1,
        "rows with an impossible value": 2,
        "rows cut short or too long": 1,
    }
    assert log.account.lines == 7


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no request can be read"),
        ("nothing\nof use\n", "REPORT lines with their times are needed"),
        ("start,end\n1,2\n", "no column cold"),
        ("start,end,cold\n", "no request can be read"),
    ],
)
def test_a_log_without_requests_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_text(text)


def test_bytes_that_are_no_text_spoil_only_their_line(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"\xff\xfe\x00broken\n" + REPORT.encode() + b"\n\x80\x81\n")
    log = read_file(file)
    assert len(log) == 1
    assert log.account.lines == 3


def test_a_line_of_many_megabytes_costs_no_time() -> None:
    begun = time.perf_counter()
    log = read_reports(["REPORT RequestId: " * 300_000, REPORT])
    assert time.perf_counter() - begun < 2
    assert log.account.other == {"lines too long to be a report": 1}


words = st.sampled_from(
    ["REPORT RequestId: a", "Duration: 1 ms", "\t", "{", '"message"', "platform.report", "START ",
     "Memory Size: x", "Billed Duration:", "2026-11-23T09:30:02.000Z ", "é", "\x00", STREAM]
)  # fmt: skip


@given(st.lists(st.lists(words | st.text(max_size=8), max_size=8).map("".join), max_size=12))
@settings(max_examples=150, deadline=None)
def test_no_log_ends_in_anything_but_a_reading_or_a_refusal(lines: list[str]) -> None:
    try:
        log = read_text("\n".join([*lines, REPORT]))
    except ValueError:
        return
    assert isinstance(log, Log)
    assert 1 <= log.account.used == len(log) <= log.account.lines


def test_files_as_shells_exports_and_the_cli_write_them_say_the_same(tmp_path: Path) -> None:
    stamp, message = 1_795_426_202_000, REPORT.split(" ", 1)[1]
    row = {
        "@timestamp": "2026-11-23 09:30:02.000", "@message": message, "@logStream": STREAM,
    }  # fmt: skip
    event = {"timestamp": stamp, "message": message, "logStreamName": STREAM}
    contents = {
        "utf16": f"{STREAM} {REPORT}".encode("utf-16"),
        "gzip": gzip.compress(f"{STREAM} {REPORT}".encode()),
        "FilterLogEvents": json.dumps({"events": [event]}, indent=4).encode(),
        "GetQueryResults": json.dumps(
            {"results": [[{"field": k, "value": v} for k, v in row.items()]]}, indent=4
        ).encode(),
    }
    for name, content in contents.items():
        file = tmp_path / name
        file.write_bytes(content)
        log = read_file(file)
        assert (len(log), log.versions) == (1, ("7",)), name
        assert log.start_s[0] == pytest.approx(stamp / 1000 - 1.0), name


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(REPORT.encode() * 50)[:60], "broken .*: fetch it again"),
        (b'{"events": [1, null, [[]], {"message": 5}]}', "no request can be read: 4 lines"),
        (b"[" * 100_000, "REPORT lines with their times are needed"),
        (b"start;end;cold\n0;1;vrai\n", "cold as true or false"),
        (b"start,end,cold\n1795426200000,1795426201000,true\n", "not milliseconds"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_would_do(
    tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "log"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_file(file)
