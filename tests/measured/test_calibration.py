"""Fitted on one recorded log of 2020, blind, the model foresees the others.

Cold shares differ 55-fold between them. Which log is fitted is decided by `best_known`, which
looks at the fits alone: the log must hold both kinds of cold start, after a rest and by overlap,
and know the keep-alive best. The other logs enter only where they are held against the outcome.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import make_calibration
import pytest
from make_records import RATES, WARMUP_S

from simulations.calibration import Check, Fitted, TooFew, best_known, check, read_text
from simulations.experiments.records import record
from simulations.stats import quantile


@cache
def all_fits(shared: Path) -> dict[str, Fitted | TooFew]:
    """Fit each log by itself, once for all tests."""
    return make_calibration.fits(shared)


@cache
def held(shared: Path, rate: str) -> Check:
    """Foresee one log from the fit that the rule names; then look at it."""
    fits = all_fits(shared)
    best = fits[best_known(fits)]
    assert isinstance(best, Fitted)
    log = make_calibration.log_2020(shared, rate).after(WARMUP_S)
    return check(make_calibration.foreseen(best, float(rate), log.span_s), log)


def test_the_rule_names_the_log_without_looking_at_the_others(shared: Path) -> None:
    fits = all_fits(shared)
    chosen = best_known(fits)
    assert chosen == "0.00572"
    best = fits[chosen]
    assert isinstance(best, Fitted)
    assert min(best.kept.cold, best.kept.overlaps) >= 5  # no other fit has both kinds
    for rate, other in fits.items():
        if rate != chosen:
            assert isinstance(other, TooFew) or other.kept.overlaps < 5, rate


def test_the_busy_logs_are_refused_because_they_do_not_bound_the_keep_alive(shared: Path) -> None:
    for rate in ("0.0164", "0.0999"):
        refused = all_fits(shared)[rate]
        assert isinstance(refused, TooFew)
        assert "are needed, about" in str(refused)


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate != "0.00572"])
def test_cold_share_within_2_5_standard_errors_and_p99_within_a_tenth(
    shared: Path, rate: str
) -> None:
    found = held(shared, rate)
    assert abs(found["cold share"].z) <= 2.5
    assert found["cold share"].inside
    assert abs(found["p99"].error) <= 0.10


def test_the_recorded_shares_differ_55_fold(shared: Path) -> None:
    shares = [run["cold"] / run["requests"] for run in record("calibration_2020")["measured"]]
    assert max(shares) / min(shares) == pytest.approx(55, rel=0.01)


@pytest.mark.parametrize("rate", ["0.00185", "0.00287", "0.00572"])
def test_the_keep_alive_is_found_at_each_rate_that_tells(shared: Path, rate: str) -> None:
    """Ten minutes by probes of 2019; environments of 2020 are seen to serve after up to 648 s."""
    fitted = all_fits(shared)[rate]
    assert isinstance(fitted, Fitted)
    assert 590 <= fitted.kept.seconds.low <= 640 <= fitted.kept.seconds.high <= 670
    assert fitted.arrivals.poisson  # as the measurers say they sent them


def test_the_committed_record_is_what_the_logs_give(shared: Path) -> None:
    """Every fit anew; of the predictions those of the chosen fit, and one more of each other."""
    committed = record("calibration_2020")
    fits = all_fits(shared)
    best = fits[best_known(fits)]
    assert isinstance(best, Fitted)
    assert_near(committed["fitted"], json.loads(json.dumps(best.told())))
    logs = [make_calibration.log_2020(shared, rate).after(WARMUP_S) for rate in RATES]
    quiet_s = min(log.took_s[log.cold].min() for log in logs[:2])
    for run, log in zip(committed["measured"], logs, strict=True):
        assert (run["requests"], run["cold"]) == (len(log), int(log.cold.sum()))
        assert run["cold_faster_than_quiet"] == int((log.took_s[log.cold] < quiet_s).sum())
        assert_near(run["p99_s"], quantile(log.took_s.tolist(), 0.99))
    by_rate = {str(one["rate_per_s"]): one for one in committed["fits"]}
    for rate, fitted in fits.items():
        if isinstance(fitted, TooFew):
            assert by_rate[rate]["refused"] == str(fitted)
            continue
        for other in RATES if fitted is best else ("0.0164",):
            log = make_calibration.log_2020(shared, other).after(WARMUP_S)
            checked = (
                held(shared, other)
                if fitted is best
                else check(make_calibration.foreseen(fitted, float(other), log.span_s), log)
            )
            runs = {str(one["rate_per_s"]): one for one in by_rate[rate]["foreseen"]}
            assert_near(runs[other]["cold"], list(checked["cold share"].expected))
            assert_near(runs[other]["z"], checked["cold share"].z)
            assert_near(runs[other]["p99_error"], checked["p99"].error)


def test_the_same_requests_as_a_table_give_the_same_log(shared: Path) -> None:
    log = make_calibration.log_2020(shared, "0.00287")
    rows = zip(log.start_s, log.end_s, log.cold, log.environment, strict=True)
    table = "start,end,cold,environment\n" + "".join(
        f"{a!r},{b!r},{c},{e}\n"
        for a, b, c, e in ((float(a), float(b), c, e) for a, b, c, e in rows)
    )
    again = read_text(table)
    assert (again.start_s == log.start_s).all()
    assert (again.cold == log.cold).all()


def assert_near(ours: Any, theirs: Any) -> None:
    """Compare plain values; numbers to five digits, as the last may differ between machines."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            assert_near(value, theirs[key])
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_near(one, other)
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-9)
    else:
        assert ours == theirs
