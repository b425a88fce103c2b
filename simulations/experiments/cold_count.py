"""Count the cold starts of one simulated function under Poisson calls, with or without pings.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from simulations._check import not_negative, positive, whole
from simulations.clock import Caller, Step
from simulations.services import Context, Function
from simulations.services.handler import Steps
from simulations.simulation import Component, Simulation
from simulations.stats import Interval, share_interval
from simulations.workload import Distribution, Poisson, Regular

#: How long a ping keeps its environment busy: pings sent together must overlap.
PING_LASTS_S = 0.05


@dataclass(frozen=True)
class ColdCount:
    """How many of so many requests were cold, and how many environments there were on average."""

    requests: int
    cold: int
    mean_environments: float

    @property
    def share(self) -> Interval:
        """The cold share and its 95 % interval (exact, binomial)."""
        return share_interval(self.cold, self.requests)


class _Pings(Component):
    """Passes scheduled pings on to a function; the handler knows them by the missing event."""

    def __init__(self, sim: Simulation, name: str, function: Function) -> None:
        super().__init__(sim, name)
        self._function = function

    def accept(self, body: Any, caller: Caller | None = None) -> Step:
        return self._function.invoke(None, caller)


def count_cold(
    rate_per_s: float,
    duration_s: float,
    keep_alive_s: float | Distribution,
    *,
    requests: int,
    cold_duration_s: float | None = None,
    routing: str = "most_recent",
    ping_s: float | None = None,
    pings_at_once: int = 1,
    seed: int = 1,
) -> ColdCount:
    """Send Poisson requests to one function and count its cold starts.

    Parameters
    ----------
    rate_per_s, keep_alive_s : number
        Requests per second; seconds an idle environment is kept, or their distribution.
    duration_s, cold_duration_s : float
        How long a warm request takes, and a cold one (the same when left out).
    requests : int
        About so many are simulated; the first twentieth is left out of the count.
    ping_s : float, optional
        That often come pings, `pings_at_once` of them together; they are not counted.

    Raises
    ------
    ValueError
        If a setting is not possible, such as a cold request that is over sooner than a warm one.
    """
    positive("rate_per_s", rate_per_s)
    not_negative("duration_s", duration_s)
    whole("requests", requests, low=1)
    if ping_s is not None:
        positive("ping_s", ping_s)
        whole("pings_at_once", pings_at_once, low=1)
    if not isinstance(keep_alive_s, Distribution):
        not_negative("keep_alive_s", keep_alive_s)
    extra_s = 0.0 if cold_duration_s is None else cold_duration_s - duration_s
    if extra_s < 0:
        raise ValueError(f"cold_duration_s={cold_duration_s} lies below duration_s={duration_s}")

    def handler(request: int | None, context: Context) -> Steps:
        yield context.wait(PING_LASTS_S if request is None else duration_s)

    sim = Simulation(seed)
    function = Function(
        sim, "f", handler, timeout_s=900.0, keep_alive_s=keep_alive_s, init_s=extra_s,
        routing=routing,
    )  # fmt: skip
    whole_s = requests / rate_per_s
    loads = [Poisson(rate_per_s) >> function]
    ping_times: set[float] = set()
    if ping_s is not None:
        pings = _Pings(sim, "pings", function)
        loads += [Regular(ping_s) >> pings for _ in range(pings_at_once)]
        ping_times = {ping_s * n for n in range(int(whole_s / ping_s) + 2)}
    trace = sim.run(*loads, duration_s=whole_s)
    spans = trace.spans
    seen: set[int] = set()
    counted = cold = 0
    # Environments are numbered in order of creation: a span is cold when its number is new.
    for _, environment, queued_s in sorted(
        zip(spans.id, spans.environment, spans.queued_s, strict=True)
    ):
        is_cold = environment not in seen
        seen.add(environment)
        if queued_s >= whole_s / 20 and queued_s not in ping_times:
            counted += 1
            cold += is_cold
    # An environment whose end the trace does not know was alive to the last.
    alive_s = math.fsum(
        min(ended_s if ended_s == ended_s else whole_s, whole_s) - created_s
        for created_s, ended_s in zip(
            trace.environments.created_s, trace.environments.ended_s, strict=True
        )
    )
    return ColdCount(counted, cold, alive_s / whole_s)
