"""Provisioned concurrency: which cold starts it removes, what it costs, and how it is changed.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any

from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.facts import fact
from simulations.pricing import PriceList, Usage, lambda_usage, usage
from simulations.services import Context, Function, Provisioned, TargetTracking, keep_alive
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval, share_interval
from simulations.theory import erlang_b, servers_for_loss
from simulations.workload import Burst, Distribution, Exponential, Lognormal, Poisson

HOUR_S, DAY_S, MONTH_S = 3600.0, 86_400.0, 30 * 86_400.0


def drawn(distribution: Distribution) -> Callable[[Any, Context], Steps]:
    """Return a handler that takes a drawn time."""

    def handler(event: Any, context: Context) -> Steps:
        yield context.wait(distribution.quantile(context.draw("takes")))

    return handler


def cold_share_beyond(load: float, rate_per_s: float, ready: int) -> float:
    """Cold share of all calls when the first `ready` environments never end (an approximation).

    Environment k serves the share f of the calls that overflows the k before it but not itself
    (Erlang B); it starts cold when none came to it for the keep-alive T: the sum of f exp(-rate
    f T) over the environments that are not provisioned, averaged over T as measured in 2025.
    """
    kept = keep_alive(2025)
    lives = [kept.quantile((k + 0.5) / 16) for k in range(16)]
    total = []
    for k in range(ready, ready + 400):
        share = erlang_b(load, k) - erlang_b(load, k + 1)
        if share < 1e-12:
            break
        total.append(share * math.fsum(math.exp(-rate_per_s * share * t) for t in lives) / 16)
    return math.fsum(total)


@dataclass(frozen=True)
class Ran:
    """What a run of a function with so many provisioned environments gave."""

    spilled: Interval
    cold: Interval


def run_with(ready: int, rate_per_s: float, takes_s: float, requests: int, seed: int) -> Ran:
    """Simulate Poisson calls of exponential duration; the first twelve minutes are left out."""
    sim = Simulation(seed)
    function = Function(
        sim, "f", drawn(Exponential(takes_s)), timeout_s=900.0, version=1,
        provisioned_concurrency=ready, init_s=0.001,
    )  # fmt: skip
    warmup_s = 0.2 * HOUR_S
    trace = sim.run(Poisson(rate_per_s) >> function, duration_s=warmup_s + requests / rate_per_s)
    invoke = trace.code("invoke")
    counted = spilled = cold = 0
    spans = trace.spans
    for queued_s, operation, init_s in zip(
        spans.queued_s, spans.operation, spans.init_s, strict=True
    ):
        if queued_s >= warmup_s:
            counted += 1
            spilled += operation == invoke
            cold += init_s > 0
    return Ran(share_interval(spilled, counted), share_interval(cold, counted))


@experiment("provisioned-concurrency")
def which_cold_starts(
    rate_per_s: Annotated[float, Slider(0.2, 5, log=True)] = 2.0,
    takes_s: Annotated[float, Slider(0.2, 10, log=True)] = 2.0,
    requests: Annotated[int, Slider(5000, 200_000, log=True)] = 20_000,
    seed: int = 1,
) -> Result:
    """Spill-over and cold share against how many environments are provisioned.

    Numbers: both for none, for as many as the mean concurrency, and the fewest that bring the
    cold share below a tenth of what it is without any.
    """
    load = rate_per_s * takes_s
    most = math.ceil(load + 4 * math.sqrt(load) + 3)
    fine = list(range(most + 1))
    spill = [erlang_b(load, n) for n in fine]
    cold = [cold_share_beyond(load, rate_per_s, n) for n in fine]
    tried = sorted({round(most * k / 5) for k in range(5)} | {round(load)})
    runs = [run_with(n, rate_per_s, takes_s, requests, seed + n) for n in tried]
    at_mean = runs[tried.index(round(load))]
    tenth = next(n for n in fine if cold[n] <= cold[0] / 10)
    numbers = {
        "load": Number(load),
        "cold with none": Number(runs[0].cold.mean, "", *runs[0].cold[1:]),
        "cold with none by theory": Number(cold[0]),
        "cold at the mean": Number(at_mean.cold.mean, "", *at_mean.cold[1:]),
        "cold at the mean by theory": Number(cold[round(load)]),
        "spilled at the mean": Number(at_mean.spilled.mean, "", *at_mean.spilled[1:]),
        "spilled at the mean by theory": Number(spill[round(load)]),
        "a tenth": Number(tenth),
        "spilled at a tenth": Number(spill[tenth]),
        "points": Number(len(tried)),
        "spilled within": Number(
            sum(
                r.spilled.low <= spill[n] <= r.spilled.high
                for n, r in zip(tried, runs, strict=True)
            )
        ),
    }

    def points(name: str, found: list[Interval], role: Any) -> Series:
        # On a logarithmic axis a share of nothing has no place.
        shown = [(n, x) for n, x in zip(tried, found, strict=True) if x.mean > 0]
        return Series(
            name, [n for n, _ in shown], [100 * x.mean for _, x in shown], "points", role,
            low=[100 * x.low for _, x in shown], high=[100 * x.high for _, x in shown],
        )  # fmt: skip

    return Result(
        Axis("environments provisioned"),
        Axis("share of calls", "%", log=True),
        (
            Series("", fine, [100 * y for y in spill], "line", "theory"),
            Series("theory", fine, [100 * y for y in cold], "line", "theory"),
            points("on demand", [r.spilled for r in runs], "coupled"),
            points("cold", [r.cold for r in runs], "decoupled"),
        ),
        numbers,
    )


def break_even(architecture: str = "x86") -> float:
    """Utilization above which provisioned concurrency is cheaper than on demand, by price alone.

    Provisioned price over on-demand duration less provisioned duration, each in USD/GB-s.

    Examples
    --------
    >>> round(break_even(), 4)
    0.6
    """
    on_demand = fact(f"lambda.price.duration.{architecture}.tiers").value[0]["usd"]
    kept = fact(f"lambda.price.pc.{architecture}").value
    running = fact(f"lambda.price.pc.duration.{architecture}").value
    return float(kept / (on_demand - running))


def cheapest(load: float) -> int:
    """How many environments to provision for the lowest bill at a steady load.

    The n-th pays for itself while what it carries, load times (B(n-1) - B(n)), is above the
    break-even utilization.

    Examples
    --------
    >>> cheapest(4.0), cheapest(100.0)
    (3, 100)
    """
    least = break_even()
    n = 0
    while load * (erlang_b(load, n) - erlang_b(load, n + 1)) >= least:
        n += 1
    return n


def month_usd(load: float, ready: int, memory_mb: int = 512) -> float:
    """Duration and provisioned concurrency of a month of 30 days at a steady load, in USD.

    Requests cost the same either way and are left out; so is the free tier.
    """
    spilled = erlang_b(load, ready)
    gb = memory_mb / 1024
    used = Usage(
        {
            "Lambda-GB-Second": load * spilled * MONTH_S * gb,
            "Lambda-Provisioned-GB-Second": load * (1 - spilled) * MONTH_S * gb,
            "Lambda-Provisioned-Concurrency": ready * MONTH_S * gb,
        }
    )
    return float(PriceList.load().bill(used).total_usd)


def idle_month_usd(ready: int, memory_mb: int = 512) -> float:
    """What a month of provisioned concurrency costs before the first request, in USD."""
    used = lambda_usage(0, 0, memory_mb, provisioned_concurrency=ready, provisioned_hours=24 * 30)
    return float(PriceList.load().bill(used).total_usd)


@experiment("provisioned-concurrency")
def cost_of_a_plan(load: Annotated[float, Slider(1, 100, log=True)] = 4.0) -> Result:
    """Monthly bill of 512 MB against the number provisioned, at a steady load.

    Numbers: the bill with none, at the cheapest number, and where one call in a thousand spills.
    """
    best, few = cheapest(load), servers_for_loss(load, 0.001)
    most = few + 4
    x = list(range(most + 1))
    usd = [month_usd(load, n) for n in x]
    return Result(
        Axis("environments provisioned"),
        Axis("bill", "USD a month"),
        (
            Series("bill", x, usd, "line", "decoupled"),
            Series("on demand", x, [usd[0]] * len(x), "line", "limit"),
        ),
        {
            "none": Number(usd[0], "USD"),
            "best": Number(best),
            "at best": Number(usd[best], "USD"),
            "few": Number(few),
            "at few": Number(usd[few], "USD"),
        },
    )


#: The campaign of the morning below: when it begins, how long it lasts.
CAMPAIGN_S, LASTS_S = 1.5 * HOUR_S, 0.75 * HOUR_S
MORNING_S = 3 * HOUR_S
BASE_PER_S, MORE_PER_S, CALL_S = 2.0, 6.0, 5.0
TARGET = 0.7


@dataclass(frozen=True)
class Morning:
    """One plan in the morning with a campaign."""

    name: str
    allocated: tuple[tuple[float, int], ...]
    spilled: float
    cold: int
    cold_in_campaign: int
    usd: float


@cache
def mornings(seed: int = 1) -> tuple[Morning, ...]:
    """Three hours at a mean concurrency of 10, a campaign of 45 minutes at 40, by four plans.

    Nothing provisioned; enough for the campaign all the time; a schedule that begins five minutes
    ahead; target tracking at 70 %.
    """
    low = servers_for_loss(BASE_PER_S * CALL_S, 0.001)
    high = servers_for_loss((BASE_PER_S + MORE_PER_S) * CALL_S, 0.001)
    end_s = CAMPAIGN_S + LASTS_S
    plans: dict[str, Provisioned | None] = {
        "on demand": None,
        "always enough": Provisioned(high),
        "schedule": Provisioned(low, schedule=((CAMPAIGN_S - 300, high), (end_s + 60, low))),
        "target tracking": Provisioned(low, tracking=TargetTracking(TARGET, low, high)),
    }
    found = []
    for name, plan in plans.items():
        sim = Simulation(seed)
        function = Function(
            sim, "Checkout", drawn(Lognormal(CALL_S, 0.5)), memory_mb=512, timeout_s=60, init_s=1.0,
            version=1, provisioned_concurrency=plan,
        )  # fmt: skip
        campaign = Burst(0, MORE_PER_S, CAMPAIGN_S, LASTS_S)
        trace = sim.run(Poisson(BASE_PER_S) >> function, campaign >> function, duration_s=MORNING_S)
        invoke, spans = trace.code("invoke"), trace.spans
        cold = [at_s for at_s, s in zip(spans.queued_s, spans.init_s, strict=True) if s > 0]
        ready = function.provisioned
        found.append(
            Morning(
                name,
                tuple(ready.history) if ready else (),
                sum(one == invoke for one in spans.operation) / len(spans),
                len(cold),
                sum(CAMPAIGN_S <= at_s < end_s for at_s in cold),
                float(PriceList.load().bill(usage(trace)).total_usd),
            )
        )
    return tuple(found)


@experiment("provisioned-concurrency")
def who_is_late(seed: int = 1) -> Result:
    """What a schedule and target tracking have ready, and what the campaign needs, over time.

    Numbers: minutes from the start of the campaign until target tracking has its first addition,
    until it has what the campaign uses on average, and until its last addition.
    """
    series = []
    numbers: dict[str, Number] = {}
    needed = (BASE_PER_S + MORE_PER_S) * CALL_S
    for plan in mornings(seed):
        if plan.name not in ("schedule", "target tracking"):
            continue
        x, y = [], []
        for at_s, n in plan.allocated:
            x.append(at_s / 60)
            y.append(float(n))
        x.append(MORNING_S / 60)
        y.append(y[-1])
        role: Any = "decoupled" if plan.name == "schedule" else "coupled"
        series.append(Series(plan.name, x, y, "step", role))
        if plan.name == "target tracking":
            after = [(at_s, n) for at_s, n in plan.allocated if at_s > CAMPAIGN_S]
            numbers["first"] = Number((after[0][0] - CAMPAIGN_S) / 60, "min")
            enough = next((at_s for at_s, n in after if n >= needed), MORNING_S)
            numbers["enough"] = Number((enough - CAMPAIGN_S) / 60, "min")
            added = [at_s for (_, before), (at_s, n) in pairwise(plan.allocated) if n > before]
            numbers["all"] = Number((added[-1] - CAMPAIGN_S) / 60, "min")
            numbers["left"] = Number(plan.allocated[-1][1])
    base, end_s = BASE_PER_S * CALL_S, CAMPAIGN_S + LASTS_S
    x = [0.0, CAMPAIGN_S / 60, end_s / 60, MORNING_S / 60]
    series.append(Series("in use", x, [base, needed, base, base], "step", "theory"))
    return Result(Axis("time", "min"), Axis("environments"), tuple(series), numbers)
