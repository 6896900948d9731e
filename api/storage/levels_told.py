"""What the receiver was told of levels of service: by cases, and because of others' demands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from api.storage.actions import NO_CASE, action_of
from api.storage.beside import is_told
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow, OutboxRow
from engine.ladder.levels import ALL, is_demand, lets_go_on
from engine.ladder.memory import GONE, most_severe
from engine.ladder.state import Action
from engine.ledger.account import AccountPosition, DemandedLevel, Level
from engine.model import canonical, digest

_CUTS = ("service", "terminate")


def messages_of(session: Session, row: AccountRow) -> list[ActionRow]:
    """Return what an account's receiver was asked for because of others' demands, in order."""
    return [asked for _, asked in _all_of(session, row) if is_demand(asked.key)]


def _all_of(session: Session, row: AccountRow) -> list[tuple[OutboxRow, ActionRow]]:
    """Return the messages about an account's levels with their actions, in the order in which they go out."""
    query = select(OutboxRow, ActionRow).join(ActionRow, col(ActionRow.key) == col(OutboxRow.subject))
    query = query.where(OutboxRow.account == row.id, OutboxRow.channel == "webhook")
    query = query.where(col(ActionRow.do).in_(_CUTS)).order_by(col(OutboxRow.id))
    session.flush()
    fresh = query.execution_options(
        populate_existing=True
    )  # rows of the outbox are settled beside the session
    return list(session.exec(fresh).all())


def last_words(session: Session, row: AccountRow) -> dict[str, Action | None]:
    """Return the last message by service that was not without effect; None where one is still to go out."""
    found: dict[str, Action | None] = {}
    for message, asked in _all_of(session, row):
        said = action_of(asked)
        if message.state == "pending" or found.get(said.service, said) is None:
            found[said.service] = None
        elif asked.state not in GONE:
            found[said.service] = said
    return found


def told_of(session: Session, row: AccountRow) -> list[tuple[Action, date]]:
    """Return what the receiver was told because of others' demands, with the local day."""
    zone = ZoneInfo(row.timezone)
    return [
        (action_of(one), one.requested_at.astimezone(zone).date())
        for one in messages_of(session, row) if is_told(session, one)
    ]  # fmt: skip


def demands_of_cases(
    session: Session, row: AccountRow, position: AccountPosition
) -> tuple[DemandedLevel, ...]:
    """Return what each case has asked of service and has not taken back; of cuts, those that were told."""
    if not row.cases:
        return ()
    query = select(ActionRow).where(ActionRow.account == row.id, ActionRow.number != NO_CASE)
    query = query.where(col(ActionRow.do).in_(_CUTS))
    found: dict[str, DemandedLevel] = {}
    order = (col(ActionRow.requested_at), col(ActionRow.undo), ActionRow.key)
    for asked in session.exec(query.order_by(*order)).all():
        said, day = action_of(asked), asked.requested_at.astimezone(ZoneInfo(row.timezone)).date()
        case, own = _case_of(row, asked.key), _own(said)
        if asked.undo and asked.state != "withdrawn":
            level = own
        elif not asked.undo and is_told(session, asked) and not _is_over(own, day, position):
            level = most_severe([own, found[case].level if case in found else "open"])
        else:
            continue
        found[case] = DemandedLevel(
            source=case, level=level, reason="arrears", since=day, service=said.service
        )
    return tuple(demand for demand in found.values() if demand.level != "open")


def _is_over(level: Level, day: date, position: AccountPosition) -> bool:
    return level == "terminated" and any(lets_go_on(act, day) for act in position.acts)


def _case_of(row: AccountRow, key: str) -> str:
    """Return the case of which an action is, by its key; its undoing can be asked for by a later one."""
    head = f"case/{row.id}/"
    return head + key.removeprefix(head).partition("/")[0]


def _own(action: Action) -> Level:
    """Return what a case itself demands by an action."""
    if action.do == "terminate":
        return "terminated"
    found: dict[str, Level] = {
        "open": "open", "outgoing_barred": "outgoing_barred", "suspended": "suspended",
        "terminated": "terminated",
    }  # fmt: skip
    return found[action.args[0]]


def renew(work: Work, row: AccountRow, demands: Sequence[DemandedLevel], at: datetime) -> None:
    """Let what cases have asked for, and nobody was told yet, tell the level that is in force now."""
    for waiting, asked in _all_of(work.session, row):
        if waiting.state != "pending" or waiting.attempts or asked.state != "requested":
            continue
        if asked.number == NO_CASE:
            continue
        action, case = action_of(asked), _case_of(row, asked.key)
        others = (d.level for d in demands if d.source != case and d.service in (ALL, action.service))
        level = most_severe([_own(action), *others])
        if level == action.level:
            continue
        action = action.model_copy(update={"level": level})
        event = json.loads(waiting.body)
        event["data"]["level"] = level
        asked.body, waiting.body = canonical(action).decode(), canonical(event).decode()
        work.session.add_all([asked, waiting])
        work.audit("action-level", action.key, at, digest(action))
