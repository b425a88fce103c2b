"""A simulated table in handlers: items, conditions, transactions, throttles, faults, the trace."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from simulations import (
    ConditionalCheckFailed,
    Fault,
    Function,
    Index,
    OnDemand,
    Poisson,
    ProvisionedCapacity,
    ProvisionedThroughputExceeded,
    Recorded,
    Regular,
    Simulation,
    Sized,
    Table,
    TableClient,
    Trace,
    TransactionCanceled,
)
from simulations.services import ConditionCheck, Context, Delete, Put, Update
from simulations.services.handler import Steps
from simulations.services.table_calls import InternalServerError
from simulations.workload import Workload

STATUS = Index(("status",), ("id",), "KEYS_ONLY")


def run(
    work: Callable[[Table, Context], Steps],
    *,
    at_s: tuple[float, ...] = (0.0,),
    faults: dict[str, Fault] | None = None,
    timeout_s: float = 900.0,
    **settings: Any,
) -> tuple[Table, Trace]:
    """Run a handler's work on a table, once at each time."""
    sim = Simulation(seed=7, faults=faults or {})
    table = Table(sim, "orders", **settings)

    def handler(_: Any, context: Context) -> Any:
        return (yield from work(table, context))

    function = Function(sim, "F", handler, timeout_s=timeout_s)
    return table, sim.run(Recorded(at_s) >> function, duration_s=max(at_s) + 1.0)


def spent(trace: Trace) -> list[tuple[str, str, float]]:
    """Operation, outcome and units of each request, in order."""
    rows = sorted(trace.spans_of("orders"), key=lambda row: row.id)
    return [(row.operation, row.outcome, row.units) for row in rows]


def test_items_are_put_read_changed_and_deleted() -> None:
    found: list[Any] = []

    def work(orders: Table, context: Context) -> Steps:
        yield orders.put({"id": "o-1", "total": 49, "note": "x" * 3000})
        found.append((yield orders.get("o-1", "strong")))
        yield orders.update("o-1", lambda old: {"total": old["total"] + 1})
        found.append((yield orders.update("o-2", {"total": 5})))
        found.append((yield orders.delete("o-1")))
        found.append((yield orders.get("o-1")))
        found.append((yield orders.delete("o-1")))

    table, trace = run(work)
    assert [None if one is None else one["total"] for one in found] == [49, 5, 50, None, None]
    assert len(table) == 1
    assert spent(trace) == [
        ("put", "ok", 3.0), ("get", "ok", 1.0), ("update", "ok", 3.0), ("update", "ok", 1.0),
        ("delete", "ok", 3.0), ("get", "ok", 0.5), ("delete", "ok", 1.0),
    ]  # fmt: skip


def test_a_handler_cannot_change_a_stored_item_by_hand() -> None:
    def work(orders: Table, context: Context) -> Steps:
        mine = {"id": "o-1", "total": 49}
        yield orders.put(mine)
        mine["total"] = 1
        (yield orders.get("o-1"))["total"] = 2
        assert (yield orders.get("o-1"))["total"] == 49

    run(work)


def test_a_failed_condition_writes_nothing_and_consumes_write_units() -> None:
    """The larger of what is there and what was to be written; no index's (`ddb.units.failed`)."""

    def work(orders: Table, context: Context) -> Steps:
        yield orders.put({"id": "o-1", "status": "new", "note": "x" * 2500})
        for write in (
            Put({"id": "o-1", "status": "paid", "note": "x" * 5000}, lambda old: old is None),
            Update("o-1", {"status": "paid"}, lambda old: old["status"] == "packed"),
            Update("o-2", lambda old: {"n": old["n"]}, lambda old: old is not None),
            Delete("o-1", lambda old: old["status"] == "paid"),
        ):
            with pytest.raises(ConditionalCheckFailed):
                yield orders.accept(write)
        assert (yield orders.get("o-1"))["status"] == "new"

    table, trace = run(work, indexes={"status": STATUS})
    assert [units for _, outcome, units in spent(trace) if outcome == "condition_failed"] == [
        5.0, 3.0, 1.0, 3.0,
    ]  # fmt: skip
    assert table.failed == 4
    assert table.throughput["status", "write"].consumed == 1.0  # the first put alone


