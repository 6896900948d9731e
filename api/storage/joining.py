"""Callers that come while a transaction commits share the next one.

A commit waits for the disk, and SQLite has one writer: a transaction for each of sixteen callers makes the
last of them wait for sixteen of them. Nobody is answered before what was asked for is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Joining(Generic[T, R]):
    """Carries out what several threads ask for in one go.

    `together` does many at once, or nothing and raises; `alike` names what may not be done twice in one go,
    None for what may. The first caller does it, for all who have come by then.
    """

    def __init__(
        self, together: Callable[[Sequence[T]], Sequence[R]], alike: Callable[[T], Hashable | None]
    ) -> None:
        self._together = together
        self._alike = alike
        self._turn = Lock()
        self._waiting: list[tuple[T, Future[R]]] = []
        self._adding = Lock()

    def __call__(self, item: T) -> R:
        """Do one thing, with whatever else is asked for now; raise what doing it alone raises."""
        mine: Future[R] = Future()
        with self._adding:
            self._waiting.append((item, mine))
        while not mine.done():
            with self._turn:
                if not mine.done():
                    self._carry_out(self._next())
        return mine.result()

    def waiting(self) -> list[T]:
        """Return what is asked for and not begun."""
        with self._adding:
            return [item for item, _ in self._waiting]

    def _next(self) -> list[tuple[T, Future[R]]]:
        """Take from those who wait, in their order, all but those whose like is among them already."""
        taken: list[tuple[T, Future[R]]] = []
        left: list[tuple[T, Future[R]]] = []
        seen: set[Hashable] = set()
        with self._adding:
            for waits in self._waiting:
                name = self._alike(waits[0])
                if name is not None and name in seen:
                    left.append(waits)
                    continue
                seen.add(name)
                taken.append(waits)
            self._waiting = left
        return taken

    def _carry_out(self, asked: list[tuple[T, Future[R]]]) -> None:
        try:
            found = self._together([item for item, _ in asked])
        except Exception as error:
            if len(asked) > 1:  # one that fails must not fail the others
                for one in asked:
                    self._carry_out([one])
                return
            asked[0][1].set_exception(error)
            return
        except BaseException as error:
            for _, future in asked:
                future.set_exception(error)
            raise
        for (_, future), result in zip(asked, found, strict=True):
            future.set_result(result)
