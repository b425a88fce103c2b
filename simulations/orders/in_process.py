"""A0: one function does every step itself, one after the other.

May import: `simulations.services` and this room's `shop`.
"""

from __future__ import annotations

from simulations.orders.shop import Shop
from simulations.services import Context, Function
from simulations.services.handler import Steps
from simulations.simulation import Simulation


def build(sim: Simulation, shop: Shop) -> Function:
    """Build A0 and return the function that takes orders."""
    book = shop.open(sim)

    def submit_order(order: int, context: Context) -> Steps:
        yield context.compute(ms=shop.handler_cpu_ms)
        yield from shop.set_aside(order, context)
        accepted = yield from shop.authorize(order, context)
        if not accepted:
            yield from shop.release(order, context)
            return book.settle(order, "declined")
        yield from shop.decrease(order, context)
        yield from shop.email(order, context)
        if shop.with_sms:
            yield from shop.sms(order, context)
        return book.settle(order, "confirmed")

    return shop.function(sim, "SubmitOrder", submit_order, called=False)
