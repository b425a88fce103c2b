"""The trace: what happened in a run, in a few tables of typed columns.

A trace comes from a simulation, from recorded logs or from an AWS account; readers (latency,
bills, metrics, figures) say which columns they need. This module may import the standard
library only. A column is an `array`, so NumPy reads it without a copy.
"""

from __future__ import annotations

import math
from array import array
from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping
from itertools import starmap
from struct import Struct
from typing import Any

NAN = math.nan

#: Columns of each table, with their `array` type codes: q whole numbers and codes, d seconds.
COLUMNS: dict[str, dict[str, str]] = {
    "requests": {"id": "q", "start_s": "d", "end_s": "d", "outcome": "q"},
    "spans": {
        "id": "q",
        "parent": "q",
        "request": "q",
        "component": "q",
        "operation": "q",
        "environment": "q",
        "attempt": "q",
        "queued_s": "d",
        "start_s": "d",
        "init_s": "d",
        "end_s": "d",
        "outcome": "q",
        "size": "d",
        "units": "d",
    },
    "links": {"span": "q", "request": "q"},
    "environments": {
        "component": "q",
        "environment": "q",
        "created_s": "d",
        "ended_s": "d",
        "busy_s": "d",
    },
    "meters": {"component": "q", "operation": "q", "count": "q", "units": "d"},
}

#: Columns that hold a code of the trace's vocabulary instead of a number.
CODED = frozenset({"component", "operation", "outcome"})


class MissingColumn(AttributeError):
    """A reader asked a trace for a column or table that it does not have."""


class Column(array):  # type: ignore[type-arg]
    """One column of a table: an `array` that also knows its mean and quantiles.

    Examples
    --------
    >>> column = Column("d", [1.0, 2.0, 3.0, 10.0])
    >>> column.mean(), column.quantile(0.5)
    (4.0, 2.5)
    """

    def mean(self) -> float:
        """The arithmetic mean; `ValueError` when the column is empty."""
        if not len(self):
            raise ValueError("the mean of an empty column does not exist")
        return math.fsum(self) / len(self)

    def quantile(self, q: float) -> float:
        """The q-quantile, interpolated between neighbors (0 <= q <= 1)."""
        if not 0 <= q <= 1:
            raise ValueError(f"q={q} is outside 0 to 1")
        if not len(self):
            raise ValueError("a quantile of an empty column does not exist")
        ordered = sorted(self)
        place = q * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        low, high = float(ordered[below]), float(ordered[above])
        return low + (high - low) * (place - below)


class Vocabulary:
    """Names and their small whole-number codes, in order of first use."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        """The code of `name`, which is given one at its first use."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = len(self._names)
            self._names.append(name)
        return found

    def name(self, code: int) -> str:
        """The name behind `code`."""
        return self._names[code]

    def __iter__(self) -> Iterator[str]:
        """The names in the order of their codes."""
        return iter(self._names)


class Table:
    """Rows appended as tuples, packed many at a time, and turned into typed columns when read.

    `append` takes one row in the order of the columns. Appending costs about 0.1 µs a row,
    packing 0.2 µs. A reader of a column always sees every row.
    """

    def __init__(self, name: str, columns: Mapping[str, str], vocabulary: Vocabulary) -> None:
        self._name = name
        self._types = dict(columns)
        self._columns = {c: Column(t) for c, t in columns.items()}
        self._vocabulary = vocabulary
        self._rows: list[tuple[Any, ...]] = []
        self._pack_row = Struct("".join(columns.values())).pack
        self._packed: list[bytes] = []
        self._length = 0
        self.append = self._rows.append

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        del state["_pack_row"], state["append"]  # made anew on the other side
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pack_row = Struct("".join(self._types.values())).pack
        self.append = self._rows.append

    def pack(self) -> None:
        """Pack the rows that wait, eight bytes a value, row after row."""
        if self._rows:
            self._length += len(self._rows)
            self._packed.append(b"".join(starmap(self._pack_row, self._rows)))
            self._rows.clear()

    def _unpack(self) -> None:
        """Move what is packed into the columns."""
        self.pack()
        width = len(self._types)
        for chunk in self._packed:
            for place, (name, typecode) in enumerate(self._types.items()):
                values = memoryview(chunk).cast(typecode)  # type: ignore[call-overload]
                self._columns[name].frombytes(values[place::width].tobytes())
        self._packed.clear()

    def __getattr__(self, name: str) -> Column:
        columns = self.__dict__.get("_columns", {})
        if name not in columns:
            table = self.__dict__.get("_name", "table")
            raise MissingColumn(f"{table} has no column {name!r}; it has {', '.join(columns)}")
        self._unpack()
        column: Column = columns[name]
        return column

    def __len__(self) -> int:
        return self._length + len(self._rows)

    def __repr__(self) -> str:
        return f"<{self._name}: {len(self)} rows of {', '.join(self._columns)}>"

    def rows(self) -> Iterator[Any]:
        """Each row as a named tuple, codes turned into names."""
        self._unpack()
        row = namedtuple("Row", list(self._columns))  # type: ignore[misc]
        decode = self._vocabulary.name
        coded = [name in CODED for name in self._columns]
        for values in zip(*self._columns.values(), strict=True):
            yield row(*(decode(v) if c else v for v, c in zip(values, coded, strict=True)))


