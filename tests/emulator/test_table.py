"""Units of a table: ours against those that a real DynamoDB Local reports over a connection."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulations.aws.table_units import order_life_units
from simulations.experiments.order_table import OrderTable
from simulations.services.item import KB, item_size
from simulations.services.units import (
    Index,
    batch_get_units,
    change_units,
    page_units,
    read_units,
    transact_get_units,
    write_units,
)

TABLE = "orders"
KEY = ("p", "s")
INDEXES = {
    "g-all": Index(("a",), KEY),
    "g-keys": Index(("a", "b"), KEY, "KEYS_ONLY"),
    "g-some": Index(("b",), KEY, "INCLUDE", ("x",)),
    # The documentation has no overhead here; DynamoDB Local counts it with local indexes.
    "l-some": Index(("p", "l"), KEY, "INCLUDE", ("x",), overhead_bytes=100),
}
FEW = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(-1000, 1000, places=4).map(str),
    st.builds(
        lambda sign, digits, power: f"{sign}{digits}E{power}",
        st.sampled_from(["", "-"]), st.integers(1, 10**38 - 1), st.integers(-120, 80),
    ),
)  # fmt: skip
texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
scalars = st.one_of(
    st.builds(lambda v: {"S": v}, texts),
    st.builds(lambda v: {"N": v}, numbers),
    st.builds(lambda v: {"B": v}, st.binary(max_size=20)),
    st.builds(lambda v: {"BOOL": v}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda v: {"SS": sorted(v)}, st.sets(texts, min_size=1, max_size=4)),
    st.builds(lambda v: {"BS": sorted(v)}, st.sets(st.binary(max_size=9), min_size=1, max_size=3)),
    st.builds(
        lambda v: {"NS": sorted(map(str, v))}, st.sets(st.integers(-999, 999), min_size=1)
    ),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda v: {"L": v}, st.lists(inner, max_size=4)),
        st.builds(lambda v: {"M": v}, st.dictionaries(names, inner, max_size=4)),
    ),
    max_leaves=8,
)


def filler(lengths: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, str]]:
    """Return texts of these lengths, as DynamoDB's JSON."""
    return lengths.map(lambda n: {"S": "x" * n})


orders = st.fixed_dictionaries(
    {"p": st.just({"S": "shop"}), "s": st.just({"S": "o-1"})},
    optional={
        "a": st.sampled_from([{"S": "new"}, {"S": "paid"}]),
        "b": st.sampled_from([{"S": "red"}, {"S": "blue"}]),
        "l": st.sampled_from([{"S": "1"}, {"S": "2"}]),
        "x": filler(st.integers(0, 3000)),
        "y": filler(st.integers(0, 6000)),
        "z": values,
    },
)


@pytest.fixture(scope="module")
def table(dynamodb: Any) -> Any:
    """Return a client of a DynamoDB Local that has the table with its four indexes."""

    def keys(*attributes: str) -> list[dict[str, str]]:
        kinds = ("HASH", "RANGE")
        return [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(attributes, kinds, strict=False)
        ]

    def described(name: str) -> dict[str, Any]:
        index = INDEXES[name]
        projection: dict[str, Any] = {"ProjectionType": index.projection}
        if index.attributes:
            projection["NonKeyAttributes"] = list(index.attributes)
        return {"IndexName": name, "KeySchema": keys(*index.key), "Projection": projection}

    dynamodb.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in "psabl"],
        KeySchema=keys(*KEY),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[described(name) for name in INDEXES if name[0] == "g"],
        LocalSecondaryIndexes=[described("l-some")],
    )
    return dynamodb


ASKED = {"TableName": TABLE, "ReturnConsumedCapacity": "INDEXES"}


def consumed(answer: dict[str, Any]) -> dict[str, float]:
    """Return the units of the table and of each index that an answer reports, and their sum."""
    said = answer["ConsumedCapacity"]
    if isinstance(said, list):
        (said,) = said
    found = {"table": said["Table"]["CapacityUnits"], "all": said["CapacityUnits"]}
    for group in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        found |= {name: one["CapacityUnits"] for name, one in said.get(group, {}).items()}
    return found


def expected(before: Any, after: Any, transactional: bool = False) -> dict[str, float]:
    """Return the same, as `simulations.services.table` has it."""
    sizes = [item_size(one) for one in (before, after) if one is not None]
    found = {"table": float(write_units(max(sizes, default=0), transactional))}
    for name, index in INDEXES.items():
        units = index.units(before, after, transactional)
        if units:
            found[name] = float(units)
    found["all"] = float(change_units(before, after, list(INDEXES.values()), transactional))
    return found


