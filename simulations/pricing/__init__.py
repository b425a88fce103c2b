"""Prices, usage and bills: what a system costs, line by line, dated and sourced.

Usage comes from plain inputs (`lambda_usage`, `sqs_usage`, `sns_usage`, `logs_usage`) or from a
trace (`usage`); `PriceList.load().bill(...)` prices it. May import: the standard library,
`simulations.facts`, `simulations.trace`.

Examples
--------
>>> prices = PriceList.load()
>>> month = lambda_usage(requests=3_000_000, duration_ms=120, memory_mb=1536)
>>> print(prices.bill(month, free_tier=True).total_usd)
2.733338
"""

from simulations.pricing.bill import Bill, Line
from simulations.pricing.billed import billed_ms
from simulations.pricing.estimators import (
    idle_receives,
    lambda_usage,
    logs_usage,
    sns_usage,
    sqs_usage,
)
from simulations.pricing.pricelist import MissingPrice, PriceList, Sku, Tier
from simulations.pricing.trace_usage import usage
from simulations.pricing.usage import Usage

__all__ = [
    "Bill",
    "Line",
    "MissingPrice",
    "PriceList",
    "Sku",
    "Tier",
    "Usage",
    "billed_ms",
    "idle_receives",
    "lambda_usage",
    "logs_usage",
    "sns_usage",
    "sqs_usage",
    "usage",
]
