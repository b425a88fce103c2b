"""A record in, a bill out, line by line; what cannot be priced or read is named and counted."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import Function, Lognormal, Poisson, Simulation
from simulations.pricing import PriceList, usage
from simulations.telemetry import (
    bill_of_cur,
    bill_of_metrics,
    bill_of_reports,
    format_report,
    parse_metrics,
    reports,
)

PRICES = PriceList.load()


def stream(namespace: str, name: str, total: float, count: float = 1, **dimensions: str) -> str:
    """A record of a metric stream in JSON (CloudWatch User Guide)."""
    return json.dumps(
        {
            "metric_stream_name": "all", "account_id": "123456789012", "region": "us-east-1",
            "namespace": namespace, "metric_name": name, "dimensions": dimensions,
            "timestamp": 1_795_426_200_000,
            "value": {"count": count, "sum": total, "max": total, "min": 0}, "unit": "Count",
        }
    )  # fmt: skip


QUERIES = [
    {"Id": "calls", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations",
     "Dimensions": [{"Name": "FunctionName", "Value": "F"}]}, "Period": 300, "Stat": "Sum"}},
    {"Id": "lasts", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Duration",
     "Dimensions": [{"Name": "FunctionName", "Value": "F"}]}, "Period": 300, "Stat": "Sum"}},
    {"Id": "table", "MetricStat": {"Metric": {"Namespace": "AWS/DynamoDB",
     "MetricName": "ProvisionedReadCapacityUnits",
     "Dimensions": [{"Name": "TableName", "Value": "T"}]}, "Period": 3600, "Stat": "Average"}},
]  # fmt: skip
ANSWER: dict[str, Any] = {
    "MetricDataResults": [
        {"Id": "calls", "Label": "F Invocations", "Timestamps": ["t", "t"],
         "Values": [1e6, 2e6], "StatusCode": "Complete"},
        {"Id": "lasts", "Label": "F Duration", "Timestamps": ["t", "t"],
         "Values": [1.2e8, 2.4e8], "StatusCode": "PartialData"},
        {"Id": "table", "Label": "T", "Timestamps": ["t"], "Values": [5, 5, 10],
         "StatusCode": "Complete"},
    ],
    "Messages": [],
}  # fmt: skip


def test_reports_of_a_simulated_function_cost_what_the_simulation_costs() -> None:
    """Text and JSON, mixed with lines in another language, cut ones and a hostile one."""

    def handler(event: Any, context: Any) -> Any:
        yield context.call("partner", mean_ms=200, cv=0.5)

    sim = Simulation(seed=4)
    f = Function(sim, "F", handler, memory_mb=1536, init_s=Lognormal(0.3, 0.2))
    trace = sim.run(Poisson(2.0) >> f, duration_s=300)
    found = reports(trace)
    lines: list[str | bytes] = []
    for one in found:
        lines += [f"START RequestId: {one.request_id}", "Bestellung angenommen für 3 Äpfel"]
        record = {
            "durationMs": one.duration_ms, "billedDurationMs": one.billed_ms,
            "memorySizeMB": one.memory_mb, "maxMemoryUsedMB": 90,
        }  # fmt: skip
        if one.init_ms is not None:
            record["initDurationMs"] = one.init_ms
        event = {"time": "2026-11-23T09:30:00.125Z", "type": "platform.report",
                 "record": {"requestId": one.request_id, "metrics": record}}  # fmt: skip
        lines.append(json.dumps(event) if one.billed_ms % 2 else format_report(one))
    cut = format_report(found[0])[:60]
    hostile = 'REPORT RequestId: __import__("os").system("true") Duration: 1e999 ms'
    told = bill_of_reports([*lines, cut, hostile, b"\xff\xfe=cmd|' /C calc'!A0"])
    assert told.bill.total_usd == PRICES.bill(usage(trace)).total_usd
    assert (told.read, len(told.unreadable)) == (len(found), 2)
    assert told.other == 2 * len(found) + 1
    assert "2 unreadable" in str(told) and "line" in str(told)


def test_restores_that_only_some_runtimes_pay_are_named() -> None:
    line = ("REPORT RequestId: 4f9e Duration: 5.00 ms Billed Duration: 44 ms Memory Size: 2048 MB"
            " Restore Duration: 300.00 ms Billed Restore Duration: 39 ms")  # fmt: skip
    told = bill_of_reports([line, line])
    assert told.not_priced == ("2 restores of 4 GB: free on Java, not on other runtimes",)
    assert told.bill["Lambda-GB-Second"].quantity == Decimal("0.176")


def test_the_answer_of_get_metric_data_becomes_a_bill() -> None:
    """3 million calls of 120 ms at 1,536 MB: the example of AWS's pricing page."""
    told = bill_of_metrics(ANSWER, queries=QUERIES, memory_mb={"F": 1536}, free_tier=True)
    assert told.bill["Request"].quantity == 3_000_000
    assert told.bill["Lambda-GB-Second"].quantity == 540_000
    assert told.bill["ReadCapacityUnit-Hrs"].quantity == 20
    lambda_usd = told.bill["Request"].amount_usd + told.bill["Lambda-GB-Second"].amount_usd
    assert lambda_usd == Decimal("2.733338")
    assert told.unreadable == ("the answer: F Duration is not complete (PartialData)",)
    same = bill_of_metrics(json.dumps(ANSWER).encode(), queries=QUERIES, memory_mb=1536)
    assert same.bill["Lambda-GB-Second"].quantity == 540_000


