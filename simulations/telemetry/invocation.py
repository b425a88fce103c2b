"""One invocation as its REPORT line tells it, and how the line is written.

May import: the standard library.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_WORD = re.compile(r"[^\s\"',{}]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: 9999-12-31, the last day that a date in a log can name.
_LATEST_MS = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda reports at the end of one invocation.

    Attributes
    ----------
    request_id
        Given by Lambda; a retry of an asynchronous event carries the same one.
    duration_ms, billed_ms
        How long the handler ran, shown with two decimals; and what is billed: since 2025-08-01
        that and `init_ms` (or `billed_restore_ms`), rounded up.
    memory_mb, max_memory_mb
        Configured and used; None where unknown, as in a simulation.
    init_ms
        How long INIT took; None when the environment was warm.
    restore_ms, billed_restore_ms
        Instead of INIT with SnapStart.
    status, error_type
        "success", "timeout", "error" or "failure"; and, say, "Runtime.OutOfMemory".
    trace_id, segment_id, sampled
        Of X-Ray, where tracing is on.
    timestamp_ms
        When the line was written, in milliseconds since 1970 (UTC), where the log says so.

    Raises
    ------
    ValueError
        If a value is impossible.
    """

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: int | None = None
    status: str = "success"
    error_type: str | None = None
    trace_id: str | None = None
    segment_id: str | None = None
    sampled: bool | None = None
    timestamp_ms: int | None = None

    def __post_init__(self) -> None:
        for name in ("duration_ms", "billed_ms", "memory_mb", "max_memory_mb", "init_ms",
                     "restore_ms", "billed_restore_ms"):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name}={value!r} must be a finite number, 0 or above")
        for name in ("request_id", "status", "error_type", "trace_id", "segment_id"):
            value = getattr(self, name)
            if value is not None and not _WORD.fullmatch(value):
                raise ValueError(f"{name}={value!r} must be one word without quotes")
        if self.timestamp_ms is not None and not 0 <= self.timestamp_ms <= _LATEST_MS:
            raise ValueError(f"timestamp_ms={self.timestamp_ms!r} must be 0 to {_LATEST_MS}")

    @property
    def cold(self) -> bool:
        """Whether a new environment was made for it."""
        return self.init_ms is not None or self.restore_ms is not None


def format_report(invocation: Invocation) -> str:
    r"""The REPORT line of an invocation, fields separated by tabs, as Lambda writes it.

    With a timestamp the line begins with it, as in an export to Amazon S3. X-Ray's ids stand
    on a line of their own. Source: facts lambda.report_line and lambda.report_line.example.

    Examples
    --------
    >>> format_report(Invocation("4f9e", 133.61, 214, 512, 74, init_ms=80.0))
    'REPORT RequestId: 4f9e\tDuration: 133.61 ms\tBilled Duration: 214 ms\tMemory Size: 512 MB\tMax
    Memory Used: 74 MB\tInit Duration: 80.00 ms\t'
    """
    one = invocation
    fields = [
        f"REPORT RequestId: {one.request_id}",
        f"Duration: {_ms(one.duration_ms)}",
        f"Billed Duration: {one.billed_ms} ms",
        f"Memory Size: {one.memory_mb} MB",
    ]
    if one.max_memory_mb is not None:
        fields.append(f"Max Memory Used: {one.max_memory_mb} MB")
    if one.init_ms is not None:
        fields.append(f"Init Duration: {_ms(one.init_ms)}")
    if one.restore_ms is not None:
        fields.append(f"Restore Duration: {_ms(one.restore_ms)}")
    if one.billed_restore_ms is not None:
        fields.append(f"Billed Restore Duration: {one.billed_restore_ms} ms")
    if one.status != "success":
        fields.append(f"Status: {one.status}")
    if one.error_type is not None:
        fields.append(f"Error Type: {one.error_type}")
    line = "\t".join(fields) + "\t"
    x_ray = []
    if one.trace_id is not None:
        x_ray.append(f"XRAY TraceId: {one.trace_id}")
    if one.segment_id is not None:
        x_ray.append(f"SegmentId: {one.segment_id}")
    if one.sampled is not None:
        x_ray.append(f"Sampled: {'true' if one.sampled else 'false'}")
    if x_ray:
        line += "\n" + "\t".join(x_ray) + "\t"
    if one.timestamp_ms is not None:
        line = f"{_moment(one.timestamp_ms)} {line}"
    return line


def _ms(value: float) -> str:
    """Two decimals, as Lambda writes; more only where the number has more."""
    number = Decimal(repr(float(value)))
    exponent = number.as_tuple().exponent
    places = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"{number:.{places}f} ms"


def _moment(timestamp_ms: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=timestamp_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{timestamp_ms % 1000:03d}Z"
