"""What a sweep returns: columns, with units, and pandas at the edge.

May import: the standard library, `simulations.stats`, and pandas in `to_pandas` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulations.stats import Interval, paired_difference


@dataclass(frozen=True)
class Table:
    """Columns of equal length.

    Attributes
    ----------
    columns : dict of str to list
        The values, by name, in order.
    units : dict of str to str
        The units of those that have one.

    Examples
    --------
    >>> table = Table({"rate": [1, 2], "share": [0.5, 0.2]}, {"share": "%"})
    >>> len(table), table["share"], list(table.rows())[1]
    (2, [0.5, 0.2], {'rate': 2, 'share': 0.2})
    >>> table
    <Table of 2 rows: rate, share (%)>
    """

    columns: dict[str, list[Any]]
    units: dict[str, str]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def __getitem__(self, name: str) -> list[Any]:
        """The column called `name`; KeyError names those there are."""
        try:
            return self.columns[name]
        except KeyError:
            raise KeyError(f"no column {name!r}; there are {', '.join(self.columns)}") from None

    def __repr__(self) -> str:
        units = {name: f" ({unit})" for name, unit in self.units.items() if unit}
        names = ", ".join(f"{name}{units.get(name, '')}" for name in self.columns)
        return f"<{type(self).__name__} of {len(self)} rows: {names}>"

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one mapping a row."""
        for k in range(len(self)):
            yield {name: column[k] for name, column in self.columns.items()}

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame of the columns; needs pandas.

        >>> Table({"rate": [1, 2]}, {}).to_pandas().shape
        (2, 1)
        """
        import pandas

        return pandas.DataFrame(self.columns)


@dataclass(frozen=True, repr=False)
class Sweep(Table):
    """One row for each point of the grid: parameters, replications, means and their intervals.

    Attributes
    ----------
    runs : Table
        One row a run: the point's parameters, `replication`, `seed` and each number.
    ran, reused : int
        Runs made now, and runs found finished on disk.
    level : float
        Confidence of the intervals.
    """

    runs: Table
    ran: int
    reused: int
    level: float

    def difference(
        self, number: str, point: Mapping[str, Any], other: Mapping[str, Any]
    ) -> Interval:
        """Return the mean of a number at one point minus that at another, in pairs.

        Replication k had the same random numbers at both, so what chance did to both cancels.

        Parameters
        ----------
        number : str
            Name of the experiment's number.
        point, other : mapping
            Parameters that tell one point of the grid from the others.

        Raises
        ------
        ValueError
            If the parameters fit no point, or several.
        """
        a, b = self._of(number, point), self._of(number, other)
        both = min(len(a), len(b))  # sequential stopping: the first runs are common
        return paired_difference(a[:both], b[:both], self.level)

    def _of(self, number: str, point: Mapping[str, Any]) -> list[float]:
        for name in point:
            self.runs[name]
        fits = [row for row in self.rows() if all(row[k] == v for k, v in point.items())]
        if len(fits) != 1:
            raise ValueError(f"{dict(point)} fits {len(fits)} points of the grid, not one")
        values = self.runs[number]
        return [
            values[k]
            for k, row in enumerate(self.runs.rows())
            if all(row[name] == value for name, value in point.items())
        ]
