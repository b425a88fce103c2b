"""Small records derived from published measurements, each with its source and licence.

Made by ``site/scripts/make_records.py`` from the recorded data, which the project does not
contain, and verified against them by a test. May import: the standard library.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def record(name: str) -> dict[str, Any]:
    """The record called `name`: its `source`, `licence` and what was derived.

    Raises
    ------
    KeyError
        If there is none; the message names those there are.

    Examples
    --------
    >>> record("cold_starts_2020")["licence"]
    'MIT'
    """
    folder = resources.files(__name__)
    file = folder / f"{name}.json"
    if not file.is_file():
        names = sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".json"))
        raise KeyError(f"no record {name!r}; there are {', '.join(names)}")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
