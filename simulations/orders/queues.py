"""B1 and B10: SubmitOrder sends two messages; each step waits behind a queue of its own.

May import: `simulations.services` and this room's `shop` and `consumers`.
"""

from __future__ import annotations

from simulations.orders.consumers import confirm_by_email, consume, join
from simulations.orders.shop import Shop
from simulations.services import Context, Function
from simulations.services.handler import Steps
from simulations.simulation import Simulation


def build(sim: Simulation, shop: Shop, batch_size: int = 1) -> Function:
    """Build B1, or B10 with `batch_size=10`, and return the function that takes orders."""
    book = shop.open(sim)
    email = shop.queue(sim, "confirmation-email")
    sms = shop.queue(sim, "confirmation-sms") if shop.with_sms else None

    def after_decrease(order: int) -> Steps:
        yield email.send(order)
        if sms is not None:  # one more consumer is an edit of this producer
            yield sms.send(order)

    reserve, authorize = join(sim, shop, book, batch_size, after_decrease)
    consume(sim, shop, email, "SendEmail", batch_size, confirm_by_email(shop, book))
    if sms is not None:
        consume(sim, shop, sms, "SendSms", batch_size, shop.sms)

    def submit_order(order: int, context: Context) -> Steps:
        yield context.compute(ms=shop.handler_cpu_ms)
        yield reserve.send(order)
        yield authorize.send(order)
        return "accepted"

    return shop.function(sim, "SubmitOrder", submit_order, called=False)
