"""Trying again: what retries, layers of retries, retry budgets and restarts add.

Failures are independent from one attempt to the next, unless a docstring says otherwise.

Source: M. Brooker, What is backoff for?, and Fixing retries with token buckets and circuit
breakers (2022); C. MacCarthaigh and others, the Amazon Builders' Library, Timeouts, retries,
and backoff with jitter. The restart chain is derived in its docstring.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulations._check import between, not_negative, whole


def retry_load(failure: float, attempts: int) -> float:
    """Return the calls made per request, `attempts` at most, the first included.

    Formula: (1 - x^n) / (1 - x), and n where every call fails.

    >>> [round(retry_load(x, attempts=4), 6) for x in (0.01, 0.2, 0.5, 1.0)]
    [1.010101, 1.248, 1.875, 4.0]
    """
    x = between("failure", failure, 0, 1)
    n = whole("attempts", attempts, low=1)
    if x in (0, 1):
        return float(n) if x else 1.0
    # expm1 and log1p keep every digit where x is nearly 1.
    log_x = math.log(x) if x < 0.5 else math.log1p(x - 1)
    return math.expm1(n * log_x) / (x - 1)


def retry_failure(failure: float, attempts: int) -> float:
    """Return the share of requests that fail after all `attempts`, the first included.

    Formula: x^n. (A widely read post prints x^N for N retries; its own simulator gives
    x^(N+1).)

    >>> [round(retry_failure(x, attempts=4), 12) for x in (0.01, 0.2, 0.5, 1.0)]
    [1e-08, 0.0016, 0.0625, 1.0]
    """
    return float(between("failure", failure, 0, 1) ** whole("attempts", attempts, low=1))


def retry_layers(attempts: int, layers: int) -> int:
    """Return the calls that reach the bottom when every one of `layers` tries `attempts` times.

    Formula: n^L, if every call at the bottom fails.

    >>> retry_layers(attempts=3, layers=5)
    243
    """
    return int(whole("attempts", attempts, low=1) ** whole("layers", layers))


class LayeredRetries(NamedTuple):
    """What several layers of retries do together."""

    load: float
    """Calls at the bottom per request at the top."""
    failure: float
    """Share of requests that fail at the top."""


def layered_retries(failure: float, attempts: int, layers: int) -> LayeredRetries:
    """Return load and failure when each of `layers` tries `attempts` times, for any failure rate.

    Formula: x_0 = x, x_{l+1} = x_l^n; the load is the product over layers of
    (1 - x_l^n) / (1 - x_l), as failures of a layer are failures of all attempts below it. Where
    every call fails this is n^L (`retry_layers`); where few do, the bottom layer does it all.

    >>> [round(layered_retries(x, attempts=3, layers=5).load, 4) for x in (0.1, 0.5, 0.9, 1.0)]
    [1.1111, 2.0, 10.0, 243.0]
    """
    x = between("failure", failure, 0, 1)
    load = 1.0
    for _ in range(whole("layers", layers)):
        load *= retry_load(x, attempts)
        x = retry_failure(x, attempts)
    return LayeredRetries(load, x)


class RetryBudget(NamedTuple):
    """What a token bucket lets retries do."""

    extra_load: float
    """Retries per request."""
    success: float
    """Share of requests that succeed in the end."""


def retry_budget(failure: float, fill: float, retries: int = 3) -> RetryBudget:
    """Return load and success when every request fills `fill` tokens and a retry takes one.

    Formula: extra load min(f, x + x^2 + ... + x^N); every call succeeds with 1 - x, so the
    success is (1 - x)(1 + extra). Steady state of a bucket shared by many requests; a good
    approximation unless the two terms of the minimum are close.

    >>> budget = retry_budget(failure=0.5, fill=0.1)
    >>> budget.extra_load, round(budget.success, 12)
    (0.1, 0.55)
    """
    x = between("failure", failure, 0, 1)
    wanted = retry_load(x, whole("retries", retries) + 1) - 1
    extra = min(not_negative("fill", fill), wanted)
    return RetryBudget(extra, (1 - x) * (1 + extra))


class RestartChain(NamedTuple):
    """A chain of steps that starts again from the first whenever one fails."""

    p_double_charge: float
    """Share of orders charged twice or more."""
    attempts: float
    """Mean number of starts until all steps succeed."""
    charges: float
    """Mean number of charges an order."""


def restart_chain(
    failure: float, phi: float = 0.0, *, steps: int = 4, charge_step: int = 2
) -> RestartChain:
    """Return what restarting from the first step until all succeed does to the customer's card.

    Each of `steps` steps fails with probability p; step `charge_step` charges the card. Of its
    failures, a share `phi` comes after the side effect: the card was charged, the answer lost.
    Unlimited restarts, no idempotency key.

    Formula: with n steps, charge at step j: an attempt charges with (1-p)^(j-1) (1-p(1-phi)),
    and ends the order with (1-p)^n. Charged once means that the first charging attempt is the
    last one: P(twice or more) = 1 - (1-p)^(n-j+1) / (1-p(1-phi)). Attempts: (1-p)^-n.

    >>> chain = restart_chain(0.01)
    >>> round(chain.p_double_charge, 8), round(chain.attempts, 8)
    (0.0199, 1.04102036)
    >>> round(restart_chain(0.01, phi=0.5).p_double_charge, 8)
    0.02482513
    """
    p = between("failure", failure, 0, 1)
    if p == 1:
        raise ValueError("failure=1 is not possible: an order whose steps always fail never ends")
    between("phi", phi, 0, 1)
    n = whole("steps", steps, low=1)
    j = whole("charge_step", charge_step, low=1)
    if j > n:
        raise ValueError(f"charge_step={j} is not possible: there are only steps={n}")
    charging = 1 - p * (1 - phi)
    succeed = (n - j + 1) * math.log1p(-p)
    return RestartChain(
        p_double_charge=-math.expm1(succeed - math.log1p(-p * (1 - phi))),
        attempts=(1 - p) ** -n,
        charges=(1 - p) ** (j - 1 - n) * charging,
    )


def lockstep_calls(clients: int) -> int:
    """Return the calls that N clients need when one of them succeeds in each round, no jitter.

    Formula: N (N + 1) / 2. Optimistic contention with no variance at all; any noise of the
    network spreads the clients and lowers it.

    >>> lockstep_calls(100)
    5050
    """
    n = whole("clients", clients)
    return n * (n + 1) // 2
