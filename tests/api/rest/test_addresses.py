"""Paths and queries with mistakes, and what a caller is told in words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from httpx import Client

from tests.api.rest.conftest import a_bill
from tests.api.rest.test_gate import slug


@pytest.mark.parametrize(
    ("address", "parameter", "says"),
    [
        ("/v1/accounts?lmit=3", "lmit", "there is no such parameter here; did you mean `limit`?"),
        ("/v1/accounts?limit=3&limit=4", "limit", "this is said more than once."),
        ("/v1/accounts?limit=x", "limit", "`x`: "),
        ("/v1/accounts?limit=0", "limit", "`0`: "),
        ("/v1/bills?acount=A1", "acount", "there is no such parameter here; did you mean `account`?"),
        ("/v1/accounts/A1?full=1", "full", "there is no such parameter here; it takes: `fields`"),
        ("/v1/cases/A1/first", "number", "`first`: "),
    ],
)
def test_mistakes_of_an_address_are_told(shared: Client, address: str, parameter: str, says: str) -> None:
    answer = shared.get(address)
    said = answer.json()
    assert (answer.status_code, slug(said), said["title"]) == (
        422, "malformed-address", "The address has mistakes",
    )  # fmt: skip
    assert said["errors"][0]["parameter"] == parameter
    assert said["errors"][0]["detail"].startswith(says)


@pytest.mark.parametrize("path", ["/v1/bills?dry_run=true", "/v1/ledger/bulk?dryrun=true"])
def test_nothing_is_kept_of_a_post_whose_address_has_a_mistake(shared: Client, acct: str, path: str) -> None:
    kind = "application/x-ndjson" if "bulk" in path else "application/json"
    body = json.dumps(a_bill(account=acct, kind="bill"))
    answer = shared.post(path, content=body, headers={"Content-Type": kind})
    assert slug(answer.json()) == "malformed-address"
    assert shared.get(f"/v1/bills?account={acct}").json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"account": "A 1"}, "`A 1`: an id has letters, digits and `. _ : @ + -`; one of the first two"),
        ({"account": "-A"}, "`-A`: an id has letters, digits"),
        ({"id": ""}, "``: this may not be empty."),
        ({"value_date": "01.03.2026"}, "`01.03.2026`: this is no day; write it as in `2026-03-01`."),
        ({"due_date": 7.0}, "`7.0` is a number with a fraction"),
        ({"category": "Normal"}, "`Normal`: this should be 'normal', 'fee'"),
        ({"received_at": "2026-03-01T02:00:00"}, "`2026-03-01T02:00:00`: this instant has no offset"),
        ({"received_at": "now"}, "`now`: this is no instant; write it as in `2026-03-01T10:00:00+08:00`."),
        ({"received_at": "20261120"}, "`20261120`: this is no instant; write it as in"),
        ({"received_at": "1763632800"}, "`1763632800`: this is no instant; write it as in"),
        ({"received_at": 1763632800}, "`1763632800`: this is no instant; write it as in"),
        ({"id": " \u200b"}, "` \u200b`: this is blank."),
    ],
)
def test_what_a_field_may_be_is_said_in_words(shared: Client, changes: dict[str, Any], detail: str) -> None:
    said = shared.post("/v1/bills", json=a_bill(**changes)).json()
    assert said["errors"][0]["detail"].startswith(detail)
    assert "^[" not in json.dumps(said)


def test_what_is_no_number_is_not_called_one(shared: Client, acct: str) -> None:
    text = json.dumps(a_bill(account=acct, amount=float("nan")))
    said = shared.post("/v1/bills", content=text, headers={"Content-Type": "application/json"}).json()
    assert said["errors"] == [
        {"pointer": "/amount",
         "detail": "`NaN` is no JSON; a number is written in digits, what is not known as `null`."}
    ]  # fmt: skip


def test_the_titles_of_paths_are_english(shared: Client) -> None:
    document = shared.get("/openapi.json").json()
    titles = [operation["summary"] for path in document["paths"].values() for operation in path.values()]
    assert {"Post an act", "Post an adjustment", "Read a returned payment", "Post a write-off mark"} <= set(
        titles
    )
    assert [title for title in titles if re.search(r"\b[Aa] [aeioAEIO]|\b[Aa]n [^aeioAEIO]|_", title)] == []


def test_a_conflict_names_its_kind(shared: Client, acct: str) -> None:
    body = {"account": acct, "id": "R1", "payment": "P1", "value_date": "2026-03-05"}
    body |= {"received_at": "2026-03-05T10:00:00+08:00"}
    shared.post("/v1/returned-payments", json=body)
    said = shared.post("/v1/returned-payments", json=body | {"payment": "P2"}).json()
    assert said["detail"].startswith("A returned payment `R1` is stored already")
    missing = shared.get(f"/v1/adjustments/{acct}/X").json()
    assert missing["detail"] == f"There is no adjustment `{acct}/X`."
