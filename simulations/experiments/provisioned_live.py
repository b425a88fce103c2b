"""Provisioned concurrency over a day, to play with: what spills over, what is cold, what it costs.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import pairwise
from random import Random
from typing import Annotated, NamedTuple

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.experiments.live_counts import blocking, percent
from simulations.experiments.provisioned_concurrency import break_even
from simulations.pricing import PriceList, Usage
from simulations.services import keep_alive
from simulations.stats import Interval
from simulations.workload import Diurnal

DAY_S, HOUR_S = 86_400.0, 3600.0
#: From when to when a schedule provisions, in hours.
ALL_DAY, BY_DAY = "all day", "from 8 to 22"
HOURS = {ALL_DAY: (0, 24), BY_DAY: (8, 22)}
#: Calls between two frames.
A_FRAME = 12_000
#: Pieces of the day for theory and curve.
PIECES = 48


class Ready:
    """A function with so many provisioned environments; on demand serves what finds none free.

    The most recently used environment on demand serves next; an idle one ends after the
    keep-alive measured in 2025. Calls last an exponential time.
    """

    def __init__(self, takes_s: float, seed: str) -> None:
        self._takes_s = takes_s
        self._draw = Random(f"{seed} durations").random
        self._kept = keep_alive(2025)
        self._ready_ends_s: list[float] = []
        self._ends_s: list[float] = []
        self._idle_until_s: list[float] = []
        self.calls = self.spilled = self.cold = 0
        #: Seconds of calls on provisioned environments and on demand.
        self.ready_s = self.on_demand_s = 0.0

    def call(self, now_s: float, ready: int) -> None:
        """A call comes while `ready` environments are provisioned."""
        draw, ready_ends, ends = self._draw, self._ready_ends_s, self._ends_s
        lasts_s = -self._takes_s * math.log1p(-draw())
        self.calls += 1
        while ready_ends and ready_ends[0] <= now_s:
            heappop(ready_ends)
        while ends and ends[0] <= now_s:
            self._idle_until_s.append(heappop(ends) + self._kept.quantile(draw()))
        if len(ready_ends) < ready:
            heappush(ready_ends, now_s + lasts_s)
            self.ready_s += lasts_s
            return
        self.spilled += 1
        self.on_demand_s += lasts_s
        idle = self._idle_until_s
        while idle and idle[-1] <= now_s:
            idle.pop()
        if idle:
            idle.pop()
        else:
            self.cold += 1
        heappush(ends, now_s + lasts_s)

    def running(self, now_s: float) -> int:
        """How many calls run."""
        return sum(end > now_s for end in self._ready_ends_s) + sum(
            end > now_s for end in self._ends_s
        )


class Plan(NamedTuple):
    """A day's calls and what is provisioned for them."""

    load: Diurnal
    takes_s: float
    ready: int
    hours: tuple[int, int]
    memory_mb: int

    def ready_at(self, at_s: float) -> int:
        """How many are provisioned at that time."""
        first, last = self.hours
        return self.ready if first * HOUR_S <= at_s < last * HOUR_S else 0

    def pieces(self) -> list[tuple[float, float, int]]:
        """Middle, calls a second and environments provisioned of equal pieces of the day."""
        middles = [DAY_S * (k + 0.5) / PIECES for k in range(PIECES)]
        return [(at_s, self.load.rate_at(at_s), self.ready_at(at_s)) for at_s in middles]

    def expected(self) -> list[tuple[float, float, float]]:
        """By piece: calls, spilled and cold ones to expect, as if each piece had settled."""
        kept = keep_alive(2025)
        lives_s = [kept.quantile((k + 0.5) / 16) for k in range(16)]
        found = []
        for _, rate, ready in self.pieces():
            load, calls = rate * self.takes_s, rate * DAY_S / PIECES
            # Of environment k: what overflows those before it, less what overflows it, too.
            blocked = blocking(load, ready + math.ceil(load + 8 * math.sqrt(load)) + 12)
            shares = [a - b for a, b in pairwise(blocked[ready:])]
            cold = math.fsum(
                share * math.fsum(math.exp(-rate * share * life_s) for life_s in lives_s)
                for share in shares
            ) / len(lives_s)
            found.append((calls, calls * blocked[ready], calls * cold))
        return found

    def usd(self, spilled_s_share: float) -> float:
        """Duration and provisioned concurrency of the day in USD; requests cost the same anyway."""
        gb = self.memory_mb / 1024
        seconds = self.load.mean_per_s * self.takes_s * DAY_S
        first, last = self.hours
        used = Usage(
            {
                "Lambda-GB-Second": seconds * spilled_s_share * gb,
                "Lambda-Provisioned-GB-Second": seconds * (1 - spilled_s_share) * gb,
                "Lambda-Provisioned-Concurrency": self.ready * (last - first) * HOUR_S * gb,
            }
        )
        return float(PriceList.load().bill(used).total_usd)

    def cheapest(self) -> int:
        """How many to provision for the lowest bill: while the next one is used enough."""
        first, last = self.hours
        loads = [
            rate * self.takes_s
            for at_s, rate, _ in self.pieces()
            if first * HOUR_S <= at_s < last * HOUR_S
        ]
        least, count = break_even(), 0
        blocked = [1.0] * len(loads)
        while True:
            count += 1
            after = [a * b / (count + a * b) for a, b in zip(loads, blocked, strict=True)]
            used = math.fsum(
                a * (b - c) for a, b, c in zip(loads, blocked, after, strict=True)
            ) / len(loads)
            if used < least:
                return count - 1
            blocked = after


