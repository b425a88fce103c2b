"""Every estimator: what it uses has a price, grows with its input, and refuses nonsense."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from simulations.pricing import (
    PriceList,
    Usage,
    alarms_usage,
    durable_usage,
    edge_usage,
    eventbridge_usage,
    express_workflow_usage,
    http_api_usage,
    kinesis_on_demand_usage,
    kinesis_usage,
    log_volume_usage,
    managed_instances_usage,
    metrics_usage,
    microvm_usage,
    pipes_usage,
    rest_api_usage,
    s3_usage,
    scheduler_usage,
    snapstart_usage,
    standard_workflow_usage,
    tenant_usage,
    traces_usage,
    transfer_usage,
    websocket_usage,
)

PRICES = PriceList.load().with_instance("m7g.xlarge", 0.1632)
#: Each with one quantity left open, and everything else that it can be given.
ESTIMATORS: dict[str, Callable[[Any], Usage]] = {
    "edge": lambda n: edge_usage(n, 50, 256),
    "snapstart": lambda n: snapstart_usage(1024, hours=24, restores=n),
    "tenants": lambda n: tenant_usage(n, 512, "arm64"),
    "durable": lambda n: durable_usage(n, 5, 20, kept_days=30),
    "instances": lambda n: managed_instances_usage(n, "m7g.xlarge", 10),
    "microvms": lambda n: microvm_usage(n, 8, peak_share=0.1, written_gb=1, read_gb=1),
    "bus": lambda n: eventbridge_usage(
        n, 100, cross_account=1, api_destinations=1, archived_gb=1, archived_gb_months=1,
        replayed=1, discovered=1,
    ),
    "pipe": lambda n: pipes_usage(n, 10, batch=10),
    "scheduler": scheduler_usage,
    "stream": lambda n: kinesis_usage(
        2, 720, records=n, record_kb=30, extended_shard_hours=1, long_term_gb_months=1,
        long_term_read_gb=1, fan_out_gb=1, fan_out_shard_hours=1,
    ),
    "stream on demand": lambda n: kinesis_on_demand_usage(
        n, 1.5, stream_hours=720, fan_out_reads=1, kept_gb_months=1
    ),
    "stream in Advantage": lambda n: kinesis_on_demand_usage(n, 1.5, advantage=True),
    "REST": lambda n: rest_api_usage(
        n, cache_gb=6.1, cache_hours=720, zones=2, endpoint_hours=720, payload_kb=4
    ),
    "HTTP": lambda n: http_api_usage(n, 600),
    "WebSocket": lambda n: websocket_usage(n, 40, connection_minutes=100),
    "Standard": lambda n: standard_workflow_usage(n, 5, retries=0.1),
    "Express": lambda n: express_workflow_usage(n, 250, 100),
    "logs": lambda n: log_volume_usage(n, kept_gb_months=1, scanned_gb=1, live_tail_minutes=1),
    "metrics": lambda n: metrics_usage(n, share_of_month=0.5, asked=1),
    "alarms": lambda n: alarms_usage(
        n, high_resolution=1, composite=1, anomaly=1, anomaly_high_resolution=1,
        expression_metrics=2, dashboards=1,
    ),
    "traces": lambda n: traces_usage(n, read=1),
    "bucket": lambda n: s3_usage(n, puts=1, gets=1),
    "bucket, infrequent": lambda n: s3_usage(n, puts=1, gets=1, infrequent=True),
    "transfer": lambda n: transfer_usage(
        n, zones_gb=1, regions_gb=1, nat_gb=1, nat_hours=1, endpoint_gb=1, endpoint_zone_hours=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ESTIMATORS)
def test_all_that_is_used_has_a_price_and_more_of_it_costs_more(name: str) -> None:
    one, ten = (PRICES.bill(ESTIMATORS[name](n)) for n in (1000, 10_000))
    assert one.total_usd < ten.total_usd <= 10 * one.total_usd
    assert all(line.source and line.formula for line in ten)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, "3", None])
def test_nonsense_is_refused(name: str, wrong: object) -> None:
    with pytest.raises(ValueError, match="not possible"):
        ESTIMATORS[name](wrong)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: rest_api_usage(1, cache_gb=2), "cache_gb=2 is not possible.*0.5, 1.6"),
        (lambda: durable_usage(1, 1, kept_days=91), "kept_days"),
        (lambda: microvm_usage(1, 8, peak_times=5), "peak_times"),
        (lambda: log_volume_usage(1, kind="diary"), "kind='diary'"),
        (lambda: metrics_usage(1, share_of_month=2), "share_of_month"),
        (lambda: tenant_usage(1, 128, "sparc"), "architecture='sparc'"),
    ],
)
def test_what_a_service_does_not_sell_is_refused(call: Callable[[], Usage], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()


def test_snapstart_keeps_three_hours_at_least_and_costs_nothing_on_java() -> None:
    short, long = (snapstart_usage(1024, hours, 0) for hours in (0.5, 4))
    assert short["Lambda-SnapStart-Cached-GB-S"] == 3 * 3600
    assert long["Lambda-SnapStart-Cached-GB-S"] == 4 * 3600
    assert snapstart_usage(1024, 720, 1000, java=True) == {}


def test_the_fee_on_instances_is_of_the_price_on_demand_whatever_is_paid() -> None:
    usage = managed_instances_usage(0, "m7g.xlarge", 100)
    paid = PRICES.with_instance("m7g.xlarge", 0.1632, 0.0457).bill(usage)
    fee = "Lambda-Managed-Instances:m7g.xlarge"
    assert paid[fee].amount_usd == PRICES.bill(usage)[fee].amount_usd == Decimal("2.448")
    assert paid.total_usd == Decimal("2.448") + Decimal("4.57")


def test_a_gigabyte_between_zones_is_charged_on_both_sides() -> None:
    assert PRICES.bill(transfer_usage(zones_gb=100)).total_usd == 2
    assert PRICES.bill(transfer_usage(150), free_tier=True).total_usd == Decimal("4.5")
