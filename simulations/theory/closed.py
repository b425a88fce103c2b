"""Closed loads: so many users, who think, ask, wait and think again.

Source: the machine repairman model (finite-source M/M/c), e.g. L. Kleinrock, *Queueing Systems*,
vol. 1 (1975), section 3.8; for loss, T. Engset, The probability calculation to determine the
number of switches in automatic telephone exchanges (1918); that closed loads hide overload:
B. Schroeder, A. Wierman and M. Harchol-Balter, *Open Versus Closed: A Cautionary Tale*, NSDI 2006.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulations._check import not_negative, positive, whole


class ClosedMeasures(NamedTuple):
    """What N users and their servers settle at."""

    response_s: float
    """Mean time from a request to its answer."""
    throughput: float
    """Answers per second."""
    utilization: float
    """Share of server time in use."""


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


def closed_mmc(users: int, think_s: float, service_s: float, servers: int) -> ClosedMeasures:
    """Return the same with `servers` servers and one queue (machine repair, M/M/c//N).

    Formula: p_k = p_{k-1} (N - k + 1) S / (Z min(k, c)) for k users who wait or are served;
    throughput = sum of p_k min(k, c) / S, response = N / throughput - Z.

    Cost: one step a user, about a second for a million of them.

    >>> two = closed_mmc(users=20, think_s=15, service_s=1, servers=2)
    >>> round(two.response_s, 4), round(two.utilization, 4)
    (1.4218, 0.6089)
    >>> round(closed_mmc(users=20, think_s=15, service_s=1, servers=1).response_s, 2)
    5.96
    """
    n = whole("users", users, low=1)
    c = whole("servers", servers, low=1)
    ratio = positive("service_s", service_s) / positive("think_s", think_s)
    # Logarithms, because a million users' weights leave the range of a float.
    logs = [0.0]
    for k in range(1, n + 1):
        logs.append(logs[-1] + math.log((n - k + 1) * ratio / min(k, c)))
    most = max(logs)
    weights = [math.exp(one - most) for one in logs]
    total = math.fsum(weights)
    busy = math.fsum(min(k, c) * w for k, w in enumerate(weights)) / total
    present = math.fsum(k * w for k, w in enumerate(weights)) / total
    # Little's law for the servers and their queue: nothing cancels where users rarely think.
    return ClosedMeasures(present * service_s / busy, busy / service_s, busy / c)


class EngsetMeasures(NamedTuple):
    """Loss with a finite number of users."""

    loss: float
    """Share of the calls refused (call congestion)."""
    all_busy: float
    """Share of the time in which all servers are busy (time congestion)."""


def engset(users: int, think_s: float, service_s: float, servers: int) -> EngsetMeasures:
    """Return what is refused when each of `users` calls after thinking, served or refused.

    Formula: e(0) = 1; e(k) = (N - k) r e(k-1) / (k + (N - k) r e(k-1)) with r = S / Z, for the
    calls of N users on k servers; the same with N + 1 - k for the time. Think times exponential,
    services of any distribution. With many users, Erlang B at the load N S / Z.

    >>> [round(share, 6) for share in engset(users=20, think_s=9, service_s=1, servers=4)]
    [0.082714, 0.09383]
    >>> round(engset(1_000_000, 100_000, 0.8, servers=10).loss, 6)  # Erlang B: 0.121661
    0.121658
    """
    n = whole("users", users, low=1)
    c = whole("servers", servers)
    r = not_negative("service_s", service_s) / positive("think_s", think_s)

    def blocked(sources: int) -> float:
        share = 1.0
        for k in range(1, c + 1):
            offered = max(sources - k + 1, 0) * r * share
            share = offered / (k + offered)
        return share

    return EngsetMeasures(blocked(n - 1), blocked(n))
