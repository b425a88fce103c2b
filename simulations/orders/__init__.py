"""The order system: one shop, several architectures, the same draws in each.

May import: the standard library, SimPy and the rooms above. The example goes back to Dashbird's
page *Asynchronous Messaging* (see NOTICE); parts, names and numbers here are our own.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations._check import positive
from simulations.orders import chain, in_process, queues, topics
from simulations.orders.outcomes import Outcomes, outcomes
from simulations.orders.shop import DATABASE, MAIL, PAYMENTS, PROVIDERS, SMS, STOCK, OrderBook, Shop
from simulations.services import Client, Function
from simulations.simulation import Simulation
from simulations.trace import Trace
from simulations.workload import Poisson, Workload

#: The architectures by their short names, in the order in which the book tells them.
ARCHITECTURES: dict[str, Callable[[Simulation, Shop], Function]] = {
    "A0": in_process.build,
    "A1": chain.build,
    "B1": queues.build,
    "B10": lambda sim, shop: queues.build(sim, shop, batch_size=10),
    "C": topics.build,
}

#: What each architecture is called in prose and figures.
TITLES = {
    "A0": "one function",
    "A1": "chained functions",
    "B1": "queues",
    "B10": "queues, batches of 10",
    "C": "topic and queues",
}


def run_orders(
    architecture: str,
    shop: Shop | None = None,
    workload: Workload | None = None,
    *,
    duration_s: float = 600.0,
    warmup_s: float = 0.0,
    seed: int = 1,
    max_attempts: int | None = 1,
    drain: bool = True,
) -> Trace:
    """Send customers to an architecture and return the trace.

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    shop : Shop, optional
        The shop's parameters; the defaults of `Shop` without.
    workload : Workload, optional
        Poisson at 20 orders a second without.
    max_attempts : int, optional
        How often a customer's client tries, from the start each time; None for ever.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> a0 = run_orders("A0", duration_s=60, seed=3)
    >>> b1 = run_orders("B1", duration_s=60, seed=3)
    >>> a0.requests.latency_s.mean() > 20 * b1.requests.latency_s.mean()
    True
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture={architecture!r} is none of {', '.join(ARCHITECTURES)}")
    positive("duration_s", duration_s)
    shop = shop or Shop()
    sim = Simulation(seed, faults=shop.faults())
    submit = ARCHITECTURES[architecture](sim, shop)
    target = (
        submit if max_attempts == 1 else Client(sim, "customer", submit, max_attempts=max_attempts)
    )
    load = (workload or Poisson(20.0)) >> target
    return sim.run(load, duration_s=duration_s, warmup_s=warmup_s, drain=drain)


__all__ = [
    "ARCHITECTURES",
    "DATABASE",
    "MAIL",
    "PAYMENTS",
    "PROVIDERS",
    "SMS",
    "STOCK",
    "TITLES",
    "OrderBook",
    "Outcomes",
    "Shop",
    "outcomes",
    "run_orders",
]
