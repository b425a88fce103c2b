"""Random numbers inside the kernel: counter-based ones as SimPy's engine has them, and fast ones.

Source: SplitMix64, Steele et al., OOPSLA 2014; the ziggurat, Marsaglia and Tsang, J. Stat.
Softw. 5 (2000), with 256 layers. May import: NumPy, Numba.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulations.fleet.compiled import apart, piece

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ATTEMPT = np.uint64(0xD1B54A32D192ED03)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_11, _12, _27, _30, _31 = (np.uint64(n) for n in (11, 12, 27, 30, 31))
_LAYER = np.uint64(255)

#: Where the ziggurat's tail begins, and the area of each of its layers.
_TAIL, _AREA = 7.69711747013104972, 3.9496598225815571993e-3


def _edges() -> NDArray[np.float64]:
    edges = [_AREA * math.exp(_TAIL), _TAIL]
    while len(edges) < 256:
        edges.append(-math.log(_AREA / edges[-1] + math.exp(-edges[-1])))
    return np.array([*edges, 0.0])


_EDGE = _edges()
_WIDTH = _EDGE * 2.0**-53
_HEIGHT = np.exp(-_EDGE)


@piece
def mixed(x):
    """Return the finalizer of SplitMix64."""
    x = (x ^ (x >> _30)) * _M1
    x = (x ^ (x >> _27)) * _M2
    return x ^ (x >> _31)


@piece
def draw(key, entity, attempt):
    """Return what `Simulation.draw` does for the same key, entity and attempt."""
    x = mixed(key + np.uint64(entity) * _GOLDEN + np.uint64(attempt) * _ATTEMPT)
    return (np.float64(x >> _12) + 0.5) * 2.0**-52


@piece
def exponential(stream):
    """Return an exponential number of mean 1, and the stream after it. About 3 ns."""
    stream = stream + _GOLDEN
    bits = mixed(stream)
    layer = np.int64(bits & _LAYER)
    x = np.float64(bits >> _11) * _WIDTH[layer]
    if x < _EDGE[layer + 1]:  # 98.9 % of all
        return x, stream
    return _wedge(stream, layer, x)


@piece
def standard_normal(stream):
    """Return a normal number of mean 0 and deviation 1, and the stream after it (Box-Muller)."""
    x, stream = exponential(stream)
    stream = stream + _GOLDEN
    turn = (np.float64(mixed(stream) >> _11) + 0.5) * 2.0**-53
    return math.sqrt(2.0 * x) * math.cos(2.0 * math.pi * turn), stream


@apart
def _wedge(stream, layer, x):
    """Decide at the edge of a layer, and draw again where it is refused."""
    beyond = 0.0
    while True:
        if x < _EDGE[layer + 1]:
            return beyond + x, stream
        stream = stream + _GOLDEN
        if layer == 0:
            beyond += _TAIL  # without memory: the tail looks like the whole
        else:
            share = np.float64(mixed(stream) >> _11) * 2.0**-53
            low, high = _HEIGHT[layer], _HEIGHT[layer + 1]
            if low + share * (high - low) < math.exp(-x):
                return beyond + x, stream
            stream = stream + _GOLDEN
        bits = mixed(stream)
        layer = np.int64(bits & _LAYER)
        x = np.float64(bits >> _11) * _WIDTH[layer]
