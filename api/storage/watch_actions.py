"""What alerts ask for: each action once by its key, requested, then confirmed by receipt, task or decision.

The key is `alert/<id>/<action>/do|undo`; a reassessment has one for each customer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from api.storage import outbox
from api.storage.errors import AlreadyThere, NotFound
from api.storage.events import DATA_TYPE, SOURCE
from api.storage.regrading import REQUEST, Regrading
from api.storage.session import Work
from api.storage.tables import AccountRow, CustomerRow, DecisionRow, TaskRow
from api.storage.tasks import close_task, close_tasks
from api.storage.watch_alerts import (
    Concerned,
    Outcome,
    add_alert,
    add_outcome,
    concerned,
    lock_alert,
    record_of_alert,
)
from api.storage.watch_tables import WatchActionRow, WatchAlertRow
from engine.model import canonical, digest
from engine.watch.record import AlertRecord
from workflows.ids import assessment_id
from workflows.messages import AssessmentRequest
from workflows.ports import PolicyNotFound

UNCONFIRMED = timedelta(days=1)
"""After this a missing receipt becomes a task for a person."""
HOLDS = frozenset({"hold_orders", "interim_limit"})
"""Actions that last: they are taken back when the alert is dismissed."""
TOLD = HOLDS | {"notify"}
"""Actions that a receiver carries out and confirms."""
ABOUT = ("unconfirmed", "refused")
"""Tasks about an action, by the last part of their key; a word on the action closes them."""
ASKED = ("alert-", REQUEST)
"""How the requests for grades begin that may answer an alert: its own, and those of other causes."""
Status = Literal["done", "failed", "suppressed"]


@dataclass(frozen=True, slots=True)
class Said:
    """A receiver's word on an action."""

    status: Status
    at: datetime
    detail: str = ""


class AlertDesk:
    """Raises alerts, asks for what they demand, takes back what people dismiss."""

    def __init__(self, regrading: Regrading) -> None:
        self._regrading = regrading

    def raised(self, work: Work, record: AlertRecord) -> None:
        """Keep an alert and ask for its actions, in one transaction; nothing if it was raised before."""
        if not add_alert(work, record):
            return
        work.session.flush()
        who = concerned(record)
        for text in dict.fromkeys(record.alert.actions):
            name, args = _read(text)
            if name == "refer":
                _refer(work, record, args, who)
            elif name != "reassess":
                _ask(work, record, name, args, who.accounts, who)
        for customer in who.customers:  # last, because whoever asks for a customer takes that look last
            if "reassess" in record.alert.actions:
                self._reassess(work, record, customer, who.accounts)
            else:
                self._regrading.note(work, customer, "alert", record.id, record.alert.as_of)

    def say(self, work: Work, alert: str, outcome: Outcome, actor: str, reason: str, at: datetime) -> bool:
        """Keep what a person says of an alert; a dismissal takes back what it holds. Raises NotFound.

        False if that was said last.
        """
        row = lock_alert(work.session, alert)
        if not add_outcome(work, row, {"outcome": outcome, "actor": actor, "reason": reason, "at": at}):
            return False
        work.session.flush()
        close_tasks(work, undone_key(alert), outcome, at)
        for action in actions_of_alert(work.session, alert):
            if action.do == "reassess":
                close_task(work, f"{action.key}/refused", outcome, at)
            if action.do == "refer" and action.state == "requested":
                _settle(work, action, "done", at, f"{outcome} by {actor}: {reason}")
                close_task(work, action.key, outcome, at)
            elif outcome == "dismissed" and action.do in TOLD and not action.undo:
                _take_back(work, row, action, at)
            elif outcome == "confirmed" and action.do in HOLDS and not action.undo:
                _hold_again(work, row, action, at)
        return True

    def remind(self, work: Work, now: datetime) -> None:
        """Make a task of every action that nobody has confirmed within a day."""
        row = WatchActionRow
        late = select(row).where(row.state == "requested", col(row.requested_at) < now - UNCONFIRMED)
        for action in work.session.exec(late.order_by(col(row.requested_at)).limit(200)):
            if action.do == "refer":
                continue  # it is a task already
            what = f"Nobody has confirmed `{action.key}`, asked for at {action.requested_at.isoformat()}."
            alert = work.session.get(WatchAlertRow, action.alert)
            rule = alert.rule if alert else ""
            accounts = json.loads(action.accounts)
            _task(work, f"{action.key}/unconfirmed", accounts, rule, "task", ["unconfirmed"], what, now)

    def _reassess(self, work: Work, record: AlertRecord, customer: str, accounts: Sequence[str]) -> None:
        """Ask for a grade of a customer, a workflow of its own; one that was asked for by then answers it."""
        key, at = f"{_key(record.id, 'reassess', customer)}/do", record.alert.as_of
        own = f"alert-{record.id}-{customer}"
        asked, why = self._request(work.session, record, own, customer, accounts)
        if asked is None:
            _add(
                work, record.id, key, "reassess", [customer], (), at, request=own, state="failed", detail=why
            )
            _refused(work, key, [customer], record.alert.rule, why, at)
            return
        request, causes = self._regrading.demanded(work, customer, "alert", record.id, at, own)
        _add(work, record.id, key, "reassess", [customer], (), at, request=request)
        if request == own:
            outbox.put(
                work, "case", "assess", assessment_id(own), account=f"alert/{record.id}",
                once=f"assess:{own}", created_at=at, body=asked.model_copy(update={"regraded_for": causes}),
            )  # fmt: skip
            return
        answered = select(DecisionRow.id, DecisionRow.at).where(DecisionRow.request == request)
        note_decisions(work, [(request, *row) for row in work.session.exec(answered)])

    def _request(
        self, session: Session, record: AlertRecord, request: str, customer: str, accounts: Sequence[str]
    ) -> tuple[AssessmentRequest | None, str]:
        row, at = session.get(CustomerRow, customer), record.alert.as_of
        if row is None:
            return None, f"There is no customer `{customer}`, so there is nothing to grade."
        query = select(AccountRow).where(AccountRow.customer == customer).order_by(AccountRow.id)
        mine = session.exec(query).all()
        zone = ZoneInfo(mine[0].timezone) if mine else UTC
        as_of = at.astimezone(zone).date()
        try:
            policy = self._regrading.policy_for(session, customer, as_of)
        except PolicyNotFound:
            return None, f"No credit policy is in force on {as_of} for the segment `{row.segment}`."
        named = [a.id for a in mine if a.id in accounts]
        account = named[0] if len(named) == 1 else ""
        asked = AssessmentRequest(
            request=request, policy=policy, customer=customer, account=account, as_of=as_of, at=at
        )
        return asked, ""


