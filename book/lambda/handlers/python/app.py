"""Validate an order of the shop."""

from shop_log import log


def refused(reason: str) -> dict:
    return {"accepted": False, "reason": reason}


def validate(order: dict) -> dict:
    """Return the total, or the reason why the order is refused."""
    if not isinstance(order.get("order"), str) or not order["order"]:
        return refused("order is empty")
    if not order.get("items"):
        return refused("items are empty")
    for item in order["items"]:
        quantity, price = item.get("quantity"), item.get("price_cents")
        if type(quantity) is not int or not 1 <= quantity <= 100:
            return refused("quantity must be 1 to 100")
        if type(price) is not int or price < 0:
            return refused("price_cents must be 0 or above")
    total = sum(one["quantity"] * one["price_cents"] for one in order["items"])
    return {"accepted": True, "total_cents": total}


def handler(event: dict, context: object) -> dict:
    answer = {"order": event.get("order"), **validate(event)}
    log.info("order validated", extra={"fields": answer})
    return answer
