"""Decisions: what came out, for which reasons, from which facts, under which text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response, status
from pydantic import AwareDatetime, Field
from sqlmodel import Session

from api.rest.accounts import KnownAt
from api.rest.bodies import Body, Day, Id, Page, ReceivedAt, Ref, Words, example
from api.rest.explaining import Audience, Explanation, explanation, language_of
from api.rest.paging import After, Limit, cursor_of, instant_of, page_of
from api.rest.representation import Fields
from api.rest.routes import received, router
from api.storage.customers import require_customer
from api.storage.decisions import page_of_decisions, record_of
from api.storage.errors import NotFound
from api.storage.facts import FactGatherer
from api.storage.overrides import add_override, in_force, overrides_of
from api.storage.regrading import causes_of, regrading_for
from api.storage.standing import Standing, latest_decision, standing_of
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
    valid_until: date | None = Field(
        default=None, description="The last local day on which it holds; null: until the next decision."
    )


class OverrideBody(Body):
    """What a person puts in place of what was decided."""

    model_config = example(
        id="OV-1", outcome={"credit_limit": "800.00"}, reason="bank guarantee", actor="li.wei",
        role="officer", until="2026-05-31",
    )  # fmt: skip
    id: Id
    outcome: dict[Annotated[str, Field(max_length=64)], bool | int | str] = Field(min_length=1)
    reason: Words
    actor: Ref
    role: Ref = Field(description="One of `authority` in the settings; the caller vouches for it.")
    until: Day | None = Field(
        default=None, description="The last day on which it counts; left out: as long as the role may."
    )
    received_at: ReceivedAt = None


class OverrideOut(Body):
    """One override."""

    id: str
    outcome: dict[str, Any]
    reason: str
    actor: str
    role: str
    at: AwareDatetime
    until: date


class OverridesOut(Body):
    """What counts on a day, and what people have put in place."""

    decision: str
    on: date
    outcome: dict[str, Any] = Field(description="The outcome in force.")
    items: list[OverrideOut]


class AssessmentOut(DecisionOut):
    """A decision that was recorded."""

    id: str
    request: str
    customer: str
    account: str
    at: AwareDatetime
    facts_digest: str
    trace_digest: str
    regraded_for: str = Field(
        default="", description="All that had happened since the one before; empty: it was just asked for.",
        examples=["chargeback (A1001/X-77)"],
    )  # fmt: skip
    standing: Standing = Field(
        default="valid",
        description="At `at`: valid, expired (after `valid_until`), or superseded by a later decision.",
    )


class LastDecisionOut(Body):
    """A customer's last decision, and what a new one has been asked for."""

    decision: AssessmentOut
    regrading: list[str] = Field(
        description="Causes for which a new grade is on its way.", examples=[["chargeback (A1001/X-77)"]]
    )


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
        "valid_until": decision.valid_until,
    }  # fmt: skip