def test_an_index_is_kept_up_to_date_and_counted() -> None:
    """Two writes where its key changes, one where the entry comes or goes, none otherwise."""
    seen: list[list[str]] = []

    def work(orders: Table, context: Context) -> Steps:
        yield orders.put({"id": "o-1", "status": "new"})
        yield orders.put({"id": "o-2", "status": "new"})
        yield orders.update("o-1", {"status": "paid"})
        yield orders.update("o-1", {"note": "x"})
        for status in ("new", "paid"):
            entries = yield orders.query(status, index="status")
            seen.append([one["id"] for one in entries])
        yield orders.delete("o-2")

    table, trace = run(work, indexes={"status": STATUS})
    assert seen == [["o-2"], ["o-1"]]
    written = [units for operation, _, units in spent(trace) if operation != "query"]
    assert written == [2.0, 2.0, 3.0, 1.0, 2.0]
    assert table.throughput["status", "write"].consumed == 1 + 1 + 2 + 0 + 1
    assert table.throughput["status", "read"].consumed == 1.0


def test_a_query_reads_a_partition_in_order_and_at_most_a_page() -> None:
    """Sizes are added, then rounded; 1 MB is a page (`ddb.page`)."""

    def work(orders: Table, context: Context) -> Steps:
        for number in (3, 1, 2):
            yield orders.put({"customer": "c-1", "number": number, "note": "x" * 1500})
        found = yield orders.query("c-1", limit=2)
        assert [one["number"] for one in found] == [1, 2]
        assert (yield orders.query("c-2")) == []
        for number in range(4):
            big = {"customer": "c-3", "number": number, "note": "x" * 390 * 1024}
            yield orders.put(big)
        assert len((yield orders.query("c-3", consistency="strong"))) == 2

    _, trace = run(work, key=("customer", "number"))
    assert [u for operation, _, u in spent(trace) if operation == "query"] == [0.5, 0.5, 196.0]


def test_a_transaction_writes_all_or_nothing_and_counts_twice() -> None:
    def work(orders: Table, context: Context) -> Steps:
        yield orders.put({"id": "stock", "left": 1, "note": "x" * 2000})
        sell = Update("stock", lambda old: {"left": old["left"] - 1}, lambda old: old["left"] > 0)
        yield orders.transact(sell, Put({"id": "o-1"}), ConditionCheck("stop", lambda x: x is None))
        with pytest.raises(TransactionCanceled) as error:
            yield orders.transact(Put({"id": "o-2"}), sell)
        assert error.value.reasons == ("None", "ConditionalCheckFailed")
        stock, first, second = yield orders.transact_get("stock", "o-1", "o-2")
        assert (stock["left"], first, second) == (0, {"id": "o-1"}, None)

    table, trace = run(work)
    assert spent(trace)[1:] == [
        ("transact write", "ok", 4.0 + 2.0 + 2.0),
        ("transact write", "transaction_canceled", 2.0 + 4.0),
        ("transact get", "ok", 6.0),
    ]
    assert len(table) == 2


