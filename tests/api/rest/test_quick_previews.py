"""A preview past the framework is the preview of the path itself."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import pytest
from httpx import Client
from starlette.types import Message, Receive, Scope, Send

from api.rest.quick_previews import QuickPreviews
from api.wiring import Wiring
from tests.api.rest.conftest import Serve

PATH = "/v1/previews"
DAY = "2026-06-01"


def body(policy: str = "plain-credit", as_of: str | None = DAY, **facts: Any) -> dict[str, Any]:
    """Return a body; without facts, those of a customer of grade B."""
    return {
        "policy": policy,
        "as_of": as_of,
        "facts": facts or {"tenure_months": 3, "avg_monthly_bill": "80.10"},
    }


@pytest.fixture
def client(lite: Wiring, serve: Serve) -> Client:
    made = serve(lite)
    assert made.post(PATH, json=body()).status_code == 200  # from now on the policy is at hand
    return made


@pytest.mark.parametrize(
    "asked",
    [
        body(),
        body(tenure_months=24),
        body(tenure_months={"value": 24, "as_of": "2026-05-31", "source": "crm"}, avg_monthly_bill="12.5"),
        body(tenure_months={"value": 24, "as_of": "2027-05-31"}),
        body(tenure_months=-1),
        body(tenure_months="3"),
        body(tenure_months=3, unknown=1),
        body(policy="nobodys"),
        body(policy="plain-collections"),
        body(as_of="1950-01-01"),
        body(as_of="31.12.2026"),
        body() | {"facts": {}},
        body() | {"facts": [1]},
        body() | {"more": 1},
        {},
        [],
    ],
)
def test_it_answers_as_the_path_does(client: Client, asked: Any) -> None:
    quick = client.post(PATH, json=asked)
    path = client.post(PATH, params={"trace": "false"}, json=asked)
    assert (quick.status_code, quick.json()) == (path.status_code, path.json())
    assert quick.headers["content-type"] == path.headers["content-type"]
    assert quick.headers["cache-control"] == path.headers["cache-control"]


@pytest.mark.parametrize("text", [b"{", b'{"policy": 1.5}', b"\xff", b'{"a":1,"a":2}'])
def test_what_cannot_be_read_is_refused_as_ever(client: Client, text: bytes) -> None:
    headers = {"content-type": "application/json"}
    quick = client.post(PATH, content=text, headers=headers)
    path = client.post(PATH, params={"trace": "false"}, content=text, headers=headers)
    assert (quick.status_code, quick.json()) == (path.status_code, path.json())


class Reached(Exception):
    """The framework was asked."""


async def framework(scope: Scope, receive: Receive, send: Send) -> None:
    raise Reached


def ask(wiring: Wiring, said: dict[str, Any], method: str = "POST", query: bytes = b"") -> dict[str, Any]:
    """Ask with a framework behind it that may not be reached."""
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(said).encode(), "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    scope = {"type": "http", "path": PATH, "method": method, "query_string": query}
    asyncio.run(QuickPreviews(framework, wiring)(scope, receive, send))
    answered: dict[str, Any] = json.loads(told[1]["body"])
    return answered


def test_the_framework_is_not_asked_for_what_is_plain_and_at_hand(lite: Wiring) -> None:
    with pytest.raises(Reached):
        ask(lite, body())
    with lite.database.read() as session:
        digest = lite.library.require(session, "credit", "plain-credit", _day()).digest
        lite.library.credit(session, digest)
    assert ask(lite, body())["outcome"]["grade"] == "B"
    for method, query, said in (
        ("GET", b"", body()),
        ("POST", b"trace=true", body()),
        ("POST", b"", body(x=1)),
    ):
        with pytest.raises(Reached):
            ask(lite, said, method, query)


def test_a_text_is_at_hand_for_a_moment_only(lite: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    with lite.database.read() as session:
        digest = lite.library.require(session, "credit", "plain-credit", _day()).digest
        lite.library.credit(session, digest)
    assert lite.library.credit_at_hand("plain-credit", _day()) is not None
    monkeypatch.setattr("api.storage.library.AT_HAND_SECONDS", -1.0)
    assert lite.library.credit_at_hand("plain-credit", _day()) is None


def _day() -> date:
    return date.fromisoformat(DAY)
