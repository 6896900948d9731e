"""The receiver of webhooks: signs by Standard Webhooks, reaches nothing inside unless allowed."""

from __future__ import annotations

import ipaddress
import json
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from api.relay.secrets import WebhookSecrets

TIMEOUT_SECONDS = 20.0
"""Standard Webhooks asks for 15 to 30 seconds."""
ANSWER_BYTES = 64_000
"""How much of an answer is read."""


class ReceiverRefused(Exception):
    """The receiver's URL cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: its status (0: nothing was heard), and its JSON if it sent any."""

    status: int
    body: Any = None
    error: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether the receiver has taken the message."""
        return 200 <= self.status < 300


class Receiver:
    """One URL that is told of actions, each message signed and named by the action's key."""

    def __init__(self, url: str, secret: str | WebhookSecrets, *, inside: bool) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ReceiverRefused(f"`{url}` is no http or https URL.")
        if parts.username or parts.password:
            raise ReceiverRefused("The receiver's URL must not hold a password: messages are signed instead.")
        self.url = url
        self._host, self._port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        self._inside = inside
        self._secrets = WebhookSecrets(secret, Path()) if isinstance(secret, str) else secret
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=16)
        self._client = httpx.Client(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, limits=limits, trust_env=False
        )

    def send(self, message: str, body: bytes, now: datetime, traceparent: str = "") -> Answer:
        """Send one message; never raises."""
        if not self._inside and (why := points_inside(self._host, self._port)):
            return Answer(0, error=why)
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signatures(message, body, now),
        } | ({"traceparent": traceparent} if traceparent else {})
        try:
            with self._client.stream("POST", self.url, content=body, headers=headers) as response:
                return _read(response)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Answer(0, error=f"{type(error).__name__}: {error}"[:300])

    def _signatures(self, message: str, body: bytes, now: datetime) -> str:
        """Return one signature for each secret in use, so that receivers change theirs when they like."""
        text = body.decode()
        return " ".join(Webhook(s.text).sign(message, now, text) for s in self._secrets.current(now))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _read(response: httpx.Response) -> Answer:
    read = b""
    for part in response.iter_bytes():
        read += part
        if len(read) > ANSWER_BYTES:
            return Answer(response.status_code, error="The answer is too long to be read.")
    said = read[:200].decode(errors="replace")
    error = "" if response.is_success else f"HTTP {response.status_code}: {said}"
    try:
        return Answer(response.status_code, json.loads(read) if read else None, error)
    except (ValueError, RecursionError):
        return Answer(response.status_code, None, error)


def points_inside(host: str, port: int) -> str:
    """Return why a host must not be called: one of its addresses is not on the public internet."""
    try:
        found = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)
    except OSError as error:
        return f"`{host}` cannot be resolved: {error}."
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).split("%")[0])
        if not ip.is_global or ip.is_multicast:
            return f"`{host}` is {ip}, not on the public internet. Allow it with FORBEAR_WEBHOOK_INSIDE=true."
    return ""