def test_stock_is_oversold_without_a_condition_and_never_with_one() -> None:
    """Two hundred customers for a hundred pieces, reading before they write."""

    def sold(with_condition: bool) -> tuple[int, int]:
        sim = Simulation(seed=3)
        stock = Table(sim, "stock")
        start = Function(sim, "Start", lambda event, context: begin())

        def begin() -> Steps:
            yield stock.put({"id": "shirt", "left": 100})

        def buy(order: Any, context: Context) -> Steps:
            left = (yield stock.get("shirt", "strong"))["left"]
            if not left:
                return "sold out"
            condition = (lambda old: old["left"] == left) if with_condition else None
            try:
                yield stock.update("shirt", {"left": left - 1}, condition)
            except ConditionalCheckFailed:
                return "try again"
            return "sold"

        shop = Function(sim, "Buy", buy)
        trace = sim.run(
            Recorded((0.0,)) >> start,
            Recorded(tuple(1.0 + 0.001 * k for k in range(200))) >> shop,
            duration_s=10,
        )
        return trace.requests.outcomes()["sold"], stock.store.read("shirt")[0]["left"]

    for with_condition in (True, False):
        orders, left = sold(with_condition)
        assert (orders + left == 100) == with_condition
        assert orders <= 100 or not with_condition


def test_a_throttled_request_consumes_nothing_and_says_why() -> None:
    reasons: list[str] = []

    def work(orders: Table, context: Context) -> Steps:
        for number in range(4):
            try:
                yield orders.put(Sized(f"o-{number}", 1024))
            except ProvisionedThroughputExceeded as error:
                reasons.append(error.reason)

    small = ProvisionedCapacity(reads=1, writes=2, full_burst=False)
    table, trace = run(work, capacity=small, latency_s=0.001)
    assert reasons == ["TableWriteProvisionedThroughputExceeded"] * 2
    assert [(outcome, units) for _, outcome, units in spent(trace)] == [
        ("ok", 1.0), ("ok", 1.0), ("throttled", 0.0), ("throttled", 0.0),
    ]  # fmt: skip
    assert (table.throttled, len(table)) == (2, 2)


def test_a_transaction_is_admitted_as_a_whole() -> None:
    """Two units are there: a transaction of two small items needs four."""

    def work(orders: Table, context: Context) -> Steps:
        with pytest.raises(ProvisionedThroughputExceeded):
            yield orders.transact(Put({"id": "o-1"}), Put({"id": "o-2"}))
        yield orders.transact(Put({"id": "o-1"}))

    small = ProvisionedCapacity(reads=1, writes=2, full_burst=False)
    table, trace = run(work, capacity=small, latency_s=0.0)
    assert [units for *_, units in spent(trace)] == [0.0, 2.0]
    assert len(table) == 1


def test_an_index_without_throughput_throttles_the_table_s_writes() -> None:
    """Back-pressure (`ddb.gsi`): the table has capacity, its index has not."""
    reasons: list[str] = []

    def work(orders: Table, context: Context) -> Steps:
        for number in range(3):
            try:
                yield orders.put({"id": f"o-{number}", "status": "new"})
            except ProvisionedThroughputExceeded as error:
                reasons.append(error.reason)
        yield orders.put({"id": "o-9"})  # not in the index

    table, _ = run(
        work,
        indexes={"status": STATUS},
        latency_s=0.001,
        capacity=ProvisionedCapacity(reads=5, writes=100),
        index_capacity={"status": ProvisionedCapacity(reads=5, writes=1, full_burst=False)},
    )
    assert reasons == ["IndexWriteProvisionedThroughputExceeded"] * 2
    assert table.throughput["Table", "write"].consumed == 2.0
    assert table.throughput["status", "write"].throttled == 2


def test_an_sdk_client_tries_throttled_requests_again() -> None:
    """Each try is a request with a span; what a try that is throttled costs is time, not units."""

    def load(workload: Workload) -> tuple[Table, TableClient, Trace]:
        sim = Simulation(seed=1)
        small = ProvisionedCapacity(reads=1, writes=20, full_burst=False)
        orders = Table(sim, "orders", capacity=small)
        client = TableClient(sim, "boto3", orders)

        def place(number: int, context: Context) -> Steps:
            yield client.put(Sized(number, 600))

        function = Function(sim, "Place", place, timeout_s=60)
        trace = sim.run(workload >> function, duration_s=60)
        return orders, client, trace

    orders, client, trace = load(Recorded(tuple(0.005 * k for k in range(40))))
    assert orders.throttled > 15
    assert trace.requests.outcomes() == {"ok": len(orders)}  # throttles hide as latency
    assert trace.requests.latency_s.quantile(1.0) > 0.1 > trace.requests.latency_s.quantile(0.4)
    assert client.attempts == client.calls + orders.throttled == sum(1 for _ in spent(trace))

    orders, client, trace = load(Poisson(60))
    lost = trace.requests.outcomes()["error"]
    assert lost == client.calls - len(orders) > 1000  # after four attempts, or out of quota
    tries = [row.attempt for row in trace.spans_of("orders")]
    assert max(tries) == client.max_attempts == 4


