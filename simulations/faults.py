"""Faults to order: what goes wrong, where, when and how often.

A fault is told by the name of the thing it befalls. This module may import the standard
library only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """How a provider or database fails.

    Parameters
    ----------
    error_rate : float
        Share of calls that end in an error, independent of each other (0 to 1).
    after_effect_share : float
        Of these errors, the share that happens after the side effect: the card is charged,
        yet the answer is lost (0 to 1).
    outages : tuple of (start_s, end_s)
        Windows in which every call that begins there ends in an error without an effect.

    Examples
    --------
    >>> Fault(outages=((60, 660),)).is_out(61.0)
    True
    """

    error_rate: float = 0.0
    after_effect_share: float = 0.0
    outages: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        for name in ("error_rate", "after_effect_share"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name}={value} is outside 0 to 1")
        for start, end in self.outages:
            if not 0 <= start < end:
                raise ValueError(f"outages: ({start}, {end}) must begin at 0 or later, then end")

    def is_out(self, now_s: float) -> bool:
        """Whether `now_s` lies in one of the outages (its start included, its end not)."""
        return any(start <= now_s < end for start, end in self.outages)
