"""Usage that cannot be is refused with its name; nothing is ever counted as zero."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from simulations.pricing import MissingPrice, PriceList, Usage, read_offer, usage_of_cur
from simulations.pricing.catalog import OUR_NAMES, entries

PRICES = PriceList.load()

IMPOSSIBLE: list[tuple[Any, str]] = [
    ({"Request": -1}, "quantity of Request=-1"),
    ({"Request": -1e-12}, "quantity of Request=-1e-12"),
    ({"Request": math.nan}, "quantity of Request=nan"),
    ({"Request": math.inf}, "quantity of Request=inf"),
    ({"Request": Decimal("NaN")}, "quantity of Request"),
    ({"Request": "5"}, "quantity of Request='5'"),
    ({"Request": None}, "quantity of Request=None"),
    ({"Request": True}, "quantity of Request=True"),
    ({"Request": Fraction(1, 3)}, "quantity of Request=Fraction"),
    ({"Request": 10**400}, "1e\\+30|1E\\+30"),
    ({"Request": Decimal("1E+999999")}, "1e\\+30|1E\\+30"),
    ({"Request": 1e308}, "1e\\+30|1E\\+30"),
    ({"Request": (5, "GB")}, "in 'GB'; it is sold by 'request'"),
    ({"Lambda-GB-Second": (5, "GB-month")}, "sold by 'GB-s'"),
    ({"Request": (-5, "request")}, "quantity of Request=-5"),
    ({5: 3}, "usage type 5 is no text"),
    ([("Request", 1), ("Request", -2)], "quantity of Request=-2"),
    ([("Request", 1), ("Request",)], "line 2 of the usage is no pair"),
    ([(["Request"], 1)], "line 1 of the usage is no pair"),
    ("Request", "line 1 of the usage is no pair"),
    (None, "is no pair"),
]


@pytest.mark.parametrize(("usage", "message"), IMPOSSIBLE, ids=lambda value: str(value)[:40])
def test_impossible_usage_is_refused_and_named(usage: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PRICES.bill(usage)


@pytest.mark.parametrize(
    "name", ["Requests-Tier9", "", "Request\x00", "R" * 100_000, "EUC1-Request"]
)
def test_an_unknown_usage_type_has_no_price_and_is_never_zero(name: str) -> None:
    with pytest.raises(MissingPrice, match="no price for") as refused:
        PRICES.bill({name: 1})
    assert len(str(refused.value)) < 400


def test_numbers_of_numpy_count_as_the_numbers_they_are() -> None:
    used = {"Request": np.int64(3), "Lambda-GB-Second": np.float64(0.5)}
    assert (
        PRICES.bill(used).total_usd
        == PRICES.bill({"Request": 3, "Lambda-GB-Second": 0.5}).total_usd
    )


@pytest.mark.parametrize("free", [5, "Nope", ["Global-Request", "x"]])
def test_a_free_quantity_that_is_none_is_refused(free: Any) -> None:
    with pytest.raises(ValueError, match="free_tier="):
        PRICES.bill({"Request": 1}, free)


def test_a_refused_line_leaves_the_usage_as_it_was() -> None:
    used = Usage({"Request": 7})
    for bad in (-1, math.nan, "x", 10**40):
        with pytest.raises(ValueError, match="quantity of Request"):
            used.add("Request", bad)
    assert used == {"Request": 7}


def offer(*products: tuple[str, str, dict[str, str]]) -> dict[str, Any]:
    """A price file of SQS with these (usage type, price, attributes)."""
    made: dict[str, Any] = {"products": {}, "terms": {"OnDemand": {}}}
    for k, (usage_type, price, attributes) in enumerate(products):
        made["products"][f"S{k}"] = {
            "attributes": {"regionCode": "eu-west-1", "usagetype": usage_type, **attributes}
        }
        made["terms"]["OnDemand"][f"S{k}"] = {"t": {"priceDimensions": {"d": {
            "unit": "Requests", "beginRange": "0", "endRange": "Inf", "description": "",
            "pricePerUnit": {"USD": price}}}}}  # fmt: skip
    return made | {"offerCode": "AWSQueueService", "publicationDate": "2026-10-08T00:00:00Z"}


def test_sqs_has_other_names_in_other_regions() -> None:
    """Seen: Requests-RBP and Requests-FIFO-RBP in us-east-1, EU-Requests-Tier1 in Ireland."""
    skus = read_offer(
        offer(
            ("EU-Requests-FIFO-Tier1", "0.0000005", {"queueType": "FIFO (first-in, first-out)"}),
            ("EU-Requests-Tier1", "0.0000004", {"queueType": "Standard"}),
        ),
        "eu-west-1",
    )
    assert {s.usage_type: s.tiers[0].usd for s in skus} == {
        "Requests-RBP": Decimal("4E-7"), "Requests-FIFO-RBP": Decimal("5E-7"),
    }  # fmt: skip
    report = ["lineItem/LineItemType,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount",
              "Usage,AWSQueueService,EU-Requests-Tier1,4",
              "Usage,AWSQueueService,EU-Requests-FIFO-Tier1,5",
              "Usage,AWSQueueService,Requests-FIFO-RBP,6"]  # fmt: skip
    assert usage_of_cur(report).usage == {"Requests-RBP": 4, "Requests-FIFO-RBP": 11}


def test_one_name_for_two_things_takes_the_right_price_in_any_order() -> None:
    """LCUUsage is that of every kind of load balancer; the catalog prices the application's."""
    products = [
        ("EU-LCUUsage", "0.006", {"operation": "LoadBalancing:Network"}),
        ("EU-LCUUsage", "0.008", {"operation": "LoadBalancing:Application"}),
    ]
    for order in (products, products[::-1]):
        skus = read_offer(offer(*order) | {"offerCode": "AWSELB"}, "eu-west-1")
        prices = {sku.usage_type: sku.tiers[0].usd for sku in skus}
        assert prices["LCUUsage"] == Decimal("0.008")
        assert prices["EU-LCUUsage:LoadBalancing:Network"] == Decimal("0.006")


def test_the_names_that_are_ours_are_listed_and_used() -> None:
    assert {row.usage_type for row in entries()} >= OUR_NAMES
