"""The local Lambda runtime does with real processes what Lambda's documentation says.

Sources: "Understanding the Lambda execution environment lifecycle", "Using the Lambda runtime API
for custom runtimes", and AWS's own client for Python, whose error types are asked for here.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from simulations.aws import runtime as module
from simulations.aws.runtime import LocalRuntime, TooManyRequests
from simulations.pricing.billed import billed_ms
from simulations.telemetry import format_report, parse_reports

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGSTOP"), reason="the local Lambda runtime needs Linux or macOS"
)

Make = Callable[..., LocalRuntime]

COUNTER = """
import os, time
loaded = time.time()
calls = 0

def handle(event, context):
    global calls
    calls += 1
    time.sleep(event.get("sleep_s", 0))
    return {"loaded": loaded, "calls": calls, "pid": os.getpid()}
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a function that starts a runtime on source text; all end with the test."""
    running: list[LocalRuntime] = []

    def made(text: str = COUNTER, handler: str = "app.handle", **options: Any) -> LocalRuntime:
        (tmp_path / "app.py").write_text(text)
        running.append(LocalRuntime(handler, task_root=tmp_path, **options))
        return running[-1]

    yield made
    for one in running:
        one.close()


def state(pid: int) -> str:
    """The state letter that Linux shows: T is stopped."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()[:1]


def gone(pid: int) -> bool:
    return state(pid) in ("", "Z")


def wait_for(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 2
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.005)
    return False


# ---------------------------------------------------------------- init, invoke, freeze


def test_code_outside_the_handler_runs_once_and_what_it_made_is_kept(make: Make) -> None:
    runtime = make()
    outcomes = [runtime.invoke({}) for _ in range(4)]
    assert [one.payload["calls"] for one in outcomes] == [1, 2, 3, 4]
    assert len({one.payload["loaded"] for one in outcomes}) == 1
    assert len({one.payload["pid"] for one in outcomes}) == 1
    assert [one.cold for one in outcomes] == [True, False, False, False]
    assert [one.report.cold for one in outcomes] == [True, False, False, False]
    assert outcomes[0].init_s > 0 == outcomes[1].init_s


def test_calls_that_overlap_get_an_environment_each_and_the_last_used_serves_next(
    make: Make,
) -> None:
    runtime = make()
    together = [runtime.submit({"sleep_s": sleep_s}) for sleep_s in (0.4, 0.0, 0.2)]
    first = [one.result() for one in together]
    assert sorted(one.environment for one in first) == [1, 2, 3]
    assert all(one.cold and one.payload["calls"] == 1 for one in first)
    # Environment 1 slept longest, so it was the last to become idle.
    assert max(first, key=lambda one: one.end_s).environment == 1
    assert [runtime.invoke({}).environment for _ in range(3)] == [1, 1, 1]
    assert runtime.environments == 3


def test_beyond_its_concurrency_a_function_is_throttled_and_then_serves_again(make: Make) -> None:
    runtime = make(concurrency=1)
    busy = runtime.submit({"sleep_s": 0.2})
    with pytest.raises(TooManyRequests, match="all 1 environments are busy"):
        runtime.submit({})
    busy.result()
    assert runtime.invoke({}).payload["calls"] == 2


def test_a_background_thread_makes_no_progress_while_the_environment_is_frozen(make: Make) -> None:
    runtime = make(
        "import os, threading, time\n"
        "ticks = 0\n"
        "def count():\n    global ticks\n    while True:\n"
        "        time.sleep(0.005)\n        ticks += 1\n"
        "threading.Thread(target=count, daemon=True).start()\n"
        "def handle(event, context):\n    time.sleep(event)\n    return ticks, os.getpid()\n"
    )
    working = runtime.invoke(0.25).payload
    assert wait_for(lambda: state(working[1]) == "T"), "stopped by SIGSTOP"
    time.sleep(0.5)
    after = runtime.invoke(0).payload
    ran = runtime.invoke(0.25).payload[0] - after[0]
    assert after[0] - working[0] <= 5, "half a second of 5 ms ticks would be a hundred"
    assert ran >= 20, "thawed, it counts again"


def test_tmp_is_kept_between_invocations_and_shared_by_no_other_environment(make: Make) -> None:
    runtime = make(
        "import os, tempfile, time\n"
        "def handle(event, context):\n"
        "    folder = tempfile.gettempdir()\n"
        "    open(os.path.join(folder, event['file']), 'w').close()\n"
        "    time.sleep(0.15)\n"
        "    return sorted(os.listdir(folder)), folder\n"
    )
    both = [runtime.submit({"file": name}).result for name in ("a", "b")]
    folders = [result().payload for result in both]
    assert [names for names, _ in folders] == [["a"], ["b"]]
    assert len(runtime.invoke({"file": "c"}).payload[0]) == 2
    runtime.close()
    assert not any(os.path.exists(folder) for _, folder in folders)


