r"""Calibration: fit the model to a log of your own, predict changes, check on another log.

    from simulations.calibration import Change, check, fit, predict, read_file

    fitted = fit(read_file("report.txt"))        # refuses a log that says too little
    print(fitted, predict(fitted, Change(traffic=10)), sep="\n\n")
    print(check(predict(fitted), read_file("next-week.txt")))

Or ``python -m simulations.calibration report.txt``. May import: NumPy, and the rooms from the
facts to the fleet engine; its command line also `simulations.aws`.
"""

from simulations.calibration.check import Check, Held, check
from simulations.calibration.fit import Fitted, best_known, fit
from simulations.calibration.log import Account, Log, TooFew
from simulations.calibration.predict import Change, Foreseen, Prediction, predict
from simulations.calibration.reading import (
    lines_of_events,
    read_file,
    read_reports,
    read_table,
    read_text,
)

__all__ = [
    "Account",
    "Change",
    "Check",
    "Fitted",
    "Foreseen",
    "Held",
    "Log",
    "Prediction",
    "TooFew",
    "best_known",
    "check",
    "fit",
    "lines_of_events",
    "predict",
    "read_file",
    "read_reports",
    "read_table",
    "read_text",
]