def clear(table: Any) -> None:
    """Take away what an example that failed may have left."""
    table.delete_item(TableName=TABLE, Key={"p": {"S": "shop"}, "s": {"S": "o-1"}})


def key_of(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in KEY}


@FEW
@given(value=values, name=names.filter(lambda n: n not in {"p", "s", "f", "a", "b", "l"}))
def test_an_item_weighs_to_the_byte_what_dynamodb_local_says(
    table: Any, value: Any, name: str
) -> None:
    """Filled up to a whole number of KB it takes so many units, with one byte more one more."""
    bare = {"p": {"S": "size"}, "s": {"S": "1"}, name: value, "f": {"S": ""}}
    missing = -item_size(bare) % KB
    for more, extra in ((0, 0), (1, 1)):
        full = {**bare, "f": {"S": "x" * (missing + more)}}
        units = consumed(table.put_item(Item=full, **ASKED))["table"]
        table.delete_item(TableName=TABLE, Key=key_of(full))
        assert units == (item_size(bare) + missing) // KB + extra


@FEW
@given(before=st.none() | orders, after=orders)
def test_puts_and_deletes_with_all_indexes(table: Any, before: Any, after: Any) -> None:
    clear(table)
    if before is not None:
        assert consumed(table.put_item(Item=before, **ASKED)) == expected(None, before)
    assert consumed(table.put_item(Item=after, **ASKED)) == expected(before, after)
    assert consumed(table.delete_item(Key=key_of(after), **ASKED)) == expected(after, None)
    assert consumed(table.delete_item(Key=key_of(after), **ASKED)) == expected(None, None)


@FEW
@given(before=orders, change=orders)
def test_updates_count_the_larger_of_before_and_after(table: Any, before: Any, change: Any) -> None:
    """An update of some attributes counts the whole item, and each index it touches."""
    table.put_item(TableName=TABLE, Item=before)
    changed = {name: value for name, value in change.items() if name not in KEY}
    removed = [name for name in ("a", "x") if name in before and name not in changed]
    parts = []
    if changed:
        parts.append("SET " + ", ".join(f"#{n} = :{n}" for n in changed))
    if removed:
        parts.append("REMOVE " + ", ".join(f"#{n}" for n in removed))
    after = {name: v for name, v in {**before, **changed}.items() if name not in removed}
    asked: dict[str, Any] = dict(ASKED)
    if parts:
        asked["UpdateExpression"] = " ".join(parts)
        asked["ExpressionAttributeNames"] = {f"#{n}": n for n in [*changed, *removed]}
    if changed:
        asked["ExpressionAttributeValues"] = {f":{n}": v for n, v in changed.items()}
    assert consumed(table.update_item(Key=key_of(before), **asked)) == expected(before, after)
    table.delete_item(TableName=TABLE, Key=key_of(before))


@FEW
@given(before=orders, after=orders)
def test_a_transaction_counts_twice_in_the_indexes_too(table: Any, before: Any, after: Any) -> None:
    clear(table)
    for old, new in ((None, before), (before, after)):
        answer = table.transact_write_items(
            TransactItems=[{"Put": {"TableName": TABLE, "Item": new}}],
            ReturnConsumedCapacity="INDEXES",
        )
        said = consumed(answer)
        for name, index in INDEXES.items():
            # Inside a transaction DynamoDB Local counts an index of two keys when one of them
            # changes, even if the item is in that index neither before nor after: no write, says
            # the documentation, and so does DynamoDB Local outside of transactions.
            if index.entry(old) is None and index.entry(new) is None:
                said["all"] -= said.pop(name, 0.0)
        assert said == expected(old, new, transactional=True)
    gets = [
        {"Get": {"TableName": TABLE, "Key": key_of(after)}},
        {"Get": {"TableName": TABLE, "Key": {"p": {"S": "shop"}, "s": {"S": "none"}}}},
    ]
    answer = table.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="INDEXES")
    assert consumed(answer)["all"] == transact_get_units([item_size(after), 0])
    table.delete_item(TableName=TABLE, Key=key_of(after))


@FEW
@given(item=orders)
def test_reads_of_one_item(table: Any, item: Any) -> None:
    table.put_item(TableName=TABLE, Item=item)
    size = item_size(item)
    for strong, words in ((False, "eventual"), (True, "strong")):
        answer = table.get_item(Key=key_of(item), ConsistentRead=strong, **ASKED)
        assert consumed(answer)["all"] == read_units(size, words)  # type: ignore[arg-type]
    table.delete_item(TableName=TABLE, Key=key_of(item))
    assert consumed(table.get_item(Key=key_of(item), **ASKED))["all"] == read_units(0)


