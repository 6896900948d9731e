"""Whatever is sent, the answer is a success or a problem that names the mistake: never a failure of ours."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from httpx import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.rest.entry_bodies import RESOURCES
from api.rest.strict_json import BadJson, loads

PATHS = sorted(
    [f"/v1/{path}" for path in RESOURCES]
    + [
        "/v1/customers",
        "/v1/accounts",
        "/v1/feeds",
        "/v1/previews",
        "/v1/simulation/open",
        "/v1/simulation/deliver",
    ]
    + ["/v1/customers/C1/facts", "/v1/actions/case/A1/1/x/receipts", "/v1/events", "/v1/simulation/watch"]
    + ["/v1/alerts/x/confirm", "/v1/alerts/x/dismiss", "/v1/actions/alert/x/y/do/receipts"]
)
NAMES = sorted({name for body in RESOURCES.values() for name in body.model_fields} | {"facts", "at", "x"})
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
ODD = [
    "A1", "2026-03-01", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
    "2026-03-01T00:00:00Z", "1.00", "-1", "1e999", "1e-999", "9" * 40, 10**33, 2**63, -(2**63), "\x00",
    "\ud800", "", " ", "../..", "'; DROP TABLE entries; --",
]  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(ODD)
)


def nested(scalars: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    def more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)

    return st.recursive(scalars, more, max_leaves=10)


VALUES = nested(SCALARS, st.text(max_size=8))
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
LISTS = [
    "/v1/bills",
    "/v1/cases",
    "/v1/decisions",
    "/v1/policies",
    "/v1/tasks",
    "/v1/actions",
    "/v1/accounts",
    "/v1/events",
    "/v1/alerts",
    "/v1/alerts/flags",
]
QUIET = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
    database=None,
)


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        said = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert said["type"].startswith("/problems/")
        assert said["status"] == answer.status_code
        assert said["detail"]


@QUIET
@given(path=st.sampled_from(PATHS), body=BODIES)
def test_any_json(shared: Client, path: str, body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()
    check(shared.post(path, content=text, headers={"Content-Type": "application/json"}))


@QUIET
@given(path=st.sampled_from(PATHS), text=st.binary(max_size=200))
def test_any_bytes(shared: Client, path: str, text: bytes) -> None:
    check(shared.post(path, content=text, headers={"Content-Type": "application/json"}))


@QUIET
@given(rows=st.lists(BODIES.map(lambda b: json.dumps(b).encode()) | st.binary(max_size=60), max_size=6))
def test_any_bulk_body(shared: Client, rows: list[bytes]) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    answer = shared.post("/v1/ledger/bulk", content=b"\n".join(rows), headers=headers)
    assert answer.status_code == 200
    *said, last = (json.loads(line) for line in answer.text.splitlines())
    assert last["summary"]["rows"] == len(said)
    assert all(row["status"] < 500 for row in said)


@QUIET
@given(path=st.sampled_from(sorted(RESOURCES)), name=st.sampled_from(NAMES), value=VALUES)
def test_one_odd_field_in_a_good_body(api: Client, path: str, name: str, value: Any) -> None:
    (example,) = RESOURCES[path].model_json_schema()["examples"]
    body = example | {"account": "A1", "received_at": "2026-03-05T10:00:00+08:00", name: value}
    text = json.dumps(body).encode()
    check(api.post(f"/v1/{path}", content=text, headers={"Content-Type": "application/json"}))


@QUIET
@given(
    path=st.sampled_from(LISTS),
    query=st.dictionaries(
        st.sampled_from(["limit", "after", "account", "state", "customer", "kind", "case", "x"]),
        PLAIN | st.sampled_from(["\x00", str(2**70), "-1"]),
        max_size=4,
    ),
)
def test_any_query(api: Client, path: str, query: dict[str, str]) -> None:
    check(api.get(path, params=query))


@QUIET
@given(path=st.sampled_from(LISTS), cursor=st.lists(SCALARS, max_size=3))
def test_any_cursor(api: Client, path: str, cursor: list[Any]) -> None:
    text = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
    check(api.get(path, params={"after": text}))


@pytest.mark.parametrize(
    "path",
    ["/v1/accounts/%00", "/v1/cases/A1/99999999999999999999", "/v1/bills/A1/%ff", "/v1/actions/%2e%2e/x"],
)
def test_odd_paths(api: Client, path: str) -> None:
    check(api.get(path))


@QUIET
@given(nested(st.none() | st.booleans() | st.integers(-(10**33), 10**33) | PLAIN, PLAIN))
def test_json_that_may_stand_is_read_as_it_is(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize("text", [b"1.0", b"[1e5]", b"{}x", b"nul", b'"' + b"\xed\xa0\x80" + b'"'])
def test_json_that_may_not_stand_is_refused(text: bytes) -> None:
    with pytest.raises(BadJson):
        loads(text)
