"""An experiment's face in JupyterLab: the controls of the live figure, as widgets.

May import ipywidgets, matplotlib and, of the library, `simulations.experiment`,
`simulations.live` and `simulations.figures`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from html import escape
from typing import Any

import ipywidgets as widgets
import matplotlib as mpl

from simulations.experiment import Experiment, Result
from simulations.figures.drawing import draw
from simulations.figures.style import settings
from simulations.figures.svg import to_svg
from simulations.live import controls, find, typed, view
from simulations.live.controls import MOST_SEED, setting

#: Between two frames of a run that goes on; drawing one takes about a fifth of a second.
FRAME_S = 0.5
#: How long the kernel listens between two results: to the cancel button, to a newer setting.
LISTEN_S = 0.005
#: The name of the chapter's own setting among the presets.
CHAPTER = "the chapter's setting"
_WIDE = widgets.Layout(width="34rem", max_width="100%")
_WORDS = {"description_width": "11rem"}


class Explorer:
    """An experiment with its controls, presets, progress and a way to stop it.

    Parameters
    ----------
    experiment : Experiment or str
        The experiment, or its name below `simulations.experiments`: `"cold_starts.cold_share"`.
    **parameters
        What to begin with, where it is not the chapter's setting.

    Attributes
    ----------
    controls : dict
        The widgets, by the parameter that they set.
    presets, again, cancel, progress, figure, numbers, message
        The other widgets.
    result : Result or None
        The latest result, whole or on its way.
    state : str
        "running", "done", "canceled" or "refused".

    Raises
    ------
    ValueError
        If a parameter is unknown or out of its range.

    Examples
    --------
    >>> explorer = Explorer("cold_starts.cold_share", rate_per_h=200.0)
    >>> explorer.parameters["rate_per_h"], explorer.controls["rate_per_h"].description
    (200.0, 'rate per h')
    """

    def __init__(self, experiment: Experiment | str, **parameters: Any) -> None:
        self.experiment = find(experiment) if isinstance(experiment, str) else experiment
        parameters = typed(self.experiment, parameters)
        self.result: Result | None = None
        self.state = "done"
        self._run = 0
        self._quiet = False
        self._task: asyncio.Task[None] | None = None
        self.controls: dict[str, Any] = {}
        begin = {**self.experiment.defaults, **parameters}
        for one in controls(self.experiment):
            unit = getattr(self.experiment.controls[one["name"]], "unit", "")
            self.controls[one["name"]] = _control(one, begin[one["name"]], unit)
        for control in self.controls.values():
            control.observe(self._changed, "value")
        self.presets = widgets.Dropdown(
            options=[CHAPTER, *self.experiment.presets], description="preset", style=_WORDS,
            layout=_WIDE, value=None if parameters else CHAPTER,
        )  # fmt: skip
        self.presets.observe(self._preset, "value")
        self.again = widgets.Button(description="another seed", icon="refresh")
        self.again.on_click(lambda _: self._reseed())
        self.cancel = widgets.Button(description="cancel", icon="stop", disabled=True)
        self.cancel.on_click(lambda _: self._stop())
        self.progress = widgets.FloatProgress(
            max=1.0, description="progress", style=_WORDS, layout=_WIDE
        )
        self.figure = widgets.HTML()
        self.numbers = widgets.HTML()
        self.message = widgets.HTML()
        buttons = [self.again, self.cancel] if "seed" in self.controls else [self.cancel]
        self.box = widgets.VBox(
            [
                self.presets, *self.controls.values(), widgets.HBox(buttons), self.progress,
                self.message, self.figure, self.numbers,
            ]
        )  # fmt: skip

    @property
    def parameters(self) -> dict[str, Any]:
        """What the controls say now, with the defaults of what has no control."""
        return {**self.experiment.defaults, **{n: c.value for n, c in self.controls.items()}}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box)  # type: ignore[no-untyped-call]
        self.run()

    def run(self) -> None:
        """Run with what the controls say now, in the place of what is running.

        In a notebook it runs beside the cells; without an event loop, to the end.
        """
        self._run += 1
        self.state = "running"
        self.cancel.disabled = False
        self.message.value = ""
        self.progress.bar_style = "info"
        self.progress.value = 0.0
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(self._work(self._run))
        else:
            self._task = loop.create_task(self._work(self._run))

    async def _work(self, run: int) -> None:
        """Show result after result, until the last, a newer run, or an error."""
        drawn_s = -FRAME_S
        count = 0
        try:
            for found in self._results():
                count += 1
                self.result = found
                share = found.progress
                self.progress.value = 1 - 1 / (1 + count) if share is None else share
                is_due = time.monotonic() - drawn_s >= FRAME_S
                if is_due:
                    self._show(found)
                    drawn_s = time.monotonic()
                await asyncio.sleep(LISTEN_S)
                if run != self._run:
                    return
            if self.result is not None and not is_due:
                self._show(self.result)
            self._end("done", "success")
        except Exception as problem:  # whatever it is, the learner must hear of it
            kind = "" if isinstance(problem, ValueError) else f"{type(problem).__name__}: "
            self.message.value = f"<p>{escape(kind + ' '.join(str(problem).split()))}</p>"
            self._end("refused", "danger")

    def _results(self) -> Iterator[Result]:
        return self.experiment.stream(**self.parameters)

    def _end(self, state: str, style: str) -> None:
        self.state = state
        self.cancel.disabled = True
        self.progress.bar_style = style
        if state == "done":
            self.progress.value = 1.0

    def _stop(self) -> None:
        """Drop what is running; what it has shown stays."""
        if self.state == "running":
            self._run += 1
            self.message.value = "<p>Canceled: the figure shows what was found until then.</p>"
            self._end("canceled", "warning")

    def _reseed(self) -> None:
        """Replay with the next seed."""
        seed = self.controls["seed"]
        seed.value = seed.value % MOST_SEED + 1

    def _changed(self, _: Any) -> None:
        if not self._quiet:
            self._quiet = True
            self.presets.value = None
            self._quiet = False
            self.run()

    def _preset(self, change: Any) -> None:
        """Set every control as the preset says; what it leaves out, as in the chapter."""
        if self._quiet or change["new"] is None:
            return
        chosen = {**self.experiment.defaults, **self.experiment.presets.get(change["new"], {})}
        self._quiet = True
        for name, control in self.controls.items():
            control.value = chosen[name]
        self._quiet = False
        self.run()

    def _show(self, found: Result) -> None:
        words = view(found)["numbers"]
        told = ", ".join(f"{name} {one['text']}" for name, one in words.items())
        name = f"explore-{self.experiment.name.replace('_', '-')}"
        with mpl.rc_context(settings()):
            svg = to_svg(draw(found), name, f"{found.y.label} against {found.x.label}: {told}")
        self.figure.value = (
            f'<div style="max-width: 38rem; background: #fff; color: #1d2129">{svg}</div>'
        )
        rows = "".join(
            f"<tr><th style='text-align: left; padding-right: 1em'>{escape(name)}</th>"
            f"<td style='text-align: right'>{escape(one['text'])}</td>"
            f"<td style='padding-left: 1em'>{escape(one['between'])}</td></tr>"
            for name, one in words.items()
        )
        self.numbers.value = f"<table>{rows}</table>"


def _control(one: dict[str, Any], value: Any, unit: str) -> Any:
    """Return the widget for a control as `simulations.live.controls` describes it."""
    shared = {"description": one["label"], "style": _WORDS, "layout": _WIDE}
    if one["kind"] == "seed":
        return widgets.BoundedIntText(value=value, min=0, max=one["high"], **shared)
    options = list(zip(one["texts"], one["values"], strict=True))
    if one["kind"] == "choice":
        return widgets.Dropdown(options=options, value=value, **shared)
    if value not in one["values"]:  # a caller's value need be no stop
        options = sorted([*options, (setting(value, unit), value)], key=lambda option: option[1])
    return widgets.SelectionSlider(options=options, value=value, continuous_update=False, **shared)


def explore(experiment: Experiment | str, **parameters: Any) -> Explorer:
    """Show an experiment with its controls, in JupyterLab.

    Parameters
    ----------
    experiment : Experiment or str
        The experiment, or its name below `simulations.experiments`.
    **parameters
        What to begin with, where it is not the chapter's setting.

    Raises
    ------
    ValueError
        If a parameter is unknown or out of its range.

    Examples
    --------
    >>> explore("cold_starts.cold_share").parameters["routing"]
    'most_recent'
    """
    return Explorer(experiment, **parameters)
