from __future__ import annotations

import json
from typing import Any

from httpx import Client, Response

from tests.api.rest.conftest import a_bill, a_payment
from tests.api.rest.test_gate import slug


def post(api: Client, *rows: Any, **query: str) -> Response:
    text = b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    return api.post(
        "/v1/ledger/bulk", content=text, params=query, headers={"Content-Type": "application/x-ndjson"}
    )


def lines(answer: Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


CUSTOMER = {"kind": "customer", "id": "C2", "segment": "consumer", "facts": {"value": "mid"}}
ACCOUNT = {"kind": "account", "id": "A2", "customer": "C2", "currency": "CNY", "timezone": "Asia/Shanghai"}
BILL = a_bill(account="A2", kind="bill")
PAYMENT = a_payment(account="A2", kind="payment")
STRAY = a_bill(account="A9", kind="bill")


def without_kind(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "kind"}


def test_rows_are_stored_in_their_order(api: Client) -> None:
    answer = post(api, CUSTOMER, ACCOUNT, BILL, PAYMENT)
    assert answer.status_code == 200, answer.text
    *rows, last = lines(answer)
    assert [(r["line"], r["status"], r["kind"]) for r in rows] == [
        (1, 201, "customer"), (2, 201, "account"), (3, 201, "bill"), (4, 201, "payment"),
    ]  # fmt: skip
    assert last["summary"] == {"rows": 4, "stored": 4, "already": 0, "refused": 0, "kept": True}
    assert api.get("/v1/accounts/A2/position").json()["open_amount"] == "200.00"
    assert api.get("/v1/accounts/A2").json()["watch_on"] == "2026-03-19T01:00:00Z"


def test_a_batch_gives_the_same_account_as_single_posts(api: Client) -> None:
    post(api, CUSTOMER, ACCOUNT, BILL, PAYMENT)
    api.post("/v1/customers", json={k: v for k, v in (CUSTOMER | {"id": "C3"}).items() if k != "kind"})
    api.post(
        "/v1/accounts",
        json={k: v for k, v in (ACCOUNT | {"id": "A3", "customer": "C3"}).items() if k != "kind"},
    )
    api.post("/v1/bills", json=a_bill(account="A3"))
    api.post("/v1/payments", json=a_payment(account="A3"))
    one, other = (api.get(f"/v1/accounts/{name}").json() for name in ("A2", "A3"))
    assert {k: v for k, v in one.items() if k not in ("id", "customer")} == {
        k: v for k, v in other.items() if k not in ("id", "customer")
    }
    position = api.get("/v1/accounts/A2/position").json()
    assert position["version"] == one["version"]


def test_good_rows_are_kept_when_asked_for_each(api: Client) -> None:
    answer = post(api, CUSTOMER, ACCOUNT, STRAY, BILL, b"nonsense", {"kind": "bil"}, BILL | {"amount": 1.5})
    *rows, last = lines(answer)
    assert answer.status_code == 200
    assert [r["status"] for r in rows] == [201, 201, 404, 201, 400, 422, 422]
    assert slug(rows[2]["problem"]) == "account-not-found"
    assert rows[6]["problem"]["errors"][0]["pointer"] == "/amount"
    assert last["summary"] == {"rows": 7, "stored": 3, "already": 0, "refused": 4, "kept": True}
    assert api.get("/v1/bills/A2/B1").status_code == 200


def test_none_is_kept_when_asked_for_all(api: Client) -> None:
    answer = post(api, CUSTOMER, ACCOUNT, BILL, STRAY, mode="all")
    *rows, last = lines(answer)
    assert answer.status_code == 422
    assert [r["status"] for r in rows] == [424, 424, 424, 404]
    assert last["summary"] == {"rows": 4, "stored": 0, "already": 0, "refused": 1, "kept": False}
    assert api.get("/v1/customers/C2").status_code == 404
    assert post(api, CUSTOMER, ACCOUNT, BILL, mode="all").status_code == 200


def test_a_dry_run_keeps_nothing(api: Client) -> None:
    answer = post(api, CUSTOMER, ACCOUNT, BILL, STRAY, dry_run="true")
    *rows, last = lines(answer)
    assert [r["status"] for r in rows] == [201, 201, 201, 404]
    assert last["summary"]["kept"] is False
    assert api.get("/v1/customers/C2").status_code == 404


def test_a_load_sent_twice_changes_nothing(api: Client) -> None:
    post(api, CUSTOMER, ACCOUNT, BILL, PAYMENT)
    before = api.get("/v1/accounts/A2").json()
    *rows, _ = lines(post(api, CUSTOMER, ACCOUNT, BILL, PAYMENT, BILL))
    assert [r["status"] for r in rows] == [200, 200, 200, 200, 200]
    assert api.get("/v1/accounts/A2").json() == before


def test_doubled_and_conflicting_rows_of_one_load(api: Client) -> None:
    *rows, _ = lines(post(api, CUSTOMER, ACCOUNT, BILL, BILL, BILL | {"amount": "1.00"}, CUSTOMER))
    assert [r["status"] for r in rows] == [201, 201, 201, 200, 409, 200]


def test_blank_lines_are_counted_and_skipped(api: Client) -> None:
    *rows, _ = lines(post(api, b"", CUSTOMER, b"  ", ACCOUNT, b""))
    assert [r["line"] for r in rows] == [2, 4]


def test_an_empty_load(api: Client) -> None:
    assert lines(post(api))[-1]["summary"]["rows"] == 0


def test_a_load_does_not_open_cases_and_the_sweep_finds_them(api: Client) -> None:
    late = a_payment(account="A2", kind="payment", received_at="2026-03-25T10:00:00+08:00", amount="1.00")
    post(api, CUSTOMER, ACCOUNT, BILL, late)
    account = api.get("/v1/accounts/A2").json()
    assert account["open_case"] is None
    assert account["watch_on"] == "2026-03-25T02:00:00Z"


def test_more_rows_than_one_transaction_takes(api: Client) -> None:
    accounts = [ACCOUNT | {"id": f"M{n}", "customer": "C1"} for n in range(50)]
    rows = [a_payment(account=f"M{n % 50}", kind="payment", id=f"P{n}", amount="0.01") for n in range(2_000)]
    assert lines(post(api, *accounts, *rows))[-1]["summary"]["stored"] == 2_050
    assert api.get("/v1/accounts/M7/position").json()["credit"] == "0.40"
