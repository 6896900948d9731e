"""Reads: only the fields that are asked for, tagged; writes: refused when something came in between."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Client, Response

from api.storage import outbox
from api.wiring import Wiring
from tests.api.rest.conftest import Serve, a_bill, a_payment, parties
from tests.api.rest.test_gate import slug


def changed(api: Client, policy: str, tag: str | None, account: str = "A1") -> Response:
    headers = {} if tag is None else {"If-Match": tag}
    body = {"collections_policy": policy, "received_at": "2026-03-02T10:00:00+08:00"}
    return api.patch(f"/v1/accounts/{account}", json=body, headers=headers)


def test_whoever_knows_a_thing_is_not_sent_it_again(shared: Client, acct: str) -> None:
    first = shared.get(f"/v1/accounts/{acct}")
    tag = first.headers["etag"]
    again = shared.get(f"/v1/accounts/{acct}", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert shared.get(f"/v1/accounts/{acct}", headers={"If-None-Match": "*"}).status_code == 304
    shared.post("/v1/payments", json=a_payment(account=acct))
    later = shared.get(f"/v1/accounts/{acct}", headers={"If-None-Match": tag})
    assert later.status_code == 200
    assert later.headers["etag"] != tag


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/customers/C1", "/v1/policies", "/v1/feeds"])
def test_every_read_has_a_tag(shared: Client, path: str) -> None:
    first = shared.get(path)
    assert shared.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_a_write_may_name_the_state_that_it_was_decided_on(api: Client) -> None:
    tag = api.get("/v1/accounts/A1").headers["etag"]
    assert api.post("/v1/bills", json=a_bill(), headers={"If-Match": tag}).status_code == 201
    late = api.post("/v1/payments", json=a_payment(), headers={"If-Match": tag})
    assert (late.status_code, slug(late.json())) == (412, "precondition-failed")
    assert api.get("/v1/payments").json()["items"] == []
    repeated = api.post("/v1/bills", json=a_bill(), headers={"If-Match": tag})
    assert repeated.status_code == 200, "it was carried out: a repeat is no lost update"
    version = api.get("/v1/accounts/A1").json()["version"]
    bare = {"If-Match": f'"{version}"'}
    assert api.post("/v1/payments", json=a_payment(), headers=bare).status_code == 201
    anything = {"If-Match": "*"}
    assert api.post("/v1/payments", json=a_payment(id="P2"), headers=anything).status_code == 201


@pytest.mark.parametrize("tag", ["7", 'W/"1-ab"', '"x"', '""', '"-1"'])
def test_a_tag_that_is_none_of_an_account_fails(shared: Client, acct: str, tag: str) -> None:
    answer = shared.post("/v1/payments", json=a_payment(account=acct), headers={"If-Match": tag})
    assert (answer.status_code, slug(answer.json())) == (412, "precondition-failed")


def test_overwriting_needs_the_state_that_was_read(api: Client) -> None:
    tag = api.get("/v1/accounts/A1").headers["etag"]
    blind = changed(api, "plain-collections", None)
    assert (blind.status_code, slug(blind.json())) == (428, "precondition-required")
    first = changed(api, "plain-collections", tag)
    assert (first.status_code, first.json()["collections_policy"]) == (200, "plain-collections")
    second = changed(api, "", tag)
    assert (second.status_code, slug(second.json())) == (412, "precondition-failed")
    assert api.get("/v1/accounts/A1").json()["collections_policy"] == "plain-collections"
    assert changed(api, "", first.headers["etag"]).status_code == 200
    unknown = changed(api, "nothing", api.get("/v1/accounts/A1").headers["etag"])
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/collections_policy")


def test_a_name_is_changed_by_whoever_has_read_it(api: Client) -> None:
    tag = api.get("/v1/customers/C1").headers["etag"]
    assert api.patch("/v1/customers/C1", json={"name": "Li Na"}).status_code == 428
    answer = api.patch(
        "/v1/customers/C1", content='{"name": "Li Na"}',
        headers={"If-Match": tag, "Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["name"]) == (200, "Li Na")
    assert api.patch("/v1/customers/C1", json={"name": "Li"}, headers={"If-Match": tag}).status_code == 412
    assert api.get("/v1/customers/C1").headers["etag"] == answer.headers["etag"]
    segment = api.patch("/v1/customers/C1", json={"segment": "sme"}, headers={"If-Match": tag})
    assert segment.status_code == 422


def test_only_the_fields_that_are_asked_for(api: Client) -> None:
    for number in range(3):
        api.post("/v1/payments", json=a_payment(id=f"P{number}"))
    page = api.get("/v1/payments?fields=id,amount&limit=2").json()
    assert page["items"] == [{"id": "P0", "amount": "5.42"}, {"id": "P1", "amount": "5.42"}]
    rest = api.get(page["next"])
    assert rest.json()["items"] == [{"id": "P2", "amount": "5.42"}]
    one = api.get("/v1/accounts/A1?fields=version,id")
    assert one.json() == {"version": 4, "id": "A1"}
    assert one.headers["etag"] != api.get("/v1/accounts/A1").headers["etag"]
    whole = {"If-None-Match": api.get("/v1/accounts/A1").headers["etag"]}
    assert api.get("/v1/accounts/A1?fields=version,id", headers=whole).status_code == 200
    assert changed(api, "plain-collections", one.headers["etag"]).status_code == 200
    wrong = api.get("/v1/payments?fields=amonut")
    assert (wrong.status_code, slug(wrong.json())) == (422, "malformed-address")
    assert "did you mean `amount`?" in wrong.json()["detail"]


def test_lists_are_narrowed(api: Client) -> None:
    for day in ("01", "02", "03"):
        api.post("/v1/payments", json=a_payment(id=f"P{day}", value_date=f"2026-03-{day}"))

    def ids(path: str) -> list[Any]:
        return [item["id"] for item in api.get(path).json()["items"]]

    assert ids("/v1/payments?from=2026-03-02&to=2026-03-02") == ["P02"]
    assert ids("/v1/payments?account=A1&from=2026-03-02&fields=id") == ["P02", "P03"]
    assert ids("/v1/accounts/A1/entries?to=2026-03-01") == ["P01"]
    assert ids("/v1/accounts?currency=EUR") == []
    assert ids("/v1/accounts?currency=CNY&in_arrears=false") == ["A1"]
    assert ids("/v1/accounts?in_arrears=true") == []
    assert api.get("/v1/accounts/nobody/entries").status_code == 404


def test_a_call_is_known_by_its_correlation_id(shared: Client) -> None:
    given = shared.get("/v1/feeds", headers={"X-Correlation-ID": "bill-run-7"})
    assert given.headers["x-correlation-id"] == "bill-run-7"
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    traced = shared.get("/v1/feeds", headers={"traceparent": trace})
    assert traced.headers["x-correlation-id"] == trace[3:35]
    unreadable = {"X-Correlation-ID": "not one id", "traceparent": "x"}
    refused = shared.get("/v1/accounts/nobody", headers=unreadable)
    assert len(refused.headers["x-correlation-id"]) == 32


def test_the_trace_of_a_call_goes_out_with_what_it_leads_to(lite: Wiring, serve: Serve) -> None:
    api = serve(lite)
    parties(api)
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"traceparent": trace, "X-Correlation-ID": "run-7"}
    late = a_bill(received_at="2026-03-25T11:00:00+08:00")
    assert api.post("/v1/bills", json=late, headers=headers).status_code == 201
    with lite.database.read() as session:
        (start,) = outbox.heads(session, "case")
    assert (start.kind, start.traceparent, start.correlation) == ("start", trace, "run-7")
