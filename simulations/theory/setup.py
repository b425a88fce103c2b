"""Servers that are off when idle and take a set-up time to come on again.

Between a cold start that nobody waits behind (each request brings its own environment) and a
server that is always on stands this family: requests queue while servers are being set up, and
whichever server is free first takes the next.

Source: P. Welch, On a generalized M/G/1 queueing process in which the first customer of each busy
period receives exceptional service (1964); A. Gandhi, M. Harchol-Balter and I. Adan, Server farms
with setup costs, Performance Evaluation 67 (2010).

May import: the standard library, `simulations._check`, the rest of `simulations.theory`.
"""

from __future__ import annotations

from typing import NamedTuple

from simulations._check import not_negative, positive
from simulations.theory.queues import mg1_wait, mmc


def mg1_setup_wait(
    arrival_rate: float,
    mean_service: float,
    cv2: float,
    *,
    mean_setup: float,
    setup_cv2: float = 1.0,
) -> float:
    """Return the mean wait for one server that goes off when idle (M/G/1 with set-up).

    Formula: Wq = Wq(M/G/1) + (2 E[U] + lambda E[U^2]) / (2 (1 + lambda E[U])). The request that
    finds the server off waits for all of the set-up; those that come during it, for the rest.
    An exponential set-up (`setup_cv2` of 1) adds exactly E[U], whatever the load.

    >>> round(mg1_setup_wait(0.5, 1.0, 1.0, mean_setup=3.0), 9)
    4.0
    >>> round(mg1_setup_wait(0.5, 1.0, 1.0, mean_setup=3.0, setup_cv2=0), 9)
    3.1
    """
    plain = mg1_wait(arrival_rate, mean_service, cv2)
    u = not_negative("mean_setup", mean_setup)
    second = u * u * (1 + not_negative("setup_cv2", setup_cv2))
    return plain + (2 * u + arrival_rate * second) / (2 * (1 + arrival_rate * u))


def mmc_setup_wait(
    arrival_rate: float, service_rate: float, servers: int, *, mean_setup: float
) -> float:
    """Return the mean wait for servers that go off when idle and come on one at a time.

    M/M/c with exponential set-up, at most one server in set-up: Wq = Wq(M/M/c) + E[U], exact
    (decomposition of Gandhi and others). Where every waiting request may set a server up, as
    many at once as wait, this is an upper bound; `mminf_setup` is then the nearer one for a load
    far below the servers.

    >>> round(mmc_setup_wait(4.5, 1.0, 6, mean_setup=0.5), 8)
    0.78110138
    """
    plain = mmc(arrival_rate, service_rate, servers).wait_s
    return plain + not_negative("mean_setup", mean_setup)


class SetupMeasures(NamedTuple):
    """As many servers as it takes, each set up for a request that found none free."""

    busy: float
    """Mean number of servers at work."""
    in_setup: float
    """Mean number of servers being set up; as many requests wait."""
    wait_s: float
    """Mean wait of a request."""
    p_wait: float = 1.0
    """Share that waits: all, because a server without work goes off at once."""


def mminf_setup(arrival_rate: float, mean_service: float, mean_setup: float) -> SetupMeasures:
    """Return the steady state with unlimited servers and exponential set-up (M/M/infinity).

    Every request begins a set-up; a server that is done takes a waiting request and one set-up
    is given up, else it goes off. Product form: the number at work is Poisson, and j set-ups
    have the weight product over l = 1 ... j of lambda / (lambda + l / E[U]). So the wait is
    shorter than a set-up: others' servers come free.

    Cost: one term a waiting request that is at all likely, about sqrt(lambda E[U]).

    >>> found = mminf_setup(arrival_rate=10, mean_service=0.1, mean_setup=0.5)
    >>> round(found.busy, 6), round(found.in_setup, 6), round(found.wait_s, 6)
    (1.0, 1.568054, 0.156805)
    """
    rate = positive("arrival_rate", arrival_rate)
    busy = rate * not_negative("mean_service", mean_service)
    setup = not_negative("mean_setup", mean_setup)
    weight, total, sum_j, j = 1.0, 1.0, 0.0, 0
    while setup > 0 and weight > 1e-18 * total:
        j += 1
        weight *= rate / (rate + j / setup)
        total += weight
        sum_j += j * weight
    in_setup = sum_j / total
    return SetupMeasures(busy, in_setup, in_setup / rate)
