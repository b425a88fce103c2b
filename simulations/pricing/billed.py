"""Billed duration: from how long an invocation ran to the milliseconds on the bill.

May import: the standard library, `simulations.facts`, `simulations._check`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from simulations._check import not_negative, whole
from simulations.facts import fact

#: A clock reading in seconds carries about 1e-7 ms of rounding after a month of simulated time;
#: a hundredth of a microsecond more than a whole millisecond is that, and no millisecond more.
ROUNDING_MS = 1e-5

#: AWS rounded up to 100 ms until December 2020; the request logs of 2020 show it.
OLD_STEP_MS = int(fact("lambda.price.rounding.2020")["step_ms"])


def step_ms() -> int:
    """Billed duration is a multiple of this many milliseconds (fact lambda.price.rounding)."""
    return int(fact("lambda.price.rounding").value)


def billed_ms(
    duration_ms: float,
    init_ms: float = 0.0,
    *,
    init_billed: bool = True,
    round_ms: int | None = None,
) -> int:
    """Milliseconds billed for one invocation.

    Parameters
    ----------
    duration_ms
        How long the handler ran. AWS rounds the time itself, not the two decimals that the
        REPORT line shows: a line may show 156.00 ms and bill 157.
    init_ms
        How long INIT (or, with SnapStart, the billed restore) took before it; 0 when warm.
    init_billed
        Whether INIT counts. Since 2025-08-01 it always does (fact lambda.price.init_billing);
        before, it did not for zip packages on managed runtimes.
    round_ms
        Rounded up to a multiple of this; 1 by default, 100 before December 2020.

    Raises
    ------
    ValueError
        If a time is negative or not finite, or `round_ms` is no whole number of at least 1.

    Examples
    --------
    >>> billed_ms(133.61, 80.0)
    214
    >>> billed_ms(133.61, 80.0, init_billed=False), billed_ms(12, round_ms=100)
    (134, 100)
    """
    step = step_ms() if round_ms is None else whole("round_ms", round_ms, low=1)
    total = not_negative("duration_ms", duration_ms)
    if init_billed:
        total = total + not_negative("init_ms", init_ms)
    return math.ceil((total - ROUNDING_MS) / step) * step


def rules_as_of(day: str | date | None = None) -> Mapping[str, Any]:
    """The billing rules of a day, as `billed_ms` and `lambda_usage` take them.

    Parameters
    ----------
    day
        Leave out for today's rules. INIT counts since 2025-08-01 (for zip packages on managed
        runtimes, which it is about), durations round up to 1 ms since 2020-12-01.

    Examples
    --------
    >>> rules_as_of("2020-06-01")
    {'init_billed': False, 'round_ms': 100}
    >>> rules_as_of("2025-07-31")["init_billed"], rules_as_of()["init_billed"]
    (False, True)
    """
    if day is None:
        return {"init_billed": True, "round_ms": step_ms()}
    on = date.fromisoformat(str(day)).isoformat()
    old = on < fact("lambda.price.rounding.2020")["until"]
    return {
        "init_billed": on >= fact("lambda.price.init_billing").value,
        "round_ms": OLD_STEP_MS if old else step_ms(),
    }
