"""The brake: interruptions of a day are counted over the whole book, and held back when they are too many.

A day's row is the lock: whoever asks for an interruption counts it there first, in the transaction that puts
it into the outbox, so that two cases can never both be the last one that was allowed. Where policies differ
in what a day may have, the strictest of those that cut on it holds, in whatever order they ask: the brake
stops the day's class. What is asked for while the brake is on waits in the outbox until a person releases
it; if its hours go by first it is withdrawn, and its case asks again by itself on another day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import Field, Session, col, select

from api.storage.actions import NO_CASE
from api.storage.columns import Instant
from api.storage.errors import StorageError
from api.storage.session import Work
from api.storage.tables import ActionRow, OutboxRow, PolicyRow, Row, TaskRow, table_of
from api.storage.tasks import close_task
from engine.ladder import CollectionsPolicy
from engine.ladder.brake import WATCHED
from engine.ladder.model import INTERRUPTIONS
from engine.ladder.state import Action
from engine.model import canonical, digest

BRAKED = "The brake on interruptions is on"
"""How the outbox says that a row waits for a person."""
LOOK_AGAIN = timedelta(hours=1)
"""How often a row that waits is looked at: its reason may be gone."""


class BrakeRow(Row, table=True):
    """One day of one class of actions: how many were asked for, and whether the brake is on.

    A row of kind `interruptions/<digest>` keeps in mind what one text of a policy lets the day have.
    """

    __tablename__ = "brakes"
    kind: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    """The local day in the time zone of the policy."""
    counted: int = 0
    most: int
    """How many the day may have: the least that a policy says of which one was asked for on it."""
    policy: str
    """The policy that says so."""
    on_since: datetime | None = Field(default=None, sa_type=Instant)
    released_at: datetime | None = Field(default=None, sa_type=Instant)
    released_by: str = ""
    reason: str = ""


class BrakeNotOn(StorageError):
    """There is nothing to release."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"The brake on {kind} is not on. `GET /v1/brakes` shows the last days.")
        self.kind = kind


def is_braked(do: str, *, undo: bool) -> bool:
    """Tell whether the brake speaks of an action: it interrupts; undoing never waits for it."""
    return do in INTERRUPTIONS and not undo


def count(
    work: Work, policy: CollectionsPolicy, account: str, number: int, action: Action, at: datetime,
    has_brake: Callable[[str], bool],
) -> None:  # fmt: skip
    """Count an interruption that is asked for; one too many puts the brake on, and a person is asked.

    `has_brake` tells of a policy text, by its digest, whether it has one.
    """
    if policy.brake is None or not is_braked(action.do, undo=action.undo):
        return
    day = at.astimezone(ZoneInfo(policy.timezone)).date()
    table = table_of(BrakeRow)
    mine = f"{WATCHED}/{policy.digest}"
    if _of(work.session, day, mine) is None:
        most = policy.brake.most(_before(work.session, policy, day, has_brake))
        values = {
            "day": day,
            "counted": 0,
            "most": most,
            "policy": policy.name,
            "released_by": "",
            "reason": "",
        }
        work.insert_once(BrakeRow, values | {"kind": mine})
        work.insert_once(BrakeRow, values | {"kind": WATCHED})
        stricter = table.update().where(table.c.kind == WATCHED, table.c.day == day, table.c.most > most)
        work.session.connection().execute(stricter.values(most=most, policy=policy.name))
    one_more = table.update().where(table.c.kind == WATCHED, table.c.day == day)
    work.session.connection().execute(one_more.values(counted=table.c.counted + 1))
    row = _of(work.session, day)
    assert row is not None, "it was inserted above"
    if row.counted > row.most and row.on_since is None and row.released_at is None:
        _put_on(work, row, account, number, action, at)


def _put_on(
    work: Work, row: BrakeRow, account: str, number: int, action: Action, at: datetime
) -> None:  # fmt: skip
    work.update(BrakeRow, {"kind": row.kind, "day": row.day}, {"on_since": at})
    reason = f"{row.counted} {row.kind} on {row.day}, more than {row.most}: release them, or find out why."
    values = {
        "key": _key(row), "account": account, "number": number, "step": action.step, "do": "task",
        "args": canonical(["release_brake", row.kind]).decode(), "reason": reason, "created_at": at,
        "due_at": None, "state": "open", "outcome": "",
    }  # fmt: skip
    work.insert_once(TaskRow, values)
    work.audit("brake-on", _key(row), at, digest({"counted": row.counted, "most": row.most}))


def _key(row: BrakeRow) -> str:
    return f"brake/{row.kind}/{row.day.isoformat()}"


def _of(session: Session, day: date, kind: str = WATCHED) -> BrakeRow | None:
    query = select(BrakeRow).where(BrakeRow.kind == kind, BrakeRow.day == day)
    return session.exec(query.execution_options(populate_existing=True)).one_or_none()


