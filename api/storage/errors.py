"""What a caller can get wrong with the stored things: one class a case, each with its own sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from api.storage.wording import with_article
from engine.ledger import EntryProblem
from engine.source import Problem, Severity, render_problem
from engine.text import did_you_mean


class StorageError(Exception):
    """The base of all refusals of storage."""


class CustomerNotFound(StorageError, LookupError):
    """There is no customer of this id."""

    def __init__(self, customer: str) -> None:
        super().__init__(f"There is no customer `{customer}`. Create it with `POST /v1/customers` first.")
        self.customer = customer


class CollectionsPolicyUnknown(StorageError, LookupError):
    """An account names a collections policy that was never published."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        advice = did_you_mean(name, known, of="known are") or "none is published yet: `forbear publish`"
        end = "" if advice.endswith("?") else "."
        super().__init__(f"There is no collections policy `{name}`; {advice.rstrip('.')}{end}")
        self.name = name


class NotFound(StorageError, LookupError):
    """There is nothing of this kind with this id."""

    def __init__(self, kind: str, wanted: str) -> None:
        super().__init__(f"There is no {kind} `{wanted}`.")
        self.kind = kind
        self.wanted = wanted


_CHANGED = {
    "customer": "change it with `PATCH /v1/customers/{customer}`, tell facts with `POST .../facts`",
    "account": "its policy is changed with `PATCH /v1/accounts/{account}`",
}
"""How what is no entry is changed."""


class AlreadyThere(StorageError):
    """Something else is stored under this id: it was sent before with other content."""

    def __init__(self, kind: str, wanted: str, differs: Sequence[str]) -> None:
        fields = ", ".join(f"`{name}`" for name in differs)
        how = _CHANGED.get(kind, "send a correction as an entry of its own")
        super().__init__(
            f"{with_article(kind, capital=True)} `{wanted}` is stored already, with another {fields}. "
            f"Nothing is overwritten: {how}, or use another id."
        )
        self.kind = kind
        self.wanted = wanted
        self.differs = tuple(differs)


class EntryRefused(StorageError):
    """The entry does not fit the account's ledger; each problem says why."""

    def __init__(self, kind: str, ref: str, problems: Sequence[EntryProblem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.kind = kind
        self.ref = ref
        self.problems = tuple(problems)


class ReceivedBackwards(StorageError):
    """The given `received_at` is before what the account has already received."""

    def __init__(self, account: str, given: datetime, last: datetime) -> None:
        super().__init__(
            f"`received_at` {given.isoformat()} is before {last.isoformat()}, the last that account "
            f"`{account}` received. News comes in the order in which it is received."
        )
        self.account = account
        self.last = last


class ReceiptTooEarly(StorageError):
    """A receipt says that an action happened before it was asked for."""

    def __init__(self, key: str, at: datetime, asked: datetime) -> None:
        super().__init__(
            f"`at` {at.isoformat()} is before {asked.isoformat()}, when `{key}` was asked for. "
            "Check the clock of the receiver, or leave `at` out."
        )


class StaleVersion(StorageError):
    """The account is not at the version that the caller has read."""

    def __init__(self, account: str, wanted: int, version: int) -> None:
        super().__init__(
            f"Account `{account}` is at version {version}, not at {wanted}: something has come in "
            "since it was read. Nothing was written."
        )
        self.version = version


class NotSimulated(StorageError):
    """Something that moves the clock was asked of a directory for real time."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is allowed only in a data directory that was created as simulated; "
            "this one is for real time."
        )
        self.what = what


class PolicyRefused(StorageError):
    """The texts are no policy that can be used; each problem says where and why."""

    def __init__(self, problems: Sequence[Problem], sources: Mapping[str, str]) -> None:
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        shown = "\n".join(render_problem(problem, sources) for problem in errors)
        super().__init__(f"The policy cannot be published: {len(errors)} errors.\n{shown}")
        self.problems = tuple(problems)
