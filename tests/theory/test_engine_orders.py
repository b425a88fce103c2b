"""The order system against its closed forms: double charges, backlog and drain."""

from __future__ import annotations

import pytest

from simulations import Regular, Simulation
from simulations.orders import ARCHITECTURES, DATABASE, MAIL, PAYMENTS, Shop, outcomes, run_orders
from simulations.stats import batch_means, mean_interval, share_interval
from simulations.theory import backlog, drain_s, erlang_b, restart_chain
from simulations.trace import Trace
from simulations.workload import Poisson

COUPLED = ("A0", "A1")


def restarting(architecture: str, failure: float, phi: float, orders: int, seed: int = 1) -> Trace:
    """Warm, no declines, generous timeouts, a customer who never gives up."""
    shop = Shop(
        failure=failure, after_effect_share=phi, declined_share=0.0, warm=True, timeout_s=900.0
    )
    return run_orders(
        architecture, shop, Poisson(50.0), duration_s=orders / 50, seed=seed, max_attempts=None
    )


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_restarting_charges_twice_as_often_as_the_chain_says(phi: float) -> None:
    """Failures of 30 % at each step, counted as they are, over the first six seeds together."""
    theory = restart_chain(0.3, phi)
    orders = double_charged = surplus_charges = attempts = 0
    for seed in range(1, 7):
        trace = restarting("A0", 0.3, phi, 10_000, seed)
        found = outcomes(trace)
        assert found.confirmed == found.orders
        orders += found.orders
        double_charged += found.double_charged
        surplus_charges += found.surplus_charges
        attempts += sum(1 for c in trace.spans.parent if c == -1) - found.orders  # less the settled
    interval = share_interval(double_charged, orders)
    assert interval.within(theory.p_double_charge, 0.02) == "pass", interval
    assert attempts / orders == pytest.approx(theory.attempts, rel=0.02)
    assert (surplus_charges + orders) / orders == pytest.approx(theory.charges, rel=0.02)


def test_both_coupled_designs_charge_the_very_same_orders_twice() -> None:
    """Equal draws for equal calls: what differs between designs is the design."""
    charged = []
    for architecture in COUPLED:
        counts: dict[int, float] = {}
        for row in restarting(architecture, 0.2, 0.5, 3000).spans_of(PAYMENTS):
            counts[row.request] = counts.get(row.request, 0.0) + row.units
        charged.append(counts)
    assert charged[0] == charged[1]


@pytest.mark.parametrize("phi", [0.0, 0.5])
@pytest.mark.parametrize("architecture", COUPLED)
def test_at_one_percent_the_chain_holds_too(architecture: str, phi: float) -> None:
    """The worked example, with a control variate.

    Nearly every double charge comes from the order's first payment that fails after its effect,
    or its first decrease or e-mail that fails. How often that is, is known exactly; only the
    rest is left to chance.
    """
    p, seed = 0.01, 3
    trace = restarting(architecture, p, phi, 20_000, seed)
    sim = Simulation(seed)
    error = {name: sim.draws(name + " error") for name in (PAYMENTS, DATABASE, MAIL)}
    late = sim.draws(PAYMENTS + " late")
    known = 1 - (1 - p) ** 2 * (1 - p * phi)
    charged: dict[int, int] = {}
    for row in trace.spans_of(PAYMENTS):
        charged[row.request] = charged.get(row.request, 0) + int(row.units)
    rest = []
    for order in trace.requests.id:
        paid_for_nothing = error[PAYMENTS](order, 1) < p and late(order, 1) < phi
        fails_later = error[DATABASE](order, 1) < p or error[MAIL](order, 1) < p
        rest.append((charged[order] > 1) - (paid_for_nothing or fails_later) + known)
    interval = mean_interval(rest)
    assert interval.within(restart_chain(p, phi).p_double_charge, 0.02) == "pass", interval


