"""The grade in force: as decided, or as a person put it for a time. Treatment reads it as a fact."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.storage.customers import GRADE, fact_rows, latest_facts, lock_customers, set_facts
from api.storage.overrides import OverrideRow, overrides_of
from api.storage.pokes import poke_open_cases
from api.storage.session import Work
from api.storage.tables import DecisionRow
from engine.credit.decision import Fact

SOURCE = "override "
"""How the source of a grade begins that a person has put in place."""


def put_grade(work: Work, row: DecisionRow, zone: ZoneInfo, at: datetime) -> None:
    """Let a new override of a customer's last decision count: the grade, if it has put one in place."""
    overriding = _in_force(work.session, row, zone, at)
    if overriding is not None:
        source = f"{SOURCE}{overriding.id} of decision {row.id}"
        _keep(work, row.customer, json.loads(overriding.outcome)[GRADE], source, zone, at)


def restore_grade(work: Work, row: DecisionRow, zone: ZoneInfo, at: datetime) -> None:
    """Bring back the grade that counts when an override's time is over; one told since then stays."""
    known = latest_facts(fact_rows(work.session, [row.customer])).get(GRADE)
    if known is None or not known.source.startswith(SOURCE):
        return
    if _in_force(work.session, row, zone, at) is not None:
        put_grade(work, row, zone, at)
        return
    decided = json.loads(row.body)["decision"]["outcome"].get(GRADE)
    if isinstance(decided, str):
        _keep(work, row.customer, decided, f"decision {row.id}", zone, at)


def grade_ends(session: Session, row: DecisionRow, on: date) -> list[date]:
    """Return the days after a day on which an override of the grade does not count any more."""
    later = (one.until + timedelta(days=1) for one in _of_grade(session, row))
    return sorted(day for day in later if day > on)


def _in_force(session: Session, row: DecisionRow, zone: ZoneInfo, at: datetime) -> OverrideRow | None:
    today = at.astimezone(zone).date()
    counting = [one for one in _of_grade(session, row) if one.at <= at and today <= one.until]
    return counting[-1] if counting else None


def _of_grade(session: Session, row: DecisionRow) -> list[OverrideRow]:
    found = ((one, json.loads(one.outcome).get(GRADE)) for one in overrides_of(session, row.id))
    return [one for one, grade in found if isinstance(grade, str)]


def _keep(work: Work, customer: str, grade: str, source: str, zone: ZoneInfo, at: datetime) -> None:
    lock_customers(work.session, [customer])
    known = latest_facts(fact_rows(work.session, [customer])).get(GRADE)
    by_person = known is not None and known.source.startswith(SOURCE)
    if known is not None and known.value == grade and by_person == source.startswith(SOURCE):
        return
    day = max(filter(None, (at.astimezone(zone).date(), known.as_of if known else None)))
    fact = Fact(value=grade, as_of=day, source=source)
    if set_facts(work, {customer: {GRADE: fact}}, at) and (known is None or known.value != grade):
        poke_open_cases(work, customer, "grade", at)


__all__ = ["SOURCE", "grade_ends", "put_grade", "restore_grade"]
