"""Moving pictures in a real browser: they move as their trace says, and only when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulations.movies import Key, Movie, find
from simulations.movies.picture import keyframes, place, said

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage, Visit

pytestmark = pytest.mark.browser

PAGES = {
    "way": "book/start/the-order-story.html",
    "environments": "book/lambda/cold-starts.html",
    "visibility": "book/lambda/lambda-invocation.html",
    "bucket": "book/lambda/lambda-resilience.html",
}
SHOWN = """figure => [...figure.querySelectorAll(".actor")].map(node => {
  const at = node.transform.baseVal[0].matrix;
  return [at.e, at.f, node.getAttribute("class").replace("actor m-", "")];
})"""


def agree(visit: Visit, movie: Movie, at_s: float) -> None:
    """Demand that every actor is where Python says that it is at a moment."""
    frames = keyframes(movie)  # with times as the page has them, to the millisecond
    figure = visit.page.locator(f"#movie-{movie.name}")
    for i, (x, y, state) in enumerate(figure.evaluate(SHOWN)):
        expected = place([Key(*key) for key in frames["actors"][i]], at_s)
        assert state == expected[2], (i, at_s)
        if state != "gone":
            assert (x, y) == pytest.approx(expected[:2], abs=0.2), (i, at_s)
    texts = figure.locator("text.words").all_text_contents()
    assert texts == [said(values, at_s) for values in frames["words"]]


@pytest.mark.parametrize("name", PAGES)
def test_stepping_shows_each_moment_as_the_trace_has_it(open_page: OpenPage, name: str) -> None:
    movie = find(name)
    visit = open_page(PAGES[name])
    figure = visit.page.locator(f"#movie-{name}")
    slider = figure.locator("input[type=range]")
    agree(visit, movie, movie.still_s)
    slider.evaluate("node => { node.value = 0; node.dispatchEvent(new Event('input')); }")
    steps = keyframes(movie)["steps"]
    for at_s, words in steps[1 if steps[0][0] == 0 else 0 :]:
        figure.get_by_role("button", name="Next").click()
        assert figure.locator(".movie-told").inner_text() == words
        agree(visit, movie, at_s)
    slider.press("ArrowLeft")
    assert figure.locator(".movie-told").inner_text() == movie.steps[-2][1]
    assert visit.console == []
    assert visit.foreign() == []


def test_nothing_plays_before_it_is_asked_to_and_pause_stops_it(open_page: OpenPage) -> None:
    visit = open_page(PAGES["environments"])
    figure = visit.page.locator("#movie-environments")
    slider = figure.locator("input[type=range]")
    before = slider.input_value()
    visit.page.wait_for_timeout(300)
    assert slider.input_value() == before
    figure.get_by_role("button", name="Play").click()
    between = "value => value > 30 && value < 1000"
    visit.page.wait_for_function(
        f"({between})(Number(document.querySelector('#movie-environments input').value))"
    )
    figure.get_by_role("button", name="Pause").click()
    stopped = slider.input_value()
    visit.page.wait_for_timeout(300)
    assert slider.input_value() == stopped


def test_who_wants_no_motion_gets_moments_and_nothing_in_between(open_page: OpenPage) -> None:
    movie = find("way")
    visit = open_page(PAGES["way"], reduced_motion=True)
    figure = visit.page.locator("#movie-way")
    slider = figure.locator("input[type=range]")
    slider.evaluate("node => { node.value = 0; node.dispatchEvent(new Event('input')); }")
    figure.get_by_role("button", name="Play").click()
    moments = {round(at_s, 3) for at_s, _ in movie.steps} | {0.0, round(movie.lasts_s, 3)}
    seen = set()
    for _ in range(40):
        seen.add(round(float(slider.input_value()), 3))
        visit.page.wait_for_timeout(100)
    assert len(seen) >= 3
    assert seen <= moments


def test_without_javascript_one_moment_stands_there_and_no_dead_button(
    open_page: OpenPage,
) -> None:
    visit = open_page(PAGES["visibility"], javascript=False)
    figure = visit.page.locator("#movie-visibility")
    assert figure.locator("svg.movie-stage").is_visible()
    assert figure.locator("button").count() == 0
    assert figure.locator("figcaption").is_visible()


def test_the_controls_are_reached_and_used_by_keyboard_alone(open_page: OpenPage) -> None:
    visit = open_page(PAGES["bucket"])
    figure = visit.page.locator("#movie-bucket")
    figure.get_by_role("button", name="Play").focus()
    for wanted in ("Back", "Next"):
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.textContent") == wanted
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.ariaLabel") == "Time of the picture"
    visit.page.keyboard.press("ArrowLeft")
    value = visit.page.evaluate("document.activeElement.getAttribute('aria-valuetext')")
    assert value.endswith(" seconds")
