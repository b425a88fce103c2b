"""Experiments of the chapter *Lambda resilience*: timeouts without faults, faults against policies.

The function is the order system's one function (architecture A0), whose four calls go to
providers directly or through clients; the queues are its architecture B1. May import: the
standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from simulations.experiment import Axis, Choice, Number, Result, Series, Slider, experiment
from simulations.facts import fact
from simulations.faults import Fault, Slowness, ZoneLoss
from simulations.orders import ARCHITECTURES, DATABASE, MAIL, PAYMENTS, STOCK, Shop, run_orders
from simulations.services import Backoff, Breaker, Client, Context, Function, inject, sdk_retries
from simulations.services.handler import Steps
from simulations.simulation import Component, Simulation
from simulations.stats import Interval, share_interval
from simulations.theory import LognormalSum
from simulations.trace import Trace
from simulations.workload import Lognormal, Poisson

CALLS = (STOCK, PAYMENTS, DATABASE, MAIL)
#: How long boto3 waits for an answer by default (AWS re:Post, *How do I troubleshoot retry and
#: timeout issues when invoking a Lambda function using an AWS SDK?*; botocore.endpoint).
BOTO3_READ_TIMEOUT_S = 60.0
#: No declined cards and warm environments: what is left is the calls' own spread.
CALM = Shop(declined_share=0.0, warm=True)


def default_timeout_s() -> float:
    """What a function gets when nobody chooses."""
    return float(fact("lambda.timeout")["default_s"])


def order_time(architecture: str, shop: Shop = CALM) -> LognormalSum:
    """How long SubmitOrder runs for an order of A0 or A1, from the parts of its time."""
    own_ms = shop.handler_cpu_ms
    if architecture == "A1":  # each step is a function of its own, with a hop to it
        own_ms += len(CALLS) * (shop.handler_cpu_ms + shop.invoke_ms)
    return LognormalSum(
        [
            (shop.set_aside_ms / 1000, shop.set_aside_cv),
            (shop.authorize_ms / 1000, shop.authorize_cv),
            (shop.decrease_ms / 1000, shop.decrease_cv),
            (shop.email_ms / 1000, shop.email_cv),
        ],
        constant=own_ms / 1000,
    )


def charges(trace: Trace) -> dict[int, float]:
    """How often each order's card was charged."""
    found: dict[int, float] = {}
    payments = trace.code(PAYMENTS)
    spans = trace.spans
    for component, request, units in zip(spans.component, spans.request, spans.units, strict=True):
        if component == payments:
            found[request] = found.get(request, 0.0) + units
    return found


@experiment("lambda-resilience")
def false_timeouts(
    timeout_s: Annotated[float, Slider(1.0, 10.0)] = 3.0,
    architecture: Annotated[str, Choice(("A0", "A1"))] = "A0",
    orders: Annotated[int, Slider(1_000, 200_000, log=True)] = 12_000,
    seed: int = 1,
) -> Result:
    """The share of orders that outlast a timeout when nothing at all is broken."""
    theory = order_time(architecture)
    free = run_orders(
        architecture, CALM.but(timeout_s=60.0), Poisson(50.0), duration_s=orders / 50, seed=seed
    )
    cut = run_orders(
        architecture, CALM.but(timeout_s=timeout_s), Poisson(50.0), duration_s=orders / 50,
        seed=seed,
    )  # fmt: skip
    latency = sorted(free.requests.latency_s)
    n = len(latency)
    steps = [1.0 + 0.25 * i for i in range(18)]
    marks = [1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]
    shares = [share_interval(sum(one > at for one in latency), n) for at in marks]
    late = {row.id for row in cut.requests.rows() if row.outcome != "confirmed"}
    charged = charges(cut)
    paid = share_interval(sum(charged.get(order, 0.0) > 0 for order in late), len(late))
    hit = share_interval(len(late), len(cut.requests))
    return Result(
        Axis("timeout", "s"),
        Axis("orders that take longer", "%", log=True),
        (
            Series("theory", steps, [100 * theory.tail(at) for at in steps], role="theory"),
            Series(
                "simulated", marks, [100 * s.mean for s in shares], kind="points", role="coupled",
                low=[100 * s.low for s in shares], high=[100 * s.high for s in shares],
            ),
        ),
        {
            "theory": Number(theory.tail(timeout_s)),
            "timed out": Number(hit.mean, "", hit.low, hit.high),
            "charged": Number(paid.mean, "", paid.low, paid.high),
            "p99": Number(theory.quantile(0.99), "s"),
            "p99.9": Number(theory.quantile(0.999), "s"),
            "orders": Number(n),
        },
    )  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """What a team does about failures."""

    name: str
    timeout_s: float
    #: Settings of the client between the function and each provider, if there is one.
    clients: dict[str, Any] | None = None
    #: How often the customer's client sends the whole order.
    customer_attempts: int = 1
    #: Whether the payment carries an idempotency key.
    key: bool = False
    queues: bool = False


