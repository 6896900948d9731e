"""Decisions: what came out, for which reasons, from which facts, under which text."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Page
from api.rest.paging import After, Limit, cursor_of, instant_of, page_of
from api.rest.representation import Fields
from api.rest.routes import router
from api.storage.decisions import page_of_decisions, record_of
from api.storage.errors import NotFound
from api.storage.tables import DecisionRow
from api.wiring import Wiring
from engine.credit import Decision, Fact
from workflows.messages import AssessmentRecord


class PolicyRef(Body):
    """Which text decided."""

    name: str
    version: str
    digest: str
    engine: str
    semantics: int


class ReasonOut(Body):
    """A reason code with its texts."""

    code: str
    decision: str
    text: dict[str, str]


class DecisionOut(Body):
    """A credit decision; amounts are `{unit, value}` with a decimal string (TMF Money)."""

    policy: PolicyRef
    as_of: date
    status: Literal["decided", "refused", "referred"]
    outcome: dict[str, Any] = Field(
        examples=[{"grade": "B", "credit_limit": {"unit": "CNY", "value": "600.00"}}]
    )
    reasons: list[ReasonOut]
    facts: dict[str, Fact]
    trace: list[dict[str, Any]] | None = Field(
        default=None, description="Every row considered, and why; if asked."
    )


class AssessmentOut(DecisionOut):
    """A decision that was recorded."""

    id: str
    request: str
    customer: str
    account: str
    at: AwareDatetime
    facts_digest: str
    trace_digest: str


def decision_fields(decision: Decision, *, trace: bool) -> dict[str, Any]:
    """Return the fields of a decision as they go out."""
    return {
        "policy": PolicyRef(
            name=decision.policy, version=decision.version, digest=decision.digest, engine=decision.engine,
            semantics=decision.semantics,
        ),
        "as_of": decision.as_of,
        "status": decision.status,
        "outcome": decision.model_dump(mode="json", include={"outcome"})["outcome"],
        "reasons": [ReasonOut(code=r.code, decision=r.decision, text=r.text) for r in decision.reasons],
        "facts": decision.facts,
        "trace": [t.model_dump(mode="json") for t in decision.trace] if trace else None,
    }  # fmt: skip


def assessment_out(record: AssessmentRecord, *, trace: bool = False) -> AssessmentOut:
    """Return a recorded decision as it goes out."""
    return AssessmentOut(
        id=record.id, request=record.request, customer=record.customer, account=record.account, at=record.at,
        facts_digest=record.facts_digest, trace_digest=record.trace_digest,
        **decision_fields(record.decision, trace=trace),
    )  # fmt: skip


def decisions_router(wiring: Wiring) -> APIRouter:
    """Return the paths of decisions."""
    api = router("grading")

    @api.get("/decisions", summary="List decisions, oldest first, without their traces")
    def page(
        customer: Annotated[str, Query(description="About one customer.")] = "",
        account: Annotated[str, Query(description="About one account.")] = "",
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[AssessmentOut]:
        cursor = cursor_of(after, str, str)
        place = (instant_of(cursor[0]), cursor[1]) if cursor else None
        with wiring.database.read() as session:
            rows = page_of_decisions(session, place, limit, customer, account)
        asked = {"customer": customer, "account": account, "fields": fields}
        following = page_of("/v1/decisions", rows, limit, lambda r: (r.at.isoformat(), r.id), asked)
        return Page(items=[assessment_out(record_of(row)) for row in rows], next=following)

    @api.get("/decisions/{decision:path}", summary="Read a decision")
    def read(
        decision: str, trace: Annotated[bool, Query(description="With every row considered.")] = True
    ) -> AssessmentOut:
        with wiring.database.read() as session:
            row = session.get(DecisionRow, decision)
        if row is None:
            raise NotFound("decision", decision)
        return assessment_out(record_of(row), trace=trace)

    return api
