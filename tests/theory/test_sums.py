"""A sum of lognormal times against a million draws, and where it is known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulations import Lognormal
from simulations.theory import LognormalSum

ORDER = [(0.03, 0.5), (0.8, 0.6), (0.04, 0.5), (0.3, 0.5)]


def test_the_tail_is_that_of_a_million_draws() -> None:
    random = np.random.default_rng(1)
    total = np.full(1_000_000, 0.015)
    for mean, cv in ORDER:
        variance = np.log1p(cv * cv)
        total += random.lognormal(np.log(mean) - variance / 2, np.sqrt(variance), len(total))
    theory = LognormalSum(ORDER, constant=0.015)
    for at_s in (1.0, 2.0, 3.0, 4.0):
        share = float((total > at_s).mean())
        error = 4 * np.sqrt(share * (1 - share) / len(total))
        assert theory.tail(at_s) == pytest.approx(share, abs=error + 0.002 * share)
    assert theory.quantile(0.99) == pytest.approx(float(np.quantile(total, 0.99)), rel=0.005)
    assert theory.mean == pytest.approx(1.185)


def test_one_time_alone_is_a_plain_lognormal() -> None:
    alone = LognormalSum([(0.8, 0.6)], constant=0.1)
    assert alone.quantile(0.999) - 0.1 == pytest.approx(Lognormal(0.8, 0.6).quantile(0.999), 1e-5)
    assert alone.tail(0.05) == 1.0


@pytest.mark.parametrize(
    ("times", "message"),
    [([], "times="), ([(1, 1)] * 5, "times="), ([(0, 1)], "mean=0"), ([(1, 0)], "cv=0")],
)
def test_an_impossible_sum_is_refused(times: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LognormalSum(times)
