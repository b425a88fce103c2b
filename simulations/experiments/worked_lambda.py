"""What the inputs of worked examples mean: Lambda, at the edge, in MicroVMs.

May import: the standard library, `simulations.pricing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulations.experiments.worked_bills import LAMBDA_POOLS, Case, Inputs, free_pools, reads
from simulations.pricing import (
    Usage,
    durable_usage,
    edge_usage,
    lambda_usage,
    managed_instances_usage,
    microvm_usage,
    snapstart_usage,
    tenant_usage,
)

ARCHITECTURES = {"x86": "x86_64", "x86_64": "x86_64", "arm": "arm64", "arm64": "arm64"}


@reads("lambda", "lambda_snapstart", "lambda_durable")
def lambda_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Invocations, and whatever else the inputs name."""
    architecture = ARCHITECTURES[given.take("arch", "architecture", default="x86")]
    arm = "-ARM" if architecture == "arm64" else ""
    free = free_pools(given.take("free_tier", default=False), LAMBDA_POOLS)
    case = _instances(given) if "instance" in given else Case(_invocations(given, architecture))
    case.free = free
    for name, usage_type in (
        ("gb_s", f"Lambda-GB-Second{arm}"), ("tiers", f"Lambda-GB-Second{arm}"),
        ("request", f"Request{arm}"), ("stream_gb", "Lambda-Streaming-Response-Processed-Bytes"),
        ("pc_gb_s", f"Lambda-Provisioned-Concurrency{arm}"),
        ("pc_duration_gb_s", f"Lambda-Provisioned-GB-Second{arm}"),
        ("ephemeral_gb_s", f"Lambda-Storage-GB-Second{arm}"),
        ("storage_gb_s", f"Lambda-Storage-GB-Second{arm}"),
        ("environment_gb", f"Lambda-Tenant-Environment-GB{arm}"),
        ("cache_gb_s", "Lambda-SnapStart-Cached-GB-S"),
        ("restore_gb", "Lambda-SnapStart-Restored-GB"),
        ("operation", "Lambda-Durable-Execution-Operations"),
        ("written_gb", "Lambda-Durable-Execution-Written-Bytes"),
        ("retained_gb_month", "Lambda-Durable-Execution-TimedStorage-ByteHrs"),
        ("epu_h", "Lambda-SQS-Event-Poller-Unit-Hour" if _about(example, "SQS")
         else "Lambda-Event-Poller-Unit-Hour"),
    ):  # fmt: skip
        case.price(name, usage_type)
    if _about(example, "SQS") and "Lambda-Event-Poller-Unit-Hour" in case.usage:
        hours = case.usage.pop("Lambda-Event-Poller-Unit-Hour")
        case.usage.add("Lambda-SQS-Event-Poller-Unit-Hour", hours)
    return case


def _about(example: Mapping[str, Any], word: str) -> bool:
    return word in str(example.get("title", ""))


def _instances(given: Inputs) -> Case:
    kind, hours = given.take("instance"), given.take("instance_hours", "hours")
    requests = given.month("requests", "invocations")
    on_demand, paid = given.take("ec2_od_hour"), given.take("ec2_paid_hour")
    usage = managed_instances_usage(requests, kind, hours)
    return Case(usage, instances=(kind, on_demand, paid))


def _invocations(given: Inputs, architecture: str) -> Usage:
    mappings = given.take("esms", "functions", default=1)
    memory = given.take("memory_mb", default=None)
    memory = given.take("memory_gb", default=0.125) * 1024 if memory is None else memory
    ready = given.take("pc", "provisioned", default=0)
    hours = given.take("pc_hours", "hours", default=0)
    if ready and "od_requests" not in given:
        # Every request of such an example runs on a provisioned environment.
        on_ready = given.month("requests", "pc_requests")
        ready_ms, requests, ms = given.take("avg_ms", "pc_avg_ms"), 0, 0
    else:
        on_ready, ready_ms = given.take("pc_requests", default=0), given.take("pc_avg_ms")
        requests = given.month("requests", "invocations", "od_requests") * mappings
        ms = given.take("avg_ms", "od_avg_ms", "duration_ms", default=0)
    ephemeral = given.take("ephemeral_mb", "storage_mb", default=None)
    if ephemeral is None:
        ephemeral = given.take("ephemeral_gb", "storage_gb", default=0.5) * 1024
    usage = lambda_usage(
        requests, ms, memory, architecture, ephemeral,
        provisioned_concurrency=ready, provisioned_hours=hours, provisioned_requests=on_ready,
        provisioned_duration_ms=ready_ms,
        event_kb=given.take("event_kb", default=0),
        cold_share=given.take("cold_share", default=0), init_ms=given.take("init_ms", default=0),
        poller_unit_hours=given.take("epu_hours", default=0),
    )  # fmt: skip
    return usage + _streams(given, requests) + _extras(given, memory, architecture)


