"""The order system: loss, double charges, backlog, drain and the bill against closed forms.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from simulations.experiments.order_bill import expected_usage
from simulations.orders import Shop, outcomes, run_orders
from simulations.pricing import PriceList, usage
from simulations.stats import Interval, batch_means, mean_interval, share_interval
from simulations.theory import erlang_b, restart_chain
from simulations.trace import Trace
from simulations.truth import Compared, row
from simulations.workload import Poisson


@row(
    "double-charge-restart", kind="verification", chapter="retries-idempotency", unit="%",
    what="Orders charged twice when a customer restarts from the start, each step failing "
    "in 30 % of its calls",
    source="Absorbing Markov chain of the restarts", margin=0.03,
)  # fmt: skip
def double_charge() -> Compared:
    """Count double charges; hold them against the chain."""
    shop = Shop(failure=0.3, after_effect_share=0.0, declined_share=0.0, warm=True, timeout_s=900.0)
    found = [
        outcomes(
            run_orders("A0", shop, Poisson(50.0), duration_s=200, seed=seed, max_attempts=None)
        )
        for seed in range(1, 4)
    ]
    ours = share_interval(sum(f.double_charged for f in found), sum(f.orders for f in found))
    theirs = restart_chain(0.3, 0.0).p_double_charge
    return Compared(Interval(*(100 * v for v in ours)), 100 * theirs)


def _flash_sale(architecture: str) -> Compared:
    reserved, rate_per_s = 20, 40.0
    shop = Shop(warm=True, declined_share=0.0, timeout_s=900.0, reserved_concurrency=reserved)
    trace = run_orders(architecture, shop, Poisson(rate_per_s), duration_s=1_000, warmup_s=20)
    lost = [
        100.0 * (one.outcome == "throttled")
        for one in trace.requests.rows()
        if one.start_s >= 20
    ]  # fmt: skip
    steps_ms = shop.set_aside_ms + shop.authorize_ms + shop.decrease_ms + shop.email_ms
    hops_ms = 0.0 if architecture == "A0" else 4 * (shop.invoke_ms + shop.handler_cpu_ms)
    offered = rate_per_s * (shop.handler_cpu_ms + steps_ms + hops_ms) / 1000
    return Compared(mean_interval(batch_means(lost, 40)), 100 * erlang_b(offered, reserved))


for architecture, name in (("A0", "one function"), ("A1", "chained functions")):
    row(
        f"flash-sale-{architecture.lower()}", kind="verification", chapter="lambda-concurrency",
        what=f"Orders throttled at 40 a second on reserved concurrency of 20, {name}", unit="%",
        source="Erlang B (A. K. Erlang, 1917)",
    )(partial(_flash_sale, architecture))  # fmt: skip


@cache
def _trace(architecture: str) -> Trace:
    return run_orders(architecture, Shop(warm=True), Poisson(200.0), duration_s=50, seed=11)


def _bill(architecture: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        trace, prices = _trace(architecture), PriceList.load()
        orders = len(trace.requests)
        per_million = 1e6 / orders
        ours = per_million * float(prices.bill(usage(trace)).total_usd)
        usage_expected = expected_usage(architecture, Shop(warm=True), orders, None)
        theirs = per_million * float(prices.bill(usage_expected).total_usd)
        return Compared(Interval(ours, ours, ours), theirs)

    return compare


for architecture, name in (
    ("A0", "one function"), ("A1", "chained functions"), ("B1", "queues"), ("C", "topic, queues")
):  # fmt: skip
    row(
        f"bill-{architecture.lower()}", kind="verification", chapter="lambda-cost",
        what=f"Bill of a million orders, {name}: usage of the trace against plain inputs",
        unit="USD", source="Closed-form usage at the same prices", margin=0.01,
    )(_bill(architecture))  # fmt: skip
