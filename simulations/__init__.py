"""Simulate and explain serverless systems: a workload goes in, a trace comes out.

The names below are the public face. Heavier rooms (pricing, figures) are imported by name.
"""

from simulations.experiment import (
    Axis,
    Choice,
    Experiment,
    Number,
    Result,
    Series,
    Slider,
    experiment,
)
from simulations.faults import Fault
from simulations.services import (
    Client,
    Context,
    EventSourceMapping,
    Function,
    FunctionError,
    Message,
    Provider,
    ProviderError,
    Queue,
    Throttled,
    TimedOut,
    Topic,
    UnfinishedStep,
)
from simulations.simulation import ServiceError, Simulation
from simulations.trace import MissingColumn, Trace
from simulations.workload import (
    Burst,
    Constant,
    Diurnal,
    Empirical,
    Exponential,
    Lognormal,
    Poisson,
    Recorded,
    Regular,
    Uniform,
)

__all__ = [
    "Axis",
    "Burst",
    "Choice",
    "Client",
    "Constant",
    "Context",
    "Diurnal",
    "Empirical",
    "EventSourceMapping",
    "Experiment",
    "Exponential",
    "Fault",
    "Function",
    "FunctionError",
    "Lognormal",
    "Message",
    "MissingColumn",
    "Number",
    "Poisson",
    "Provider",
    "ProviderError",
    "Queue",
    "Recorded",
    "Regular",
    "Result",
    "Series",
    "ServiceError",
    "Simulation",
    "Slider",
    "Throttled",
    "TimedOut",
    "Topic",
    "Trace",
    "UnfinishedStep",
    "Uniform",
    "experiment",
]
