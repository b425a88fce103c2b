"""Faults: windows are half open, and impossible ones are refused."""

from __future__ import annotations

from typing import Any

import pytest

from simulations import Fault


def test_an_outage_holds_from_its_start_until_before_its_end() -> None:
    fault = Fault(outages=((10, 20), (30, 40)))
    assert [fault.is_out(t) for t in (9.9, 10, 19.9, 20, 30, 40)] == [
        False, True, True, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"error_rate": 1.1}, r"error_rate=1\.1 is outside 0 to 1"),
        ({"after_effect_share": -0.1}, r"after_effect_share=-0\.1"),
        ({"outages": ((5, 5),)}, r"outages: \(5, 5\)"),
        ({"outages": ((-1, 5),)}, r"outages: \(-1, 5\)"),
    ],
)
def test_an_impossible_fault_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**settings)
