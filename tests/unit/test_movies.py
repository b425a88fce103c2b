"""Moving pictures show what their traces say, and the still is one moment of them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from simulations.facts import fact
from simulations.movies import NAMES, Actor, Key, Movie, find, together
from simulations.movies.bucket import OUTAGE_S
from simulations.movies.environments import INIT_S, KEPT_S, TAKES_S
from simulations.movies.picture import keyframes, picture, place, said
from simulations.movies.visibility import POISON, RECEIVES, VISIBILITY_S
from simulations.movies.way import CLICKS_S, ran
from simulations.orders import Shop, run_orders
from simulations.services import RetryQuota
from simulations.workload import Recorded

MOVIES = {name: find(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_what_moves_stays_in_the_picture(name: str) -> None:
    movie = MOVIES[name]
    for actor in movie.actors:
        for key in actor.keys:
            assert 0 <= key.x <= 360, actor
            assert 0 <= key.y <= movie.height, actor
    for words in movie.words:
        assert 0 < words.y < movie.height


@pytest.mark.parametrize("name", NAMES)
def test_the_still_is_the_moment_that_it_says(name: str) -> None:
    movie = MOVIES[name]
    drawn = re.findall(
        r'class="actor m-(\w+)" data-i="(\d+)" transform="translate\(([\d.]+) ([\d.]+)\)"',
        picture(movie, "what it shows"),
    )
    assert len(drawn) == len(movie.actors)
    for state, i, x, y in drawn:
        expected = place(movie.actors[int(i)].keys, movie.still_s)
        assert state == expected[2]
        assert (float(x), float(y)) == pytest.approx(expected[:2], abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_a_movie_is_small_and_the_same_whenever_it_is_made(name: str) -> None:
    assert len(str(keyframes(MOVIES[name]))) < 30_000
    assert keyframes(find(name)) == keyframes(MOVIES[name])


def test_customers_of_the_coupled_system_wait_for_the_last_function() -> None:
    trace = run_orders("A1", Shop(warm=True), Recorded(CLICKS_S), duration_s=5.0, seed=3)
    for order, clicked_s in enumerate(CLICKS_S):
        runs = ran(trace, order)
        submit = next(one for one in runs if one.function == "SubmitOrder")
        assert submit.end_s == max(one.end_s for one in runs)
        assert submit.end_s - clicked_s == pytest.approx(trace.requests.end_s[
            list(trace.requests.id).index(order)] - clicked_s)  # fmt: skip
        # It computes so long, and waits for all that it calls.
        computed_s = submit.end_s - submit.start_s - submit.waited_s(submit.end_s)
        assert computed_s == pytest.approx(0.015, abs=0.02)


def test_below_each_system_stands_how_long_its_customers_waited() -> None:
    movie = MOVIES["way"]
    texts = [words.values[-1][1] for words in movie.words]
    answered = [text for text in texts if text.startswith("answered after")]
    assert len(answered) == 2
    coupled, decoupled = (text.removeprefix("answered after ").split(", ") for text in answered)
    assert len(coupled) == len(decoupled) == len(CLICKS_S)
    assert all(text.endswith("ms") for text in decoupled)
    assert any(text.endswith("\u202fs") for text in coupled)


def test_environments_serve_one_call_at_a_time_and_end_when_idle_for_too_long() -> None:
    movie = MOVIES["environments"]
    lanes: dict[float, list[Actor]] = {}
    for actor in movie.actors:
        if actor.width and actor.keys[0].at_s > 0:
            lanes.setdefault(actor.keys[0].y, []).append(actor)
    ended = {words: at_s for at_s, words in movie.steps if "ends" in words}
    assert len(ended) == 2
    for served in ([a for a in lane if a.keys[0].state == "busy"] for lane in lanes.values()):
        begins = [actor.keys[0].at_s for actor in served]
        for before_s, after_s in pairwise(begins):
            assert TAKES_S <= after_s - before_s < TAKES_S + KEPT_S + INIT_S
        last_s = begins[-1] + TAKES_S + KEPT_S
        if last_s < movie.lasts_s:
            assert any(at_s == pytest.approx(last_s) for at_s in ended.values())


def test_a_failed_message_is_unseen_for_its_visibility_timeout_and_dies_after_its_receives() -> (
    None
):
    poison = MOVIES["visibility"].actors[POISON]
    seen = [key for key in poison.keys if key.state in ("visible", "hidden", "failed")]
    received = [b.at_s for a, b in pairwise(seen) if (a.state, b.state) == ("visible", "hidden")]
    assert len(received) == RECEIVES
    for before_s, after_s in pairwise(received):
        assert after_s - before_s == pytest.approx(VISIBILITY_S, abs=1.0)
    assert seen[-1].state == "failed"
    assert seen[-1].at_s == pytest.approx(received[-1] + VISIBILITY_S, abs=0.01)
    assert fact("sqs.visibility")["default_s"] == VISIBILITY_S


def test_the_bucket_pays_for_as_many_retries_as_its_tokens_do() -> None:
    movie, quota = MOVIES["bucket"], RetryQuota()
    level = movie.levels[0].values
    empty_s = next(at_s for at_s, words in movie.steps if "empty" in words)
    assert OUTAGE_S[0] < empty_s < OUTAGE_S[1]
    at_empty = next(share for at_s, share in level if at_s == empty_s)
    assert at_empty * quota.capacity < quota.cost
    # After the outage a success a call brings `refill`; two calls come in a second.
    after_s, share = level[-1]
    gained = (share - at_empty) * quota.capacity
    assert gained == pytest.approx(2 * (after_s - OUTAGE_S[1]) * quota.refill, abs=2)


def test_bad_movies_are_refused() -> None:
    with pytest.raises(ValueError, match="'sleep' is none of"):
        Key(0, 0, 0, "sleep")
    with pytest.raises(ValueError, match="not in order"):
        Actor((Key(1, 0, 0, "work"), Key(0, 0, 0, "work")))
    actor = Actor((Key(0, 0, 0, "work"),))
    with pytest.raises(ValueError, match=r"9 s lies outside of 0 to 2 s"):
        Movie("m", 100, 2, 9, 1, (actor,), ((0.0, "begins"),))
    with pytest.raises(ValueError, match="no movie"):
        find("nothing")
    assert together([(1.0, "a"), (0.0, "b")])[0] == (0.0, "b")
    assert said(((0.0, "a"), (1.0, "b")), 0.5) == "a"
