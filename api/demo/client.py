"""A billing system's HTTP client: every call with the key, refusals as sentences."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import quote

import httpx

PATHS = {
    "bill": "bills", "payment": "payments", "payment_returned": "returned-payments",
    "return_reversed": "return-reversals", "refund": "refunds", "credit_note": "credit-notes",
    "adjustment": "adjustments", "dispute": "disputes", "dispute_resolved": "dispute-resolutions",
    "promise": "promises", "promise_withdrawn": "promise-withdrawals", "hold": "holds",
    "hold_released": "hold-releases", "fact": "facts", "write_off_mark": "write-off-marks",
    "demand": "demands", "deposit": "deposits",
}  # fmt: skip
"""Where each kind of entry is posted, for the kinds that the demo's billing system knows."""
WAIT = "wait=10"
KEEP_SECONDS = 30.0
"""A connection that was idle for longer is not used again: the server keeps it for some while more."""
ATTEMPTS = 3
"""Every call of ours may be made again: entries, receipts and runs go by their ids."""


class CallRefused(Exception):
    """A call was answered with a problem; it carries its type and its sentence."""

    def __init__(self, method: str, path: str, status: int, problem: dict[str, Any]) -> None:
        self.type = str(problem.get("type", "")).rsplit("/", 1)[-1]
        self.status = status
        self.problem = problem
        super().__init__(f"{method} {path}: {status} {problem.get('detail') or problem.get('title') or ''}")


class CallLost(Exception):
    """A call got no answer; the sentence says which, and what happened to its connection."""

    def __init__(self, method: str, path: str, why: httpx.TransportError) -> None:
        super().__init__(f"{method} {path}: no answer after {ATTEMPTS} attempts ({type(why).__name__}).")


class Client:
    """One keep-alive connection pool to the API."""

    def __init__(self, url: str, key: str, connections: int = 64) -> None:
        self.url = url
        limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_SECONDS
        )
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=120, limits=limits, trust_env=False
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(self, path: str, **query: Any) -> Any:
        """Read one thing."""
        return _answer(await self._call("GET", path, params=query or None))

    async def pages(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Read a list to its end, page by page."""
        page = await self.get(path, **query)
        while True:
            for item in page["items"]:
                yield item
            if not page["next"]:
                return
            page = await self.get(page["next"])

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        """Post one thing."""
        text = json.dumps(body, default=str).encode()
        headers = {"Content-Type": "application/json"} | headers
        return _answer(await self._call("POST", path, content=text, headers=headers))

    async def post_entry(self, account: str, entry: dict[str, Any]) -> Any:
        """Post one entry of a ledger; answered when the open case has been told."""
        return await self.post(f"/v1/{PATHS[entry['kind']]}", {"account": account, **entry}, Prefer=WAIT)

    async def post_rows(self, rows: Iterable[dict[str, Any]]) -> list[str]:
        """Post many rows at once as NDJSON; return a sentence for each that was refused."""
        text = b"".join(json.dumps(row, default=str).encode() + b"\n" for row in rows)
        headers = {"Content-Type": "application/x-ndjson"}
        response = await self._call("POST", "/v1/ledger/bulk", content=text, headers=headers)
        if response.status_code >= 300:
            _answer(response)
        answers = [json.loads(line) for line in response.text.splitlines()]
        return [f"line {a['line']}: {a['problem']['detail']}" for a in answers if a.get("problem")]

    async def confirm(self, key: str, receipt: dict[str, Any]) -> Any:
        """Say what became of an action."""
        return await self.post(f"/v1/actions/{quote(key)}/receipts", receipt, Prefer=WAIT)

    async def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._http.request(method, path, **more)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise CallLost(method, path, error) from error
        raise AssertionError("unreachable")


def _answer(response: httpx.Response) -> Any:
    if response.status_code < 300:
        return response.json() if response.content else None
    try:
        problem = response.json()
    except ValueError:
        problem = {"detail": response.text[:300]}
    request = response.request
    raise CallRefused(request.method, request.url.path, response.status_code, problem)
