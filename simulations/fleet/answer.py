"""What came of a run, counted over the part of it that is asked for.

May import: NumPy, this room's state, and `simulations.stats`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulations.fleet.state import Numbers, Reals
from simulations.stats import Interval, mean_interval, mser5

#: What intervals are given for.
MEASURES = ("cold_share", "rejected_share", "mean_environments", "mean_running")
#: Pieces into which a run is cut where the warm-up is to be found by rule.
PIECES = 300


class Tally(NamedTuple):
    """What is known at an instant, counted from the start; `peak` since the last tally."""

    at_s: float
    requests: int
    cold: int
    rejected: int
    on_provisioned: int
    billed_ms: float
    environment_s: float
    busy_s: float
    peak: int


@dataclass(frozen=True, repr=False)
class Replay:
    """What came of a run, after its warm-up.

    Attributes
    ----------
    requests : int
        How many came, those rejected included.
    environments : int
        How many execution environments were created on demand.
    cold_share : float
        Cold starts among the requests that were served; NaN where none was.
    rejected_share : float
        Rejected requests among all; NaN where there was none.
    span_s : float
        Seconds that the means are over.
    mean_environments, mean_running : float
        Time averages: environments that exist, and requests that start or are served.
    peak_running : int
        The most that started or were served at once.
    environment_s, busy_s : float
        Seconds that environments existed, and seconds that requests spent in them.
    billed_ms : float
        Whole milliseconds, each request's time in its environment rounded up, INIT included.
    on_provisioned : int
        Requests that a provisioned environment served.
    warmup_s : float
        What was left out at the start.
    intervals : mapping of str to Interval
        95 % intervals of the shares and means, where batches or replications were asked for.
    cold, rejected : array of bool, or None
        By request, where asked for; the warm-up's are among them.
    environment : array of int, or None
        By request: environments in order of creation, -1 where rejected.
    latency_s : array of float, or None
        By request: from its arrival to its end; NaN where rejected.
    arrival_s, service_s : array of float, or None
        By request: when it came and how long it takes when warm.
    """

    requests: int
    environments: int
    cold_share: float
    rejected_share: float
    span_s: float
    mean_environments: float
    mean_running: float
    peak_running: int
    environment_s: float
    busy_s: float
    billed_ms: float
    on_provisioned: int
    warmup_s: float = 0.0
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    cold: NDArray[np.bool_] | None = None
    environment: Numbers | None = None
    rejected: NDArray[np.bool_] | None = None
    latency_s: Reals | None = None
    arrival_s: Reals | None = None
    service_s: Reals | None = None

    @property
    def idle_s(self) -> float:
        """Seconds that environments existed and served nobody (one request each at a time)."""
        return self.environment_s - self.busy_s

    def __repr__(self) -> str:
        return (
            f"<Replay of {self.requests} requests: {self.cold_share:.4%} cold, "
            f"{self.mean_environments:.4g} environments, {self.mean_running:.4g} running>"
        )


def between(before: Tally, after: Tally, peak: int) -> Replay:
    """Return what came between two instants."""
    requests = after.requests - before.requests
    cold, rejected = after.cold - before.cold, after.rejected - before.rejected
    span_s = after.at_s - before.at_s
    lived_s, busy_s = after.environment_s - before.environment_s, after.busy_s - before.busy_s
    return Replay(
        requests,
        cold,
        cold / (requests - rejected) if requests > rejected else math.nan,
        rejected / requests if requests else math.nan,
        span_s,
        lived_s / span_s if span_s > 0 else 0.0,
        busy_s / span_s if span_s > 0 else 0.0,
        peak,
        lived_s,
        busy_s,
        after.billed_ms - before.billed_ms,
        after.on_provisioned - before.on_provisioned,
    )


def parts(tallies: Sequence[Tally], first: int, count: int) -> list[Replay]:
    """Return equal parts of a run; what does not fill them is left out where they begin."""
    size = (len(tallies) - 1 - first) // count
    start = len(tallies) - 1 - size * count
    return [
        between(tallies[k], tallies[k + size], max(t.peak for t in tallies[k + 1 : k + size + 1]))
        for k in range(start, len(tallies) - 1, size)
    ]


def intervals(runs: Sequence[Replay]) -> dict[str, Interval]:
    """Return a 95 % interval of each measure over batches or replications; NaN where unknown."""
    found = {}
    for name in MEASURES:
        values = [getattr(run, name) for run in runs]
        known = not any(math.isnan(value) for value in values)
        found[name] = mean_interval(values) if known else Interval(math.nan, math.nan, math.nan)
    return found


def found_warm_up(tallies: Sequence[Tally]) -> int:
    """Return how many pieces MSER-5 drops, by the number of environments.

    Raises
    ------
    ValueError
        If the run is too short to tell.
    """
    pieces = parts(tallies, 0, len(tallies) - 1)
    dropped = mser5([piece.mean_environments for piece in pieces])
    if 2 * dropped >= len(pieces) - 5:
        raise ValueError(
            f"duration_s={tallies[-1].at_s!r} is too short for warmup_s='mser': half of it is "
            "not enough to warm up; run longer, or give the seconds"
        )
    return dropped


def together(runs: Sequence[Replay]) -> Replay:
    """Return independent runs as one, with intervals over them."""
    requests = sum(run.requests for run in runs)
    served = sum(round(run.requests * (1 - run.rejected_share)) for run in runs if run.requests)
    environments = sum(run.environments for run in runs)
    span_s = math.fsum(run.span_s for run in runs)
    lived_s = math.fsum(run.environment_s for run in runs)
    busy_s = math.fsum(run.busy_s for run in runs)
    return Replay(
        requests, environments,
        environments / served if served else math.nan,
        (requests - served) / requests if requests else math.nan,
        span_s, lived_s / span_s, busy_s / span_s,
        max(run.peak_running for run in runs), lived_s, busy_s,
        math.fsum(run.billed_ms for run in runs),
        sum(run.on_provisioned for run in runs),
        math.fsum(run.warmup_s for run in runs) / len(runs), intervals(runs),
    )  # fmt: skip
