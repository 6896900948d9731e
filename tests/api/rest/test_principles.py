"""The five principles of credit information: what an officer is shown of a fact is what counted."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Client

from api.wiring import Wiring
from engine.credit import decide
from engine.credit.decision import Fact
from engine.model import digest
from tests.api.conftest import START
from tests.api.rest.test_gate import slug
from tests.api.storage.test_decisions import AT
from workflows.messages import AssessmentRecord

STRICT = b"""policy: strict-credit
kind: credit
version: "1"
effective: {from: 2026-01-01}
currency: CNY
facts:
  income: {type: money, verified: true, max_age: P3M, when_missing: {refer, reason: NO_INCOME}}
decisions:
  credit_limit: income / 10
outcome: {credit_limit: {money: "floor(credit_limit, 2)"}}
reasons: {NO_INCOME: {en: there is no proof of income}}
"""
GOOD = {"value": "500.00", "as_of": "2026-05-01", "source": "payslip", "verified_by": "li.wei"}


@pytest.fixture
def wiring(lite: Wiring) -> Wiring:
    """SQLite alone: what differs between databases is tested below this layer."""
    lite.publisher.publish({"policy.yaml": STRICT}, START)
    return lite


@pytest.mark.parametrize(
    ("said", "status", "true", "timely"),
    [
        ({}, "decided", True, True),
        ({"verified_by": "", "verified_at": "2026-05-02T10:00:00Z"}, "referred", False, True),
        ({"verified_by": "  "}, "referred", False, True),
        ({"as_of": "2026-02-28"}, "referred", True, False),
        ({"as_of": "2026-03-01"}, "decided", True, True),
        ({"as_of": None}, "referred", True, False),
    ],
)
def test_what_is_shown_of_a_fact_is_what_counted(
    api: Client, wiring: Wiring, said: dict[str, Any], status: str, true: bool, timely: bool
) -> None:
    given = GOOD | said
    body = {"policy": "strict-credit", "as_of": "2026-06-01", "facts": {"income": given}}
    preview = api.post("/v1/previews", json=body).json()
    assert preview["facts"]["income"]["verified_by"] == str(given["verified_by"]).strip()
    with wiring.database.read() as session:
        chosen = wiring.library.require(session, "credit", "strict-credit", AT.date())
        policy, _ = wiring.library.credit(session, chosen.digest)
    fact = Fact.model_validate(preview["facts"]["income"] | {"as_of": given["as_of"]})
    decision = decide(policy, {"income": fact}, AT.date())
    wiring.decisions.record(
        [
            AssessmentRecord(
                id="assessment/p", request="p", customer="C1", account="", at=AT, decision=decision,
                facts_digest=decision.facts_digest, trace_digest=digest(decision.trace),
            )
        ]
    )  # fmt: skip
    assert decision.status == status
    if given["as_of"]:  # without one, a given fact is of the day that is asked about
        assert preview["status"] == status
    path = "/v1/decisions/assessment/p/explanation"
    (shown,) = api.get(path, params={"audience": "officer"}).json()["facts"]
    assert (shown["true"], shown["timely"], shown["complete"]) == (true, timely, True)
    assert (shown["verified_by"], shown["source"]) == (fact.verified_by, "payslip")
    assert shown["standard"] == "money in CNY"
    assert shown["by_rule"].startswith("policy.yaml, line 7")


def test_what_is_not_standard_or_of_a_day_to_come_is_refused(api: Client) -> None:
    for said in ({"value": "500.001"}, {"value": "much"}, {"as_of": "2026-06-02"}):
        body = {"policy": "strict-credit", "as_of": "2026-06-01", "facts": {"income": GOOD | said}}
        answer = api.post("/v1/previews", json=body)
        assert (answer.status_code, slug(answer.json())) == (422, "facts-refused"), said
