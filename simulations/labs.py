"""What the labs share: a check tells a learner whether an answer is right, with a hint if not.

May import: the standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill

#: Characters a line, so that a page shows a message whole.
WIDTH = 76


class NotYet(Exception):
    """An answer is not right yet; the message is the hint."""


def demand(holds: object, hint: str) -> None:
    """Go on when `holds` is true; otherwise end the check that is running with the hint.

    Raises
    ------
    NotYet
        With the hint, for `check` to show.
    """
    if not holds:
        raise NotYet(hint)


def check(answer: Callable[[], str]) -> None:
    """Run a check at once and print what came of it, never a traceback.

    Used as a decorator: the function demands what must hold and returns what a learner reads
    when all of it does.

    Parameters
    ----------
    answer : callable
        Takes nothing; uses the learner's own names.

    Examples
    --------
    >>> share = 0.25
    >>> @check
    ... def the_share() -> str:
    ...     demand(0 <= share <= 1, "a share lies between 0 and 1")
    ...     demand(share < 0.2, f"{share:.0%} is too much: divide failures by attempts")
    ...     return "few fail"
    not yet: 25% is too much: divide failures by attempts
    >>> @check
    ... def the_time() -> str:
    ...     demand(latency_s > 0, "time runs forward")
    ...     return "it does"
    not yet: 'latency_s' has no value; fill in the task above and run its cell
    """
    try:
        told = f"right: {answer()}"
    except NotYet as hint:
        told = f"not yet: {hint}"
    except NameError as error:
        told = f"not yet: {error.name!r} has no value; fill in the task above and run its cell"
    except Exception as error:  # whatever a learner's code raises is an answer, too
        told = f"not yet: your code stopped with {type(error).__name__}: {error}".rstrip(": ")
    print(fill(told, WIDTH, subsequent_indent="  "))  # noqa: T201  a lab speaks by printing
