from __future__ import annotations

import json
from typing import Any

import pytest
from httpx import Client

from api.wiring import Wiring
from tests.api.rest.conftest import a_bill, a_payment
from tests.api.rest.test_gate import slug
from tests.api.scenes import in_arrears, local


@pytest.fixture
def wiring(lite: Wiring) -> Wiring:
    """SQLite alone: what differs between databases is tested below this layer."""
    return lite


def test_a_customer_is_created_once(api: Client) -> None:
    verified = {"value": True, "as_of": "2026-01-05", "verified_by": "shop"}
    body = {
        "id": "C2", "name": "Zhang", "segment": "sme", "since": "2020-01-01",
        "facts": {"value": "high", "id_verified": verified},
    }  # fmt: skip
    assert [api.post("/v1/customers", json=body).status_code for _ in range(2)] == [201, 200]
    said = api.get("/v1/customers/C2").json()
    assert (said["segment"], said["since"]) == ("sme", "2020-01-01")
    assert said["facts"]["id_verified"]["verified_by"] == "shop"
    other = api.post("/v1/customers", json=body | {"segment": "key"})
    assert (other.status_code, slug(other.json())) == (409, "conflict")


def test_a_fact_with_a_fraction_is_text(api: Client) -> None:
    body = {"facts": {"rate": 0.5}, "received_at": "2026-03-01T00:00:00Z"}
    refused = api.post("/v1/customers/C1/facts", json=body)
    assert refused.json()["errors"][0]["pointer"] == "/facts/rate"


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        ({"valeu": 1}, "a fact has a `value`: a truth value, a whole number"),
        ({"value": 1, "as_off": "2026-01-01"}, "a fact has no `as_off`; did you mean `as_of`."),
        ({"value": {"deep": 1}}, "a fact has a `value`"),
        ({"value": 1, "as_of": "soon"}, "`as_of` of the fact cannot be `soon`."),
        (["a", 1], "a list has texts only."),
    ],
)
def test_a_fact_of_the_wrong_shape_is_told_once(api: Client, fact: Any, says: str) -> None:
    body = {"facts": {"value": fact}, "received_at": "2026-03-01T00:00:00Z"}
    (error,) = api.post("/v1/customers/C1/facts", json=body).json()["errors"]
    assert error["pointer"] == "/facts/value"
    assert error["detail"].startswith(says)


def test_facts_are_kept_in_their_order_and_told_once(api: Client) -> None:
    def tell(value: str, day: str) -> list[str]:
        body = {"facts": {"value": {"value": value, "as_of": day}}, "received_at": "2026-03-01T00:00:00Z"}
        return list(api.post("/v1/customers/C1/facts", json=body).json()["new"])

    assert tell("high", "2026-02-01") == ["value"]
    assert tell("high", "2026-02-01") == []
    assert tell("low", "2026-01-01") == ["value"]
    assert api.get("/v1/customers/C1").json()["facts"]["value"]["value"] == "high"


