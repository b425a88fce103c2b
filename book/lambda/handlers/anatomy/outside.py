"""Load outside the handler: once per environment."""

import time


def load_catalog():
    """Stand for reading prices."""
    print("load")
    time.sleep(0.4)  # what loading takes
    return {"book": 12.0}


catalog = load_catalog()


def handle(event, context):
    """Price one item."""
    time.sleep(0.25)  # what the work takes
    return catalog[event["item"]]
