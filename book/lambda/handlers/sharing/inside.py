"""A connection for each call."""

from connection import ask, connect


def handle(event, context):
    """Connect, ask, close."""
    with connect() as own:
        return ask(own, event["item"])
