"""A list outside the handler belongs to every caller that comes by."""

items = []


def handle(event, context):
    """Add an item to the tenant's cart."""
    items.append((event["tenant"], event["item"]))
    return items


def handle_mended(event, context):
    """Keep the cart where it belongs to one call; what must last goes to a table."""
    return [(event["tenant"], event["item"])]
