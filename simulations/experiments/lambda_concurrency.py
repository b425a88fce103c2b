"""Concurrency: what an account carries, how much room chance needs, neighbors, and a step of load.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from typing import Annotated

from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.orders import Shop, run_orders
from simulations.services import Account, Context, Function
from simulations.services.account import requests_per_concurrency
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval, batch_means, mean_interval
from simulations.theory import erlang_b, scaled_after_s, scaling_limit, servers_for_loss
from simulations.trace import Trace
from simulations.workload import (
    Burst,
    Constant,
    Distribution,
    Exponential,
    Lognormal,
    Poisson,
    Regular,
)

#: Until November 2023 a Region let all functions together begin with so many environments at
#: once, in its largest three Regions, and then so many more a minute: AWS Lambda Operator Guide,
#: "Scaling and concurrency in Lambda" (read November 2026, still saying so).
OLD_BURST, OLD_PER_MIN = 3000, 500
#: The concurrency of the account that meets a step: large enough for the growth to bind first.
STEP_ACCOUNT = 10_000
#: What must not happen more often than this, where the page says "hardly ever".
RARELY = 0.001


def handler_lasting(distribution: Distribution) -> object:
    """Return a handler that takes a drawn time."""

    def handler(event: object, context: Context) -> Steps:
        yield context.wait(distribution.quantile(context.draw("takes")))

    return handler


def _function(sim: Simulation, name: str, takes: Distribution, **settings: object) -> Function:
    return Function(sim, name, handler_lasting(takes), timeout_s=900.0, **settings)  # type: ignore[arg-type]


def carried_per_s(concurrency: int, duration_s: float) -> float:
    """Requests a second that an account carries: the lower of its two limits."""
    sim = Simulation(1)
    account = Account(sim, concurrency=concurrency, scaling=False)
    function = _function(sim, "f", Constant(duration_s), account=account)
    per_s = requests_per_concurrency() * concurrency
    offered = 3.0 * min(concurrency / duration_s, per_s)
    # The account begins with a bucket of one second's requests; count after it is empty.
    too_many = min(offered, concurrency / duration_s) - per_s
    from_s = max(per_s / too_many + 0.05 if too_many > 0 else 0.0, duration_s)
    until_s = from_s + math.ceil(0.25 / duration_s) * duration_s
    trace = sim.run(Regular(1 / offered) >> function, duration_s=until_s, drain=False)
    throttled = trace.code("throttled")
    spans = trace.spans
    admitted = sum(
        from_s <= queued_s < until_s and outcome != throttled
        for queued_s, outcome in zip(spans.queued_s, spans.outcome, strict=True)
    )
    return float(admitted / (until_s - from_s))


@experiment("lambda-concurrency")
def ceiling(
    concurrency: Annotated[int, Slider(110, 2000, log=True)] = 1000,
    front_door_s: Annotated[float, Slider(0.005, 1.0, log=True)] = 0.025,
    order_s: Annotated[float, Slider(0.1, 20.0, log=True)] = 1.185,
) -> Result:
    """Requests a second that an account carries, against how long each takes.

    Numbers: what it carries of calls of `front_door_s` and of `order_s`, simulated and by theory,
    and what Little's law alone would promise the short ones.
    """

    def limit(duration_s: float) -> float:
        return min(concurrency / duration_s, 10.0 * concurrency)

    fine = [0.005 * 10 ** (k / 20) for k in range(71)]
    durations = (0.01, front_door_s, 0.05, 0.1, 0.3, order_s, 5.0)
    found = [carried_per_s(concurrency, duration_s) for duration_s in durations]
    little = [s for s in fine if s <= 0.1]
    numbers = {
        "front door": Number(found[1], "1/s"),
        "front door by theory": Number(limit(front_door_s), "1/s"),
        "front door by Little": Number(concurrency / front_door_s, "1/s"),
        "orders": Number(found[5], "1/s"),
        "orders by theory": Number(limit(order_s), "1/s"),
        "worst error": Number(
            max(abs(y / limit(s) - 1) for s, y in zip(durations, found, strict=True))
        ),
    }
    return Result(
        Axis("duration of a call", "s", log=True),
        Axis("requests carried", "1/s", log=True),
        (
            Series(
                "rate × duration alone", little, [concurrency / s for s in little], "line", "limit"
            ),
            Series("theory", fine, [limit(s) for s in fine], "line", "theory"),
            Series("", durations, found, "points", "decoupled"),
        ),
        numbers,
    )


def shop_concurrency(architecture: str, rate_per_s: float = 20.0, seed: int = 1) -> Trace:
    """The order system at a steady rate, all environments warm: its mean concurrency is read off."""
    shop = Shop(warm=True, declined_share=0.0, timeout_s=900.0)
    return run_orders(
        architecture, shop, Regular(1 / rate_per_s), duration_s=120.0, warmup_s=20.0, seed=seed
    )


def mean_concurrency(trace: Trace) -> dict[str, float]:
    """Mean number of invocations at once, by function."""
    return {
        name: trace.mean_in(name)
        for name, config in trace.header["components"].items()
        if config["type"] == "Function"
    }


def throttled_share(load: float, reserved: int, requests: int = 20_000, seed: int = 1) -> Interval:
    """Simulate the throttled share of a function whose calls take 1.185 s on average."""
    takes = Lognormal(1.185, 0.45)
    sim = Simulation(seed)
    function = _function(sim, "Checkout", takes, reserved_concurrency=reserved)
    rate = load / takes.mean
    trace = sim.run(Poisson(rate) >> function, duration_s=requests / rate, warmup_s=5 * takes.mean)
    throttled = trace.code("throttled")
    rows = sorted(
        zip(trace.requests.id, trace.requests.start_s, trace.requests.outcome, strict=True)
    )
    outcomes = [outcome for _, start_s, outcome in rows if start_s >= 5 * takes.mean]
    return mean_interval(batch_means([float(outcome == throttled) for outcome in outcomes]))


@experiment("lambda-concurrency")
def room_for_chance(
    load: Annotated[float, Slider(2, 300, log=True)] = 237.0,
    requests: Annotated[int, Slider(2000, 100_000, log=True)] = 12_000,
    seed: int = 1,
) -> Result:
    """Throttled share of a function against the concurrency reserved for it; Erlang B beside it.

    Numbers: the share at 100, at the load itself, and the fewest for at most one in a thousand.
    """
    most = math.ceil(load + 4 * math.sqrt(load) + 4)
    fine = sorted({max(1, round(most * k / 80)) for k in range(16, 81)})
    tried = sorted({max(1, round(load * share)) for share in (0.42, 0.65, 0.85, 1.0, 1.08)})
    found = [throttled_share(load, n, requests, seed + n) for n in tried]
    numbers = {
        "at 100": Number(erlang_b(load, 100)),
        "at the load": Number(erlang_b(load, round(load))),
        "enough": Number(servers_for_loss(load, RARELY)),
        "points": Number(len(tried)),
        "points that hold the theory": Number(
            sum(x.low <= erlang_b(load, n) <= x.high for n, x in zip(tried, found, strict=True))
        ),
        "widest miss": Number(
            max(abs(x.mean - erlang_b(load, n)) for n, x in zip(tried, found, strict=True))
        ),
    }
    return Result(
        Axis("reserved concurrency"),
        Axis("throttled", "%"),
        (
            Series("Erlang B", fine, [100 * erlang_b(load, n) for n in fine], "line", "theory"),
            Series(
                "", tried, [100 * x.mean for x in found], "points", "coupled",
                low=[100 * x.low for x in found], high=[100 * x.high for x in found],
            ),
        ),
        numbers,
    )  # fmt: skip


@experiment("lambda-concurrency")
def noisy_neighbor(
    orders_per_s: Annotated[float, Slider(20, 400)] = 200.0,
    reports_per_s: Annotated[float, Slider(1, 60)] = 30.0,
    report_s: Annotated[float, Slider(5, 300)] = 60.0,
    reserved: Annotated[int, Slider(50, 900)] = 300,
    seed: int = 1,
) -> Result:
    """Orders accepted a second while a report job of the same account starts, after 30 s.

    Once with nothing reserved, once with `reserved` for the function that takes orders. Numbers:
    the share of orders throttled once the job has filled the account, and of the job's calls, and
    from when to when they are counted.
    """
    until_s, start_s, bin_s = 140.0, 30.0, 5.0
    full_s = 90.0
    series = []
    numbers = {"counted from": Number(full_s, "s"), "counted to": Number(until_s, "s")}
    cases: tuple[tuple[str, int | None, Role], ...] = (
        ("nothing reserved", None, "coupled"),
        (f"{reserved} reserved", reserved, "decoupled"),
    )
    for name, kept, role in cases:
        sim = Simulation(seed)
        account = Account(sim)
        checkout = _function(
            sim, "Checkout", Lognormal(1.185, 0.45), account=account, reserved_concurrency=kept
        )
        report = _function(sim, "Report", Exponential(report_s), account=account)
        job = Burst(0, reports_per_s, start_s, until_s - start_s)
        trace = sim.run(Poisson(orders_per_s) >> checkout, job >> report, duration_s=until_s)
        throttled, bins = trace.code("throttled"), round(until_s / bin_s)
        accepted = [0] * bins
        lost: dict[str, list[int]] = {"Checkout": [0, 0], "Report": [0, 0]}
        spans = trace.spans
        names = {trace.code(one): one for one in lost}
        for component, at_s, outcome in zip(
            spans.component, spans.queued_s, spans.outcome, strict=True
        ):
            who = names[component]
            if who == "Checkout" and outcome != throttled and at_s < until_s:
                accepted[int(at_s / bin_s)] += 1
            if at_s >= full_s:
                lost[who][0] += outcome == throttled
                lost[who][1] += 1
        x = [bin_s * k for k in range(bins)]
        series.append(Series(name, x, [n / bin_s for n in accepted], "step", role))
        for who, (bad, all_) in lost.items():
            numbers[f"{who}, {name}"] = Number(bad / all_)
    demand = orders_per_s * 1.185 + reports_per_s * report_s
    numbers["both by theory"] = Number(erlang_b(demand, account.concurrency))
    return Result(Axis("time", "s"), Axis("orders accepted", "1/s"), tuple(series), numbers)


def old_rule_s(environments: int) -> float:
    """Seconds until one function alone could have so many, by the rule before November 2023.

    Examples
    --------
    >>> [old_rule_s(n) for n in (1000, 5000)]
    [0.0, 240.0]
    """
    return max(environments - OLD_BURST, 0) / OLD_PER_MIN * 60


@experiment("lambda-concurrency")
def step_of_load(
    rate_per_s: Annotated[float, Slider(500, 3000)] = 1800.0,
    duration_s: Annotated[float, Slider(0.2, 2.0)] = 1.0,
) -> Result:
    """Invocations at once after a step of load, in an account that would allow ten thousand.

    Numbers: when the last call was throttled, by simulation and by theory; the share throttled
    until then.
    """
    sim = Simulation(1)
    account = Account(sim, concurrency=STEP_ACCOUNT)
    function = _function(sim, "f", Constant(duration_s), account=account)
    theory_s = scaled_after_s(rate_per_s, duration_s)
    until_s = theory_s + 3 * duration_s
    trace = sim.run(Regular(1 / rate_per_s) >> function, duration_s=until_s)
    throttled = trace.code("throttled")
    spans = trace.spans
    changes = []
    last_s, lost = 0.0, 0
    for queued_s, end_s, outcome in zip(spans.queued_s, spans.end_s, spans.outcome, strict=True):
        if outcome == throttled:
            last_s, lost = max(last_s, queued_s), lost + 1
        else:
            changes += [(queued_s, 1), (end_s, -1)]
    changes.sort()
    x = [until_s * k / 120 for k in range(121)]
    y, running, place = [], 0, 0
    for at_s in x:
        while place < len(changes) and changes[place][0] <= at_s:
            running += changes[place][1]
            place += 1
        y.append(float(running))
    needed = rate_per_s * duration_s
    theory = [min(scaling_limit(t), needed) for t in x]
    numbers = {
        "last throttled": Number(last_s, "s"),
        "last throttled by theory": Number(theory_s, "s"),
        "throttled": Number(lost / max(rate_per_s * theory_s, 1.0)),
        "cold": Number(function.cold),
    }
    return Result(
        Axis("time since the step", "s"),
        Axis("invocations at once"),
        (
            Series("running", x, y, "line", "decoupled"),
            Series("theory", x, theory, "line", "theory"),
        ),
        numbers,
    )
