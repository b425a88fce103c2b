"""A DynamoDB table: items, units of every request, throughput, throttles.

`read_units`, `write_units` and `item_size` say what one request counts (see `units` and `item`).
May import: the standard library, SimPy, `simulations.facts`, `.faults`, `.workload`, `.clock`,
`.simulation`, `.trace` and this room's modules on tables.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulations.clock import Caller, Step
from simulations.facts import fact
from simulations.faults import BEFORE, FINE, Fault, Trouble
from simulations.services.capacity import (
    Capacity,
    Decreases,
    OnDemand,
    ProvisionedCapacity,
    Throughput,
)
from simulations.services.item import at_most, item_size
from simulations.services.table_calls import (
    ConditionalCheckFailed,
    Get,
    InternalServerError,
    Operation,
    Operations,
    ProvisionedThroughputExceeded,
    Query,
    Stored,
    TransactGet,
    TransactionCanceled,
    TransactWrite,
)
from simulations.services.table_store import Outcome, Store
from simulations.services.units import (
    Index,
    page_units,
    read_units,
    transact_get_units,
    transact_write_units,
    write_units,
)
from simulations.simulation import Component, Simulation
from simulations.trace import NAN
from simulations.workload import Distribution, Lognormal, as_distribution

__all__ = ["Change", "Table", "item_size", "read_units", "write_units"]

#: Prior for a request's time as a client in the region sees it: AWS says single-digit
#: milliseconds (fact `ddb.latency`) and gives no distribution; 99 of 100 lie below 10 ms here.
LATENCY = Lognormal(0.0035, 0.5)
#: Names of the operations in a trace.
WORDS = {
    "Get": "get", "Put": "put", "Update": "update", "Delete": "delete", "Query": "query",
    "TransactWrite": "transact write", "TransactGet": "transact get",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A record of the table's stream: an item before and after a write."""

    at_s: float
    key: Hashable
    before: Stored | None
    after: Stored | None


_Asked = dict[Throughput, list[tuple[Hashable, float]]]


@dataclass(slots=True)
class _Work:
    """What a request consumes, of which throughput for which key, and what it comes to."""

    kb: float
    asked: _Asked
    value: Any = None
    error: Exception | None = None
    outcomes: tuple[Outcome, ...] = ()


