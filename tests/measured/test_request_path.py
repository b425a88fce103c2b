"""The record of the time outside the handler is what the logs of 2020 say."""

from __future__ import annotations

from pathlib import Path

import make_request_path
from make_records import as_text


def test_the_record_is_derived_from_the_logs(root: Path, shared: Path) -> None:
    kept = root / "simulations" / "experiments" / "records" / f"{make_request_path.NAME}.json"
    assert kept.read_text(encoding="utf-8") == as_text(make_request_path.request_path_2020(shared))
