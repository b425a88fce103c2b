"""Load inside the handler: once per invocation."""

import time


def load_catalog():
    """Stand for reading prices."""
    print("load")
    time.sleep(0.4)  # what loading takes
    return {"book": 12.0}


def handle(event, context):
    """Price one item."""
    catalog = load_catalog()
    time.sleep(0.25)  # what the work takes
    return catalog[event["item"]]
