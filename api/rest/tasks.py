"""Tasks: what a person must do."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Page
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields
from api.rest.routes import router
from api.storage.tables import TaskRow
from api.storage.tasks import page_of_tasks
from api.wiring import Wiring


class TaskOut(Body):
    """A task; it is closed by a receipt for its action."""

    key: str = Field(description="The action's key: `POST /v1/actions/{key}/receipts` closes the task.")
    account: str
    case: int
    step: str
    do: str
    args: list[str]
    reason: str
    created_at: AwareDatetime
    due_at: AwareDatetime | None
    state: str
    outcome: str
    closed_at: AwareDatetime | None


def tasks_router(wiring: Wiring) -> APIRouter:
    """Return the paths of tasks."""
    api = router("cases")

    @api.get("/tasks", summary="List tasks, oldest first")
    def page(
        state: Annotated[Literal["", "open", "closed"], Query()] = "open",
        account: Annotated[str, Query(description="Of one account.")] = "",
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[TaskOut]:
        (cursor,) = cursor_of(after, int) or (0,)
        with wiring.database.read() as session:
            rows = page_of_tasks(session, state, account, cursor, limit)
        asked = {"state": state, "account": account, "fields": fields}
        return Page(
            items=[_out(row) for row in rows],
            next=page_of("/v1/tasks", rows, limit, lambda row: (row.seq,), asked),
        )

    return api


def _out(row: TaskRow) -> TaskOut:
    return TaskOut(
        key=row.key, account=row.account, case=row.number, step=row.step, do=row.do,
        args=json.loads(row.args), reason=row.reason, created_at=row.created_at, due_at=row.due_at,
        state=row.state, outcome=row.outcome, closed_at=row.closed_at,
    )  # fmt: skip
