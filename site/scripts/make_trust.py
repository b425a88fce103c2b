"""Run every comparison of the trust report and write the record that its page shows.

    python site/scripts/make_trust.py [ID ...]

Without ids all rows are run anew; with ids only those, the others are kept as recorded.
Imports the standard library and the project's own library.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
RECORD = ROOT / "simulations" / "experiments" / "records" / "trust.json"

from simulations.truth import rows  # noqa: E402

#: Digits kept: enough to see a change, few enough to be the same on every machine.
DIGITS = 8


def rounded(value: Any) -> Any:
    """Return a row with its numbers rounded as they are recorded."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return value


def main(wanted: list[str]) -> int:
    """Write the record; name what is unknown."""
    all_rows = rows()
    unknown = set(wanted) - {one.id for one in all_rows}
    if unknown:
        print(f"no rows {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    before: dict[str, Any] = {}
    if wanted and RECORD.is_file():
        before = {one["id"]: one for one in json.loads(RECORD.read_text("utf-8"))["rows"]}
    told = []
    for one in all_rows:
        if before.get(one.id) and one.id not in wanted:
            told.append(before[one.id])
            continue
        start_s = time.perf_counter()
        told.append(rounded(one.told()))
        now = told[-1]
        print(
            f"{now['verdict']:12} {one.id:40} ours {now['ours'][0]:.6g} "
            f"({now['ours'][1]:.6g}–{now['ours'][2]:.6g}) theirs {now['theirs']:.6g} {one.unit} "
            f"[{time.perf_counter() - start_s:.1f} s]"
        )
    text = json.dumps(
        {
            "source": "every row of simulations/truth, run by site/scripts/make_trust.py",
            "licence": "Apache-2.0; each row names the source of what it is held against",
            "rows": told,
        },
        indent=1,
        ensure_ascii=False,
    )
    RECORD.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
