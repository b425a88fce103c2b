"""Fit a log, foresee a change, check it on another log: ``python -m simulations.calibration FILE``.

May import: the standard library, this room, and `simulations.aws` where a log group is named.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from simulations.calibration import (
    Change,
    Log,
    check,
    fit,
    lines_of_events,
    predict,
    read_file,
    read_reports,
    read_text,
)
from simulations.calibration.content import decoded


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 2 where the input or the account refuses."""
    parser = argparse.ArgumentParser(
        prog="python -m simulations.calibration",
        description="Fit the model to a log of one function; foresee changes; check on another log.",
    )
    parser.add_argument("file", nargs="?", help="REPORT lines or a table; - reads standard input")
    parser.add_argument("--log-group", help="read this log group with Logs Insights instead")
    parser.add_argument("--account", help="the twelve digits of the account it is in")
    parser.add_argument("--hours", type=float, default=24.0, help="the last so many hours of it")
    parser.add_argument("--against", help="another log of the function, to check against")
    parser.add_argument("--traffic", type=float, default=1.0, help="times as many requests")
    parser.add_argument("--memory-mb", type=int, help="another memory size")
    parser.add_argument("--work-share", type=float, help="share of the time that computes, 0 to 1")
    parser.add_argument("--provisioned", type=int, default=0, help="provisioned concurrency")
    parser.add_argument("--keep-alive-s", type=float, help="another keep-alive")
    asked = parser.parse_args(arguments)
    if (asked.file is None) == (asked.log_group is None):
        parser.error("give a file or --log-group")
    if asked.log_group and not asked.account and not os.environ.get("AWS_ENDPOINT_URL"):
        parser.error("--log-group needs --account, the twelve digits of the account you mean")
    if not (math.isfinite(asked.hours) and asked.hours > 0):
        parser.error(f"--hours {asked.hours:g} is not possible: a finite number above 0 is needed")
    if asked.against and asked.traffic != 1:
        parser.error("--traffic goes without --against: the other log sets how much there is")
    try:
        log = (
            _group(asked.log_group, asked.account, asked.hours)
            if asked.log_group
            else _file(asked.file)
        )
        _tell(log.account)
        fitted = fit(log)
        _tell(fitted)
        change = Change(
            traffic=asked.traffic, memory_mb=asked.memory_mb, work_share=asked.work_share,
            provisioned_concurrency=asked.provisioned, keep_alive_s=asked.keep_alive_s,
        )  # fmt: skip
        if not asked.against:
            _tell(predict(fitted, change))
            return 0
        other = read_file(asked.against)
        rate = (len(other) - 1) / other.span_s if other.span_s else None
        same_traffic = Change(rate_per_s=rate, memory_mb=asked.memory_mb,
                              work_share=asked.work_share, keep_alive_s=asked.keep_alive_s,
                              provisioned_concurrency=asked.provisioned)  # fmt: skip
        foreseen = predict(fitted, same_traffic, duration_s=other.span_s or None)
        _tell(other.account, check(foreseen, other))
    except (ValueError, OSError, RuntimeError) as error:
        told = str(error)
        if isinstance(error, OSError) and error.filename:
            told = f"{error.filename}: {error.strerror}"
        sys.stderr.write(f"error: {told}\n")
        return 2
    return 0


def _tell(*parts: object) -> None:
    sys.stdout.writelines(f"{part}\n\n" for part in parts)


def _file(name: str) -> Log:
    return read_text(decoded(sys.stdin.buffer.read())) if name == "-" else read_file(Path(name))


def _group(name: str, account: str | None, hours: float) -> Log:
    from botocore.exceptions import BotoCoreError, ClientError

    from simulations.aws.local import use_aws
    from simulations.aws.logs import report_events

    now = time.time()
    try:
        if account:
            use_aws(account)
        found = report_events(name, max(now - 3600 * hours, 0.0), now)
    except (BotoCoreError, ClientError) as error:
        where = f"account {account}" if account else os.environ.get("AWS_ENDPOINT_URL")
        raise RuntimeError(f"{where} cannot be asked: {error}") from error
    if not found.events:
        raise ValueError(
            f"{name} holds no REPORT of the last {hours:g} h: --hours asks for more, and the "
            "credentials must be of the function's own region"
        )
    return read_reports(lines_of_events(found.events))


if __name__ == "__main__":
    raise SystemExit(main())
