"""Availability: parts in series, copies in parallel, and the causes that they share.

Source: R. Billinton and R. Allan, Reliability Evaluation of Engineering Systems (1992); the share
of common causes (beta factor): K. Fleming, A reliability model for common mode failures (1975).

May import: the standard library and `simulations._check` and `simulations.theory.special`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from simulations._check import between, not_negative, positive, whole
from simulations.theory.special import beta_share


def availability(mean_up_s: float, mean_down_s: float) -> float:
    """Return the share of time in which a part works: up / (up + down).

    >>> availability(mean_up_s=999, mean_down_s=1)
    0.999
    """
    up = positive("mean_up_s", mean_up_s)
    return up / (up + not_negative("mean_down_s", mean_down_s))


def in_series(parts: Iterable[float]) -> float:
    """Return the availability of a chain that needs every part, parts independent.

    Formula: the product; for n parts of unavailability u about 1 - n u.

    >>> round(in_series([0.999] * 4), 9)
    0.996005996
    """
    return math.prod(between(f"parts[{k}]", one, 0, 1) for k, one in enumerate(parts))


def in_parallel(part: float, copies: int, needed: int = 1, common: float = 0.0) -> float:
    """Return the availability of `copies` equal parts of which `needed` must work.

    Formula: of a part's unavailability u the share `common` (beta) comes from causes that take
    all copies at once: (1 - beta u) P(needed or more of n work, each with
    (1 - u) / (1 - beta u)). So no number of copies gets below beta u.

    >>> round(1 - in_parallel(0.999, copies=2), 12)
    1e-06
    >>> round(1 - in_parallel(0.999, copies=2, common=0.1), 9)
    0.00010081
    """
    a = between("part", part, 0, 1)
    n = whole("copies", copies, low=1)
    k = whole("needed", needed)
    if k > n:
        raise ValueError(f"needed={k} is not possible: there are only copies={n}")
    shared = between("common", common, 0, 1) * (1 - a)
    if shared == 1 or k == 0:
        return 1 - shared
    alone = min(a / (1 - shared), 1.0)
    return (1 - shared) * beta_share(k, n - k + 1, alone)


def downtime_s(part: float, period_s: float = 365.25 * 86_400) -> float:
    """Return the seconds of a period (a year) in which a part does not work.

    >>> round(downtime_s(0.999) / 3600, 3)
    8.766
    """
    return (1 - between("part", part, 0, 1)) * not_negative("period_s", period_s)
