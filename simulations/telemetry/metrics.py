"""Read CloudWatch metrics, in whatever shape they were exported, and what they say was used.

Understood: the answer of GetMetricData (with the queries that were asked, or by its labels) and of
GetMetricStatistics; the JSON records of a metric stream, one a line; CSV with a column a field, or
with a column a metric under a few rows that name them, as consoles save a graph. May import: the
standard library, `simulations.pricing` and this room.

Shapes: API reference of Amazon CloudWatch, GetMetricData, GetMetricStatistics; User Guide, "Metric
streams output in JSON format". No file of the console was at hand: of its CSV, the rows named here
are read by their first cell, in any order.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

#: Refused beyond: a month of minutes of a hundred metrics has some 100 MB as a stream.
MAX_BYTES = 256_000_000
STATISTICS = ("Sum", "Average", "SampleCount", "Minimum", "Maximum")
#: A metric stream's words for statistics.
_STREAM = {"sum": "Sum", "count": "SampleCount", "min": "Minimum", "max": "Maximum"}
#: Where a metric's name alone says whose it is.
NAMESPACES = {
    "Invocations": "AWS/Lambda",
    "Duration": "AWS/Lambda",
    "NumberOfMessagesSent": "AWS/SQS",
    "NumberOfMessagesReceived": "AWS/SQS",
    "NumberOfMessagesDeleted": "AWS/SQS",
    "NumberOfEmptyReceives": "AWS/SQS",
    "NumberOfMessagesPublished": "AWS/SNS",
    "ConsumedReadCapacityUnits": "AWS/DynamoDB",
    "ConsumedWriteCapacityUnits": "AWS/DynamoDB",
    "ProvisionedReadCapacityUnits": "AWS/DynamoDB",
    "ProvisionedWriteCapacityUnits": "AWS/DynamoDB",
}


@dataclass(frozen=True)
class Metric:
    """The datapoints of one metric with one statistic.

    Attributes
    ----------
    namespace, name, dimensions
        As CloudWatch calls them; the namespace is "" where nothing says it.
    statistic, period_s
        "Sum", "Average" ..., and how long each datapoint stands for (None: unknown).
    values
        All finite and 0 or above.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    values: tuple[float, ...]
    period_s: float | None = None

    @property
    def total(self) -> float:
        """The sum of the datapoints."""
        return math.fsum(self.values)

    def __str__(self) -> str:
        whose = " ".join(value for _, value in self.dimensions)
        return " ".join(part for part in (self.namespace, self.name, whose) if part)


class Metrics(Sequence[Metric]):
    """The metrics that were read, and an account of the rest.

    Attributes
    ----------
    reasons
        What could not be read, and why.
    """

    def __init__(self, found: Iterable[Metric], reasons: Iterable[str]) -> None:
        self._found, self.reasons = tuple(found), tuple(reasons)

    @property
    def unreadable(self) -> int:
        """How many records could not be read."""
        return len(self.reasons)

    @overload
    def __getitem__(self, index: int) -> Metric: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Metric, ...]: ...
    def __getitem__(self, index: int | slice) -> Metric | tuple[Metric, ...]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<metrics: {len(self)} read, {self.unreadable} unreadable>"


def parse_metrics(
    source: str | bytes | Mapping[str, Any] | Iterable[str | bytes],
    queries: Iterable[Mapping[str, Any]] = (),
) -> Metrics:
    """Read an export of metrics. Whatever cannot be read is counted, nothing is raised.

    Parameters
    ----------
    source
        A text, bytes (UTF-8), an open file, lines, or an answer of the API already parsed.
    queries
        The ``MetricDataQueries`` of a GetMetricData whose answer this is: the answer alone
        carries only ids and labels.

    Examples
    --------
    >>> stream = '{"namespace": "AWS/Lambda", "metric_name": "Invocations", "unit": "Count",'
    >>> stream += ' "dimensions": {"FunctionName": "F"}, "timestamp": 1795426200000,'
    >>> stream += ' "value": {"count": 3, "sum": 3, "max": 1, "min": 1}}'
    >>> found = parse_metrics([stream, stream, '{"namespace": "AWS/La'])
    >>> found[0].statistic, found[0].total, found.reasons
    ('Sum', 6.0, ('line 3: no complete JSON',))
    """
    reader = _Reader(queries)
    if isinstance(source, Mapping):
        reader.answer(source, "the answer")
        return reader.metrics()
    lines = _lines(source)
    if sum(map(len, lines)) > MAX_BYTES:
        return Metrics((), (f"more than {MAX_BYTES} bytes",))
    first = next((line.lstrip("\ufeff \t") for line in lines if line.strip()), "")
    if first[:1] in ("{", "["):
        reader.json(lines)
    elif first:
        reader.csv(lines)
    return reader.metrics()


