"""The task in the project's own two engines, and the order system beside a plain SimPy model.

`python ours.py TOOL RATE REQUESTS REPEATS`, in the project's environment. May import:
`simulations`.
"""

from __future__ import annotations

import sys

from plain_orders import PlainShop
from task import COLD_S, KEEP_ALIVE_S, WARM_S, Count, Tool, answer

from simulations import Exponential, Function, Poisson, Simulation
from simulations.orders import Shop, run_orders
from simulations.services import Context
from simulations.services.handler import Steps


def fleet(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """Return the counts of the compiled engine, drawing inside."""
    from simulations.fleet import simulate

    run = simulate(
        rate_per_s, WARM_S, cold_service_s=COLD_S, keep_alive_s=KEEP_ALIVE_S,
        duration_s=duration_s, seed=seed,
    )  # fmt: skip
    return Count(run.requests, round(run.cold_share * run.requests))


def function(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """Return the counts of the composed model: one Function with its trace, limits and timeout.

    A cold request takes an INIT longer, so that its mean is the peers'.
    """
    sim = Simulation(seed)
    takes_s = Exponential(WARM_S).quantile
    draw = sim.stream("service").random

    def handler(request: int, context: Context) -> Steps:
        yield context.wait(takes_s(draw()))

    one = Function(
        sim, "f", handler, timeout_s=900.0, keep_alive_s=KEEP_ALIVE_S,
        init_s=Exponential(COLD_S - WARM_S),
    )  # fmt: skip
    sim.run(Poisson(rate_per_s) >> one, duration_s=duration_s)
    return Count(one.invocations, one.cold)


def orders(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """Return the invocations of the chained order system (A1), by the library."""
    trace = run_orders("A1", Shop(), Poisson(rate_per_s), duration_s=duration_s, seed=seed)
    invoke = trace.code("invoke")
    return Count(sum(code == invoke for code in trace.spans.operation), 0)


def plain_orders(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """Return the invocations of the same system written plainly in SimPy."""
    return Count(PlainShop(Shop(), rate_per_s, seed).run(duration_s), 0)


TOOLS: dict[str, Tool] = {tool.__name__: tool for tool in (fleet, function, orders, plain_orders)}

if __name__ == "__main__":
    answer(TOOLS, sys.argv[1:])
