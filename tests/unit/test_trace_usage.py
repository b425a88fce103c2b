"""Usage from a trace: every invocation and message is billed once, none is lost."""

from __future__ import annotations

import math
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations import (
    EventSourceMapping,
    Function,
    Poisson,
    Queue,
    Regular,
    Simulation,
    Topic,
    Trace,
)
from simulations.pricing import MissingPrice, PriceList, billed_ms, usage
from simulations.telemetry import format_report, parse_reports, reports, usage_of_reports
from simulations.trace import MissingColumn

# outcome, start, INIT and duration in seconds
spans = st.lists(
    st.tuples(
        st.sampled_from(["ok", "error", "timeout", "throttled", "unfinished"]),
        st.floats(0, 1e6),
        st.floats(0, 10),
        st.floats(0, 900),
    ),
    max_size=30,
)


def made(rows: list[tuple[str, float, float, float]], **config: Any) -> Trace:
    """A trace with one function and these invocations."""
    trace = Trace()
    settings = {"type": "Function", "memory_mb": 512, "architecture": "x86_64"} | config
    trace.header["components"]["F"] = settings
    for number, (outcome, start_s, init_s, duration_s) in enumerate(rows):
        end_s = math.nan if outcome == "unfinished" else start_s + duration_s
        environment = -1 if outcome == "throttled" else 0
        trace.spans.append(
            (
                number, -1, number, trace.code("F"), trace.code("invoke"), environment, 1,
                start_s, start_s, init_s, end_s, trace.code(outcome), 1.0, 1.0,
            )
        )  # fmt: skip
    return trace


@given(spans)
def test_usage_of_a_trace_is_the_sum_over_its_invocations(
    rows: list[tuple[str, float, float, float]],
) -> None:
    ended = [row for row in rows if row[0] not in ("throttled", "unfinished")]
    total_ms = sum(
        billed_ms(((start + duration) - start) * 1000, init * 1000)
        for _, start, init, duration in ended
    )
    used = usage(made(rows))
    assert used["Request"] == len(ended)
    assert used["Lambda-GB-Second"] == Decimal(total_ms) / 2000


@given(spans)
def test_the_bill_is_the_bill_of_the_report_lines(
    rows: list[tuple[str, float, float, float]],
) -> None:
    """Simulated and recorded functions are billed by the same numbers."""
    trace = made(rows)
    lines = [format_report(one) for one in reports(trace)]
    assert usage_of_reports(parse_reports(lines)) == usage(trace)


def test_rules_of_another_time_can_be_applied() -> None:
    trace = made([("ok", 0.0, 0.3, 0.012), ("ok", 1.0, 0.0, 0.012)])
    gb_s = "Lambda-GB-Second"
    assert usage(trace)[gb_s] == Decimal("0.162")
    assert usage(trace, init_billed=False)[gb_s] == Decimal("0.012")
    assert usage(trace, init_billed=False, round_ms=100)[gb_s] == Decimal("0.1")
    zipped = made([("ok", 0.0, 0.3, 0.012)], init_billed=False)
    assert usage(zipped)[gb_s] == Decimal("0.006")


def test_arm_and_ephemeral_storage_come_from_the_configuration() -> None:
    used = usage(made([("ok", 0.0, 0.0, 1.0)], architecture="arm64", ephemeral_mb=1536))
    assert used["Lambda-GB-Second-ARM"] == Decimal("0.5")
    assert used["Lambda-Storage-GB-Second-ARM"] == 1


def test_what_cannot_be_billed_is_refused() -> None:
    trace = made([])
    trace.header["components"]["orders"] = {"type": "Stream"}
    with pytest.raises(MissingPrice, match="orders is a Stream"):
        usage(trace)
    bare = Trace()
    bare.header["components"]["F"] = {"type": "Function"}
    with pytest.raises(MissingPrice, match=r"F cannot be billed.*memory_mb"):
        usage(bare)


def test_a_trace_without_a_column_refuses() -> None:
    class Recorded(Trace):
        """A recorded trace that knows no INIT times."""

    trace = Recorded()
    trace.header["components"]["F"] = {"type": "Function", "memory_mb": 128}
    del trace.spans._columns["init_s"]
    with pytest.raises(MissingColumn, match="init_s"):
        usage(trace)


def test_a_simulated_system_pays_for_what_it_did() -> None:
    """Throttled invocations are free, batches are one delete, empty receives are billed."""

    def submit(order: int, context: Any) -> Any:
        yield context.compute(ms=15)
        yield topic.publish(order)

    def work(messages: Any, context: Any) -> Any:
        yield context.compute(ms=40)

    sim = Simulation(seed=3)
    queue = Queue(sim, "emails", visibility_timeout_s=60)
    worker = Function(sim, "Email", work, memory_mb=256, timeout_s=5, init_s=0.2)
    EventSourceMapping(sim, queue, worker, batch_size=10)
    topic = Topic(sim, "news").subscribe(queue)
    front = Function(sim, "Submit", submit, memory_mb=1024, init_s=0.3, reserved_concurrency=1)
    trace = sim.run(Poisson(rate_per_s=5) >> front, duration_s=600)

    used = usage(trace)
    assert front.throttled > 0
    ended = [s for s in trace.spans_of("Submit", "invoke") if s.outcome == "ok"]
    batches = list(trace.spans_of("Email", "invoke"))
    assert used["Request"] == len(ended) + len(batches)
    warm = [s for s in ended if s.init_s == 0]
    gb_s = Decimal(15 * len(warm) + 315 * (len(ended) - len(warm))) / 1000
    cold_batches = sum(s.init_s > 0 for s in batches)
    gb_s += Decimal(40 * len(batches) + 200 * cold_batches) / 4000
    assert used["Lambda-GB-Second"] == gb_s
    assert used["Requests-Tier1"] == len(ended) == queue.sent
    empty = sum(
        row.units
        for row in trace.meters.rows()
        if (row.component, row.operation) == ("emails", "empty_receive")
    )
    assert empty > 0
    receives_and_deletes = used["Requests-RBP"] - Decimal(empty) - queue.sent
    assert Decimal(2 * queue.sent) / 10 <= receives_and_deletes <= 2 * queue.sent
    assert PriceList.load().bill(used).total_usd > 0


def test_a_timeout_is_billed_up_to_the_timeout() -> None:
    def hang(order: int, context: Any) -> Any:
        yield context.compute(ms=60_000)

    sim = Simulation(seed=1)
    function = Function(sim, "Hang", hang, memory_mb=1024, timeout_s=3)
    trace = sim.run(Regular(interval_s=10) >> function, duration_s=100)
    used = usage(trace)
    assert used["Lambda-GB-Second"] == 3 * used["Request"]
    assert {one.status for one in reports(trace)} == {"timeout"}


def test_half_a_million_spans_take_a_moment() -> None:
    trace = made([("ok", 1.0, 0.0, 0.1), ("ok", 2.0, 0.5, 0.25)] * 250_000)
    trace.pack()
    begin = time.perf_counter()
    used = usage(trace)
    assert time.perf_counter() - begin < 5  # about 0.3 s here; the margin is for busy machines
    assert used["Request"] == 500_000
    assert used["Lambda-GB-Second"] == Decimal(250_000 * (100 + 750)) / 2000
