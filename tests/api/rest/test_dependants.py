"""One customer pays for others: whose position counts, who is told and graded; how their money is spread."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx import Client

from api.storage.accounts import get_account
from api.storage.events import action_event
from api.wiring import Wiring
from engine.ladder.state import Action
from tests.api.rest.conftest import a_bill, a_payment
from tests.api.rest.test_bulk import post
from tests.api.rest.test_gate import slug
from tests.api.scenes import local

FAMILY = {"id": "A2", "customer": "C1", "dependant": "C2", "currency": "CNY", "timezone": "Asia/Shanghai"}


@pytest.fixture
def family(api: Client) -> Client:
    """C1 pays for the account A1 and, of the child C2, for A2; C2 pays for A3 alone."""
    assert api.post("/v1/customers", json={"id": "C2", "segment": "consumer"}).status_code == 201
    assert api.post("/v1/accounts", json=FAMILY).status_code == 201
    mine = FAMILY | {"id": "A3", "customer": "C2", "dependant": ""}
    assert api.post("/v1/accounts", json=mine).status_code == 201
    for account, amount in (("A1", "100.00"), ("A2", "30.00"), ("A3", "7.00")):
        assert api.post("/v1/bills", json=a_bill(account=account, amount=amount)).status_code == 201
    return api


def grading(wiring: Wiring, customer: str) -> dict[str, Any]:
    at = local("2026-04-10 10:00")
    facts = wiring.ledger.facts(customer, "", at.date(), at, "CNY")
    return {name: facts[name].value for name in ("overdue_now", "avg_monthly_bill", "late_count_12m")}


def test_the_payer_is_graded_by_all_that_they_pay_and_the_dependant_by_none_of_it(
    family: Client, wiring: Wiring
) -> None:
    payer, child = grading(wiring, "C1"), grading(wiring, "C2")
    assert (str(payer["overdue_now"]), payer["late_count_12m"]) == ("130.00", 2)
    assert (str(child["overdue_now"]), child["late_count_12m"]) == ("7.00", 1)


def test_notices_are_for_the_payer_and_name_whom_the_account_serves(family: Client, wiring: Wiring) -> None:
    action = Action(key="case/A2/1/account/bar/1/service.outgoing_barred/do", do="service",
                    args=("outgoing_barred",), step="bar", item="account", debts=("B1",))  # fmt: skip
    with wiring.database.read() as session:
        told = [action_event(get_account(session, name), "case/1", "p", action, 1, local("2026-04-10 10:00"))
                for name in ("A2", "A3")]  # fmt: skip
    assert (told[0]["data"]["customer"], told[0]["data"]["dependant"]) == ("C1", "C2")
    assert told[1]["data"]["customer"] == "C2"
    assert "dependant" not in told[1]["data"]


def test_each_account_has_a_position_and_a_ladder_of_its_own(family: Client) -> None:
    assert family.get("/v1/accounts/A2/position").json()["open_amount"] == "30.00"
    assert family.get("/v1/accounts/A1/position").json()["open_amount"] == "100.00"


def test_facts_about_the_payer_reach_what_they_pay(family: Client, wiring: Wiring) -> None:
    told = {"facts": {"value": "high"}, "received_at": "2026-04-10T10:00:00+08:00"}
    assert family.post("/v1/customers/C1/facts", json=told).status_code in (200, 201)
    with wiring.database.read() as session:
        rows = [get_account(session, name) for name in ("A2", "A3")]
        said = [wiring.positions.position(session, row, local("2026-04-11 10:00")).facts for row in rows]
    assert (said[0]["value"], said[1].get("value")) == ("high", None)


def test_lists_by_payer_and_by_dependant(family: Client) -> None:
    def of(query: str) -> list[str]:
        return [item["id"] for item in family.get(f"/v1/accounts?{query}").json()["items"]]

    assert (of("customer=C1"), of("dependant=C2"), of("customer=C2")) == (["A1", "A2"], ["A2"], ["A3"])
    assert family.get("/v1/accounts/A2").json()["dependant"] == "C2"


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"dependant": "C9"}, 404, "customer-not-found"),
        ({"dependant": "C1"}, 422, "malformed-body"),
        ({"allocation": {"rule": "newest_first"}}, 422, "malformed-body"),
        ({"allocation": {"rule": "oldest_first", "services": ["tv"]}}, 422, "malformed-body"),
    ],
)
def test_what_is_refused(api: Client, change: dict[str, object], status: int, kind: str) -> None:
    api.post("/v1/customers", json={"id": "C2", "segment": "consumer"})
    for answer in (
        api.post("/v1/accounts", json=FAMILY | {"id": "A9"} | change).json(),
        post(api, {"kind": "account"} | FAMILY | {"id": "A9"} | change).text.splitlines()[0],
    ):
        said = answer if isinstance(answer, dict) else json.loads(answer)["problem"]
        assert (said["status"], slug(said)) == (status, kind), said


def test_the_rule_of_an_account_spreads_its_money_and_the_answer_says_how(api: Client) -> None:
    terms = {"id": "A5", "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
    rule = {"rule": "by_service", "services": ["voice"]}
    assert api.post("/v1/accounts", json=terms | {"allocation": rule}).json()["allocation"] == rule
    assert post(api, {"kind": "account"} | terms | {"allocation": rule}).text.count('"status":200') == 1
    again = api.post("/v1/accounts", json=terms)
    assert (again.status_code, slug(again.json())) == (409, "conflict")
    api.post("/v1/bills", json=a_bill(account="A5", id="B1", amount="40.00", service="tv"))
    api.post("/v1/bills", json=a_bill(account="A5", id="B2", amount="30.00", service="voice"))
    api.post("/v1/payments", json=a_payment(account="A5", id="P1", amount="35.00"))
    (money,) = api.get("/v1/accounts/A5/position").json()["allocations"]
    assert money["paid"] == [{"debt": "B2", "amount": "30.00"}, {"debt": "B1", "amount": "5.00"}]
    api.post("/v1/payments", json=a_payment(account="A5", id="P2", amount="9.00", service="tv"))
    assert api.get("/v1/payments/A5/P2").json()["service"] == "tv"
