from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from httpx import Client

from api.rest.entry_bodies import RESOURCES, kind_of
from api.wiring import Wiring
from engine.ledger.entries import EntryAdapter
from tests.api.rest.conftest import a_bill, a_payment
from tests.api.rest.test_gate import slug

AT = "2026-03-05T10:00:00+08:00"
EVERY_KIND: dict[str, dict[str, Any]] = {
    "issued-bills": {"bill": "B1"},
    "returned-payments": {"payment": "P1"},
    "return-reversals": {"returned": "R1"},
    "refunds": {"amount": "1.00"},
    "credit-notes": {"amount": "1.00"},
    "adjustments": {"bill": "B1", "amount": "-1.00"},
    "fee-waivers": {"bill": "F1", "amount": "1.00"},
    "write-downs": {"bill": "B1", "amount": "1.00"},
    "recoveries": {"amount": "1.00", "collector": "agency 4"},
    "deposit-reviews": {"outcome": "keep", "amount": "100.00"},
    "ended-plans": {"plan": "PL1"},
    "disputes": {"bill": "B1", "amount": "1.00"},
    "dispute-resolutions": {"dispute": "D1", "outcome": "rejected"},
    "promises": {"amount": "1.00", "by": "2026-03-20"},
    "promise-withdrawals": {"promise": "PR1"},
    "holds": {"hold": "hardship"},
    "hold-releases": {"hold": "H1"},
    "facts": {"name": "vulnerable", "value": True},
    "account-feeds": {"feed": "payments", "complete_to": AT},
    "acts": {"act": "stop", "actor": "agent 17", "reason": "asked for"},
    "contacts": {"channel": "call", "outcome": "conversation", "at": AT},
    "write-off-marks": {"bill": "B1"},
    "demands": {"source": "limit", "level": "suspended"},
    "deposits": {"move": "held", "amount": "100.00"},
    "bills": {"due_date": "2026-03-18", "amount": "10.00"},
    "payments": {"amount": "10.00"},
}


@pytest.fixture
def wiring(lite: Wiring) -> Wiring:
    """SQLite alone: what differs between databases is tested below this layer."""
    return lite


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_every_kind_of_entry_has_its_path(shared: Client, acct: str, path: str) -> None:
    body = {"account": acct, "id": "X1", "value_date": "2026-03-05", "received_at": AT} | EVERY_KIND[path]
    made = shared.post(f"/v1/{path}", json=body)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/{path}/{acct}/X1"
    stored = shared.get(made.headers["location"]).json()
    assert stored == made.json()["entry"]
    assert {name: stored[name] for name in body} == body
    assert shared.get(f"/v1/{path}", params={"account": acct}).json()["items"] == [stored]
    assert shared.post(f"/v1/{path}", json=body).status_code == 200


def test_bodies_have_every_field_of_their_entry() -> None:
    """A field that the engine learns must be decided on here too."""
    schemas = EntryAdapter.json_schema()["$defs"]
    by_kind = {
        s["properties"]["kind"]["const"]: s["properties"]
        for s in schemas.values()
        if "kind" in s["properties"]
    }
    ours = {kind_of(body): set(body.model_fields) - {"account", "currency"} for body in RESOURCES.values()}
    assert ours == {kind: set(fields) for kind, fields in by_kind.items() if kind != "receipt"}


def test_an_amount_in_another_currency_is_refused_by_name(api: Client) -> None:
    for code in ("USD", "JPY"):
        answer = api.post("/v1/bills", json=a_bill(currency=code))
        assert answer.status_code == 409
        (wrong,) = answer.json()["errors"]
        assert (wrong["code"], wrong["pointer"]) == ("other-currency", "/currency")
        assert wrong["detail"] == f"The bill is in {code}, account `A1` is in CNY."
    assert api.post("/v1/bills", json=a_bill(currency="Yuan")).status_code == 422
    assert api.post("/v1/bills", json=a_bill(currency="CNY")).status_code == 201
    assert api.post("/v1/bills", json=a_bill()).status_code == 200
    assert api.post("/v1/bills", json=a_bill(currency="USD")).status_code == 409


def test_money_comes_back_to_the_last_digit(api: Client) -> None:
    amount = "12345678901234567890123456789012.34"
    assert api.post("/v1/bills", json=a_bill(amount=amount)).json()["entry"]["amount"] == amount
    api.post("/v1/payments", json=a_payment(amount="0.01"))
    position = api.get("/v1/accounts/A1/position").json()
    assert Decimal(position["open_amount"]) == Decimal("12345678901234567890123456789012.33")


