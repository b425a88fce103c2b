"""Servers without and with a waiting room: Erlang B, Erlang C, their inverses, unlimited servers.

The offered load is arrival rate times mean service time: the concurrency that would run if
nothing were ever refused (Little's law).

Source: L. Kleinrock, Queueing Systems I (1975), chapter 3; A. Jagerman, BSTJ 53 (1974).

May import: the standard library, `simulations._check`, the rest of `simulations.theory`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from simulations._check import between, not_negative, positive, whole
from simulations.theory.special import gamma_share, poisson_pmf

# Below this the recursion is as fast as anything and reads like the textbook.
_RECURSE_UP_TO = 500


def erlang_b(offered_load: float, servers: int) -> float:
    """Return the share of requests refused by `servers` servers and no waiting room.

    M/G/c/c. Formula: B(0) = 1; B(k) = a B(k-1) / (k + a B(k-1)). Poisson arrivals, service
    times of any distribution (insensitive), refused requests do not come back. On Lambda:
    the throttled share under a concurrency limit, without retries.

    Cost: at most about 10,000 steps, also at a million servers.

    >>> round(erlang_b(8, 10), 8), round(erlang_b(8, 15), 10)
    (0.12166106, 0.0091008889)
    >>> round(erlang_b(1_000_000, 1_000_000), 9)
    0.00079746
    """
    a = not_negative("offered_load", offered_load)
    c = whole("servers", servers)
    if a == 0:
        return 0.0 if c else 1.0
    if c <= _RECURSE_UP_TO:
        b = 1.0
        for k in range(1, c + 1):
            b = a * b / (k + a * b)
        return b
    if a >= c:
        # 1/B = 1 + c/a (1 + (c-1)/a (1 + ...)): positive terms that shrink.
        term = total = 1.0
        k = c
        while k > 0 and term > total * 1e-17:
            term *= k / a
            total += term
            k -= 1
        return 1 / total
    # B = P(N = c) / P(N <= c) for N Poisson; what lies above c is a short series.
    at = poisson_pmf(c, a)
    term, above, k = 1.0, 0.0, c
    while term > 1e-17 * (1 + above):
        k += 1
        term *= a / k
        above += term
    return at / (1 - at * above)


def _stable_load(offered_load: float, servers: int) -> float:
    a = not_negative("offered_load", offered_load)
    if a >= servers:
        raise ValueError(
            f"offered_load={offered_load!r} with servers={servers!r} is unstable: the queue grows "
            "without end unless offered_load is below servers"
        )
    return a


def erlang_c(offered_load: float, servers: int) -> float:
    """Return the share of requests that wait for one of `servers` servers (M/M/c).

    Formula: C = c B / (c - a (1 - B)), B = Erlang B. Poisson arrivals, exponential service,
    unlimited first-come-first-served queue.

    Raises
    ------
    ValueError
        If the load reaches the number of servers: such a queue has no steady state.

    >>> round(erlang_c(4.5, 6), 8)
    0.42165208
    """
    c = whole("servers", servers, low=1)
    a = _stable_load(offered_load, c)
    b = erlang_b(a, c)
    return c * b / (c - a + a * b)


def _fewest(enough: Callable[[int], bool], low: int) -> int:
    """Return the smallest number of servers, at least `low`, that is enough (bisection)."""
    step, bad = 1, low - 1
    good = low
    while not enough(good):
        bad = good
        good += step
        step *= 2
    while good - bad > 1:
        middle = (good + bad) // 2
        if enough(middle):
            good = middle
        else:
            bad = middle
    return good


def servers_for_loss(offered_load: float, loss: float) -> int:
    """Return the fewest servers that refuse at most the share `loss` (Erlang B inverted).

    >>> servers_for_loss(8, 0.01), servers_for_loss(1_000_000, 0.001)
    (15, 999697)
    """
    not_negative("offered_load", offered_load)
    if not between("loss", loss, 0, 1) > 0:
        raise ValueError(f"loss={loss!r} is not possible: no finite number of servers refuses none")
    return _fewest(lambda c: erlang_b(offered_load, c) <= loss, 0)


def servers_for_p_wait(offered_load: float, p_wait: float) -> int:
    """Return the fewest servers that make at most the share `p_wait` wait (Erlang C inverted).

    >>> servers_for_p_wait(4.5, 0.2)
    8
    """
    not_negative("offered_load", offered_load)
    if not between("p_wait", p_wait, 0, 1) > 0:
        raise ValueError(f"p_wait={p_wait!r} is not possible: someone waits, however many servers")
    low = math.floor(offered_load) + 1
    return _fewest(lambda c: erlang_c(offered_load, c) <= p_wait, low)


def servers_for_wait(arrival_rate: float, service_rate: float, wait_s: float) -> int:
    """Return the fewest servers with a mean wait of at most `wait_s` (M/M/c).

    >>> servers_for_wait(arrival_rate=4.5, service_rate=1.0, wait_s=0.3)
    6
    """
    positive("arrival_rate", arrival_rate)
    positive("service_rate", service_rate)
    positive("wait_s", wait_s)
    a = arrival_rate / service_rate

    def enough(c: int) -> bool:
        return erlang_c(a, c) <= wait_s * (c * service_rate - arrival_rate)

    return _fewest(enough, math.floor(a) + 1)


class Concurrency(NamedTuple):
    """Requests in progress when none is ever refused: Poisson with this mean."""

    mean: float
    sd: float

    def tail(self, more_than: int) -> float:
        """Return the chance that more than that many requests run at one moment.

        >>> round(mginf(250, 0.12).tail(40), 8)
        0.03230957
        """
        k = whole("more_than", more_than)
        return gamma_share(k + 1, self.mean)[0] if self.mean > 0 else 0.0

    def quantile(self, p: float) -> int:
        """Return the concurrency not exceeded during the share `p` of time.

        >>> mginf(250, 0.12).quantile(0.99), mginf(250, 0.12).quantile(0.999)
        (43, 48)
        """
        if not between("p", p, 0, 1) < 1:
            raise ValueError("p=1 is not possible: p must be below 1")
        return _fewest(lambda k: self.tail(k) <= 1 - p, 0)


def mginf(arrival_rate: float, mean_service_s: float) -> Concurrency:
    """Return how many requests run at once with as many servers as it takes (M/G/infinity).

    Formula: Poisson with mean lambda E[S], sd = sqrt(lambda E[S]); any service distribution.
    On Lambda: concurrency under steady Poisson traffic and no limit.

    >>> mginf(250, 0.12).mean, round(mginf(250, 0.12).sd, 7)
    (30.0, 5.4772256)
    """
    mean = positive("arrival_rate", arrival_rate) * not_negative("mean_service_s", mean_service_s)
    return Concurrency(mean, math.sqrt(mean))