class Table(Component, Operations):
    """A DynamoDB table with its global secondary indexes.

    A request is admitted, takes effect and consumes its units at the moment it begins; its answer
    comes after the latency (twice that for a transaction, which is prepared and committed). One
    that finds no throughput is throttled and consumes nothing; one whose condition fails
    consumes write units all the same.

    Parameters
    ----------
    key : str or tuple of str
        The attribute that is the partition key, or it and the sort key's.
    indexes : mapping of name to Index, optional
        What a write keeps up to date as well; each has throughput of its own, and a write that
        one of them cannot take is throttled (fact `ddb.gsi`).
    capacity : OnDemand or ProvisionedCapacity
        The mode, of the table and of its indexes.
    index_capacity : mapping of name to capacity, optional
        Where an index differs from the table, in the same mode.
    latency_s : float or Distribution
        From the request to its answer.
    stream : bool
        Whether `changes` are kept.

    Attributes
    ----------
    changes : list of Change
        Every item that was written, in order (the table's stream, if it has one).
    throughput : dict
        By ("Table" or an index's name, "read" or "write").
    throttled, failed : int
        Requests throttled; requests whose condition did not hold.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Notes
    -----
    In the trace a request is a span with its operation ("put"), its `size` in KB and in `units`
    what it consumed, indexes included, whatever it ended in. What each resource consumed, its
    capacity and the bytes stored are in the meters.

    Not modeled: conflicts between transactions under way, eventually consistent reads of old
    values, local indexes, further pages of a query, batches.

    Examples
    --------
    >>> from simulations import Function, Regular
    >>> sim = Simulation(seed=1)
    >>> orders = Table(sim, "orders", key="order")
    >>> def place(number, context):
    ...     yield orders.put({"order": number, "status": "placed"}, lambda old: old is None)
    ...     yield orders.update(number, {"status": "paid"})
    ...     return (yield orders.get(number))["status"]
    >>> trace = sim.run(Regular(0.1) >> Function(sim, "Place", place), duration_s=60)
    >>> trace.requests.outcomes(), len(orders)
    ({'paid': 600}, 600)
    >>> sum(row.units for row in trace.spans_of("orders")) / 600    # two writes, half a read
    2.5
    """

    can_fail = True

    def __init__(
        self,
        sim: Simulation,
        name: str,
        *,
        key: str | tuple[str, ...] = "id",
        indexes: Mapping[str, Index] | None = None,
        capacity: Capacity | None = None,
        index_capacity: Mapping[str, Capacity] | None = None,
        latency_s: float | Distribution = LATENCY,
        stream: bool = False,
    ) -> None:
        keys = (key,) if isinstance(key, str) else tuple(key)
        if not 1 <= len(keys) <= 2 or not all(keys):
            raise ValueError(f"key={key!r} must be a partition key, or it and a sort key")
        named = dict(indexes or {})
        at_most("indexes", len(named), int(fact("ddb.idx")["gsi"]), "ddb.idx")
        for one, index in named.items():
            if tuple(index.table_key) != keys:
                raise ValueError(f"indexes: {one} holds {index.table_key}, not the key {keys}")
        mode: Capacity = OnDemand() if capacity is None else capacity
        own = dict.fromkeys(named, mode) | dict(index_capacity or {})
        for one, other in own.items():
            if one not in named:
                raise ValueError(f"index_capacity: {one!r} is none of {sorted(named)}")
            if type(other) is not type(mode):
                raise ValueError(f"index_capacity: {one} must be in the table's mode, {mode!r}")
        takes = as_distribution(latency_s)
        super().__init__(
            sim, name, key=" ".join(keys), indexes=" ".join(named), latency_s=takes,
            mode="on demand" if isinstance(mode, OnDemand) else "provisioned", stream=bool(stream),
        )  # fmt: skip
        self.store = Store(keys, named)
        self.throughput: dict[tuple[str, str], Throughput] = {}
        for one, settings in {"Table": mode, **own}.items():
            resource, decreases = "Table" if one == "Table" else "Index", Decreases()
            self.throughput[one, "read"] = Throughput(resource, "read", settings, decreases)
            self.throughput[one, "write"] = Throughput(resource, "write", settings, decreases)
        self.changes: list[Change] | None = [] if stream else None
        self.throttled = self.failed = 0
        self._reads = self.throughput["Table", "read"]
        self._writes = self.throughput["Table", "write"]
        self._provisioned = isinstance(mode, ProvisionedCapacity)
        self._time = sim.times(name + " time", takes)
        self._calls: dict[int, int] = {}
        self._stored_s, self._byte_s = 0.0, 0.0
        fault = sim.faults.get(name, Fault())
        self._trouble = None
        if not fault.is_none:
            self._trouble = Trouble(
                fault, lambda draw: sim.draws(f"{name} {draw}"), sim.stream(name + " outages")
            )

    def __len__(self) -> int:
        return len(self.store)

    def accept(self, body: Any, /, caller: Caller | None = None) -> Step:
        """Take in one operation, such as `Put(item)`; its units are consumed at once.

        Raises
        ------
        ProvisionedThroughputExceeded, ConditionalCheckFailed, TransactionCanceled
            At the yield.
        ValueError
            If the operation or its item is impossible.
        """
        if not isinstance(body, Operation):
            raise ValueError(
                f"body={body!r} is no operation on a table; let a function's handler call it"
            )
        request = _Request(self, WORDS[type(body).__name__], caller)
        self._serve(request, body)
        return request

    def _serve(self, request: _Request, body: Operation) -> None:
        now_s, entity = self.sim.clock._now, request.caller.request
        self._calls[entity] = nth = self._calls.get(entity, 0) + 1
        lasts_s = self._time(entity, nth)
        if isinstance(body, TransactWrite | TransactGet):
            self._calls[entity] = nth + 1
            lasts_s += self._time(entity, nth + 1)
        fate = FINE
        if self._trouble is not None:
            lasts_s = self._trouble.lasts_s(now_s, entity, nth, lasts_s)
            fate = self._trouble.fate(now_s, entity, nth)
        end_s, error = now_s + lasts_s, "error"
        if fate != BEFORE:
            work = self._work(body)
            request.size_kb = work.kb
            if not self._admit(request, work, now_s):
                request.end_at(end_s, work.error, ok=False)
                return
            if fate == FINE:
                request.end_at(end_s, work.value)
                return
            error = "error_after_effect"
        request.outcome = self.sim.trace.code(error)
        request.end_at(end_s, InternalServerError(f"{self.name} failed"), ok=False)

    def _admit(self, request: _Request, work: _Work, now_s: float) -> bool:
        """Consume the units and let it happen; whether it came to a good end."""
        for throughput, asked in work.asked.items():
            reason = throughput.refusal(now_s, asked)
            if reason is not None:
                throughput.throttled += 1
                self.throttled += 1
                work.error = ProvisionedThroughputExceeded(reason)
                request.outcome = self.sim.trace.code("throttled")
                return False
        for throughput, asked in work.asked.items():
            request.units += throughput.take(asked)
        if work.error is not None:
            self.failed += 1
            request.outcome = self.sim.trace.code(getattr(work.error, "outcome", "error"))
            return False
        if work.outcomes:
            self._byte_s += (now_s - self._stored_s) * self.store.bytes
            self._stored_s = now_s
        for outcome in work.outcomes:
            self.store.commit(outcome)
            if self.changes is not None and outcome.writes and outcome.before != outcome.after:
                self.changes.append(Change(now_s, outcome.key, outcome.before, outcome.after))
        return True

    def _work(self, body: Operation) -> _Work:
        if isinstance(body, Get):
            item, size = self.store.read(body.key)
            units = read_units(size, body.consistency)
            return _Work(size / 1024, {self._reads: [(body.key, units)]}, item)
        if isinstance(body, Query):
            return self._query(body)
        if isinstance(body, TransactGet):
            found = [self.store.read(key) for key in body.keys]
            transact_get_units([size for _, size in found])  # its limits
            asked = [
                (key, read_units(size, "transactional"))
                for key, (_, size) in zip(body.keys, found, strict=True)
            ]
            kb = sum(size for _, size in found) / 1024
            return _Work(kb, {self._reads: asked}, [item for item, _ in found])
        if isinstance(body, TransactWrite):
            return self._transaction(body)
        outcome = self.store.outcome(body)
        if outcome.holds:
            value = outcome.before if outcome.after is None else outcome.after
            return _Work(outcome.kb, self._written([outcome]), value, None, (outcome,))
        failed = ConditionalCheckFailed(f"{self.name}: {outcome.key!r}")
        return _Work(outcome.kb, self._refused([outcome]), None, failed)

    def _query(self, query: Query) -> _Work:
        if query.index is not None and query.consistency == "strong":
            raise ValueError("consistency='strong' is not possible: a global index has none")
        items, sizes = self.store.page(query)
        reads = self._reads if query.index is None else self.throughput[query.index, "read"]
        units = page_units(sizes, query.consistency)
        return _Work(sum(sizes) / 1024, {reads: [(query.partition, units)]}, items)

    def _transaction(self, body: TransactWrite) -> _Work:
        outcomes = tuple(map(self.store.outcome, body.actions))
        if len({one.key for one in outcomes}) < len(outcomes):
            raise ValueError(f"actions={body.actions!r}: two of them are on one item")
        transact_write_units([one.bytes for one in outcomes])  # its limits
        kb = math.fsum(one.kb for one in outcomes)
        if all(one.holds for one in outcomes):
            return _Work(kb, self._written(outcomes, True), None, None, outcomes)
        reasons = ["None" if one.holds else "ConditionalCheckFailed" for one in outcomes]
        return _Work(kb, self._refused(outcomes, True), None, TransactionCanceled(reasons))

    def _refused(self, outcomes: Sequence[Outcome], transactional: bool = False) -> _Asked:
        """What is consumed although nothing is written: the table's units, no index's."""
        return {
            self._writes: [(o.key, float(write_units(o.bytes, transactional))) for o in outcomes]
        }

    def _written(self, outcomes: Sequence[Outcome], transactional: bool = False) -> _Asked:
        """The units of writes, of the table and of every index that they touch."""
        found = self._refused(outcomes, transactional)
        for name, index in self.store.indexes.items():
            asked = []
            for one in outcomes:
                units = index.units(one.before, one.after, transactional) if one.writes else 0  # type: ignore[arg-type]
                if units:
                    asked.append((self.store.hot_key(index, one), float(units)))
            if asked:
                found[self.throughput[name, "write"]] = asked
        return found

    def close(self) -> None:
        """Meter what was consumed, provisioned and stored, up to the horizon."""
        trace, code = self.sim.trace, self.sim.trace.code
        horizon_s = float(trace.header["horizon_s"])
        for (one, direction), throughput in self.throughput.items():
            words = direction if one == "Table" else f"{direction} {one}"
            trace.meters.append(
                (self.code, code(f"units {words}"), throughput.requests, throughput.consumed)
            )
            if self._provisioned:
                capacity_s = throughput.capacity_s(horizon_s)
                changes = len(throughput.history) - 1
                trace.meters.append((self.code, code(f"capacity {words}"), changes, capacity_s))
        byte_s = self._byte_s + max(horizon_s - self._stored_s, 0.0) * self.store.bytes
        trace.meters.append((self.code, code("stored"), len(self.store), byte_s))


class _Request(Step):
    """A request on its way: its units are consumed, its answer is to come."""

    size_kb = 0.0
    units = 0.0

    def __init__(self, table: Table, operation: str, caller: Caller | None) -> None:
        super().__init__(table.sim, caller)
        self.table = table
        self.span = table.sim.new_span()
        self.queued_s = self.env._now
        self.operation = table.sim.trace.code(operation)
        self.outcome = table.sim.trace.code("ok")
        self.callbacks.append(_answered)
        table.inside.add(1)

    def record(self, end_s: float, outcome: int) -> None:
        table, by = self.table, self.caller
        table.sim.trace.spans.append(
            (
                self.span, by.span, by.request, table.code, self.operation, -1, by.attempt,
                self.queued_s, self.queued_s, 0.0, end_s, outcome, self.size_kb, self.units,
            )
        )  # fmt: skip

    def unfinished(self) -> None:
        self.record(NAN, self.table.sim.trace.code("unfinished"))


def _answered(request: _Request) -> None:
    request.table.inside.add(-1)
    request.record(request.env._now, request.outcome)