# ---------------------------------------------------------------- what goes wrong


def test_a_timeout_kills_and_the_next_call_is_cold_with_its_files_still_there(make: Make) -> None:
    runtime = make(
        "import os, tempfile, time\n"
        "mark = os.path.join(tempfile.gettempdir(), 'mark')\n"
        "def handle(event, context):\n"
        "    there = os.path.exists(mark)\n"
        "    open(mark, 'w').close()\n"
        "    time.sleep(event)\n"
        "    return there, os.getpid()\n",
        timeout_s=0.6,
    )
    began = time.perf_counter()
    pid = runtime.invoke(0).payload[1]
    late = runtime.invoke(30)
    assert time.perf_counter() - began < 5
    assert (late.error, late.report.status) == ("Sandbox.Timedout", "timeout")
    assert late.payload == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {late.report.request_id} Error: Task timed out after 0.60 seconds",
    }
    assert (late.report.duration_ms, late.report.billed_ms) == (600, 600)
    assert any(line.endswith("Task timed out after 0.60 seconds") for line in late.log)
    assert state(pid) == "", "killed"
    after = runtime.invoke(0)
    assert after.cold and after.environment == late.environment
    assert after.payload[0] is True and after.payload[1] != pid
    # INIT ran within the invocation: it is in Duration, and there is no Init Duration.
    assert after.report.init_ms is None and after.report.duration_ms > 5


def test_memory_beyond_the_limit_kills_with_the_documented_error(make: Make) -> None:
    runtime = make(
        "def handle(event, context):\n    return len(b'x' * (event * 1024 * 1024))\n", memory_mb=128
    )
    assert runtime.invoke(40).payload == 40 * 1024 * 1024
    burst = runtime.invoke(200)
    assert burst.error == "Runtime.ExitError"
    assert burst.payload["errorMessage"] == (
        f"RequestId: {burst.report.request_id} Error: Runtime exited with error: signal: killed"
    )
    assert burst.report.error_type == "Runtime.OutOfMemory"
    assert burst.report.max_memory_mb == burst.report.memory_mb == 128
    assert runtime.invoke(1).cold


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os._exit(7)", "Runtime exited with error: exit status 7"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        (
            "os.kill(os.getpid(), 11)",
            f"Runtime exited with error: signal: {str(signal.strsignal(11)).lower()}",
        ),
    ],
)
def test_a_crash_is_an_exit_error_and_the_environment_serves_again(
    make: Make, code: str, reason: str
) -> None:
    runtime = make(
        f"import os\ndef handle(event, context):\n    print('before')\n    if event:\n        {code}\n"
    )
    crash = runtime.invoke(True)
    assert crash.error == crash.report.error_type == "Runtime.ExitError"
    assert crash.payload["errorMessage"] == f"RequestId: {crash.report.request_id} Error: {reason}"
    assert "before" in crash.log, "what was written before the crash is not lost"
    assert runtime.invoke(False).error is None


def test_an_exception_is_posted_with_type_message_and_trace_and_nothing_is_restarted(
    make: Make,
) -> None:
    runtime = make(
        "def handle(event, context):\n    if event:\n        raise ValueError('no stock')\n    return 'ok'\n"
    )
    failed = runtime.invoke(1)
    assert failed.payload["errorType"] == failed.error == "ValueError"
    assert failed.payload["errorMessage"] == "no stock"
    assert (
        len(failed.payload["stackTrace"]) == 1
        and "line 3, in handle" in failed.payload["stackTrace"][0]
    )
    assert "[ERROR] ValueError: no stock" in failed.log
    assert (failed.report.status, failed.report.error_type) == ("error", "ValueError")
    again = runtime.invoke(0)
    assert again.payload == "ok" and not again.cold


@pytest.mark.parametrize(
    ("text", "handler", "kind"),
    [
        ("import no_such_thing\n", "app.handle", "Runtime.ImportModuleError"),
        ("", "app.handle", "Runtime.HandlerNotFound"),
        ("", "app", "Runtime.MalformedHandlerName"),
        ("def handle(:\n", "app.handle", "Runtime.UserCodeSyntaxError"),
        ("1 / 0\n", "app.handle", "ZeroDivisionError"),
    ],
)
def test_an_init_that_fails_is_tried_again_within_the_invocation_and_named(
    make: Make, text: str, handler: str, kind: str
) -> None:
    failed = make(text, handler).invoke({})
    assert failed.error == failed.payload["errorType"] == kind
    assert failed.report.init_ms is None and failed.report.status == "error"
    first = next(line for line in failed.log if line.startswith("INIT_REPORT"))
    assert "\tPhase: init\tStatus: error\t" in first and f"Error Type: {kind}" in first
    written = [line for line in failed.log if line.startswith(f"[ERROR] {kind}")]
    assert len(written) == 2, "once in the init phase, once in the invocation"


