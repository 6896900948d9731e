"""What a reader gets: only the fields that were asked for, under a tag, and nothing when it knows it already.

Tags are strong (RFC 9110, 8.8.3): other bytes, another tag. That of an account begins with its version, and
`If-Match` compares only that: a write must not lose to a timer that moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header, Query, Request, Response
from pydantic import BaseModel

from api.rest.errors import Refusal, UnknownParameters
from engine.text import did_you_mean

Fields = Annotated[
    str,
    Query(
        max_length=1000, examples=["id,amount"],
        description="Only these fields, by name, comma separated (TMF630); left out: all of them.",
    ),
]  # fmt: skip
IfNoneMatch = Annotated[
    str | None, Header(description="The `ETag` of what is known: the same again is answered 304, empty.")
]
IfMatch = Annotated[
    str | None,
    Header(
        description="The `ETag` of what was read, or an account's version in quotes: if something came in "
        "between, nothing is written and the answer is 412."
    ),
]


def reading(fields: Fields = "", if_none_match: IfNoneMatch = None) -> None:
    """Declare what every read takes; `represent` carries it out."""


def represent(request: Request, response: Response) -> Response:
    """Leave out what was not asked for, tag what is left, and answer 304 to whoever has it."""
    if response.status_code != 200 or not isinstance(response.body, bytes):
        return response
    mark = response.headers.get("etag") or tag(bytes(response.body))
    if wanted := request.query_params.get("fields", ""):
        response = _chosen(response, wanted)
        mark = f"{mark[:-1]}.{tag(wanted.encode())[1:]}"
    response.headers["ETag"] = mark
    if _knows(request.headers.get("if-none-match", ""), mark):
        return Response(status_code=304, headers={"ETag": mark})
    return response


def tag(body: bytes) -> str:
    """Return the strong tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def tag_of(found: BaseModel, version: int | None = None) -> str:
    """Return the strong tag of a resource; `version` stands at its beginning."""
    mark = tag(found.model_dump_json().encode())
    return mark if version is None else f'"{version}-{mark[1:]}'


def version_of(if_match: str | None) -> int | None:
    """Return the version that `If-Match` speaks of; None where any will do. Raises Refusal (412)."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip()
    version = text.strip('"').partition("-")[0]
    if not (len(text) > 2 and text[0] == text[-1] == '"' and version.isascii() and version.isdigit()):
        raise Refusal("precondition-failed", f"`If-Match: {text[:60]}` is no tag of an account.")
    return int(version[:18])


def needed(if_match: str | None, what: str) -> str:
    """Return `If-Match`; raise Refusal (428, RFC 6585) where it is left out of what overwrites."""
    if if_match is None:
        raise Refusal(
            "precondition-required",
            f"This overwrites what is kept of the {what}: send the `ETag` of what you read as `If-Match`.",
        )
    return if_match.strip()


def matches(if_match: str, mark: str) -> bool:
    """Tell whether `If-Match` names a tag (strong comparison), or any.

    What was read in part, with `fields`, was read at the same state.
    """
    known = [part.strip().strip('"').partition(".")[0] for part in if_match.split(",")]
    return if_match == "*" or (mark.strip('"') in known and "W/" not in if_match)


def _knows(if_none_match: str, mark: str) -> bool:
    known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return mark in known or "*" in known


def _chosen(response: Response, wanted: str) -> Response:
    said = json.loads(bytes(response.body))
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    if isinstance(said, dict) and "items" in said:
        said["items"] = _pick(said["items"], names)
    elif isinstance(said, list):
        said = _pick(said, names)
    else:
        (said,) = _pick([said], names)
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    kept = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(body, response.status_code, kept, "application/json")


def _pick(rows: list[Mapping[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    known = dict.fromkeys(name for row in rows for name in row)
    for name in names:
        if rows and name not in known:
            advice = did_you_mean(name, known, of="there are")
            raise UnknownParameters([("fields", f"there is no field `{name[:60]}` here; {advice}")])
    return [{name: row[name] for name in names if name in row} for row in rows]