def test_environments_have_clients_of_their_own() -> None:
    sim = Simulation(seed=1)
    client = TableClient(sim, "boto3", Table(sim, "orders"))

    def place(number: int, context: Context) -> Steps:
        yield client.put(Sized(number, 600))
        yield context.wait(1.0)

    sim.run(Recorded((0.0, 0.1)) >> Function(sim, "Place", place), duration_s=1)
    assert sorted(client._tokens) == [0, 1]


@pytest.mark.parametrize(("after", "kept", "units"), [(0.0, 0, 0.0), (1.0, 1, 1.0)])
def test_a_table_that_fails_may_have_written(after: float, kept: int, units: float) -> None:
    def work(orders: Table, context: Context) -> Steps:
        with pytest.raises(InternalServerError):
            yield orders.put({"id": "o-1"})

    broken = {"orders": Fault(error_rate=1.0, after_effect_share=after)}
    table, trace = run(work, faults=broken)
    assert len(table) == kept
    assert [one[2] for one in spent(trace)] == [units]


def test_a_timeout_of_the_function_leaves_the_write_done_and_counted() -> None:
    def work(orders: Table, context: Context) -> Steps:
        yield orders.put({"id": "o-1"})
        raise AssertionError("the answer comes too late")

    table, trace = run(work, timeout_s=1.0, latency_s=2.0)
    assert trace.requests.outcomes() == {"timeout": 1}
    assert len(table) == 1
    assert spent(trace) == [("put", "ok", 1.0)]


def test_what_is_under_way_at_the_end_of_a_run_is_counted() -> None:
    sim = Simulation(seed=1)
    orders = Table(sim, "orders", latency_s=5.0)

    def place(number: int, context: Context) -> Steps:
        yield orders.put(Sized(number, 600))

    function = Function(sim, "Place", place, timeout_s=60)
    trace = sim.run(Regular(1.0) >> function, duration_s=10, drain=False)
    outcomes = [(outcome, units) for _, outcome, units in spent(trace)]
    assert outcomes.count(("ok", 1.0)) + outcomes.count(("unfinished", 1.0)) == len(orders)
    assert outcomes.count(("unfinished", 1.0)) > 0


def test_latency_is_in_single_digit_milliseconds() -> None:
    """As documented (`ddb.latency`): the mean, and 99 of 100; a transaction takes two rounds."""
    sim = Simulation(seed=1)
    orders = Table(sim, "orders")

    def place(number: int, context: Context) -> Steps:
        yield orders.put(Sized(number, 600))
        yield orders.transact_get(number)

    trace = sim.run(Poisson(100) >> Function(sim, "Place", place), duration_s=60)
    puts, gets = (
        sorted(row.end_s - row.start_s for row in trace.spans_of("orders", operation))
        for operation in ("put", "transact get")
    )
    assert puts[int(0.985 * len(puts))] < 0.010
    assert 0.001 < sum(puts) / len(puts) < 0.010
    assert sum(gets) / sum(puts) == pytest.approx(2.0, rel=0.05)


