"""At a break-even two full bills agree to the cent; beside it the sign is the right one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.experiments import break_even as shown
from simulations.experiments.dynamodb_cost import break_even as of_tables
from simulations.experiments.provisioned_concurrency import break_even as of_provisioned
from simulations.facts import fact
from simulations.pricing import (
    PriceList,
    batch_that_pays,
    glue_dearer_than_direct_ms,
    http_dearer_than_rest_kb,
)
from simulations.pricing.crossings import (
    Crossing,
    crossings,
    express_or_standard,
    glue_or_direct,
    http_or_rest,
    lambda_or_servers,
    provisioned_or_on_demand,
    queue_and_batches,
    table_mode,
    url_or_http,
)

PRICES = PriceList.load()
CENT = Decimal("0.01")
memory = st.integers(128, 10_240)
chip = st.sampled_from(("x86_64", "arm64"))

every = st.one_of(
    st.builds(provisioned_or_on_demand, st.floats(1, 900_000), memory, chip),
    st.builds(table_mode, st.sampled_from(("write", "read"))),
    st.builds(
        lambda_or_servers, st.floats(1, 60_000), memory,
        on=st.sampled_from(("containers", "instances")), servers=st.integers(1, 100),
    ),
    st.builds(http_or_rest),
    st.builds(url_or_http, memory, chip),
    st.builds(glue_or_direct, memory, chip),
    st.builds(
        express_or_standard, st.integers(1, 25), st.integers(1, 3072), st.floats(1e3, 1e9)
    ),
    st.builds(queue_and_batches, st.floats(1, 5000), st.floats(1, 5000), memory, chip),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(every)
def test_both_bills_agree_where_they_cross_and_only_there(crossing: Crossing) -> None:
    at = crossing.solve()
    if at is None:
        assert crossing.difference(crossing.high) <= 0
        return
    if at == crossing.low:
        assert crossing.difference(at) > 0
        return
    left, right = crossing.left(at), crossing.right(at)
    assert abs(left.total_usd - right.total_usd) < CENT / 2
    below = crossing.low + (at - crossing.low) * 0.98
    above = at + (crossing.high - at) * 0.02
    assert crossing.difference(below) < 0 < crossing.difference(above)


def test_prices_by_hand_give_the_same_break_evens() -> None:
    """Each from prices alone, without a bill."""
    gb_s = fact("lambda.price.duration.x86.tiers")[0]["usd"]
    request = fact("lambda.price.request").number
    rest, http = fact("apigw.price.rest")[0]["usd"], fact("apigw.price.http")[0]["usd"]
    solved = {one.id: one.solve() for one in crossings()}
    ready = provisioned_or_on_demand()
    assert solved["provisioned"] == pytest.approx(of_provisioned() * ready.high)
    assert solved["table-write"] == pytest.approx(100 * of_tables("write"))
    assert solved["table-read"] == pytest.approx(100 * of_tables("read"))
    assert solved["rest"] == pytest.approx(rest / http)
    assert solved["url"] == pytest.approx(1000 * http / gb_s * 8)
    assert solved["direct"] == pytest.approx(1000 * (rest - http - request) / gb_s * 8)
    hour = 2 * (0.5 * fact("fargate.price")["vcpu_h_usd"] + fact("fargate.price")["gb_h_usd"])
    balancer = fact("elb.price.alb")
    month = 730 * (hour + balancer["hour_usd"] + balancer["lcu_h_usd"])
    assert solved["containers"] == pytest.approx(month / (http + request + 0.05 * gb_s))


def test_the_whole_numbers_lie_just_above_the_crossings() -> None:
    direct, rest, batch = (
        one.solve() for one in (glue_or_direct(512), http_or_rest(), queue_and_batches(50, 10, 512))
    )
    assert direct and rest and batch
    assert glue_dearer_than_direct_ms(512) == int(direct) + 1
    assert http_dearer_than_rest_kb() == int(rest) * 512 + 1
    assert batch_that_pays(50, 10, 512) == int(batch) + 1


def test_other_prices_move_the_crossing() -> None:
    dear = PRICES.with_prices({"USE1-ApiGatewayRequest": 7e-6})
    assert http_or_rest(dear).solve() == pytest.approx(7)
    price = PRICES["WriteRequestUnits"].tiers[0].usd
    twice = PRICES.with_prices({"WriteRequestUnits": 2 * price})  # as before November 2024
    assert table_mode("write", twice).solve() == pytest.approx(50 * of_tables("write"))


EXPERIMENTS = [
    shown.kept_ready, shown.paying_modes, shown.few_servers, shown.api_kinds, shown.bare_url,
    shown.function_between, shown.workflow_kinds, shown.batches,
]  # fmt: skip


@pytest.mark.parametrize("run", EXPERIMENTS, ids=lambda run: str(run.name))
def test_the_curves_cross_at_the_solved_point(run: Any) -> None:
    result = run()
    left, right, point = result.series
    at = result["at"]
    assert point.x == (at,) and len(left.x) == len(right.x) > 100
    assert result[left.name] == pytest.approx(result[right.name])
    for x, one, other in zip(left.x, left.y, right.y, strict=True):
        if abs(x - at) > 1e-9 * at:
            assert (one < other) == (x < at)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: table_mode("scan"), "kind='scan'"),
        (lambda: lambda_or_servers(on="mainframes"), "on='mainframes'"),
        (lambda: lambda_or_servers(servers=0), "servers=0"),
        (lambda: provisioned_or_on_demand(0), "duration_ms=0"),
        (lambda: queue_and_batches(0), "overhead_ms=0"),
        (lambda: express_or_standard(0), "transitions=0"),
        (lambda: glue_or_direct(64).solve(), "memory_mb=64"),
    ],
)
def test_an_impossible_comparison_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_never_crosses_has_no_point() -> None:
    result = shown.workflow_kinds(transitions=25)
    assert len(result.series) == 2 and "at" not in result.numbers
