"""Small parts that several live experiments share: quick intervals and counts drawn by chance.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from random import Random

from simulations._check import not_negative, whole
from simulations.experiment import Number
from simulations.stats import Interval

_Z = 1.959963984540054


def score_interval(successes: float, trials: int) -> Interval:
    """Return a share with Wilson's score interval at 95 %.

    A closed form, where the exact interval of `stats.share_interval` takes milliseconds.
    Source: E. Wilson, Journal of the American Statistical Association 22 (1927).

    Raises
    ------
    ValueError
        If there are no trials, or fewer than successes.

    Examples
    --------
    >>> [round(v, 4) for v in score_interval(3, 100)]
    [0.03, 0.0103, 0.0845]
    >>> score_interval(0, 100).low, round(score_interval(0, 100).high, 4)
    (0.0, 0.037)
    """
    n = whole("trials", trials, low=1)
    if not 0 <= successes <= n:
        raise ValueError(f"successes={successes} is not possible: there were only trials={n}")
    share, z2 = successes / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low = max(middle - reach, 0.0) if successes else 0.0
    high = min(middle + reach, 1.0) if successes < n else 1.0
    return Interval(share, min(low, share), max(high, share))


def percent(share: Interval) -> Number:
    """Return a share as a number in percent, its interval kept between 0 and 100.

    Examples
    --------
    >>> percent(Interval(0.5, -0.1, 0.75))
    Number(value=50.0, unit='%', low=0.0, high=75.0)
    """
    low, high = max(share.low, 0.0), min(share.high, 1.0)
    return Number(100 * share.mean, "%", 100 * low, 100 * high)


def blocking(load: float, most: int) -> list[float]:
    """Return Erlang B of 0, 1, 2 ... `most` servers, in one go.

    Examples
    --------
    >>> [round(share, 8) for share in blocking(8.0, 10)[::5]]
    [1.0, 0.4790083, 0.12166106]
    """
    found = [1.0]
    for servers in range(1, most + 1):
        carried = load * found[-1]
        found.append(carried / (servers + carried))
    return found


def poisson(random: Random, mean: float) -> int:
    """Draw a Poisson number, with two uniform ones or so whatever the mean.

    By multiplication below a mean of 10, else by transformed rejection. Source: W. Hormann, The
    transformed rejection method for generating Poisson random variables, Insurance: Mathematics
    and Economics 12 (1993), algorithm PTRS.

    Examples
    --------
    >>> random = Random(1)
    >>> draws = [poisson(random, 40.0) for _ in range(10_000)]
    >>> round(sum(draws) / len(draws))
    40
    """
    draw = random.random
    if not_negative("mean", mean) < 10:
        least, product, count = math.exp(-mean), draw(), 0
        while product > least:
            product *= draw()
            count += 1
        return count
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    sure = 0.9277 - 3.6224 / (b - 2)
    log_mean = math.log(mean)
    while True:
        u, v = draw() - 0.5, 1.0 - draw()
        near = 0.5 - abs(u)
        k = math.floor((2 * a / near + b) * u + mean + 0.43) if near > 0 else -1
        if near >= 0.07 and v <= sure:
            return k
        if k < 0 or (near < 0.013 and v > near):
            continue
        likely = math.log(v * inverse_alpha / (a / (near * near) + b))
        if likely <= k * log_mean - mean - math.lgamma(k + 1):
            return k
