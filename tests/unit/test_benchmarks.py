"""The benchmarks: every tool does the same work, and what the page says follows from the record."""

from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import house_commands
import measure_benchmarks
import peers
import pytest
import task
from house_common import Trouble
from plain_orders import PlainShop

from simulations.experiments.benchmarks import LOADS, NAMES, benchmarks, worst_z
from simulations.experiments.records import record
from simulations.fleet import replay
from simulations.orders import Shop, run_orders
from simulations.stats import difference
from simulations.workload import Poisson

# ---------------------------------------------------------------- the same work


class Multiples(Random):
    """Stands in for a random generator: the given exponential times, in units of their mean."""

    def __init__(self, values: list[float]) -> None:
        super().__init__(0)
        self.values = iter(values)

    def expovariate(self, lambd: float = 1.0) -> float:
        return next(self.values) / lambd


@pytest.mark.parametrize("rate_per_s", [0.004, 0.9, 20.0])
def test_the_pool_given_to_ciw_is_the_fleet_engine_request_by_request(
    rate_per_s: float,
) -> None:
    random = Random(3)
    multiples = [random.expovariate(1) for _ in range(5_000)]
    pool = peers.Pool(Multiples(multiples))
    now_s, arrivals, cold = 0.0, [], []
    for _ in multiples:
        now_s += random.expovariate(rate_per_s)
        before = pool.cold
        pool.service(now_s)
        arrivals.append(now_s)
        cold.append(pool.cold > before)
    seen = replay(
        arrivals, [m * 1.991 for m in multiples], cold_service_s=[m * 2.244 for m in multiples],
        keep_alive_s=600,
    )  # fmt: skip
    assert seen.cold is not None and seen.cold.tolist() == cold
    assert 0 < sum(cold) < len(cold)


def test_the_three_idioms_of_simpy_are_one_model() -> None:
    """Drawn in the same order, they count the same; and what the compiled engine expects."""
    counts = {
        peers.TOOLS[name](20.0, 200.0, 5)
        for name in ("simpy_anyof", "simpy_process", "simpy_callback")
    }
    assert len(counts) == 1
    [count] = counts
    mean, sd = measure_benchmarks.expected(20.0, 4_000, "most_recent")
    assert abs(count.cold - mean) < 4 * sd


def test_the_plain_order_system_has_the_features_of_the_chained_one() -> None:
    """Latencies agree within their intervals, invocations an order within one in a hundred."""
    shop = Shop()
    plain = PlainShop(shop, 20.0, seed=3)
    invocations = plain.run(150.0)
    ours = run_orders("A1", shop, Poisson(20.0), duration_s=150.0, seed=4)
    counted = sum(code == ours.code("invoke") for code in ours.spans.operation)
    per_order = counted / len(ours.requests.latency_s)
    assert invocations / len(plain.requests) == pytest.approx(per_order, rel=0.01)
    # The first minute is the pool's start.
    theirs = [end - start for _, start, end in plain.requests if start > 60]
    times = zip(ours.requests.start_s, ours.requests.latency_s, strict=True)
    apart = difference([t for start, t in times if start > 60], theirs)
    assert apart.low < 0.02 and apart.high > -0.02


def test_a_tool_that_counts_wrongly_has_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_benchmarks, "expected", lambda *_: (100.0, 10.0))
    cell = {"requests": 1000, "cold": 120, "ns": 1234.5, "memory_bytes": 0, "repeats": 1}
    found = measure_benchmarks.judged("ciw", 100.0, 1000, cell)
    assert found["z"] == pytest.approx(1.96, abs=0.01) and found["ns"] == 1230.0
    with pytest.raises(Trouble, match=r"ciw has 160 cold starts at 100/s, 5\.9 standard"):
        measure_benchmarks.judged("ciw", 100.0, 1000, {**cell, "cold": 160})


def test_the_fastest_of_the_runs_counts_and_the_first_is_not_timed() -> None:
    seeds = []

    def tool(rate_per_s: float, duration_s: float, seed: int) -> Any:
        seeds.append((round(rate_per_s * duration_s), seed))
        return task.Count(round(rate_per_s * duration_s), 7)

    found = task.timed(tool, 2.0, 1000, 3)
    assert seeds == [(50, 0), (1000, 1), (1000, 2), (1000, 3)]
    assert (found["requests"], found["cold"], found["repeats"]) == (1000, 7, 3)
    assert found["ns"] >= 0 and found["memory_bytes"] >= 0


# ---------------------------------------------------------------- the record


def made_up() -> dict[str, Any]:
    """Return a record in which the fleet engine takes 25, 25 and 50 ns, all others 1 µs."""
    loads = (1.8, 200.0, 20_000.0)

    def cells(ns: tuple[float, float, float]) -> list[dict[str, float]]:
        return [
            {"in_flight": load, "ns": one, "memory_bytes": 10, "z": -2.0}
            for load, one in zip(loads, ns, strict=True)
        ]

    tools = {tool: cells((1000.0, 1000.0, 1000.0)) for tool in NAMES}
    tools["fleet"] = cells((25.0, 25.0, 50.0))
    return {
        "tools": tools,
        "orders": {"ours": {"ns": 500.0}, "plain": {"ns": 1500.0}},
        "sweep": {"one_s": 20.0, "two_s": 11.0},
    }


def test_ratios_and_growth_follow_from_times() -> None:
    result = benchmarks(made_up())
    assert result["fleet at low"] == pytest.approx(4e7)
    assert [result[f"over ciw at {load}"] for load in LOADS] == pytest.approx([40, 40, 20])
    assert result["fleet growth"] == pytest.approx(2) and result["ciw growth"] == 1
    assert result["orders over plain"] == pytest.approx(3)
    assert result["sweep share"] == pytest.approx(0.55)
    assert worst_z(made_up()) == 2.0


def test_a_record_without_a_tool_or_a_load_is_refused() -> None:
    without = made_up()
    del without["tools"]["ciw"]
    with pytest.raises(ValueError, match="the record has 0 loads of 'ciw', not 3"):
        benchmarks(without)


def test_the_committed_record_is_of_the_releases_asked_for_and_counts_rightly(root: Path) -> None:
    told = record("benchmarks")
    text = (root / "benchmarks" / "requirements.txt").read_text(encoding="utf-8")
    assert told["peers"] == dict(re.findall(r"^(\w+)==(.+)$", text, re.MULTILINE))
    assert worst_z(told) < measure_benchmarks.MOST_Z
    assert {tool for tool, _ in NAMES.items()} == set(measure_benchmarks.CELLS)
    for tool in NAMES:
        loads = [cell["in_flight"] for cell in told["tools"][tool]]
        assert loads == pytest.approx([r * 1.991 for r in (0.9, 100, 10_000)])
    assert told["sweep"]["runs"] == 1000
    assert told["measured_on"]["machine"] and told["measured_on"]["date"]


def test_the_task_is_the_same_in_the_peers_and_where_it_is_judged() -> None:
    for name in ("WARM_S", "COLD_S", "KEEP_ALIVE_S"):
        assert getattr(task, name) == getattr(measure_benchmarks, name)
    assert math.isclose(measure_benchmarks.WARM_S * 0.9, 1.8, rel_tol=0.01)


def test_make_bench_is_a_command_of_the_house(root: Path) -> None:
    assert house_commands.parser().parse_args(["bench"]).action is house_commands.bench
    done = subprocess.run(
        ["make", "-n", "bench"], cwd=root, capture_output=True, text=True, check=True
    )
    assert "house.py bench" in done.stdout
