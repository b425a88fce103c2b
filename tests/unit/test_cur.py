"""Lines of a Cost and Usage Report: priced, or named; a line is never lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.pricing import PriceList, usage_of_cur

HEADER = (
    "identity/LineItemId,lineItem/LineItemType,lineItem/ProductCode,lineItem/UsageType,"
    "lineItem/UsageAmount"
)
REPORT = [
    HEADER,
    "a,Usage,AWSLambda,Request,3000000.0000000000",
    "b,Usage,AWSLambda,Lambda-GB-Second,540000",
    "c,Usage,AmazonSNS,EU-Requests-Tier1,1",
    "d,Usage,AmazonS3,EU-Requests-Tier1,10",
    "e,Usage,AmazonApiGateway,EU-ApiGatewayHttpRequest,5",
    'f,Usage,AmazonEC2,"BoxUsage:t3.micro",720',
    "g,Tax,AWSLambda,,0",
    "h,Credit,AWSLambda,Request,-3",
]


def test_a_report_becomes_a_bill_line_by_line_and_what_has_no_price_is_named() -> None:
    told = usage_of_cur(REPORT)
    assert told.usage["AmazonSNS:Requests-Tier1"] == 1
    assert told.usage["AmazonS3:Requests-Tier1"] == 10
    assert told.usage["USE1-ApiGatewayHttpRequest"] == 5
    assert told.not_priced == {"AmazonEC2:BoxUsage:t3.micro": 720}
    assert (told.lines, told.skipped) == (6, {"Tax": 1, "Credit": 1})
    bill = PriceList.load().bill(told.usage)
    assert bill["Request"].amount_usd == Decimal("0.6")
    assert bill["Lambda-GB-Second"].amount_usd == Decimal("9.000018")


def test_the_newer_reports_columns_are_read_too() -> None:
    row = {
        "line_item_line_item_type": "Usage", "line_item_product_code": "AWSQueueService",
        "line_item_usage_type": "EUC1-Requests-RBP", "line_item_usage_amount": "7",
    }  # fmt: skip
    assert usage_of_cur([row, row]).usage == {"Requests-RBP": 14}
    assert usage_of_cur([]).lines == 0


@pytest.mark.parametrize(
    ("line", "named"),
    [("a,Usage,AWSLambda,Request,-1", "line 1"), ("a,Usage,AWSLambda,Request,NaN", "line 1"),
     ("a,Usage,AWSLambda,Request,many", "'many', no number"),
     ("a,Usage,AWSLambda", "line 1 has no column")],
)  # fmt: skip
def test_an_impossible_line_names_itself(line: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        usage_of_cur([HEADER, line])


@given(st.lists(st.tuples(st.sampled_from(["Request", "Moonshine"]), st.integers(0, 10**6))))
def test_no_usage_is_lost_between_priced_and_not_priced(pairs: list[tuple[str, int]]) -> None:
    told = usage_of_cur([HEADER, *(f"x,Usage,AWSLambda,{name},{n}" for name, n in pairs)])
    assert told.lines == len(pairs)
    counted = sum(told.usage.values()) + sum(told.not_priced.values())
    assert counted == sum(n for _, n in pairs)
