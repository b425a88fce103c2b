"""The bill of the order system from plain inputs, to hold the simulated bill against.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from simulations._check import positive
from simulations.facts import fact
from simulations.orders import ARCHITECTURES
from simulations.orders.shop import INIT_S, Shop
from simulations.pricing import Usage, sns_usage, sqs_usage
from simulations.services import keep_alive
from simulations.theory import cold_probability
from simulations.workload import Distribution, Lognormal

#: Rounding up to a whole millisecond adds half of one on average.
ROUNDING_MS = 0.5
DAY_S = 86_400

#: What comes on top of a step's time: with which probability, and how long (None: nothing).
Extra = Sequence[tuple[float, Distribution | None]]
#: How large batches are: the share of each size.
Sizes = Mapping[int, float]
ALONE: Sizes = {1: 1.0}
NOTHING: Extra = ((1.0, None),)
Step = tuple[Lognormal, Extra]


@dataclass(frozen=True)
class Run:
    """One function of an architecture.

    Attributes
    ----------
    share
        Messages or calls an order.
    cpu_s, waits_s
        Its own work for each order; the mean of what it waits for.
    step
        Behind a queue: the step's time and what comes on top, to take the largest of a batch.
    """

    name: str
    share: float
    cpu_s: float
    waits_s: float
    step: Step | None = None

    def lasts_s(self, sizes: Sizes = ALONE) -> float:
        """Mean duration of an invocation with batches of these sizes."""
        mean = math.fsum(n * p for n, p in sizes.items())
        if self.step is None or mean == 1.0:
            return self.cpu_s + self.waits_s
        return self.cpu_s * mean + mean_of_largest(*self.step, sizes)


def distribution_of_sum(time: Lognormal, extra: Extra) -> Callable[[float], float]:
    """P(time + extra <= t), the extra taken at 24 of its quantiles."""
    points = 24
    shifts = [
        (weight / points, other.quantile((k + 0.5) / points))
        for weight, other in extra
        if other is not None
        for k in range(points)
    ]
    shifts += [(weight, 0.0) for weight, other in extra if other is None]
    sigma = math.sqrt(math.log1p(time.cv**2))
    normal = NormalDist(math.log(time.mean) - sigma * sigma / 2, sigma).cdf
    return lambda t: math.fsum(w * normal(math.log(t - s)) for w, s in shifts if t > s)


def mean_of_largest(time: Lognormal, extra: Extra, sizes: Sizes) -> float:
    """Mean of the largest of n sums of a lognormal time and, with some probability, another.

    The mean of a maximum is the integral of 1 - F(t)^n, taken here by the trapezoid rule; with
    n at random, F(t)^n is averaged over the sizes.

    Examples
    --------
    >>> round(mean_of_largest(Lognormal(1.0, 0.5), [(1.0, None)], {1: 1.0}), 3)
    1.0
    >>> round(mean_of_largest(Lognormal(1.0, 0.5), [(1.0, None)], {10: 1.0}), 3)
    1.926
    """
    below = distribution_of_sum(time, extra)
    end_s = time.quantile(1 - 1e-9) + max(o.quantile(1 - 1e-3) if o else 0.0 for _, o in extra)
    steps = 500

    def tail(t: float) -> float:
        f = below(t)
        return 1.0 - math.fsum(p * math.pow(f, n) for n, p in sizes.items())

    inner = math.fsum(tail(k * end_s / steps) for k in range(1, steps))
    return end_s / steps * (0.5 + inner)


def runs(architecture: str, shop: Shop) -> list[Run]:
    """The functions of an architecture, SubmitOrder first.

    A declined card costs one release of stock and saves the steps that follow.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture={architecture!r} is none of {', '.join(ARCHITECTURES)}")
    go, cpu_s = 1.0 - shop.declined_share, shop.handler_cpu_ms / 1000
    if architecture in ("A0", "A1"):
        steps = {
            "SetAsideStock": (1.0, shop.set_aside_ms / 1000),
            "AuthorizePayment": (1.0, shop.authorize_ms / 1000),
            "ReleaseStock": (1.0 - go, shop.set_aside_ms / 1000),
            "DecreaseStock": (go, shop.decrease_ms / 1000),
            "SendEmail": (go, shop.email_ms / 1000),
        }
        if shop.with_sms:
            steps["SendSms"] = (go, shop.sms_ms / 1000)
        chained = architecture == "A1"
        hop_s = cpu_s + shop.invoke_ms / 1000 if chained else 0.0
        waits_s = math.fsum(share * (s + hop_s) for share, s in steps.values())
        called = [Run(name, share, cpu_s, s) for name, (share, s) in steps.items() if chained]
        return [Run("SubmitOrder", 1.0, cpu_s, waits_s), *called]
    send = shop.send_time()
    set_aside = Lognormal(shop.set_aside_ms / 1000, shop.set_aside_cv)
    # Whoever finishes second passes the order on, or releases the stock of a declined one. Which
    # consumer it is makes no difference to a sum; in a batch it is the payment, which is slower.
    joined: Extra = ((go, send), (1.0 - go, set_aside))
    last = [("SendEmail", Lognormal(shop.email_ms / 1000, shop.email_cv))]
    if shop.with_sms:
        last.append(("SendSms", Lognormal(shop.sms_ms / 1000, shop.sms_cv)))
    sends = 1 if architecture == "C" else len(last)  # one publish, or a message to each queue
    passing: Extra = ((1.0, send),) if sends == 1 else ((1.0, Lognormal(send.mean * sends, 0.0)),)
    consumers: list[tuple[str, float, Lognormal, Extra]] = [
        ("ReserveStock", 1.0, set_aside, NOTHING),
        ("AuthorizePayment", 1.0, Lognormal(shop.authorize_ms / 1000, shop.authorize_cv), joined),
        ("DecreaseStock", go, Lognormal(shop.decrease_ms / 1000, shop.decrease_cv), passing),
        *((name, go, time, NOTHING) for name, time in last),
    ]
    submits_s = send.mean * (1 if architecture == "C" else 2)
    found = [Run("SubmitOrder", 1.0, cpu_s, submits_s)]
    for name, share, time, extra in consumers:
        mean_s = time.mean + math.fsum(w * (d.mean if d else 0.0) for w, d in extra)
        found.append(Run(name, share, cpu_s, mean_s, (time, extra)))
    return found


