"""Read a log: REPORT lines as text or JSON, or a plain table; account for whatever is neither.

Nothing of a log is ever executed or taken for a pattern: lines are searched for fields, and what
has none is counted by its kind. May import: the standard library, NumPy, this room and
`simulations.telemetry`.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from simulations.calibration.content import as_lines, decoded
from simulations.calibration.log import Account, Log
from simulations.telemetry import parse_reports

#: A log stream is one environment; its name holds day, version and a random id.
_STREAM = re.compile(r"\d{4}/\d{2}/\d{2}/[\w./-]{0,200}?\[([\w$-]{1,128})\][0-9a-f]{32}")
_REQUEST = re.compile(r"[Rr]equestId\\?\"?\s*:\s*\\?\"?([\w-]{1,128})")
_VERSION = re.compile(r"[Vv]ersion\\?\"?\s*:\s*\\?\"?([\w$-]{1,128})")
#: A longer line carries nothing of a request; it is counted and not searched.
LONGEST = 1_000_000

#: The columns of a table, by the names they may have.
COLUMNS = {
    "start": ("start", "start_s", "client_start_time"),
    "end": ("end", "end_s", "client_end_time"),
    "cold": ("cold", "is_cold"),
    "environment": ("environment", "env", "instance"),
    "init_s": ("init_s",),
    "memory_mb": ("memory_mb", "memory"),
    "version": ("version",),
}
#: Later than the year 5000: milliseconds stand where seconds are meant.
_LATEST_S = 1e11
_TRUE, _FALSE = {"true", "1", "yes", "cold"}, {"false", "0", "no", "warm"}


def read_file(path: str | Path) -> Log:
    """Read a log from a file: a table where its first line names start and end, else REPORT lines.

    The file may be packed with gzip, as exports to Amazon S3 are, and UTF-16, as a shell on
    Windows writes it. Bytes that are no text spoil no more than their line.

    Raises
    ------
    ValueError
        If no request can be read; the message holds the account of the lines.
    """
    return read_text(decoded(Path(path).read_bytes()))


def read_text(text: str) -> Log:
    r"""Read a log from pasted text.

    Examples
    --------
    >>> log = read_text("start,end,cold\n0,2.4,true\n60,62,false\n75,x,false\n")
    >>> len(log), log.account.unreadable
    (2, {'times that are no numbers': 1})
    """
    text = text.lstrip("\r\n\ufeff")
    first = text.split("\n", 1)[0]
    names = {name.strip().strip('"').lower() for name in first.split(_delimiter(first))}
    if all(names & set(COLUMNS[need]) for need in ("start", "end")):
        return read_table(io.StringIO(text))
    return read_reports(as_lines(text))


# ---------------------------------------------------------------- REPORT lines


def read_reports(lines: Iterable[str]) -> Log:
    r"""Read REPORT lines, or events that carry one, in any order.

    Every shape that `simulations.telemetry.parse_reports` reads. The log stream, where a line or
    an event names it, tells environments apart; it or the START line names the version. A
    request began where its report was written less the time it took.

    Examples
    --------
    >>> log = read_reports([
    ...     "2026-11-23T09:30:00.125Z START RequestId: 4f9e Version: 7",
    ...     "2026-11-23T09:30:01.125Z REPORT RequestId: 4f9e Duration: 900.00 ms "
    ...     "Billed Duration: 1000 ms Memory Size: 512 MB Init Duration: 100.00 ms",
    ...     "2026-11-23T09:30:02.000Z REPORT RequestId: 77aa Duration: 8.",
    ... ])
    >>> log, log.versions, log.account.unreadable
    (<log: 1 requests, 1 cold, 0 h>, ('7',), {'a report cut short': 1})
    """
    kept, other = [], Counter[str]()
    streams: defaultdict[str, deque[tuple[str, str]]] = defaultdict(deque)
    versions: dict[str, str] = {}
    count = 0
    for line in lines:
        if not line.strip():
            continue
        count += 1
        if len(line) > LONGEST:
            other["lines too long to be a report"] += 1
            continue
        kept.append(line)
        request, stream = _REQUEST.search(line), _STREAM.search(line)
        reports = "REPORT" in line or "platform.report" in line
        if request and stream and reports:
            streams[request[1]].append((stream[0], stream[1]))
        if request and ("START " in line or "platform.start" in line):
            version = _VERSION.search(line)
            if version:
                versions[request[1]] = version[1]
        if not reports:
            other[_kind_of_line(line)] += 1
    found = parse_reports(kept)
    unreadable = Counter(_kind_of_reason(reason) for reason in found.reasons)
    seen: set[tuple[str, int, float]] = set()
    rows = []
    for one in found:
        stream_and_version = streams[one.request_id].popleft() if streams[one.request_id] else None
        if not one.timestamp_ms:  # or from before 1970
            unreadable["reports without a time"] += 1
            continue
        # A retry of an asynchronous event has the same id at another time: it is no repetition.
        key = (one.request_id, one.timestamp_ms, one.duration_ms)
        if key in seen:
            unreadable["reports that stand twice"] += 1
            continue
        seen.add(key)
        begun_s = (one.init_ms or one.restore_ms or 0.0) / 1000
        end_s = one.timestamp_ms / 1000
        environment, version_name = stream_and_version or (None, versions.get(one.request_id))
        rows.append(
            (end_s - begun_s - one.duration_ms / 1000, end_s, one.cold, environment,
             begun_s if one.cold else math.nan, version_name, one.memory_mb)
        )  # fmt: skip
    told = _as_plain(Account(count, len(rows), unreadable, other))
    if not rows:
        raise ValueError(
            f"no request can be read: {told}\nREPORT lines with their times are needed, as "
            "'aws logs tail', an export or Logs Insights writes them"
        )
    start, end, cold, env, init, version_column, memory = zip(*rows, strict=True)
    return Log.of(start, end, cold, env, init_s=init, version=version_column, memory_mb=memory,
                  account=told)  # fmt: skip


def _as_plain(told: Account) -> Account:
    return Account(told.lines, told.used, dict(told.unreadable), dict(told.other))


def _kind_of_reason(reason: str) -> str:
    what = reason.split(": ", 1)[-1]
    if what.startswith("no "):
        return "a report cut short"
    if "cut or no JSON" in what or "without metrics" in what:
        return "JSON cut short or not whole"
    if "not a number" in what or "not a whole number" in what:
        return "a report with a field that is no number"
    return "a report with an impossible value"


def _kind_of_line(line: str) -> str:
    for word in ("START", "END", "INIT_START", "EXTENSION", "XRAY"):
        if re.search(rf"(?<![\w-]){word}[\s:]", line):
            return f"{word} lines"
    if "platform." in line:
        return "other platform records"
    if not line.isprintable() and any(ord(c) < 32 and c not in "\t\r\n\x1b" for c in line):
        return "lines with control characters"
    if any(ord(c) > 127 for c in line):
        return "lines of the function, not in ASCII"
    return "lines of the function"


# ---------------------------------------------------------------- tables


def read_table(lines: Iterable[str]) -> Log:
    r"""Read a table with a header: start, end and cold, and where known environment and more.

    Times are seconds or ISO 8601. Rows that cannot be read are counted by kind.

    Raises
    ------
    ValueError
        If a column is missing or no row can be read.
    """
    readable = _without_nul(lines)
    try:
        first = next(readable)
        rows = csv.reader(chain([first], readable), delimiter=_delimiter(first))
        header = [name.strip().lower() for name in next(rows)]
    except (StopIteration, csv.Error):
        raise ValueError("the table is empty: a header and one row a request are needed") from None
    place = {
        name: next((header.index(n) for n in names if n in header), None)
        for name, names in COLUMNS.items()
    }
    for need in ("start", "end", "cold"):
        if place[need] is None:
            raise ValueError(
                f"the table has no column {need}: one of {', '.join(COLUMNS[need])} is needed, "
                f"there are {', '.join(header)[:200]}"
            )
    unreadable = Counter[str]()
    found: list[tuple[float, float, bool, str | None, float, str | None, int]] = []
    count = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error:
            count += 1
            unreadable["rows that are no table"] += 1
            continue
        if not any(cell.strip() for cell in row):
            continue
        count += 1
        if len(row) != len(header):
            unreadable["rows cut short or too long"] += 1
            continue
        cell = {k: row[p].strip() if p is not None else "" for k, p in place.items()}
        try:
            start, end = _time(cell["start"]), _time(cell["end"])
            init = float(cell["init_s"]) if cell["init_s"] else math.nan
            memory = int(cell["memory_mb"] or -1)
        except (ValueError, OverflowError):
            unreadable["times that are no numbers"] += 1
            continue
        word = cell["cold"].lower()
        if word not in _TRUE | _FALSE:
            unreadable["a cold flag that is neither true nor false"] += 1
        elif not (math.isfinite(start) and math.isfinite(end)) or end < start or abs(memory) > 1e6:
            unreadable["rows with an impossible value"] += 1
        elif max(abs(start), abs(end)) > _LATEST_S:
            unreadable["times beyond the year 5000: seconds are needed, not milliseconds"] += 1
        else:
            found.append((start, end, word in _TRUE, cell["environment"] or None, init,
                          cell["version"] or None, memory))  # fmt: skip
    told = Account(count, len(found), dict(unreadable))
    if not found:
        raise ValueError(
            f"no request can be read: {told}\nneeded are start and end as seconds or as "
            "2026-11-23T09:30:00Z, and cold as true or false"
        )
    start_s, end_s, cold, env, init_s, version, memory_mb = zip(*found, strict=True)
    return Log.of(start_s, end_s, cold, env, init_s=init_s, version=version, memory_mb=memory_mb,
                  account=told)  # fmt: skip


def _delimiter(first: str) -> str:
    """What parts the columns: a comma, or what spreadsheets write in other languages."""
    return max(",;\t", key=first.count)


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    return (line.replace("\0", "\ufffd") for line in lines)


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def lines_of_events(events: Iterable[dict[str, str]]) -> Iterator[str]:
    """Return one line for each row of a Logs Insights result (@timestamp, @message, @logStream).

    >>> row = {"@timestamp": "2026-11-23 09:30:00.125", "@message": "REPORT ...", "@logStream": "s"}
    >>> next(lines_of_events([row]))
    '{"timestamp": "2026-11-23 09:30:00.125", "message": "REPORT ...", "logStreamName": "s"}'
    """
    for event in events:
        yield json.dumps(
            {
                "timestamp": event.get("@timestamp", ""),
                "message": event.get("@message", ""),
                "logStreamName": event.get("@logStream", ""),
            },
            ensure_ascii=False,
        )
