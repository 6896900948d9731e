"""Reports of mail systems on what became of a message: RFC 3464, in a report as RFC 6522 has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from typing import Literal, get_args

Outcome = Literal["failed", "delayed", "delivered", "relayed", "expanded"]
"""What a mail system did (RFC 3464, 2.3.3): only `failed` is its last word on a message that did not come."""


class NoReport(ValueError):
    """A mail is no report on a message of ours; the sentence says what is missing."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one message."""

    message_id: str
    action: Outcome
    status: str = ""
    recipient: str = ""
    diagnostic: str = ""


def read_report(mail: bytes) -> Report:
    """Return what a mail reports, the worst of it first; raises NoReport for every other mail."""
    try:
        return _report(message_from_bytes(mail))
    except NoReport:
        raise
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        # The library's own defects on mail that nobody wrote by the rules; each is a mail that says nothing.
        raise NoReport(f"the mail cannot be read ({type(error).__name__})") from error


def _report(mail: Message) -> Report:
    parts = list(mail.walk())
    said = next((p for p in parts if p.get_content_type() == "message/delivery-status"), None)
    if said is None:
        raise NoReport("it has no part `message/delivery-status` (RFC 3464)")
    about = [block for block in _blocks(said) if block["Action"]]
    if not about:
        raise NoReport("its delivery status names no recipient with an `Action` (RFC 3464, 2.3.3)")
    first = min(about, key=lambda block: _action(block) != "failed")
    return Report(
        message_id=_original(parts), action=_action(first), status=_first(first["Status"]),
        recipient=_typed(first["Final-Recipient"] or first["Original-Recipient"]),
        diagnostic=_typed(first["Diagnostic-Code"]),
    )  # fmt: skip


def _blocks(part: Message) -> Iterator[Message]:
    blocks = part.get_payload()
    yield from (block for block in blocks if isinstance(block, Message)) if isinstance(blocks, list) else ()


def _original(parts: list[Message]) -> str:
    """Return the Message-ID of what came back, out of the copy of it or of its header that comes along."""
    for part in parts:
        kind, inside = part.get_content_type(), part.get_payload()
        if kind in ("message/rfc822", "message/global") and isinstance(inside, list) and inside:
            copy = inside[0]
        elif kind in ("text/rfc822-headers", "message/global-headers"):
            raw = part.get_payload(decode=True)
            copy = message_from_bytes(raw) if isinstance(raw, bytes) else message_from_string(str(inside))
        else:
            continue
        if isinstance(copy, Message) and copy["Message-ID"]:
            return str(copy["Message-ID"]).strip()
    raise NoReport("it holds no header of the message that it is about, so no `Message-ID`")


def _action(block: Message) -> Outcome:
    said = _first(block["Action"]).lower()
    for known in get_args(Outcome):
        if said == known:
            return known  # type: ignore[no-any-return]  # one of the literals
    raise NoReport(f"`{said[:40]}` is no `Action` of RFC 3464")


def _first(said: object) -> str:
    words = str(said or "").split()
    return words[0] if words else ""


def _typed(said: object) -> str:
    """Return what stands behind the type of a field: `rfc822; a@b.example`."""
    return " ".join(str(said or "").rpartition(";")[2].split())
