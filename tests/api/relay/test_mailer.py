"""Notices by e-mail to a real SMTP server: accepted is sent, refused is failed, away is tried again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from api.relay.mailer import Mail, Mailer, MailRefused, MailSettings, subject_and_text
from api.settings import Settings, SettingsError
from api.storage.actions import get_action
from api.storage.customers import set_facts
from api.wiring import Wiring
from engine.credit.decision import Fact
from tests.api import policies
from tests.api.conftest import START, Build
from tests.api.relay.listening import confirms, listening
from tests.api.relay.test_courier import SECRET, message
from tests.api.scenes import Driver, in_arrears, local

AT = local("2026-03-21 09:00")
BY_MAIL = policies.COLLECTIONS.replace(b"notify(sms, reminder)", b"notify(email, reminder)")


@dataclass
class Box:
    """What a mail server took, and how it answers."""

    port: int
    answer: str = "250 OK"
    mails: list[EmailMessage] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the package asks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(  # noqa: N802 - likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@contextmanager
def mail_server(kind: type[Box] = Box, **how: Any) -> Iterator[Box]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box = kind(free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **how)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def wired(builder: Build, box: Box, **more: Any) -> Wiring:
    wiring = builder(
        smtp=f"127.0.0.1:{box.port}", smtp_from="dunning@telecom.example", smtp_tls="none", **more
    )
    texts = {"policy.yaml": BY_MAIL, "templates/final.en.txt": b"{overdue}"}
    texts["templates/reminder.en.txt"] = b"Subject: Please pay\nYou owe {overdue}.\n"
    wiring.publisher.publish(texts, START)
    return wiring


def tell_address(wiring: Wiring, address: str) -> None:
    with wiring.database.write() as work:
        set_facts(work, {"C1": {"email": Fact(value=address)}}, local("2026-03-02 10:00"))


def reminded(wiring: Wiring, address: str = "li@customer.example") -> Driver:
    driver = in_arrears(wiring)
    if address:
        tell_address(wiring, address)
    driver.act(driver.look(AT))
    return driver


def state_of(wiring: Wiring) -> tuple[str, str]:
    with wiring.database.read() as session:
        row = get_action(session, message(wiring).subject)
    return row.state, row.detail


def test_a_notice_whose_channel_is_e_mail_goes_out_by_smtp(builder: Build) -> None:
    with mail_server() as box:
        wiring = wired(builder, box)
        reminded(wiring)
        assert wiring.courier.deliver("A1", AT) is None
    (mail,) = box.mails
    assert (mail["to"], mail["from"], mail["subject"]) == (
        "li@customer.example", "dunning@telecom.example", "Please pay",
    )  # fmt: skip
    assert mail.get_content().strip() == "You owe 205.42."
    assert mail["x-forbear-action"] == message(wiring).subject
    assert mail["auto-submitted"] == "auto-generated"
    assert message(wiring).state == "delivered"
    assert state_of(wiring)[0] == "done"


@pytest.mark.parametrize("answer", ["550 no such user", "553 mailbox name not allowed"])
def test_an_address_that_is_refused_fails_the_notice(builder: Build, answer: str) -> None:
    with mail_server() as box:
        box.answer = answer
        wiring = wired(builder, box)
        reminded(wiring)
        wiring.courier.deliver("A1", AT)
    assert state_of(wiring) == ("failed", answer)
    assert message(wiring).state == "delivered"


def test_what_may_pass_is_tried_again(builder: Build) -> None:
    with mail_server() as box:
        box.answer = "451 greylisted"
        wiring = wired(builder, box)
        reminded(wiring)
        again = wiring.courier.deliver("A1", AT)
        assert again is not None
        assert (message(wiring).state, message(wiring).error) == ("pending", "451 greylisted")
        box.answer = "250 OK"
        wiring.courier.deliver("A1", again)
        assert len(box.mails) == 1
    gone = Mailer(MailSettings("127.0.0.1", box.port, "a@b.example", tls="none", inside=True))
    assert not gone.send(Mail("k", "c@d.example", "s", "t"), AT).ok


@pytest.mark.parametrize("address", ["", "nobody", "a@b.example\nBcc: c@d.example", "ü@b.example"])
def test_without_an_address_the_notice_fails_at_once(builder: Build, address: str) -> None:
    with mail_server() as box:
        wiring = wired(builder, box)
        reminded(wiring, address)
        wiring.courier.deliver("A1", AT)
    assert box.mails == []
    state, detail = state_of(wiring)
    assert (state, "cannot be used" in detail) == ("failed", True)


def test_all_else_goes_to_the_receiver_as_before(builder: Build) -> None:
    with mail_server() as box, listening(SECRET) as heard:
        heard.reply = confirms
        wiring = wired(builder, box, webhook_url=heard.url, webhook_secret=SECRET)
        driver = in_arrears(wiring)
        tell_address(wiring, "li@customer.example")
        driver.run(local("2026-03-19 09:00"), local("2026-03-20 00:00"))
        for day in range(21, 41):
            at = local("2026-03-01 09:00").replace(month=3 + day // 32, day=(day - 1) % 31 + 1)
            record = driver.look(at)
            if record.actions:
                driver.act(record)
                wiring.courier.deliver("A1", at)
            driver.taken = record.taken
    assert len(box.mails) == 1
    assert {event["data"]["args"][0] for event in heard.events} != {"email"}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_goes_only_over_tls_and_is_needed_where_the_server_asks(builder: Build) -> None:
    def known(server: SMTP, session: Session, envelope: Envelope, how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == b"right", handled=False)

    with mail_server(authenticator=known, auth_require_tls=False, auth_required=True) as box:
        own = {"sender": "a@b.example", "tls": "none", "inside": True}
        mail = Mail("k", "c@d.example", "s", "t")
        right = Mailer(MailSettings("127.0.0.1", box.port, user="u", password="right", **own))  # type: ignore[arg-type]
        wrong = Mailer(MailSettings("127.0.0.1", box.port, user="u", password="wrong", **own))  # type: ignore[arg-type]
        assert right.send(mail, AT).ok
        answer = wrong.send(mail, AT)
    assert answer.error == "the mail server does not take the password: 535"
    with pytest.raises(SettingsError, match="in the clear"):
        Settings(smtp="mail:25", smtp_from="a@b.example", smtp_user="u", smtp_tls="none")


def test_a_server_inside_is_reached_only_where_that_is_allowed() -> None:
    with mail_server() as box:
        closed = Mailer(MailSettings("127.0.0.1", box.port, "a@b.example", tls="none"))
        answer = closed.send(Mail("k", "c@d.example", "s", "t"), AT)
    assert "FORBEAR_SMTP_INSIDE" in answer.error
    assert box.mails == []


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError, match="FORBEAR_SMTP_FROM"):
        Settings(smtp="mail:25")
    with pytest.raises(MailRefused, match="no e-mail address"):
        Mailer(MailSettings("mail", 25, "not one"))


def test_what_an_e_mail_is_about() -> None:
    assert subject_and_text("Subject: Pay now\n\nHello\n", "en", "A1") == ("Pay now", "Hello\n")
    assert subject_and_text("Hello\n", "zh", "A1") == ("关于您的账户 A1", "Hello\n")
    assert subject_and_text("Hello\n", "", "A1") == ("About your account A1", "Hello\n")