def test_a_fact_reaches_positions_and_pokes_the_open_case(api: Client, wiring: Wiring) -> None:
    in_arrears(wiring, "A7")
    version = api.get("/v1/accounts/A7").json()["version"]
    body = {"facts": {"vulnerable": True}, "received_at": "2026-03-20T00:00:00Z"}
    assert api.post("/v1/customers/C1/facts", json=body).json()["new"] == ["vulnerable"]
    assert api.get("/v1/accounts/A7").json()["version"] == version + 1
    position = wiring.ledger.position("A7", local("2026-03-20 09:00"), "", "").account
    assert position.facts == {"segment": "consumer", "vulnerable": True}
    assert position.version == version + 1
    before = wiring.ledger.position("A7", local("2026-03-19 23:00"), "", "").account
    assert before.facts == {"segment": "consumer"}
    from api.storage import outbox

    with wiring.database.read() as session:
        assert len(outbox.pending_of(session, "A7", "case")) == 2


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"customer": "C9"}, 404, "customer-not-found"),
        ({"currency": "yuan"}, 422, "malformed-body"),
        ({"timezone": "Asia/Atlantis"}, 422, "malformed-body"),
        ({"timezone": "../etc/passwd"}, 422, "malformed-body"),
        ({"id": "A/1"}, 422, "malformed-body"),
        ({"currency": "USD"}, 409, "conflict"),
    ],
)
def test_accounts_that_are_refused(api: Client, change: dict[str, str], status: int, kind: str) -> None:
    body = {"id": "A1", "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
    answer = api.post("/v1/accounts", json=body | change)
    assert (answer.status_code, slug(answer.json())) == (status, kind)


def test_the_same_account_again_is_the_stored_one(api: Client) -> None:
    body = {"id": "A1", "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
    assert api.post("/v1/accounts", json=body).status_code == 200


def test_lists_of_customers_and_accounts(api: Client) -> None:
    for n in range(2, 5):
        api.post("/v1/customers", json={"id": f"C{n}", "segment": "sme"})
        account = {"id": f"A{n}", "customer": f"C{n}", "currency": "CNY", "timezone": "UTC"}
        api.post("/v1/accounts", json=account)
    first = api.get("/v1/customers?segment=sme&limit=2").json()
    second = api.get(first["next"]).json()
    assert [c["id"] for c in first["items"] + second["items"]] == ["C2", "C3", "C4"]
    assert second["next"] is None
    assert [a["id"] for a in api.get("/v1/accounts?customer=C3").json()["items"]] == ["A3"]


def test_feeds_say_how_far_they_are(api: Client, wiring: Wiring) -> None:
    def tell(to: str, at: str) -> int:
        body = {"feed": "payments", "complete_to": to, "received_at": at}
        return int(api.post("/v1/feeds", json=body).status_code)

    assert tell("2026-03-01T23:59:59+08:00", "2026-03-02T01:00:00+08:00") == 201
    assert tell("2026-03-02T23:59:59+08:00", "2026-03-03T01:00:00+08:00") == 201
    assert tell("2026-03-09T23:59:59+08:00", "2026-03-03T01:00:00+08:00") == 422
    assert [f["complete_to"] for f in api.get("/v1/feeds").json()] == ["2026-03-02T15:59:59Z"]
    api.post("/v1/bills", json=a_bill())
    known = wiring.ledger.position("A1", local("2026-03-02 12:00"), "", "").account.feeds
    assert known == {"payments": local("2026-03-01 23:59:59")}


def test_the_position_reports_which_money_paid_what(api: Client) -> None:
    api.post("/v1/bills", json=a_bill())
    api.post("/v1/payments", json=a_payment())
    said = api.get("/v1/accounts/A1/position").json()
    (allocation,) = said["allocations"]
    assert allocation["source"] == "payment P1"
    assert allocation["paid"] == [{"debt": "B1", "amount": "5.42"}]
    assert (said["debts"][0]["remaining_amount"], said["overdue_amount"]) == ("200.00", "0")


UNREAD = "No policy in force reads `tenure_month`; did you mean `tenure_months`?"
NEGATIVE = "Policy `plain-credit` would refuse `tenure_months`: it is -1; the least is 0."
TEXT = 'Policy `plain-credit` would refuse `avg_monthly_bill`: it is `"much"`, not a number.'
SEGMENT = "The portfolio names no credit policy for the segment `consumr`; did you mean `consumer`?"


@pytest.mark.parametrize(
    ("said", "notes"),
    [
        ({"facts": {"tenure_months": 3}}, []),
        ({"facts": {"tenure_month": 3}}, [UNREAD]),
        ({"facts": {"tenure_months": -1, "avg_monthly_bill": "much"}}, [NEGATIVE, TEXT]),
        ({"segment": "consumr"}, [SEGMENT]),
        ({"facts": {"segment": "consumer", "avg_monthly_bill": None}}, []),
    ],
)
def test_what_policies_make_of_a_customer_is_told(
    api: Client, said: dict[str, Any], notes: list[str]
) -> None:
    body = {"id": "C5", "segment": "consumer"} | said
    row = json.dumps(body | {"kind": "customer"})
    bulk = api.post("/v1/ledger/bulk", content=row, headers={"Content-Type": "application/x-ndjson"})
    assert json.loads(bulk.text.splitlines()[0]).get("notes", []) == notes
    assert api.post("/v1/customers", json=body).json()["notes"] == notes
    if "facts" in said:
        told = {"facts": said["facts"], "received_at": "2026-03-01T00:00:00Z"}
        assert api.post("/v1/customers/C5/facts", json=told).json()["notes"] == notes
    assert api.get("/v1/customers/C5").status_code == 200


def test_a_customer_of_a_later_day_is_refused(api: Client) -> None:
    body = {"id": "C5", "since": "2026-03-03", "received_at": "2026-03-01T00:00:00Z"}
    said = api.post("/v1/customers", json=body).json()
    assert said["errors"][0]["pointer"] == "/since"
    row = json.dumps(body | {"kind": "customer"})
    bulk = api.post("/v1/ledger/bulk", content=row, headers={"Content-Type": "application/x-ndjson"})
    assert json.loads(bulk.text.splitlines()[0])["problem"]["errors"] == said["errors"]
    assert api.post("/v1/customers", json=body | {"since": "2026-03-01"}).status_code == 201
