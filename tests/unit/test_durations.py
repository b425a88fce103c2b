"""Distributions: quantiles, mean and cv belong together, and impossible parameters are refused."""

from __future__ import annotations

import math
from random import Random
from statistics import NormalDist

import pytest

from simulations.workload import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Lognormal,
    Uniform,
    as_distribution,
)

EVERY = [
    Constant(0.3),
    Exponential(2.0),
    Lognormal(300.0, 0.5),
    Lognormal(1.0, 2.0),
    Lognormal(1.0, 0.0),
    Uniform(294, 347),
    Empirical((0, 0.5, 0.9, 0.99, 1), (10, 20, 50, 50, 900)),
]
NAMES = [repr(d) for d in EVERY]


def moments_from_quantiles(d: Distribution) -> tuple[float, float]:
    """Mean and cv as integrals of the quantile function, refined toward both tails.

    With u = Phi(z), the integral over z is smooth even where the quantile runs to infinity.
    """
    normal = NormalDist()
    step = 0.0005
    first = second = weight = 0.0
    for k in range(-15_600, 15_601):
        z = k * step
        w = normal.pdf(z) * step
        u = normal.cdf(z)
        if u >= 1.0:
            continue
        x = d.quantile(u)
        first, second, weight = first + w * x, second + w * x * x, weight + w
    first, second = first / weight, second / weight
    return first, math.sqrt(max(second - first * first, 0.0)) / first


@pytest.mark.parametrize("d", EVERY, ids=NAMES)
def test_mean_and_cv_are_those_of_the_quantile_function(d: Distribution) -> None:
    mean, cv = moments_from_quantiles(d)
    assert mean == pytest.approx(d.mean, rel=1e-4)
    assert cv == pytest.approx(d.cv, rel=2e-3, abs=2e-5)


@pytest.mark.parametrize("d", EVERY, ids=NAMES)
def test_quantiles_never_decrease_and_reach_the_ends(d: Distribution) -> None:
    values = [d.quantile(k / 1000) for k in range(1001)]
    assert values == sorted(values)
    assert values[0] >= 0
    assert d.quantile(math.nextafter(1, 0)) < math.inf


@pytest.mark.parametrize("d", EVERY, ids=NAMES)
def test_one_uniform_number_makes_one_value(d: Distribution) -> None:
    drawn, twin = Random(11), Random(11)
    for _ in range(100):
        assert d.sample(drawn) == d.quantile(twin.random())


@pytest.mark.parametrize("d", EVERY, ids=NAMES)
@pytest.mark.parametrize("u", [-1e-9, 1.0000001, math.nan])
def test_a_share_outside_0_to_1_is_refused(d: Distribution, u: float) -> None:
    with pytest.raises(ValueError, match="u="):
        d.quantile(u)


def test_known_quantiles() -> None:
    assert Exponential(0.5).quantile(1 - math.exp(-3)) == pytest.approx(1.5)
    assert Exponential(0.5).quantile(1.0) == math.inf
    # 95th percentile of the unit normal is 1.6448536 (any table).
    shape = Lognormal(mean=math.exp(0.5), cv=math.sqrt(math.e - 1))
    assert math.log(shape.quantile(0.95)) == pytest.approx(1.6448536, abs=1e-6)
    assert shape.quantile(0.0) == 0.0
    assert shape.quantile(1.0) == math.inf
    assert Uniform(294, 347).quantile(0.25) == pytest.approx(307.25)
    measured = Empirical((0, 0.5, 1), (1, 2, 4))
    assert [measured.quantile(u) for u in (0, 0.25, 0.5, 0.75, 1)] == [1, 1.5, 2, 3, 4]
    assert measured.mean == pytest.approx(0.5 * 1.5 + 0.5 * 3)


def test_a_certain_empirical_value_has_no_spread() -> None:
    assert Empirical((0, 1), (1e9, 1e9)).cv == 0
    assert Empirical((0, 1), (0, 0)).mean == 0


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Constant(-1), "value=-1"),
        (lambda: Constant(math.nan), "value=nan"),
        (lambda: Exponential(0), "mean=0"),
        (lambda: Exponential(math.inf), "mean=inf"),
        (lambda: Lognormal(0, 1), "mean=0"),
        (lambda: Lognormal(1, -0.1), "cv=-0.1"),
        (lambda: Uniform(-1, 1), "low=-1"),
        (lambda: Uniform(5, 4), "low=5 .* high=4"),
        (lambda: Uniform(0, 0), "high=0"),
        (lambda: Empirical((0, 1), (1,)), "same number"),
        (lambda: Empirical((0,), (1,)), "at least 2"),
        (lambda: Empirical((0.1, 1), (1, 2)), "first must be 0"),
        (lambda: Empirical((0, 0.9), (1, 2)), "last 1"),
        (lambda: Empirical((0, 0.5, 0.5, 1), (1, 2, 3, 4)), "probabilities must be increasing"),
        (lambda: Empirical((0, 0.5, 1), (1, 3, 2)), "values must be nondecreasing"),
        (lambda: Empirical((0, 1), (-1, 2)), "values=-1"),
        (lambda: as_distribution("fast"), "value='fast'"),  # type: ignore[arg-type]
    ],
)
def test_impossible_parameters_name_themselves(make: object, names: str) -> None:
    with pytest.raises(ValueError, match=names):
        make()  # type: ignore[operator]


def test_a_plain_number_becomes_a_constant() -> None:
    assert as_distribution(600) == Constant(600)
    lifetime = Uniform(294, 347)
    assert as_distribution(lifetime) is lifetime
