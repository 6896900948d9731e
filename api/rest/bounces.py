"""Bounces: what a mail system says later of a notice that it had accepted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from api.relay.bounced import NoReport, Outcome, Report, read_report
from api.rest.bodies import Body, ReceivedAt, Ref, example
from api.rest.errors import Refusal
from api.rest.routes import Prefer, received, router, wait_for
from api.rest.strict_json import loads
from api.storage.accounts import get_account
from api.storage.acting import receipt_id
from api.storage.actions import get_action, happened_at
from api.storage.errors import NotFound
from api.storage.mailed import keys_mailed
from api.wiring import Wiring
from engine.ledger.entries import Receipt

MAIL = "message/rfc822"
_ABOUT = f"""Notices by e-mail count as done once the mail server has taken them. What comes back later is
posted here: the whole mail as it came, as `{MAIL}` (a report as RFC 3464 has it, with the header of our
message), or its content as JSON.

`failed` (or a status 5.x.x that says no more) is a `failed` receipt of the notice: it does not count any
more, and the next channel of `fallback` has its turn. Whatever may still come (`delayed`, 4.x.x) or did come
changes nothing, and nothing is written of it."""
MAIL_EXAMPLE = """From: MAILER-DAEMON@mx.example
To: billing@telecom.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

Your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; li@customer.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b1
Content-Type: text/rfc822-headers

Message-ID: <case.A1001.1.account.reminder.1.notify.email.reminder.do@telecom.example>

--b1--
"""


class BounceBody(Body):
    """What a mail system says of a message (RFC 3464)."""

    model_config = example(
        message_id="<case.A1001.1.account.reminder.1.notify.email.reminder.do@telecom.example>",
        action="failed", status="5.1.1", recipient="li@customer.example",
        diagnostic="550 5.1.1 no such user",
    )  # fmt: skip
    message_id: Annotated[str, Field(min_length=1, max_length=998)] = Field(
        description="The `Message-ID` of the notice."
    )
    action: Outcome | None = Field(
        default=None, description="What was done; left out: `failed` for 5.x.x, `delayed` for 4.x.x."
    )
    status: str = Field(pattern=r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}$", description="RFC 3463.")
    recipient: str = Field(default="", max_length=320)
    diagnostic: str = Field(default="", max_length=1_000)


class NoticeOut(Body):
    """What became of a notice that the message carried."""

    key: Ref
    account: str
    state: str = Field(description="The notice's state now, as `GET /v1/actions/{key}` tells it.")
    new: bool = Field(description="Whether this call changed it.")


class BounceOut(Body):
    """What a report was taken for."""

    message_id: str
    action: Outcome
    status: str
    notices: list[NoticeOut] = Field(description="One, or all that went out together.")


def bounces_router(wiring: Wiring) -> APIRouter:
    """Return the path of what mail systems report."""
    api = router("cases")
    schema = BounceBody.model_json_schema()
    content = {
        "application/json": {"schema": schema, "example": schema["examples"][0]},
        MAIL: {"schema": {"type": "string"}, "example": MAIL_EXAMPLE},
    }

    @api.post(
        "/bounces", summary="Say that a notice by e-mail came back", description=_ABOUT,
        openapi_extra={"requestBody": {"required": True, "content": content}},
    )  # fmt: skip
    async def tell(
        request: Request, response: Response,
        received_at: Annotated[ReceivedAt, Query()] = None, prefer: Prefer = None,
    ) -> BounceOut:  # fmt: skip
        report = _read(request.headers.get("content-type", ""), await request.body())
        at = received(wiring, received_at)
        found, outbox = await run_in_threadpool(_take, wiring, report, at)
        await wait_for(wiring, outbox, prefer, response)
        return found

    return api


def _read(media: str, body: bytes) -> Report:
    if media.partition(";")[0].strip().lower() == MAIL:
        try:
            return read_report(body)
        except NoReport as why:
            raise Refusal("malformed-body", f"This mail is no report that can be used: {why}.", "") from why
    try:
        said = BounceBody.model_validate(loads(body))
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in mistakes]) from error
    by_status: dict[str, Outcome] = {"2": "delivered", "4": "delayed", "5": "failed"}
    action = said.action or by_status[said.status[0]]
    return Report(said.message_id.strip(), action, said.status, said.recipient, said.diagnostic)


def _take(wiring: Wiring, report: Report, at: datetime) -> tuple[BounceOut, list[int]]:
    with wiring.database.read() as session:
        keys = keys_mailed(session, report.message_id)
    if not keys:
        raise NotFound("notice that went out by e-mail as", report.message_id[:200])
    notices, outbox = [], list[int]()
    for key in keys:  # one transaction each: nobody holds two accounts, and a repeat changes nothing
        notice, more = _fail(wiring, key, report, at)
        notices.append(notice)
        outbox += more
    found = BounceOut(
        message_id=report.message_id, action=report.action, status=report.status, notices=notices
    )
    return found, outbox


def _fail(wiring: Wiring, key: str, report: Report, at: datetime) -> tuple[NoticeOut, list[int]]:
    with wiring.database.write() as work:
        action = get_action(work.session, key)
        row = get_account(work.session, action.account)
        stands = report.action == "failed" and action.state in ("requested", "done")
        if stands:
            # Mail systems' clocks are their own: it failed when we heard of it, after what we took for done.
            when = max(happened_at(action, at), action.settled_at or at)
            receipt = Receipt(
                id=receipt_id(key, _FAILED, when), value_date=when.astimezone(ZoneInfo(row.timezone)).date(),
                received_at=at, key=key, status=_FAILED, at=when, detail=_detail(report),
            )  # fmt: skip
            wiring.writer.post(work, row.id, receipt, clamp=not wiring.simulated)
        state = _FAILED if stands else action.state
    return NoticeOut(key=key, account=row.id, state=state, new=stands), work.outbox


_FAILED: Literal["failed"] = "failed"


def _detail(report: Report) -> str:
    """Return in one line why it came back."""
    to = f" to {report.recipient}" if report.recipient else ""
    said = f"e-mail{to} came back: {report.status} {report.diagnostic}"
    return "".join(c if c.isprintable() else " " for c in said).strip()[:500]
