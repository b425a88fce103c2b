"""Prices and bills: exact, tiered, dated; what has no price is refused, never free."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.facts import fact
from simulations.pricing import MissingPrice, PriceList, Tier, Usage
from simulations.pricing.pricelist import Sku

PRICES = PriceList.load()
quantities = st.decimals(0, 10**13, places=6, allow_nan=False)


def test_every_price_is_the_facts_price_with_its_date_and_source() -> None:
    assert len(PRICES.skus) > 25
    for sku in PRICES.skus.values():
        made_from = fact(sku.facts[0])
        assert (sku.as_of, sku.source) == (made_from.as_of, made_from.source)
        if isinstance(made_from.value, float) and "1,000" not in made_from.unit:
            assert float(sku.tiers[0].usd) == made_from.value
    tiers = PRICES["Lambda-GB-Second-ARM"].tiers
    assert [str(t.usd) for t in tiers] == ["0.0000133334", "0.0000120001", "0.0000106667"]
    assert [t.up_to for t in tiers] == [7_500_000_000, 18_750_000_000, None]
    assert PRICES["USE1-VendedLog-Bytes"].tiers[0].up_to == 10 * 1024  # terabytes to gigabytes


def test_usage_types_are_those_of_the_price_list() -> None:
    for usage_type in fact("pl.usage.lambda").value:
        assert PRICES[usage_type].usage_type == usage_type


@pytest.mark.parametrize("name", ["Requets", "", "lambda-gb-second", "AmazonEC2:Requests-Tier1"])
def test_unknown_usage_type_is_refused(name: str) -> None:
    with pytest.raises(MissingPrice, match="no price"):
        PRICES.bill({name: 1})


def test_region_or_time_without_prices_is_refused() -> None:
    with pytest.raises(MissingPrice, match="eu-central-1"):
        PriceList.load("eu-central-1")
    with pytest.raises(MissingPrice, match="oldest that the facts hold"):
        PriceList.load(as_of="2014-11-13")
    with pytest.raises(ValueError, match="later than the facts"):
        PriceList.load(as_of="2031-01-01")
    with pytest.raises(ValueError, match="no date"):
        PriceList.load(as_of="yesterday")


def test_a_price_younger_than_the_day_asked_for_is_missing() -> None:
    then = PriceList.load(as_of="2025-12-31")
    assert then["AmazonSNS:Requests-Tier1"].as_of == "2024-12-04"
    with pytest.raises(MissingPrice, match="as of 2025-12-31"):
        then.bill({"Lambda-GB-Second": 1})


def test_tiers_meet_at_their_bounds() -> None:
    below = PRICES.bill({"Lambda-GB-Second": 6_000_000_000})
    above = PRICES.bill({"Lambda-GB-Second": 6_000_000_001})
    assert len(below["Lambda-GB-Second"].tiers) == 1
    assert above.total_usd - below.total_usd == Decimal("0.000015")
    assert PRICES.bill({"Lambda-GB-Second": 15_000_000_000}).total_usd == Decimal("235000.2")


def test_free_tier_is_shared_by_both_architectures_and_taken_once() -> None:
    usage = {"Lambda-GB-Second": 300_000, "Lambda-GB-Second-ARM": 300_000}
    bill = PRICES.bill(usage, free_tier=True)
    assert bill["Lambda-GB-Second"].free == 300_000
    assert bill["Lambda-GB-Second-ARM"].free == 100_000
    assert bill.total_usd == 200_000 * Decimal("0.0000133334")
    assert (
        PRICES.bill({"Lambda-Provisioned-GB-Second": 10}, True)["Lambda-Provisioned-GB-Second"].free
        == 0
    )  # fact lambda.price.pc.free_tier


def test_free_tiers_are_as_the_facts_state_them() -> None:
    bill = PRICES.bill(
        {
            "Request": 5_000_000,
            "Requests-RBP": 5_000_000,
            "AmazonSNS:Requests-Tier1": 5_000_000,
            "DeliveryAttempts-HTTP": 5_000_000,
            "DeliveryAttempts-SMTP": 5_000_000,
            "DeliveryAttempts-SQS": 5_000_000,
        },
        free_tier=True,
    )
    free = {line.usage_type: int(line.free) for line in bill}
    assert free["Request"] == free["Requests-RBP"] == free["Requests-Tier1"] == 1_000_000
    assert (free["DeliveryAttempts-HTTP"], free["DeliveryAttempts-SMTP"]) == (100_000, 1_000)
    assert bill["DeliveryAttempts-SQS"].amount_usd == 0


def test_free_quantities_can_be_named() -> None:
    usage = {"Request": 2_000_000, "Lambda-GB-Second": 500_000}
    some = PRICES.bill(usage, ["Global-Request"])
    assert some["Request"].free == 1_000_000
    assert some["Lambda-GB-Second"].free == 0
    # A year's gift to new accounts is not among those that never end.
    calls = {"USE1-ApiGatewayHttpRequest": 1_000_000}
    assert PRICES.bill(calls, free_tier=True).total_usd == 1
    assert PRICES.bill(calls, "ApiGateway-HTTP").total_usd == 0
    with pytest.raises(ValueError, match="'Global-Requets'"):
        PRICES.bill(usage, ["Global-Requets"])


@given(quantities, quantities)
def test_splitting_a_bill_never_makes_it_cheaper(a: Decimal, b: Decimal) -> None:
    """Tiers fall with volume: two accounts apart pay at least what they pay together."""
    for name in ("Lambda-GB-Second", "Requests-RBP"):
        together = PRICES.bill({name: a + b}).total_usd
        apart = PRICES.bill({name: a}).total_usd + PRICES.bill({name: b}).total_usd
        assert together <= apart


@given(quantities)
def test_lines_tiers_and_total_agree_to_the_last_digit(quantity: Decimal) -> None:
    bill = PRICES.bill({"Lambda-GB-Second": quantity, "Request": quantity}, free_tier=True)
    for line in bill:
        assert line.free + sum(t.quantity for t in line.tiers) == line.quantity
        assert sum(t.amount_usd for t in line.tiers) == line.amount_usd
        assert all(t.quantity * t.usd == t.amount_usd for t in line.tiers)
    assert sum(line.amount_usd for line in bill) == bill.total_usd


@pytest.mark.parametrize("quantity", [-1, -1e-9, float("nan"), float("inf"), "3", None, True, [1]])
def test_impossible_quantity_is_refused(quantity: object) -> None:
    with pytest.raises(ValueError, match="quantity of Request"):
        PRICES.bill({"Request": quantity})


def test_a_quantity_in_another_unit_is_refused() -> None:
    right = {"Request": (2_000_000, "requests"), "Lambda-GB-Second": (10, "GB-s")}
    assert PRICES.bill(right) == PRICES.bill({"Request": 2_000_000, "Lambda-GB-Second": 10})
    for wrong in ("GB", "million requests", "", None):
        with pytest.raises(ValueError, match="it is sold by 'request'"):
            PRICES.bill({"Request": (2, wrong)})


def test_other_prices_can_be_put_in() -> None:
    cheaper = PRICES.with_prices({"Lambda-GB-Second": (1e-05, 9e-06, 8e-06), "Request": 0})
    assert cheaper.bill({"Lambda-GB-Second": 100, "Request": 9}).total_usd == Decimal("0.001")
    flat = PRICES.with_prices({"Requests-RBP": [(1000, 0.0), (None, 1.0)]})
    assert flat.bill({"Requests-RBP": 1001}).total_usd == 1
    assert flat["Requests-RBP"].as_of is None
    assert PRICES["Requests-RBP"].as_of is not None  # the list it came from is untouched
    with pytest.raises(ValueError, match="3 tiers, 2 prices"):
        PRICES.with_prices({"Lambda-GB-Second": (1e-05, 9e-06)})
    with pytest.raises(MissingPrice):
        PRICES.with_prices({"Lambda-GB-Minute": 1})
    with pytest.raises(ValueError, match="price of Request"):
        PRICES.with_prices({"Request": -1})


def test_tiers_that_do_not_rise_are_refused() -> None:
    sku = PRICES["Request"]
    for tiers in ((), (Tier(Decimal(5), Decimal(1)),), (Tier(None, Decimal(1)),) * 2):
        with pytest.raises(ValueError, match="tiers of Request"):
            Sku(sku.usage_type, sku.service, "", "", tiers, "", None, None, sku.source, ())


def test_a_line_explains_itself() -> None:
    line = PRICES.bill({"Lambda-GB-Second": 7_000_000_000})["Lambda-GB-Second"]
    assert line.formula == (
        "7,000,000,000 GB-s: 6,000,000,000 × $0.0000166667 + 1,000,000,000 × $0.000015"
        " = $115,000.20"
    )
    assert line.as_of == "2026-09-19"
    assert "AWS Price List" in line.source
    assert line.price_usd == Decimal("115000.2") / 7_000_000_000
    table = PRICES.bill({"Request": 1_500_000, "Lambda-GB-Second": 12.5}).table()
    assert "1,500,000 request" in table
    assert "2026-09-19" in table
    *_, total, source = table.splitlines()
    assert total.split() == ["total", "$0.30"]
    assert source.startswith("[1] AWS Price List")


def test_cost_of_a_million_requests() -> None:
    bill = PRICES.bill({"Request": 250_000, "Lambda-GB-Second": 1000})
    assert bill.per_million(250_000) == bill.total_usd * 4
    assert bill.by_service() == {"AWSLambda": bill.total_usd}
    with pytest.raises(ValueError, match="requests=0"):
        bill.per_million(0)
    with pytest.raises(KeyError, match="no line 'Requests-RBP'"):
        bill["Requests-RBP"]


@given(st.lists(st.tuples(st.sampled_from(["Request", "Requests-RBP"]), quantities)))
def test_usage_adds_up_in_any_order(pairs: list[tuple[str, Decimal]]) -> None:
    total = Usage()
    for pair in pairs:
        total = total + Usage([pair])
    assert total == Usage(pairs) == Usage(reversed(pairs))


def test_usage_with_a_shared_name_is_found_by_its_short_form() -> None:
    usage = Usage({"AmazonSNS:Requests-Tier1": 3})
    assert usage["Requests-Tier1"] == 3
    both = usage + {"AmazonS3:Requests-Tier1": 1}
    with pytest.raises(KeyError):
        both["Requests-Tier1"]
    with pytest.raises(MissingPrice, match="sold by several services"):
        PRICES.bill({"Requests-Tier1": 3})


def test_a_million_lines_of_usage_are_billed_in_seconds() -> None:
    pairs = [("Lambda-GB-Second", 0.125), ("Request", 1)] * 500_000
    begin = time.perf_counter()
    bill = PRICES.bill(Usage(pairs))
    assert time.perf_counter() - begin < 10  # about 1 s here; the margin is for busy machines
    assert bill.total_usd == 62_500 * Decimal("0.0000166667") + Decimal("0.1")
