"""DynamoDB's costs: break-evens against arithmetic, the order table, auto scaling's limits."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.experiments import dynamodb_cost as cost
from simulations.experiments.order_table import OrderTable
from simulations.pricing import PriceList, dynamodb_usage
from simulations.services.item import item_size, number_size
from simulations.services.units import (
    Index,
    batch_get_units,
    page_units,
    read_units,
    transact_get_units,
    transact_write_units,
    write_units,
)


def test_at_break_even_both_modes_cost_the_same() -> None:
    """One unit provisioned for an hour, used to the break-even, and as many requests."""
    prices = PriceList.load()
    for kind, capacity, requests in (("write", "wcu", "writes"), ("read", "rcu", "reads")):
        for years in (0, 1, 3):
            block: dict[str, Any] = {capacity: 100}
            if years:
                block |= {f"reserved_{capacity}": 100, "term_years": years}
            fixed = dynamodb_usage(**block)
            count = 100 * 730 * 3600 * cost.break_even(kind, years)
            by_request: dict[str, Any] = {requests: count, "consistency": "strong"}
            asked = dynamodb_usage(**by_request)
            ours, theirs = prices.bill(fixed).total_usd, prices.bill(asked).total_usd
            assert float(ours) == pytest.approx(float(theirs), rel=1e-9)


def test_the_price_cut_doubled_the_break_even() -> None:
    then = PriceList.load(as_of=cost.BEFORE)
    assert cost.break_even() == pytest.approx(2 * cost.break_even(prices=then))
    assert cost.modes()["break-even provisioned"] == pytest.approx(0.288889, abs=1e-6)


def test_the_parts_of_the_bill_are_the_bill() -> None:
    """Priced part by part and all at once it comes to the same."""
    found = cost.month(OrderTable(), 10, 12)
    assert found.total_usd == pytest.approx(float(PriceList.load().bill(found.usage).total_usd))


def test_one_byte_over_a_kilobyte_doubles_the_writes() -> None:
    longest = OrderTable().longest_name
    within, over = OrderTable(name_chars=longest), OrderTable(name_chars=longest + 1)
    assert within.units().item_bytes <= 1024 < max(map(item_size, _life(longest + 1)))
    assert within.units().writes == 4 < over.units().writes


def _life(name_chars: int) -> tuple[dict[str, object], ...]:
    from simulations.experiments.order_table import life

    return life(name_chars)


def test_auto_scaling_reaches_its_target_and_misses_what_is_short() -> None:
    assert cost.following(day="the same all day")["utilization"] == pytest.approx(0.7, abs=0.01)
    assert cost.following(day="day and night")["throttled"] == 0
    assert cost.following(day="five minutes an hour")["throttled"] > 0.5
    with pytest.raises(ValueError, match="target"):
        cost.following(target=0.95)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"writes": -1}, "writes"),
        ({"writes": 1, "item_kb": 401}, "item_kb"),
        ({"reads": 1, "consistency": "weak"}, "consistency"),
        ({"wcu": 1, "reserved_wcu": 50}, "whole blocks of 100"),
        ({"wcu": 100, "reserved_wcu": 100, "term_years": 2}, "term_years"),
        ({"wcu": 100, "reserved_wcu": 100, "replicas": 1}, "global table"),
        (
            {"wcu": 100, "reserved_wcu": 100, "storage_class": "STANDARD_INFREQUENT_ACCESS"},
            "Standard-IA",
        ),
        (
            {"writes": 1, "replicas": 1, "storage_class": "STANDARD_INFREQUENT_ACCESS"},
            "not in the facts",
        ),
        ({"storage_gb": 1, "storage_class": "GLACIER"}, "storage_class"),
        ({"replicas": 1.5}, "replicas"),
    ],
)
def test_impossible_tables_are_refused(inputs: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dynamodb_usage(**inputs)  # type: ignore[arg-type]


def test_transactions_indexes_and_copies_multiply() -> None:
    plain = dynamodb_usage(writes=10, item_kb=1.5)["WriteRequestUnits"]
    assert dynamodb_usage(transactional_writes=10, item_kb=1.5)["WriteRequestUnits"] == 2 * plain
    indexed = dynamodb_usage(writes=10, item_kb=1.5, index_writes=[(1, 1.5), (2, 0.1)])
    assert indexed["WriteRequestUnits"] == 2 * plain + 20
    copied = dynamodb_usage(writes=10, item_kb=1.5, replicas=2)
    assert copied == {"ReplWriteRequestUnits": 3 * plain}
    spread = dynamodb_usage(writes=10, item_kb=1.5, replicas=2, index_writes=[(1, 1.5)])
    assert spread == {"ReplWriteRequestUnits": 3 * plain, "WriteRequestUnits": 3 * plain}
    halves = dynamodb_usage(reads=10, item_kb=5)
    assert dynamodb_usage(reads=10, item_kb=5, consistency="strong") == halves * 2
    assert dynamodb_usage(transactional_reads=10, item_kb=5) == halves * 4


def test_lambda_reads_a_stream_for_nothing() -> None:
    assert dynamodb_usage(lambda_stream_reads=1_000_000) == {}


@given(st.lists(st.integers(0, 400 * 1024), min_size=1, max_size=20))
def test_a_page_never_costs_more_than_its_items_one_by_one(sizes: list[int]) -> None:
    assert page_units(sizes) <= batch_get_units(sizes)
    assert batch_get_units(sizes, "strong") == 2 * batch_get_units(sizes)


@given(st.integers(0, 400 * 1024))
def test_units_are_what_the_guide_says(size: int) -> None:
    assert write_units(size) == max(1, math.ceil(size / 1024))
    assert write_units(size, transactional=True) == 2 * write_units(size)
    assert read_units(size, "strong") == max(1, math.ceil(size / 4096))
    assert read_units(size, "transactional") == 4 * read_units(size)


@pytest.mark.parametrize(
    "number", ["1e126", "1e-131", "1" * 39, "many", "NaN", "Infinity", None, [1]]
)
def test_numbers_that_dynamodb_has_not_are_refused(number: object) -> None:
    with pytest.raises(ValueError, match="number="):
        number_size(number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "item", [{"a": 1.5}, {"a": set()}, {"a": {1, "x"}}, {"a": {"B": "no base64"}}, {1: "x"}]
)
def test_items_that_dynamodb_has_not_are_refused(item: dict[object, object]) -> None:
    with pytest.raises(ValueError, match=r"value=|B=|name or text"):
        item_size(item)  # type: ignore[arg-type]


def test_limits_of_calls_are_refused_with_their_source() -> None:
    for call in (transact_write_units, transact_get_units, batch_get_units):
        with pytest.raises(ValueError, match=r"items=101 .*https://docs.aws.amazon.com"):
            call([1] * 101)
    with pytest.raises(ValueError, match="bytes together"):
        transact_write_units([400 * 1024] * 11)
    with pytest.raises(ValueError, match="size_bytes=409601"):
        read_units(400 * 1024 + 1)
    with pytest.raises(ValueError, match="Query and Scan"):
        page_units([1], "transactional")
    with pytest.raises(ValueError, match="projection"):
        Index(("a",), ("p",), "SOME")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="INCLUDE"):
        Index(("a",), ("p",), "ALL", ("x",))
