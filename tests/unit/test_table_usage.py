"""Usage of a table's trace: no request is lost, and what is billed is what was consumed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import (
    CapacityScaling,
    ConditionalCheckFailed,
    Fault,
    Function,
    Index,
    OnDemand,
    Poisson,
    ProvisionedCapacity,
    ProvisionedThroughputExceeded,
    Recorded,
    ServiceError,
    Simulation,
    Table,
    TableClient,
    Trace,
    TransactionCanceled,
)
from simulations.pricing import MissingPrice, PriceList, dynamodb_usage, usage
from simulations.services import Context, Delete, Put, Update
from simulations.services.capacity import Capacity
from simulations.services.handler import Steps
from simulations.services.item import item_size
from simulations.services.table_calls import Action, InternalServerError
from simulations.services.units import change_units, read_units, write_units

few = settings(max_examples=40, deadline=None, derandomize=True)
INDEXES = {
    "status": Index(("status",), ("id",), "KEYS_ONLY"),
    "owner": Index(("owner", "id"), ("id",)),
}

modes = st.one_of(
    st.just(OnDemand()),
    st.just(OnDemand(most_reads_per_s=3, most_writes_per_s=12)),
    st.builds(
        lambda units, scaled, full: ProvisionedCapacity(
            units, units, CapacityScaling(delay_s=1.0) if scaled else None, full
        ),
        st.integers(1, 60), st.booleans(), st.booleans(),
    ),
)  # fmt: skip
items = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["new", "paid"]),
        "owner": st.sampled_from(["x", "y"]),
        "note": st.integers(0, 6000).map(lambda n: "x" * n),
    },
)
keys = st.sampled_from(["o-1", "o-2", "o-3"])
conditions = st.sampled_from([None, None, True, False])
writes = st.tuples(st.sampled_from(["put", "update", "delete"]), keys, items, conditions)
calls = st.one_of(
    writes,
    writes,
    st.tuples(st.just("get"), keys, st.sampled_from(["eventual", "strong"]), st.none()),
    st.tuples(st.just("query"), st.sampled_from(["new", "paid"]), st.none(), st.none()),
    st.tuples(
        st.just("transact"),
        st.lists(writes, min_size=1, max_size=3, unique_by=lambda one: one[1]),
        st.none(), st.none(),
    ),
)  # fmt: skip


def action(call: Any) -> Action:
    kind, key, item, condition = call
    holds = None if condition is None else lambda _: bool(condition)
    if kind == "put":
        return Put({"id": key, **item}, holds)
    return Update(key, item, holds) if kind == "update" else Delete(key, holds)


@dataclass
class Recount:
    """A second account, kept from the answers alone: items, units and how requests ended."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    units: float = 0.0
    ended: Counter[str] = field(default_factory=Counter)

    def wrote(self, call: Any, ok: bool, transactional: bool = False) -> None:
        kind, key, item, _ = call
        before = self.items.get(key)
        after: dict[str, Any] | None = {"id": key, **item}
        if kind == "update":
            after = {**(before or {"id": key}), **item}
        elif kind == "delete":
            after = None
        if not ok:
            sizes = [item_size(one) for one in (before, after) if one is not None]
            self.units += write_units(max(sizes, default=0), transactional)
            return
        self.units += change_units(before, after, list(INDEXES.values()), transactional)
        self.items.pop(key, None)
        if after is not None:
            self.items[key] = after

    def read(self, call: Any) -> None:
        kind, what, how, _ = call
        if kind == "get":
            found = self.items.get(what)
            self.units += read_units(item_size(found) if found else 0, how)
        else:
            entry = INDEXES["status"].entry
            sizes = [
                item_size(entry(one) or {})
                for one in self.items.values() if one.get("status") == what
            ]  # fmt: skip
            self.units += max(1, math.ceil(sum(sizes) / 4096)) / 2


def run(
    mode: Capacity, sequence: list[Any], gap_s: float, fault: Fault | None = None
) -> tuple[Trace, Table, Recount]:
    """Make the calls one after the other, each when the last is answered."""
    sim = Simulation(seed=5, faults={} if fault is None else {"orders": fault})
    table = Table(sim, "orders", indexes=INDEXES, capacity=mode)
    recount = Recount()

    def handler(_: Any, context: Context) -> Steps:
        for call in sequence:
            try:
                if call[0] == "get":
                    yield table.get(call[1], call[2])
                    recount.read(call)
                elif call[0] == "query":
                    yield table.query(call[1], index="status")
                    recount.read(call)
                elif call[0] == "transact":
                    yield table.transact(*map(action, call[1]))
                    for one in call[1]:
                        recount.wrote(one, True, True)
                else:
                    yield table.accept(action(call))
                    recount.wrote(call, True)
                recount.ended["ok"] += 1
            except ProvisionedThroughputExceeded:
                recount.ended["throttled"] += 1
            except TransactionCanceled:
                recount.ended["transaction_canceled"] += 1
                for one in call[1]:
                    recount.wrote(one, False, True)
            except ConditionalCheckFailed:
                recount.ended["condition_failed"] += 1
                recount.wrote(call, False)
            except InternalServerError:
                recount.ended["error"] += 1
            yield context.wait(gap_s)

    function = Function(sim, "F", handler, timeout_s=900)
    trace = sim.run(Recorded((0.0,)) >> function, duration_s=300.0)
    return trace, table, recount


