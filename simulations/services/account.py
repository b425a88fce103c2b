"""An account's concurrency in one Region: the pool its functions share, and its rates.

May import: the standard library, SimPy, `simulations.facts`, `.simulation` and this room's
`limits`.
"""

from __future__ import annotations

from simulations._check import whole
from simulations.facts import fact
from simulations.services.limits import source_of
from simulations.simulation import Component, Simulation

#: Why an invocation was throttled.
CONCURRENCY, REQUESTS, SCALING = "concurrency", "requests per second", "scaling rate"


def requests_per_concurrency() -> int:
    """Requests a second for each unit of concurrency (fact `lambda.quota.rps`).

    Examples
    --------
    >>> requests_per_concurrency()
    10
    """
    return int(fact("lambda.quota.rps").value.split()[0])


def kept_unreserved() -> int:
    """Concurrency that nobody may reserve or provision (fact `lambda.reserved.max`).

    Examples
    --------
    >>> kept_unreserved()
    100
    """
    return int(fact("lambda.reserved.max").value.split()[-1])


class Bucket:
    """Tokens refilled without pause up to a capacity; what is beyond it is lost.

    Examples
    --------
    >>> bucket = Bucket(capacity=2, per_s=1)
    >>> [bucket.take(0.0) for _ in range(3)], bucket.take(1.0), bucket.take(1.0)
    ([True, True, False], True, False)
    """

    __slots__ = ("_at_s", "_left", "capacity", "per_s")

    def __init__(self, capacity: float, per_s: float) -> None:
        self.capacity = capacity
        self.per_s = per_s
        self._left = capacity
        self._at_s = 0.0

    def has(self, now_s: float) -> bool:
        """Whether there is a token."""
        left = self._left + (now_s - self._at_s) * self.per_s
        self._left = left if left < self.capacity else self.capacity
        self._at_s = now_s
        # A refill added up in many steps must not miss the token by rounding.
        return self._left >= 1.0 - 1e-9

    def take(self, now_s: float) -> bool:
        """Take a token, if there is one."""
        if not self.has(now_s):
            return False
        self._left -= 1.0
        return True


class Pool:
    """A share of concurrency: one function's reserved one, or what all others share.

    Attributes
    ----------
    limit : int
        At most so many invocations at once. Provisioned concurrency is taken out of it.
    inside : int
        How many there are.
    """

    __slots__ = ("_provisioned", "_quota", "inside", "limit", "requests")

    def __init__(self, limit: int, with_rate: bool = True) -> None:
        self.limit = self._quota = limit
        self.inside = 0
        self._provisioned = 0
        #: Requests per second: the bucket holds those of one second.
        self.requests: Bucket | None = Bucket(0.0, 0.0) if with_rate else None
        self.resize(0)
        if self.requests is not None:
            self.requests._left = self.requests.capacity

    def resize(self, change: int) -> None:
        """Give the pool `change` more, or fewer."""
        self.limit += change
        if self.requests is not None:
            per_s = float(max(self.limit, 0) * requests_per_concurrency())
            self.requests.capacity = self.requests.per_s = per_s

    def refuses(self, now_s: float) -> str | None:
        """Why no further invocation may run now; None if one may."""
        if self.inside >= self.limit:
            return CONCURRENCY
        if self.requests is not None and not self.requests.has(now_s):
            return REQUESTS
        return None

    def enter(self) -> None:
        """Begin an invocation that `refuses` has just let in."""
        self.inside += 1
        if self.requests is not None:
            self.requests._left -= 1.0

    def provision(self, name: str, most: int) -> None:
        """Note that a version may provision up to `most` of a function's reserved concurrency.

        Raises
        ------
        ValueError
            If all versions together could provision more than is reserved.
        """
        left = self._quota - self._provisioned
        if most > left:
            raise ValueError(
                f"provisioned_concurrency={most} of {name} must be 0 to {left}: what its function "
                f"has reserved and no version provisioned {source_of('lambda.pc.rules')}"
            )
        self._provisioned += most


