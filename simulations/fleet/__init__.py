"""The compiled engine: millions of requests a second through one function, or a whole cloud's day.

SimPy's engine is the meaning of the model; this one agrees with it event by event and is for
recorded logs and long runs. May import: NumPy, Numba, and the rooms down to `services`.
"""

from simulations.fleet.answer import Replay
from simulations.fleet.days import Day, day, shape_of_day
from simulations.fleet.engine import replay, simulate
from simulations.fleet.policies import HybridHistogram

__all__ = ["Day", "HybridHistogram", "Replay", "day", "replay", "shape_of_day", "simulate"]
