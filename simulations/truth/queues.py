"""Loss, waiting and batches of the models against queueing theory, and its insensitivity.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulations.faults import Fault
from simulations.fleet import replay, simulate
from simulations.services import Client, Context, EventSourceMapping, Function, Provider, Queue
from simulations.services.account import Bucket
from simulations.services.handler import Steps
from simulations.services.queue import Message
from simulations.simulation import Simulation
from simulations.stats import Interval, mean_interval, share_interval
from simulations.theory import (
    batches,
    bucket_refused,
    closed_mmc,
    cold_probability,
    constant_gaps,
    engset,
    erlang_b,
    exponential_gaps,
    mixed_cold_probability,
    mmc,
    retry_layers,
)
from simulations.truth import Compared, row
from simulations.workload import Closed, Exponential, Poisson, Uniform


def _percent(share: Interval) -> Interval:
    return Interval(*(100 * value for value in share))


def _insensitive(service: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        runs = [
            simulate(
                8.0, 1.0, keep_alive_s=60.0, concurrency_limit=10, service=service,
                service_cv=1.5, duration_s=60_000.0, warmup_s=100.0, seed=seed,
            ).rejected_share
            for seed in range(20)
        ]  # fmt: skip
        return Compared(_percent(mean_interval(runs)), 100 * erlang_b(8, 10))

    return compare


for _service in ("exponential", "constant", "lognormal"):
    row(
        f"erlang-b-{_service}", kind="verification", chapter="lambda-concurrency", unit="%",
        what=f"Throttled share of a mean concurrency of 8 on a limit of 10, {_service} durations "
        "(fleet engine)",
        source="Erlang B, 1917; it asks for the mean duration only",
    )(_insensitive(_service))  # fmt: skip


@row(
    "engset-reserved", kind="verification", chapter="lambda-concurrency", unit="%", margin=0.06,
    what="Throttled share of 20 users who think for 9 s, one-second calls, 4 reserved",
    source="T. Engset, 1918: loss with a finite number of callers",
)  # fmt: skip
def finite_callers() -> Compared:
    """A throttled user thinks again, as Engset's callers do."""
    shares = []
    for seed in range(14):
        sim = Simulation(seed)

        def handler(request: int, context: Context) -> Steps:
            yield context.wait(1.0)

        function = Function(sim, "f", handler, reserved_concurrency=4, keep_alive_s=1e9)
        counts = sim.run(
            Closed(20, Exponential(9.0)) >> function, duration_s=4000.0, warmup_s=50.0
        ).requests.outcomes()
        shares.append(counts["throttled"] / sum(counts.values()))
    return Compared(_percent(mean_interval(shares)), 100 * engset(20, 9.0, 1.0, 4).loss)


@row(
    "closed-load-two", kind="verification", chapter="lambda-resilience", unit="s", margin=0.03,
    what="Response time of 20 users who think for 15 s and share two servers of 1 s",
    source="Machine repair with two repairmen (birth and death equations)",
)  # fmt: skip
def two_servers() -> Compared:
    """A provider with two connections."""
    means = []
    for seed in range(16):
        sim = Simulation(seed)
        till = Provider(sim, "till", time_s=Exponential(1.0), connections=2)
        trace = sim.run(Closed(20, Exponential(15.0)) >> till, duration_s=12_000, warmup_s=200)
        means.append(trace.requests.latency_s.mean())
    return Compared(mean_interval(means), closed_mmc(20, 15.0, 1.0, 2).response_s)


@row(
    "connections-mmc", kind="verification", chapter="lambda-resilience", unit="s", margin=0.04,
    what="Response time of 3 calls a second of 1 s on a database with six connections",
    source="Erlang C, 1917",
)  # fmt: skip
def connections() -> Compared:
    """Half of the capacity in use; who finds all six busy waits."""
    means = []
    for seed in range(8):
        sim = Simulation(seed)
        database = Provider(sim, "db", time_s=Exponential(1.0), connections=6)
        trace = sim.run(Poisson(3.0) >> database, duration_s=4000, warmup_s=50)
        means.append(trace.requests.latency_s.mean())
    return Compared(mean_interval(means), mmc(3.0, 1.0, 6).response_s)


