"""What is raised when an answer does not fit its question."""

from __future__ import annotations


class WrongAnswer(Exception):
    """A record does not answer what was asked: the worker is miswired, or the history was changed.

    Not a failure of the workflow: Temporal tries the task again until the worker is mended.
    """

    def __init__(self, asked: object, answered: object) -> None:
        super().__init__(f"asked for {asked}, the record answers {answered}")
