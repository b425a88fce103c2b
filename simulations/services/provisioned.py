"""Provisioned concurrency: environments kept ready, changed by schedule or by utilization.

May import: the standard library, SimPy, `simulations.facts`, `.clock` and this room's `account`,
`environments` and `limits`.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from simpy.events import Event

from simulations._check import between, not_negative, whole
from simulations.clock import EXPIRY, Integral
from simulations.facts import fact
from simulations.services.account import Bucket, requests_per_concurrency
from simulations.services.environments import Environment

if TYPE_CHECKING:
    from simulations.services.function import Function

#: One-minute datapoints that each of the two alarms wants. Up: Lambda Developer Guide,
#: "Configuring provisioned concurrency" (three minutes). Down: fifteen, published by G. Mao
#: (AWS), "Understanding Lambda Provisioned Concurrency AutoScaling", 2020-09-03,
#: https://georgemao.medium.com; the guide says three for both, yet every published alarm has 15.
MINUTES_UP, MINUTES_DOWN = 3, 15
#: The low alarm rings below this share of the target (Lambda Developer Guide, the same page).
LOW_ALARM = 0.9
MINUTE_S = 60.0


@dataclass(frozen=True)
class TargetTracking:
    """Application Auto Scaling of provisioned concurrency by its utilization.

    Each minute in which the function was invoked gives a datapoint: provisioned concurrency in
    use over what is allocated. Three in a row above the target raise what is provisioned to
    `ceil(allocated * utilization / target)`; fifteen in a row below 0.9 of the target lower it,
    by at most `step_down` of itself. A minute without an invocation has no datapoint and changes
    nothing, so what nobody calls stays provisioned. While an allocation is under way nothing
    else begins.

    Parameters
    ----------
    target : float
        Utilization to keep, between 0.1 and 0.9.
    minimum, maximum : int
        Between which it is moved.
    statistic : {"Average", "Maximum"}
        Of the minute's utilization. Average by default, as in AWS's alarms: over the time of
        the minute (an assumption; AWS does not say over what).
    step_down : float
        Largest step down as a share. AWS says that it lowers in smaller periodic steps and gives
        no number; a tenth is our assumption.

    Raises
    ------
    ValueError
        If a setting is impossible.
    """

    target: float = 0.7
    minimum: int = 1
    maximum: int = 100
    statistic: str = "Average"
    step_down: float = 0.1

    def __post_init__(self) -> None:
        between("target", self.target, 0.1, 0.9)
        whole("minimum", self.minimum)
        whole("maximum", self.maximum, low=max(self.minimum, 1))
        between("step_down", self.step_down, 0, 1)
        if self.statistic not in ("Average", "Maximum"):
            raise ValueError(f"statistic={self.statistic!r} is neither 'Average' nor 'Maximum'")


@dataclass(frozen=True)
class Provisioned:
    """How many environments are provisioned, and when that changes.

    Parameters
    ----------
    environments : int
        From the start of the run on.
    schedule : tuple of (at_s, environments)
        Changes at given times, in order (scheduled scaling).
    tracking : TargetTracking, optional
        Changes by utilization, from its minimum up to its maximum.
    ready : bool
        Whether the first ones were allocated before the run; otherwise they are requested at
        its start.
    preparation_s : float
        Between a request and the first environment: one to two minutes (fact `lambda.pc.rate`,
        in its note); in the middle by default.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> Provisioned(10, schedule=((3600, 50), (7200, 10))).most
    50
    """

    environments: int
    schedule: tuple[tuple[float, int], ...] = ()
    tracking: TargetTracking | None = None
    ready: bool = True
    preparation_s: float = 90.0

    def __post_init__(self) -> None:
        whole("provisioned_concurrency", self.environments)
        not_negative("preparation_s", self.preparation_s)
        before_s = 0.0
        for at_s, environments in self.schedule:
            whole("schedule", environments)
            if not_negative("schedule", at_s) < before_s:
                raise ValueError(f"schedule={self.schedule!r} must be in order of time")
            before_s = at_s
        scaled = self.tracking
        if scaled and not scaled.minimum <= self.environments <= scaled.maximum:
            raise ValueError(
                f"provisioned_concurrency={self.environments} must be "
                f"{scaled.minimum} to {scaled.maximum}, the range of its tracking"
            )

    @property
    def most(self) -> int:
        """The most that may ever be provisioned."""
        most = max([self.environments, *(n for _, n in self.schedule)])
        return max(most, self.tracking.maximum) if self.tracking else most


def init_limit_s(timeout_s: float) -> float:
    """Longest INIT of a provisioned (or snapshotted) environment (fact `lambda.init`), in s.

    Examples
    --------
    >>> init_limit_s(3), init_limit_s(300)
    (130.0, 300.0)
    """
    rule = fact("lambda.init")["pc_snapstart_lmi_max_s"]
    least, most = (float(n) for n in re.findall(r"\d+", rule))
    return min(max(least, float(timeout_s)), most)


class Ready:
    """The provisioned environments of one function in a run.

    All of a request become usable at once, when the last one is initialized: AWS begins after
    one to two minutes, makes at most 6,000 a minute, and lets none be used before all are
    there (fact `lambda.pc.rate`). What was provisioned before serves on meanwhile. Fewer take
    effect at once; one that is busy ends after its invocation.

    Attributes
    ----------
    wanted, allocated : int
        Asked for (and billed); usable.
    served, spilled : int
        Invocations on provisioned environments, and those on demand.
    history : list of (at_s, allocated)
        Every change of what is usable.
    inside : Integral
        In use.
    """

    def __init__(self, function: Function, plan: Provisioned) -> None:
        self._function = function
        self._plan = plan
        self.inside = Integral(function.sim.clock)
        self.wanted = self.allocated = 0
        self.served = self.spilled = 0
        self.history: list[tuple[float, int]] = []
        self._idle: list[Environment] = []
        self._requests = Bucket(0.0, 0.0)
        #: Since when each one wanted is billed, and what is billed for those given back.
        self._since_s: list[float] = []
        self._billed_s = 0.0
        self._init_s = 0.0
        #: The request that is being allocated, if any: the number it asked for.
        self._pending: list[int] | None = None
        clock = function.sim.clock
        if plan.ready:
            self._want(plan.environments)
            self._grow(plan.environments)
        elif plan.environments:
            clock.at(0.0, partial(self._scheduled, plan.environments), EXPIRY)
        for at_s, environments in plan.schedule:
            clock.at(at_s, partial(self._scheduled, environments), EXPIRY)
        self._tracker = _Tracker(self, plan.tracking) if plan.tracking else None

    def take(self) -> Environment | None:
        """An environment for an invocation; None when all are in use or the rate is reached.

        At N invocations in flight, or 10 N requests a second, further ones run on demand (fact
        `lambda.pc.spill`).
        """
        if self._tracker is not None:
            self._tracker.invoked()
        if self._idle and self._requests.take(self._function.sim.clock._now):
            self.served += 1
            self.inside.add(1)
            return self._idle.pop()
        self.spilled += 1
        return None

    def give_back(self, environment: Environment, timed_out: bool) -> None:
        """Take back an environment; one that timed out is reset and runs INIT again."""
        function = self._function
        self.inside.add(-1)
        if self.inside.inside + len(self._idle) >= self.allocated:
            function._ended(environment, function.sim.clock._now)
        elif timed_out:
            function._ended(environment, function.sim.clock._now)
            fresh = function._new_environment()
            function.sim.after(function._init(fresh.number), lambda _: self._initialized(fresh))
        else:
            self._idle.append(environment)

    def _initialized(self, environment: Environment) -> None:
        if self.inside.inside + len(self._idle) < self.allocated:
            self._idle.append(environment)
        else:
            self._function._ended(environment, self._function.sim.clock._now)

    def _scheduled(self, environments: int, _: Event) -> None:
        self.change(environments)

    def change(self, environments: int) -> None:
        """Ask for so many from now on."""
        more = environments - self.wanted
        self._want(environments)
        if environments <= self.allocated:
            self._pending = None
            self._shrink(environments)
        elif more:
            function = self._function
            per_s = fact("lambda.pc.rate").value / MINUTE_S
            new = environments - self.allocated
            first = function._created
            inits = [function._init(first + k) for k in range(new)]
            self._init_s += math.fsum(inits)
            lasts_s = self._plan.preparation_s + max(
                (k + 1) / per_s + init_s for k, init_s in enumerate(inits)
            )
            self._pending = request = [environments]
            function.sim.after(lasts_s, lambda _: self._arrive(request), EXPIRY)

    def _arrive(self, request: list[int]) -> None:
        if self._pending is request:  # none came after it
            self._pending = None
            self._grow(request[0] - self.allocated)

    def _want(self, environments: int) -> None:
        """Change what is billed, and what is left of the pool for on-demand environments."""
        now_s = self._function.sim.clock._now
        pool = self._function._pool
        if pool is not None:
            pool.resize(self.wanted - environments)
        self.wanted = environments
        while len(self._since_s) > environments:
            self._billed_s += _rounded(now_s - self._since_s.pop())
        self._since_s += [now_s] * (environments - len(self._since_s))

    def _grow(self, more: int) -> None:
        self._idle += [self._function._new_environment() for _ in range(more)]
        self._allocate(self.allocated + more)

    def _shrink(self, environments: int) -> None:
        now_s = self._function.sim.clock._now
        while self._idle and self.inside.inside + len(self._idle) > environments:
            self._function._ended(self._idle.pop(0), now_s)
        self._allocate(environments)

    def _allocate(self, environments: int) -> None:
        if environments != self.allocated or not self.history:
            self.history.append((self._function.sim.clock._now, environments))
        self._requests.has(self._function.sim.clock._now)
        before = self.allocated
        self.allocated = environments
        per_s = float(environments * requests_per_concurrency())
        self._requests.capacity = self._requests.per_s = per_s
        # A new environment brings its second's worth of requests.
        self._requests._left += max(environments - before, 0) * requests_per_concurrency()

    def close(self) -> None:
        """Meter what is billed up to the horizon, and record the environments, which live on."""
        trace = self._function.sim.trace
        horizon_s = trace.header["horizon_s"]
        lasts = (_rounded(max(horizon_s - since_s, 0.0)) for since_s in self._since_s)
        seconds = math.fsum((self._billed_s, *lasts))
        code = self._function.code
        trace.meters.append((code, trace.code("provisioned"), self.wanted, seconds))
        trace.meters.append((code, trace.code("provisioned init"), self.allocated, self._init_s))
        for environment in self._idle:
            self._function._ended(environment, math.nan)


def _rounded(seconds: float) -> float:
    step_s = float(fact("lambda.price.pc.round_s").value)
    return math.ceil(seconds / step_s - 1e-9) * step_s


class _Tracker:
    """The two alarms of target tracking and what they do."""

    def __init__(self, ready: Ready, plan: TargetTracking) -> None:
        self._ready = ready
        self._plan = plan
        self._clock = ready._function.sim.clock
        self._seen: deque[tuple[int, float]] = deque(maxlen=MINUTES_DOWN)
        self._armed = False
        self._invoked = False
        self._from_s = 0.0
        self._area = 0.0
        self._most = 0

    def invoked(self) -> None:
        """An invocation came: this minute has a datapoint."""
        self._invoked = True
        if not self._armed:
            self._begin(math.floor(self._clock._now / MINUTE_S) * MINUTE_S)

    def _begin(self, from_s: float) -> None:
        self._armed = True
        inside = self._ready.inside
        self._from_s, self._area = from_s, inside.area(max(from_s, inside.changed_s))
        self._clock.at(from_s + MINUTE_S, self._minute, EXPIRY)

    def _minute(self, _: Event) -> None:
        ready, plan, now_s = self._ready, self._plan, self._clock._now
        self._armed = False
        if not self._invoked:
            return  # no datapoint, and no timer that would keep the run from ending
        self._invoked = False
        area = ready.inside.area(now_s)
        if ready.allocated:
            if plan.statistic == "Average":
                in_use = (area - self._area) / MINUTE_S
            else:
                in_use = ready.inside.most
            self._seen.append((round(now_s / MINUTE_S), in_use / ready.allocated))
            if ready._pending is None:
                self._act(round(now_s / MINUTE_S))
        ready.inside.most = ready.inside.inside
        self._begin(now_s)

    def _act(self, minute: int) -> None:
        plan, ready = self._plan, self._ready
        utilization = self._seen[-1][1]
        wanted = math.ceil(ready.allocated * utilization / plan.target - 1e-9)
        if self._holds(minute, MINUTES_UP, lambda u: u > plan.target):
            wanted = min(wanted, plan.maximum)
            if wanted > ready.allocated:
                ready.change(wanted)
        elif self._holds(minute, MINUTES_DOWN, lambda u: u < LOW_ALARM * plan.target):
            step = max(1, math.floor(ready.allocated * plan.step_down))
            wanted = max(wanted, ready.allocated - step, plan.minimum)
            if wanted < ready.allocated:
                ready.change(wanted)

    def _holds(self, minute: int, minutes: int, is_beyond: Callable[[float], bool]) -> bool:
        """Whether each of the last minutes has a datapoint, all of them beyond a bound."""
        last = list(self._seen)[-minutes:]
        whole_row = len(last) == minutes and last[0][0] == minute - minutes + 1
        return whole_row and all(is_beyond(u) for _, u in last)