def _streams(given: Inputs, requests: float) -> Usage:
    """Streamed responses: of one size, or in groups of a number and a size each."""
    per_gb = 1024 if given.take("gb_is_mb", default=1024) == 1024 else 1000
    groups = [given.pop(name) for name in list(given) if name.endswith("responses")]
    size = given.take("response_mb", "streamed_mb")
    if size is not None:
        groups.append({"n": requests, "mb": size})
    usage = Usage()
    for group in groups:
        mb = group["mb"] if "mb" in group else group["kb"] / 1024
        streamed = lambda_usage(group["n"], 0, 128, streamed_mb=mb)
        name = "Lambda-Streaming-Response-Processed-Bytes"
        if name in streamed:
            usage.add(name, streamed[name] * 1024 / per_gb)
    return usage


def _extras(given: Inputs, memory: float, architecture: str) -> Usage:
    usage = Usage()
    tenants = given.take("tenants", default=0)
    if tenants:
        environments = tenants * given.take("environments_per_tenant", default=1)
        usage += tenant_usage(environments, memory, architecture)
    restores = given.take("restores", "resumes", default=0)
    cached = given.take("cached_hours", "active_hours", default=0)
    if restores or cached:
        versions = given.take("versions", default=1)
        usage += snapstart_usage(memory, cached, restores, versions)
    operations = given.take("operations", "durable_operations", default=0)
    if operations:
        usage += durable_usage(
            given.take("executions", default=1), operations,
            given.take("kb_per_operation", default=0), kept_days=given.take("retention_days"),
        )  # fmt: skip
    usage.add("Lambda-Durable-Execution-Written-Bytes", given.take("written_gb", default=0))
    usage.add(
        "Lambda-Durable-Execution-TimedStorage-ByteHrs", given.take("retained_gb_months", default=0)
    )
    return Usage({name: amount for name, amount in usage.items() if amount})


@reads("lambda_edge")
def edge_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Requests at the edge; the page prices 128 MB by the second."""
    case = Case(
        edge_usage(
            given.month("requests"), given.take("avg_ms"), given.take("memory_mb", default=128)
        )
    )
    case.price("request", "Lambda-Edge-Request")
    case.price("per_128mb_s", "Lambda-Edge-GB-Second", times=8)
    case.price("gb_s", "Lambda-Edge-GB-Second")
    return case


@reads("lambda_microvm")
def microvm_case(given: Inputs, example: Mapping[str, Any]) -> Case:
    """Sandboxes or jobs: time at the baseline and at the peak, and their snapshots."""
    base, peak = given.take("baseline"), given.take("peak", default=None)
    days = given.take("days", default=1)
    launches = given.take("jobs", "sessions", "launches", default=0)
    launches = launches or given.take("developers", "users", default=1) * days
    seconds = given.take("seconds", default=0) or given.take("active_h", default=0) * 3600
    image_gb = given.take("image_gb", default=0)
    snapshot_gb = given.take("snapshot_gb", default=image_gb)
    cycles = launches * given.take("suspend_cycles_per_day", "suspend_cycles", default=0)
    hours = given.take("hours_per_month", default=720)
    idle_h = launches * given.take("idle_h_per_day", "idle_h", default=0)
    images = given.take("images", default=1)
    usage = microvm_usage(
        launches * seconds, base["gb"], peak_share=given.take("peak_share", default=0),
        peak_times=peak["gb"] / base["gb"] if peak else 1,
        written_gb=cycles * snapshot_gb, read_gb=(cycles + launches) * snapshot_gb,
    )  # fmt: skip
    usage.add("Lambda-MicroVM-Snapshot-ByteHrs", images * snapshot_gb)
    usage.add("Lambda-MicroVM-Snapshot-ByteHrs", idle_h * snapshot_gb / hours)
    case = Case(usage)
    for name, usage_type in (
        ("vcpu_s", "vCPU-Second-ARM"), ("gb_s", "Memory-GB-Second-ARM"),
        ("write_gb", "Snapshot-Write-GB"), ("read_gb", "Snapshot-Read-GB"),
        ("gb_month", "Snapshot-ByteHrs"),
    ):  # fmt: skip
        case.price(name, f"Lambda-MicroVM-{usage_type}")
    return case
