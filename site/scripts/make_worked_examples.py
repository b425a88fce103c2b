"""Keep the gathered worked examples of pricing pages as a record of the project.

    python site/scripts/make_worked_examples.py ../shared/worked_examples.yaml

The build reads the record; a test compares it with the gathered list where that is present.
Inputs and answers are AWS's (or infracost's golden tests', Apache-2.0), each with its source. May
import: the standard library and PyYAML.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "simulations" / "experiments" / "records" / "worked_examples.json"
KEPT = (
    "id", "service", "title", "kind", "source_type", "price_vintage", "inputs", "unit_prices",
    "expected_total_usd", "expected_value", "unit", "recomputed_total", "matches_page",
    "page_arithmetic", "note", "source",
)  # fmt: skip


def worked_examples(gathered: dict[str, Any]) -> dict[str, Any]:
    """The record: what billing an example needs, and what its page says."""
    return {
        "source": "pricing pages of AWS, copies of them, and infracost's golden tests; each named",
        "licence": "facts and figures; infracost's tests are under Apache-2.0",
        "gathered": "2026-11-23",
        "examples": [{name: one.get(name) for name in KEPT} for one in gathered["examples"]],
    }


if __name__ == "__main__":
    found = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = json.dumps(worked_examples(found), indent=1, ensure_ascii=False)
    RECORD.write_text(text + "\n", encoding="utf-8")
    print(f"{len(found['examples'])} examples -> {RECORD.relative_to(ROOT)}")
