"""Execution environments and the routing among idle ones.

Which idle environment serves the next request decides the cold share: the recorded AWS logs of
2020 show the most recently used one. May import: the standard library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf

ROUTINGS = ("most_recent", "newest", "oldest", "least_recent", "random")


class Environment:
    """One execution environment: serves one request at a time, expires when idle too long."""

    __slots__ = ("busy_s", "created_s", "expires_s", "idle_s", "number", "retires_s", "uses")

    def __init__(self, number: int, created_s: float) -> None:
        self.number = number
        self.created_s = created_s
        #: When it was last used; when it expires, or a time that it surely outlives.
        self.idle_s = 0.0
        self.expires_s = 0.0
        self.busy_s = 0.0
        self.uses = 0
        #: When it is too old to serve again.
        self.retires_s = inf


class Idle(ABC):
    """The idle environments of one function.

    `take(now)` returns the one that serves next and drops those that have expired; an
    environment whose time is up at `now` is gone. Expiry is noticed late and costs nothing until
    then: `ended` is told of each, whose `expires_s` says when it was. How long an environment
    is kept is drawn (`settle`) only when it has been idle for so long that it matters.

    `put(environment)` adds one that has become idle.

    Cost of `take`: O(1) for the most and least recently used with a constant keep-alive,
    O(log n) for the newest and oldest, O(n) for random when something expired.
    """

    put: Callable[[Environment], None]

    def __init__(
        self, ended: Callable[[Environment], None], settle: Callable[[Environment], float]
    ) -> None:
        self._ended = ended
        self._settle = settle

    @abstractmethod
    def take(self, now_s: float) -> Environment | None:
        """Remove and return the one that serves next, or None when there is none."""

    @abstractmethod
    def clear(self) -> list[Environment]:
        """Remove and return all, expired or not."""


class MostRecent(Idle):
    """The one used last serves next (a stack)."""

    def __init__(
        self,
        ended: Callable[[Environment], None],
        settle: Callable[[Environment], float],
        same_keep_alive: bool,
    ) -> None:
        super().__init__(ended, settle)
        self._stack: deque[Environment] = deque()
        self.put = self._stack.append
        self._same = same_keep_alive

    def take(self, now_s: float) -> Environment | None:
        """Remove and return the one that serves next, or None."""
        stack = self._stack
        # With one keep-alive for all, those that expire lie at the bottom.
        while self._same and stack and stack[0].expires_s <= now_s:
            self._ended(stack.popleft())
        while stack:
            environment = stack.pop()
            if environment.expires_s > now_s or self._settle(environment) > now_s:
                return environment
            self._ended(environment)
        return None

    def clear(self) -> list[Environment]:
        """Remove and return all, expired or not."""
        found = list(self._stack)
        self._stack.clear()
        return found


class LeastRecent(MostRecent):
    """The one idle for longest serves next (a line)."""

    def take(self, now_s: float) -> Environment | None:
        """Remove and return the one that serves next, or None."""
        while self._stack:
            environment = self._stack.popleft()
            if environment.expires_s > now_s or self._settle(environment) > now_s:
                return environment
            self._ended(environment)
        return None


class ByAge(Idle):
    """The one created last, or first, serves next (a heap)."""

    def __init__(
        self,
        ended: Callable[[Environment], None],
        settle: Callable[[Environment], float],
        sign: int,
    ) -> None:
        super().__init__(ended, settle)
        self._sign = sign
        self._heap: list[tuple[int, Environment]] = []

    def put(self, environment: Environment) -> None:
        """Add one that has become idle."""
        heappush(self._heap, (self._sign * environment.number, environment))

    def take(self, now_s: float) -> Environment | None:
        """Remove and return the one that serves next, or None."""
        while self._heap:
            environment = heappop(self._heap)[1]
            if environment.expires_s > now_s or self._settle(environment) > now_s:
                return environment
            self._ended(environment)
        return None

    def clear(self) -> list[Environment]:
        """Remove and return all, expired or not."""
        found = [environment for _, environment in self._heap]
        self._heap.clear()
        return found


class Random(Idle):
    """Any one of those alive, all equally likely, chosen by a counter-based draw."""

    def __init__(
        self,
        ended: Callable[[Environment], None],
        settle: Callable[[Environment], float],
        draw: Callable[[], float],
    ) -> None:
        super().__init__(ended, settle)
        self._draw = draw
        self._line: list[Environment] = []
        self._earliest_s = float("inf")

    def put(self, environment: Environment) -> None:
        """Add one that has become idle."""
        self._line.append(environment)
        self._earliest_s = min(self._earliest_s, environment.expires_s)

    def take(self, now_s: float) -> Environment | None:
        """Remove and return the one that serves next, or None."""
        if self._earliest_s <= now_s:
            alive = []
            for environment in self._line:
                if environment.expires_s > now_s or self._settle(environment) > now_s:
                    alive.append(environment)
                else:
                    self._ended(environment)
            self._line = alive
            self._earliest_s = min((e.expires_s for e in self._line), default=float("inf"))
        if not self._line:
            return None
        # Swap with the last: what matters is that every choice is equally likely.
        place = int(self._draw() * len(self._line))
        self._line[place], self._line[-1] = self._line[-1], self._line[place]
        return self._line.pop()

    def clear(self) -> list[Environment]:
        """Remove and return all, expired or not."""
        found, self._line = self._line, []
        return found


def idle_pool(
    routing: str,
    ended: Callable[[Environment], None],
    settle: Callable[[Environment], float],
    draw: Callable[[], float],
    same_keep_alive: bool,
) -> Idle:
    """The pool for a routing by its name.

    Raises
    ------
    ValueError
        If there is no such routing.
    """
    if routing == "most_recent":
        return MostRecent(ended, settle, same_keep_alive)
    if routing == "least_recent":
        return LeastRecent(ended, settle, same_keep_alive)
    if routing == "newest":
        return ByAge(ended, settle, -1)
    if routing == "oldest":
        return ByAge(ended, settle, +1)
    if routing == "random":
        return Random(ended, settle, draw)
    raise ValueError(f"routing={routing!r} is none of {', '.join(ROUTINGS)}")
