"""Every published measurement of the shared list: which rows speak of it, or why none can.

A new entry without a place here fails, and so does a row that goes. What the rows take from a
publication is compared with the list, number by number.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulations.experiments.contention import PUBLISHED
from simulations.experiments.records import record
from simulations.experiments.resource_allocation import AWS_TABLE
from simulations.services import keep_alive
from simulations.theory import lognormal_from_moments
from simulations.truth import rows
from simulations.truth.init import COLD_CALLS

#: By entry: patterns of the ids of the trust report's rows.
ROWS = {
    "ka_aws_2025": ("gap-2025-",),
    "pcold_vs_rate_aws_2020": ("cold-2020-", "replay-2020-"),
    "routing_mru": ("routing-2020-", "recall-2020-"),
    "cold_rate_aws_claim": ("aws-cold-claim",),
    "az_app_rate": ("azure-busy-apps", "azure-busy-calls"),
    "az_app_rate_data": ("platform-", "day-of-rare-functions"),
    "az_exec": ("azure-duration-",),
    "az_mem": ("azure-memory-",),
    "az_hybrid": ("azure-hybrid-memory",),
    "hw_cold_fit": ("cold-huawei-median",),
    "lp_2026": ("init-local-", "init-p99-1024-"),
    "lp_p99": ("init-lognormal-",),
    "lp_mem": ("init-memory",),
    "lp_arm": ("init-architecture",),
    "lp_drift": ("init-2023-",),
    "sebs_cold_mem": ("cold-memory-",),
    "gcp_concurrency": ("no-slowdown-2025", "environments-2025-"),
    "cpu_mem_2025": ("short-task-",),
    "vcpu_1769": ("short-task-1478",),
    "aws_power_table": ("power-table-",),
    "power_tuning": ("power-tuning-",),
    "msg_latency": ("sqs-latency-", "sns-latency-"),
    "esm_2023": ("sqs-ramp-drain",),
    "sync_scale": ("scaling-rate",),
    "backoff_100": ("contention-", "contention-time-"),
    "retry_layers": ("retry-layers",),
    "tail_scale": ("fanout-tail", "hedge-bigtable"),
    "open_closed": ("closed-load",),
    "init_billed": ("billed-2020", "billed-2025"),
}

#: By entry: why no row speaks of it.
SILENT = {
    "ka_history": "the dated keep-alives are these numbers: equal by construction",
    "az_triggers": "no model draws triggers",
    "az_funcs_per_app": "no model draws the functions of an app",
    "az_iat_cv": "no model draws gaps by app: the recorded counts a day say nothing of them",
    "az_diurnal": "the day's shape is set to this number: equal by construction",
    "az2021_size": "the size of a trace that is not used",
    "hw_keepalive": "needs the call rates of Huawei's functions, which are not published",
    "hw_mix": "no model draws runtimes and sizes",
    "hw_util": "no model has a processor use beside its share",
    "billing_inflation": "needs a table of requests that is not published with the numbers",
    "ibm_cfg": "counts of settings; no model chooses them",
    "lp_snapstart": "a restore's time is a setting; nothing predicts it",
    "containers_load": "no model of image chunks; the shares are quoted",
    "firecracker": "no model of the monitor; the bound on booting is quoted",
    "overhead_2025": "the platform's own time is quoted; nothing predicts it",
    "eb_key": "no model of EventBridge yet",
    "ddb_partition": "limits, held by the tests of the table's model",
    "ddb_latency": "qualitative; a table's time is a setting",
    "ddb_router": "no model of DynamoDB's routers",
    "metastable": "a list of scenarios without a number to reproduce",
}


@pytest.fixture(scope="module")
def entries(shared: Path) -> dict[str, dict[str, Any]]:
    text = (shared.parent / "ground_truth.yaml").read_text(encoding="utf-8")
    return {entry["id"]: entry for entry in yaml.safe_load(text)["entries"]}


def test_every_measurement_has_its_rows_or_a_reason(entries: dict[str, dict[str, Any]]) -> None:
    assert not set(ROWS) & set(SILENT)
    assert set(entries) == set(ROWS) | set(SILENT)


@pytest.mark.parametrize("entry", sorted(ROWS))
def test_the_rows_of_a_measurement_stand_in_the_report(entry: str) -> None:
    ids = [one.id for one in rows()]
    for pattern in ROWS[entry]:
        assert any(one.startswith(pattern) for one in ids), pattern


def test_enough_rows_and_enough_of_them_on_data_that_nothing_was_fitted_to() -> None:
    found = rows()
    assert len(found) >= 45
    assert sum(one.kind == "validation" for one in found) >= 12
    assert all(one.source for one in found)


def test_back_off_as_published(entries: dict[str, dict[str, Any]]) -> None:
    published = entries["backoff_100"]["published_values"]
    assert {name: tuple(values) for name, values in published.items()} == PUBLISHED


def test_cold_calls_of_real_applications_as_published(entries: dict[str, dict[str, Any]]) -> None:
    published = entries["sebs_cold_mem"]["published_values"]
    ours = {"breadth-first search": "bfs", "image recognition": "image-rec", "uploader": "uploader"}
    for name, word in ours.items():
        (found,) = (values for title, values in published.items() if word in title)
        assert COLD_CALLS[name] == found


def test_init_as_published(entries: dict[str, dict[str, Any]]) -> None:
    shapes = {one["runtime"]: one for one in record("init_shapes_2026")["runtimes"]}
    p50 = entries["lp_2026"]["published_values"]
    for name, published in (("python3.12", "python3.12"), ("nodejs22.x", "nodejs22")):
        assert shapes[name]["p50_ms"] == pytest.approx(p50[published], rel=0.001)
    p99 = dict(re.findall(r"(\w[\w.]*?) (?:p99 )?(\d+)\b", entries["lp_p99"]["published_values"]))
    assert shapes["java21"]["p99_ms"] == pytest.approx(float(p99["java21"]), rel=0.001)
    assert shapes["dotnet8"]["p99_ms"] == pytest.approx(float(p99["dotnet8"]), rel=0.001)
    arm = record("init_shapes_2026")["arm64_to_x86_64"]["median"]
    assert f"median {arm:.3f}" in entries["lp_arm"]["published_values"]
    assert "126 (2023-12)" in entries["lp_drift"]["published_values"]
    assert "java21 350" in entries["lp_drift"]["published_values"]


def test_costs_and_fits_as_published(entries: dict[str, dict[str, Any]]) -> None:
    table = entries["aws_power_table"]["published_values"]
    for memory_mb, seconds, usd in AWS_TABLE:
        assert f"{memory_mb}" in table and f"{seconds}" in table and f"{usd:.6f}" in table
    cold = entries["hw_cold_fit"]["published_values"]
    shape = lognormal_from_moments(3.24, 7.10)
    assert f"sigma {shape.sigma:.3f}" in cold and f"median {shape.median:.2f} s" in cold


def test_the_keep_alive_of_2025_is_that_of_the_probes(entries: dict[str, dict[str, Any]]) -> None:
    """Every point within three standard errors, or within what one probe in a hundred can say."""
    life = keep_alive(2025)
    for gap_s, share in entries["ka_aws_2025"]["published_values"].items():
        low, high = life.quantile(0.0), life.quantile(1.0)
        ours = min(max((gap_s - low) / (high - low), 0.0), 1.0)
        reach = max(3 * math.sqrt(share * (1 - share) / 100), 0.01)
        assert ours == pytest.approx(share, abs=reach), gap_s
