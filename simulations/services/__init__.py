"""The services: one file each. May import: the standard library, SimPy and the rooms above."""

from simulations.services.client import Client
from simulations.services.environments import ROUTINGS
from simulations.services.function import (
    Function,
    FunctionError,
    Throttled,
    TimedOut,
    keep_alive_2025,
)
from simulations.services.handler import Context, UnfinishedStep
from simulations.services.mapping import EventSourceMapping
from simulations.services.provider import Provider, ProviderError
from simulations.services.queue import Message, Queue
from simulations.services.topic import Topic

__all__ = [
    "ROUTINGS",
    "Client",
    "Context",
    "EventSourceMapping",
    "Function",
    "FunctionError",
    "Message",
    "Provider",
    "ProviderError",
    "Queue",
    "Throttled",
    "TimedOut",
    "Topic",
    "UnfinishedStep",
    "keep_alive_2025",
]
