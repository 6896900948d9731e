"""The secrets that webhooks are signed with: the newest first, older ones until their overlap is over."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

OVERLAP = timedelta(days=1)
"""How long the secret before is signed with beside a new one, if nobody says."""
LONGEST_OVERLAP = timedelta(days=30)


class SecretsNotOurs(Exception):
    """The secret is set by whoever runs this, so it is changed there."""

    def __init__(self) -> None:
        super().__init__(
            "The secret is set by FORBEAR_WEBHOOK_SECRET. Put the new one before it there, with a comma "
            "between, and take the old one out when the receiver knows the new one."
        )


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret (`whsec_...`), and until when it is signed with; None: it is the newest."""

    text: str
    until: datetime | None = None


class WebhookSecrets:
    """Secrets out of the settings, or out of a file in the data directory that only its owner can read.

    A message has one signature for each secret in use (Standard Webhooks), so a receiver that knows any of
    them can check it. A line of the file is a secret, perhaps with the instant until which it is used.
    """

    def __init__(self, given: str, path: Path) -> None:
        self._given = [Secret(part.strip()) for part in given.split(",") if part.strip()]
        self._path = path
        for secret in self._given:
            check_secret(secret.text)

    def current(self, now: datetime) -> list[Secret]:
        """Return the secrets that are signed with, the newest first."""
        found = self._given or self._read()
        return [secret for secret in found if secret.until is None or secret.until > now]

    def rotate(self, now: datetime, overlap: timedelta = OVERLAP) -> Secret:
        """Make a new secret and return it; those before are used for the overlap. Raises SecretsNotOurs."""
        if self._given:
            raise SecretsNotOurs
        until = now + min(overlap, LONGEST_OVERLAP)
        kept = [Secret(s.text, min(s.until or until, until)) for s in self.current(now)]
        fresh = Secret("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
        lines = [f"{s.text} {s.until.isoformat()}" if s.until else s.text for s in [fresh, *kept]]
        beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)  # whoever signs meanwhile sees the whole file before or after
        return fresh

    def _read(self) -> list[Secret]:
        found = []
        for line in self._path.read_text(encoding="ascii").splitlines():
            text, _, until = line.strip().partition(" ")
            if text:
                found.append(Secret(text, datetime.fromisoformat(until) if until else None))
        return found


def check_secret(text: str) -> None:
    """Raise ValueError for what Standard Webhooks does not take as a secret: 24 to 64 bytes in base64."""
    try:
        size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except binascii.Error:
        size = 0
    if not 24 <= size <= 64:
        raise ValueError("a webhook secret is `whsec_` and 24 to 64 bytes in base64")