@FEW
@given(lengths=st.lists(st.integers(0, 5000), min_size=1, max_size=6))
def test_pages_round_once_and_batches_round_each_item(table: Any, lengths: list[int]) -> None:
    """A Query adds the sizes first; an index Query adds the entries of the index."""
    items = [
        {"p": {"S": "page"}, "s": {"S": f"{n:02}"}, "b": {"S": "page"}, "x": {"S": "x" * length}}
        for n, length in enumerate(lengths)
    ]
    for item in items:
        table.put_item(TableName=TABLE, Item=item)
    sizes = [item_size(one) for one in items]
    entries = [item_size(INDEXES["g-some"].entry(one) or {}) for one in items]
    asked: dict[str, Any] = {**ASKED, "ExpressionAttributeValues": {":v": {"S": "page"}}}
    for strong, words in ((False, "eventual"), (True, "strong")):
        query = table.query(KeyConditionExpression="p = :v", ConsistentRead=strong, **asked)
        assert consumed(query)["all"] == page_units(sizes, words)  # type: ignore[arg-type]
        batch = table.batch_get_item(
            RequestItems={TABLE: {"Keys": [key_of(i) for i in items], "ConsistentRead": strong}},
            ReturnConsumedCapacity="INDEXES",
        )
        assert consumed(batch)["all"] == batch_get_units(sizes, words)  # type: ignore[arg-type]
    found = table.query(
        IndexName="g-some", KeyConditionExpression="b = :v", FilterExpression="x = :v", **asked
    )
    assert found["Count"] == 0  # the filter dropped all, and every item was counted
    assert consumed(found)["g-some"] == page_units(entries)
    scan = table.scan(FilterExpression="p = :v", ProjectionExpression="s", **asked)
    assert consumed(scan)["all"] == page_units(sizes)
    for item in items:
        table.delete_item(TableName=TABLE, Key=key_of(item))


def test_where_dynamodb_local_differs_we_follow_the_documentation(table: Any) -> None:
    """Reading nothing is charged on AWS; DynamoDB Local reports nothing for two such reads."""
    empty = {":v": {"S": "nobody"}}
    query = table.query(KeyConditionExpression="p = :v", ExpressionAttributeValues=empty, **ASKED)
    assert (consumed(query)["all"], page_units([])) == (0.0, 0.5)
    missing = {TABLE: {"Keys": [{"p": {"S": "nobody"}, "s": {"S": "1"}}]}}
    batch = table.batch_get_item(RequestItems=missing, ReturnConsumedCapacity="TOTAL")
    said = sum(one["CapacityUnits"] for one in batch["ConsumedCapacity"])
    assert (said, batch_get_units([0])) == (0.0, 0.5)
    assert (consumed(table.scan(**ASKED))["all"], page_units([])) == (0.0, 0.5)


def test_an_item_may_have_400_kb_and_not_a_byte_more(table: Any) -> None:
    bare = {"p": {"S": "big"}, "s": {"S": "1"}, "f": {"S": ""}}
    room = 400 * KB - item_size(bare)
    largest = {**bare, "f": {"S": "x" * room}}
    assert consumed(table.put_item(Item=largest, **ASKED))["table"] == write_units(400 * KB) == 400
    with pytest.raises(table.exceptions.ClientError, match="maximum allowed size"):
        table.put_item(TableName=TABLE, Item={**bare, "f": {"S": "x" * (room + 1)}})
    with pytest.raises(ValueError, match="at most 409,600"):
        item_size({**bare, "f": {"S": "x" * (room + 1)}})
    table.delete_item(TableName=TABLE, Key=key_of(bare))


@pytest.mark.parametrize(
    "built",
    [
        OrderTable(),
        OrderTable(name_chars=OrderTable().longest_name),
        OrderTable(whole_orders=False),
        OrderTable(in_transaction=False),
        OrderTable(status_index=False),
    ],
    ids=str,
)
def test_the_life_of_an_order_counts_as_in_the_chapter(dynamodb: Any, built: OrderTable) -> None:
    """Placed, authorized, packed, confirmed and looked at, in the table and its indexes."""
    ours, said = built.units(), order_life_units(dynamodb, built)
    assert said == {name: getattr(ours, name) for name in said}


def test_plain_values_weigh_what_their_json_weighs() -> None:
    """boto3's resource writes plain values, its client DynamoDB's JSON."""
    from boto3.dynamodb.types import TypeSerializer

    plain = {
        "id": "o-1", "total": Decimal("49.90"), "paid": True, "note": None, "raw": b"\x00\x01",
        "tags": {"new", "gift"}, "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": -1}],
    }  # fmt: skip
    typed = {name: TypeSerializer().serialize(value) for name, value in plain.items()}
    assert item_size(plain) == item_size(typed)
