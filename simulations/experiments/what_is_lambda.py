"""Experiments of the chapter *what is Lambda*: the request's way, and what the provider holds.

Measured times outside the handler, the platform model of `platform` against theory, and what
holding idle environments is worth. May import: the standard library, SimPy and the rooms above
`experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from simulations._check import whole
from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.experiments.platform import Platform, Tenant
from simulations.experiments.records import record
from simulations.facts import fact
from simulations.services import keep_alive
from simulations.theory import (
    cold_probability,
    idle_per_busy,
    mean_environments,
    worth_of_cold_s,
)

#: InstanceStart to the guest's /sbin/init, at most; and memory of the monitor of one microVM, at
#: most. Source: Firecracker, SPECIFICATION.md (github.com/firecracker-microvm/firecracker).
BOOT_S = 0.125
MONITOR_MIB = 5
#: "Low start-up times (as low as 50ms)", named as a goal. Source: M. Brooker et al., USENIX ATC 2023.
LEAST_START_S = 0.050
#: Mean platform latency of an empty function of 128 MB in 2025, in ms. Source: CIRRUS lab,
#: demystifying-serverless-costs (log `all_in_one`), the artifact of a paper at EuroSys 2026.
EMPTY_MS = 1.17
#: Where chunks of images were found: on the worker, in the zone, at the origin (at most). Source:
#: M. Brooker, "Container Loading in AWS Lambda" (brooker.co.za, May 2023).
CHUNKS_FOUND = (0.67, 0.32, 0.001)
#: Share of a container's bytes that a start needs. Source: the same, citing T. Harter et al.,
#: Slacker, FAST 2016.
LOADED_SHARE = 0.065
#: Share of initializations that ran ahead of a call, from function to function. Source:
#: A. Stuyvenberg, "Understanding AWS Lambda proactive initialization", July 2023.
AHEAD_2023 = (0.50, 0.85)


class Path(NamedTuple):
    """Milliseconds of the parts of a request's way, up to the handler."""

    network: float
    elsewhere: float
    boot: float
    init: float


def small_init_s() -> float:
    """Median INIT of a small Python function in August 2026 (s)."""
    inits = record("init_2026")["runtimes"]
    found = next(one["p50_ms"] for one in inits if one["runtime"].startswith("Python"))
    return float(found) / 1000


def measured_path(kind: Literal["middle", "slow"]) -> Path:
    """The way of a cold request: what was measured in all, and the published parts of it.

    `network` is the median time outside the handler of warm requests, `elsewhere` what is left
    of the median difference between them and a `kind` of cold ones after Firecracker's bound for
    `boot` and the INIT of a small Python function of 2026. Different functions and years: only
    the sum is one measurement.
    """
    found = outside_the_handler()
    boot, init = 1000 * BOOT_S, 1000 * small_init_s()
    warm, cold = found["warm"], found[f"{kind} ms"]
    return Path(warm, cold - warm - boot - init, boot, init)


