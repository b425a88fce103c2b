"""Experiments of the chapter *asynchronous messaging*: the order system, coupled and decoupled.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.orders import ARCHITECTURES, MAIL, TITLES, Outcomes, Shop, outcomes, run_orders
from simulations.pricing import Bill, PriceList, usage
from simulations.services import Context, EventSourceMapping, Function, Queue
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import quantile_interval, share_interval
from simulations.theory import backlog, drain_s, restart_chain
from simulations.trace import Trace
from simulations.workload import Poisson

ROLES: dict[str, Role] = {
    "A0": "limit",
    "A1": "coupled",
    "B1": "decoupled",
    "B10": "fifth",
    "C": "measured",
}

ORDERS = Annotated[int, Slider(500, 100_000, log=True)]


@experiment("async-messaging")
def answer_times(
    rate_per_s: Annotated[float, Slider(1, 100, log=True)] = 20.0,
    orders: ORDERS = 2_000,
    seed: int = 1,
) -> Iterator[Result]:
    """X1: how long the customer waits for an answer, as a distribution, by architecture."""
    probabilities = [0.005, *(k / 60 for k in range(1, 60)), 0.99, 0.995]
    series: list[Series] = []
    numbers: dict[str, Number] = {}
    for name in ("A0", "A1", "B1", "C"):
        trace = run_orders(
            name, Shop(), Poisson(rate_per_s), duration_s=orders / rate_per_s,
            warmup_s=orders / rate_per_s / 10, seed=seed,
        )  # fmt: skip
        read = outcomes(trace)
        answer = read.answer_s
        numbers[f"{name} mean"] = Number(answer.mean(), "s")
        numbers[f"{name} median"] = Number(answer.quantile(0.5), "s")
        tail = quantile_interval(answer, 0.99)
        numbers[f"{name} p99"] = Number(tail.mean, "s", tail.low, tail.high)
        numbers[f"{name} confirmed mean"] = Number(read.confirmed_s.mean(), "s")
        numbers[f"{name} confirmed p99"] = Number(read.confirmed_s.quantile(0.99), "s")
        late = share_interval(read.late_rejections, read.orders)
        numbers[f"{name} late rejections"] = Number(late.mean, "", late.low, late.high)
        times = [1000 * answer.quantile(p) for p in probabilities]
        shares = [100 * p for p in probabilities]
        role: Role = "coupled" if name in ("A0", "A1") else "decoupled"
        series.append(Series(TITLES[name], times, shares, "line", role))
        axis = Axis("time to answer", "ms", log=True)
        yield Result(axis, Axis("orders answered", "%"), tuple(series), dict(numbers))


def bill_of(trace: Trace) -> tuple[Bill, float]:
    """The bill of a run and its total in USD for a million orders."""
    bill = PriceList.load().bill(usage(trace))
    return bill, float(bill.total_usd) / len(trace.requests) * 1e6


@experiment("async-messaging")
def costs(
    rate_per_s: Annotated[float, Slider(0.1, 100, log=True)] = 20.0,
    orders: ORDERS = 1_500,
    seed: int = 1,
) -> Iterator[Result]:
    """X2: what a million orders cost, by architecture and service.

    Prices are today's list prices in us-east-1, free tier left out, everything warmed up.
    """
    names: list[str] = []
    totals: list[float] = []
    numbers: dict[str, Number] = {}
    for name in ARCHITECTURES:
        trace = run_orders(
            name, Shop(warm=True), Poisson(rate_per_s), duration_s=orders / rate_per_s, seed=seed
        )
        bill, total_usd = bill_of(trace)
        names.append(TITLES[name])
        totals.append(total_usd)
        numbers[name] = Number(total_usd, "USD per million")
        for service, amount_usd in bill.by_service().items():
            per_million = float(amount_usd) / len(trace.requests) * 1e6
            numbers[f"{name} {service}"] = Number(per_million, "USD per million")
        numbers[f"{name} confirmed"] = Number(outcomes(trace).confirmed_s.mean(), "s")
        coupled = Series("coupled", names[:2], totals[:2], "bars", "coupled")
        decoupled = Series("decoupled", names[2:], totals[2:], "bars", "decoupled")
        axis = Axis("cost", "USD per million")
        yield Result(Axis(""), axis, (coupled, decoupled), dict(numbers))


@experiment("async-messaging")
def batching(
    rate_per_s: Annotated[float, Slider(0.05, 50, log=True)] = 20.0,
    window_s: Annotated[float, Slider(0, 5)] = 1.0,
    orders: ORDERS = 1_000,
    seed: int = 1,
) -> Result:
    """X2, continued: cost and time to confirmation of batches of ten at one rate of orders."""
    shop = Shop(warm=True, window_s=window_s)
    numbers = {}
    for name in ("B1", "B10"):
        trace = run_orders(
            name, shop, Poisson(rate_per_s), duration_s=orders / rate_per_s, seed=seed
        )
        _, total_usd = bill_of(trace)
        numbers[name] = Number(total_usd, "USD per million")
        numbers[f"{name} confirmed"] = Number(outcomes(trace).confirmed_s.mean(), "s")
    bars = Series("", list(numbers)[::2], [n.value for n in list(numbers.values())[::2]], "bars")
    return Result(Axis(""), Axis("cost", "USD per million"), (bars,), numbers)


def queue_double_charge(failure: float, after_effect_share: float) -> float:
    """Share of orders charged twice or more when a queue repeats the payment step alone.

    An order is charged once when no try fails after its effect: (1-p) / (1-p(1-phi)).
    """
    return 1 - (1 - failure) / (1 - failure * (1 - after_effect_share))


@experiment("async-messaging")
def double_charges(
    after_effect_share: Annotated[float, Slider(0, 1)] = 0.5,
    orders: ORDERS = 2_000,
    seed: int = 1,
) -> Iterator[Result]:
    """X3: share of orders charged twice against the failure rate, and what theory says.

    The customer of the coupled design starts again from the start until it works; behind a
    queue only the payment is tried again. With an idempotency key nobody is charged twice.
    """
    fine = [0.001 * k for k in range(51)]
    percent = [100 * p for p in fine]
    phi = after_effect_share
    lines = (
        Series(
            "",
            percent,
            [100 * restart_chain(p, phi).p_double_charge for p in fine],
            "line",
            "theory",
        ),
        Series("", percent, [100 * queue_double_charge(p, phi) for p in fine], "line", "theory"),
    )
    designs: dict[str, tuple[str, int | None, bool, Role]] = {
        "start again": ("A0", None, False, "coupled"),
        "queue": ("B1", 1, False, "decoupled"),
        "queue and key": ("B1", 1, True, "decoupled"),
    }
    rates = (0.01, 0.025, 0.05)
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in designs}
    numbers: dict[str, Number] = {}
    for failure in rates:
        for name, (architecture, attempts, key, _) in designs.items():
            shop = Shop(
                warm=True, failure=failure, after_effect_share=phi, declined_share=0.0,
                idempotent_payment=key, max_receive_count=None, timeout_s=5.0,
            )  # fmt: skip
            trace = run_orders(
                architecture, shop, Poisson(100.0), duration_s=orders / 100.0, seed=seed,
                max_attempts=attempts,
            )  # fmt: skip
            share = share_interval(outcomes(trace).double_charged, len(trace.requests))
            found[name].append((failure, 100 * share.mean, 100 * share.low, 100 * share.high))
            numbers[f"{name} at {failure}"] = Number(share.mean, "", share.low, share.high)
        points = tuple(
            Series(
                name,
                [100 * row[0] for row in rows],
                [row[1] for row in rows],
                "points",
                designs[name][3],
                [row[2] for row in rows],
                [row[3] for row in rows],
            )
            for name, rows in found.items()
        )
        numbers[f"theory, start again at {failure}"] = Number(
            restart_chain(failure, phi).p_double_charge
        )
        numbers[f"theory, queue at {failure}"] = Number(queue_double_charge(failure, phi))
        yield Result(
            Axis("calls that fail", "%"),
            Axis("charged twice", "%"),
            lines + points,
            dict(numbers),
        )


def mail_outage(
    architecture: str,
    outage_s: float,
    visibility_timeout_s: float,
    rate_per_s: float,
    seed: int = 1,
) -> tuple[Trace, float, float]:
    """A run with the mail provider down, and when the outage begins and the run ends."""
    begin_s = 120.0
    whole_s = begin_s + outage_s + 600.0
    shop = Shop(
        warm=True,
        declined_share=0.0,
        outages=((MAIL, begin_s, begin_s + outage_s),),
        timeout_s=5.0,
        visibility_timeout_s=visibility_timeout_s,
    )
    trace = run_orders(architecture, shop, Poisson(rate_per_s), duration_s=whole_s, seed=seed)
    return trace, begin_s, whole_s


@experiment("async-messaging")
def outage(
    minutes: Annotated[float, Slider(1, 30)] = 10.0,
    visibility_timeout_s: Annotated[float, Slider(30, 600)] = 180.0,
    rate_per_s: Annotated[float, Slider(1, 20)] = 4.0,
    seed: int = 1,
) -> Iterator[Result]:
    """X4: the mail provider is down; orders not yet confirmed, coupled and decoupled."""
    series: list[Series] = []
    numbers: dict[str, Number] = {}
    for name in ("A1", "C"):
        trace, begin_s, whole_s = mail_outage(
            name, 60 * minutes, visibility_timeout_s, rate_per_s, seed
        )
        end_s = begin_s + 60 * minutes
        read = outcomes(trace)
        arrived = sum(begin_s <= start_s < end_s for start_s in trace.requests.start_s)
        open_orders = unconfirmed(trace, 10.0, whole_s)
        usual = 6 * rate_per_s + read.lost
        late = [10.0 * k for k, n in enumerate(open_orders) if 10.0 * k >= end_s and n > usual]
        numbers["arrived in the outage"] = Number(arrived)
        numbers[f"{name} charged, not confirmed"] = Number(read.charged_not_confirmed)
        numbers[f"{name} never confirmed"] = Number(read.lost)
        numbers[f"{name} refused"] = Number(read.told_no)
        numbers[f"{name} most open"] = Number(max(open_orders))
        numbers[f"{name} caught up after"] = Number((late[-1] if late else end_s) - end_s, "s")
        minutes_x = [10.0 * k / 60 for k in range(len(open_orders))]
        role: Role = "coupled" if name == "A1" else "decoupled"
        series.append(Series(TITLES[name], minutes_x, open_orders, "line", role))
        axis = Axis("orders without confirmation")
        yield Result(Axis("time", "min"), axis, tuple(series), dict(numbers))


def unconfirmed(trace: Trace, every_s: float, until_s: float) -> list[float]:
    """How many orders have been submitted but not confirmed, sampled at equal steps."""
    steps = int(until_s / every_s) + 1
    change = [0] * (steps + 1)
    for start_s in trace.requests.start_s:
        change[min(int(start_s / every_s) + 1, steps)] += 1
    confirmed, book = trace.code("confirmed"), trace.code("orders")
    spans = trace.spans
    for component, outcome, end_s in zip(spans.component, spans.outcome, spans.end_s, strict=True):
        if component == book and outcome == confirmed:
            change[min(int(end_s / every_s) + 1, steps)] -= 1
    total, found = 0, []
    for step in change[:steps]:
        total += step
        found.append(float(total))
    return found


@experiment("async-messaging")
def catch_up(
    utilization: Annotated[float, Slider(0.3, 0.95)] = 0.8,
    outage_s: Annotated[float, Slider(60, 1200)] = 300.0,
    rate_per_s: Annotated[float, Slider(1, 50)] = 10.0,
    seed: int = 1,
) -> Result:
    """X4, continued: a consumer stops, then drains its backlog: simulated and fluid.

    One queue, one function of 0.5 s, as many invocations at once as make the utilization.
    """
    service_s = 0.5
    at_once = max(2, round(rate_per_s * service_s / utilization))
    capacity_per_s = at_once / service_s
    load = rate_per_s / capacity_per_s
    begin_s = 60.0
    drain = drain_s(backlog(rate_per_s, outage_s), capacity_per_s, rate_per_s)

    def work(_: object, context: Context) -> Steps:
        yield context.wait(service_s)

    sim = Simulation(seed)
    queue = Queue(sim, "orders to do", visibility_timeout_s=60)
    consumer = Function(sim, "Consumer", work)
    EventSourceMapping(
        sim, queue, consumer, batch_size=1, maximum_concurrency=at_once,
        paused=((begin_s, begin_s + outage_s),),
    )  # fmt: skip
    whole_s = begin_s + outage_s + 1.5 * drain + 60
    trace = sim.run(Poisson(rate_per_s) >> queue, duration_s=whole_s)
    depth = waiting(trace, "orders to do", 2.0, whole_s)
    usual = 3 * rate_per_s * service_s + 10
    after = [k for k, n in enumerate(depth) if 2.0 * k >= begin_s + outage_s and n <= usual]
    numbers = {
        "utilization": Number(load),
        "most waiting": Number(max(depth)),
        "most waiting, fluid": Number(backlog(rate_per_s, outage_s)),
        "drained after": Number(2.0 * after[0] - begin_s - outage_s, "s"),
        "drained after, fluid": Number(drain, "s"),
    }
    seconds = [2.0 * k for k in range(len(depth))]
    peak = begin_s + outage_s
    fluid = Series(
        "fluid",
        [begin_s, peak, peak + drain],
        [0, backlog(rate_per_s, outage_s), 0],
        "line",
        "theory",
    )
    simulated = Series("simulated", seconds, depth, "line", "decoupled")
    return Result(Axis("time", "s"), Axis("messages waiting"), (fluid, simulated), numbers)


def waiting(trace: Trace, queue: str, every_s: float, until_s: float) -> list[float]:
    """How many messages were in a queue, visible or in flight, sampled at equal steps."""
    steps = int(until_s / every_s) + 1
    change = [0] * (steps + 1)
    for row in trace.spans_of(queue, "message"):
        change[min(int(row.queued_s / every_s) + 1, steps)] += 1
        change[min(int(row.end_s / every_s) + 1, steps)] -= 1
    total, found = 0, []
    for step in change[:steps]:
        total += step
        found.append(float(total))
    return found


def lost_in_outage(architecture: str, seed: int = 1) -> float:
    """Share of the orders placed in a two-minute outage of the mail provider that are lost."""
    trace, begin_s, _ = mail_outage(architecture, 120.0, 60.0, rate_per_s=2.0, seed=seed)
    inside = [s for s in trace.requests.start_s if begin_s <= s < begin_s + 120.0]
    return outcomes(trace).lost / len(inside)


def parts_of(architecture: str) -> dict[str, int]:
    """How many functions, queues and topics an architecture is made of."""
    components = run_orders(architecture, duration_s=1.0).header["components"].values()
    kinds = [component["type"] for component in components]
    return {kind: kinds.count(kind) for kind in ("Function", "Queue", "Topic")}


def edits_for_sms(architecture: str) -> int:
    """How many existing functions must be edited to add a text message: those that call more."""

    def calls(with_sms: bool) -> dict[str, set[str]]:
        trace = run_orders(architecture, Shop(with_sms=with_sms), duration_s=10.0)
        callers = {s.id: s.component for s in trace.spans.rows() if s.operation == "invoke"}
        found: dict[str, set[str]] = {name: set() for name in callers.values()}
        for span in trace.spans.rows():
            # A message's consumer is called by the queue, not by the function that sent it.
            called = span.operation in ("call", "send", "publish") or (
                span.operation == "invoke" and architecture == "A1"
            )
            if called and span.parent in callers:
                found[callers[span.parent]].add(span.component)
        return found

    before, after = calls(False), calls(True)
    return sum(before[name] != after[name] for name in before)


@experiment("async-messaging")
def adding_sms(orders: ORDERS = 2_000, seed: int = 1) -> Result:
    """X7: what a text message to every customer changes, with the default timeout of Lambda."""
    numbers = {}
    for name in ("A1", "C"):
        for sms in (False, True):
            shop = Shop(warm=True, with_sms=sms, timeout_s=3.0)
            trace = run_orders(name, shop, Poisson(20.0), duration_s=orders / 20.0, seed=seed)
            read: Outcomes = outcomes(trace)
            label = f"{name} with SMS" if sms else name
            numbers[f"{label} mean"] = Number(read.answer_s.mean(), "s")
            numbers[f"{label} p99"] = Number(read.answer_s.quantile(0.99), "s")
            cut = share_interval(trace.requests.outcomes().get("timeout", 0), read.orders)
            numbers[f"{label} timed out"] = Number(cut.mean, "", cut.low, cut.high)
    labels = [k[:-5] for k in numbers if k.endswith("mean")]
    bars = [1000 * numbers[f"{k} mean"].value for k in labels]
    return Result(
        Axis(""), Axis("mean time to answer", "ms"), (Series("", labels, bars, "bars"),), numbers
    )
