"""Throughput of a table: burst, the previous peak, hot items, auto scaling, each as documented."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from simulations import (
    CapacityScaling,
    Function,
    Index,
    OnDemand,
    Poisson,
    ProvisionedCapacity,
    ProvisionedThroughputExceeded,
    Regular,
    Simulation,
    Sized,
    Table,
    Trace,
)
from simulations.facts import fact
from simulations.services import Context
from simulations.services.capacity import Capacity, Decreases, Throughput, Tracker
from simulations.services.handler import Steps
from simulations.services.throughput import Burst, Ceiling, Doubling
from simulations.workload import Workload

MINUTE = 60.0


def written(
    workload: Workload, capacity: Capacity, duration_s: float, *, keys: int = 0, size: int = 1024,
    seed: int = 1,
) -> tuple[Table, Trace]:  # fmt: skip
    """Let every arrival write an item, to one of so many keys (0: each to its own)."""
    sim = Simulation(seed)
    table = Table(sim, "orders", capacity=capacity)

    def handler(number: int, context: Context) -> Steps:
        yield table.put(Sized(number % keys if keys else number, size))

    function = Function(sim, "F", handler)
    return table, sim.run(workload >> function, duration_s=duration_s)


def first_throttle_s(trace: Trace) -> float:
    found: float = next(row.queued_s for row in trace.spans_of("orders", outcome="throttled"))
    return found


@pytest.mark.parametrize(("asked", "after_s"), [(150, 600.0), (200, 300.0), (400, 100.0)])
def test_a_full_bucket_lasts_300_r_over_x_minus_r(asked: int, after_s: float) -> None:
    """The closed form (`token_bucket`), request by request; units of ten to be quicker."""
    capacity = ProvisionedCapacity(reads=1, writes=100)
    _, trace = written(Regular(10 / asked), capacity, after_s + 20, size=10 * 1024)
    assert first_throttle_s(trace) == pytest.approx(after_s, rel=0.02)


def test_aws_s_example_of_burst_capacity() -> None:
    """150 units unused for five minutes keep 45,000 and serve 200 for exactly 15 minutes."""
    example = fact("ddb.burst.example")
    bucket = Burst(example["capacity"], full=False)
    bucket.fill(300.0)
    assert bucket.left == example["kept_units"]
    asked = example["asked"]
    served = [bucket.serve(300.0 + k, 1.0, asked) for k in range(1000)]
    assert served.count(asked) == example["lasts_s"]
    assert served[-1] == example["capacity"]


def test_burst_keeps_five_minutes_and_no_more() -> None:
    bucket = Burst(10, full=False)
    bucket.fill(10_000.0)
    assert bucket.left == 3000
    bucket.resize(10_000.0, 2)
    assert bucket.left == 600  # a smaller table keeps less
    bucket.resize(10_000.0, 20)
    bucket.fill(10_001.0)
    assert bucket.left == 620  # a larger one does not get it back


def test_a_request_heavier_than_the_bucket_passes_when_it_is_full() -> None:
    """400 KB into a table of one unit: it would never fit otherwise."""
    bucket = Burst(1, full=False)
    assert bucket.refuses(100.0, 400)
    assert not bucket.refuses(400.0, 400)
    bucket.take(400)
    assert bucket.refuses(450.0, 1)  # and the rest is owed
    assert not bucket.refuses(502.0, 1)


@pytest.mark.parametrize(("direction", "per_s"), [("write", 4000), ("read", 12000)])
def test_a_new_on_demand_table(direction: Any, per_s: int) -> None:
    """`ddb.od.initial`, then twice the peak of 30 minutes ago (`ddb.od.rule`), at most 40,000."""
    assert fact("ddb.od.initial")[f"{direction}s_s"] == per_s
    table = Doubling(direction)
    carried = [table.serve(MINUTE * k, MINUTE, 1e6 * MINUTE) / MINUTE for k in range(200)]
    assert carried[:31] == [per_s] * 31
    assert carried[31:62] == [2 * per_s] * 31
    assert carried[62] == 4 * per_s if direction == "write" else 40_000
    assert carried[-1] == 40_000 == fact("ddb.od.quota")["table_rru_wru"]
    assert table.reason == "AccountLimitExceeded"


def test_a_peak_is_what_was_carried_not_what_was_asked() -> None:
    """And a quiet night does not take it away."""
    table = Doubling("write", peak_per_s=3000)
    assert table.per_s(0.0) == 6000
    table.serve(0.0, MINUTE, 4000 * MINUTE)
    assert table.per_s(20 * MINUTE) == 6000
    assert table.per_s(31 * MINUTE) == 8000
    assert table.per_s(1e6) == 8000


def test_a_maximum_that_is_set_holds() -> None:
    limit = OnDemand(most_writes_per_s=50).limit("write")
    assert limit.per_s(0.0) == 50
    assert limit.reason == "MaxOnDemandThroughputExceeded"


def test_an_on_demand_table_throttles_request_by_request() -> None:
    """A new table asked for 10,000 writes a second lets 4,000 through; units of 50 to be quicker."""
    sim = Simulation(1)
    table = Table(sim, "orders")
    reasons = set()

    def handler(number: int, context: Context) -> Steps:
        try:
            yield table.put(Sized(number, 50 * 1024))
        except ProvisionedThroughputExceeded as error:
            reasons.add(error.reason)

    sim.run(Regular(0.005) >> Function(sim, "F", handler), duration_s=10)
    assert table.throughput["Table", "write"].consumed == pytest.approx(4000 * 10, rel=0.01)
    assert reasons == {"TableWriteKeyRangeThroughputExceeded"}


@pytest.mark.parametrize(
    ("keys", "share"), [(1, 0.5), (2, 1.0), (0, 1.0)], ids=["one item", "two items", "all"]
)
def test_a_hot_item_has_one_partition_at_best(keys: int, share: float) -> None:
    """2,000 write units a second on one item of a table of 10,000: half is throttled.

    The table is far below its capacity; on two items nothing is (`ddb.partition`, `ddb.adaptive`).
    """
    capacity = ProvisionedCapacity(reads=1, writes=10_000)
    table, _ = written(Regular(0.005), capacity, 20.0, keys=keys, size=10 * 1024)
    consumed = table.throughput["Table", "write"].consumed
    assert consumed / 20.0 == pytest.approx(2000 * share, rel=0.01)


def test_a_hot_item_may_use_all_of_a_small_table() -> None:
    """Adaptive capacity: no share of the table is kept for other partitions."""
    table, _ = written(Regular(0.01), ProvisionedCapacity(1, 100, full_burst=False), 30.0, keys=1)
    assert table.throttled == 0


def test_reads_of_one_item_end_at_3000_units() -> None:
    hot = Ceiling("read")
    served = 0
    for _ in range(5000):
        if not hot.refuses(7.5, "o-1", 1):
            hot.take("o-1", 1)
            served += 1
    assert served == 3000


def test_an_index_of_one_key_is_one_partition() -> None:
    """All entries with one status lie together unless a sort key tells them apart."""

    def throttled(index: Index) -> int:
        sim = Simulation(1)
        table = Table(
            sim, "orders", indexes={"status": index}, capacity=OnDemand(peak_writes_per_s=9000)
        )

        def handler(number: int, context: Context) -> Steps:
            yield table.put({"id": f"o-{number}", "status": "new", "x": "x" * 10_000})

        sim.run(Regular(0.005) >> Function(sim, "F", handler), duration_s=5)
        return table.throughput["status", "write"].throttled

    assert throttled(Index(("status",), ("id",))) == pytest.approx(500, rel=0.05)
    assert throttled(Index(("status", "id"), ("id",))) == 0


def follow(load: list[float], full_burst: bool = True, **settings: Any) -> Throughput:
    """Serve a load, units per second minute by minute, with auto scaling from 100 units."""
    capacity = ProvisionedCapacity(100, 100, CapacityScaling(**settings), full_burst)
    found = Throughput("Table", "write", capacity)
    for minute, per_s in enumerate(load):
        found.serve(MINUTE * minute, per_s * MINUTE)
    found.advance(MINUTE * len(load) + 600)
    return found


def test_two_minutes_above_the_target_raise_capacity_after_the_delay() -> None:
    """`ddb.autoscale`: one minute, or minutes that do not follow each other, change nothing."""
    assert follow([60, 90, 60, 90, 60, 90, 60]).history == [(0.0, 100.0)]
    grown = follow([60, 90, 90, 90, 90, 90, 90]).history
    assert grown == [(0.0, 100.0), (3 * MINUTE + 180, 129.0)]
    assert follow([90, 90, 90], delay_s=600).history[1][0] == 2 * MINUTE + 600
    assert follow([90] * 10, target=0.9).history == [(0.0, 100.0)]


def test_fifteen_minutes_20_points_below_lower_it() -> None:
    """`ddb.autoscale.low`: with a target of 70 %, below 50 %; fourteen are not enough."""
    assert follow([49.0] * 14 + [60.0]).history == [(0.0, 100.0)]
    assert follow([51.0] * 60).history == [(0.0, 100.0)]
    assert follow([49.0] * 15).history == [(0.0, 100.0), (15 * MINUTE + 180, 70.0)]


def test_capacity_stays_between_its_bounds() -> None:
    assert max(c for _, c in follow([5000.0] * 60, maximum=300).history) == 300
    assert min(c for _, c in follow([0.1] * 600, minimum=40).history) == 40
    with pytest.raises(ValueError, match="writes=100 must be 200 to 40000"):
        ProvisionedCapacity(200, 100, CapacityScaling(minimum=200))


def test_an_idle_table_is_scaled_down_unless_idle_minutes_do_not_count() -> None:
    """The two things that the documentation has said (`ddb.autoscale.idle`)."""
    assert follow([0.0] * 60).history[-1][1] == 1
    assert follow([0.0] * 60, idle_counts=False).history == [(0.0, 100.0)]


def test_decreases_are_four_and_then_one_an_hour_and_27_a_day() -> None:
    """`ddb.decrease`: asked for every minute of two days."""
    today = Decreases()
    taken = [minute for minute in range(2 * 1440) if today.take(MINUTE * minute)]
    assert taken[:6] == [0, 1, 2, 3, 63, 123]
    first = [minute for minute in taken if minute < 1440]
    assert len(first) == 4 + (1439 - 3) // 60
    assert len(first) <= fact("ddb.decrease")["max"] == 27
    assert taken[len(first)] == 1440  # a day begins anew


def test_reads_and_writes_share_the_decreases_of_a_table() -> None:
    shared = Decreases()
    plan = CapacityScaling()
    trackers = [Tracker(plan, shared) for _ in range(6)]
    for minute in range(1, 16):
        for tracker in trackers:
            tracker.minute(MINUTE * minute, 1.0, 100.0)
    assert [tracker.waiting is not None for tracker in trackers] == [True] * 4 + [False] * 2
    table = Table(
        Simulation(), "orders", indexes={"status": Index(("status",), ("id",))},
        capacity=ProvisionedCapacity(5, 5, CapacityScaling()),
    )  # fmt: skip
    allowed = {
        key: one._tracker._decreases for key, one in table.throughput.items() if one._tracker
    }
    assert allowed["Table", "read"] is allowed["Table", "write"]
    assert allowed["status", "read"] is allowed["status", "write"] is not allowed["Table", "read"]


def test_a_table_far_too_small_grows_step_by_step() -> None:
    """What is throttled is not consumed, so the alarm sees the old capacity only."""
    grown = [per_s for _, per_s in follow([1000.0] * 120, full_burst=False).history]
    assert grown[-1] == 1429  # 1,000 over 0.7
    steps = [later / before for before, later in pairwise(grown)]
    assert steps[:-1] == pytest.approx([1 / 0.7] * (len(steps) - 1), rel=0.01)
    assert len(steps) == 8


def test_requests_and_whole_minutes_meet_the_same_rules() -> None:
    """The load as a fluid, minute by minute, and 25,000 requests: capacity and throttles agree."""
    scaling = CapacityScaling(minimum=5)
    capacity = ProvisionedCapacity(reads=5, writes=10, scaling=scaling, full_burst=False)
    table, _ = written(Regular(1 / 20), capacity, 1200.0)
    ours = table.throughput["Table", "write"]
    fluid = Throughput("Table", "write", capacity)
    for minute in range(20):
        fluid.serve(MINUTE * minute, 20 * MINUTE)
    assert [round(c) for _, c in ours.history] == [round(c) for _, c in fluid.history]
    assert ours.consumed == pytest.approx(fluid.consumed, rel=0.005)
    assert ours.throttled == pytest.approx(20 * 1200 - fluid.consumed, rel=0.03)
    assert ours.capacity_s(1200.0) == pytest.approx(fluid.capacity_s(1200.0))


def test_capacity_is_metered_to_the_horizon_with_every_change() -> None:
    scaling = CapacityScaling()
    capacity = ProvisionedCapacity(reads=10, writes=100, scaling=scaling)
    _, trace = written(Poisson(0.01), capacity, 7200.0)
    meters = {row.operation: row for row in trace.meters.rows()}
    # Fifteen idle minutes, then three more: one unit of either from then on.
    assert meters["capacity write"].units == pytest.approx(100 * 1080 + 1 * (7200 - 1080))
    assert meters["capacity read"].units == pytest.approx(10 * 1080 + 1 * (7200 - 1080))
    assert meters["capacity write"].count == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ProvisionedCapacity(0, 1), r"reads=0 must be 1 to 40000 .*https://"),
        (lambda: ProvisionedCapacity(1, 40_001), "writes=40001"),
        (lambda: ProvisionedCapacity(1.5, 1), "reads=1.5"),  # type: ignore[arg-type]
        (lambda: CapacityScaling(target=0.1), r"target=0.1 must be 0.2 to 0.9 .*https://"),
        (lambda: CapacityScaling(minimum=0), "minimum=0"),
        (lambda: CapacityScaling(minimum=10, maximum=5), "maximum=5 must be 10 to"),
        (lambda: CapacityScaling(delay_s=-1), "delay_s=-1"),
        (lambda: OnDemand(peak_writes_per_s=-1), "peak_writes_per_s=-1"),
        (lambda: OnDemand(most_reads_per_s=0), "most_reads_per_s=0"),
    ],
)
def test_impossible_capacity_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
