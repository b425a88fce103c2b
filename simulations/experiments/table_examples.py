"""Published pricing examples of DynamoDB, run through our estimator and prices.

Inputs and answers are AWS's (or infracost's golden tests'), the words are ours. May import: the
standard library, `simulations.facts`, `simulations.pricing` and `aws_examples`.
"""

from __future__ import annotations

from decimal import Decimal

from simulations.experiments.aws_examples import INFRACOST, PricingExample
from simulations.facts import fact
from simulations.pricing import Usage, dynamodb_usage

ON_DEMAND_PAGE = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
PROVISIONED_PAGE = "https://aws.amazon.com/dynamodb/pricing/provisioned/"


def _then(kind: str) -> float:
    """The price on demand until November 2024, which the page's copy bears."""
    return float(fact(f"ddb.price.ondemand.{kind}.2024")["usd"])


def _example(
    name: str,
    words: str,
    usage: Usage,
    page_usd: str,
    source: str = ON_DEMAND_PAGE,
    prices: dict[str, float] | None = None,
    free_tier: bool = False,
    note: str = "",
) -> PricingExample:
    return PricingExample(
        name, words, usage, Decimal(page_usd), source, free_tier, prices=prices or {}, note=note
    )


TABLE_EXAMPLES: tuple[PricingExample, ...] = (
    _example(
        "ddb-od-writes", "42.177 M write units, price until November 2024",
        dynamodb_usage(writes=42_177_000), "52.72",
        prices={"WriteRequestUnits": _then("write")},
    ),
    _example(
        "ddb-od-reads", "42.177 M read units, price until November 2024",
        dynamodb_usage(reads=42_177_000, consistency="strong"), "10.54",
        prices={"ReadRequestUnits": _then("read")},
    ),
    _example(
        "ddb-od-storage", "27 GB stored, 25 of them free",
        dynamodb_usage(storage_gb=27), "0.50", free_tier=True,
    ),
    _example(
        "ddb-od-backup", "60 GB of backups, a quarter of them deleted after 10 of 30 days",
        dynamodb_usage(backup_gb_months=45 + 15 * 10 / 30), "5.00",
    ),
    _example(
        "ddb-od-pitr", "point-in-time recovery of 27 GB",
        Usage({"TimedPITRStorage-ByteHrs": 27}), "5.40",
    ),
    _example("ddb-od-restore", "29 GB restored", dynamodb_usage(restored_gb=29), "4.35"),
    _example(
        "ddb-od-cdc", "42.177 M changes captured to Kinesis",
        dynamodb_usage(kinesis_changes=42_177_000), "4.22",
    ),
    _example("ddb-od-export", "29 GB exported to S3", dynamodb_usage(exported_gb=29), "2.90"),
    _example(
        "ddb-od-dax", "three cache nodes for five days",
        dynamodb_usage(dax_node_hours=3 * 120), "14.40",
    ),
    _example(
        "ddb-od-global-transfer", "66 GB replicated to another region",
        dynamodb_usage(transferred_gb=41 + 25), "5.94",
        note="rounds 40.22 GB of writes up to 41 GB",
    ),
    _example(
        "ddb-prov-day", "114 write and 114 read units provisioned for a day",
        dynamodb_usage(wcu=114, rcu=114, hours=24), "2.1341", PROVISIONED_PAGE,
    ),
    _example(
        "ic-ddb-od", "on demand, 230 GB, with recovery, backups, a restore and a stream",
        dynamodb_usage(
            writes=3_000_000, reads=8_000_000, consistency="strong", storage_gb=230,
            backup_gb_months=460, restored_gb=230, stream_reads=2_000_000,
        )
        + {"TimedPITRStorage-ByteHrs": 2300},
        "601.28", INFRACOST,
    ),
    _example(
        "ic-ddb-prov", "20 write and 30 read units provisioned for a month",
        dynamodb_usage(wcu=20, rcu=30), "12.34", INFRACOST,
    ),
)  # fmt: skip
