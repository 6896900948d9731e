"""Many rows at once: NDJSON or CSV in, one answer a row out; good rows are kept, or none, as asked."""

from __future__ import annotations

import csv
import io
import json
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from api.rest.bulk_bodies import RowAnswer, Rows, Summary, SummaryLine, to_item
from api.rest.bulk_reading import CSV, NDJSON, RawRow, reader_of
from api.rest.customers import told_on
from api.rest.entry_bodies import RESOURCES, kind_of
from api.rest.errors import Refusal, problem_of, validation_problem
from api.rest.gate import BULK_FACTOR
from api.rest.routes import Prefer, router, wait_for
from api.storage.bulk import Batch, Item, NewCustomer, NewEntry
from api.storage.entry_notes import notes_on
from api.storage.fact_notes import FactNotes
from api.storage.session import Work
from api.wiring import Wiring

log = logging.getLogger("forbear.api")
CHUNK = 1_000
"""Rows of one transaction when good rows are kept."""
_NAME = 64
"""So much of what a refused row calls itself is said."""
_NOT_KEPT = 424
"""The row was good, but another one was not, and all or none was asked."""
_IN_MEMORY = 1_000_000
"""Bytes of answers that are held in memory; more go to a file until the whole body is read."""
_ABOUT = f"""Each row has the body of its own path, and `kind`: customer, account,
{", ".join(kind_of(body) for body in RESOURCES.values())}.

CSV has the names of fields in its first line; an empty cell says nothing, a cell that begins with `[` or `{{`
is JSON, `facts.<name>` is a fact of a customer.

The answer has one line a row, and a summary as its last line; with `Accept: text/csv` it is CSV, and only the
header `Forbear-Summary` sums up. A body of any size is taken, {CHUNK:,} rows a transaction, and answered
when it was read. Rows are idempotent by kind and id: after an interruption send the same body again.
`mode=all`, `dry_run` and an `Idempotency-Key` need the whole body at once and take up to fifty times the
body limit.

Open cases are told; cases that are due are opened by the next sweep, because a load is not news."""
_CSV_HEAD = b"line,status,kind,id,problem,detail\r\n"
_ANSWER = (
    '{"line":1,"status":201,"kind":"customer","id":"C1001"}\n'
    '{"line":2,"status":201,"kind":"account","id":"A1001"}\n'
    '{"line":3,"status":200,"kind":"bill","id":"B-1"}\n'
    '{"summary":{"rows":3,"stored":2,"already":1,"refused":0,"kept":true}}\n'
)
_CSV_ANSWER = "line,status,kind,id,problem,detail\n2,201,bill,B-1,,\n3,201,payment,P-1,,\n"
_EXAMPLE = (
    '{"kind":"customer","id":"C1001","segment":"consumer"}\n'
    '{"kind":"account","id":"A1001","customer":"C1001","currency":"CNY","timezone":"Asia/Shanghai"}\n'
    '{"kind":"bill","account":"A1001","id":"B-1","value_date":"2026-03-01","due_date":"2026-03-18",'
    '"amount":"128.40"}\n'
)


_CSV_EXAMPLE = (
    "kind,account,id,value_date,due_date,amount\n"
    "bill,A1001,B-1,2026-03-01,2026-03-18,128.40\n"
    "payment,A1001,P-1,2026-03-09,,128.40\n"
)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    item: Item | None
    answer: RowAnswer | None = None
    """Set when the row is refused before anything is read for it."""


class _NothingKept(Exception):
    """The transaction must leave no trace: a row was refused and all or none was asked, or a dry run."""


