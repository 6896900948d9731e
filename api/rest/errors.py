"""Which error gives which status: one table. Every answer that is not a success is a problem (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.rest.problems import instance, problem
from api.rest.strict_json import BadJson, pointer_of
from api.storage import errors as stored
from api.storage.brakes import BrakeNotOn
from api.storage.idempotency import KeyInFlight, KeyReused
from api.storage.overrides import BeyondAuthority, OverrideRefused
from engine.credit.errors import CreditError, FactProblem, FactsRefused
from engine.text import did_you_mean, suggest
from engine.watch.errors import EventRefused
from workflows.ports import AccountNotFound, PolicyNotFound, TextNotFound

log = logging.getLogger("forbear.api")


TABLE: tuple[tuple[type[Exception], str], ...] = (
    (AccountNotFound, "account-not-found"),
    (PolicyNotFound, "policy-not-found"),
    (TextNotFound, "policy-not-found"),
    (stored.CustomerNotFound, "customer-not-found"),
    (stored.CollectionsPolicyUnknown, "malformed-body"),
    (stored.NotFound, "not-found"),
    (BeyondAuthority, "beyond-authority"),
    (OverrideRefused, "malformed-body"),
    (BrakeNotOn, "brake-not-on"),
    (stored.AlreadyThere, "conflict"),
    (stored.EntryRefused, "entry-refused"),
    (stored.ReceivedBackwards, "received-backwards"),
    (stored.ReceiptTooEarly, "receipt-too-early"),
    (stored.StaleVersion, "precondition-failed"),
    (stored.NotSimulated, "not-simulated"),
    (stored.PolicyRefused, "policy-refused"),
    (KeyInFlight, "request-in-flight"),
    (KeyReused, "idempotency-key-reused"),
    (EventRefused, "event-refused"),
    (FactsRefused, "facts-refused"),
    (CreditError, "policy-failed"),
    (OperationalError, "database-away"),
)
"""Which error is which kind of problem; the first line that fits counts."""


_CLEARER = {
    "decimal_type": 'this is no amount; write a decimal string, as in `"12.50"`',
    "decimal_parsing": 'this is no amount; write a decimal string, as in `"12.50"`',
    "string_pattern_mismatch": "an id has letters, digits and `. _ : @ + -`; one of the first two begins it",
    "string_too_short": "this may not be empty",
    "string_type": "this is no text",
    "date_parsing": "this is no day; write it as in `2026-03-01`",
    "date_type": "this is no day; write it as in `2026-03-01`",
    "date_from_datetime_parsing": "this is no day; write it as in `2026-03-01`",
    "date_from_datetime_inexact": "this is no day; write it as in `2026-03-01`",
    "datetime_parsing": "this is no instant; write it as in `2026-03-01T10:00:00+08:00`",
    "datetime_from_date_parsing": "this is no instant; write it as in `2026-03-01T10:00:00+08:00`",
    "datetime_type": "this is no instant; write it as in `2026-03-01T10:00:00+08:00`",
    "timezone_aware": "this instant has no offset; write it as in `2026-03-01T10:00:00+08:00`",
    "too_short": "this list may not be empty",
    "dict_type": "this is no JSON object",
    "model_type": "this is no JSON object",
    "model_attributes_type": "this is no JSON object",
    "bool_parsing": "write `true` or `false`",
    "bool_type": "write `true` or `false`",
    "missing": "this field is needed",
    "union_tag_not_found": "this field is needed: it says what the rest is",
    "extra_forbidden": "there is no such field here",
}
"""What is said instead of pydantic's own words, where those speak of Python."""
_OF_A_KIND = ("union_tag_invalid", "union_tag_not_found")
AGAIN_IN = {503: 2}
"""Seconds after which it is worth while to ask again, by status."""
_ADDRESS = frozenset({"path", "query", "header"})
_OF_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}


