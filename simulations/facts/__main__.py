"""Read facts in a terminal, or check their age.

``python -m simulations.facts lambda.price`` prints all facts whose id begins so;
``python -m simulations.facts --max-age-days 180`` fails, naming them, when some are older.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date

from simulations.facts import facts, older_than


def say(line: str) -> None:
    """Write a line for the person at the terminal."""
    sys.stdout.write(line + "\n")


def main() -> int:
    """Print or check; the exit code is 1 when a fact is missing or too old."""
    parser = argparse.ArgumentParser(prog="python -m simulations.facts", description=__doc__)
    parser.add_argument("prefix", nargs="?", default="", help="beginning of the ids to print")
    parser.add_argument("--max-age-days", type=int, help="fail when a fact is older than this")
    options = parser.parse_args()
    if options.max_age_days is not None:
        today = date.today()
        old = older_than(options.max_age_days, today)
        for one in old:
            say(f"{one.age_days(today)} days: {one.id}, {one.source.url or 'no page recorded'}")
        say(f"{len(old)} of {len(list(facts()))} facts older than {options.max_age_days} days")
        return 1 if old else 0
    found = list(facts(options.prefix))
    for one in found:
        say(str(one))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