def _take_back(work: Work, row: WatchAlertRow, action: WatchActionRow, at: datetime) -> None:
    """Withdraw one's own: what nobody was told is not told, what another alert holds stays held."""
    if action.state == "requested" and outbox.withdraw(work, f"alert:{action.key}", at, "dismissed"):
        _settle(work, action, "withdrawn", at, "the alert was dismissed before anybody was told")
        return
    mine = _action_of(action.key)
    if action.do not in HOLDS or action.state not in ("requested", "done"):
        return
    if work.session.get(WatchActionRow, f"{mine}/undo") is not None:
        return
    record = record_of_alert(row)
    others = [other for other in _holding(work.session, action, row) if other.alert != row.id]
    held = {account for other in others for account in json.loads(other.accounts)}
    free = [account for account in json.loads(action.accounts) if account not in held]
    if others and not free:
        told = ", ".join(sorted({other.alert for other in others}))
        _add(
            work, row.id, f"{mine}/undo", action.do, json.loads(action.args), (), at, undo=True,
            state="suppressed", detail=f"still held by {told}",
        )  # fmt: skip
        return
    _ask(work, record, action.do, json.loads(action.args), free, concerned(record), undo_at=at)


def _hold_again(work: Work, row: WatchAlertRow, action: WatchActionRow, at: datetime) -> None:
    """Ask a person about what a dismissal has taken back, now that the alert is confirmed after all."""
    mine = _action_of(action.key)
    undo = work.session.get(WatchActionRow, f"{mine}/undo")
    if action.state == "withdrawn" or (undo is not None and undo.state != "suppressed"):
        what = f"The alert is confirmed after a dismissal; `{mine}` was taken back, and nothing holds it now."
        _task(work, f"{mine}/again", json.loads(action.accounts), row.rule, "task", ["hold_again"], what, at)


def take_word(work: Work, key: str, said: Said) -> tuple[WatchActionRow, bool]:
    """Take a receiver's word on an alert's action; False if the very same was said.

    An earlier word that comes late changes nothing. Raises NotFound.
    """
    row = get_alert_action(work.session, key)
    if row.do not in TOLD and (row.do, row.state) != ("reassess", "failed"):
        raise NotFound("action that a receiver confirms", key)
    if row.settled_at is not None and said.at < row.settled_at:
        return row, False
    if (row.state, row.detail, row.settled_at) == (said.status, said.detail, said.at):
        return row, False
    if row.settled_at == said.at and row.state != said.status:
        raise AlreadyThere("receipt", key, ["status"])
    _settle(work, row, said.status, said.at, said.detail)
    for what in ABOUT:
        close_task(work, f"{key}/{what}", said.status, said.at)
    work.audit(f"alert-action-{said.status}", key, said.at, digest({"detail": said.detail}))
    alert = lock_alert(work.session, row.alert)
    if said.status == "done" and not row.undo and alert.state == "dismissed":
        _take_back(work, alert, row, said.at)  # it was carried out after all
    return row, True


