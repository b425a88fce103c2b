"""Concurrency limits, to play with: how many calls are throttled, and a sudden load.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import Annotated

from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.experiments.live_counts import blocking
from simulations.services.account import Bucket
from simulations.stats import mean_interval
from simulations.theory import scaled_after_s, scaling_limit, servers_for_loss

#: A limit is enough, for the number of that name, when this share is throttled.
RARELY = 0.001
ROUNDS = 41


class Limited:
    """A function with so much concurrency reserved; runs on, one batch of calls after the other.

    Calls come `together` at a moment, moments are Poisson, durations exponential. A call that is
    throttled is gone.
    """

    def __init__(
        self, rate_per_s: float, duration_s: float, limit: int, together: int, seed: str
    ) -> None:
        self._per_s, self._duration_s = rate_per_s / together, duration_s
        self._limit, self._together = limit, together
        self._gap = Random(f"{seed} gaps").random
        self._work = Random(f"{seed} services").random
        self._now_s = 0.0
        self._ends_s: list[float] = []

    def run(self, calls: int) -> float:
        """Return the share throttled of about so many more calls."""
        gap, work, log1p = self._gap, self._work, math.log1p
        per_s, lasts, limit, together = self._per_s, self._duration_s, self._limit, self._together
        ends, now, throttled = self._ends_s, self._now_s, 0
        moments = max(calls // together, 1)
        for _ in range(moments):
            now -= log1p(-gap()) / per_s
            while ends and ends[0] <= now:
                heappop(ends)
            for _ in range(together):
                # Drawn for a throttled call as well: all limits meet the same calls.
                end = now - lasts * log1p(-work())
                if len(ends) < limit:
                    heappush(ends, end)
                else:
                    throttled += 1
        self._now_s = now
        return throttled / (moments * together)


@experiment(
    "lambda-concurrency",
    presets={
        "limit at the load": {"reserved": 24, "rate_per_s": 20.0, "duration_s": 1.2},
        "room for chance": {"reserved": 40, "rate_per_s": 20.0, "duration_s": 1.2},
        "bursts of twenty": {"reserved": 40, "rate_per_s": 20.0, "duration_s": 1.2, "together": 20},
        "large and steady": {"reserved": 260, "rate_per_s": 200.0, "duration_s": 1.2},
    },
)
def throttling(
    rate_per_s: Annotated[float, Slider(1, 200, log=True, label="calls", unit="a second")] = 20.0,
    duration_s: Annotated[float, Slider(0.15, 5, log=True, label="a call takes", unit="s")] = 1.2,
    reserved: Annotated[int, Slider(1, 1000, log=True, label="reserved concurrency")] = 30,
    together: Annotated[int, Slider(1, 50, log=True, label="calls come together")] = 1,
    seed: int = 1,
) -> Iterator[Result]:
    """Throttled share against reserved concurrency: Erlang B, and calls that come in bursts.

    Calls of 0.15 s and longer; shorter ones meet the limit of requests a second first. The
    numbers are those at the chosen limit; intervals come from batches of calls.
    """
    load = rate_per_s * duration_s
    room = 4 * math.sqrt(load * together) + together + 4
    most = max(math.ceil(load + room), reserved)
    fine = sorted({max(1, round(most * k / 60)) for k in range(61)})
    blocked = blocking(load, most)
    curve = [100 * blocked[n] for n in fine]
    line = Series("Erlang B", fine, curve, "line", "theory")
    tried = sorted(
        {reserved, *(max(1, round(load * s)) for s in (0.5, 0.8, 1.0, 1.2)), round(load + room / 2)}
    )
    functions = [Limited(rate_per_s, duration_s, n, together, str(seed)) for n in tried]
    # A batch must outlast the memory of the function, which is a few durations.
    calls = max(2000, math.ceil(3 * load))
    batches: list[list[float]] = [[] for _ in tried]
    for function in functions:
        function.run(calls // 2)  # the first calls met an empty function
    for number in range(ROUNDS):
        for function, shares in zip(functions, batches, strict=True):
            shares.append(function.run(calls))
        if number % 3 != 1:
            continue  # two batches make an interval; later ones come by threes
        found = [mean_interval(shares) for shares in batches]
        points = Series(
            "simulated", tried, [100 * i.mean for i in found], "points", "coupled",
            [100 * max(i.low, 0.0) for i in found], [100 * min(i.high, 1.0) for i in found],
        )  # fmt: skip
        here = found[tried.index(reserved)]
        numbers = {
            "throttled": Number(
                100 * here.mean, "%", 100 * max(here.low, 0.0), 100 * min(here.high, 1.0)
            ),
            "throttled by Erlang B": Number(100 * blocked[reserved], "%"),
            "offered load": Number(load),
            "enough for one in a thousand": Number(servers_for_loss(load, RARELY)),
            "calls simulated": Number((number + 1) * calls),
        }
        yield Result(
            Axis("reserved concurrency"), Axis("throttled", "%"), (line, points), numbers,
            progress=(number + 1) / ROUNDS,
        )  # fmt: skip


@experiment(
    "lambda-concurrency",
    presets={
        "flash sale": {"rate_per_s": 1800.0, "duration_s": 1.2},
        "quick function": {"rate_per_s": 3000.0, "duration_s": 0.05},
        "new account": {"rate_per_s": 1800.0, "duration_s": 1.2, "account": 1000},
    },
)
def sudden_load(
    rate_per_s: Annotated[
        float, Slider(100, 3000, log=True, label="calls", unit="a second")
    ] = 1800.0,
    duration_s: Annotated[float, Slider(0.05, 3, log=True, label="a call takes", unit="s")] = 1.0,
    account: Annotated[int, Slider(1000, 10_000, log=True, label="account's concurrency")] = 10_000,
    seed: int = 1,
) -> Iterator[Result]:
    """Calls at once after a step of load, from nothing: what Lambda's scaling rate lets in.

    Durations are constant, calls Poisson; a call that is throttled is gone.
    """
    after_s = scaled_after_s(rate_per_s, duration_s)
    until_s = min(1.2 * after_s + 4 * duration_s + 2, 60.0)
    steps = 100
    x = [until_s * k / steps for k in range(steps + 1)]
    needed = rate_per_s * duration_s
    theory = [
        min(scaling_limit(t, account_limit=account), rate_per_s * min(t, duration_s)) for t in x
    ]
    dashed = Series("theory", x, theory, "line", "theory")
    gap, log1p = Random(f"{seed} sudden").random, math.log1p
    growth = Bucket(scaling_limit(0.0), scaling_limit(1.0) - scaling_limit(0.0))
    ends: deque[float] = deque()
    now_s, made, calls, throttled, last_s = 0.0, 0, 0, 0, 0.0
    y: list[float] = []
    next_yield = 0
    while len(y) <= steps:
        now_s -= log1p(-gap()) / rate_per_s
        while len(y) <= steps and x[len(y)] <= now_s:
            while ends and ends[0] <= x[len(y)]:
                ends.popleft()
            y.append(float(len(ends)))
        if len(y) > steps:
            break
        while ends and ends[0] <= now_s:
            ends.popleft()
        calls += 1
        if len(ends) < made:
            ends.append(now_s + duration_s)
        elif made < account and growth.take(now_s):
            made += 1
            ends.append(now_s + duration_s)
        else:
            throttled, last_s = throttled + 1, now_s
        if calls >= next_yield + 20_000:
            next_yield = calls
            yield _so_far(x, y, dashed, calls, throttled, last_s, needed, account, after_s)
    yield _so_far(x, y, dashed, calls, throttled, last_s, needed, account, after_s)


def _so_far(
    x: list[float],
    y: list[float],
    dashed: Series,
    calls: int,
    throttled: int,
    last_s: float,
    needed: float,
    account: int,
    after_s: float,
) -> Result:
    known = len(y)
    numbers = {
        "calls": Number(calls),
        "throttled": Number(throttled),
        "last one throttled after": Number(last_s, "s"),
        "needed at once": Number(needed),
    }
    if needed <= account:
        numbers["scaled by theory after"] = Number(after_s, "s")
    running = Series("running", x[:known], list(y), "line", "decoupled")
    limit = Series("account", (x[0], x[-1]), (float(account),) * 2, "line", "limit")
    lines = (
        (running, dashed)
        if max(needed, max(y, default=0)) < 0.5 * account
        else (running, dashed, limit)
    )
    return Result(
        Axis("time since the step", "s"), Axis("calls at once"), lines, numbers,
        progress=known / len(x),
    )  # fmt: skip
