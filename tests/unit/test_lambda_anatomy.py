"""The chapter on a function's anatomy: its record is what counting, the model and a live run say."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from simulations.aws.runtime import LocalRuntime
from simulations.experiments.lambda_anatomy import (
    billed_per_call,
    modeled,
    predicted_ms,
    stays,
    thread_ticks,
)
from simulations.experiments.records import record
from simulations.telemetry import format_report, parse_reports

KEPT = record("lambda_anatomy")
RUNS = KEPT["variants"]


@pytest.mark.parametrize(("variant", "loads"), [("outside", 3), ("inside", 20), ("importing", 3)])
def test_loads_are_counted_and_the_bill_follows_from_the_count(variant: str, loads: int) -> None:
    run = RUNS[variant]
    assert (len(run["calls"]), run["environments"], run["loads"]) == (20, 3, loads)
    assert run["billed_ms"] == sum(call["billed_ms"] for call in run["calls"])
    # Real processes are late, never early; 10 % is what a busy machine adds.
    assert 0.98 * predicted_ms(variant) < run["billed_ms"] < 1.1 * predicted_ms(variant)


def test_a_load_taken_out_of_the_handler_is_saved_in_all_calls_but_the_first_of_each() -> None:
    saved_ms = RUNS["inside"]["billed_ms"] - RUNS["outside"]["billed_ms"]
    assert saved_ms == pytest.approx((20 - 3) * 1000 * KEPT["load_s"], rel=0.1)


@pytest.mark.parametrize("variant", ["outside", "inside"])
def test_the_model_names_the_environment_of_each_real_call(variant: str) -> None:
    calls = RUNS[variant]["calls"]
    assert modeled(variant) == [(call["environment"], call["cold"]) for call in calls]


def test_no_environment_serves_two_calls_at_once_or_is_initialized_twice() -> None:
    for stay in stays():
        assert stay.init_s[1] == pytest.approx(stay.calls_s[0][0])
        for (_, end), (begin, _) in zip(stay.calls_s, stay.calls_s[1:], strict=False):
            assert end <= begin
    calls = RUNS["outside"]["calls"]
    assert sum(call["cold"] for call in calls) == sum(call["init_ms"] is not None for call in calls)


def test_the_recorded_log_is_in_the_documented_format() -> None:
    lines = RUNS["outside"]["first_log"] + RUNS["outside"]["second_log"]
    cold, warm = parse_reports(lines)
    assert [format_report(cold), format_report(warm)] == [
        line for line in lines if line.startswith("REPORT")
    ]
    first, second = RUNS["outside"]["calls"][:2]
    assert (cold.billed_ms, cold.init_ms) == (first["billed_ms"], first["init_ms"])
    assert (warm.billed_ms, warm.init_ms) == (second["billed_ms"], None)


def test_the_thread_ticked_while_invoked_and_never_while_frozen() -> None:
    found = thread_ticks()
    assert found["ticks while frozen"] == 0
    assert found["ticks while invoked"] == pytest.approx(0.9 / found["tick"], rel=0.25)


def test_loading_outside_saves_nothing_for_one_call_and_nearly_all_for_many() -> None:
    found = billed_per_call(load_s=0.4, work_s=0.25, start_s=0.1)
    assert found["saved at 1"] == 0
    assert found["saved at 1000"] == pytest.approx(0.4 / 0.65, rel=0.01)
    shares = [found[f"saved at {n}"] for n in (1, 3, 10, 100, 1000)]
    assert shares == sorted(shares)


@pytest.mark.skipif(
    not hasattr(signal, "SIGSTOP"), reason="the local Lambda runtime needs Linux or macOS"
)
def test_a_live_run_counts_as_the_record_does(root: Path) -> None:
    folder = root / "book" / "lambda" / "handlers" / "anatomy"
    for handler, loads in (("outside", 2), ("inside", 3), ("importing", 2)):
        with LocalRuntime(f"{handler}.handle", task_root=folder) as function:
            both = [function.submit({"item": "book"}) for _ in range(2)]
            outcomes = [one.result() for one in both]
            outcomes.append(function.invoke({"item": "book"}))
        assert [one.payload for one in outcomes] == [12.0] * 3
        assert sum(line == "load" for one in outcomes for line in one.log) == loads, handler