def give_up(work: Work, key: str, why: str, at: datetime) -> None:
    """Say that an action could not be told to anybody."""
    row = get_alert_action(work.session, key)
    if row.state == "requested":
        _settle(work, row, "failed", max(at, row.requested_at), why)


def note_decisions(work: Work, requests: Sequence[tuple[str, str, datetime]]) -> None:
    """Confirm the reassessments that these decisions (request, id, instant) answer."""
    for request, decision, at in requests:
        if request.startswith(ASKED):
            where, said = {"request": request, "state": "requested"}, {"state": "done", "settled_at": at}
            work.update(WatchActionRow, where, said | {"detail": decision})


def note_refusal(work: Work, request: str, why: str, at: datetime) -> None:
    """Say that a reassessment is refused, and give it to a person; nothing if it was answered."""
    row = WatchActionRow
    query = select(row).where(row.request == request, row.state == "requested")
    for action in work.session.exec(query).all() if request.startswith(ASKED) else ():
        _settle(work, action, "failed", max(at, action.requested_at), why)
        alert = work.session.get(WatchAlertRow, action.alert)
        _refused(work, action.key, json.loads(action.args), alert.rule if alert else "", why, at)


def _refused(work: Work, key: str, args: Sequence[str], rule: str, why: str, at: datetime) -> None:
    what = f"Customer `{', '.join(args)}` was not graded anew, as an alert asks: {why}"
    _task(work, f"{key}/refused", (), rule, "task", ["reassess"], what, at)
    work.audit("alert-action-failed", key, at, digest({"detail": why}))


def note_undone(work: Work, account: AccountRow, event: str, at: datetime) -> None:
    """Tell a person, and the alert, that an event behind it has been undone."""
    row = WatchAlertRow
    query = select(row).where(col(row.customer).in_([account.customer, ""]), row.state != "dismissed")
    for alert in work.session.exec(query.where(col(row.body).contains(event, autoescape=True))):
        evidence = json.loads(alert.body)["alert"]["evidence"]
        if any(part["id"] == event for part in evidence):
            what = f"The event `{event}`, by which this alert was raised, was undone at {at.isoformat()}."
            _task(
                work, f"{undone_key(alert.id)}{event}", [account.id], alert.rule, "task", ["undone"], what, at
            )
            work.audit("alert-evidence-undone", alert.id, at, digest({"event": event}))


def undone_key(alert: str) -> str:
    """Return how the keys of tasks begin that tell of undone events of an alert."""
    return f"alert/{alert}/undone/"


def notes_of_alert(session: Session, alert: str) -> list[str]:
    """Return in words what has become of the events behind an alert since it was raised."""
    mine = col(TaskRow.key).startswith(undone_key(alert), autoescape=True)
    return list(session.exec(select(TaskRow.reason).where(mine).order_by(col(TaskRow.seq))))


def get_alert_action(session: Session, key: str) -> WatchActionRow:
    """Return an action of an alert by its key; raise NotFound."""
    row = session.get(WatchActionRow, key)
    if row is None:
        raise NotFound("action", key)
    return row


def actions_of_alert(session: Session, alert: str) -> Sequence[WatchActionRow]:
    """Return what an alert asked for, in order of its key."""
    query = select(WatchActionRow).where(WatchActionRow.alert == alert)
    return session.exec(query.order_by(WatchActionRow.key)).all()


def page_of_alert_actions(
    session: Session, after: str, limit: int, alert: str = "", state: str = "", do: str = ""
) -> Sequence[WatchActionRow]:
    """Return actions of alerts after a cursor, in order of their key."""
    query = select(WatchActionRow).where(WatchActionRow.key > after)
    for name, value in (("alert", alert), ("state", state), ("do", do)):
        if value:
            query = query.where(getattr(WatchActionRow, name) == value)
    return session.exec(query.order_by(WatchActionRow.key).limit(limit)).all()


def _read(text: str) -> tuple[str, list[str]]:
    name, _, rest = text.partition("(")
    return name, [part.strip() for part in rest.rstrip(")").split(",") if part.strip()]