@few
@given(
    mode=modes,
    sequence=st.lists(calls, min_size=1, max_size=40),
    gap_s=st.sampled_from([0.0, 0.3, 5.0]),
)
def test_every_request_is_accounted_for(mode: Capacity, sequence: list[Any], gap_s: float) -> None:
    """Each has one span; consumed units sum exactly, with failed conditions, without throttles.

    Three accounts are kept apart: the trace's spans, its meters, and ours from the answers.
    """
    trace, table, recount = run(mode, sequence, gap_s)
    rows = list(trace.spans_of("orders"))
    assert Counter(row.outcome for row in rows) == recount.ended
    assert len(rows) == len(sequence)
    assert math.fsum(row.units for row in rows) == recount.units
    assert all(row.units == 0 for row in rows if row.outcome == "throttled")
    assert all(row.units > 0 for row in rows if row.outcome != "throttled")
    metered = [row for row in trace.meters.rows() if row.operation.startswith("units ")]
    assert math.fsum(row.units for row in metered) == recount.units
    assert table.throttled == recount.ended["throttled"]
    assert {one["id"]: one for one in recount.items.values()} == {
        key: table.store.read(key)[0] for key in recount.items
    }
    assert len(table) == len(recount.items)
    used = usage(trace)
    asked = sum(used.get(f"{way}RequestUnits", Decimal(0)) for way in ("Write", "Read"))
    assert asked == (Decimal(recount.units) if isinstance(mode, OnDemand) else 0)


@few
@given(
    mode=modes,
    rate_per_s=st.floats(0.5, 60),
    seed=st.integers(0, 10**6),
    drain=st.booleans(),
    error=st.sampled_from([0.0, 0.3]),
)
def test_nothing_is_lost_when_many_ask_at_once(
    mode: Capacity, rate_per_s: float, seed: int, drain: bool, error: float
) -> None:
    """Clients that retry, faults before and after the write, answers that never come."""
    broken = Fault(error_rate=error, after_effect_share=0.5)
    sim = Simulation(seed, faults={"orders": broken} if error else {})
    table = Table(sim, "orders", indexes=INDEXES, capacity=mode, latency_s=0.05)
    client = TableClient(sim, "boto3", table, timeout_s=0.2)

    def handler(number: int, context: Context) -> Steps:
        try:
            yield client.put({"id": f"o-{number % 7}", "status": "new"}, lambda x: x is None)
        except ServiceError:
            yield client.update(f"o-{number % 7}", {"owner": "x"})
        yield client.query("new", index="status")

    function = Function(sim, "F", handler, timeout_s=1.5)
    trace = sim.run(Poisson(rate_per_s) >> function, duration_s=8, drain=drain)
    rows = list(trace.spans_of("orders"))
    assert len(rows) == client.attempts
    consumed = math.fsum(one.consumed for one in table.throughput.values())
    assert math.fsum(row.units for row in rows) == consumed
    outcomes = Counter(row.outcome for row in rows)
    waiting = sum(row.outcome == "unfinished" and not row.units for row in rows)
    assert outcomes["throttled"] <= table.throttled <= outcomes["throttled"] + waiting
    assert set(outcomes) <= {
        "ok", "throttled", "condition_failed", "error", "error_after_effect", "unfinished",
    }  # fmt: skip
    used = usage(trace)
    if isinstance(mode, OnDemand):
        assert used["WriteRequestUnits"] + used["ReadRequestUnits"] == Decimal(consumed)
        return
    # Never more than capacity, what stood as burst, and what came in.
    for one in table.throughput.values():
        assert one.consumed <= one.capacity_s(trace.header["ended_s"]) + 300 * 60
    assert used["WriteCapacityUnit-Hrs"] > 0


def test_the_bill_of_a_trace_is_that_of_the_plain_inputs() -> None:
    """An hour on demand with an index, and an hour provisioned: estimator and trace agree."""
    sim = Simulation(seed=1)
    indexes = {"status": INDEXES["status"]}
    table = Table(sim, "orders", indexes=indexes)
    fixed = Table(
        sim, "carts", indexes=indexes, capacity=ProvisionedCapacity(reads=5, writes=10),
        index_capacity={"status": ProvisionedCapacity(reads=2, writes=3)},
    )  # fmt: skip

    def handler(number: int, context: Context) -> Steps:
        item = {"id": str(number), "status": "new", "note": "x" * 1500}
        yield table.put(item) & fixed.put(item)
        yield table.get(str(number), "strong")

    function = Function(sim, "F", handler)
    trace = sim.run(Poisson(1) >> function, duration_s=3600)
    orders = len(trace.requests)
    plain = dynamodb_usage(
        writes=orders, reads=orders, item_kb=1.6, consistency="strong", index_writes=[(1, 0.1)]
    ) + dynamodb_usage(wcu=13, rcu=7, hours=1)
    ours = usage(trace)
    assert {name: ours[name] for name in plain} == plain
    assert float(PriceList.load().bill(ours).total_usd) > 0


def test_a_table_without_its_mode_or_units_cannot_be_billed() -> None:
    trace = Trace()
    trace.header["components"]["orders"] = {"type": "Table"}
    with pytest.raises(MissingPrice, match="orders cannot be billed"):
        usage(trace)
    trace.header["components"]["orders"]["mode"] = "on demand"
    code = trace.code
    nan = math.nan
    trace.spans.append(
        (0, -1, 0, code("orders"), code("put"), -1, 1, 0.0, 0.0, 0.0, 1.0, code("ok"), nan, nan)
    )
    with pytest.raises(MissingPrice, match="put without units"):
        usage(trace)
