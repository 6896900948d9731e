"""Activities that follow a script, to drive the workflows without an engine or a ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio import activity

from engine.ladder.state import Action, StepTrace, Taken
from engine.ledger.account import AccountPosition, Terms
from workflows import effects
from workflows.messages import (
    ActRequest,
    ActResult,
    CaseStart,
    CloseRequest,
    StepRecord,
    StepRequest,
    TroubleNote,
)
from workflows.recorded import recorded_digest

TERMS = Terms(account="A1", customer="C1", currency="CNY", timezone="Asia/Shanghai")


class Script:
    """Answers each look by a function of the test, and remembers everything it was asked."""

    def __init__(self, look: Callable[[StepRequest, int], dict[str, Any]]) -> None:
        self.look = look
        self.looks: list[StepRequest] = []
        self.acts: list[ActRequest] = []
        self.closes: list[CloseRequest] = []
        self.troubles: list[TroubleNote] = []
        self.on_act: Callable[[ActRequest, int], ActResult] | None = None
        self._lock = threading.Lock()

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.step, self.act, self.close, self.trouble]

    @activity.defn(name=effects.STEP)
    def step(self, request: StepRequest) -> StepRecord:
        with self._lock:
            self.looks.append(request)
            number = len(self.looks)
        return record(request, **self.look(request, number))

    @activity.defn(name=effects.ACT)
    def act(self, request: ActRequest) -> ActResult:
        with self._lock:
            self.acts.append(request)
            number = len(self.acts)
        if self.on_act:
            return self.on_act(request, number)
        return ActResult(requested=tuple(a.key for a in request.actions), version=number)

    @activity.defn(name=effects.CLOSE)
    def close(self, request: CloseRequest) -> None:
        self.closes.append(request)

    @activity.defn(name=effects.TROUBLE)
    def trouble(self, note: TroubleNote) -> None:
        self.troubles.append(note)


def action(key: str, **more: Any) -> Action:
    return Action(key=key, do="notify", args=("sms", "reminder"), step="reminder", **more)


def record(
    request: StepRequest,
    *,
    actions: tuple[Action, ...] = (),
    wake: datetime | timedelta | None = None,
    ended: str = "",
    **wrong: Any,
) -> StepRecord:
    """A record that answers a request; `wrong` puts something else in its place."""
    before = request.taken or Taken(case=request.case, opened_at=request.at, opened_on=request.at.date())
    taken = before.model_copy(update={"told": (*before.told, f"{len(before.told) + 1}"), "ended": ended})
    trace = StepTrace(ladder="standard", today=request.at.date())
    position = AccountPosition(
        terms=TERMS, at=request.at, today=request.at.date(), version=1, deposit=Decimal(0)
    )
    fields: dict[str, Any] = {
        "case": request.case,
        "at": request.at,
        "taken_before": recorded_digest(request.taken),
        "policy": request.policy,
        "law": "sha256:law",
        "calendar": "sha256:calendar",
        "engine": "0.1.0",
        "semantics": 1,
        "position": position,
        "taken": taken,
        "actions": actions,
        "wake_at": request.at + wake if isinstance(wake, timedelta) else wake,
        "open": not ended,
        "trace": trace,
        "trace_digest": recorded_digest(trace),
    }
    return StepRecord.model_validate(fields | wrong)


def start(account: str = "A1", **more: Any) -> CaseStart:
    return CaseStart(account=account, number=1, policy="sha256:policy", **more)


BUSINESS_DAY = date(2026, 1, 5)
