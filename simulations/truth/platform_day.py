"""A platform's day against a formula.

May import every room but the figures.
"""

from __future__ import annotations

from simulations.fleet import day
from simulations.stats import mean_interval
from simulations.truth import Compared, row

_CALLS, _KEEP_S, _DAY_S = 48, 600.0, 86400.0


@row(
    "day-of-rare-functions", kind="verification", chapter="a-platforms-day", unit="%",
    what="Cold share of functions called 48 times a day at random, kept for 10 minutes",
    source="Closed form: of n calls spread evenly over a day D the first is cold, and each other "
    "one with the chance (1 - T / D)^n",
    margin=0.01,
)  # fmt: skip
def rare_functions() -> Compared:
    """Replay a day of 4,000 such functions."""
    found = day([_CALLS] * 4000, keep_alive_s=_KEEP_S, trough=1.0, seed=1)
    ours = mean_interval((100.0 * found.cold_shares).tolist())
    return Compared(ours, 100.0 * (1 + (_CALLS - 1) * (1 - _KEEP_S / _DAY_S) ** _CALLS) / _CALLS)
