"""The document says everything of every operation, and a client made from it works on the running server."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from httpx import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from api.rest.openapi import operations
from api.rest.problems import KINDS

AT = "2026-03-02T10:00:00+08:00"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def document(shared: Client) -> dict[str, Any]:
    found: dict[str, Any] = shared.get("/openapi.json").json()
    return found


def test_every_operation_is_told_whole(document: dict[str, Any]) -> None:
    names = []
    for path, method, operation in operations(document):
        names.append(operation["operationId"])
        where = f"{method} {path}"
        assert operation["summary"], where
        body = operation.get("requestBody", {}).get("content", {})
        asks_only = method == "get" or path.endswith(("/replay", "/resume"))
        assert bool(body) != asks_only, where
        answers = {code: r for code, r in operation["responses"].items() if code.startswith("2")}
        assert answers, where
        for content in (body, *(r.get("content", {}) for r in answers.values())):
            for media, said in content.items():
                assert "example" in said or "schema" in said, where
                assert "example" in said or media == "application/octet-stream", where
        if path.startswith("/v1"):
            assert {"400", "401", "404", "422", "503"} <= set(operation["responses"]), where
            if method != "get":
                assert {"409", "412", "413", "415"} <= set(operation["responses"]), where
    assert len(names) == len(set(names))


def test_every_example_is_one_of_its_schema(document: dict[str, Any]) -> None:
    count = 0
    for path, method, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media, said in ((m, s) for body in bodies for m, s in body.get("content", {}).items()):
            if media == "application/json":
                schema = said["schema"] | {"components": document["components"]}
                wrong = [e.message for e in Draft202012Validator(schema).iter_errors(said["example"])]
                assert wrong == [], f"{method} {path}"
                count += 1
    assert count > 150


def test_every_kind_of_problem_has_an_example(document: dict[str, Any]) -> None:
    found = {
        slug: example["value"]
        for response in document["components"]["responses"].values()
        for slug, example in response["content"]["application/problem+json"]["examples"].items()
    }
    assert set(found) == set(KINDS)
    assert {slug: said["type"] for slug, said in found.items()} == {s: f"/problems/{s}" for s in KINDS}


@pytest.fixture(scope="module")
def forbear_client(tmp_path_factory: pytest.TempPathFactory, shared: Client) -> Iterator[ModuleType]:
    """A client as its user makes it: with the published generator, from the document."""
    folder = tmp_path_factory.mktemp("client")
    path = folder / "openapi.json"
    path.write_bytes(shared.get("/openapi.json").content)
    subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", str(path), "--meta", "none",
            "--config", str(ROOT / "fixtures/clients/python.yaml"), "--fail-on-warning",
            "--output-path", str(folder / "forbear_client"),
        ],
        check=True, capture_output=True, env={"PATH": str(Path(sys.executable).parent)},
    )  # fmt: skip
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("forbear_client")
    finally:
        sys.path.remove(str(folder))


def part(name: str) -> Any:
    return importlib.import_module(f"forbear_client.{name}")


def test_a_generated_client_works_on_the_running_server(
    forbear_client: ModuleType, shared: Client, acct: str
) -> None:
    key = shared.headers["authorization"].removeprefix("Bearer ")
    client = forbear_client.AuthenticatedClient(base_url=str(shared.base_url), token=key)
    models = part("models")
    bill = models.BillBody.from_dict(
        {
            "account": acct, "id": "B1", "value_date": "2026-03-01", "due_date": "2026-03-18",
            "amount": "128.40", "received_at": "2026-03-01T10:00:00+08:00",
        }
    )  # fmt: skip
    stored = part("api.ledger.post_bill").sync_detailed(client=client, body=bill, idempotency_key=f"k-{acct}")
    assert (stored.status_code, stored.parsed.entry.amount) == (201, "128.40")
    assert part("api.ledger.post_bill").sync_detailed(client=client, body=bill).status_code == 200
    page = part("api.ledger.list_bills").sync(client=client, account=acct)
    assert [item.id for item in page.items] == ["B1"]
    account = part("api.accounts.read_account").sync_detailed(acct, client=client)
    tag = account.headers["etag"]
    assert account.parsed.version == 2
    assert part("api.accounts.read_account").sync_detailed(
        acct, client=client, if_none_match=tag
    ).status_code == 304  # fmt: skip
    missing = part("api.accounts.read_account").sync("nobody", client=client)
    assert isinstance(missing, models.ProblemBody)
    assert missing.type_ == "/problems/account-not-found"
    sheet = f"kind,account,id,value_date,amount,received_at\npayment,{acct},P1,2026-03-02,1.00,{AT}\n"
    sent = part("types").File(payload=sheet.encode(), mime_type="text/csv")
    answer = part("api.ledger.post_ledger_bulk").sync_detailed(client=client, body=sent)
    assert answer.headers["forbear-summary"] == "rows=1, stored=1, already=0, refused=0"
