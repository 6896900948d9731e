"""What a caller of a watch policy can get wrong.

WatchError
  EventRefused        an event does not fit the declared schema: all that is wrong at once
  WindowRefused       events of a window contradict each other, or there are too many
  UnknownPartition    no rule looks at windows kept by this
  SearchTooLong       a rule's events combine in too many ways; the window was not matched
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class WatchError(Exception):
    """A watch policy could not be applied."""


@dataclass(frozen=True, slots=True)
class EventProblem:
    """One thing that is wrong with an event."""

    pointer: str
    """Where: a JSON pointer into the event, `/values/amount`."""
    code: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.pointer}: {self.message}{f' ({self.advice})' if self.advice else ''}"


class EventRefused(WatchError):
    """An event does not fit what the policy declares; every problem is named."""

    def __init__(self, event: str, problems: Sequence[EventProblem]) -> None:
        super().__init__(f"The event `{event}` is refused: {'; '.join(map(str, problems))}.")
        self.event, self.problems = event, tuple(problems)


class WindowRefused(WatchError):
    """The events of a window cannot stand together."""

    def __init__(self, subject: str, why: str) -> None:
        super().__init__(f"The window of `{subject}` is refused: {why}.")
        self.subject, self.why = subject, why


class UnknownPartition(WatchError):
    """No rule of the policy looks at windows kept by this."""

    def __init__(self, policy: str, per: str, known: Iterable[str]) -> None:
        told = ", ".join(f"`{name}`" for name in known)
        super().__init__(f"No rule of `{policy}` looks at windows per `{per}`; there are: {told}.")
        self.policy, self.per = policy, per


class SearchTooLong(WatchError):
    """A rule's events combine in too many ways."""

    def __init__(self, rule: str, subject: str, steps: int) -> None:
        super().__init__(
            f"Rule `{rule}` needs more than {steps:,} steps on the window of `{subject}`; "
            "join its events by a property or narrow them."
        )
        self.rule, self.subject, self.steps = rule, subject, steps
