"""A Lambda runtime on this machine: real processes, initialized once, frozen, timed out, killed.

`LocalRuntime` runs a handler, in any language, the way Lambda does: each environment is a process
that speaks the Runtime API. May import: the standard library and, of the library, facts, checks,
billed durations and REPORT lines. Needs Linux or macOS (on Windows: WSL).

What it is not: there is no isolation, neither of the file system nor of the network, and no share
of the processor by memory. Run your own code in it, nobody else's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from simulations._check import positive, whole
from simulations.aws.runtime_environment import (
    REGION,
    Environment,
    Function,
    Outcome,
    largest_bytes,
)
from simulations.facts import fact
from simulations.services.limits import limited, limited_whole, source_of

__all__ = ["LocalRuntime", "Outcome", "TooManyRequests"]

_BOOTSTRAP = Path(__file__).with_name("runtime_bootstrap.py")


class TooManyRequests(Exception):
    """All environments that the function may have are busy: the call is throttled (429)."""


class LocalRuntime:
    r"""A function and its environments; use it in a `with` statement, or `close` it.

    Environments are made when a call finds none idle, and the most recently used idle one is
    taken, as on Lambda. Between invocations an environment is stopped (SIGSTOP). A process that
    outlives `timeout_s`, uses more than `memory_mb` or crashes is killed; its environment starts
    a new one within the next invocation, under the function's timeout, with /tmp as it was.

    Parameters
    ----------
    handler
        `module.function` in `task_root`. A bootstrap of yours finds it in `_HANDLER`.
    task_root
        The folder with your code; processes start in it.
    command
        The bootstrap and its arguments, for other languages: `["node", "bootstrap.mjs"]`. By
        default this library's, for Python.
    memory_mb
        128 to 10,240. Resident memory of the process counts; looked at every 5 ms (Linux, macOS).
    timeout_s
        Up to 900. Lambda takes whole seconds; here 0.2 will do.
    environment
        More environment variables. Nothing of yours is inherited but PATH and LD_LIBRARY_PATH.
    function_name
        What the process is told.
    concurrency
        How many environments there may be; a call beyond is refused with TooManyRequests.
    init_limit_s
        How long INIT may take before it is started over within the invocation; 10 on Lambda.

    Raises
    ------
    ValueError
        If a parameter is impossible, with its source.
    RuntimeError
        On a system that cannot stop processes (Windows).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = "calls = 0\ndef handle(event, context):\n    global calls\n"
    ...     text += "    calls += 1\n    return event['order'], calls\n"
    ...     written = Path(folder, "app.py").write_text(text)
    ...     with LocalRuntime("app.handle", task_root=folder) as runtime:
    ...         outcomes = [runtime.invoke({"order": order}) for order in (17, 18)]
    >>> [(outcome.payload, outcome.environment, outcome.cold) for outcome in outcomes]
    [([17, 1], 1, True), ([18, 2], 1, False)]
    """

    def __init__(
        self,
        handler: str,
        *,
        task_root: str | os.PathLike[str] = ".",
        command: Sequence[str] | None = None,
        memory_mb: int = 128,
        timeout_s: float = 3,
        environment: Mapping[str, str] | None = None,
        function_name: str = "function",
        concurrency: int = 10,
        init_limit_s: float | None = None,
    ) -> None:
        if not hasattr(signal, "SIGSTOP"):
            raise RuntimeError(
                "the local Lambda runtime freezes processes with SIGSTOP, which this system does "
                "not have; on Windows run it in WSL"
            )
        folder = Path(task_root).resolve()
        if not folder.is_dir():
            raise ValueError(f"task_root={str(task_root)!r} is no folder")
        if not handler or any(letter.isspace() for letter in handler):
            raise ValueError(f"handler={handler!r} must be one word, such as 'app.handle'")
        if command is not None and (isinstance(command, str) or not command):
            raise ValueError(f"command={command!r} must be a list of words: ['node', 'boot.mjs']")
        memory, timeout = fact("lambda.memory").value, fact("lambda.timeout").value
        limited_whole(
            "memory_mb", memory_mb, memory["min_mb"], memory["max_mb"], " MB", "lambda.memory"
        )
        positive("timeout_s", timeout_s)
        limited("timeout_s", timeout_s, 0, timeout["max_s"], " s", "lambda.timeout")
        limit_s = fact("lambda.init").value["on_demand_s"] if init_limit_s is None else init_limit_s
        self._function = Function(
            # -P: the folder of the bootstrap is nothing that a handler should import from.
            command=tuple(command or (sys.executable, "-P", str(_BOOTSTRAP))),
            handler=handler,
            task_root=folder,
            name=function_name,
            memory_mb=memory_mb,
            timeout_s=timeout_s,
            init_limit_s=positive("init_limit_s", limit_s),
            variables=_variables(handler, folder, function_name, memory_mb, environment or {}),
            began_s=time.perf_counter(),
        )
        self._limit = whole("concurrency", concurrency, low=1)
        self._lock = threading.Lock()
        self._made: list[Environment] = []
        self._idle: list[Environment] = []
        self._threads = ThreadPoolExecutor(self._limit, thread_name_prefix="invoke")
        # Also when `close` is forgotten, or the interpreter ends.
        self._close = weakref.finalize(self, _end_all, self._made, self._threads)

    def invoke(self, event: Any) -> Outcome:
        """Invoke the function and wait for what comes of it (see `submit`)."""
        return self.submit(event).result()

    def submit(self, event: Any) -> Future[Outcome]:
        """Invoke the function; the outcome comes later, so several may run at once.

        Parameters
        ----------
        event
            Anything that JSON can hold.

        Raises
        ------
        TooManyRequests
            If `concurrency` environments are busy.
        ValueError
            If the event is not JSON or longer than Lambda takes.
        RuntimeError
            If the runtime is closed.
        """
        try:
            payload = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise ValueError(f"event must be what JSON can hold: {error}") from None
        if len(payload) > largest_bytes():
            raise ValueError(
                f"an event of {len(payload)} bytes is too long: up to {largest_bytes()} "
                f"{source_of('lambda.payload')}"
            )
        with self._lock:
            if not self._close.alive:
                raise RuntimeError("this runtime is closed")
            if self._idle:
                chosen = self._idle.pop()
            elif len(self._made) < self._limit:
                chosen = Environment(len(self._made) + 1, self._function)
                self._made.append(chosen)
            else:
                raise TooManyRequests(f"all {self._limit} environments are busy")
        return self._threads.submit(self._run, chosen, payload)

    def _run(self, environment: Environment, payload: bytes) -> Outcome:
        try:
            return environment.invoke(payload)
        finally:
            with self._lock:
                self._idle.append(environment)

    @property
    def environments(self) -> int:
        """How many environments were made."""
        return len(self._made)

    def close(self) -> None:
        """End all processes and remove their files; a second call does nothing."""
        self._close()

    def __enter__(self) -> LocalRuntime:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._close.alive else ", closed"
        return (
            f"<local runtime of {self._function.handler}, {self.environments} environments{state}>"
        )


def _end_all(made: list[Environment], threads: ThreadPoolExecutor) -> None:
    for environment in made:
        environment.end()
    threads.shutdown(wait=True)


def _variables(
    handler: str, folder: Path, name: str, memory_mb: int, more: Mapping[str, str]
) -> dict[str, str]:
    """The environment variables that Lambda sets, and the function's own."""
    own = {
        "_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "",
        "AWS_LAMBDA_RUNTIME_API": "",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # Lambda gives the role's credentials; these are nobody's, so nothing reaches an account.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "LAMBDA_TASK_ROOT": str(folder),
        "LAMBDA_RUNTIME_DIR": str(_BOOTSTRAP.parent),
    }
    reserved = sorted(set(more) & set(own))
    if reserved:
        raise ValueError(
            f"environment={reserved[0]!r} is reserved: Lambda sets it itself; choose another name"
        )
    limit_kb = fact("lambda.package").value["env_vars_kb"]
    size = sum(len(f"{key}={value}".encode()) for key, value in more.items())
    if size > limit_kb * 1024:
        raise ValueError(
            f"environment has {size} bytes: at most {limit_kb} KB {source_of('lambda.package')}"
        )
    inherited = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    settings = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {**inherited, **settings, **own, **more}
