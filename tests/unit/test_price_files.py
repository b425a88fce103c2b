"""AWS's own price files: read, written, refused; vintages, regions, currencies, stale prices."""

from __future__ import annotations

import copy
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.pricing import (
    BadPriceList,
    MissingPrice,
    PriceList,
    StalePrice,
    lambda_usage,
    read_offer,
    rules_as_of,
    write_offer,
)
from simulations.pricing.offers import offer_of_products

PRICES = PriceList.load()
SKUS = tuple(PRICES.skus.values())


def offer(service: str = "AWSLambda", region: str = "us-east-1") -> dict[str, Any]:
    return json.loads(json.dumps(write_offer(SKUS, service, region)))  # type: ignore[no-any-return]


def service_file(tiers: list[tuple[str, str, str]], **more: Any) -> dict[str, Any]:
    """One product as AWS's file has it, with the tiers given as (begin, end, price)."""
    dimensions = {
        f"X.T.{i}": {"unit": "Requests", "beginRange": b, "endRange": e, "description": "words",
                     "rateCode": f"X.T.{i}", "appliesTo": [], "pricePerUnit": {"USD": p}}
        for i, (b, e, p) in enumerate(tiers)
    }  # fmt: skip
    attributes = {"regionCode": "eu-central-1", "usagetype": "EUC1-Request", "operation": ""}
    return {
        "formatVersion": "v1.0", "offerCode": "AWSLambda", "version": "2026",
        "publicationDate": "2026-11-20T00:00:00Z",
        "products": {"X": {"sku": "X", "productFamily": "Serverless",
                           "attributes": attributes | more}},
        "terms": {"OnDemand": {"X": {"X.T": {"priceDimensions": dimensions}}}},
    }  # fmt: skip


@pytest.mark.parametrize("service", sorted({sku.service for sku in SKUS}))
def test_what_is_written_in_awss_shape_is_read_back_unchanged(service: str) -> None:
    ours = {sku.usage_type: sku for sku in SKUS if sku.service == service}
    read = {sku.usage_type: sku for sku in read_offer(json.dumps(offer(service)), "us-east-1")}
    assert read.keys() == ours.keys()
    for name, sku in read.items():
        assert (sku.tiers, sku.unit, sku.free) == (
            ours[name].tiers,
            ours[name].unit,
            ours[name].free,
        )


def test_a_file_of_another_region_drops_in_under_the_same_names(tmp_path: Path) -> None:
    """In Frankfurt the usage type is EUC1-Request; a usage names it Request everywhere."""
    (tmp_path / "eu-central-1").mkdir()
    text = json.dumps(service_file([("0", "Inf", "0.0000002000")]))
    (tmp_path / "eu-central-1" / "AWSLambda.json").write_text(text)
    prices = PriceList.load("eu-central-1", folder=tmp_path)
    assert prices.bill({"Request": 5_000_000}).total_usd == 1
    assert prices["Request"].as_of == "2026-11-20"
    with pytest.raises(MissingPrice):
        prices.bill({"Lambda-GB-Second": 1})  # not in the file: never free
    with pytest.raises(MissingPrice):
        PriceList.load("eu-west-3", folder=tmp_path)
    with pytest.raises(ValueError, match="no region code"):
        PriceList.load("../../etc", folder=tmp_path)


def test_a_first_tier_of_zero_is_a_free_quantity() -> None:
    tiers = [("0", "4000", "0"), ("4000", "10000", "0.5"), ("10000", "Inf", "0.25")]
    (sku,) = read_offer(service_file(tiers, usagetype="EUC1-Unheard"), "eu-central-1")
    assert sku.free is not None and sku.free.quantity == 4000
    assert [(t.up_to, t.usd) for t in sku.tiers] == [
        (6000, Decimal("0.5")),
        (None, Decimal("0.25")),
    ]


def test_other_currencies_are_data_and_never_dollars(tmp_path: Path) -> None:
    china = service_file([("0", "Inf", "1")], regionCode="cn-north-1", usagetype="CNN1-Request")
    dimension = china["terms"]["OnDemand"]["X"]["X.T"]["priceDimensions"]["X.T.0"]
    dimension["pricePerUnit"] = {"CNY": "0.00000136"}
    (tmp_path / "cn-north-1").mkdir()
    (tmp_path / "cn-north-1" / "AWSLambda.json").write_text(json.dumps(china))
    bill = PriceList.load("cn-north-1", folder=tmp_path).bill({"Request": 1_000_000})
    assert (bill.currency, bill.total) == ("CNY", Decimal("1.36"))
    with pytest.raises(ValueError, match="CNY"):
        _ = bill.total_usd


