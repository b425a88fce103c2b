"""How a client tries again: the pause between tries, and a budget for them.

The back-offs are those of *Exponential Backoff and Jitter* (M. Brooker, AWS Architecture Blog,
2015); the budget is the retry quota of the AWS SDKs (AWS SDKs and Tools Reference Guide, Retry
behavior, read 2026-11-23). May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulations._check import not_negative, positive

JITTERS = ("none", "full", "equal", "decorrelated")


@dataclass(frozen=True)
class Backoff:
    """A pause that grows with every retry, up to a cap, made uneven by jitter.

    With v = min(cap, base times growth^(n - 1)) before the n-th retry and u uniform in 0 to 1
    the pause is v without jitter, u v with full jitter, v (1 + u) / 2 with equal jitter. With
    decorrelated jitter it is min(cap, base + u (3 times the last pause - base)).

    Parameters
    ----------
    base_s : float
        Before the first retry, without jitter.
    cap_s : float
        The longest pause; infinite without.
    growth : float
        From one pause to the next.
    jitter : {"none", "full", "equal", "decorrelated"}
        How the pause is drawn.
    throttled_base_s : float, optional
        The base after a throttle, where it differs.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> doubling = Backoff(0.05, cap_s=20, jitter="none")
    >>> [doubling.pause_s(retry, u=0.5) for retry in (1, 2, 3)]
    [0.05, 0.1, 0.2]
    >>> Backoff(0.05, cap_s=20).pause_s(3, u=0.5)
    0.1
    """

    base_s: float
    cap_s: float = math.inf
    growth: float = 2.0
    jitter: str = "full"
    throttled_base_s: float | None = None

    def __post_init__(self) -> None:
        not_negative("base_s", self.base_s)
        if not self.cap_s >= self.base_s:
            raise ValueError(f"cap_s={self.cap_s} must not lie below base_s={self.base_s}")
        if not self.growth >= 1:
            raise ValueError(f"growth={self.growth} must be 1 or more")
        if self.jitter not in JITTERS:
            raise ValueError(f"jitter={self.jitter!r} is none of {', '.join(JITTERS)}")
        if self.throttled_base_s is not None:
            not_negative("throttled_base_s", self.throttled_base_s)

    def pause_s(
        self, retry: int, u: float, last_s: float | None = None, throttled: bool = False
    ) -> float:
        """Seconds before retry number `retry` (from 1), for a uniform number `u`.

        `last_s` is the pause before, which decorrelated jitter goes on from.
        """
        base_s = self.base_s
        if throttled and self.throttled_base_s is not None:
            base_s = self.throttled_base_s
        if self.jitter == "decorrelated":
            most_s = 3 * (base_s if last_s is None else last_s)
            return min(self.cap_s, base_s + u * (most_s - base_s))
        try:
            whole_s = min(self.cap_s, base_s * self.growth ** (retry - 1))
        except OverflowError:  # after a thousand retries
            whole_s = self.cap_s
        if self.jitter == "none":
            return whole_s
        return whole_s * u if self.jitter == "full" else whole_s * (1 + u) / 2


@dataclass(frozen=True)
class RetryQuota:
    """Tokens that retries must take from a bucket; when it is empty, a call fails at once.

    The defaults are the AWS SDKs' of 2026. The bucket is full at first and belongs to one
    client object: on Lambda, to one execution environment.

    Parameters
    ----------
    capacity : float
        Tokens in a full bucket.
    cost, throttled_cost, timeout_cost : float
        Tokens for a retry after an error, after a throttle, after a call timeout.
    refill : float
        Tokens that come in with a call that needs no retry, if it succeeds.
    gives_back : bool
        Whether a call that succeeds after a retry gives back what its last retry took.
    refills_on_call : bool
        Whether `refill` comes in with every call, as it begins, whatever becomes of it.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> RetryQuota().capacity // RetryQuota().cost      # retries in a row before it is empty
    35.0
    """

    capacity: float = 500.0
    cost: float = 14.0
    throttled_cost: float = 5.0
    timeout_cost: float = 14.0
    refill: float = 1.0
    gives_back: bool = True
    refills_on_call: bool = False

    def __post_init__(self) -> None:
        positive("capacity", self.capacity)
        for name in ("cost", "throttled_cost", "timeout_cost", "refill"):
            not_negative(name, getattr(self, name))


class Tokens:
    """The bucket of one client: how much of its quota is left."""

    __slots__ = ("left", "quota")

    def __init__(self, quota: RetryQuota) -> None:
        self.quota = quota
        self.left = quota.capacity

    def take(self, tokens: float) -> bool:
        """Take tokens for a retry; whether there were enough."""
        if tokens > self.left:
            return False
        self.left -= tokens
        return True

    def begin(self) -> None:
        """A call begins."""
        if self.quota.refills_on_call:
            self._add(self.quota.refill)

    def succeed(self, taken: float) -> None:
        """A call succeeded; its last retry, if it had one, took so many tokens."""
        quota = self.quota
        if taken > 0:
            self._add(taken if quota.gives_back else 0.0)
        elif not quota.refills_on_call:
            self._add(quota.refill)

    def _add(self, tokens: float) -> None:
        self.left = min(self.quota.capacity, self.left + tokens)
