"""Records that quote what others published: nothing in them is computed from data.

May import: the standard library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

#: As published; nothing here is computed from data. `read` says how we know it.
KEEP_ALIVE = (
    {
        "as_of": "2018",
        "who": "Wang et al.",
        "low_min": None,
        "high_min": 27,
        "url": "https://www.usenix.org/conference/atc18/presentation/wang-liang",
        "read": "as quoted by others",
    },
    {
        "as_of": "June 2019",
        "who": "Shilkov",
        "low_min": 25,
        "high_min": 60,
        "url": "https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/",
        "read": "the text itself",
    },
    {
        "as_of": "August 2019",
        "who": "Shilkov",
        "low_min": 10,
        "high_min": 10,
        "url": "https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/",
        "read": "the text itself",
    },
    {
        "as_of": "January 2021",
        "who": "Shilkov",
        "low_min": 5,
        "high_min": 7,
        "url": "https://mikhail.io/serverless/coldstarts/aws/intervals/",
        "read": "the text itself",
    },
)


def keep_alive_history(_: Path) -> dict[str, Any]:
    """How long others found an idle environment to live, over the years."""
    return {
        "source": "published black-box probes, each with its address",
        "licence": "facts quoted, no data taken",
        "found": list(KEEP_ALIVE),
    }


#: When runtimes are deprecated and updates of functions blocked, each from a page that was read.
RUNTIME_DATES = (
    ("python3.14", "2029-06-30", "2029-08-31", "AWS, Building Lambda functions with Python, copy of 2026"),
    ("nodejs24.x", "2028-04-30", "2028-07-01", "AWS, Building Lambda functions with Node.js, copy of 2026"),
    ("java25", "2029-06-30", "2029-08-31", "AWS, Building Lambda functions with Java, copy of 2026"),
    ("ruby3.4", "2028-03-31", "2028-05-31", "AWS, Building Lambda functions with Ruby, copy of 2026"),
    ("dotnet10", "2028-11-14", "2029-01-15", "AWS, Building Lambda functions with C#, copy of 2026"),
    ("python3.11", "2027-06-30", "2027-08-31", "AWS, Building Lambda functions with Python, copy of 2026"),
    ("dotnet8", "2026-11-10", "2027-03-03", "AWS, Building Lambda functions with C#, latest copy of 2026"),
    ("python3.10", "2026-10-31", "2027-01-15", "AWS, Building Lambda functions with Python, copy of 2026"),
    ("nodejs20.x", "2026-04-30", "2026-09-30", "AWS, Building Lambda functions with Node.js, copy of 2026"),
)  # fmt: skip
#: What earlier copies of the same pages said.
RUNTIME_DATES_BEFORE = (
    ("dotnet8", "2026-11-10", "2027-01-11", "AWS, Building Lambda functions with C#, earlier copy of 2026"),
    ("nodejs20.x", "2026-04-30", "2026-07-01", "AWS, Building Lambda functions with Node.js, earlier copy"),
)  # fmt: skip


def runtime_dates(_: Path) -> dict[str, Any]:
    """Deprecation of Lambda's runtimes, as announced; AWS moves these dates."""
    names = ("runtime", "deprecated", "updates_blocked", "source")
    return {
        "source": "AWS's documentation, each page named",
        "licence": "facts quoted, no data taken",
        "found": [dict(zip(names, one, strict=True)) for one in RUNTIME_DATES],
        "before": [dict(zip(names, one, strict=True)) for one in RUNTIME_DATES_BEFORE],
    }
