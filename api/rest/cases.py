"""Cases: where each stands, and its story."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Number, Page
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields
from api.rest.routes import router
from api.rest.story import Line, tell
from api.storage.accounts import get_account
from api.storage.actions import actions_of_case
from api.storage.cases import get_case, page_of_cases, steps_of
from api.storage.entries import all_rows
from api.storage.tables import CaseRow
from api.wiring import Wiring
from engine.ladder.state import StepTrace
from workflows.messages import StepRecord, TroubleNote


class CaseOut(Body):
    """A case and where it stands."""

    account: str
    number: int
    workflow: str
    item: str = Field(description="The bill, instalment or service it is about; empty: the whole account.")
    policy: str = Field(description="Digest of the collections policy it is bound to.")
    state: Literal["open", "ended"]
    ended: str = Field(description="`cured`, `written_off`, `terminated`, `stopped`; empty while it is open.")
    opened_at: AwareDatetime
    ended_at: AwareDatetime | None
    reached: str = Field(description="The last step that is done; empty: none.")
    looked_at: AwareDatetime | None
    wake_at: AwareDatetime | None = Field(description="When it looks again by itself.")
    trouble: str = Field(description="Why it cannot go on; empty: nothing stands in the way.")


class CaseDetail(CaseOut):
    """A case with the latest look at it and its story."""

    trace: StepTrace | None = Field(description="Why the latest look did what it did.")
    story: list[Line]


def cases_router(wiring: Wiring) -> APIRouter:
    """Return the paths of cases."""
    api = router("cases")

    @api.get("/cases", summary="List cases")
    def page(
        account: Annotated[str, Query(description="Of one account.")] = "",
        state: Annotated[Literal["", "open", "ended"], Query()] = "",
        troubled: Annotated[bool, Query(description="Only those that cannot go on.")] = False,
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[CaseOut]:
        cursor = cursor_of(after, str, int) or ("", 0)
        with wiring.database.read() as session:
            rows = page_of_cases(session, cursor, limit, account, state, troubled=troubled)
        asked = {
            "account": account, "state": state, "fields": fields, "troubled": "true" if troubled else "",
        }  # fmt: skip
        following = page_of("/v1/cases", rows, limit, lambda r: (r.account, r.number), asked)
        return Page(items=[case_out(row) for row in rows], next=following)

    @api.get("/cases/{account}/{number}", summary="Read a case with its story")
    def read(account: str, number: Number) -> CaseDetail:
        with wiring.database.read() as session:
            row = get_case(session, account, number)
            zone = get_account(session, account).timezone
            steps, actions = steps_of(session, account, number), actions_of_case(session, account, number)
            story = tell(row, zone, steps, actions, all_rows(session, account))
        trace = StepRecord.model_validate_json(row.record).trace if row.record else None
        return CaseDetail(**case_out(row).model_dump(), trace=trace, story=story)

    return api


def case_out(row: CaseRow) -> CaseOut:
    """Return a stored case as it goes out."""
    trouble = TroubleNote.model_validate_json(row.trouble).problem.detail if row.trouble else ""
    return CaseOut(
        account=row.account, number=row.number, workflow=row.workflow, item=row.item, policy=row.policy,
        state="ended" if row.state == "ended" else "open", ended=row.ended, opened_at=row.opened_at,
        ended_at=row.ended_at, reached=row.reached, looked_at=row.looked_at, wake_at=row.wake_at,
        trouble=trouble,
    )  # fmt: skip
