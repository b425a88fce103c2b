"""Moving pictures: what happened in a trace, drawn so that it can be played and stepped.

A movie is plain data: boxes that stand still, actors that move or change between moments, texts
and levels that change. `simulations.movies.picture` draws one moment of it, which is the whole
figure for a reader without JavaScript; site/live/movie.js moves the same drawing. Each file beside
these two makes one movie from a trace. May import the rooms down to `experiment`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module

from simulations._check import finite, positive

#: What an actor, or a cell of a box, may be doing; book.css says how each looks.
STATES = (
    "gone", "off", "plain", "work", "wait", "cold", "busy", "idle", "visible", "hidden", "done",
    "failed",
)  # fmt: skip
#: The names of the movies there are, in the order of the book.
NAMES = ("way", "environments", "visibility", "bucket")


@dataclass(frozen=True)
class Key:
    """Where an actor is from a moment on, and in which state. Between moments it moves."""

    at_s: float
    x: float
    y: float
    state: str

    def __post_init__(self) -> None:
        for name in ("at_s", "x", "y"):
            finite(name, getattr(self, name))
        if self.state not in STATES:
            raise ValueError(f"state={self.state!r} is none of {', '.join(STATES)}")


@dataclass(frozen=True)
class Actor:
    """What moves: a disk of `radius` with a short label, or a bar of `width` by `height`.

    Raises
    ------
    ValueError
        If it has no key, or its keys are not in the order of time.
    """

    keys: tuple[Key, ...]
    label: str = ""
    width: float = 0.0
    height: float = 0.0
    radius: float = 7.0

    def __post_init__(self) -> None:
        times = [key.at_s for key in self.keys]
        if not times or times != sorted(times):
            raise ValueError(f"keys of {self.label!r} at {times!r}: none, or not in order")


@dataclass(frozen=True)
class Box:
    """A frame that stands still, with its name above it."""

    x: float
    y: float
    width: float
    height: float
    name: str = ""
    role: str = "plain"


@dataclass(frozen=True)
class Words:
    """A text that changes: from each moment on, the words beside it. One moment: it stands."""

    x: float
    y: float
    values: tuple[tuple[float, str], ...]
    anchor: str = "start"
    role: str = "plain"


@dataclass(frozen=True)
class Level:
    """A fill of a box from its bottom, as a share of its height that goes on evenly."""

    x: float
    y: float
    width: float
    height: float
    values: tuple[tuple[float, float], ...]
    role: str = "decoupled"


@dataclass(frozen=True)
class Curve:
    """A line that stands still: points, and whether it is a step's or a limit's."""

    points: tuple[tuple[float, float], ...]
    role: str = "plain"
    dashed: bool = False


@dataclass(frozen=True)
class Movie:
    """What happened, from second 0 to `lasts_s`.

    Attributes
    ----------
    height
        Of the picture, in units of which it is 360 wide.
    still_s
        The moment that is drawn for a reader who plays nothing.
    pace
        Simulated seconds in a second of playing.
    head
        Where the line of the present runs, as (left, right, top, bottom); None without.
    steps
        The moments to step to, with what happens then, in words.

    Raises
    ------
    ValueError
        If the still or a step lies outside, or steps are not in the order of time.
    """

    name: str
    height: float
    lasts_s: float
    still_s: float
    pace: float
    actors: tuple[Actor, ...]
    steps: tuple[tuple[float, str], ...]
    boxes: tuple[Box, ...] = ()
    words: tuple[Words, ...] = ()
    levels: tuple[Level, ...] = ()
    curves: tuple[Curve, ...] = ()
    head: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        positive("lasts_s", self.lasts_s)
        positive("pace", self.pace)
        times = [at_s for at_s, _ in self.steps]
        if not times or times != sorted(times):
            raise ValueError(f"steps at {times!r}: none, or not in order")
        for at_s in (self.still_s, *times):
            if not 0 <= at_s <= self.lasts_s:
                raise ValueError(f"{at_s!r} s lies outside of 0 to {self.lasts_s} s")


def key_of(
    entries: Sequence[tuple[str, str]], x: float, y: float, bars: bool = True
) -> tuple[list[Actor], list[Words]]:
    """Return a line that says what each look means: pairs of a state and its words."""
    actors, words = [], []
    for state, text in entries:
        if bars:
            actors.append(Actor((Key(0.0, x, y - 8.0, state),), width=12.0, height=9.0))
        else:
            actors.append(Actor((Key(0.0, x + 5.0, y - 4.0, state),), radius=5.0))
        words.append(Words(x + 17.0, y, ((0.0, text),)))
        x += 17.0 + 5.6 * len(text) + 14.0
    return actors, words


def together(steps: Iterable[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Return steps in the order of time, those of one moment as one.

    Examples
    --------
    >>> together([(2.0, "b"), (1.0, "a"), (2.0, "c")])
    ((1.0, 'a'), (2.0, 'b; c'))
    """
    found: dict[float, list[str]] = {}
    for at_s, words in sorted(steps, key=lambda step: step[0]):
        found.setdefault(at_s, []).append(words)
    return tuple((at_s, "; ".join(words)) for at_s, words in found.items())


def find(name: str) -> Movie:
    """Return the movie of this name.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> find("bucket").name
    'bucket'
    """
    if name not in NAMES:
        raise ValueError(f"{name!r} is no movie; there are {', '.join(NAMES)}")
    make: Callable[[], Movie] = import_module(f"{__name__}.{name}").movie
    return make()
