"""Experiments of the chapter *pros and cons*: one service over seven decades of traffic.

The same small service runs on Lambda, as tasks on Fargate and on EC2 instances; its bill, its
cold starts, its slowest requests and what is left of the quotas are swept over the request rate.
May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated

from simulations._check import positive
from simulations.experiment import Axis, Choice, Number, Result, Role, Series, Slider, experiment
from simulations.facts import fact
from simulations.pricing import PriceList, lambda_usage
from simulations.services import keep_alive
from simulations.theory import cold_probability
from simulations.workload import Lognormal

#: A month as AWS's calculator counts it.
MONTH_H = 730
MONTH_S = MONTH_H * 3600
#: No service that must stay up runs in a single Availability Zone.
LEAST = 2
FRONT_DOORS = ("HTTP API", "function URL")  # "" for what a queue or a schedule starts
RATES = tuple(10 ** (k / 8) for k in range(-24, 33))


@dataclass(frozen=True)
class Service:
    """The service that is placed: what a request takes, and what is assumed of servers.

    Attributes
    ----------
    duration_s, cv
        How long a warm request takes, lognormal.
    cpu_s
        Of this, computing; the rest is waiting for others.
    memory_mb, init_s
        Of the function.
    front_door
        What stands before the function; before servers stands a load balancer.
    target_utilization
        Up to which share servers are loaded on average, so that peaks find room.
    task_vcpu, task_gb
        A Fargate task.
    request_kb
        Request and answer together; ten requests share a connection.
    operations_usd
        What a month of looking after servers costs beyond looking after functions: patches,
        scaling rules, images. In the prices of AWS it is nothing.
    """

    duration_s: float = 0.1
    cv: float = 0.5
    cpu_s: float = 0.02
    memory_mb: int = 512
    init_s: float = 0.3
    front_door: str = "HTTP API"
    target_utilization: float = 0.5
    task_vcpu: float = 0.5
    task_gb: float = 1.0
    request_kb: float = 5.0
    operations_usd: float = 0.0

    def cold_share(self, rate_per_s: float) -> float:
        """The share of cold starts, with the keep-alive measured in 2025.

        Above fifty requests in flight it lies below one in ten thousand, and counts as none.
        """
        if rate_per_s * self.duration_s > 50:
            return 0.0
        return _cold_share(rate_per_s, self.duration_s)

    def lambda_usd(self, rate_per_s: float) -> float:
        """A month on Lambda, front door included, without free tier."""
        requests = rate_per_s * MONTH_S
        usage = lambda_usage(
            requests, 1000 * self.duration_s, self.memory_mb,
            cold_share=self.cold_share(rate_per_s), init_ms=1000 * self.init_s,
        )  # fmt: skip
        total = float(PriceList.load().bill(usage).total_usd)
        if self.front_door == "HTTP API":
            total += _tiered(requests, fact("apigw.price.http").value)
        return total

    def _balancer_usd(self, rate_per_s: float) -> float:
        balancer = fact("elb.price.alb")
        units = max(
            rate_per_s / 10 / balancer["lcu_new_connections_per_s"],
            rate_per_s * 3600 * self.request_kb / 1024**2 / balancer["lcu_gb_per_h"],
        )
        return MONTH_H * float(balancer["hour_usd"] + units * balancer["lcu_h_usd"])

    def _machines(self, rate_per_s: float, vcpu: float) -> float:
        """How many on average over the month: they come and go by the hour, so not a whole number."""
        return max(LEAST, rate_per_s * self.cpu_s / (vcpu * self.target_utilization))

    def fargate_usd(self, rate_per_s: float) -> float:
        """A month of Fargate tasks, two at least, behind a load balancer if anything calls them."""
        price = fact("fargate.price")
        hour = self.task_vcpu * price["vcpu_h_usd"] + self.task_gb * price["gb_h_usd"]
        tasks = self._machines(rate_per_s, self.task_vcpu)
        balancer_usd = self._balancer_usd(rate_per_s) if self.front_door else 0.0
        return float(self.operations_usd + tasks * hour * MONTH_H + balancer_usd)

    def ec2_usd(self, rate_per_s: float) -> float:
        """A month of m6i.large instances behind a load balancer, two at least."""
        price = fact("ec2.price.m6i_large")
        machines = self._machines(rate_per_s, price["vcpu"])
        hours = machines * price["hour_usd"] * MONTH_H
        return float(self.operations_usd + hours + self._balancer_usd(rate_per_s))

    def p99_s(self, rate_per_s: float) -> float:
        """What one request in a hundred exceeds: warm ones and, where there are enough, cold."""
        warm = Lognormal(self.duration_s, self.cv)
        cold = self.cold_share(rate_per_s)

        def slower(than_s: float) -> float:
            after_init_s = than_s - self.init_s
            chilled = 1 - _below(warm, after_init_s) if after_init_s > 0 else 1.0
            return (1 - cold) * (1 - _below(warm, than_s)) + cold * chilled

        return bisect(lambda s: 0.01 - slower(s), 1e-4, 1000.0)


@cache
def _cold_share(rate_per_s: float, duration_s: float) -> float:
    return cold_probability(rate_per_s, keep_alive(2025), duration_s)


def _below(times: Lognormal, value: float) -> float:
    """The share of times below a value (inverse of the quantile)."""
    variance = math.log1p(times.cv**2)
    middle = math.log(times.mean) - variance / 2
    return 0.5 * math.erfc(-(math.log(value) - middle) / math.sqrt(2 * variance))


def _tiered(quantity: float, tiers: tuple[dict[str, float], ...]) -> float:
    total, begun = 0.0, 0.0
    for tier in tiers:
        end = tier["up_to"] or math.inf
        total += max(0.0, min(quantity, end) - begun) * tier["usd"]
        begun = end
    return total


def bisect(
    rising: Callable[[float], float], low: float, high: float, relative: float = 1e-12
) -> float:
    """Where a function that rises through zero between two positive numbers does so.

    Raises
    ------
    ValueError
        If it does not change its sign between them.

    Examples
    --------
    >>> round(bisect(lambda x: x - 3, 1, 100), 9)
    3.0
    """
    positive("low", low)
    if rising(low) > 0 or rising(high) < 0:
        raise ValueError(f"low={low!r}, high={high!r}: no rise through zero between them")
    while high > low * (1 + relative):
        middle = math.sqrt(low * high)
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return high


def crossover_per_s(
    service: Service, other: Callable[[float], float], relative: float = 1e-12
) -> float:
    """The rate above which Lambda costs more than `other` (its monthly cost by rate).

    Servers have a floor and then grow in proportion, so there is one crossing or none.
    """
    for low, high in pairwise(RATES):
        if service.lambda_usd(high) > other(high):
            return bisect(lambda r: service.lambda_usd(r) - other(r), low, high, relative)
    return math.inf


@experiment("lambda-pros-cons")
def monthly_bill(
    duration_s: Annotated[float, Slider(0.01, 30, log=True)] = 0.1,
    cpu_share: Annotated[float, Slider(0.05, 1)] = 0.2,
    memory_mb: Annotated[int, Slider(128, 10_240, log=True)] = 512,
    front_door: Annotated[str, Choice(FRONT_DOORS)] = "HTTP API",
    target_utilization: Annotated[float, Slider(0.05, 0.95)] = 0.5,
    operations_usd: Annotated[float, Slider(0, 20_000)] = 0.0,
) -> Result:
    """What a month costs on Lambda, Fargate and EC2, against the rate; where the lines cross."""
    service = Service(
        duration_s=duration_s, cpu_s=cpu_share * duration_s, memory_mb=int(memory_mb),
        front_door=front_door, target_utilization=target_utilization,
        operations_usd=operations_usd,
    )  # fmt: skip
    months = [rate * MONTH_S / 1e6 for rate in RATES]
    lines: tuple[tuple[str, Callable[[float], float], Role], ...] = (
        ("Lambda", service.lambda_usd, "decoupled"),
        ("Fargate", service.fargate_usd, "coupled"),
        ("EC2", service.ec2_usd, "fifth"),
    )
    series = tuple(
        Series(name, months, [usd(rate) for rate in RATES], "line", role)
        for name, usd, role in lines
    )
    numbers = {}
    for name, usd, _ in lines[1:]:
        rate = crossover_per_s(service, usd)
        numbers[f"{name} rate"] = Number(rate, "1/s")
        if math.isfinite(rate):
            numbers[f"{name} requests"] = Number(rate * MONTH_S, "1/month")
            numbers[f"{name} bill"] = Number(usd(rate), "USD/month")
    for name, usd, _ in lines:
        numbers[f"{name} busiest"] = Number(usd(RATES[-1]), "USD/month")
        numbers[f"{name} quietest"] = Number(usd(RATES[0]), "USD/month")
    return Result(
        Axis("million requests a month", log=True), Axis("USD a month", log=True), series, numbers
    )


@experiment("lambda-pros-cons")
def slowest_requests(
    duration_s: Annotated[float, Slider(0.01, 30, log=True)] = 0.1,
    init_s: Annotated[float, Slider(0.01, 10, log=True)] = 0.3,
) -> Result:
    """The 99th percentile against the rate: with Lambda's cold starts, and always on.

    Numbers: "warm" and "cold" are the 99th percentiles without and with a cold start; "clear
    rate" is where fewer than one request in a hundred starts cold for good, "second rise" the
    highest value beyond three times that rate, which overlaps bring.
    """
    service = Service(duration_s=duration_s, init_s=init_s)
    months = [rate * MONTH_S / 1e6 for rate in RATES]
    on_s = Lognormal(duration_s, service.cv).quantile(0.99)
    fine = [10 ** (k / 24) for k in range(-96, 49)]
    often = max(rate for rate in fine if service.cold_share(rate) >= 0.01)
    clear = bisect(lambda rate: 0.01 - service.cold_share(rate), often, often * 10 ** (1 / 24))
    return Result(
        Axis("million requests a month", log=True),
        Axis("99th percentile", "ms"),
        (
            Series("Lambda", months, [1000 * service.p99_s(r) for r in RATES], "line", "decoupled"),
            Series("always on", months, [1000 * on_s for _ in RATES], "line", "coupled"),
        ),
        {
            "warm": Number(on_s, "s"),
            "cold": Number(service.p99_s(RATES[0]), "s"),
            "second rise": Number(max(service.p99_s(r) for r in RATES if r > 3 * clear), "s"),
            "clear rate": Number(clear, "1/s"),
            "clear requests": Number(clear * MONTH_S, "1/month"),
        },
    )


def quota_rate_per_s(service: Service) -> float:
    """The rate at which the default account quota is used up: by concurrency or by requests."""
    concurrency = fact("lambda.quota.concurrency").number
    return min(concurrency / service.duration_s, 10 * concurrency)
