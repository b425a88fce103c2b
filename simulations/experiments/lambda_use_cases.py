"""Experiments of the chapter *use cases*: a decision table that runs, and the map it draws.

A workload meets the rules in order; the first that applies decides, and says by which number.
Limits come first, then the slowest requests, then the bill. May import: the standard library,
SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from simulations._check import not_negative, positive
from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.experiments.lambda_pros_cons import (
    MONTH_H,
    MONTH_S,
    Service,
    bisect,
    crossover_per_s,
)
from simulations.facts import fact
from simulations.pricing import PriceList, lambda_usage
from simulations.theory import servers_for_loss
from simulations.workload import Lognormal

#: Share of requests that may find no provisioned environment.
SPILL = 0.01
#: A saving below this many USD a month decides nothing: thinking about it costs more.
MATTERS_USD = 10.0
#: Servers that scale with the load run at this share of their processors; at less when the peak
#: is higher than they can follow.
BUSY = 0.5


@dataclass(frozen=True)
class Workload:
    """What has to be known of a workload to place it.

    Attributes
    ----------
    duration_s, cpu_share
        How long one request or job takes, and which part of it is computing.
    rate_per_s
        On average over the month.
    peak_to_mean
        The busiest hour against the average.
    kind
        "request": somebody waits, so servers must stand ready; "job": nobody does.
    p99_s
        What 99 of 100 requests must not exceed; None where nobody has asked for it.
    payload_mb
        Request or answer, the larger.
    waits, pushes, needs_gpu
        Mostly waits for people or other systems; the server speaks first; needs a GPU.
    """

    name: str
    duration_s: float
    rate_per_s: float
    kind: Literal["request", "job"] = "request"
    memory_mb: int = 512
    cpu_share: float = 0.2
    peak_to_mean: float = 3.0
    p99_s: float | None = None
    payload_mb: float = 0.01
    waits: bool = False
    pushes: bool = False
    needs_gpu: bool = False

    def __post_init__(self) -> None:
        for name in ("duration_s", "rate_per_s", "memory_mb", "cpu_share"):
            positive(name, getattr(self, name))
        not_negative("payload_mb", self.payload_mb)
        if self.peak_to_mean < 1:
            raise ValueError(f"peak_to_mean={self.peak_to_mean!r} must be 1 or more")
        if self.cpu_share > 1:
            raise ValueError(f"cpu_share={self.cpu_share!r} must be at most 1")
        if self.kind not in ("request", "job"):
            raise ValueError(f"kind={self.kind!r} is neither 'request' nor 'job'")

    @property
    def service(self) -> Service:
        """The same workload as a service that can be priced."""
        gb = max(1.0, self.memory_mb / 1024)
        return Service(
            duration_s=self.duration_s, cpu_s=self.cpu_share * self.duration_s,
            memory_mb=self.memory_mb, task_gb=gb, task_vcpu=max(0.5, gb / 4),
            target_utilization=BUSY * min(1.0, 3.0 / self.peak_to_mean),
        )  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """Where a workload belongs, which rule said so, and by which numbers."""

    form: str
    rule: str
    ours: str
    limit: str


def provisioned_usd(workload: Workload) -> float:
    """A month with all requests on provisioned environments, enough for the busiest hour."""
    service = workload.service
    busiest = workload.rate_per_s * workload.peak_to_mean * workload.duration_s
    requests = workload.rate_per_s * MONTH_S
    bare = replace(service, front_door="function URL")
    door = service.lambda_usd(workload.rate_per_s) - bare.lambda_usd(workload.rate_per_s)
    usage = lambda_usage(
        0, 1000 * workload.duration_s, workload.memory_mb,
        provisioned_concurrency=servers_for_loss(busiest, SPILL),
        provisioned_hours=MONTH_H, provisioned_requests=requests,
    )  # fmt: skip
    return door + float(PriceList.load().bill(usage).total_usd)


def pays_above() -> float:
    """The share of time that a provisioned environment must be busy to be cheaper than on demand.

    Examples
    --------
    >>> round(pays_above(), 3)
    0.6
    """
    on_demand = fact("lambda.price.duration.x86.tiers").value[0]["usd"]
    ready = fact("lambda.price.pc.x86").number
    running = fact("lambda.price.pc.duration.x86").number
    return float(ready / (on_demand - running))


def job_usd(workload: Workload) -> tuple[str, float]:
    """A month of Fargate tasks for jobs: started for each, or standing and working off a queue.

    A task is charged for a minute at least.
    """
    price, service = fact("fargate.price"), workload.service
    hour = service.task_vcpu * price["vcpu_h_usd"] + service.task_gb * price["gb_h_usd"]
    seconds = max(60.0, workload.duration_s)
    each = float(workload.rate_per_s * MONTH_S * seconds / 3600 * hour)
    standing = replace(service, front_door="").fargate_usd(workload.rate_per_s)
    return ("container job", each) if each <= standing else ("container", standing)


def _limits(one: Workload) -> Verdict | None:
    """Rules that no money can change."""
    timeout = fact("lambda.timeout")["max_s"]
    memory = fact("lambda.memory")["max_mb"]
    payload = fact("lambda.payload")["sync_mb"]
    if one.needs_gpu:
        return Verdict("GPU instance", "needs a GPU", "a GPU", "none")
    if one.memory_mb > memory:
        ours, limit = f"{one.memory_mb / 1024:g} GB", f"{memory / 1024:g} GB"
        return Verdict("container", "memory", ours, limit)
    if one.duration_s > timeout:
        ours, limit = _time(one.duration_s), _time(timeout)
        if one.waits:
            return Verdict("durable function", "waits longer than the time-out", ours, limit)
        return Verdict("container job", "runs longer than the time-out", ours, limit)
    if one.pushes:
        hours = fact("apigw.ws")["max_h"]
        return Verdict("WebSocket API", "the server speaks first", "open", f"{hours} h")
    if one.kind == "request" and one.payload_mb > payload:
        ours = f"{one.payload_mb:g} MB"
        return Verdict("function, by reference", "payload", ours, f"{payload} MB")
    return None


def _time(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def _usd(amount: float) -> str:
    return f"{amount:,.0f} USD".replace(",", "\u202f") if amount >= 10 else f"{amount:.2f} USD"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"


def decide(one: Workload) -> Verdict:
    """Place a workload: the first rule that applies decides.

    Examples
    --------
    >>> decide(Workload("nightly report", 300, 1 / 86_400, "job")).form
    'function'
    >>> decide(Workload("video encoding", 7200, 1 / 3600, "job")).form
    'container job'
    """
    limited = _limits(one)
    if limited is not None:
        return limited
    service = one.service
    on_demand = service.lambda_usd(one.rate_per_s)
    if one.kind == "job":
        on_demand = replace(service, front_door="function URL").lambda_usd(one.rate_per_s)
        form, other = job_usd(one)
        if on_demand <= other + MATTERS_USD:
            form = "function"
        return Verdict(form, "bill", _usd(on_demand), _usd(other))
    servers = service.fargate_usd(one.rate_per_s)
    ready = provisioned_usd(one)
    if one.p99_s is not None:
        warm_s = Lognormal(one.duration_s, service.cv).quantile(0.99)
        if warm_s > one.p99_s:
            return Verdict("shorten it first", "slowest requests", _ms(warm_s), _ms(one.p99_s))
        slowest_s = service.p99_s(one.rate_per_s)
        if slowest_s > one.p99_s:
            form = "provisioned" if ready <= servers else "container"
            return Verdict(form, "slowest requests", _ms(slowest_s), _ms(one.p99_s))
    if servers + MATTERS_USD < min(on_demand, ready):
        return Verdict("container", "bill", _usd(min(on_demand, ready)), _usd(servers))
    if ready + MATTERS_USD < on_demand:
        return Verdict("provisioned", "bill", _usd(on_demand), _usd(ready))
    return Verdict("function", "bill", _usd(on_demand), _usd(min(servers, ready)))


HOUR, DAY = 3600.0, 86_400.0

#: Descriptions of the kind that planning meetings bring, from many teams' drawing boards.
WORKLOADS: tuple[Workload, ...] = (
    Workload("payment webhook", 0.15, 500 / DAY),
    Workload("form on a web site", 0.2, 40 / DAY),
    Workload("API of a young product", 0.1, 2.0),
    Workload("API of a grown product", 0.1, 400.0, peak_to_mean=2.5),
    Workload("checkout, quiet, 300 ms", 0.1, 60 / HOUR, p99_s=0.3),
    Workload("checkout, busy, 300 ms", 0.1, 20.0, p99_s=0.3),
    Workload("rare search, 400 ms", 0.12, 10 / HOUR, p99_s=0.4),
    Workload("ticket sale", 0.2, 0.5, peak_to_mean=400),
    Workload("bidding, 50 ms", 0.01, 8000.0, p99_s=0.05, peak_to_mean=1.5),
    Workload("thumbnails of uploads", 1.5, 0.1, "job", 1024, cpu_share=0.9),
    Workload("nightly report", 300.0, 1 / DAY, "job", 2048, cpu_share=0.8),
    Workload("check every minute", 0.3, 1 / 60, "job", 128),
    Workload("device messages", 0.02, 5000.0, peak_to_mean=1.2, memory_mb=256),
    Workload("log lines to a store", 2.0, 30.0, "job", 512, peak_to_mean=1.5),
    Workload("invoice as PDF, 8 MB", 2.0, 0.02, memory_mb=1024, payload_mb=8.0),
    Workload("text model, no GPU", 3.0, 5.0, memory_mb=8192, cpu_share=1.0),
    Workload("image model, GPU", 1.0, 5.0, memory_mb=8192, needs_gpu=True),
    Workload("genomes, 64 GB", 600.0, 10 / DAY, "job", 65_536, cpu_share=1.0),
    Workload("video encoding", 7200.0, 1 / HOUR, "job", 8192, cpu_share=1.0),
    Workload("loan approval", 3 * DAY, 50 / DAY, "job", waits=True),
    Workload("chat", 0.05, 50.0, pushes=True),
)


@experiment("lambda-use-cases")
def decision_map(
    cpu_share: Annotated[float, Slider(0.05, 1)] = 0.2,
    memory_mb: Annotated[int, Slider(128, 10_240, log=True)] = 512,
    peak_to_mean: Annotated[float, Slider(1, 100, log=True)] = 3.0,
) -> Result:
    """Where a request of some duration belongs at some rate: the borders between the forms.

    Borders: below "1 in 100 cold" more than one request in a hundred starts cold; right of
    "containers cheaper" servers cost less; above "time-out" no function runs.
    """
    durations = [0.01 * 10 ** (k / 10) for k in range(33)]
    timeout_s = float(fact("lambda.timeout")["max_s"])
    longer = [30.0, 100.0, 300.0, timeout_s]

    def workload(duration_s: float) -> Workload:
        return Workload(
            "", duration_s, 1.0, memory_mb=int(memory_mb), cpu_share=cpu_share,
            peak_to_mean=peak_to_mean,
        )  # fmt: skip

    def crossing(one: Service) -> float:
        return crossover_per_s(one, one.fargate_usd, 1e-4)

    def border(rate: Callable[[Service], float], lengths: list[float]) -> list[float]:
        return [rate(workload(duration_s).service) * MONTH_S / 1e6 for duration_s in lengths]

    cold = border(clear_rate_per_s, durations)
    cheaper = border(crossing, durations + longer)
    return Result(
        Axis("million requests a month", log=True),
        Axis("duration", "s", log=True),
        (
            Series("1 in 100\ncold", cold, durations, "line", "coupled"),
            Series("containers\ncheaper", cheaper, durations + longer, "line", "fifth"),
            Series("time-out", [1e-4, 1e4], [timeout_s, timeout_s], "line", "limit"),
        ),
        {
            f"{name} at {seconds:g} s": Number(
                rate(workload(seconds).service) * MONTH_S, "requests/month"
            )
            for seconds in (0.1, 1.0, 10.0)
            for name, rate in (("clear", clear_rate_per_s), ("crossing", crossing))
        },
    )


def clear_rate_per_s(service: Service) -> float:
    """The rate above which, for good, fewer than one request in a hundred starts cold.

    Found from above: the share is below one in a hundred at every higher rate looked at.
    """
    fine = [10 ** (k / 4) for k in range(12, -25, -1)]
    for rate in fine:
        if service.cold_share(rate) >= 0.01:
            return bisect(lambda r: 0.01 - service.cold_share(r), rate, rate * 10**0.25, 1e-3)
    return math.nan
