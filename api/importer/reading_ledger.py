"""Reading the balances of a running server, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

import httpx

from api.importer.balances import Standing
from api.importer.posting import ServerRefused
from engine.ledger.ageing import AgedBalance

PAGE = 500


def position_over_http(
    url: str, key: str, account: str, as_of: date | None, known_at: str | None
) -> dict[str, Any]:
    """Return the position of an account as the server tells it. Raises ServerRefused."""
    with _client(url, key) as client:
        path = f"/v1/accounts/{quote(account, safe='')}/position"
        return _read(client, str(httpx.URL(path, params=_when(as_of, known_at))))


def _when(as_of: date | None, known_at: str | None) -> dict[str, str]:
    said = {"as_of": as_of.isoformat()} if as_of else {}
    return said | ({"known_at": known_at} if known_at else {})


def _client(url: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)


def _read(client: httpx.Client, path: str) -> dict[str, Any]:
    url = str(client.base_url).rstrip("/")
    try:
        answer = client.get(path)
    except httpx.HTTPError as error:
        raise ServerRefused(f"{url} does not answer: {error}. Is `forbear up` running?") from error
    if answer.status_code != 200:
        said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        raise ServerRefused(said.get("detail") or f"{url} answered {answer.status_code}.")
    found: dict[str, Any] = answer.json()
    return found


def balances_over_http(url: str, key: str, as_of: date | None, known_at: str | None) -> Iterator[Standing]:
    """Yield the balance of every account, in the order of their ids. Raises ServerRefused."""
    params = {"limit": str(PAGE)} | _when(as_of, known_at)
    following: str | None = str(httpx.URL("/v1/balances", params=params))
    with _client(url, key) as client:
        while following:
            page = _read(client, following)
            for item in page["items"]:
                balance = AgedBalance.model_validate(item["balance"])
                yield Standing(item["account"], item["currency"], balance)
            following = page["next"]
