"""Hold a prediction against a log that was not fitted.

May import: NumPy, `simulations`' stats, and this room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulations.calibration.fit import concurrency
from simulations.calibration.log import Log, TooFew
from simulations.calibration.predict import PERCENTILES, Prediction, order_quantile
from simulations.stats import Interval, quantile_interval


@dataclass(frozen=True)
class Held:
    """One number foreseen beside the one measured.

    Attributes
    ----------
    name, unit : str
        What.
    expected, observed : Interval
        What was foreseen: in the long run, and in a log of this length.
    measured : Interval
        What the other log shows, with its interval; NaN as bounds where the log is too short to
        give one.
    z : float
        Foreseen less measured, in standard errors of the measured value; NaN where unknown.
    error : float
        Foreseen over measured, less 1.
    inside : bool
        Whether the measured value lies in `observed`.
    """

    name: str
    unit: str
    expected: Interval
    observed: Interval
    measured: Interval
    z: float
    error: float
    inside: bool


@dataclass(frozen=True)
class Check:
    """A prediction beside another log."""

    requests: int
    held: tuple[Held, ...]

    def __getitem__(self, name: str) -> Held:
        return next(one for one in self.held if one.name == name)

    def __str__(self) -> str:
        head = f"{'':18}{'foreseen':>10}{'measured':>11}{'z':>7}{'error':>9}   in its interval"
        lines = [head]
        for one in self.held:
            z = f"{one.z:+.1f}" if math.isfinite(one.z) else "?"
            error = f"{one.error:+.1%}" if math.isfinite(one.error) else "?"
            lines.append(
                f"{one.name:18}{one.expected.mean:>10.4g}{one.measured.mean:>11.4g}{z:>7}"
                f"{error:>9}   {'yes' if one.inside else 'no'}"
            )
        return "\n".join(lines)


def check(prediction: Prediction, log: Log) -> Check:
    """Hold a prediction against another log of the function.

    The standard error of a share is that of the measured one, sqrt(p (1 - p) / n). Of a
    percentile it is a quarter of its 95 % interval between order statistics, which a short log
    does not have.

    Raises
    ------
    TooFew
        If the log holds fewer than two requests.
    """
    n = len(log)
    if n < 2:
        raise TooFew(f"the log holds {n} requests: nothing can be held against it")
    cold = int(log.cold.sum())
    p = cold / n
    error = math.sqrt(p * (1 - p) / n)
    measured = {
        "cold share": (Interval(p, max(p - 1.96 * error, 0.0), min(p + 1.96 * error, 1.0)), error)
    }
    values = log.took_s.tolist()
    for share in PERCENTILES:
        value = order_quantile(log.took_s, share)
        try:
            low, high = quantile_interval(values, share)[1:]
            spread = (high - low) / 3.92
        except ValueError:  # too few for an interval
            low = high = spread = math.nan
        measured[f"p{100 * share:g}"] = (Interval(value, low, high), spread)
    at_once = concurrency(log.start_s, log.end_s)
    for name, level in (
        ("mean concurrency", at_once.mean),
        ("p99 concurrency", at_once.p99),
        ("peak concurrency", at_once.peak),
    ):
        measured[name] = (Interval(float(level), math.nan, math.nan), math.nan)
    held = []
    for name, (interval, spread) in measured.items():
        one = prediction[name]
        apart = one.expected.mean - interval.mean
        held.append(
            Held(
                name, one.unit, one.expected, one.observed, interval,
                apart / spread if spread > 0 else math.nan,
                apart / interval.mean if interval.mean else math.nan,
                one.observed.low <= interval.mean <= one.observed.high,
            )
        )  # fmt: skip
    return Check(n, tuple(held))
