from __future__ import annotations

import csv
import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Client, Response

from api.rest.bulk import CHUNK
from api.rest.entry_bodies import RESOURCES, kind_of
from tests.api.conftest import Build
from tests.api.rest.conftest import Serve, a_bill, a_payment, parties
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
    named = [(row.get("kind"), row.get("id")) for row in rows]
    assert named[4:] == [(None, None), ("bil", None), ("bill", "B1")], "a refused row says which one it was"
    assert last["summary"] == {"rows": 7, "stored": 3, "already": 0, "refused": 4, "kept": True}
    assert api.get("/v1/bills/A2/B1").status_code == 200


def test_a_refused_row_of_csv_says_which_one_it_was(shared: Client, acct: str) -> None:
    text = (
        f"kind,account,id,value_date,amount,pays\npayment,{acct},P1,2026-03-02,much,\n"
        f"payment,{acct},P2,2026-03-02,1.00,[{{]\npayment,{acct},P3,2026-03-02,1.00,,\n"
    )
    headers = {"Content-Type": "text/csv"}
    *rows, _ = lines(shared.post("/v1/ledger/bulk", content=text.encode(), headers=headers))
    named = [(row["status"], row.get("kind"), row.get("id")) for row in rows]
    assert named == [(422, "payment", "P1"), (400, "payment", "P2"), (422, "payment", "P3")]


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


def csv_of(api: Client, text: str | bytes, accept: str = "text/csv", **query: str) -> Response:
    headers = {"Content-Type": "text/csv; charset=utf-8", "Accept": accept}
    return api.post("/v1/ledger/bulk", content=text, params=query, headers=headers)


SHEET = (
    "kind,account,id,value_date,due_date,amount,customer,currency,timezone,segment,facts.value,received_at\r\n"
    "customer,,C2,,,,,,,consumer,mid,2026-01-01T00:00:00+08:00\r\n"
    "account,,A2,,,,C2,CNY,Asia/Shanghai,,,2026-01-01T00:00:00+08:00\r\n"
    "bill,A2,B1,2026-03-01,2026-03-18,205.42,,,,,,2026-03-01T02:00:00+08:00\r\n"
    'payment,A2,"P ""1""\nrest",2026-03-02,,5.42,,,,,,2026-03-02T02:00:00+08:00\r\n'
    "payment,A9,P2,2026-03-02,,5.42,,,,,,2026-03-02T02:00:00+08:00\r\n"
    "payment,A2,=P3,2026-03-02,,5.4.2,,,,,,2026-03-02T02:00:00+08:00"
)


def test_a_sheet_is_taken_and_answered_row_by_row(api: Client) -> None:
    answer = csv_of(api, SHEET)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["forbear-summary"] == "rows=6, stored=4, already=0, refused=2"
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert head == ["line", "status", "kind", "id", "problem", "detail"]
    assert [(row[0], row[1], row[4]) for row in rows] == [
        ("2", "201", ""), ("3", "201", ""), ("4", "201", ""), ("5", "201", ""),
        ("7", "404", "account-not-found"), ("8", "422", "malformed-body"),
    ]  # fmt: skip
    again = csv_of(api, SHEET, accept="application/x-ndjson")
    assert [line.get("status") for line in lines(again)] == [200, 200, 200, 200, 404, 422, None]
    assert api.get("/v1/customers/C2").json()["facts"]["value"]["value"] == "mid"
    assert api.get("/v1/accounts/A2/position").json()["open_amount"] == "200.00"


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("kind,kind,id\n", 422, "twice"),
        ("kind,,id\n", 422, "column 2 has no name"),
        ("bill,A1,B1\n", 422, "must name the columns"),
        ("id\n1,2\n", 200, "it has 2 cells"),
        ('id,amount\n"B1,1\n', 200, "not closed"),
        ("id,kind\nB1,bil\n", 200, "did you mean `bill`?"),
        ("id,kind,amount\nB1,bill,{1\n", 200, "not JSON"),
        (b"id,kind\nB\xff,bill\n", 200, "not UTF-8"),
        ('id,kind\n"B"1,bill\n', 200, "not CSV"),
        ("", 200, ""),
        ("\ufeffid,kind\n\n", 200, ""),
    ],
)
def test_a_sheet_with_mistakes(shared: Client, text: str | bytes, status: int, says: str) -> None:
    answer = csv_of(shared, text)
    assert answer.status_code == status, answer.text
    assert says.lower() in answer.text.lower()


