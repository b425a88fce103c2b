"""REPORT records of a function of your own, through CloudWatch Logs Insights; it only reads.

Needs `logs:StartQuery`, `logs:GetQueryResults` and `logs:StopQuery` (which ends a query of our own
that takes too long) on the log group. AWS bills the bytes that a query scans (fact
`cw.price.logs.insights`). Source: API reference of Amazon CloudWatch Logs, StartQuery and
GetQueryResults. May import: the standard library, boto3, and this room.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from simulations._check import finite, positive, whole
from simulations.aws.local import client
from simulations.facts import fact

#: What a query asks for. A log stream is one environment, and its name holds the version.
QUERY = (
    "fields @timestamp, @message, @logStream"
    ' | filter @type = "REPORT" or type = "platform.report"'
    " | sort @timestamp asc"
)
#: Rows that GetQueryResults returns at most in one answer; a fuller span is cut in two.
MOST = int(fact("cw.logs.insights.rows")["answer"])
#: Answers of the service after which the same call may be made again.
_AGAIN = {
    "ThrottlingException", "LimitExceededException", "ServiceUnavailableException",
    "InternalFailure", "InternalServerError", "RequestTimeout",
}  # fmt: skip


class QueryFailed(RuntimeError):
    """The log could not be read; the message says why."""


@dataclass(frozen=True)
class Found:
    """Rows of the log, each a mapping of @timestamp, @message and @logStream."""

    events: tuple[dict[str, str], ...]
    queries: int
    scanned_bytes: float


def report_events(
    log_group: str,
    start_s: float,
    end_s: float,
    *,
    logs: Any = None,
    timeout_s: float = 120.0,
    poll_s: float = 1.0,
    most: int = MOST,
) -> Found:
    """Return every REPORT record that a log group holds between two instants.

    A span that holds more rows than one answer may carry is asked for in two halves.

    Parameters
    ----------
    log_group : str
        Such as `/aws/lambda/SubmitOrder`.
    start_s, end_s : float
        Seconds since 1970, both inclusive; Logs Insights counts whole seconds.
    logs : boto3 client, optional
        Of CloudWatch Logs; that of `simulations.aws.local.client` if left out.
    timeout_s, poll_s : float
        For the whole, and from one look at a running query to the next.
    most : int
        Rows of one query, up to `MOST`.

    Raises
    ------
    ValueError
        If the span or a setting is not possible.
    QueryFailed
        If a query fails, is refused, or the time is over.
    """
    if finite("end_s", end_s) < finite("start_s", start_s) or start_s < 0:
        raise ValueError(f"start_s={start_s!r} to end_s={end_s!r} is no span of time since 1970")
    if whole("most", most, low=1) > MOST:
        raise ValueError(f"most={most!r} is not possible: one answer carries up to {MOST} rows")
    positive("timeout_s", timeout_s)
    asked = _Asked(logs if logs is not None else client("logs"), log_group, most,
                   time.monotonic() + timeout_s, positive("poll_s", poll_s), timeout_s)  # fmt: skip
    events: list[dict[str, str]] = []
    spans = [(int(start_s), int(end_s))]
    while spans:
        first, last = spans.pop()
        rows = asked.rows(first, last)
        if len(rows) < most:
            events += rows
        elif first == last:
            raise QueryFailed(
                f"{log_group} holds {most} reports or more in the second {first}: Logs Insights "
                "cannot cut it finer; export the log to Amazon S3 instead"
            )
        else:
            middle = (first + last) // 2
            spans += [(middle + 1, last), (first, middle)]
    return Found(tuple(events), asked.queries, asked.scanned)


class _Asked:
    """Queries of one log group, against one deadline."""

    def __init__(
        self, logs: Any, group: str, most: int, until: float, poll_s: float, timeout_s: float
    ) -> None:
        self._logs, self._group, self._most = logs, group, most
        self._until, self._poll_s, self._timeout_s = until, poll_s, timeout_s
        self.queries, self.scanned = 0, 0.0

    def rows(self, first: int, last: int) -> list[dict[str, str]]:
        """Start one query, wait for it, and read all of its pages."""
        started = self._call(
            self._logs.start_query, logGroupName=self._group, startTime=first, endTime=last,
            queryString=QUERY, limit=self._most,
        )  # fmt: skip
        self.queries += 1
        query = started["queryId"]
        while True:
            answer = self._call(self._logs.get_query_results, queryId=query)
            if "status" not in answer:
                raise QueryFailed(f"an answer on {self._group} was cut short: it has no status")
            status = answer["status"]
            if status == "Complete":
                break
            if status not in ("Scheduled", "Running", "Unknown"):
                raise QueryFailed(f"Logs Insights ended the query of {self._group}: {status}")
            if time.monotonic() + self._poll_s > self._until:
                self._stop(query)
                raise QueryFailed(
                    f"the query of {self._group} was still {status} after {self._timeout_s:g} s: "
                    "give more time, or ask for a shorter span"
                )
            time.sleep(self._poll_s)
        self.scanned += float(answer.get("statistics", {}).get("bytesScanned", 0.0))
        return list(self._pages(query, answer))

    def _pages(self, query: str, answer: dict[str, Any]) -> Iterator[dict[str, str]]:
        while True:
            for row in answer.get("results", []):
                yield {f["field"]: f["value"] for f in row if "field" in f and "value" in f}
            token = answer.get("nextToken")
            if not token:
                return
            answer = self._call(self._logs.get_query_results, queryId=query, nextToken=token)

    def _call(self, operation: Callable[..., dict[str, Any]], **wanted: Any) -> dict[str, Any]:
        """Call once more after answers that pass, until the time is over."""
        from botocore.exceptions import BotoCoreError, ClientError

        pause_s = self._poll_s
        while True:
            try:
                return operation(**wanted)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                why = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
                again = code in _AGAIN
            except BotoCoreError as error:  # no credentials, no connection, an answer cut short
                raise QueryFailed(f"CloudWatch Logs cannot be asked: {error}") from error
            if not again:
                raise QueryFailed(f"CloudWatch Logs refuses to read {self._group}: {why}")
            if time.monotonic() + pause_s > self._until:
                raise QueryFailed(f"CloudWatch Logs kept refusing until the time was over: {why}")
            time.sleep(pause_s)
            pause_s *= 2

    def _stop(self, query: str) -> None:
        """End a query that nobody waits for any more; whether it works does not matter."""
        from contextlib import suppress

        with suppress(Exception):
            self._logs.stop_query(queryId=query)
