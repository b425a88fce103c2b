"""Break-evens lie where the two costs cross, checked by hand on the prices of the facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.facts import fact
from simulations.pricing import (
    PriceList,
    batch_that_pays,
    express_dearer_than_standard_ms,
    express_workflow_usage,
    glue_dearer_than_direct_ms,
    http_dearer_than_rest_kb,
    standard_workflow_usage,
)

PRICES = PriceList.load()


def test_an_http_call_is_dearer_from_its_fourth_increment_on() -> None:
    rest, http = fact("apigw.price.rest")[0]["usd"], fact("apigw.price.http")[0]["usd"]
    assert rest / http == 3.5
    assert http_dearer_than_rest_kb() == 3 * 512 + 1
    assert http_dearer_than_rest_kb(PRICES.with_prices({"USE1-ApiGatewayRequest": 1})) is None


def test_glue_costs_as_much_as_rest_when_its_duration_makes_up_the_difference() -> None:
    spare = fact("apigw.price.rest")[0]["usd"] - fact("apigw.price.http")[0]["usd"]
    spare -= fact("lambda.price.request").number
    ms = 1000 * spare / fact("lambda.price.duration.x86.tiers")[0]["usd"] * 1024 / 512
    assert glue_dearer_than_direct_ms(512) == int(ms) + 1


@given(st.integers(1, 25))
def test_express_and_standard_cost_the_same_at_the_break_even(transitions: int) -> None:
    ms = express_dearer_than_standard_ms(transitions, executions=100_000)
    standard = PRICES.bill(standard_workflow_usage(100_000, transitions)).total_usd

    def express(duration_ms: int) -> object:
        return PRICES.bill(express_workflow_usage(100_000, duration_ms)).total_usd

    if ms is None:
        assert express(300_000) <= standard  # type: ignore[operator]
    else:
        assert express(ms - 1) <= standard < express(ms)  # type: ignore[operator]


def test_a_batch_pays_when_it_saves_more_than_the_queue_costs() -> None:
    """By hand: 0.70 USD a million without; 0.48 + 1.42 / batch with."""
    assert batch_that_pays(50, 10, 512) == 7
    assert batch_that_pays(1, 10, 128) is None
    with pytest.raises(ValueError, match="overhead_ms"):
        batch_that_pays(0, 10, 128)