def _before(
    session: Session, policy: CollectionsPolicy, day: date, has_brake: Callable[[str], bool]
) -> list[int]:
    """Return how many interruptions the days before had, from the first day that had any on.

    What others demand of service is no step of a ladder (and has the number of no case). A policy that got
    its brake only now brings the days of its older texts with it.
    """
    assert policy.brake is not None
    zone = ZoneInfo(policy.timezone)
    cuts = (
        col(ActionRow.do).in_(sorted(INTERRUPTIONS)), col(ActionRow.undo).is_(False),
        ActionRow.state != "withdrawn", ActionRow.number != NO_CASE,
    )  # fmt: skip
    known = select(PolicyRow.digest, PolicyRow.name).join(
        ActionRow, col(ActionRow.policy) == PolicyRow.digest
    )
    texts = session.exec(known.where(*cuts).distinct()).all()
    names = {policy.name, *(name for text, name in texts if has_brake(text))}
    asked = (*cuts, col(ActionRow.policy).in_([text for text, name in texts if name in names]))
    today = datetime.combine(day, time(), zone)
    first = session.exec(select(func.min(ActionRow.requested_at)).where(*asked)).one()
    if first is None or first >= today:
        return []
    start = max(first.astimezone(zone).date(), day - timedelta(days=policy.brake.days))
    since = datetime.combine(start, time(), zone)
    query = select(ActionRow.requested_at).where(
        *asked, ActionRow.requested_at >= since, ActionRow.requested_at < today
    )
    days = Counter(at.astimezone(zone).date() for at in session.exec(query))
    return [days[start + timedelta(days=n)] for n in range((day - start).days)]


# while it is on


def in_force(session: Session) -> Sequence[BrakeRow]:
    """Return the days whose brake is on."""
    query = select(BrakeRow).where(col(BrakeRow.on_since).is_not(None), col(BrakeRow.released_at).is_(None))
    return session.exec(query.order_by(col(BrakeRow.day))).all()


def waits(
    work: Work, policy: CollectionsPolicy, action: ActionRow, head: OutboxRow, at: datetime
) -> datetime | None:
    """Keep an interruption in the outbox while the brake is on; return when to look again; None: it goes.

    What comes behind it does not wait for it: it may restore service.
    """
    if policy.brake is None or not is_braked(action.do, undo=action.undo):
        return None
    on = in_force(work.session)
    if not on:
        return None
    assert head.id is not None
    until = at + LOOK_AGAIN if head.not_after is None else min(at + LOOK_AGAIN, max(head.not_after, at))
    why = f"{BRAKED} since {on[0].day}: {on[0].counted} were asked for, more than {on[0].most}."
    later = max(until, at + timedelta(seconds=1))
    work.update(OutboxRow, {"id": head.id, "state": "pending"}, {"not_before": later, "error": why})
    return until


def look_again(work: Work, account: str) -> None:
    """Let what waits for the brake be looked at now, because something was asked for again."""
    table = table_of(OutboxRow)
    held = table.c.error.startswith(BRAKED, autoescape=True) & (table.c.state == "pending")
    again = table.update().where(held, table.c.account == account)
    work.session.connection().execute(again.values(not_before=None, next_at=None))


def release(work: Work, actor: str, reason: str, at: datetime) -> Sequence[BrakeRow]:
    """Let interruptions go again, for the rest of the day too. Raises BrakeNotOn."""
    on = in_force(work.session)
    if not on:
        raise BrakeNotOn(WATCHED)
    table = table_of(BrakeRow)
    since = table.update().where(table.c.kind == WATCHED, table.c.day >= on[0].day)
    done = since.where(table.c.released_at.is_(None))
    values = {"released_at": at, "released_by": actor, "reason": reason}
    work.session.connection().execute(done.values(**values))
    for row in on:
        work.audit("brake-released", _key(row), at, digest({"actor": actor, "reason": reason}))
        close_task(work, _key(row), "released", at)
    held = table_of(OutboxRow)
    waiting = held.c.error.startswith(BRAKED, autoescape=True) & (held.c.state == "pending")
    connection = work.session.connection()
    numbers = [
        number for (number,) in connection.execute(held.select().with_only_columns(held.c.id).where(waiting))
    ]
    connection.execute(held.update().where(waiting).values(not_before=None, next_at=None, error=""))
    work.outbox.extend(numbers)
    work.channels.add("webhook")  # so that the relay hears of it
    days = [row.day for row in on]
    again = select(BrakeRow).where(BrakeRow.kind == WATCHED, col(BrakeRow.day).in_(days))
    again = again.execution_options(populate_existing=True)
    return work.session.exec(again.order_by(col(BrakeRow.day))).all()


def page_of_brakes(session: Session, before: date | None, limit: int) -> Sequence[BrakeRow]:
    """Return the days on which something was counted, the last one first."""
    query = select(BrakeRow).where(BrakeRow.kind == WATCHED)
    if before is not None:
        query = query.where(BrakeRow.day < before)
    return session.exec(query.order_by(col(BrakeRow.day).desc()).limit(limit)).all()