class Refusal(Exception):
    """A refusal by the API itself, by its kind."""

    def __init__(self, slug: str, detail: str, pointer: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.extra = extra | ({} if pointer is None else {"errors": [{"pointer": pointer, "detail": detail}]})


class UnknownParameters(Exception):
    """The address has parameters that its path does not know; each with what is wrong."""

    def __init__(self, mistakes: Sequence[tuple[str, str]]) -> None:
        super().__init__(", ".join(name for name, _ in mistakes))
        self.mistakes = tuple(mistakes)


def problem_of(error: Exception) -> dict[str, Any] | None:
    """Return an error as a problem; None if it is not one that a caller can do anything about."""
    if isinstance(error, Refusal):
        return problem(error.slug, error.detail, **error.extra)
    if isinstance(error, UnknownParameters):
        return address_problem(error.mistakes)
    if isinstance(error, BadJson):
        return problem(error.slug, error.detail, errors=[{"pointer": error.pointer, "detail": error.detail}])
    slug = next((slug for kind, slug in TABLE if isinstance(error, kind)), None)
    if slug is None:
        return None
    if isinstance(error, OperationalError):
        log.error("The database cannot be used: %s", error.orig)
        return problem(slug, "The database does not answer. Nothing was kept; send the same again.")
    return problem(slug, str(error), **_extra(error))


def _extra(error: Exception) -> dict[str, Any]:
    if isinstance(error, KeyInFlight):
        return {"retry_after": error.again_in}
    if isinstance(error, stored.EntryRefused):
        return {
            "errors": [
                {"pointer": f"/{p.field}" if p.field else "", "detail": p.message, "code": p.code}
                | ({"advice": p.advice} if p.advice else {})
                for p in error.problems
            ]
        }
    if isinstance(error, FactsRefused):
        return {"errors": fact_mistakes(error.problems)}
    if isinstance(error, EventRefused):
        return {
            "errors": [
                {"pointer": p.pointer, "detail": _with_advice(p.message, p.advice), "code": p.code}
                for p in error.problems
            ]
        }
    if isinstance(error, OverrideRefused):
        return {"errors": [{"pointer": f"/{error.field}", "detail": str(error)}]}
    if isinstance(error, stored.CollectionsPolicyUnknown):
        return {"errors": [{"pointer": "/collections_policy", "detail": str(error)}]}
    if isinstance(error, stored.AlreadyThere):
        return {"errors": [{"pointer": f"/{name}", "detail": "differs"} for name in error.differs]}
    return {}


def fact_mistakes(problems: Sequence[FactProblem]) -> list[dict[str, str]]:
    """Return what is wrong with the facts of a body, each mistake with its pointer."""
    return [
        {"pointer": f"/facts{p.pointer}", "detail": _with_advice(p.message, p.advice), "code": p.code}
        for p in problems
    ]


def _with_advice(message: str, advice: str) -> str:
    """Return one sentence."""
    said = f"{message}; {advice}" if advice else message
    return said if said.endswith(("?", "...")) else f"{said.rstrip('.')}."


def validation_problem(errors: Sequence[Mapping[str, Any]], prefix: int = 1) -> dict[str, Any]:
    """Return what pydantic says about a body as one problem, each mistake with its pointer."""
    found = []
    wanted = [tuple(error["loc"])[prefix:] for error in errors if error["type"] == "missing"]
    for error in errors:
        location = tuple(error["loc"])[prefix:]
        if (
            error["type"] in _OF_A_KIND
        ):  # it is told of the whole body, but is about the field that says its kind
            location = (*location, str(error["ctx"]["discriminator"]).strip("'"))
        found.append(
            {"pointer": pointer_of(location), "detail": _said(error) + _meant(error, location, wanted)}
        )
    count = f"{len(found)} mistakes" if len(found) > 1 else "a mistake"
    first = f"`{found[0]['pointer'] or '/'}`: {found[0]['detail']}" if found else ""
    return problem("malformed-body", f"The request has {count}. {first}".strip(), errors=found)


def _meant(
    error: Mapping[str, Any], location: tuple[Any, ...], wanted: Sequence[tuple[Any, ...]]
) -> str:  # fmt: skip
    """Say of an unknown field which missing one beside it may have been meant."""
    if error["type"] != "extra_forbidden" or not location:
        return ""
    beside = [str(other[-1]) for other in wanted if other[:-1] == location[:-1]]
    near = suggest(str(location[-1]), beside)
    return f" Did you mean `{near}`?" if near else ""


def _request_problem(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if all(error["loc"] and error["loc"][0] in _ADDRESS for error in errors):
        return address_problem([(str(error["loc"][-1]), _said(error)) for error in errors])
    return validation_problem(errors)


def address_problem(mistakes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return mistakes in a path, its query or its headers as one problem; each is a name and a sentence."""
    found = [{"parameter": name, "detail": detail} for name, detail in mistakes]
    count = f"{len(found)} mistakes" if len(found) > 1 else "a mistake"
    name, detail = mistakes[0]
    return problem("malformed-address", f"The address has {count}. `{name}`: {detail}", errors=found)


def _said(error: Mapping[str, Any]) -> str:
    if error["type"] == "union_tag_invalid":
        tag, known = str(error["ctx"]["tag"]), str(error["ctx"]["expected_tags"]).replace("'", "").split(", ")
        return f"`{tag[:60]}`: there is no such kind; {did_you_mean(tag, known, of='there are')}"
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "this should", 1)
    message = _CLEARER.get(error["type"], message)
    given = error.get("input")
    if isinstance(given, str | int | bool) and error["type"] not in (
        "missing",
        "extra_forbidden",
        *_OF_A_KIND,
    ):
        return f"`{str(given)[:60]}`: {message if message.endswith('?') else f'{message}.'}"
    return message if message.endswith("?") else f"{message}."


def answer(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as an HTTP answer; of one that passes, with when to ask again (`Retry-After`)."""
    text = json.dumps(body, ensure_ascii=False).encode()
    said = dict(headers or {})
    if (again_in := body.get("retry_after")) or (again_in := AGAIN_IN.get(body["status"])):
        said.setdefault("Retry-After", str(again_in))
    return Response(text, body["status"], said, "application/problem+json")


def install(app: FastAPI) -> None:
    """Let the application answer every error by the table."""

    async def known(request: Request, error: Exception) -> Response:
        found = problem_of(error)
        if found is None:
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
            found = problem("internal", "The request could not be carried out.")
        return answer(found | {"instance": instance(request.url.path)})

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(_request_problem(error.errors()) | {"instance": instance(request.url.path)})

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        cause = error.__cause__
        if isinstance(cause, BadJson) and (found := problem_of(cause)):
            return answer(found | {"instance": instance(request.url.path)})
        slug = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}.get(
            error.status_code, "internal"
        )
        detail = (
            f"`{request.method} {request.url.path}` is not served here."
            if slug != "internal"
            else error.detail
        )
        headers = dict(error.headers or {})
        if slug == "method-not-allowed":
            headers["Allow"] = ", ".join(sorted(request.app.state.methods.of(request.url.path)))
        return answer(problem(slug, detail) | {"instance": instance(request.url.path)}, headers)

    for kind in (Refusal, BadJson, UnknownParameters, *(kind for kind, _ in TABLE)):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, known)
