"""Retries to play with: what layers of them, pauses and a budget make of a partial failure.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import Annotated

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.experiments.live_counts import percent, score_interval
from simulations.services.retry import Backoff
from simulations.stats import mean_interval
from simulations.theory import retry_budget, retry_load

#: Requests a second, seconds of the run, and from when to when calls fail.
RATE_PER_S, WHOLE_S, BEGIN_S, END_S = 20.0, 90.0, 20.0, 60.0
BIN_S = 1.0
#: Share of its requests that a caller with a budget may add as retries, and how many it saves up.
BUDGET, SAVED = 0.1, 10.0
NONE, TOKENS = "no budget", "one retry in ten"
#: A cap of the pause between tries.
LONGEST_S = 20.0
A_FRAME = 12_000
#: Of the failure, the first part is left out where the plateau is counted.
SETTLES_S = 5.0


def plateau(failure: float, attempts: int, layers: int, budget: bool) -> tuple[float, float]:
    """Return calls a request and the share that succeeds, while calls fail at that rate.

    Every layer tries `attempts` times; what fails for one layer is a failed call for the next.
    With a budget, a layer's retries are at most that share of its requests (an approximation,
    see `retry_budget`).

    Examples
    --------
    >>> plateau(1.0, 3, 3, budget=False)
    (27.0, 0.0)
    >>> plateau(0.5, 2, 1, budget=False)
    (1.5, 0.75)
    """
    calls, success = 1.0, 1 - failure
    for _ in range(layers):
        if budget:
            found = retry_budget(1 - success, BUDGET, attempts - 1)
            calls, success = calls * (1 + found.extra_load), found.success
        else:
            fails = 1 - success
            calls, success = calls * retry_load(fails, attempts), 1 - fails**attempts
    return calls, success


class Storm:
    """Requests through layers of retries to one provider, call by call.

    A request is an odometer: its digits count the tries of each layer. A failed call turns the
    innermost digit; a digit that is full, or whose layer has no token left, turns the next.
    """

    def __init__(
        self, failure: float, attempts: int, layers: int, pause_s: float, budget: bool, seed: str
    ) -> None:
        self._failure, self._attempts, self._layers = failure, attempts, layers
        self._pause = Backoff(pause_s, cap_s=max(LONGEST_S, pause_s))
        self._tokens = [SAVED] * layers if budget else None
        self._draw = Random(f"{seed} calls").random
        self._gap = Random(f"{seed} requests").random
        #: Calls to come: time, order, request's arrival, tries so far of each layer.
        self._calls: list[tuple[float, int, float, tuple[int, ...]]] = []
        self._order = 0
        self._next_s = self._later(0.0)
        self.per_bin = [0] * round(WHOLE_S / BIN_S)
        self.calls = self.requests = self.succeeded = self.failed = 0
        #: For requests of the plateau: how many, succeeded, calls they made.
        self.begun = self.good = self.made = 0
        self.now_s = 0.0

    def _later(self, now_s: float) -> float:
        return now_s - math.log1p(-self._gap()) / RATE_PER_S

    def _fill(self, layers: int) -> None:
        """A request comes to the innermost layers: it pays a part of a token into each."""
        if self._tokens is not None:
            for layer in range(layers):
                self._tokens[layer] = min(self._tokens[layer] + BUDGET, SAVED)

    def run(self, calls: int) -> bool:
        """Make so many calls; whether the run is over."""
        for _ in range(calls):
            if self._calls and (self._calls[0][0] < self._next_s or self._next_s >= WHOLE_S):
                now_s, _, came_s, tries = heappop(self._calls)
            elif self._next_s < WHOLE_S:
                now_s = came_s = self._next_s
                self._next_s = self._later(now_s)
                tries = (1,) * self._layers
                self.requests += 1
                self.begun += self._counts(came_s)
                self._fill(self._layers)
            else:
                return True
            self._call(now_s, came_s, tries)
        return False

    def _counts(self, came_s: float) -> bool:
        return BEGIN_S + SETTLES_S <= came_s < END_S - SETTLES_S

    def _call(self, now_s: float, came_s: float, tries: tuple[int, ...]) -> None:
        self.now_s = now_s
        self.calls += 1
        if now_s < WHOLE_S:
            self.per_bin[int(now_s / BIN_S)] += 1
        counts = self._counts(came_s)
        self.made += counts
        if not BEGIN_S <= now_s < END_S or self._draw() >= self._failure:
            self.succeeded += 1
            self.good += counts
            return
        for layer in range(self._layers):
            if tries[layer] < self._attempts and self._take(layer):
                again = (1,) * layer + (tries[layer] + 1,) + tries[layer + 1 :]
                # Each retry of a layer is a request to those inside it.
                self._fill(layer)
                wait_s = self._pause.pause_s(tries[layer], self._draw())
                self._order += 1
                heappush(self._calls, (now_s + wait_s, self._order, came_s, again))
                return
        self.failed += 1

    def _take(self, layer: int) -> bool:
        if self._tokens is None:
            return True
        if self._tokens[layer] < 1:
            return False
        self._tokens[layer] -= 1
        return True


@experiment(
    "lambda-resilience",
    presets={
        "one layer": {"layers": 1},
        "three layers": {"layers": 3, "failure": 100.0},
        "with a budget": {"layers": 3, "failure": 100.0, "budget": TOKENS},
        "long pauses": {"layers": 2, "failure": 100.0, "pause_s": 5.0},
    },
)
def retry_storm(
    failure: Annotated[float, Slider(5, 100, step=5, label="calls that fail", unit="%")] = 80.0,
    attempts: Annotated[int, Slider(1, 5, label="tries in each layer")] = 3,
    layers: Annotated[int, Slider(1, 3, label="layers that retry")] = 2,
    pause_s: Annotated[float, Slider(0.05, 10, log=True, label="first pause", unit="s")] = 0.1,
    budget: Annotated[str, Choice((NONE, TOKENS), label="budget of each layer")] = NONE,
    seed: int = 1,
) -> Iterator[Result]:
    """Calls a second at a provider of which a share fails for forty seconds.

    Each layer doubles its pause up to 20 s, with full jitter. The dashed line is the plateau
    that the failure would settle at; long pauses do not lower it, they put it off. Numbers are
    those of the requests that come well inside the failure.
    """
    share = failure / 100
    calls, success = plateau(share, attempts, layers, budget == TOKENS)
    x = [BIN_S * k for k in range(round(WHOLE_S / BIN_S))]
    level = [0.0, BEGIN_S, END_S], [RATE_PER_S, RATE_PER_S * calls, RATE_PER_S]
    fixed = (
        Series("requests", (0.0, WHOLE_S), (RATE_PER_S, RATE_PER_S), "line", "limit"),
        Series("theory", [*level[0], WHOLE_S], [*level[1], RATE_PER_S], "step", "theory"),
    )
    runs = max(2, min(10, int(60_000 / (RATE_PER_S * (WHOLE_S - 40 + 40 * calls)))))
    ended: list[Storm] = []
    for number in range(runs):
        storm = Storm(share, attempts, layers, pause_s, budget == TOKENS, f"{seed} {number}")
        over = False
        while not over:
            over = storm.run(A_FRAME)
            if over:
                ended.append(storm)
            shown = ended or [storm]
            known = len(x) if ended else max(int(storm.now_s / BIN_S), 1)
            y = [sum(s.per_bin[k] for s in shown) / len(shown) / BIN_S for k in range(known)]
            good, begun = sum(s.good for s in shown), sum(s.begun for s in shown)
            each = [s.made / max(s.begun, 1) for s in shown]
            amplified = Number(each[0], "times")
            if len(each) > 1:
                found = mean_interval(each)
                amplified = Number(found.mean, "times", max(found.low, 0.0), found.high)
            numbers = {
                "calls for each request": amplified,
                "calls by theory": Number(calls, "times"),
                "succeed in the end": percent(score_interval(good, max(begun, 1))),
                "succeed by theory": Number(100 * success, "%"),
                "requests simulated": Number(sum(s.requests for s in shown)),
            }
            yield Result(
                Axis("time", "s"), Axis("calls", "per s"),
                (*fixed, Series("calls", x[:known], y, "step", "coupled")), numbers,
                progress=(number + over) / runs,
            )  # fmt: skip
