"""A connection for each environment, kept whatever happens to it."""

from connection import ask, connect

shared = connect()


def handle(event, context):
    """Ask on the connection that INIT opened."""
    return ask(shared, event["item"])
