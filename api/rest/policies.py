"""Policies: what is on the shelf, and from when on each text is in force."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Page
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields
from api.rest.routes import router
from api.storage.errors import NotFound
from api.storage.shelf import activations_of, page_of_policies
from api.storage.tables import PolicyRow
from api.wiring import Wiring
from engine.policy import Manifest
from workflows.ports import PolicyNotFound


class PolicyOut(Body):
    """A policy, law pack, calendar or portfolio on the shelf."""

    digest: str = Field(description="sha256 of the manifest below: the text's identity.")
    kind: str
    name: str
    version: str
    effective_from: date
    published_at: AwareDatetime
    active_from: list[date] = Field(description="The days from which on it was put in force.")
    texts: dict[str, str] = Field(description="Path and sha256 of the raw bytes of each text.")


def policies_router(wiring: Wiring) -> APIRouter:
    """Return the paths of the shelf."""
    api = router("policies")

    @api.get("/policies", summary="List what is on the shelf")
    def page(
        kind: Annotated[str, Query(description="credit, collections, law, calendar, portfolio")] = "",
        name: Annotated[str, Query()] = "",
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[PolicyOut]:
        cursor = cursor_of(after, str, str, str) or ("", "", "")
        with wiring.database.read() as session:
            rows = page_of_policies(session, cursor, limit, kind, name)
            active = activations_of(session, [row.digest for row in rows])
        asked = {"kind": kind, "name": name, "fields": fields}
        return Page(
            items=[_out(row, active.get(row.digest, [])) for row in rows],
            next=page_of("/v1/policies", rows, limit, lambda row: (row.kind, row.name, row.digest), asked),
        )

    @api.get("/policies/{digest}", summary="Read what is kept of a text")
    def read(digest: str) -> PolicyOut:
        with wiring.database.read() as session:
            row = session.get(PolicyRow, digest)
            if row is None:
                raise PolicyNotFound(digest)
            return _out(row, activations_of(session, [digest]).get(digest, []))

    @api.get(
        "/policies/{digest}/texts/{path:path}", summary="Read a text, byte for byte", response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}},
    )  # fmt: skip
    def text(digest: str, path: str) -> Response:
        _, texts = wiring.shelf.texts(digest)
        if path not in texts:
            raise NotFound("text", f"{digest}/{path}")
        return Response(texts[path], media_type="application/octet-stream")

    return api


def _out(row: PolicyRow, active: list[date]) -> PolicyOut:
    return PolicyOut(
        digest=row.digest, kind=row.kind, name=row.name, version=row.version,
        effective_from=row.effective_from, published_at=row.published_at, active_from=active,
        texts=Manifest.model_validate_json(row.manifest).texts,
    )  # fmt: skip
