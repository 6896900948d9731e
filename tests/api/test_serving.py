"""How the API listens."""

from __future__ import annotations

import asyncio
import socket

from api.serving import _bound


def test_an_answer_is_not_held_back_until_its_head_was_acknowledged() -> None:
    async def story() -> int:
        delays: asyncio.Queue[int] = asyncio.Queue()

        class Answering(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                taken: socket.socket = transport.get_extra_info("socket")
                delays.put_nowait(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.close()

        bound = _bound("127.0.0.1", 0)
        server = await asyncio.get_running_loop().create_server(Answering, sock=bound)
        async with server:
            _, writer = await asyncio.open_connection(*bound.getsockname())
            off = await delays.get()
            writer.close()
            return off

    assert asyncio.run(story()) == 1