@row(
    "token-bucket", kind="verification", chapter="lambda-concurrency", unit="%", margin=0.05,
    what="Poisson requests that find no token, at the refill rate of a bucket of 5 tokens",
    source="States of M/D/1 that refuses (level crossing)",
)  # fmt: skip
def bucket() -> Compared:
    """The bucket behind an account's requests a second and its scaling rate."""
    shares = []
    for seed in range(10):
        random, tokens = Simulation(seed).stream("bucket"), Bucket(5.0, 1.0)
        now_s, refused = 0.0, 0
        for _ in range(100_000):
            now_s += random.expovariate(1.0)
            refused += not tokens.take(now_s)
        shares.append(refused / 100_000)
    return Compared(_percent(mean_interval(shares)), 100 * bucket_refused(1.0, 1.0, 5))


@row(
    "batch-window", kind="verification", chapter="lambda-invocation", unit="messages",
    what="Messages an invocation gets at 20 a second, at most ten, window of 0.3 s",
    source="Batches closed by size or time (renewal reward)",
)  # fmt: skip
def batch_window() -> Compared:
    """Count what the handler of an SQS mapping is given."""
    means = []
    for seed in range(5):
        sim, sizes = Simulation(seed), list[int]()

        def handler(messages: list[Message], context: Context, sizes: list[int] = sizes) -> None:
            sizes.append(len(messages))

        queue = Queue(sim, "q")
        function = Function(sim, "f", handler, keep_alive_s=1e9)
        EventSourceMapping(sim, queue, function, batch_size=10, window_s=0.3)
        sim.run(Poisson(20.0) >> queue, duration_s=600.0)
        means.append(sum(sizes) / len(sizes))
    return Compared(mean_interval(means), batches(20.0, 10, 0.3).size)


@row(
    "retry-layers", kind="verification", chapter="lambda-resilience", unit="calls", margin=0.001,
    what="Calls that reach a dead database through five layers of three attempts each",
    source="AWS Builders' Library, Timeouts, retries, and backoff with jitter: 243-fold",
    url="https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/",
)  # fmt: skip
def layers() -> Compared:
    """Five clients, each of which calls the next; the last one's provider always fails."""
    sim = Simulation(faults={"db": Fault(error_rate=1.0)})
    target: Client | Provider = Provider(sim, "db", mean_ms=5)
    for layer in range(5):
        target = Client(sim, f"layer {layer}", target, max_attempts=3)
    trace = sim.run(Poisson(0.5) >> target, duration_s=20.0)
    reached = len(list(trace.spans_of("db"))) / len(trace.requests)
    return Compared(Interval(reached, reached, reached), retry_layers(3, 5))


@row(
    "cold-random-life", kind="verification", chapter="cold-starts", unit="%", margin=0.01,
    what="Cold share of a call every 300 s on average, each idle life drawn from 294 to 347 s",
    source="Mean of exp(−rate · keep-alive) over the lives",
)  # fmt: skip
def random_life() -> Compared:
    """The fleet engine, a new life for each idle spell."""
    life = Uniform(294.0, 347.0)
    run = simulate(1 / 300, 0.0, keep_alive_s=life, duration_s=3e8, seed=4)
    ours = share_interval(round(run.cold_share * run.requests), run.requests)
    return Compared(_percent(ours), 100 * cold_probability(1 / 300, life))


@row(
    "cold-mixed-callers", kind="verification", chapter="cold-starts", unit="%", margin=0.02,
    what="Cold share of a schedule every 400 s beside users every 600 s on average, kept for 320 s",
    source="Superposition of renewal processes (D. Cox, 1962)",
)  # fmt: skip
def mixed_callers() -> Compared:
    """The fleet engine on both callers' requests, merged."""
    until_s = 2e8
    random = np.random.default_rng(3)
    users = np.cumsum(random.exponential(600.0, int(until_s / 600)))
    schedule = np.arange(0.0, float(users[-1]), 400.0)
    merged = np.sort(np.concatenate((users, schedule)))
    found = replay(merged, 0.0, keep_alive_s=320.0)
    ours = share_interval(round(found.cold_share * found.requests), found.requests)
    theirs = mixed_cold_probability([constant_gaps(400.0), exponential_gaps(600.0)], 320.0)
    return Compared(_percent(ours), 100 * theirs)
