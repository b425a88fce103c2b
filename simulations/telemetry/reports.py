"""Read REPORT lines, in whatever shape logs hand them over.

Understood: the text format with tabs or, as in copies, with spaces; before it the timestamp and
stream name that exports, ``aws logs tail`` and ``sam logs`` write; rows of the console's CSV;
events of the CloudWatch API; Lambda's JSON format (``platform.report``); X-Ray's ids on the same
or the next line. May import: the standard library and this room.

Shapes seen in the wild, besides the developer guide: github.com/aws/aws-lambda-dotnet/issues/480
(spaces, 100 ms rounding), github.com/nishidemasami/contactform-api/issues/29 (Error Type),
github.com/aws-solutions-library-samples/cloud-intelligence-dashboards-data-collection/issues/201
(export), github.com/DataDog/datadog-lambda-extension/issues/1237 (one field a line, timeout).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, overload

from simulations.telemetry.invocation import Invocation

# The longer name first: "Billed Duration" must not be read as "Duration".
_NAMES = (
    "Billed Restore Duration", "Restore Duration", "Billed Duration", "Init Duration", "Duration",
    "Memory Size", "Max Memory Used", "RequestId", "Status", "Error Type", "XRAY TraceId",
    "SegmentId", "Sampled",
)  # fmt: skip
_FIELD = re.compile(rf"({'|'.join(_NAMES)}):[ \t]*")
_GOES_ON = re.compile(rf"\s*(?:{'|'.join(n for n in _NAMES if n != 'RequestId')}):")
# INIT_REPORT and RESTORE_REPORT are other records; "REPORT" in an application's text is none.
_BEGIN = re.compile(r"(?<![\w-])REPORT[ \t]+Req")
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?"
)
_EPOCH_MS = re.compile(r"(?<!\d)(\d{13})(?!\d)")
#: A line longer than this carries no report: Lambda's have a few hundred characters.
_LONGEST = 1_000_000


class Reports(Sequence[Invocation]):
    """The invocations that were read, in order, and an account of the rest.

    Attributes
    ----------
    unreadable
        How many REPORT records could not be read.
    reasons
        Why, with the line each began in.
    other
        Lines that are no REPORT record: START, END, what the function itself wrote.
    """

    def __init__(self, found: list[Invocation], reasons: list[str], other: int) -> None:
        self._found = tuple(found)
        self.reasons = tuple(reasons)
        self.other = other

    @property
    def unreadable(self) -> int:
        """How many REPORT records could not be read."""
        return len(self.reasons)

    @overload
    def __getitem__(self, index: int) -> Invocation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Invocation, ...]: ...
    def __getitem__(self, index: int | slice) -> Invocation | tuple[Invocation, ...]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Invocation]:
        return iter(self._found)

    def __repr__(self) -> str:
        return (
            f"<reports: {len(self)} read, {self.unreadable} unreadable, {self.other} other lines>"
        )


def parse_reports(lines: str | bytes | Iterable[str | bytes]) -> Reports:
    r"""Read the invocations out of log lines.

    Parameters
    ----------
    lines
        A text, an open file, or lines or events one by one; bytes count as UTF-8. Whatever is
        no REPORT record is counted and passed over, nothing is raised.

    Examples
    --------
    >>> log = '''START RequestId: 4f9e Version: $LATEST
    ... 2026-11-23T09:30:00.125Z REPORT RequestId: 4f9e Duration: 12.34 ms Billed Duration: 97 ms \
    ... Memory Size: 512 MB Max Memory Used: 74 MB Init Duration: 84.51 ms
    ... REPORT RequestId: 77aa Duration: 8.'''
    >>> found = parse_reports(log)
    >>> found[0].billed_ms, found[0].init_ms, found[0].timestamp_ms
    (97, 84.51, 1795426200125)
    >>> found.unreadable, found.reasons
    (1, ('line 3: no Billed Duration',))
    """
    if isinstance(lines, (str, bytes)):
        lines = [lines]
    found: list[Invocation] = []
    reasons: list[str] = []
    other = 0
    for number, record in _records(lines):
        try:
            one = _json_report(record) or _text_report(record)
        except ValueError as error:
            reasons.append(f"line {number}: {error}")
            continue
        if one is None:
            other += 1
        else:
            found.append(one)
    return Reports(found, reasons, other)


def _records(lines: Iterable[str | bytes]) -> Iterator[tuple[int, str]]:
    """Put the lines that belong to one record together; the first's number counts."""
    number = 0
    begun, record = 0, ""
    for event in lines:
        text = event.decode("utf-8", "replace") if isinstance(event, bytes) else event
        for line in text.splitlines():
            number += 1
            if not line.strip():
                continue
            if record and _BEGIN.search(record) and _GOES_ON.match(line) and len(record) < _LONGEST:
                record += "\t" + line
                continue
            if record:
                yield begun, record
            begun, record = number, line
    if record:
        yield begun, record


def _text_report(record: str, timestamp_ms: int | None = None) -> Invocation | None:
    begin = _BEGIN.search(record)
    if begin is None:
        return None
    if len(record) > _LONGEST:
        raise ValueError(f"{len(record)} characters are too many")
    # Pretty-printed JSON and CSV copies carry tabs and line ends as two characters.
    body = record[begin.start() :].replace("\\t", "\t").replace("\\n", "\t")
    marks = list(_FIELD.finditer(body))
    values: dict[str, str] = {}
    ends = [mark.start() for mark in marks[1:]] + [len(body)]
    for mark, end in zip(marks, ends, strict=False):
        values.setdefault(mark.group(1), body[mark.end() : end].strip(" \t\r\n\"',"))
    if timestamp_ms is None:
        timestamp_ms = _timestamp_ms(record[: begin.start()])
    return _invocation(values, timestamp_ms)


