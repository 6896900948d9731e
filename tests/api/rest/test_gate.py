from __future__ import annotations

import pytest
from httpx import Client

from tests.api.conftest import Build
from tests.api.rest.conftest import Serve, a_bill


def slug(body: dict[str, object]) -> str:
    return str(body["type"]).removeprefix("/problems/")


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic {key}", "bearer {key}x"])
def test_without_the_key_nothing_is_told(shared: Client, given: str) -> None:
    key = shared.headers["authorization"].removeprefix("Bearer ")
    answer = shared.get("/v1/accounts", headers={"Authorization": given.format(key=key)})
    assert answer.status_code == 401
    assert slug(answer.json()) == "key-missing"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/health", "/problems/conflict"])
def test_the_pages_need_no_key(shared: Client, path: str) -> None:
    assert shared.get(path, headers={"Authorization": ""}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("[::1]:{port}", 200),
        ("127.0.0.1", 421),
        ("127.0.0.1:1", 421),
        ("evil.example:{port}", 421),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("", 421),
    ],
)
def test_only_its_own_names_are_answered(shared: Client, host: str, status: int) -> None:
    headers = {"Host": host.format(port=shared.base_url.port)}
    assert shared.get("/v1/accounts", headers=headers).status_code == status


def test_a_further_name_may_be_allowed(builder: Build, serve: Serve) -> None:
    api = serve(builder(hosts=("billing.internal",)))
    headers = {"Host": f"billing.internal:{api.base_url.port}"}
    assert api.get("/v1/accounts", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"],
)
def test_only_json_bodies_are_taken(shared: Client, kind: str) -> None:
    answer = shared.post("/v1/bills", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert slug(answer.json()) == "not-a-json-body"


def test_no_other_site_may_read(shared: Client) -> None:
    answer = shared.get("/v1/accounts", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = shared.options("/v1/bills", headers={"Origin": "https://evil.example"})
    assert preflight.status_code == 405


def test_a_large_body_is_turned_away_by_its_declared_length(builder: Build, serve: Serve) -> None:
    api = serve(builder(body_limit=1_000))
    answer = api.post("/v1/bills", json=a_bill(bill_no="x" * 2_000))
    assert answer.status_code == 413
    assert slug(answer.json()) == "body-too-large"


def test_a_large_body_without_a_declared_length_is_turned_away_while_it_is_read(
    builder: Build, serve: Serve
) -> None:
    api = serve(builder(body_limit=1_000))
    parts = (b" " * 400 for _ in range(10))
    answer = api.post("/v1/bills", content=parts, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_answers_are_not_cached(shared: Client, acct: str) -> None:
    answer = shared.get(f"/v1/accounts/{acct}")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_unknown_path_and_an_unknown_method_are_problems(shared: Client) -> None:
    assert slug(shared.get("/v1/nothing").json()) == "not-found"
    refused = shared.put("/v1/bills", json={})
    assert (refused.status_code, slug(refused.json())) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/docs", "/openapi.json", "/v1/accounts", "/v1/accounts/A9"]
)
def test_head_says_what_get_says_without_its_body(shared: Client, path: str) -> None:
    told, read = shared.head(path), shared.get(path)
    assert (told.status_code, told.content) == (read.status_code, b"")
    for name in ("content-type", "etag", "content-length"):
        assert told.headers.get(name) == read.headers.get(name)


def test_head_needs_the_key_and_a_path_that_is_read(shared: Client) -> None:
    nobody = shared.head("/v1/accounts", headers={"Authorization": ""})
    assert (nobody.status_code, nobody.content) == (401, b"")
    assert shared.head("/v1/ledger/bulk").status_code == 405
    assert shared.head("/v1/nothing").status_code == 404


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/v1/accounts/A%209", "/v1/accounts/A%209"),
        ("/v1/accounts/%E5%BC%A0?limit=1", "/v1/accounts/%E5%BC%A0"),
        ("/v1/nothing%22%3C", "/v1/nothing%22%3C"),
        ("/v1/accounts/a:b@c", "/v1/accounts/a:b@c"),
    ],
)
def test_an_instance_is_a_reference_as_it_may_be_written(shared: Client, path: str, instance: str) -> None:
    answer = shared.get(path)
    assert answer.status_code >= 400
    assert answer.json()["instance"] == instance