def assessment_out(
    record: AssessmentRecord, *, trace: bool = False, standing: Standing = "valid", causes: Sequence[str] = ()
) -> AssessmentOut:
    """Return a recorded decision as it goes out; `causes`: all that it answers, also what came meanwhile."""
    return AssessmentOut(
        id=record.id, request=record.request, customer=record.customer, account=record.account, at=record.at,
        facts_digest=record.facts_digest, trace_digest=record.trace_digest,
        regraded_for="; ".join(causes) or record.regraded_for, standing=standing,
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
        at: KnownAt = None,
    ) -> Page[AssessmentOut]:
        cursor = cursor_of(after, str, str)
        place = (instant_of(cursor[0]), cursor[1]) if cursor else None
        with wiring.database.read() as session:
            rows = page_of_decisions(session, place, limit, customer, account)
            stand = standing_of(session, rows, at or wiring.clock.now())
            causes = causes_of(session, [row.request for row in rows])
        said = at.isoformat() if at else ""
        asked = {"customer": customer, "account": account, "fields": fields, "at": said}
        following = page_of("/v1/decisions", rows, limit, lambda r: (r.at.isoformat(), r.id), asked)
        items = [
            assessment_out(record_of(row), standing=one, causes=causes[row.request])
            for row, one in zip(rows, stand, strict=True)
        ]
        return Page(items=items, next=following)

    @api.get("/customers/{customer}/decision", summary="Read a customer's last decision, and how it stands")
    def last(
        customer: str,
        at: KnownAt = None,
        trace: Annotated[bool, Query(description="With every row considered.")] = False,
    ) -> LastDecisionOut:
        with wiring.database.read() as session:
            row = latest_decision(session, require_customer(session, customer).id)
            if row is None:
                raise NotFound("decision on customer", customer)
            (standing,) = standing_of(session, [row], at or wiring.clock.now())
            causes = causes_of(session, [row.request])[row.request]
            decision = assessment_out(record_of(row), trace=trace, standing=standing, causes=causes)
            return LastDecisionOut(decision=decision, regrading=regrading_for(session, customer))

    @api.get("/decisions/{decision:path}/explanation", summary="Read a decision in words")
    def explain(
        decision: str,
        response: Response,
        audience: Annotated[Audience, Query(description="In whose words.")] = "customer",
        language: Annotated[
            str,
            Query(max_length=35, description="`en` or `zh`; another one is refused (406).", examples=["en"]),
        ] = "",
        accept_language: Annotated[
            str | None,
            Header(description="Looked at without `language`; what is not there is answered in English."),
        ] = None,
    ) -> Explanation:
        """The reasons, what would change the result, and to the officer every fact with its quality.

        `Content-Language` names the language of the sentences.
        """
        spoken = language_of(language, accept_language)
        response.headers["Content-Language"], response.headers["Vary"] = spoken, "Accept-Language"
        with wiring.database.read() as session:
            record = record_of(_row(session, decision))
            policy, compiled = wiring.library.credit(session, record.decision.digest)
            ahead = FactGatherer().paid_ahead(
                session, record.customer, record.account, record.at, policy.currency
            )
        return explanation(record.id, record.decision, policy, compiled, audience, spoken, ahead)

    @api.post(
        "/decisions/{decision:path}/overrides", status_code=201,
        summary="Put another outcome in place of a decided one",
    )  # fmt: skip
    def override(decision: str, body: OverrideBody, response: Response) -> OverridesOut:
        """Within the limits of the role's authority (`authority` in the settings), for a time.

        The decision stays as it was taken. The credit limit that usage is held against is the one in force,
        and so is the grade by which a ladder treats the customer: open cases hear of it at once, and again
        when the override's time is over.
        """
        at = received(wiring, body.received_at)
        with wiring.database.write() as work:
            said = body.model_dump(exclude={"received_at"}) | {"at": at}
            _, new = add_override(work, wiring.library, wiring.settings.authority, decision, said)
            if new:
                wiring.writer.regrading.overridden(work, _row(work.session, decision), at)
            found = _overrides(work.session, _row(work.session, decision), at)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return found

    @api.get("/decisions/{decision:path}/overrides", summary="Read what is in force in place of a decision")
    def overrides(decision: str, at: KnownAt = None) -> OverridesOut:
        with wiring.database.read() as session:
            row = _row(session, decision)
            return _overrides(session, row, at or (row.at if wiring.simulated else wiring.clock.now()))

    @api.get("/decisions/{decision:path}", summary="Read a decision")
    def read(
        decision: str,
        trace: Annotated[bool, Query(description="With every row considered.")] = True,
        at: KnownAt = None,
    ) -> AssessmentOut:
        with wiring.database.read() as session:
            row = _row(session, decision)
            (standing,) = standing_of(session, [row], at or wiring.clock.now())
            causes = causes_of(session, [row.request])[row.request]
            return assessment_out(record_of(row), trace=trace, standing=standing, causes=causes)

    return api


def _row(session: Session, decision: str) -> DecisionRow:
    row = session.get(DecisionRow, decision)
    if row is None:
        raise NotFound("decision", decision)
    return row


def _overrides(session: Session, row: DecisionRow, at: datetime) -> OverridesOut:
    items = [
        OverrideOut(outcome=json.loads(r.outcome), **r.model_dump(exclude={"outcome", "decision"}))
        for r in overrides_of(session, row.id)
    ]
    return OverridesOut(decision=row.id, on=at.date(), outcome=in_force(session, row, at.date()), items=items)
