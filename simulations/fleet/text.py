"""A number for the text of what is compiled, so that an edit of any file is noticed by the cache.

Numba's cache looks at the file of a function and at what that closes over, not at the functions
that it calls. May import: the standard library.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path


@cache
def room_text() -> int:
    """Return the checksum of the files that are compiled, or that those stand on."""
    texts = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    compiled = [text for text in texts if b"fleet.compiled import" in text or b"njit" in text]
    state = Path(__file__).with_name("state.py").read_bytes()
    return zlib.crc32(b"".join([*compiled, state]))
