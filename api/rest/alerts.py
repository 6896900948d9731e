"""Alerts: what was raised and why, what was asked for, what people said of it, what each rule is worth."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, status
from pydantic import AwareDatetime, Field
from sqlmodel import Session

from api.rest.bodies import Body, Instant, Page, ReceivedAt, Ref, Words, example
from api.rest.errors import Refusal
from api.rest.paging import After, Limit, cursor_of, instant_of, page_of
from api.rest.routes import received, router
from api.storage.errors import NotSimulated
from api.storage.watch_actions import (
    ABOUT,
    Said,
    actions_of_alert,
    get_alert_action,
    notes_of_alert,
    page_of_alert_actions,
    take_word,
)
from api.storage.watch_alerts import (
    Outcome,
    Worth,
    get_alert,
    outcomes_of,
    page_of_alerts,
    page_of_flags,
    record_of_alert,
    worth_of_rules,
)
from api.storage.watch_tables import WatchActionRow, WatchAlertRow, WatchFlagRow, WatchOutcomeRow
from api.wiring import Wiring
from engine.watch import Evidence
from engine.watch.explain import Because, explain

State = Literal["open", "confirmed", "dismissed"]
ActionState = Literal["", "requested", "done", "failed", "suppressed", "withdrawn"]
_AHEAD = timedelta(minutes=5)
"""How far a receiver's clock may be ahead of ours."""


class AlertOut(Body):
    """An alert and the last word on it."""

    id: str
    policy: str
    digest: str = Field(description="Of the text that raised it.")
    rule: str
    per: str
    subject: str = Field(description="Whose window it was: the customer, the document, the dealer ...")
    customer: str = Field(description="Empty: its events are of several customers, or of none.")
    alert: str
    severity: Literal["low", "medium", "high"]
    state: State
    at: AwareDatetime = Field(description="When the event happened that completed the pattern.")
    as_of: AwareDatetime = Field(description="When it was looked at.")
    reason: dict[str, str]
    evidence: list[Evidence]
    flag: str = Field(
        description="`differs`, `not_answered`: the reference matcher decided; empty: both agree."
    )


class AlertActionOut(Body):
    """Something that an alert asked for."""

    key: str
    do: str
    args: list[str]
    undo: bool
    accounts: list[str]
    state: str
    requested_at: AwareDatetime
    settled_at: AwareDatetime | None
    detail: str = Field(description="For a reassessment that is done: the decision's id.")


class OutcomeOut(Body):
    """What a person said of an alert."""

    outcome: Outcome
    actor: str
    reason: str
    at: AwareDatetime


class AlertDetail(AlertOut):
    """An alert with its explanation, what it asked for, and what was said of it."""

    because: list[Because]
    actions: list[AlertActionOut]
    outcomes: list[OutcomeOut]
    dropped: int = Field(description="Events that the window had lost by then because it was full.")
    notes: list[str] = Field(description="What has become of its events since: a return that was reversed.")


class OutcomeBody(Body):
    """A person's word on an alert."""

    model_config = example(actor="li.wei", reason="The customer called; it was a new phone.")
    actor: Ref
    reason: Words
    received_at: ReceivedAt = None


class WorthOut(Body):
    """What became of the alerts of one rule."""

    policy: str
    rule: str
    raised: int
    open: int
    confirmed: int
    dismissed: int
    confirmed_share: Decimal | None = Field(
        description="Of those that people judged, to four places; null: none was judged."
    )


class FlagOut(Body):
    """A look at which durable-rules gave no answer, or another one than the reference."""

    sequence: int
    policy: str = Field(description="Digest of the text.")
    per: str
    subject: str
    as_of: AwareDatetime
    flag: Literal["differs", "not_answered", "not_matched"] = Field(
        description="`not_matched`: the reference gave none either; the window's next event asks again."
    )
    detail: str


class WordBody(Body):
    """What became of an action."""

    model_config = example(status="done", at="2026-03-21T10:30:00+08:00", detail="order stop 17")
    status: Literal["done", "failed", "suppressed"]
    at: Instant | None = None
    detail: str = Field(default="", max_length=500)
    received_at: ReceivedAt = None


class LookBody(Body):
    """Up to which instant to look at windows."""

    model_config = example(until="2026-03-20T09:00:00+08:00")
    until: Instant


