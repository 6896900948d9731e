"""The story of a case: what happened, in order, each line with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from api.rest.bodies import Body
from api.storage.tables import ActionRow, CaseRow, CaseStepRow, EntryRow
from engine.ladder.state import Action, StepTrace


class Line(Body):
    """One line of a case's story."""

    on: date = Field(description="Local business date.")
    at: AwareDatetime
    what: str = Field(
        description="`opened`, `news`, `step`, `asked`, `done`, `failed`, `withdrawn`, `ended` ..."
    )
    text: str
    why: str = ""
    key: str = Field(default="", description="The action's key, if the line is about one.")


def tell(
    case: CaseRow,
    zone: str,
    steps: Sequence[CaseStepRow],
    actions: Sequence[ActionRow],
    entries: Iterable[EntryRow],
) -> list[Line]:
    """Return the story of a case, oldest line first."""
    local = ZoneInfo(zone)
    lines = [
        *_news(case, local, entries),
        *_looks(local, steps),
        *_actions(local, steps, actions),
        *_ends(case, local),
    ]
    return sorted(lines, key=lambda line: line.at)


def _line(at: datetime, zone: ZoneInfo, what: str, text: str, why: str = "", key: str = "") -> Line:
    return Line(on=at.astimezone(zone).date(), at=at, what=what, text=text, why=why, key=key)


def _news(case: CaseRow, zone: ZoneInfo, entries: Iterable[EntryRow]) -> Iterator[Line]:
    for row in entries:
        if row.kind == "receipt" or (case.ended_at is not None and row.received_at > case.ended_at):
            continue
        if row.received_at < case.opened_at:
            continue
        said = json.loads(row.body)
        amount = f" of {said['amount']}" if "amount" in said else ""
        about = next(
            (f" on `{said[name]}`" for name in ("bill", "payment", "dispute", "hold") if said.get(name)), ""
        )
        text = f"{row.kind.replace('_', ' ')} `{row.ref}`{amount}{about}"
        yield _line(row.received_at, zone, "news", text, f"counts from {row.value_date}")


def _looks(zone: ZoneInfo, steps: Sequence[CaseStepRow]) -> Iterator[Line]:
    reached = None
    for row in steps:
        trace = _trace(row)
        if reached is None:
            text = f"the case opens on ladder `{trace.ladder}`"
            yield _line(row.at, zone, "opened", text, _debt(trace))
        elif row.reached != reached:
            text = f"now at `{row.reached}`" if row.reached else "back before the first step"
            yield _line(row.at, zone, "step", text, _why(trace, row.reached) or _debt(trace))
        reached = row.reached


def _actions(
    zone: ZoneInfo, steps: Sequence[CaseStepRow], actions: Sequence[ActionRow]
) -> Iterator[Line]:  # fmt: skip
    traces: dict[str, StepTrace] = {}
    for row in steps:
        for action in json.loads(row.body)["actions"]:
            traces.setdefault(action["key"], _trace(row))
    for row_ in actions:
        action_ = Action.model_validate_json(row_.body)
        trace = traces.get(row_.key)
        why = (_why(trace, row_.step) or _debt(trace)) if trace else ""
        if row_.state != "withdrawn" or row_.settled_at != row_.requested_at:
            yield _line(row_.requested_at, zone, "asked", _said(action_), why, row_.key)
        if row_.settled_at is not None:
            yield _line(row_.settled_at, zone, row_.state, _said(action_), row_.detail, row_.key)


def _ends(case: CaseRow, zone: ZoneInfo) -> Iterator[Line]:
    if case.ended_at is not None:
        yield _line(case.ended_at, zone, "ended", f"the case ends: {case.ended.replace('_', ' ')}")


def _said(action: Action) -> str:
    args = f"({', '.join(action.args)})" if action.args else ""
    undo = "take back " if action.undo else ""
    amount = f", {action.amount}" if action.amount else ""
    return f"{undo}{action.do}{args} of step `{action.step}`{amount}"


def _trace(row: CaseStepRow) -> StepTrace:
    return StepTrace.model_validate(json.loads(row.body)["trace"])


def _debt(trace: StepTrace) -> str:
    disputed = f", disputed {trace.disputed}" if trace.disputed else ""
    if trace.anchor is None and not trace.overdue:
        return f"nothing is overdue, fees not counted{disputed}"
    old = f"{trace.age} {'day' if trace.age == 1 else 'days'} old"
    return f"overdue {trace.overdue}{disputed}, oldest debt {old}, {trace.days_past_due} past due"


def _why(trace: StepTrace, step: str) -> str:
    """Return the debt and what is said of a step; what the look did to it goes before how its row stands."""
    about = dict.fromkeys(note for note in trace.notes if step and note.startswith(f"`{step}` "))
    row = next((row for row in trace.rows if row.step == step), None)
    told = [*about] or ([row.note] if row is not None and row.note and trace.anchor else [])
    return "; ".join([_debt(trace), *told]) if told else ""
