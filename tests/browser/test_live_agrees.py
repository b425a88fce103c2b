"""The browser's Python and this one say the same: every live experiment of the site, run in both.

`random()` is the same in both; transcendental functions may differ in the last bit. So counts and
words must be equal and floats within 1e-9.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from live_browser import RUN, SITE

from simulations.live import Runs, controls, find

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser
RELATIVE = 1e-9


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Return where two plain results differ: types, order, integers, words; floats by 1e-9."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return [f"{where}: {list(ours)} against {list(theirs)}"]
        return [d for key in ours for d in differences(ours[key], theirs[key], f"{where}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [f"{where}: {len(ours)} against {len(theirs)}"]
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{where}[{i}]")]
    # JSON does not tell 3.0 from 3
    if isinstance(ours, float) and isinstance(theirs, float | int) and not isinstance(theirs, bool):
        same = math.isclose(ours, theirs, rel_tol=RELATIVE, abs_tol=1e-12)
        return [] if same else [f"{where}: {ours!r} against {theirs!r}"]
    return [] if ours == theirs else [f"{where}: {ours!r} against {theirs!r}"]


def elsewhere(name: str) -> dict[str, Any]:
    """Return a setting that no preset has: each slider a third along its way, another seed."""
    found = {}
    for one in controls(find(name)):
        if one["kind"] == "slider":
            found[one["name"]] = one["values"][len(one["values"]) // 3]
        elif one["kind"] == "choice":
            found[one["name"]] = one["values"][-1]
        else:
            found[one["name"]] = 7
    return found


def here(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what the last step of a run in this Python says."""
    runs = Runs()
    runs.begin("here", name, json.dumps(parameters))
    said: dict[str, Any] = {"last": False}
    while not said["last"]:
        said = json.loads(runs.step("here", is_due=False))
    return dict(said.get("frame", said))


def test_browser_and_cpython_agree_on_every_live_experiment(
    open_page: OpenPage, html_pages: list[str], built_site: Path
) -> None:
    path = next(p for p in html_pages if 'class="live-form"' in (built_site / p).read_text("utf-8"))
    visit = open_page(path)
    page = visit.page
    site = page.evaluate(SITE)
    wrong = []
    for name, place in site["data"].items():
        experiment = find(name)
        built = json.loads((built_site / "live" / place).read_text(encoding="utf-8"))
        settings = [(elsewhere(name), None)]
        if experiment.presets:
            last = list(experiment.presets)[-1]
            settings.append((experiment.presets[last], built["presets"][last]))
        else:
            settings.append(({}, built["chapter"]))
        for parameters, ours in settings:
            said = page.evaluate(RUN, [site["kit"], name, parameters])
            if ours is None:
                ours = here(name, parameters)
            if "refused" in ours:
                wrong += differences(ours["refused"], said.get("refused"), name)
                continue
            assert "frame" in said, f"{name} with {parameters}: {said}"
            wrong += [f"{name} with {parameters}: {d}" for d in differences(ours, said["frame"])]
    assert wrong == []
    assert visit.console == [] and visit.foreign() == []


def test_the_comparison_sees_what_it_must() -> None:
    base = {"a": [1, 2.0, "0.53 %", None], "n": {"v": 3}}
    assert differences(base, {"a": [1, 2.0 + 1e-10, "0.53 %", None], "n": {"v": 3}}) == []
    for other in (
        {"a": [1, 2.0 + 1e-8, "0.53 %", None], "n": {"v": 3}},
        {"a": [2, 2.0, "0.53 %", None], "n": {"v": 3}},
        {"a": [1, 2.0, "0.54 %", None], "n": {"v": 3}},
        {"a": [1, 2.0, "0.53 %", 0.0], "n": {"v": 3}},
        {"a": [1, 2.0, "0.53 %"], "n": {"v": 3}},
        {"n": {"v": 3}, "a": [1, 2.0, "0.53 %", None]},
    ):
        assert differences(base, other)
