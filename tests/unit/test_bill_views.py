"""A bill explained: every line by name, its parts, another beside it, what would change it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.experiment import Axis, Result, Series
from simulations.experiments.bill_views import (
    REST,
    bill_parts,
    bills_beside,
    sensitivity,
)
from simulations.facts import fact
from simulations.figures.bills import comparison, tornado, waterfall
from simulations.pricing import (
    Bill,
    PriceList,
    Usage,
    lambda_usage,
    logs_usage,
    sns_usage,
    sqs_usage,
)

PRICES = PriceList.load()
EVERY = list(PRICES.skus)


def shop_bill(requests: float = 3e6, duration_ms: float = 120, memory_mb: float = 1536) -> Bill:
    used = lambda_usage(requests, duration_ms, memory_mb) + sqs_usage(messages=requests)
    return PRICES.bill(used + sns_usage(requests) + logs_usage(requests, 2), free_tier=True)


def words(figure: Any) -> list[str]:
    texts = [t.get_text() for t in figure.axes[0].texts]
    return texts + [t.get_text() for t in figure.axes[0].get_yticklabels()]


@given(
    st.dictionaries(
        st.sampled_from(EVERY), st.integers(0, 10**13), min_size=1, max_size=6
    ),
    st.booleans(),
)  # fmt: skip
@settings(deadline=None)
def test_every_line_says_where_it_comes_from_and_its_tiers_add_up(
    used: dict[str, int], free: bool
) -> None:
    bill = PRICES.bill(used, free_tier=free)
    assert len(bill.rows()) == len(used)
    for row in bill.rows():
        assert all(row[name] for name in ("checked", "source", "metering", "unit", "formula"))
        assert row["facts"] and all(fact(name) for name in row["facts"])
        billed = sum((quantity for quantity, _, _ in row["tiers"]), Decimal(0))
        assert billed == row["quantity"] - row["free"]
        assert sum((amount for _, _, amount in row["tiers"]), Decimal(0)) == row["amount"]
        assert all(amount == quantity * price for quantity, price, amount in row["tiers"])
    assert sum((row["amount"] for row in bill.rows()), Decimal(0)) == bill.total_usd
    for source in {line.source for line in bill}:
        assert f"] {source}" in bill.table()


def test_a_bill_is_a_table_for_pandas_too() -> None:
    frame = pandas.DataFrame(shop_bill().rows())
    assert list(frame["usage_type"])[:2] == ["Request", "Lambda-GB-Second"]
    assert float(frame["amount"].sum()) == pytest.approx(float(shop_bill().total_usd))


def test_a_waterfall_ends_at_the_total() -> None:
    bill = shop_bill()
    result = bill_parts(bill)
    assert sum(result.series[0].y) == pytest.approx(float(bill.total_usd))
    assert list(result.series[0].y) == sorted(result.series[0].y, reverse=True)
    assert "Lambda duration, x86" in words(waterfall(result))
    merged = bill_parts(bill, by="service", least=0.2)
    assert merged.series[0].x[-1] == REST
    assert sum(merged.series[0].y) == pytest.approx(float(bill.total_usd))


def test_bills_beside_each_other_name_each_part_once_and_each_total() -> None:
    bills = {"as it is": shop_bill(), "half the memory": shop_bill(memory_mb=768)}
    result = bills_beside(bills)
    for name, bill in bills.items():
        row = [dict(zip(s.x, s.y, strict=True))[name] for s in result.series]
        assert sum(row) == pytest.approx(float(bill.total_usd)) == result[name]
    shown = words(comparison(result))
    assert [shown.count(part) for part in ("Lambda", "SQS", "SNS", "CloudWatch")] == [1] * 4
    assert f"{result['as it is']:,.2f}" in shown
    each = bills_beside(bills, scale=dict.fromkeys(bills, 1 / 3))
    assert each["as it is"] == pytest.approx(result["as it is"] / 3)


def test_a_tornado_is_the_bill_with_one_input_changed() -> None:
    inputs = {"requests": 3e6, "duration_ms": 120.0, "memory_mb": 1536.0}
    found = sensitivity(shop_bill, inputs, by=0.2)
    less, more = found.result.series
    for name, low, high in zip(less.x, less.y, more.y, strict=True):
        below, above = ({**inputs, name: inputs[name] * factor} for factor in (0.8, 1.2))
        assert low == pytest.approx(float(shop_bill(**below).total_usd))
        assert high == pytest.approx(float(shop_bill(**above).total_usd))
    widths = [high - low for low, high in zip(less.y, more.y, strict=True)]
    assert widths == sorted(widths, reverse=True)
    assert {"2.4 million", "3.6 million"} <= set(words(tornado(found.result, found.ends)))


def test_an_input_whose_larger_setting_is_cheaper_stands_the_right_way_round() -> None:
    def bill(batch: float) -> Bill:
        return PRICES.bill(sqs_usage(messages=1e6, receive_batch=batch))

    found = sensitivity(bill, {"batch": 5}, {"batch": (1, 10)})
    assert found.ends["batch"] == ("10", "1")
    assert found.result.series[0].y[0] < found.result["base"] < found.result.series[1].y[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bill_parts(PRICES.bill({"Request": 0})), "the bill is 0"),
        (lambda: bill_parts(shop_bill(), by="day"), "by='day'"),
        (lambda: bills_beside({"one": shop_bill()}), "at least two"),
        (lambda: sensitivity(shop_bill, {"requests": 1}, {"size": (1, 2)}), "'size' is none of"),
        (lambda: sensitivity(shop_bill, {"memory_mb": 128}), "memory_mb=64"),
        (lambda: comparison(Result(Axis(""), Axis(""))), "same names"),
        (
            lambda: comparison(Result(Axis(""), Axis(""), (Series("a", ("x",), (-1.0,)),))),
            "negative",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_bills_in_two_currencies_are_not_compared() -> None:
    from dataclasses import replace

    bill = PRICES.bill(Usage({"Request": 1e9}))
    yuan = replace(bill, currency="CNY", lines=tuple(
        replace(line, sku=replace(line.sku, currency="CNY")) for line in bill.lines))  # fmt: skip
    assert str(yuan).endswith("CNY 200.00  total") and "CNY 200.00" in repr(yuan)
    with pytest.raises(ValueError, match="several currencies"):
        bills_beside({"here": bill, "there": yuan})
