"""The tables of `simulations.orders.idempotency` in DynamoDB: on this machine or in your account.

May import: the rooms above. The client is the caller's, so this module needs no boto3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulations.orders.idempotency import STRIPE_KEY_S, Claim


def create_table(dynamodb: Any, name: str) -> str:
    """Create a table with a string key `id`, paid per request; return its name."""
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


class RecordsInDynamoDB:
    """`simulations.orders.idempotency.Records` in a DynamoDB table.

    A record holds its state, when it expires and, while it is a lock, until when. DynamoDB
    deletes expired items days later, so every condition looks at the time itself.

    Parameters
    ----------
    dynamodb
        A boto3 client.
    table : str
        A table with a string key `id`.
    """

    #: When a lock may be written. A comparison with an absent attribute is false.
    FREE = (
        "attribute_not_exists(id) OR expires < :now "
        "OR (is_state = :in_progress AND locked_until < :now)"
    )

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def read(self, key: str, now_s: float) -> bool:
        """Whether the key is noted as done, and the record has not expired."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return bool(item) and item["is_state"]["S"] == "done" and _time(item["expires"]) >= now_s

    def note(self, key: str, now_s: float, ttl_s: float) -> None:
        """Write that the key is done, whatever stands there."""
        self._dynamodb.put_item(
            TableName=self._table,
            Item={"id": {"S": key}, "is_state": {"S": "done"}, "expires": _number(now_s + ttl_s)},
        )

    def claim(self, key: str, now_s: float, ttl_s: float, lock_s: float | None) -> Claim:
        """Write a lock, if there is no record, or it has expired, or its lock has."""
        item = {
            "id": {"S": key},
            "is_state": {"S": "in progress"},
            "expires": _number(now_s + ttl_s),
        }
        if lock_s is not None:
            item["locked_until"] = _number(now_s + lock_s)
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=self.FREE,
                ExpressionAttributeValues={
                    ":now": _number(now_s),
                    ":in_progress": {"S": "in progress"},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            done = error.response["Item"]["is_state"]["S"] == "done"
            return "done" if done else "in progress"
        return "claimed"


class CardsInDynamoDB:
    """A card provider whose books are a DynamoDB table, so that several processes can share it."""

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        clock: Callable[[], float],
        key_s: float = STRIPE_KEY_S,
    ) -> None:
        self._dynamodb, self._table, self._clock, self._key_s = dynamodb, table, clock, key_s

    def charge(self, order: str, key: str | None) -> None:
        """Charge the order's card, unless the key was seen and is still remembered."""
        now_s = self._clock()
        one = {"TableName": self._table, "Key": {"id": {"S": order}}}
        if key is None:
            self._dynamodb.update_item(
                **one,
                UpdateExpression="ADD charges :one",
                ExpressionAttributeValues={":one": _number(1)},
            )
            return
        try:
            self._dynamodb.update_item(
                **one,
                UpdateExpression="ADD charges :one SET key_until = :until",
                ConditionExpression="attribute_not_exists(key_until) OR key_until < :now",
                ExpressionAttributeValues={
                    ":one": _number(1),
                    ":now": _number(now_s),
                    ":until": _number(now_s + self._key_s),
                },
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return  # the provider answers as it did the first time

    def charges(self, order: str) -> int:
        """How often the order's card was charged."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key={"id": {"S": order}}, ConsistentRead=True
        )
        return int(answer.get("Item", {}).get("charges", {"N": "0"})["N"])


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.6f}".rstrip("0").rstrip(".")}


def _time(attribute: dict[str, str]) -> float:
    return float(attribute["N"])
