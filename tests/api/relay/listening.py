"""A receiver as an operator would write it: it checks signatures with the published package."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook

Reply = Callable[[dict[str, Any]], tuple[int, Any]]


def takes(event: dict[str, Any]) -> tuple[int, Any]:
    return 202, None


def confirms(event: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"receipt": {"status": "done", "at": event["time"], "detail": "by the network"}}


@dataclass
class Listener:
    """What was received, in order, and how the next message is answered."""

    url: str
    reply: Reply = takes
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    also: dict[str, str] = field(default_factory=dict)
    """Headers of each answer besides the usual ones."""

    @property
    def keys(self) -> list[str]:
        return [event["id"] for event in self.events]


@contextmanager
def listening(secret: str, tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """Listen on a free loopback port until the block ends."""
    heard: Listener

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                event = Webhook(secret).verify(body, headers)
                message = HTTPMessage(headers={"content-type": headers["content-type"]}, body=body)
                from_http_event(message, JSONFormat())
            except Exception as error:
                heard.wrong.append(f"{type(error).__name__}: {error}")
                self._answer(400, None)
                return
            heard.events.append(event)
            heard.headers.append(headers)
            self._answer(*heard.reply(event))

        def _answer(self, status: int, said: Any) -> None:
            data = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            for name, value in heard.also.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    heard = Listener(f"http://127.0.0.1:{server.server_address[1]}/events")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
