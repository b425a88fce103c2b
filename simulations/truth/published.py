"""What was published of platforms and of the tail, against the models: nothing here was fitted.

May import every room but the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from operator import and_

import numpy as np

from simulations.experiments.records import record
from simulations.experiments.what_is_lambda import population_2019
from simulations.fleet import replay
from simulations.pricing import billed_ms
from simulations.services import Context, Function, Provider, keep_alive
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval, share_interval
from simulations.theory import burr_quantile, cold_probability, hedged_tail
from simulations.truth import Compared, row
from simulations.workload import Empirical, Poisson

SHAHRAD = "M. Shahrad et al., Serverless in the Wild, USENIX ATC 2020, figure 5"
SHAHRAD_URL = "https://www.usenix.org/conference/atc20/presentation/shahrad"
AT_SCALE = "J. Dean and L. A. Barroso, The Tail at Scale, CACM 56, 2013"
AT_SCALE_URL = "https://doi.org/10.1145/2408776.2408794"
CIRRUS = "CIRRUS lab, REPORT lines of one function on AWS Lambda, May 2025"
CIRRUS_URL = "https://github.com/ubc-cirrus-lab/demystifying-serverless-costs"


def _exact(value: float) -> Interval:
    return Interval(value, value, value)


@row(
    "azure-busy-apps", kind="validation", chapter="what-is-lambda", unit="%",
    what="Apps called more than once a minute, in the crowd that the platform models use; "
    "accepted: 2 points",
    source=SHAHRAD, url=SHAHRAD_URL,
    why="The crowd is that of one day: apps without a call on it are missing, so that busy ones "
    "weigh more.",
)  # fmt: skip
def busy_apps() -> Compared:
    """One day's count against two weeks'."""
    crowd = record("call_rates_2019")
    return Compared(
        _exact(100 * crowd["apps_above_one_a_minute"] / crowd["apps"]), 18.6, 16.6, 20.6
    )


@row(
    "azure-busy-calls", kind="validation", chapter="what-is-lambda", unit="%", margin=0.001,
    what="Calls that go to apps called more than once a minute, in the same crowd",
    source=SHAHRAD, url=SHAHRAD_URL,
)  # fmt: skip
def busy_calls() -> Compared:
    """One day's count against two weeks'."""
    crowd = record("call_rates_2019")
    return Compared(_exact(100 * crowd["calls_to_those"] / crowd["calls"]), 99.6)


def _memory(p: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        found = {one[0]: one[1:] for one in record("memory_2019")["quantiles"]}[p]
        return Compared(_exact(burr_quantile(p, c=11.652, k=0.221, scale=107.083)), *found)

    return compare


for _p, _word in ((0.1, "10th percentile"), (0.5, "Median"), (0.9, "90th percentile")):
    row(
        f"azure-memory-{100 * _p:.0f}", kind="validation", chapter="a-platforms-day", unit="MB",
        what=f"{_word} of the memory of Azure's apps, by the published Burr distribution of all, "
        "for 100 that others chose; accepted: their 99 % interval",
        source="Microsoft, Azure Functions Trace 2019, in the selection of the CIRRUS lab (femux)",
        url="https://github.com/Azure/AzurePublicDataset",
    )(_memory(_p))  # fmt: skip


@row(
    "azure-hybrid-memory", kind="validation", chapter="a-platforms-day", unit="%",
    what="Idle memory under the hybrid histogram policy against ten minutes for all; accepted: a "
    "saving",
    source="M. Shahrad et al., Serverless in the Wild, USENIX ATC 2020: worker memory 15.6 % less",
    url=SHAHRAD_URL,
    why="Within the day requests are drawn here, at random or by timers, and a histogram learns "
    "only what is regular; theirs were those of 68 apps of middling traffic, as recorded.",
)  # fmt: skip
def hybrid() -> Compared:
    """The replayed day of all apps called up to 20,000 times, a part of them by timers."""
    points = record("platform_day")["regular"]["timed"]
    idle = {(one["policy"], one["value"]): one["idle"] for one in points}
    change = 100 * (idle["hybrid", 4.0] / idle["fixed", 10.0] - 1)
    return Compared(_exact(change), -15.6, -100.0, 0.0)


@row(
    "aws-cold-claim", kind="validation", chapter="cold-starts", unit="%",
    what="Cold share of all calls of a platform with Azure's call rates and Lambda's keep-alive of "
    "2025; accepted: under 1 %",
    source="AWS, Lambda execution environment, 2026: cold starts in under 1 % of invocations",
    url="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html",
)  # fmt: skip
def claim() -> Compared:
    """Weighted by calls; most functions, which are called rarely, are far above it."""
    crowd = population_2019()
    life = keep_alive(2025)
    cold = math.fsum(n * rate * cold_probability(rate, life, 0.1) for n, rate in crowd)
    return Compared(_exact(100 * cold / math.fsum(n * rate for n, rate in crowd)), 1.0, 0.0, 1.0)


@row(
    "fanout-tail", kind="verification", chapter="lambda-resilience", unit="%", margin=0.1,
    what="Requests above 1 s that ask 100 servers at once, each above 1 s in 1 % of its calls",
    source=AT_SCALE, url=AT_SCALE_URL,
)  # fmt: skip
def fanout() -> Compared:
    """A function that waits for all of a hundred calls."""
    sim = Simulation(3)
    leaf = Empirical((0.0, 0.5, 0.99, 1.0), (0.005, 0.010, 1.0, 2.0))

    def handler(request: int, context: Context) -> Steps:
        # Tens of tens: waiting for a hundred one by one looks at each of them a hundred times.
        tens = (reduce(and_, (context.call("leaf") for _ in range(10))) for _ in range(10))
        yield reduce(and_, tens)

    Provider(sim, "leaf", time_s=leaf)
    root = Function(sim, "root", handler, keep_alive_s=1e9)
    latency = sim.run(Poisson(5.0) >> root, duration_s=160.0).requests.latency_s
    ours = share_interval(sum(one > 1.0 for one in latency), len(latency))
    return Compared(Interval(*(100 * v for v in ours)), 63.0)


@row(
    "hedge-bigtable", kind="validation", chapter="lambda-resilience", unit="ms", margin=0.25,
    what="The 99.9th percentile of reads that wait for 100 servers, each hedged after 10 ms, from "
    "the percentile without hedges and the share of hedges",
    source=AT_SCALE, url=AT_SCALE_URL,
    why="The model takes copies to be independent and draws a power law between the only two "
    "points that are published; either may be wrong.",
)  # fmt: skip
def bigtable() -> Compared:
    """Published: 1,800 ms without hedges; 2 % of the calls outlast 10 ms and are sent twice."""
    share_late, late_ms, servers, slowest_ms = 0.02, 10.0, 100, 1800.0
    one_in = -math.expm1(math.log1p(-0.001) / servers)
    slope = math.log(share_late / one_in) / math.log(slowest_ms / late_ms)

    def survival(at_ms: float) -> float:
        return share_late * (at_ms / late_ms) ** -slope if at_ms > late_ms else 1.0

    low, high = late_ms, slowest_ms
    for _ in range(60):
        middle = (low + high) / 2
        late = hedged_tail(survival, middle, late_ms)
        low, high = (middle, high) if late > one_in else (low, middle)
    return Compared(_exact(high), 74.0)


def _one_at_a_time(rate_per_s: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        found = {one["rate_per_s"]: one for one in record("one_at_a_time_2025")["rates"]}[
            rate_per_s
        ]
        arrivals = np.arange(found["requests"]) / rate_per_s
        spread = np.random.default_rng(1).normal(found["mean_ms"], found["sd_ms"], arrivals.size)
        ours = replay(arrivals, spread / 1000, keep_alive_s=320.0).peak_running
        return Compared(_exact(float(ours)), float(found["environments"]))

    return compare


for _rate in (5, 10, 20, 30):
    row(
        f"environments-2025-{_rate}", kind="validation", chapter="lambda-concurrency",
        what=f"Environments that served {_rate} evenly spaced calls a second of 155 ms",
        source=CIRRUS, url=CIRRUS_URL, margin=0.01, unit="environments",
        why="Evenly spaced, five calls overlap; that there were seven environments says that the "
        "recorded ones came less evenly.",
    )(_one_at_a_time(_rate))  # fmt: skip


@row(
    "no-slowdown-2025", kind="validation", chapter="lambda-concurrency", margin=0.05,
    what="Mean duration at 30 calls a second as a multiple of that at 1, one call an environment",
    source=CIRRUS, url=CIRRUS_URL, unit="times",
)  # fmt: skip
def no_slowdown() -> Compared:
    """Environments share nothing, so the model's duration does not depend on the load."""

    def mean_s(rate_per_s: float) -> float:
        sim = Simulation(1)

        def handler(request: int, context: Context) -> Steps:
            yield context.compute(ms=155)

        function = Function(sim, "f", handler, memory_mb=1769, init_s=0.0)
        spans = sim.run(Poisson(rate_per_s) >> function, duration_s=60.0).spans_of("f")
        times = [one.end_s - one.start_s for one in spans]
        return math.fsum(times) / len(times)

    theirs = {one["rate_per_s"]: one["mean_ms"] for one in record("one_at_a_time_2025")["rates"]}
    return Compared(_exact(mean_s(30.0) / mean_s(1.0)), theirs[30] / theirs[1])


def _billed(year: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        found = record("billed_sample")[year]
        step_ms = found["step_ms"]
        same = sum(
            billed_ms(shown_ms, round_ms=step_ms, init_billed=False) == billed
            for shown_ms, billed in found["shown_and_billed_ms"]
        )
        return Compared(_exact(float(same)), float(len(found["shown_and_billed_ms"])))

    return compare


for _year, _step, _who, _url in (
    ("in_2020", "100 ms", "Mahmoudi and Khazaei, request logs of AWS Lambda, 2020",
     "https://github.com/pacslab/serverless-performance-modeling"),
    ("in_2025", "1 ms", CIRRUS, CIRRUS_URL),
):  # fmt: skip
    row(
        f"billed-{_year[3:]}", kind="validation", chapter="lambda-cost", margin=0.01,
        what=f"Recorded invocations whose billed duration is the shown one, rounded up to {_step}",
        source=_who, url=_url, unit="invocations",
    )(_billed(_year))  # fmt: skip
