"""Moving the controls of live figures in a browser, for their tests and their measurement.

May import the standard library; the page comes from Playwright.
"""

from __future__ import annotations

from typing import Any

#: Move a slider by some stops; resolves to the milliseconds to the first drawing and, where the
#: whole run is waited for, to the last.
MOVE = """([id, name, by, whole]) => new Promise((done, fail) => {
  const figure = document.getElementById(id);
  const slider = document.getElementById(`${id}-${name}`);
  const began = performance.now();
  let first = null;
  const drawn = ({ detail }) => {
    first ??= performance.now() - began;
    if (whole && !detail.last) return;
    figure.removeEventListener("live-drawn", drawn);
    done([first, performance.now() - began]);
  };
  figure.addEventListener("live-drawn", drawn);
  setTimeout(() => fail(new Error(figure.querySelector(".live-status").textContent)), 60000);
  const to = Number(slider.value) + by;
  slider.value = to > slider.max || to < 0 ? Number(slider.value) - by : to;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
})"""

#: Run an experiment in the page's Python, as the kit does; resolves to what the last step said.
RUN = """async ([kit, experiment, parameters]) => {
  const runtime = await import(kit.replace("kit.js", "runtime.js"));
  const { MODULES } = await import(kit.replace("kit.js", "manifest.js"));
  runtime.start(MODULES);
  await new Promise((done, fail) => runtime.watch(({ state, why }) => {
    if (state === "ready") done();
    if (state === "broken") fail(new Error(why));
  }));
  return new Promise((done) => runtime.run("test", 1, experiment, parameters, (said) => said.last && done(said)));
}"""

#: The kit's address, the experiments that the site has, and where their built results lie.
SITE = """async () => {
  const kit = document.querySelector('script[type="module"]').src;
  const { DATA, MEGABYTES } = await import(kit.replace("kit.js", "manifest.js"));
  return { kit, megabytes: MEGABYTES, data: DATA };
}"""


def figures(page: Any) -> list[str]:
    """Return the ids of the live figures of a page, in their order."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('figure.live')].map((f) => f.id)"
    )
    return found


def first_slider(page: Any, figure: str) -> str:
    """Return the name of the first slider of a figure."""
    found: str = page.evaluate(
        "(id) => document.querySelector(`#${id} input[type=range]`).id.slice(id.length + 1)", figure
    )
    return found


def move(page: Any, figure: str, name: str, by: int, whole: bool = True) -> tuple[float, float]:
    """Move a slider by some stops; return the milliseconds to the first and the last drawing.

    Without `whole` it returns at the first, and the run goes on until the next move.
    """
    first, last = page.evaluate(MOVE, [figure, name, by, whole])
    return float(first), float(last)
