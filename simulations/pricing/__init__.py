"""Prices, usage and bills: what a system costs, line by line, dated and sourced.

Usage comes from plain inputs (one estimator a service: `lambda_usage`, `sqs_usage` ...) or from
a trace (`usage`); `PriceList.load().bill(...)` prices it, `month` scales a run to a month first.
May import: the standard library, `simulations.facts`, `simulations.stats`, `simulations.trace`.

Examples
--------
>>> prices = PriceList.load()
>>> month = lambda_usage(requests=3_000_000, duration_ms=120, memory_mb=1536)
>>> print(prices.bill(month, free_tier=True).total_usd)
2.733338
"""

from simulations.pricing.bill import Bill, Line
from simulations.pricing.billed import billed_ms, rules_as_of
from simulations.pricing.breakeven import (
    batch_that_pays,
    express_dearer_than_standard_ms,
    glue_dearer_than_direct_ms,
    http_dearer_than_rest_kb,
)
from simulations.pricing.cur import ReportedUsage, usage_of_cur
from simulations.pricing.estimators import (
    idle_receives,
    lambda_usage,
    logs_usage,
    sns_usage,
    sqs_usage,
)
from simulations.pricing.estimators_calls import (
    eventbridge_usage,
    express_workflow_usage,
    http_api_usage,
    kinesis_on_demand_usage,
    kinesis_usage,
    pipes_usage,
    rest_api_usage,
    scheduler_usage,
    standard_workflow_usage,
    websocket_usage,
)
from simulations.pricing.estimators_lambda import (
    durable_usage,
    edge_usage,
    managed_instances_usage,
    microvm_usage,
    snapstart_usage,
    tenant_usage,
)
from simulations.pricing.estimators_table import dynamodb_usage
from simulations.pricing.estimators_watch import (
    alarms_usage,
    log_volume_usage,
    metrics_usage,
    s3_usage,
    traces_usage,
    transfer_usage,
)
from simulations.pricing.month import MonthlyBill, month
from simulations.pricing.offers import BadPriceList, read_offer, write_offer
from simulations.pricing.pricelist import MissingPrice, PriceList, Sku, StalePrice, Tier
from simulations.pricing.trace_usage import usage
from simulations.pricing.usage import Usage

__all__ = [
    "BadPriceList",
    "Bill",
    "Line",
    "MissingPrice",
    "MonthlyBill",
    "PriceList",
    "ReportedUsage",
    "Sku",
    "StalePrice",
    "Tier",
    "Usage",
    "alarms_usage",
    "batch_that_pays",
    "billed_ms",
    "durable_usage",
    "dynamodb_usage",
    "edge_usage",
    "eventbridge_usage",
    "express_dearer_than_standard_ms",
    "express_workflow_usage",
    "glue_dearer_than_direct_ms",
    "http_api_usage",
    "http_dearer_than_rest_kb",
    "idle_receives",
    "kinesis_on_demand_usage",
    "kinesis_usage",
    "lambda_usage",
    "log_volume_usage",
    "logs_usage",
    "managed_instances_usage",
    "metrics_usage",
    "microvm_usage",
    "month",
    "pipes_usage",
    "read_offer",
    "rest_api_usage",
    "rules_as_of",
    "s3_usage",
    "scheduler_usage",
    "snapstart_usage",
    "sns_usage",
    "sqs_usage",
    "standard_workflow_usage",
    "tenant_usage",
    "traces_usage",
    "transfer_usage",
    "usage",
    "usage_of_cur",
    "websocket_usage",
    "write_offer",
]
