"""Where the outcome of an asynchronous invocation goes: destinations, dead-letter queues.

May import: the standard library, SimPy, `simulations.facts`, `.clock`, `.simulation` and this
room's `queue` and `topic`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

from simulations.clock import Caller, Step
from simulations.facts import fact

#: Size of a record whose event was left out, in KB.
ENVELOPE_KB = 1.0


class Target(Protocol):
    """What can be sent something: a queue, a topic, another function's asynchronous queue."""

    name: str
    largest_kb: float

    def accept(self, body: Any, /, caller: Caller | None = None, size_kb: float = 1.0) -> Step:
        """Take in one message."""


@dataclass(frozen=True)
class InvocationRecord:
    """What a destination is sent: the event and what became of it.

    Attributes
    ----------
    condition : str
        "Success", "RetriesExhausted" or "EventAgeExceeded"; "recursion" and "no concurrency"
        are our words.
    attempts : int
        How often the function ran.
    request : object
        The event; None where it was too large for the destination.
    response : object
        What the handler returned, or its error.

    Examples
    --------
    >>> InvocationRecord("Success", 1, request=17, response="sent").condition
    'Success'
    """

    condition: str
    attempts: int
    request: Any
    response: Any


def send_record(target: Target, record: InvocationRecord, size_kb: float, caller: Caller) -> None:
    """Send a record to a destination, without its event where that is too large.

    Source: AWS Lambda API Reference, OnFailure ("Lambda will drop the payload"), read
    2026-11-23; it says so of topics and failures, we do so everywhere.
    """
    if size_kb > target.largest_kb:
        record, size_kb = replace(record, request=None), ENVELOPE_KB
    target.accept(record, caller, size_kb)


def send_event(target: Target, event: Any, size_kb: float, caller: Caller) -> bool:
    """Send an event to a dead-letter queue as it came; whether it was small enough for it."""
    if size_kb > target.largest_kb:
        return False
    target.accept(event, caller, size_kb)
    return True


def extra_requests(size_kb: float) -> int:
    """How many requests an event counts as beyond one for each invocation, by its size.

    Source: fact `lambda.price.async_chunks`.

    Examples
    --------
    >>> extra_requests(256), extra_requests(257), extra_requests(1024)
    (0, 1, 12)
    """
    rule = fact("lambda.price.async_chunks")
    beyond_kb = size_kb - float(rule["first_kb"])
    return max(0, math.ceil(beyond_kb / float(rule["then_kb_per_extra_request"])))


def check_target(name: str, target: object, *kinds: type) -> None:
    """Raise ValueError unless `target` is None or one of these."""
    if target is not None and not isinstance(target, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{name}={target!r} must be a {names}")
