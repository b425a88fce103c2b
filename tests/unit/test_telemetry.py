"""REPORT lines: written and read without loss, in every shape that logs come in.

Lines that real functions wrote are quoted from public issues; their addresses stand beside them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.facts import fact
from simulations.telemetry import Invocation, format_report, parse_reports

words = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", fullmatch=True)
times = st.floats(0, 1e6, allow_nan=False).map(lambda x: round(x, 3))


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


invocations = st.builds(
    Invocation,
    request_id=words,
    duration_ms=times,
    billed_ms=st.integers(0, 10**7),
    memory_mb=st.integers(128, 10240),
    max_memory_mb=maybe(st.integers(0, 10240)),
    init_ms=maybe(times),
    restore_ms=maybe(times),
    billed_restore_ms=maybe(st.integers(0, 10**6)),
    status=st.sampled_from(["success", "timeout", "error", "failure"]),
    error_type=maybe(words),
    trace_id=maybe(words),
    segment_id=maybe(words),
    sampled=maybe(st.booleans()),
    timestamp_ms=maybe(st.integers(0, 4 * 10**12)),
)


@given(st.lists(invocations, max_size=5))
def test_reading_undoes_writing(found: list[Invocation]) -> None:
    lines = [format_report(one) for one in found]
    assert list(parse_reports(lines)) == found
    assert list(parse_reports("\n".join(lines))) == found
    assert list(parse_reports("\n".join(lines).splitlines())) == found
    assert list(parse_reports("\r\n".join(lines).encode())) == found


@given(invocations)
def test_copies_with_spaces_instead_of_tabs_say_the_same(one: Invocation) -> None:
    copied = format_report(one).replace("\t", "  ").replace("\n", " ")
    assert list(parse_reports(copied)) == [one]


@given(invocations)
def test_events_of_the_cloudwatch_api_say_the_same(one: Invocation) -> None:
    event = json.dumps({"timestamp": one.timestamp_ms, "message": format_report(one) + "\n"})
    assert list(parse_reports(event)) == [one]
    console_row = f'{one.timestamp_ms or ""},"{format_report(one)}"'
    assert list(parse_reports(console_row)) == [one]


@given(st.lists(st.text() | st.binary(), max_size=10))
def test_garbage_is_survived_and_yields_nothing(lines: list[str | bytes]) -> None:
    found = parse_reports(lines)
    assert len(found) == 0
    assert found.unreadable == len(found.reasons)


@given(invocations, st.data())
def test_half_a_line_is_counted_and_never_misread(one: Invocation, data: st.DataObject) -> None:
    line = format_report(one)
    cut = data.draw(st.integers(0, len(line)))
    found = parse_reports(line[:cut])
    assert len(found) + found.unreadable <= 1
    for whole in found:  # a cut in the middle of an optional last field may shorten it, no more
        assert (whole.request_id, whole.duration_ms, whole.billed_ms) == (
            one.request_id, one.duration_ms, one.billed_ms,
        )  # fmt: skip


def only(lines: str | list[str]) -> Invocation:
    found = parse_reports(lines)
    assert (len(found), found.unreadable) == (1, 0), found.reasons
    return found[0]


def test_the_documented_shape_is_read_and_written() -> None:
    shape = fact("lambda.report_line.example").value.replace("<uuid>", "4f9e7c1a")
    one = only(shape)
    assert one == Invocation("4f9e7c1a", 12.34, 97, 512, 74, init_ms=84.51)
    assert one.cold
    assert format_report(one) == shape


def test_line_of_2019_copied_with_spaces() -> None:
    """https://github.com/aws/aws-lambda-dotnet/issues/480."""
    log = """START RequestId: d88fc138-1756-4e8f-b887-d44851c12b84 Version: $LATEST
Failed to initialize CoreCLR, HRESULT: 0x80004005
END RequestId: d88fc138-1756-4e8f-b887-d44851c12b84
REPORT RequestId: d88fc138-1756-4e8f-b887-d44851c12b84  Duration: 631.51 ms     Billed Duration: \
700 ms         Memory Size: 256 MB     Max Memory Used: 18 MB
RequestId: d88fc138-1756-4e8f-b887-d44851c12b84 Error: Runtime exited with error: exit status 137
Runtime.ExitError"""
    found = parse_reports(log)
    assert list(found) == [Invocation("d88fc138-1756-4e8f-b887-d44851c12b84", 631.51, 700, 256, 18)]
    assert (found.unreadable, found.other) == (0, 5)