def test_an_init_beyond_its_limit_starts_over_under_the_timeout_of_the_function(
    make: Make, tmp_path: Path
) -> None:
    text = (
        "import os, time\n"
        "if not os.path.exists('begun'):\n    open('begun', 'w').close()\n    time.sleep(30)\n"
        "def handle(event, context):\n    return 'ok'\n"
    )
    outcome = make(text, init_limit_s=0.4).invoke({})
    assert outcome.payload == "ok" and outcome.report.init_ms is None
    assert any("Phase: init\tStatus: timeout" in line for line in outcome.log)
    assert 0.4 <= outcome.init_s < 2


def test_what_json_cannot_hold_is_a_marshal_error(make: Make) -> None:
    outcome = make("def handle(event, context):\n    return {1, 2}\n").invoke({})
    assert outcome.error == "Runtime.MarshalError"
    assert "set is not JSON serializable" in outcome.payload["errorMessage"]


def test_a_response_longer_than_six_megabytes_is_refused(make: Make) -> None:
    runtime = make("def handle(event, context):\n    return 'x' * event\n", memory_mb=256)
    limit = 6 * 1024 * 1024
    assert len(runtime.invoke(limit - 2).payload) == limit - 2
    refused = runtime.invoke(limit - 1)
    assert refused.error == "Function.ResponseSizeTooLarge"
    assert not runtime.invoke(1).cold
    with pytest.raises(ValueError, match=r"6291456 \(Lambda quotas"):
        runtime.submit("x" * limit)


# ---------------------------------------------------------------- what is logged and told


def test_the_log_is_start_what_was_written_end_and_a_report_that_reads_back(make: Make) -> None:
    runtime = make(
        "print('outside')\n"
        "def handle(event, context):\n"
        "    print('inside', event)\n"
        "    return context.aws_request_id, context.get_remaining_time_in_millis()\n"
    )
    cold, warm = runtime.invoke(1), runtime.invoke(2)
    ident = cold.report.request_id
    assert cold.log == (
        "outside",
        f"START RequestId: {ident} Version: $LATEST",
        "inside 1",
        f"END RequestId: {ident}",
        format_report(cold.report),
    )
    assert [line.split()[0] for line in warm.log] == ["START", "inside", "END", "REPORT"]
    assert cold.payload[0] == ident != warm.payload[0]
    assert 2000 < cold.payload[1] <= 3000
    found = parse_reports([*cold.log, *warm.log])
    assert list(found) == [cold.report, warm.report] and found.unreadable == 0
    assert "Init Duration" in cold.log[-1] and "Init Duration" not in warm.log[-1]
    for report in found:
        whole = billed_ms(report.duration_ms, report.init_ms or 0)
        assert abs(report.billed_ms - whole) <= 1, "rounded before, not after, it is shown"
        assert 5 < (report.max_memory_mb or 0) < 128