@experiment("what-is-lambda")
def outside_the_handler() -> Result:
    """Share of requests that spent at most so long outside their handler, warm and cold, 2020.

    Numbers: "warm", "cold" the medians in ms, "cold requests" and "warm requests" counted;
    "fast", "middle", "slow" the shares of the three groups of cold requests, "fast when rare"
    and "fast when busy" of the two lowest and the highest rate.
    """
    path = record("request_path_2020")
    cold, warm = path["cold_ms"], path["warm_percentiles_ms"]
    share = [100 * (k + 1) / len(cold) for k in range(len(cold))]
    groups = [run["fast_middle_slow"] for run in path["runs"]]
    total = [sum(group[k] for group in groups) for k in range(3)]
    rare = [sum(group[k] for group in groups[:2]) for k in range(3)]
    numbers = {
        "warm": Number(warm[50], "ms"),
        "cold": Number(cold[len(cold) // 2], "ms"),
        "warm requests": Number(path["warm"]),
        "cold requests": Number(len(cold)),
        "fast when rare": Number(rare[0] / sum(rare)),
        "fast when busy": Number(groups[-1][0] / sum(groups[-1])),
    }
    parts = path["parts_ms"]
    for name, count, low, high in zip(
        ("fast", "middle", "slow"), total, (0, *parts), (*parts, math.inf), strict=True
    ):
        inside = [ms for ms in cold if low <= ms < high]
        numbers[name] = Number(count / len(cold))
        numbers[f"{name} ms"] = Number(inside[len(inside) // 2], "ms")
    return Result(
        Axis("time outside the handler", "ms"),
        Axis("requests that took at most so long", "%"),
        (
            Series("warm", warm, list(range(101)), "line", "decoupled", label_at=250),
            Series("cold", cold, share, "line", "coupled", label_at=500),
        ),
        numbers,
    )


#: Memory of the tenants, in turn.
SIZES_MB = (128, 128, 256, 512, 1024)


def tenants_2019(
    number: int = 60, duration_s: float = 0.1, busiest_per_h: float = 800
) -> list[Tenant]:
    """Functions with the call rates of Azure's apps in 2019, the busiest left out for speed.

    >>> crowd = tenants_2019(60)
    >>> len(crowd), round(3600 * sum(t.rate_per_s for t in crowd))
    (60, 3361)
    """
    bins = record("call_rates_2019")["bins"]
    kept = [b for b in bins if b["calls"] / b["apps"] / 24 <= busiest_per_h]
    apps = sum(b["apps"] for b in kept)
    tenants = []
    for k in range(whole("number", number, low=1)):
        # Evenly spaced quantiles of the distribution, so that a small crowd is a fair one.
        left = (k + 0.5) / number * apps
        for one in kept:
            if left <= one["apps"]:
                break
            left -= one["apps"]
        rate_per_s = one["calls"] / one["apps"] / 86_400
        tenants.append(Tenant(rate_per_s, SIZES_MB[k % len(SIZES_MB)], duration_s))
    return tenants


def population_2019() -> list[tuple[float, float]]:
    """All apps of that day: how many were called how often, in a second."""
    bins = record("call_rates_2019")["bins"]
    return [(b["apps"], b["calls"] / b["apps"] / 86_400) for b in bins]


class Held(NamedTuple):
    """A crowd of functions in the long run, from theory."""

    environments: float
    busy: float
    cold_calls: float
    cold_apps: float


def in_theory(tenants: Sequence[Tenant], keep_alive_s: float, start_s: float = 0.0) -> Held:
    """Mean environments, mean busy ones, cold share of the average call and function."""
    alive = [mean_environments(t.rate_per_s, keep_alive_s, t.duration_s) for t in tenants]
    cold = [cold_probability(t.rate_per_s, keep_alive_s, t.duration_s) for t in tenants]
    rates = [t.rate_per_s for t in tenants]
    busy = [t.rate_per_s * (t.duration_s + c * start_s) for t, c in zip(tenants, cold, strict=True)]
    calls = math.fsum(r * c for r, c in zip(rates, cold, strict=True)) / math.fsum(rates)
    return Held(math.fsum(alive), math.fsum(busy), calls, math.fsum(cold) / len(cold))


#: Keep-alives of the trade, in seconds.
KEPT_S = (20.0, 80.0, 320.0, 1280.0)


@experiment("what-is-lambda")
def held_against_cold(
    duration_s: Annotated[float, Slider(0.02, 10, log=True)] = 0.1,
    hours: Annotated[float, Slider(0.5, 24)] = 2.0,
    tenants: Annotated[int, Slider(10, 500, log=True)] = 60,
    seed: int = 1,
) -> Result:
    """Cold share against memory held idle for each billed GB-second, as the keep-alive grows.

    Numbers, for each simulated keep-alive T: "environments T" and "theory T" (Little's law),
    "cold T", "workers T", "filled T".
    """
    crowd = tenants_2019(tenants, duration_s)
    fine = [5.0 * 2 ** (k / 3) for k in range(30)]
    curve = [in_theory(crowd, t) for t in fine]
    line = Series(
        "theory", [h.environments / h.busy - 1 for h in curve],
        [100 * h.cold_calls for h in curve], "line", "theory", label_at=50.0,
    )  # fmt: skip
    numbers: dict[str, Number] = {}
    x: list[float] = []
    y: list[float] = []
    for kept_s in KEPT_S:
        platform = Platform(crowd, keep_alive_s=kept_s, start_s=0.0, seed=seed)
        counts = platform.run(3600 * hours, warmup_s=kept_s)
        whole_s = 3600 * hours
        theory = in_theory(crowd, kept_s)
        busy = theory.busy
        alive = counts.environments / whole_s
        x.append(alive / busy - 1)
        y.append(100 * counts.cold / counts.requests)
        numbers[f"environments {kept_s:g}"] = Number(alive)
        numbers[f"theory {kept_s:g}"] = Number(theory.environments)
        numbers[f"cold {kept_s:g}"] = Number(counts.cold / counts.requests)
        numbers[f"idle {kept_s:g}"] = Number(theory.environments / busy - 1)
        numbers[f"cold theory {kept_s:g}"] = Number(theory.cold_calls)
    points = Series("simulated", x, y, "points", "coupled", label_at=x[1])
    return Result(
        Axis("seconds held idle for each second of work"),
        Axis("cold share", "%"),
        (line, points),
        numbers,
    )


class Packed(NamedTuple):
    """How a crowd was packed."""

    workers: float
    filled: float
    least: float


def packed(packing: str, hours: float = 1.0, tenants: int = 300, seed: int = 1) -> Packed:
    """Mean workers, share of their memory in use, and the least that could do."""
    crowd = tenants_2019(tenants)
    platform = Platform(
        crowd, keep_alive_s=keep_alive().mean, packing=packing, worker_mb=4096, seed=seed
    )
    counts = platform.run(3600 * hours, warmup_s=platform.keep_alive_s)
    return Packed(
        counts.workers / (3600 * hours),
        counts.held / (counts.workers * platform.worker_mb),
        counts.held / (3600 * hours) / platform.worker_mb,
    )


class Lost(NamedTuple):
    """Cold share before and after a zone was lost, over the same stretch of time."""

    before: float
    after: float


def zone_lost(zones: int = 3, tenants: int = 150, seed: int = 1, stretch_s: float = 30.0) -> Lost:
    """Cold share of the calls in the `stretch_s` before and after zone 0 is lost.

    Functions that are called about once a minute, so that hardly one would start cold.
    """
    crowd = [Tenant(1 / 60, 128, 0.1)] * tenants
    at_s = 720.0  # more than two keep-alives: every function has an environment
    platform = Platform(
        crowd, keep_alive_s=keep_alive().mean, zones=zones, lost_zone_at_s=at_s, seed=seed
    )
    calls = platform.run(at_s + stretch_s).calls
    shares = []
    for low, high in ((at_s - stretch_s, at_s), (at_s, at_s + stretch_s)):
        there = [cold for s, cold in calls if low < s <= high]
        shares.append(sum(there) / len(there))
    return Lost(*shares)


@experiment("what-is-lambda")
def idle_for_each_busy(
    duration_s: Annotated[float, Slider(0.02, 10, log=True)] = 0.1,
) -> Result:
    """Idle seconds held for each second of work, against calls an hour; keep-alive of 2025.

    Numbers: "at R/h"; "platform" over all apps of Azure in 2019; "worth" what a cold start
    must be worth, in seconds of holding, for this keep-alive to be best for those apps.
    """
    kept = keep_alive()
    fine = [0.1 * 10 ** (k / 12) for k in range(73)]
    ratios = [idle_per_busy(r / 3600, kept, duration_s) for r in fine]
    apps = population_2019()
    alive = math.fsum(n * mean_environments(r, kept, duration_s) for n, r in apps)
    busy = math.fsum(n * r * duration_s for n, r in apps)
    numbers = {
        f"at {rate:g}/h": Number(idle_per_busy(rate / 3600, kept, duration_s))
        for rate in (1, 60, 3600)
    }
    numbers["platform"] = Number(alive / busy - 1)
    numbers["worth"] = Number(worth_of_cold_s(apps, kept.mean), "s")
    return Result(
        Axis("calls per hour", log=True),
        Axis("idle seconds for each busy one", log=True),
        (Series(f"{duration_s:g} s a call", fine, ratios, "line", "coupled"),),
        numbers,
    )


def billed_s(rate_per_h: float, duration_s: float) -> float:
    """Mean billed time of a call (s): the handler, and a small INIT where it is cold.

    >>> round(billed_s(1.0, 0.1), 3)
    0.198
    """
    return duration_s + small_init_s() * cold_probability(
        rate_per_h / 3600, keep_alive(), duration_s
    )


def held_price(
    rate_per_h: float = 1.0, duration_s: float = 0.1, memory_mb: int = 128
) -> tuple[float, float]:
    """What a call pays, and what the holding after it would cost as provisioned concurrency, USD.

    >>> paid, held = held_price()
    >>> 200 < held / paid < 300
    True
    """
    gb = memory_mb / 1024
    tiers = fact("lambda.price.duration.x86.tiers").value
    billed_gb_s = gb * billed_s(rate_per_h, duration_s)
    paid = fact("lambda.price.request").value + billed_gb_s * tiers[0]["usd"]
    idle_s = idle_per_busy(rate_per_h / 3600, keep_alive(), duration_s) * duration_s
    return paid, idle_s * gb * fact("lambda.price.pc.x86").value