def _lines(source: str | bytes | Iterable[str | bytes]) -> list[str]:
    if isinstance(source, str | bytes):
        source = [source]
    found: list[str] = []
    for piece in source:
        text = piece.decode("utf-8", "replace") if isinstance(piece, bytes) else piece
        found += text.splitlines()
    return found


class _Reader:
    """Puts datapoints together, by metric and statistic."""

    def __init__(self, queries: Iterable[Mapping[str, Any]]) -> None:
        self.reasons: list[str] = []
        self.found: dict[tuple[Any, ...], list[float]] = {}
        self.asked = {str(query.get("Id")): query for query in queries}

    def metrics(self) -> Metrics:
        metrics = [
            Metric(namespace, name, dimensions, statistic, tuple(values), period_s)
            for (namespace, name, dimensions, statistic, period_s), values in self.found.items()
        ]
        return Metrics(metrics, self.reasons)

    def add(
        self, namespace: str, name: str, dimensions: Mapping[str, Any], statistic: str,
        period_s: float | None, values: Iterable[Any], where: str,
    ) -> None:  # fmt: skip
        if not name or statistic not in STATISTICS:
            what = f"statistic {statistic[:40]!r}" if name else "no metric name"
            self.reasons.append(f"{where}: {what}")
            return
        whose = tuple(sorted((str(k)[:255], str(v)[:255]) for k, v in dimensions.items()))
        key = (namespace or NAMESPACES.get(name, ""), name, whose, statistic, period_s)
        numbers = self.found.setdefault(key, [])
        for value in values:
            number = _number(value)
            if number is None:
                self.reasons.append(f"{where}: {str(value)[:40]!r} of {name} is no number >= 0")
            else:
                numbers.append(number)

    # ---- JSON

    def json(self, lines: Sequence[str]) -> None:
        """One document, or one record a line."""
        whole = _loaded("\n".join(lines))
        if whole is not None:
            for k, one in enumerate(whole if isinstance(whole, list) else [whole], start=1):
                self.record(one, f"record {k}")
            return
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            one = _loaded(line)
            if one is None:
                self.reasons.append(f"line {number}: no complete JSON")
            else:
                self.record(one, f"line {number}")

    def record(self, one: Any, where: str) -> None:
        if not isinstance(one, Mapping):
            self.reasons.append(f"{where}: {type(one).__name__}, not an object")
        elif "metric_name" in one:
            self.stream(one, where)
        else:
            self.answer(one, where)

    def stream(self, one: Mapping[str, Any], where: str) -> None:
        value, dimensions = one.get("value"), one.get("dimensions") or {}
        if not isinstance(value, Mapping) or not isinstance(dimensions, Mapping):
            self.reasons.append(f"{where}: a record without value or dimensions")
            return
        names = str(one.get("namespace") or ""), str(one["metric_name"])
        for word, statistic in _STREAM.items():
            if word in value:
                self.add(*names, dimensions, statistic, 60.0, [value[word]], where)
        count, total = _number(value.get("count")), _number(value.get("sum"))
        if count and total is not None:
            self.add(*names, dimensions, "Average", 60.0, [total / count], where)

    def answer(self, one: Mapping[str, Any], where: str) -> None:
        """GetMetricData, or GetMetricStatistics."""
        if isinstance(one.get("Datapoints"), list):
            self.statistics(one, where)
            return
        results = one.get("MetricDataResults")
        if not isinstance(results, list):
            self.reasons.append(f"{where}: neither MetricDataResults nor Datapoints")
            return
        if one.get("NextToken"):
            self.reasons.append(f"{where}: more pages follow (NextToken)")
        for result in results:
            if not isinstance(result, Mapping) or not isinstance(result.get("Values"), list):
                self.reasons.append(f"{where}: a result without Values")
                continue
            label = str(result.get("Label") or result.get("Id") or "")
            if result.get("StatusCode") not in (None, "Complete"):
                status = str(result.get("StatusCode"))[:40]
                self.reasons.append(f"{where}: {label[:80]} is not complete ({status})")
            self.series(label, self.asked.get(str(result.get("Id"))), result["Values"], where)

    def series(
        self, label: str, query: Mapping[str, Any] | None, values: Sequence[Any], where: str
    ) -> None:
        stat = query.get("MetricStat") if query is not None else None
        if isinstance(stat, Mapping) and isinstance(stat.get("Metric"), Mapping):
            metric = stat["Metric"]
            pairs = metric.get("Dimensions") or ()
            dimensions = {
                str(d.get("Name")): d.get("Value") for d in pairs if isinstance(d, Mapping)
            }
            names = str(metric.get("Namespace") or ""), str(metric.get("MetricName") or "")
            period_s = _number(stat.get("Period")) or None
            self.add(*names, dimensions, str(stat.get("Stat")), period_s, values, where)
            return
        # A label that CloudWatch made ends with the metric's name: "my-function Invocations".
        *whose, name = label.split() or [""]
        known = _DIMENSION.get(NAMESPACES.get(name, ""))
        dimensions = {known: " ".join(whose)} if known and whose else {}
        self.add("", name, dimensions, "Sum", None, values, where)

    def statistics(self, one: Mapping[str, Any], where: str) -> None:
        name = str(one.get("Label") or "")
        for point in one["Datapoints"]:
            if not isinstance(point, Mapping):
                self.reasons.append(f"{where}: a datapoint that is no object")
                continue
            for statistic in STATISTICS:
                if statistic in point:
                    self.add("", name, {}, statistic, None, [point[statistic]], where)

    # ---- CSV

    def csv(self, lines: Sequence[str]) -> None:
        rows = []
        for number, line in enumerate(lines, start=1):
            try:  # one by one: a quote that is never closed costs its own line, not the rest
                row = [cell.strip() for cell in next(csv.reader([line]), [])]
            except csv.Error as error:
                self.reasons.append(f"line {number}: {error}")
                continue
            if any(row):
                rows.append(row)
        if not rows:
            self.reasons.append("a CSV without a metric name or a datapoint")
            return
        header = [_plain(cell) for cell in rows[0]]
        value = next((header.index(w) for w in ("value", "sum") if w in header), None)
        name = next((header.index(w) for w in ("metricname", "metric") if w in header), None)
        if value is not None and name is not None:
            self.long(rows, header, name, value)
        else:
            self.wide(rows)

    def long(self, rows: Sequence[list[str]], header: list[str], name: int, value: int) -> None:
        """A row a datapoint."""
        places = {word: header.index(word) for word in ("namespace", "statistic", "stat", "period")
                  if word in header}  # fmt: skip
        columns = dict(zip(header, rows[0], strict=True))
        others = [
            (k, columns[w]) for k, w in enumerate(header)
            if columns[w] in _DIMENSION.values()
        ]  # fmt: skip
        for number, row in enumerate(rows[1:], start=2):
            if len(row) != len(header):
                self.reasons.append(f"row {number}: {len(row)} of {len(header)} cells")
                continue
            words = {word: row[k] for word, k in places.items()}
            statistic = words.get("statistic") or words.get("stat") or "Sum"
            dimensions = {called: row[k] for k, called in others if row[k]}
            self.add(
                words.get("namespace", ""), row[name], dimensions, statistic,
                _number(words.get("period")) or None, [row[value]], f"row {number}",
            )  # fmt: skip

    def wide(self, rows: Sequence[list[str]]) -> None:
        """A column a metric; rows that name them come first."""
        named: dict[str, list[str]] = {}
        body: list[tuple[int, list[str]]] = []
        for number, row in enumerate(rows, start=1):
            word = _plain(row[0])
            if not body and (word in _NAMING or not any(map(_is_number, row[1:]))):
                named.setdefault(word, row)
            else:
                body.append((number, row))
        if not body or not named:
            self.reasons.append("a CSV without a metric name or a datapoint")
            return
        first = next(iter(named.values()))
        for k in range(1, len(first)):
            cell = {word: row[k] for word, row in named.items() if k < len(row)}
            label = cell.get("metric") or cell.get("metricname") or cell.get("label") or first[k]
            statistic = cell.get("statistic") or cell.get("stat") or "Sum"
            *whose, name = label.split() or [""]
            namespace = cell.get("namespace") or NAMESPACES.get(name, "")
            known = _DIMENSION.get(namespace)
            dimensions = {known: " ".join(whose)} if known and whose else {}
            period_s = _number(cell.get("period")) or None
            for number, row in body:
                if k >= len(row):
                    self.reasons.append(f"row {number}: no cell for {name}")
                elif row[k]:
                    self.add(
                        namespace, name, dimensions, statistic, period_s, [row[k]], f"row {number}"
                    )


#: The dimension by which each namespace's resources are told apart.
_DIMENSION = {
    "AWS/Lambda": "FunctionName",
    "AWS/SQS": "QueueName",
    "AWS/SNS": "TopicName",
    "AWS/DynamoDB": "TableName",
    "AWS/Logs": "LogGroupName",
    "AWS/ApiGateway": "ApiName",
}
_NAMING = frozenset(
    {"label", "fulllabel", "id", "metric", "metricname", "namespace", "statistic", "stat",
     "period", "region", "account", "accountid", "unit", "dimensions", "timestamp", "time"}
)  # fmt: skip


def _plain(cell: str) -> str:
    return cell.strip("\ufeff \t").lower().replace(" ", "").replace("_", "")


def _is_number(cell: str) -> bool:
    return _number(cell) is not None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
