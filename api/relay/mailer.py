"""Notices by e-mail, through SMTP: accepted is sent, refused for good is failed, all else is tried again."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from api.relay.receiver import Answer, ReceiverRefused, points_inside

TIMEOUT_SECONDS = 20.0
SUBJECTS = {"en": "About your account {account}", "zh": "关于您的账户 {account}", "de": "Ihr Konto {account}"}
"""What an e-mail is about, where its text does not begin with a line `Subject: ...`."""


class MailRefused(ReceiverRefused):
    """The settings for e-mail cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Which server takes e-mail, and from whom it comes."""

    host: str
    port: int
    sender: str
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = ""
    inside: bool = False
    """Allow a server with a private or loopback address."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One notice as its customer gets it; `key` is the action's, and names the message for ever."""

    key: str
    to: str
    subject: str
    text: str
    language: str = ""


class Mailer:
    """Hands e-mail to one server, a connection for each message."""

    def __init__(self, settings: MailSettings) -> None:
        _address(settings.sender, "FORBEAR_SMTP_FROM")
        self._settings = settings

    def send(self, mail: Mail, now: datetime) -> Answer:
        """Send one message; never raises. What became of it is in the answer, as a receiver says it."""
        try:
            message = self._message(mail, now)
        except (ValueError, MessageError, MailRefused) as error:
            return _said("failed", now, f"the address `{mail.to[:100]}` cannot be used: {error}")
        own = self._settings
        if not own.inside and (why := points_inside(own.host, own.port)):
            return Answer(0, error=why.replace("FORBEAR_WEBHOOK_INSIDE", "FORBEAR_SMTP_INSIDE"))
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            return _of_code(now, *next(iter(error.recipients.values())))
        except smtplib.SMTPAuthenticationError as error:
            return Answer(0, error=f"the mail server does not take the password: {error.smtp_code}")
        except smtplib.SMTPResponseException as error:
            return _of_code(now, error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return Answer(0, error=f"{type(error).__name__}: {error}"[:300])
        return _said("done", now, f"e-mail to {mail.to} was accepted by {own.host}")

    def _connected(self) -> smtplib.SMTP:
        own, context = self._settings, ssl.create_default_context()
        if own.tls == "tls":
            safe = smtplib.SMTP_SSL(own.host, own.port, timeout=TIMEOUT_SECONDS, context=context)
            server: smtplib.SMTP = safe
        else:
            server = smtplib.SMTP(own.host, own.port, timeout=TIMEOUT_SECONDS)
        try:
            if own.tls == "starttls":
                server.starttls(context=context)
            if own.user:
                server.login(own.user, own.password)
        except BaseException:
            with suppress(smtplib.SMTPException, OSError):
                server.close()
            raise
        return server

    def _message(self, mail: Mail, now: datetime) -> EmailMessage:
        message = EmailMessage()
        message["From"] = _address(self._settings.sender, "FORBEAR_SMTP_FROM")
        message["To"] = _address(mail.to, "the fact `email`")
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(now)
        # The same notice has the same name however often it is tried, so a server can tell a repeat.
        local = "".join(c if c.isalnum() or c in "._-" else "." for c in mail.key)
        message["Message-ID"] = f"<{local}@{message['From'].addresses[0].domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Forbear-Action"] = mail.key
        if mail.language:
            message["Content-Language"] = mail.language
        message.set_content(mail.text)
        return message


def subject_and_text(text: str, language: str, account: str) -> tuple[str, str]:
    """Return what a notice is about and what it says; a first line `Subject: ...` says the former."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("subject:"):
        return first[8:].strip(), rest.lstrip("\n")
    return SUBJECTS.get(language, SUBJECTS["en"]).format(account=account), text


def _address(text: str, what: str) -> Address:
    try:
        found = Address(addr_spec=text)
    except (ValueError, IndexError, MessageError) as error:
        raise MailRefused(f"{what} is no e-mail address: {error}") from error
    if not found.domain or any(not "!" <= c <= "~" for c in text):
        raise MailRefused(f"{what} is no e-mail address of one line in ASCII")
    return found


def _of_code(now: datetime, code: int, said: bytes | str) -> Answer:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    detail = f"{code} {text}"[:300]
    # 5yz: not now and not later (RFC 5321, 4.2.1); everything else may pass.
    return _said("failed", now, detail) if 500 <= code < 600 else Answer(0, error=detail)


def _said(status: Literal["done", "failed"], now: datetime, detail: str) -> Answer:
    return Answer(200, {"receipt": {"status": status, "at": now.isoformat(), "detail": detail[:500]}})
