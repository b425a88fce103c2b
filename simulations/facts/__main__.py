"""Read facts in a terminal.

``python -m simulations.facts lambda.price`` prints all facts whose id begins so.
"""

from __future__ import annotations

import argparse
import sys

from simulations.facts import facts


def main() -> int:
    """Print; the exit code is 1 when no id begins so."""
    parser = argparse.ArgumentParser(prog="python -m simulations.facts", description=__doc__)
    parser.add_argument("prefix", nargs="?", default="", help="beginning of the ids to print")
    found = list(facts(parser.parse_args().prefix))
    sys.stdout.writelines(f"{one}\n" for one in found)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