def batch_sizes(rate_per_s: float, window_s: float, largest: int) -> dict[int, float]:
    """The share of each batch size when messages come at random: one, and who joins in time.

    A batch goes `window_s` after its first message or when it is full.

    Examples
    --------
    >>> sizes = batch_sizes(4.0, 1.0, 10)
    >>> round(sum(n * p for n, p in sizes.items()), 2), round(batch_sizes(200.0, 1.0, 10)[10], 9)
    (4.99, 1.0)
    """
    joining = rate_per_s * window_s
    shares = {1: math.exp(-joining)}
    for size in range(2, largest):
        shares[size] = shares[size - 1] * joining / (size - 1)
    return {**shares, largest: max(0.0, 1.0 - math.fsum(shares.values()))}


def expected_usage(
    architecture: str, shop: Shop, orders: float, batches: Mapping[str, Sizes] | None = None
) -> Usage:
    """What so many orders use on average when nothing fails and environments are warm.

    Parameters
    ----------
    architecture : str
        One of `simulations.orders.ARCHITECTURES`.
    batches : mapping, optional
        How large the batches of each function are; 1 for those not named.

    Notes
    -----
    Left out: the receives of idle pollers and INIT, which depend on the rate of orders; see
    `expected_month`.
    """
    used = Usage()
    given = batches or {}
    go = 1.0 - shop.declined_share
    for run in runs(architecture, shop):
        sizes = given.get(run.name, ALONE)
        mean = math.fsum(n * p for n, p in sizes.items())
        times = orders * run.share / mean
        used.add("Request", times)
        gb_s = times * (run.lasts_s(sizes) + ROUNDING_MS / 1000) * shop.memory_mb / 1024
        used.add("Lambda-GB-Second", gb_s)
        if run.step is not None:
            # Each message is sent alone; a batch is received and deleted together.
            used = used + sqs_usage(requests=orders * run.share * (1 + 2 / mean))
    if architecture == "C":
        used = used + sns_usage(requests=orders * (1.0 + go))
    return used


