"""What the decoupled designs share: a consumer behind a queue, and the join of two branches.

May import: `simulations.services` and this room's `shop`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulations.orders.shop import OrderBook, Shop
from simulations.services import Context, EventSourceMapping, Message, Queue
from simulations.services.handler import Steps
from simulations.simulation import Simulation

#: Work on one order: a generator of steps.
Work = Callable[[int, Context], Steps]


def consume(
    sim: Simulation, shop: Shop, queue: Queue, name: str, batch_size: int, work: Work
) -> EventSourceMapping:
    """Put a function behind a queue that does `work` for every message of its batch.

    Waiting for a provider overlaps inside a batch, the handler's own work does not.
    """

    def one(message: Message, context: Context) -> Steps:
        return work(message.body, context)

    def handler(messages: Sequence[Message], context: Context) -> Steps:
        yield context.compute(ms=shop.handler_cpu_ms * len(messages))
        failed = yield context.each(messages, one)
        return failed

    return EventSourceMapping(
        sim,
        queue,
        shop.function(sim, name, handler),
        batch_size=batch_size,
        window_s=shop.window_s if batch_size > 1 else 0.0,
        maximum_concurrency=shop.maximum_concurrency,
        report_batch_item_failures=True,
    )


def join(
    sim: Simulation,
    shop: Shop,
    book: OrderBook,
    batch_size: int,
    after_decrease: Callable[[int], Steps],
) -> tuple[Queue, Queue]:
    """Build the consumers up to the decrease of stock; returns their two entrances.

    Stock and payment are dealt with at the same time, in any order. Whoever finishes second
    sends the order on: a conditional write to the order's item sees to it that this happens
    once.
    """
    reserve = shop.queue(sim, "reserve-stock")
    authorize = shop.queue(sim, "authorize-payment")
    decrease = shop.queue(sim, "decrease-stock")

    def pass_on(order: int) -> Steps:
        if book.has(order, "reserved", "authorized") and book.note(order, "passed on"):
            yield decrease.send(order)

    def release(order: int, context: Context) -> Steps:
        if not book.has(order, "released"):
            yield from shop.release(order, context)
            book.note(order, "released")  # not before: a release that failed is tried again

    def reserving(order: int, context: Context) -> Steps:
        yield from shop.set_aside(order, context)
        book.note(order, "reserved")
        if book.has(order, "declined"):
            yield from release(order, context)
        yield from pass_on(order)

    def authorizing(order: int, context: Context) -> Steps:
        accepted = yield from shop.authorize(order, context)
        if accepted:
            book.note(order, "authorized")
            yield from pass_on(order)
            return
        book.note(order, "declined")
        book.settle(order, "declined")
        if book.has(order, "reserved"):
            yield from release(order, context)

    def decreasing(order: int, context: Context) -> Steps:
        yield from shop.decrease(order, context)
        yield from after_decrease(order)

    consume(sim, shop, reserve, "ReserveStock", batch_size, reserving)
    consume(sim, shop, authorize, "AuthorizePayment", batch_size, authorizing)
    consume(sim, shop, decrease, "DecreaseStock", batch_size, decreasing)
    return reserve, authorize


def confirm_by_email(shop: Shop, book: OrderBook) -> Work:
    """The last step: the e-mail that tells the customer, and the order is confirmed."""

    def work(order: int, context: Context) -> Steps:
        yield from shop.email(order, context)
        book.settle(order, "confirmed")

    return work
