"""Entries of the ledger: one path for each kind, posted one by one; the same again is answered as stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, create_model

from api.rest.bodies import Body, Day, Page
from api.rest.entry_bodies import RESOURCES, EntryBody, kind_of, to_body, to_entry
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields, IfMatch, version_of
from api.rest.routes import Prefer, received, router, wait_for
from api.storage.accounts import get_account
from api.storage.entries import Days, entry_row, page_of_entries
from api.storage.entry_notes import notes_on
from api.storage.errors import NotFound
from api.storage.tables import EntryRow
from api.storage.wording import said, with_article
from api.wiring import Wiring

Notes = Annotated[
    list[str],
    Field(
        description="Of a hold or a fact that is kept, but of which the account's collections policy knows "
        "nothing, or would refuse it; in words."
    ),
]


class StoredEntry(Body):
    """An entry as it is stored, and the account's version after it."""

    entry: dict[str, Any]
    version: int
    notes: Notes


def entries_router(wiring: Wiring) -> APIRouter:
    """Return the paths of all kinds of entries."""
    api = router("ledger")
    for path, body in RESOURCES.items():
        _add_kind(api, wiring, path, body)
    _add_whole_ledger(api, wiring)
    return api


def _add_kind(api: APIRouter, wiring: Wiring, path: str, body_type: type[EntryBody]) -> None:
    kind = kind_of(body_type)
    name = said(kind)
    one = with_article(name)

    async def post(
        body: EntryBody, response: Response, prefer: Prefer = None, if_match: IfMatch = None
    ) -> StoredEntry:
        entry = to_entry(body, received(wiring, body.received_at))
        expected = version_of(if_match)

        def write() -> tuple[StoredEntry, bool, list[int]]:
            with wiring.database.write() as work:
                posted = wiring.writer.post(
                    work, body.account, entry, clamp=not wiring.simulated, expected=expected,
                    currency=body.currency or "",
                )  # fmt: skip
                notes = notes_on(work.session, wiring.library, body.account, posted.entry)
            stored = StoredEntry(
                entry=to_body(body.account, posted.entry), version=posted.version, notes=notes
            )
            return stored, posted.new, work.outbox

        stored, new, outbox = await run_in_threadpool(write)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        response.headers["Location"] = f"/v1/{path}/{body.account}/{quote(body.id, safe='')}"
        await wait_for(wiring, outbox, prefer, response)
        return stored

    post.__annotations__["body"] = body_type

    def find(account: str, ref: str) -> dict[str, Any]:
        with wiring.database.read() as session:
            row = entry_row(session, account, kind, ref)
        if row is None:
            raise NotFound(name, f"{account}/{ref}")
        return _out(row)

    def page(
        account: Annotated[str, Query(description="Of one account.")] = "",
        value_from: Annotated[Day | None, Query(alias="from", description="First `value_date`.")] = None,
        value_to: Annotated[Day | None, Query(alias="to", description="Last `value_date`.")] = None,
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[dict[str, Any]]:
        asked = {"account": account, "from": value_from, "to": value_to, "fields": fields}
        days = (value_from, value_to)
        return _page(wiring, f"/v1/{path}", kind, account, days, limit, after, asked)

    told = body_type.__doc__ or ""
    api.post(
        f"/{path}", status_code=201, summary=f"Post {one}", description=told, name=f"post_{kind}",
        response_description="Stored now (201), or stored before with the same content (200)",
        responses={201: {"model": _stored_type(body_type)}},
    )(post)  # fmt: skip
    api.get(
        f"/{path}", summary=f"List {path.replace('-', ' ')}", name=f"list_{kind}",
        responses={200: {"model": Page[body_type]}},  # type: ignore[valid-type]  # for the document alone
    )(page)  # fmt: skip
    api.get(
        f"/{path}/{{account}}/{{ref:path}}", summary=f"Read {one}", name=f"read_{kind}",
        responses={200: {"model": body_type}},
    )(find)  # fmt: skip


def _stored_type(body_type: type[EntryBody]) -> type[Body]:
    """Return what is answered to a post of one kind, for the document alone."""
    name = f"Stored{body_type.__name__}"
    return create_model(
        name, __base__=Body, __doc__=StoredEntry.__doc__, entry=body_type, version=(int, ...),
        notes=(Notes, ...),
    )  # fmt: skip


def _add_whole_ledger(api: APIRouter, wiring: Wiring) -> None:
    @api.get(
        "/accounts/{account}/entries", summary="List everything that happened to an account, as received"
    )
    def whole(
        account: str,
        value_from: Annotated[Day | None, Query(alias="from", description="First `value_date`.")] = None,
        value_to: Annotated[Day | None, Query(alias="to", description="Last `value_date`.")] = None,
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[dict[str, Any]]:
        with wiring.database.read() as session:
            get_account(session, account)
        asked = {"from": value_from, "to": value_to, "fields": fields}
        path = f"/v1/accounts/{account}/entries"
        return _page(wiring, path, "", account, (value_from, value_to), limit, after, asked)


def _page(
    wiring: Wiring, path: str, kind: str, account: str, days: Days, limit: int, after: str,
    asked: Mapping[str, object],
) -> Page[dict[str, Any]]:  # fmt: skip
    cursor = cursor_of(after, str, int) or ("", 0)
    with wiring.database.read() as session:
        rows = page_of_entries(session, kind, account, cursor, limit, days)
    return Page(
        items=[_out(row) for row in rows],
        next=page_of(path, rows, limit, lambda row: (row.account, row.seq), asked),
    )


def _out(row: EntryRow) -> dict[str, Any]:
    return {"account": row.account, **json.loads(row.body)}