class Requests(Table):
    """What customers asked for: one row a request, finished or not (`end_s` is NaN)."""

    warmup_s = 0.0

    @property
    def latency_s(self) -> Column:
        """Seconds from start to end of the finished requests that began after the warm-up."""
        return Column(
            "d",
            [
                end - start
                for start, end in zip(self.start_s, self.end_s, strict=True)
                if start >= self.warmup_s and end == end
            ],
        )

    def outcomes(self) -> dict[str, int]:
        """How many requests that began after the warm-up ended in which way."""
        counts: dict[int, int] = {}
        for start, outcome in zip(self.start_s, self.outcome, strict=True):
            if start >= self.warmup_s:
                counts[outcome] = counts.get(outcome, 0) + 1
        return {self._vocabulary.name(code): n for code, n in sorted(counts.items())}


class Trace:
    """The tables of one run and a header that says how they came about.

    Attributes
    ----------
    header : dict
        `seed`, `horizon_s`, `warmup_s`, `ended_s`, and under `components` the configuration
        of each by name.
    requests, spans, links, environments, meters : Table
        See `COLUMNS`. Times are seconds since the start of the run.

    Examples
    --------
    >>> trace = Trace(seed=1)
    >>> trace.requests.append((0, 0.0, 0.25, trace.code("ok")))
    >>> trace.requests.latency_s.mean()
    0.25
    """

    def __init__(self, seed: int = 0) -> None:
        self.vocabulary = Vocabulary()
        self.code = self.vocabulary.code
        self.name = self.vocabulary.name
        self.requests_seen = 0
        self.header: dict[str, Any] = {"seed": seed, "components": {}, "means": {}}
        make = self.vocabulary
        self.requests = Requests("requests", COLUMNS["requests"], make)
        self.spans = Table("spans", COLUMNS["spans"], make)
        self.links = Table("links", COLUMNS["links"], make)
        self.environments = Table("environments", COLUMNS["environments"], make)
        self.meters = Table("meters", COLUMNS["meters"], make)

    def __repr__(self) -> str:
        return f"<trace of {len(self.requests)} requests, {len(self.spans)} spans>"

    def pack(self) -> None:
        """Pack every table (a long run does this now and then to save memory)."""
        for table in (self.requests, self.spans, self.links, self.environments):
            table.pack()

    def spans_of(
        self, component: str, operation: str | None = None, outcome: str | None = None
    ) -> Iterator[Any]:
        """The spans of a component, decoded, in order of their end."""
        for row in self.spans.rows():
            wanted = (component, operation or row.operation, outcome or row.outcome)
            if wanted == (row.component, row.operation, row.outcome):
                yield row

    def mean_in(self, component: str) -> float:
        """How many were in a component on average, integrated inside the engine.

        For a function its running invocations, for a queue its messages (waiting or in
        flight), from the end of the warm-up to the horizon.

        Raises
        ------
        MissingColumn
            If the trace does not come from a simulation that measured it.
        """
        means = self.header["means"]
        if component not in means:
            raise MissingColumn(f"no integral for {component!r}; there are {sorted(means)}")
        return float(means[component])

    def of_request(self, request: int) -> list[Any]:
        """The spans that served a request, its share of batches included, by their begin."""
        carried = {
            span
            for span, one in zip(self.links.span, self.links.request, strict=True)
            if one == request
        }
        rows = [r for r in self.spans.rows() if r.request == request or r.id in carried]
        return sorted(rows, key=lambda r: (r.queued_s, r.id))

    def timeline(self, order: int) -> str:
        """One order's way through the system, in words, a line for each thing that happened."""
        lines = []
        for row in self.of_request(order):
            text = f"{row.queued_s:9.3f} s  {row.component}: {row.operation}"
            if row.operation == "invoke" and row.environment >= 0:
                text += f" in environment {row.environment}"
                text += f", cold (INIT {row.init_s:.3f} s)" if row.init_s > 0 else ", warm"
            if row.attempt > 1:
                text += f", attempt {row.attempt}"
            if row.end_s == row.end_s:
                text += f", {row.outcome} after {row.end_s - row.queued_s:.3f} s"
            else:
                text += ", unfinished"
            lines.append(text)
        return "\n".join(lines)


def count_by(rows: Iterable[Any], key: str) -> dict[Any, int]:
    """How many rows share each value of the column `key`."""
    counts: dict[Any, int] = {}
    for row in rows:
        value = getattr(row, key)
        counts[value] = counts.get(value, 0) + 1
    return counts
