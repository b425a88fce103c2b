"""AWS services on this machine: a moto server on loopback, and clients that find it.

`client` follows `AWS_ENDPOINT_URL`, so the same code runs against the local services and on AWS.
It never goes to AWS by accident: only after `use_aws` has named the account. May import boto3
and moto.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

ENDPOINT = "AWS_ENDPOINT_URL"
#: Takes precedence for DynamoDB, as in boto3; `simulations.aws.dynamodb` sets it.
DYNAMODB_ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
#: What the local services are told; anything will do, and nothing of it is known to AWS.
LOCAL_REGION = "us-east-1"
LOCAL_KEY = "local"
#: The environment while they run: the server builds sessions, too, and must not meet your account.
_NOTHING_OF_YOURS: dict[str, str | None] = {
    "AWS_PROFILE": None,
    "AWS_DEFAULT_PROFILE": None,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_NEEDED = "the local services need boto3 and moto: pip install boto3 'moto[server]'"


class LocalServices:
    """A running moto server, with nothing in it; made by `local_services`.

    Attributes
    ----------
    endpoint_url : str
        Where it listens: a free port of 127.0.0.1.
    """

    def __init__(self) -> None:
        try:
            from moto.server import ThreadedMotoServer
        except ImportError as error:
            raise RuntimeError(_NEEDED) from error
        # Werkzeug would write a line for every request into the notebook.
        self._log = logging.getLogger("werkzeug")
        self._log_level = self._log.level
        self._log.setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint_url = f"http://{host}:{port}"
        # The server keeps its state in this process: whatever an earlier one left is removed.
        _post(f"{self.endpoint_url}/moto-api/reset")
        self._before = set_environment({**_NOTHING_OF_YOURS, ENDPOINT: self.endpoint_url})
        self._runs = True

    def __repr__(self) -> str:
        return f"<local services, {'running' if self._runs else 'stopped'}>"

    def __enter__(self) -> LocalServices:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server and set the environment back; a second call does nothing."""
        if not self._runs:
            return
        self._runs = False
        self._server.stop()
        self._log.setLevel(self._log_level)
        set_environment(self._before)


class _Switch:
    """What this process works with: one set of local services, or an account by its number."""

    services: LocalServices | None = None
    account: str | None = None


def local_services() -> LocalServices:
    """Start local services, empty, and let `client` find them.

    Use it in a `with` statement, or keep what is returned and call its `stop`. While they run,
    `AWS_ENDPOINT_URL` points at them; `stop` sets the environment back as it was. A second call
    stops the former services first, so a notebook's cell may be run again.

    Raises
    ------
    RuntimeError
        If boto3 or moto is not installed.

    Examples
    --------
    >>> with local_services():
    ...     sqs = client("sqs")
    ...     url = sqs.create_queue(QueueName="emails")["QueueUrl"]
    ...     sent = sqs.send_message(QueueUrl=url, MessageBody="order 17")
    ...     [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]]
    ['order 17']
    """
    if _Switch.services is not None:
        _Switch.services.stop()
    _Switch.account = None
    _Switch.services = LocalServices()
    return _Switch.services


def use_aws(account: str) -> None:
    """Allow `client` to work in your own AWS account, with your own credentials.

    What you create there costs money until you delete it. One call to STS makes sure that the
    credentials found are those of the account you name.

    Parameters
    ----------
    account : str
        The twelve digits of the account you mean.

    Raises
    ------
    RuntimeError
        If `AWS_ENDPOINT_URL` is set, or the credentials belong to another account.
    ValueError
        If `account` is not twelve digits.
    """
    if not re.fullmatch(r"\d{12}", str(account)):
        raise ValueError(f"account={account!r} must be the twelve digits of an AWS account")
    for name in (ENDPOINT, DYNAMODB_ENDPOINT):
        if os.environ.get(name):
            raise RuntimeError(
                f"{name} is set to {os.environ[name]}: stop the local services, or unset it"
            )
    found = _boto3().client("sts", region_name=_region()).get_caller_identity()["Account"]
    if found != account:
        raise RuntimeError(f"your credentials are those of account {found}, not of {account}")
    _Switch.account = account


def client(service: str) -> Any:
    """Return a boto3 client of a service: local when `AWS_ENDPOINT_URL` is set, else on AWS.

    A local client carries made-up credentials and uses no proxy, so nothing it sends leaves the
    machine, and your own credentials are never read.

    Parameters
    ----------
    service : str
        As boto3 calls it: `"sqs"`, `"sns"`, `"dynamodb"`.

    Raises
    ------
    RuntimeError
        If nothing runs locally and no account was named; if boto3 is not installed.
    ValueError
        If the endpoint is not on this machine, or the service is unknown.
    """
    known = _own_session().get_available_services()
    if service not in known:
        near = get_close_matches(str(service), known, 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"service={service!r} is no service that boto3 knows{hint}")
    endpoint = os.environ.get(ENDPOINT)
    if service == "dynamodb":
        endpoint = os.environ.get(DYNAMODB_ENDPOINT) or endpoint
    if endpoint:
        return _local_client(service, endpoint)
    if _Switch.account is None:
        raise RuntimeError(
            "no services are running: call local_services() first, or "
            "use_aws('<account>') to work in your own AWS account"
        )
    return _boto3().client(service, region_name=_region())


def _local_client(service: str, endpoint: str) -> Any:
    from botocore.config import Config

    if not _is_here(endpoint):
        raise ValueError(
            f"the endpoint {endpoint!r} is not on this machine: unset {ENDPOINT}, or start "
            "local_services()"
        )
    # proxies={} keeps a proxy of the environment from seeing loopback requests; few attempts,
    # because a local server that does not answer will not answer later.
    config = Config(
        proxies={}, connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}
    )
    return _own_session().client(service, endpoint_url=endpoint, config=config)


@cache  # a session reads the services' descriptions, which takes longer than most requests
def _own_session() -> Any:
    """Return a session that reads neither your AWS profile nor your credentials."""
    boto3 = _boto3()
    from botocore.session import Session

    # Each: name in the configuration, environment variable, value, conversion.
    nothing = (None, None, os.devnull, None)
    own = {
        "profile": (None, None, None, None),
        "config_file": nothing,
        "credentials_file": nothing,
    }
    return boto3.Session(
        aws_access_key_id=LOCAL_KEY,
        aws_secret_access_key=LOCAL_KEY,
        region_name=LOCAL_REGION,
        botocore_session=Session(session_vars=own),
    )


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or LOCAL_REGION


def _boto3() -> Any:
    try:
        import boto3
    except ImportError as error:
        raise RuntimeError(_NEEDED) from error
    return boto3


def set_environment(wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """Set environment variables, None for absent; returns what they were.

    >>> before = set_environment({"HOMETOWN": "Uppsala"})
    >>> before, set_environment(before)
    ({'HOMETOWN': None}, {'HOMETOWN': 'Uppsala'})
    """
    before = {name: os.environ.get(name) for name in wanted}
    for name, value in wanted.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return before


def _post(url: str) -> None:
    with build_opener(ProxyHandler({})).open(Request(url, method="POST"), timeout=10):
        pass
