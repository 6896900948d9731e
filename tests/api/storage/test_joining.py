"""Callers that share a transaction."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.storage.joining import Joining


class Book:
    """Doubles numbers; its first go is held until the others have come."""

    def __init__(self, wrong: int = -1) -> None:
        self.goes: list[list[int]] = []
        self.wrong = wrong
        self.begun, self.go_on = threading.Event(), threading.Event()

    def together(self, items: Sequence[int]) -> Sequence[int]:
        first = not self.goes
        self.goes.append(list(items))
        if first:
            self.begun.set()
            assert self.go_on.wait(10)
        if self.wrong in items:
            raise ValueError(f"{self.wrong} is refused")
        return [2 * item for item in items]


def asked_at_once(book: Book, joining: Joining[int, int], items: Sequence[int]) -> list[int | str]:
    """Ask for the first item, and for the others while it is being done."""
    with ThreadPoolExecutor(len(items)) as threads:
        futures = [threads.submit(joining, items[0])]
        assert book.begun.wait(10)
        for number, item in enumerate(items[1:], start=1):
            futures.append(threads.submit(joining, item))
            while len(joining.waiting()) < number:
                pass
        book.go_on.set()
        return [str(error) if (error := one.exception()) else one.result() for one in futures]


def nothing_alike(item: int) -> Hashable | None:
    return None


def test_those_who_come_in_the_meantime_are_done_in_one_go() -> None:
    book = Book()
    joining = Joining(book.together, nothing_alike)
    assert asked_at_once(book, joining, [1, 2, 3, 4]) == [2, 4, 6, 8]
    assert book.goes == [[1], [2, 3, 4]]


def test_what_is_alike_is_done_one_after_the_other_in_order() -> None:
    book = Book()
    joining = Joining(book.together, lambda item: item % 10 or None)
    assert asked_at_once(book, joining, [1, 12, 22, 20, 30, 3, 32]) == [2, 24, 44, 40, 60, 6, 64]
    assert book.goes == [[1], [12, 20, 30, 3], [22], [32]]


def test_one_that_fails_fails_alone() -> None:
    book = Book(wrong=3)
    joining = Joining(book.together, nothing_alike)
    assert asked_at_once(book, joining, [1, 2, 3, 4]) == [2, 4, "3 is refused", 8]
    assert book.goes == [[1], [2, 3, 4], [2], [3], [4]]


def test_a_go_that_is_broken_off_answers_all_who_wait_for_it() -> None:
    class Stopped(BaseException):
        pass

    def together(items: Sequence[int]) -> Sequence[int]:
        raise Stopped

    joining = Joining(together, nothing_alike)
    for _ in range(2):  # the turn is given back
        with pytest.raises(Stopped):
            joining(1)
