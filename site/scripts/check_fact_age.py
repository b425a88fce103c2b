"""Fails when a fact was last checked too long ago: ``check_fact_age.py --days 180``.

Prices and quotas change; a fact is as good as the day somebody last compared it with its source.
Standard library only.
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
FACTS = (FOLDER / "aws.json", FOLDER / "found.json")


def too_old(facts: Sequence[dict[str, Any]], today: date, days: int) -> list[tuple[int, str]]:
    """Return age in days and id of every fact checked longer ago than allowed, oldest first.

    A fact without a date counts as older than any.
    """
    ages = []
    for fact in facts:
        checked = fact.get("checked")
        age = (today - date.fromisoformat(checked)).days if checked else 10**6
        if age > days:
            ages.append((age, str(fact["id"])))
    return sorted(ages, reverse=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the file of facts; print what is too old."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--facts", type=Path, nargs="+", default=FACTS)
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    options = parser.parse_args(arguments)
    facts = [
        fact
        for file in options.facts
        for fact in json.loads(file.read_text(encoding="utf-8"))["facts"]
    ]
    old = too_old(facts, options.today, options.days)
    for age, name in old:
        print(f"{name}: last checked {age} days ago")
    print(f"{len(facts)} facts, {len(old)} checked more than {options.days} days ago")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
