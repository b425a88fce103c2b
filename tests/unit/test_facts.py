"""Facts: what is there comes with date and source; what is not there fails loudly."""

from __future__ import annotations

import importlib.util
import json
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from simulations.facts import UnknownFact, changes, fact, facts

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "simulations" / "facts" / "aws.json"


@pytest.fixture(scope="module")
def facts_json() -> Callable[[str], str]:
    script = ROOT / "site" / "scripts" / "make_facts.py"
    spec = importlib.util.spec_from_file_location("make_facts", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[[str], str] = module.facts_json
    return made


def test_data_file_is_what_the_gathered_facts_make(
    shared: Path, facts_json: Callable[[str], str]
) -> None:
    gathered = (shared.parent / "facts.yaml").read_text(encoding="utf-8")
    assert DATA.read_text(encoding="utf-8") == facts_json(gathered)


def test_making_the_file_refuses_a_broken_entry(facts_json: Callable[[str], str]) -> None:
    entry = json.loads(DATA.read_text(encoding="utf-8"))["facts"][0]
    text = json.dumps({"about": "", "facts": [entry, entry]})  # JSON is YAML
    with pytest.raises(ValueError, match=r"lambda\.price\.request stands twice"):
        facts_json(text)
    del entry["checked"]
    with pytest.raises(ValueError, match=r"lambda\.price\.request: missing fields \['checked'\]"):
        facts_json(json.dumps({"about": "", "facts": [entry]}))
    entry |= {"checked": "2026-11-23", "price": 1}
    with pytest.raises(ValueError, match=r"unknown fields \['price'\]"):
        facts_json(json.dumps({"about": "", "facts": [entry]}))


def test_every_fact_says_when_and_where() -> None:
    every = list(facts())
    assert len(every) == len({one.id for one in every}) > 200
    for one in every:
        date.fromisoformat(one.checked)
        assert one.confidence in ("seen", "memory")
        assert one.source.url or one.source.source_class in ("secondary", "memory"), one.id
        assert "\n" not in repr(one)
        assert len(repr(one)) < 250


def test_unknown_fact_names_near_ones() -> None:
    with pytest.raises(UnknownFact, match=r"no fact 'sqs.visibilty'; near: sqs.visibility"):
        fact("sqs.visibilty")
    with pytest.raises(KeyError):
        fact("")
    with pytest.raises(
        UnknownFact, match=r"lambda.memory has no part 'max'; it has min_mb, max_mb"
    ):
        fact("lambda.memory")["max"]
    with pytest.raises(UnknownFact, match="no part 'usd'"):
        fact("lambda.price.request")["usd"]
    with pytest.raises(UnknownFact, match="3 parts"):
        fact("sqs.price.standard")[3]


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        fact("lambda.memory").value["max_mb"] = 1
    with pytest.raises(AttributeError):
        fact("lambda.memory").unit = "GB"  # type: ignore[misc]


def test_number_is_asked_for_as_such() -> None:
    assert fact("lambda.price.request").number == 2e-07
    with pytest.raises(TypeError, match="not a number"):
        _ = fact("lambda.price.pc.free_tier").number


def test_facts_travel_between_processes() -> None:
    one = fact("lambda.memory")
    assert pickle.loads(pickle.dumps(one)) is one


def test_a_change_says_what_held_what_holds_and_where_that_was_read() -> None:
    every = changes()
    assert len({one.id for one in every}) == len(every) > 15
    for one in every:
        assert one.before, one.id
        assert one.confidence in ("seen", "memory"), one.id
        assert (one.confidence == "memory") == (one.source.source_class == "memory"), one.id
        assert one.source.url, one.id
        date.fromisoformat(one.checked)
    dated = [one.since for one in every if one.since]
    assert dated == sorted(dated, reverse=True)


def test_the_vintages_of_prices_and_the_list_of_changes_agree() -> None:
    # The same old value stands as a fact, for the price lists of earlier years.
    before = {one.id: one.before for one in changes()}
    for name in ("write", "read", "replwrite"):
        old = fact(f"ddb.price.ondemand.{name}.2024")["usd"] * 1e6
        told = before[{"replwrite": "ddb.replicated"}.get(name, f"ddb.{name}")]
        assert float(told.split()[0]) == pytest.approx(old)
    assert before["lambda.rounding"] == f"{fact('lambda.price.rounding.2020')['step_ms']} ms"
