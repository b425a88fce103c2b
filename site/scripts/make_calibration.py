"""Derive the record of the calibration on the logs of 2020: each fitted, the others foreseen.

    python site/scripts/make_calibration.py ../shared/data

Every log is fitted by itself, or refused; the rule `best_known` names the fit that counts, by
what the fits say of themselves. May import: the standard library and `simulations`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from make_records import RATES, ROOT, WARMUP_S, as_text, read_log

from simulations.calibration import (
    Change,
    Fitted,
    Log,
    Prediction,
    TooFew,
    best_known,
    check,
    fit,
    predict,
)
from simulations.stats import Interval

FILE = ROOT / "simulations" / "experiments" / "records" / "calibration_2020.json"


def log_2020(data: Path, rate: str) -> Log:
    """Return the recorded log of one rate."""
    rows = read_log(data / "aws_requests_2020" / f"rate-{rate}.csv.gz")
    return Log.of(
        [r.start_s for r in rows], [r.end_s for r in rows], [r.cold for r in rows],
        [r.environment for r in rows],
    )  # fmt: skip


def foreseen(fitted: Fitted, rate_per_s: float, span_s: float) -> Prediction:
    """Predict a log at another rate, of which nothing else is known but its length."""
    return predict(fitted, Change(rate_per_s=rate_per_s), duration_s=span_s, draws=40, seed=2020)


def fits(data: Path) -> dict[str, Fitted | TooFew]:
    """Fit each log by itself."""
    found: dict[str, Fitted | TooFew] = {}
    for rate in RATES:
        try:
            found[rate] = fit(log_2020(data, rate).after(WARMUP_S))
        except TooFew as refused:
            found[rate] = refused
    return found


def calibration_2020(data: Path) -> dict[str, Any]:
    """Fit each log, foresee all others, and put what was measured beside it."""
    found = fits(data)
    others = {rate: log_2020(data, rate).after(WARMUP_S) for rate in RATES}
    # The quiet logs' cold starts all follow a rest; some of the busy ones' are faster than any.
    quiet_s = min(others[rate].took_s[others[rate].cold].min() for rate in RATES[:2])
    told: list[dict[str, Any]] = []
    for rate, fitted in found.items():
        if isinstance(fitted, TooFew):
            told.append({"rate_per_s": float(rate), "refused": str(fitted)})
            continue
        runs = []
        for other, log in others.items():
            checked = check(foreseen(fitted, float(other), log.span_s), log)
            share, p99 = checked["cold share"], checked["p99"]
            runs.append(
                {
                    "rate_per_s": float(other),
                    "cold": _plain(share.expected), "cold_observed": _plain(share.observed),
                    "z": share.z, "p99_s": _plain(p99.expected), "p99_error": p99.error,
                }
            )  # fmt: skip
        told.append(
            {
                "rate_per_s": float(rate), "keep_alive_s": _plain(fitted.kept.seconds),
                "cold": fitted.cold, "requests": fitted.requests,
                "after_rest": fitted.kept.cold, "by_overlap": fitted.kept.overlaps,
                "foreseen": runs,
            }
        )  # fmt: skip
    chosen = best_known(found)
    best = found[chosen]
    if isinstance(best, TooFew):  # never: `best_known` names a fit
        raise best
    return {
        "source": "N. Mahmoudi and H. Khazaei, IEEE Transactions on Cloud Computing, 2020; "
        "request logs of one Python function on AWS Lambda, May and June 2020",
        "url": "https://github.com/pacslab/serverless-performance-modeling",
        "licence": "MIT",
        "note": "each log fitted by itself, the others foreseen; the first 30 min of each run are "
        "left out; `fitted` belongs to the log that can speak of other rates best",
        "fitted_on": float(chosen),
        "measured": [
            {
                "rate_per_s": float(rate), "requests": len(log), "cold": int(log.cold.sum()),
                "span_s": log.span_s,
                "cold_faster_than_quiet": int((log.took_s[log.cold] < quiet_s).sum()),
                "p99_s": check(foreseen(best, float(rate), log.span_s), log)["p99"].measured.mean,
            }
            for rate, log in others.items()
        ],
        "fits": told,
        "fitted": best.told(),
    }  # fmt: skip


def _plain(interval: Interval) -> list[float]:
    return list(interval)


def rounded(value: Any) -> Any:
    """Keep seven digits: enough for every reader, the same on every machine."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return value


def main(arguments: list[str]) -> int:
    """Write the record."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: make_calibration.py FOLDER-OF-RECORDED-DATA", file=sys.stderr)
        return 2
    FILE.write_text(as_text(rounded(calibration_2020(Path(arguments[0])))), encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
