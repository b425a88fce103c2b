"""What limits a DynamoDB table's throughput: capacity with burst, the previous peak, one item.

Plain arithmetic on a time and units, so that a simulated request, or a minute of a load as a
whole, meets the same rules. Times never decrease from call to call. May import: the standard
library and `simulations.facts`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Hashable
from typing import Literal, Protocol

from simulations.facts import fact

Direction = Literal["read", "write"]

MINUTE_S = 60.0
#: Rounding in many small refills must not cost a unit.
SLACK = 1e-6


class Limit(Protocol):
    """What a table or an index lets through in one direction."""

    @property
    def reason(self) -> str:
        """Why it refuses: the last part of a throttling reason, as documented."""

    def refuses(self, now_s: float, units: float) -> bool:
        """Whether a request of so many units is throttled now."""

    def take(self, units: float) -> None:
        """Consume units that `refuses` has just let in."""

    def serve(self, now_s: float, lasts_s: float, units: float) -> float:
        """Serve what it can of units that are asked for evenly from `now_s` on."""


class Burst:
    """Provisioned capacity: so much a second, and what 300 s left unused (fact `ddb.burst`).

    AWS gives burst capacity as best effort and may use it itself. A request that weighs more
    than the whole bucket passes when the bucket is full (an assumption).

    Parameters
    ----------
    per_s : float
        Capacity units.
    full : bool
        Whether the table stood unused for five minutes before; otherwise it has one second's.

    Examples
    --------
    >>> idle = Burst(150)                            # AWS's example: 45,000 units are kept
    >>> idle.serve(0.0, 900.0, 200 * 900.0) == 200 * 900, idle.serve(900.0, 60.0, 200 * 60.0)
    (True, 9000.0)
    """

    reason = "ProvisionedThroughputExceeded"

    def __init__(self, per_s: float, full: bool = True) -> None:
        self._seconds = fact("ddb.burst").number
        self.per_s = per_s
        self._holds = self._seconds * per_s
        self.left = self._holds if full else per_s
        self._at_s = 0.0

    def fill(self, now_s: float) -> None:
        """Add what came in since the last time."""
        left = self.left + (now_s - self._at_s) * self.per_s
        self.left = left if left < self._holds else self._holds
        self._at_s = now_s

    def refuses(self, now_s: float, units: float) -> bool:
        """Whether a request of so many units is throttled now."""
        self.fill(now_s)
        return self.left + SLACK < (units if units < self._holds else self._holds)

    def take(self, units: float) -> None:
        """Consume units that `refuses` has just let in."""
        self.left -= units

    def serve(self, now_s: float, lasts_s: float, units: float) -> float:
        """Serve what it can of units that are asked for evenly from `now_s` on."""
        self.fill(now_s)
        served = min(units, max(0.0, self.left + self.per_s * lasts_s))
        self.left -= served
        self.fill(now_s + lasts_s)
        return served

    def resize(self, now_s: float, per_s: float) -> None:
        """Change the capacity; what was left unused stays, as far as it may."""
        self.fill(now_s)
        self.per_s = per_s
        self._holds = self._seconds * per_s
        self.left = min(self.left, self._holds)


class Doubling:
    """On-demand throughput: twice the previous peak (facts `ddb.od.rule` and `ddb.od.initial`).

    A new table takes 4,000 write or 12,000 read units a second, and never more than its quota
    (fact `ddb.od.quota`). AWS lets traffic double at once and says that it *can* be throttled
    where it goes beyond twice the previous peak within 30 minutes; here it is. The peak is the
    busiest minute that ended 30 minutes ago or earlier, on average over it (an assumption; AWS
    says "sustained"). Units are counted second by second.

    Parameters
    ----------
    direction : {"read", "write"}
        Of the requests.
    peak_per_s : float
        What the table carried before, or was warmed to carry half of.
    most_per_s : float, optional
        The maximum that the table is set to.

    Examples
    --------
    >>> table = Doubling("write")
    >>> table.serve(0.0, 60.0, 6000 * 60.0) / 60          # a new table
    4000.0
    >>> table.serve(1200.0, 60.0, 6000 * 60.0) / 60       # too early to double
    4000.0
    >>> table.serve(1860.0, 60.0, 6000 * 60.0) / 60       # 30 minutes later
    6000.0
    """

    def __init__(
        self, direction: Direction, peak_per_s: float = 0.0, most_per_s: float | None = None
    ) -> None:
        self._factor, self._after_min = doubling()
        initial = fact("ddb.od.initial")[f"{direction}s_s"]
        quota = float(fact("ddb.od.quota")["table_rru_wru"])
        self._most: float = quota if most_per_s is None else min(most_per_s, quota)
        self._is_set = most_per_s is not None and most_per_s < quota
        self._peak: float = max(peak_per_s, initial / self._factor)
        self._recent: deque[tuple[int, float]] = deque()
        self._minute, self._in_minute = 0, 0.0
        self._second, self._in_second = -1, 0.0

    @property
    def reason(self) -> str:
        """Which of its limits holds now."""
        if self._factor * self._peak < self._most:
            return "KeyRangeThroughputExceeded"
        return "MaxOnDemandThroughputExceeded" if self._is_set else "AccountLimitExceeded"

    def per_s(self, now_s: float) -> float:
        """Units a second that it takes now."""
        minute = int(now_s // MINUTE_S)
        if minute != self._minute:
            self._recent.append((self._minute, self._in_minute / MINUTE_S))
            self._minute, self._in_minute = minute, 0.0
        while self._recent and self._recent[0][0] + 1 + self._after_min <= minute:
            self._peak = max(self._peak, self._recent.popleft()[1])
        return min(self._factor * self._peak, self._most)

    def refuses(self, now_s: float, units: float) -> bool:
        """Whether a request of so many units is throttled now."""
        limit, second = self.per_s(now_s), int(now_s)
        if second != self._second:
            self._second, self._in_second = second, 0.0
        # A single transaction may weigh more than a new table's second.
        return bool(self._in_second > 0 and self._in_second + units > limit + SLACK)

    def take(self, units: float) -> None:
        """Consume units that `refuses` has just let in."""
        self._in_second += units
        self._in_minute += units

    def serve(self, now_s: float, lasts_s: float, units: float) -> float:
        """Serve what it can of units that are asked for evenly from `now_s` on."""
        served = min(units, self.per_s(now_s) * lasts_s)
        self._in_minute += served
        return served


class Ceiling:
    """What a single item can take in a second: all of one partition (fact `ddb.partition`).

    Adaptive capacity at its documented best: at once, and a hot item alone on its partition,
    which takes 1,000 write and 3,000 read units a second and no more. Units are counted second
    by second.

    Examples
    --------
    >>> hot = Ceiling("write")
    >>> for _ in range(1000):
    ...     hot.take("o-1", 1)
    >>> hot.refuses(0.9, "o-1", 1), hot.refuses(0.9, "o-2", 1), hot.refuses(1.0, "o-1", 1)
    (True, False, False)
    """

    reason = "KeyRangeThroughputExceeded"

    def __init__(self, direction: Direction) -> None:
        self.per_s = float(fact("ddb.partition")[f"{direction}_units_s"])
        self._second = 0
        self._used: dict[Hashable, float] = {}

    def refuses(self, now_s: float, key: Hashable, units: float) -> bool:
        """Whether a request of so many units for this key is throttled now."""
        second = int(now_s)
        if second != self._second:
            self._second = second
            self._used.clear()
        return self._used.get(key, 0.0) + units > self.per_s + SLACK

    def take(self, key: Hashable, units: float) -> None:
        """Consume units that `refuses` has just let in."""
        self._used[key] = self._used.get(key, 0.0) + units


def doubling() -> tuple[float, int]:
    """How far on-demand traffic may grow, as a factor, and in how many minutes again.

    Examples
    --------
    >>> doubling()
    (2.0, 30)
    """
    found = re.search(r"(\d+)x previous peak.*within (\d+) min", str(fact("ddb.od.rule").value))
    if found is None:
        raise ValueError("fact ddb.od.rule no longer says how far and how soon a table grows")
    return float(found[1]), int(found[2])
