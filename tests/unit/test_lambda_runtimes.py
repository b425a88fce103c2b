"""What a language costs: bills of INIT against their formula, and what the records hold."""

from __future__ import annotations

import pytest

from simulations.experiments import lambda_runtimes as runtimes
from simulations.experiments.records import record


@pytest.mark.parametrize(("cold", "handler_ms"), [(0.01, 50.0), (0.001, 200.0), (1.0, 10.0)])
def test_init_adds_its_share_to_the_duration_and_less_to_the_bill(
    cold: float, handler_ms: float
) -> None:
    result = runtimes.init_on_the_bill(cold=cold, handler_ms=handler_ms)
    assert result["duration"] == pytest.approx(cold * 100 / handler_ms, rel=1e-9)
    assert 0 < result["bill"] < result["duration"]
    formula, priced = result.get("formula"), result.get("duration")
    assert list(priced.y) == pytest.approx(list(formula.y), rel=1e-9, abs=1e-9)


def test_the_more_memory_the_nearer_the_bill_comes_to_the_formula() -> None:
    added = [runtimes.init_on_the_bill(memory_mb=memory)["bill"] for memory in (128, 512, 1769)]
    assert added == sorted(added)
    assert added[-1] < runtimes.init_on_the_bill(memory_mb=1769)["formula"]


def test_shares_do_not_depend_on_the_number_of_calls() -> None:
    few, many = (runtimes.init_on_the_bill(calls=calls) for calls in (1e4, 1e8))
    assert few["bill"] == pytest.approx(many["bill"], rel=1e-6)
    assert many["usd"] == pytest.approx(1e4 * few["usd"], rel=1e-6)


@pytest.mark.parametrize("wrong", [{"cold": -0.1}, {"cold": 1.5}, {"handler_ms": 0.0}])
def test_impossible_inputs_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        runtimes.init_on_the_bill(**wrong)
    with pytest.raises(ValueError, match=r"cold|handler_ms"):
        runtimes.monthly_usd(1e6, wrong.get("handler_ms", 50.0), 128, wrong.get("cold", 0.0), 1.0)


def test_all_six_languages_of_the_guide_were_measured_on_aws() -> None:
    found = {
        one["language"].split(" ")[0].rstrip(",")
        for one in record("init_languages_2026")["languages"]
    }
    assert {"Go", "Python", "Node.js", "Java", "Ruby", "C#"} <= found
    result = runtimes.published_init()
    shown = result.get("median to p99")
    assert shown.high is not None
    assert all(low < high for low, high in zip(shown.y, shown.high, strict=True))
    assert list(shown.y) == sorted(shown.y)


def test_the_records_say_what_was_run_and_with_which_tools() -> None:
    found = record("runtimes")
    ran = {one["language"]: one["run"] for one in found["languages"]}
    assert ran["Python"]
    assert ran["Node.js"]
    assert not ran["C#"]
    for one in found["languages"]:
        assert not one["run"] or one["version"]
        if one["run"]:
            assert one["init_ms"]["low"] <= one["init_ms"]["median"] <= one["init_ms"]["high"]


def test_a_lazy_import_moves_its_time_from_init_to_the_call_that_needs_it() -> None:
    """Measured in the local runtime: the sum of INIT and that call stays, within a third."""
    result = runtimes.imports_of_init()
    for library in ("boto3", "NumPy", "Matplotlib"):
        eager, lazy = (
            result[f"{library}, {way} INIT"] + result[f"{library}, {way} call"]
            for way in ("eager", "lazy")
        )
        assert lazy == pytest.approx(eager, rel=0.33)
        assert result[f"{library}, lazy INIT"] < 0.7 * result[f"{library}, eager INIT"]


def test_updates_are_blocked_after_deprecation_and_dates_were_only_moved_later() -> None:
    found = record("runtime_dates")
    now = {one["runtime"]: one for one in found["found"]}
    assert all(one["deprecated"] < one["updates_blocked"] for one in now.values())
    assert all(one["source"].startswith("AWS, ") for one in (*found["found"], *found["before"]))
    for earlier in found["before"]:
        assert earlier["updates_blocked"] < now[earlier["runtime"]]["updates_blocked"]
