"""The services: one file each. May import: the standard library, SimPy and the rooms above."""

from simulations.services.account import Account
from simulations.services.adaptive import AdaptiveRate
from simulations.services.alias import Alias
from simulations.services.asynchronous import AsyncInvoke
from simulations.services.breaker import Breaker
from simulations.services.capacity import CapacityScaling, OnDemand, ProvisionedCapacity
from simulations.services.chaos import InjectedError, inject
from simulations.services.client import CallTimeout, CircuitOpen, Client
from simulations.services.destinations import InvocationRecord
from simulations.services.environments import ROUTINGS
from simulations.services.function import Function, FunctionError, Throttled, TimedOut
from simulations.services.handler import Context, UnfinishedStep
from simulations.services.keep_alive import KEEP_ALIVE_YEARS, keep_alive
from simulations.services.managed import Payload, RestoreTimedOut, SnapStart
from simulations.services.mapping import EventSourceMapping
from simulations.services.provider import Provider, ProviderError
from simulations.services.provisioned import Provisioned, TargetTracking
from simulations.services.queue import Message, Queue
from simulations.services.retry import Backoff, RetryQuota
from simulations.services.sdk import sdk_retries
from simulations.services.table import Table
from simulations.services.table_calls import (
    ConditionalCheckFailed,
    ConditionCheck,
    Delete,
    ProvisionedThroughputExceeded,
    Put,
    Sized,
    TransactionCanceled,
    Update,
)
from simulations.services.table_client import TableClient
from simulations.services.topic import Topic
from simulations.services.units import Index

__all__ = [
    "KEEP_ALIVE_YEARS",
    "ROUTINGS",
    "Account",
    "AdaptiveRate",
    "Alias",
    "AsyncInvoke",
    "Backoff",
    "Breaker",
    "CallTimeout",
    "CapacityScaling",
    "CircuitOpen",
    "Client",
    "ConditionCheck",
    "ConditionalCheckFailed",
    "Context",
    "Delete",
    "EventSourceMapping",
    "Function",
    "FunctionError",
    "Index",
    "InjectedError",
    "InvocationRecord",
    "Message",
    "OnDemand",
    "Payload",
    "Provider",
    "ProviderError",
    "Provisioned",
    "ProvisionedCapacity",
    "ProvisionedThroughputExceeded",
    "Put",
    "Queue",
    "RestoreTimedOut",
    "RetryQuota",
    "Sized",
    "SnapStart",
    "Table",
    "TableClient",
    "TargetTracking",
    "Throttled",
    "TimedOut",
    "Topic",
    "TransactionCanceled",
    "UnfinishedStep",
    "Update",
    "inject",
    "keep_alive",
    "sdk_retries",
]
