"""Which sources an experiment's numbers depend on, and one digest of them all.

The experiment's module is read, not run: what it imports is followed, through every `import`
that stands in the text, into the library and into the reader's own modules. Data files beside
an `__init__.py` that is reached count too. Of the standard library and of installed packages
the versions count. May import: the standard library.
"""

from __future__ import annotations

import ast
import importlib.util
import platform
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b, sha256
from importlib import metadata
from pathlib import Path

DATA = (".json", ".csv", ".gz")
#: How runs are spread over workers changes none of them.
WITHOUT = "simulations.sweep"

_first_seen: dict[str, str] = {}


class Changed(ValueError):
    """Sources were edited after this process had loaded them."""


def digest(module: str) -> str:
    """Return the digest of all that the experiments of a module depend on.

    Raises
    ------
    Changed
        If it differs from what the same process found before: then what is loaded is no longer
        what stands in the files.

    Examples
    --------
    >>> len(digest("simulations.experiments.measure_first"))
    32
    """
    found = blake2b(digest_size=16)
    files, packages = sources(module)
    for name in sorted(files):
        found.update(f"{name}\0{sha256(files[name].read_bytes()).hexdigest()}\n".encode())
    version = ".".join(platform.python_version_tuple()[:2])
    found.update(f"{platform.python_implementation()} {version}\n".encode())
    for name in sorted(packages):
        found.update(f"{name} {_version(name)}\n".encode())
    now = found.hexdigest()
    if _first_seen.setdefault(module, now) != now:
        raise Changed(
            f"the sources of {module} were edited after this process loaded them: start it anew"
        )
    return now


def known_digest(module: str) -> str:
    """Return the digest as this process saw it first; quick in a worker."""
    return _first_seen.get(module) or digest(module)


def sources(module: str) -> tuple[dict[str, Path], set[str]]:
    """Return the files a module depends on, by a name that holds on every machine, and packages.

    Examples
    --------
    >>> files, packages = sources("simulations.experiments.measure_first")
    >>> "simulations.stats" in files, "simulations.figures.drawing" in files, sorted(packages)
    (True, False, ['simpy'])
    """
    files: dict[str, Path] = {}
    packages: set[str] = set()
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name == WITHOUT or name.startswith(f"{WITHOUT}."):
            continue
        seen.add(name)
        top = name.split(".")[0]
        if top in sys.stdlib_module_names:
            continue
        path = _file(name)
        if path is None:
            continue
        if {"site-packages", "dist-packages"} & set(path.parts):
            packages.add(top)
            continue
        files[name] = path
        if "." in name:  # a package runs before what is in it
            waiting.append(name.rpartition(".")[0])
        if path.name == "__init__.py":
            for beside in sorted(path.parent.iterdir()):
                if beside.suffix in DATA:
                    files[f"{name}/{beside.name}"] = beside
        waiting.extend(_imports(name, path))
    return files, packages


def _file(module: str) -> Path | None:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, AttributeError, ValueError):
        return None  # not a module but a name in one
    origin = found.origin if found else None
    return Path(origin) if origin and origin not in ("built-in", "frozen") else None


def _imports(module: str, path: Path) -> Iterator[str]:
    if path.suffix != ".py":
        return
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            yield base
            # `from room import module`: the name may be a module itself.
            yield from (f"{base}.{alias.name}" for alias in node.names if _is_module(base, alias))


def _is_module(base: str, alias: ast.alias) -> bool:
    spec = _spec_folder(base)
    if spec is None:
        return False
    return (spec / f"{alias.name}.py").is_file() or (spec / alias.name / "__init__.py").is_file()


@cache
def _spec_folder(package: str) -> Path | None:
    """Return the folder of a package of ours, or None."""
    if package.split(".")[0] in sys.stdlib_module_names:
        return None
    path = _file(package)
    return path.parent if path and path.name == "__init__.py" else None


@cache
def _version(package: str) -> str:
    names = metadata.packages_distributions().get(package, [package])
    try:
        return metadata.version(names[0])
    except metadata.PackageNotFoundError:
        return "unknown"
