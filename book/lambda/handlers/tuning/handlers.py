"""Five handlers to tune: one computes, one waits, two do both, one computes in threads."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor


def primes(event, context):
    """Count primes: computes and nothing else."""
    below = event["below"]
    sieve = bytearray([1]) * below
    for n in range(2, int(below**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, below, n)))
    return sum(sieve) - 2


def partner(event, context):
    """Ask a partner and wait for the answer: a sleep stands for the partner."""
    time.sleep(event["wait_s"])


def submit_order(event, context):
    """Check and sign an order, then hand it to two queues."""
    sign(b"order 17", event["rounds"])
    for _ in range(2):
        time.sleep(event["send_s"])
    return "accepted"


def authorize(event, context):
    """Sign the request, then wait for the payment provider."""
    sign(b"order 17", event["rounds"])
    time.sleep(event["wait_s"])
    return "authorized"


def archive(event, context):
    """Sign many orders, in as many threads as the event says; hashing lets Python's lock go."""
    with ThreadPoolExecutor(event["threads"]) as pool:
        parts = [b"order %d" % n for n in range(event["parts"])]
        return [x.hex() for x in pool.map(lambda part: sign(part, event["rounds"]), parts)]


def sign(what, rounds):
    """Sign with as many rounds of hashing as it is told."""
    return hashlib.pbkdf2_hmac("sha256", what, b"salt", rounds)
