"""One execution environment: INIT once, serve event after event, frozen in between.

May import: the standard library and, of the library, facts, billed durations and REPORT lines.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulations.aws.runtime_process import Process, Said
from simulations.facts import fact
from simulations.pricing.billed import billed_ms
from simulations.telemetry import Invocation, format_report

REGION = "us-east-1"


@dataclass(frozen=True)
class Outcome:
    """What came of one invocation.

    Attributes
    ----------
    payload
        What the handler returned; after an error, Lambda's error object (`errorType`, ...).
    error
        The error's type, None if there was none.
    report
        What the REPORT line says; the line itself is the last of `log`.
    environment
        Number of the environment that served it: 1, 2, ... in order of creation.
    cold
        Whether a process was started for it.
    log
        START, what the handler wrote, END, REPORT; before START what INIT wrote.
    start_s, init_s, end_s
        When it was sent, how long it waited for INIT, when it was answered; from the runtime's
        beginning.
    """

    payload: Any
    error: str | None
    report: Invocation
    environment: int
    cold: bool
    log: tuple[str, ...]
    start_s: float
    init_s: float
    end_s: float


@dataclass(frozen=True)
class Function:
    """What all environments of a function have in common."""

    command: tuple[str, ...]
    handler: str
    task_root: Path
    name: str
    memory_mb: int
    timeout_s: float
    init_limit_s: float
    variables: Mapping[str, str]
    began_s: float


class Environment:
    """One execution environment: a folder that lasts, and a process that may have to be replaced."""

    def __init__(self, number: int, function: Function) -> None:
        self.number = number
        self._function = function
        self._tmp = Path(tempfile.mkdtemp(prefix="lambda-tmp-"))
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        self._variables = {
            **function.variables,
            "TMPDIR": str(self._tmp),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        }
        self._busy = threading.Lock()
        self._process: Process | None = None
        self._waits = False  # for the next event, so that it may be frozen
        self._served = False
        self._ended = threading.Event()

    def invoke(self, payload: bytes) -> Outcome:
        """Serve one event: INIT if there is no process, then thaw, hand over, wait, freeze."""
        with self._busy:
            return self._invoke(payload)

    def _invoke(self, payload: bytes) -> Outcome:
        function, request_id = self._function, str(uuid.uuid4())
        sent_s = time.perf_counter()
        cold = self._process is None
        log: list[str] = []
        init_ms = 0.0
        if not self._served:
            init_ms = self._init(log) * 1000
        self._served = True
        log.append(f"START RequestId: {request_id} Version: $LATEST")
        begun_s = time.perf_counter()
        said = self._run(request_id, payload, begun_s + function.timeout_s)
        peak_mb = self._process.peak_mb() if self._process else 0.0
        payload_out, error, status = self._outcome(said, request_id, log)
        duration_s = function.timeout_s if status == "timeout" else said.at_s - begun_s
        out_of_memory = said.what == "memory"
        error_type = "Runtime.OutOfMemory" if out_of_memory else _word(error)
        report = Invocation(
            request_id=request_id,
            duration_ms=round(duration_s * 1000, 2),
            billed_ms=billed_ms(duration_s * 1000, init_ms),
            memory_mb=function.memory_mb,
            max_memory_mb=function.memory_mb if out_of_memory else round(peak_mb) or None,
            init_ms=round(init_ms, 2) if init_ms else None,
            status=status,
            error_type=error_type if status == "error" else None,
        )
        log += [f"END RequestId: {request_id}", format_report(report)]
        return Outcome(
            payload=payload_out,
            error=error,
            report=report,
            environment=self.number,
            cold=cold,
            log=tuple(log),
            start_s=sent_s - function.began_s,
            init_s=begun_s - sent_s if cold else 0.0,
            end_s=begun_s + duration_s - function.began_s,
        )

    def _init(self, log: list[str]) -> float:
        """INIT phase: returns how long it took, 0 where it failed and will be started over."""
        began_s = time.perf_counter()
        said = self._start(began_s + self._function.init_limit_s)
        took_s = said.at_s - began_s
        if self._process is not None:
            log += self._process.log()
        if said.what == "next":
            return took_s
        self._kill(log)
        status = "timeout" if said.what == "timeout" else "error"
        fields = [f"INIT_REPORT Init Duration: {took_s * 1000:.2f} ms", "Phase: init"]
        fields.append(f"Status: {status}")
        if status == "error":
            fields.append(f"Error Type: {_word(said.error_type) or 'Runtime.ExitError'}")
        log.append("\t".join(fields) + "\t")
        return 0.0

    def _start(self, deadline_s: float) -> Said:
        """Start a process and wait until it asks for its first event."""
        function = self._function
        if self._ended.is_set():
            return Said("exit", time.perf_counter())
        try:
            self._process = Process(
                function.command, self._variables, function.task_root, largest_bytes()
            )
        except OSError as error:
            told = {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": str(error)}
            return Said(
                "init error", time.perf_counter(), json.dumps(told).encode(), told["errorType"]
            )
        if self._ended.is_set():
            self._process.stop()
        return self._process.wait(deadline_s, function.memory_mb)

    def _run(self, request_id: str, payload: bytes, deadline_s: float) -> Said:
        """Hand the event over and return what the process made of it."""
        function = self._function
        self._waits = False
        if self._process is None:  # INIT again, within the invocation
            said = self._start(deadline_s)
            if said.what != "next" or self._process is None:
                return said
        else:
            self._process.thaw()
        left_s = deadline_s - time.perf_counter()
        arn = f"arn:aws:lambda:{REGION}:123456789012:function:{function.name}"
        trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + left_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": trace,
        }
        self._process.hand(request_id, headers, payload)
        said = self._process.wait(deadline_s, function.memory_mb)
        if said.what not in ("response", "error", "too large"):
            return said
        # The invocation is over when the runtime asks for the next event.
        after = self._process.wait(deadline_s, function.memory_mb)
        self._waits = after.what == "next"
        return replace(said, at_s=after.at_s) if self._waits else said

    def _outcome(self, said: Said, request_id: str, log: list[str]) -> tuple[Any, str | None, str]:
        """Payload, error type and status; the process is frozen if it may serve again."""
        reason = ""
        if self._process is not None and self._waits:
            log += self._process.log()
            self._process.freeze()
        else:
            reason = self._kill(log)
        if said.what == "response":
            try:
                return (json.loads(said.body) if said.body else None), None, "success"
            except ValueError:
                return said.body.decode("utf-8", "replace"), None, "success"
        if said.what in ("error", "init error"):
            told = _error_object(said)
            return told, str(told.get("errorType") or "Unhandled"), "error"
        if said.what == "too large":
            kind, why = "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum"
            return (
                _error(kind, f"{why} allowed payload size ({largest_bytes()} bytes)."),
                kind,
                "error",
            )
        if said.what == "timeout":
            after_s = f"Task timed out after {self._function.timeout_s:.2f} seconds"
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            log.append(f"{now} {request_id} {after_s}")
            kind = "Sandbox.Timedout"
            return _error(kind, f"RequestId: {request_id} Error: {after_s}"), kind, "timeout"
        kind = "Runtime.ExitError"
        message = f"RequestId: {request_id} Error: {reason}"
        log.append(message)
        return _error(kind, message), kind, "error"

    def _kill(self, log: list[str]) -> str:
        """End the process; returns how it ended."""
        process, self._process = self._process, None
        self._waits = False
        if process is None:
            return "Runtime exited without providing a reason"
        reason = process.kill()
        log += process.log()
        return reason

    def end(self) -> None:
        """End the process, if any, and remove what lies in /tmp."""
        self._ended.set()
        process = self._process
        if process is not None:
            process.stop()  # whoever waits for it is told that it has ended
        with self._busy:
            self._kill([])
            shutil.rmtree(self._tmp, ignore_errors=True)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"errorType": kind, "errorMessage": message}


def _error_object(said: Said) -> dict[str, Any]:
    """What was posted as an error, or one that holds it."""
    try:
        told = json.loads(said.body)
    except ValueError:
        told = None
    if isinstance(told, dict):
        return told
    return _error(said.error_type or "Unhandled", said.body.decode("utf-8", "replace"))


def _word(text: str | None) -> str | None:
    """The first word of an error type that a process made up, as a REPORT line can carry it."""
    words = (text or "").translate(dict.fromkeys(map(ord, "\"',{}"))).split()
    return words[0] if words else None


def largest_bytes() -> int:
    """How long an event or a response may be (fact lambda.payload)."""
    return int(fact("lambda.payload").value["sync_mb"]) * 1024 * 1024
