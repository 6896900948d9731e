"""The page of the API, made from its OpenAPI document on this server: nothing is loaded from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.rest.errors import Refusal
from api.rest.problems import KINDS

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--get:#0a6;--post:#06c}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1.5rem}
h1{margin:.2rem 0}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;padding:.3rem .8rem}
summary{cursor:pointer}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.7rem;overflow:auto;border-radius:.3rem;white-space:pre-wrap}
.m{display:inline-block;min-width:3.2rem;font-weight:700}.get{color:var(--get)}.post{color:var(--post)}
table{border-collapse:collapse;margin:.5rem 0}
td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}
nav a{margin-right:1rem}.n{opacity:.75}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def docs_router(app: FastAPI) -> APIRouter:
    """Return the open pages: the API's documentation and the kinds of problem."""
    api = APIRouter(include_in_schema=False)
    pages: dict[str, str] = {}

    @api.get("/")
    def root() -> Response:
        return RedirectResponse("/docs")

    @api.get("/docs")
    def docs() -> Response:
        if "docs" not in pages:
            pages["docs"] = render(app.openapi())
        return _html(pages["docs"])

    @api.get("/problems/{slug}")
    def problem(slug: str) -> Response:
        if slug not in KINDS:
            raise Refusal("not-found", f"There is no kind of problem `{slug}`.")
        kind = KINDS[slug]
        text = f"<h1>{escape(kind.title)}</h1><p>HTTP {kind.status}, type <code>/problems/{slug}</code></p>"
        return _html(
            _page(kind.title, f"{text}<p>{_prose(kind.advice)}</p><p><a href='/docs'>The API</a></p>")
        )

    return api


def _html(text: str) -> Response:
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})


def _page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{body}</html>"
    )


def render(document: Mapping[str, Any]) -> str:
    """Return an OpenAPI document as one page."""
    parts = [f"<h1>{escape(document['info']['title'])} API {escape(document['info']['version'])}</h1>"]
    parts += [f"<p>{_prose(text)}</p>" for text in document["info"]["description"].split("\n\n")]
    tags = [tag["name"] for tag in document["tags"]]
    parts.append("<nav>" + "".join(f"<a href='#{tag}'>{tag}</a>" for tag in (*tags, "problems")))
    parts.append("<a href='/openapi.json'>openapi.json</a></nav>")
    for tag in document["tags"]:
        parts.append(f"<h2 id='{tag['name']}'>{tag['name']}</h2><p>{_prose(tag['description'])}</p>")
        parts += _operations(document, tag["name"])
    parts.append("<h2 id=problems>problems</h2><table>")
    for slug, kind in KINDS.items():
        link = f"<a href='/problems/{slug}'><code>{slug}</code></a>"
        parts.append(
            f"<tr><td>{link}<td>{kind.status}<td>{escape(kind.title)}<td class=n>{_prose(kind.advice)}"
        )
    return _page("Forbear API", "".join(parts) + "</table>")


def _operations(document: Mapping[str, Any], tag: str) -> Iterator[str]:
    for path, operations in (document["paths"] | document.get("webhooks", {})).items():
        for method, operation in operations.items():
            if tag in operation.get("tags", ()):
                yield _operation(document, path, method, operation)


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    head = (
        f"<details><summary><span class='m {method}'>{method.upper()}</span> <code>{escape(path)}</code> "
        f"<span class=n>{escape(operation.get('summary', ''))}</span></summary>"
    )
    parts = [head]
    if operation.get("description"):
        parts.append(f"<p>{_prose(operation['description'])}</p>")
    if parameters := operation.get("parameters"):
        rows = (
            f"<tr><td><code>{escape(p['name'])}</code><td>{p['in']}<td>{_prose(p.get('description', ''))}"
            for p in parameters
        )
        parts.append(f"<table>{''.join(rows)}</table>")
    if content := operation.get("requestBody", {}).get("content"):
        for kind, media in content.items():
            schema = _resolve(document, media.get("schema", {}))
            example = media.get("example") or next(iter(schema.get("examples", ())), None)
            parts.append(_fields(document, schema) + _call(path, method, kind, example))
    return "".join(parts) + "</details>"


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    rows = [
        f"<tr><td><code>{escape(name)}</code><td>{_type(document, field)}"
        f"<td>{'needed' if name in needed else ''}<td>{_prose(field.get('description', ''))}"
        for name, field in schema.get("properties", {}).items()
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _type(document: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    if "const" in field:
        return f"<code>{escape(str(field['const']))}</code>"
    if "enum" in field:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in field["enum"])
    for key in ("anyOf", "oneOf"):
        if key in field:
            return " or ".join(dict.fromkeys(_type(document, part) for part in field[key]))
    if "$ref" in field:
        return escape(field["$ref"].rsplit("/", 1)[1])
    if field.get("type") == "array":
        return f"list of {_type(document, field.get('items', {}))}"
    return escape(str(field.get("format") or field.get("type") or "any"))


def _resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def _call(path: str, method: str, kind: str, example: Any) -> str:
    if example is None:
        return ""
    text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
    if not path.startswith("/"):
        return f"<pre>{escape(text)}</pre>"  # a webhook: what the receiver is sent
    call = (
        f'curl -X {method.upper()} "$FORBEAR{path}" \\\n  -H "Authorization: Bearer $KEY" '
        f"-H 'Content-Type: {kind}' \\\n  --data-binary '{text}'"
    )
    return f"<pre>{escape(call)}</pre>"


def _prose(text: str) -> str:
    parts = escape(text.strip(), quote=False).split("`")
    marked = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    return marked.replace("\n", "<br>")
