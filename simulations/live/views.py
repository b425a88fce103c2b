"""A result as the page shows it: plain, and each of its numbers in words.

May import the standard library and, of the library, `simulations.experiment` and
`simulations.figures.words`.
"""

from __future__ import annotations

import math
from typing import Any

from simulations.experiment import Number, Result
from simulations.figures.words import THIN, count, number, percent, seconds, usd

#: What stands for a number that there is not, such as the mean of nothing.
NOTHING = "none"


def quantity(value: float, unit: str = "", digits: int = 3) -> str:
    r"""Return a value with its unit, as the numbers beside a figure are printed.

    Parameters
    ----------
    value : float
        In `unit`; a share in percent where the unit is "%".
    unit : str
        "s" and "ms" are turned into the unit of time that fits; amounts in "USD" keep cents.
    digits : int
        Significant digits, where the unit leaves them open.

    Examples
    --------
    >>> quantity(0.535, "%"), quantity(0.0351, "s"), quantity(1234.0), quantity(0.2, "USD")
    ('0.535\u202f%', '35.1\u202fms', '1\u202f234', '0.20\u202fUSD')
    >>> quantity(2.5, "calls"), quantity(3, "orders"), quantity(float("nan"), "s")
    ('2.50\u202fcalls', '3\u202forders', 'none')
    >>> quantity(0.2, "USD per month")
    '0.20\u202fUSD per month'
    """
    if not math.isfinite(value):
        return NOTHING
    if unit == "%":
        return percent(value / 100, digits)
    if unit == "s":
        return seconds(value, digits)
    if unit == "ms":
        return seconds(value / 1000, digits)
    if unit.startswith("USD"):
        return usd(value, digits) + unit.removeprefix("USD")
    text = count(value) if float(value).is_integer() else number(value, digits)
    return f"{text}{THIN}{unit}" if unit else text


def between(shown: Number) -> str:
    r"""Return the interval of a number in words, nothing where it has none.

    Examples
    --------
    >>> between(Number(0.5, "%", 0.4, 0.6)), between(Number(0.5, "%"))
    ('0.400\u202f% to 0.600\u202f%', '')
    """
    if shown.low is None or shown.high is None:
        return ""
    return f"{quantity(shown.low, shown.unit)} to {quantity(shown.high, shown.unit)}"


def view(result: Result) -> dict[str, Any]:
    r"""Return `result.plain()` with every number also in words, and its interval.

    Examples
    --------
    >>> from simulations.experiment import Axis
    >>> found = view(Result(Axis("x"), Axis("y"), numbers={"wait": Number(1.5, "s")}))
    >>> found["numbers"]["wait"]["text"], found["numbers"]["wait"]["between"]
    ('1.5\u202fs', '')
    """
    shown = result.plain()
    for name, one in result.numbers.items():
        shown["numbers"][name]["text"] = quantity(one.value, one.unit)
        shown["numbers"][name]["between"] = between(one)
    return shown
