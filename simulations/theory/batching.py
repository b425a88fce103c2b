"""Batches that close when they are full or when their first message has waited long enough.

Source: renewal reward over the life of one batch (S. Ross, Stochastic Processes, 1996); derived
in the docstring.

May import: the standard library, `simulations._check` and `simulations.theory.special`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulations._check import not_negative, positive, whole
from simulations.theory.special import gamma_share


class BatchMeasures(NamedTuple):
    """What one invocation gets, and what its messages wait for it."""

    size: float
    """Mean messages in a batch."""
    per_s: float
    """Batches a second."""
    wait_s: float
    """Mean time from a message to the closing of its batch."""
    full: float
    """Share of the batches that close because they are full."""


def batches(rate_per_s: float, size: int, window_s: float) -> BatchMeasures:
    """Return the batches of Poisson messages, closed at `size` or `window_s` after the first.

    Formula: with q_k = P(k or more messages come within the window), k = 1 ... N - 1: mean size
    1 + sum q_k; mean time from the first message to the closing sum q_k / lambda; the messages of
    a batch wait sum k q_k / lambda together (k of them wait from the (k-1)th message after the
    first to the k-th). One batch gathers at a time and is taken at once when it closes.

    >>> ten = batches(rate_per_s=20, size=10, window_s=0.3)
    >>> round(ten.size, 4), round(ten.per_s, 4), round(ten.wait_s, 4), round(ten.full, 4)
    (6.8387, 2.9245, 0.1627, 0.1528)
    >>> batches(20, 1, 5.0).wait_s, batches(20, 10, 0.0).size
    (0.0, 1.0)
    """
    rate = positive("rate_per_s", rate_per_s)
    n = whole("size", size, low=1)
    expected = rate * not_negative("window_s", window_s)
    comes = [gamma_share(k, expected)[0] for k in range(1, n)]
    mean_size = 1 + math.fsum(comes)
    together = math.fsum(k * q for k, q in enumerate(comes, start=1)) / rate
    return BatchMeasures(
        size=mean_size,
        per_s=rate / mean_size,
        wait_s=together / mean_size,
        full=comes[-1] if comes else 1.0,
    )
