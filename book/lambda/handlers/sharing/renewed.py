"""A connection for each environment, renewed when it has died."""

from connection import ask, connect

shared = connect()


def handle(event, context):
    """Ask; if the connection has died, ask once more on a new one."""
    global shared
    try:
        return ask(shared, event["item"])
    except OSError:
        shared = connect()
        return ask(shared, event["item"])