class Account(Component):
    """The concurrency of an account in a Region, shared by the functions that are given it.

    A function with reserved concurrency has a pool of its own, taken out of the account's; all
    others share the rest (`unreserved`), of which at least 100 must stay (fact
    `lambda.reserved.max`). Beyond a pool's limit, invocations are throttled.

    **Requests per second.** Each pool admits ten times its concurrency in requests per second
    (fact `lambda.quota.rps`): the account's, hence the pools' that make it up. It matters for
    invocations shorter than 100 ms. Over which span AWS counts is not documented; here a bucket
    that holds one second's worth and is refilled without pause. A throttled request takes
    nothing out of it.

    **Scaling rate.** A function gets at most 1,000 new environments in 10 s (fact
    `lambda.scale.rate`): AWS says that the rate is refilled continuously, that what is unused
    does not accrue, and that it is 1,000 at most at any instant. So it is a bucket of 1,000 for
    each function, full at first and refilled at 100 a second. The other form of the rule, 10,000
    additional requests per second every 10 s, is not modeled: in an account of 1,000 it never
    binds before the requests per second do.

    Parameters
    ----------
    concurrency : int, optional
        The account's quota; 1,000 by default (fact `lambda.quota.concurrency`). New accounts
        start lower, and it can be raised.
    scaling : bool
        Whether the scaling rate holds.

    Attributes
    ----------
    unreserved : Pool
        What functions without reserved concurrency share.
    inside : Integral
        Invocations of all functions at once.

    Raises
    ------
    ValueError
        If the quota is no whole number above the 100 that stay unreserved.

    Examples
    --------
    >>> from simulations import Function, Poisson, Simulation
    >>> def report(event, context):
    ...     yield context.wait(10)
    >>> def checkout(event, context):
    ...     yield context.wait(1)
    >>> sim = Simulation(seed=1)
    >>> account = Account(sim, concurrency=200)
    >>> noisy = Function(sim, "Report", report, account=account, timeout_s=60)
    >>> checkout = Function(sim, "Checkout", checkout, account=account, reserved_concurrency=80)
    >>> _ = sim.run(Poisson(30) >> noisy, Poisson(30) >> checkout, duration_s=60)
    >>> noisy.throttled > 0, checkout.throttled
    (True, 0)
    """

    billed = False

    def __init__(
        self,
        sim: Simulation,
        name: str = "account",
        *,
        concurrency: int | None = None,
        scaling: bool = True,
    ) -> None:
        quota = int(fact("lambda.quota.concurrency").value if concurrency is None else concurrency)
        if concurrency is not None:
            whole("concurrency", concurrency, low=1)
        super().__init__(sim, name, concurrency=quota, scaling=scaling)
        self.concurrency = quota
        self.scaling = scaling
        self.unreserved = Pool(quota)
        #: The most that may ever be provisioned for functions without reserved concurrency.
        self._provisioned = 0
        self._reserved = 0

    def reserve(self, name: str, concurrency: int) -> Pool:
        """Take a function's reserved concurrency out of the unreserved one.

        Raises
        ------
        ValueError
            If fewer than 100 would stay unreserved.
        """
        left = self.concurrency - self._reserved - self._provisioned - kept_unreserved()
        if concurrency > max(left, 0):
            raise ValueError(
                f"reserved_concurrency={concurrency} of {name} must be 0 to {max(left, 0)}: "
                f"of the account's {self.concurrency}, {kept_unreserved()} stay unreserved "
                f"{source_of('lambda.reserved.max')}"
            )
        self._reserved += concurrency
        self.unreserved.resize(-concurrency)
        return Pool(concurrency)

    def provision(self, name: str, most: int) -> None:
        """Note that a function without reserved concurrency may provision up to `most`.

        Raises
        ------
        ValueError
            If fewer than 100 would stay.
        """
        left = self.concurrency - self._reserved - self._provisioned - kept_unreserved()
        if most > max(left, 0):
            raise ValueError(
                f"provisioned_concurrency={most} of {name} must be 0 to {max(left, 0)}: the "
                f"unreserved concurrency minus {kept_unreserved()} {source_of('lambda.pc.rules')}"
            )
        self._provisioned += most

    def scaling_rate(self) -> Bucket | None:
        """A function's bucket of new environments; None where the rate does not hold."""
        if not self.scaling:
            return None
        rate = fact("lambda.scale.rate")
        return Bucket(float(rate["environments"]), rate["environments"] / rate["per_s"])
