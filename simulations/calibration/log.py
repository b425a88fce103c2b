"""A log as columns: when each request ran, whether it began cold, and where.

May import: NumPy and `simulations`' checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]
#: Where the environment, the version or the memory of a request is not known.
UNKNOWN = -1


class TooFew(ValueError):
    """The log holds too little for what is asked; the message says how much would be enough."""


@dataclass(frozen=True)
class Account:
    """What became of the lines of a log.

    Attributes
    ----------
    lines : int
        How many there were, empty ones left out.
    used : int
        Requests that the log holds.
    unreadable : mapping of str to int
        Records that should have been requests and are not, by kind.
    other : mapping of str to int
        Lines that are none of a request's record, by kind.
    """

    lines: int
    used: int
    unreadable: Mapping[str, int] = field(default_factory=dict)
    other: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        left = {**self.unreadable, **self.other}
        told = "".join(f"\n  {count:>7} {kind}" for kind, count in sorted(left.items()))
        return f"{self.lines} lines, {self.used} requests used{'; left out:' if told else ''}{told}"


@dataclass(frozen=True, eq=False, repr=False)
class Log:
    """Requests of one function, in the order in which they began.

    Attributes
    ----------
    start_s, took_s : array of float
        When each began, and how long it took, INIT included; seconds.
    cold : array of bool
        Whether a new environment was made for it.
    init_s : array of float
        How long INIT took, where the log says so; else NaN.
    environment, version, memory_mb : array of int
        Numbers of the environment and the version, the configured memory; -1 where unknown.
    versions : tuple of str
        The names of the versions, in the order of their numbers.
    account : Account
        What became of the lines.
    """

    start_s: Reals
    took_s: Reals
    cold: NDArray[np.bool_]
    init_s: Reals
    environment: NDArray[np.int64]
    version: NDArray[np.int64]
    memory_mb: NDArray[np.int64]
    versions: tuple[str, ...]
    account: Account

    @classmethod
    def of(
        cls,
        start_s: ArrayLike,
        end_s: ArrayLike,
        cold: ArrayLike,
        environment: Sequence[str | None] | None = None,
        *,
        init_s: ArrayLike | None = None,
        version: Sequence[str | None] | None = None,
        memory_mb: ArrayLike | None = None,
        account: Account | None = None,
    ) -> Log:
        """Put columns together; they need not be in order.

        Raises
        ------
        ValueError
            If columns differ in length, a time is not finite, or an end lies before its start.

        Examples
        --------
        >>> log = Log.of([9.0, 0.0], [9.5, 1.0], [False, True], ["a", "a"])
        >>> log.start_s.tolist(), log.took_s.tolist(), log.cold.tolist()
        ([0.0, 9.0], [1.0, 0.5], [True, False])
        """
        start, end = (np.asarray(values, np.float64) for values in (start_s, end_s))
        n = start.size
        columns: dict[str, NDArray[np.generic]] = {
            "end_s": end,
            "cold": np.asarray(cold, bool),
            "init_s": np.full(n, np.nan) if init_s is None else np.asarray(init_s, np.float64),
            "memory_mb": np.full(n, UNKNOWN)
            if memory_mb is None
            else np.asarray(memory_mb, np.int64),
        }
        numbered = {}
        for name, words in (("environment", environment), ("version", version)):
            columns[name], numbered[name] = _numbers([None] * n if words is None else words)
        for name, column in columns.items():
            if column.shape != (n,):
                raise ValueError(f"{name} has shape {column.shape} for {n} values of start_s")
        wrong = np.flatnonzero(~(np.isfinite(start) & np.isfinite(end) & (end >= start)))
        if wrong.size:
            k = int(wrong[0])
            raise ValueError(
                f"request {k} runs from {start[k]!s} to {end[k]!s}: both must be finite numbers "
                "of seconds, the end not before the start"
            )
        order = np.argsort(start, kind="stable")
        kept = {name: column[order] for name, column in columns.items()}
        return cls(
            start[order], (end - start)[order], kept["cold"], kept["init_s"],  # type: ignore[arg-type]
            kept["environment"], kept["version"], kept["memory_mb"],  # type: ignore[arg-type]
            numbered["version"], account or Account(n, n),
        )  # fmt: skip

    def __len__(self) -> int:
        return self.start_s.size

    def __repr__(self) -> str:
        return (
            f"<log: {len(self)} requests, {int(self.cold.sum())} cold, {self.span_s / 3600:.3g} h>"
        )

    @property
    def span_s(self) -> float:
        """Seconds from the first to the last request."""
        return float(self.start_s[-1] - self.start_s[0]) if len(self) else 0.0

    @property
    def end_s(self) -> Reals:
        """When each request ended."""
        return self.start_s + self.took_s

    def where(self, kept: NDArray[np.bool_]) -> Log:
        """Return the requests for which `kept` is true."""
        return Log(
            self.start_s[kept], self.took_s[kept], self.cold[kept], self.init_s[kept],
            self.environment[kept], self.version[kept], self.memory_mb[kept],
            self.versions, self.account,
        )  # fmt: skip

    def after(self, seconds: float) -> Log:
        """Leave out the first so many seconds, such as those of a function nobody had called."""
        first = self.start_s[0] if len(self) else 0.0
        return self.where(self.start_s - first >= seconds)


def _numbers(words: Sequence[str | None]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number words in the order in which they first stand; None becomes -1."""
    known: dict[str, int] = {}
    numbers = [UNKNOWN if w is None else known.setdefault(str(w), len(known)) for w in words]
    return np.array(numbers, np.int64), tuple(known)
