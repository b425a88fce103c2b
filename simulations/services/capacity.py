"""A DynamoDB table's capacity: on demand, or provisioned and perhaps moved by auto scaling.

May import: the standard library, `simulations._check`, `simulations.facts` and this room's
`limits` and `throughput`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulations._check import not_negative, positive, whole
from simulations.facts import fact
from simulations.services.limits import limited, limited_whole
from simulations.services.throughput import (
    MINUTE_S,
    Burst,
    Ceiling,
    Direction,
    Doubling,
    Limit,
)

DAY_S = 86_400.0
HOUR_S = 3_600.0


@dataclass(frozen=True)
class CapacityScaling:
    """Application Auto Scaling of a table's or an index's capacity, by target tracking.

    Each minute consumed units are compared with what is provisioned. Two minutes in a row above
    the target raise capacity to consumed over target; fifteen in a row 20 points below it lower
    it (facts `ddb.autoscale` and `ddb.autoscale.low`) as often as decreases are allowed (fact
    `ddb.decrease`, shared by a table's reads and writes). What is throttled is not consumed, so
    a table far too small grows step by step.

    Parameters
    ----------
    target : float
        Utilization to keep; 0.2 to 0.9.
    minimum, maximum : int
        Between which capacity is moved.
    delay_s : float
        Between the minute that decides and the new capacity. AWS says "up to a few minutes" for
        the alarm and "several minutes" for the change and gives no number; three in all are
        assumed.
    idle_counts : bool
        Whether a minute without a request is a zero that the alarm sees. The documentation of
        metrics says so; older copies of the guide to auto scaling said that a table whose
        consumption becomes zero is not scaled down (fact `ddb.autoscale.idle`).

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> CapacityScaling(target=0.95)
    Traceback (most recent call last):
    ValueError: target=0.95 must be 0.2 to 0.9 (Managing throughput capacity ...
    """

    target: float = 0.7
    minimum: int = 1
    maximum: int = 40_000
    delay_s: float = 180.0
    idle_counts: bool = True

    def __post_init__(self) -> None:
        low, high = fact("ddb.autoscale")["target_range_pct"]
        limited("target", self.target, low / 100, high / 100, "", "ddb.autoscale")
        whole("minimum", self.minimum, low=1)
        most = int(fact("ddb.od.quota")["table_rru_wru"])
        limited_whole("maximum", self.maximum, self.minimum, most, " units", "ddb.od.quota")
        not_negative("delay_s", self.delay_s)


@dataclass(frozen=True)
class OnDemand:
    """Capacity by the request, which is the default.

    Parameters
    ----------
    peak_reads_per_s, peak_writes_per_s : float
        The busiest minute the table has seen before the run; a new table's without.
    most_reads_per_s, most_writes_per_s : float, optional
        The maximum throughput that the table is set to.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> OnDemand().limit("write").per_s(0.0), OnDemand(peak_writes_per_s=3000).limit("write").per_s(0.0)
    (4000.0, 6000.0)
    """

    peak_reads_per_s: float = 0.0
    peak_writes_per_s: float = 0.0
    most_reads_per_s: float | None = None
    most_writes_per_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("peak_reads_per_s", "peak_writes_per_s"):
            not_negative(name, getattr(self, name))
        for name in ("most_reads_per_s", "most_writes_per_s"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))

    def limit(self, direction: Direction) -> Doubling:
        """What one direction is limited by."""
        peak = getattr(self, f"peak_{direction}s_per_s")
        return Doubling(direction, peak, getattr(self, f"most_{direction}s_per_s"))


@dataclass(frozen=True)
class ProvisionedCapacity:
    """Capacity by the hour, used or not.

    Parameters
    ----------
    reads, writes : int
        Capacity units: strong reads of 4 KB and writes of 1 KB a second.
    scaling : CapacityScaling, optional
        For reads and writes alike, each by itself.
    full_burst : bool
        Whether five minutes' capacity was left unused before the run.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> ProvisionedCapacity(reads=0, writes=10)
    Traceback (most recent call last):
    ValueError: reads=0 must be 1 to 40000 units (Quotas in Amazon DynamoDB, ...
    """

    reads: int
    writes: int
    scaling: CapacityScaling | None = None
    full_burst: bool = True

    def __post_init__(self) -> None:
        most = int(fact("ddb.od.quota")["table_rru_wru"])
        for name in ("reads", "writes"):
            units = limited_whole(name, getattr(self, name), 1, most, " units", "ddb.od.quota")
            scaling = self.scaling
            if scaling is not None and not scaling.minimum <= units <= scaling.maximum:
                raise ValueError(
                    f"{name}={units} must be {scaling.minimum} to {scaling.maximum}, the range of "
                    "its scaling"
                )

    def limit(self, direction: Direction) -> Burst:
        """What one direction is limited by."""
        return Burst(float(getattr(self, f"{direction}s")), self.full_burst)


Capacity = OnDemand | ProvisionedCapacity
#: What one request asks of a throughput: units by the key that they fall on.
Asked = Sequence[tuple[Hashable, float]]


class Decreases:
    """How often a table's capacity may still be lowered today (fact `ddb.decrease`).

    Four times, then once where the last hour has none, which makes 27 at most. A day begins at
    each full day of simulated time.

    Examples
    --------
    >>> today = Decreases()
    >>> [today.take(minute * 60.0) for minute in (0, 1, 2, 3, 4, 62, 63)]
    [True, True, True, True, False, False, True]
    """

    def __init__(self) -> None:
        self._free = int(fact("ddb.decrease")["initial"])
        self._day, self._taken, self._last_s = 0, 0, -math.inf

    def take(self, now_s: float) -> bool:
        """Lower capacity now, if that is allowed."""
        day = int(now_s // DAY_S)
        if day != self._day:
            self._day, self._taken = day, 0
        rested = now_s - self._last_s >= HOUR_S
        if self._taken >= self._free and not rested:
            return False
        self._taken += 1
        self._last_s = now_s
        return True


class Tracker:
    """The two alarms of target tracking, and the capacity they ask for.

    Attributes
    ----------
    waiting : tuple of (at_s, capacity), optional
        A change that is under way; nothing else begins meanwhile.
    """

    def __init__(self, plan: CapacityScaling, decreases: Decreases) -> None:
        rule = fact("ddb.autoscale")
        self._up, self._down = int(rule["up_consecutive_min"]), int(rule["down_datapoints"])
        self._low = plan.target - fact("ddb.autoscale.low").number / 100
        self._plan = plan
        self._decreases = decreases
        self._above = self._below = 0
        self.waiting: tuple[float, float] | None = None

    def minute(self, ends_s: float, units: float, capacity: float) -> None:
        """A minute is over, in which so many units were consumed."""
        plan = self._plan
        if not units and not plan.idle_counts:
            self._above = self._below = 0
            return
        per_s = units / MINUTE_S
        self._above = self._above + 1 if per_s > plan.target * capacity else 0
        self._below = self._below + 1 if per_s < self._low * capacity else 0
        if self.waiting is not None:
            return
        wanted = float(max(plan.minimum, math.ceil(per_s / plan.target - 1e-9)))
        if self._above >= self._up and wanted > capacity:
            wanted = min(wanted, float(plan.maximum))
            if wanted > capacity:
                self.waiting = (ends_s + plan.delay_s, wanted)
        elif self._below >= self._down and wanted < capacity and self._decreases.take(ends_s):
            self.waiting = (ends_s + plan.delay_s, wanted)

    def changed(self) -> None:
        """The change took effect."""
        self.waiting = None
        self._above = self._below = 0


class Throughput:
    """One direction of a table or of one of its indexes: its limits, and what went through.

    Attributes
    ----------
    limit : Limit
        Of all its items together.
    consumed : float
        Units, which `requests` requests consumed.
    throttled : int
        Requests that it refused.
    history : list of (at_s, capacity)
        Every change of provisioned capacity.

    Examples
    --------
    >>> steady = Throughput("Table", "write", ProvisionedCapacity(5, 50, CapacityScaling()))
    >>> served = [steady.serve(60.0 * minute, 70.0 * 60) for minute in range(30)]
    >>> steady.history
    [(0.0, 50.0), (300.0, 100.0)]
    """

    def __init__(
        self,
        resource: str,
        direction: Direction,
        capacity: Capacity,
        decreases: Decreases | None = None,
    ) -> None:
        self._resource, self._direction = resource, direction
        self.limit: Limit = capacity.limit(direction)
        self.ceiling = Ceiling(direction)
        self.consumed = 0.0
        self.requests = self.throttled = 0
        self.history: list[tuple[float, float]] = []
        self._tracker: Tracker | None = None
        self._burst = self.limit if isinstance(self.limit, Burst) else None
        self._minute_s, self._in_minute = MINUTE_S, 0.0
        if isinstance(capacity, ProvisionedCapacity) and self._burst is not None:
            self.history.append((0.0, self._burst.per_s))
            if capacity.scaling is not None:
                self._tracker = Tracker(capacity.scaling, decreases or Decreases())

    def refusal(self, now_s: float, asked: Asked) -> str | None:
        """Why a request is throttled now, in DynamoDB's words; None if it is not."""
        if self._burst is not None:
            self.advance(now_s)
        if self.limit.refuses(now_s, math.fsum(units for _, units in asked)):
            reason = self.limit.reason
        elif any(self.ceiling.refuses(now_s, key, units) for key, units in asked):
            reason = self.ceiling.reason
        else:
            return None
        return f"{self._resource}{self._direction.title()}{reason}"

    def take(self, asked: Asked) -> float:
        """Consume what `refusal` has just let in; returns the units."""
        total = 0.0
        for key, units in asked:
            self.ceiling.take(key, units)
            total += units
        self.limit.take(total)
        self.consumed += total
        self._in_minute += total
        self.requests += 1
        return total

    def serve(self, now_s: float, units: float) -> float:
        """Serve what it can of a minute's units, asked for evenly and over all items.

        Minute by minute, without requests: `now_s` is the start of the minute after the last.
        """
        if self._burst is not None:
            self.advance(now_s)
        served = self.limit.serve(now_s, MINUTE_S, units)
        self.consumed += served
        self._in_minute += served
        return served

    def advance(self, now_s: float) -> None:
        """Bring provisioned capacity up to date: minutes that ended, changes that took effect.

        Nothing happens between requests that a request could see, so no timer is needed.
        """
        burst, tracker = self._burst, self._tracker
        if burst is None:
            return
        while tracker is not None:
            ready_s = tracker.waiting[0] if tracker.waiting is not None else math.inf
            if min(ready_s, self._minute_s) > now_s:
                break
            if ready_s <= self._minute_s and tracker.waiting is not None:
                burst.resize(ready_s, tracker.waiting[1])
                self.history.append(tracker.waiting)
                tracker.changed()
            else:
                tracker.minute(self._minute_s, self._in_minute, burst.per_s)
                self._minute_s, self._in_minute = self._minute_s + MINUTE_S, 0.0

    def capacity_s(self, until_s: float) -> float:
        """Capacity units times seconds from the start to `until_s`; 0 where none is provisioned."""
        self.advance(until_s)
        return math.fsum(
            per_s * max(min(end_s, until_s) - at_s, 0.0)
            for (at_s, per_s), (end_s, _) in pairwise([*self.history, (math.inf, 0.0)])
        )
