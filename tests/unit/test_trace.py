"""The trace: typed columns that NumPy reads in place, rows in words, and what is missing."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from simulations import MissingColumn, Trace
from simulations.orders import Shop, run_orders
from simulations.trace import COLUMNS, Column, count_by


@pytest.fixture(scope="module")
def trace() -> Trace:
    return run_orders("B10", Shop(with_sms=True), duration_s=20, seed=2)


def test_every_column_has_its_type_and_numpy_reads_it_without_a_copy(trace: Trace) -> None:
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            column = getattr(getattr(trace, table), name)
            seen = np.asarray(column)
            assert seen.dtype == np.dtype(kind)
            assert len(seen) == len(getattr(trace, table))
            assert np.shares_memory(seen, np.frombuffer(column, dtype=kind))


def test_rows_and_columns_tell_the_same(trace: Trace) -> None:
    rows = list(trace.spans.rows())
    assert [row.end_s for row in rows] == list(trace.spans.end_s)
    assert [row.component for row in rows] == [trace.name(c) for c in trace.spans.component]
    assert sum(count_by(rows, "component").values()) == len(trace.spans)


def test_rows_not_yet_packed_are_seen_by_readers() -> None:
    trace = Trace()
    trace.requests.append((0, 1.0, 2.0, trace.code("ok")))
    assert len(trace.requests) == 1
    assert list(trace.requests.end_s) == [2.0]
    trace.requests.append((1, 2.0, 4.0, trace.code("ok")))
    assert list(trace.requests.latency_s) == [1.0, 2.0]


def test_what_is_missing_is_refused_by_name(trace: Trace) -> None:
    with pytest.raises(MissingColumn, match="spans has no column 'price'; it has id, parent"):
        trace.spans.price  # noqa: B018
    with pytest.raises(MissingColumn, match="no integral for 'nothing'"):
        trace.mean_in("nothing")
    with pytest.raises(MissingColumn, match="no integral"):
        Trace().mean_in("f")


def test_there_is_a_mean_for_every_component(trace: Trace) -> None:
    means = {name: trace.mean_in(name) for name in trace.header["components"]}
    assert all(mean >= 0 for mean in means.values())
    assert means["SubmitOrder"] > 0
    assert means["reserve-stock to ReserveStock"] > 0


def test_the_order_of_its_way_is_told_in_words(trace: Trace) -> None:
    lines = trace.timeline(order=5).splitlines()
    assert "SubmitOrder: invoke in environment" in lines[0]
    text = "\n".join(lines)
    for part in ("reserve-stock: message", "SendEmail: invoke", "orders: settled", "SendSms"):
        assert part in text
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)


def test_a_batch_is_linked_to_every_request_it_carried(trace: Trace) -> None:
    carried: dict[int, list[int]] = {}
    for span, request in zip(trace.links.span, trace.links.request, strict=True):
        carried.setdefault(span, []).append(request)
    batches = {row.id for row in trace.spans_of("SendEmail") if row.request == -1}
    assert batches
    assert batches <= set(carried)
    assert all(len(requests) > 1 for requests in carried.values())
    served = {r for span in batches for r in carried[span]}
    served |= {row.request for row in trace.spans_of("SendEmail") if row.request >= 0}
    confirmed = {row.request for row in trace.spans_of("orders", outcome="confirmed")}
    assert served == confirmed


def test_a_trace_survives_pickling(trace: Trace) -> None:
    copy: Any = pickle.loads(pickle.dumps(trace))
    assert list(copy.spans.end_s) == list(trace.spans.end_s)
    copy.requests.append((99, 0.0, 1.0, copy.code("ok")))
    assert len(copy.requests) == len(trace.requests) + 1


def test_mean_and_quantiles_of_a_column() -> None:
    column = Column("d", [4.0, 1.0, 3.0, 2.0])
    assert column.mean() == 2.5
    assert [column.quantile(q) for q in (0, 0.5, 1)] == [1.0, 2.5, 4.0]
    with pytest.raises(ValueError, match=r"q=1\.5"):
        column.quantile(1.5)
    with pytest.raises(ValueError, match="empty"):
        Column("d").mean()
    with pytest.raises(ValueError, match="empty"):
        Column("d").quantile(0.5)
