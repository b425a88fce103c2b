"""A month of a table in each mode: bounds, prices, and the same load request by request."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import CapacityScaling, OnDemand, ProvisionedCapacity
from simulations.experiments.dynamodb_cost import break_even, hourly_usd, on_demand_usd
from simulations.experiments.table_month import (
    ASKED,
    MONTHS,
    Served,
    found_break_even,
    month,
    serve,
)
from simulations.services.capacity import Capacity

few = settings(max_examples=40, deadline=None, derandomize=True)
modes: st.SearchStrategy[Capacity] = st.one_of(
    st.just(OnDemand()),
    st.builds(OnDemand, most_writes_per_s=st.floats(1, 300)),
    st.builds(
        lambda units, target, full: ProvisionedCapacity(
            1, units, None if target is None else CapacityScaling(target=target), full
        ),
        st.integers(1, 400), st.none() | st.floats(0.2, 0.9), st.booleans(),
    ),
)  # fmt: skip


@few
@given(load=st.lists(st.floats(0, 500), min_size=20, max_size=120).filter(any), mode=modes)
def test_no_more_is_served_than_was_asked_or_there_was(load: list[float], mode: Capacity) -> None:
    """Minute by minute: capacity, and at most what 300 s of it left unused."""
    found = serve(load, mode)
    assert 0 <= found.served <= found.asked * (1 + 1e-12)
    assert found.asked == pytest.approx(60 * math.fsum(load))
    if isinstance(mode, ProvisionedCapacity):
        assert found.served <= 3600 * found.capacity_h + 300 * mode.writes + 1e-6
        assert found.usd == pytest.approx(hourly_usd("write") * found.capacity_h)
    else:
        assert found.usd == pytest.approx(on_demand_usd("write") * found.served)


def test_what_is_skipped_is_simulated_and_not_counted() -> None:
    """The second of two equal days, which found the capacity that the first left behind."""
    scaled = ProvisionedCapacity(1, 10, CapacityScaling(), full_burst=False)
    whole = serve([100.0] * 240, scaled)
    second = serve([100.0] * 240, scaled, skipped_min=120)
    assert whole.throttled > 0 == second.throttled
    assert second.asked == 120 * 60 * 100
    assert second.capacity_h == pytest.approx(143 * 2)
    assert second.capacity(120, 120) == [143.0] * 120
    with pytest.raises(ValueError, match="load is empty"):
        serve([1.0, 0.0, 0.0], scaled, skipped_min=1)


def test_an_hour_may_count_at_its_highest_capacity() -> None:
    """100 units from 0:30 to 2:30 and 10 else: three hours at 100 instead of two, one at 10."""
    changes = ((0.0, 10.0), (1800.0, 100.0), (9000.0, 10.0))
    found = Served(asked=1.0, served=1.0, capacity_h=2 * 100 + 2 * 10, history=changes)
    assert found.usd_at_hourly_peaks(4) == pytest.approx(310 * hourly_usd("write"))
    assert found.usd == pytest.approx(220 * hourly_usd("write"))


def test_a_month_for_its_peak_costs_more_than_on_demand_below_the_break_even() -> None:
    """The solved rule, on each simulated month; free of throttles."""
    for words in MONTHS:
        found = month(words)
        assert found.for_peak.throttled == pytest.approx(0, abs=1e-12)
        dearer = found.for_peak.usd > found.on_demand.usd * found.for_peak.served / max(
            found.on_demand.served, 1
        )
        assert dearer == (found.for_peak.utilization < break_even())
    with pytest.raises(ValueError, match="words='a quiet one'"):
        month("a quiet one")


def test_a_launch_is_throttled_on_demand_until_the_peak_may_double() -> None:
    """An hour of 9,000 a second: 4,000 for the first 30 minutes, 8,000 from then on."""
    found = month("an hour of launch").on_demand
    minutes = 9000 - 4000, 9000 - 8000
    expected = 60 * (31 * minutes[0] + 29 * minutes[1])
    assert found.asked - found.served == pytest.approx(expected, rel=0.03)


def test_a_table_that_is_not_scaled_down_when_idle_keeps_its_peak() -> None:
    found = month("five minutes an hour")
    assert found.scaled.throttled > 0.9
    assert found.scaled_if_idle_is_missing.throttled < 0.01
    assert found.scaled_if_idle_is_missing.usd > 5 * found.on_demand.usd
    busy = month("day and night")
    assert busy.scaled_if_idle_is_missing == busy.scaled


def test_the_bill_of_simulated_requests_crosses_where_it_was_solved() -> None:
    """And beyond full use a provisioned table serves its capacity and throttles the rest."""
    found = found_break_even()
    assert found["found"] == pytest.approx(break_even(), rel=0.01)
    capacity, lasts_s = 20, 90.0
    provisioned = found.series[1]
    assert min(provisioned.y) >= 1e6 * hourly_usd("write") / 3600 / (1 + 1 / lasts_s) - 1e-9
    assert found["throttled below"] == 0
    assert found["throttled beyond"] == pytest.approx(1 - 1 / ASKED[-1], abs=0.04)
    assert found["requests"] == pytest.approx(sum(ASKED) * capacity * lasts_s, rel=0.05)
