"""Truth: each comparison of a model with theory, measurement or a recorded log is one row.

A row is a function that runs the model and returns what it found beside what the source says;
the verdict is computed here, three-valued, and a miss is published as a miss. The files beside
this one hold the rows, by topic. May import every room but the figures.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from simulations._check import between, finite
from simulations.stats import Interval, Verdict

Kind = Literal["verification", "calibration", "validation"]


@dataclass(frozen=True)
class Compared:
    """What the model says beside what the source says, in one unit.

    Parameters
    ----------
    ours : Interval
        The model's value with its interval; a value without sampling error has an interval of
        no width.
    theirs : float
        The value of the formula, the publication or the log.
    theirs_low, theirs_high : float, optional
        What the source's own uncertainty allows: the exact binomial interval of a recorded
        share, or a tolerance that the source states. Without them the row's margin decides.
    """

    ours: Interval
    theirs: float
    theirs_low: float | None = None
    theirs_high: float | None = None

    def __post_init__(self) -> None:
        for name, value in zip(Interval._fields, self.ours, strict=True):
            finite(f"ours.{name}", value)
        if not self.ours.low <= self.ours.mean <= self.ours.high:
            raise ValueError(f"ours={self.ours!r} must have its mean inside the interval")
        finite("theirs", self.theirs)
        if (self.theirs_low is None) != (self.theirs_high is None):
            raise ValueError("theirs_low and theirs_high: give both or none")
        low, high = self.theirs_low, self.theirs_high
        if low is not None and high is not None and not low <= self.theirs <= high:
            raise ValueError(
                f"theirs={self.theirs!r} must lie in theirs_low={low!r} to theirs_high={high!r}"
            )

    @property
    def error(self) -> float:
        """Relative error of ours; the difference where theirs is 0."""
        return (self.ours.mean - self.theirs) / (abs(self.theirs) or 1.0)


@dataclass(frozen=True)
class Row:
    """One comparison: what, against whom, how near it must be, and how to make it."""

    id: str
    kind: Kind
    what: str
    source: str
    url: str
    chapter: str
    margin: float
    unit: str
    why: str
    compare: Callable[[], Compared]

    def verdict(self, compared: Compared) -> Verdict:
        """Return "pass", "fail" or "inconclusive".

        It passes when the whole interval lies in the source's range or, without one, within
        the margin; it fails when all of it lies outside.

        Examples
        --------
        >>> row = Row("loss", "verification", "a share", "B", "", "cold-starts", 0.02, "%", "", Compared)
        >>> row.verdict(Compared(Interval(5.0, 4.97, 5.03), 5.02))
        'pass'
        >>> row.verdict(Compared(Interval(5.0, 4.5, 5.5), 5.02))
        'inconclusive'
        >>> row.verdict(Compared(Interval(7.0, 6.8, 7.2), 5.0, 4.6, 5.4))
        'fail'
        """
        low, high = compared.theirs_low, compared.theirs_high
        if low is None or high is None:
            reach = self.margin * (abs(compared.theirs) or 1.0)
            low, high = compared.theirs - reach, compared.theirs + reach
        ours = compared.ours
        if ours.low > high or ours.high < low:
            return "fail"
        if low <= ours.low and ours.high <= high:
            return "pass"
        return "inconclusive"

    def told(self) -> dict[str, Any]:
        """Run the comparison; return all of the row as plain values, for the record."""
        compared = self.compare()
        return {
            "id": self.id,
            "kind": self.kind,
            "what": self.what,
            "source": self.source,
            "url": self.url,
            "chapter": self.chapter,
            "margin": self.margin,
            "unit": self.unit,
            "why": self.why,
            "ours": list(compared.ours),
            "theirs": compared.theirs,
            "theirs_low": compared.theirs_low,
            "theirs_high": compared.theirs_high,
            "error": compared.error,
            "verdict": self.verdict(compared),
        }


_ROWS: dict[str, Row] = {}


def row(
    id: str,
    *,
    kind: Kind,
    what: str,
    source: str,
    chapter: str,
    url: str = "",
    margin: float = 0.02,
    unit: str = "",
    why: str = "",
) -> Callable[[Callable[[], Compared]], Callable[[], Compared]]:
    """Make a function without parameters a row of the trust report.

    Parameters
    ----------
    id : str
        Its name, unique in the book: `"erlang-b-reserved"`.
    kind : {"verification", "calibration", "validation"}
        Held against mathematics or an emulator; fitted to these data; held against data that
        were not fitted.
    what : str
        What was compared, under which conditions, in a few words.
    source, url : str
        The formula's or the measurement's source with its year, and where it stands.
    chapter : str
        The chapter that uses it, by its slug.
    margin : float
        How far the whole interval may lie from the source's value, as a share of it; not used
        where the source has a range of its own.
    unit : str
        Of both values.
    why : str
        Where it misses and the reason is known: the reason, in one sentence.

    Raises
    ------
    ValueError
        If the id is taken, the kind unknown, or a text is missing.
    """
    if id in _ROWS:
        raise ValueError(f"id={id!r} is taken; every row needs a name of its own")
    if kind not in get_args(Kind):
        raise ValueError(f"kind={kind!r} is none of {', '.join(get_args(Kind))}")
    for name, text in (("what", what), ("source", source), ("chapter", chapter)):
        if not text.strip():
            raise ValueError(f"{name}={text!r} is empty: no row without it")
    if not (math.isfinite(margin) and between("margin", margin, 0, 1) > 0):
        raise ValueError(f"margin={margin!r} must lie above 0, up to 1")

    def register(compare: Callable[[], Compared]) -> Callable[[], Compared]:
        _ROWS[id] = Row(id, kind, what, source, url, chapter, margin, unit, why, compare)
        return compare

    return register


def rows() -> list[Row]:
    """Return every row of the report, by id.

    Examples
    --------
    >>> len({one.id for one in rows()}) == len(rows()) > 0
    True
    """
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return [_ROWS[name] for name in sorted(_ROWS)]
