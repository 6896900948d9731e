"""A real HTTP receiver of webhooks on the loopback: checks each signature, hands events to the network."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import uvicorn
from standardwebhooks import Webhook, WebhookVerificationError

from api.demo.network import Network

HOST = "127.0.0.1"
PATH = "/events"


class Receiver:
    """Listens for as long as it is entered; `port` 0 takes a free one."""

    def __init__(self, network: Network, port: int = 0) -> None:
        self._network = network
        self._webhook: Webhook | None = None
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)  # by name, or asyncio leaves Nagle's delay on
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((HOST, port))
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app, interface="asgi3", log_config=None, access_log=False, lifespan="off", ws="none"
            )
        )
        self._task: asyncio.Task[None] | None = None
        self.taken = 0
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        """Where events are to be sent."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}{PATH}"

    def trust(self, secret: str) -> None:
        """Take the secret that messages are signed with; before that everything is refused."""
        self._webhook = Webhook(secret)

    async def __aenter__(self) -> Self:
        # Not `serve`: that would take over the signals of the whole process.
        self._task = asyncio.create_task(self._server._serve([self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        if self._task:
            await self._task

    async def _app(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        status, body = self._handle(scope, await _body(receive))
        data = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    def _handle(self, scope: dict[str, Any], body: bytes) -> tuple[int, dict[str, Any]]:
        if (scope["method"], scope["path"]) != ("POST", PATH):
            return 404, {"detail": "there is nothing here"}
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            event = self._verified(body, headers)
        except WebhookVerificationError as error:
            self.refused.append(str(error))
            return 401, {"detail": str(error)}
        self.taken += 1
        receipt = self._network.carry_out(event)
        return (200, {"receipt": receipt}) if receipt else (202, {})

    def _verified(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        if self._webhook is None:
            raise WebhookVerificationError("nobody is trusted yet")
        event = self._webhook.verify(body, headers)
        if not isinstance(event, dict):
            raise WebhookVerificationError("the body is no event")
        return event


async def _body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes:
    data = b""
    while True:
        message = await receive()
        data += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return data