def expected_month(
    architecture: str,
    shop: Shop,
    rate_per_s: float,
    days: float = 30,
    *,
    running_s: tuple[float, float] | None = None,
) -> Usage:
    """What a month of Poisson orders uses: `expected_usage`, idle pollers and cold starts.

    Parameters
    ----------
    rate_per_s : float
        Orders a second.
    running_s : tuple of (begin, end), optional
        The time since the queues were made that the month stands for. Pollers come when messages
        wait and stay, so later there are more of them. All of the month if left out.

    Notes
    -----
    Approximations: environments that overlap see Poisson arrivals (`cold_probability`); so do the
    later queues of B10, though they are fed by batches. Idle pollers are independent of each
    other. Each moves a bill by less than a percent.
    """
    month_s = positive("days", days) * DAY_S
    since = (0.0, month_s) if running_s is None else running_s
    orders = positive("rate_per_s", rate_per_s) * month_s
    largest = 10 if architecture == "B10" else 1
    window_s = shop.window_s if largest > 1 else 0.0
    batches = {
        run.name: batch_sizes(rate_per_s * run.share, window_s, largest) if largest > 1 else ALONE
        for run in runs(architecture, shop)
        if run.step is not None
    }
    used = expected_usage(architecture, shop, orders, batches)
    for run in runs(architecture, shop):
        sizes = batches.get(run.name, ALONE)
        arrivals = rate_per_s * run.share
        starts = arrivals / math.fsum(n * p for n, p in sizes.items())
        lasts_s = run.lasts_s(sizes)
        if not shop.warm:
            cold = cold_probability(starts, keep_alive(), lasts_s)
            init_gb_s = starts * month_s * cold * INIT_S.mean * shop.memory_mb / 1024
            used.add("Lambda-GB-Second", init_gb_s)
        if run.step is not None:
            if largest > 1:
                levels = _gathering(run.step, shop, arrivals, starts)
            else:
                levels = _overlapping(starts, lasts_s + shop.invoke_ms / 1000)
            used.add("Requests-RBP", empty_receives_per_s(levels, since) * month_s)
    return used


#: How often an additional poller is taken, and how long it is idle in between on average (s).
Level = tuple[float, float]


def _overlapping(starts_per_s: float, held_s: float) -> list[Level]:
    """Pollers that hold one message each: the m-th is taken when m - 1 are at work (M/G/inf)."""
    load = starts_per_s * held_s
    p = below = math.exp(-load)
    levels = []
    for m in range(1, 1000):
        rate = starts_per_s * p
        levels.append((rate, below / rate if rate > 0 else math.inf))
        if m > load and rate < 1e-12:
            break
        p *= load / m
        below += p
    return levels


def _gathering(step: Step, shop: Shop, arrivals_per_s: float, starts_per_s: float) -> list[Level]:
    """Pollers of a batched queue: one gathers for the window, the ones before it run.

    The m-th is taken when a batch begins to gather while m - 1 run: the oldest of them has then
    run for m - 2 windows and m - 1 waits for a first message.
    """
    below = distribution_of_sum(*step)
    together = arrivals_per_s / starts_per_s
    own_s = (together * shop.handler_cpu_ms + shop.invoke_ms) / 1000
    levels = [(starts_per_s, 1 / starts_per_s)]
    for m in range(2, 1000):
        age_s = (m - 2) * shop.window_s + (m - 1) / arrivals_per_s
        running = 1.0 - math.pow(below(max(age_s - own_s, 0.0)), together)
        rate = starts_per_s * running
        levels.append((rate, 1 / rate if rate > 0 else math.inf))
        if rate < 1e-12:
            break
    return levels


def empty_receives_per_s(levels: Sequence[Level], since_s: tuple[float, float]) -> float:
    """Receives that bring nothing, over all pollers of a queue.

    A poller idle for a time x asks floor(x / 20 s) times in vain; with idle times of mean M,
    exponentially distributed, 1 / (exp(20 s / M) - 1) times on average. The first five are there
    from the start (fact `lambda.sqs.pollers`), others from when they were first needed.

    Examples
    --------
    >>> empty_receives_per_s([(0.0, math.inf)], (0.0, 3600.0))
    0.25
    """
    wait_s = fact("sqs.poll")["long_poll_max_s"]
    first = int(fact("lambda.sqs.pollers")["initial_concurrent_batches"])
    begin_s, end_s = since_s
    parts = []
    for m in range(1, max(first, len(levels)) + 1):
        rate, idle_s = levels[m - 1] if m <= len(levels) else (0.0, math.inf)
        there = 1.0
        if m > first:
            came = math.exp(-rate * begin_s) - math.exp(-rate * end_s)
            there = 1.0 - came / (rate * (end_s - begin_s)) if rate > 0 else 0.0
        asks = 1 / wait_s if rate == 0 else rate / math.expm1(wait_s / idle_s)
        parts.append(there * asks)
    return math.fsum(parts)