class LookOut(Body):
    """How many looks were taken."""

    looks: int


def alerts_router(wiring: Wiring) -> APIRouter:
    """Return the paths of alerts."""
    api = router("watching")

    @api.get("/alerts", summary="List alerts, oldest first")
    def page(
        policy: Annotated[str, Query(description="By name.")] = "",
        rule: Annotated[str, Query()] = "",
        customer: Annotated[str, Query()] = "",
        per: Annotated[str, Query(description="`customer`, `document` ...")] = "",
        subject: Annotated[str, Query()] = "",
        severity: Annotated[Literal["", "low", "medium", "high"], Query()] = "",
        state: Annotated[Literal["", "open", "confirmed", "dismissed"], Query()] = "",
        limit: Limit = 100,
        after: After = "",
    ) -> Page[AlertOut]:
        cursor = cursor_of(after, str, str)
        place = (instant_of(cursor[0]), cursor[1]) if cursor else None
        asked = {
            "rule": rule, "customer": customer, "per": per, "subject": subject, "severity": severity,
            "state": state,
        }  # fmt: skip
        with wiring.database.read() as session:
            rows = page_of_alerts(session, place, limit, name=policy, **asked)
        asked = {"policy": policy, **asked}
        following = page_of("/v1/alerts", rows, limit, lambda row: (row.as_of.isoformat(), row.id), asked)
        return Page(items=[AlertOut(**_fields(row)) for row in rows], next=following)

    @api.get("/alerts/outcomes", summary="Read what became of the alerts of each rule")
    def outcomes(
        since: Annotated[Instant | None, Query(description="Of alerts from this instant on.")] = None,
    ) -> list[WorthOut]:
        with wiring.database.read() as session:
            return [_worth(found) for found in worth_of_rules(session, since)]

    @api.get("/alerts/flags", summary="List looks at which the matchers differed, or that could not be taken")
    def flags(limit: Limit = 100, after: After = "") -> Page[FlagOut]:
        (cursor,) = cursor_of(after, int) or (0,)
        with wiring.database.read() as session:
            rows = page_of_flags(session, cursor, limit)
        return Page(
            items=[_flag(row) for row in rows],
            next=page_of("/v1/alerts/flags", rows, limit, lambda row: (row.seq,)),
        )

    @api.get("/alerts/{alert}", summary="Read an alert: its evidence, why it was raised, what became of it")
    def read(alert: str) -> AlertDetail:
        with wiring.database.read() as session:
            return _detail(wiring, session, get_alert(session, alert))

    for outcome, word in (("confirmed", "confirm"), ("dismissed", "dismiss")):
        _add_word(api, wiring, outcome, word)  # type: ignore[arg-type]  # the two words of the type
    return api


def _add_word(api: APIRouter, wiring: Wiring, outcome: Outcome, word: str) -> None:
    about = "What it asked to hold is released." if outcome == "dismissed" else "What it holds stays held."

    @api.post(f"/alerts/{{alert}}/{word}", summary=f"{word.capitalize()} an alert", description=about)
    def say(alert: str, body: OutcomeBody, response: Response) -> AlertDetail:
        at = received(wiring, body.received_at)
        with wiring.database.write() as work:
            new = wiring.desk.say(work, alert, outcome, body.actor, body.reason, at)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        with wiring.database.read() as session:
            return _detail(wiring, session, get_alert(session, alert))


