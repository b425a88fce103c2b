"""What goes in: when requests arrive and how long things take.

May import: the standard library and `simulations._check`.
"""

from simulations.workload.arrivals import (
    Burst,
    Diurnal,
    Load,
    Poisson,
    Recorded,
    Regular,
    Workload,
)
from simulations.workload.closed import Closed
from simulations.workload.durations import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Lognormal,
    Uniform,
    as_distribution,
)

__all__ = [
    "Burst",
    "Closed",
    "Constant",
    "Distribution",
    "Diurnal",
    "Empirical",
    "Exponential",
    "Load",
    "Lognormal",
    "Poisson",
    "Recorded",
    "Regular",
    "Uniform",
    "Workload",
    "as_distribution",
]
