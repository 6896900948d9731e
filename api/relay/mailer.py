"""Notices by e-mail, through SMTP: accepted is sent, refused for good is failed, all else is tried again."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from api.relay.addresses import AddressRefused, Resolve, outside, resolve
from api.relay.receiver import Answer, ReceiverRefused
from api.storage.mailed import local_part

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

    def __init__(
        self, settings: MailSettings, ask: Resolve = resolve, trusted: ssl.SSLContext | None = None
    ) -> None:
        """Take the settings; `ask` resolves the server's name, `trusted` says whose certificates count."""
        _address(settings.sender, "FORBEAR_SMTP_FROM")
        self._settings, self._ask = settings, ask
        self._trusted = trusted or ssl.create_default_context()

    def send(self, mail: Mail, now: datetime) -> Answer:
        """Send one message; never raises. What became of it is in the answer, as a receiver says it."""
        try:
            message = self._message(mail, now)
        except (ValueError, MessageError, MailRefused) as error:
            return _said("failed", now, f"the address `{mail.to[:100]}` cannot be used: {error}")
        host = self._settings.host
        try:
            server = self._connected()
            try:
                server.send_message(message)
            finally:  # what the server says to a farewell changes nothing of what it took
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            return _of_code(now, *next(iter(error.recipients.values())))
        except smtplib.SMTPDataError as error:
            return _of_code(now, error.smtp_code, error.smtp_error)
        except AddressRefused as why:
            return Answer(0, error=str(why))
        except Exception as error:
            if (why_not := _trouble(host, error)) is None:
                raise
            return Answer(0, error=why_not[:300])
        return _said("done", now, f"e-mail to {mail.to} was accepted by {host}")

    def _connected(self) -> smtplib.SMTP:
        own = self._settings
        if own.inside:
            addresses = list(self._ask(own.host, own.port))
        else:
            addresses = list(outside(own.host, own.port, "FORBEAR_SMTP_INSIDE", self._ask))
        server = _Server(own, addresses, self._trusted)
        try:
            if own.tls == "starttls":
                server.starttls(context=self._trusted)
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
        message["Message-ID"] = f"<{local_part(mail.key)}@{message['From'].addresses[0].domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Forbear-Action"] = mail.key
        if mail.language:
            message["Content-Language"] = mail.language
        message.set_content(mail.text)
        return message


class _Server(smtplib.SMTP):
    """A connection to one of the addresses that were looked at, whatever the name stands for by now."""

    def __init__(self, settings: MailSettings, addresses: Sequence[str], trusted: ssl.SSLContext) -> None:
        self._addresses = addresses
        self._wrapped_in = trusted if settings.tls == "tls" else None
        super().__init__(settings.host, settings.port, timeout=TIMEOUT_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        *others, last = self._addresses
        for address in others:
            with suppress(OSError):
                return self._wrapped(socket.create_connection((address, port), timeout), host)
        return self._wrapped(socket.create_connection((last, port), timeout), host)

    def _wrapped(self, connected: socket.socket, host: str) -> socket.socket:
        if self._wrapped_in is None:
            return connected
        try:
            return self._wrapped_in.wrap_socket(connected, server_hostname=host)
        except BaseException:
            connected.close()
            raise


def _trouble(host: str, error: Exception) -> str | None:
    """Return what is wrong with the server or with what it is told of us: no fault of a recipient's."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate of `{host}` is not trusted: {error.verify_message}. Nothing was sent"
        case ssl.SSLError():
            return f"`{host}` does not speak TLS as asked: {error.reason or error}. Nothing was sent"
        case smtplib.SMTPNotSupportedError():
            return f"`{host}` does not offer what FORBEAR_SMTP_TLS and the message need: {error}"
        case smtplib.SMTPAuthenticationError():
            return f"the mail server does not take the password: {error.smtp_code}"
        case smtplib.SMTPSenderRefused():
            said = _text(error.smtp_error)
            return f"`{host}` does not take mail from FORBEAR_SMTP_FROM: {error.smtp_code} {said}"
        case smtplib.SMTPResponseException():
            return f"`{host}` does not serve us: {error.smtp_code} {_text(error.smtp_error)}"
        case smtplib.SMTPException() | OSError() | UnicodeError():
            return f"{type(error).__name__}: {error}"
    return None


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


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
    detail = f"{code} {_text(said)}"[:300]
    # 5yz: not now and not later (RFC 5321, 4.2.1); everything else may pass.
    return _said("failed", now, detail) if 500 <= code < 600 else Answer(0, error=detail)


def _said(status: Literal["done", "failed"], now: datetime, detail: str) -> Answer:
    return Answer(200, {"receipt": {"status": status, "at": now.isoformat(), "detail": detail[:500]}})
