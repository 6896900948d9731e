"""What becomes known late about a case that has ended: heard by a case of its own, which takes nothing up.

A payment of an earlier day, a dispute that is upheld, a receipt that takes its word back: told in time, the
ended case would have gone another way. A case of care takes back what was wrong, with its fee, asks again for
what had no effect after all, and ends as the case before it had ended. It is bound to the text of that case.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Inexact, localcontext
from zoneinfo import ZoneInfo

from engine.ladder.memory import Row
from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import CareOf, Position, Taken, TakenRow
from engine.ladder.stepping import PRECISION, step
from engine.ledger.position import SETTLED_DAYS


def care_on(
    policy: CollectionsPolicy, position: Position, at: datetime, previous: Taken
) -> datetime | None:  # fmt: skip
    """Return when somebody has to look after a case that has ended: `at` itself when late news is there.

    `policy` is the text to which that case was bound. None: nothing is left to hear, unless more comes.
    """
    today = _today(position, at)
    if not (carried(policy, previous, today) or previous.rows or previous.fees):
        return None
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        found = step(policy, care_case(policy, previous.case, position, at, previous), position, at)
        return at if found.actions else found.wake_at


def care_case(
    policy: CollectionsPolicy, case: str, position: Position, at: datetime, previous: Taken
) -> Taken:  # fmt: skip
    """Return the memory of a case that looks after an ended one."""
    today = _today(position, at)
    of = previous.care_of or CareOf(case=previous.case, ended=previous.ended, ended_on=previous.ended_on)
    return previous.model_copy(
        update={
            "case": case,
            "opened_at": at,
            "opened_on": today,
            "rows": tuple(row for row in previous.rows if Row.of(row).ends_contract),
            "left": carried(policy, previous, today),
            "moved_up_on": None,
            "ended": "",
            "ended_on": None,
            "care_of": of,
            "text": "",
        }
    )


def carried(policy: CollectionsPolicy, previous: Taken, today: date) -> tuple[TakenRow, ...]:
    """Return the rows of an ended case that can still matter: because of a fee, an undoing, or a revival."""
    other = is_other_text(policy, previous)
    found = [*previous.left, *_given_up(previous)]
    cured = "cured" in (previous.ended, previous.care_of.ended if previous.care_of else "")
    return tuple(
        row.model_copy(update={"foreign": True}) if other else row
        for row in found
        if _can_matter(policy, row, today, revives=cured)
    )


def _given_up(previous: Taken) -> list[TakenRow]:
    """Return what stood when the debt was written off or sold: nothing was undone then."""
    if previous.ended not in ("written_off", "sold"):
        return []
    standing = (row for row in previous.rows if not Row.of(row).ends_contract)
    return [row.model_copy(update={"left_on": previous.ended_on}) for row in standing]


def _can_matter(policy: CollectionsPolicy, row: TakenRow, today: date, *, revives: bool) -> bool:
    if row.left_on is None:
        return False
    if (today - row.left_on).days <= SETTLED_DAYS and (row.undo_keys or Row.of(row).fees):
        return True
    period = policy.case.revive if revives else None
    return period is not None and row.state == "done" and period.after(row.left_on) >= today


def is_other_text(policy: CollectionsPolicy, previous: Taken) -> bool:
    """Tell whether an ended case was bound to another text, where that is known."""
    return bool(previous.text) and previous.text != policy.digest


def _today(position: Position, at: datetime) -> date:
    return at.astimezone(ZoneInfo(position.account.terms.timezone)).date()
