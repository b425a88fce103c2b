"""One moment of a movie as SVG, and the rest of it as the keyframes that move that SVG.

Each part that changes has the place in its list as `data-i`, so site/live/movie.js finds it.
Colors are the page's. May import the standard library and, of the library, `simulations.movies`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from html import escape
from typing import Any

from simulations.movies import Actor, Key, Level, Movie, Words

WIDTH = 360


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def place(keys: Sequence[Key], at_s: float) -> tuple[float, float, str]:
    """Return where an actor is at a moment and what it is doing: on its way it keeps its state.

    Examples
    --------
    >>> keys = (Key(0, 0, 0, "work"), Key(2, 10, 0, "done"))
    >>> place(keys, 1), place(keys, 2), place(keys, 9)
    ((5.0, 0.0, 'work'), (10, 0, 'done'), (10, 0, 'done'))
    """
    i = bisect_right(keys, at_s, key=lambda key: key.at_s) - 1
    if i < 0:
        return keys[0].x, keys[0].y, "gone"
    here = keys[i]
    if i + 1 == len(keys) or here.state == "gone":
        return here.x, here.y, here.state
    there = keys[i + 1]
    share = (at_s - here.at_s) / (there.at_s - here.at_s)
    return (
        here.x + share * (there.x - here.x), here.y + share * (there.y - here.y), here.state,
    )  # fmt: skip


def said(values: Sequence[tuple[float, str]], at_s: float) -> str:
    """Return the words that stand at a moment."""
    i = bisect_right(values, at_s, key=lambda value: value[0]) - 1
    return values[max(i, 0)][1]


def filled(values: Sequence[tuple[float, float]], at_s: float) -> float:
    """Return the share that is filled at a moment, evenly between two values."""
    i = bisect_right(values, at_s, key=lambda value: value[0]) - 1
    if i < 0 or i + 1 == len(values):
        return values[max(i, 0)][1]
    (a_s, a), (b_s, b) = values[i], values[i + 1]
    return a + (b - a) * (at_s - a_s) / (b_s - a_s)


def _actor(i: int, actor: Actor, at_s: float) -> str:
    x, y, state = place(actor.keys, at_s)
    if actor.width:
        corner = _number(min(2.0, actor.width / 4))
        body = (
            f'<rect width="{_number(actor.width)}" height="{_number(actor.height)}" rx="{corner}"/>'
        )
    else:
        body = f'<circle r="{_number(actor.radius)}"/>'
        if actor.label:
            body += f'<text text-anchor="middle" y="3.9">{escape(actor.label)}</text>'
    return (
        f'<g class="actor m-{state}" data-i="{i}" '
        f'transform="translate({_number(x)} {_number(y)})">{body}</g>'
    )


def _words(i: int, words: Words, at_s: float) -> str:
    anchor = "" if words.anchor == "start" else f' text-anchor="{words.anchor}"'
    return (
        f'<text class="words r-{words.role}" data-i="{i}" x="{_number(words.x)}" '
        f'y="{_number(words.y)}"{anchor}>{escape(said(words.values, at_s))}</text>'
    )


def _level(i: int, level: Level, at_s: float) -> str:
    height = level.height * filled(level.values, at_s)
    return (
        f'<rect class="level r-{level.role}" data-i="{i}" x="{_number(level.x)}" '
        f'y="{_number(level.y + level.height - height)}" width="{_number(level.width)}" '
        f'height="{_number(height)}"/>'
    )


def picture(movie: Movie, alt: str) -> str:
    """Return the movie's still as an inline SVG that carries its alternative text.

    Examples
    --------
    >>> from simulations.movies import find
    >>> picture(find("bucket"), "A bucket")[:59]
    '<svg class="sbe-figure movie-stage" viewBox="0 0 360 246" r'
    """
    at_s = movie.still_s
    parts = [
        f'<svg class="sbe-figure movie-stage" viewBox="0 0 {WIDTH} {_number(movie.height)}" '
        f'role="img" aria-label="{escape(alt)}">'
    ]
    for box in movie.boxes:
        parts.append(
            f'<rect class="box r-{box.role}" x="{_number(box.x)}" y="{_number(box.y)}" '
            f'width="{_number(box.width)}" height="{_number(box.height)}" rx="4"/>'
        )
        if box.name:
            middle = _number(box.x + box.width / 2)
            parts.append(
                f'<text class="r-{box.role}" text-anchor="middle" x="{middle}" '
                f'y="{_number(box.y - 6)}">{escape(box.name)}</text>'
            )
    parts += [_level(i, level, at_s) for i, level in enumerate(movie.levels)]
    for curve in movie.curves:
        line = " ".join(f"{_number(x)},{_number(y)}" for x, y in curve.points)
        dashed = " dashed" if curve.dashed else ""
        parts.append(f'<polyline class="curve{dashed} r-{curve.role}" points="{line}"/>')
    if movie.head is not None:
        left, right, top, bottom = movie.head
        x = _number(left + (right - left) * at_s / movie.lasts_s)
        parts.append(
            f'<line class="head" x1="{x}" x2="{x}" y1="{_number(top)}" y2="{_number(bottom)}"/>'
        )
    parts += [_actor(i, actor, at_s) for i, actor in enumerate(movie.actors)]
    parts += [_words(i, words, at_s) for i, words in enumerate(movie.words)]
    return "".join([*parts, "</svg>"])


def keyframes(movie: Movie) -> dict[str, Any]:
    """Return what movie.js needs to move the picture, as JSON knows it."""

    def short(value: float) -> float:
        return round(value, 3)

    return {
        "lasts": movie.lasts_s,
        "still": movie.still_s,
        "pace": movie.pace,
        "head": movie.head,
        "steps": [[short(at_s), words] for at_s, words in movie.steps],
        "actors": [
            [[short(k.at_s), round(k.x, 1), round(k.y, 1), k.state] for k in actor.keys]
            for actor in movie.actors
        ],
        "words": [[[short(at_s), text] for at_s, text in words.values] for words in movie.words],
        "levels": [
            [round(level.y, 1), round(level.height, 1),
             [[short(at_s), round(share, 4)] for at_s, share in level.values]]
            for level in movie.levels
        ],
    }  # fmt: skip
