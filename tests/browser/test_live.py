"""Live figures as a reader has them: without being asked nothing loads, and whatever goes wrong
the built figure stands.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from live_browser import figures, first_slider, move

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage, Visit

pytestmark = pytest.mark.browser

PYTHON = re.compile(r"/live/(runtime|library|data)-")
FORM = "(id) => JSON.parse(document.querySelector(`#${id} script`).textContent)"


@pytest.fixture(scope="session")
def live_pages(built_site: Path, html_pages: list[str]) -> list[str]:
    """Return the paths of the pages with live figures."""
    found = [p for p in html_pages if 'class="live-form"' in (built_site / p).read_text("utf-8")]
    assert found, "the site has no live figure"
    return found


@pytest.fixture(scope="session")
def lightest(built_site: Path, live_pages: list[str]) -> str:
    """Return the page with the fewest live figures."""
    return min(live_pages, key=lambda p: (built_site / p).read_text("utf-8").count("live-form"))


def quiet(visit: Visit) -> None:
    assert visit.console == []
    assert visit.foreign() == []
    assert visit.failures == []


def status(page: Any, figure: str) -> str:
    return str(page.locator(f"#{figure} .live-status").text_content())


def numbers(page: Any, figure: str) -> str:
    return str(page.locator(f"#{figure} .live-numbers").text_content())


def test_nothing_of_python_loads_before_a_control_is_touched_and_its_size_is_said(
    open_page: OpenPage, live_pages: list[str]
) -> None:
    for path in live_pages:
        visit = open_page(path)
        for figure in figures(visit.page):
            assert re.search(r"loads Python .*: \d+\.\d MB", status(visit.page, figure))
        assert not [url for url in visit.requests if PYTHON.search(url)]
        assert not visit.page.evaluate("navigator.serviceWorker.controller")
        quiet(visit)
        visit.page.close()


def test_without_javascript_there_are_figure_numbers_caption_and_no_dead_control(
    open_page: OpenPage, live_pages: list[str]
) -> None:
    for path in live_pages:
        page = open_page(path, javascript=False).page
        for figure in page.locator("figure.live").all():
            assert figure.locator("svg").is_visible()
            assert figure.locator("figcaption").is_visible()
            assert figure.locator(".live-numbers dd").first.is_visible()
            assert figure.locator("input, button, select, .live-panel").count() == 0
        page.close()


def test_a_moved_slider_computes_here_next_page_and_offline_start_from_what_is_kept(
    open_page: OpenPage, lightest: str
) -> None:
    visit = open_page(lightest)
    page = visit.page
    figure = figures(page)[0]
    before = numbers(page, figure)
    name = first_slider(page, figure)
    # the built picture stands until there is a better one
    page.evaluate(
        """(id) => { const picture = document.querySelector(`#${id} .live-picture`);
          globalThis.blank = 0;
          new MutationObserver(() => { if (!picture.querySelector("svg path")) blank += 1; })
            .observe(picture, { childList: true, subtree: true }); }""",
        figure,
    )
    move(page, figure, name, 3)
    assert page.evaluate("blank") == 0
    assert "Computed in this page" in status(page, figure)
    assert numbers(page, figure) != before
    assert "chapter:" in numbers(page, figure)
    loaded = [url for url in visit.requests if PYTHON.search(url)]
    assert len(loaded) == len(set(loaded)), "each file once"
    quiet(visit)
    # what was loaded is kept, once the page has come to rest
    page.wait_for_function(
        """async () => (await caches.keys()).includes("live-python")
        && (await (await caches.open("live-python")).keys()).length === 1
        && (await (await caches.open("live-files")).keys()).some((r) => r.url.endsWith(".wasm"))
        && (await (await caches.open("live-files")).keys()).some((r) => r.url === location.href)"""
    )
    page.context.set_offline(True)
    page.reload(wait_until="load")
    move(page, figure, name, -2)
    assert "Computed in this page" in status(page, figure)
    page.context.set_offline(False)


def test_presets_work_without_python_and_set_the_controls(
    open_page: OpenPage, live_pages: list[str]
) -> None:
    seen = 0
    for path in live_pages:
        visit = open_page(path)
        page = visit.page
        for figure in figures(page):
            form = page.evaluate(FORM, figure)
            for name, settings in form["presets"].items():
                chip = page.locator(f"#{figure} .live-presets").get_by_role(
                    "button", name=name, exact=True
                )
                chip.click()
                page.wait_for_function(
                    "([id, name]) => document.querySelector(`#${id} .live-status`).textContent.includes(name)",
                    arg=[figure, name],
                )
                assert chip.get_attribute("aria-pressed") == "true"
                for control in form["controls"]:
                    if control["name"] in settings and control["kind"] == "slider":
                        at = control["values"].index(settings[control["name"]])
                        slider = page.locator(f"#{figure}-{control['name']}")
                        assert slider.input_value() == str(at)
                        assert slider.get_attribute("aria-valuetext") == control["texts"][at]
                seen += 1
        assert not [url for url in visit.requests if re.search(r"/live/(runtime|library)-", url)]
        quiet(visit)
        visit.page.close()
    assert seen


def test_a_figure_can_be_worked_by_keyboard_alone(open_page: OpenPage, lightest: str) -> None:
    visit = open_page(lightest)
    page = visit.page
    figure = figures(page)[0]
    page.locator(f"#{figure} .headerlink").evaluate(
        "(a) => a.closest('figure').querySelector('.live-presets button').focus()"
    )
    reached = []
    for _ in range(60):
        here = page.evaluate(
            "() => { const e = document.activeElement; return e.closest('figure.live') ? e.id || e.textContent || e.type : '' }"
        )
        if not here:
            break
        reached.append(here)
        page.keyboard.press("Tab")
    form = page.evaluate(FORM, figure)
    for control in form["controls"]:
        assert f"{figure}-{control['name']}" in reached
    for words in (*form["presets"], "Copy link", "CSV", "SVG", "Replay", "Open in the lab"):
        assert words in reached, words
    slider = page.locator(f"#{figure}-{first_slider(page, figure)}")
    slider.focus()
    before = slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") != before
    page.wait_for_function(
        "(id) => document.querySelector(`#${id} .live-status`).textContent.includes('Computed')",
        arg=figure,
    )
    # a result is announced once the reader pauses, in words with units
    page.wait_for_function(
        "(id) => document.querySelector(`#${id} .live-panel [aria-live]`).textContent.length > 10",
        arg=figure,
    )
    page.keyboard.press("End")
    assert slider.input_value() == slider.get_attribute("max")
    quiet(visit)


def test_axe_finds_nothing_serious(
    open_page: OpenPage, live_pages: list[str], lightest: str, root: Path
) -> None:
    axe = (root / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    wrong = []
    for path in live_pages:
        for dark in (False, True) if path == lightest else (False,):
            page = open_page(path, dark=dark).page
            figure = figures(page)[0]
            page.locator(f"#{figure} .live-presets button").last.click()
            page.locator(f"#{figure} summary").click()
            page.wait_for_selector(f"#{figure} .plot")
            page.evaluate(axe)
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            wrong += [
                f"{path}: {v['id']}: {v['nodes'][0]['html'][:160]}"
                for v in found["violations"]
                if v["impact"] in ("serious", "critical")
            ]
            page.close()
    assert wrong == []


#: What a link may carry, and what the notice must name.
BAD = (
    ("{slug}.{slider}=NaN", "{slider}"),
    ("{slug}.{slider}=1e999", "{slider}"),
    ("{slug}.{slider}=-7e7", "{slider}"),
    ("{slug}.{slider}=", "{slider}"),
    ("{slug}.speed=3", "speed"),
    ("{slug}.seed=1&{slug}.__proto__=1&other=2", "__proto__"),
    ("{slug}.%3Cimg%20src%3Dx%20onerror%3D%22alert(1)%22%3E=1", "<img src=x"),
    ("{slug}.{slider}=%3Cscript%3Ealert(1)%3C/script%3E", "{slider}"),
    ("{slug}.seed=1.5&{slug}.seed=99999999", "seed"),
)


def test_bad_input_in_a_link_is_ignored_with_a_notice_and_harms_nothing(
    open_page: OpenPage, lightest: str
) -> None:
    plain = open_page(lightest).page
    figure = next(f for f in figures(plain) if plain.locator(f"#{f}-seed").count())
    slider = first_slider(plain, figure)
    before = plain.locator(f"#{figure}-{slider}").input_value()
    names = {"slug": figure.removeprefix("live-"), "slider": slider}
    for query, told in BAD:
        visit = open_page(f"{lightest}?{query.format(**names)}#{figure}")
        page = visit.page
        warning = page.locator(f"#{figure} .live-warning")
        assert warning.is_visible(), query
        assert told.format(**names) in (warning.text_content() or "")
        assert page.locator(f"#{figure} .live-warning *").count() == 0, "words, not markup"
        assert page.locator(f"#{figure}-{slider}").input_value() == before
        assert page.locator(f"#{figure}-seed").input_value() == "1"
        assert not [url for url in visit.requests if PYTHON.search(url)]
        quiet(visit)
        page.locator(f"#{figure} .live-presets button").first.click()
        assert not warning.is_visible(), "it goes when the reader goes on"
        page.close()


def test_a_link_carries_the_settings_and_is_computed_when_the_reader_says_so(
    open_page: OpenPage, lightest: str
) -> None:
    page = open_page(lightest).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = figures(page)[0]
    name = first_slider(page, figure)
    move(page, figure, name, 3)
    found = numbers(page, figure)
    page.locator(f"#{figure}").get_by_role("button", name="Copy link").click()
    page.wait_for_function("location.search.length > 1")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url and link.endswith(f"#{figure}")
    other = open_page(link.split("/", 3)[3]).page
    assert other.locator(f"#{figure} .live-warning").is_hidden()
    value = other.locator(f"#{figure}-{name}").input_value()
    assert value == page.locator(f"#{figure}-{name}").input_value()
    other.get_by_role("button", name=re.compile("Load Python .* and compute")).click()
    other.wait_for_function(
        "(id) => document.querySelector(`#${id} .live-status`).textContent.includes('Computed')",
        arg=figure,
    )
    assert numbers(other, figure) == found


def test_the_figure_goes_out_as_data_and_as_a_picture_of_its_own(
    open_page: OpenPage, lightest: str, tmp_path: Path
) -> None:
    page = open_page(lightest).page
    figure = figures(page)[0]
    for kind in ("CSV", "SVG"):
        with page.expect_download() as coming:
            page.locator(f"#{figure}").get_by_role("button", name=re.compile(kind)).click()
        path = tmp_path / coming.value.suggested_filename
        coming.value.save_as(path)
        text = path.read_text(encoding="utf-8")
        assert path.suffix == f".{kind.lower()}" and len(text) > 100
        if kind == "SVG":
            assert text.startswith("<svg") and "var(--" not in text
        else:
            assert len(text.splitlines()) > 2


def test_where_webassembly_is_missing_the_figure_stays_and_one_line_says_why(
    open_page: OpenPage, lightest: str
) -> None:
    for script in ("delete globalThis.WebAssembly", "delete globalThis.Worker"):
        visit = open_page(lightest, script=script)
        page = visit.page
        figure = figures(page)[0]
        slider = page.locator(f"#{figure}-{first_slider(page, figure)}")
        slider.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "(id) => document.querySelector(`#${id} .live-status`).textContent.includes('does not run')",
            arg=figure,
        )
        assert page.locator(f"#{figure} .live-picture svg").first.is_visible()
        assert slider.is_disabled()
        assert page.locator(f"#{figure} .live-progress").is_hidden()
        page.locator(f"#{figure} .live-presets button").last.click()
        page.wait_for_selector(f"#{figure} .plot")
        quiet(visit)
        page.close()


def test_where_the_runtime_cannot_be_fetched_the_figure_stays(
    open_page: OpenPage, lightest: str
) -> None:
    page = open_page(lightest).page
    page.context.route(re.compile(r"\.wasm$"), lambda route: route.fulfill(status=404, body=""))
    figure = figures(page)[0]
    slider = page.locator(f"#{figure}-{first_slider(page, figure)}")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "(id) => document.querySelector(`#${id} .live-status`).textContent.includes('stays as it is')",
        arg=figure,
    )
    assert page.locator(f"#{figure} .live-picture svg").first.is_visible()
    assert slider.is_disabled()


def test_a_device_that_saves_data_is_asked_first(open_page: OpenPage, lightest: str) -> None:
    script = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    visit = open_page(lightest, script=script)
    page = visit.page
    figure = figures(page)[0]
    page.locator(f"#{figure}-{first_slider(page, figure)}").focus()
    page.keyboard.press("ArrowRight")
    load = page.locator(f"#{figure}").get_by_role(
        "button", name=re.compile(r"Load Python \(.* MB\)")
    )
    assert load.is_visible()
    assert not [url for url in visit.requests if PYTHON.search(url)]
    load.click()
    page.wait_for_function(
        "(id) => document.querySelector(`#${id} .live-status`).textContent.includes('Computed')",
        arg=figure,
    )
    quiet(visit)


def test_memory_does_not_grow_over_two_hundred_moves(open_page: OpenPage, lightest: str) -> None:
    """The page's heap after 200 moves is that after 40, but for a tenth; so is Python's."""
    page = open_page(lightest).page
    figure = figures(page)[0]
    name = first_slider(page, figure)
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        used: float = session.send("Runtime.getHeapUsage")["usedSize"]
        return used

    storm = """async ([id, name, times]) => {
      const slider = document.getElementById(`${id}-${name}`);
      for (let i = 0; i < times; i++) {
        slider.value = i % Number(slider.max);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((next) => setTimeout(next, 30));
      }
    }"""
    move(page, figure, name, 1)
    page.evaluate(storm, [figure, name, 40])
    move(page, figure, name, 1)
    early = heap()
    page.evaluate(storm, [figure, name, 160])
    first, last = move(page, figure, name, 1)
    assert heap() < early * 1.1 + 300_000
    assert last < 10_000, "what was given up is not worked off afterwards"
    assert first < 5_000


def test_reduced_motion_and_a_narrow_screen(open_page: OpenPage, live_pages: list[str]) -> None:
    for path in live_pages:
        page = open_page(path, width=360, height=740, reduced_motion=True).page
        figure = figures(page)[0]
        page.locator(f"#{figure} .live-presets button").last.click()
        page.wait_for_selector(f"#{figure} .plot")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{path} is {width} px wide"
        small = page.evaluate(
            """(id) => [...document.querySelectorAll(`#${id} :is(button, input, select)`)]
              .filter((e) => e.type !== "checkbox" && e.offsetParent && e.getBoundingClientRect().height < 32)
              .map((e) => e.id || e.textContent)""",
            figure,
        )
        assert small == [], f"{path}: too small for a finger"
        moving = page.evaluate("document.getAnimations().length")
        assert moving == 0
        page.close()


def test_what_the_build_wrote_is_what_the_page_says(
    built_site: Path, live_pages: list[str]
) -> None:
    """The numbers in the page are those of the file that presets and comparison come from."""
    for path in live_pages:
        text = (built_site / path).read_text(encoding="utf-8")
        for found in re.finditer(r'class="live-form">(.*?)</script>', text):
            form = json.loads(found.group(1))
            (data,) = built_site.glob(f"live/data-*/{form['experiment']}.json")
            built = json.loads(data.read_text(encoding="utf-8"))
            assert set(built["presets"]) == set(form["presets"])
            for one in built["chapter"]["numbers"].values():
                assert f"<dd>{one['text'].replace('<', '&lt;')}" in text
