"""What all commands share: the project's root, messages, running a program, hashes, the lock.

Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Folders whose content is made, not written: never an input of anything.
MADE = frozenset(
    {
        ".git",
        ".venv",
        ".venv-bench",
        "_build",
        "build",
        "my-labs",
        "node_modules",
        "__pycache__",
        ".ipynb_checkpoints",
        ".jupyter_cache",
        ".hypothesis",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    }
)


class Trouble(Exception):
    """Something the reader can act on; shown as one message, without a traceback."""


def say(message: str) -> None:
    """Print one line of progress."""
    print(message, flush=True)


def warn(message: str) -> None:
    """Print one line that must not be missed, on standard error."""
    print(message, file=sys.stderr, flush=True)


def venv_python(root: Path) -> Path:
    """Return the path of the environment's Python, on this system."""
    if os.name == "nt":
        return root / ".venv" / "Scripts" / "python.exe"
    return root / ".venv" / "bin" / "python"


def run(
    command: Sequence[str | Path],
    *,
    root: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a program in the project's root, its output shown; return its exit code."""
    try:
        return subprocess.call(
            [str(part) for part in command],
            cwd=root,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError as error:
        raise Trouble(f"the program {command[0]} is missing") from error


def hash_files(root: Path, paths: Iterable[Path]) -> str:
    """Return a digest over the names and the contents of files.

    Contents, not dates: a fresh clone of the same commit has the same digest.
    """
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        if not path.is_file():
            continue
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def files_below(folder: Path, *, without: Iterable[str] = ()) -> Iterator[Path]:
    """Yield every file below a folder that somebody wrote, made ones left out."""
    skipped = MADE | set(without)
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in skipped and not name.endswith(".egg-info")
        )
        for name in sorted(names):
            if not name.endswith((".pyc", ".pyo")) and name != ".DS_Store":
                yield Path(where) / name


def read_stamp(path: Path) -> str:
    """Return what a stamp file says, or nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def write_stamp(path: Path, text: str) -> None:
    """Write a stamp whole or not at all, so that an interruption leaves no half stamp."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold the project to one set-up or build at a time; a second one waits.

    The lock is on the root folder itself, so it leaves no file behind and ends with the process.
    """
    try:
        import fcntl
    except ImportError:  # Windows has no such lock; there a second command is the reader's care
        yield
        return
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another command is setting up or building here; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
