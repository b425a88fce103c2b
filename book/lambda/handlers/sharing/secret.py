"""A secret that is fetched once, or again when it is older than its time to live."""

import os

ttl_s = float(os.environ["TTL_S"])
secret, fetched_s = None, float("-inf")


def fetch(event):
    """Stand for a call to Secrets Manager: the event carries what it would answer."""
    print("fetch")
    return event["current"]


def handle(event, context):
    """Return the secret that this call would have used."""
    global secret, fetched_s
    if event["now_s"] - fetched_s >= ttl_s:
        secret, fetched_s = fetch(event), event["now_s"]
    return secret
