"""An alias: a name that leads to one version of a function, or to two by weight.

May import: the standard library, SimPy, `simulations.clock`, `.simulation` and this room's
`function`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simulations._check import between
from simulations.clock import Caller
from simulations.services.function import Function, Invocation
from simulations.simulation import Component, Simulation

#: At most two versions, published ones: Lambda Developer Guide, "Implement Lambda canary
#: deployments using a weighted alias".
MOST_VERSIONS = 2
SOURCE = (
    "(Lambda Developer Guide, "
    "https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html)"
)


class Alias(Component):
    """Sends each request to one of its versions, drawn by weight for each request anew.

    A request that comes again (a retry) is drawn again. The draw depends on the seed, the
    alias, the request and the attempt alone.

    Parameters
    ----------
    versions : mapping of Function to float
        Published versions and their weights, which add up to 1; or one $LATEST with weight 1.

    Attributes
    ----------
    routed : dict
        Requests sent to each version, by its name.

    Raises
    ------
    ValueError
        If there are more than two versions, one of two is $LATEST, or the weights do not add
        up to 1.

    Examples
    --------
    >>> from simulations import Poisson
    >>> def sell(order, context):
    ...     yield context.compute(ms=100)
    >>> sim = Simulation(seed=1)
    >>> old = Function(sim, "Checkout:1", sell, version=1)
    >>> new = Function(sim, "Checkout:2", sell, version=2)
    >>> live = Alias(sim, "live", {old: 0.9, new: 0.1})
    >>> _ = sim.run(Poisson(rate_per_s=10) >> live, duration_s=1000)
    >>> live.routed
    {'Checkout:1': 8849, 'Checkout:2': 968}
    """

    billed = False

    def __init__(self, sim: Simulation, name: str, versions: Mapping[Function, float]) -> None:
        if not 1 <= len(versions) <= MOST_VERSIONS:
            raise ValueError(f"versions={len(versions)} must be 1 to {MOST_VERSIONS} {SOURCE}")
        for version, weight in versions.items():
            between(f"weight of {version.name}", weight, 0, 1)
            if version.version is None and len(versions) > 1:
                raise ValueError(
                    f"{version.name} is $LATEST: an alias shares requests only between published "
                    f"versions {SOURCE}"
                )
        if not math.isclose(math.fsum(versions.values()), 1.0, abs_tol=1e-9):
            raise ValueError(f"weights={list(versions.values())!r} must add up to 1 {SOURCE}")
        weights = {version.name: float(weight) for version, weight in versions.items()}
        super().__init__(sim, name, weights=weights)
        self.routed = dict.fromkeys(weights, 0)
        self._versions = list(versions)
        self._first = float(next(iter(versions.values())))
        self._draw = sim.draws(name + " routing")

    def invoke(self, event: Any, caller: Caller | None = None) -> Invocation:
        """Invoke one of the versions with `event`.

        Raises
        ------
        Throttled, TimedOut, FunctionError
            At the yield.
        """
        if caller is None:
            caller = self.sim.active
        whose = caller.request if caller.request >= 0 else caller.span
        is_first = self._draw(whose, caller.attempt) < self._first
        version = self._versions[0 if is_first else -1]
        self.routed[version.name] += 1
        return version.invoke(event, None if caller is self.sim.active else caller)

    accept = invoke
