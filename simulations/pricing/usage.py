"""Usage: how much was used of what, by usage type, in exact decimals.

May import: the standard library only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, localcontext
from math import isfinite
from operator import index
from typing import Any

#: Wide enough that no bill is ever rounded inside: sums of milliseconds times megabytes times
#: a price of eleven decimals.
EXACT = Context(prec=60)


#: Beyond this nothing was ever used, and exactness would end.
MOST = Decimal("1E+30")


def tidy(number: Decimal) -> Decimal:
    """The same number without idle zeros or an exponent above 0.

    Examples
    --------
    >>> tidy(Decimal("540000.000")), tidy(Decimal("2E+6")), tidy(Decimal("1.50"))
    (Decimal('540000'), Decimal('2000000'), Decimal('1.5'))
    """
    if number == number.to_integral_value():
        return number.quantize(Decimal(1), context=EXACT)
    return number.normalize(EXACT)


def exact(name: str, value: object) -> Decimal:
    """The number as written, as a decimal that is 0 or above.

    A float counts as its shortest decimal form, so 1.66667e-05 is exactly 0.0000166667.

    Raises
    ------
    ValueError
        If it is no number, not finite or negative; the message names it.

    Examples
    --------
    >>> exact("requests", 0.1)
    Decimal('0.1')
    >>> exact("requests", -1)
    Traceback (most recent call last):
    ValueError: requests=-1 is not possible: requests must be a finite number, 0 or above
    """
    number = None
    if isinstance(value, Decimal):
        number = value
    elif hasattr(value, "__index__") and not isinstance(value, bool):
        number = Decimal(index(value))  # NumPy's whole numbers too
    elif isinstance(value, float):
        number = Decimal(repr(float(value)))
        if number.is_finite() and number <= MOST:
            number = tidy(number)
    if number is None or not number.is_finite() or number < 0:
        allowed = f"{name} must be a finite number, 0 or above"
        raise ValueError(f"{name}={value!r} is not possible: {allowed}")
    if number > MOST:
        raise ValueError(f"{name}={number:.3e} is not possible: {name} must be {MOST:.0e} at most")
    return number


def _total(usage_type: str, column: list[Any]) -> Decimal:
    """The exact sum of one usage type's lines, each of which must be possible by itself."""
    kinds = set(map(type, column))
    with localcontext(EXACT):
        if kinds == {int} and min(column) >= 0:
            return Decimal(sum(column))
        if kinds == {float} and isfinite(sum(column)) and min(column) >= 0:
            # Lines repeat their numbers where they come from a clock: each is converted once.
            if len(set(column[:4000])) < len(column[:4000]) // 2:
                counts = Counter(column)
                return sum((Decimal(repr(x)) * n for x, n in counts.items()), Decimal(0))
            return sum(map(Decimal, map(repr, column)), Decimal(0))
        return sum((exact(f"quantity of {usage_type}", x) for x in column), Decimal(0))


class Usage(dict[str, Decimal]):
    """Quantities by usage type (AWS's own names), all finite and 0 or above.

    A name that several services share is written ``service:usage type``, as in
    ``AmazonSNS:Requests-Tier1``. It can be read by its short form while only one entry ends so.

    Parameters
    ----------
    quantities
        A mapping, or pairs; pairs with the same usage type add up.

    Examples
    --------
    >>> Usage({"Request": 10}) + Usage({"Request": 5, "Lambda-GB-Second": 2.5})
    Usage({'Request': Decimal('15'), 'Lambda-GB-Second': Decimal('2.5')})
    >>> (Usage({"Request": 10}) * 3)["Request"]
    Decimal('30')
    """

    def __init__(self, quantities: Mapping[str, object] | Iterable[tuple[str, object]] = ()):
        super().__init__()
        if isinstance(quantities, Mapping):
            for usage_type, quantity in quantities.items():
                self.add(usage_type, quantity)
        else:
            self._add_all(quantities)

    def _add_all(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Sum many lines, those of a usage type together: a million in about a second."""
        columns: dict[str, list[Any]] = {}
        try:
            for usage_type, quantity in pairs:
                column = columns.get(usage_type)
                if column is None:
                    columns[usage_type] = [quantity]
                else:
                    column.append(quantity)
        except (TypeError, ValueError):
            number = sum(map(len, columns.values())) + 1
            raise ValueError(
                f"line {number} of the usage is no pair of usage type and quantity"
            ) from None
        for usage_type, column in columns.items():
            self.add(usage_type, _total(usage_type, column))

    def add(self, usage_type: str, quantity: object) -> None:
        """Add a quantity; one of zero leaves no entry unless it is the first."""
        if not isinstance(usage_type, str):
            raise ValueError(f"usage type {usage_type!r} is no text")
        amount = exact(f"quantity of {usage_type}", quantity)
        if usage_type in self:
            amount = EXACT.add(self[usage_type], amount)
        self[usage_type] = amount

    def __missing__(self, usage_type: str) -> Decimal:
        found = [name for name in self if name.endswith(f":{usage_type}")]
        if len(found) == 1:
            return self[found[0]]
        raise KeyError(usage_type)

    def __add__(self, other: Mapping[str, object]) -> Usage:
        total = Usage(self)
        for usage_type, quantity in other.items():
            total.add(usage_type, quantity)
        return total

    __radd__ = __add__

    def __mul__(self, factor: object) -> Usage:
        times = exact("factor", factor)
        with localcontext(EXACT):
            return Usage({usage_type: q * times for usage_type, q in self.items()})

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"Usage({dict(self)!r})"
