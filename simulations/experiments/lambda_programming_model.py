"""Experiments of the chapter *programming model*: open connections, and secrets that grow old.

May import: the standard library, SimPy and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Annotated

from simulations._check import positive
from simulations.experiment import Axis, Number, Result, Role, Series, Slider, experiment
from simulations.experiments.cold_count import count_cold
from simulations.orders.shop import Shop
from simulations.services import Context, Function, keep_alive
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.theory import mean_environments
from simulations.workload import Poisson

#: Memory that Amazon RDS for PostgreSQL counts for a connection in its default max_connections,
#: LEAST(DBInstanceClassMemory / 9531392, 5000). Source: AWS Prescriptive Guidance, Tuning
#: PostgreSQL parameters, max_connections, read 2026-11-23.
BYTES_PER_CONNECTION = 9_531_392
MOST_CONNECTIONS = 5000
GIB = 1024**3

#: How long AWS's Parameters and Secrets Lambda extension keeps a secret by default. Source: AWS
#: Lambda Developer Guide, Use Secrets Manager secrets in Lambda functions, read 2026-11-23.
EXTENSION_TTL_S = 300.0

#: Rates of the simulated points, per second: what a page has time for.
SIMULATED_PER_S = (0.3, 1.0, 3.0, 10.0)


def default_connections(memory_gib: float) -> int:
    """Connections that an RDS for PostgreSQL database takes by default.

    An upper bound: the memory that counts is what the instance has left for the database.

    Examples
    --------
    >>> default_connections(1), default_connections(8), default_connections(64)
    (112, 901, 5000)
    """
    return min(
        int(positive("memory_gib", memory_gib) * GIB / BYTES_PER_CONNECTION), MOST_CONNECTIONS
    )


def memory_for_gib(connections: int) -> float:
    """Database memory (GiB) at which the default allows so many connections.

    Examples
    --------
    >>> round(memory_for_gib(1000), 1)
    8.9
    """
    return connections * BYTES_PER_CONNECTION / GIB


def order_durations_s(shop: Shop | None = None) -> tuple[float, float]:
    """Mean billed time of taking an order: handing it to two queues, and waiting for each step.

    Examples
    --------
    >>> [round(seconds, 3) for seconds in order_durations_s()]
    [0.035, 1.283]
    """
    shop = shop or Shop()
    go = 1 - shop.declined_share
    steps = (
        (1.0, shop.set_aside_ms),
        (1.0, shop.authorize_ms),
        (1 - go, shop.set_aside_ms),
        (go, shop.decrease_ms),
        (go, shop.email_ms),
    )
    own = shop.handler_cpu_ms
    waiting = own + math.fsum(share * (shop.invoke_ms + own + ms) for share, ms in steps)
    return (own + 2 * shop.send_ms) / 1000, waiting / 1000


@experiment("lambda-programming-model")
def connections(
    front_s: Annotated[float, Slider(0.01, 10, log=True)] = 0.035,
    waiting_s: Annotated[float, Slider(0.01, 10, log=True)] = 1.283,
    rate_per_s: Annotated[float, Slider(0.1, 1000, log=True)] = 200.0,
    memory_gib: Annotated[float, Slider(1, 48)] = 1.0,
    seed: int = 1,
) -> Result:
    """Connections open against calls per second, one for each environment, for two durations.

    Numbers, for "front" and "waiting": "running", the mean of calls in progress (Little's law);
    "open", the mean of environments alive, both at `rate_per_s`; "rate at the limit", calls per
    second at which the open ones reach what a database of `memory_gib` takes by default.
    """
    kept = keep_alive(2025)
    limit = default_connections(memory_gib)
    rates = [0.1 * 10 ** (k / 8) for k in range(33)]
    numbers = {"limit": Number(limit)}
    names = {"front": f"{1000 * front_s:.3g} ms a call", "waiting": f"{waiting_s:.3g} s a call"}
    series: list[Series] = []
    roles: tuple[tuple[str, float, Role], ...] = (
        ("front", front_s, "decoupled"),
        ("waiting", waiting_s, "coupled"),
    )
    for name, duration_s, role in roles:
        busy = [(r, r * duration_s) for r in rates if r * duration_s >= 0.1]
        label = "running" if name == "waiting" else ""
        x, y = zip(*busy, strict=True)
        series.append(Series(label, x, y, "line", "theory", label_at=30.0))
        alive = [mean_environments(r, kept, duration_s) for r in rates]
        series.append(Series(names[name], rates, alive, "line", role, label_at=3.0))
        found = [
            count_cold(
                r, duration_s, kept, requests=max(4000, int(1000 * r)), seed=seed
            ).mean_environments
            for r in SIMULATED_PER_S
        ]
        series.append(Series("", SIMULATED_PER_S, found, "points", role))
        numbers[f"{name} running"] = Number(rate_per_s * duration_s)
        numbers[f"{name} open"] = Number(mean_environments(rate_per_s, kept, duration_s))
        numbers[f"{name} rate at the limit"] = Number(_rate_where(limit, duration_s), "1/s")
        worst = max(
            abs(there / mean_environments(r, kept, duration_s) - 1)
            for r, there in zip(SIMULATED_PER_S, found, strict=True)
        )
        numbers[f"{name} worst error"] = Number(worst)
    ends = [rates[0], rates[-1]]
    series.append(
        Series(f"limit at {memory_gib:g} GiB", ends, [limit] * 2, "line", "limit", label_at=0.4)
    )
    return Result(
        Axis("calls per second", log=True), Axis("connections", log=True), tuple(series), numbers
    )


def _rate_where(limit: float, duration_s: float) -> float:
    """Calls per second at which so many environments are alive, by halving."""
    kept = keep_alive(2025)
    # More are alive than run, so the rate lies below that at which `limit` run.
    low, high = 0.0, limit / duration_s
    for _ in range(20):
        middle = (low + high) / 2
        if mean_environments(middle, kept, duration_s) < limit:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def secret_ages(
    ttl_s: float, rate_per_s: float, duration_s: float, seconds: float, seed: int = 1
) -> tuple[list[float], int]:
    """Age of the secret that each call uses (s, sorted), and how often one was fetched.

    Each environment keeps its secret until a call finds it older than `ttl_s`. The first
    `ttl_s` are left out.

    Raises
    ------
    ValueError
        If a parameter is not possible.
    """
    positive("ttl_s", ttl_s)

    def handler(call: int, context: Context) -> Steps:
        yield context.wait(duration_s)

    sim = Simulation(seed)
    function = Function(sim, "f", handler, timeout_s=900.0)
    trace = sim.run(Poisson(rate_per_s) >> function, duration_s=seconds + ttl_s)
    ages: list[float] = []
    fetched: dict[int, float] = {}
    fetches = 0
    for span in sorted(trace.spans_of("f", "invoke"), key=lambda span: span.start_s):
        now_s, counts = span.start_s, span.start_s >= ttl_s
        if now_s - fetched.get(span.environment, -math.inf) >= ttl_s:
            fetched[span.environment] = now_s
            fetches += counts
        if counts:
            ages.append(now_s - fetched[span.environment])
    return sorted(ages), fetches


@experiment("lambda-programming-model")
def stale_secrets(
    ttl_s: Annotated[float, Slider(10, 3600, log=True)] = EXTENSION_TTL_S,
    short_ttl_s: Annotated[float, Slider(10, 3600, log=True)] = 60.0,
    rate_per_s: Annotated[float, Slider(0.1, 50, log=True)] = 5.0,
    duration_s: Annotated[float, Slider(0.01, 10, log=True)] = 0.5,
    seed: int = 1,
) -> Result:
    """Share of calls with the old secret against the time since it was rotated.

    A call uses the old one if its copy was fetched before the rotation: at time t after it, if
    the copy is older than t. So the curve is the share of calls whose copy is older than t.
    Theory: a copy is of any age up to the time to live alike, 1 - t / TTL. Numbers: "fetches
    per hour", for both.
    """
    series: list[Series] = []
    numbers = {}
    span_s = max(ttl_s, short_ttl_s)
    roles: tuple[tuple[float, Role, str], ...] = (
        (ttl_s, "coupled", "long"),
        (short_ttl_s, "decoupled", "short"),
    )
    for ttl, role, name in roles:
        seconds = 4 * span_s
        ages, fetches = secret_ages(ttl, rate_per_s, duration_s, seconds, seed)
        at = [ttl * k / 10 for k in range(11)]
        older = [100 * (1 - bisect_right(ages, t) / len(ages)) for t in at]
        series.append(
            Series(
                "theory" if name == "long" else "",
                [0.0, ttl, span_s],
                [100.0, 0.0, 0.0],
                "line",
                "theory",
            )
        )
        series.append(Series(f"TTL {ttl:g} s", at, older, "points", role, label_at=0.5 * ttl))
        numbers[f"{name} fetches per hour"] = Number(3600 * fetches / seconds, "1/h")
        numbers[f"{name} mean age"] = Number(math.fsum(ages) / len(ages), "s")
        numbers[f"{name} oldest"] = Number(ages[-1], "s")
    series.append(Series("no TTL", [0.0, span_s], [100.0, 100.0], "line", "limit"))
    return Result(
        Axis("time since rotation", "s"),
        Axis("calls with the old secret", "%"),
        tuple(series),
        numbers,
    )
