"""The workers of a sweep: a given executor, or processes started here and renewed when they die.

May import: the standard library and this room.
"""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor
from queue import SimpleQueue
from typing import Any

from simulations.sweep import WorkersLost
from simulations.sweep.work import Answer, Task, end_with_parent, work

#: So often in a row processes may die before a single run ends.
PATIENCE = 3


class Crew:
    """Hands tasks to an executor and takes the answers as they come, in any order."""

    def __init__(self, executor: Executor | None) -> None:
        self.own = executor is None
        self.executor = executor or self._pool()
        self.flying: dict[Any, Task] = {}
        self.back: list[Task] = []
        self.done: SimpleQueue[Any] = SimpleQueue()
        self.deaths = 0
        self.broken = False
        self.cause: BaseException | None = None

    @staticmethod
    def _pool() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(os.cpu_count(), initializer=end_with_parent)

    def give(self, task: Task, *arguments: Any) -> bool:
        """Hand over one task; False where the workers are gone."""
        if self.broken:
            self.back.append(task)
            return False
        try:
            future = self.executor.submit(work, *arguments)
        except (BrokenExecutor, RuntimeError) as error:  # broken, or shut down
            self.broken, self.cause = True, error
            self.back.append(task)
            return False
        self.flying[future] = task
        future.add_done_callback(self.done.put)
        return True

    def take(self) -> tuple[Task, Answer] | None:
        """Wait for one answer; None where a worker died instead (its task is in `back`)."""
        future = self.done.get()
        task = self.flying.pop(future)
        try:
            answer: Answer = future.result()
        except (Exception, CancelledError) as error:
            # Experiments answer with text, so an exception is the workers' own.
            self.broken, self.cause = True, error
            self.back.append(task)
            return None
        self.deaths = 0
        return task, answer

    def renew(self) -> None:
        """Start new processes in place of dead ones; raise where that is not ours, or in vain."""
        why = f"{type(self.cause).__name__}: {self.cause}"
        if not self.own:
            raise WorkersLost(f"the executor lost its workers ({why})") from self.cause
        self.deaths += 1
        if self.deaths >= PATIENCE:
            raise WorkersLost(
                f"worker processes died {self.deaths} times in a row before any run ended ({why}); "
                "is there too little memory?"
            ) from self.cause
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._pool()
        self.broken = False

    def dismiss(self) -> list[tuple[Task, Answer]]:
        """Take back what has not begun, end processes that were started here, return the rest."""
        for future in self.flying:
            future.cancel()
        if self.own:
            self.executor.shutdown(wait=True, cancel_futures=True)
        ended = [(t, f) for f, t in self.flying.items() if f.done() and not f.cancelled()]
        return [(task, future.result()) for task, future in ended if future.exception() is None]
