"""Pokes: news for an open case, through the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from api.storage import outbox
from api.storage.beside import open_cases
from api.storage.session import Work
from api.storage.tables import AccountRow
from workflows.ids import case_id


def poke(work: Work, account: str, number: int, once: str, reason: str, at: datetime) -> int | None:
    """Tell a case to look again; `once` names the news, so that it is told once."""
    case = case_id(account, number)
    return outbox.put(
        work,
        "case",
        "poke",
        case,
        account=account,
        once=f"poke:{once}",
        created_at=at,
        body={"reason": reason},
    )


def poke_cases(work: Work, row: AccountRow, reason: str, at: datetime) -> None:
    """Tell the open cases of an account, as it stands, to look again."""
    for case in open_cases(work.session, row):
        poke(work, row.id, case.number, f"{row.id}/{case.number}:{row.version}", reason, at)


def poke_open_cases(work: Work, customer: str, reason: str, at: datetime) -> None:
    """Tell all open cases of a customer to look again."""
    query = select(AccountRow).where(AccountRow.customer == customer, col(AccountRow.open_case).is_not(None))
    for row in work.session.exec(query).all():
        for case in open_cases(work.session, row):
            once = f"{row.id}/{case.number}:{reason}:{row.version}:{at.isoformat()}"
            poke(work, row.id, case.number, once, reason, at)
