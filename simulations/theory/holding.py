"""Holding idle environments: what it costs the provider, and how long it is worth it.

An environment that waits for its next request costs memory for as long as it waits, or a cold
start if it was given up. Costs are counted in seconds of holding one environment, so that a
cold start that annoys as much as holding for five minutes costs 300 s.

Source: renewal reward (S. Ross, Stochastic Processes, 1996): cost per request is the mean cost
of one gap between requests. Requests of negligible duration, one environment a function.

May import: the standard library, `simulations._check`, the rest of `simulations.theory`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from simulations._check import not_negative, positive
from simulations.theory.keepalive import KeepAlive, mean_environments

#: Functions with Poisson requests: how many there are, and requests a second of each.
Population = Iterable[tuple[float, float]]


def idle_per_busy(rate_per_s: float, keep_alive_s: KeepAlive, duration_s: float) -> float:
    """Return how many seconds environments are held idle for each second that they are busy.

    Formula: L / (lambda S) - 1 with L the mean number of environments (`mean_environments`);
    for rare requests (1 - exp(-lambda T)) / (lambda S), at most T / S.

    >>> round(idle_per_busy(1 / 3600, 320.0, duration_s=0.1))
    3062
    """
    busy = positive("rate_per_s", rate_per_s) * positive("duration_s", duration_s)
    return mean_environments(rate_per_s, keep_alive_s, duration_s) / busy - 1


def _checked(population: Population) -> list[tuple[float, float]]:
    functions = [(positive("number", n), positive("rate_per_s", r)) for n, r in population]
    if not functions:
        raise ValueError("population is empty: give at least one (number, rate_per_s)")
    return functions


def keeping_cost_s(population: Population, keep_alive_s: float, cold_s: float) -> float:
    """Return the mean cost of a request, in seconds of holding one environment.

    Formula: E[min(gap, T)] + k P(gap > T), over the gaps of all functions.

    Parameters
    ----------
    population : iterable of (number, rate_per_s)
        How many functions have which rate of Poisson requests.
    keep_alive_s : float
        T, the idle time after which an environment is given up.
    cold_s : float
        k, what a cold start is worth.

    >>> round(keeping_cost_s([(1, 1 / 600)], 600.0, cold_s=300.0), 2)
    489.64
    """
    functions = _checked(population)
    kept, worth = not_negative("keep_alive_s", keep_alive_s), not_negative("cold_s", cold_s)
    cost = math.fsum(
        n * (-math.expm1(-rate * kept) + worth * rate * math.exp(-rate * kept))
        for n, rate in functions
    )
    return cost / math.fsum(n * rate for n, rate in functions)


def worth_of_cold_s(population: Population, keep_alive_s: float) -> float:
    """Return what a cold start must be worth for that keep-alive to be the best one.

    Formula: 1 / h(T), where h is the rate at which a gap that has lasted for T ends:
    h = sum n lambda^2 exp(-lambda T) / sum n lambda exp(-lambda T).

    For a single rate h does not depend on T: keeping for ever is best if a cold start is worth
    more than the mean gap, giving up at once if less, and nothing in between. A mix of rates
    has a falling h: who has waited long is probably called rarely.

    >>> round(worth_of_cold_s([(1, 1 / 600)], 0.0)), round(worth_of_cold_s([(1, 1 / 600)], 320.0))
    (600, 600)
    >>> round(worth_of_cold_s([(9, 1 / 6000), (1, 1 / 60)], 320.0))
    952
    """
    functions = _checked(population)
    kept = not_negative("keep_alive_s", keep_alive_s)
    # Relative to the slowest, so that nothing underflows.
    slowest = min(rate for _, rate in functions)
    left = [(n * rate * math.exp(-(rate - slowest) * kept), rate) for n, rate in functions]
    return math.fsum(share for share, _ in left) / math.fsum(share * rate for share, rate in left)


def best_keep_alive_s(population: Population, cold_s: float) -> float:
    """Return the keep-alive of least cost: 0 if giving up at once is, infinite if keeping is.

    >>> best_keep_alive_s([(1, 1 / 600)], cold_s=300), best_keep_alive_s([(1, 1 / 600)], 900)
    (0.0, inf)
    >>> round(best_keep_alive_s([(9, 1 / 6000), (1, 1 / 60)], cold_s=952))
    320
    """
    functions = _checked(population)
    worth = positive("cold_s", cold_s)
    if worth_of_cold_s(functions, 0.0) >= worth:
        return 0.0
    if worth >= 1 / min(rate for _, rate in functions):
        return math.inf
    low, high = 0.0, 1.0
    while worth_of_cold_s(functions, high) < worth:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if worth_of_cold_s(functions, middle) < worth:
            low = middle
        else:
            high = middle
    return high
