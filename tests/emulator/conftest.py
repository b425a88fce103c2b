"""Real services on this machine, shared by the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulations.aws.dynamodb import dynamodb_local, why_not
from simulations.aws.local import client


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """Return a client of a DynamoDB Local without tables; skip where there is none."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with dynamodb_local():
        yield client("dynamodb")