def test_the_stream_replays_to_the_table() -> None:
    def work(orders: Table, context: Context) -> Steps:
        draw = context.draw
        for _ in range(200):
            key = f"o-{int(8 * draw('key'))}"
            if draw("what") < 0.3:
                yield orders.delete(key)
            else:
                yield orders.update(key, {"n": Decimal(int(10 * draw("n")))})

    table, _ = run(work, stream=True)
    replayed: dict[Any, Any] = {}
    for change in table.changes or []:
        assert replayed.get(change.key) == change.before
        replayed[change.key] = change.after
    kept = {key: item for key, item in replayed.items() if item is not None}
    assert kept == {key: table.store.read(key)[0] for key in kept}
    assert len(kept) == len(table)
    assert any(change.after is None for change in table.changes or [])


def test_stored_bytes_are_metered_with_their_overhead() -> None:
    """100 bytes an item and an index entry (`ddb.item_size`), for as long as they are there."""

    def work(orders: Table, context: Context) -> Steps:
        yield orders.put({"id": "o-1", "status": "new", "note": "x" * 83})
        yield context.wait(100.0)
        yield orders.delete("o-1")

    _, trace = run(work, at_s=(0.0, 1000.0), indexes={"status": STATUS}, latency_s=0.0)
    ((_, _, count, byte_s),) = [row for row in trace.meters.rows() if row.operation == "stored"]
    item, entry = 2 + 3 + 6 + 3 + 4 + 83, 2 + 3 + 6 + 3
    each = (item + 100) + (entry + 100)
    assert byte_s == pytest.approx(each * 200.0)
    assert count == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"key": ("a", "b", "c")}, "key="),
        ({"key": ""}, "key="),
        ({"indexes": {"status": Index(("status",), ("order",))}}, "indexes: status"),
        ({"indexes": {f"i{n}": STATUS for n in range(21)}}, r"indexes=21 .*https://docs"),
        ({"index_capacity": {"status": OnDemand()}}, "index_capacity: 'status'"),
        (
            {"indexes": {"s": STATUS}, "index_capacity": {"s": ProvisionedCapacity(1, 1)}},
            "mode",
        ),
        ({"latency_s": -1.0}, "-1"),
    ],
)
def test_impossible_tables_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Table(Simulation(), "orders", **settings)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (Put({"order": "o-1"}), "has no id"),
        (Put({"id": ["o-1"]}), "key="),
        (Put({"id": True}), "key="),
        (Put({"id": "o-1", "x": 1.5}), "float must be a Decimal"),
        (Put({"id": "o-1", "x": "x" * 400 * 1024}), "size_bytes=409"),
        (Put(Sized("o-1", -1)), "size_bytes=-1"),
        (Put(Sized(("o-1", 2), 10)), "key="),
        (Update("o-1", {"id": "o-2"}), "change the key"),
        ("o-1", "is no operation"),
        (17, "is no operation"),
    ],
)
def test_impossible_requests_are_refused(operation: Any, message: str) -> None:
    sim = Simulation()
    with pytest.raises(ValueError, match=message):
        Table(sim, "orders").accept(operation)


def test_impossible_transactions_and_queries_are_refused() -> None:
    table = Table(Simulation(), "orders", indexes={"status": STATUS})
    attempts: tuple[tuple[Callable[[], Any], str], ...] = (
        (lambda: table.transact(*(Put({"id": f"{n}"}) for n in range(101))), "items=101"),
        (lambda: table.transact(Put({"id": "1"}), Delete("1")), "two of them are on one item"),
        (lambda: table.transact_get(*map(str, range(101))), "items=101"),
        (lambda: table.query("new", index="customer"), "index='customer'"),
        (lambda: table.query("new", index="status", consistency="strong"), "global index"),
        (lambda: table.query("1", consistency="transactional"), "Query and Scan"),
        (lambda: table.put(Sized("1", 10)), "which an index needs"),
        (lambda: table.get("1", "weak"), "consistency='weak'"),  # type: ignore[arg-type]
    )
    for wrong, message in attempts:
        with pytest.raises(ValueError, match=message):
            wrong()