def test_labels_say_enough_where_the_queries_are_gone() -> None:
    told = bill_of_metrics(ANSWER, memory_mb=1536)
    assert told.bill["Request"].quantity == 3_000_000
    assert told.not_priced == ("T (Sum 20): no price goes by this metric",)


def test_a_metric_stream_counts_nothing_twice() -> None:
    """Lambda sends each metric by function, by version and for all functions together."""
    lines = [
        stream("AWS/Lambda", "Invocations", 10, 10, FunctionName="F"),
        stream("AWS/Lambda", "Invocations", 10, 10, FunctionName="F", Resource="F:live"),
        stream("AWS/Lambda", "Invocations", 15, 15),
        stream("AWS/Lambda", "Invocations", 5, 5, FunctionName="G"),
        stream("AWS/Lambda", "Duration", 2000, 10, FunctionName="F"),
        stream("AWS/Lambda", "Duration", 500, 5, FunctionName="G"),
        stream("AWS/Lambda", "Errors", 1, 15, FunctionName="F"),
        stream("AWS/SQS", "NumberOfMessagesSent", 100, 60, QueueName="q"),
        stream("AWS/SQS", "NumberOfEmptyReceives", 7, 60, QueueName="q"),
        stream("AWS/SNS", "NumberOfMessagesPublished", 3, 3, TopicName="t"),
        stream("AWS/DynamoDB", "ConsumedWriteCapacityUnits", 40, 9, TableName="T"),
        stream("AWS/DynamoDB", "ConsumedWriteCapacityUnits", 4, 9, TableName="T",
               GlobalSecondaryIndexName="I"),
        stream("AWS/ApiGateway", "Count", 9, 9, ApiId="a1"),
        stream("AWS/Logs", "IncomingBytes", 2**30, 9, LogGroupName="/aws/lambda/F"),
        stream("AWS/EC2", "CPUUtilization", 12.5, 1, InstanceId="i-1"),
        '{"namespace": "AWS/La', "not JSON at all", '{"metric_name": "Duration", "value": 3}',
        stream("AWS/Lambda", "Duration", -1, 1, FunctionName="F"),
        "[" * 100_000,
    ]  # fmt: skip
    told = bill_of_metrics(lines, memory_mb={"F": 512})
    used = {line.usage_type: line.quantity for line in told.bill}
    assert used["Request"] == 15
    assert used["Lambda-GB-Second"] == 1
    assert used["Requests-RBP"] == 107
    assert used["Requests-Tier1"] == 3
    assert used["WriteRequestUnits"] == 44
    assert used["USE1-ApiGatewayHttpRequest"] == 9
    assert used["USE1-VendedLog-Bytes"] == 1
    named = " / ".join(told.not_priced)
    assert "AWS/Lambda Duration G (Sum 500): memory_mb is not given" in named
    assert "AWS/Lambda Errors F" in named and "AWS/EC2 CPUUtilization i-1" in named
    assert len(told.not_priced) == 3
    assert len(told.unreadable) == 6  # the -1 is refused as sum and as smallest value
    assert any("Duration leaves INIT" in note for note in told.notes)


