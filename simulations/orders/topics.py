"""C: SubmitOrder publishes one event; topics hand a copy to every queue that subscribes.

May import: `simulations.services` and this room's `shop` and `consumers`.
"""

from __future__ import annotations

from simulations.orders.consumers import confirm_by_email, consume, join
from simulations.orders.shop import Shop
from simulations.services import Context, Function, Topic
from simulations.services.handler import Steps
from simulations.simulation import Simulation


def build(sim: Simulation, shop: Shop) -> Function:
    """Build C and return the function that takes orders."""
    book = shop.open(sim)
    notifications = Topic(sim, "customer-notifications", publish_s=shop.send_time())

    def after_decrease(order: int) -> Steps:
        yield notifications.publish(order)

    reserve, authorize = join(sim, shop, book, 1, after_decrease)
    submitted = Topic(sim, "order-submitted", publish_s=shop.send_time())
    submitted.subscribe(reserve).subscribe(authorize)

    email = shop.queue(sim, "confirmation-email")
    notifications.subscribe(email)
    consume(sim, shop, email, "SendEmail", 1, confirm_by_email(shop, book))
    if shop.with_sms:  # one more subscriber; no publisher is touched
        sms = shop.queue(sim, "confirmation-sms")
        notifications.subscribe(sms)
        consume(sim, shop, sms, "SendSms", 1, shop.sms)

    def submit_order(order: int, context: Context) -> Steps:
        yield context.compute(ms=shop.handler_cpu_ms)
        yield submitted.publish(order)
        return "accepted"

    return shop.function(sim, "SubmitOrder", submit_order, called=False)
