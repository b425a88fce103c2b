"""The compiled engine: millions of requests a second through one function.

SimPy's engine is the meaning of the model; this one agrees with it event by event and is for
recorded logs and long runs. May import: NumPy, Numba, and the rooms down to `services`.
"""

from simulations.fleet.engine import Replay, replay, simulate

__all__ = ["Replay", "replay", "simulate"]
