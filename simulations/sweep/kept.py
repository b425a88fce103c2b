"""Finished runs on disk, one file each, written whole or not at all.

May import: the standard library and this room.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

#: The numbers of a run: value, unit, and the run's own interval where it has one.
Numbers = dict[str, list[Any]]


def folder_of(cache: str | Path | None) -> Path | None:
    """Return the folder that `cache` means.

    >>> folder_of(None) is None, folder_of("/tmp/runs").as_posix()
    (True, '/tmp/runs')
    """
    if cache is None:
        return None
    if cache != "default":
        return Path(cache)
    named = os.environ.get("SBE_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "serverless-by-experiment"


class Kept:
    """The finished runs of one experiment with one state of its sources."""

    def __init__(self, folder: Path | None, module: str, name: str, digest: str) -> None:
        self.folder = folder and folder / "sweeps" / f"{module}.{name}" / digest
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ValueError(f"cache={str(folder)!r} cannot be written: {error}") from None

    def _file(self, parameters: Mapping[str, Any], seed: int) -> tuple[Path, str]:
        assert self.folder is not None  # noqa: S101 - both callers ask before
        key = json.dumps({**parameters, "seed": seed}, sort_keys=True)
        name = blake2b(key.encode(), digest_size=16).hexdigest()
        return self.folder / name[:2] / f"{name}.json", key

    def get(self, parameters: Mapping[str, Any], seed: int) -> Numbers | None:
        """Return what a run found, or None where it is not kept or the file is spoiled."""
        if self.folder is None:
            return None
        path, key = self._file(parameters, seed)
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            numbers: Numbers = held["numbers"]
            return numbers if held["run"] == key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, parameters: Mapping[str, Any], seed: int, numbers: Numbers) -> None:
        """Keep what a run found."""
        if self.folder is None:
            return
        path, key = self._file(parameters, seed)
        path.parent.mkdir(exist_ok=True)
        # A name of its own for each process: two sweeps may keep the same run at once.
        beside = path.with_suffix(f".{os.getpid()}.new")
        try:
            beside.write_text(json.dumps({"run": key, "numbers": numbers}), encoding="utf-8")
            beside.replace(path)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()
