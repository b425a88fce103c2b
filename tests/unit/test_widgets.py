"""The same experiment in JupyterLab: a real kernel, driven as the notebook's page drives it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from simulations.experiments.cold_starts import cold_share
from simulations.live import controls, view
from simulations.widgets import CHAPTER, Explorer

ROOT = Path(__file__).resolve().parents[2]
NAME = "cold_starts.cold_share"
#: Yields forever, so that only the cancel button ends it.
ENDLESS = """
from simulations.experiment import Axis, Number, Result, Series, experiment
@experiment("cold-starts", presets={"far": {"start": 40}})
def endless(start: int = 1, seed: int = 1):
    count = start
    while True:
        count += 1
        line = Series("count", (0, 1), (0, count))
        yield Result(Axis("x"), Axis("y"), (line,), {"count": Number(count)})
"""


class Notebook:
    """A kernel and what its frontend says to it."""

    def __init__(self, manager: KernelManager) -> None:
        self.client: Any = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def value(self, expression: str) -> str:
        """Run a cell and return its value as text."""
        reply = self.client.execute_interactive(
            "", user_expressions={"it": expression}, timeout=60, output_hook=lambda _: None
        )
        found = reply["content"]["user_expressions"]["it"]
        assert found["status"] == "ok", found
        text: str = found["data"]["text/plain"]
        return text

    def cell(self, code: str) -> list[dict[str, Any]]:
        """Run a cell and return its output messages."""
        messages: list[dict[str, Any]] = []
        reply = self.client.execute_interactive(code, timeout=60, output_hook=messages.append)
        assert reply["content"]["status"] == "ok", reply["content"]
        return messages

    def say(self, widget: str, data: dict[str, Any]) -> None:
        """Send what the page sends when somebody touches a widget."""
        identity = self.value(f"{widget}.model_id").strip("'")
        content = {"comm_id": identity, "data": data}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def move(self, widget: str, state: dict[str, Any]) -> None:
        """Send a new state, as a slider that was moved."""
        self.say(widget, {"method": "update", "state": state, "buffer_paths": []})

    def click(self, widget: str) -> None:
        """Send a click."""
        self.say(widget, {"method": "custom", "content": {"event": "click"}})

    def until(self, expression: str, wanted: str, seconds: float = 30) -> None:
        """Wait until an expression has a value."""
        end_s = time.monotonic() + seconds
        while (found := self.value(expression)) != wanted:
            assert time.monotonic() < end_s, f"{expression} is {found}, not {wanted}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    manager = KernelManager()
    manager.start_kernel(cwd=str(ROOT))
    found = Notebook(manager)
    yield found
    found.client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_shown_experiment_runs_and_draws(notebook: Notebook) -> None:
    shown = notebook.cell(f"from simulations.widgets import explore\ne = explore({NAME!r})\ne")
    kinds = [m["content"]["data"] for m in shown if m["msg_type"] == "display_data"]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in kinds)
    notebook.until("e.state", "'done'")
    assert notebook.value("'<svg' in e.figure.value and e.progress.value") == "1.0"
    text = view(cold_share())["numbers"]["cold share"]["text"]
    assert notebook.value(f"{text!r} in e.numbers.value") == "True"


def test_a_moved_slider_runs_the_same_experiment_with_the_new_setting(notebook: Notebook) -> None:
    stops = next(c for c in controls(cold_share) if c["name"] == "rate_per_h")
    at = len(stops["values"]) * 2 // 3
    notebook.move("e.controls['rate_per_h']", {"index": at})
    notebook.until("e.parameters['rate_per_h']", repr(stops["values"][at]))
    notebook.until("e.state", "'done'")
    text = view(cold_share(rate_per_h=stops["values"][at]))["numbers"]["theory"]["text"]
    assert notebook.value(f"{text!r} in e.numbers.value") == "True"
    assert notebook.value("e.presets.value is None") == "True"


def test_cancel_stops_a_run_between_two_results_and_what_it_found_stays(
    notebook: Notebook,
) -> None:
    notebook.cell(ENDLESS + "\nlong = explore(endless)\nlong")
    notebook.until("long.state == 'running' and long.result['count'] > 5", "True")
    notebook.click("long.cancel")
    notebook.until("long.state", "'canceled'")
    stopped = notebook.value("long.result['count']")
    time.sleep(0.3)
    assert notebook.value("long.result['count']") == stopped
    assert notebook.value("long.cancel.disabled") == "True"


def test_a_newer_setting_replaces_the_one_that_runs(notebook: Notebook) -> None:
    notebook.cell("long.run()")
    notebook.move("long.presets", {"index": 1})  # "far": it starts at 40
    notebook.until("long.result['count'] > 45", "True")
    notebook.click("long.again")
    notebook.until("long.parameters['seed']", "2")
    notebook.click("long.cancel")
    notebook.until("long.state", "'canceled'")


def test_an_error_on_the_way_is_told_in_one_sentence(notebook: Notebook) -> None:
    notebook.cell(ENDLESS.replace("count += 1", "count = 1 / 0") + "\nbad = explore(endless)\nbad")
    notebook.until("bad.state", "'refused'")
    assert notebook.value("'ZeroDivisionError: division by zero' in bad.message.value") == "True"
    assert notebook.value("'Traceback' in bad.message.value") == "False"


def test_controls_and_presets_are_those_of_the_page() -> None:
    explorer = Explorer(NAME, rate_per_h=61.5)
    described = controls(cold_share)
    assert list(explorer.controls) == [one["name"] for one in described]
    for one in described:
        widget = explorer.controls[one["name"]]
        assert widget.description == one["label"]
        if one["kind"] != "seed":
            shown = [value for _, value in widget.options if value != 61.5]
            assert shown == [value for value in one["values"] if value != 61.5]
    assert explorer.parameters["rate_per_h"] == 61.5
    assert explorer.presets.options == (CHAPTER, *cold_share.presets)


def test_a_refusal_is_one_sentence_and_no_traceback() -> None:
    with pytest.raises(ValueError, match=r"rate_per_h=0\.0 is outside"):
        Explorer(NAME, rate_per_h=0)
    with pytest.raises(ValueError, match="is no experiment"):
        Explorer("cold_starts.nothing")
