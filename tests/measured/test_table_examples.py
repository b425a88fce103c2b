"""DynamoDB's estimator and prices reproduce what AWS's pages and infracost's tests print."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulations.experiments.aws_examples import PricingExample
from simulations.experiments.table_examples import TABLE_EXAMPLES
from simulations.pricing import PriceList, dynamodb_usage
from simulations.services.table import read_units, write_units


@pytest.fixture(scope="module")
def gathered(shared: Path) -> dict[str, Any]:
    """Return the gathered examples of DynamoDB, by id."""
    import yaml

    text = (shared.parent / "worked_examples.yaml").read_text(encoding="utf-8")
    return {
        one["id"]: one for one in yaml.safe_load(text)["examples"] if one["service"] == "dynamodb"
    }


@pytest.mark.parametrize("example", TABLE_EXAMPLES, ids=lambda example: example.id)
def test_example_comes_out_to_the_cent(example: PricingExample) -> None:
    assert example.reproduced(), f"{example.bill().table()}\nexpected {example.expected_usd}"


def test_our_inputs_and_answers_are_the_gathered_ones(gathered: dict[str, Any]) -> None:
    ours = {one.id: one for one in TABLE_EXAMPLES}
    assert set(ours) == {name for name, one in gathered.items() if one["kind"] == "dollars"}
    for name, one in ours.items():
        page = gathered[name]
        assert float(one.page_usd) == pytest.approx(page["expected_total_usd"], abs=1e-9)
        assert one.source == page["source"]["url"]
        total = Decimal(repr(page["recomputed_total"]))
        assert abs(one.bill().total_usd - total) < Decimal("0.000001")


def test_units_of_the_pages_examples(gathered: dict[str, Any]) -> None:
    ours = {
        "q-ddb-rru-8k-strong": read_units(8 * 1024, "strong"),
        "q-ddb-rru-8k-ev": read_units(8 * 1024, "eventual"),
        "q-ddb-wru-3k": write_units(3 * 1024),
    }
    assert ours.keys() == {name for name, one in gathered.items() if one["kind"] == "quantity"}
    for name, units in ours.items():
        assert units == gathered[name]["expected_value"]


@pytest.mark.parametrize(("years", "saving"), [(1, 0.54), (3, 0.77)])
def test_reserved_capacity_saves_what_the_guide_states(years: int, saving: float) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/reserved-capacity.html."""
    prices = PriceList.load()
    full = prices.bill(dynamodb_usage(wcu=100)).total_usd
    term = prices.bill(dynamodb_usage(wcu=100, reserved_wcu=100, term_years=years)).total_usd
    assert float(1 - term / full) == pytest.approx(saving, abs=0.005)


def test_prices_of_october_2024_are_the_doubled_ones() -> None:
    then, now = PriceList.load(as_of="2024-10-31"), PriceList.load()
    usage = dynamodb_usage(writes=1_000_000, reads=1_000_000, consistency="strong")
    assert then.bill(usage).total_usd == Decimal("1.5") == 2 * now.bill(usage).total_usd
    copied = dynamodb_usage(writes=1_000_000, replicas=1)
    assert then.bill(copied).total_usd == 3 * now.bill(copied).total_usd
