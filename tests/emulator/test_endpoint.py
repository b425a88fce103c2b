"""Where requests go: to this machine, and to AWS only when its account was named."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from simulations.aws.local import _Switch, client, local_services, use_aws

#: An environment that would lead elsewhere.
FOREIGN = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "mine",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "HTTP_PROXY": "http://192.0.2.1:8080",
}


@pytest.fixture(autouse=True)
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test in that environment, with nothing running."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(_Switch, "services", None)
    monkeypatch.setattr(_Switch, "account", None)
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)


def test_nothing_leaves_the_machine_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[str] = set()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def noted_connect(self: socket.socket, address: Any) -> None:
        asked.add(str(address[0]))
        connect(self, address)

    def noted_look_up(host: Any, *rest: Any, **more: Any) -> Any:
        asked.add(str(host))
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", noted_connect)
    monkeypatch.setattr(socket, "getaddrinfo", noted_look_up)
    with local_services():
        sqs = client("sqs")
        url = sqs.create_queue(QueueName="here")["QueueUrl"]
        topic = client("sns").create_topic(Name="here")["TopicArn"]
        client("sns").publish(TopicArn=topic, Message="order 17")
        client("dynamodb").list_tables()
        assert url.startswith(os.environ["AWS_ENDPOINT_URL"])
    assert asked == {"127.0.0.1"}
    assert sqs._request_signer._credentials.access_key == "local"


def test_stopping_sets_the_environment_back_and_local_clients_reach_nothing_then() -> None:
    before = dict(os.environ)
    with local_services() as services:
        sqs = client("sqs")
        assert os.environ["AWS_ENDPOINT_URL"] == services.endpoint_url
        assert "AWS_PROFILE" not in os.environ
    assert dict(os.environ) == before
    services.stop()  # a second time: nothing happens
    assert dict(os.environ) == before
    with pytest.raises(Exception, match="Could not connect to the endpoint URL"):
        sqs.list_queues()


def test_starting_again_begins_with_nothing_left_over() -> None:
    first = local_services()
    client("sqs").create_queue(QueueName="left-over")
    with local_services() as second:
        assert second.endpoint_url != first.endpoint_url
        assert "QueueUrls" not in client("sqs").list_queues()


def test_without_local_services_and_without_an_account_there_is_no_client() -> None:
    with pytest.raises(RuntimeError, match=r"call local_services\(\) first"):
        client("sqs")


def test_the_same_call_goes_to_aws_once_the_right_account_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The question whose credentials they are is put to a local STS; nothing else is asked."""
    monkeypatch.delenv("AWS_PROFILE")
    with local_services() as services:
        with pytest.raises(RuntimeError, match="unset it"):
            use_aws("123456789012")
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", services.endpoint_url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(RuntimeError, match="account 123456789012, not of 210987654321"):
            use_aws("210987654321")
        use_aws("123456789012")
    sqs = client("sqs")
    assert sqs.meta.endpoint_url == "https://sqs.eu-central-1.amazonaws.com"
    assert sqs._request_signer._credentials.access_key == "mine"


@pytest.mark.parametrize("account", ["", "my account", "12345678901", "1234567890123"])
def test_an_account_is_twelve_digits(account: str) -> None:
    with pytest.raises(ValueError, match="twelve digits"):
        use_aws(account)


@pytest.mark.parametrize("endpoint", ["http://sqs.example.com", "http://192.0.2.7:5000", "sqs"])
def test_an_endpoint_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(ValueError, match="is not on this machine"):
        client("sqs")


def test_an_unknown_service_is_answered_with_near_names() -> None:
    with pytest.raises(ValueError, match="did you mean dynamodb"):
        client("dynamdb")
