"""Canary releases: how many requests show a bug, by a fixed count or one request at a time.

A request to the new version fails with a probability that is not known; these functions say
how many requests must be seen before that probability can be judged. Requests are taken to be
independent, each with the same chance of failing.

Source: A. Wald, Sequential tests of statistical hypotheses, Annals of Mathematical Statistics
16 (1945), for the sequential test, its bounds and its mean length.

May import: the standard library, `simulations._check` and `simulations.theory.special`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulations._check import between, positive, whole
from simulations.theory.special import beta_share


def _inside(name: str, value: float) -> float:
    if not 0 < between(name, value, 0, 1) < 1:
        raise ValueError(f"{name}={value!r} is not possible: {name} must lie between 0 and 1")
    return value


def detection_probability(bug_rate: float, requests: int) -> float:
    """Return the chance that at least one of `requests` meets a bug.

    Formula: 1 - (1 - b)^n.

    >>> round(detection_probability(0.05, 59), 6), round(detection_probability(0.001, 600), 6)
    (0.951505, 0.451353)
    """
    between("bug_rate", bug_rate, 0, 1)
    n = whole("requests", requests)
    if bug_rate == 1:
        return 1.0 if n else 0.0
    return -math.expm1(n * math.log1p(-bug_rate))


def requests_needed(bug_rate: float, confidence: float = 0.95) -> int:
    """Return how many requests meet a bug at least once with that probability.

    Formula: the smallest n with 1 - (1 - b)^n >= c; about 3 / b for 95 %. Read the other way
    round, n requests without a failure put the bug rate below b with confidence c.

    >>> requests_needed(0.05), requests_needed(0.01), requests_needed(0.001)
    (59, 299, 2995)
    """
    _inside("confidence", confidence)
    if between("bug_rate", bug_rate, 0, 1) in (0, 1):
        if bug_rate == 1:
            return 1
        raise ValueError(
            "bug_rate=0 is not possible: no number of requests shows what is not there"
        )
    n = math.ceil(math.log1p(-confidence) / math.log1p(-bug_rate))
    # The quotient may be a hair above a whole number that already suffices.
    return n - 1 if n > 1 and detection_probability(bug_rate, n - 1) >= confidence else n


def bake_s(requests: float, rate_per_s: float, weight: float) -> float:
    """Return the mean seconds until a version with that weight has had so many requests.

    Formula: n / (lambda w).

    >>> round(bake_s(59, rate_per_s=1, weight=0.1) / 60, 2)
    9.83
    """
    positive("requests", requests)
    _positive_weight(weight)
    return requests / (positive("rate_per_s", rate_per_s) * weight)


def missed_in(bug_rate: float, rate_per_s: float, weight: float, time_s: float) -> float:
    """Return the chance that no request of a Poisson stream meets the bug within `time_s`.

    Formula: exp(-lambda w b t); with `bug_rate=1`, the chance that the version gets no request.

    >>> round(missed_in(0.05, rate_per_s=1, weight=0.1, time_s=600), 6)
    0.049787
    """
    between("bug_rate", bug_rate, 0, 1)
    _positive_weight(weight)
    return math.exp(-positive("rate_per_s", rate_per_s) * weight * bug_rate * max(time_s, 0.0))


def hit_before_alarm(hits_per_minute: float, delay_minutes: float) -> float:
    """Return how many requests meet the bug before an alarm on the first of them has acted.

    The alarm looks at whole minutes, rings when one of them saw the bug, and acts after a
    delay. Formula: r (1 / (1 - exp(-r)) + D): the minutes up to the first with a hit, and the
    delay, each at r hits a minute; close to 1 + r (D + 1/2) where hits are rare.

    >>> [round(hit_before_alarm(r, delay_minutes=1), 2) for r in (0.3, 3, 30)]
    [1.46, 6.16, 60.0]
    """
    r = positive("hits_per_minute", hits_per_minute)
    return r * (-1 / math.expm1(-r) + max(delay_minutes, 0.0))


def exposed_share(weight: float, requests: int) -> float:
    """Return the share of customers that meet the new version, each sending so many requests.

    Formula: 1 - (1 - w)^m: an alias draws for each request, not for each customer.

    >>> round(exposed_share(0.1, 20), 6)
    0.878423
    """
    return detection_probability(_positive_weight(weight), requests)


def _positive_weight(weight: float) -> float:
    if between("weight", weight, 0, 1) == 0:
        raise ValueError("weight=0 is not possible: the version would get no request")
    return weight


def _at_most(failures: int, requests: int, p: float) -> float:
    """Return the binomial probability of at most so many failures."""
    return 1.0 if failures >= requests else 1 - beta_share(failures + 1, requests - failures, p)


class FixedPlan(NamedTuple):
    """So many requests, of which so many may fail."""

    requests: int
    accept: int


def _rates(good: float, bad: float) -> tuple[float, float]:
    if not _inside("good", good) < _inside("bad", bad):
        raise ValueError(f"good={good!r} must lie below bad={bad!r}")
    return good, bad


def fixed_plan(good: float, bad: float, alpha: float = 0.05, beta: float = 0.05) -> FixedPlan:
    """Return the shortest fixed count that tells two failure rates apart.

    The version is trusted if at most `accept` of `requests` fail. A version that fails at the
    rate `good` is rejected with at most `alpha`, one that fails at `bad` is trusted with at
    most `beta`. Exact binomial, no normal approximation.

    Cost: one binary search for each possible `accept`.

    >>> fixed_plan(0.01, 0.05)
    FixedPlan(requests=181, accept=4)
    """
    _rates(good, bad)
    _inside("alpha", alpha)
    _inside("beta", beta)
    accept, n = 0, 1
    while True:
        low, high = n - 1, max(2 * n, 2)
        while _at_most(accept, high, bad) > beta:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if _at_most(accept, middle, bad) > beta:
                low = middle
            else:
                high = middle
        n = high
        if 1 - _at_most(accept, n, good) <= alpha:
            return FixedPlan(n, accept)
        accept += 1


class Sprt(NamedTuple):
    """Wald's sequential test: add up evidence, stop at one of two bounds.

    Attributes
    ----------
    failed, passed : float
        Evidence of one request that failed (positive) or did not (negative), as the logarithm
        of how much likelier it is under the bad rate.
    reject, trust : float
        The bounds: roll back at or above the first, trust at or below the second.
    """

    failed: float
    passed: float
    reject: float
    trust: float

    def mean_requests(self, p: float) -> float:
        """Return Wald's mean number of requests if they fail at the rate `p`.

        Formula: (P(reject) ln A + P(trust) ln B) / E(evidence of one), with P(reject) from
        the rate's own exponent. It ignores that the last request oversteps the bound and is
        therefore too low; `exact` is not.

        >>> plan = sprt(0.01, 0.05)
        >>> round(plan.mean_requests(0.01)), round(plan.mean_requests(0.05))
        (107, 64)
        """
        step = _inside("p", p) * self.failed + (1 - p) * self.passed
        if abs(step) < 1e-12:
            square = p * self.failed**2 + (1 - p) * self.passed**2
            return -self.reject * self.trust / square
        rejected = self.rejected(p)
        return (rejected * self.reject + (1 - rejected) * self.trust) / step

    def rejected(self, p: float) -> float:
        """Return Wald's probability of a rollback if requests fail at the rate `p`.

        Formula: (1 - B^h) / (A^h - B^h) where h solves p e^(h z1) + (1 - p) e^(h z0) = 1.

        >>> plan = sprt(0.01, 0.05)
        >>> round(plan.rejected(0.01), 6), round(plan.rejected(0.05), 6)
        (0.05, 0.95)
        """
        _inside("p", p)

        def excess(h: float) -> float:
            return p * math.exp(h * self.failed) + (1 - p) * math.exp(h * self.passed) - 1

        step = p * self.failed + (1 - p) * self.passed
        if abs(step) < 1e-12:
            return -self.trust / (self.reject - self.trust)
        # h = 0 is the other root; the one wanted lies on the side that the drift points away from.
        sign = -math.copysign(1.0, step)
        near, far = sign * 1e-9, sign
        while excess(far) < 0:
            near, far = far, 2 * far
        for _ in range(200):
            middle = (near + far) / 2
            if excess(middle) < 0:
                near = middle
            else:
                far = middle
        h = (near + far) / 2
        low = math.exp(h * self.trust)
        return (1 - low) / (math.exp(h * self.reject) - low)

    def exact(self, p: float, most: int = 1_000_000) -> tuple[float, float]:
        """Return the exact probability of a rollback and the exact mean number of requests.

        Follows the distribution of the failures so far from request to request until less
        than 1e-12 is undecided.

        Cost: `most` times the number of failures that leave the test undecided, at worst.

        >>> rejected, requests = sprt(0.01, 0.05).exact(0.05)
        >>> round(rejected, 4), round(requests, 1)
        (0.9501, 78.7)
        """
        between("p", p, 0, 1)
        undecided = {0: 1.0}
        rejected = requests = 0.0
        for n in range(1, whole("most", most, low=1) + 1):
            requests += math.fsum(undecided.values())
            after: dict[int, float] = {}
            for failures, share in undecided.items():
                for more, chance in ((0, 1 - p), (1, p)):
                    k = failures + more
                    evidence = k * self.failed + (n - k) * self.passed
                    if evidence >= self.reject:
                        rejected += share * chance
                    elif evidence > self.trust:
                        after[k] = after.get(k, 0.0) + share * chance
            undecided = after
            if math.fsum(undecided.values()) < 1e-12:
                break
        return rejected, requests


def sprt(good: float, bad: float, alpha: float = 0.05, beta: float = 0.05) -> Sprt:
    """Return Wald's sequential test of the failure rate `bad` against `good`.

    Bounds: ln((1 - beta) / alpha) to reject, ln(beta / (1 - alpha)) to trust.

    >>> plan = sprt(0.01, 0.05)
    >>> [round(v, 4) for v in plan]
    [1.6094, -0.0412, 2.9444, -2.9444]
    """
    _rates(good, bad)
    _inside("alpha", alpha)
    _inside("beta", beta)
    if alpha + beta >= 1:
        raise ValueError(f"alpha={alpha!r} and beta={beta!r} must add up to less than 1")
    return Sprt(
        math.log(bad / good),
        math.log1p(-bad) - math.log1p(-good),
        math.log((1 - beta) / alpha),
        math.log(beta / (1 - alpha)),
    )
