"""Faults to order: what goes wrong, where, when and how often.

A fault is told by the name of the thing it befalls: a provider by `Simulation(faults=...)`, a
function by wrapping its handler (`simulations.services.inject`). A `Fault` is a plain
description; `Trouble` is one fault at work in one run. This module may import the standard
library and `simulations._check`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulations._check import not_negative, positive, whole

#: What befalls a call: nothing, an error without its side effect, an error after it.
FINE, BEFORE, AFTER = 0, 1, 2


def _window(what: str, start_s: float, end_s: float) -> None:
    if not 0 <= start_s < end_s:
        raise ValueError(f"{what}: ({start_s}, {end_s}) must begin at 0 or later, then end")


def _share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} is outside 0 to 1")


@dataclass(frozen=True)
class Slowness:
    """A window in which calls that begin there take longer.

    Parameters
    ----------
    start_s, end_s : float
        The window, its start included, its end not.
    factor : float
        Times the usual time.
    added_s : float
        And so much on top.
    share : float
        Of the calls that are slow (0 to 1); the others take their usual time.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> Slowness(60, 120, factor=3, added_s=0.5).of(0.2)
    1.1
    """

    start_s: float
    end_s: float
    factor: float = 1.0
    added_s: float = 0.0
    share: float = 1.0

    def __post_init__(self) -> None:
        _window("slowness", self.start_s, self.end_s)
        positive("factor", self.factor)
        not_negative("added_s", self.added_s)
        _share("share", self.share)

    def of(self, usual_s: float) -> float:
        """How long a slow call takes that usually takes `usual_s`."""
        return usual_s * self.factor + self.added_s


@dataclass(frozen=True)
class RandomOutages:
    """Outages that come and go by themselves: up and down for exponential times, up at first.

    Raises
    ------
    ValueError
        If a mean time is not above 0.

    Examples
    --------
    >>> RandomOutages(mean_up_s=3600, mean_down_s=36).down_share
    0.009900990099009901
    """

    mean_up_s: float
    mean_down_s: float

    def __post_init__(self) -> None:
        positive("mean_up_s", self.mean_up_s)
        positive("mean_down_s", self.mean_down_s)

    @property
    def down_share(self) -> float:
        """Share of the time that it is down, in the long run."""
        return self.mean_down_s / (self.mean_up_s + self.mean_down_s)


@dataclass(frozen=True)
class ZoneLoss:
    """A window in which `lost` of `zones` Availability Zones fail.

    A provider serves each call from a zone drawn anew, so a retry may reach a zone that lives.
    An execution environment stays in its zone: number modulo `zones` (an assumption; AWS
    documents that a function runs in several zones, not how environments are spread).

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> ZoneLoss(60, 660).share
    0.3333333333333333
    """

    start_s: float
    end_s: float
    zones: int = 3
    lost: int = 1

    def __post_init__(self) -> None:
        _window("zone_losses", self.start_s, self.end_s)
        whole("zones", self.zones, 1)
        if not 1 <= self.lost <= self.zones:
            raise ValueError(f"lost={self.lost} is outside 1 to zones={self.zones}")

    @property
    def share(self) -> float:
        """Share of calls and environments that fail."""
        return self.lost / self.zones


@dataclass(frozen=True)
class Fault:
    """How a provider, a database or a handler fails.

    Parameters
    ----------
    error_rate : float
        Share of calls that end in an error, independent of each other (0 to 1).
    after_effect_share : float
        Of these errors, the share that happens after the side effect: the card is charged,
        yet the answer is lost (0 to 1).
    outages : tuple of (start_s, end_s)
        Windows in which every call that begins there ends in an error without an effect.
    during : (start_s, end_s), optional
        When the error rate and the share of duplicates hold; always without it.
    slowness : tuple of Slowness
        When calls take longer; where windows overlap, one after the other is applied.
    random_outages : RandomOutages, optional
        Outages at random times, the same ones for a seed.
    zone_losses : tuple of ZoneLoss
        When Availability Zones fail.
    duplicate_share : float
        Share of calls without an error whose side effect happens twice (0 to 1).
    fails_after_s : float, optional
        How long a failing call takes: 0 for a refused connection, 60 for an answer that never
        comes. Its usual time without, and never less after the side effect.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> Fault(outages=((60, 660),)).is_out(61.0)
    True
    """

    error_rate: float = 0.0
    after_effect_share: float = 0.0
    outages: tuple[tuple[float, float], ...] = ()
    during: tuple[float, float] | None = None
    slowness: tuple[Slowness, ...] = ()
    random_outages: RandomOutages | None = None
    zone_losses: tuple[ZoneLoss, ...] = ()
    duplicate_share: float = 0.0
    fails_after_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("error_rate", "after_effect_share", "duplicate_share"):
            _share(name, getattr(self, name))
        for start, end in self.outages:
            _window("outages", start, end)
        if self.during is not None:
            _window("during", *self.during)
        if self.fails_after_s is not None:
            not_negative("fails_after_s", self.fails_after_s)

    def is_out(self, now_s: float) -> bool:
        """Whether `now_s` lies in one of the outages (its start included, its end not)."""
        return any(start <= now_s < end for start, end in self.outages)

    def holds(self, now_s: float) -> bool:
        """Whether the error rate and the share of duplicates hold at `now_s`."""
        return self.during is None or self.during[0] <= now_s < self.during[1]

    @property
    def is_none(self) -> bool:
        """Whether nothing ever goes wrong."""
        return self == Fault(after_effect_share=self.after_effect_share, during=self.during)


class Trouble:
    """One fault at work: what befalls the n-th call of an entity that begins at a time.

    Parameters
    ----------
    fault : Fault
        What goes wrong.
    draws : callable
        From the name of a draw to the function behind it: `Simulation.draws` with a prefix.
    random : Random
        For the random outages.

    Times must never decrease from call to call: they are the simulation's.
    """

    def __init__(
        self, fault: Fault, draws: Callable[[str], Callable[..., float]], random: Random
    ) -> None:
        self.fault = fault
        self._error, self._late = draws("error"), draws("late")
        self._slow, self._zone, self._twice = draws("slow"), draws("zone"), draws("twice")
        self._random = random
        self._is_down = False
        self._changes_s = math.inf
        if fault.random_outages is not None:
            self._changes_s = self._lasts_s(fault.random_outages.mean_up_s)

    def _lasts_s(self, mean_s: float) -> float:
        return -mean_s * math.log1p(-self._random.random())

    def is_down(self, now_s: float) -> bool:
        """Whether every call that begins now fails, by script or by chance."""
        outages = self.fault.random_outages
        if outages is not None:
            while self._changes_s <= now_s:
                self._is_down = not self._is_down
                mean_s = outages.mean_down_s if self._is_down else outages.mean_up_s
                self._changes_s += self._lasts_s(mean_s)
            if self._is_down:
                return True
        return self.fault.is_out(now_s)

    def fate(self, now_s: float, entity: int, nth: int, environment: int = -1) -> int:
        """`FINE`, `BEFORE` or `AFTER`: whether a call ends in an error, and with what effect."""
        fault = self.fault
        if self.is_down(now_s):
            return BEFORE
        for loss in fault.zone_losses:
            if loss.start_s <= now_s < loss.end_s:
                zone = environment % loss.zones if environment >= 0 else -1
                if zone < 0:
                    zone = int(self._zone(entity, nth) * loss.zones)
                if zone < loss.lost:
                    return BEFORE
        if not fault.error_rate or self._error(entity, nth) >= fault.error_rate:
            return FINE
        if not fault.holds(now_s):
            return FINE
        return AFTER if self._late(entity, nth) < fault.after_effect_share else BEFORE

    def lasts_s(self, now_s: float, entity: int, nth: int, usual_s: float) -> float:
        """How long a call takes that usually takes `usual_s`."""
        for slow in self.fault.slowness:
            if slow.start_s <= now_s < slow.end_s and self._slow(entity, nth) < slow.share:
                usual_s = slow.of(usual_s)
        return usual_s

    def is_twice(self, now_s: float, entity: int, nth: int) -> bool:
        """Whether the side effect of a call without an error happens twice."""
        share = self.fault.duplicate_share
        return share > 0 and self.fault.holds(now_s) and self._twice(entity, nth) < share
