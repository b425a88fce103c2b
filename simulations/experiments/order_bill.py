"""The bill of the order system from plain inputs, to hold the simulated bill against.

May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import NormalDist

from simulations.orders.shop import Shop
from simulations.pricing import Usage, sns_usage, sqs_usage
from simulations.workload import Distribution, Lognormal

#: Rounding up to a whole millisecond adds half of one on average.
ROUNDING_MS = 0.5


def mean_of_largest(
    time: Lognormal, extra: list[tuple[float, Distribution | None]], n: float
) -> float:
    """Mean of the largest of `n` sums of a lognormal time and, with some probability, another.

    The mean of a maximum is the integral of 1 - F(t)^n, taken here by the trapezoid rule.

    Parameters
    ----------
    extra : list of (probability, distribution or None)
        What comes on top, and how often; None for nothing.
    n : float
        How many; a mean batch size need not be whole.

    Examples
    --------
    >>> round(mean_of_largest(Lognormal(1.0, 0.5), [(1.0, None)], 1), 3)
    1.0
    >>> round(mean_of_largest(Lognormal(1.0, 0.5), [(1.0, None)], 10), 3)
    1.926
    """
    sigma = math.sqrt(math.log1p(time.cv**2))
    mu = math.log(time.mean) - sigma * sigma / 2
    points = 24
    shifts = [
        (weight / points, other.quantile((k + 0.5) / points))
        for weight, other in extra
        if other is not None
        for k in range(points)
    ]
    shifts += [(weight, 0.0) for weight, other in extra if other is None]
    end_s = time.quantile(1 - 1e-9) + max(shift for _, shift in shifts)
    steps = 1500
    normal = NormalDist(mu, sigma).cdf

    def tail(t: float) -> float:
        below = math.fsum(w * normal(math.log(t - s)) for w, s in shifts if t > s)
        return 1.0 - math.pow(below, n)

    inner = math.fsum(tail(k * end_s / steps) for k in range(1, steps))
    return end_s / steps * (0.5 + inner)


def expected_usage(
    architecture: str, shop: Shop, orders: float, mean_batch: Mapping[str, float] | None = None
) -> Usage:
    """What so many orders use on average when nothing fails and environments are warm.

    Parameters
    ----------
    architecture : str
        One of `simulations.orders.ARCHITECTURES`.
    mean_batch : mapping, optional
        Messages an invocation by function name, taken from a trace (B10); 1 without.

    Notes
    -----
    Left out: the receives of idle pollers. A declined card costs one release of stock and
    saves the steps that follow.
    """
    cpu, go, send = shop.handler_cpu_ms, 1.0 - shop.declined_share, shop.send_ms
    steps = {
        "SetAsideStock": (1.0, shop.set_aside_ms),
        "AuthorizePayment": (1.0, shop.authorize_ms),
        "ReleaseStock": (1.0 - go, shop.set_aside_ms),
        "DecreaseStock": (go, shop.decrease_ms),
        "SendEmail": (go, shop.email_ms),
    }
    if shop.with_sms:
        steps["SendSms"] = (go, shop.sms_ms)
    used = Usage()

    def run(times: float, duration_ms: float) -> None:
        used.add("Request", times)
        gb_s = times * (duration_ms + ROUNDING_MS) / 1000 * shop.memory_mb / 1024
        used.add("Lambda-GB-Second", gb_s)

    if architecture == "A0":
        run(orders, cpu + math.fsum(share * ms for share, ms in steps.values()))
    elif architecture == "A1":
        called = (share * (shop.invoke_ms + cpu + ms) for share, ms in steps.values())
        run(orders, cpu + math.fsum(called))
        for share, ms in steps.values():
            run(orders * share, cpu + ms)
    else:
        _decoupled(run, used, shop, orders, architecture == "C", mean_batch or {})
        run(orders, cpu + (send if architecture == "C" else 2 * send))
    return used


def _decoupled(
    run: Callable[[float, float], None],
    used: Usage,
    shop: Shop,
    orders: float,
    topic: bool,
    mean_batch: Mapping[str, float],
) -> None:
    go, send = 1.0 - shop.declined_share, shop.send_time()
    set_aside = Lognormal(shop.set_aside_ms / 1000, shop.set_aside_cv)
    none: list[tuple[float, Distribution | None]] = [(1.0, None)]
    # Whoever finishes second passes the order on, or releases the stock of a declined one. Which
    # consumer it is makes no difference to a sum; in a batch it is the payment, which is slower.
    joined: list[tuple[float, Distribution | None]] = [(go, send), (1.0 - go, set_aside)]
    consumers: dict[str, tuple[float, Lognormal, list[tuple[float, Distribution | None]]]] = {
        "ReserveStock": (1.0, set_aside, none),
        "AuthorizePayment": (1.0, Lognormal(shop.authorize_ms / 1000, shop.authorize_cv), joined),
        "DecreaseStock": (go, Lognormal(shop.decrease_ms / 1000, shop.decrease_cv), [(1.0, send)]),
        "SendEmail": (go, Lognormal(shop.email_ms / 1000, shop.email_cv), none),
    }
    if shop.with_sms:
        consumers["SendSms"] = (go, Lognormal(shop.sms_ms / 1000, shop.sms_cv), none)
    for name, (share, time, extra) in consumers.items():
        batch = mean_batch.get(name, 1.0)
        if batch == 1.0:
            lasts_s = time.mean + math.fsum(w * (d.mean if d else 0.0) for w, d in extra)
        else:
            lasts_s = mean_of_largest(time, extra, batch)
        run(orders * share / batch, shop.handler_cpu_ms * batch + 1000 * lasts_s)
        # Each message is sent alone; a batch is received and deleted together.
        for usage_type, requests in sqs_usage(requests=orders * share * (1 + 2 / batch)).items():
            used.add(usage_type, requests)
    if topic:
        for usage_type, requests in sns_usage(requests=orders * (1.0 + go)).items():
            used.add(usage_type, requests)
