"""How an event source mapping scales: provisioned mode, shrinking, backing off."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import (
    EventSourceMapping,
    Function,
    FunctionError,
    Message,
    Queue,
    Recorded,
    Simulation,
    Trace,
)
from simulations.facts import fact
from simulations.pricing import PriceList, usage
from simulations.services import Context
from simulations.services.handler import Steps


class System:
    """A queue, a function behind it, and a log of when batches began, with their sizes."""

    def __init__(
        self, takes_s: float = 1.0, failing: Any = None, limit: int | None = None, **settings: Any
    ) -> None:
        self.sim = Simulation()
        self.begun: list[float] = []
        self.sizes: list[int] = []
        hidden_s = settings.pop("visibility_timeout_s", 60.0)
        receives = settings.pop("max_receive_count", None)

        def handler(messages: list[Message], context: Context) -> Steps:
            self.begun.append(self.sim.now_s)
            self.sizes.append(len(messages))
            yield context.wait(takes_s)
            if failing is not None and failing(messages, self.sim.now_s):
                raise FunctionError("no")

        self.queue = Queue(self.sim, "q", visibility_timeout_s=hidden_s, max_receive_count=receives)
        self.function = Function(self.sim, "f", handler, timeout_s=30, reserved_concurrency=limit)
        self.mapping = EventSourceMapping(self.sim, self.queue, self.function, **settings)

    def run(self, *times_s: float, duration_s: float = 1000.0, drain: bool = True) -> Trace:
        load = Recorded(times_s) >> self.queue
        return self.sim.run(load, duration_s=duration_s, drain=drain)

    def meters(self, trace: Trace) -> dict[str, float]:
        return {row.operation: row.units for row in trace.meters.rows()}


# ---------------------------------------------------------------- provisioned mode


def test_a_provisioned_poller_is_worth_ten_invocations_and_more_come_at_1000_a_minute() -> None:
    """Fact lambda.sqs.provisioned: one poller more each 0.6 s, up to the most."""
    system = System(takes_s=25.0, batch_size=1, provisioned_pollers=(2, 4))
    system.run(*([0.0] * 60))
    assert sum(begun < 25.0 for begun in system.begun) == 4 * 10
    # 20 reads a second by two pollers, 30 by three from 0.6 s, 40 by four from 1.2 s.
    assert sum(begun < 0.6 for begun in system.begun) == 12
    assert sum(begun < 1.2 for begun in system.begun) == pytest.approx(30, abs=1)
    assert system.begun[39] == pytest.approx(1.2 + 10 / 40, abs=0.05)
    assert system.mapping.pollers == 4


def test_it_reaches_a_concurrency_that_pollers_on_demand_reach_three_times_as_late() -> None:
    """1,000 a minute against 300 a minute: AWS's "3x faster"."""

    def reached_s(slots: int, **settings: Any) -> float:
        system = System(takes_s=29.0, batch_size=1, **settings)
        system.run(*([0.0] * (slots + 5)), duration_s=28.0, drain=False)
        return system.begun[slots - 1]

    on_demand_s = reached_s(105)
    provisioned_s = reached_s(120, provisioned_pollers=(2, 200))
    assert on_demand_s == pytest.approx(100 / 5, abs=0.3)
    assert provisioned_s == pytest.approx(100 / (1000 / 60), abs=0.6)
    assert 2.5 < on_demand_s / provisioned_s < 3.5


def test_each_poller_reads_ten_times_a_second() -> None:
    """Short work in batches of one: 2 pollers take 20 messages a second, not 200."""
    system = System(takes_s=0.05, batch_size=1, provisioned_pollers=(2, 2))
    system.run(*([0.0] * 200))
    assert system.begun[-1] == pytest.approx(199 / 20)


def test_each_poller_reads_a_megabyte_a_second() -> None:
    system = System(takes_s=0.05, batch_size=1, provisioned_pollers=(2, 2))
    for number in range(20):
        system.queue.send(number, size_kb=512)
    system.run()
    assert system.begun[-1] == pytest.approx(19 * 0.5 / 2)


def test_provisioned_pollers_are_billed_by_the_second_wherever_they_are() -> None:
    """2 pollers for an hour, and two more from 0.6 and 1.2 s until they were idle for 60 s."""
    system = System(takes_s=10.0, batch_size=1, provisioned_pollers=(2, 4), scale_in_s=60.0)
    trace = system.run(*([0.0] * 40), duration_s=3600.0)
    assert system.mapping.pollers == 2
    hours = usage(trace)["Lambda-SQS-Event-Poller-Unit-Hour"]
    extra_s = 2 * (max(system.begun) + 10.0 + 60.0)
    assert float(hours) == pytest.approx(2 + extra_s / 3600, abs=0.01)
    line = next(
        line for line in PriceList.load().bill(usage(trace)).lines if "Poller" in line.usage_type
    )
    price = float(fact("lambda.price.esm.sqs_epu").value)
    assert float(line.amount_usd) == pytest.approx(float(hours) * price)


