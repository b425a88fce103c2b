"""Calibration: one log of 2020 fitted, the cold share and the slowest percent at the others.

May import every room but the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from simulations.calibration import Change, Fitted, Prediction, predict
from simulations.experiments.records import record
from simulations.stats import Interval
from simulations.truth import Compared, row

LOGS = "Mahmoudi and Khazaei, request logs of AWS Lambda, 2020"
LOGS_URL = "https://github.com/pacslab/serverless-performance-modeling"
FITTED_ON = record("calibration_2020")["fitted_on"]


@cache
def foreseen(rate_per_s: float, span_s: float) -> Prediction:
    """Foresee a log at another rate; nothing else of it is known but its length."""
    fitted = Fitted.of(record("calibration_2020")["fitted"])
    return predict(fitted, Change(rate_per_s=rate_per_s), duration_s=span_s, draws=40, seed=2020)


def _share(run: dict[str, Any]) -> Callable[[], Compared]:
    def compare() -> Compared:
        ours = foreseen(run["rate_per_s"], run["span_s"])["cold share"].expected
        p = run["cold"] / run["requests"]
        reach = 2.5 * math.sqrt(p * (1 - p) / run["requests"])
        percent = Interval(*(100 * value for value in ours))
        return Compared(percent, 100 * p, 100 * (p - reach), 100 * (p + reach))

    return compare


def _p99(run: dict[str, Any]) -> Callable[[], Compared]:
    def compare() -> Compared:
        ours = foreseen(run["rate_per_s"], run["span_s"])["p99"].expected
        return Compared(ours, run["p99_s"])

    return compare


for run in record("calibration_2020")["measured"]:
    rate = run["rate_per_s"]
    if rate != FITTED_ON:
        row(
            f"calibrated-2020-cold-{rate}", kind="validation", chapter="your-own-logs", unit="%",
            what=f"Cold share at {rate} calls a second, foreseen from the log at {FITTED_ON}; "
            "accepted: 2.5 standard errors",
            source=LOGS, url=LOGS_URL,
        )(_share(run))  # fmt: skip
        row(
            f"calibrated-2020-p99-{rate}", kind="validation", chapter="your-own-logs", unit="s",
            what=f"99th percentile of a call at {rate} a second, foreseen from the log at "
            f"{FITTED_ON}",
            source=LOGS, url=LOGS_URL, margin=0.1,
            why="A percentile that falls among the cold calls stands on the 28 cold calls of the "
            "fitted log; the log at 0.00185 has 182 requests, so its own is the second longest.",
        )(_p99(run))  # fmt: skip