@dataclass
class _Load:
    """One body on its way: what was read of it, what became of it."""

    wiring: Wiring
    kind: str
    together: bool
    """All rows in one transaction."""
    all_or_none: bool
    dry_run: bool
    as_csv: bool
    out: IO[bytes]
    now: datetime
    outbox: list[int] = field(default_factory=list)
    summary: Summary = field(
        default_factory=lambda: Summary(rows=0, stored=0, already=0, refused=0, kept=True)
    )

    def take(self, rows: Sequence[RawRow]) -> None:
        """Carry out rows in one transaction and write their answers."""
        read = [_row(self.wiring, row, self.kind, self.now) for row in rows]
        answers: list[RowAnswer] = []
        try:
            with self.wiring.database.write() as work:
                answers = _take(self.wiring, work, read)
                if self.dry_run or (self.all_or_none and any(a.status >= 400 for a in answers)):
                    raise _NothingKept
            self.outbox += work.outbox
        except _NothingKept:
            pass
        kept = not (self.all_or_none and any(a.status >= 400 for a in answers))
        if not kept:
            answers = [a if a.status >= 400 else a.model_copy(update={"status": _NOT_KEPT}) for a in answers]
        self._count(answers, kept and not self.dry_run)
        for answer in answers:
            self.out.write(_csv_line(answer) if self.as_csv else _line(_plain(answer)))

    def end(self) -> None:
        """Write the last line."""
        if not self.as_csv:
            self.out.write(_line(SummaryLine(summary=self.summary).model_dump(mode="json")))
        self.out.seek(0)

    def _count(self, answers: Sequence[RowAnswer], kept: bool) -> None:
        was = self.summary
        self.summary = Summary(
            rows=was.rows + len(answers), stored=was.stored + sum(a.status == 201 for a in answers),
            already=was.already + sum(a.status == 200 for a in answers),
            refused=was.refused + sum(a.status >= 400 and a.status != _NOT_KEPT for a in answers), kept=kept,
        )  # fmt: skip


def bulk_router(wiring: Wiring) -> APIRouter:
    """Return the bulk path."""
    api = router("ledger")
    content = {NDJSON: {"example": _EXAMPLE}, CSV: {"example": _CSV_EXAMPLE}}
    answers = {NDJSON: {"example": _ANSWER}, CSV: {"example": _CSV_ANSWER}}

    @api.post(
        "/ledger/bulk", summary="Post customers, accounts and entries, one a line",
        description=_ABOUT,
        response_class=Response,
        openapi_extra={
            "requestBody": {
"required": True, "content": {m: e | {"schema": {"type": "string"}} for m, e in content.items()}
            }
        },
        responses={
            200: {"content": answers, "description": "Everything that is good is kept."},
            422: {"content": {NDJSON: {}}, "description": "`mode=all`, a row was refused: nothing is kept."},
        },
    )  # fmt: skip
    async def post(
        request: Request,
        mode: Annotated[
            Literal["each", "all"], Query(description="`each`: good rows are kept; `all`: all or none.")
        ] = "each",
        dry_run: Annotated[bool, Query(description="Say what would happen, and keep nothing.")] = False,
        kind: Annotated[
            str, Query(max_length=64, description="The kind of the rows that do not say one.")
        ] = "",
        prefer: Prefer = None,
    ) -> Response:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        accept = request.headers.get("accept", "")
        as_csv = CSV in accept and NDJSON not in accept
        # Answers wait until the body was read: a client that does not read while it sends would stop us.
        out = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed when it was sent
        load = _Load(
            wiring, kind, mode == "all" or dry_run, mode == "all", dry_run, as_csv, out, wiring.clock.now()
        )
        try:
            if as_csv:
                out.write(_CSV_HEAD)
            async for rows in _chunks(request, media, wiring.settings.body_limit, load.together):
                await run_in_threadpool(load.take, rows)
            load.end()
        except ClientDisconnect:
            out.close()
            log.info("A load broke off after %d rows; what was whole is kept", load.summary.rows)
            return Response(status_code=400)  # nobody hears it
        except BaseException:
            out.close()
            raise
        found = load.summary
        said = f"rows={found.rows}, stored={found.stored}, already={found.already}, refused={found.refused}"
        response = StreamingResponse(
            _parts(out), 422 if mode == "all" and found.refused else 200, {"Forbear-Summary": said},
            CSV if as_csv else NDJSON,
        )  # fmt: skip
        await wait_for(wiring, load.outbox, prefer, response)
        return response

    return api


