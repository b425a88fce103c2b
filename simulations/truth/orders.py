"""The order system: loss, double charges, backlog, drain and the bill against closed forms.

May import every room but the figures.
"""

from __future__ import annotations

from functools import partial

from simulations.experiments.order_bill import expected_month
from simulations.orders import TITLES, Shop, outcomes, run_orders
from simulations.pricing import PriceList, month
from simulations.stats import Interval, batch_means, mean_interval, share_interval
from simulations.theory import erlang_b, restart_chain
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


#: Ten million orders a month of 30 days; half an hour after a quarter of warm-up stands for it.
_RATE = 10e6 / (30 * 86_400)
_SINCE_S = (900.0, 2700.0)


def _bill(architecture: str) -> Compared:
    begin_s, end_s = _SINCE_S
    trace = run_orders(
        architecture, Shop(), Poisson(_RATE), duration_s=end_s, warmup_s=begin_s, seed=11
    )
    found = month(trace).per_million
    expected = expected_month(architecture, Shop(), _RATE, running_s=_SINCE_S)
    orders_m = _RATE * 30 * 86_400 / 1e6
    return Compared(found, float(PriceList.load().bill(expected).total_usd) / orders_m)


for architecture, name in TITLES.items():
    row(
        f"bill-{architecture.lower()}", kind="verification", chapter="lambda-cost",
        what=f"A million orders' part of a month's bill, ten million orders a month, {name}",
        unit="USD", source="Closed-form usage, cold starts and idle pollers, at the same prices",
    )(partial(_bill, architecture))  # fmt: skip
