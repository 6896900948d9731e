"""Notices that went out by e-mail, found again by the name that their message had."""

from __future__ import annotations

from sqlmodel import Session, col, select

from api.storage.tables import ActionRow, OutboxRow

TOGETHER = "It went out together with "
"""How the note on a message begins that another one carried; the other's action follows."""
_EMAILED = "%/notify.email.%/do"


def local_part(key: str) -> str:
    """Return what stands before the `@` of a notice's Message-ID: the same for every attempt."""
    return "".join(c if c.isalnum() or c in "._-" else "." for c in key)


def keys_mailed(session: Session, message_id: str) -> list[str]:
    """Return the keys of the notices that one e-mail carried, the one that named it first; none: unknown."""
    local = message_id.strip().removeprefix("<").partition("@")[0]
    if local_part(local) != local:
        return []
    like = local.replace("_", r"\_").replace(".", "_")
    mine = select(ActionRow.key).where(
        col(ActionRow.key).like(like, escape="\\"), col(ActionRow.key).like(_EMAILED)
    )
    found = [key for key in session.exec(mine.order_by(ActionRow.key)) if local_part(key) == local]
    if not found:
        return []
    with_it = select(OutboxRow.subject).where(col(OutboxRow.error).in_([f"{TOGETHER}{key}" for key in found]))
    return [*found, *session.exec(with_it.order_by(col(OutboxRow.id)))]
