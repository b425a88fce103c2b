"""Estimators: plain inputs become usage by the services' documented rules."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.pricing import (
    PriceList,
    billed_ms,
    idle_receives,
    lambda_usage,
    logs_usage,
    sns_usage,
    sqs_usage,
)

durations = st.floats(0, 900_000, allow_nan=False)


@given(durations, durations, st.sampled_from([1, 100]))
def test_billed_time_is_rounded_up_by_less_than_a_step(
    duration_ms: float, init_ms: float, step: int
) -> None:
    billed = billed_ms(duration_ms, init_ms, round_ms=step)
    assert billed % step == 0
    assert -1e-4 <= billed - (duration_ms + init_ms) < step
    assert billed_ms(duration_ms, init_ms, init_billed=False) == billed_ms(duration_ms)


@given(st.integers(0, 900_000), st.floats(0, 3e6))
def test_a_clock_that_has_run_for_a_month_adds_no_millisecond(ms: int, start_s: float) -> None:
    """Times are differences of large floats; 100 ms must not become 101."""
    end_s = start_s + ms / 1000
    assert billed_ms(max(0.0, (end_s - start_s) * 1000)) == ms


@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, "3", None])
def test_impossible_durations_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="duration_ms"):
        billed_ms(wrong)
    with pytest.raises(ValueError, match="init_ms"):
        billed_ms(1, wrong)
    with pytest.raises(ValueError, match="round_ms"):
        billed_ms(1, round_ms=0)


def test_cold_starts_are_billed_their_init() -> None:
    usage = lambda_usage(100, 49.2, 1024, cold_share=0.01, init_ms=999.5)
    assert usage["Lambda-GB-Second"] == Decimal("5.999")  # 99 × 50 ms + 1049 ms
    before = lambda_usage(100, 49.2, 1024, cold_share=0.01, init_ms=999.5, init_billed=False)
    assert before["Lambda-GB-Second"] == 5


def test_twelve_milliseconds_were_billed_as_a_hundred_until_2020() -> None:
    now, then = (lambda_usage(1, 12, 1024, round_ms=step) for step in (None, 100))
    assert then["Lambda-GB-Second"] / now["Lambda-GB-Second"] == Decimal(100) / 12


def test_only_storage_above_512_mb_is_used() -> None:
    assert "Lambda-Storage-GB-Second" not in lambda_usage(10, 1000, 128, ephemeral_mb=512)
    usage = lambda_usage(10, 1000, 128, "arm64", ephemeral_mb=1536)
    assert usage["Lambda-Storage-GB-Second-ARM"] == 10


@pytest.mark.parametrize(
    ("event_kb", "requests"), [(0, 1), (256, 1), (256.1, 2), (320, 2), (321, 3), (1024, 13)]
)
def test_large_asynchronous_events_count_more_than_once(event_kb: float, requests: int) -> None:
    assert lambda_usage(1, 1, 128, event_kb=event_kb)["Request"] == requests


def test_provisioned_time_is_rounded_up_to_five_minutes() -> None:
    usage = lambda_usage(0, 100, 1024, provisioned_concurrency=2, provisioned_hours=0.01)
    assert usage["Lambda-Provisioned-Concurrency"] == 2 * 300
    whole = lambda_usage(0, 100, 1024, provisioned_concurrency=1, provisioned_hours=1 / 12)
    assert whole["Lambda-Provisioned-Concurrency"] == 300


def test_streamed_bytes_count_beyond_the_first_six_megabytes() -> None:
    name = "Lambda-Streaming-Response-Processed-Bytes"
    assert name not in lambda_usage(1000, 1, 128, streamed_mb=6)
    assert lambda_usage(1024, 1, 128, streamed_mb=7)[name] == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"requests": -1}, "requests"),
        ({"duration_ms": math.nan}, "duration_ms"),
        ({"memory_mb": 127}, "memory_mb=127.*128 and 10240.*docs.aws.amazon.com"),
        ({"memory_mb": 10241}, "memory_mb"),
        ({"architecture": "sparc"}, "architecture='sparc' is none of x86_64, arm64"),
        ({"ephemeral_mb": 511}, "ephemeral_mb"),
        ({"cold_share": 1.01}, "cold_share"),
        ({"event_kb": 1025}, "event_kb"),
        ({"streamed_mb": -1}, "streamed_mb"),
        ({"provisioned_hours": -1}, "provisioned_hours"),
        ({"provisioned_concurrency": -1}, "provisioned_concurrency"),
    ],
)
def test_impossible_inputs_name_themselves(change: dict[str, float], named: str) -> None:
    inputs = {"requests": 1, "duration_ms": 100, "memory_mb": 128} | change
    with pytest.raises(ValueError, match=named):
        lambda_usage(**inputs)  # type: ignore[arg-type]


def test_a_message_through_a_queue_is_three_requests_and_less_in_batches() -> None:
    assert sqs_usage(messages=1000)["Requests-RBP"] == 3000
    assert sqs_usage(messages=1000, receive_batch=10)["Requests-RBP"] == 1200
    assert sqs_usage(messages=1000, send_batch=10, receive_batch=10)["Requests-RBP"] == 300
    # A mapping may collect 100 messages for one invocation; a receive call brings ten.
    assert sqs_usage(messages=1000, receive_batch=100) == sqs_usage(messages=1000, receive_batch=10)


def test_payload_counts_by_64_kilobytes_and_a_batch_by_its_sum() -> None:
    assert sqs_usage(messages=10, message_kb=64)["Requests-RBP"] == 30
    assert sqs_usage(messages=10, message_kb=65)["Requests-RBP"] == 50  # deletes carry none
    assert sqs_usage(messages=10, message_kb=20, receive_batch=10)["Requests-RBP"] == 10 + 4 + 1


def test_kinds_of_queue_have_their_usage_types() -> None:
    assert set(sqs_usage(1, fifo=True)) == {"Requests-FIFO-RBP"}
    assert set(sqs_usage(1, fair=True)) == {"Requests-RBP", "Requests-Fair-RBP"}
    with pytest.raises(ValueError, match="fair"):
        sqs_usage(1, fair=True, fifo=True)
    with pytest.raises(ValueError, match="message_kb"):
        sqs_usage(messages=1, message_kb=1025)
    with pytest.raises(ValueError, match="send_batch"):
        sqs_usage(messages=1, send_batch=11)


def test_an_idle_mapping_polls_for_a_quarter_of_a_dollar_a_month() -> None:
    receives = idle_receives(hours=30 * 24)
    assert receives == 5 * 3 * 60 * 24 * 30
    bill = PriceList.load().bill(sqs_usage(empty_receives=receives))
    assert bill.total_usd == Decimal("0.2592")
    assert idle_receives(1, pollers=2, wait_s=1) == 7200


def test_topics_count_publishes_and_deliveries() -> None:
    usage = sns_usage(10, payload_kb=65, deliveries={"sqs": 30, "email": 10})
    assert usage["Requests-Tier1"] == 20
    assert usage["DeliveryAttempts-SQS"] == 30
    assert usage["DeliveryAttempts-SMTP"] == 10
    fifo = sns_usage(1024 * 1024, payload_kb=1, fifo=True, deliveries={"sqs": 2 * 1024 * 1024})
    assert fifo["F-Ingress-Tier1"] == 1
    assert fifo["F-Egress-SQS"] == 2
    with pytest.raises(ValueError, match="'pigeon'"):
        sns_usage(1, deliveries={"pigeon": 1})
    with pytest.raises(ValueError, match="payload_kb"):
        sns_usage(1, payload_kb=257)


def test_logs_are_written_once_and_kept_for_months() -> None:
    usage = logs_usage(1024 * 1024, 2, months_kept=3, compressed_share=0.5)
    assert usage["USE1-VendedLog-Bytes"] == 2
    assert usage["TimedStorage-ByteHrs"] == 3
    assert PriceList.load().bill(usage).total_usd == Decimal("1.09")
    with pytest.raises(ValueError, match="compressed_share"):
        logs_usage(1, 1, months_kept=1, compressed_share=2)
