"""All activities, each given the ports it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflows.activities.act import Act
from workflows.activities.assess import Assess
from workflows.activities.close import Close
from workflows.activities.grade_chunk import GradeChunk
from workflows.activities.open_due import OpenDue
from workflows.activities.step import Step
from workflows.activities.texts import PolicyTexts
from workflows.activities.trouble import Trouble
from workflows.ports import CaseBook, Clock, Courier, DecisionBook, Evidence, Ledger, PolicyShelf

Activity = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Outside:
    """The world as workflows know it."""

    shelf: PolicyShelf
    ledger: Ledger
    cases: CaseBook
    decisions: DecisionBook
    evidence: Evidence
    clock: Clock
    courier: Courier | None = None
    """None: what is asked for waits for the relay."""


def case_activities(outside: Outside, texts: PolicyTexts) -> list[Activity]:
    """Return the activities of cases, assessments and sweeps."""
    return [
        Step(texts, outside.ledger, outside.cases, outside.evidence).step,
        Act(outside.cases, outside.clock, outside.courier).act,
        Close(outside.cases).close,
        Trouble(outside.cases).note,
        OpenDue(outside.cases, outside.evidence).open_due,
        Assess(texts, outside.ledger, outside.decisions).assess,
    ]


def review_activities(outside: Outside, texts: PolicyTexts) -> list[Activity]:
    """Return the activities of portfolio reviews, which have a queue of their own."""
    return [GradeChunk(texts, outside.ledger, outside.decisions, outside.evidence).grade_chunk]
