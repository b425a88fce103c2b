"""How long the pricing engine takes for a usage of a million lines.

Run by ``make measure``; the record is ``billing.json``. Three kinds of lines: each a request (whole
numbers), durations by the millisecond (which repeat), and numbers that are all different.
"""

from __future__ import annotations

import random
import time
from typing import Any

from simulations.pricing import PriceList

LINES = 1_000_000
TRIES = 5


def _lines() -> dict[str, list[tuple[str, float]]]:
    draw = random.Random(7).random
    pairs = ("Lambda-GB-Second", "Request")
    return {
        "requests": [(pairs[1], 1)] * LINES,
        "durations": [
            (pairs[0], int(1 + 900 * draw()) / 8000) if i % 2 else (pairs[1], 1)
            for i in range(LINES)
        ],
        "all different": [(pairs[0], draw()) if i % 2 else (pairs[1], 1) for i in range(LINES)],
    }


def measure() -> dict[str, Any]:
    """Seconds for one bill: the least of five tries, which others on the machine disturb least."""
    prices = PriceList.load()
    found = {}
    for name, lines in _lines().items():
        tries = []
        for _ in range(TRIES):
            begin = time.perf_counter()
            prices.bill(lines)
            tries.append(time.perf_counter() - begin)
        found[name] = round(min(tries), 3)
    return {"lines": LINES, "tries": TRIES, "seconds": found}


if __name__ == "__main__":
    print(measure())
