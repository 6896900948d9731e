"""Law packs: the floor that no policy may go under, read from texts of the shelf."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Literal

from engine.ladder.threshold import NumberTest
from engine.source import Span
from engine.text import Period

Rule = Literal[
    "interruption", "termination", "late_fee", "restoration", "working_days", "contact_hours",
    "contact_frequency", "after_conversation", "cease_contact", "opt_out", "validation", "legal_action",
]  # fmt: skip
ELECTRONIC = ("sms", "email", "push")
"""Channels of messages that reach a customer at once."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule of the law that a ladder can keep or break."""

    id: str
    rule: Rule
    title: dict[str, str]
    source: str
    span: Span
    days: NumberTest | None = None
    """interruption, legal_action: days past due; termination: days since suspension; both without day 0."""
    rate: Decimal | None = None
    """late_fee: the most a day, as a share of what is owed."""
    within: timedelta | None = None
    """restoration: the longest time from payment to restored service."""
    grace: Period | None = None
    """late_fee: how long after the due date it may begin at the earliest."""
    calendar: str = ""
    """working_days: the calendar by which working days are counted."""
    hours: tuple[time, time] | None = None
    """contact_hours: from when until when the customer may be spoken to, in the customer's own time."""
    channels: tuple[str, ...] = ()
    """Which channels a rule on contact speaks of."""
    most: tuple[int, Period] | None = None
    """contact_frequency: so many contacts in so long a time, its first day counted."""
    consent: Period | None = None
    """contact_frequency, after_conversation: how long a consent to calls lifts it, its own day counted."""
    period: Period | None = None
    """after_conversation: how long, its own day counted; validation: the days to answer in."""
    template: str = ""
    """validation: the notice that comes before every other."""
    received: int = 0
    """validation: working days after which a notice is taken to have been received."""
    acts: tuple[str, ...] = ()
    """legal_action: to whom a debt is placed for it, as in `place(court)`."""


@dataclass(frozen=True, slots=True)
class LawPack:
    """Clauses in force on a day, each with its source; `engine.ladder.from_law` reads it."""

    name: str
    digest: str
    clauses: tuple[Clause, ...] = ()
    in_force: date | None = None
    title: str = ""

    def clauses_on(self, rule: Rule) -> tuple[Clause, ...]:
        """Return the clauses that bind one kind of act."""
        return tuple(clause for clause in self.clauses if clause.rule == rule)

    def cited(self, clause: Clause) -> str:
        """Return a clause as trails name it."""
        return f"law pack {self.name}, clause {clause.id} ({clause.source})"
