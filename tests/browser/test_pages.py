"""Every page, opened in a browser: it asks no other host, is quiet, fits, and can be read.

The widths are those of a laptop and of a small telephone; the contrast is computed from the colors
that the browser resolved, in light and in dark.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

LAPTOP, PHONE = 1280, 360
MIN_TEXT_PX = 10.0
MIN_CONTRAST = 4.5

# Width by which the page is too wide, and what sticks out.
OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const inScroller = (e) => { for (let p = e; p; p = p.parentElement) {
    const o = getComputedStyle(p).overflowX; if (o === "auto" || o === "scroll" || o === "hidden") return true; } };
  return [...document.querySelectorAll("main *")]
    .filter((e) => e.getBoundingClientRect().right > width + 1 && !inScroller(e))
    .slice(0, 5).map((e) => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`)
    .concat([`page ${document.documentElement.scrollWidth} > ${width}`]);
}"""

# The size at which each text of each figure is shown, in CSS pixels.
SIZES = """() => [...document.querySelectorAll("figure.sbe svg text")].map((t) => ({
  figure: t.closest("figure").id, text: t.textContent,
  px: parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getScreenCTM().a }))"""

# The contrast of each text of each figure with the page's ground, by WCAG's formula.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
  const light = (c) => { const [r, g, b] = rgb(c).map((v) => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.documentElement).backgroundColor);
  const against = (c) => { const x = light(c);
    return (Math.max(x, ground) + 0.05) / (Math.min(x, ground) + 0.05); };
  const found = [...document.querySelectorAll("figure.sbe svg text")].map((t) => ({
    what: `${t.closest("figure").id}: ${t.textContent}`, ratio: against(getComputedStyle(t).fill) }));
  for (const t of document.querySelectorAll("main :is(p, li, h1, h2, h3, td, th, figcaption, summary, a)"))
    found.push({ what: `${t.tagName}: ${t.textContent.slice(0, 40)}`, ratio: against(getComputedStyle(t).color) });
  return found;
}"""


def _pale(visit) -> list[str]:  # type: ignore[no-untyped-def]
    found = visit.page.evaluate(CONTRASTS)
    return [
        f"{t['what']!r} has contrast {t['ratio']:.2f}" for t in found if t["ratio"] < MIN_CONTRAST
    ]


def _small(visit) -> list[str]:  # type: ignore[no-untyped-def]
    found = visit.page.evaluate(SIZES)
    return [
        f"{t['figure']}: {t['text']!r} is {t['px']:.1f} px high"
        for t in found
        if t["px"] < MIN_TEXT_PX - 0.05
    ]


def test_every_page_is_quiet_and_at_home_fits_and_can_be_read(open_page, html_pages) -> None:  # type: ignore[no-untyped-def]
    wrong = []
    for path in html_pages:
        for width in (LAPTOP, PHONE):
            visit = open_page(path, width=width)
            found = [f"asks {url}" for url in visit.foreign()]
            found += [f"says {line}" for line in visit.console]
            found += [f"fails {line}" for line in visit.failures]
            found += [f"sticks out {e}" for e in visit.page.evaluate(OVERFLOW)]
            found += _small(visit) + (_pale(visit) if width == LAPTOP else [])
            wrong += [f"{path} at {width}: {what}" for what in found]
            visit.page.close()
    assert wrong == []


def test_words_stand_out_from_the_ground_in_the_dark(open_page, html_pages) -> None:  # type: ignore[no-untyped-def]
    pale = []
    for path in html_pages:
        visit = open_page(path, dark=True)
        pale += [f"{path}: {what}" for what in _pale(visit)]
        visit.page.close()
    assert pale == []


def test_without_javascript_figures_numbers_and_facts_stand(open_page, html_pages) -> None:  # type: ignore[no-untyped-def]
    figures = numbers = 0
    for path in html_pages:
        page = open_page(path, javascript=False).page
        for figure in page.locator("figure.sbe svg").all():
            assert figure.is_visible(), path
            box = figure.bounding_box()
            assert box is not None and box["width"] > 200 and box["height"] > 100, path
            figures += 1
        for number in page.locator("span.n").all():
            assert (number.text_content() or "").strip() not in ("", "?"), path
            numbers += 1
        fact = page.locator("article p .fact:visible").first
        if fact.count():
            note = fact.locator(".fact-note")
            assert not note.is_visible(), f"{path}: the source of a fact is hidden until asked for"
            fact.focus()
            assert note.is_visible(), f"{path}: the source of a fact shows on focus"
            assert note.locator("a").count() or len(note.text_content() or "") > 20, path
        page.close()
    assert figures and numbers


def test_the_reader_chooses_light_or_dark_and_the_page_remembers(open_page, html_pages) -> None:  # type: ignore[no-untyped-def]
    page = open_page(html_pages[0]).page
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(ground)
    page.locator("button.mode").click()
    after = page.evaluate(ground)
    assert after != before
    page.reload()
    assert page.evaluate(ground) == after


def test_the_contents_open_on_a_telephone(open_page, html_pages) -> None:  # type: ignore[no-untyped-def]
    page = open_page(html_pages[0], width=PHONE, javascript=False).page
    contents = page.locator("#book-nav")
    assert not contents.is_visible()
    page.locator("button.menu").click()
    assert contents.is_visible()
