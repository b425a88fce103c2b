"""Time on a share of a processor, and what it costs.

A function with less than a full vCPU gets its share as a quota: so many milliseconds in every
period, then it stands still until the next one.

Source: Linux CFS bandwidth control (kernel documentation); the period of 20 ms and the
1,769 MB of a full vCPU are facts of the service, here as defaults of the worked number.

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import itertools
import math

from simulations._check import not_negative, positive


def _quota_ms(memory_mb: float, period_ms: float, full_mb: float) -> float:
    share = positive("memory_mb", memory_mb) / positive("full_mb", full_mb)
    return positive("period_ms", period_ms) * min(share, 1.0)


def quota_ms(
    cpu_ms: float, memory_mb: float, *, period_ms: float = 20, full_mb: float = 1769
) -> float:
    """Return the wall-clock time of a task that starts with a period (CFS bandwidth).

    Formula: T = floor(C / Q) P + (C mod Q), Q = P memory / 1769. One thread.

    >>> [round(quota_ms(17.4, mb), 6) for mb in (128, 514, 1769)]
    [240.034257, 45.777614, 17.4]
    """
    not_negative("cpu_ms", cpu_ms)
    quota = _quota_ms(memory_mb, period_ms, full_mb)
    if quota >= period_ms:
        return cpu_ms
    periods, rest = divmod(cpu_ms, quota)
    return periods * period_ms + rest


def quota_from_ms(
    cpu_ms: float, memory_mb: float, left_ms: float, *, period_ms: float = 20, full_mb: float = 1769
) -> float:
    """Return the time of a task that starts when its period has `left_ms` to go, quota full.

    >>> [round(quota_from_ms(17.4, 128, left), 4) for left in (20, 1, 0)]
    [240.0343, 221.4814, 240.0343]
    """
    not_negative("cpu_ms", cpu_ms)
    quota = _quota_ms(memory_mb, period_ms, full_mb)
    first = min(quota, left_ms)
    if quota >= period_ms or cpu_ms <= first:
        return float(cpu_ms)
    rest = cpu_ms - first
    # A rest of whole quotas ends with its last quota, not a period later; the tolerance keeps
    # rounding from adding a period.
    periods = max(math.ceil(rest / quota * (1 - 1e-12)) - 1, 0)
    return left_ms + periods * period_ms + rest - periods * quota


def quota_mean_ms(
    cpu_ms: float, memory_mb: float, *, period_ms: float = 20, full_mb: float = 1769
) -> float:
    """Return the mean time of a task that starts anywhere in a period, its quota still full.

    The closest of three models to 975,000 measured runs on AWS Lambda at 195 memory sizes: half
    of the means are within 5.3 %, 187 within 15 %. Seven of the other eight lie just below a
    memory at which one period fewer is enough (44 % off at 761 MB): AWS lets a task overrun its
    quota a little, the model does not. A task that starts late in a period gets a fresh quota
    soon: this is the exact mean over a uniform start, as the time is linear between the starts
    at which one period more is needed.

    >>> [round(quota_mean_ms(17.4, mb), 1) for mb in (128, 257, 514)]
    [230.1, 95.5, 40.7]
    """
    not_negative("cpu_ms", cpu_ms)
    quota = _quota_ms(memory_mb, period_ms, full_mb)
    if quota >= period_ms or cpu_ms == 0:
        return float(cpu_ms)

    kinks = {0.0, period_ms, min(quota, period_ms)}
    if cpu_ms < quota:
        kinks.add(cpu_ms)
    # Starts at which what is left after the first period is a whole number of quotas.
    kinks.update(
        left
        for n in range(math.floor(cpu_ms / quota) + 1)
        if 0 < (left := cpu_ms - n * quota) < quota
    )
    edges = sorted(kinks)
    area = math.fsum(
        # The middle of a straight piece is its mean.
        (high - low)
        * quota_from_ms(cpu_ms, memory_mb, (low + high) / 2, period_ms=period_ms, full_mb=full_mb)
        for low, high in itertools.pairwise(edges)
    )
    return area / period_ms


def proportional_ms(cpu_ms: float, memory_mb: float, *, full_mb: float = 1769) -> float:
    """Return the time if speed were proportional to memory: C 1769 / memory (too simple).

    >>> [round(proportional_ms(17.4, mb), 5) for mb in (128, 1769)]
    [240.47344, 17.4]
    """
    return not_negative("cpu_ms", cpu_ms) / min(positive("memory_mb", memory_mb) / full_mb, 1.0)


def compute_cost_usd(
    memory_mb: float,
    duration_s: float,
    *,
    usd_per_gb_s: float,
    usd_per_request: float,
    requests: float = 1,
) -> float:
    """Return the cost of requests that each hold `memory_mb` for `duration_s`, in USD.

    Formula: requests (GB seconds price + request price), 1 GB = 1,024 MB, no free tier.

    >>> prices = dict(usd_per_gb_s=0.0000166667, usd_per_request=0.0000002)
    >>> round(compute_cost_usd(128, 11.722, requests=1000, **prices), 9)
    0.024620882
    """
    gb_s = not_negative("memory_mb", memory_mb) / 1024 * not_negative("duration_s", duration_s)
    each = gb_s * not_negative("usd_per_gb_s", usd_per_gb_s)
    return not_negative("requests", requests) * (
        each + not_negative("usd_per_request", usd_per_request)
    )
