"""Checks of plain numbers: a refusal names the parameter, its value and what is allowed.

May import: the standard library only.
"""

from __future__ import annotations

import math


def _refuse(name: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{name}={value!r} is not possible: {name} must be {allowed}")


def finite(name: str, value: float, allowed: str = "a finite number") -> float:
    """Return `value`; raise ValueError if it is infinite or not a number.

    >>> finite("offset_s", 3.5)
    3.5
    """
    # Strings and None would otherwise fail later, far from the parameter that carried them.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        try:
            value = float(value.__float__())  # NumPy's scalars are welcome
        except AttributeError:
            raise _refuse(name, value, allowed) from None
    if not math.isfinite(value):
        raise _refuse(name, value, allowed)
    return value


def positive(name: str, value: float) -> float:
    """Return `value`; raise ValueError unless it is finite and above 0.

    >>> positive("rate_per_s", 0)
    Traceback (most recent call last):
    ValueError: rate_per_s=0 is not possible: rate_per_s must be a finite number above 0
    """
    value = finite(name, value, "a finite number above 0")
    if value <= 0:
        raise _refuse(name, value, "a finite number above 0")
    return value


def not_negative(name: str, value: float) -> float:
    """Return `value`; raise ValueError unless it is finite and 0 or above.

    >>> not_negative("cv", 0.0)
    0.0
    """
    value = finite(name, value, "a finite number, 0 or above")
    if value < 0:
        raise _refuse(name, value, "a finite number, 0 or above")
    return value


def between(name: str, value: float, low: float, high: float) -> float:
    """Return `value`; raise ValueError unless `low` <= `value` <= `high`.

    >>> between("failure", 1.2, 0, 1)
    Traceback (most recent call last):
    ValueError: failure=1.2 is not possible: failure must be between 0 and 1
    """
    allowed = f"between {low:g} and {high:g}"
    value = finite(name, value, allowed)
    if not low <= value <= high:
        raise _refuse(name, value, allowed)
    return value


def whole(name: str, value: int, low: int = 0) -> int:
    """Return `value` as an int; raise ValueError unless it is a whole number of at least `low`.

    >>> whole("servers", 2.5, low=1)
    Traceback (most recent call last):
    ValueError: servers=2.5 is not possible: servers must be a whole number, at least 1
    """
    allowed = f"a whole number, at least {low}"
    checked = finite(name, value, allowed)
    if checked != int(checked) or checked < low:
        raise _refuse(name, value, allowed)
    return int(checked)
