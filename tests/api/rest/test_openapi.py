"""The document says everything of every operation, and a client made from it works on the running server."""

from __future__ import annotations

import importlib
import json
import re
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
from api.rest.webhook_events import ACTIONS
from api.storage.outbox import page_of_messages, with_cause
from api.storage.watch_actions import TOLD
from tests.api.conftest import Build
from tests.api.scenes import in_arrears, local

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


def test_every_event_that_goes_out_has_a_webhook_with_an_example_of_its_schema(
    document: dict[str, Any],
) -> None:
    told = document["webhooks"]
    assert set(told) == {f"forbear.action.{do}" for do in ACTIONS} | {f"forbear.alert.{do}" for do in TOLD}
    for kind, said in told.items():
        sent = said["post"]["requestBody"]["content"]["application/cloudevents+json"]
        assert wrong_in(document, kind, sent["example"]) == [], kind
        assert sent["example"]["type"] == kind
        answer = said["post"]["responses"]["2XX"]["content"]["application/json"]
        assert list(checker(document, answer["schema"]).iter_errors(answer["example"])) == []


def test_what_goes_out_is_as_the_document_says(document: dict[str, Any], builder: Build) -> None:
    wiring = builder()
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-06-30 00:00"))
    with wiring.database.read() as session:
        rows = [row for row in page_of_messages(session, 0, 500) if row.channel == "webhook"]
    events = [json.loads(with_cause(row, sequence=f"{row.id:012d}")) for row in rows]
    assert {event["data"]["do"] for event in events} > {"notify", "service", "task", "approve"}
    for event in events:
        assert wrong_in(document, event["type"], event) == [], event["id"]


def test_every_path_that_the_tm_forum_table_names_is_one_of_the_document(document: dict[str, Any]) -> None:
    text = (ROOT / "api/rest/TMFORUM.md").read_text(encoding="utf-8")
    named = {
        re.sub(r"\?.*", "", path).replace("{id}", "{}") for path in re.findall(r"/v1/[a-z/{}?=-]+", text)
    }
    served = {re.sub(r"\{[^}]*\}", "{}", path) for path in document["paths"]}
    assert len(named) > 20
    assert named <= served


def wrong_in(document: dict[str, Any], kind: str, event: dict[str, Any]) -> list[str]:
    content = document["webhooks"][kind]["post"]["requestBody"]["content"]
    found = checker(document, content["application/cloudevents+json"]["schema"]).iter_errors(event)
    return [error.message for error in found]


def checker(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    return Draft202012Validator(schema | {"components": document["components"]})


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
