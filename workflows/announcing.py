"""Bills announced before they are due, each look in a record from which it can be taken again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from engine.credit.finish import ENGINE
from engine.ladder import CollectionsPolicy, Position
from engine.ladder.before_due import reminders
from engine.model import SEMANTICS
from workflows.messages import ReminderRecord


def announced(
    policy: CollectionsPolicy, position: Position, at: datetime, asked: Collection[str]
) -> ReminderRecord:
    """Look at an account's bills that are not due yet, and write down what it was taken from; pure."""
    found = reminders(policy, position, at, asked)
    return ReminderRecord(
        account=position.account.terms.account,
        at=at,
        policy=policy.digest,
        law=position.law.digest,
        calendar=position.calendar.digest,
        engine=ENGINE,
        semantics=SEMANTICS,
        position=position.account,
        asked=tuple(sorted(asked)),
        actions=found.actions,
        look_at=found.look_at,
    )
