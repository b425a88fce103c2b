"""Numbers as the book prints them: rounded, with thin separators and their unit.

May import the standard library only. The separator is U+202F, a narrow space at which no line
breaks, and so is the space before a unit.
"""

from __future__ import annotations

import math

THIN = "\u202f"
MINUS = "\u2212"
_TIMES_UNITS = (
    (1e-3, 1e-6, "µs"),
    (1.0, 1e-3, "ms"),
    (120.0, 1.0, "s"),
    (7200.0, 60.0, "min"),
    (172_800.0, 3600.0, "h"),
    (math.inf, 86_400.0, "days"),
)


def number(x: float, digits: int = 3) -> str:
    r"""Return `x` with `digits` significant digits and thin separators, never in powers of ten.

    Parameters
    ----------
    x : float
        The number; infinities and NaN are refused.
    digits : int
        Significant digits, at least 1. Digits before the decimal point are never dropped:
        with three digits, 12 345 stays 12 300.

    Raises
    ------
    ValueError
        If `x` is not finite or `digits` is below 1.

    Examples
    --------
    >>> number(0.0017431), number(1232.4, 4), number(12.0), number(-3.14159, 2)
    ('0.00174', '1\u202f232', '12.0', '\u22123.1')
    """
    if not math.isfinite(x):
        raise ValueError(f"x={x} is not a number that can be printed")
    if digits < 1:
        raise ValueError(f"digits={digits} must be at least 1")
    if x == 0:
        return "0"
    # rounding in powers of ten first decides how many decimals are left to show
    exponent = int(f"{x:.{digits - 1}e}".split("e")[1])
    decimals = max(0, digits - 1 - exponent)
    rounded = float(f"{x:.{digits - 1}e}")
    return f"{rounded:,.{decimals}f}".replace(",", THIN).replace("-", MINUS)


def count(x: float) -> str:
    r"""Return a whole number with thin separators.

    Raises
    ------
    ValueError
        If `x` is not finite.

    Examples
    --------
    >>> count(100_000), count(42.4)
    ('100\u202f000', '42')
    """
    if not math.isfinite(x):
        raise ValueError(f"x={x} is not a number that can be printed")
    return f"{round(x):,}".replace(",", THIN).replace("-", MINUS)


def percent(x: float, digits: int = 2) -> str:
    r"""Return a share as a percentage: 0.846 is 85 %.

    `digits` are significant ones; a share near 1 keeps what tells it from 100 %.

    Examples
    --------
    >>> percent(0.846), percent(0.0017, 2), percent(0.9951, 2), percent(1)
    ('85\u202f%', '0.17\u202f%', '99.5\u202f%', '100\u202f%')
    """
    if 0.9 < x < 1:
        rest = 100 * (1 - x)
        decimals = max(0, digits - 2 - math.floor(math.log10(rest)))
        return f"{100 * x:.{decimals}f}{THIN}%"
    text = "100" if x == 1 else number(100 * x, digits)
    return f"{text}{THIN}%"


def usd(x: float, digits: int = 3) -> str:
    r"""Return an amount in US dollars: cents from 1 USD to 1,000 USD, else significant digits.

    Examples
    --------
    >>> usd(16.084), usd(0.0000133334), usd(12_345.6), usd(0.2)
    ('16.08\u202fUSD', '0.0000133\u202fUSD', '12\u202f346\u202fUSD', '0.20\u202fUSD')
    """
    if abs(x) >= 1000:
        text = count(x)
    elif abs(x) >= 1 or round(x, 2) == x:
        text = f"{x:.2f}".replace("-", MINUS)
    else:
        text = number(x, digits)
    return f"{text}{THIN}USD"


def seconds(x: float, digits: int = 2) -> str:
    r"""Return a time given in seconds in the unit that fits: µs, ms, s, min, h, days.

    Whole values keep no empty decimals.

    Examples
    --------
    >>> seconds(0.035), seconds(1.232, 3), seconds(330, 2), seconds(0)
    ('35\u202fms', '1.23\u202fs', '5.5\u202fmin', '0\u202fs')
    """
    if x == 0:
        return f"0{THIN}s"
    unit_s, unit = next((each, name) for below, each, name in _TIMES_UNITS if abs(x) < below)
    text = number(x / unit_s, digits)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text}{THIN}{unit}"


def times(x: float, digits: int = 2) -> str:
    """Return a factor: 9.7 is "9.7 times".

    Examples
    --------
    >>> times(9.71), times(42.3)
    ('9.7 times', '42 times')
    """
    return f"{number(x, digits)} times"


def one_in(share: float, digits: int = 2) -> str:
    """Return a small share as a ratio: 0.0017 is "one in 590".

    Raises
    ------
    ValueError
        If `share` is not above 0 and at most 1.

    Examples
    --------
    >>> one_in(0.0017)
    'one in 590'
    """
    if not 0 < share <= 1:
        raise ValueError(f"share={share} must be above 0 and at most 1")
    return f"one in {number(1 / share, digits)}"


def per(x: float, unit: str, digits: int = 3) -> str:
    """Return a number with any other unit, thin space between.

    Examples
    --------
    >>> per(512, "MB"), per(0.0999, "calls/s")
    ('512\u202fMB', '0.0999\u202fcalls/s')
    """
    return f"{number(x, digits)}{THIN}{unit}"
