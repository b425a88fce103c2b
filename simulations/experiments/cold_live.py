"""Cold or warm, to play with: the cold share of one function against its rate.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.experiments.live_counts import percent, score_interval
from simulations.stats import Interval
from simulations.theory import cold_probability

#: Which idle environment serves next, as a reader names it.
ROUTINGS = ("most recent", "random", "least recent")
#: Rates at which the simulation is looked at besides the chosen one, in requests an hour.
RATES_PER_H = (0.3, 1.0, 3.0, 8.0, 20.0, 60.0, 120.0, 240.0, 480.0, 1000.0, 2500.0, 6000.0)
#: Requests of each rate in each round: a first frame at once, then better ones.
ROUNDS = (200, 1800, 4000, 6000, 6000, 6000, 6000)


class Environments:
    """The environments of one function under Poisson requests; runs on and on.

    Every request takes `duration_s`, an idle environment ends after `keep_alive_s`. It counts
    once two keep-alives have passed, or two thousand requests.
    """

    def __init__(
        self, rate_per_s: float, duration_s: float, keep_alive_s: float, routing: str, seed: str
    ) -> None:
        self.requests = self.cold = 0
        self._rate_per_s, self._duration_s = rate_per_s, duration_s
        self._keep_alive_s, self._routing = keep_alive_s, routing
        self._draw = Random(seed).random
        self._now_s = 0.0
        #: When the running ones end, and since when the idle ones are idle: both in order.
        self._ends_s: deque[float] = deque()
        self._idle_s: deque[float] = deque()
        self._run(min(math.ceil(2 * keep_alive_s * rate_per_s) + 1, 2000))

    def run(self, requests: int) -> None:
        """Serve so many more, and count."""
        self.cold += self._run(requests)
        self.requests += requests

    def _run(self, requests: int) -> int:
        draw, log1p, rate, now = self._draw, math.log1p, self._rate_per_s, self._now_s
        ends, idle, keep, lasts = self._ends_s, self._idle_s, self._keep_alive_s, self._duration_s
        recent, least = self._routing == "most recent", self._routing == "least recent"
        cold = 0
        for _ in range(requests):
            now -= log1p(-draw()) / rate
            while ends and ends[0] <= now:
                idle.append(ends.popleft())
            while idle and idle[0] + keep <= now:
                idle.popleft()
            if not idle:
                cold += 1
            elif recent:
                idle.pop()
            elif least:
                idle.popleft()
            else:
                del idle[int(draw() * len(idle))]
            ends.append(now + lasts)
        self._now_s = now
        return cold

    @property
    def share(self) -> Interval:
        """The cold share with its interval (Wilson's)."""
        return score_interval(self.cold, self.requests)


@experiment(
    "cold-starts",
    presets={
        "quiet night": {"rate_per_h": 1.0},
        "first overlaps": {"rate_per_h": 400.0},
        "slow function": {"duration_s": 5.0},
        "random reuse": {"rate_per_h": 600.0, "duration_s": 2.0, "routing": "random"},
    },
)
def cold_or_warm(
    rate_per_h: Annotated[
        float, Slider(0.1, 10_000, log=True, label="requests", unit="an hour")
    ] = 60.0,
    duration_s: Annotated[
        float, Slider(0.02, 10, log=True, label="a request takes", unit="s")
    ] = 0.1,
    keep_alive_s: Annotated[
        float, Slider(30, 1800, log=True, label="idle ones are kept", unit="s")
    ] = 320.0,
    routing: Annotated[str, Choice(ROUTINGS, label="which one serves next")] = "most recent",
    seed: int = 1,
) -> Iterator[Result]:
    """Cold share against request rate, theory and simulation.

    The theory is that of the most recently used environment serving next. The numbers are those
    at the chosen rate.
    """
    fine = [0.1 * 10 ** (k / 12) for k in range(61)]
    theory = [100 * cold_probability(r / 3600, keep_alive_s, duration_s) for r in fine]
    # Below this, nothing is seen and the axis would run to infinity.
    shown = [(r, y) for r, y in zip(fine, theory, strict=True) if y > 1e-3]
    name = "theory" if routing == "most recent" else "most recent"
    line = Series(name, [r for r, _ in shown], [y for _, y in shown], "line", "theory")
    expected = cold_probability(rate_per_h / 3600, keep_alive_s, duration_s)
    rates = sorted({rate_per_h, *RATES_PER_H})
    pools = {
        r: Environments(r / 3600, duration_s, keep_alive_s, routing, f"{seed} {r}") for r in rates
    }
    here = pools[rate_per_h]
    for number, requests in enumerate(ROUNDS):
        for pool in pools.values():
            pool.run(requests)
        # On a logarithmic axis a share of nothing has no place.
        seen = [(r, pool.share) for r, pool in pools.items() if pool.cold]
        points = Series(
            "simulated", [r for r, _ in seen], [100 * i.mean for _, i in seen], "points",
            "coupled", [100 * i.low for _, i in seen], [100 * i.high for _, i in seen],
        )  # fmt: skip
        mean, low, high = here.share
        numbers = {
            "cold share": percent(here.share),
            "cold share by theory": Number(100 * expected, "%"),
            "cold starts": Number(
                rate_per_h * mean, "an hour", rate_per_h * low, rate_per_h * high
            ),
            "requests simulated": Number(here.requests),
        }
        yield Result(
            Axis("requests per hour", log=True), Axis("cold share", "%", log=True),
            (line, points), numbers, progress=(number + 1) / len(ROUNDS),
        )  # fmt: skip