@pytest.mark.parametrize("architecture", ["B1", "C"])
def test_a_consumer_that_was_away_leaves_the_fluid_backlog_and_drain(architecture: str) -> None:
    """Ten minutes without the e-mail consumer, of which twelve work on 0.75 s each."""
    rate_per_s, start_s, outage_s, consumers = 10.0, 100.0, 600.0, 12
    shop = Shop(
        email_ms=750.0, declined_share=0.0, warm=True, maximum_concurrency=consumers, timeout_s=60
    )
    sim = Simulation(5)
    submit = ARCHITECTURES[architecture](sim, shop)
    mapping = sim.components["confirmation-email to SendEmail"]
    mapping.pause(start_s, start_s + outage_s)  # type: ignore[attr-defined]
    trace = sim.run(Regular(1 / rate_per_s) >> submit, duration_s=2400)
    each_s = (shop.invoke_ms + shop.handler_cpu_ms + shop.email_ms) / 1000
    most, drained_s = backlog_of(trace, "confirmation-email", start_s + outage_s)
    assert most == pytest.approx(backlog(rate_per_s, outage_s), rel=0.02)
    expected_s = drain_s(backlog(rate_per_s, outage_s), consumers / each_s, rate_per_s)
    rho = rate_per_s * each_s / consumers
    assert expected_s == pytest.approx(outage_s * rho / (1 - rho))
    assert drained_s == pytest.approx(expected_s, rel=0.02)


def test_ten_minutes_at_fifty_a_second_leave_thirty_thousand() -> None:
    """The example of the order story, at 62.5 % load: 30,000 messages, gone after 1,000 s."""
    from simulations import EventSourceMapping, Function, Message, Queue
    from simulations.services import Context
    from simulations.services.handler import Steps

    def handler(messages: list[Message], context: Context) -> Steps:
        yield context.wait(0.5)

    sim = Simulation(1)
    queue = Queue(sim, "q", visibility_timeout_s=900)
    f = Function(sim, "f", handler, timeout_s=900)
    EventSourceMapping(
        sim, queue, f, batch_size=1, maximum_concurrency=40, paused=((100.0, 700.0),)
    )
    trace = sim.run(Regular(0.02) >> queue, duration_s=1800)
    most, drained_s = backlog_of(trace, "q", 700.0)
    assert most == pytest.approx(30_000, rel=0.02)
    assert drained_s == pytest.approx(1000.0, rel=0.02)


def backlog_of(trace: Trace, queue: str, from_s: float) -> tuple[int, float]:
    """The most messages that waited, and how long after `from_s` hardly any was left."""
    spans, message = trace.spans, trace.code("message")
    code = trace.code(queue)
    changes: list[tuple[float, int]] = []
    for component, operation, sent_s, first_s in zip(
        spans.component, spans.operation, spans.queued_s, spans.start_s, strict=True
    ):
        if component == code and operation == message:
            changes += [(sent_s, 1), (first_s, -1)]
    waiting = most = 0
    for at_s, change in sorted(changes):
        waiting += change
        most = max(most, waiting)
        if at_s > from_s and waiting <= 10:
            return most, at_s - from_s
    raise AssertionError(f"{queue} still held {waiting} messages at the end")


@pytest.mark.parametrize("architecture", COUPLED)
def test_a_flash_sale_on_reserved_concurrency_loses_what_erlang_b_says(architecture: str) -> None:
    """The loss depends on the mean time in SubmitOrder alone, whatever its distribution."""
    reserved, rate_per_s = 20, 40.0
    shop = Shop(warm=True, declined_share=0.0, timeout_s=900.0, reserved_concurrency=reserved)
    trace = run_orders(architecture, shop, Poisson(rate_per_s), duration_s=1_000, warmup_s=20)
    throttled = [
        float(row.outcome == "throttled") for row in trace.requests.rows() if row.start_s >= 20
    ]
    steps_ms = shop.set_aside_ms + shop.authorize_ms + shop.decrease_ms + shop.email_ms
    hops_ms = 0.0 if architecture == "A0" else 4 * (shop.invoke_ms + shop.handler_cpu_ms)
    offered = rate_per_s * (shop.handler_cpu_ms + steps_ms + hops_ms) / 1000
    interval = mean_interval(batch_means(throttled, 40))
    assert interval.within(erlang_b(offered, reserved), 0.02) == "pass", interval
