"""A1: SubmitOrder invokes one function a step and waits for each: waiting is paid twice.

May import: `simulations.services` and this room's `shop`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulations.orders.shop import Shop
from simulations.services import Context, Function
from simulations.services.handler import Steps
from simulations.simulation import Simulation


def build(sim: Simulation, shop: Shop) -> Function:
    """Build A1 and return the function that takes orders."""
    book = shop.open(sim)

    def step_function(name: str, step: Callable[[int, Context], Steps]) -> Function:
        def handler(order: int, context: Context) -> Steps:
            yield context.compute(ms=shop.handler_cpu_ms)
            answer: Any = yield from step(order, context)
            return answer

        return shop.function(sim, name, handler)

    set_aside = step_function("SetAsideStock", shop.set_aside)
    authorize = step_function("AuthorizePayment", shop.authorize)
    release = step_function("ReleaseStock", shop.release)
    decrease = step_function("DecreaseStock", shop.decrease)
    email = step_function("SendEmail", shop.email)
    sms = step_function("SendSms", shop.sms) if shop.with_sms else None

    def submit_order(order: int, context: Context) -> Steps:
        yield context.compute(ms=shop.handler_cpu_ms)
        yield set_aside.invoke(order)
        accepted = yield authorize.invoke(order)
        if not accepted:
            yield release.invoke(order)
            return book.settle(order, "declined")
        yield decrease.invoke(order)
        yield email.invoke(order)
        if sms is not None:
            yield sms.invoke(order)
        return book.settle(order, "confirmed")

    return shop.function(sim, "SubmitOrder", submit_order, called=False)