def test_a_mapping_on_demand_is_not_billed_by_the_poller() -> None:
    trace = System().run(0.0)
    assert "Lambda-SQS-Event-Poller-Unit-Hour" not in usage(trace)


def test_provisioned_pollers_with_nothing_to_do_keep_one_long_poll_open_each() -> None:
    trace = System(provisioned_pollers=(2, 4)).run(duration_s=1000.0)
    meters = {row.operation: row.count for row in trace.meters.rows()}
    assert meters["empty_receive"] == 2 * 50


# ---------------------------------------------------------------- shrinking


def test_idle_pollers_go_down_to_two_and_ask_less() -> None:
    """Five pollers for 60 s, then two: 5 x 3 empty receives, and 2 x 47 more."""
    system = System(scale_in_s=60.0)
    trace = system.run(duration_s=1000.0)
    meters = {row.operation: row.count for row in trace.meters.rows()}
    assert system.mapping.pollers == 2
    assert meters["empty_receive"] == 3 * 3 + 2 * 50


def test_pollers_that_grew_go_when_the_backlog_is_gone_and_grow_again() -> None:
    system = System(takes_s=20.0, batch_size=1, scale_in_s=60.0)
    system.run(*([0.0] * 50), *([500.0] * 50))
    second = [begun for begun in system.begun if begun >= 500]
    # Two are left; the third comes 0.2 s later.
    assert second[:4] == pytest.approx([500.0, 500.0, 500.2, 500.4])


def test_with_maximum_concurrency_pollers_shrink_to_five_only() -> None:
    """Documented: the optimization to two is not available with it."""
    system = System(scale_in_s=60.0, maximum_concurrency=20)
    system.run(duration_s=1000.0)
    assert system.mapping.pollers == 5


# ---------------------------------------------------------------- backing off


def test_errors_take_pollers_away_until_an_invocation_succeeds() -> None:
    """Assumed: one poller less for each failed batch, down to two; none more until a success."""

    def broken(messages: list[Message], now_s: float) -> bool:
        return now_s < 100.0

    system = System(
        failing=broken, takes_s=10.0, batch_size=1, backs_off=True, visibility_timeout_s=60.0,
        report_batch_item_failures=False,
    )  # fmt: skip
    system.run(*([0.0] * 30))
    counts = [sum(k <= begun < k + 10 for begun in system.begun) for k in range(0, 100, 10)]
    assert counts[0] > 20  # the ramp is under way
    assert max(counts[4:]) <= 2  # then two at a time
    assert system.queue.deleted == 30
    assert system.mapping.pollers > 2  # grown again after the outage


def test_by_default_and_with_partial_responses_nothing_is_taken_away() -> None:
    """Documented: ReportBatchItemFailures does not trigger the back-off."""
    for settings in ({"report_batch_item_failures": False}, {"backs_off": True}):
        system = System(
            failing=lambda messages, _: messages[0].receive_count == 1, batch_size=1, **settings
        )
        system.run(*([0.0] * 5))
        assert system.mapping.pollers >= 5
        assert system.begun[5:] == [60.0] * 5


def test_throttles_hold_growth_back() -> None:
    grown = {}
    for backs_off in (False, True):
        system = System(
            takes_s=3.0, batch_size=1, limit=2, visibility_timeout_s=30.0, backs_off=backs_off,
            max_receive_count=3,
        )  # fmt: skip
        system.run(*([0.0] * 100), duration_s=20.0, drain=False)
        grown[backs_off] = system.mapping.pollers, system.function.throttled
    assert grown[True][0] < grown[False][0] / 2
    assert grown[True][1] < grown[False][1] / 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"provisioned_pollers": (1, 5)}, r"\(min\)=1 must be 2 to 200 \(.*https://docs"),
        ({"provisioned_pollers": (2, 2001)}, r"\(max\)=2001 must be 2 to 2000 \(.*https://docs"),
        ({"provisioned_pollers": (9, 4)}, "more at least than at most"),
        (
            {"provisioned_pollers": (2, 4), "maximum_concurrency": 5},
            r"exclude each other \(.*https://docs",
        ),
        ({"scale_in_s": 0}, "scale_in_s=0"),
    ],
)
def test_an_impossible_configuration_names_itself_and_its_source(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        System(**settings)
