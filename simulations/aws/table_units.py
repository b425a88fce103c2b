"""An order's life on a real DynamoDB Local, in the units that it reports.

May import: the standard library and the rooms above `aws`.
"""

from __future__ import annotations

from typing import Any

from simulations.experiments.order_table import (
    KEY,
    LOOKS,
    PAGE_ORDERS,
    OrderTable,
    life,
)
from simulations.services.units import Index

TABLE = "order-life"
INDEXES = ("customer", "status")


def order_life_units(dynamodb: Any, table: OrderTable) -> dict[str, float]:
    """Place, authorize, pack and confirm an order, then look at it; return the units reported.

    Parameters
    ----------
    dynamodb
        boto3's client of a DynamoDB Local (or of DynamoDB, where this costs a few cents a
        thousand times).
    table
        How the table is built.

    Returns
    -------
    dict
        The same names as `OrderUnits` has for units.
    """
    from boto3.dynamodb.types import TypeSerializer

    typed = TypeSerializer().serialize
    states = [{k: typed(v) for k, v in state.items()} for state in life(table.name_chars)]
    _create(dynamodb, table.indexes())
    try:
        asked: dict[str, Any] = {"TableName": TABLE, "ReturnConsumedCapacity": "INDEXES"}
        found = dict.fromkeys(("writes", "transaction", "customer_index", "status_index"), 0.0)
        for number, state in enumerate(states):
            if number == 0 and table.in_transaction:
                put = {"Put": {"TableName": TABLE, "Item": state}}
                (said,) = dynamodb.transact_write_items(
                    TransactItems=[put], ReturnConsumedCapacity="INDEXES"
                )["ConsumedCapacity"]
                # A transaction counts everything twice: half of it is what the put would be.
                found["transaction"] = said["CapacityUnits"] / 2
            else:
                said = dynamodb.put_item(Item=state, **asked)["ConsumedCapacity"]
            half = 2.0 if number == 0 and table.in_transaction else 1.0
            found["writes"] += said["Table"]["CapacityUnits"] / half
            for name, one in said.get("GlobalSecondaryIndexes", {}).items():
                found[f"{name}_index"] += one["CapacityUnits"] / half
        return found | {"reads": _reads(dynamodb, states[-1])}
    finally:
        dynamodb.delete_table(TableName=TABLE)


def _reads(dynamodb: Any, order: dict[str, Any]) -> float:
    """Look at the order, and at a page of its customer's orders."""
    for number in range(1, PAGE_ORDERS):
        other = {"S": f"{order['order']['S'][:-2]}{number:02}"}
        dynamodb.put_item(TableName=TABLE, Item={**order, "order": other})
    asked: dict[str, Any] = {"TableName": TABLE, "ReturnConsumedCapacity": "TOTAL"}
    key = {name: order[name] for name in KEY}
    answers = [dynamodb.get_item(Key=key, **asked) for _ in range(LOOKS)]
    page = dynamodb.query(
        IndexName="customer",
        KeyConditionExpression="customer = :c",
        ExpressionAttributeValues={":c": order["customer"]},
        **asked,
    )
    if page["Count"] != PAGE_ORDERS:
        raise RuntimeError(f"the customer's page has {page['Count']} orders, not {PAGE_ORDERS}")
    return float(sum(one["ConsumedCapacity"]["CapacityUnits"] for one in [*answers, page]))


def _create(dynamodb: Any, indexes: tuple[Index, ...]) -> None:
    def keys(names: tuple[str, ...]) -> list[dict[str, str]]:
        kinds = ("HASH", "RANGE")
        return [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, kinds, strict=False)
        ]

    def described(name: str, index: Index) -> dict[str, Any]:
        projection: dict[str, Any] = {"ProjectionType": index.projection}
        if index.attributes:
            projection["NonKeyAttributes"] = list(index.attributes)
        return {"IndexName": name, "KeySchema": keys(index.key), "Projection": projection}

    named = sorted({*KEY, *(name for index in indexes for name in index.key)})
    dynamodb.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in named],
        KeySchema=keys(KEY),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            described(name, index) for name, index in zip(INDEXES, indexes, strict=False)
        ],
    )
