"""Many rows at once: NDJSON in, one answer a row out; good rows are kept, or none, as asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from api.rest.bulk_bodies import RowAnswer, Rows, Summary, SummaryLine, to_item
from api.rest.customers import told_on
from api.rest.entry_bodies import RESOURCES, kind_of
from api.rest.errors import problem_of, validation_problem
from api.rest.routes import Prefer, router, wait_for
from api.rest.strict_json import BadJson, loads
from api.storage.bulk import Batch, Item, NewCustomer, NewEntry
from api.storage.fact_notes import FactNotes
from api.storage.session import Work
from api.wiring import Wiring

CHUNK = 1_000
"""Rows of one transaction when good rows are kept."""
_NOT_KEPT = 424
"""The row was good, but another one was not, and all or none was asked."""
_NDJSON = "application/x-ndjson"
_ABOUT = f"""Each row has the body of its own path, and `kind`: customer, account,
{", ".join(kind_of(body) for body in RESOURCES.values())}.

The answer has one line a row, and a summary as its last line. Open cases are told; cases that are due are
opened by the next sweep, because a load is not news."""
_EXAMPLE = (
    '{"kind":"customer","id":"C1001","segment":"consumer"}\n'
    '{"kind":"account","id":"A1001","customer":"C1001","currency":"CNY","timezone":"Asia/Shanghai"}\n'
    '{"kind":"bill","account":"A1001","id":"B-1","value_date":"2026-03-01","due_date":"2026-03-18",'
    '"amount":"128.40"}\n'
)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    item: Item | None
    answer: RowAnswer | None = None
    """Set when the row is refused before anything is read for it."""


class _NothingKept(Exception):
    """The transaction must leave no trace: a row was refused and all or none was asked, or a dry run."""


def bulk_router(wiring: Wiring) -> APIRouter:
    """Return the bulk path."""
    api = router("ledger")

    @api.post(
        "/ledger/bulk", summary="Post customers, accounts and entries, one JSON object a line",
        description=_ABOUT,
        response_class=Response,
        openapi_extra={"requestBody": {"required": True, "content": {_NDJSON: {"example": _EXAMPLE}}}},
        responses={
            200: {"content": {_NDJSON: {}}, "description": "Everything that is good is kept."},
            422: {"content": {_NDJSON: {}}, "description": "`mode=all`, a row was refused: nothing is kept."},
        },
    )  # fmt: skip
    async def post(
        request: Request,
        mode: Annotated[
            Literal["each", "all"], Query(description="`each`: good rows are kept; `all`: all or none.")
        ] = "each",
        dry_run: Annotated[bool, Query(description="Say what would happen, and keep nothing.")] = False,
        prefer: Prefer = None,
    ) -> Response:
        body = await request.body()
        answers, outbox = await run_in_threadpool(_load, wiring, body, mode == "all", dry_run)
        kept = not (mode == "all" and any(a.status >= 400 for a in answers))
        if not kept:
            answers = [a if a.status >= 400 else a.model_copy(update={"status": _NOT_KEPT}) for a in answers]
        lines = [a.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for a in answers]
        lines.append(SummaryLine(summary=_summary(answers, kept and not dry_run)).model_dump(mode="json"))
        response = Response("".join(map(_line, lines)), 200 if kept else 422, media_type=_NDJSON)
        await wait_for(wiring, outbox, prefer, response)
        return response

    return api


def _line(said: dict[str, Any]) -> str:
    # In ASCII: what some readers take for the end of a line never stands in one.
    return json.dumps(said, separators=(",", ":")) + "\n"


def _load(wiring: Wiring, body: bytes, all_or_none: bool, dry_run: bool) -> tuple[list[RowAnswer], list[int]]:
    rows = list(_rows(wiring, body))
    size = max(1, len(rows)) if all_or_none or dry_run else CHUNK
    answers: list[RowAnswer] = []
    outbox: list[int] = []
    for start in range(0, len(rows), size):
        try:
            with wiring.database.write() as work:
                found = _take(wiring, work, rows[start : start + size])
                answers += found
                if dry_run or (all_or_none and any(a.status >= 400 for a in found)):
                    raise _NothingKept
            outbox += work.outbox
        except _NothingKept:
            pass
    return answers, outbox


def _take(wiring: Wiring, work: Work, rows: Sequence[_Row]) -> list[RowAnswer]:
    items = [row.item for row in rows if row.item is not None]
    batch = Batch(work, wiring.writer, items, clamp=not wiring.simulated)
    answers = [row.answer or _add(batch, row) for row in rows]
    batch.finish()
    return _noted(wiring, work, rows, answers)


def _noted(
    wiring: Wiring, work: Work, rows: Sequence[_Row], answers: Sequence[RowAnswer]
) -> list[RowAnswer]:  # fmt: skip
    """Add to the answers on customers what the policies in force make of what was told."""
    by_day: dict[date, FactNotes] = {}
    found = []
    for row, answer in zip(rows, answers, strict=True):
        if isinstance(row.item, NewCustomer) and answer.status < 400:
            day = told_on(wiring, row.item.at)
            if day not in by_day:
                by_day[day] = FactNotes.of(work.session, wiring.library, day)
            answer = answer.model_copy(update={"notes": by_day[day].on(row.item.segment, row.item.facts)})
        found.append(answer)
    return found


def _add(batch: Batch, row: _Row) -> RowAnswer:
    assert row.item is not None
    kind, name = _named(row.item)
    try:
        new = batch.add(row.item)
    except Exception as error:
        said = problem_of(error)
        if said is None:
            raise
        return RowAnswer(line=row.line, status=said["status"], kind=kind, id=name, problem=said)
    return RowAnswer(line=row.line, status=201 if new else 200, kind=kind, id=name)


def _named(item: Item) -> tuple[str, str]:
    if isinstance(item, NewEntry):
        return item.entry.kind, item.entry.id
    return type(item).__name__.removeprefix("New").lower(), item.id


def _rows(wiring: Wiring, body: bytes) -> Iterator[_Row]:
    now = wiring.clock.now()
    for number, text in enumerate(body.split(b"\n"), start=1):
        if text.strip():
            yield _row(wiring, number, text, now)


def _row(wiring: Wiring, number: int, text: bytes, now: datetime) -> _Row:
    try:
        return _Row(number, to_item(wiring, Rows.validate_python(loads(text), strict=False), now))
    except ValidationError as error:
        said = validation_problem(error.errors(include_url=False), prefix=1)
    except BadJson as error:
        said = problem_of(error) or {}
    except Exception as error:
        said = problem_of(error) or {}
        if not said:
            raise
    return _Row(number, None, RowAnswer(line=number, status=said["status"], problem=said))


def _summary(answers: Sequence[RowAnswer], kept: bool) -> Summary:
    return Summary(
        rows=len(answers), stored=sum(a.status == 201 for a in answers),
        already=sum(a.status == 200 for a in answers),
        refused=sum(a.status >= 400 and a.status != _NOT_KEPT for a in answers), kept=kept,
    )  # fmt: skip
