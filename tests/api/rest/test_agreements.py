"""Payment plans and promises as a billing system posts them and reads how they stand."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Client, Response

from api.wiring import Wiring
from tests.api.conftest import START
from tests.api.policies import COLLECTIONS
from tests.api.rest.test_gate import slug

ACCEPTS = b"promise_to_pay: {max_days: 30, grace: P2D}\n"
PLAN: dict[str, Any] = {
    "id": "PLAN-1", "value_date": "2026-04-01", "replaces": ["B1"],
    "instalments": [{"due_date": "2026-04-15", "amount": "60.00"},
                    {"due_date": "2026-05-15", "amount": "40.00"}],
    "received_at": "2026-04-01T10:00:00+08:00",
}  # fmt: skip


def at(day: str) -> str:
    return f"{day}T10:00:00+08:00"


def post(api: Client, path: str, day: str, **said: Any) -> Response:
    body = {"account": "A1", "value_date": day, "received_at": at(day)} | said
    found = api.post(f"/v1/{path}", json=body)
    assert found.status_code in (200, 201), found.text
    return found


def plan(api: Client, day: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/v1/plans/A1/PLAN-1", params={"at": at(day)}).json()
    return found


@pytest.fixture
def planned(api: Client) -> Client:
    post(api, "bills", "2026-03-01", id="B1", due_date="2026-03-18", amount="100.00")
    made = api.post("/v1/plans", json=PLAN | {"account": "A1"})
    assert (made.status_code, made.headers["location"]) == (201, "/v1/plans/A1/PLAN-1")
    assert made.json()["version"] == api.get("/v1/accounts/A1").json()["version"]
    return api


def test_a_plan_takes_the_place_of_its_bills(planned: Client) -> None:
    found = plan(planned, "2026-04-02")
    assert (found["state"], found["amount"], found["remaining_amount"]) == ("active", "100.00", "100.00")
    assert [(i["id"], i["remaining_amount"]) for i in found["instalments"]] == [
        ("PLAN-1/1", "60.00"), ("PLAN-1/2", "40.00"),
    ]  # fmt: skip
    owed = planned.get("/v1/accounts/A1/position", params={"at": at("2026-04-02")}).json()
    assert (owed["open_amount"], owed["overdue_amount"]) == ("100.00", "0")
    again = planned.post("/v1/plans", json=PLAN | {"account": "A1"})
    assert (again.status_code, again.json()) == (200, found)
    other = planned.post("/v1/plans", json=PLAN | {"account": "A1", "replaces": ["B2"]})
    assert (other.status_code, slug(other.json())) == (409, "conflict")
    assert planned.get("/v1/bills/A1/PLAN-1").json()["category"] == "plan"


def test_a_missed_instalment_breaks_it_until_it_is_paid_and_all_paid_is_kept(planned: Client) -> None:
    late = plan(planned, "2026-04-20")
    assert (late["state"], late["instalments"][0]["days_past_due"]) == ("broken", 5)
    post(planned, "payments", "2026-04-21", id="P1", amount="60.00")
    assert plan(planned, "2026-04-22")["state"] == "active"
    post(planned, "payments", "2026-05-10", id="P2", amount="40.00")
    kept = plan(planned, "2026-06-01")
    assert (kept["state"], kept["remaining_amount"]) == ("kept", "0.00")
    assert plan(planned, "2026-04-20")["state"] == "broken", "as it was known then"


def test_a_plan_that_is_given_up_brings_the_bills_back(planned: Client) -> None:
    post(planned, "ended-plans", "2026-05-20", id="E1", plan="PLAN-1", reason="two missed")
    found = plan(planned, "2026-05-21")
    assert (found["state"], found["ended_on"], found["reason"]) == ("ended", "2026-05-20", "two missed")
    owed = planned.get("/v1/accounts/A1/position", params={"at": at("2026-05-21")}).json()
    assert owed["overdue_amount"] == "100.00"


def test_plans_are_listed_by_state_page_by_page(planned: Client) -> None:
    post(planned, "bills", "2026-04-02", id="B2", due_date="2026-04-18", amount="30.00")
    part = [{"due_date": "2026-09-15", "amount": "30.00"}]
    post(planned, "plans", "2026-04-03", id="PLAN-2", replaces=["B2"], instalments=part)
    asked: dict[str, str | int] = {"account": "A1", "limit": 1, "at": at("2026-04-20")}
    first = planned.get("/v1/plans", params=asked).json()
    assert [one["id"] for one in first["items"]] == ["PLAN-1"]
    rest = planned.get(first["next"]).json()
    assert [(one["id"], one["state"]) for one in rest["items"]] == [("PLAN-2", "active")]
    broken = planned.get(
        "/v1/plans", params=asked | {"state": "broken", "limit": 5, "fields": "id,state"}
    ).json()
    assert broken == {"items": [{"id": "PLAN-1", "state": "broken"}], "next": None}


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"replaces": []}, 422, "malformed-body"),
        ({"instalments": []}, 422, "malformed-body"),
        ({"instalments": [{"due_date": "2026-03-15", "amount": "1.00"}]}, 409, "entry-refused"),
        ({"account": "A9"}, 404, "account-not-found"),
        ({"instalment": 3}, 422, "malformed-body"),
    ],
)
def test_what_is_no_plan_is_refused(api: Client, changes: dict[str, Any], status: int, kind: str) -> None:
    found = api.post("/v1/plans", json=PLAN | {"account": "A1"} | changes)
    assert (found.status_code, slug(found.json())) == (status, kind)
    assert api.get("/v1/plans", params={"account": "A1"}).json()["items"] == []


def test_plans_of_all_accounts_are_listed_page_by_page(planned: Client) -> None:
    planned.post("/v1/customers", json={"id": "C2", "segment": "consumer"})
    for account, customer in (("A0", "C1"), ("A2", "C1"), ("B1", "C2")):
        terms = {"id": account, "customer": customer, "currency": "CNY", "timezone": "Asia/Shanghai"}
        assert planned.post("/v1/accounts", json=terms).status_code == 201
    for account in ("A2", "B1"):
        bill = {"account": account, "id": "B1", "due_date": "2026-03-18", "amount": "100.00"}
        post(planned, "bills", "2026-03-01", **bill)
        assert planned.post("/v1/plans", json=PLAN | {"account": account}).status_code == 201
    post(planned, "bills", "2026-04-02", account="A2", id="B2", due_date="2026-04-18", amount="10.00")
    part = [{"due_date": "2026-06-15", "amount": "10.00"}]
    post(planned, "plans", "2026-04-03", account="A2", id="PLAN-2", replaces=["B2"], instalments=part)

    def listed(**asked: Any) -> list[tuple[str, str]]:
        path, found = "/v1/plans", list[tuple[str, str]]()
        query: dict[str, Any] | None = {"at": at("2026-05-01")} | asked
        while path:
            page = planned.get(path, params=query).json()
            found += [(one["account"], one["id"]) for one in page["items"]]
            path, query = page["next"], None
        return found

    everything = [("A1", "PLAN-1"), ("A2", "PLAN-1"), ("A2", "PLAN-2"), ("B1", "PLAN-1")]
    for limit in (1, 2, 3, 100):
        assert listed(limit=limit) == everything
    assert listed(customer="C1", limit=1) == everything[:3]
    assert listed(account="A2", limit=1) == everything[1:3]
    assert listed(state="active") == [("A2", "PLAN-2")]
    assert listed(state="broken", limit=2) == [one for one in everything if one[1] == "PLAN-1"]
    assert listed(account="A2", customer="C2") == []


def test_what_is_not_there(api: Client) -> None:
    assert slug(api.get("/v1/plans/A1/PLAN-9").json()) == "not-found"
    assert slug(api.get("/v1/plans?account=A9").json()) == "account-not-found"
    assert slug(api.get("/v1/plans?customer=C9").json()) == "customer-not-found"
    assert api.get("/v1/plans").json() == {"items": [], "next": None}
    assert slug(api.get("/v1/plans?account=A1&after=WyJBMSIsIm5vbmUiXQ").json()) == "bad-cursor"


def test_promises_stand_as_the_policy_of_the_account_says(api: Client, wiring: Wiring) -> None:
    texts = {"policy.yaml": COLLECTIONS.replace(b'version: "1"', b'version: "2"') + ACCEPTS}
    texts |= {"templates/reminder.en.txt": b"{overdue}", "templates/final.en.txt": b"{overdue}"}
    wiring.publisher.publish(texts, START)
    post(api, "bills", "2026-03-01", id="B1", due_date="2026-03-18", amount="100.00")
    post(api, "promises", "2026-03-20", id="PR-1", amount="100.00", by="2026-03-25")
    post(api, "promises", "2026-03-20", id="PR-2", amount="100.00", by="2026-06-25")
    post(api, "payments", "2026-03-26", id="P1", amount="40.00")

    def stand(day: str, **asked: str) -> list[tuple[str, str]]:
        found = api.get("/v1/accounts/A1/promises", params={"at": at(day)} | asked).json()
        return [(one["id"], one["state"]) for one in found["items"]]

    assert stand("2026-03-27") == [("PR-1", "active"), ("PR-2", "refused")]
    assert stand("2026-03-28", state="broken") == [("PR-1", "broken")]
    (one,) = api.get("/v1/accounts/A1/promises", params={"state": "active", "at": at("2026-03-27")}).json()[
        "items"
    ]
    assert (one["paid_amount"], one["last_day"]) == ("40.00", "2026-03-27")
    post(api, "payments", "2026-03-27", id="P2", amount="60.00")
    assert stand("2026-03-28") == [("PR-1", "kept"), ("PR-2", "refused")]


def test_a_plan_that_is_not_what_is_open_of_its_bills_is_refused_with_what_would_fit(api: Client) -> None:
    post(api, "bills", "2026-03-01", id="B1", due_date="2026-03-18", amount="120.00")
    found = api.post("/v1/plans", json=PLAN | {"account": "A1"})
    assert (found.status_code, slug(found.json())) == (409, "entry-refused")
    (error,) = found.json()["errors"]
    assert (error["code"], error["pointer"]) == ("plan-differs", "/amount")
    for said in ({"down_payment": "20.00"}, {"charges": "0", "down_payment": "20.00", "id": "PLAN-2"}):
        made = api.post("/v1/plans", json=PLAN | {"account": "A1"} | said)
        assert made.status_code == (201 if "charges" not in said else 409), made.text
    assert made.json()["errors"][0]["code"] == "already-under-plan"
    kept = plan(api, "2026-04-02")
    assert (kept["down_payment"], kept["charges"], kept["trouble"]) == ("20.00", "0", "")


def test_what_lowers_a_bill_lowers_its_plan_and_stays_when_it_is_given_up(planned: Client) -> None:
    post(planned, "credit-notes", "2026-04-05", id="C1", bill="B1", amount="30.00")
    assert [i["remaining_amount"] for i in plan(planned, "2026-04-06")["instalments"]] == ["60.00", "10.00"]
    post(planned, "payments", "2026-04-10", id="P1", amount="50.00")
    post(planned, "ended-plans", "2026-05-20", id="E1", plan="PLAN-1")
    owed = planned.get("/v1/accounts/A1/position", params={"at": at("2026-05-21")}).json()
    assert [(d["id"], d["remaining_amount"], d["due_date"]) for d in owed["debts"] if d["id"] == "B1"] == [
        ("B1", "20.00", "2026-03-18")
    ]  # fmt: skip
    assert owed["open_amount"] == "20.00"


def test_late_news_that_makes_a_plan_wrong_is_told(planned: Client) -> None:
    late = {"account": "A1", "id": "P1", "amount": "40.00", "value_date": "2026-03-20"}
    post(planned, "payments", "2026-04-05", **late)
    wrong = "Plan `PLAN-1` asks for 40.00 more than was open of its bills."
    found = plan(planned, "2026-04-06")
    assert (found["remaining_amount"], found["trouble"]) == ("60.00", wrong)
    assert planned.get("/v1/accounts/A1").json()["trouble"] == wrong


def test_a_refund_of_more_than_came_in_is_refused_and_one_that_came_in_twice_is_owed(api: Client) -> None:
    body = {"account": "A1", "value_date": "2026-03-01", "received_at": at("2026-03-01")}
    post(api, "payments", "2026-03-01", id="P1", amount="100.00")
    refused = api.post("/v1/refunds", json=body | {"id": "Z1", "amount": "500.00"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "refund-exceeds-money")
    post(api, "refunds", "2026-03-02", id="Z1", payment="P1", amount="100.00")
    post(api, "returned-payments", "2026-03-05", id="R1", payment="P1", reason="chargeback")
    owed = api.get("/v1/accounts/A1/position", params={"at": at("2026-03-06")}).json()
    assert [(d["id"], d["remaining_amount"], d["days_past_due"]) for d in owed["debts"]] == [
        ("refund:Z1", "100.00", 4)
    ]


def test_what_is_disputed_of_a_bill_under_a_plan_breaks_no_plan(planned: Client) -> None:
    post(planned, "disputes", "2026-04-05", id="D1", bill="B1", amount="100.00")
    found = plan(planned, "2026-04-20")
    assert (found["state"], [i["days_past_due"] for i in found["instalments"]]) == ("active", [0, 0])
    owed = planned.get("/v1/accounts/A1/position", params={"at": at("2026-04-20")}).json()
    assert (owed["disputed_amount"], owed["overdue_amount"]) == ("100.00", "0.00")
    post(planned, "dispute-resolutions", "2026-04-22", id="S1", dispute="D1", outcome="rejected")
    assert plan(planned, "2026-04-23")["state"] == "broken"