def test_batched_messages_are_fewer_calls() -> None:
    line = stream("AWS/SQS", "NumberOfMessagesReceived", 100, 60, QueueName="q")
    told = bill_of_metrics([line], messages_per_call=10)
    assert told.bill["Requests-RBP"].quantity == 10


CONSOLE = """Label,Orders Invocations,Orders Duration
Id,m1,m2
Statistic,Sum,Sum
Period,300,300
2026/11/23 09:00:00,1000,120000
2026/11/23 09:05:00,2000,
2026/11/23 09:10:00,,240000.5
"""
LONG = """timestamp,Namespace,MetricName,FunctionName,Statistic,Value
2026-11-23T09:00Z,AWS/Lambda,Invocations,Orders,Sum,3000
2026-11-23T09:00Z,AWS/Lambda,Duration,Orders,Sum,360000.5
2026-11-23T09:00Z,AWS/Lambda,Duration,Orders,Average,120
2026-11-23T09:00Z,AWS/Lambda,Duration
2026-11-23T09:00Z,AWS/Lambda,Invocations,Orders,Sum,=1+1
"""


@pytest.mark.parametrize(("text", "unreadable"), [(CONSOLE, 0), (LONG, 2)])
def test_csv_of_a_graph_and_csv_of_datapoints(text: str, unreadable: int) -> None:
    for source in (text, text.encode(), text.splitlines(), "\ufeff" + text):
        told = bill_of_metrics(source, memory_mb=1024)
        assert told.bill["Request"].quantity == 3000
        assert told.bill["Lambda-GB-Second"].quantity == Decimal("360.0005")
        assert len(told.unreadable) == unreadable


@settings(max_examples=150, deadline=None)
@given(st.one_of(
    st.text(max_size=300), st.binary(max_size=300),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
            st.sampled_from(("MetricDataResults", "Values", "Label", "Datapoints", "metric_name",
                             "value", "dimensions", "sum", "count")), inner, max_size=4),
        max_leaves=20,
    ).map(json.dumps),
    st.lists(st.sampled_from([*CONSOLE.splitlines(), *LONG.splitlines(), '"', ",,,"])),
))  # fmt: skip
def test_whatever_is_handed_in_is_read_or_counted(source: Any) -> None:
    told = bill_of_metrics(source, memory_mb=128)
    assert told.bill.total_usd >= 0
    assert bill_of_reports(source).bill.total_usd >= 0


def test_a_half_answer_is_no_silent_bill() -> None:
    text = json.dumps(ANSWER)
    found = parse_metrics(text[: len(text) // 2])
    assert (len(found), found.unreadable) == (0, 1)
    page: dict[str, Any] = {**ANSWER, "NextToken": "abc"}
    more = parse_metrics(page, QUERIES)
    assert "more pages follow" in more.reasons[0]


HEADER = "lineItem/LineItemType,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount"


def test_a_report_of_several_regions_is_billed_for_one_and_names_the_others() -> None:
    told = bill_of_cur(
        [
            HEADER,
            "Usage,AWSLambda,Request,1000000",
            "Usage,AWSLambda,USE1-Lambda-GB-Second,1000",
            "Usage,AWSLambda,EUC1-Request,5",
            "Usage,AWSLambda,XYZ9-Request,6",
            'Usage,AmazonEC2,"BoxUsage:t3.micro",720',
            "Usage,AWSLambda,Request,-4",
            "Usage,AWSLambda,Request,lots",
            'Usage,AWSLambda,"Request',
            "Usage,AWSLambda,Request,2000000",
            "Tax,AWSLambda,,0",
            "",
        ]
    )
    assert told.bill["Request"].quantity == 3_000_000
    assert told.bill["Lambda-GB-Second"].quantity == 1000
    assert told.not_priced == (
        "AWSLambda:EUC1-Request: 5", "AWSLambda:XYZ9-Request: 6", "AmazonEC2:BoxUsage:t3.micro: 720",
    )  # fmt: skip
    assert (told.read, len(told.unreadable), told.other) == (6, 3, 1)


def test_a_report_of_a_region_is_priced_with_its_own_list() -> None:
    from dataclasses import replace

    there = replace(PRICES, region="eu-central-1")
    lines = [HEADER, "Usage,AWSLambda,EUC1-Request,5", "Usage,AWSLambda,Request,7"]
    told = bill_of_cur(lines, prices=there)
    assert told.bill["Request"].quantity == 5
    assert told.not_priced == ("AWSLambda:Request: 7",)
