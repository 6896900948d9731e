"""The ledger's own events: derived in the transaction of the write, once each, without anybody's doing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Client
from sqlmodel import select

from api.storage.watch_tables import WatchEventRow
from api.wiring import Wiring
from engine.credit.decision import Fact
from engine.watch.from_ledger import LEDGER_EVENTS
from tests.api import policies, scenes
from tests.api.conftest import START
from tests.api.rest.conftest import a_bill, a_payment, parties
from tests.api.watching.conftest import DAY, WATCH, alerts, look
from workflows.messages import AssessmentRecord

ARREARS = (Path(__file__).parents[3] / "policies/arrears-watch/policy.yaml").read_bytes()


def events(wiring: Wiring) -> dict[str, tuple[datetime, str]]:
    """Return all events by id, with when they happened and what they say."""
    with wiring.database.read() as session:
        return {row.id: (row.at, row.body) for row in session.exec(select(WatchEventRow))}


def post(api: Client, path: str, body: dict[str, Any]) -> None:
    answer = api.post(f"/v1/{path}", json=body)
    assert answer.status_code in (200, 201), answer.text


def returned(day: int, ref: str) -> dict[str, Any]:
    return {
        "account": "A1", "id": f"R{ref}", "value_date": f"2026-03-{day:02}", "payment": ref,
        "received_at": DAY.format(day),
    }  # fmt: skip


def test_a_bill_tells_when_it_is_due_and_when_it_is_settled(api: Client, watched: Wiring) -> None:
    post(api, "bills", a_bill())
    assert events(watched)["ledger/A1/bill_due/B1"][0] == datetime.fromisoformat("2026-03-18T00:00+08:00")
    post(api, "payments", a_payment(amount="205.42"))
    at, body = events(watched)["ledger/A1/bill_settled/B1/payment/P1"]
    assert at == datetime.fromisoformat("2026-03-02T02:00+08:00")
    assert '"bill":"B1"' in body
    assert '"customer":"C1"' in body
    assert len(events(watched)) == 2


def test_what_is_told_a_day_late_comes_after_all_of_its_day(api: Client, watched: Wiring) -> None:
    post(api, "bills", a_bill())
    post(api, "payments", a_payment(amount="205.42"))
    post(api, "returned-payments", returned(6, "P1") | {"value_date": "2026-03-05"})
    (at,) = [at for ref, (at, _) in events(watched).items() if "/payment_returned/" in ref]
    assert at == datetime.fromisoformat("2026-03-05T23:59:59+08:00")


def test_what_watching_reads_of_a_customer_is_no_unknown_fact(api: Client) -> None:
    body = {"facts": {"document": "QDOC", "documnet": "QDOC"}, "received_at": DAY.format(2)}
    (note,) = api.post("/v1/customers/C1/facts", json=body).json()["notes"]
    assert note == "No policy in force reads `documnet`; did you mean `document`?"


def test_posting_again_tells_nothing_new(api: Client, watched: Wiring) -> None:
    for _ in range(2):
        post(api, "bills", a_bill())
        post(api, "payments", a_payment(amount="205.42"))
    assert len(events(watched)) == 2


def test_what_no_policy_wants_is_not_kept(wiring: Wiring, serve: Any) -> None:
    client = serve(wiring)
    scenes.add_parties(wiring, "A1")
    post(client, "bills", a_bill())
    assert events(wiring) == {}


def test_returned_payments_raise_an_alert(api: Client) -> None:
    for day, ref in ((2, "P1"), (4, "P2")):
        post(api, "payments", a_payment(id=ref, value_date=f"2026-03-{day:02}", received_at=DAY.format(day)))
        post(api, "returned-payments", returned(day + 1, ref))
    look(api, 5)
    (alert,) = alerts(api)
    assert (alert["rule"], [e["id"] for e in alert["evidence"]]) == (
        "returned-twice", ["ledger/A1/payment_returned/RP1", "ledger/A1/payment_returned/RP2"],
    )  # fmt: skip


def test_a_transaction_that_fails_tells_nothing(api: Client, watched: Wiring) -> None:
    post(api, "bills", a_bill())
    refused = api.post("/v1/bills", json=a_bill(amount="1.00", due_date="2026-03-19"))
    assert refused.status_code == 409
    assert len(events(watched)) == 1


def test_a_payment_returned_before_it_is_known_is_told_where_a_policy_can_take_it(
    api: Client, watched: Wiring
) -> None:
    post(api, "returned-payments", returned(3, "unknown"))
    assert events(watched) == {}
    text = WATCH.replace(b"decimal(2)}}\n  bill_due", b"decimal(2), optional: true}}\n  bill_due")
    watched.publisher.publish({"policy.yaml": text}, START)
    post(api, "returned-payments", returned(4, "other"))
    assert list(events(watched)) == ["ledger/A1/payment_returned/Rother"]


def test_a_bulk_load_tells_the_same(api: Client, watched: Wiring) -> None:
    rows: list[dict[str, Any]] = [
        {"kind": "bill", **a_bill()},
        {"kind": "payment", **a_payment(amount="205.42")},
        {"kind": "payment_returned", **returned(5, "P1")},
    ]
    body = "\n".join(map(json.dumps, rows))
    answer = api.post("/v1/ledger/bulk", content=body, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200
    assert set(events(watched)) == {"ledger/A1/bill_due/B1", "ledger/A1/payment_returned/RP1"}


def test_a_new_account_on_the_same_document(api: Client) -> None:
    for number in (2, 3):
        customer = {
            "id": f"C{number}", "segment": "consumer", "facts": {"document": "D7", "dealer": "N"},
            "received_at": DAY.format(number),
        }  # fmt: skip
        post(api, "customers", customer)
        account = {
            "id": f"A{number}", "customer": f"C{number}", "currency": "CNY", "timezone": "Asia/Shanghai",
            "received_at": DAY.format(number),
        }  # fmt: skip
        post(api, "accounts", account)
    look(api, 3)
    (alert,) = alerts(api)
    assert (alert["rule"], alert["subject"]) == ("document-again", "D7")


def _opened(api: Client, number: int, day: int) -> None:
    customer = {"id": f"C{number}", "segment": "consumer", "received_at": DAY.format(day)}
    post(api, "customers", customer)
    account = {
        "id": f"A{number}", "customer": f"C{number}", "currency": "CNY", "timezone": "Asia/Shanghai",
        "received_at": DAY.format(day),
    }  # fmt: skip
    post(api, "accounts", account)


@pytest.mark.parametrize("bulk", [False, True])
def test_a_document_that_is_told_after_an_account_was_opened_counts_as_if_known_then(
    api: Client, watched: Wiring, bulk: bool
) -> None:
    for number in (2, 3):
        _opened(api, number, number)
    look(api, 4)
    assert alerts(api) == []
    for number in (2, 3):
        facts = {"document": "D7", "dealer": "N"}
        if bulk:
            line = {"kind": "customer", "id": f"C{number}", "segment": "consumer", "facts": facts}
            body, kind = json.dumps(line | {"received_at": DAY.format(6)}), "application/x-ndjson"
            answer = api.post("/v1/ledger/bulk", content=body, headers={"Content-Type": kind})
            assert answer.status_code == 200, answer.text
        else:
            post(api, f"customers/C{number}/facts", {"facts": facts, "received_at": DAY.format(6)})
    look(api, 6)
    (alert,) = alerts(api)
    assert (alert["rule"], alert["subject"]) == ("document-again", "D7")
    assert [part["at"][:10] for part in alert["evidence"]] == ["2026-03-02", "2026-03-03"]
    post(api, "customers/C2/facts", {"facts": {"document": "D7"}, "received_at": DAY.format(7)})
    post(api, "customers/C2/facts", {"facts": {"tenure_months": 3}, "received_at": DAY.format(7)})
    assert sum("/account_opened/" in name for name in events(watched)) == 2


LATER = (
    WATCH.replace(
        b"document: {type: string, optional: true}\n",
        b"document: {type: string, optional: true}\n    device: {type: string, optional: true}\n",
    )
    + b"""  - rule: documents-on-one-device
    per: device
    all: {opened: type = "account_opened"}
    count: 2
    distinct: opened.document
    within: P30D
    then: {alert: device_reuse}
    reason: {en: Two documents on one device.}
  - rule: opened
    all: {opened: type = "account_opened"}
    then: {alert: opened}
    reason: {en: An account was opened.}
  - rule: opened-twice
    all: {opened: type = "account_opened"}
    count: 2
    then: {alert: opened_twice}
    reason: {en: Two accounts.}
  - rule: opened-with-document
    all: {opened: 'type = "account_opened" and opened.document = "D9"'}
    then: {alert: listed}
    reason: {en: A listed document.}
