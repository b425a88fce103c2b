"""The order system: its outcomes, what every architecture has in common, honest losses."""

from __future__ import annotations

import math

import pytest

from simulations.orders import (
    ARCHITECTURES,
    DATABASE,
    MAIL,
    PAYMENTS,
    PROVIDERS,
    STOCK,
    TITLES,
    Shop,
    outcomes,
    run_orders,
)  # fmt: skip
from simulations.orders.shop import settled_s
from simulations.workload import Poisson, Recorded

EVERY = tuple(ARCHITECTURES)
DECOUPLED = ("B1", "B10", "C")


def first_calls(architecture: str, provider: str) -> dict[int, float]:
    trace = run_orders(architecture, Shop(warm=True), duration_s=30, seed=9)
    return {row.request: row.end_s - row.start_s for row in trace.spans_of(provider, "call")}


@pytest.mark.parametrize("provider", [PAYMENTS, DATABASE, MAIL])
def test_an_orders_first_call_takes_equally_long_in_every_architecture(provider: str) -> None:
    times = [first_calls(architecture, provider) for architecture in EVERY]
    assert len(times[0]) > 500
    for other in times[1:]:
        assert other.keys() == times[0].keys()
        assert all(math.isclose(other[k], times[0][k], abs_tol=1e-9) for k in other)


@pytest.mark.parametrize("architecture", EVERY)
def test_without_faults_every_order_is_confirmed_or_declined(architecture: str) -> None:
    trace = run_orders(architecture, Shop(with_sms=True), duration_s=60, seed=4)
    found = outcomes(trace)
    assert found.confirmed + found.declined == found.orders == len(trace.requests)
    assert found.lost == found.double_charged == found.charged_not_confirmed == 0
    assert found.declined / found.orders == pytest.approx(0.03, abs=0.02)
    assert len(found.confirmed_s) == found.confirmed
    assert len(settled_s(trace)) == found.orders
    # Every confirmed order has its text message, every declined one its stock released.
    assert len(list(trace.spans_of("SMS provider"))) == found.confirmed
    stock = [row.outcome for row in trace.spans_of("stock reservations")]
    assert len(stock) == found.orders + found.declined


def test_the_same_orders_are_declined_everywhere_but_late_where_decoupled() -> None:
    declined = set()
    for architecture in EVERY:
        trace = run_orders(architecture, duration_s=60, seed=4)
        declined.add(frozenset(r.request for r in trace.spans_of("orders", outcome="declined")))
        found = outcomes(trace)
        assert found.late_rejections == (found.declined if architecture in DECOUPLED else 0)
        assert found.told_no == (0 if architecture in DECOUPLED else found.declined)
    assert len(declined) == 1


def test_decoupled_answers_sooner_and_confirms_later() -> None:
    coupled, decoupled = (outcomes(run_orders(a, duration_s=60, seed=4)) for a in ("A1", "B1"))
    assert decoupled.answer_s.mean() < coupled.answer_s.mean() / 20
    assert decoupled.confirmed_s.mean() > decoupled.answer_s.mean()


@pytest.mark.parametrize("architecture", EVERY)
def test_an_outage_of_the_mail_provider_loses_orders_only_where_coupled(architecture: str) -> None:
    shop = Shop(outages=((MAIL, 10.0, 40.0),), declined_share=0.0)
    found = outcomes(run_orders(architecture, shop, duration_s=60, seed=4))
    if architecture in DECOUPLED:
        assert (found.lost, found.told_no) == (0, 0)
        assert found.confirmed == found.orders
    else:
        assert found.lost == found.told_no == pytest.approx(30 * 20, rel=0.1)
        assert found.charged_not_confirmed == found.lost


@pytest.mark.parametrize("architecture", ["B1", "C"])
def test_a_declined_order_gives_its_stock_back_even_if_that_fails_at_first(
    architecture: str,
) -> None:
    """Every declined order ends with two calls to the stock that succeeded: aside and back."""
    shop = Shop(warm=True, declined_share=0.5, failure=0.3, max_receive_count=None, timeout_s=5.0)
    trace = run_orders(architecture, shop, duration_s=20.0, seed=4)
    succeeded: dict[int, int] = {}
    for call in trace.spans_of(STOCK, "call", "ok"):
        succeeded[call.request] = succeeded.get(call.request, 0) + 1
    declined = [row.request for row in trace.spans_of("orders", outcome="declined")]
    assert len(declined) > 100
    assert all(succeeded[order] >= 2 for order in declined)


def test_duplicates_charge_twice_unless_payments_are_idempotent() -> None:
    shop = Shop(duplicate_share=0.2, declined_share=0.0)
    naive = outcomes(run_orders("B1", shop, duration_s=60, seed=4))
    assert naive.double_charged / naive.orders == pytest.approx(0.2, abs=0.05)
    assert naive.surplus_charges == naive.double_charged
    safe = outcomes(run_orders("B1", shop.but(idempotent_payment=True), duration_s=60, seed=4))
    assert safe.double_charged == 0


def test_after_five_failures_an_order_is_dead_lettered_and_counted_as_lost() -> None:
    shop = Shop(failure=0.5, after_effect_share=0.0, declined_share=0.0)
    trace = run_orders("B1", shop, duration_s=60, seed=4)
    found = outcomes(trace)
    dead = sum(row.outcome == "dead_lettered" for row in trace.spans.rows())
    # Each of four queues loses an order with probability 1 / 32; either branch may lose it.
    assert found.lost / found.orders == pytest.approx(1 - (31 / 32) ** 4, abs=0.03)
    assert dead >= found.lost


def test_a_limited_database_is_waited_for_in_every_architecture() -> None:
    shop = Shop(database_connections=1, declined_share=0.0)
    for architecture in EVERY:
        trace = run_orders(architecture, shop, Poisson(10), duration_s=30, seed=4)
        assert trace.header["peaks"][DATABASE] == 1


def test_a_reserved_front_door_throttles() -> None:
    shop = Shop(reserved_concurrency=2, warm=True)
    trace = run_orders("A0", shop, Recorded((0.0,) * 5), duration_s=10)
    assert trace.requests.outcomes()["throttled"] == 3


def test_every_architecture_has_a_title() -> None:
    assert set(TITLES) == set(ARCHITECTURES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"declined_share": 1.5}, r"declined_share=1\.5"),
        ({"failure": -0.1}, r"failure=-0\.1"),
        ({"authorize_ms": 0}, "authorize_ms=0"),
        ({"email_cv": -1}, "email_cv=-1"),
        ({"send_ms": -1}, "send_ms=-1"),
        ({"outages": (("bank", 0.0, 1.0),)}, "'bank' is none of " + ", ".join(PROVIDERS)),
        ({"outages": ((MAIL, 5.0, 1.0),)}, "outages"),
    ],
)
def test_an_impossible_shop_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Shop(**settings)  # type: ignore[arg-type]


def test_impossible_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="architecture='Z' is none of A0, A1, B1, B10, C"):
        run_orders("Z")
    with pytest.raises(ValueError, match="duration_s=0"):
        run_orders("A0", duration_s=0)
    with pytest.raises(ValueError, match="exceeds visibility_timeout_s=5 "):
        run_orders("B1", Shop(visibility_timeout_s=5), duration_s=1)
