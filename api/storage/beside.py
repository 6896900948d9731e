"""The cases that an account has at a time: one about the whole, or several, each about a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, sql
from sqlmodel import Session, col, select

from api.storage.library import Library
from api.storage.tables import AccountRow, ActionRow, CaseRow, OutboxRow, table_of
from engine.ladder import CollectionsPolicy, Taken
from engine.ladder.memory import GONE, Row, do_of, most_severe
from engine.ladder.scope import awaits_deposit, demand_of, is_divided
from engine.ledger.account import AccountPosition, DemandedLevel, Level

_CUTS = ("service", "terminate")
# Made once: these are asked at every look, where making a statement costs more than running it.
_CASES = table_of(CaseRow).c
_MINE = _CASES.account == bindparam("account")
_TEXTS = sql.select(_CASES.number, _CASES.policy).where(_MINE).order_by(_CASES.number)
_OPEN = (
    sql.select(_CASES.number, _CASES.workflow, _CASES.item, _CASES.policy)
    .where(_MINE, _CASES.state == "open")
    .order_by(_CASES.number)
)
_LAST = select(CaseRow).where(_MINE, _CASES.item == bindparam("item")).order_by(_CASES.number.desc()).limit(1)
_ENDED = select(CaseRow).where(_MINE, _CASES.ended_at >= bindparam("since")).order_by(_CASES.number)


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case as others of its account see it."""

    number: int
    workflow: str
    item: str
    policy: str
    """Digest of the text that it is bound to."""


def open_cases(session: Session, row: AccountRow) -> Sequence[OpenCase]:
    """Return the open cases of an account by number."""
    if row.open_case is None:
        return ()
    return [OpenCase(*found) for found in session.connection().execute(_OPEN, {"account": row.id})]


def last_case(session: Session, row: AccountRow, item: str) -> CaseRow | None:
    """Return the last case that an account had about an item."""
    if not row.cases:
        return None
    return session.exec(_LAST, params={"account": row.id, "item": item}).one_or_none()


def ended_since(session: Session, row: AccountRow, since: datetime) -> dict[str, CaseRow]:
    """Return the last case about each item of those that have ended since an instant."""
    if not row.cases:
        return {}
    return {case.item: case for case in session.exec(_ENDED, params={"account": row.id, "since": since})}


def with_demands_beside(
    session: Session, library: Library, row: AccountRow, account: AccountPosition
) -> AccountPosition:
    """Return an account's position with what its several cases demand of service, where it can have several.

    Of each case counts what the receiver was told or has confirmed: what waits to be sent may never be.
    """
    if not row.cases:
        return account
    found: list[DemandedLevel] = []
    for number, digest in session.connection().execute(_TEXTS, {"account": row.id}).all():
        policy = library.collections(session, digest)
        if is_divided(policy.case) and (demand := _demand(session, row.id, number, policy, account)):
            found.append(demand)
    if found:
        account = account.model_copy(update={"demands": (*account.demands, *found)})
    if not account.deposit:
        return account
    asked = _deposit_asked(session, library, row, account)
    return account.model_copy(update={"deposit_asked": asked}) if asked else account


def _deposit_asked(
    session: Session, library: Library, row: AccountRow, account: AccountPosition
) -> tuple[str, ...]:
    """Return the open cases that wait for the deposit: by what they keep, or by what was just asked."""
    found = list[str]()
    for case in open_cases(session, row):
        rules = library.collections(session, case.policy).case
        if not is_divided(rules):
            continue
        mine = CaseRow.account == row.id, CaseRow.number == case.number
        kept = session.exec(select(CaseRow.taken).where(*mine)).one()
        taken = Taken.model_validate_json(kept) if kept else None
        known = {key for one in (taken.rows if taken else ()) for key in one.keys}
        query = select(ActionRow.key).where(ActionRow.account == row.id, ActionRow.number == case.number)
        fresh = {*session.exec(query.where(ActionRow.do == "apply", ActionRow.state == "requested"))} - known
        if fresh or (taken and awaits_deposit(rules, taken, account)):
            found.append(case.workflow)
    return tuple(found)


def _demand(
    session: Session, account: str, number: int, policy: CollectionsPolicy, position: AccountPosition
) -> DemandedLevel | None:
    kept = session.exec(
        select(CaseRow.taken).where(CaseRow.account == account, CaseRow.number == number)
    ).one()
    if kept is None:
        return None
    taken = Taken.model_validate_json(kept)
    if taken.level == "open":
        return None
    return demand_of(policy.case, taken, _in_force(session, taken), position.today)


def _in_force(session: Session, taken: Taken) -> Level:
    rows = (Row.of(row) for row in taken.rows)
    return most_severe([row.demands for row in rows if row.level and _is_told(session, row)])


def _is_told(session: Session, row: Row) -> bool:
    keys = [key for key in row.keys if do_of(key) in _CUTS and row.words.get(key) not in GONE]
    for key in keys:
        action = session.get(ActionRow, key)
        if action is not None and is_told(session, action):
            return True
    return False


def is_told(session: Session, action: ActionRow) -> bool:
    """Tell whether the receiver has confirmed an action, or was told of it and has not answered yet."""
    return action.state == "done" or _is_delivered(session, action)


def _is_delivered(session: Session, action: ActionRow) -> bool:
    if action.state != "requested":
        return False
    sent = select(OutboxRow.id).where(
        OutboxRow.once == f"action:{action.key}",
        (col(OutboxRow.state) == "delivered") | col(OutboxRow.leased_until).is_not(None),
    )
    return session.exec(sent).one_or_none() is not None
