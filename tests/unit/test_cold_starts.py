"""What the experiments of the chapter on cold starts promise, and what they refuse."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from simulations.experiments.cold_count import count_cold
from simulations.experiments.cold_starts import (
    RATES_PER_H,
    _valley_and_hill,
    across_apps,
    against_2020,
    cold_share,
    idle_gap,
    lives,
    pinged,
    two_humps,
)
from simulations.experiments.recorded import (
    RecordedRequest,
    longest_life_s,
    misses,
    replay,
    routing_choices,
)
from simulations.experiments.records import record

# ---------------------------------------------------------------- counting cold starts


def test_the_first_call_of_a_stream_without_gaps_is_the_only_cold_one() -> None:
    # Three calls a second, each over at once: the keep-alive never ends.
    found = count_cold(3.0, 0.0, 300.0, requests=1_000)
    assert found.cold == 0  # the first twentieth is not counted, and with it the first call
    assert found.mean_environments == pytest.approx(1.0, rel=0.02)


def test_equal_seeds_give_equal_counts_and_others_do_not() -> None:
    first, again = (count_cold(0.01, 1.2, 320.0, requests=2_000, seed=3) for _ in range(2))
    assert first == again
    assert first != count_cold(0.01, 1.2, 320.0, requests=2_000, seed=4)


def test_pings_are_not_counted_and_keep_as_many_environments_as_overlap() -> None:
    def environments(at_once: int) -> float:
        found = count_cold(1 / 3600, 0.1, 320.0, requests=500, ping_s=240.0, pings_at_once=at_once)
        assert found.requests == pytest.approx(475, abs=70)
        return found.mean_environments

    assert [round(environments(k)) for k in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_per_s": 0.0},
        {"rate_per_s": -1.0},
        {"duration_s": -0.1},
        {"keep_alive_s": -1.0},
        {"requests": 0},
        {"cold_duration_s": 0.5},
        {"routing": "fairest"},
        {"ping_s": 0.0},
        {"pings_at_once": 0, "ping_s": 60.0},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    settings = {"rate_per_s": 0.01, "duration_s": 1.0, "keep_alive_s": 300.0, "requests": 100}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        count_cold(**{**settings, **wrong})  # type: ignore[arg-type]


# ---------------------------------------------------------------- the experiments


@pytest.mark.parametrize(
    ("run", "wrong"),
    [
        (two_humps, {"short_s": 0.0}),
        (two_humps, {"most_requests": 10}),
        (cold_share, {"routing": "fairest"}),
        (cold_share, {"keep_alive_s": float("nan")}),
        (against_2020, {"effort": 0}),
        (idle_gap, {"probes": 1}),
        (pinged, {"ping_s": 400.0}),
        (pinged, {"pings": 2}),
    ],
)
def test_experiments_refuse_what_lies_outside_their_controls(
    run: object, wrong: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        run(**wrong)  # type: ignore[operator]


def test_cold_share_gets_better_point_by_point_and_starts_at_the_rate_asked_for() -> None:
    stream = cold_share.stream(rate_per_h=60.0, duration_s=1.2)
    steps = list(itertools.islice(stream, 3))
    assert [len(s.get("simulated").x) for s in steps] == [1, 2, 3]
    assert steps[0].get("simulated").x == [60.0]
    number = steps[0].numbers["cold share"]
    assert number.low is not None
    assert number.high is not None
    assert number.low < number.value < number.high


def test_two_humps_has_a_valley_before_its_hill_and_names_the_theory() -> None:
    result = two_humps(most_requests=1_000)
    for name in ("short", "long"):
        assert result[f"{name} valley rate"] < result[f"{name} hill rate"]
        assert result[f"{name} valley"] < result[f"{name} hill"]
    assert result["points"] == 2 * len(RATES_PER_H)
    assert result["long at 60/h"] > 3 * result["short at 60/h"]
    # Long calls: the theory stands where the closed form has it (closed_form: cold_overflow).
    assert result.get("0.1 s a call").role == "decoupled"
    assert result.get("1.2 s a call").role == "coupled"


def test_valley_and_hill_of_curves_without_a_second_hump() -> None:
    assert _valley_and_hill([3.0, 2.0, 1.0]) == (2, 2)
    assert _valley_and_hill([3.0, 1.0, 2.0, 1.5, 1.8]) == (1, 2)
    assert _valley_and_hill([1.0, 2.0]) == (0, 1)


def test_one_environment_serves_one_call_at_a_time_and_rests_no_longer_than_kept() -> None:
    for life in lives(rate_per_h=120.0, duration_s=20.0, seed=5):
        assert life.calls_s[0][0] == life.made_s
        assert life.ended_s >= life.calls_s[-1][1]
        for (_, end_s), (start_s, _) in itertools.pairwise(life.calls_s):
            assert 0 <= start_s - end_s < 347


def test_the_average_call_is_warm_and_the_average_app_is_not() -> None:
    by_app, by_call = across_apps(duration_s=0.1)
    assert by_call < 0.01 < by_app
    # Longer calls overlap more.
    assert across_apps(duration_s=1.0)[1] > by_call


def test_a_missing_record_names_those_there_are() -> None:
    with pytest.raises(KeyError, match="cold_starts_2020"):
        record("cold_starts_1999")


def test_every_record_says_where_it_comes_from_and_under_which_licence() -> None:
    for name in ("call_rates_2019", "cold_starts_2020", "idle_gaps_2025", "init_2026"):
        found = record(name)
        assert found["source"]
        assert found["licence"]
        assert found["url"].startswith("https://")


# ---------------------------------------------------------------- reading recorded logs


def request(start_s: float, environment: str, cold: bool = False) -> RecordedRequest:
    return RecordedRequest(start_s, start_s + 2.0, cold, environment)


#: Two environments, made by an overlap; B returned last.
PAIR = [request(0, "A", cold=True), request(1, "B", cold=True)]


def test_a_choice_needs_two_idle_environments() -> None:
    assert routing_choices([request(0, "A", cold=True), request(10, "A")]).choices == 0
    found = routing_choices([*PAIR, request(10, "B")])
    assert found.choices == 1
    assert found.agreeing == {"most_recent": 1, "newest": 1, "oldest": 0, "least_recent": 0}


def test_most_recent_and_newest_are_told_apart() -> None:
    # A served last, B is newer: AWS takes A.
    found = routing_choices([*PAIR, request(10, "A"), request(20, "A")])
    assert found.choices == 2
    assert found.agreeing == {"most_recent": 1, "newest": 0, "oldest": 2, "least_recent": 1}


def test_an_environment_idle_for_too_long_is_no_choice() -> None:
    assert routing_choices([*PAIR, request(700, "B")]).choices == 0


def test_calls_to_an_environment_that_is_not_idle_are_counted_apart() -> None:
    three = [*PAIR, request(1.5, "C", cold=True)]
    # C is busy until 3.5 by the client's clock, and yet it serves at 3.2; A and B are idle.
    found = routing_choices([*three, request(3.2, "C")])
    assert (found.choices, found.own_not_idle) == (0, 1)


def test_replay_starts_cold_on_overlap_and_after_the_keep_alive() -> None:
    rows = [*PAIR, request(10, "B"), request(11, "A"), request(700, "X", cold=True)]
    assert replay(rows) == [True, True, False, False, True]
    assert replay(rows, keep_alive_s=2_000.0) == [True, True, False, False, False]


def test_replay_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [*PAIR, request(10, "B"), request(700, "X", cold=True)]
    assert replay(rows[::-1]) == replay(rows)


def test_misses_are_sorted_by_what_the_log_says() -> None:
    kept = [request(0, "A", cold=True), request(650, "A")]
    assert misses(kept, replay(kept)).kept_longer == 1
    early = [request(0, "A", cold=True), request(1.9, "A")]
    assert misses(early, replay(early)).not_returned == 1
    retired = [request(0, "A", cold=True), request(100, "B", cold=True)]
    assert misses(retired, replay(retired)).retired_for_good == 1
    back = [*retired, request(101, "A")]
    assert (misses(back, replay(back)).retired, misses(back, replay(back)).retired_for_good) == (
        1,
        0,
    )


def test_misses_refuses_a_replay_of_another_log() -> None:
    with pytest.raises(ValueError, match="modeled has 1 values for 2 rows"):
        misses(PAIR, [True])


def test_a_life_is_counted_from_first_to_last_start() -> None:
    rows = [*PAIR, request(50, "B"), replace(request(60, "A"), end_s=5_000.0)]
    assert longest_life_s(rows) == 60.0