def _invocation(values: dict[str, str], timestamp_ms: int | None) -> Invocation:
    for name in ("RequestId", "Duration", "Billed Duration", "Memory Size"):
        if not values.get(name):
            raise ValueError(f"no {name}")
    sampled = values.get("Sampled", "").split()[:1]
    return Invocation(
        request_id=_word(values["RequestId"]),
        duration_ms=_number(values, "Duration", "ms"),
        billed_ms=_whole(values, "Billed Duration", "ms"),
        memory_mb=_whole(values, "Memory Size", "MB"),
        max_memory_mb=_whole(values, "Max Memory Used", "MB")
        if "Max Memory Used" in values
        else None,
        init_ms=_number(values, "Init Duration", "ms") if "Init Duration" in values else None,
        restore_ms=_number(values, "Restore Duration", "ms")
        if "Restore Duration" in values
        else None,
        billed_restore_ms=_whole(values, "Billed Restore Duration", "ms")
        if "Billed Restore Duration" in values
        else None,
        status=_word(values.get("Status") or "success"),
        error_type=_word(values["Error Type"]) if values.get("Error Type") else None,
        trace_id=_word(values["XRAY TraceId"]) if values.get("XRAY TraceId") else None,
        segment_id=_word(values["SegmentId"]) if values.get("SegmentId") else None,
        sampled=sampled[0].lower() == "true" if sampled else None,
        timestamp_ms=timestamp_ms,
    )


def _word(text: str) -> str:
    return text.split()[0].strip("\"',")


_PLAIN = re.compile(r"\d{1,15}(?:\.\d+)?")


def _number(values: dict[str, str], name: str, unit: str) -> float:
    words = values[name].split()
    if len(words) < 2 or words[1].strip("\"',") != unit or not _PLAIN.fullmatch(words[0]):
        raise ValueError(f"{name} is {values[name][:40]!r}, not a number of {unit}")
    return float(words[0])


def _whole(values: dict[str, str], name: str, unit: str) -> int:
    number = _number(values, name, unit)
    if number != int(number):
        raise ValueError(f"{name} is {number}, not a whole number of {unit}")
    return int(number)


def _timestamp_ms(before: str) -> int | None:
    """The last timestamp before the record: stream names carry dates, too."""
    for moment in reversed(list(_MOMENT.finditer(before))):
        day, time, fraction, zone = moment.groups()
        zone = "+00:00" if zone in (None, "Z") else zone
        digits = ((fraction or "") + "000")[:3]
        try:
            when = datetime.fromisoformat(f"{day}T{time}.{digits}000{zone}").astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        seconds = int(
            (when.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        )
        return max(0, seconds * 1000 + int(digits))
    epoch = _EPOCH_MS.search(before)
    return int(epoch.group(1)) if epoch else None


def _json_report(record: str) -> Invocation | None:
    """A platform.report record, or an event of the CloudWatch API that carries a report."""
    brace = record.find("{")
    if brace < 0 or not ("platform.report" in record or '"message"' in record):
        return None
    try:
        event, _ = json.JSONDecoder().raw_decode(record, brace)
    except (ValueError, RecursionError):
        if "platform.report" in record:
            raise ValueError("a platform.report record that is cut or no JSON") from None
        return None
    if not isinstance(event, dict):
        return None
    message = event.get("message")
    if isinstance(message, str) and "type" not in event:
        when = event.get("timestamp")
        stamp = when if isinstance(when, int) and not isinstance(when, bool) else None
        if stamp is None and isinstance(when, str):
            stamp = _timestamp_ms(when)
        return _json_report(message) or _text_report(message, stamp)
    if event.get("type") != "platform.report":
        return None
    return _platform_report(event)


def _platform_report(event: dict[str, Any]) -> Invocation:
    body = event.get("record")
    metrics = body.get("metrics") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(metrics, dict):
        raise ValueError("a platform.report record without metrics")
    text = {
        "Duration": "durationMs",
        "Billed Duration": "billedDurationMs",
        "Memory Size": "memorySizeMB",
        "Max Memory Used": "maxMemoryUsedMB",
        "Init Duration": "initDurationMs",
        "Restore Duration": "restoreDurationMs",
        "Billed Restore Duration": "billedRestoreDurationMs",
    }
    values = {}
    for name, key in text.items():
        if metrics.get(key) is not None:
            values[name] = f"{metrics[key]} {'MB' if key.endswith('MB') else 'ms'}"
    for name, key in (
        ("RequestId", "requestId"),
        ("Status", "status"),
        ("Error Type", "errorType"),
    ):
        if isinstance(body.get(key), str) and body[key].strip():
            values[name] = body[key]
    tracing = body.get("tracing")
    if isinstance(tracing, dict):
        parts = dict(p.split("=", 1) for p in str(tracing.get("value")).split(";") if "=" in p)
        values["XRAY TraceId"] = parts.get("Root", "")
        values["SegmentId"] = str(tracing.get("spanId") or "")
        if "Sampled" in parts:
            values["Sampled"] = "true" if parts["Sampled"] == "1" else "false"
    return _invocation(values, _timestamp_ms(str(event.get("time", ""))))
