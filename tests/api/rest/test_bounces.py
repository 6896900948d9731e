"""E-mail that comes back: a report of a mail system fails its notice, and the next channel has its turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Client

from api.relay.bounced import NoReport, read_report
from api.rest.bounces import MAIL_EXAMPLE
from api.wiring import Wiring
from tests.api.conftest import START, Build
from tests.api.relay.test_mailer import AT, BY_MAIL, Box, mail_server, state_of, tell_address
from tests.api.rest.conftest import Serve
from tests.api.scenes import Driver, in_arrears, local

TEXT = BY_MAIL.replace(b"valid: P90D", b"valid: P90D, attempts: 1, fallback: [sms]")
KEY = "case/A1/1/account/reminder/1/notify.email.reminder/do"
SOON = {"received_at": "2026-03-21T09:05:00+08:00"}
GONE = {"status": "5.1.1", "recipient": "li@customer.example", "diagnostic": "550 no such\tuser"}
Sent = tuple[Wiring, Client, Driver, Box]


@pytest.fixture
def sent(builder: Build, serve: Serve) -> Iterator[Sent]:
    """A reminder that a mail server has taken, and that therefore counts as done."""
    with mail_server() as box:
        wiring = builder(
            smtp=f"127.0.0.1:{box.port}", smtp_from="a@b.example", smtp_tls="none", smtp_inside=True
        )
        texts = {"policy.yaml": TEXT, "templates/final.en.txt": b"{overdue}"}
        wiring.publisher.publish(texts | {"templates/reminder.en.txt": b"{overdue}"}, START)
        driver = in_arrears(wiring)
        tell_address(wiring, "li@customer.example")
        driver.act(driver.look(AT))
        wiring.courier.deliver("A1", AT)
        assert state_of(wiring)[0] == "done"
        yield wiring, serve(wiring), driver, box


def bounce(client: Client, **said: Any) -> Any:
    return client.post("/v1/bounces", json=said, params=SOON)


def report(message_id: str, action: str = "failed") -> bytes:
    named = "<case.A1001.1.account.reminder.1.notify.email.reminder.do@telecom.example>"
    text = MAIL_EXAMPLE.replace(named, message_id).replace("Action: failed", f"Action: {action}")
    return text.encode().replace(b"\n", b"\r\n")


def test_the_mail_that_came_back_fails_its_notice_and_the_next_channel_is_asked(sent: Sent) -> None:
    wiring, client, driver, box = sent
    mail = report(box.mails[0]["message-id"])
    kind = {"Content-Type": "message/rfc822"}
    answer = client.post("/v1/bounces", content=mail, params=SOON, headers=kind)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["action"], answer.json()["status"]) == ("failed", "5.1.1")
    assert answer.json()["notices"] == [{"key": KEY, "account": "A1", "state": "failed", "new": True}]
    assert state_of(wiring) == (
        "failed", "e-mail to li@customer.example came back: 5.1.1 550 5.1.1 no such user",
    )  # fmt: skip
    again = client.post("/v1/bounces", content=mail, params=SOON, headers=kind)
    assert again.json()["notices"] == [{"key": KEY, "account": "A1", "state": "failed", "new": False}]
    asked = driver.look(local("2026-03-22 09:00")).actions
    assert [(action.do, action.args) for action in asked] == [("notify", ("sms", "reminder"))]


def test_the_same_as_json(sent: Sent) -> None:
    wiring, client, _, box = sent
    answer = bounce(client, message_id=box.mails[0]["message-id"], **GONE)
    assert answer.json()["notices"][0]["new"] is True
    assert state_of(wiring) == ("failed", "e-mail to li@customer.example came back: 5.1.1 550 no such user")


@pytest.mark.parametrize(
    "said", [{"status": "4.2.2"}, {"status": "5.0.0", "action": "delayed"}, {"status": "2.1.5"}]
)
def test_what_may_still_come_or_came_changes_nothing(sent: Sent, said: dict[str, Any]) -> None:
    wiring, client, _, box = sent
    answer = bounce(client, message_id=box.mails[0]["message-id"], **said)
    assert answer.json()["notices"] == [{"key": KEY, "account": "A1", "state": "done", "new": False}]
    assert state_of(wiring)[0] == "done"


def test_a_server_that_gave_up_has_failed_whatever_its_status(sent: Sent) -> None:
    wiring, client, _, box = sent
    bounce(client, message_id=box.mails[0]["message-id"], status="4.4.7", action="failed")
    assert state_of(wiring)[0] == "failed"


@pytest.mark.parametrize(
    "name", ["<other@b.example>", "case%@b", "case_A1_1_account_reminder_1_notify_email_reminder_do@b", "\\"]
)
def test_a_message_that_is_not_ours_is_not_found(sent: Sent, name: str) -> None:
    wiring, client, _, _ = sent
    answer = bounce(client, message_id=name, **GONE)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert state_of(wiring)[0] == "done"


@pytest.mark.parametrize(
    ("body", "media", "status", "word"),
    [
        (b"{}", "application/json", 422, "/message_id"),
        (b'{"message_id": "<a@b>", "status": "five"}', "application/json", 422, "/status"),
        (b'{"message_id": "<a@b>", "status": "5.1.1", "more": 1}', "application/json", 422, "/more"),
        (b"{", "application/json", 400, "not JSON"),
        (b"Subject: I am away\r\n\r\nBack on Monday.", "message/rfc822", 422, "message/delivery-status"),
        (report("").replace(b"Message-ID", b"X-Other"), "message/rfc822", 422, "Message-ID"),
        (report("<a@b>", "eaten"), "message/rfc822", 422, "`eaten` is no `Action`"),
        (b"\xff\x00", "message/rfc822", 422, "RFC 3464"),
        (b"<a/>", "text/xml", 415, "application/json"),
    ],
)
def test_what_is_no_report_is_refused(
    lite: Wiring, serve: Serve, body: bytes, media: str, status: int, word: str
) -> None:
    answer = serve(lite).post("/v1/bounces", content=body, params=SOON, headers={"Content-Type": media})
    assert (answer.status_code, word in answer.text) == (status, True), answer.text


def test_a_mail_of_many_boxes_in_boxes_is_refused_and_nothing_breaks() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i) for i in range(3_000)
    )
    with pytest.raises(NoReport):
        read_report(deep)
