"""Our estimators and prices reproduce what AWS's pages and infracost's golden tests print."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulations.experiments.aws_examples import EXAMPLES, PricingExample
from simulations.experiments.records import record
from simulations.experiments.worked_bills import NotUnderstood, not_priced, work, worked_bills
from simulations.experiments.worked_watch import quantity
from simulations.pricing import PriceList, billed_ms, lambda_usage

#: Examples of these services that wait for their usage types (EC2 under Lambda, MicroVMs, tenants).
LATER = {"lambda-lmi-1", "lambda-tenant-1", "lambda-microvm-1", "lambda-microvm-2"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_example_comes_out_to_the_cent(example: PricingExample) -> None:
    assert example.reproduced(), f"{example.bill().table()}\nexpected {example.expected_usd}"


def test_our_inputs_and_answers_are_the_gathered_ones(shared: Path) -> None:
    import yaml

    text = (shared.parent / "worked_examples.yaml").read_text(encoding="utf-8")
    gathered: dict[str, Any] = {one["id"]: one for one in yaml.safe_load(text)["examples"]}
    ours = {one.id: one for one in EXAMPLES}
    services = ("lambda", "lambda_edge", "lambda_microvm", "sqs", "sns")
    wanted = {
        name
        for name, one in gathered.items()
        if one["service"] in services and one["kind"] == "dollars"
    }
    assert wanted - LATER == set(ours)
    for name, one in ours.items():
        page = gathered[name]
        assert float(one.page_usd) == pytest.approx(page["expected_total_usd"], abs=1e-9)
        assert one.source == page["source"]["url"]
        # Exact to the last digit against the recomputed answer, not only to the cent.
        total = Decimal(repr(page["recomputed_total"]))
        assert abs(one.bill().total_usd - total) < Decimal("0.000001")
        assert (one.right_usd is None) == page["matches_page"]


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed"), [(133.61, 80.0, 214), (15.74, 130.49, 147)]
)
def test_billed_duration_of_aws_sample_lines(
    duration_ms: float, init_ms: float, billed: int
) -> None:
    """https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/."""
    assert billed_ms(duration_ms, init_ms) == billed


@pytest.mark.parametrize(
    ("memory_mb", "average_s", "published_usd"),
    [
        (128, 11.722, 0.024628),
        (256, 6.678, 0.028035),
        (512, 3.194, 0.026830),
        (1024, 1.465, 0.024638),
    ],
)
def test_memory_table_of_aws_operator_guide(
    memory_mb: int, average_s: float, published_usd: float
) -> None:
    """A thousand runs of AWS's example, within 0.1 %.

    https://docs.aws.amazon.com/lambda/latest/operatorguide/computing-power.html
    """
    bill = PriceList.load().bill(lambda_usage(1000, average_s * 1000, memory_mb))
    assert float(bill.total_usd) == pytest.approx(published_usd, rel=0.001)


def test_memory_table_is_the_gathered_one(shared: Path) -> None:
    text = (shared / "published" / "aws_docs_power_example.csv").read_text(encoding="utf-8")
    assert text.split()[1:] == [
        "128,11.722,0.024628", "256,6.678,0.028035", "512,3.194,0.026830", "1024,1.465,0.024638"
    ]  # fmt: skip


WORKED = record("worked_examples")["examples"]


def test_every_published_example_is_priced_to_the_cent() -> None:
    bills = worked_bills()
    assert not_priced() == {}
    assert len(bills) == sum(one["kind"] == "dollars" for one in WORKED) > 50
    assert {one.id: one.difference_usd for one in bills if one.difference_usd} == {}


def test_pages_that_differ_from_our_list_are_the_old_and_the_rounded_ones() -> None:
    """All others come out with our own prices: the page's are the same."""
    assert {one.id for one in worked_bills() if one.other_prices} == {
        "lambda-tenant-1", "lambda-legacy-128", "ddb-od-writes", "ddb-od-reads", "billing-blended"
    }  # fmt: skip


@pytest.mark.parametrize(
    "example", [one for one in WORKED if one["kind"] == "quantity"], ids=lambda one: one["id"]
)
def test_every_published_quantity_is_counted(example: dict[str, Any]) -> None:
    assert float(quantity(example)) == example["expected_value"]


def test_an_input_that_nobody_understands_is_not_left_out() -> None:
    example = next(one for one in WORKED if one["id"] == "ic-sqs-std")
    strange = example | {"inputs": example["inputs"] | {"moon_phase": 3}}
    with pytest.raises(NotUnderstood, match="moon_phase"):
        work(strange)
    assert list(not_priced([strange])) == ["ic-sqs-std"]
    with pytest.raises(NotUnderstood, match="no estimator for tarot"):
        work(example | {"service": "tarot"})


def test_the_record_is_the_gathered_list(shared: Path) -> None:
    import yaml

    text = (shared.parent / "worked_examples.yaml").read_text(encoding="utf-8")
    gathered = {one["id"]: one for one in yaml.safe_load(text)["examples"]}
    assert gathered.keys() == {one["id"] for one in WORKED}
    for one in WORKED:
        assert one == {name: gathered[one["id"]].get(name) for name in one}