def _key(alert: str, name: str, *args: str) -> str:
    """Return an action's key without its last part; what a path does not like is written as `-`."""
    return f"alert/{alert}/" + ".".join([name, *(re.sub(r"[^A-Za-z0-9._:@+-]", "-", a) for a in args)])


def _action_of(key: str) -> str:
    return key.rsplit("/", 1)[0]


def _add(
    work: Work, alert: str, key: str, do: str, args: Sequence[str], accounts: Sequence[str], at: datetime,
    *, undo: bool = False, request: str = "", state: str = "requested", detail: str = "",
) -> bool:  # fmt: skip
    values = {
        "key": key, "alert": alert, "do": do, "args": canonical(list(args)).decode(), "undo": undo,
        "accounts": canonical(list(accounts)).decode(), "request": request, "state": state,
        "requested_at": at, "settled_at": None if state == "requested" else at, "detail": detail,
    }  # fmt: skip
    return work.insert_once(WatchActionRow, values) is not None


def _ask(
    work: Work, record: AlertRecord, do: str, args: Sequence[str], accounts: Sequence[str], who: Concerned,
    *, undo_at: datetime | None = None,
) -> None:  # fmt: skip
    """Ask a receiver for something, or to take it back."""
    undo, at = undo_at is not None, undo_at or record.alert.as_of
    key = f"{_key(record.id, do, *args)}/{'undo' if undo else 'do'}"
    if not _add(work, record.id, key, do, args, accounts, at, undo=undo):
        return
    body = _event(record, key, do, args, accounts, who, undo, at)
    outbox.put(
        work, "alert", do, key, account=f"alert/{record.id}", once=f"alert:{key}", created_at=at, body=body
    )


def _event(
    record: AlertRecord, key: str, do: str, args: Sequence[str], accounts: Sequence[str], who: Concerned,
    undo: bool, at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Return what a receiver is told: a CloudEvent whose id is the action's key."""
    alert = record.alert
    return {
        "specversion": "1.0", "id": key, "source": SOURCE, "type": f"forbear.alert.{do}",
        "subject": alert.subject, "time": at.isoformat(), "datacontenttype": DATA_TYPE,
        "data": {
            "key": key, "do": do, "args": list(args), "undo": undo, "alert": record.id, "kind": alert.alert,
            "severity": alert.severity, "rule": alert.rule, "policy": alert.digest, "per": alert.per,
            "reason": dict(alert.reason), "customers": list(who.customers), "accounts": list(accounts),
            "evidence": [evidence.model_dump(mode="json") for evidence in alert.evidence],
        },
    }  # fmt: skip


def _refer(work: Work, record: AlertRecord, args: Sequence[str], who: Concerned) -> None:
    """Put the alert on a desk's list; whoever dismisses or confirms it takes it off."""
    alert = record.alert
    key = f"{_key(record.id, 'refer', *args)}/do"
    if _add(work, record.id, key, "refer", args, who.accounts, alert.as_of):
        why = f"{alert.reason.get('en', alert.alert)} ({alert.per} {alert.subject})"
        _task(work, key, who.accounts, alert.rule, "refer", args, why, alert.as_of)


def _task(
    work: Work, key: str, accounts: Sequence[str], rule: str, do: str, args: Sequence[str], why: str,
    at: datetime,
) -> None:  # fmt: skip
    values = {
        "key": key, "account": accounts[0] if len(accounts) == 1 else "", "number": 0, "step": rule,
        "do": do, "args": canonical(list(args)).decode(), "reason": why, "created_at": at, "due_at": None,
        "state": "open", "outcome": "",
    }  # fmt: skip
    work.insert_once(TaskRow, values)


def _settle(work: Work, row: WatchActionRow, state: str, at: datetime, detail: str) -> None:
    row.state, row.settled_at, row.detail = state, at, detail[:500]
    work.session.add(row)


def _holding(session: Session, action: WatchActionRow, alert: WatchAlertRow) -> list[WatchActionRow]:
    """Return the actions of alerts not dismissed that hold the same: an account in common, or the subject."""
    row = WatchActionRow
    query = (
        select(row, WatchAlertRow)
        .where(row.alert == WatchAlertRow.id, WatchAlertRow.state != "dismissed")
        .where(row.do == action.do, row.undo == False, row.args == action.args)  # noqa: E712  # an SQL term
        .where(col(row.state).in_(["requested", "done"]))
    )
    mine = set(json.loads(action.accounts))
    return [
        other
        for other, of in session.exec(query)
        if mine & set(json.loads(other.accounts)) or (of.per, of.subject) == (alert.per, alert.subject)
    ]