def test_line_with_an_error_type() -> None:
    """https://github.com/nishidemasami/contactform-api/issues/29."""
    one = only(
        "REPORT RequestId: 83269395-33ee-45a8-8a99-38f67b6faf72\tDuration: 11.48 ms\t"
        "Billed Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 10 MB\tStatus: error\t"
        "Error Type: Runtime.InvalidEntrypoint"
    )
    assert (one.status, one.error_type) == ("error", "Runtime.InvalidEntrypoint")


def test_line_of_an_export() -> None:
    """https://github.com/aws-solutions-library-samples/cloud-intelligence-dashboards-data-collection/issues/201."""
    one = only(
        "2024-09-10T13:32:59.424Z REPORT RequestId: fa60295b-85a2-495a-a7e2-da5c85a5eb1e\t"
        "Duration: 19266.38 ms\tBilled Duration: 19267 ms\tMemory Size: 2688 MB\t"
        "Max Memory Used: 2581 MB\t"
    )
    assert one.timestamp_ms == 1_725_975_179_424
    assert one.max_memory_mb == 2581


def test_one_field_a_line_and_an_init_report_before_it() -> None:
    """https://github.com/DataDog/datadog-lambda-extension/issues/1237."""
    found = parse_reports(
        """INIT_REPORT Init Duration: 180000.45 ms Phase: invoke Status: timeout
REPORT RequestId: 514789fd-5e24-49c5-a41c-24c049a36e2a
Duration: 180000.00 ms
Billed Duration: 180000 ms
Memory Size: 192 MB
Max Memory Used: 192 MB
Status: timeout
"""
    )
    assert (len(found), found.unreadable, found.other) == (1, 0, 1)
    assert (found[0].status, found[0].init_ms, found[0].duration_ms) == ("timeout", None, 180_000)


@pytest.mark.parametrize(
    ("before", "timestamp_ms"),
    [
        ("2026-11-23T09:30:00.125000+00:00 2026/11/23/[$LATEST]3f2a ", 1_795_426_200_125),
        ("2026-11-23T09:30:00 ", 1_795_426_200_000),
        ("2023/06/02/[72]88ab 2026-11-23T09:30:00.125000 ", 1_795_426_200_125),
        ("2026-11-23T10:30:00.125+01:00\t", 1_795_426_200_125),
        ('1795426200125,"', 1_795_426_200_125),
        ("[INFO] ", None),
        ("2026-13-45T99:30:00.125Z ", None),
    ],
)
def test_prefixes_of_the_log_tools(before: str, timestamp_ms: int | None) -> None:
    line = "REPORT RequestId: 4f9e Duration: 1.00 ms Billed Duration: 1 ms Memory Size: 128 MB"
    assert only(before + line).timestamp_ms == timestamp_ms


def test_snapstart_bills_its_restore() -> None:
    """Field order as in the developer guide's page on SnapStart monitoring."""
    one = only(
        "REPORT RequestId: 4f9e\tDuration: 149.53 ms\tBilled Duration: 313 ms\t"
        "Memory Size: 3538 MB\tMax Memory Used: 163 MB\tRestore Duration: 789.64 ms\t"
        "Billed Restore Duration: 163 ms\t\n"
        "XRAY TraceId: 1-66d978e5-56c7378e556e94b5461da07c\tSegmentId: 29c3839e6ecb5895\t"
        "Sampled: true\t"
    )
    assert (one.restore_ms, one.billed_restore_ms, one.init_ms) == (789.64, 163, None)
    assert one.cold
    assert (one.segment_id, one.sampled) == ("29c3839e6ecb5895", True)


