"""What a ledger says of any day as known on any other, and the facts that follow, each with its sources."""

from __future__ import annotations

import pytest
from httpx import Client

from api.wiring import Wiring


@pytest.fixture
def wiring(lite: Wiring) -> Wiring:
    """SQLite alone: what differs between databases is tested below this layer."""
    return lite


def post(api: Client, account: str, path: str, **body: object) -> None:
    answer = api.post(f"/v1/{path}", json={"account": account, **body})
    assert answer.status_code == 201, answer.text


def tell(api: Client, account: str) -> None:
    """Bill in January, paid on its due date; the payment becomes known in March."""
    post(api, account, "bills", id="B1", value_date="2026-01-05", due_date="2026-01-25", amount="100.00",
         received_at="2026-03-05T10:00:00+08:00")  # fmt: skip
    post(api, account, "payments", id="P1", value_date="2026-01-25", amount="100.00",
         received_at="2026-03-20T10:00:00+08:00")  # fmt: skip


def test_a_position_of_any_day_as_known_on_any_other(shared: Client, acct: str) -> None:
    tell(shared, acct)
    path = f"/v1/accounts/{acct}/position"
    early = {"at": "2026-03-10T10:00:00+08:00"}
    assert shared.get(path, params=early).json()["overdue_amount"] == "100.00"
    assert shared.get(path, params=early | {"as_of": "2026-01-20"}).json()["overdue_amount"] == "0"
    now = shared.get(path, params={"as_of": "2026-01-24"}).json()
    assert (now["on"], now["open_amount"], now["allocations"]) == ("2026-01-24", "100.00", [])
    assert shared.get(path, params={"as_of": "2026-01-25"}).json()["open_amount"] == "0.00"


def test_facts_with_their_rule_their_sources_and_their_age(shared: Client, acct: str) -> None:
    tell(shared, acct)
    path = f"/v1/accounts/{acct}/facts"
    rate = shared.get(path, params={"as_of": "2026-03-25"}).json()["facts"]["on_time_rate_12m"]
    assert rate.pop("rule").startswith("share of the debts due in twelve months")
    assert rate == {
        "value": "1.0000", "as_of": "2026-03-25", "told": "1 of 1 bills paid by their due date",
        "sources": [
            {"kind": "bill", "id": "B1", "value_date": "2026-01-05"},
            {"kind": "payment", "id": "P1", "value_date": "2026-01-25"},
        ],
        "newest": "2026-01-25", "age_days": 59,
    }  # fmt: skip
    then = shared.get(path, params={"as_of": "2026-03-25", "at": "2026-03-10T10:00:00+08:00"}).json()
    assert then["facts"]["on_time_rate_12m"]["value"] == "0.0000"
    assert then["facts"]["dpd_now"]["value"] == 59


def test_an_account_that_is_not_there(shared: Client) -> None:
    assert shared.get("/v1/accounts/nobody/facts").status_code == 404
