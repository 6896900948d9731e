"""A credit decision: what came out, for which reasons, from which facts, under which text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from engine.model import Model, digest

Value = bool | int | Decimal | str | date | None | tuple["Value", ...]


class Fact(Model):
    """One fact as it was given: its value, and what is known of its quality."""

    value: Any
    as_of: date | None = None
    """The day on which it was true; its age is measured from here."""
    source: str = ""
    verified_by: str = ""
    verified_at: AwareDatetime | None = None


class Reason(Model):
    """A reason code with its texts by language."""

    code: str
    decision: str
    """The table or scorecard whose row gave it."""
    text: dict[str, str] = {}


class Money(Model):
    """An exact amount in a currency (TMF Money, as a decimal string)."""

    unit: str
    value: Decimal


class RowTrace(Model):
    """One row as it was looked at: matched, or the first cell that did not hold."""

    row: int
    line: int
    matched: bool
    because: str = ""
    """The cell that failed, in words: `score 431 is not in [520..600)`."""


class DecisionTrace(Model):
    """How one named decision of the policy came to its value: every row considered, and why."""

    decision: str
    kind: Literal["table", "scorecard", "expression", "fact"]
    """fact: one that was missing, too old or unverified, so that the policy's answer stands for it."""
    value: Any
    because: str = ""
    """For a fact: what was wrong with it, and what the policy says then, in words."""
    rows: tuple[RowTrace, ...] = ()
    reads: dict[str, Any] = {}
    """The names it read, with their values."""
    points: tuple[tuple[str, Decimal], ...] = ()
    """For a scorecard: points by characteristic."""


class Decision(Model):
    """The result of one credit policy for one customer on one day."""

    policy: str
    version: str
    digest: str
    semantics: int = 1
    """Stands in no record while it is 1, so this default never changes."""
    engine: str
    as_of: date
    status: Literal["decided", "refused", "referred"]
    """refused / referred: what the policy names for a fact that is missing, too old or unverified."""
    outcome: dict[str, Any] = {}
    """By the policy's outcome names: amounts as `Money`, everything else as plain values."""
    reasons: tuple[Reason, ...] = ()
    """In the policy's order of importance; the first is the principal one."""
    facts: dict[str, Fact] = {}
    """The facts it read, defaults included; the decision can be taken again from these."""
    trace: tuple[DecisionTrace, ...] = ()
    valid_until: date | None = Field(default=None, exclude_if=lambda day: day is None)
    """The last day on which it holds; None: until the next decision."""

    @property
    def facts_digest(self) -> str:
        """The digest of the facts that were read."""
        return digest({k: v.model_dump(mode="json") for k, v in self.facts.items()})
