"""One process behind the Lambda Runtime API: started, told, listened to, frozen, killed.

The Runtime API is the whole contract between Lambda and a language: a process asks for the next
event (`GET .../runtime/invocation/next`), posts its response or its error, and asks again. May
import: the standard library. Needs a system with SIGSTOP (Linux, macOS; on Windows: WSL).
"""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API = "/2018-06-01/runtime/"
#: How often a running process is looked at; more often costs processor time.
LOOK_S = 0.005


@dataclass(frozen=True)
class Said:
    """What a process did: "next", "response", "error", "init error", or what befell it.

    Attributes
    ----------
    what
        Also "timeout", "memory" and "exit".
    at_s
        When, on the clock of `time.perf_counter`.
    body
        What was posted.
    error_type
        Of the header Lambda-Runtime-Function-Error-Type, where posted.
    """

    what: str
    at_s: float
    body: bytes = b""
    error_type: str = ""


class Process:
    """A process that speaks the Runtime API, with a server of its own on a free loopback port.

    Parameters
    ----------
    command
        The bootstrap and its arguments, in any language.
    environment
        All its environment variables but AWS_LAMBDA_RUNTIME_API, which is added here.
    folder
        Where it starts.
    largest_bytes
        A longer response is refused with status 413.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        largest_bytes: int,
    ) -> None:
        self._said: queue.SimpleQueue[Said] = queue.SimpleQueue()
        self._handed = threading.Condition()
        self._event: tuple[dict[str, str], bytes] | None = None
        self._request_id = ""
        self._over = False
        self._largest = largest_bytes
        self._text = b""
        self._silent = self._closed = False
        self._peak_mb = 0.0
        self._wake_out, self._wake_in = os.pipe()
        self._server = _Server(self)
        # Port 0: the system picks a free one, so two runtimes never meet.
        address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._out, end = os.pipe()
        os.set_blocking(self._out, False)
        try:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": address},
                stdin=subprocess.DEVNULL,
                stdout=end,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own: children are frozen and killed, too
            )
        except OSError:
            self._end_server()
            os.close(self._out)
            raise
        finally:
            os.close(end)

    def wait(self, deadline_s: float, memory_mb: int) -> Said:
        """What the process says next, or what befalls it before `deadline_s`."""
        while True:
            with contextlib.suppress(queue.Empty):
                said = self._said.get_nowait()
                if self.peak_mb() <= memory_mb:
                    return said
            now = time.perf_counter()
            # Asked in this order, because what it said last still counts.
            if self._process.poll() is not None and self._said.empty():
                return Said("exit", now)
            if self.peak_mb() > memory_mb:
                return Said("memory", now)
            if now >= deadline_s:
                return Said("timeout", now)
            heard = [self._wake_out] if self._silent else [self._wake_out, self._out]
            ready, _, _ = select.select(heard, [], [], min(LOOK_S, deadline_s - now))
            if self._wake_out in ready:
                os.read(self._wake_out, 64)
            if self._out in ready:
                self._read()

    def hand(self, request_id: str, headers: dict[str, str], event: bytes) -> None:
        """Hand over an event to a process that waits for the next one."""
        with self._handed:
            self._request_id = request_id
            self._event = (headers, event)
            self._handed.notify_all()

    def freeze(self) -> None:
        """Stop the process and its children where they are."""
        self._signal("SIGSTOP")

    def thaw(self) -> None:
        """Let them go on."""
        self._signal("SIGCONT")

    def stop(self) -> None:
        """Kill the process; whoever waits for it is told that it has ended."""
        self._signal("SIGKILL")

    def kill(self) -> str:
        """Kill the process, if it still lives, and end its server; returns how it ended."""
        code = self._process.poll()
        self._signal("SIGKILL")
        self._process.wait()
        self._end_server()
        self._read()
        os.close(self._out)
        self._closed = True
        return exit_reason(code)

    def log(self) -> list[str]:
        """The lines written since the last call."""
        if not self._closed:
            self._read()
        lines = self._text.decode("utf-8", "replace").splitlines()
        self._text = b""
        return lines

    def peak_mb(self) -> float:
        """The most memory that was resident so far (MB); 0 where the system does not tell.

        Of the process that the command starts, without its children.
        """
        try:
            told = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return self._resident_mb()
        found = re.search(r"^VmHWM:\s*(\d+) kB", told, re.MULTILINE)
        self._peak_mb = max(self._peak_mb, int(found[1]) / 1024 if found else 0.0)
        return self._peak_mb

    def _resident_mb(self) -> float:
        if platform.system() != "Darwin":
            return self._peak_mb
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self._process.pid)], capture_output=True, check=False
        ).stdout.strip()
        self._peak_mb = max(self._peak_mb, int(told) / 1024 if told.isdigit() else 0.0)
        return self._peak_mb

    def _signal(self, name: str) -> None:
        # Gone already, or (macOS) ended and not yet waited for.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, getattr(signal, name))

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._out, 65536):
                self._text += chunk
            self._silent = True  # closed at the other end: it would be ready for ever

    def _end_server(self) -> None:
        with self._handed:
            self._over = True
            self._handed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        os.close(self._wake_out)
        os.close(self._wake_in)

    # ------------------------------------------------------------ called by the server's threads

    def heard(self, what: str, body: bytes = b"", error_type: str = "") -> None:
        """Note what the process has sent, and when."""
        self._said.put(Said(what, time.perf_counter(), body, error_type))
        with contextlib.suppress(OSError):  # nobody listens any more
            os.write(self._wake_in, b".")

    def next_event(self) -> tuple[dict[str, str], bytes] | None:
        """Wait for an event; None when there will be none."""
        with self._handed:
            self._handed.wait_for(lambda: self._over or self._event is not None)
            event, self._event = self._event, None
            return None if self._over else event

    def answers(self, request_id: str) -> bool:
        """Whether this is the one answer to the event that was handed over."""
        with self._handed:
            current = request_id == self._request_id
            if current:
                self._request_id = ""
            return current

    def is_too_large(self, body: bytes) -> bool:
        """Whether a response is longer than Lambda accepts."""
        return len(body) > self._largest


def exit_reason(code: int | None) -> str:
    """How a process ended, in Lambda's words; None stands for one that had to be killed.

    Examples
    --------
    >>> exit_reason(1), exit_reason(-9)
    ('Runtime exited with error: exit status 1', 'Runtime exited with error: signal: killed')
    """
    if code == 0:
        return "Runtime exited without providing a reason"
    if code is not None and code > 0:
        return f"Runtime exited with error: exit status {code}"
    number = signal.SIGKILL if code is None else -code
    words = signal.strsignal(number) or str(number)
    return f"Runtime exited with error: signal: {words.lower()}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, process: Process) -> None:
        self.process = process
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a process that was killed leaves its connection broken."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as bootstraps expect
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path != f"{API}invocation/next":
            return self._answer(404, b'{"errorType":"InvalidPath"}')
        self.server.process.heard("next")
        event = self.server.process.next_event()
        if event is None:
            self.close_connection = True
            return None
        headers, body = event
        return self._answer(200, body, headers)

    def do_POST(self) -> None:
        body = self._body()
        error_type = self.headers.get("Lambda-Runtime-Function-Error-Type", "")
        process = self.server.process
        if self.path == f"{API}init/error":
            process.heard("init error", body, error_type)
            return self._answer(202, b'{"status":"OK"}')
        found = re.fullmatch(rf"{API}invocation/([^/]+)/(response|error)", self.path)
        if found is None:
            return self._answer(404, b'{"errorType":"InvalidPath"}')
        if not process.answers(found[1]):
            return self._answer(400, b'{"errorType":"InvalidRequestID"}')
        if process.is_too_large(body):
            process.heard("too large", str(len(body)).encode())
            return self._answer(413, b'{"errorType":"RequestEntityTooLarge"}')
        process.heard(found[2], body, error_type)
        return self._answer(202, b'{"status":"OK"}')

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(parts)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
