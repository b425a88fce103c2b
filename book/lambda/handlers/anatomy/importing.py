"""Import inside the handler: Python keeps the module, so again once per environment."""

import time


def handle(event, context):
    """Price one item; the pause stands for the work of one order."""
    import catalog

    time.sleep(0.25)
    return catalog.prices[event["item"]]
