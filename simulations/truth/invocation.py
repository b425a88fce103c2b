"""Invocation: losses after retries, outages, the ramp of an SQS mapping, messaging latency.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations.clock import Caller
from simulations.experiments.lambda_invocation import Setting, covered_s, run_way
from simulations.faults import Fault
from simulations.orders import Shop
from simulations.services import (
    AsyncInvoke,
    Context,
    EventSourceMapping,
    Function,
    Message,
    Queue,
    Topic,
)
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.stats import Interval, quantile_interval, share_interval
from simulations.theory import ramp_drain_s, retry_failure
from simulations.truth import Compared, row
from simulations.workload import Poisson, Recorded

INVOCATION = "lambda-invocation"


def _loss(way: str, failure: float, attempts: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        got = run_way(way, Poisson(50.0), Fault(error_rate=failure), duration_s=200.0, seed=3)
        ours = share_interval(got.events - got.done, got.events)
        return Compared(Interval(*(100 * v for v in ours)), 100 * retry_failure(failure, attempts))

    return compare


for way, failure, attempts, what in (
    ("asynchronous", 0.5, 3, "Asynchronous events lost when half of the attempts fail"),
    ("queue", 0.7, 5, "Messages dead-lettered after 5 receives when 70 % of the attempts fail"),
):
    row(
        f"loss-{way}", kind="verification", chapter=INVOCATION, unit="%", margin=0.1, what=what,
        source="Independent attempts: p to the power of their number",
    )(_loss(way, failure, attempts))  # fmt: skip


def _outage(way: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        length_s, setting = 600.0, Setting()
        hung = Fault(outages=((0.0, length_s),))
        got = run_way(way, Poisson(5.0), hung, setting, duration_s=length_s, seed=5)
        ours = share_interval(got.events - got.done, got.events)
        span_s = covered_s(way, setting, setting.call_s)
        return Compared(Interval(*(100 * v for v in ours)), 100 * (1 - span_s / length_s))

    return compare


for way in ("asynchronous", "queue"):
    row(
        f"outage-{way}", kind="verification", chapter=INVOCATION, unit="%", margin=0.05,
        what=f"Events of a 10-minute outage never done, {way}",
        source="1 - span of the attempts / length of the outage",
    )(_outage(way))  # fmt: skip


@row(
    "sqs-ramp-drain", kind="verification", chapter=INVOCATION, unit="s", margin=0.05,
    what="Draining 20,000 messages of 1.7 s, batches of one, from 5 pollers and 300 more a minute",
    source="Fluid integral of the documented ramp",
    url="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
)  # fmt: skip
def ramp() -> Compared:
    """Drain a backlog; hold the time against the integral of the ramp."""
    messages, each_s = 20_000, 1.7
    sim = Simulation(1)

    def handler(batch: list[Message], context: Context) -> Steps:
        yield context.wait(each_s)

    queue = Queue(sim, "backlog")
    function = Function(sim, "drain", handler, timeout_s=30)
    EventSourceMapping(sim, queue, function, batch_size=1)
    for number in range(messages):
        queue.put(number, Caller(-1, number), 1.0)
    trace = sim.run(Recorded(()) >> queue, duration_s=1.0)
    ended_s = trace.header["ended_s"]
    return Compared(Interval(ended_s, ended_s, ended_s), ramp_drain_s(messages, each_s))


def _sqs_latency(quantile: float, published_ms: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        shop, sim = Shop(warm=True), Simulation(2)
        begun_ms: list[float] = []

        def sender(order: int, context: Context) -> Steps:
            yield queue.send(sim.now_s)

        def handler(batch: list[Message], context: Context) -> None:
            begun_ms.extend(1000 * (sim.now_s - message.body) for message in batch)

        queue = shop.queue(sim, "q")
        EventSourceMapping(sim, queue, shop.function(sim, "consumer", handler), batch_size=1)
        front = shop.function(sim, "sender", sender, called=False)
        sim.run(Poisson(20.0) >> front, duration_s=200.0)
        ours = quantile_interval(begun_ms, quantile)
        return Compared(ours, published_ms)

    return compare


def _sns_latency(quantile: float, published_ms: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        shop, sim = Shop(warm=True), Simulation(2)
        begun_ms: list[float] = []

        def sender(order: int, context: Context) -> Steps:
            yield topic.publish(sim.now_s)

        def handler(sent_s: float, context: Context) -> None:
            begun_ms.append(1000 * (sim.now_s - sent_s))

        consumer = shop.function(sim, "consumer", handler)
        topic = Topic(sim, "news", publish_s=shop.send_time()).subscribe(AsyncInvoke(sim, consumer))
        front = shop.function(sim, "sender", sender, called=False)
        sim.run(Poisson(20.0) >> front, duration_s=200.0)
        return Compared(quantile_interval(begun_ms, quantile), published_ms)

    return compare


for _name, _quantile, _published_ms in (("median", 0.5, 73.0), ("p99", 0.99, 225.0)):
    row(
        f"sns-latency-{_name}", kind="validation", chapter="async-messaging", unit="ms",
        what=f"From publishing to a topic to the handler's begin, {_name}: the shop's assumptions",
        source="Bite-sized Serverless, 1,024 messages, eu-west-1, September 2022", margin=0.15,
        url="https://bitesizedserverless.com/",
        why="The shop's times are round assumptions, publishing and invoking 10 and 12 ms; the "
        "topic's own way and the asynchronous queue behind it take more than both.",
    )(_sns_latency(_quantile, _published_ms))  # fmt: skip


for name, quantile, published_ms, why in (
    (
        "median",
        0.5,
        16.2,
        "The shop's times are round assumptions, sending and invoking 10 and 12 ms",
    ),
    (
        "p99",
        0.99,
        105.0,
        "The shop's assumptions have no slow polls or slow invocations in their tail",
    ),
):
    row(
        f"sqs-latency-{name}", kind="validation", chapter="async-messaging", unit="ms", margin=0.15,
        what=f"From sending a message to its handler's begin, {name}: the shop's assumptions",
        source="Bite-sized Serverless, 1,024 messages, eu-west-1, September 2022",
        url="https://bitesizedserverless.com/", why=why,
    )(_sqs_latency(quantile, published_ms))  # fmt: skip
