import asyncio

import httpx
import pytest

from api.demo.client import CallLost, CallRefused, Client


def client_of(answers: dict[str, httpx.Response]) -> Client:
    """A client whose calls are answered from a table of paths with their query."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer k"
        return answers[request.url.raw_path.decode()]

    client = Client("http://127.0.0.1:1", "k")
    client._http = httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url=client.url, headers={"Authorization": "Bearer k"}
    )
    return client


def test_pages_are_followed_to_the_end() -> None:
    client = client_of(
        {
            "/v1/x?limit=2": httpx.Response(
                200, json={"items": [{"n": 1}, {"n": 2}], "next": "/v1/x?limit=2&after=b"}
            ),
            "/v1/x?limit=2&after=b": httpx.Response(200, json={"items": [{"n": 3}], "next": None}),
        }
    )

    async def read() -> list[int]:
        return [item["n"] async for item in client.pages("/v1/x", limit=2)]

    assert asyncio.run(read()) == [1, 2, 3]


def test_a_problem_is_a_sentence_with_its_type() -> None:
    told = {"type": "/problems/account-not-found", "title": "No such account", "detail": "There is no `A9`."}
    client = client_of({"/v1/accounts/A9": httpx.Response(404, json=told)})
    with pytest.raises(CallRefused, match="There is no `A9`") as raised:
        asyncio.run(client.get("/v1/accounts/A9"))
    assert (raised.value.type, raised.value.status) == ("account-not-found", 404)


def test_refused_rows_are_named_by_line() -> None:
    lines = (
        '{"line":1,"status":201}\n{"line":2,"status":404,"problem":{"detail":"no account"}}\n{"summary":{}}\n'
    )
    client = client_of({"/v1/ledger/bulk": httpx.Response(200, text=lines)})
    assert asyncio.run(client.post_rows([{}, {}])) == ["line 2: no account"]


async def _flaky(refusals: int) -> tuple[asyncio.Server, list[int]]:
    """Serve on loopback; the first calls lose their connection without an answer."""
    seen: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        seen.append(1)
        if len(seen) > refusals:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0), seen


@pytest.mark.parametrize(("refusals", "calls"), [(0, 1), (2, 3)])
def test_a_call_that_loses_its_connection_is_made_again(refusals: int, calls: int) -> None:
    async def story() -> int:
        server, seen = await _flaky(refusals)
        async with server:
            client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "key")
            assert await client.post("/v1/x", {}) == {}
            await client.close()
        return len(seen)

    assert asyncio.run(story()) == calls


def test_a_call_that_is_never_answered_is_one_sentence() -> None:
    async def story() -> None:
        server, _ = await _flaky(99)
        async with server:
            client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "key")
            try:
                await client.get("/v1/x")
            finally:
                await client.close()

    with pytest.raises(CallLost, match=r"GET /v1/x: no answer after 3 attempts \(RemoteProtocolError\)"):
        asyncio.run(story())
