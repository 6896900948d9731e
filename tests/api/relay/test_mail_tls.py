"""E-mail over TLS to a real SMTP server: certificates are checked, and nothing goes out in the clear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from api.relay.mailer import Mail, Mailer, MailSettings
from api.relay.receiver import Answer
from api.settings import Settings
from tests.api.relay.certificates import Authority
from tests.api.relay.test_mailer import AT, Box, mail_server

HOST = "mail.telecom.example"
MAIL = Mail("case/account/reminder/1/notify.email.reminder/do", "li@customer.example", "s", "t")
Tls = Literal["none", "starttls", "tls"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def here(host: str, port: int) -> Sequence[str]:
    """A resolver that knows the mail server."""
    assert host == HOST
    return ["127.0.0.1"]


def by(how: Tls, authority: Authority, host: str = HOST, **lasts: Any) -> dict[str, Any]:
    context = authority.server(host, **lasts)
    return {"ssl_context": context} if how == "tls" else {"tls_context": context, "require_starttls": True}


def sent(box: Box, how: Tls, authority: Authority) -> Answer:
    own = MailSettings(HOST, box.port, "dunning@telecom.example", tls=how, inside=True)
    return Mailer(own, here, authority.trusted).send(MAIL, AT)


@pytest.mark.parametrize("how", ["starttls", "tls"])
def test_a_trusted_server_takes_it_encrypted(how: Tls, authority: Authority) -> None:
    with mail_server(**by(how, authority)) as box:
        answer = sent(box, how, authority)
    assert answer.ok, answer.error
    assert [mail["x-forbear-action"] for mail in box.mails] == [MAIL.key]


@pytest.mark.parametrize("how", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["another name", "too old", "nobody vouches"])
def test_a_wrong_certificate_is_refused_by_name(
    how: Tls, wrong: str, authority: Authority, tmp_path: Path
) -> None:
    made = {
        "another name": lambda: by(how, authority, "www.telecom.example"),
        "too old": lambda: by(how, authority, lasts=-timedelta(hours=1)),
        "nobody vouches": lambda: by(how, Authority(tmp_path)),
    }[wrong]()
    with mail_server(**made) as box:
        answer = sent(box, how, authority)
    assert (answer.status, box.mails) == (0, [])
    assert answer.error.startswith(f"the certificate of `{HOST}` is not trusted: ")
    said = {"another name": "mismatch", "too old": "expired", "nobody vouches": "signature failure"}
    assert said[wrong] in answer.error.lower()


def test_a_server_without_tls_gets_nothing(authority: Authority) -> None:
    with mail_server() as box:
        clear, wrapped = sent(box, "starttls", authority), sent(box, "tls", authority)
    assert "FORBEAR_SMTP_TLS" in clear.error
    assert "does not speak TLS" in wrapped.error
    assert box.mails == []


def test_tls_is_what_is_taken_for_meant() -> None:
    assert Settings().smtp_tls == "starttls"


class Refusing(Box):
    """A server that does not serve us at one place of the talk, and is rude at the end."""

    at: str = ""

    async def handle_MAIL(  # noqa: N802 - the package asks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at == "MAIL":
            return "550 not from you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return {"DATA": "554 we do not like it", "LATER": "452 disk full"}.get(self.at, "250 OK")

    async def handle_QUIT(  # noqa: N802 - likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return "421 go away"


@pytest.mark.parametrize(
    ("at", "receipt", "error"),
    [
        ("", "done", ""),
        ("DATA", "failed", ""),
        ("LATER", None, "452 disk full"),
        ("MAIL", None, "does not take mail from FORBEAR_SMTP_FROM: 550 not from you"),
    ],
)
def test_whose_fault_a_refusal_is(at: str, receipt: str | None, error: str) -> None:
    """A refused recipient or message fails the notice; what is wrong with us or the server is tried again."""
    with mail_server(kind=Refusing) as box:
        assert isinstance(box, Refusing)
        box.at = at
        own = MailSettings("127.0.0.1", box.port, "dunning@telecom.example", tls="none", inside=True)
        answer = Mailer(own).send(MAIL, AT)
    assert (answer.body["receipt"]["status"] if answer.body else None) == receipt
    assert error in answer.error


def test_the_server_is_the_one_that_was_looked_at() -> None:
    """Who answers for a name with an address inside a moment later is not asked again."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["192.0.2.1"] if len(asked) == 1 else ["127.0.0.1"]

    with mail_server() as box:
        own = MailSettings(HOST, box.port, "dunning@telecom.example", tls="none")
        answer = Mailer(own, rebinding).send(MAIL, AT)
        again = Mailer(own, rebinding).send(MAIL, AT)
    assert "192.0.2.1, not on the public internet" in answer.error
    assert "127.0.0.1, not on the public internet" in again.error
    assert (asked, box.mails) == ([HOST, HOST], [])
