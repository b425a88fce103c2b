"""How long things take: distributions that turn one uniform number into one value.

Every distribution knows its mean and its coefficient of variation and is sampled by its
quantile function. One uniform draw gives one value, so two systems that share their draws
differ only where the systems differ (common random numbers).

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from statistics import NormalDist

from simulations._check import not_negative, positive

_UNIT_NORMAL = NormalDist()


def _outside(u: float) -> ValueError:
    return ValueError(f"u={u!r} is not possible: u must be between 0 and 1")


@dataclass(frozen=True)
class Distribution(ABC):
    """A distribution of nonnegative values, in whatever unit its mean has.

    Attributes
    ----------
    mean : float
        Expected value.
    cv : float
        Coefficient of variation: standard deviation over mean, without unit.
    """

    mean: float = field(init=False, repr=False, compare=False)
    cv: float = field(init=False, repr=False, compare=False)

    @abstractmethod
    def quantile(self, u: float) -> float:
        """Return the value that a share `u` of all values does not exceed.

        Raises
        ------
        ValueError
            If `u` is not between 0 and 1.
        """

    def sample(self, random: Random) -> float:
        """Draw one value with one uniform number from `random`.

        >>> Uniform(294, 347).sample(Random(7))
        311.1631365361576
        """
        return self.quantile(random.random())

    def sampler(self) -> Callable[[float], float]:
        """Return `quantile` for numbers that are known to lie between 0 and 1, without a check."""
        return self.quantile

    def _set(self, **values: object) -> None:
        # A frozen dataclass computes what it needs once, here, and never at a call.
        for name, value in values.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Constant(Distribution):
    """Always the same value.

    >>> Constant(0.3).quantile(0.99)
    0.3
    """

    value: float

    def __post_init__(self) -> None:
        """Check the value."""
        self._set(mean=not_negative("value", self.value), cv=0.0)

    def quantile(self, u: float) -> float:
        """Return the value, whatever `u`."""
        if not 0.0 <= u <= 1.0:
            raise _outside(u)
        return self.value


@dataclass(frozen=True)
class Exponential(Distribution):
    """Exponential: no memory, cv 1. Gaps between independent calls look like this.

    >>> round(Exponential(mean=2.0).quantile(0.5), 6)
    1.386294
    """

    mean: float

    def __post_init__(self) -> None:
        """Check the mean."""
        self._set(mean=positive("mean", self.mean), cv=1.0)

    def quantile(self, u: float) -> float:
        """Return -mean ln(1 - u); infinite at u = 1."""
        if not 0.0 <= u < 1.0:
            if u == 1.0:
                return math.inf
            raise _outside(u)
        return -self.mean * math.log1p(-u)


@dataclass(frozen=True)
class Lognormal(Distribution):
    """Lognormal, given by its mean and cv: the usual shape of calls over a network.

    The logarithm has variance ln(1 + cv^2) and mean ln(mean) minus half of that.

    >>> provider = Lognormal(mean=300, cv=0.5)
    >>> round(provider.quantile(0.5), 4), round(provider.quantile(0.99), 4)
    (268.3282, 805.2337)
    """

    mean: float
    cv: float
    _log: NormalDist | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check mean and cv; find the distribution of the logarithm."""
        positive("mean", self.mean)
        variance = math.log1p(not_negative("cv", self.cv) ** 2)
        middle = math.log(self.mean) - variance / 2
        # With cv 0 the value is certain, and NormalDist has no inverse.
        self._set(_log=NormalDist(middle, math.sqrt(variance)) if variance > 0 else None)

    def quantile(self, u: float) -> float:
        """Return exp of the normal quantile; 0 at u = 0, infinite at u = 1."""
        if not 0.0 < u < 1.0:
            if self._log is not None and u in (0.0, 1.0):
                return math.inf if u else 0.0
            if not 0.0 <= u <= 1.0:
                raise _outside(u)
        return math.exp(self._log.inv_cdf(u)) if self._log is not None else self.mean

    def sampler(self) -> Callable[[float], float]:
        """Return `quantile` without its check."""
        if self._log is None:
            return self.quantile
        exp, inverse = math.exp, self._log.inv_cdf
        return lambda u: exp(inverse(u))


