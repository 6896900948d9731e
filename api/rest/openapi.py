"""The OpenAPI 3.1 document: what the framework says of each path, and what it does not know.

That is: stable names of operations, the key, the media type and the kinds of each failure, the answers to
repeated and conditional calls, and an example of every body, which follows from its schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from api.rest.problems import KINDS, problem
from api.rest.webhook_events import webhooks

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
_NEEDED = {
    "post_assessment": ("idempotency-key",),
    "patch_accounts": ("if-match",),
    "patch_customers": ("if-match",),
}
"""Headers without which an operation is refused, each with a problem of its own."""
_MORE = {"read_decisions_explanation": (406,)}
"""Failures that one operation alone has."""
_REPEATED = (
    "The same call again under the same key is answered with the stored answer, marked "
    "`idempotency-replayed: true`: what succeeded for 48 hours, what the ledger refused as it stands (409) "
    "for 10 minutes. Nothing is stored of what can be mended (a body, facts that a policy refuses, an old "
    "`If-Match`: every other 4xx) and of what failed here (5xx): mended or as it was, the call may come "
    "again under its key. Another call under a stored key is 422, one in flight 409 with `Retry-After`."
)
_PASSING = (409, 503)
_RETRY_AFTER = {
    "schema": {"type": "integer"},
    "description": "Seconds, where it passes by itself: `request-in-flight`, and every 503.",
}
_PROBLEM = "application/problem+json"
_EVERY = (400, 401, 403, 404, 405, 421, 503)
_WRITING = (409, 412, 413, 415, 428)
_WORDS = {
    "account": "A1001", "customer": "C1001", "currency": "CNY", "unit": "CNY", "timezone": "Asia/Shanghai",
    "segment": "consumer", "name": "consumer-credit", "policy": "consumer-credit", "kind": "credit",
    "key": "case/A1001/1/account/reminder/1/notify.sms.reminder/do", "action": "notify", "step": "reminder",
    "reached": "reminder", "workflow": "case/A1001/1", "bill": "B-2026-03", "payment": "P-77",
    "ref": "B-2026-03",
    "digest": f"sha256:{'0' * 64}", "facts_digest": f"sha256:{'0' * 64}", "run": "2026-06",
    "path": "policy.yaml",
    "trace_digest": f"sha256:{'0' * 64}", "detail": "sms 8812", "actor": "li.wei", "reason": "hospital",
    "decision": "assessment/6f1c", "request": "6f1c", "code": "SHORT_TENURE", "version": "2026.1",
    "engine": "0.1", "rule": "identity-changed-then-spike", "alert": "9d2f", "event": "E-1", "do": "notify",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "correlation_id": "bill-run-7",
    "rest": "9d2f/hold_orders/do", "status": "decided", "state": "open", "source": "crm",
    "next": "/v1/accounts?limit=1&after=WyJBMTAwMSJd",
}  # fmt: skip
"""What a text of this name looks like."""


def install(app: FastAPI) -> None:
    """Let the application give the whole document; it is made when it is first asked for."""
    plain = app.openapi
    made: list[Json] = []

    def whole() -> Json:
        if not made:
            made.append(completed(plain()))
        return made[0]

    app.openapi = whole  # type: ignore[method-assign]  # the framework's own way to change the document


def completed(document: Json) -> Json:
    """Return the framework's document with everything that it does not say."""
    document["servers"] = [{"url": "/", "description": "This server."}]
    parts = document["components"]
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "The key in `api.key`."}
    }
    document["security"] = [{"key": []}]
    parts["responses"] = {
        str(status): _failure(status) for status in sorted({k.status for k in KINDS.values()})
    }
    for path, method, operation in operations(document):
        operation["operationId"] = operation_id(path, method, operation)
        if not path.startswith("/v1"):
            operation["security"] = []
        _headers(method, operation)
        _failures(path, method, operation)
        _examples(document, operation)
    document["webhooks"], schemas = webhooks()
    parts["schemas"] |= schemas
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    """Return every path, method and operation."""
    for path, found in document["paths"].items():
        for method in METHODS:
            if method in found:
                yield path, method, found[method]


def operation_id(path: str, method: str, operation: Mapping[str, Any]) -> str:
    """Return the stable name of an operation, as generated clients call it: `post_bill`, `list_bills`."""
    parts = path.removeprefix("/v1").strip("/").split("/")
    fixed = [part.replace("-", "_").replace(".", "_") for part in parts if "{" not in part]
    reads_one = method == "get" and parts[-1].startswith("{")
    is_list = method == "get" and any(p["name"] == "limit" for p in operation.get("parameters", ()))
    verb = "list" if is_list else "read" if method == "get" else method
    if reads_one or (len(parts) == 1 and not is_list):
        fixed[-1] = re.sub(r"s$", "", re.sub(r"ies$", "y", fixed[-1]))
    return "_".join([verb, *fixed])


def _failure(status: int) -> Json:
    kinds = {slug: kind for slug, kind in KINDS.items() if kind.status == status}
    examples = {
        slug: {
            "summary": kind.title,
            "value": problem(slug, kind.advice) | {"instance": "/v1/accounts/A1001"},
        }
        for slug, kind in kinds.items()
    }
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    waits = {"Retry-After": _RETRY_AFTER} if status in _PASSING else {}
    return {
        "description": " / ".join(kind.title for kind in kinds.values()),
        **({"headers": waits} if waits else {}),
        "content": {_PROBLEM: {"schema": schema, "examples": examples}},
    }


