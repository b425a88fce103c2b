"""An experiment's face in the browser: its controls, its results in words, and what runs it.

These files run twice: in the build, and in the reader's browser, where the page's worker loads
them. So they import the standard library alone and, of the library, `simulations.experiment`,
`simulations.experiments` and `simulations.figures.words`. Numbers are put into words here, once:
the page's JavaScript shows the texts and formats no result itself.
"""

from simulations.live.controls import controls, find, setting, stops, typed
from simulations.live.running import Runs
from simulations.live.views import quantity, view

__all__ = ["Runs", "controls", "find", "quantity", "setting", "stops", "typed", "view"]
