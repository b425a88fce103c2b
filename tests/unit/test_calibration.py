"""Fits find what a log was made with, predictions agree with theory, too little is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from simulations.calibration import Change, Fitted, Log, TooFew, best_known, check, fit, predict
from simulations.calibration.__main__ import main
from simulations.calibration.arrivals import (
    critical_exponential,
    distance_exponential,
    fit_arrivals,
)
from simulations.calibration.fit import concurrency
from simulations.calibration.kept import fit_kept, rests
from simulations.calibration.times import critical_lognormal, fit_times
from simulations.fleet import replay
from simulations.pricing import PriceList, lambda_usage
from simulations.theory import cold_probability
from simulations.theory.memory import Curve
from simulations.workload import Distribution, Uniform

DAY_S = 86_400.0


def poisson(random: np.random.Generator, rate: float, span: float) -> NDArray[np.float64]:
    return np.sort(random.random(random.poisson(rate * span))) * span


def made(
    seed: int,
    rate: float = 1 / 200,
    span: float = DAY_S,
    kept: float | Distribution = 600.0,
    *,
    named: bool = True,
    memory_mb: int | None = None,
    warm_s: float = 0.5,
) -> Log:
    """A log that the model itself wrote, with known parameters."""
    random = np.random.default_rng(seed)
    start = poisson(random, rate, span)
    warm = warm_s * np.exp(0.1 * random.standard_normal(start.size))
    cold = warm + 0.4 * np.exp(0.2 * random.standard_normal(start.size))
    run = replay(start, warm, cold_service_s=cold, keep_alive_s=kept, seed=seed)
    assert run.cold is not None
    assert run.latency_s is not None
    assert run.environment is not None
    environment = [str(e) for e in run.environment] if named else None
    memory = None if memory_mb is None else np.full(start.size, memory_mb)
    return Log.of(start, start + run.latency_s, run.cold, environment, memory_mb=memory)


@pytest.fixture(scope="module")
def small() -> Fitted:
    """One fit for all tests that need any."""
    return fit(made(12, memory_mb=1024))


# ---------------------------------------------------------------- fits


def test_the_bounds_of_both_tests_are_exceeded_by_chance_in_five_percent() -> None:
    random = np.random.default_rng(1)
    n, tries = 150, 1000
    beyond = sum(
        distance_exponential(random.exponential(3.0, n)) > critical_exponential(n)
        for _ in range(tries)
    )
    assert 0.035 < beyond / tries < 0.065
    refused = sum(
        fit_times(np.exp(random.standard_normal(n))).shape != "lognormal" for _ in range(300)
    )
    assert 0.025 < refused / 300 < 0.08
    assert critical_lognormal(10_000) == pytest.approx(0.00895, rel=0.01)


def test_poisson_timers_hours_and_crowds_are_told_apart() -> None:
    random = np.random.default_rng(2)
    flat = poisson(random, 0.02, DAY_S)
    assert fit_arrivals(flat).poisson

    timer = np.arange(7.0, DAY_S, 300.0) + 0.2 * random.random(288)
    both = fit_arrivals(np.sort(np.concatenate([timer, poisson(random, 0.005, DAY_S)])))
    assert both.pattern == "timer"
    assert both.period_s == 300
    assert both.timer_share == pytest.approx(288 / (288 + 432), abs=0.06)

    candidates = poisson(random, 0.05, 7 * DAY_S)
    swing = 1 + 0.8 * np.cos(2 * np.pi * (candidates / DAY_S - 0.5))
    daily = fit_arrivals(candidates[random.random(candidates.size) < swing / 1.8])
    assert daily.pattern == "hourly"
    noon, midnight = np.mean(daily.by_hour[11:13]), np.mean([daily.by_hour[0], daily.by_hour[23]])
    assert noon == pytest.approx(1.8, abs=0.2)
    assert midnight == pytest.approx(0.2, abs=0.1)

    crowds = np.sort(np.repeat(poisson(random, 0.002, DAY_S), 5) + 3 * random.random(5 * 1)[0])
    crowd = fit_arrivals(crowds + np.sort(random.random(crowds.size)))
    assert crowd.pattern == "gaps"
    assert crowd.dispersion.low > 1.5
    assert crowd.gap_cv > 1.5


@pytest.mark.parametrize("pattern", ["poisson", "timer", "hourly", "gaps"])
def test_arrivals_drawn_again_have_the_rate_and_the_pattern(pattern: str) -> None:
    random = np.random.default_rng(3)
    flat = poisson(random, 0.02, 7 * DAY_S)
    logs = {
        "poisson": flat,
        "timer": np.sort(np.concatenate([flat, np.arange(1.0, 7 * DAY_S, 60.0)])),
        "hourly": flat[random.random(flat.size) < 0.55 + 0.45 * np.sin(2 * np.pi * flat / DAY_S)],
        "gaps": np.cumsum(random.choice([1.0, 200.0], 4000, p=[0.8, 0.2]) * random.random(4000)),
    }
    fitted = fit_arrivals(logs[pattern])
    assert fitted.pattern == pattern
    again = fitted.draw(fitted.rate_per_s.mean, 30 * DAY_S, random)
    assert again.size / 30 / DAY_S == pytest.approx(fitted.rate_per_s.mean, rel=0.05)
    assert (np.diff(again) >= 0).all()
    assert np.std(np.diff(again)) / np.mean(np.diff(again)) == pytest.approx(
        fitted.gap_cv, rel=0.15
    )


@pytest.mark.parametrize("named", [True, False])
def test_the_keep_alive_interval_covers_the_truth(named: bool) -> None:
    covered = widths = 0.0
    for seed in range(12):
        kept = fit_kept(made(seed, rate=1 / 300, span=2 * DAY_S, named=named))
        covered += kept.seconds.low <= 600 <= kept.seconds.high
        widths += kept.relative_width / 12
    assert covered >= 10  # of a share of 95 %, chance leaves fewer in 2 % of cases
    assert widths < 0.1


def test_a_keep_alive_that_varies_is_found_as_measured_in_2025() -> None:
    kept = fit_kept(made(5, rate=1 / 160, span=20 * DAY_S, kept=Uniform(294, 347)))
    assert kept.seconds.low <= 320.5 <= kept.seconds.high
    assert kept.seconds.high - kept.seconds.low < 12
    assert 0.05 <= kept.width <= 0.25  # truth: 53 / 320.5


def test_environments_that_end_early_do_not_shorten_the_keep_alive() -> None:
    log = made(6, rate=1 / 300, span=3 * DAY_S)
    ended = log.where(np.ones(len(log), bool))
    early = np.flatnonzero(~log.cold)[::25]  # every 25th warm request is made cold instead
    ended.cold[early] = True
    environments = ended.environment.copy()
    for number, k in enumerate(early):
        same = (environments == environments[k]) & (np.arange(len(log)) >= k)
        environments[same] = 10_000 + number
    kept = fit_kept(Log.of(ended.start_s, ended.end_s, ended.cold, [str(e) for e in environments]))
    assert kept.seconds.low <= 600 <= kept.seconds.high
    assert kept.early == pytest.approx(1 / 25, abs=0.025)


@pytest.mark.parametrize("names", [["a", "b", "a", "c"], None])
def test_of_two_idle_environments_the_rest_of_the_last_used_counts(names: list[str] | None) -> None:
    """a rests from 10 and serves at 100; at 1000 it has rested 890 s, b 992 s, and neither lives."""
    log = Log.of([0, 5, 100, 1000], [10, 8, 110, 1010], [True, True, False, True], names)
    warm, cold, overlaps = rests(log)
    assert warm.tolist() == [90]
    assert cold.tolist() == [890]
    assert overlaps == 1


def test_concurrency_is_counted_as_it_stands_at_each_instant() -> None:
    random = np.random.default_rng(8)
    start = np.sort(random.random(300) * 100)
    end = start + random.exponential(2.0, 300)
    at = np.linspace(start[0], end.max(), 200_001)
    running = np.searchsorted(start, at, "right") - np.searchsorted(np.sort(end), at, "right")
    found = concurrency(start, end)
    assert found.mean == pytest.approx(running.mean(), rel=1e-3)
    assert found.peak == running.max()
    assert found.p99 == np.quantile(running, 0.99, method="inverted_cdf")


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (Log.of([0.0], [1.0], [True]), "a fit needs hundreds"),
        (made(1).where(np.arange(len(made(1))) < 20), "needs 30 or more"),
        (made(1, rate=1.0, span=600.0), "cold requests: their distribution needs 10"),
        (made(1, rate=1 / 30, span=DAY_S / 4, kept=100.0).after(0), ""),
        (made(1, rate=1 / 4000, span=20 * DAY_S, kept=10.0), "1 warm requests: .* needs 10"),
        (made(13, rate=1 / 60, span=3 * DAY_S), "0 cold ones a little longer .* or a lower rate"),
    ],
)
def test_a_log_that_says_too_little_is_refused_with_what_would_be_enough(
    log: Log, says: str
) -> None:
    if not says:  # the same function at a rate that does tell
        assert fit(log).kept.seconds.low <= 100 <= fit(log).kept.seconds.high
        return
    with pytest.raises(TooFew, match=says):
        fit(log)


def test_a_fit_survives_being_written_down(small: Fitted) -> None:
    import json

    assert Fitted.of(json.loads(json.dumps(small.told()))) == small


def test_the_log_with_both_kinds_of_cold_start_goes_before_the_sharpest() -> None:
    low, both = (
        fit(made(2, rate=1 / 300, span=4 * DAY_S)),
        fit(made(2, rate=1 / 80, span=4 * DAY_S, warm_s=4.0)),
    )
    assert low.kept.overlaps < 5 <= both.kept.overlaps
    assert best_known({"low": low, "both": both, "none": TooFew("x")}) == "both"
    with pytest.raises(TooFew, match="none of the logs"):
        best_known({"none": TooFew("x")})


# ---------------------------------------------------------------- predictions


def test_predictions_agree_with_theory_at_other_rates_and_keep_alives() -> None:
    fitted = fit(made(11, rate=1 / 300, span=7 * DAY_S))
    for change in (
        Change(traffic=10),
        Change(rate_per_s=1 / 900),
        Change(keep_alive_s=120.0),
    ):
        foreseen = predict(fitted, change, draws=20)
        rate = (change.rate_per_s or fitted.arrivals.rate_per_s.mean) * change.traffic
        theory = cold_probability(rate, change.keep_alive_s or 600.0, fitted.warm.mean_s)
        assert foreseen["cold share"].expected.mean == pytest.approx(theory, rel=0.15)
        share = foreseen["cold share"].expected.mean
        mean_s = (1 - share) * fitted.warm.mean_s + share * fitted.cold_took.mean_s
        assert foreseen["mean concurrency"].expected.mean == pytest.approx(rate * mean_s, rel=0.05)


def test_the_interval_for_another_log_covers_what_such_logs_show() -> None:
    inside = 0
    for seed in range(6):
        fitted = fit(made(seed, rate=1 / 300, span=2 * DAY_S))
        foreseen = predict(
            fitted, Change(rate_per_s=1 / 500), duration_s=DAY_S, draws=20, seed=seed
        )
        other = check(foreseen, made(100 + seed, rate=1 / 500))
        inside += other["cold share"].inside
    assert inside >= 5  # of a share of 95 %, chance leaves fewer in 3 % of cases


def test_provisioned_concurrency_takes_the_cold_starts_and_adds_to_the_bill(
    small: Fitted,
) -> None:
    without, ready = (
        predict(small, draws=20),
        predict(small, Change(provisioned_concurrency=2), draws=20),
    )
    assert ready["cold share"].expected.mean < 0.01 < without["cold share"].expected.mean
    kept = PriceList.load().bill(
        lambda_usage(0, 0, 1024, provisioned_concurrency=2, provisioned_hours=730)
    )
    apart = ready["bill"].expected.mean - without["bill"].expected.mean
    assert apart == pytest.approx(float(kept.total_usd), rel=0.01)


def test_the_bill_is_that_of_the_requests_foreseen(small: Fitted) -> None:
    foreseen = predict(small, Change(traffic=20), draws=20)
    requests = 20 * small.arrivals.rate_per_s.mean * 730 * 3600
    mean_ms = 1000 * foreseen["mean concurrency"].expected.mean / foreseen.rate_per_s
    plain = PriceList.load().bill(lambda_usage(requests, mean_ms + 0.5, 1024)).total_usd
    assert foreseen["bill"].expected.mean == pytest.approx(float(plain), rel=0.02)


def test_memory_follows_the_curve_fitted_to_two_sizes() -> None:
    truth = Curve(0.2, 0.1)
    parts = [
        made(20 + k, memory_mb=mb, warm_s=truth.time_s(mb), span=3 * DAY_S)
        for k, mb in enumerate((256, 1024))
    ]
    shift = parts[0].start_s[-1] + 5000.0
    log = Log.of(
        np.concatenate([parts[0].start_s, parts[1].start_s + shift]),
        np.concatenate([parts[0].end_s, parts[1].end_s + shift]),
        np.concatenate([part.cold for part in parts]),
        memory_mb=np.concatenate([part.memory_mb for part in parts]),
    )
    fitted = fit(log)
    assert fitted.memory_mb == 1024
    assert {group.memory_mb for group in fitted.groups} == {256, 1024}
    half = predict(fitted, Change(memory_mb=512), draws=20)["p50"].expected
    assert half.mean == pytest.approx(truth.time_s(512), rel=0.03)
    assert half.low < half.mean < half.high
    one_size = fit(parts[1])
    with pytest.raises(ValueError, match="needs work_share"):
        predict(one_size, Change(memory_mb=512))
    waits = predict(one_size, Change(memory_mb=512, work_share=0.0), draws=20)["p50"].expected
    computes = predict(one_size, Change(memory_mb=512, work_share=1.0), draws=20)["p50"].expected
    assert computes.mean / waits.mean == pytest.approx(2.0, rel=0.01)


def test_a_prediction_says_where_the_log_cannot_know(small: Fitted) -> None:
    assert small.kept.overlaps < 5
    busy = predict(small, Change(traffic=20), draws=20)
    assert any("by overlap" in note for note in busy.notes)
    assert not any("by overlap" in note for note in predict(small, draws=20).notes)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"traffic": 0}, "traffic=0"),
        ({"rate_per_s": -1}, "rate_per_s=-1"),
        ({"work_share": 1.5}, "work_share=1.5"),
        ({"provisioned_concurrency": 0.5}, "provisioned_concurrency=0.5"),
        ({"keep_alive_s": math.inf}, "keep_alive_s=inf"),
    ],
)
def test_impossible_changes_are_refused_by_name(values: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Change(**values)  # type: ignore[arg-type]


# ---------------------------------------------------------------- command line


def test_the_command_line_fits_foresees_and_checks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for seed in (1, 2):
        log = made(seed)
        rows = zip(log.start_s, log.end_s, log.cold, strict=True)
        file = tmp_path / f"{seed}.csv"
        file.write_text("start,end,cold\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
        files.append(str(file))
    assert main([files[0], "--traffic", "2"]) == 0
    told = capsys.readouterr().out
    assert "keep-alive" in told
    assert "cold share" in told
    assert main([files[0], "--against", files[1]]) == 0
    assert "in its interval" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"), [("nothing", "REPORT lines"), ("start,end,cold\n0,1,true\n", "hundreds")]
)
def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    file = tmp_path / "log"
    file.write_text(text)
    assert main([str(file)]) == 2
    assert says in capsys.readouterr().err
    assert main([str(tmp_path / "absent")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_command_line_asks_no_account_that_is_not_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(SystemExit):
        main(["--log-group", "/aws/lambda/f"])
    assert "needs --account" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["log", "--against", "other", "--traffic", "3"], "the other log sets"),
        (["--log-group", "g", "--account", "123456789012", "--hours", "nan"], "--hours nan"),
    ],
)
def test_arguments_that_would_be_ignored_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert says in capsys.readouterr().err


def test_more_environments_than_can_be_run_are_refused(small: Fitted) -> None:
    for change in (Change(traffic=1e9), Change(provisioned_concurrency=10**8)):
        with pytest.raises(ValueError, match="at most 10000 are run"):
            predict(small, change)
