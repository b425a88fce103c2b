"""Special functions that queueing formulas and intervals need, accurate for very large arguments.

Poisson probabilities, the incomplete gamma and beta functions: written with Loader's saddle
point form, so that nothing cancels at a million expected events.

Source: C. Loader, Fast and accurate computation of binomial probabilities (2000); Press et al.,
Numerical Recipes, chapter 6 (continued fractions).

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math

from simulations._check import between, not_negative, positive

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_TINY = 1e-300
_EPSILON = 1e-16


def _stirling_error(n: float) -> float:
    """Return ln n! minus Stirling's formula for it."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - _LOG_SQRT_2PI
    s = 1 / (n * n)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / n


def _deviance(x: float, mean: float) -> float:
    """Return x ln(x / mean) + mean - x without cancellation where x is near mean."""
    gap = x - mean
    if abs(gap) < 0.1 * (x + mean):
        v = gap / (x + mean)
        total, power, v2 = gap * v, 2 * x * v, v * v
        for k in range(1, 1000):
            power *= v2
            before = total
            total += power / (2 * k + 1)
            if total == before:
                return total
    return x * math.log(x / mean) + mean - x


def poisson_pmf(k: float, mean: float) -> float:
    """Return the probability of exactly `k` events where `mean` are expected.

    Formula: exp(-mean) mean^k / k!. `k` need not be whole (gamma densities use that).

    >>> round(poisson_pmf(30, 30), 8), round(poisson_pmf(1_000_000, 1_000_000), 10)
    (0.07263453, 0.0003989422)
    """
    not_negative("k", k)
    not_negative("mean", mean)
    if mean == 0 or k == 0:
        return math.exp(-mean) if k == 0 else 0.0
    exponent = -_stirling_error(k) - _deviance(k, mean)
    return math.exp(exponent) / math.sqrt(2 * math.pi * k)


def gamma_share(shape: float, x: float) -> tuple[float, float]:
    """Return the regularized incomplete gamma functions P(shape, x) and Q(shape, x) = 1 - P.

    P is the chance that a gamma variable of that shape and scale 1 is at most x; for a whole
    shape n, also the chance of n or more Poisson events where x are expected.

    >>> [round(v, 8) for v in gamma_share(41, 30)]
    [0.03230957, 0.96769043]
    """
    positive("shape", shape)
    not_negative("x", x)
    if x == 0:
        return 0.0, 1.0
    front = poisson_pmf(shape, x)
    if x < shape + 1:
        term = total = 1.0
        n = shape
        while term > total * _EPSILON:
            n += 1
            term *= x / n
            total += term
        low = front * total
        return low, 1 - low
    # Lentz's method for the continued fraction of Q.
    b = x + 1 - shape
    c, d = 1 / _TINY, 1 / b
    h = d
    n = 0
    while True:
        n += 1
        a = -n * (n - shape)
        b += 2
        d = a * d + b
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = b + a / c
        c = c if abs(c) > _TINY else _TINY
        h *= d * c
        if abs(d * c - 1) < 4 * _EPSILON:
            break
    high = front * shape * h
    return 1 - high, high


def beta_share(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b).

    The chance that a beta variable is at most x; for whole numbers, the chance of `a` or more
    successes in a + b - 1 trials of probability x.

    >>> round(beta_share(2, 3, 0.5), 6), round(beta_share(500_000, 500_000, 0.4995), 6)
    (0.6875, 0.158655)
    """
    positive("a", a)
    positive("b", b)
    between("x", x, 0, 1)
    if x in (0, 1):
        return float(x)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_fraction(b, a, 1 - x)
    return _beta_fraction(a, b, x)


def _beta_fraction(a: float, b: float, x: float) -> float:
    n = a + b
    exponent = (
        _stirling_error(n)
        - _stirling_error(a)
        - _stirling_error(b)
        - _deviance(a, n * x)
        - _deviance(b, n * (1 - x))
    )
    front = math.exp(exponent) * math.sqrt(b / (2 * math.pi * a * n))
    c = 1.0
    d = 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    h = d
    m = 0
    while True:
        m += 1
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = 1 + numerator / c
            c = c if abs(c) > _TINY else _TINY
            h *= d * c
        if abs(d * c - 1) < 4 * _EPSILON:
            return front * h
