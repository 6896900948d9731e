"""Assessments: a durable grade, answered synchronously; and previews, which keep nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, model_validator

from api.rest.bodies import Body, Day, Id, ReceivedAt, example
from api.rest.customers import FactsBody, facts_of, verified_by_now
from api.rest.days import day_that_has_come
from api.rest.decisions import AssessmentOut, DecisionOut, assessment_out, decision_fields
from api.rest.durable import assess
from api.rest.errors import Refusal
from api.rest.idempotent import key_of
from api.rest.routes import received, router
from api.storage.accounts import get_account, zones_of
from api.storage.customers import require_customer
from api.storage.idempotency import KeyReused
from api.wiring import Wiring
from engine.credit.decision import Fact
from workflows.messages import NAMED, AssessmentRecord, AssessmentRequest
from workflows.ports import PolicyNotFound


class AssessmentBody(Body):
    """Ask for a grade: of a customer or an account from what is known, or from given facts."""

    model_config = example(customer="C1001")
    customer: Id | None = None
    account: Id | None = None
    policy: str = Field(
        default="", max_length=80,
        description="Name of a credit policy, or the digest of one; empty: the one the portfolio names.",
    )  # fmt: skip
    as_of: Day | None = Field(
        default=None,
        description="The local day to judge by, from what is known now; left out: today. A day that has not "
        "come is refused (`POST /v1/previews` looks ahead). A decision as of an earlier day is kept and "
        "answered, and takes force only where none as of a later day is in force.",
    )
    facts: FactsBody = Field(default={}, description="Given facts win over gathered ones.")
    received_at: ReceivedAt = None

    @model_validator(mode="after")
    def _about_somebody(self) -> AssessmentBody:
        if not (self.customer or self.account or (self.policy and self.facts)):
            raise ValueError("name a customer or an account, or a policy with facts")
        return self


class PreviewBody(Body):
    """Facts and a policy: what would be decided."""

    model_config = example(
        policy="consumer-credit", as_of="2026-03-01",
        facts={
            "value": "mid", "prior_write_off": False, "direct_debit": True, "tenure_months": 40,
            "id_verified": {"value": True, "source": "shop", "verified_by": "agent 17"},
            "avg_monthly_bill": "100.00",
        },
    )  # fmt: skip
    policy: str = Field(
        min_length=1, max_length=80, description="Name of a credit policy, or the digest of one."
    )
    as_of: Day | None = None
    facts: FactsBody


def assessments_router(wiring: Wiring) -> APIRouter:
    """Return the paths of assessments and previews."""
    api = router("grading")

    @api.post("/assessments", status_code=201, summary="Grade durably, and wait for the answer")
    async def create(
        body: AssessmentBody,
        response: Response,
        idempotency_key: Annotated[
            str | None, Header(description="Needed. Also the request's identity.")
        ] = None,
        trace: Annotated[bool, Query(description="With every row considered.")] = False,
    ) -> AssessmentOut:
        if idempotency_key is None:
            raise Refusal("idempotency-key-missing", "An assessment needs an `Idempotency-Key`.")
        request = key_of(idempotency_key)
        found = await run_in_threadpool(wiring.decisions.find, request)
        if found is not None:
            _same(request, body, found)
            response.status_code = status.HTTP_200_OK
        else:
            found = await assess(wiring, await run_in_threadpool(_request, wiring, request, body))
        response.headers["Location"] = f"/v1/decisions/{quote(found.id)}"
        return assessment_out(found, trace=trace)

    @api.post("/previews", summary="See what a policy would decide; nothing is kept")
    def preview(
        body: PreviewBody, trace: Annotated[bool, Query(description="With every row considered.")] = False
    ) -> DecisionOut:
        as_of = body.as_of or wiring.clock.now().date()
        with wiring.database.read() as session:
            digest = _digest(wiring, body.policy, as_of)
            _, compiled = wiring.library.credit(session, digest)
        facts = facts_of(body.facts, as_of)
        verified_by_now(facts, latest_of(wiring.clock.now(), as_of))
        decision = compiled.decide(facts, as_of, trace=trace)
        return DecisionOut(**decision_fields(decision, trace=trace))

    return api


def latest_of(now: datetime, as_of: date) -> datetime:
    """Return up to when something may have been verified: a preview may look ahead, to a day's end."""
    return max(now, datetime.combine(as_of, time.max, UTC))


def _request(wiring: Wiring, request: str, body: AssessmentBody) -> AssessmentRequest:
    at = received(wiring, body.received_at)
    customer, account, as_of, segment = body.customer or "", body.account or "", body.as_of, ""
    zones: Sequence[str] = ()
    with wiring.database.read() as session:
        if account:
            row = get_account(session, account)
            if customer and row.customer != customer:
                raise Refusal(
                    "malformed-body", f"Account `{account}` is not one of customer `{customer}`.", "/account"
                )
            customer, zones = row.customer, [row.timezone]
        if customer:
            segment = require_customer(session, customer).segment
        zones = zones or zones_of(session, customer)
    as_of = day_that_has_come(as_of, at, zones)
    facts = facts_of(body.facts, as_of)
    verified_by_now(facts, at)
    policy = body.policy or _of_portfolio(wiring, segment, facts, as_of)
    return AssessmentRequest(
            form=NAMED,
        request=request, policy=_digest(wiring, policy, as_of), customer=customer, account=account,
        as_of=as_of, at=at, facts=facts,
    )  # fmt: skip


def _of_portfolio(wiring: Wiring, segment: str, facts: dict[str, Fact], as_of: date) -> str:
    with wiring.database.read() as session:
        portfolio = wiring.library.portfolio(session, as_of)
    if portfolio is None:
        raise PolicyNotFound(f"portfolio (in force on {as_of})")
    value = str(facts[portfolio.by].value) if portfolio.by in facts else segment
    name = portfolio.credit_for(value)
    if not name:
        raise Refusal(
            "policy-not-found", f"The portfolio names no credit policy for {portfolio.by} `{value}`."
        )
    return name


def _digest(wiring: Wiring, policy: str, as_of: date) -> str:
    if policy.startswith("sha256:"):
        wiring.shelf.texts(policy)
        return policy
    with wiring.database.read() as session:
        return wiring.library.require(session, "credit", policy, as_of).digest


def _same(request: str, body: AssessmentBody, found: AssessmentRecord) -> None:
    """Refuse a key that was used long ago for another question."""
    asked = {"customer": body.customer, "account": body.account, "as_of": body.as_of}
    answered = {"customer": found.customer, "account": found.account, "as_of": found.decision.as_of}
    if any(value is not None and value != answered[name] for name, value in asked.items()):
        raise KeyReused(request)
