"""Free quantities a month: how much, of which pool, and for how long one has them.

May import: the standard library, `simulations.facts` and the rest of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from simulations.facts import fact
from simulations.pricing.entry import from_note
from simulations.pricing.pricelist import FreeTier
from simulations.pricing.usage import exact

LONGEST_MONTH_H = 744


@cache
def free_tiers() -> Mapping[str, FreeTier]:
    """By name of the pool; `months` is 0 for those that never end."""

    def stated(pool: str, id: str, part: str | None = None, months: int = 0) -> FreeTier:
        value = fact(id).value if part is None else fact(id)[part]
        return FreeTier(pool, exact(id, value), id, months)

    def noted(pool: str, id: str, pattern: str = r"after (\d+[kM]) free") -> FreeTier:
        return FreeTier(pool, from_note(id, pattern), id)

    def provisioned(pool: str, part: str) -> FreeTier:
        # So many units all month; the price list writes hours, of its longest month.
        units = exact(part, fact("ddb.price.free")[part])
        return FreeTier(pool, units * LONGEST_MONTH_H, "ddb.price.free")

    year = int(fact("apigw.price.free")["months"])
    tiers = (
        stated("Global-Request", "lambda.price.free.requests"),
        stated("Global-Lambda-GB-Second", "lambda.price.free.gbs"),
        stated("streaming", "lambda.price.streaming.free"),
        stated("Global-Requests", "sqs.price.free"),
        stated("SNS-Requests", "sns.free.publish"),
        noted("SNS-HTTP", "sns.price.delivery.http"),
        noted("SNS-email", "sns.price.delivery.email"),
        noted("Scheduler", "eb.price.scheduler", r"first (\d+M) per month free"),
        stated("StateTransitions", "sfn.price.free"),
        stated("CloudWatch-Logs", "cw.price.free", "logs_gb"),
        stated("CloudWatch-Metrics", "cw.price.free", "metrics"),
        stated("CloudWatch-Alarms", "cw.price.free", "alarms"),
        stated("CloudWatch-Dashboards", "cw.price.free", "dashboards"),
        stated("CloudWatch-Requests", "cw.price.free", "api_requests"),
        stated("CloudWatch-LiveTail", "cw.price.free", "live_tail_min"),
        stated("XRay-Traces", "xray.price", "free_recorded"),
        stated("DynamoDB-Storage", "ddb.price.free", "storage_gb"),
        provisioned("DynamoDB-Writes", "wcu"),
        provisioned("DynamoDB-Reads", "rcu"),
        stated("DynamoDB-Streams", "ddb.price.free", "streams_reads"),
        noted("DataTransfer-Out", "xfer.price.out", r"first (\d+) GB/month free"),
        stated("ApiGateway-REST", "apigw.price.free", "rest", year),
        stated("ApiGateway-HTTP", "apigw.price.free", "http", year),
        stated("ApiGateway-Messages", "apigw.price.free", "ws_messages", year),
        stated("ApiGateway-Minutes", "apigw.price.free", "ws_minutes", year),
    )
    return {tier.pool: tier for tier in tiers}
