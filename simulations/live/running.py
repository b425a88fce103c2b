"""Running experiments step by step, for a page that may change its mind between two results.

The page's worker calls `Runs.step` and returns to its event loop after each, so a newer setting
replaces the running one there. May import the standard library and, of the library,
`simulations.experiment`, `simulations.experiments` and `simulations.live`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from simulations.experiment import Experiment, Result
from simulations.live.controls import find, typed
from simulations.live.views import view


class Runs:
    """The experiments that are running, one a figure.

    Examples
    --------
    >>> runs = Runs()
    >>> runs.begin("live-share", "cold_starts.cold_share", '{"rate_per_h": 60}')
    >>> found = json.loads(runs.step("live-share"))
    >>> found["last"], found["frame"]["numbers"]["theory"]["unit"]
    (False, '%')
    >>> runs.drop("live-share")
    >>> json.loads(runs.step("live-share"))
    {'last': True}
    """

    def __init__(self) -> None:
        self._running: dict[str, Iterator[Result]] = {}
        self._latest: dict[str, Result] = {}

    def begin(self, figure: str, experiment: str, parameters: str) -> None:
        """Start an experiment for a figure, in the place of what runs for it.

        Nothing is computed and nothing refused before the first step.
        """
        self.drop(figure)
        self._running[figure] = _results(experiment, parameters)

    def drop(self, figure: str) -> None:
        """Stop what runs for a figure, if anything does."""
        self._running.pop(figure, None)
        self._latest.pop(figure, None)

    def step(self, figure: str, is_due: bool = True) -> str:
        """Run to the next result and return, as JSON, what there is to show.

        Parameters
        ----------
        figure : str
            The figure for which to go on.
        is_due : bool
            Whether a result that is not the last is wanted; making it ready takes a while.

        Returns
        -------
        str
            `last` says whether the run is over. `frame` is the result where there is one to
            show, `refused` the one sentence of a `ValueError`, `failed` that of another error.
        """
        running = self._running.get(figure)
        if running is None:
            return _said(last=True)
        try:
            found = next(running, None)
            if found is not None:
                self._latest[figure] = found
                return _said(last=False, frame=view(found)) if is_due else _said(last=False)
            latest = self._latest.get(figure)
            if latest is None:
                raise ValueError("the experiment yielded no result")
            answer = _said(last=True, frame=view(latest))
        except ValueError as problem:
            answer = _said(last=True, refused=_sentence(problem))
        except Exception as problem:  # whatever it is, the page must hear of it and go on
            answer = _said(last=True, failed=f"{type(problem).__name__}: {_sentence(problem)}")
        self.drop(figure)
        return answer


def _results(name: str, parameters: str) -> Iterator[Result]:
    experiment: Experiment = find(name)
    yield from experiment.stream(**typed(experiment, json.loads(parameters)))


def _sentence(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]


def _said(**answer: Any) -> str:
    return json.dumps(answer, separators=(",", ":"), allow_nan=False)