def test_the_process_is_told_what_lambda_tells_and_inherits_no_credentials(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("MY_TOKEN", "mine")
    runtime = make(
        "import os\ndef handle(event, context):\n    return dict(os.environ), os.getcwd()\n",
        memory_mb=256,
        environment={"TABLE": "orders"},
        function_name="SubmitOrder",
    )
    told, folder = runtime.invoke({}).payload
    assert folder == told["LAMBDA_TASK_ROOT"] == str(tmp_path.resolve())
    assert told["_HANDLER"] == "app.handle" and told["TABLE"] == "orders"
    assert told["AWS_LAMBDA_FUNCTION_NAME"] == "SubmitOrder"
    assert told["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert told["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert told["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/SubmitOrder"
    assert told["AWS_REGION"] == "us-east-1" and told["TZ"] == ":UTC"
    assert "mine" not in told.values()
    assert told["_X_AMZN_TRACE_ID"].startswith("Root=1-")


# ---------------------------------------------------------------- any language, nothing left over

SHELL = """
while true; do
  curl -sS -D headers "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next" > event
  id=$(tr -d '\\r' < headers | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
  calls=$((calls + 1))
  echo "call $calls"
  curl -sS -o /dev/null -H 'Transfer-Encoding: chunked' -d "{\\"calls\\": $calls, \\"event\\": $(cat event)}" \\
    "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
"""


@pytest.mark.skipif(not os.path.exists("/usr/bin/curl"), reason="curl is not installed")
def test_any_program_that_speaks_the_runtime_api_is_a_runtime(make: Make) -> None:
    runtime = make(command=["sh", "-c", SHELL], timeout_s=10)
    outcomes = [runtime.invoke({"order": order}) for order in (17, 18)]
    assert [one.payload for one in outcomes] == [
        {"calls": 1, "event": {"order": 17}},
        {"calls": 2, "event": {"order": 18}},
    ]
    assert "call 2" in outcomes[1].log


def test_a_bootstrap_that_is_missing_is_an_error_of_the_invocation(make: Make) -> None:
    failed = make(command=["no-such-bootstrap"]).invoke({})
    assert failed.error == "Runtime.InvalidEntrypoint"
    assert "no-such-bootstrap" in failed.payload["errorMessage"]


def test_the_api_refuses_what_is_not_its_own(make: Make) -> None:
    runtime = make(
        "import os\ndef handle(event, context):\n    return os.environ['AWS_LAMBDA_RUNTIME_API']\n"
    )
    api = HTTPConnection(runtime.invoke({}).payload, timeout=5)
    statuses = []
    for method, path in (
        ("GET", "/"),
        ("POST", "/2018-06-01/runtime/elsewhere"),
        ("POST", "/2018-06-01/runtime/invocation/not-this-one/response"),
    ):
        api.request(method, path, b"{}" if method == "POST" else None)
        answer = api.getresponse()
        answer.read()
        statuses.append(answer.status)
    api.close()
    assert statuses == [404, 404, 400]
    assert runtime.invoke({}).error is None


def test_nothing_is_left_when_it_is_closed_even_in_the_middle(make: Make, tmp_path: Path) -> None:
    text = (
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "api = os.environ['AWS_LAMBDA_RUNTIME_API']\n"
        "def handle(event, context):\n"
        "    open(f'ids-{os.getpid()}', 'w').write(f'{os.getpid()} {child.pid} {api}')\n"
        "    time.sleep(event)\n"
    )
    runtime = make(text, timeout_s=60)
    runtime.invoke(0)
    running = [runtime.submit(30), runtime.submit(30)]
    assert wait_for(lambda: len(list(tmp_path.glob("ids-*"))) == 2)
    began = time.perf_counter()
    runtime.close()
    runtime.close()
    assert time.perf_counter() - began < 5
    assert [one.result().error for one in running] == ["Runtime.ExitError"] * 2
    with pytest.raises(RuntimeError, match="closed"):
        runtime.submit(0)
    for file in tmp_path.glob("ids-*"):
        *pids, api = file.read_text().split()
        for pid in pids:
            assert wait_for(partial(gone, int(pid)))
        host, port = api.split(":")
        with socket.socket() as probe:
            assert probe.connect_ex((host, int(port))) != 0, "its server is gone, too"


def test_forgetting_to_close_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(COUNTER)
    runtime = LocalRuntime("app.handle", task_root=tmp_path)
    pid = runtime.invoke({}).payload["pid"]
    assert state(pid) != ""
    del runtime
    gc.collect()
    assert wait_for(lambda: state(pid) == "")


def test_a_program_that_ends_without_closing_leaves_no_process(tmp_path: Path, root: Path) -> None:
    (tmp_path / "app.py").write_text(COUNTER)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from simulations.aws.runtime import LocalRuntime\n"
            f"runtime = LocalRuntime('app.handle', task_root={str(tmp_path)!r})\n"
            "print(runtime.invoke({}).payload['pid'])\n"
            "1 / 0\n",
        ],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert "ZeroDivisionError" in done.stderr
    assert wait_for(lambda: state(int(done.stdout)) == "")


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"memory_mb": 64}, r"memory_mb=64 must be 128 to 10240 MB \(Configure Lambda"),
        ({"timeout_s": 901}, r"timeout_s=901 must be .* 900 s \(Lambda quotas"),
        ({"timeout_s": 0}, "timeout_s=0"),
        ({"concurrency": 0}, "concurrency=0"),
        ({"init_limit_s": -1}, "init_limit_s=-1"),
        ({"handler": ""}, "handler=''"),
        ({"command": "node boot.mjs"}, r"command='node boot.mjs' must be a list"),
        ({"environment": {"_HANDLER": "x"}}, "environment='_HANDLER' is reserved"),
        ({"environment": {"BIG": "x" * 5000}}, r"at most 4 KB \(Lambda quotas"),
    ],
)
def test_an_impossible_configuration_is_refused_with_its_source(
    make: Make, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        make(**options)


def test_a_missing_folder_and_an_event_that_is_no_json_are_refused(
    make: Make, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="is no folder"):
        LocalRuntime("app.handle", task_root=tmp_path / "nothing")
    runtime = make()
    for event in ({1, 2}, float("nan")):
        with pytest.raises(ValueError, match="event must be what JSON can hold"):
            runtime.submit(event)
    assert runtime.environments == 0, "nothing was started for it"


def test_where_processes_cannot_be_stopped_one_sentence_says_so(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Windows:
        """A signal module without SIGSTOP."""

    monkeypatch.setattr(module, "signal", Windows())
    with pytest.raises(RuntimeError, match="on Windows run it in WSL"):
        make()
