"""How the parts of the kernel are compiled. May import: Numba.

Numba counts the references of every array that a function is given, which is 20 times as much
work as the simulation itself. The parts here make and keep no arrays, so they are compiled
without that (`_nrt=False`), and into one function.
"""

from __future__ import annotations

from typing import Any

import numba

_njit: Any = numba.njit

#: A piece of the loop, a function called from it, and the loop itself.
piece = _njit(_nrt=False, inline="always")
apart = _njit(_nrt=False, inline="never")
loop = _njit(_nrt=False)

#: What runs seldom and may make arrays.
seldom = _njit

#: What Python calls, with the global lock released; the compiled code is kept on disk.
entry_loop = _njit(cache=True, nogil=True, _nrt=False)
entry = _njit(cache=True, nogil=True)
