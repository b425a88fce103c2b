"""The Python side of the local runtime: load the handler once, then event after event.

What AWS's own client for Python does, in short, with its error types. It runs in a process of its
own and imports the standard library alone, so that INIT is the interpreter and your imports.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

API = "/2018-06-01/runtime/"


class Fault(Exception):
    """A fault that carries Lambda's name for it."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def load(handler: str) -> Callable[[Any, Any], Any]:
    """Import `module.function`: this is where code outside the handler runs.

    Examples
    --------
    >>> load("json.nothing")
    Traceback (most recent call last):
    simulations.aws.runtime_bootstrap.Fault: Handler 'nothing' missing on module 'json'
    """
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': no dot in it")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    except SyntaxError as error:
        raise Fault(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        ) from error
    try:
        found: Callable[[Any, Any], Any] = getattr(module, name)
    except AttributeError:
        raise Fault(
            "Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'"
        ) from None
    return found


def context_of(headers: Any) -> SimpleNamespace:
    """The context that a handler is given."""
    deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
    return SimpleNamespace(
        aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: max(0, deadline_ms - int(time.time() * 1000)),
    )


def as_error(error: BaseException) -> dict[str, Any]:
    """What is posted for an exception: message, type and trace, ours left out."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if frame.filename != __file__]
    plain = isinstance(error, Fault)
    return {
        "errorMessage": str(error),
        "errorType": error.error_type if isinstance(error, Fault) else type(error).__name__,
        "stackTrace": [] if plain else traceback.format_list(theirs),
    }


def log_error(error: dict[str, Any]) -> None:
    """Write an error as the managed runtime does, one record of several lines."""
    print(f"[ERROR] {error['errorType']}: {error['errorMessage']}")  # noqa: T201
    if error["stackTrace"]:
        print("Traceback (most recent call last):")  # noqa: T201
        print("".join(error["stackTrace"]), end="")  # noqa: T201


def main() -> None:
    """Speak the Runtime API until the environment is ended."""
    lambda_api = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(method: str, path: str, body: str | None = None, error_type: str = "") -> Any:
        headers = {"Lambda-Runtime-Function-Error-Type": error_type} if error_type else {}
        lambda_api.request(method, API + path, body and body.encode(), headers)
        answer = lambda_api.getresponse()
        return answer.headers, answer.read()

    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        told = as_error(error)
        log_error(told)
        call("POST", "init/error", json.dumps(told), told["errorType"])
        sys.exit(1)
    while True:
        headers, event = call("GET", "invocation/next")
        here = f"invocation/{headers['Lambda-Runtime-Aws-Request-Id']}/"
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        try:
            answer = handler(json.loads(event), context_of(headers))
            try:
                text = json.dumps(answer, ensure_ascii=False)
            except (TypeError, ValueError) as error:
                raise Fault(
                    "Runtime.MarshalError", f"Unable to marshal response: {error}"
                ) from error
        except Exception as error:
            told = as_error(error)
            log_error(told)
            call("POST", f"{here}error", json.dumps(told), told["errorType"])
        else:
            call("POST", f"{here}response", text)


if __name__ == "__main__":
    try:
        main()
    except ConnectionError:  # the environment has ended, and nobody waits for a word
        sys.exit(0)