@pytest.mark.parametrize("amount", ["128.40", 128, "128", "0128.400"])
def test_exact_amounts_are_taken(shared: Client, acct: str, amount: Any) -> None:
    assert shared.post("/v1/bills", json=a_bill(account=acct, amount=amount)).status_code == 201


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("128.40", None),
        (128.4, "decimal string"),
        (128.0, "decimal string"),
        (1e2, "decimal string"),
        (True, "never a binary float"),
        ("128,40", "plain digits"),
        ("NaN", "plain digits"),
        ("1e5", "plain digits"),
        ("1_000", "plain digits"),
        (" 5", "plain digits"),
        ("\uff15", "plain digits"),
        ("-1", "greater than 0"),
        ("0", "greater than 0"),
        ("1" * 40, "34 digits"),
        (None, "no amount"),
        ("", "no amount"),
        ([], "no amount"),
    ],
)
def test_money_that_is_not_exact_is_refused_with_its_pointer(
    shared: Client, acct: str, amount: Any, says: str | None
) -> None:
    answer = shared.post("/v1/bills", json=a_bill(account=acct, amount=amount))
    if says is None:
        assert answer.status_code == 201
        return
    said = answer.json()
    assert (answer.status_code, slug(said)) == (422, "malformed-body")
    assert said["errors"][0]["pointer"] == "/amount"
    assert says in said["errors"][0]["detail"]


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/ledger/bulk"])
def test_money_finer_than_its_currency_is_refused(shared: Client, acct: str, path: str) -> None:
    row = a_payment(account=acct, amount="128.401", kind="payment")
    kind = "application/x-ndjson" if path.endswith("bulk") else "application/json"
    answer = shared.post(path, content=json.dumps(row), headers={"Content-Type": kind})
    said = json.loads(answer.text.splitlines()[0])
    said = said.get("problem", said)
    assert slug(said) == "entry-refused"
    assert said["errors"] == [
        {
            "pointer": "/amount", "detail": "`amount` is 128.401; an amount in CNY has at most 2 decimals.",
            "code": "finer-than-currency", "advice": "write 128.40, if that is meant",
        }
    ]  # fmt: skip
    assert shared.get(f"/v1/accounts/{acct}").json()["version"] == 1


def test_an_amount_is_documented_as_text(shared: Client) -> None:
    schema = shared.get("/openapi.json").json()["components"]["schemas"]
    for body, name in (("BillBody", "amount"), ("ShareBody", "amount"), ("AdjustmentBody", "amount"),
                       ("DebtOut", "remaining_amount"), ("PositionOut", "credit")):  # fmt: skip
        assert schema[body]["properties"][name]["type"] == "string", (body, name)


