"""A closed load on one server: so many users, who think, ask, wait and think again.

Source: the machine repairman model (finite-source M/M/1), e.g. L. Kleinrock, *Queueing Systems*,
vol. 1 (1975), section 3.8; that closed loads hide overload: B. Schroeder, A. Wierman and
M. Harchol-Balter, *Open Versus Closed: A Cautionary Tale*, NSDI 2006.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

from typing import NamedTuple

from simulations._check import positive, whole


class ClosedMeasures(NamedTuple):
    """What N users and one server settle at."""

    response_s: float
    """Mean time from a request to its answer."""
    throughput: float
    """Answers per second."""
    utilization: float
    """Share of the time in which the server is busy."""


def closed_mm1(users: int, think_s: float, service_s: float) -> ClosedMeasures:
    """Return what `users` see who think and are served for exponential times, one at a time.

    Formula: mean value analysis, R(n) = S (1 + L(n - 1)), X(n) = n / (Z + R(n)),
    L(n) = X(n) R(n), from L(0) = 0.

    >>> twenty = closed_mm1(users=20, think_s=15, service_s=1)
    >>> round(twenty.response_s, 2), round(twenty.utilization, 3)
    (5.96, 0.954)
    """
    n = whole("users", users, low=1)
    positive("think_s", think_s)
    positive("service_s", service_s)
    waiting = response = rate = 0.0
    for k in range(1, n + 1):
        response = service_s * (1 + waiting)
        rate = k / (think_s + response)
        waiting = rate * response
    return ClosedMeasures(response, rate, rate * service_s)