"""
)


@pytest.mark.parametrize("looks", [range(1, 12), (11,)], ids=["each-day", "at-the-end"])
def test_two_facts_that_are_told_at_different_times_are_seen_together(
    wiring: Wiring, serve: Any, looks: Sequence[int]
) -> None:
    """A device first, its document later: in the window of the device, too, and nothing counts twice."""
    wiring.publisher.publish({"policy.yaml": LATER}, START)
    api = serve(wiring)
    told: dict[int, list[tuple[str, dict[str, str]]]] = {
        4: [("C2", {"device": "X"}), ("C3", {"device": "X"})],
        6: [("C2", {"document": "D8"})],
        8: [("C3", {"document": "D9"})],
        9: [("C2", {"document": "D7"})],
        10: [("C2", {"document": "D8"})],
    }
    for day in range(2, 12):
        if day < 4:
            _opened(api, day, day)
        for customer, facts in told.get(day, []):
            post(api, f"customers/{customer}/facts", {"facts": facts, "received_at": DAY.format(day)})
        if day in looks:
            look(api, day)
    found = sorted((alert["rule"], alert["subject"], alert["as_of"][8:10]) for alert in alerts(api))
    assert found == [
        ("documents-on-one-device", "X", "08"), ("opened", "C2", "02"), ("opened", "C3", "03"),
        ("opened-with-document", "C3", "08"),
    ]  # fmt: skip
    assert sum("/account_opened/" in name for name in events(wiring)) == 6


def test_a_return_that_was_reversed_is_told_and_an_alert_that_it_raised_says_so(
    wiring: Wiring, serve: Any
) -> None:
    wiring.publisher.publish({"policy.yaml": ARREARS}, START)
    api = serve(wiring)
    parties(api)
    for number in range(1, 5):
        post(api, "payments", a_payment(id=f"P{number}", amount="10.00"))
    for number in range(1, 3):
        post(api, "returned-payments", returned(number + 2, f"P{number}"))
    undone = {"account": "A1", "id": "V2", "value_date": "2026-03-05", "returned": "RP2"}
    post(api, "return-reversals", undone | {"received_at": DAY.format(5)})
    assert '"returned":"RP2"' in events(wiring)["ledger/A1/return_reversed/V2"][1]
    post(api, "returned-payments", returned(6, "P3"))
    look(api, 6)
    assert alerts(api) == []
    post(api, "returned-payments", returned(7, "P4"))
    look(api, 7)
    (alert,) = alerts(api)
    path = f"/v1/alerts/{alert['id']}"
    assert api.get(path).json()["notes"] == []
    undone = {"account": "A1", "id": "V3", "value_date": "2026-03-08", "returned": "RP3"}
    post(api, "return-reversals", undone | {"received_at": DAY.format(8)})
    (note,) = api.get(path).json()["notes"]
    assert "`ledger/A1/payment_returned/RP3`" in note
    tasks = [task["reason"] for task in api.get("/v1/tasks").json()["items"]]
    assert note in tasks
    word = {"actor": "li.wei", "reason": "reversed", "received_at": DAY.format(9)}
    assert api.post(f"{path}/dismiss", json=word).status_code == 201
    assert note not in [task["reason"] for task in api.get("/v1/tasks").json()["items"]]


def test_a_limit_that_is_lowered_below_what_is_owed_is_crossed(api: Client, watched: Wiring) -> None:
    assert _graded(watched, bill=100) == "300.00"
    post(api, "bills", a_bill(amount="200.00"))
    assert _graded(watched, bill=60, day=4) == "180.00"
    name = "ledger/A1/limit_crossed/assessment/x4"
    at, body = events(watched)[name]
    assert at == datetime.fromisoformat(DAY.format(4))
    assert '"amount":"200.00"' in body
    assert _graded(watched, bill=50, day=5) == "150.00"
    assert [found for found in events(watched) if "limit_crossed" in found] == [name]


def test_the_limit_is_crossed_once(api: Client, watched: Wiring) -> None:
    post(api, "customers/C1/facts", {"facts": {"tenure_months": 3}, "received_at": DAY.format(1)})
    record = _graded(watched)
    assert record == "150.00"
    post(api, "bills", a_bill(amount="100.00"))
    assert "ledger/A1/limit_crossed/B2" not in events(watched)
    post(api, "bills", a_bill(id="B2", amount="60.00"))
    post(api, "bills", a_bill(id="B3", amount="60.00"))
    found = [name for name in events(watched) if "limit_crossed" in name]
    assert found == ["ledger/A1/limit_crossed/B2"]
    look(api, 9)
    assert [alert["rule"] for alert in alerts(api)] == ["crossed"]


def _graded(watched: Wiring, bill: int = 50, day: int = 1) -> str:
    """Record a decision with a limit for C1, three times a usual bill; return the limit."""
    on = datetime.fromisoformat(DAY.format(day))
    with watched.database.read() as session:
        chosen = watched.library.require(session, "credit", "plain-credit", on.date())
        _, policy = watched.library.credit(session, chosen.digest)
    facts = {"tenure_months": Fact(value=3), "avg_monthly_bill": Fact(value=bill)}
    decision = policy.decide(facts, on.date())
    record = AssessmentRecord(
        id=f"assessment/x{day}", request=f"x{day}", customer="C1", account="", at=on, decision=decision,
        facts_digest="", trace_digest="",
    )  # fmt: skip
    watched.decisions.record([record])
    return str(decision.outcome["credit_limit"].value)


def test_a_promise_that_is_broken_is_told_by_the_look_at_its_case(watched: Wiring) -> None:
    text = policies.COLLECTIONS + b"promise_to_pay: {max_days: 14, covers: 0.5 of overdue, grace: P2D}\n"
    texts = {"policy.yaml": text, "templates/reminder.en.txt": b"{overdue}"}
    watched.publisher.publish(texts | {"templates/final.en.txt": b"{overdue}"}, START + timedelta(hours=1))
    case = scenes.in_arrears(watched)
    at = scenes.local("2026-03-25 10:00")
    scenes.post(watched, "A1", at, kind="promise", id="PR", amount="205.42", by="2026-03-30")
    case.look(scenes.local("2026-04-01 10:00"))
    assert not [name for name in events(watched) if "promise" in name]
    for hour in (10, 11):
        case.look(scenes.local(f"2026-04-02 {hour}:00"))
    found = {name: at for name, (at, _) in events(watched).items() if "promise" in name}
    assert found == {"ledger/A1/promise_broken/PR": scenes.local("2026-04-02 10:00")}


@pytest.mark.parametrize("kind", sorted(LEDGER_EVENTS))
def test_every_event_of_the_ledger_names_its_account(kind: str) -> None:
    assert LEDGER_EVENTS[kind][0] == "account"
