from __future__ import annotations

from decimal import Decimal
from typing import Any

from httpx import Client, Response
from sqlmodel import select

from api.storage.watch_tables import WatchEventRow
from api.wiring import Wiring
from tests.api.rest.conftest import Serve, a_bill, parties
from tests.api.rest.test_gate import slug
from tests.api.scenes import local
from tests.api.storage.test_decisions import a_record

WATCH = b"""
policy: plain-watch
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P30D
events: {limit_crossed: {account: string, amount: {type: decimal(2)}, limit: {type: decimal(2)}}}
rules:
  - rule: crossed
    all: {it: type = "limit_crossed"}
    then: {alert: limit, do: [refer(desk)]}
    reason: {en: over the limit}
"""


def report(api: Client, **changes: Any) -> Response:
    said = {"id": "U1", "unbilled": "80.00", "received_at": "2026-03-10T12:00:00+08:00"}
    return api.post("/v1/accounts/A1/usage", json=said | changes)


def test_what_is_used_counts_with_what_is_owed(api: Client) -> None:
    api.post("/v1/bills", json=a_bill())
    first = report(api, at="2026-03-10T11:00:00+08:00")
    assert first.status_code == 201
    said = first.json()
    assert (said["owed"], said["unbilled"], said["exposure"]) == ("205.42", "80.00", "285.42")
    assert (said["credit_limit"], said["available"], said["over_limit"]) == (None, None, False)
    assert report(api, at="2026-03-10T11:00:00+08:00").status_code == 200
    other = report(api, unbilled="81.00", at="2026-03-10T11:00:00+08:00")
    assert (other.status_code, slug(other.json())) == (409, "conflict")


def test_the_latest_count_is_what_counts(api: Client) -> None:
    report(api, id="U2", unbilled="90.00", at="2026-03-10T11:00:00+08:00")
    late = report(api, id="U1", unbilled="70.00", at="2026-03-09T11:00:00+08:00")
    assert late.json()["unbilled"] == "90.00", "an older count that comes later changes nothing"
    billed = report(api, id="U3", unbilled="0", received_at="2026-03-11T12:00:00+08:00")
    assert billed.json()["exposure"] == "0"
    then = api.get("/v1/accounts/A1/exposure?at=2026-03-10T13:00:00%2B08:00").json()
    assert then["exposure"] == "90.00", "as known then"
    assert [row["id"] for row in api.get("/v1/accounts/A1/usage?fields=id").json()["items"]] == [
        "U1", "U2", "U3",
    ]  # fmt: skip


def test_what_cannot_be_a_report_is_refused(api: Client) -> None:
    for changes, pointer in (
        ({"unbilled": "-1"}, "/unbilled"),
        ({"unbilled": "1.005"}, "/unbilled"),
        ({"at": "2026-03-10T13:00:00+08:00"}, "/at"),
        ({"id": " "}, "/id"),
    ):
        answer = report(api, **changes)
        assert answer.status_code in (409, 422)
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert api.get("/v1/accounts/A1/usage").json()["items"] == []
    assert api.get("/v1/accounts/nobody/exposure").status_code == 404


def test_crossing_the_limit_is_told_to_watching_once(wiring: Wiring, serve: Serve) -> None:
    api = serve(wiring)
    parties(api)
    wiring.publisher.publish({"policy.yaml": WATCH}, local("2026-01-01 00:00"))
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    limit = Decimal(api.get("/v1/accounts/A1/exposure").json()["credit_limit"])
    api.post("/v1/bills", json=a_bill(amount=str(limit - 10)))
    crossed = report(api, unbilled="15.42").json()
    assert (crossed["available"], crossed["over_limit"]) == ("-5.42", True)
    assert report(api, id="U2", unbilled="60.00", received_at="2026-03-11T12:00:00+08:00").status_code == 201
    with wiring.database.read() as session:
        (event,) = session.exec(select(WatchEventRow).where(WatchEventRow.type == "limit_crossed")).all()
    assert f'"{limit + Decimal("5.42")}"' in event.body, event.body
