"""Facts about AWS: quotas, behavior, prices; each with unit, region, date and source.

Every number that comes from outside enters the project here. The data file ``aws.json`` is made
by ``site/scripts/make_facts.py``. Asking for what is not there fails and names what is near.
This module may import the standard library only.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

__all__ = ["Change", "Fact", "Source", "UnknownFact", "changes", "fact", "facts"]


class UnknownFact(KeyError):
    """There is no fact, or no part of a fact, of this name; the message names near ones."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read.

    Classes, most trusted first: price_list, aws_page and aws_doc, aws_repo, measurement,
    repo_golden, aws_page_copy, secondary, memory.
    """

    url: str | None
    title: str | None
    source_class: str


@dataclass(frozen=True, slots=True, repr=False)
class Fact:
    """One fact with everything needed to judge it.

    Attributes
    ----------
    value
        A number, text, list (as a tuple) or mapping (read-only). Its parts are reached with
        ``fact[key]``.
    as_of
        Date of the page or price file ("2026", "2026-09" or "2026-09-19"); None where the copy
        that was read bears none.
    checked
        The day on which it was last looked at; age counts from here.
    confidence
        "seen" (read in the document named) or "memory" (unverified).

    Examples
    --------
    >>> fact("lambda.memory")["max_mb"]
    10240
    >>> fact("lambda.price.request")
    <fact lambda.price.request: 2e-07 USD/request (us-east-1, as of 2026-09-19, price_list)>
    """

    id: str
    service: str
    quantity: str
    value: Any
    unit: str
    region: str
    as_of: str | None
    checked: str
    source: Source
    confidence: str
    note: str = ""
    as_of_note: str | None = None

    def __getitem__(self, key: str | int) -> Any:
        """Part of the value; `UnknownFact` names the parts there are."""
        value = self.value
        if isinstance(value, Mapping):
            if key in value:
                return value[key]
            raise UnknownFact(f"{self.id} has no part {key!r}; it has {_words(value)}")
        if isinstance(value, tuple) and isinstance(key, int):
            if -len(value) <= key < len(value):
                return value[key]
            raise UnknownFact(f"{self.id} has {len(value)} parts, none is number {key}")
        raise UnknownFact(f"{self.id} is {value!r}: no part {key!r} in it")

    @property
    def number(self) -> float:
        """The value, which must be a number; else `TypeError`."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise TypeError(f"{self.id} is {self.value!r}, not a number")
        return self.value

    def __repr__(self) -> str:
        shown = " ".join(str(_plain(self.value)).split())
        if len(shown) > 60:
            shown = shown[:57] + "..."
        as_of = f"as of {self.as_of}" if self.as_of else "undated"
        where = f"{self.region}, {as_of}, {self.source.source_class}"
        return f"<fact {self.id}: {shown} {self.unit} ({where})>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only mappings cannot be pickled; the id can, and names the same fact elsewhere.
        return (fact, (self.id,))


@dataclass(frozen=True, slots=True)
class Change:
    """What older pages still say, and what holds now.

    Attributes
    ----------
    before
        What held until then, in words.
    now
        What holds, in words; facts stand in braces, as ``{lambda.tmp:max_mb in GB}``.
    since
        Month, year or span of the change; empty where nobody says when.
    checked
        The day on which it was last looked at.
    source
        Where the old value was read.
    confidence
        "seen" (read there) or "memory" (unverified).
    """

    id: str
    service: str
    what: str
    before: str
    now: str
    since: str
    checked: str
    source: Source
    confidence: str
    note: str = ""


@cache
def changes() -> tuple[Change, ...]:
    """What has changed since older pages were written, the latest first, the undated last.

    Examples
    --------
    >>> next(one for one in changes() if one.id == "lambda.rounding").before
    '100 ms'
    """
    text = resources.files(__name__).joinpath("changes.json").read_text(encoding="utf-8")
    found = [
        Change(source=Source(**entry.pop("source")), **entry)
        for entry in json.loads(text)["changes"]
    ]
    return tuple(sorted(found, key=lambda one: one.since, reverse=True))


def _words(names: Any) -> str:
    return ", ".join(str(name) for name in names)


def _plain(value: Any) -> Any:
    """Undo `_frozen`, for printing."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def _frozen(value: Any) -> Any:
    """Nobody downstream can change a fact."""
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(part) for key, part in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(part) for part in value)
    return value


@cache
def _all() -> Mapping[str, Fact]:
    found: dict[str, Fact] = {}
    for name in ("aws.json", "found.json"):
        text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
        for entry in json.loads(text)["facts"]:
            source = Source(**entry.pop("source"))
            value = _frozen(entry.pop("value"))
            if entry["id"] in found:
                raise ValueError(f"{name}: the fact {entry['id']} stands twice")
            found[entry["id"]] = Fact(source=source, value=value, **entry)
    return MappingProxyType(found)


def fact(id: str) -> Fact:
    """The fact of this id.

    Raises
    ------
    UnknownFact
        If there is none; the message names near ids.

    Examples
    --------
    >>> fact("lambda.timeout")["max_s"]
    900
    >>> fact("lambda.timeouts")
    Traceback (most recent call last):
    simulations.facts.UnknownFact: no fact 'lambda.timeouts'; near: lambda.timeout, ...
    """
    known = _all()
    if id in known:
        return known[id]
    near = difflib.get_close_matches(str(id), known, n=4, cutoff=0.65)
    if not near:
        near = [name for name in known if str(id) and str(id) in name][:4]
    hint = f"; near: {_words(near)}" if near else ""
    raise UnknownFact(f"no fact {id!r}{hint}")


def facts(prefix: str = "") -> Iterator[Fact]:
    """All facts whose id begins with `prefix`, in the order of the file.

    Examples
    --------
    >>> [f.id for f in facts("lambda.keepalive")]
    ['lambda.keepalive.2025', 'lambda.keepalive.2020']
    """
    return (one for name, one in _all().items() if name.startswith(prefix))
