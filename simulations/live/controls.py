"""The controls of an experiment as a page needs them: stops, words, defaults, presets.

A slider moves over stops that are made here and nowhere else, so that a setting is the same
number wherever it is chosen. May import the standard library and, of the library,
`simulations.experiment`, `simulations.experiments` and `simulations.figures.words`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from simulations.experiment import Choice, Experiment, Slider
from simulations.figures.words import MINUS, THIN

#: About as many stops as a finger on a telephone tells apart.
MOST_STOPS = 80
#: Seeds that the page offers; any other integer runs as well.
MOST_SEED = 9999
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


def find(name: str) -> Experiment:
    """Return the experiment called "module.name" below `simulations.experiments`.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> find("cold_starts.cold_share").chapter
    'cold-starts'
    """
    module, _, own = name.partition(".")
    if module.isidentifier() and own.isidentifier():
        try:
            found = getattr(import_module(f"simulations.experiments.{module}"), own, None)
        except ModuleNotFoundError as problem:
            if problem.name != f"simulations.experiments.{module}":
                raise
            found = None
        if isinstance(found, Experiment):
            return found
    raise ValueError(f"{name!r} is no experiment below simulations.experiments")


def setting(value: Any, unit: str = "") -> str:
    r"""Return the value of a control in words: exact, with thin separators and its unit.

    Examples
    --------
    >>> setting(10_000.0, "per hour"), setting(0.25, "s"), setting("most_recent"), setting(True)
    ('10\u202f000\u202fper hour', '0.25\u202fs', 'most recent', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value.replace("_", " ")
    text = f"{value:,.6f}".rstrip("0").rstrip(".") if abs(value) >= 1e-4 else f"{value:.3g}"
    text = text.replace(",", THIN).replace("-", MINUS)
    return f"{text or 0}{THIN}{unit}" if unit else text


def stops(slider: Slider, whole: bool = False, also: Iterable[float] = ()) -> list[float]:
    """Return the values that a slider moves over, from its low to its high, both included.

    Parameters
    ----------
    slider : Slider
        Linear ones step by 1, 2, 2.5 or 5 times a power of ten (or by `slider.step`),
        logarithmic ones by a number of factors to the decade, rounded to two or three digits.
    whole : bool
        Only whole numbers, as integers.
    also : iterable of float
        Values that must be among them: the default, those of presets.

    Examples
    --------
    >>> stops(Slider(0, 1))[:3], len(stops(Slider(0, 1))), stops(Slider(1, 4), whole=True)
    ([0.0, 0.02, 0.04], 51, [1, 2, 3, 4])
    >>> stops(Slider(0.5, 30, log=True), also=[7.7])[-4:]
    [25.0, 27.0, 28.0, 30.0]
    >>> 7.7 in stops(Slider(0.5, 30, log=True), also=[7.7])
    True
    """
    if slider.log:
        decades = math.log10(slider.high / slider.low)
        density = next((d for d in (200, 100, 40, 20, 10, 5) if d * decades <= MOST_STOPS), 2)
        first = math.ceil(math.log10(slider.low) * density - 1e-9)
        last = math.floor(math.log10(slider.high) * density + 1e-9)
        digits = 1 if density <= 40 else 2  # after the first
        found = [float(f"{10 ** (k / density):.{digits}e}") for k in range(first, last + 1)]
    else:
        step = slider.step or _step(slider.high - slider.low, whole)
        first = math.ceil(slider.low / step - 1e-9)
        last = math.floor(slider.high / step + 1e-9)
        found = [float(f"{k * step:.12g}") for k in range(first, last + 1)]
    wanted = [slider.low, *found, slider.high, *also]
    if whole:
        wanted = [round(value) for value in wanted]
    kept = {value for value in wanted if slider.low <= value <= slider.high}
    return sorted(kept if whole else {float(value) for value in kept})


def _step(span: float, whole: bool) -> float:
    """Return the smallest nice step that leaves at most `MOST_STOPS`."""
    least = span / MOST_STOPS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(nice * power for nice in _NICE if nice * power >= least * (1 - 1e-9))
    return max(1.0, float(math.ceil(step))) if whole else step


def typed(experiment: Experiment, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that came as JSON with the types of the experiment's defaults.

    Raises
    ------
    ValueError
        If one is unknown, not a number where one is wanted, or out of its range.

    Examples
    --------
    >>> typed(find("cold_starts.cold_share"), {"rate_per_h": 60, "seed": 2.0})
    {'rate_per_h': 60.0, 'seed': 2}
    """
    made: dict[str, Any] = {}
    for name, value in parameters.items():
        default = experiment.defaults.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(default, float) and is_number:
            made[name] = float(value)
        elif isinstance(default, int) and not isinstance(default, bool):
            if not is_number or not math.isfinite(value) or value != int(value):
                raise ValueError(f"{name}={value!r} is not a whole number")
            made[name] = int(value)
        else:
            made[name] = value
    experiment.check(made)
    return made


def controls(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the controls of an experiment, in the order of its parameters, as JSON knows them.

    Parameters without a control are left out, but for `seed`.

    Examples
    --------
    >>> [(c["name"], c["kind"]) for c in controls(find("cold_starts.cold_share"))][-2:]
    [('routing', 'choice'), ('seed', 'seed')]
    """
    found: list[dict[str, Any]] = []
    for name, control in experiment.controls.items():
        default = experiment.defaults[name]
        words = name.replace("_", " ")
        if isinstance(control, Slider):
            whole = isinstance(default, int)
            also = [p[name] for p in experiment.presets.values() if name in p]
            values = stops(control, whole, [default, *also])
            found.append(
                {
                    "name": name,
                    "kind": "slider",
                    "label": control.label or words,
                    "values": values,
                    "texts": [setting(value, control.unit) for value in values],
                    "default": default,
                }
            )
        elif isinstance(control, Choice):
            found.append(
                {
                    "name": name,
                    "kind": "choice",
                    "label": control.label or words,
                    "values": list(control.options),
                    "texts": [setting(value) for value in control.options],
                    "default": default,
                }
            )
        elif name == "seed":
            found.append({"name": name, "kind": "seed", "label": "seed", "default": default,
                          "high": MOST_SEED})  # fmt: skip
    return found
