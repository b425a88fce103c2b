"""Queues that wait: Little's law, M/M/1, M/M/c, M/M/c/K and M/G/1.

Notation: M = memoryless (Poisson arrivals, exponential service), G = any distribution,
then servers, then room in the whole system. First come, first served.

Source: L. Kleinrock, Queueing Systems I (1975), chapters 3 and 5; J. Little, Operations
Research 9 (1961).

May import: the standard library, `simulations._check`, the rest of `simulations.theory`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulations._check import not_negative, positive, whole
from simulations.theory.loss import erlang_b, erlang_c


class QueueMeasures(NamedTuple):
    """Steady state of a queue; times in the unit of 1 / rate (seconds for rates per second)."""

    utilization: float
    """Share of server time in use."""
    p_wait: float
    """Share of the accepted requests that have to wait."""
    loss: float
    """Share of the requests refused because the system is full."""
    wait_s: float
    """Mean time in the queue of the accepted requests."""
    response_s: float
    """Mean time in queue and service of the accepted requests."""
    waiting: float
    """Mean number in the queue."""
    in_system: float
    """Mean number in queue and service."""


def little(rate_per_s: float, mean_time_s: float) -> float:
    """Return the mean number in a system: L = lambda W, whatever the distributions.

    >>> little(rate_per_s=250, mean_time_s=0.12)
    30.0
    """
    return not_negative("rate_per_s", rate_per_s) * not_negative("mean_time_s", mean_time_s)


def _utilization(arrival_rate: float, service_rate: float, servers: int) -> float:
    positive("arrival_rate", arrival_rate)
    positive("service_rate", service_rate)
    rho = arrival_rate / (servers * service_rate)
    if rho >= 1:
        raise ValueError(
            f"arrival_rate={arrival_rate!r} is unstable: it must be below servers * service_rate = "
            f"{servers * service_rate!r}, or the queue grows without end"
        )
    return rho


def mm1(arrival_rate: float, service_rate: float) -> QueueMeasures:
    """Return the steady state of one server with an unlimited queue (M/M/1).

    Formula: rho = lambda / mu; L = rho / (1 - rho); W = 1 / (mu - lambda).

    Raises
    ------
    ValueError
        If `arrival_rate` is not below `service_rate` (unstable).

    >>> queue = mm1(arrival_rate=8, service_rate=10)
    >>> queue.response_s, round(queue.wait_s, 9), round(queue.in_system, 9)
    (0.5, 0.4, 4.0)
    """
    return mmc(arrival_rate, service_rate, 1)


def mm1_response_quantile(arrival_rate: float, service_rate: float, p: float) -> float:
    """Return the time in system that the share `p` of requests stays within (M/M/1).

    Formula: -ln(1 - p) / (mu - lambda); the time in system is exponential.

    >>> round(mm1_response_quantile(8, 10, 0.5), 8), round(mm1_response_quantile(8, 10, 0.99), 7)
    (0.34657359, 2.3025851)
    """
    _utilization(arrival_rate, service_rate, 1)
    if not 0 <= p < 1:
        raise ValueError(f"p={p!r} is not possible: p must be at least 0 and below 1")
    return -math.log1p(-p) / (service_rate - arrival_rate)


def mmc(arrival_rate: float, service_rate: float, servers: int) -> QueueMeasures:
    """Return the steady state of `servers` equal servers with one unlimited queue (M/M/c).

    Formula: C = Erlang C; Wq = C / (c mu - lambda); W = Wq + 1 / mu.

    Raises
    ------
    ValueError
        If `arrival_rate` is not below servers * service_rate (unstable).

    >>> queue = mmc(arrival_rate=4.5, service_rate=1.0, servers=6)
    >>> round(queue.p_wait, 8), round(queue.wait_s, 8)
    (0.42165208, 0.28110138)
    """
    c = whole("servers", servers, low=1)
    rho = _utilization(arrival_rate, service_rate, c)
    p_wait = erlang_c(arrival_rate / service_rate, c)
    wait = p_wait / (c * service_rate - arrival_rate)
    response = wait + 1 / service_rate
    return QueueMeasures(
        rho, p_wait, 0.0, wait, response, arrival_rate * wait, arrival_rate * response
    )


def mmc_wait_tail(arrival_rate: float, service_rate: float, servers: int, wait_s: float) -> float:
    """Return the share of requests that wait longer than `wait_s` (M/M/c).

    Formula: C exp(-(c mu - lambda) t).

    >>> round(mmc_wait_tail(4.5, 1.0, 6, wait_s=1.0), 8)
    0.0940833
    """
    p_wait = mmc(arrival_rate, service_rate, servers).p_wait
    spare = servers * service_rate - arrival_rate
    return p_wait * math.exp(-spare * not_negative("wait_s", wait_s))


def mmck(arrival_rate: float, service_rate: float, servers: int, capacity: int) -> QueueMeasures:
    """Return the steady state with room for `capacity` requests, served ones included (M/M/c/K).

    Any load is possible: what finds the system full is refused. With capacity = servers this
    is Erlang B, with a large capacity and a load below the servers M/M/c. Waits and `p_wait`
    are those of the accepted requests.

    >>> queue = mmck(arrival_rate=8, service_rate=1, servers=10, capacity=10)
    >>> round(queue.loss, 8), queue.p_wait
    (0.12166106, 0.0)
    >>> round(mmck(3, 1, 2, 5).loss, 6), round(mmck(3, 1, 2, 5).wait_s, 6)
    (0.374422, 0.953202)
    """
    positive("arrival_rate", arrival_rate)
    positive("service_rate", service_rate)
    c = whole("servers", servers, low=1)
    room = whole("capacity", capacity, low=c) - c
    a = arrival_rate / service_rate
    b = erlang_b(a, c)
    theta = -math.log(a / c) if abs(a / c - 1) > 0.1 else -math.log1p((a - c) / c)
    # Relative to "all servers busy, none waits", whose weight is 1: states below weigh
    # 1/B - 1 together, j waiting weigh r^j. For r > 1, everything is divided by r^room.
    if theta >= 0:
        filled = _geometric_sum(theta, room + 1)
        total = 1 - b + b * filled
        p_queue = b * filled / total
        loss = b * math.exp(-theta * room) / total
    else:
        filled = _geometric_sum(-theta, room + 1)
        total = (1 - b) / b * math.exp(theta * room) + filled
        p_queue = filled / total
        loss = 1 / total
    waiting = p_queue * _truncated_geometric_mean(theta, room)
    accepted = arrival_rate * (1 - loss)
    wait = waiting / accepted
    response = wait + 1 / service_rate
    return QueueMeasures(
        utilization=a * (1 - loss) / c,
        p_wait=max(p_queue - loss, 0.0) / (1 - loss) if room else 0.0,
        loss=loss,
        wait_s=wait,
        response_s=response,
        waiting=waiting,
        in_system=accepted * response,
    )


def _geometric_sum(theta: float, terms: int) -> float:
    """Return 1 + q + ... + q^(terms-1), q = exp(-theta), theta >= 0."""
    return terms if theta == 0 else math.expm1(-theta * terms) / math.expm1(-theta)


def _truncated_geometric_mean(theta: float, top: int) -> float:
    """Return the mean of j with weights exp(-theta j), j = 0 ... top."""
    n = top + 1
    if abs(theta) * n < 1e-2:
        # Both terms below go to infinity together; their difference is this series.
        return top / 2 - theta * (n**2 - 1) / 12 + theta**3 * (n**4 - 1) / 720
    return _inverse_expm1(theta) - n * _inverse_expm1(theta * n)


def _inverse_expm1(x: float) -> float:
    return 1 / math.expm1(x) if x < 700 else 0.0


def mg1_wait(arrival_rate: float, mean_service: float, cv2: float) -> float:
    """Return the mean wait in the queue of one server (M/G/1, Pollaczek and Khinchine).

    Formula: Wq = rho E[S] (1 + CV^2) / (2 (1 - rho)), rho = lambda E[S]. Any service
    distribution with squared coefficient of variation `cv2`; the unit is that of
    `mean_service`.

    Raises
    ------
    ValueError
        If arrival_rate * mean_service is not below 1 (unstable).

    >>> [round(mg1_wait(0.7, 1.0, cv2), 7) for cv2 in (0, 1, 4)]
    [1.1666667, 2.3333333, 5.8333333]
    """
    positive("mean_service", mean_service)
    not_negative("cv2", cv2)
    rho = _utilization(arrival_rate, 1 / mean_service, 1)
    return rho * mean_service * (1 + cv2) / (2 * (1 - rho))
