"""Break-evens as crossings: two ways of building, each a full bill over one quantity.

Where `simulations.pricing.breakeven` answers with one whole number, this room solves on the bills
themselves, so that both can be shown and both agree where they cross. May import: the standard
library, `simulations.facts`, `simulations._check` and the rest of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from simulations._check import between, positive, whole
from simulations.facts import fact
from simulations.pricing.bill import Bill
from simulations.pricing.estimators import lambda_suffix, lambda_usage, sqs_usage
from simulations.pricing.estimators_calls import (
    express_workflow_usage,
    http_api_usage,
    rest_api_usage,
    standard_workflow_usage,
)
from simulations.pricing.pricelist import PriceList
from simulations.pricing.usage import Usage

MILLION = 1_000_000
#: A month as AWS's calculator counts it.
MONTH_H = 730


@dataclass(frozen=True)
class Crossing:
    """Two ways of building over one quantity.

    Attributes
    ----------
    id, question
        A short name, and what is asked.
    quantity, unit
        What the bills are over; from `low` to `high`.
    names
        The two ways: the first is cheaper below the crossing.
    left, right
        The full bill of each at a value of the quantity.
    """

    id: str
    question: str
    quantity: str
    unit: str
    names: tuple[str, str]
    low: float
    high: float
    left: Callable[[float], Bill]
    right: Callable[[float], Bill]

    def difference(self, at: float) -> Decimal:
        """How much more the first way costs, exact."""
        return self.left(at).total - self.right(at).total

    def solve(self) -> float | None:
        """Where both cost the same, to the last digits of a float.

        None if the first way never costs more up to `high`; `low` if it always does. The
        difference has to change its sign once.

        Examples
        --------
        >>> round(glue_or_direct().solve(), 3)
        1103.998
        """
        low, high = self.low, self.high
        if self.difference(high) <= 0:
            return None
        if self.difference(low) > 0:
            return low
        while high - low > 1e-13 * high:
            middle = (low + high) / 2
            if not low < middle < high:
                break
            if self.difference(middle) > 0:
                high = middle
            else:
                low = middle
        return high


def _mixed(make: Callable[[int], Usage], at: float, step: int = 1) -> Usage:
    """What is counted in whole steps, with a mean between two: some at the one, some at the other."""
    below = int(at // step)
    share = at / step - below
    return make(below * step) * (1 - share) + make((below + 1) * step) * share


def _list(prices: PriceList | None) -> PriceList:
    return PriceList.load() if prices is None else prices


def _lambda(requests: float, mean_ms: float, memory_mb: float, architecture: str) -> Usage:
    return _mixed(lambda ms: lambda_usage(requests, ms, memory_mb, architecture), mean_ms)


def provisioned_or_on_demand(
    duration_ms: float = 100,
    memory_mb: float = 512,
    architecture: str = "x86_64",
    prices: PriceList | None = None,
) -> Crossing:
    """One environment kept ready all month, or none: over the requests that it serves.

    Up to what it can serve one after the other; cold starts are left out.

    Examples
    --------
    >>> crossing = provisioned_or_on_demand()
    >>> round(crossing.solve() / crossing.high, 4)  # as a share of what it can serve
    0.6
    """
    sold = _list(prices)
    busiest = MONTH_H * 3600 * 1000 / positive("duration_ms", duration_ms)

    def on_demand(requests: float) -> Bill:
        return sold.bill(lambda_usage(requests, duration_ms, memory_mb, architecture))

    def ready(requests: float) -> Bill:
        return sold.bill(
            lambda_usage(
                0, duration_ms, memory_mb, architecture, provisioned_concurrency=1,
                provisioned_hours=MONTH_H, provisioned_requests=requests,
            )
        )  # fmt: skip

    return Crossing(
        "provisioned", "When is an environment kept ready cheaper than one on demand?",
        "its requests a month", "a month", ("on demand", "provisioned"), 0.0, busiest,
        on_demand, ready,
    )  # fmt: skip


def table_mode(kind: str = "write", prices: PriceList | None = None) -> Crossing:
    """One unit of provisioned capacity, or paying by request: over how much of it is used.

    Examples
    --------
    >>> round(table_mode().solve(), 3), round(table_mode("read").solve(), 3)
    (28.889, 28.889)
    """
    names = {
        "write": ("WriteRequestUnits", "WriteCapacityUnit-Hrs"),
        "read": ("ReadRequestUnits", "ReadCapacityUnit-Hrs"),
    }
    if kind not in names:
        raise ValueError(f"kind={kind!r} is neither 'write' nor 'read'")
    sold, (by_request, by_hour) = _list(prices), names[kind]

    def on_demand(percent: float) -> Bill:
        return sold.bill({by_request: 1000 * MONTH_H * 3600 * percent / 100})

    def provisioned(percent: float) -> Bill:
        return sold.bill({by_hour: 1000 * MONTH_H})

    return Crossing(
        f"table-{kind}", f"When is provisioned {kind} capacity cheaper than paying by request?",
        "used share", "%", ("on demand", "provisioned"), 0.0, 100.0,
        on_demand, provisioned,
    )  # fmt: skip


def lambda_or_servers(
    duration_ms: float = 100,
    memory_mb: float = 512,
    *,
    on: str = "containers",
    servers: int = 2,
    prices: PriceList | None = None,
) -> Crossing:
    """A function behind an HTTP API, or a few servers behind a load balancer, over requests.

    The servers are containers of half a vCPU and a gigabyte on Fargate, or m6i.large instances,
    and there are as many all month: the crossing says nothing of how many would be needed. The
    balancer's capacity is taken at its least, one unit.

    Examples
    --------
    >>> round(lambda_or_servers().solve() / 1e6, 1)
    28.7
    """
    sold, many = _list(prices), whole("servers", servers, low=1)
    machines = {
        "containers": {
            "USE1-Fargate-vCPU-Hours:perCPU": 0.5 * many * MONTH_H,
            "USE1-Fargate-GB-Hours": 1.0 * many * MONTH_H,
        },
        "instances": {"BoxUsage:m6i.large": float(many * MONTH_H)},
    }
    if on not in machines:
        raise ValueError(f"on={on!r} is neither 'containers' nor 'instances'")
    standing = sold.bill({**machines[on], "LoadBalancerUsage": MONTH_H, "LCUUsage": MONTH_H})

    def function(requests: float) -> Bill:
        return sold.bill(lambda_usage(requests, duration_ms, memory_mb) + http_api_usage(requests))

    return Crossing(
        on, f"When are {many} {on} cheaper than a function?", "requests a month", "a month",
        ("function", on), 0.0, 1e10, function, lambda _: standing,
    )  # fmt: skip


def http_or_rest(prices: PriceList | None = None) -> Crossing:
    """An HTTP API, which counts each 512 KB of a call, or a REST API, which counts calls.

    Over the increments that a call has on average, for a million calls.

    Examples
    --------
    >>> round(http_or_rest().solve(), 6)
    3.5
    """
    sold = _list(prices)
    step_kb = 512
    rest = sold.bill(rest_api_usage(MILLION))
    largest = fact("apigw.payload")["rest_http_mb"] * 1024 // step_kb

    def http(increments: float) -> Bill:
        return sold.bill(_mixed(lambda n: http_api_usage(MILLION, n * step_kb), increments))

    return Crossing(
        "rest", "When is a REST API cheaper than an HTTP API?", "512 KB increments a call", "",
        ("HTTP API", "REST API"), 1.0, float(largest), http, lambda _: rest,
    )  # fmt: skip


def url_or_http(
    memory_mb: float = 128, architecture: str = "x86_64", prices: PriceList | None = None
) -> Crossing:
    """A function URL, behind which the function does the API's work, or an HTTP API that does it.

    A URL costs nothing, but checks no token and no throttle of its own: over the milliseconds
    that such work adds to each of a million calls.

    Examples
    --------
    >>> round(url_or_http().solve(), 1)
    480.0
    """
    sold, base_ms = _list(prices), 100
    api = sold.bill(
        lambda_usage(MILLION, base_ms, memory_mb, architecture) + http_api_usage(MILLION)
    )

    def url(extra_ms: float) -> Bill:
        return sold.bill(_lambda(MILLION, base_ms + extra_ms, memory_mb, architecture))

    return Crossing(
        "url", "When is an HTTP API cheaper than a function URL?", "work of an API done by hand",
        "ms", ("function URL", "HTTP API"), 0.0, 60_000.0, url, lambda _: api,
    )  # fmt: skip


def glue_or_direct(
    memory_mb: float = 128, architecture: str = "x86_64", prices: PriceList | None = None
) -> Crossing:
    """A function between an HTTP API and a queue, or a REST API that hands over by itself.

    Over the function's duration, for a million calls. An HTTP API can hand over, too, but cannot
    reshape what it was sent.

    Examples
    --------
    >>> round(glue_or_direct(512).solve(), 3)
    275.999
    """
    sold = _list(prices)
    direct = sold.bill(rest_api_usage(MILLION) + sqs_usage(requests=MILLION))
    queue = http_api_usage(MILLION) + sqs_usage(requests=MILLION)

    def glue(ms: float) -> Bill:
        return sold.bill(_lambda(MILLION, ms, memory_mb, architecture) + queue)

    return Crossing(
        "direct", "When is a direct integration cheaper than a function in between?",
        "duration of the function", "ms", ("function between", "direct"), 0.0,
        fact("lambda.timeout")["max_s"] * 1000.0, glue, lambda _: direct,
    )  # fmt: skip


def express_or_standard(
    transitions: int = 4,
    memory_mb: float = 64,
    executions: float = MILLION,
    prices: PriceList | None = None,
) -> Crossing:
    """An Express workflow, paid by time, or a Standard one, paid by state, over how long it lasts.

    Express counts 100 ms at a time; the mean may lie between.

    Examples
    --------
    >>> round(express_or_standard().solve())
    132487
    >>> express_or_standard(20).solve() is None
    True
    """
    sold, steps = _list(prices), whole("transitions", transitions, low=1)
    rule = fact("sfn.price.express.rounding")["duration_ms"]
    standard = sold.bill(standard_workflow_usage(executions, steps))

    def express(ms: float) -> Bill:
        return sold.bill(
            _mixed(lambda n: express_workflow_usage(executions, n, memory_mb), ms, rule)
        )

    return Crossing(
        "standard", "When is a Standard workflow cheaper than an Express one?",
        "duration of an execution", "ms", ("Express", "Standard"), float(rule),
        fact("sfn.limits")["express_max_s"] * 1000.0, express, lambda _: standard,
    )  # fmt: skip


def queue_and_batches(
    overhead_ms: float = 50,
    work_ms: float = 10,
    memory_mb: float = 512,
    architecture: str = "x86_64",
    prices: PriceList | None = None,
) -> Crossing:
    """A function for each message, or a queue before it and batches: over the size of a batch.

    A million messages. A batch shares one request and one overhead, and takes a receive and a
    delete; each message takes a send. Up to ten messages, which is what one receive brings.

    Examples
    --------
    >>> round(queue_and_batches().solve(), 2)
    6.54
    >>> queue_and_batches(1, 10, 128).solve() is None
    True
    """
    sold = _list(prices)
    lambda_suffix(architecture)
    overhead, work = positive("overhead_ms", overhead_ms), positive("work_ms", work_ms)
    alone = sold.bill(_lambda(MILLION, overhead + work, memory_mb, architecture))
    most = float(fact("sqs.poll")["batch_max"])

    def batched(batch: float) -> Bill:
        size = between("batch", batch, 1, most)
        run = _lambda(MILLION / size, overhead + work * size, memory_mb, architecture)
        return sold.bill(run + sqs_usage(messages=MILLION, receive_batch=size))

    return Crossing(
        "batch", "From which batch on does a queue pay for itself?", "messages in a batch", "",
        ("each by itself", "queue and batches"), 1.0, most, lambda _: alone, batched,
    )  # fmt: skip


def crossings(prices: PriceList | None = None) -> list[Crossing]:
    """All of them, with their defaults."""
    return [
        provisioned_or_on_demand(prices=prices),
        table_mode("write", prices),
        table_mode("read", prices),
        lambda_or_servers(prices=prices),
        lambda_or_servers(on="instances", prices=prices),
        http_or_rest(prices),
        url_or_http(prices=prices),
        glue_or_direct(prices=prices),
        express_or_standard(prices=prices),
        queue_and_batches(prices=prices),
    ]
