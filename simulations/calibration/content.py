"""What a file of a log holds: unpack it, decode it, and take apart answers of the CloudWatch API.

May import: the standard library.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from typing import Any

#: What a packed file may hold: more than anybody's log of a week, less than a machine's memory.
MOST_BYTES = 1_000_000_000


def decoded(content: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16, packed with gzip or not.

    Raises
    ------
    ValueError
        If it is packed and broken, or unpacks to more than `MOST_BYTES`.

    Examples
    --------
    >>> decoded(gzip.compress(b"REPORT")), decoded("REPORT".encode("utf-16"))
    ('REPORT', 'REPORT')
    """
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f"the file is packed with gzip and broken ({error}): fetch it again"
            ) from error
        if len(content) > MOST_BYTES:
            raise ValueError(
                f"the file unpacks to more than {MOST_BYTES} bytes: take a shorter span of time"
            )
    # Only with its mark and the zeros between plain letters: any two bytes decode as UTF-16.
    begin = content[:2000]
    marked = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    utf16 = marked and begin.count(0) * 4 > len(begin)
    return content.decode("utf-16" if utf16 else "utf-8-sig", "replace")


def as_lines(text: str) -> list[str]:
    """Return the lines of a text; of an answer of the CloudWatch API, a line for each event.

    Understood are the answers of FilterLogEvents, GetLogEvents and GetQueryResults, as the AWS
    CLI writes them, and a list of such events or of Lambda's own JSON records.

    Examples
    --------
    >>> as_lines('{"events": [{"timestamp": 1795426200125, "message": "REPORT ..."}]}')
    ['{"timestamp": 1795426200125, "message": "REPORT ..."}']
    """
    events = _events(text)
    if not events:
        return text.splitlines()
    return [json.dumps(event, ensure_ascii=False) for event in events]


def _events(text: str) -> list[dict[str, Any]]:
    """Return the events of a document that is one; empty where the text is none."""
    if not text.lstrip().startswith(("{", "[")):
        return []
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return []  # one record a line, or no JSON: read as lines
    if isinstance(document, dict):
        document = document.get("events") or document.get("results")
    if not isinstance(document, list):
        return []
    # Anything else in the list stays in the account, as a line of its own.
    return [_event(one) for one in document]


def _event(one: Any) -> dict[str, Any]:
    if isinstance(one, list):  # a row of Logs Insights: field and value, one by one
        fields = [f for f in one if isinstance(f, dict)]
        row = {str(f.get("field")): f.get("value") for f in fields}
        return {
            "timestamp": row.get("@timestamp"),
            "message": row.get("@message"),
            "logStreamName": row.get("@logStream"),
        }
    return one if isinstance(one, dict) else {"message": str(one)}