def test_a_sheet_of_one_kind_needs_no_column_for_it(api: Client) -> None:
    text = "account;id;value_date;amount;received_at\nA1;P1;2026-03-02;5.42;2026-03-02T02:00:00+08:00\n"
    assert csv_of(api, text, kind="payment").text.splitlines()[1] == "2,201,payment,P1,,"


def test_a_cell_of_a_sheet_may_hold_json_and_plain_values(api: Client) -> None:
    text = (
        "kind,account,id,value_date,name,value,amount,pays,received_at\n"
        "fact,A1,F1,2026-03-02,vulnerable,true,,,2026-03-02T02:00:00+08:00\n"
        "fact,A1,F2,2026-03-02,rank,7,,,2026-03-02T02:00:00+08:00\n"
        "fact,A1,F3,2026-03-02,code,007,,,2026-03-02T02:00:00+08:00\n"
        'payment,A1,P1,2026-03-02,,,9.00,"[{""bill"": ""B1"", ""amount"": ""9.00""}]",'
        "2026-03-02T02:00:00+08:00\n"
    )
    assert "422" not in csv_of(api, text).text
    values = [row["value"] for row in api.get("/v1/facts").json()["items"]]
    assert values == [True, 7, "007"]
    assert api.get("/v1/payments").json()["items"][0]["pays"] == [{"bill": "B1", "amount": "9.00"}]


def test_a_body_of_any_size_is_taken_as_it_comes(builder: Build, serve: Serve) -> None:
    api = serve(builder(body_limit=1_000))
    parties(api)
    count = 2 * CHUNK + 7
    sent = []

    def rows() -> Iterator[bytes]:
        for number in range(count):
            sent.append(number)
            yield json.dumps(a_payment(kind="payment", id=f"P{number}", amount="1.00")).encode()
            yield b"\n"
        yield b'{"kind": "payment", "method": "' + b"x" * 2_000 + b'"}'

    headers = {"Content-Type": "application/x-ndjson"}
    answer = api.post("/v1/ledger/bulk", content=rows(), headers=headers)
    *found, last = lines(answer)
    assert last["summary"] == {"rows": count + 1, "stored": count, "already": 0, "refused": 1, "kept": True}
    assert "more than 1,000 bytes" in found[-1]["problem"]["detail"]
    together = api.post("/v1/ledger/bulk?mode=all", content=rows(), headers=headers)
    assert (together.status_code, slug(together.json())) == (413, "body-too-large")


def test_a_body_that_breaks_off_keeps_what_was_whole_and_is_sent_again(api: Client) -> None:
    rows = [json.dumps(a_payment(kind="payment", id=f"P{n}")).encode() + b"\n" for n in range(CHUNK + 5)]
    head = (
        f"POST /v1/ledger/bulk HTTP/1.1\r\nHost: {api.base_url.netloc.decode()}\r\n"
        f"Authorization: {api.headers['authorization']}\r\nContent-Type: application/x-ndjson\r\n"
        f"Content-Length: {sum(map(len, rows))}\r\n\r\n"
    )
    with socket.create_connection((api.base_url.host, api.base_url.port)) as line:
        line.sendall(head.encode() + b"".join(rows)[:-40])
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1_000) == b""
    whole = api.post(
        "/v1/ledger/bulk", content=b"".join(rows), headers={"Content-Type": "application/x-ndjson"}
    )
    summary = lines(whole)[-1]["summary"]
    assert summary["stored"] in (5, CHUNK + 5), "a transaction of rows was kept, or none"
    assert (summary["stored"] + summary["already"], summary["refused"]) == (CHUNK + 5, 0)
    assert api.get("/v1/accounts/A1").json()["version"] == CHUNK + 6


def test_every_kind_of_entry_can_be_a_row(api: Client) -> None:
    """Each kind has a path of its own and is named in the description of this one."""
    rows = []
    for body in RESOURCES.values():
        (example,) = body.model_json_schema()["examples"]
        rows.append({"kind": kind_of(body), "received_at": "2026-03-02T10:00:00+08:00", **example})
    *answers, _ = lines(post(api, *rows))
    assert {(a.get("kind", ""), slug(a["problem"])) for a in answers} == {
        (row["kind"], "account-not-found") for row in rows
    }