@pytest.mark.parametrize(
    ("text", "status", "pointer"),
    [
        (b"", 422, ""),
        (b"{", 400, ""),
        (b"nonsense", 400, ""),
        (b"\xff\xfe", 400, ""),
        (b"[]", 422, ""),
        (b"null", 422, ""),
        (b'{"id": "B1", "id": "B2"}', 422, "/id"),
        (b'{"amount": NaN}', 422, "/amount"),
        (b'{"amount": 1' + b"0" * 60 + b"}", 422, "/amount"),
        (b'{"bill_no": "a\\u0000b"}', 422, "/bill_no"),
        (b'{"bill_no": "\\ud800"}', 422, "/bill_no"),
        (b'{"pays": ' + b"[" * 100 + b"]" * 100 + b"}", 422, None),
        (b"[" * 100_000, 400, ""),
    ],
)
def test_bodies_that_no_ledger_may_take(
    shared: Client, acct: str, text: bytes, status: int, pointer: str | None
) -> None:
    answer = shared.post("/v1/bills", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_every_mistake_of_a_body_is_named(shared: Client, acct: str) -> None:
    body = {"account": "A 1", "id": "", "value_date": "2026-02-30", "amuont": "1"}
    said = shared.post("/v1/bills", json=body).json()
    assert {error["pointer"] for error in said["errors"]} == {
        "/account", "/id", "/value_date", "/due_date", "/amount", "/amuont",
    }  # fmt: skip


def test_a_bill_without_an_account(api: Client) -> None:
    answer = api.post("/v1/bills", json=a_bill(account="A9"))
    assert (answer.status_code, slug(answer.json())) == (404, "account-not-found")
    assert answer.json()["instance"] == "/v1/bills"


def test_a_payment_twice(api: Client) -> None:
    first = api.post("/v1/payments", json=a_payment())
    again = api.post("/v1/payments", json=a_payment(received_at="2026-03-02T03:00:00+08:00"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = api.post("/v1/payments", json=a_payment(amount="5.43"))
    assert (other.status_code, slug(other.json())) == (409, "conflict")
    assert other.json()["errors"] == [{"pointer": "/amount", "detail": "differs"}]


def test_an_entry_that_breaks_a_rule_of_the_ledger(api: Client) -> None:
    answer = api.post("/v1/bills", json=a_bill(due_date="2026-02-01"))
    assert (answer.status_code, slug(answer.json())) == (409, "entry-refused")
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/due_date", "due-before-bill")


def test_news_received_before_earlier_news(api: Client) -> None:
    api.post("/v1/payments", json=a_payment())
    answer = api.post("/v1/bills", json=a_bill())
    assert (answer.status_code, slug(answer.json())) == (409, "received-backwards")


def test_in_simulated_time_somebody_must_say_when(shared: Client, acct: str) -> None:
    body = a_bill(account=acct)
    del body["received_at"]
    assert slug(shared.post("/v1/bills", json=body).json()) == "received-at-missing"


def test_in_real_time_the_server_says_when(real: Client) -> None:
    refused = real.post("/v1/bills", json=a_bill())
    assert (refused.status_code, slug(refused.json())) == (422, "received-at-not-allowed")
    body = a_bill()
    del body["received_at"]
    assert real.post("/v1/bills", json=body).status_code == 201
    refused = real.post("/v1/simulation/open", json={"account": "A1", "at": AT})
    assert (refused.status_code, slug(refused.json())) == (422, "not-simulated")
    refused = real.post("/v1/simulation/deliver", json={"account": "A1", "at": AT})
    assert (refused.status_code, slug(refused.json())) == (422, "not-simulated")


def test_lists_are_paged_to_their_end(api: Client) -> None:
    for n in range(7):
        api.post("/v1/payments", json=a_payment(id=f"P{n}"))
    seen, path = [], "/v1/payments?account=A1&limit=3"
    while path:
        page = api.get(path).json()
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        path = page["next"]
    assert seen == [f"P{n}" for n in range(7)]
    whole = api.get("/v1/accounts/A1/entries?limit=500").json()
    assert [item["id"] for item in whole["items"]] == seen
    bad = api.get("/v1/payments?after=nonsense")
    assert (bad.status_code, slug(bad.json())) == (400, "bad-cursor")
    assert api.get("/v1/payments?limit=0").status_code == 422


def test_the_account_says_where_it_stands(api: Client) -> None:
    api.post("/v1/bills", json=a_bill())
    answer = api.get("/v1/accounts/A1")
    said = answer.json()
    assert said["watch_on"] == "2026-03-19T01:00:00Z"
    assert (said["open_case"], said["service_level"], said["trouble"]) == (None, "open", "")
    assert answer.headers["etag"].startswith(f'"{said["version"]}-')
    early = api.get("/v1/accounts/A1/position", params={"at": "2026-02-01T00:00:00+08:00"}).json()
    assert (early["open_amount"], early["debts"]) == ("0", [])


def test_a_case_is_opened_at_the_instant_at_which_it_is_due(api: Client) -> None:
    api.post("/v1/bills", json=a_bill())
    early = api.post("/v1/simulation/open", json={"account": "A1", "at": "2026-03-18T09:00:00+08:00"}).json()
    assert (early["opened"], early["account"]["open_case"]) == (False, None)
    due = api.post("/v1/simulation/open", json={"account": "A1", "at": early["account"]["watch_on"]}).json()
    assert (due["opened"], due["account"]["open_case"]) == (True, 1)
    case = api.get("/v1/cases/A1/1").json()
    assert (case["state"], case["workflow"]) == ("open", "case/A1/1")
    assert [item["number"] for item in api.get("/v1/cases?state=open").json()["items"]] == [1]


@pytest.mark.parametrize(
    ("path", "body", "pointer", "says"),
    [
        ("/v1/payments", {"amuont": "1.00"}, "/amuont", "no such field here. Did you mean `amount`?"),
        ("/v1/plans", {"instalments": []}, "/instalments", "this list may not be empty."),
        ("/v1/accounts", {"timezone": "Asia/Shangai"}, "/timezone", "did you mean `Asia/Shanghai`?"),
        ("/v1/accounts", {"timezone": "12:00"}, "/timezone", "of the IANA list; such as Asia/Shanghai."),
        ("/v1/accounts", {"currency": "XAU"}, "/currency", "`XAU` of ISO 4217 is gold"),
        ("/v1/payments", {"colour": "red"}, "/colour", "there is no such field here."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_may_have_been_meant(
    shared: Client, path: str, body: dict[str, Any], pointer: str, says: str
) -> None:
    errors = shared.post(path, json=body).json()["errors"]
    (told,) = [error["detail"] for error in errors if error["pointer"] == pointer]
    assert told.endswith(says) or (not says.endswith((".", "?")) and says in told)


def test_a_customer_that_differs_is_changed_in_its_own_way(shared: Client) -> None:
    answer = shared.post("/v1/customers", json={"id": "C1", "name": "somebody else"})
    assert answer.status_code == 409
    assert "`PATCH /v1/customers/{customer}`" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/ledger/bulk"])
def test_what_cannot_be_preferred_is_refused_before_anything_is_kept(
    shared: Client, acct: str, path: str
) -> None:
    body = a_payment(account=acct, kind="payment")
    media = {"Content-Type": "application/x-ndjson" if path.endswith("bulk") else "application/json"}
    answer = shared.post(path, content=json.dumps(body), headers={"Prefer": "wait=soon"} | media)
    assert (answer.status_code, slug(answer.json())) == (400, "bad-preference")
    assert shared.get(f"/v1/payments/{acct}/{body['id']}").status_code == 404
