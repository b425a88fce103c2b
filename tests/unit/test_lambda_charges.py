"""Every other charge on the shop's month, by hand; and the month in every architecture."""

from __future__ import annotations

import pytest

from simulations.experiments import lambda_charges as charges
from simulations.experiments.lambda_cost import PerOrder
from simulations.facts import fact

ORDERS = 10_000_000
ORDER = PerOrder(1000.0, 15.0, 0.0, 0.5, 512, log_kb=5.0)
GB_S = ORDERS * 1.0155 / 2
MONTH_S = 30 * 86_400


def by_hand() -> dict[str, float]:
    """What each charge adds to a month, from prices alone."""
    durable = fact("lambda.price.durable")
    written_gb = ORDERS * charges.STEPS * charges.STATE_KB / 1024**2
    tenants = charges.TENANTS * 30
    lmi = fact("ec2.price.m6i_large")["hour_usd"] * charges.INSTANCES * 720
    duration = GB_S * fact("lambda.price.duration.x86.tiers")[0]["usd"]
    edge_gb_s = ORDERS * 1.016 / 2  # each rounded up to a whole millisecond
    return {
        "more /tmp": GB_S * 2 * fact("lambda.price.ephemeral").number,
        "streamed answers": ORDERS * 4 / 1024 * fact("lambda.price.streaming").number,
        "large events": ORDERS * fact("lambda.price.request").number,
        "an environment kept ready": MONTH_S / 2 * fact("lambda.price.pc.x86").number,
        "SnapStart": MONTH_S / 2 * fact("lambda.price.snapstart.cache").number
        + ORDERS * 0.001 / 2 * fact("lambda.price.snapstart.restore").number,
        "an environment a tenant": tenants / 2 * fact("lambda.price.tenant_isolation")["x86"],
        "provisioned pollers": 2 * 720 * fact("lambda.price.esm.sqs_epu").number,
        "durable steps": ORDERS * charges.STEPS * durable["usd_per_operation"]
        + written_gb * durable["usd_per_gb_written"]
        + written_gb * 14 / 30 * durable["usd_per_gb_month_retained"],
        "Lambda@Edge": ORDERS * fact("lambda.price.edge.request").number
        + edge_gb_s * fact("lambda.price.edge.gbs").number
        - ORDERS * fact("lambda.price.request").number
        - duration,
        "Managed Instances": 1.15 * lmi - duration,
    }


def test_each_charge_is_what_its_price_says() -> None:
    plain = float(ORDER.bill(ORDERS).total_usd)
    found = charges.variants(ORDER, ORDERS)
    expected = by_hand()
    assert [one.name for one in found] == list(expected)
    for one in found:
        more = float(one.bill.total_usd) - plain
        assert more == pytest.approx(expected[one.name], rel=1e-6), one.name
        assert one.metering and one.who


def test_every_architecture_has_the_same_door_and_logs() -> None:
    bills = charges.architecture_bills(orders_m=10, log_kb=5)
    for bill in bills.values():
        assert bill["USE1-ApiGatewayHttpRequest"].quantity == ORDERS
        assert bill["USE1-VendedLog-Bytes"].quantity == pytest.approx(ORDERS * 5 / 1024**2)
    result = charges.architectures_month()
    for name, bill in bills.items():
        assert result[name] == pytest.approx(float(bill.total_usd))
