"""The trust report: every row run anew gives what the book publishes, and verdicts mean something."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import make_trust
import pytest

from simulations.stats import Interval
from simulations.truth import Compared, Row, row, rows

RECORD: dict[str, dict[str, Any]] = {
    one["id"]: one for one in json.loads(make_trust.RECORD.read_text(encoding="utf-8"))["rows"]
}


@pytest.mark.parametrize("one", rows(), ids=lambda one: one.id)
def test_a_row_run_anew_gives_what_the_report_says(one: Row) -> None:
    """To six digits: another machine's logarithm may differ in the last bit."""
    assert one.id in RECORD, "run `python site/scripts/make_trust.py` to put it on record"
    found, recorded = one.told(), RECORD[one.id]
    assert found["verdict"] == recorded["verdict"]
    for name in ("ours", "theirs", "theirs_low", "theirs_high", "error"):
        near = recorded[name] and pytest.approx(recorded[name], rel=1e-6, abs=1e-9)
        assert found[name] == near, name
    texts = ("kind", "what", "source", "url", "chapter", "unit", "why")
    assert {name: found[name] for name in texts} == {name: recorded[name] for name in texts}


def test_the_report_has_no_row_that_nothing_makes() -> None:
    assert set(RECORD) == {one.id for one in rows()}


def a_row(margin: float = 0.02) -> Row:
    return Row("r", "verification", "w", "s", "", "c", margin, "", "", lambda: Compared(I(1), 1))


def I(mean: float, low: float | None = None, high: float | None = None) -> Interval:  # noqa: E743, N802
    return Interval(mean, mean if low is None else low, mean if high is None else high)


@pytest.mark.parametrize(
    ("compared", "verdict"),
    [
        (Compared(I(1.01, 1.0, 1.019), 1.0), "pass"),
        (Compared(I(1.01, 1.0, 1.03), 1.0), "inconclusive"),
        (Compared(I(1.10, 1.05, 1.15), 1.0), "fail"),
        (Compared(I(1.10, 1.05, 1.15), 1.0, 0.8, 1.2), "pass"),
        (Compared(I(1.10, 1.05, 1.25), 1.0, 0.8, 1.2), "inconclusive"),
        (Compared(I(0.0), 0.0), "pass"),
    ],
)
def test_a_wide_interval_is_never_a_pass(compared: Compared, verdict: str) -> None:
    assert a_row().verdict(compared) == verdict


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Compared(I(1, 2, 3), 1), "ours"),
        (lambda: Compared(I(float("nan")), 1), "ours.mean"),
        (lambda: Compared(I(1), 1, 2, 3), "theirs_low"),
        (lambda: Compared(I(1), 1, 0.5), "give both"),
        (lambda: row(next(iter(RECORD)), kind="validation", what="w", source="s", chapter="c"), "taken"),
        (lambda: row("new", kind="guess", what="w", source="s", chapter="c"), "kind"),  # type: ignore[arg-type]
        (lambda: row("new", kind="validation", what="w", source=" ", chapter="c"), "source"),
        (lambda: row("new", kind="validation", what="w", source="s", chapter="c", margin=0), "margin"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_judged_is_refused_by_name(
    make: Callable[[], object], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        make()


def test_every_row_names_a_chapter_that_stands(root: Any) -> None:
    slugs = {path.stem for path in (root / "book").rglob("*.md")}
    assert {one.chapter for one in rows()} <= slugs
