"""Posting rows to the bulk path of a running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import httpx

Mode: TypeAlias = Literal["each", "all"]
Post: TypeAlias = Callable[[bytes, Mode, bool], list[dict[str, Any]]]
"""(NDJSON, mode, dry run) -> the server's answer to each row, in order."""


class ServerRefused(Exception):
    """The server did not take the request as a whole; the sentence is its own."""


def answers(url: str) -> bool:
    """Tell whether a server is there at all."""
    try:
        httpx.get(f"{url}/health", timeout=2, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def over_http(url: str, key: str) -> Post:
    """Return how rows are posted to a server over HTTP."""

    def post(body: bytes, mode: Mode, dry_run: bool) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        query = {"mode": mode, "dry_run": "true" if dry_run else "false"}
        try:
            answer = httpx.post(
                f"{url}/v1/ledger/bulk",
                content=body,
                headers=headers,
                params=query,
                timeout=600,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise ServerRefused(f"{url} does not answer: {error}. Is `forbear up` running?") from error
        if not answer.headers.get("content-type", "").startswith("application/x-ndjson"):
            said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            raise ServerRefused(said.get("detail") or f"{url} answered {answer.status_code}.")
        rows = [json.loads(line) for line in answer.text.split("\n") if line]
        return [row for row in rows if "summary" not in row]

    return post