def broken(change: str) -> dict[str, Any]:
    data = service_file([("0", "10", "2"), ("10", "Inf", "1")])
    dimensions = data["terms"]["OnDemand"]["X"]["X.T"]["priceDimensions"]
    first = dimensions["X.T.0"]
    match change:
        case "no products":
            del data["products"]
        case "products a list":
            data["products"] = [1, 2]
        case "no terms":
            data["terms"] = {}
        case "no date":
            data["publicationDate"] = "soon"
        case "other region":
            data["products"]["X"]["attributes"]["regionCode"] = "ap-south-1"
        case "no usage type":
            data["products"]["X"]["attributes"]["usagetype"] = {"a": 1}
        case "gap":
            dimensions["X.T.1"]["beginRange"] = "11"
        case "no end":
            del dimensions["X.T.1"]
        case "negative":
            first["pricePerUnit"] = {"USD": "-1"}
        case "not a number":
            first["pricePerUnit"] = {"USD": "NaN"}
        case "exponent":
            first["pricePerUnit"] = {"USD": "1E+999999"}
        case "number, not text":
            first["pricePerUnit"] = {"USD": 10**400}
        case "no currency":
            first["pricePerUnit"] = {}
        case "two currencies":
            first["pricePerUnit"] = {"EUR": "2"}
        case "many tiers":
            dimensions |= {f"n{i}": copy.deepcopy(first) for i in range(1000)}
        case "text for an object":
            data["terms"]["OnDemand"]["X"] = "X"
        case "by the million":
            first["unit"] = "Million Requests"
        case "by the megabyte":
            data["products"]["X"]["attributes"]["usagetype"] = "EUC1-Lambda-SnapStart-Restored-GB"
            first["unit"] = dimensions["X.T.1"]["unit"] = "MB"
        case "long text":
            first["unit"] = "x" * 10**6
    return data


@pytest.mark.parametrize(
    "change",
    [
        "no products", "products a list", "no terms", "no date", "other region", "no usage type",
        "gap", "no end", "negative", "not a number", "exponent", "number, not text", "no currency",
        "two currencies", "many tiers", "text for an object", "by the million", "by the megabyte", "long text",
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_in_words(change: str) -> None:
    assert read_offer(broken("nothing"), "eu-central-1")
    with pytest.raises(BadPriceList) as refused:
        read_offer(broken(change), "eu-central-1")
    assert 10 < len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "3",
        '"x"',
        "{",
        "[" * 200_000,
        '{"a":' * 200_000,
        b"\xff\xfe",
        "9" * 10_000,
    ],
    ids=lambda text: str(text[:6]),
)
def test_hostile_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadPriceList):
        read_offer(text, "us-east-1")


def test_a_file_without_end_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadPriceList, match="bytes"):
        read_offer(b" " * 64_000_001, "us-east-1")


@given(st.integers(1, 400))
def test_a_truncated_file_is_refused_wherever_it_ends(permille: int) -> None:
    text = json.dumps(offer("AmazonStates"))
    with pytest.raises(BadPriceList):
        read_offer(text[: len(text) * permille // 401], "us-east-1")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from(["products", "terms", "offerCode", "publicationDate"]), json_values)
def test_any_part_may_be_anything_and_nothing_but_a_refusal_comes_of_it(
    part: str, value: Any
) -> None:
    data = service_file([("0", "Inf", "1")])
    data[part] = value
    try:
        read_offer(data, "eu-central-1")
    except BadPriceList:
        return
    assert part in ("offerCode", "publicationDate")


def test_get_products_entries_make_the_same_list() -> None:
    whole = offer("AWSQueueService")
    texts = [
        json.dumps(
            {"product": product, "serviceCode": "AWSQueueService", "version": "1",
             "publicationDate": "2026-09-19",
             "terms": {"OnDemand": whole["terms"]["OnDemand"][code]}}
        )
        for code, product in whole["products"].items()
    ]  # fmt: skip
    skus = read_offer(offer_of_products(texts, "AWSQueueService"), "us-east-1")
    assert [s.tiers for s in skus] == [s.tiers for s in SKUS if s.service == "AWSQueueService"]
    with pytest.raises(BadPriceList):
        offer_of_products(['{"product": 3}'], "AWSQueueService")


def test_a_stale_price_fails_where_age_counts() -> None:
    checked = date.fromisoformat(PRICES["Request"].checked or "")
    PriceList.load(max_age_days=30, today=checked)
    with pytest.raises(StalePrice, match="more than 30 days"):
        PriceList.load(max_age_days=30, today=date(checked.year + 1, 1, 31))


def test_a_price_from_memory_alone_is_missing_until_it_is_asked_for() -> None:
    name = "USE1-ApiGatewayCacheUsage:13.5GB"
    with pytest.raises(MissingPrice):
        PRICES.bill({name: 1})
    assert PriceList.load(unverified=True).bill({name: 1}).total_usd == Decimal("0.25")


def test_a_bill_of_2020_has_its_prices_and_its_rules() -> None:
    """A million requests of 12 ms: no tiers, 100 ms each; AWS's page of 2020 says so."""
    then = PriceList.load(as_of="2020-06-30")
    usage = lambda_usage(10**6, 12, 1024, **rules_as_of("2020-06-30"))
    assert then.bill(usage).total_usd == Decimal("1.86667")
    assert PRICES.bill(lambda_usage(10**6, 12, 1024, **rules_as_of())).total_usd < Decimal("0.41")
    with pytest.raises(MissingPrice):
        then["Lambda-GB-Second-ARM"]  # Arm came in 2021


def test_init_counts_since_august_2025() -> None:
    before, since = (
        lambda_usage(1, 100, 1024, cold_share=1, init_ms=900, **rules_as_of(day))
        for day in ("2025-07-31", "2025-08-01")
    )
    assert before["Lambda-GB-Second"] == Decimal("0.1")
    assert since["Lambda-GB-Second"] == 1