def _headers(method: str, operation: Json) -> None:
    """Name the headers that are read before a path is found, and those that answers carry."""
    given = [("X-Correlation-ID", "Given back, and sent with all that follows from this call.", "bill-run-7")]
    given.append(("traceparent", "W3C Trace Context; sent with all that follows.", _WORDS["traceparent"]))
    said = {p["name"].lower() for p in operation.setdefault("parameters", [])}
    if method != "get" and "idempotency-key" not in said:
        given.append(("Idempotency-Key", _REPEATED, "8e03978e-40d5-43dd-bc93-6894a57f9324"))
    for name, text, example in given:
        schema = {"type": "string"}
        operation["parameters"].append(
            {"name": name, "in": "header", "required": False, "description": text, "schema": schema,
             "example": example}
        )  # fmt: skip
    for parameter in operation["parameters"]:
        _plain(parameter.get("schema", {}))
        if parameter["name"].lower() == "idempotency-key" and "replayed" not in parameter["description"]:
            parameter["description"] += f" {_REPEATED}"
        if parameter["name"].lower() in _NEEDED.get(operation["operationId"], ()):
            parameter["required"] = True
    for status, response in operation["responses"].items():
        if str(status).startswith("2"):
            response.setdefault("headers", {})["X-Correlation-ID"] = {"schema": {"type": "string"}}
            if method == "get" and "application/json" in response.get("content", {}):
                response["headers"]["ETag"] = {"schema": {"type": "string"}}


def _plain(schema: Json) -> None:
    """Say of a parameter what it is; that it may be left out is said by `required`."""
    kinds = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(kinds) == 1 and "anyOf" in schema:
        del schema["anyOf"]
        schema.update(kinds[0])


def _failures(path: str, method: str, operation: Json) -> None:
    found = operation["responses"]
    found.pop("4XX", None)
    if not path.startswith("/v1"):
        return
    writes = method != "get"
    more = _MORE.get(operation["operationId"], ())
    for status in sorted({*_EVERY, 422, 500, *more, *(_WRITING if writes else ())}):
        if status == 428 and method != "patch":
            continue
        own = found.get(str(status))
        if own is None:
            found[str(status)] = {"$ref": f"#/components/responses/{status}"}
        else:
            own.setdefault("content", {})[_PROBLEM] = {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
    if not writes and "application/json" in found["200"].get("content", {}):
        found["304"] = {"description": "It is as `If-None-Match` says."}
    if writes and "201" in found:
        found.setdefault("200", {k: v for k, v in found["201"].items() if k != "description"}
                         | {"description": "It was stored before, with the same content."})  # fmt: skip
    if "202" in found:
        found["201"] = found["202"] | {"description": "It is done."}


def _examples(document: Json, operation: Json) -> None:
    body = operation.get("requestBody", {}).get("content", {})
    answers = [response.get("content", {}) for response in operation["responses"].values()]
    for content in (body, *answers):
        for media, said in content.items():
            if not media.endswith("json") or media == "application/x-ndjson":
                said["schema"] = {"type": "string", "format": "binary"}
            if (
                media != _PROBLEM
                and media.endswith("json")
                and "example" not in said
                and "examples" not in said
            ):
                said["example"] = example_of(document, said.get("schema", {}))


def example_of(document: Mapping[str, Any], schema: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """Return an example that a schema allows: its own one, or one put together from those of its parts."""
    if "$ref" in schema:
        found = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return example_of(document, found, name, depth)
    if schema.get("examples"):
        return schema["examples"][0]
    for key in ("const", "default"):
        if schema.get(key) not in (None, "", [], {}):
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return example_of(document, _first(schema[key]), name, depth)
    return _of_type(document, schema, name, depth)


def _first(kinds: list[Json]) -> Json:
    """Return the kind to show: what is told plainly rather than nothing at all."""
    return next((kind for kind in kinds if kind.get("type") != "null"), kinds[0])


def _of_type(document: Mapping[str, Any], schema: Mapping[str, Any], name: str, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            if fields:
                return {key: example_of(document, field, key, depth + 1) for key, field in fields.items()}
            more = schema.get("additionalProperties")
            return {"grade": example_of(document, more, name, depth + 1)} if more and more is not True else {}
        case "array":
            if depth > 6 or schema.get("prefixItems"):
                return [example_of(document, item, name, depth + 1) for item in schema.get("prefixItems", ())]
            return [example_of(document, schema.get("items", {}), name, depth + 1)]
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
        case "null":
            return None
    return _text(schema, name)


def _text(schema: Mapping[str, Any], name: str) -> str:
    match schema.get("format"):
        case "date":
            return "2026-03-01"
        case "date-time":
            return "2026-03-01T10:00:00+08:00"
    if schema.get("pattern", "").startswith("^-?[0-9]"):
        return "128.40"
    if name == "id":
        return "B-2026-03"
    return _WORDS.get(name, name or "text")


def main() -> None:
    """Write the document, for whoever generates a client without a running server."""
    print(json.dumps(document_of(), indent=1, ensure_ascii=False))  # noqa: T201 - what it is for


def document_of() -> Json:
    """Return the document as every server of this version gives it."""
    import tempfile
    from pathlib import Path

    from api.rest.app import framework_app
    from api.settings import Settings
    from api.wiring import build

    with tempfile.TemporaryDirectory() as folder:
        wiring = build(Settings(data=Path(folder) / "data"), simulated=False)
        try:
            return framework_app(wiring).openapi()
        finally:
            wiring.close()


if __name__ == "__main__":
    main()
