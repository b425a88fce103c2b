"""The chapter on the programming model: connections, secrets, tenants and races, as it says."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import measure_lambda_programming_model as measure
import pytest

from simulations.aws.runtime import LocalRuntime
from simulations.experiments.lambda_programming_model import (
    connections,
    default_connections,
    memory_for_gib,
    order_durations_s,
    secret_ages,
    stale_secrets,
)
from simulations.experiments.records import record
from simulations.orders import ARCHITECTURES
from simulations.orders.shop import Shop
from simulations.services import keep_alive
from simulations.simulation import Simulation
from simulations.theory import mean_environments
from simulations.workload import Poisson

KEPT = record("lambda_programming_model")
POSIX = pytest.mark.skipif(
    not hasattr(signal, "SIGSTOP"), reason="the local Lambda runtime needs Linux or macOS"
)

# ---------------------------------------------------------------- connections


def test_more_connections_are_open_than_calls_run_and_simulation_agrees() -> None:
    found = connections()
    assert found["front running"] == pytest.approx(200 * 0.035)
    assert found["front open"] > 2.5 * found["front running"]
    assert found["waiting open"] > 1.2 * found["waiting running"]
    assert found["front worst error"] < 0.08 and found["waiting worst error"] < 0.08
    # At the rate of the limit, as many are open as the database takes.
    rate = found["waiting rate at the limit"]
    assert mean_environments(rate, keep_alive(2025), 1.283) == pytest.approx(112, abs=0.5)
    assert found["limit"] == default_connections(1.0) == 112


def test_the_default_of_postgresql_on_rds_is_published_and_its_inverse_fits() -> None:
    # AWS's formula, as tables of others print it: 1 GiB 112, 4 GiB 450; never above 5,000.
    assert [default_connections(gib) for gib in (1, 4, 1024)] == [112, 450, 5000]
    assert default_connections(memory_for_gib(1000) + 1e-6) == 1000
    with pytest.raises(ValueError, match="memory_gib=0"):
        default_connections(0)


@pytest.mark.parametrize(("architecture", "place"), [("A1", 1), ("B1", 0)])
def test_the_durations_are_those_that_the_order_system_is_billed_for(
    architecture: str, place: int
) -> None:
    sim = Simulation(seed=3)
    shop = Shop(warm=True)
    system = ARCHITECTURES[architecture](sim, shop)
    trace = sim.run(Poisson(1.0) >> system, duration_s=1500)
    spans = list(trace.spans_of("SubmitOrder", "invoke"))
    mean_s = sum(span.end_s - span.start_s for span in spans) / len(spans)
    assert mean_s == pytest.approx(order_durations_s(shop)[place], rel=0.04)


# ---------------------------------------------------------------- secrets


def test_a_copy_is_never_older_than_its_time_to_live_and_any_younger_age_is_alike() -> None:
    ages, fetches = secret_ages(100.0, 10.0, 0.0, 2000.0)
    assert max(ages) < 100.0
    assert fetches == pytest.approx(20, abs=1)
    for share in (0.25, 0.5, 0.75):
        older = sum(age > 100 * share for age in ages) / len(ages)
        assert older == pytest.approx(1 - share, abs=0.03)


def test_a_shorter_time_to_live_ends_sooner_and_fetches_more() -> None:
    found = stale_secrets()
    assert found["short oldest"] < 60 < found["long oldest"] < 300
    assert found["short fetches per hour"] > 3 * found["long fetches per hour"]


def test_the_recorded_environments_kept_to_the_time_to_live() -> None:
    short, long, never = KEPT["secrets"]
    assert short["last_stale_s"] < short["ttl_s"] and long["last_stale_s"] < long["ttl_s"]
    assert never["stale"] == never["calls_after"] and never["fetches"] == never["environments"] == 3
    assert short["fetches"] > long["fetches"] > never["fetches"]


# ---------------------------------------------------------------- what the record says


def test_the_record_counts_connections_as_the_chapter_says() -> None:
    ways: dict[str, Any] = KEPT["connections"]
    assert [ways[w]["opened"] for w in ("inside", "outside", "renewed")] == [20, 3, 3]
    assert [ways[w]["open_while_frozen"] for w in ("inside", "outside", "renewed")] == [0, 3, 3]
    assert [ways[w]["failed_after_hang_up"] for w in ("inside", "outside", "renewed")] == [0, 20, 0]
    small = KEPT["small_database"]
    assert small["peak"] == small["most"] == 2 and small["refused"] == 1 and small["failed"] > 1


def test_a_list_outside_the_handler_leaks_in_every_call_but_the_first() -> None:
    assert KEPT["leaks"]["handle"] == {"calls": 20, "leaked": 19}
    assert KEPT["leaks"]["handle_mended"] == {"calls": 20, "leaked": 0}


@POSIX
def test_live_runs_leak_race_and_reconnect_as_recorded(root: Path) -> None:
    assert measure.leaks("handle")["leaked"] == 19
    assert measure.race() == {
        "threads": 1, "asyncio": 1, "lock": 8, "environments": 8, "made": 8,
    }  # fmt: skip
    folder = root / "book" / "lambda" / "handlers" / "sharing"
    for handler, fails in (("outside", 2), ("renewed", 0)):
        database = measure.Database()
        try:
            with LocalRuntime(
                f"{handler}.handle", task_root=folder, environment={"DATABASE": database.address}
            ) as function:
                assert function.invoke({"item": "first"}).payload == "first"
                database.hang_up()
                after = [function.invoke({"item": "again"}) for _ in range(2)]
            assert sum(one.error is not None for one in after) == fails
        finally:
            database.end()
