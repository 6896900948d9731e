"""The receiver of webhooks: signs by Standard Webhooks, reaches nothing inside unless allowed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from api.relay.addresses import AddressRefused, Resolve, outside, resolve
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

    def __init__(
        self, url: str, secret: str | WebhookSecrets, *, inside: bool, ask: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """Take a URL; `ask` resolves its host, `tls` says whose certificates are trusted.

        Raises ReceiverRefused.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ReceiverRefused(f"`{url}` is no http or https URL.")
        if parts.username or parts.password:
            raise ReceiverRefused("The receiver's URL must not hold a password: messages are signed instead.")
        self.url = url
        try:
            self._target = httpx.URL(url)
            self._port = self._target.port or (443 if parts.scheme == "https" else 80)
        except (httpx.InvalidURL, ValueError) as error:
            raise ReceiverRefused(f"`{url}` is no http or https URL: {error}.") from error
        self._inside, self._ask = inside, ask
        self._secrets = WebhookSecrets(secret, Path()) if isinstance(secret, str) else secret
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=16)
        self._client = httpx.Client(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, limits=limits, trust_env=False,
            verify=True if tls is None else tls,
        )  # fmt: skip

    def send(self, message: str, body: bytes, now: datetime, traceparent: str = "") -> Answer:
        """Send one message; never raises."""
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signatures(message, body, now),
        } | ({"traceparent": traceparent} if traceparent else {})
        try:
            return self._post(body, headers)
        except AddressRefused as why:
            return Answer(0, error=str(why))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Answer(0, error=f"{type(error).__name__}: {error}"[:300])

    def _post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Send to the first address that can be reached; each is one that was looked at before."""
        *others, last = self._requests(body, headers)
        for request in others:
            try:
                return self._heard(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent
        return self._heard(last)

    def _requests(self, body: bytes, headers: dict[str, str]) -> Sequence[httpx.Request]:
        """Return the request, once for each address of the host."""
        target = self._target
        if self._inside:
            return [self._client.build_request("POST", target, content=body, headers=headers)]
        host = target.raw_host.decode("ascii")
        found = outside(host, self._port, "FORBEAR_WEBHOOK_INSIDE", self._ask)
        # The address stands in the URL; whom it is asked for, in the header and in the handshake.
        headers = headers | {"host": target.netloc.decode("ascii")}
        named = {"sni_hostname": host}
        return [
            self._client.build_request(
                "POST", target.copy_with(host=ip), content=body, headers=headers, extensions=named
            )
            for ip in found
        ]

    def _heard(self, request: httpx.Request) -> Answer:
        response = self._client.send(request, stream=True)
        try:
            return _read(response)
        finally:
            response.close()

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
