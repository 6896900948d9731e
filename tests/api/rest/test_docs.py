from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from httpx import Client

from api.rest.entry_bodies import RESOURCES
from api.rest.problems import KINDS


class Page(HTMLParser):
    """What a browser would load and show."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(api: Client, path: str) -> Page:
    found = Page()
    found.feed(api.get(path).text)
    return found


def test_the_page_loads_nothing_from_elsewhere(shared: Client) -> None:
    docs = page(shared, "/docs")
    assert "script" not in docs.tags
    assert all(url.startswith(("#", "/")) for url in docs.loads)
    assert "default-src 'none'" in shared.get("/docs").headers["content-security-policy"]


def test_every_path_is_on_the_page(shared: Client) -> None:
    document = shared.get("/openapi.json").json()
    text = "".join(page(shared, "/docs").text)
    for path, operations in document["paths"].items():
        assert path in text
        for operation in operations.values():
            assert operation["summary"] in text


def test_every_kind_of_problem_is_explained(shared: Client) -> None:
    text = "".join(page(shared, "/docs").text)
    for slug, kind in KINDS.items():
        assert slug in text
        assert kind.title in "".join(page(shared, f"/problems/{slug}").text)
    assert shared.get("/problems/nothing").status_code == 404


def test_the_examples_of_the_page_are_taken(shared: Client, acct: str) -> None:
    """What the page shows can be posted as it stands, but for the names of others."""
    for path, body in RESOURCES.items():
        (example,) = body.model_json_schema()["examples"]
        at = "2026-03-05T10:00:00+08:00"
        account = {"id": f"{acct}-{path}", "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
        shared.post("/v1/accounts", json=account)
        answer = shared.post(f"/v1/{path}", json=example | {"account": account["id"], "received_at": at})
        assert answer.status_code == 201, (path, answer.text)


def test_documents_are_openapi_3_1_and_say_what_fails(shared: Client) -> None:
    document = shared.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "ProblemBody" in document["components"]["schemas"]
    refs = set(re.findall(r'"\$ref": ?"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert refs <= set(document["components"]["schemas"])