class _Seen:
    """What a day has shown so far, half hour by half hour."""

    #: Looks at the number of running calls in each piece.
    LOOKS = 60

    def __init__(self, expected: list[tuple[float, float, float]]) -> None:
        self._expected = expected
        self._looks = 0
        self._running = 0
        self._before = (0, 0, 0)
        self.in_use: list[float] = []
        self.pieces: list[tuple[int, int, int]] = []

    def look(self, function: Ready, now_s: float) -> None:
        """Note what has happened up to now."""
        every_s = DAY_S / PIECES / self.LOOKS
        while now_s >= every_s * (self._looks + 1):
            self._looks += 1
            self._running += function.running(every_s * self._looks)
            if self._looks % self.LOOKS == 0:
                self.in_use.append(self._running / self.LOOKS)
                self._running = 0
                now = (function.calls, function.spilled, function.cold)
                calls, spilled, cold = (a - b for a, b in zip(now, self._before, strict=True))
                self.pieces.append((calls, spilled, cold))
                self._before = now

    def numbers(self, spilled_by_theory: float) -> dict[str, Number]:
        """Shares of the calls so far; how far half hours stray from theory makes the interval."""
        calls = max(sum(piece[0] for piece in self.pieces), 1)
        found = {}
        for place, name in ((1, "spilled over"), (2, "cold")):
            share = sum(piece[place] for piece in self.pieces) / calls
            strays = math.fsum(
                (piece[place] - piece[0] * due[place] / due[0]) ** 2
                for piece, due in zip(self.pieces, self._expected, strict=False)
            )
            reach = 1.96 * math.sqrt(strays) / calls
            found[name] = percent(Interval(share, share - reach, share + reach))
        found["spilled over by theory"] = Number(100 * spilled_by_theory, "%")
        return found


@experiment(
    "provisioned-concurrency",
    presets={
        "by day only": {"plan": BY_DAY},
        "enough for the peak": {"ready": 20},
        "quiet function": {"calls_per_s": 0.02, "takes_s": 0.5, "ready": 1, "peak": 1.5},
    },
)
def ready_over_a_day(
    ready: Annotated[int, Slider(0, 60, label="provisioned")] = 8,
    plan: Annotated[str, Choice((ALL_DAY, BY_DAY), label="when")] = ALL_DAY,
    calls_per_s: Annotated[
        float, Slider(0.02, 4, log=True, label="calls, day's mean", unit="a second")
    ] = 2.0,
    peak: Annotated[float, Slider(1, 2, step=0.1, label="peak over mean")] = 1.8,
    takes_s: Annotated[float, Slider(0.1, 10, log=True, label="a call takes", unit="s")] = 3.0,
    memory_mb: Annotated[int, Slider(128, 3008, log=True, label="memory", unit="MB")] = 512,
    seed: int = 1,
) -> Iterator[Result]:
    """Calls at once over a day, and what is provisioned; spill-over, cold share and bill.

    The day has its least at midnight and its most at noon. Theory takes each half hour as if the
    load had settled; what starts cold depends on the half hour before, so that it is nearly so.
    """
    day = Plan(Diurnal(calls_per_s, peak, DAY_S), takes_s, ready, HOURS[plan], memory_mb)
    expected = day.expected()
    calls, spilled, _ = (math.fsum(column) for column in zip(*expected, strict=True))
    known = {
        "bill": Number(day.usd(spilled / calls), "USD a day"),
        "bill with none": Number(day._replace(ready=0).usd(1.0), "USD a day"),
        "cheapest number": Number(day.cheapest()),
    }
    first, last = day.hours
    hours = [24 * (k + 0.5) / PIECES for k in range(PIECES)]
    needed = [rate * takes_s for _, rate, _ in day.pieces()]
    kept = [(0.0, 0.0 if first else float(ready)), (float(first), float(ready))]
    kept += [(float(last), 0.0 if last < 24 else float(ready)), (24.0, kept[0][1])]
    drawn = (
        Series("", hours, needed, "line", "theory"),
        Series("provisioned", [x for x, _ in kept], [y for _, y in kept], "step", "limit"),
    )
    function, seen = Ready(takes_s, str(seed)), _Seen(expected)

    def result(share: float) -> Result:
        in_use = Series("in use", hours[: len(seen.in_use)], list(seen.in_use), "line", "decoupled")
        return Result(
            Axis("hour of the day"), Axis("calls at once"), (*drawn, in_use),
            seen.numbers(spilled / calls) | known, progress=share,
        )  # fmt: skip

    for now_s in day.load.arrivals(Random(f"{seed} calls")):
        seen.look(function, min(now_s, DAY_S))
        if now_s >= DAY_S:
            break
        function.call(now_s, day.ready_at(now_s))
        if function.calls % A_FRAME == 1:
            yield result(now_s / DAY_S)
    yield result(1.0)