def call_timeout_s(name: str) -> float:
    """A call's timeout: what one in a thousand good calls would exceed."""
    shop = CALM
    mean_ms, cv = {
        STOCK: (shop.set_aside_ms, shop.set_aside_cv),
        PAYMENTS: (shop.authorize_ms, shop.authorize_cv),
        DATABASE: (shop.decrease_ms, shop.decrease_cv),
        MAIL: (shop.email_ms, shop.email_cv),
    }[name]
    return Lognormal(mean_ms / 1000, cv).quantile(0.999)


#: Long enough for three tries of every call, below the 29 s of API Gateway.
LONG_S = 20.0

POLICIES = (
    Policy("as created", 3.0),
    Policy("longer timeout", LONG_S),
    Policy("customer retries", LONG_S, customer_attempts=3),
    Policy("calls retry, key", LONG_S, clients=sdk_retries("standard"), key=True),
    Policy("queues, key", LONG_S, key=True, queues=True),
)

#: Both of them: the calls retry, and the customer's client repeats the order under the same key.
ALL_REPEAT = Policy(
    "all repeat, key", LONG_S, clients=sdk_retries("standard"), customer_attempts=3, key=True
)

#: The share of invocations that the trial of own crashes ends, half of them before the handler.
CRASHES = 0.02


@dataclass(frozen=True)
class Trial:
    """A fault to try: on providers by name, and on the functions themselves."""

    name: str
    providers: dict[str, Fault] = field(default_factory=dict)
    function: Fault | None = None


def trials(duration_s: float) -> tuple[Trial, ...]:
    """The faults that every policy meets, for a run of so many seconds."""
    whole = (0.0, 10.0 * duration_s)
    outage = ((0.4 * duration_s, 0.6 * duration_s),)
    return (
        Trial("no fault"),
        Trial("errors, 1 %", _every(Fault(0.01, 0.5))),
        Trial("errors, 10 %", _every(Fault(0.1, 0.5))),
        Trial("payment 4× slower", {PAYMENTS: Fault(slowness=(Slowness(*whole, factor=4.0),))}),
        Trial("payment hangs, 2 %", {PAYMENTS: Fault(0.02, 0.5, fails_after_s=60.0)}),
        Trial("zone lost, 1 of 3", _every(Fault(zone_losses=(ZoneLoss(*whole),)))),
        Trial("own crash, 2 %", function=Fault(CRASHES, 0.5)),
        Trial("payment down, 1/5", {PAYMENTS: Fault(outages=outage)}),
    )


def _every(fault: Fault) -> dict[str, Fault]:
    return dict.fromkeys(CALLS, fault)


@dataclass(frozen=True)
class Outcome:
    """What became of the orders of one run."""

    right: Interval
    """Confirmed in the end, charged exactly once."""
    harmed: Interval
    """Charged, but never confirmed, or charged more than once."""
    mean_answer_s: float
    calls: float
    """Payment calls an order."""


def build(sim: Simulation, policy: Policy, shop: Shop) -> Component:
    """The order system under a policy; returns what customers call."""
    if policy.queues:
        return ARCHITECTURES["B1"](sim, shop)
    book = shop.open(sim)
    names = list(CALLS)
    if policy.clients is not None:
        for i, name in enumerate(CALLS):
            names[i] = name + " client"
            settings = {"timeout_s": call_timeout_s(name)} | policy.clients
            Client(sim, names[i], sim.components[name], **settings)

    def submit_order(order: int, context: Context) -> Steps:
        yield context.compute(ms=shop.handler_cpu_ms)
        for name in names:
            yield context.call(name, entity=order)
        return book.settle(order, "confirmed")

    submit: Component = shop.function(sim, "SubmitOrder", submit_order, called=False)
    if policy.customer_attempts > 1:
        pause = Backoff(1.0, cap_s=20.0)
        submit = Client(
            sim, "customer", submit, max_attempts=policy.customer_attempts, pause_s=pause
        )
    return submit


