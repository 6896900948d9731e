"""When a case opens, and with what memory."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Inexact, localcontext
from zoneinfo import ZoneInfo

from engine.ladder.aftercare import care_case, carried, is_other_text
from engine.ladder.case import Case, minutes
from engine.ladder.memory import Row
from engine.ladder.model import CollectionsPolicy
from engine.ladder.renaming import entries_of, joined, names_of, renamed
from engine.ladder.reviving import has_bounced
from engine.ladder.scope import WHOLE, service_of
from engine.ladder.state import BookedFee, Position, Taken, TakenRow
from engine.ladder.stepping import PRECISION
from engine.ladder.wake import may_open, opening_on


def opens(policy: CollectionsPolicy, position: Position, at: datetime, item: str = WHOLE) -> bool:
    """Tell whether an account without an open case (about an item) opens one at `at`."""
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        case = _unopened(policy, position, at, item)
        return case.now[1] >= minutes(policy.case.hour) and may_open(case, case.today)


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
        if case.now[1] >= minutes(policy.case.hour) and may_open(case, case.today):
            return at
        return opening_on(case)


def _unopened(policy: CollectionsPolicy, position: Position, at: datetime, item: str) -> Case:
    day = at.astimezone(ZoneInfo(position.account.terms.timezone)).date()
    return Case(policy, Taken(case="", item=item, opened_at=at, opened_on=day), position, at)


def open_case(
    policy: CollectionsPolicy, case: str, position: Position, at: datetime, previous: Taken | None = None,
    item: str = WHOLE, *, care: bool = False,
) -> Taken:  # fmt: skip
    """Return the memory with which a case begins; `previous` is the earlier case of the item, if any.

    Where the payment that cured the earlier case came back in time, its rows can stand again. With `care` the
    case only hears what became known late about the earlier one.
    """
    if care and previous is not None:
        return care_case(policy, case, position, at, previous)
    previous = _renamed(policy, previous) if previous else None
    look = _unopened(policy, position, at, item)
    today = date.fromordinal(look.today)
    bounced = previous is not None and _has_bounced(policy, position, previous)
    return Taken(
        case=case,
        item=item,
        service=service_of(policy.case, position.account, item),
        ladder=look.treatment,
        opened_at=at,
        opened_on=today,
        opened_anchor=entered(look),
        rows=_terminated(position, previous) if previous else (),
        left=carried(policy, previous, today) if previous else (),
        entries=dict(previous.entries) if previous and bounced else {},
        fees=_booked_before(policy, previous, today) if previous else (),
        told=previous.told if previous and _is_pending(previous) else (),
    )


def _renamed(policy: CollectionsPolicy, previous: Taken) -> Taken:
    """Return what is remembered of a case of an older text by the names of this one, as an open case has it.

    A notice that was only renamed stands again after a bounce as it would under its old name.
    """
    if not policy.maps or not is_other_text(policy, previous):
        return previous
    names = names_of(policy, previous)
    rows, left = joined(renamed(previous.rows, names)), joined(renamed(previous.left, names))
    return previous.model_copy(update={"rows": rows, "left": left, "entries": entries_of(previous, names)})


def _is_pending(previous: Taken) -> bool:
    """Tell whether an undoing is still to be confirmed: what an earlier case told of it stays told."""
    return any(Row.of(row).undo_pending for row in previous.left)


BOOKED_DAYS = 800
"""Late fees are kept in mind this long: a payment can come back after more than a year."""


def _booked_before(policy: CollectionsPolicy, previous: Taken, today: date) -> tuple[BookedFee, ...]:
    other = is_other_text(policy, previous)
    return tuple(
        fee.model_copy(update={"foreign": True}) if other else fee
        for fee in previous.fees
        if (today - fee.asked_on).days <= BOOKED_DAYS
    )


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


def _has_bounced(policy: CollectionsPolicy, position: Position, previous: Taken) -> bool:
    period = policy.case.revive
    if period is None or previous.ended != "cured" or previous.ended_on is None:
        return False
    return has_bounced(position.account, previous.left, period)
