"""Break-evens, solved: where one way of building costs as much as the other.

Each solves for one quantity on the prices it is given; what does not cross is said with None.
May import: the standard library, `simulations.facts` and the rest of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from simulations._check import positive, whole
from simulations.facts import fact
from simulations.pricing.estimators import lambda_usage, sqs_usage
from simulations.pricing.estimators_calls import (
    express_workflow_usage,
    http_api_usage,
    rest_api_usage,
    standard_workflow_usage,
)
from simulations.pricing.pricelist import PriceList
from simulations.pricing.usage import Usage

#: Costs are compared for so many, so that rounding to a whole unit does not decide.
MILLION = 1_000_000
#: The longest batch of a mapping that reads a standard queue.
LARGEST_BATCH = 10_000


def _cost(prices: PriceList | None, *usages: Usage) -> Decimal:
    total = Usage()
    for usage in usages:
        total = total + usage
    return (PriceList.load() if prices is None else prices).bill(total).total_usd


def first_dearer(
    ours: Callable[[int], Decimal], other: Callable[[int], Decimal], low: int, high: int
) -> int | None:
    """The smallest whole number at which `ours` costs more than `other`; None if it never does.

    By bisection: the difference has to grow with the number.

    Examples
    --------
    >>> first_dearer(lambda n: Decimal(3 * n), lambda n: Decimal(100), 0, 1000)
    34
    """
    if ours(high) <= other(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if ours(middle) > other(middle):
            high = middle
        else:
            low = middle + 1
    return low


def http_dearer_than_rest_kb(prices: PriceList | None = None) -> int | None:
    """The payload from which an HTTP API costs more a call than a REST API, in KB.

    A REST call costs the same whatever its size; an HTTP call counts once for each 512 KB.

    Examples
    --------
    >>> http_dearer_than_rest_kb()
    1537
    """
    rest = _cost(prices, rest_api_usage(MILLION))
    return first_dearer(
        lambda kb: _cost(prices, http_api_usage(MILLION, kb)),
        lambda kb: rest,
        0,
        fact("apigw.payload")["rest_http_mb"] * 1024,
    )


def glue_dearer_than_direct_ms(memory_mb: float, prices: PriceList | None = None) -> int | None:
    """How long a function between an HTTP API and a queue may run before REST without it is cheaper.

    A REST API can hand a request to SQS by itself; an HTTP API at a third of its price can do so,
    too, but cannot reshape it: whoever adds a function for that pays its request and duration.

    Examples
    --------
    >>> glue_dearer_than_direct_ms(128)
    1104
    """
    direct = _cost(prices, rest_api_usage(MILLION))
    return first_dearer(
        lambda ms: _cost(prices, http_api_usage(MILLION), lambda_usage(MILLION, ms, memory_mb)),
        lambda ms: direct,
        0,
        fact("lambda.timeout")["max_s"] * 1000,
    )


def express_dearer_than_standard_ms(
    transitions: int,
    memory_mb: float = 64,
    executions: int = MILLION,
    prices: PriceList | None = None,
) -> int | None:
    """How long an Express execution may last before a Standard one costs less, in ms.

    Standard pays for states entered, Express for requests, time and memory; time falls in price
    with volume, so the number of executions a month counts. None: an Express execution (five
    minutes at most) never costs as much.

    Examples
    --------
    >>> express_dearer_than_standard_ms(4)
    132401
    >>> express_dearer_than_standard_ms(20) is None
    True
    """
    steps = whole("transitions", transitions, low=1)
    standard = _cost(prices, standard_workflow_usage(executions, steps))
    return first_dearer(
        lambda ms: _cost(prices, express_workflow_usage(executions, ms, memory_mb)),
        lambda ms: standard,
        0,
        fact("sfn.limits")["express_max_s"] * 1000,
    )


def batch_that_pays(
    overhead_ms: float, work_ms: float, memory_mb: float, prices: PriceList | None = None
) -> int | None:
    """The smallest batch with which a queue before a function costs less than none.

    Without a queue each message is an invocation of overhead and work. With one, a batch shares
    request and overhead, and the queue takes a send for each message, a receive and a delete for
    each batch of up to ten. None: the queue costs more at any batch, and has to be bought for
    what else it does.

    Examples
    --------
    >>> batch_that_pays(overhead_ms=50, work_ms=10, memory_mb=512)
    7
    >>> batch_that_pays(overhead_ms=1, work_ms=10, memory_mb=128) is None
    True
    """
    overhead, work = positive("overhead_ms", overhead_ms), positive("work_ms", work_ms)
    alone = _cost(prices, lambda_usage(MILLION, overhead + work, memory_mb))

    def saved(batch: int) -> Decimal:
        invocations = MILLION / batch
        together = lambda_usage(invocations, overhead + work * batch, memory_mb)
        queue = sqs_usage(messages=MILLION, receive_batch=batch)
        return alone - _cost(prices, together, queue)

    longest_ms = fact("lambda.timeout")["max_s"] * 1000
    highest = min(LARGEST_BATCH, max(1, int((longest_ms - overhead) / work)))
    return first_dearer(saved, lambda batch: Decimal(0), 1, highest)