async def _chunks(request: Request, media: str, limit: int, together: bool) -> AsyncIterator[list[RawRow]]:
    """Read a body as it comes; give its rows so many at once, or all of them. Raises Refusal, BadJson."""
    reader, rows, size = reader_of(media, limit), list[RawRow](), 0
    async for part in request.stream():
        size += len(part)
        if together and size > limit * BULK_FACTOR:
            raise Refusal("body-too-large", f"The body is larger than {limit * BULK_FACTOR:,} bytes.")
        for row in reader.feed(part):
            rows.append(row)
            if len(rows) >= CHUNK and not together:
                yield rows
                rows = []
    rows += reader.end()
    if rows:
        yield rows


def _parts(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        while part := out.read(65_536):
            yield part


def _plain(answer: RowAnswer) -> dict[str, Any]:
    return answer.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def _line(said: dict[str, Any]) -> bytes:
    # In ASCII: what some readers take for the end of a line never stands in one.
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def _csv_line(answer: RowAnswer) -> bytes:
    said = answer.problem or {}
    slug, detail = str(said.get("type", "")).rpartition("/")[2], str(said.get("detail", ""))
    row = [
        str(answer.line),
        str(answer.status),
        answer.kind,
        answer.id,
        slug,
        detail or "; ".join(answer.notes),
    ]
    out = io.StringIO()
    # A spreadsheet would take a cell that begins with one of these for a formula.
    csv.writer(out).writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in row])
    return out.getvalue().encode()


def _take(wiring: Wiring, work: Work, rows: Sequence[_Row]) -> list[RowAnswer]:
    items = [row.item for row in rows if row.item is not None]
    batch = Batch(work, wiring.writer, items, clamp=not wiring.simulated)
    answers = [row.answer or _add(batch, row) for row in rows]
    batch.finish()
    return _noted(wiring, work, rows, answers)


def _noted(
    wiring: Wiring, work: Work, rows: Sequence[_Row], answers: Sequence[RowAnswer]
) -> list[RowAnswer]:  # fmt: skip
    """Add to the answers on customers, holds and facts what the policies in force make of what was told."""
    by_day: dict[date, FactNotes] = {}
    found = []
    for row, answer in zip(rows, answers, strict=True):
        if isinstance(row.item, NewCustomer) and answer.status < 400:
            day = told_on(wiring, row.item.at)
            if day not in by_day:
                by_day[day] = FactNotes.of(work.session, wiring.library, day)
            answer = answer.model_copy(update={"notes": by_day[day].on(row.item.segment, row.item.facts)})
        elif isinstance(row.item, NewEntry) and answer.status < 400:
            notes = notes_on(work.session, wiring.library, row.item.account, row.item.entry)
            answer = answer.model_copy(update={"notes": notes}) if notes else answer
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


def _row(wiring: Wiring, raw: RawRow, kind: str, now: datetime) -> _Row:
    number, said = raw.line, raw.said
    if kind and isinstance(said, dict):
        said = {"kind": kind} | said
    try:
        if raw.wrong is not None:
            raise raw.wrong
        return _Row(number, to_item(wiring, Rows.validate_python(said, strict=False), now))
    except ValidationError as error:
        found = validation_problem(error.errors(include_url=False), prefix=1)
    except Exception as error:
        found = problem_of(error) or {}
        if not found:
            raise
    named = {name: _as_said(said, name) for name in ("kind", "id")}
    return _Row(number, None, RowAnswer(line=number, status=found["status"], problem=found, **named))


def _as_said(said: object, name: str) -> str:
    """Return what a row that was refused calls itself, as far as it can be told."""
    value = said.get(name) if isinstance(said, dict) else None
    return value[:_NAME] if isinstance(value, str) and value.isprintable() else ""
