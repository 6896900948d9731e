"""Law packs: the floor that no policy may go under, read from texts of the shelf."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from engine.ladder.threshold import NumberTest
from engine.source import Span

Rule = Literal["interruption", "termination", "late_fee", "restoration"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule of the law that a ladder can keep or break."""

    id: str
    rule: Rule
    title: dict[str, str]
    source: str
    span: Span
    days: NumberTest | None = None
    """interruption: days past due; termination: days since the suspension was done. Both exclude day 0."""
    rate: Decimal | None = None
    """late_fee: the most a day, as a share of what is owed."""
    within: timedelta | None = None
    """restoration: the longest time from payment to restored service."""


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
