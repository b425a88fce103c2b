"""Clients that retry, hedge, wait and contend, against closed forms and published runs.

May import every room but the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

from simulations.experiments.contention import PUBLISHED, contend
from simulations.experiments.lambda_resilience import CALM, default_timeout_s, order_time
from simulations.faults import Fault
from simulations.orders import run_orders
from simulations.services import Client, Provider, RetryQuota
from simulations.simulation import Simulation
from simulations.stats import Interval, mean_interval, share_interval
from simulations.theory import closed_mm1, hedged_tail, retry_budget
from simulations.truth import Compared, row
from simulations.workload import Closed, Exponential, Poisson

_POST = "https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/"


#: The post's ways to pause, in words.
_NAMES = {
    "None": "no pause",
    "Exponential": "no jitter",
    "EqualJitter": "equal jitter",
    "FullJitter": "full jitter",
    "Decorr": "decorrelated jitter",
}


@cache
def _contended(algorithm: str) -> list[tuple[int, float]]:
    # The ways without jitter take more events, and their time varies less from run to run.
    runs = 40 if algorithm in ("None", "Exponential") else 80
    return [contend(algorithm, 100, seed) for seed in range(runs)]


def _contend(algorithm: str, which: int) -> Compared:
    ours = mean_interval([one[which] * (1000 if which else 1) for one in _contended(algorithm)])
    return Compared(ours, PUBLISHED[algorithm][which])


for _algorithm, _name in _NAMES.items():
    row(
        f"contention-{_algorithm.lower()}", kind="verification", chapter="lambda-resilience",
        what=f"Writes until 100 clients have each changed one item, {_name}", unit="writes",
        source="Simulator of the AWS Architecture Blog, Exponential backoff and jitter, 2015",
        url=_POST, margin=0.03,
    )(partial(_contend, _algorithm, 0))  # fmt: skip
    row(
        f"contention-time-{_algorithm.lower()}", kind="verification", chapter="lambda-resilience",
        what=f"Time until 100 clients have each changed one item, {_name}; accepted: 5 % and the "
        "3 % of uncertainty of the published mean", unit="ms",
        source="Simulator of the AWS Architecture Blog, Exponential backoff and jitter, 2015",
        url=_POST, margin=0.08,
    )(partial(_contend, _algorithm, 1))  # fmt: skip


@row(
    "retry-budget", kind="verification", chapter="lambda-resilience", unit="%",
    what="Extra load of retries when half of all calls fail and each call earns a tenth of one",
    source="Token bucket in closed form; M. Brooker, 2022",
    url="https://brooker.co.za/blog/2022/02/28/retries.html", margin=0.05,
)  # fmt: skip
def budget() -> Compared:
    """Count the retries that the bucket lets pass."""
    quota = RetryQuota(
        capacity=10, cost=1, throttled_cost=1, timeout_cost=1, refill=0.1, gives_back=False,
        refills_on_call=True,
    )  # fmt: skip
    shares = []
    for seed in range(4):
        sim = Simulation(seed, faults={"db": Fault(error_rate=0.5)})
        db = Provider(sim, "db", mean_ms=5)
        client = Client(sim, "client", db, max_attempts=4, quota=quota)
        sim.run(Poisson(20) >> client, duration_s=400)
        shares.append(100 * client.retries / client.calls)
    return Compared(mean_interval(shares), 100 * retry_budget(0.5, 0.1).extra_load)


@row(
    "hedged-tail", kind="verification", chapter="lambda-resilience", unit="%",
    what="Calls slower than 1.2 times the 95th percentile, hedged after it",
    source="Minimum of two exponential times", margin=0.1,
)  # fmt: skip
def hedged() -> Compared:
    """Count the slow calls among 150,000 hedged ones."""
    hedge_s = -0.1 * math.log(0.05)
    sim = Simulation(5)
    client = Client(
        sim, "client", Provider(sim, "db", time_s=Exponential(0.1)), hedge_after_s=hedge_s
    )
    latency = sim.run(Poisson(50) >> client, duration_s=3000).requests.latency_s
    ours = share_interval(sum(one > 1.2 * hedge_s for one in latency), len(latency))
    theirs = hedged_tail(lambda t: math.exp(-t / 0.1), 1.2 * hedge_s, hedge_s)
    return Compared(Interval(*(100 * v for v in ours)), 100 * theirs)


@row(
    "closed-load", kind="verification", chapter="lambda-resilience", unit="s",
    what="Response time of 20 users who think for 15 s and are served one at a time in 1 s",
    source="Machine repairman model (mean value analysis)", margin=0.04,
)  # fmt: skip
def closed() -> Compared:
    """Run the users for a day, several times."""
    means = []
    for seed in range(12):
        sim = Simulation(seed)
        till = Provider(sim, "till", time_s=Exponential(1.0), connections=1)
        trace = sim.run(Closed(20, Exponential(15.0)) >> till, duration_s=20_000, warmup_s=500)
        means.append(trace.requests.latency_s.mean())
    return Compared(mean_interval(means), closed_mm1(20, 15.0, 1.0).response_s)


def _late(architecture: str) -> Compared:
    shop = CALM.but(timeout_s=default_timeout_s())
    trace = run_orders(architecture, shop, Poisson(100.0), duration_s=400, seed=3)
    late = sum(n for word, n in trace.requests.outcomes().items() if word != "confirmed")
    ours = share_interval(late, len(trace.requests))
    theirs = order_time(architecture).tail(default_timeout_s())
    return Compared(Interval(*(100 * v for v in ours)), 100 * theirs)


_late_a0: Callable[[], Compared] = row(
    "default-timeout-a0", kind="verification", chapter="lambda-resilience", unit="%",
    what="Orders that outlast the default timeout with no fault anywhere, one function",
    source="Sum of four lognormal times, integrated numerically", margin=0.25,
)(partial(_late, "A0"))  # fmt: skip