def test_json_log_format() -> None:
    """Schema: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html."""
    event = {
        "time": "2026-11-23T09:30:00.125Z",
        "type": "platform.report",
        "record": {
            "requestId": "4f9e",
            "status": "timeout",
            "errorType": "Sandbox.Timedout",
            "metrics": {
                "durationMs": 3000.0, "billedDurationMs": 3202, "memorySizeMB": 128,
                "maxMemoryUsedMB": 60, "initDurationMs": 201.503,
            },
            "tracing": {
                "spanId": "54565fb41ac79632",
                "type": "X-Amzn-Trace-Id",
                "value": "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efb;Sampled=1",
            },
        },
    }  # fmt: skip
    expected = Invocation(
        "4f9e", 3000.0, 3202, 128, 60, init_ms=201.503, status="timeout",
        error_type="Sandbox.Timedout", trace_id="1-62e900b2-710d76f009d6e7785905449a",
        segment_id="54565fb41ac79632", sampled=True, timestamp_ms=1_795_426_200_125,
    )  # fmt: skip
    line = json.dumps(event)
    assert only(line) == expected
    assert only("2026-11-23T09:30:01Z 2026/11/23/[$LATEST]3f2a " + line) == expected
    assert only(json.dumps({"timestamp": 5, "message": line})) == expected
    broken = parse_reports([line[:-30], '{"type": "platform.report", "record": 3}'])
    assert (len(broken), broken.unreadable) == (0, 2)


def test_unreadable_reports_say_why() -> None:
    head = "REPORT RequestId: 4f9e "
    rest = "Duration: 1.00 ms Billed Duration: 1 ms Memory Size: 128 MB"
    found = parse_reports(
        [
            head,
            head + rest.replace("1.00 ms", "1.00 s"),
            head + rest.replace("128", "some"),
            "REPORT Req",
            "REPORT RequestId: \t" + rest,
            head + rest.replace("Billed Duration: 1 ms", "Billed Duration: 1.5 ms"),
            "NOREPORT RequestId: 4f9e " + rest,
            "the REPORT is ready",
        ]
    )
    assert [reason.split(": ", 1)[1] for reason in found.reasons] == [
        "no Duration",
        "Duration is '1.00 s', not a number of ms",
        "Memory Size is 'some MB', not a number of MB",
        "no RequestId",
        "no RequestId",
        "Billed Duration is 1.5, not a whole number of ms",
    ]
    assert found.other == 2


def test_numbers_beyond_reason_are_refused() -> None:
    line = "REPORT RequestId: 4f9e Duration: {} ms Billed Duration: 1 ms Memory Size: 128 MB"
    for number in ("-5.00", "1e400", "nan", "inf", "9" * 400, "0x10"):
        assert parse_reports(line.format(number)).unreadable == 1
    endless = line.format("1.00") + " " + "x" * 2_000_000
    assert parse_reports(endless).unreadable == 1


@pytest.mark.parametrize(
    "change",
    [{"duration_ms": -1.0}, {"memory_mb": -1}, {"request_id": "a b"}, {"timestamp_ms": -1}],
)
def test_impossible_invocations_cannot_be_made(change: dict[str, object]) -> None:
    settings = {"request_id": "4f9e", "duration_ms": 1.0, "billed_ms": 1, "memory_mb": 128}
    with pytest.raises(ValueError, match=next(iter(change))):
        Invocation(**(settings | change))  # type: ignore[arg-type]


def test_open_files_are_read_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(
        b"\xff\xfe junk\n\x00\x00\n"
        b"REPORT RequestId: 4f9e\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t\n"
        b"XRAY TraceId: 1-62e900b2\tSegmentId: 0efb\tSampled: false\t\n"
    )
    with log.open("rb") as lines:
        found = parse_reports(lines)
    assert [one.sampled for one in found] == [False]
    assert found.other == 2