@dataclass(frozen=True)
class Uniform(Distribution):
    """Every value between `low` and `high` equally likely.

    The idle lifetime of an AWS Lambda environment, measured in 2025, looks like
    Uniform(294, 347) seconds.

    >>> lifetime = Uniform(294, 347)
    >>> lifetime.mean, lifetime.quantile(0.5), round(lifetime.cv, 4)
    (320.5, 320.5, 0.0477)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Check the two ends and their order."""
        not_negative("low", self.low)
        positive("high", self.high)
        if self.low > self.high:
            raise ValueError(
                f"low={self.low!r} is not possible: low must not exceed high={self.high!r}"
            )
        mean = (self.low + self.high) / 2
        self._set(mean=mean, cv=(self.high - self.low) / math.sqrt(12) / mean)

    def quantile(self, u: float) -> float:
        """Return the value a share `u` of the way from low to high."""
        if not 0.0 <= u <= 1.0:
            raise _outside(u)
        return self.low + u * (self.high - self.low)


@dataclass(frozen=True)
class Empirical(Distribution):
    """Measured quantiles, with straight lines between them.

    Parameters
    ----------
    probabilities : sequence of float
        Strictly increasing from 0 (the smallest value) to 1 (the largest).
    values : sequence of float
        The quantile at each probability, nondecreasing, 0 or above.

    >>> cold = Empirical((0, 0.5, 0.99, 1), (180, 250, 610, 900))
    >>> cold.quantile(0.5), cold.quantile(0.75), round(cold.mean, 2)
    (250.0, 433.6734693877551, 325.75)
    """

    probabilities: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        """Check the points; add up mean and variance of the straight pieces exactly."""
        shares = tuple(float(p) for p in self.probabilities)
        values = tuple(float(not_negative("values", v)) for v in self.values)
        if len(shares) != len(values) or len(shares) < 2:
            raise ValueError(
                f"probabilities has {len(shares)} and values has {len(values)} entries: "
                "both must have the same number, at least 2"
            )
        if shares[0] != 0 or shares[-1] != 1:
            raise ValueError(
                f"probabilities={shares!r} is not possible: the first must be 0 and the last 1"
            )
        for name, points, strict in (
            ("probabilities", shares, True),
            ("values", values, False),
        ):
            for before, after in pairwise(points):
                if after < before or (strict and not after > before):
                    word = "increasing" if strict else "nondecreasing"
                    raise ValueError(f"{name} must be {word}: {after!r} follows {before!r}")
        pieces = [
            (q - p, a, b) for (p, q), (a, b) in zip(pairwise(shares), pairwise(values), strict=True)
        ]
        mean = math.fsum(w * (a + b) / 2 for w, a, b in pieces)
        # About the mean, so that nothing cancels when the spread is small.
        variance = math.fsum(
            w * ((a - mean) ** 2 + (a - mean) * (b - mean) + (b - mean) ** 2) / 3
            for w, a, b in pieces
        )
        cv = math.sqrt(variance) / mean if mean > 0 else 0.0
        self._set(probabilities=shares, values=values, mean=mean, cv=cv)

    def quantile(self, u: float) -> float:
        """Return the value on the straight line between the two nearest points. O(log n)."""
        if not 0.0 <= u < 1.0:
            if u == 1.0:
                return self.values[-1]
            raise _outside(u)
        shares, values = self.probabilities, self.values
        k = bisect_right(shares, u)
        share, value = shares[k - 1], values[k - 1]
        return value + (u - share) * (values[k] - value) / (shares[k] - share)


def as_distribution(x: float | Distribution) -> Distribution:
    """Return `x` itself if it is a distribution, else the constant of that value.

    >>> as_distribution(600)
    Constant(value=600)
    """
    return x if isinstance(x, Distribution) else Constant(x)
