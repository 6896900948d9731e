"""Events of watching: what happened to customers, one by one or many at once; watch rules look at them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field, ValidationError
from sqlmodel import Session

from api.rest.bodies import Body, Id, Instant, Page, ReceivedAt, example
from api.rest.bulk_bodies import RowAnswer, Summary, SummaryLine
from api.rest.errors import problem_of, validation_problem
from api.rest.paging import After, Limit, cursor_of, instant_of, page_of
from api.rest.routes import received, router
from api.rest.strict_json import loads
from api.storage.errors import NotFound
from api.storage.watch_events import Joined, Told, event_of, page_of_events
from api.storage.watch_tables import WatchEventRow
from api.wiring import Wiring
from engine.watch import WatchEvent

CHUNK = 1_000
"""Events of one transaction."""
MOST_VALUES = 50
_NDJSON = "application/x-ndjson"
_ABOUT = """Each line has the body of `POST /v1/events`. Good events are kept, each refused one is answered.

The answer has one line an event, and a summary as its last line."""
_EXAMPLE = (
    '{"id":"E-1","type":"identity_changed","at":"2026-03-08T09:00:00+08:00","customer":"C1001"}\n'
    '{"id":"E-2","type":"usage","at":"2026-03-10T23:59:00+08:00","customer":"C1001",'
    '"values":{"account":"A1001","amount":"90.00"}}\n'
)
Value = bool | int | Annotated[str, Field(max_length=200)] | None


class EventBody(Body):
    """Something that happened, of a type that a watch policy in force declares."""

    model_config = example(
        id="E-2", type="usage", at="2026-03-10T23:59:00+08:00", customer="C1001",
        values={"account": "A1001", "amount": "90.00"},
    )  # fmt: skip
    id: Id = Field(description="Unique over all events: the same again changes nothing.")
    type: str = Field(min_length=1, max_length=64)
    at: Instant = Field(description="When it happened; late and out of order is allowed.")
    customer: Id | None = None
    values: dict[str, Value] = Field(
        default={}, max_length=MOST_VALUES,
        description="By property; decimals, dates and instants are strings.",
    )  # fmt: skip
    received_at: ReceivedAt = None


class WindowRef(Body):
    """A window that an event stands in."""

    policy: str
    per: str
    subject: str


class EventOut(Body):
    """An event as it is stored."""

    id: str
    type: str
    at: AwareDatetime
    customer: str
    values: dict[str, Any]
    received_at: AwareDatetime


class EventTaken(EventOut):
    """An event that was taken, and the windows that will be looked at because of it."""

    windows: list[WindowRef] = Field(
        description="Empty: no rule looks at it, as `notes` say, or it was there."
    )
    notes: list[str] = Field(
        description="Why no rule of a policy will look at it, or not yet, or which window is too full: a"
        " sentence for each."
    )


def events_router(wiring: Wiring) -> APIRouter:
    """Return the paths of events."""
    api = router("watching")

    @api.post("/events", status_code=201, summary="Tell that something happened")
    def post(body: EventBody, response: Response) -> EventTaken:
        told = _told(wiring, body)
        with wiring.database.write() as work:
            wiring.events.check(work.session, told)
            (joined,) = wiring.events.take(work, [told])
            full = wiring.events.full(work.session, [joined])
            notes = [*wiring.events.notes(work.session, told), *full.get(told.event.id, [])]
        if joined.refused is not None:
            raise joined.refused
        response.status_code = status.HTTP_201_CREATED if joined.new else status.HTTP_200_OK
        response.headers["Location"] = f"/v1/events/{joined.event.id}"
        windows = [WindowRef(policy=p, per=per, subject=who) for p, per, who in joined.windows]
        said = _said(joined.event)
        return EventTaken(windows=windows, notes=notes, **said, received_at=joined.received_at)

    @api.post(
        "/events/bulk", summary="Tell many events, one JSON object a line", description=_ABOUT,
        response_class=Response,
        openapi_extra={"requestBody": {"required": True, "content": {_NDJSON: {"example": _EXAMPLE}}}},
        responses={200: {"content": {_NDJSON: {}}, "description": "Everything that is good is kept."}},
    )  # fmt: skip
    async def bulk(request: Request) -> Response:
        answers = await run_in_threadpool(_load, wiring, await request.body())
        lines = [a.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for a in answers]
        lines.append(SummaryLine(summary=_summary(answers)).model_dump(mode="json"))
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        return Response(text, 200, media_type=_NDJSON)

    @api.get("/events", summary="List events, in the order in which they happened")
    def page(
        customer: Annotated[str, Query(description="Of one customer.")] = "",
        limit: Limit = 100,
        after: After = "",
    ) -> Page[EventOut]:
        cursor = cursor_of(after, str, str)
        place = (instant_of(cursor[0]), cursor[1]) if cursor else None
        with wiring.database.read() as session:
            rows = page_of_events(session, place, limit, customer)
        following = page_of(
            "/v1/events", rows, limit, lambda row: (row.at.isoformat(), row.id), {"customer": customer}
        )
        return Page(items=[_out(row) for row in rows], next=following)

    @api.get("/events/{event:path}", summary="Read an event")
    def read(event: str) -> EventOut:
        with wiring.database.read() as session:
            row = session.get(WatchEventRow, event)
        if row is None:
            raise NotFound("event", event)
        return _out(row)

    return api


def _told(wiring: Wiring, body: EventBody, together: datetime | None = None) -> Told:
    said = body.model_dump(include={"id", "type", "at", "values"}) | {"customer": body.customer or ""}
    at = together if together and body.received_at is None else received(wiring, body.received_at)
    return Told(WatchEvent.model_validate(said), at)


def _said(event: WatchEvent) -> dict[str, Any]:
    said = event.model_dump(mode="json", include={"id", "type", "customer", "values"})
    return said | {"at": event.at}


def _out(row: WatchEventRow) -> EventOut:
    return EventOut(**_said(event_of(row)), received_at=row.received_at)


def _load(wiring: Wiring, body: bytes) -> list[RowAnswer]:
    rows = list(_rows(wiring, body))
    answers: list[RowAnswer] = []
    for start in range(0, len(rows), CHUNK):
        with wiring.database.write() as work:
            checked = [_checked(wiring, work.session, *row) for row in rows[start : start + CHUNK]]
            good = [one for one in checked if isinstance(one, tuple)]
            found = wiring.events.take(work, [told for _, told in good])
            taken, full = iter(found), wiring.events.full(work.session, found)
            for one in checked:
                if isinstance(one, tuple):
                    notes, joined = wiring.events.notes(work.session, one[1]), next(taken)
                    notes += full.get(joined.event.id, []) if joined.new else []
                    answers.append(_answer(one[0], joined, notes))
                else:
                    answers.append(one)
    return answers


def _rows(wiring: Wiring, body: bytes) -> Iterator[tuple[int, Told | RowAnswer]]:
    # What comes together became known together: a window is looked at once for it, not once for each line.
    together = None if wiring.simulated else received(wiring, None)
    for line, text in enumerate(body.split(b"\n"), start=1):
        if text.strip():
            try:
                yield line, _told(wiring, EventBody.model_validate(loads(text)), together)
            except ValidationError as error:
                yield line, _refused(line, validation_problem(error.errors(include_url=False), prefix=0))
            except Exception as error:
                yield line, _refused(line, _problem(error))


def _checked(
    wiring: Wiring, session: Session, line: int, row: Told | RowAnswer
) -> tuple[int, Told] | RowAnswer:
    if isinstance(row, RowAnswer):
        return row
    try:
        wiring.events.check(session, row)
    except Exception as error:
        return _refused(line, _problem(error), row.event.id)
    return line, row


def _answer(line: int, joined: Joined, notes: list[str]) -> RowAnswer:
    if joined.refused is not None:
        return _refused(line, _problem(joined.refused), joined.event.id)
    kept = 201 if joined.new else 200
    return RowAnswer(line=line, status=kept, kind="event", id=joined.event.id, notes=notes)


def _refused(line: int, said: dict[str, Any], event: str = "") -> RowAnswer:
    return RowAnswer(line=line, status=said["status"], kind="event", id=event, problem=said)


def _problem(error: Exception) -> dict[str, Any]:
    """Return an error as a problem; raise it if it is not one that a caller can do anything about."""
    said = problem_of(error)
    if said is None:
        raise error
    return said


def _summary(answers: Sequence[RowAnswer]) -> Summary:
    return Summary(
        rows=len(answers), stored=sum(a.status == 201 for a in answers),
        already=sum(a.status == 200 for a in answers), refused=sum(a.status >= 400 for a in answers),
        kept=True,
    )  # fmt: skip
