"""The SDKs' adaptive retry mode: a client that is throttled sends more slowly.

The rate follows CUBIC, as TCP does: to 70 % after a throttle, then back and beyond along a cubic
curve. The rules and constants are those of botocore 1.44 (botocore/retries/adaptive.py,
bucket.py and throttling.py, Apache-2.0), against which the tests hold them. May import: the
standard library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_BETA = 0.7
_SCALE = 0.4
_SMOOTHING = 0.8
_BUCKET_S = 0.5
_LEAST_RATE = 0.5
_MOST_OVER_MEASURED = 2.0


@dataclass(frozen=True)
class AdaptiveRate:
    """Whether a client limits its own rate once it has been throttled; it has no settings."""


class Limiter:
    """The rate limit of one client: unlimited until its first throttle.

    Attributes
    ----------
    rate_per_s : float
        Calls a second that it lets pass, once `is_on`.

    Examples
    --------
    >>> limiter = Limiter(now_s=0.0)
    >>> limiter.wait_s(0.0)             # not throttled yet
    0.0
    """

    def __init__(self, now_s: float) -> None:
        self.is_on = False
        self.rate_per_s = 1.0
        self._most_rate = 0.0
        self._zero_s = 0.0
        self._failed_s = now_s
        self._capacity = 1.0
        self._tokens = 0.0
        self._filled_s = now_s
        self._measured = 0.0
        self._count = 0
        self._bucket_s = float(math.floor(now_s))

    def wait_s(self, now_s: float) -> float:
        """0 when a call may go out now, else the seconds until it is worth asking again."""
        if not self.is_on:
            return 0.0
        self._fill(now_s)
        # A token that is missing by rounding is there: the wait was made for it.
        if self._tokens >= 1 - 1e-9:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.rate_per_s

    def answered(self, throttled: bool, now_s: float) -> None:
        """A call has its answer: the rate grows, or shrinks after a throttle."""
        measured = self._measure(now_s)
        if throttled:
            current = min(measured, self.rate_per_s) if self.is_on else measured
            self._most_rate = current
            self._zero_s = (current * (1 - _BETA) / _SCALE) ** (1 / 3)
            self._failed_s = now_s
            rate = current * _BETA
            self.is_on = True
        else:
            rate = _SCALE * (now_s - self._failed_s - self._zero_s) ** 3 + self._most_rate
        rate = min(rate, _MOST_OVER_MEASURED * measured)
        self._fill(now_s)
        self.rate_per_s = max(rate, _LEAST_RATE)
        self._capacity = max(rate, 1.0)
        self._tokens = min(self._tokens, self._capacity)

    def _fill(self, now_s: float) -> None:
        gained = (now_s - self._filled_s) * self.rate_per_s
        self._tokens = min(self._capacity, self._tokens + gained)
        self._filled_s = now_s

    def _measure(self, now_s: float) -> float:
        """Answers a second, smoothed over half seconds."""
        bucket_s = math.floor(now_s / _BUCKET_S) * _BUCKET_S
        self._count += 1
        if bucket_s > self._bucket_s:
            rate = self._count / (bucket_s - self._bucket_s)
            self._measured = rate * _SMOOTHING + self._measured * (1 - _SMOOTHING)
            self._count = 0
            self._bucket_s = bucket_s
        return self._measured
