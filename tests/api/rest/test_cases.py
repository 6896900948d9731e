from __future__ import annotations

from urllib.parse import quote

import pytest
from httpx import Client

from api.wiring import Wiring
from tests.api.conftest import START
from tests.api.rest.conftest import Serve
from tests.api.rest.test_gate import slug
from tests.api.scenes import Driver, in_arrears, local, pay

REMINDER = "case/A1/1/account/reminder/1/notify.sms.reminder/do"


@pytest.fixture
def wiring(lite: Wiring) -> Wiring:
    """SQLite alone: what differs between databases is tested below this layer."""
    return lite


@pytest.fixture
def driver(wiring: Wiring) -> Driver:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-03-20 00:00"))
    driver.act(driver.look(local("2026-03-21 09:00")))
    return driver


@pytest.fixture
def api(wiring: Wiring, driver: Driver, serve: Serve) -> Client:
    return serve(wiring)


def receipt(api: Client, key: str, **fields: str) -> tuple[int, dict[str, object]]:
    body = {"status": "done", "received_at": "2026-03-21T09:05:00+08:00"} | fields
    answer = api.post(f"/v1/actions/{quote(key)}/receipts", json=body)
    return answer.status_code, answer.json()


def test_actions_are_listed_and_read(api: Client) -> None:
    (item,) = api.get("/v1/actions", params={"account": "A1", "state": "requested"}).json()["items"]
    assert item["key"] == REMINDER
    assert item["action"]["amount"] == "205.42"
    assert api.get(f"/v1/actions/{REMINDER}").json() == item
    assert slug(api.get("/v1/actions/case/A1/1/nothing").json()) == "not-found"


def test_a_receipt_confirms_an_action_once(api: Client) -> None:
    status, said = receipt(api, REMINDER, at="2026-03-21T09:01:00+08:00", detail="sms 17")
    assert (status, said["status"], said["detail"]) == (201, "done", "sms 17")
    again, same = receipt(api, REMINDER, at="2026-03-21T09:01:00+08:00", detail="sms 17")
    assert (again, same) == (200, said)
    action = api.get(f"/v1/actions/{REMINDER}").json()
    assert (action["state"], action["detail"]) == ("done", "sms 17")


def test_a_receipt_without_an_instant_is_one_receipt(api: Client) -> None:
    assert receipt(api, REMINDER)[0] == 201
    assert receipt(api, REMINDER, received_at="2026-03-21T09:06:00+08:00")[0] == 200


def test_a_receipt_for_nothing_and_one_of_tomorrow(api: Client) -> None:
    assert slug(receipt(api, "case/A1/9/x")[1]) == "not-found"
    status, said = receipt(api, REMINDER, at="2026-03-22T09:01:00+08:00")
    assert (status, said["errors"]) == (422, [{"pointer": "/at", "detail": said["detail"]}])


def test_a_receipt_of_before_the_request_is_refused_and_a_clock_a_little_behind_is_not(api: Client) -> None:
    status, said = receipt(api, REMINDER, at="2026-03-21T08:54:59+08:00")
    assert (status, slug(said)) == (422, "receipt-too-early")
    assert "when `case/A1/1/account/reminder/1/notify.sms.reminder/do` was asked for" in str(said["detail"])
    status, said = receipt(api, REMINDER, at="2026-03-21T08:56:00+08:00")
    assert (status, said["at"]) == (201, "2026-03-21T01:00:00Z")
    assert receipt(api, REMINDER, at="2026-03-21T08:56:00+08:00")[0] == 200


def test_a_case_tells_its_story(api: Client, driver: Driver, wiring: Wiring) -> None:
    receipt(api, REMINDER, at="2026-03-21T09:01:00+08:00")
    driver.taken = driver.look(local("2026-03-21 09:06")).taken
    pay(wiring, "A1", local("2026-03-25 12:00"), "P1", "205.42")
    driver.taken = driver.look(local("2026-03-25 12:01")).taken
    driver.close(local("2026-03-25 12:01"))
    said = api.get("/v1/cases/A1/1").json()
    assert (said["state"], said["ended"], said["policy"]) == ("ended", "cured", driver.policy)
    assert [(line["on"], line["what"]) for line in said["story"]] == [
        ("2026-03-19", "opened"),
        ("2026-03-21", "asked"),
        ("2026-03-21", "done"),
        ("2026-03-21", "step"),
        ("2026-03-25", "news"),
        ("2026-03-25", "step"),
        ("2026-03-25", "ended"),
    ]
    asked = said["story"][1]
    assert asked["text"] == "notify(sms, reminder) of step `reminder`, 205.42"
    assert "overdue 205.42" in asked["why"]
    assert said["trace"]["overdue"] == "0"


def test_cases_are_listed(api: Client) -> None:
    assert [c["workflow"] for c in api.get("/v1/cases").json()["items"]] == ["case/A1/1"]
    assert api.get("/v1/cases?state=ended").json()["items"] == []
    assert slug(api.get("/v1/cases/A1/2").json()) == "not-found"


def test_tasks_are_listed_until_they_are_done(api: Client, driver: Driver) -> None:
    driver.confirm([REMINDER], local("2026-03-21 09:10"))
    driver.taken = driver.look(local("2026-03-21 09:11")).taken
    at = driver.run(local("2026-03-22 09:00"), local("2026-05-01 00:00"))
    record = driver.look(max(at, local("2026-05-02 09:00")))
    assert driver.act(record).requested
    (task,) = api.get("/v1/tasks").json()["items"]
    assert (task["account"], task["do"], task["args"], task["state"]) == ("A1", "task", ["call"], "open")
    receipt(api, task["key"], received_at="2026-05-03T09:00:00+08:00")
    assert api.get("/v1/tasks").json()["items"] == []
    assert api.get("/v1/tasks?state=closed").json()["items"][0]["outcome"] == "done"


def test_messages_are_shown_while_nobody_takes_them(api: Client) -> None:
    (message,) = api.get("/v1/messages", params={"account": "A1", "state": "pending"}).json()["items"]
    assert (message["action"], message["attempts"], message["error"]) == (REMINDER, 0, "")
    assert (message["event"]["specversion"], message["event"]["id"]) == ("1.0", REMINDER)
    assert api.get("/v1/messages?state=dead").json()["items"] == []


def test_the_shelf_is_listed_and_its_texts_are_read(api: Client, wiring: Wiring) -> None:
    kinds = {(p["kind"], p["name"]) for p in api.get("/v1/policies").json()["items"]}
    assert kinds == {
        ("collections", "plain-collections"), ("credit", "plain-credit"), ("law", "plain-law"),
        ("portfolio", "portfolio"),
    }  # fmt: skip
    (policy,) = api.get("/v1/policies?kind=collections").json()["items"]
    assert api.get(f"/v1/policies/{policy['digest']}").json() == policy
    path = "templates/reminder.en.txt"
    assert path in policy["texts"]
    assert api.get(f"/v1/policies/{policy['digest']}/texts/{path}").content == b"{overdue}"
    assert slug(api.get("/v1/policies/sha256:00").json()) == "policy-not-found"
    assert START.isoformat()[:10] in policy["published_at"]
