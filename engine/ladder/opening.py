"""When a case opens, and with what memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Inexact, localcontext
from zoneinfo import ZoneInfo

from engine.ladder.case import Case, Moment, minutes
from engine.ladder.clock import FOREVER
from engine.ladder.measure import day_of_age
from engine.ladder.memory import Row
from engine.ladder.model import CollectionsPolicy
from engine.ladder.scope import WHOLE, service_of
from engine.ladder.state import BookedFee, Position, Taken, TakenRow
from engine.ladder.stepping import PRECISION


def opens(policy: CollectionsPolicy, position: Position, at: datetime, item: str = WHOLE) -> bool:
    """Tell whether an account without an open case (about an item) opens one at `at`."""
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        case = _unopened(policy, position, at, item)
        return case.now[1] >= minutes(policy.case.hour) and _opens(case, case.today)


def watch_on(
    policy: CollectionsPolicy, position: Position, at: datetime, item: str = WHOLE
) -> datetime | None:
    """Return the first instant from `at` on at which a case can open if nothing else comes.

    `item` is what the case would be about, where an account can have several (`items`). `at` itself when it
    can open now; None when only news can open one.
    """
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        case = _unopened(policy, position, at, item)
        start = minutes(policy.case.hour)
        if case.now[1] >= start and _opens(case, case.today):
            return at
        value_date = position.account.next_value_date
        for day, clock in sorted({m for m in _moments(case, start) if case.now < m < (FOREVER, 0)}):
            if _opens(case, day) or (value_date and value_date.toordinal() <= day):
                return case.instant((day, clock))
        return None


def _unopened(policy: CollectionsPolicy, position: Position, at: datetime, item: str) -> Case:
    day = at.astimezone(ZoneInfo(position.account.terms.timezone)).date()
    return Case(policy, Taken(case="", item=item, opened_at=at, opened_on=day), position, at)


def _opens(case: Case, day: int) -> bool:
    if not case.treatment:
        return False
    measures = case.view.on(day)
    return measures.anchor is not None and case.policy.case.opens.holds(measures.values(measures.overdue))


def _moments(case: Case, start: int) -> Iterator[Moment]:
    yield (case.today, start)
    if case.account.next_value_date:
        yield (case.account.next_value_date.toordinal(), start)
    turns = sorted(set(case.policy.case.opens.turns("age", "days_past_due")))
    for part in case.view.slices:
        yield (part.due + 1, start)
        for _, end in part.out:
            yield (end, start)
        for turn in turns:
            yield (part.due + turn, start)
            if (day := day_of_age(part, turn)) is not None:
                yield (day, start)


def open_case(
    policy: CollectionsPolicy, case: str, position: Position, at: datetime, previous: Taken | None = None,
    item: str = WHOLE,
) -> Taken:  # fmt: skip
    """Return the memory with which a case begins; `previous` is the earlier case of the item, if any.

    Where the payment that cured the earlier case came back in time, its rows can stand again.
    """
    look = _unopened(policy, position, at, item)
    today = date.fromordinal(look.today)
    left = _bounced(policy, position, previous) if previous else ()
    return Taken(
        case=case,
        item=item,
        service=service_of(policy.case, position.account, item),
        ladder=look.treatment,
        opened_at=at,
        opened_on=today,
        opened_anchor=entered(look),
        rows=_terminated(position, previous) if previous else (),
        left=left,
        entries=dict(previous.entries) if previous and left else {},
        fees=_booked_before(previous, today) if previous else (),
    )


BOOKED_DAYS = 800
"""Late fees are kept in mind this long: a payment can come back after more than a year."""


def _booked_before(previous: Taken, today: date) -> tuple[BookedFee, ...]:
    return tuple(fee for fee in previous.fees if (today - fee.asked_on).days <= BOOKED_DAYS)


def entered(case: Case) -> date | None:
    """Return the day that is kept as the anchor of entry; None when nothing is past due."""
    live = [part for part, _ in case.view.on(case.today).live]
    if not live:
        return None
    match case.policy.case.anchor:
        case "entry_date":
            return date.fromordinal(case.today)
        case "latest_due_date_at_entry":
            return date.fromordinal(max(part.due for part in live))
        case _:
            return date.fromordinal(min(part.base for part in live))


def _terminated(position: Position, previous: Taken) -> tuple[TakenRow, ...]:
    """Return what has ended the contract, unless a person has let the ladder go on for a new order since."""
    ended = previous.ended_on
    acts = position.account.acts
    if any(act.act == "resume" and ended and act.value_date >= ended for act in acts):
        return ()
    return tuple(row for row in previous.rows if Row.of(row).ends_contract)


def _bounced(policy: CollectionsPolicy, position: Position, previous: Taken) -> tuple[TakenRow, ...]:
    period = policy.case.revive
    if period is None or previous.ended != "cured" or previous.ended_on is None:
        return ()
    back = {
        debt.id: debt.reopened_on
        for debt in position.account.debts
        if debt.reopened_by == "chargeback" and debt.reopened_on and debt.open
    }
    again = any(
        period.after(row.left_on) >= on
        for row in previous.left
        for debt in row.debts
        if row.left_on and (on := back.get(debt))
    )
    return previous.left if again else ()