def alert_actions_router(wiring: Wiring) -> APIRouter:
    """Return the paths of actions of alerts; they come before those of cases, whose keys take any path."""
    api = router("watching")

    @api.post(
        "/actions/alert/{rest:path}/receipts", status_code=201,
        summary="Say what became of an action that an alert asked for",
    )  # fmt: skip
    def tell(rest: str, body: WordBody, response: Response) -> AlertActionOut:
        received_at = received(wiring, body.received_at)
        at = body.at or received_at
        if at > received_at + _AHEAD:
            raise Refusal("malformed-body", f"`at` {at.isoformat()} has not come yet.", "/at")
        # A task about an action has the action's key and one part more: who answers the task answers it.
        key = f"alert/{rest.removesuffix(f'/{_about(rest)}')}"
        with wiring.database.write() as work:
            known = get_alert_action(work.session, key)
            if body.at is not None and body.at < known.requested_at - _AHEAD:
                asked = f"it was asked for at {known.requested_at.isoformat()}"
                raise Refusal("malformed-body", f"`at` {at.isoformat()} is too early: {asked}.", "/at")
            if body.at is None and (known.state, known.detail) == (body.status, body.detail):
                at = known.settled_at or at  # said twice without an instant it is one word
            told = max(min(at, received_at), known.requested_at)
            row, new = take_word(work, key, Said(body.status, told, body.detail))
            out = _action(row)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return out

    @api.get("/actions/alert", summary="List actions that alerts asked for, in order of their key")
    def page(
        alert: Annotated[str, Query(description="Of one alert, by its id.")] = "",
        state: Annotated[ActionState, Query()] = "",
        do: Annotated[str, Query(description="`reassess`, `refer`, `interim_limit` ...")] = "",
        limit: Limit = 100,
        after: After = "",
    ) -> Page[AlertActionOut]:
        (cursor,) = cursor_of(after, str) or ("",)
        with wiring.database.read() as session:
            rows = page_of_alert_actions(session, cursor, limit, alert, state, do)
        asked = {"alert": alert, "state": state, "do": do}
        following = page_of("/v1/actions/alert", rows, limit, lambda row: (row.key,), asked)
        return Page(items=[_action(row) for row in rows], next=following)

    @api.get("/actions/alert/{rest:path}", summary="Read an action that an alert asked for")
    def read(rest: str) -> AlertActionOut:
        with wiring.database.read() as session:
            return _action(get_alert_action(session, f"alert/{rest}"))

    return api


def _about(rest: str) -> str:
    last = rest.rpartition("/")[2]
    return last if last in ABOUT else ""


def watch_simulation_router(wiring: Wiring) -> APIRouter:
    """Return the path that lets windows be looked at in simulated time."""
    api = router("simulation")

    @api.post("/simulation/watch", summary="Look at all windows that are due by an instant")
    def look(body: LookBody) -> LookOut:
        if not wiring.simulated:
            raise NotSimulated("Looking at windows as of another instant")
        return LookOut(looks=wiring.watcher.look_at_all(body.until))

    return api


def _fields(row: WatchAlertRow) -> dict[str, Any]:
    record = json.loads(row.body)
    return {
        "id": row.id, "policy": row.name, "digest": row.policy, "rule": row.rule, "per": row.per,
        "subject": row.subject, "customer": row.customer, "alert": row.alert, "severity": row.severity,
        "state": row.state, "at": row.at, "as_of": row.as_of, "flag": record["flag"],
        "reason": record["alert"]["reason"], "evidence": record["alert"]["evidence"],
    }  # fmt: skip


def _detail(wiring: Wiring, session: Session, row: WatchAlertRow) -> AlertDetail:
    record = record_of_alert(row)
    policy = wiring.library.watch(session, row.policy)
    return AlertDetail(
        **_fields(row), dropped=record.dropped,
        because=list(explain(policy, record.window, record.alert)),
        actions=[_action(action) for action in actions_of_alert(session, row.id)],
        outcomes=[_outcome(said) for said in outcomes_of(session, row.id)],
        notes=notes_of_alert(session, row.id),
    )  # fmt: skip


def _action(row: WatchActionRow) -> AlertActionOut:
    return AlertActionOut(
        key=row.key, do=row.do, args=json.loads(row.args), undo=row.undo, accounts=json.loads(row.accounts),
        state=row.state, requested_at=row.requested_at, settled_at=row.settled_at, detail=row.detail,
    )  # fmt: skip


def _outcome(row: WatchOutcomeRow) -> OutcomeOut:
    return OutcomeOut.model_validate(row.model_dump(include={"outcome", "actor", "reason", "at"}))


def _worth(found: Worth) -> WorthOut:
    judged = found.confirmed + found.dismissed
    share = (Decimal(found.confirmed) / judged).quantize(Decimal("0.0001")) if judged else None
    return WorthOut(
        policy=found.name, rule=found.rule, raised=found.open + judged, open=found.open,
        confirmed=found.confirmed, dismissed=found.dismissed, confirmed_share=share,
    )  # fmt: skip


def _flag(row: WatchFlagRow) -> FlagOut:
    return FlagOut(
        sequence=row.seq or 0, policy=row.policy, per=row.per, subject=row.subject, as_of=row.as_of,
        flag=row.flag, detail=row.detail,
    )  # fmt: skip
