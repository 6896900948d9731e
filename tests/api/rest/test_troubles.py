"""What nobody would otherwise see: accounts that no policy treats, entries that name what never came."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Client

from api.wiring import Wiring
from tests.api.rest.conftest import a_bill, a_payment
from tests.api.rest.test_gate import slug


@pytest.fixture
def wiring(lite: Wiring) -> Wiring:
    """SQLite alone: the queries are tested on both databases below this layer."""
    return lite


def an_account(api: Client, **changes: Any) -> Any:
    body = {"id": "A2", "customer": "C1", "currency": "EUR", "timezone": "Europe/Berlin"} | changes
    return api.post("/v1/accounts", json=body)


def troubled(api: Client) -> list[str]:
    return [item["id"] for item in api.get("/v1/accounts?troubled=true").json()["items"]]


UNTREATED = (
    "It is overdue, and no policy treats it. "
    "The collections policy `plain-collections` counts in CNY, the account in EUR."
)


def test_an_overdue_account_that_no_policy_treats_is_told(api: Client, wiring: Wiring) -> None:
    assert an_account(api).status_code == 201
    api.post("/v1/bills", json=a_bill(account="A2", received_at="2026-03-01T12:00:00+08:00"))
    before = api.get("/v1/accounts/A2").json()
    assert (before["trouble"], before["watch_on"]) == ("", "2026-03-18T23:00:00Z")
    assert troubled(api) == []
    body = {"account": "A2", "at": "2026-03-19T09:00:00+01:00"}
    said = api.post("/v1/simulation/open", json=body).json()
    assert not said["opened"]
    assert said["account"]["trouble"] == UNTREATED
    assert (said["account"]["watch_on"], said["account"]["open_case"]) == (None, None)
    assert troubled(api) == ["A2"]
    ready = api.get("/ready").json()
    assert (ready["ready"] or not ready["temporal"], ready["troubled_accounts"]) == (True, 1)
    assert ready["told"][0].startswith("1 account is in trouble")
    paid = a_payment(account="A2", amount="205.42", received_at="2026-03-20T02:00:00+08:00")
    api.post("/v1/payments", json=paid)
    assert troubled(api) == []
    assert api.get("/ready").json()["told"] == []


def test_news_of_an_old_debt_that_no_policy_treats_is_told_at_once(api: Client) -> None:
    an_account(api)
    api.post("/v1/bills", json=a_bill(account="A2", received_at="2026-04-01T02:00:00+08:00"))
    assert api.get("/v1/accounts/A2").json()["trouble"] == UNTREATED


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"currency": "XXY"}, "/currency", "`XXY`: this is no currency; write `XXY`"),
        ({"currency": "rmb"}, "/currency", "`rmb`: this is no currency; write `CNY`"),
        ({"collections_policy": "nosuch"}, "/collections_policy",
         "There is no collections policy `nosuch`; known are: `plain-collections`."),
        ({"collections_policy": "plain-colections"}, "/collections_policy",
         "There is no collections policy `plain-colections`; did you mean `plain-collections`?"),
    ],
)  # fmt: skip
def test_terms_that_nothing_could_treat_are_refused(
    api: Client, change: dict[str, str], pointer: str, says: str
) -> None:
    said = an_account(api, **change).json()
    assert slug(said) == "malformed-body"
    assert said["errors"][0]["pointer"] == pointer
    assert said["errors"][0]["detail"].startswith(says.replace("write `XXY`", "write "))
    row = {"kind": "account", "id": "A2", "customer": "C1", "currency": "EUR", "timezone": "UTC"} | change
    bulk = api.post(
        "/v1/ledger/bulk?dry_run=true", json=row, headers={"Content-Type": "application/x-ndjson"}
    )
    assert f'"pointer":"{pointer}"' in bulk.text


def test_an_entry_that_names_what_has_not_come_waits_in_sight(api: Client) -> None:
    api.post("/v1/bills", json=a_bill())
    at = {"received_at": "2026-03-03T10:00:00+08:00", "account": "A1", "value_date": "2026-03-03"}
    assert api.post("/v1/returned-payments", json=at | {"id": "R1", "payment": "NOPE"}).status_code == 201
    dispute = at | {"id": "D1", "bill": "NOPE", "amount": "5.00"}
    assert api.post("/v1/disputes", json=dispute).status_code == 201
    said = api.get("/v1/accounts/A1/position").json()
    assert [(u["kind"], u["id"], u["field"], u["names"], u["wanted"]) for u in said["unmatched"]] == [
        ("dispute", "D1", "bill", "bill", "NOPE"),
        ("payment_returned", "R1", "payment", "payment", "NOPE"),
    ]
    assert (said["disputed_amount"], said["open_amount"]) == ("0", "205.42")
    assert troubled(api) == []
    later = a_payment(received_at="2026-03-04T10:00:00+08:00", value_date="2026-03-04")
    api.post("/v1/payments", json=later)
    assert api.get("/v1/accounts/A1").json()["trouble"] == (
        "What is named has not come since 2026-03-03 02:00 UTC: dispute `D1` names bill `NOPE`, "
        "returned payment `R1` names payment `NOPE`."
    )
    assert troubled(api) == ["A1"]
    for path, body in (("payments", a_payment(id="NOPE")), ("bills", a_bill(id="NOPE"))):
        told = body | {"received_at": "2026-03-05T10:00:00+08:00"}
        assert api.post(f"/v1/{path}", json=told).status_code == 201
    assert troubled(api) == []
    assert api.get("/v1/accounts/A1/position").json()["unmatched"] == []


def test_money_of_a_later_day_is_refused(api: Client) -> None:
    said = api.post("/v1/payments", json=a_payment(value_date="2026-03-13")).json()
    assert said["errors"][0]["code"] == "money-not-there-yet"
    assert api.post("/v1/payments", json=a_payment(value_date="2026-03-12")).status_code == 201