def survive(policy: Policy, trial: Trial, orders: int, duration_s: float, seed: int) -> Outcome:
    """Run one policy against one fault."""
    shop = CALM.but(timeout_s=policy.timeout_s, idempotent_payment=policy.key)
    sim = Simulation(seed, faults=trial.providers)
    target = build(sim, policy, shop)
    if trial.function is not None:
        for component in list(sim.components.values()):
            if isinstance(component, Function):
                component.handler = inject(
                    sim, component.name, component.handler, trial.function
                )  # fmt: skip
    trace = sim.run(Poisson(orders / duration_s) >> target, duration_s=duration_s)
    book = sim.components["orders"]
    charged = charges(trace)
    right = harmed = 0
    for order in trace.requests.id:
        paid = charged.get(order, 0.0)
        is_confirmed = book.has(order, "settled")  # type: ignore[attr-defined]
        right += is_confirmed and paid == 1
        harmed += paid > 1 or (paid == 1 and not is_confirmed)
    n = len(trace.requests)
    return Outcome(
        share_interval(right, n), share_interval(harmed, n), trace.requests.latency_s.mean(),
        len(list(trace.spans_of(PAYMENTS))) / n,
    )  # fmt: skip


@experiment("lambda-resilience")
def slo_map(
    orders: Annotated[int, Slider(200, 20_000, log=True)] = 800,
    seed: int = 1,
) -> Iterator[Result]:
    """Each fault against each policy: the share of orders that end right."""
    duration_s = 200.0
    rows = trials(duration_s)
    numbers: dict[str, Number] = {}
    series = []
    for policy in POLICIES:
        many = orders // 2 if policy.queues else orders  # three times the events
        found = [survive(policy, trial, many, duration_s, seed) for trial in rows]
        for trial, one in zip(rows, found, strict=True):
            key = f"{policy.name}: {trial.name}"
            for what, share in (("", one.right), (", harmed", one.harmed)):
                mean, low, high = (100 * v for v in share)
                numbers[key + what] = Number(mean, "%", low, high)
            numbers[key + ", answer"] = Number(one.mean_answer_s, "s")
        series.append(
            Series(policy.name, [t.name for t in rows], [100 * one.right.mean for one in found])
        )
        yield Result(Axis("fault"), Axis("orders that end right", "%"), tuple(series), numbers)


#: What may stand between a function and a payment provider that is down.
GUARDS: dict[str, dict[str, Any]] = {
    "no retry": {"max_attempts": 1},
    "three tries": {"max_attempts": 3, "pause_s": Backoff(0.05, cap_s=20.0)},
    "SDK, standard mode": sdk_retries("standard"),
    "circuit breaker in each environment": sdk_retries("standard") | {"breaker": Breaker()},
    "breaker, state shared": sdk_retries("standard") | {"breaker": Breaker(scope="state")},
    "breaker, count and state shared": sdk_retries("standard")
    | {"breaker": Breaker(scope="shared")},
}


@experiment("lambda-resilience")
def outage(
    rate_per_s: Annotated[float, Slider(1, 50)] = 20.0,
    down_s: Annotated[float, Slider(10, 600)] = 60.0,
    seed: int = 1,
) -> Result:
    """A payment provider that is down: what each guard sends it, and what customers wait."""
    before_s = 30.0
    end_s = before_s + down_s
    names = list(GUARDS)
    calls, waits, numbers = [], [], {}
    for name, guard in GUARDS.items():
        fault = Fault(outages=((before_s, end_s),))
        sim = Simulation(seed, faults={PAYMENTS: fault})
        policy = Policy(name, LONG_S, clients=guard)
        target = build(sim, policy, CALM.but(timeout_s=LONG_S))
        trace = sim.run(Poisson(rate_per_s) >> target, duration_s=end_s)
        failed = [
            row for row in trace.requests.rows() if before_s <= row.start_s and row.outcome != "ok"
        ]
        failed = [row for row in failed if row.outcome != "confirmed"]
        sent = sum(before_s <= row.queued_s < end_s for row in trace.spans_of(PAYMENTS))
        orders = sum(before_s <= at < end_s for at in trace.requests.start_s)
        calls.append(sent / orders)
        waits.append(sum(row.end_s - row.start_s for row in failed) / max(len(failed), 1))
        numbers[f"{name}: calls"] = Number(calls[-1], "per order")
        numbers[f"{name}: wait"] = Number(waits[-1], "s")
        environments = {row.environment for row in trace.spans_of("SubmitOrder")}
        numbers[f"{name}: environments"] = Number(len(environments))
    return Result(
        Axis("guard"), Axis("payment calls an order"), (Series("calls", names, calls, "bars"),),
        numbers,
    )  # fmt: skip
