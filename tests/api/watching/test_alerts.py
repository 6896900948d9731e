"""Alerts are raised once each, explained, acted on, confirmed or dismissed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from httpx import Client
from sqlmodel import col, select

from api.storage.audit import verify
from api.storage.tables import AuditRow, OutboxRow
from api.storage.watch_alerts import record_of_alert
from api.storage.watch_tables import WatchAlertRow, WatchEventRow, WatchMemberRow, WatchWindowRow
from api.wiring import Wiring
from engine.watch.record import taken_again
from tests.api.conftest import START
from tests.api.rest.conftest import Serve
from tests.api.watching.conftest import DAY, WATCH, alerts, event, look, takeover, tell
from workflows.messages import AssessmentRequest


def raised(api: Client, *events: dict[str, Any], day: int = 6) -> dict[str, Any]:
    """Raise one alert and return it whole."""
    tell(api, *(events or takeover()))
    look(api, day)
    (alert,) = alerts(api)
    found: dict[str, Any] = api.get(f"/v1/alerts/{alert['id']}").json()
    return found


def outbox(watched: Wiring, channel: str) -> list[OutboxRow]:
    with watched.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.channel == channel).order_by(col(OutboxRow.id))
        return list(session.exec(query))


def say(api: Client, alert: str, word: str, reason: str = "seen", day: int = 9) -> Any:
    body = {"actor": "li.wei", "reason": reason, "received_at": DAY.format(day)}
    return api.post(f"/v1/alerts/{alert}/{word}", json=body)


def test_an_alert_has_its_evidence_and_says_why(api: Client) -> None:
    alert = raised(api)
    assert (alert["rule"], alert["severity"], alert["state"], alert["flag"]) == (
        "changed-then-spike", "high", "open", "",
    )  # fmt: skip
    because = {part["name"]: part for part in alert["because"]}
    assert because["spike"]["values"] == {"account": "A1", "amount": "50.00", "usual": "10.00"}
    assert because["spike"]["condition"].endswith("spike.amount > 3 * spike.usual")
    assert because["confirmed"]["event"] == ""
    assert alert["reason"]["en"] == "Usage rose after an identity change."


def test_an_alert_is_raised_once(api: Client, watched: Wiring) -> None:
    first = raised(api)
    tell(api, *takeover(), event("e5", "usage", 8, account="A1", amount="10.00"))
    assert look(api, 8) == 1
    assert [alert["id"] for alert in alerts(api)] == [first["id"]]
    assert len(outbox(watched, "alert")) == 2


def test_an_alert_is_in_the_audit_chain_and_is_found_again_by_the_reference(
    api: Client, watched: Wiring
) -> None:
    alert = raised(api)
    say(api, alert["id"], "confirm")
    with watched.database.read() as session:
        row = session.get(WatchAlertRow, alert["id"])
        assert row is not None
        assert taken_again(watched.library.watch(session, row.policy), record_of_alert(row)) == ()
        kinds = session.exec(select(AuditRow.kind).where(AuditRow.subject == alert["id"])).all()
        assert verify(session)[1] is None
    assert kinds == ["alert", "alert-confirmed"]


def test_what_an_alert_asks_for_is_requested_once_each(api: Client, watched: Wiring) -> None:
    alert = raised(api)
    key = f"alert/{alert['id']}"
    assert [(action["key"], action["state"]) for action in alert["actions"]] == [
        (f"{key}/hold_orders/do", "requested"), (f"{key}/interim_limit.100.00/do", "requested"),
        (f"{key}/reassess.C1/do", "requested"), (f"{key}/refer.fraud_desk/do", "requested"),
    ]  # fmt: skip
    (task,) = api.get("/v1/tasks").json()["items"]
    assert (task["key"], task["do"], task["args"], task["account"]) == (
        f"{key}/refer.fraud_desk/do", "refer", ["fraud_desk"], "A1",
    )  # fmt: skip
    assert api.get("/v1/actions/alert").json()["items"] == alert["actions"]
    page = api.get(
        "/v1/actions/alert", params={"limit": 3, "state": "requested", "alert": alert["id"]}
    ).json()
    assert [action["key"] for action in api.get(page["next"]).json()["items"]] == [
        f"{key}/refer.fraud_desk/do"
    ]
    assert api.get("/v1/actions/alert", params={"do": "notify"}).json()["items"] == []
    (start,) = outbox(watched, "case")
    assert (start.kind, start.subject) == ("assess", f"assessment/alert-{alert['id']}-C1")
    message = next(m for m in api.get("/v1/messages").json()["items"] if "interim" in m["action"])
    assert message["event"]["data"]["args"] == ["100.00"]
    assert message["event"]["data"]["accounts"] == ["A1"]


def test_a_receipt_confirms_an_action(api: Client) -> None:
    alert = raised(api)
    path = f"/v1/actions/alert/{alert['id']}/hold_orders/do"
    receipt = {"status": "done", "detail": "stop 7", "received_at": DAY.format(7)}
    assert api.post(f"{path}/receipts", json=receipt).status_code == 201
    assert api.post(f"{path}/receipts", json=receipt | {"received_at": DAY.format(8)}).status_code == 200
    found = api.get(path).json()
    assert (found["state"], found["detail"], found["settled_at"]) == (
        "done",
        "stop 7",
        "2026-03-07T02:00:00Z",
    )
    late = {"status": "failed", "at": DAY.format(6), "received_at": DAY.format(9)}
    assert api.post(f"{path}/receipts", json=late).status_code == 200
    assert api.get(path).json()["state"] == "done"
    refer = f"/v1/actions/alert/{alert['id']}/refer.fraud_desk/do/receipts"
    assert api.post(refer, json=receipt).status_code == 404


def test_a_receipt_of_before_it_was_asked_for_is_refused(api: Client) -> None:
    path = f"/v1/actions/alert/{raised(api)['id']}/hold_orders/do"
    early = {"status": "done", "at": DAY.format(5), "received_at": DAY.format(7)}
    answer = api.post(f"{path}/receipts", json=early)
    assert answer.status_code == 422
    assert "it was asked for at 2026-03-06T02:00:00+00:00" in answer.json()["detail"]
    slow_clock = early | {"at": "2026-03-06T09:58:00+08:00"}
    assert api.post(f"{path}/receipts", json=slow_clock).status_code == 201
    found = api.get(path).json()
    assert found["settled_at"] == found["requested_at"] == "2026-03-06T02:00:00Z"


def test_a_reassessment_that_is_refused_says_why_and_is_a_task(api: Client, watched: Wiring) -> None:
    alert = raised(api)
    key = f"alert/{alert['id']}/reassess.C1/do"
    (start,) = outbox(watched, "case")
    request = AssessmentRequest.model_validate_json(start.body)
    watched.decisions.refused(request, "The facts are refused: `/income` is missing.")
    watched.decisions.refused(request, "The facts are refused: `/income` is missing.")
    found = api.get(f"/v1/actions/{key}").json()
    assert (found["state"], found["detail"]) == ("failed", "The facts are refused: `/income` is missing.")
    tasks = {task["key"]: task for task in api.get("/v1/tasks").json()["items"]}
    assert "`/income` is missing" in tasks[f"{key}/refused"]["reason"]
    assert "Customer `C1` was not graded anew" in tasks[f"{key}/refused"]["reason"]
    by_hand = {"status": "done", "detail": "graded by hand", "received_at": DAY.format(8)}
    assert api.post(f"/v1/actions/{key}/refused/receipts", json=by_hand).status_code == 201
    assert f"{key}/refused" not in {task["key"] for task in api.get("/v1/tasks").json()["items"]}
    assert api.get(f"/v1/actions/{key}").json()["state"] == "done"


def test_an_interim_limit_is_a_fact_for_grading_while_it_holds(api: Client, watched: Wiring) -> None:
    def held(day: int) -> Any:
        at = datetime.fromisoformat(DAY.format(day))
        fact = watched.ledger.facts("C1", "", at.date(), at, "CNY").get("interim_limit")
        return fact and (fact.value, fact.source)

    alert = raised(api)
    assert held(5) is None
    assert held(6) == (Decimal("100.00"), f"alert {alert['id']}")
    path = f"/v1/actions/alert/{alert['id']}/interim_limit.100.00/do/receipts"
    assert api.post(path, json={"status": "done", "received_at": DAY.format(7)}).status_code == 201
    assert held(8) == held(6)
    say(api, alert["id"], "dismiss", day=9)
    assert held(8) == held(6)
    assert held(9) is None


def test_a_reassessment_that_nobody_can_be_asked_for_is_a_task_too(wiring: Wiring, serve: Serve) -> None:
    wiring.publisher.publish({"policy.yaml": WATCH}, START)
    api = serve(wiring)
    tell(api, *takeover(customer="C9"))
    look(api, 8)
    (alert,) = alerts(api)
    tasks = {task["key"]: task["reason"] for task in api.get("/v1/tasks").json()["items"]}
    assert "There is no customer `C9`" in tasks[f"alert/{alert['id']}/reassess.C9/do/refused"]


def test_a_dismissal_closes_the_task_and_releases_what_was_done(api: Client, watched: Wiring) -> None:
    alert = raised(api)
    key = f"alert/{alert['id']}"
    receipt = {"status": "done", "received_at": DAY.format(7)}
    with watched.database.write() as work:
        for row in outbox(watched, "alert"):
            work.update(OutboxRow, {"id": row.id}, {"state": "delivered"})
    api.post(f"/v1/actions/{key}/hold_orders/do/receipts", json=receipt)
    answer = say(api, alert["id"], "dismiss", "a new phone")
    assert answer.status_code == 201
    states = {action["key"].removeprefix(key): action["state"] for action in answer.json()["actions"]}
    assert states["/hold_orders/undo"] == "requested"
    assert states["/interim_limit.100.00/undo"] == "requested"
    assert states["/refer.fraud_desk/do"] == "done"
    (task,) = api.get("/v1/tasks", params={"state": "closed"}).json()["items"]
    assert task["outcome"] == "dismissed"
    assert outbox(watched, "alert")[-1].subject.endswith("/undo")
    assert say(api, alert["id"], "dismiss", "a new phone").status_code == 200
    assert len(outbox(watched, "alert")) == 4


def test_what_nobody_was_told_is_not_told_after_a_dismissal(api: Client, watched: Wiring) -> None:
    alert = raised(api)
    actions = say(api, alert["id"], "dismiss").json()["actions"]
    assert {a["do"]: a["state"] for a in actions} == {
        "hold_orders": "withdrawn", "interim_limit": "withdrawn", "refer": "done", "reassess": "requested",
    }  # fmt: skip
    assert [row.state for row in outbox(watched, "alert")] == ["withdrawn", "withdrawn"]


@pytest.mark.parametrize("before", ["failed", None])
def test_what_was_carried_out_after_all_is_taken_back_after_a_dismissal(
    api: Client, watched: Wiring, before: str | None
) -> None:
    alert = raised(api)
    path = f"/v1/actions/alert/{alert['id']}/hold_orders"
    if before:
        api.post(f"{path}/do/receipts", json={"status": before, "received_at": DAY.format(7)})
    say(api, alert["id"], "dismiss")
    assert api.get(f"{path}/undo").status_code == 404
    api.post(f"{path}/do/receipts", json={"status": "done", "received_at": DAY.format(10)})
    assert api.get(f"{path}/undo").json()["state"] == "requested"
    assert outbox(watched, "alert")[-1].subject.endswith("hold_orders/undo")


def test_a_person_is_asked_to_hold_again_what_a_dismissal_took_back(api: Client) -> None:
    alert = raised(api)
    say(api, alert["id"], "dismiss")
    say(api, alert["id"], "confirm", "fraud after all", day=10)
    open_tasks = api.get("/v1/tasks", params={"state": "open"}).json()["items"]
    asked = [task["key"] for task in open_tasks if task["key"].endswith("/again")]
    assert asked == [f"alert/{alert['id']}/{name}/again" for name in ("hold_orders", "interim_limit.100.00")]
    assert "nothing holds it now" in open_tasks[-1]["reason"]


def test_a_hold_that_another_alert_needs_stays(api: Client, watched: Wiring) -> None:
    tell(api, *takeover(), *takeover("f", "C2"))
    look(api, 6)
    one, other = alerts(api)
    with watched.database.write() as work:
        for row in outbox(watched, "alert"):
            work.update(OutboxRow, {"id": row.id}, {"state": "delivered"})
    actions = say(api, one["id"], "dismiss").json()["actions"]
    kept = next(a for a in actions if a["undo"] and a["do"] == "hold_orders")
    assert (kept["state"], kept["detail"]) == ("suppressed", f"still held by {other['id']}")
    actions = say(api, other["id"], "dismiss").json()["actions"]
    assert next(a for a in actions if a["undo"] and a["do"] == "hold_orders")["state"] == "requested"


def test_words_are_kept_and_the_last_one_counts(api: Client) -> None:
    alert = raised(api)
    say(api, alert["id"], "confirm", "it was her")
    say(api, alert["id"], "dismiss", "it was not", day=10)
    found = api.get(f"/v1/alerts/{alert['id']}").json()
    assert [(word["outcome"], word["reason"]) for word in found["outcomes"]] == [
        ("confirmed", "it was her"), ("dismissed", "it was not"),
    ]  # fmt: skip
    assert found["state"] == "dismissed"
    assert say(api, "0" * 32, "confirm").status_code == 404


def test_what_rules_are_worth_is_counted(api: Client) -> None:
    tell(api, *takeover(), *takeover("f", "C2"), *takeover("g", "C3"), *takeover("h", "C4"))
    look(api, 6)
    first, second, third, _ = alerts(api)
    say(api, first["id"], "confirm")
    say(api, second["id"], "confirm")
    say(api, third["id"], "dismiss")
    assert api.get("/v1/alerts/outcomes").json() == [
        {
            "policy": "plain-watch", "rule": "changed-then-spike", "raised": 4, "open": 1, "confirmed": 2,
            "dismissed": 1, "confirmed_share": "0.6667",
        }
    ]  # fmt: skip
    assert api.get("/v1/alerts/outcomes", params={"since": DAY.format(7)}).json() == []


def test_alerts_are_listed_page_by_page_and_chosen_by_what_they_are(api: Client) -> None:
    tell(api, *takeover(), *takeover("f", "C2"), event("m", "promise_broken", 6, account="A1", promise="P"))
    look(api, 6)
    first = api.get("/v1/alerts", params={"limit": 2}).json()
    rest = api.get(first["next"]).json()
    assert len({item["id"] for item in (*first["items"], *rest["items"])}) == 3
    assert [alert["customer"] for alert in alerts(api, customer="C2")] == ["C2"]
    assert [alert["rule"] for alert in alerts(api, severity="medium")] == ["broken"]
    assert alerts(api, state="confirmed") == alerts(api, policy="other") == []
    assert api.get("/v1/alerts", params={"after": "x"}).status_code == 400


def test_windows_of_a_document_are_kept_apart_from_those_of_customers(api: Client) -> None:
    opened = [
        event(f"o{n}", "account_opened", n, account=f"A{n}", document="D7", customer=f"C{n}") for n in (2, 3)
    ]
    alert = raised(api, *opened, day=3)
    assert (alert["rule"], alert["per"], alert["subject"], alert["customer"]) == (
        "document-again", "document", "D7", "",
    )  # fmt: skip
    hold = next(a for a in alert["actions"] if a["do"] == "hold_orders")
    assert hold["accounts"] == ["A2", "A3"]


def test_time_alone_raises_an_alert(api: Client) -> None:
    tell(api, event("m", "moved_out", 2, account="A1"))
    tell(api, event("d", "bill_due", 3, account="A1", bill="B", amount="10.00"))
    look(api, 15)
    assert alerts(api) == []
    look(api, 30)
    (alert,) = alerts(api)
    assert (alert["rule"], alert["as_of"]) == ("moved", "2026-03-16T02:00:00Z")


def test_a_window_that_nothing_needs_any_more_is_gone(api: Client, watched: Wiring) -> None:
    raised(api)
    api.post("/v1/simulation/watch", json={"until": "2027-01-01T00:00:00Z"})
    watched.watcher._book.tidy(datetime(2031, 1, 1, tzinfo=UTC))
    with watched.database.read() as session:
        for row in (WatchWindowRow, WatchMemberRow, WatchEventRow):
            assert session.exec(select(row)).all() == []
    assert len(alerts(api)) == 1


def test_an_action_that_nobody_confirms_becomes_a_task(api: Client, watched: Wiring) -> None:
    alert = raised(api)
    asked = datetime.fromisoformat(alert["as_of"])
    watched.watcher._book.tidy(asked + timedelta(hours=23))
    assert len(api.get("/v1/tasks").json()["items"]) == 1
    watched.watcher._book.tidy(asked + timedelta(hours=25))
    watched.watcher._book.tidy(asked + timedelta(hours=26))
    assert [task["do"] for task in api.get("/v1/tasks").json()["items"]] == ["refer", *["task"] * 3]


def test_looking_at_windows_by_hand_is_for_simulated_time(real: Client) -> None:
    answer = real.post("/v1/simulation/watch", json={"until": DAY.format(2)})
    assert answer.json()["type"] == "/problems/not-simulated"
