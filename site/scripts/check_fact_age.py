"""Says which facts were last checked too long ago: ``check_fact_age.py --months 9``.

Prices and quotas change; a fact is as good as the day somebody last compared it with its source.
At nine months a scheduled job opens an issue, from the text that ``--report FILE`` writes; at
eighteen a release is refused. The build never asks: the same commit gives the same book on any
day. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "simulations" / "facts"
FACTS = (FOLDER / "aws.json", FOLDER / "found.json", FOLDER / "changes.json")


def whole_months(since: date, today: date) -> int:
    """Return how many months have passed in full; on the 31st as on a month's last day.

    Examples
    --------
    >>> whole_months(date(2026, 11, 23), date(2027, 8, 22)), whole_months(date(2026, 11, 23), date(2027, 8, 23))
    (8, 9)
    """
    months = 12 * (today.year - since.year) + today.month - since.month
    return months - (today.day < since.day)


def too_old(facts: Sequence[dict[str, Any]], today: date, months: int) -> list[dict[str, Any]]:
    """Return the facts that were last checked `months` months ago or earlier, the oldest first.

    A fact without a date counts as older than any.
    """
    old = [
        fact
        for fact in facts
        if not fact.get("checked")
        or whole_months(date.fromisoformat(fact["checked"]), today) >= months
    ]
    return sorted(old, key=lambda fact: (fact.get("checked", ""), fact["id"]))


def report(old: Sequence[dict[str, Any]], months: int) -> str:
    """Return the text of an issue: what to look at, where, by source."""
    lines = [
        f"{len(old)} facts were last compared with their source {months} months ago or earlier.",
        "",
        "Open each source. If the value still holds, set `checked` to today; if not, change value,",
        "`as_of` and `checked`, and let the tests say which published numbers move.",
        "",
    ]
    sources: dict[str, list[str]] = {}
    for fact in old:
        source = fact.get("source") or {}
        where = source.get("url") or source.get("title") or "no source"
        sources.setdefault(where, []).append(
            f"`{fact['id']}` (checked {fact.get('checked') or 'never'})"
        )
    lines += [f"- [ ] {where}: {', '.join(names)}" for where, names in sources.items()]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is too old; return 1 when anything is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--months", type=int, default=9)
    parser.add_argument("--facts", type=Path, nargs="+", default=FACTS)
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    parser.add_argument("--report", type=Path, help="where to write the text of an issue")
    options = parser.parse_args(arguments)
    if options.months < 1:
        parser.error(f"--months {options.months} must be at least 1")
    facts: list[dict[str, Any]] = []
    for file in options.facts:
        data = json.loads(file.read_text(encoding="utf-8"))
        facts += data.get("facts", []) + data.get("changes", [])
    old = too_old(facts, options.today, options.months)
    for fact in old:
        print(f"{fact['id']}: last checked {fact.get('checked') or 'never'}")
    print(f"{len(facts)} facts, {len(old)} last checked {options.months} months ago or earlier")
    if old and options.report:
        options.report.write_text(report(old, options.months), encoding="utf-8")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
