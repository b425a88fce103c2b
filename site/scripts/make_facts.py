"""Make simulations/facts/aws.json from the gathered facts in YAML.

Usage: ``python site/scripts/make_facts.py [SOURCE [TARGET]]``; without arguments it reads
``../shared/facts.yaml`` and writes ``simulations/facts/aws.json``. The same input gives the same
bytes. It needs PyYAML; the library that reads the result needs nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT.parent / "shared" / "facts.yaml"
TARGET = ROOT / "simulations" / "facts" / "aws.json"
FIELDS = (
    "id",
    "service",
    "quantity",
    "value",
    "unit",
    "region",
    "as_of",
    "checked",
    "source",
    "confidence",
    "note",
    "as_of_note",
)
OPTIONAL = {"as_of_note"}


def facts_json(text: str) -> str:
    """The JSON text that belongs to a YAML text of facts.

    Raises
    ------
    ValueError
        If an entry lacks a field, has one that we do not know, or an id comes twice.
    """
    import yaml

    data = yaml.safe_load(text)
    seen: set[str] = set()
    entries: list[dict[str, Any]] = []
    for entry in data["facts"]:
        name = entry.get("id", "?")
        missing = [f for f in FIELDS if f not in entry and f not in OPTIONAL]
        unknown = [f for f in entry if f not in FIELDS]
        if missing or unknown:
            raise ValueError(f"fact {name}: missing fields {missing}, unknown fields {unknown}")
        if name in seen:
            raise ValueError(f"fact {name} stands twice")
        seen.add(name)
        entries.append({field: entry[field] for field in FIELDS if field in entry})
    body = {"about": data["about"], "facts": entries}
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file and say what was written."""
    source = Path(arguments[0]) if arguments else SOURCE
    target = Path(arguments[1]) if len(arguments) > 1 else TARGET
    if not source.is_file():
        print(f"{source} is not there: name the YAML file as first argument", file=sys.stderr)
        return 2
    text = facts_json(source.read_text(encoding="utf-8"))
    target.write_text(text, encoding="utf-8", newline="\n")
    print(f"{target.name}: {len(json.loads(text)['facts'])} facts, {len(text)} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
